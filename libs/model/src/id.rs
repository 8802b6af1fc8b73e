//! Trace and span ids: bytes in big-endian order, and the hex text that Jaeger gives them.

use crate::partition;
use std::fmt;
use std::str::FromStr;

/// 128 bits; the high half of a 64-bit id is zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TraceId(pub [u8; 16]);

/// 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SpanId(pub [u8; 8]);

/// Why a text is not an id. The texts are those of Jaeger's query API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// More digits than the id has.
    #[error("{what} cannot be longer than {digits} hex characters: {text}")]
    Long {
        /// `TraceID` or `SpanID`.
        what: &'static str,
        /// 32 or 16.
        digits: usize,
        /// What was given.
        text: String,
    },
    /// Empty, or a character that is not a hex digit.
    #[error("strconv.ParseUint: parsing {text:?}: invalid syntax")]
    Digit {
        /// What was given, or the half of it that is wrong.
        text: String,
    },
}

impl TraceId {
    /// True for the id that means "no trace".
    pub fn is_zero(self) -> bool {
        self.0 == [0; 16]
    }
}

impl SpanId {
    /// True for the id that means "no span".
    pub fn is_zero(self) -> bool {
        self.0 == [0; 8]
    }
}

/// Lower-case hex, 16 digits when the high half is zero, else 32.
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 32];
        let n = partition::trace_hex(&self.0, &mut digits);
        f.write_str(std::str::from_utf8(&digits[..n]).unwrap_or_default())
    }
}

/// Lower-case hex, 16 digits.
impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn half(text: &str) -> Result<u64, IdError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(IdError::Digit { text: text.to_owned() });
    }
    u64::from_str_radix(text, 16).map_err(|_| IdError::Digit { text: text.to_owned() })
}

/// 1 to 32 hex digits of either case; of more than 16, the last 16 are the low half.
impl FromStr for TraceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() > 32 {
            return Err(IdError::Long { what: "TraceID", digits: 32, text: text.to_owned() });
        }
        let split = text.len().saturating_sub(16);
        if !text.is_char_boundary(split) {
            return Err(IdError::Digit { text: text.to_owned() });
        }
        let (hi, lo) = text.split_at(split);
        let hi = if hi.is_empty() { 0 } else { half(hi)? };
        Ok(Self((u128::from(hi) << 64 | u128::from(half(lo)?)).to_be_bytes()))
    }
}

/// 1 to 16 hex digits of either case.
impl FromStr for SpanId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() > 16 {
            return Err(IdError::Long { what: "SpanID", digits: 16, text: text.to_owned() });
        }
        half(text).map(|v| Self(v.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_jaegers() {
        let id = |s: &str| s.parse::<TraceId>().map(|id| id.to_string());
        assert_eq!(id("abc").unwrap(), "0000000000000abc");
        assert_eq!(id("1000000000000000a").unwrap(), "0000000000000001000000000000000a");
        assert_eq!(id("0AF7651916CD43DD8448EB211C80319C").unwrap(), "0af7651916cd43dd8448eb211c80319c");
        assert!(id("").is_err() && id("0x1").is_err() && id("+1").is_err() && id("1_0").is_err() && id("éééééééééé").is_err());
        let long = "0".repeat(33);
        assert_eq!(id(&long).unwrap_err().to_string(), format!("TraceID cannot be longer than 32 hex characters: {long}"));
        assert_eq!("1f".parse::<SpanId>().unwrap().to_string(), "000000000000001f");
    }
}
