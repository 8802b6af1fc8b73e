//! Values as Zipkin's clients write them in JSON. `null` is an absent value everywhere, as in Go.

use super::error::{Fault, at};
use super::json::{Json, JsonError, Text};
use std::borrow::Cow;

/// `null` leaves it as it is.
pub(super) fn text<'a>(json: &mut Json<'a>, field: &'static str, to: &mut Text<'a>) -> Result<(), Fault> {
    if !json.null().map_err(at(field))? {
        *to = json.string().map_err(at(field))?;
    }
    Ok(())
}

/// Reads `null` or an empty string, if that is what comes.
pub(super) fn is_absent(json: &mut Json<'_>, field: &'static str) -> Result<bool, Fault> {
    Ok(json.null().map_err(at(field))? || json.empty_string())
}

/// A whole number; also as text, or with an exponent or a fraction of zeros, which Jaeger refuses.
#[inline]
pub(super) fn integer<T>(json: &mut Json<'_>, field: &'static str) -> Result<Option<T>, Fault>
where
    T: std::str::FromStr + TryFrom<i128>,
{
    if json.null().map_err(at(field))? {
        return Ok(None);
    }
    let text: Cow<'_, str> = if json.peek() == b'"' {
        String::from_utf8_lossy(&json.string().map_err(at(field))?).into_owned().into()
    } else {
        json.number().map_err(at(field))?.into()
    };
    let value = text.parse().ok().or_else(|| T::try_from(whole(&text)?).ok());
    value.map(Some).ok_or_else(|| Fault::value(field, text.as_bytes(), "a whole number in the field's range"))
}

#[cold]
fn whole(text: &str) -> Option<i128> {
    let float: f64 = text.parse().ok()?;
    (float.fract() == 0.0 && float.abs() < 2e19).then_some(float as i128)
}

/// Opens a list. False for `null`.
pub(super) fn list(json: &mut Json<'_>, field: &'static str) -> Result<bool, Fault> {
    let mut open = || -> Result<bool, JsonError> {
        if json.null()? {
            return Ok(false);
        }
        json.list().map(|()| true)
    };
    open().map_err(at(field))
}
