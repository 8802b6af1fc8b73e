//! Sums of histograms.

use crate::histogram::{LAST, quantile_of};

/// Spans by bucket, to add to and to take from.
#[derive(Debug, Clone)]
pub(super) struct Dense {
    spans: Box<[u64; LAST as usize + 1]>,
    total: u64,
}

impl Dense {
    pub fn new() -> Self {
        Self { spans: Box::new([0; LAST as usize + 1]), total: 0 }
    }

    pub fn add(&mut self, buckets: &[(u8, u64)]) {
        for (bucket, spans) in buckets {
            let sum = &mut self.spans[usize::from((*bucket).min(LAST))];
            *sum = sum.saturating_add(*spans);
            self.total = self.total.saturating_add(*spans);
        }
    }

    /// The reverse of [`add`](Self::add).
    pub fn take(&mut self, buckets: &[(u8, u64)]) {
        for (bucket, spans) in buckets {
            let sum = &mut self.spans[usize::from((*bucket).min(LAST))];
            *sum = sum.saturating_sub(*spans);
            self.total = self.total.saturating_sub(*spans);
        }
    }

    pub fn of(&self, bucket: u8) -> u64 {
        self.spans[usize::from(bucket.min(LAST))]
    }

    /// Spans.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// As [`Histogram::quantile`](crate::histogram::Histogram::quantile), in milliseconds.
    pub fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        quantile_of((0..=LAST).zip(self.spans.iter().copied()), quantile).map(|us| us / 1000.0)
    }
}
