//! What a sampler writes into the root span of a trace that it lets through.

use skua_model::{AnyValue, SpanView};

/// The tags `sampler.type` and `sampler.param` of Jaeger's clients; OpenTelemetry's remote samplers put `jaeger.` before both.
#[derive(Debug, PartialEq)]
pub(super) struct Sampled {
    /// The type is `probabilistic`, and not `lowerbound`, `ratelimiting` or `const`.
    pub probabilistic: bool,
    /// The probability, with the first two types.
    pub param: f64,
}

impl Sampled {
    /// `None` without a known type and a number. Of equal keys the first counts.
    pub fn read(span: &SpanView<'_>) -> Option<Self> {
        let (mut kind, mut param) = (None, None);
        for tag in span.attributes() {
            match tag.key.strip_prefix(b"jaeger.").unwrap_or(tag.key) {
                b"sampler.type" if kind.is_none() => kind = Some(tag.value),
                b"sampler.param" if param.is_none() => param = Some(tag.value),
                _ => continue,
            }
            if kind.is_some() && param.is_some() {
                break;
            }
        }
        let AnyValue::String(kind) = kind? else { return None };
        let probabilistic = match kind {
            b"probabilistic" => true,
            b"lowerbound" | b"ratelimiting" | b"const" => false,
            _ => return None,
        };
        Some(Self { probabilistic, param: number(param?)? })
    }
}

/// Clients write a float, an integer or a text.
fn number(value: AnyValue<'_>) -> Option<f64> {
    match value {
        AnyValue::Double(v) => Some(v),
        AnyValue::Int(v) => Some(v as f64),
        AnyValue::String(s) => std::str::from_utf8(s).ok()?.parse().ok(),
        _ => None,
    }
}
