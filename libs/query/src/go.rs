//! Texts as Go's standard library reads and writes them: they are part of Jaeger's API.

mod time;

pub use time::parse_time;

use std::num::IntErrorKind;
use std::str::FromStr;

/// `strconv.ParseInt(text, 10, …)` for the size of `T`, or its error's text.
///
/// # Errors
/// `strconv.ParseInt: parsing "x": invalid syntax`, or `value out of range`.
pub fn parse_int<T: FromStr<Err = std::num::ParseIntError>>(text: &str) -> Result<T, String> {
    number("ParseInt", text)
}

/// `strconv.Atoi(text)`, or its error's text.
///
/// # Errors
/// `strconv.Atoi: parsing "x": invalid syntax`, or `value out of range`.
pub fn atoi(text: &str) -> Result<i64, String> {
    number("Atoi", text)
}

fn number<T: FromStr<Err = std::num::ParseIntError>>(function: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|e: std::num::ParseIntError| {
        let why = match e.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("strconv.{function}: parsing {}: {why}", quote(text))
    })
}

/// `strconv.ParseBool`, or its error's text.
///
/// # Errors
/// `strconv.ParseBool: parsing "x": invalid syntax`.
pub fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {}: invalid syntax", quote(text))),
    }
}

const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// `time.ParseDuration` in nanoseconds (`1h30m`, `1.5s`, `-2us`, `0`), or its error's text.
///
/// # Errors
/// `time: invalid duration "x"`, `time: missing unit in duration "5"`, `time: unknown unit "d" in duration "1d"`.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote_bytes(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    const MOST: u64 = 1 << 63;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        if !rest.starts_with(|c: char| c == '.' || c.is_ascii_digit()) {
            return Err(invalid());
        }
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        let unit_end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quote_bytes(text)));
        }
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("time: unknown unit {} in duration {}", quote_bytes(unit), quote_bytes(text)));
        };
        let value = whole.checked_mul(*scale).and_then(|v| v.checked_add(part(fraction, *scale)));
        total = value.and_then(|v| total.checked_add(v)).filter(|t| *t <= MOST).ok_or_else(invalid)?;
        rest = after;
    }
    match (negative, i64::try_from(total)) {
        (false, Ok(total)) => Ok(total),
        (true, Ok(total)) => Ok(-total),
        (true, Err(_)) => Ok(i64::MIN),
        (false, Err(_)) => Err(invalid()),
    }
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// A decimal fraction of a unit, cut to whole nanoseconds. An hour is 3.6e12 ns: fifteen digits say all there is to say.
fn part(fraction: &str, unit: u64) -> u64 {
    let (mut numerator, mut divisor) = (0_u128, 1_u128);
    for digit in fraction.bytes().take(15) {
        numerator = numerator * 10 + u128::from(digit - b'0');
        divisor *= 10;
    }
    (numerator * u128::from(unit) / divisor) as u64
}

/// `time.Duration.String`: `5.501ms`, `1h0m0.5s`, `0s`, `-2µs`.
pub fn duration_text(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let ns = nanoseconds.unsigned_abs();
    let text = match ns {
        0 => "0s".to_owned(),
        1..1_000 => format!("{ns}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(ns, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(ns, 1_000_000)),
        _ => {
            let (minutes, rest) = (ns / 60_000_000_000, ns % 60_000_000_000);
            let seconds = decimal(rest, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, m) => format!("{m}m{seconds}s"),
                (h, m) => format!("{h}h{m}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

/// `value / scale` with as many decimals as it takes.
fn decimal(value: u64, scale: u64) -> String {
    let (whole, rest) = (value / scale, value % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = format!("{rest:0width$}", width = scale.ilog10() as usize);
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// `strconv.Quote`, but that combining marks are escaped too.
pub fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' | '\u{7f}' => out.push_str(&format!("\\x{:02x}", c as u32)),
            '\'' | ' '..='~' => out.push(c),
            _ if c.escape_debug().len() == 1 => out.push(c),
            '\0'..='\u{ffff}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            _ => out.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    out.push('"');
    out
}

/// The quotes of package `time`: bytes outside printable ASCII as `\xNN`.
fn quote_bytes(text: &str) -> String {
    let mut out = String::from('"');
    for b in text.bytes() {
        match b {
            b'"' | b'\\' => out.extend(['\\', char::from(b)]),
            b' '..0x80 => out.push(char::from(b)),
            _ => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_in_go() {
        let good = [
            ("0", 0),
            ("5s", 5_000_000_000),
            ("1.5ms", 1_500_000),
            (".5us", 500),
            ("-1m1s", -61_000_000_000),
            ("3\u{b5}s", 3_000),
        ];
        for (text, want) in good {
            assert_eq!(parse_duration(text), Ok(want), "{text}");
        }
        assert_eq!(parse_duration("-9223372036854775808ns"), Ok(i64::MIN));
        let bad = [
            ("", "time: invalid duration \"\""),
            ("5", "time: missing unit in duration \"5\""),
            ("1h5", "time: missing unit in duration \"1h5\""),
            ("abc", "time: invalid duration \"abc\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            (".s", "time: invalid duration \".s\""),
            ("9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""),
            ("9999999h", "time: invalid duration \"9999999h\""),
            ("1é\"", "time: unknown unit \"\\xc3\\xa9\\\"\" in duration \"1\\xc3\\xa9\\\"\""),
        ];
        for (text, want) in bad {
            assert_eq!(parse_duration(text), Err(want.to_owned()), "{text}");
        }
    }

    #[test]
    fn durations_are_written_as_in_go() {
        let texts = [
            (0, "0s"),
            (999, "999ns"),
            (1_500, "1.5µs"),
            (5_501_000, "5.501ms"),
            (1_000_000_000, "1s"),
            (-60_000_000_000, "-1m0s"),
            (3_600_500_000_000, "1h0m0.5s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ];
        for (ns, text) in texts {
            assert_eq!(duration_text(ns), text);
        }
    }

    #[test]
    fn numbers_and_bools_are_read_as_in_go() {
        assert_eq!(parse_int::<i64>("+7"), Ok(7));
        let error = |text| parse_int::<i32>(text).unwrap_err();
        assert_eq!(error("a\"b\n"), "strconv.ParseInt: parsing \"a\\\"b\\n\": invalid syntax");
        assert_eq!(error("2147483648"), "strconv.ParseInt: parsing \"2147483648\": value out of range");
        assert_eq!(error("1_0"), "strconv.ParseInt: parsing \"1_0\": invalid syntax");
        assert_eq!((parse_bool("T"), parse_bool("False")), (Ok(true), Ok(false)));
        assert_eq!(parse_bool("yes").unwrap_err(), "strconv.ParseBool: parsing \"yes\": invalid syntax");
        assert_eq!(quote("é\u{7}\u{1}\u{a0}🦆"), "\"é\\a\\x01\\u00a0🦆\"");
    }
}
