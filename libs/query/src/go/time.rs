//! Times with zones.

use super::quote_bytes;
use std::ops::RangeInclusive;

const LAYOUT: &str = "2006-01-02T15:04:05.999999999Z07:00";
const SECOND: i128 = 1_000_000_000;

/// Why a text is no time.
enum Wrong<'a> {
    /// This rest does not begin with this part of the layout.
    Form(&'a str, &'static str),
    /// A number of this kind is out of range.
    Range(&'static str),
    /// Something follows.
    Extra(&'a str),
}

/// `time.Parse(time.RFC3339Nano, text)` in nanoseconds since 1970, or its error's text. Digits of a second beyond nine are
/// cut; a comma may stand for the point.
///
/// # Errors
/// `parsing time "x" as "2006-01-02T15:04:05.999999999Z07:00": cannot parse "x" as "2006"`, `parsing time "…": month out of range`.
pub fn parse_time(text: &str) -> Result<i128, String> {
    read(text).map_err(|wrong| match wrong {
        Wrong::Form(rest, part) => {
            let [text, rest, part] = [text, rest, part].map(quote_bytes);
            format!("parsing time {text} as {}: cannot parse {rest} as {part}", quote_bytes(LAYOUT))
        }
        Wrong::Range(what) => format!("parsing time {}: {what} out of range", quote_bytes(text)),
        Wrong::Extra(rest) => format!("parsing time {}: extra text: {}", quote_bytes(text), quote_bytes(rest)),
    })
}

fn read(text: &str) -> Result<i128, Wrong<'_>> {
    let year = text.get(..4).filter(|y| y.bytes().all(|b| b.is_ascii_digit())).and_then(|y| y.parse::<i64>().ok());
    let year = year.ok_or(Wrong::Form(text, "2006"))?;
    let rest = after(&text[4..], "-")?;
    let (month, rest) = number(rest, "01", Some((1..=12, "month")))?;
    let (day, rest) = number(after(rest, "-")?, "02", None)?;
    let (hour, rest) = hour(after(rest, "T")?)?;
    let (minute, rest) = number(after(rest, ":")?, "04", Some((0..=59, "minute")))?;
    let (second, rest) = number(after(rest, ":")?, "05", Some((0..=59, "second")))?;
    let (nanos, rest) = fraction(rest);
    let (offset, rest) = zone(rest)?;
    if !rest.is_empty() {
        return Err(Wrong::Extra(rest));
    }
    if day < 1 || day > days_in(year, month) {
        return Err(Wrong::Range("day"));
    }
    let seconds = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset;
    Ok(i128::from(seconds) * SECOND + i128::from(nanos))
}

fn after<'a>(text: &'a str, part: &'static str) -> Result<&'a str, Wrong<'a>> {
    text.strip_prefix(part).ok_or(Wrong::Form(text, part))
}

fn digit(text: &str, at: usize) -> Option<i64> {
    text.as_bytes().get(at).filter(|b| b.is_ascii_digit()).map(|b| i64::from(b - b'0'))
}

/// Two digits.
fn number<'a>(
    text: &'a str,
    part: &'static str,
    range: Option<(RangeInclusive<i64>, &'static str)>,
) -> Result<(i64, &'a str), Wrong<'a>> {
    let (Some(tens), Some(ones)) = (digit(text, 0), digit(text, 1)) else { return Err(Wrong::Form(text, part)) };
    let value = tens * 10 + ones;
    match range {
        Some((range, what)) if !range.contains(&value) => Err(Wrong::Range(what)),
        _ => Ok((value, &text[2..])),
    }
}

/// One digit will do.
fn hour(text: &str) -> Result<(i64, &str), Wrong<'_>> {
    match (digit(text, 0), digit(text, 1)) {
        (Some(hour), None) => Ok((hour, &text[1..])),
        _ => number(text, "15", Some((0..=23, "hour"))),
    }
}

/// Nanoseconds; none when there is no point with a digit.
fn fraction(text: &str) -> (i64, &str) {
    if !text.starts_with(['.', ',']) || digit(text, 1).is_none() {
        return (0, text);
    }
    let digits = text[1..].bytes().take_while(u8::is_ascii_digit).count();
    let nanos = (1..10).fold(0, |n, at| n * 10 + if at <= digits { digit(text, at).unwrap_or(0) } else { 0 });
    (nanos, &text[1 + digits..])
}

/// Seconds east of Greenwich.
fn zone(text: &str) -> Result<(i64, &str), Wrong<'_>> {
    const PART: &str = "Z07:00";
    if let Some(rest) = text.strip_prefix('Z') {
        return Ok((0, rest));
    }
    let wrong = || Wrong::Form(text, PART);
    let sign = match text.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Err(wrong()),
    };
    let two = |at| Some(digit(text, at)? * 10 + digit(text, at + 1)?);
    let (Some(hours), Some(b':'), Some(minutes)) = (two(1), text.as_bytes().get(3), two(4)) else { return Err(wrong()) };
    match (hours, minutes) {
        (25.., _) => Err(Wrong::Range("time zone offset hour")),
        (_, 61..) => Err(Wrong::Range("time zone offset minute")),
        _ => Ok((sign * (hours * 60 + minutes) * 60, &text[6..])),
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar: the inverse of `skua_model::json::civil_from_days`.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (month + 9) % 12;
    let doy = (153 * mp + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_in_go() {
        let day = 1_769_904_000 * SECOND; // 2026-02-01
        for (text, want) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-02-01T00:00:00Z", day),
            ("2026-02-01T01:30:00+01:30", day),
            ("2026-01-31T23:00:00-01:00", day),
            ("2026-02-01T00:00:00.5Z", day + SECOND / 2),
            ("2026-02-01T00:00:00,000000001Z", day + 1),
            ("2026-02-01T00:00:00.1234567899Z", day + 123_456_789),
            ("2026-02-01T3:00:00Z", day + 3 * 3600 * SECOND),
            ("2024-02-29T00:00:00Z", 1_709_164_800 * SECOND),
            ("1969-12-31T23:59:59Z", -SECOND),
            ("0000-01-01T00:00:00Z", -62_167_219_200 * SECOND),
            ("9999-12-31T23:59:59Z", 253_402_300_799 * SECOND),
        ] {
            assert_eq!(parse_time(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn days_are_counted_as_the_model_counts_them() {
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = skua_model::json::civil_from_days(days);
            assert_eq!(days_from_civil(year, month.into(), day.into()), days);
        }
    }

    /// What Go says of the same texts, asked once.
    #[test]
    fn what_is_no_time() {
        for (text, rest, part) in [
            ("", "", "2006"),
            ("x", "x", "2006"),
            ("20x6", "20x6", "2006"),
            ("2026-2-03T23:00:00Z", "2-03T23:00:00Z", "01"),
            ("2026-01-01", "", "T"),
            ("2026-02-03t23:00:00Z", "t23:00:00Z", "T"),
            ("2026-02-03T03:00Z", "Z", ":"),
            ("2026-02-03T23:00:00", "", "Z07:00"),
            ("2026-02-03T23:00:00.Z", ".Z", "Z07:00"),
            ("2026-02-03T03:00:00z", "z", "Z07:00"),
            ("2026-02-03T03:00:00+0100", "+0100", "Z07:00"),
            ("2026-02-03T03:00:00 01:00", " 01:00", "Z07:00"),
            ("2026-02-03T03:00:00+0é:00", "+0\\xc3\\xa9:00", "Z07:00"),
        ] {
            let given = text.replace('é', "\\xc3\\xa9");
            let want = format!("parsing time \"{given}\" as \"{LAYOUT}\": cannot parse \"{rest}\" as \"{part}\"");
            assert_eq!(parse_time(text), Err(want));
        }
        for (text, what) in [
            ("2026-13-01T00:00:00Z", "month"),
            ("2026-02-30T00:00:00Z", "day"),
            ("2026-02-00T00:00:00Z", "day"),
            ("2026-02-03T25:00:00Z", "hour"),
            ("2026-02-03T23:60:00Z", "minute"),
            ("2026-02-03T23:00:60Z", "second"),
            ("2026-02-03T23:00:00.1+25:00", "time zone offset hour"),
            ("2026-02-03T23:00:00.1+01:61", "time zone offset minute"),
        ] {
            assert_eq!(parse_time(text), Err(format!("parsing time \"{text}\": {what} out of range")));
        }
        assert_eq!(
            parse_time("2026-02-03T23:00:00.1Zx"),
            Err("parsing time \"2026-02-03T23:00:00.1Zx\": extra text: \"x\"".to_owned())
        );
    }
}
