//! The points in time of a metric, and the minutes that each tells of.

use super::LONGEST;
use crate::document::MINUTE;
use skua_store::span_metrics::MetricsQuery;
use skua_store::{ErrorKind, StoreError};
use std::ops::Range;

/// Points of one series, as in Prometheus.
const MOST: u64 = 11_000;

/// Milliseconds.
const MINUTE_MS: u64 = MINUTE / 1000;

/// From the start, every step, up to the end and including it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Points {
    /// Milliseconds since 1970.
    start: u64,
    /// Milliseconds, not 0.
    step: u64,
    /// How many.
    pub len: usize,
    /// Minutes that a rate is taken over, not 0.
    pub minutes: u64,
}

impl Points {
    /// # Errors
    /// Invalid, in Prometheus' words where it refuses the same.
    pub fn of(query: &MetricsQuery) -> Result<Self, StoreError> {
        let invalid = |message: String| StoreError::new(ErrorKind::Invalid, message);
        let positive = |n: i64| u64::try_from(n).ok().filter(|n| *n > 0);
        let lookback = u64::try_from(query.lookback)
            .map_err(|_| invalid("invalid parameter \"end\": end timestamp must not be before start time".to_owned()))?;
        let step = positive(query.step).ok_or_else(|| {
            let why = "zero or negative query resolution step widths are not accepted. Try a positive integer";
            invalid(format!("invalid parameter \"step\": {why}"))
        })?;
        let rate = positive(query.rate_per).ok_or_else(|| invalid("duration must be greater than 0: ratePer".to_owned()))?;
        if lookback.saturating_add(rate) > LONGEST / 1000 {
            let days = LONGEST / 1000 / 86_400_000;
            return Err(invalid(format!("lookback and ratePer of {lookback} ms and {rate} ms are more than {days} days")));
        }
        let end = query.end / 1000;
        let start = end.saturating_sub(lookback);
        let len = (end - start) / step + 1;
        if len > MOST {
            let why = "exceeded maximum resolution of 11,000 points per timeseries. Try a larger step or a shorter lookback";
            return Err(invalid(why.to_owned()));
        }
        Ok(Self { start, step, len: len as usize, minutes: (rate / MINUTE_MS).max(1) })
    }

    /// Milliseconds since 1970.
    pub fn time(&self, point: usize) -> u64 {
        self.start + self.step * point as u64
    }

    /// Where the minutes begin that count for a point, and before what: microseconds since 1970.
    pub fn window(&self, point: usize) -> Range<u64> {
        let end = self.time(point) / MINUTE_MS * MINUTE;
        end.saturating_sub(self.minutes * MINUTE)..end
    }

    /// The windows of all points and what lies between.
    pub fn all(&self) -> Range<u64> {
        self.window(0).start..self.window(self.len - 1).end
    }

    /// Seconds that a rate is taken over.
    pub fn seconds(&self) -> f64 {
        (self.minutes * 60) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(end_ms: u64, lookback: i64, step: i64, rate_per: i64) -> MetricsQuery {
        let (services, span_kinds) = (vec!["s".to_owned()], vec!["server"]);
        MetricsQuery { services, group_by_operation: false, span_kinds, end: end_ms * 1000, lookback, step, rate_per }
    }

    /// Guarantees: points are those of a range query of Prometheus; each tells of whole minutes that ended before it.
    #[test]
    fn points_and_their_minutes() {
        let points = Points::of(&query(1_000_061, 120_000, 50_000, 150_000)).unwrap();
        let times: Vec<u64> = (0..points.len).map(|i| points.time(i)).collect();
        assert_eq!(times, [880_061, 930_061, 980_061], "the end itself is a point only when a step meets it");
        assert_eq!(points.minutes, 2, "whole minutes of the rate's time");
        assert_eq!(points.window(0), 12 * MINUTE..14 * MINUTE, "880 s are 14 minutes and something");
        assert_eq!(points.all(), 12 * MINUTE..16 * MINUTE);
        let one = Points::of(&query(60_000, 0, 1, 1)).unwrap();
        assert_eq!((one.len, one.window(0)), (1, 0..MINUTE), "a minute counts at the moment of its end");
        let early = Points::of(&query(5, 6, 1, 600_000)).unwrap();
        assert_eq!((early.len, early.time(0), early.all()), (6, 0, 0..0), "nothing was before 1970");
    }

    #[test]
    fn what_is_refused() {
        for (lookback, step, rate_per, words) in [
            (-1, 1, 1, "end timestamp must not be before start time"),
            (1, 0, 1, "step widths"),
            (1, -1, 1, "step widths"),
            (1, 1, 0, "greater than 0"),
            (11_000, 1, 60_000, "11,000 points"),
            (31 * 86_400_000, 60_000_000, 60_000, "more than 31 days"),
            (1, i64::MAX, i64::MAX, "more than 31 days"),
        ] {
            let error = Points::of(&query(1_700_000_000_000, lookback, step, rate_per)).unwrap_err();
            assert!(error.kind == ErrorKind::Invalid && error.message.contains(words), "{words}: {error}");
        }
        assert_eq!(Points::of(&query(1_700_000_000_000, 10_999, 1, 60_000)).unwrap().len, 11_000);
    }
}
