//! Times as Go prints them, because Jaeger's health body does.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `2026-11-21T05:00:00.123456789Z`, without trailing zeros of the fraction.
pub fn rfc3339(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, in_day) = ((since.as_secs() / 86_400) as i64, since.as_secs() % 86_400);
    let (y, m, d) = skua_model::json::civil_from_days(days);
    let fraction = format!("{:09}", since.subsec_nanos());
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}{dot}{fraction}Z", in_day / 3600, in_day / 60 % 60, in_day % 60)
}

/// `1h2m3.5s`, `250ms`: Go's `time.Duration.String`.
pub fn go_duration(d: Duration) -> String {
    let fraction = |value: u128, unit: u128, name: &str| {
        let digits = unit.ilog10() as usize;
        let text = format!("{}.{:0digits$}", value / unit, value % unit);
        format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    let ns = d.as_nanos();
    match ns {
        0 => "0s".to_owned(),
        1..1_000 => format!("{ns}ns"),
        1_000..1_000_000 => fraction(ns, 1_000, "µs"),
        1_000_000..1_000_000_000 => fraction(ns, 1_000_000, "ms"),
        _ => {
            let (h, m) = (d.as_secs() / 3600, d.as_secs() / 60 % 60);
            let s = fraction(ns % 60_000_000_000, 1_000_000_000, "s");
            match (h, m) {
                (0, 0) => s,
                (0, m) => format!("{m}m{s}"),
                (h, m) => format!("{h}h{m}m{s}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        let of = |ns| go_duration(Duration::from_nanos(ns));
        let want = [(0, "0s"), (15, "15ns"), (1_500, "1.5µs"), (20_000_000, "20ms"), (62_300_000_000, "1m2.3s")];
        for (ns, text) in want {
            assert_eq!(of(ns), text);
        }
        assert_eq!(go_duration(Duration::from_secs(7_200)), "2h0m0s");
    }

    #[test]
    fn instants_are_rfc3339() {
        let at = UNIX_EPOCH + Duration::new(1_795_237_200, 120_000_000);
        assert_eq!(rfc3339(at), "2026-11-21T05:00:00.12Z");
        assert_eq!(rfc3339(UNIX_EPOCH), "1970-01-01T00:00:00Z");
    }
}
