//! Go's duration notation: `1h30m`, `1.5s`, `200ms`, `-1s`, `0`.

use std::time::Duration;

/// The units of Go's `time.ParseDuration` and their nanoseconds. Both micro signs (U+00B5, U+03BC) are known.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads Go's duration notation into nanoseconds; `None` if the text is not in it or does not fit 63 bits.
///
/// A bare number has no unit and is refused, as in Go; only `0` stands alone.
pub(crate) fn parse_nanos(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits == "0" {
        return Some(0);
    }
    if digits.is_empty() {
        return None;
    }
    let mut total: u128 = 0;
    let mut rest = digits;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let scale = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        total = total.checked_add(scaled(number, scale)?)?;
        rest = next;
    }
    let nanos = i64::try_from(total).ok()?;
    Some(if negative { -nanos } else { nanos })
}

/// `number` × `scale`, cut to whole nanoseconds; the number may have one point and needs one digit.
fn scaled(number: &str, scale: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut nanos = whole.checked_mul(u128::from(scale))?;
    // An hour is 3.6e12 ns, so fifteen digits say all there is to say.
    let (mut numerator, mut divisor) = (0_u128, 1_u128);
    for digit in fraction.bytes().take(15) {
        numerator = numerator * 10 + u128::from(digit - b'0');
        divisor *= 10;
    }
    nanos = nanos.checked_add(numerator * u128::from(scale) / divisor)?;
    Some(nanos)
}

/// The shortest spelling that [`parse_nanos`] reads back to the same duration: `72h`, `1h30m`, `1.5s`, `200ms`, `0s`.
pub(crate) fn format(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    if nanos < 1_000_000_000 {
        let (unit, scale) = match nanos {
            1_000_000.. => ("ms", 1_000_000),
            1_000.. => ("us", 1_000),
            _ => ("ns", 1),
        };
        return format!("{}{unit}", decimal(nanos, scale));
    }
    let (minutes, rest) = (nanos / 60_000_000_000, nanos % 60_000_000_000);
    let mut text = String::new();
    for (amount, unit) in [(minutes / 60, "h"), (minutes % 60, "m")] {
        if amount > 0 {
            text.push_str(&format!("{amount}{unit}"));
        }
    }
    if rest > 0 {
        text.push_str(&format!("{}s", decimal(rest, 1_000_000_000)));
    }
    text
}

/// `value` / `scale` with as many decimals as it takes.
fn decimal(value: u128, scale: u128) -> String {
    let (whole, rest) = (value / scale, value % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let width = scale.ilog10() as usize;
    let digits = format!("{rest:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: spellings that Go's ParseDuration accepts. Guarantees: the same nanoseconds.
    #[test]
    fn reads_what_go_reads() {
        for (text, nanos) in [
            ("0", 0),
            ("+0", 0),
            ("0s", 0),
            ("5s", 5_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("-1s", -1_000_000_000),
            ("+200ms", 200_000_000),
            ("3us", 3_000),
            ("3µs", 3_000),
            ("3μs", 3_000),
            ("7ns", 7),
            ("2h3m4.5s", 7_384_500_000_000),
            ("0.9999999999999s", 999_999_999),
            ("0.333333333333333333333h", 1_199_999_999_999),
        ] {
            assert_eq!(parse_nanos(text), Some(nanos), "{text}");
        }
    }

    /// Scenario: texts that Go refuses. Guarantees: refused.
    #[test]
    fn refuses_what_go_refuses() {
        for text in ["", "5", "s", ".s", "-", "+", "1.2.3s", "1h ", " 1h", "1d", "1h30", "1 h", "--1s", "9999999999h", "1e3s"] {
            assert_eq!(parse_nanos(text), None, "{text:?}");
        }
    }

    /// Scenario: durations printed by `config print`. Guarantees: short, and read back unchanged.
    #[test]
    fn prints_what_it_reads() {
        for text in ["0s", "200ms", "1.5s", "72h", "1h30m", "10s", "1m", "3us", "7ns", "2h3m4.5s", "1.000001ms"] {
            let nanos = parse_nanos(text).unwrap();
            assert_eq!(format(Duration::from_nanos(nanos.try_into().unwrap())), text);
        }
    }
}
