//! Why one span of an otherwise sound batch is not taken.

use std::fmt;

/// Why a span is refused. The rest of its batch goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Refusal {
    /// The span's own bytes are not a protobuf message.
    Malformed,
    /// A trace id that is not 16 bytes or a span id that is not 8.
    IdLength,
    /// A trace id that is absent or all zero: nothing could ever find the span (W3C Trace Context 3.2.2.3).
    ZeroTraceId,
    /// A span id that is absent or all zero (W3C Trace Context 3.2.2.4).
    ZeroSpanId,
    /// Attribute values nested deeper than [`crate::MAX_NESTING`].
    Nesting,
    /// Longer than the limit for one span ([`crate::SpanLimit`]), and not to be trimmed or not trimmable to it.
    TooLarge,
}

impl Refusal {
    /// All reasons, in the order of [`Refusals`].
    pub const ALL: [Self; 6] =
        [Self::Malformed, Self::IdLength, Self::ZeroTraceId, Self::ZeroSpanId, Self::Nesting, Self::TooLarge];

    /// The value of the metric label `reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::IdLength => "id-length",
            Self::ZeroTraceId => "zero-trace-id",
            Self::ZeroSpanId => "zero-span-id",
            Self::Nesting => "nesting",
            Self::TooLarge => "too-large",
        }
    }

    /// What the sender is told.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Malformed => "not a valid protobuf Span message",
            Self::IdLength => "a trace id must have 16 bytes and a span id 8",
            Self::ZeroTraceId => "the trace id is absent or all zero",
            Self::ZeroSpanId => "the span id is absent or all zero",
            Self::Nesting => "attribute values are nested too deeply (64 levels at most)",
            Self::TooLarge => "a span is larger than the limit for one span",
        }
    }
}

/// How many spans were refused, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refusals([u32; Refusal::ALL.len()]);

impl Refusals {
    /// Counts one more.
    pub fn add(&mut self, why: Refusal) {
        self.0[why as usize] += 1;
    }

    /// Counts several more.
    pub fn add_many(&mut self, why: Refusal, spans: u32) {
        self.0[why as usize] += spans;
    }

    /// What was refused after `before`, an earlier state of the same count.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].saturating_sub(before.0[i])))
    }

    /// Spans refused for any reason.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|n| u64::from(*n)).sum()
    }

    /// Spans refused for this reason.
    pub fn of(&self, why: Refusal) -> u64 {
        u64::from(self.0[why as usize])
    }

    /// Reasons that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Refusal, u64)> + '_ {
        Refusal::ALL.into_iter().zip(self.0).filter(|(_, n)| *n > 0).map(|(r, n)| (r, u64::from(n)))
    }
}

/// One sentence for the sender, for example `2 spans refused: the trace id is absent or all zero`.
impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (why, n)) in self.iter().enumerate() {
            let (sep, s) = (if i > 0 { "; " } else { "" }, if n == 1 { "" } else { "s" });
            write!(f, "{sep}{n} span{s} refused: {}", why.explain())?;
        }
        Ok(())
    }
}
