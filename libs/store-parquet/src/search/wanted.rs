//! What the value of a tag has to be.

use crate::columns::Type;
use regex::bytes::{Regex, RegexBuilder};
use skua_model::{AnyValue, Value};
use skua_store::{ErrorKind, StoreError};

/// A value that begins so is a regular expression.
const PATTERN: &str = "=~";
/// Bytes of a compiled expression at most.
const MOST_PATTERN: usize = 1 << 20;

/// A key, and what its value has to be as text.
#[derive(Debug)]
pub(crate) struct Tag {
    pub key: Vec<u8>,
    pub value: Wanted,
}

/// A text, or a pattern of the whole text.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// With the number that is written so, if there is one.
    Text(String, Option<i64>),
    Pattern(Regex),
}

impl Wanted {
    /// Of the value of a search.
    ///
    /// # Errors
    /// `Invalid` for a pattern that is none.
    pub fn read(value: &str) -> Result<Self, StoreError> {
        let Some(pattern) = value.strip_prefix(PATTERN) else {
            let int = value.parse::<i64>().ok().filter(|n| n.to_string() == value);
            return Ok(Self::Text(value.to_owned(), int));
        };
        let regex = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(MOST_PATTERN).dot_matches_new_line(true).build();
        let invalid = |e: regex::Error| {
            let text = format!("failed to search: after {PATTERN} comes a regular expression, and {pattern:?} is none: {e}");
            StoreError::new(ErrorKind::Invalid, text)
        };
        regex.map(Self::Pattern).map_err(invalid)
    }

    /// The text, when it is the only one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text, _) => Some(text),
            Self::Pattern(_) => None,
        }
    }

    pub fn is(&self, text: &[u8]) -> bool {
        match self {
            Self::Text(wanted, _) => wanted.as_bytes() == text,
            Self::Pattern(regex) => regex.is_match(text),
        }
    }

    /// Of a value of an attribute's column.
    pub fn is_cell(&self, ty: Type, value: &[u8]) -> bool {
        let eight = || value.try_into().unwrap_or_default();
        match (ty, self) {
            (Type::String, _) => self.is(value),
            (Type::Int, Self::Text(_, int)) => *int == Some(i64::from_le_bytes(eight())),
            (Type::Int, Self::Pattern(_)) => self.is_value(AnyValue::Int(i64::from_le_bytes(eight()))),
            (Type::Bool, _) => self.is(if value == [1] { b"true" } else { b"false" }),
            (Type::Double, _) => self.is_value(AnyValue::Double(f64::from_le_bytes(eight()))),
        }
    }

    pub fn is_value(&self, value: AnyValue<'_>) -> bool {
        match value {
            AnyValue::String(text) => self.is(text),
            other => self.is(Value::from_any(other).as_text().as_bytes()),
        }
    }
}
