//! Names of objects made of what people name.

use std::fmt::Write as _;

/// Text as one part of a name that every store takes: all but letters, digits, `-` and `_` as `=` and two hexadecimal digits a byte.
pub(crate) fn escaped(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "={byte:02x}");
        }
    }
    name
}

/// The date of a day since 1970, as `2026-11-25`.
pub(crate) fn date(day: u64) -> String {
    // By eras of 400 years that begin in March, so that a leap day is the last of its year.
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (month, day) = (if shifted < 10 { shifted + 3 } else { shifted - 9 }, of_year - (153 * shifted + 2) / 5 + 1);
    format!("{:04}-{month:02}-{day:02}", era * 400 + year_of_era + u64::from(month <= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        for (day, want) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (10_956, "1999-12-31"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_417, "2025-11-25"),
            (20_454, "2026-01-01"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(day), want, "day {day}");
        }
        let dates: Vec<String> = (0..60_000).map(date).collect();
        assert!(dates.is_sorted_by(|a, b| a < b), "names are in the order of time");
    }

    #[test]
    fn any_text_is_a_part_of_a_name() {
        assert_eq!(escaped("retire-blocks_2"), "retire-blocks_2");
        assert_eq!(escaped("a/b .#1=é"), "a=2fb=20=2e=231=3d=c3=a9");
    }
}
