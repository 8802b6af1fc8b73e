//! Both JSON forms, byte for byte as Jaeger writes them.
//!
//! The order of keys is that of the messages' fields. Numbers and strings are those of Go's `encoding/json`, which jsonpb uses
//! too: the shortest digits that read back the same, and `<`, `>`, `&` escaped.

use super::{Kind, Response};
use skua_model::json::{Commas, put_float, put_html_safe, put_int};

/// Why a strategy has no legacy form. Jaeger's agent answers 500 then.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum LegacyError {
    /// The field has 16 bits there.
    #[error("maxTracesPerSecond {0} does not fit the legacy answer, where it is from {min} to {max}", min = i16::MIN, max = i16::MAX)]
    RateLimit(i32),
    /// JSON has no such number.
    #[error("the number {0} cannot be written in the legacy answer")]
    Number(f64),
}

impl Response {
    /// The JSON of `/api/sampling` and `/sampling`: `strategyType` by name, absent parts left out, all numbers of the parts that
    /// are there. NaN and the infinities are strings, as in all of protobuf's JSON.
    pub fn to_json(&self) -> String {
        self.json(match self.kind {
            Kind::Probabilistic => "\"PROBABILISTIC\"",
            Kind::RateLimiting => "\"RATE_LIMITING\"",
        })
    }

    /// The JSON of the agent's `/`: the same, but `strategyType` by number, as Thrift 0.9.2 had it.
    ///
    /// # Errors
    /// When the rate limit does not fit 16 bits, or a number is not finite.
    pub fn to_legacy_json(&self) -> Result<String, LegacyError> {
        if let Some(limit) = self.rate_limiting.filter(|v| i16::try_from(*v).is_err()) {
            return Err(LegacyError::RateLimit(limit));
        }
        if let Some(number) = self.numbers().find(|v| !v.is_finite()) {
            return Err(LegacyError::Number(number));
        }
        Ok(self.json(if self.kind == Kind::Probabilistic { "0" } else { "1" }))
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        let per_operation = self.operations.iter().flat_map(|of| {
            let defaults = [of.default_probability, of.default_lower_bound, of.default_upper_bound];
            defaults.into_iter().chain(of.operations.iter().map(|(_, rate)| *rate))
        });
        self.probabilistic.into_iter().chain(per_operation)
    }

    fn json(&self, kind: &str) -> String {
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(b"{\"strategyType\":");
        out.extend_from_slice(kind.as_bytes());
        if let Some(rate) = self.probabilistic {
            put_number(&mut out, b",\"probabilisticSampling\":{\"samplingRate\":", rate);
            out.push(b'}');
        }
        if let Some(limit) = self.rate_limiting {
            out.extend_from_slice(b",\"rateLimitingSampling\":{\"maxTracesPerSecond\":");
            put_int(&mut out, limit);
            out.push(b'}');
        }
        if let Some(of) = &self.operations {
            put_number(&mut out, b",\"operationSampling\":{\"defaultSamplingProbability\":", of.default_probability);
            put_number(&mut out, b",\"defaultLowerBoundTracesPerSecond\":", of.default_lower_bound);
            out.extend_from_slice(b",\"perOperationStrategies\":[");
            let mut list = Commas::default();
            for (operation, rate) in &of.operations {
                list.next(&mut out);
                out.extend_from_slice(b"{\"operation\":");
                put_html_safe(&mut out, operation.as_bytes());
                put_number(&mut out, b",\"probabilisticSampling\":{\"samplingRate\":", *rate);
                out.extend_from_slice(b"}}");
            }
            put_number(&mut out, b"],\"defaultUpperBoundTracesPerSecond\":", of.default_upper_bound);
            out.push(b'}');
        }
        out.push(b'}');
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn put_number(out: &mut Vec<u8>, before: &[u8], v: f64) {
    out.extend_from_slice(before);
    match v {
        _ if v.is_nan() => out.extend_from_slice(b"\"NaN\""),
        f64::INFINITY => out.extend_from_slice(b"\"Infinity\""),
        f64::NEG_INFINITY => out.extend_from_slice(b"\"-Infinity\""),
        _ => put_float(out, v),
    }
}
