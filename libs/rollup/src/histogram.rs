//! Durations in exponential buckets.

/// Buckets in a doubling: each is wider than the one before by the factor 2^(1/4), so that a quantile is off by less than 19 %.
pub const PER_DOUBLING: u32 = 4;

/// The last bucket; it holds everything above its lower bound, some 12 days.
pub const LAST: u8 = 160;

/// `2^(k/4)` for the four buckets of a doubling, as fractions of `2^32`.
const ROOTS: [u64; 4] = [1 << 32, 5_107_605_667, 6_074_000_999, 7_223_245_206];

/// The bucket of a duration in whole microseconds. Bucket 0 holds 0 and 1; bucket `n` what is more than `2^((n-1)/4)` and not more than
/// `2^(n/4)`.
#[inline]
pub fn bucket(duration: u64) -> u8 {
    if duration <= 1 {
        return 0;
    }
    let exponent = (duration - 1).ilog2();
    if exponent >= 40 {
        return LAST;
    }
    // The fraction of the doubling, with 32 bits; exact for the exponents up to 40.
    let scaled = if exponent <= 31 { duration << (32 - exponent) } else { duration.div_ceil(1 << (exponent - 32)) };
    let above = ROOTS[1..].iter().filter(|root| scaled > **root).count() as u32;
    (exponent * PER_DOUBLING + above + 1).min(u32::from(LAST)) as u8
}

/// The upper bound of a bucket, inclusive, in microseconds; the lower bound is that of the bucket before, 0 for the first.
pub fn upper_bound(bucket: u8) -> f64 {
    2f64.powf(f64::from(bucket) / f64::from(PER_DOUBLING))
}

/// How many spans took how long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Of all durations, in microseconds.
    pub sum: u64,
    /// Bucket and spans, ascending, none empty.
    buckets: Vec<(u8, u64)>,
}

impl Histogram {
    /// Of buckets in any order, each at most once.
    pub fn new(sum: u64, mut buckets: Vec<(u8, u64)>) -> Self {
        buckets.retain(|(_, spans)| *spans > 0);
        buckets.sort_unstable_by_key(|(bucket, _)| *bucket);
        Self { sum, buckets }
    }

    /// Adds one duration in microseconds.
    #[inline]
    pub fn record(&mut self, duration: u64) {
        self.sum = self.sum.saturating_add(duration);
        self.put(bucket(duration), 1);
    }

    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.sum = self.sum.saturating_add(other.sum);
        other.buckets.iter().for_each(|(bucket, spans)| self.put(*bucket, *spans));
    }

    #[inline]
    fn put(&mut self, bucket: u8, spans: u64) {
        match self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => self.buckets[at].1 += spans,
            Err(at) => self.buckets.insert(at, (bucket, spans)),
        }
    }

    /// Spans.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, spans)| spans).sum()
    }

    /// Bucket and spans, ascending, none empty.
    pub fn buckets(&self) -> &[(u8, u64)] {
        &self.buckets
    }

    /// The duration in microseconds that the share `quantile` (0 to 1) of the spans does not exceed, as Prometheus' `histogram_quantile`:
    /// linear within a bucket, `-inf` and `+inf` outside of 0 to 1. `None` when there are no spans.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        quantile_of(self.buckets.iter().copied(), quantile)
    }
}

/// As [`Histogram::quantile`], of buckets and their spans, ascending.
pub fn quantile_of(buckets: impl Iterator<Item = (u8, u64)> + Clone, quantile: f64) -> Option<f64> {
    let count: f64 = buckets.clone().map(|(_, spans)| spans as f64).sum();
    if count == 0.0 {
        return None;
    }
    if quantile.is_nan() || quantile < 0.0 {
        return Some(if quantile.is_nan() { f64::NAN } else { f64::NEG_INFINITY });
    }
    if quantile > 1.0 {
        return Some(f64::INFINITY);
    }
    let (rank, mut below) = (quantile * count, 0.0);
    let mut last = 0;
    for (bucket, spans) in buckets.filter(|(_, spans)| *spans > 0) {
        let spans = spans as f64;
        if below + spans >= rank {
            let lower = bucket.checked_sub(1).map_or(0.0, upper_bound);
            return Some(lower + (upper_bound(bucket) - lower) * ((rank - below) / spans).max(0.0));
        }
        below += spans;
        last = bucket;
    }
    Some(upper_bound(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn powers_of_two_end_their_bucket() {
        assert_eq!([0, 1, 2, 3, 4, 5, 1024, 1025].map(bucket), [0, 0, 4, 7, 8, 10, 40, 41]);
        assert_eq!(bucket(u64::MAX), LAST);
    }

    proptest! {
        /// Guarantee: a duration lies between the bounds of its bucket.
        #[test]
        fn a_duration_lies_in_its_bucket(shift in 0..40_u32, low in any::<u64>()) {
            let duration = (1 << shift) | (low & ((1 << shift) - 1));
            let n = bucket(duration);
            prop_assert!(duration as f64 <= upper_bound(n) * (1.0 + 1e-12), "{duration} in {n}");
            prop_assert!(n == 0 || duration as f64 > upper_bound(n - 1) * (1.0 - 1e-12), "{duration} in {n}");
        }

        /// Guarantee: adding up histograms is recording everything in one, and a quantile is within a bucket of the true one.
        #[test]
        fn histograms_add_up(one in prop::collection::vec(0..1_000_000_u64, 1..50), two in prop::collection::vec(0..1_000_u64, 0..50), q in 0.01..1.0_f64) {
            let of = |list: &[u64]| {
                let mut h = Histogram::default();
                list.iter().for_each(|d| h.record(*d));
                h
            };
            let mut all = [one.clone(), two.clone()].concat();
            let mut sum = of(&one);
            sum.add(&of(&two));
            prop_assert_eq!(&sum, &of(&all));
            prop_assert_eq!(sum.count(), all.len() as u64);
            all.sort_unstable();
            let at = (q * all.len() as f64).ceil() as usize;
            let exact = all[at.max(1) - 1];
            let guess = sum.quantile(q).unwrap();
            let n = bucket(exact);
            prop_assert!(guess <= upper_bound(n) && guess >= n.checked_sub(1).map_or(0.0, upper_bound), "{guess} for {exact}");
        }
    }
}
