//! JSON text, written straight into a buffer as Go's `encoding/json` would: it is in tags, in stored documents and in search.

use crate::partition::hex;
use crate::view::AnyValue;

/// Puts a comma before every item but the first.
#[derive(Debug, Default)]
pub struct Commas(bool);

impl Commas {
    /// Call before each item.
    #[inline]
    pub fn next(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.0, true) {
            out.push(b',');
        }
    }
}

/// Lower-case hex digits, without quotes.
#[inline]
pub fn put_hex(out: &mut Vec<u8>, b: &[u8]) {
    let at = out.len();
    out.resize(at + b.len() * 2, 0);
    hex(b, &mut out[at..]);
}

/// A decimal integer.
#[inline]
pub fn put_int(out: &mut Vec<u8>, v: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes());
}

/// A number as Go's encoder writes it: shortest digits that read back the same, an exponent below 1e-6 and from 1e21.
/// JSON has no NaN or infinity (Jaeger loses the whole document there): they become `null`.
pub fn put_float(out: &mut Vec<u8>, v: f64) {
    if !v.is_finite() {
        out.extend_from_slice(b"null");
    } else if v.fract() == 0.0 && v.abs() < 1e15 && !(v == 0.0 && v.is_sign_negative()) {
        put_int(out, v as i64); // the common case: Go writes 2, not 2.0
    } else if v != 0.0 && (v.abs() < 1e-6 || v.abs() >= 1e21) {
        out.extend_from_slice(exponent(&format!("{v:e}"), 1).as_bytes());
    } else {
        out.extend_from_slice(format!("{v}").as_bytes());
    }
}

/// Rust's `1e21` as Go's `1e+21`; `digits` is the least number of digits of the exponent.
fn exponent(rust: &str, digits: usize) -> String {
    let Some((mantissa, exp)) = rust.split_once('e') else { return rust.to_owned() };
    let (sign, exp) = exp.strip_prefix('-').map_or(('+', exp), |e| ('-', e));
    format!("{mantissa}e{sign}{exp:0>digits$}")
}

/// Go's `strconv.FormatFloat(v, 'g', 10, 64)`: the text by which Jaeger searches float tags.
pub fn go_float_text(v: f64) -> String {
    if v.is_nan() {
        return "NaN".to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if v == 0.0 {
        return if v.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{v:.9e}"); // ten significant digits, correctly rounded
    let (mantissa, exp) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exp: i32 = exp.parse().unwrap_or(0);
    let trim = |s: &str| if s.contains('.') { s.trim_end_matches('0').trim_end_matches('.').to_owned() } else { s.to_owned() };
    if !(-4..10).contains(&exp) {
        return exponent(&format!("{}e{exp}", trim(mantissa)), 2);
    }
    trim(&format!("{v:.*}", (9 - exp).max(0) as usize))
}

/// Year, month and day of a number of days since 1970-01-01 in the proleptic Gregorian calendar.
pub fn civil_from_days(days: i64) -> (i64, u32, u32) {
    // Howard Hinnant's algorithm: eras of 400 years that begin on 1 March.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (d, m) = ((doy - (153 * mp + 2) / 5 + 1) as u32, if mp < 10 { mp + 3 } else { mp - 9 } as u32);
    (yoe + era * 400 + i64::from(m <= 2), m, d)
}

/// An attribute value as a JSON value of its own type; lists and maps as [`put_nested`].
#[inline]
pub fn put_value(out: &mut Vec<u8>, value: AnyValue<'_>) {
    match value {
        AnyValue::String(s) => put_string(out, s),
        AnyValue::Bool(v) => out.extend_from_slice(if v { b"true" } else { b"false" }),
        AnyValue::Int(v) => put_int(out, v),
        AnyValue::Double(v) => put_float(out, v),
        _ => put_nested(out, value),
    }
}

/// A list or map as compact JSON, the way the OpenTelemetry collector turns one into a string: map keys sorted (the last of
/// equal keys wins), bytes in base64, `<`, `>`, `&` escaped. Decoders bound how deep values nest.
pub fn put_nested(out: &mut Vec<u8>, value: AnyValue<'_>) {
    match value {
        AnyValue::Empty => out.extend_from_slice(b"null"),
        AnyValue::String(s) => put_html_safe(out, s),
        AnyValue::Bytes(b) => {
            out.push(b'"');
            put_base64(out, b);
            out.push(b'"');
        }
        AnyValue::Array(_) => {
            out.push(b'[');
            let mut list = Commas::default();
            for v in value.items() {
                list.next(out);
                put_nested(out, v);
            }
            out.push(b']');
        }
        AnyValue::Map(_) => {
            out.push(b'{');
            let mut list = Commas::default();
            let entries: std::collections::BTreeMap<&[u8], AnyValue<'_>> = value.entries().map(|kv| (kv.key, kv.value)).collect();
            for (key, v) in entries {
                list.next(out);
                put_html_safe(out, key);
                out.push(b':');
                put_nested(out, v);
            }
            out.push(b'}');
        }
        AnyValue::Bool(_) | AnyValue::Int(_) | AnyValue::Double(_) => put_value(out, value),
    }
}

/// Standard base64 with padding, without quotes.
pub fn put_base64(out: &mut Vec<u8>, b: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in b.chunks(3) {
        let v = u32::from(chunk[0]) << 16
            | u32::from(chunk.get(1).copied().unwrap_or(0)) << 8
            | u32::from(chunk.get(2).copied().unwrap_or(0));
        for i in 0..4 {
            let digit = DIGITS[(v >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() { digit } else { b'=' });
        }
    }
}

/// What a byte needs inside a JSON string: an escape or nothing.
static ESCAPE: [bool; 256] = {
    let mut t = [false; 256];
    let mut i = 0;
    while i < 0x20 {
        t[i] = true;
        i += 1;
    }
    t[b'"' as usize] = true;
    t[b'\\' as usize] = true;
    t
};

/// A JSON string. Bytes that are not UTF-8 become U+FFFD, as Go's encoder writes them.
#[inline]
pub fn put_string(out: &mut Vec<u8>, s: &[u8]) {
    out.reserve(s.len() + 2);
    out.push(b'"');
    if is_plain(s) {
        out.extend_from_slice(s);
    } else {
        put_odd(out, s);
    }
    out.push(b'"');
}

#[inline(never)]
fn put_odd(out: &mut Vec<u8>, s: &[u8]) {
    for chunk in s.utf8_chunks() {
        put_escaped(out, chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

/// As [`put_string`], with the escapes that Go adds for HTML: `<`, `>`, `&`, U+2028 and U+2029.
pub fn put_html_safe(out: &mut Vec<u8>, s: &[u8]) {
    let from = out.len();
    put_string(out, s);
    if !out[from..].iter().any(|b| matches!(b, b'<' | b'>' | b'&' | 0xe2)) {
        return;
    }
    let plain = String::from_utf8_lossy(&out[from..]).into_owned();
    out.truncate(from);
    for c in plain.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// True when no byte needs an escape and none is outside ASCII; eight bytes at a time, the last ones overlapping.
#[inline]
fn is_plain(s: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The high bit of a byte is set where the byte is under 0x20, a quote, a backslash or over 0x7f (or follows such a one).
    let odd = |x: u64| {
        let (quote, backslash) = (x ^ (ONES * 0x22), x ^ (ONES * 0x5c));
        (x.wrapping_sub(ONES * 0x20) | quote.wrapping_sub(ONES) | backslash.wrapping_sub(ONES) | x) & (ONES * 0x80)
    };
    if let Some(last) = s.last_chunk::<8>() {
        let bits = s.as_chunks::<8>().0.iter().fold(odd(u64::from_le_bytes(*last)), |b, c| b | odd(u64::from_le_bytes(*c)));
        bits == 0
    } else {
        !s.iter().any(|b| ESCAPE[usize::from(*b)] || *b >= 0x80)
    }
}

#[inline]
fn put_escaped(out: &mut Vec<u8>, mut s: &[u8]) {
    while let Some(at) = s.iter().position(|b| ESCAPE[usize::from(*b)]) {
        out.extend_from_slice(&s[..at]);
        match s[at] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"), // since Go 1.22
            0x0c => out.extend_from_slice(b"\\f"),
            c => {
                out.extend_from_slice(b"\\u00");
                put_hex(out, &[c]);
            }
        }
        s = &s[at + 1..];
    }
    out.extend_from_slice(s);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(v: f64) -> String {
        let mut out = Vec::new();
        put_float(&mut out, v);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_are_gos() {
        let want = [(2.0, "2"), (0.1, "0.1"), (1e21, "1e+21"), (1e-7, "1e-7"), (1e20, "100000000000000000000"), (-0.5, "-0.5")];
        for (v, text) in want {
            assert_eq!(float(v), text);
        }
        assert_eq!(float(f64::NAN), "null");
        let want =
            [(0.1, "0.1"), (1e21, "1e+21"), (1e-5, "1e-05"), (1234567890.0, "1234567890"), (12345678901.0, "1.23456789e+10")];
        for (v, text) in want.into_iter().chain([(0.1 + 0.2, "0.3"), (2.0, "2"), (100.0, "100"), (-0.00012, "-0.00012")]) {
            assert_eq!(go_float_text(v), text);
        }
    }

    #[test]
    fn base64_pads() {
        for (bytes, text) in
            [(&b""[..], ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"\xff\xfe\xfd\xfc", "//79/A==")]
        {
            let mut out = Vec::new();
            put_base64(&mut out, bytes);
            assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn odd_strings_are_escaped() {
        let mut out = Vec::new();
        put_string(&mut out, b"a\"b\\c\n\x01\xff<");
        assert_eq!(String::from_utf8(out).unwrap(), "\"a\\\"b\\\\c\\n\\u0001\u{fffd}<\"");
        let mut out = Vec::new();
        put_html_safe(&mut out, "a<\u{2028}".as_bytes());
        assert_eq!(out, b"\"a\\u003c\\u2028\"");
    }
}
