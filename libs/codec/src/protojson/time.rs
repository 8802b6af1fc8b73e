//! `google.protobuf.Timestamp` and `Duration` as JSON texts, with as many fraction digits as Go's jsonpb: 0, 3, 6 or 9.

use skua_model::json::civil_from_days;
use skua_model::wire::Cursor;
use std::io::Write as _;

/// Seconds and nanos of either message; what is malformed counts as 0.
pub(super) fn parts(body: &[u8]) -> (i64, i32) {
    let (mut seconds, mut nanos) = (0, 0);
    let mut c = Cursor::new(body);
    while let Ok(Some(tag)) = c.tag() {
        match tag {
            0x08 => seconds = c.varint().unwrap_or_default() as i64,
            0x10 => nanos = c.varint().unwrap_or_default() as i32,
            _ => {
                if c.skip(tag, 0).is_err() {
                    break;
                }
            }
        }
    }
    (seconds, nanos)
}

fn put_fraction(out: &mut Vec<u8>, nanos: u32) {
    // Writing to a Vec cannot fail.
    drop(match nanos {
        0 => Ok(()),
        n if n % 1_000_000 == 0 => write!(out, ".{:03}", n / 1_000_000),
        n if n % 1_000 == 0 => write!(out, ".{:06}", n / 1_000),
        n => write!(out, ".{n:09}"),
    });
}

/// `2023-11-14T22:13:20.120Z`, without quotes.
pub(super) fn put_timestamp(out: &mut Vec<u8>, seconds: i64, nanos: i32) {
    let (y, m, d) = civil_from_days(seconds.div_euclid(86_400));
    let s = seconds.rem_euclid(86_400);
    drop(write!(out, "{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60));
    put_fraction(out, nanos.unsigned_abs());
    out.push(b'Z');
}

/// `-1.500s`, without quotes.
pub(super) fn put_duration(out: &mut Vec<u8>, seconds: i64, nanos: i32) {
    if seconds < 0 || nanos < 0 {
        out.push(b'-');
    }
    drop(write!(out, "{}", seconds.unsigned_abs()));
    put_fraction(out, nanos.unsigned_abs());
    out.push(b's');
}

/// RFC 3339: `2023-11-14T22:13:20.123456789Z`, or with an offset such as `+01:00`.
pub(super) fn timestamp(text: &str) -> Option<(i64, i32)> {
    let (date, rest) = text.split_at_checked(19)?;
    let b = date.as_bytes();
    if !(b[4] == b'-' && b[7] == b'-' && matches!(b[10], b'T' | b't' | b' ') && b[13] == b':' && b[16] == b':') {
        return None;
    }
    let [y, mo, d, h, mi, s] = [0..4, 5..7, 8..10, 11..13, 14..16, 17..19].map(|at| date.get(at).and_then(digits));
    let (y, mo, d, h, mi, s) = (y?, mo?, d?, h?, mi?, s?);
    if !((1..=12).contains(&mo) && (1..=31).contains(&d) && h < 24 && mi < 60 && s <= 60) {
        return None;
    }
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (fraction, zone) = rest.split_at(zone);
    let nanos = if fraction.is_empty() { 0 } else { nanos(fraction.strip_prefix('.')?)? };
    let offset = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign, _, _, b':', _, _] => {
            let (h, m) = (digits(zone.get(1..3)?)?, digits(zone.get(4..6)?)?);
            (h * 3600 + m * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    Some((days(y, mo, d) * 86_400 + h * 3600 + mi * 60 + s - offset, nanos))
}

/// `-1.500s`: seconds and nanos of the same sign.
pub(super) fn duration(text: &str) -> Option<(i64, i32)> {
    let text = text.strip_suffix('s')?;
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |t| (-1, t));
    let (seconds, nano) = match text.split_once('.') {
        Some((s, f)) => (digits(s)?, nanos(f)?),
        None => (digits(text)?, 0),
    };
    Some((sign * seconds, sign as i32 * nano))
}

/// Up to 18 decimal digits.
fn digits(text: &str) -> Option<i64> {
    let sound = (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| sound)
}

/// The digits after the point; beyond the ninth they are cut off.
fn nanos(fraction: &str) -> Option<i32> {
    let cut = fraction.get(..9).unwrap_or(fraction);
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = i32::try_from(digits(cut)?).ok()?;
    Some(value * 10_i32.pow(9 - cut.len() as u32))
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar; the reverse of `civil_from_days`.
fn days(y: i64, m: i64, d: i64) -> i64 {
    let (y, m) = if m > 2 { (y, m - 3) } else { (y - 1, m + 9) };
    let (era, yoe) = (y.div_euclid(400), y.rem_euclid(400));
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + (153 * m + 2) / 5 + d - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_agree() {
        for (text, want) in [
            ("2023-11-14T22:13:20.123456789Z", (1_700_000_000, 123_456_789)),
            ("2023-11-14T22:13:20.120Z", (1_700_000_000, 120_000_000)),
            ("1970-01-01T00:00:01Z", (1, 0)),
            ("0001-01-01T00:00:00Z", (-62_135_596_800, 0)),
            ("2024-02-29T23:59:59.000120Z", (1_709_251_199, 120_000)),
        ] {
            assert_eq!(timestamp(text), Some(want), "{text}");
            let mut out = Vec::new();
            put_timestamp(&mut out, want.0, want.1);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        assert_eq!(timestamp("2023-11-14T23:13:20.5+01:00"), Some((1_700_000_000, 500_000_000)));
        for (text, want) in
            [("1s", (1, 0)), ("-1.500s", (-1, -500_000_000)), ("0.001500s", (0, 1_500_000)), ("-0.000000001s", (0, -1))]
        {
            assert_eq!(duration(text), Some(want), "{text}");
            let mut out = Vec::new();
            put_duration(&mut out, want.0, want.1);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "2023-11-14T22:13:20",
            "2023-11-14",
            "2023-13-14T22:13:20Z",
            "2023-11-14T22:13:20.Z",
            "éééééééééééééééééééé",
            "2023-11-14T22:13:20+0100",
            "20231114T221320.000000Z",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
        for text in ["", "s", "1", "1.s", "+1s", "1e3s", "1m", "--1s", "9999999999999999999s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
