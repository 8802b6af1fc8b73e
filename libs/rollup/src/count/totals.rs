//! What was counted since the process began, by number of the series or link.

use super::State;
use super::names::{LinkNames, SeriesNames};
use super::tally::Counted;
use crate::document::{Exemplar, MINUTE};
use parking_lot::Mutex;
use std::sync::Arc;

/// Bounds of buckets: doublings, so that each is the bound of every fourth bucket of a document. One more bucket holds what is above.
pub(crate) const BOUNDS: usize = 17;

/// The first bound is 2^9 µs, the last 2^25 µs.
const FIRST: u32 = 9;

/// An upper bound in microseconds, inclusive.
pub(crate) fn bound(bucket: usize) -> u64 {
    1 << (FIRST as usize + bucket)
}

/// The figures of one series or link.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Total {
    /// Calls by bucket.
    pub buckets: [u64; BOUNDS + 1],
    /// Of all durations, in microseconds.
    pub sum: u64,
    /// Calls that failed; of a series, whose key has the status, 0.
    pub failed: u64,
    /// The slowest of the minute that the last one is of.
    pub exemplar: Option<Exemplar>,
}

impl Total {
    /// The number of the bucket of a duration in microseconds.
    #[inline]
    pub fn bucket(duration: u64) -> usize {
        let doublings = u64::BITS - duration.saturating_sub(1).leading_zeros();
        (doublings.saturating_sub(FIRST) as usize).min(BOUNDS)
    }

    /// Calls.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// Figures by number, which is small.
#[derive(Debug, Default)]
pub(crate) struct Rows(Vec<Total>);

impl Rows {
    #[inline]
    pub fn record(&mut self, place: u32, counted: &Counted, exemplar: impl FnOnce() -> Option<Exemplar>) {
        let place = place as usize;
        if place >= self.0.len() {
            self.0.resize(place + 1, Total::default());
        }
        let total = &mut self.0[place];
        total.buckets[Total::bucket(counted.duration)] += 1;
        total.sum = total.sum.saturating_add(counted.duration);
        total.failed += u64::from(counted.failed);
        if total.exemplar.is_none_or(|e| counted.duration > e.duration || counted.start / MINUTE != e.start / MINUTE) {
            total.exemplar = exemplar().or(total.exemplar);
        }
    }
}

/// All that a process counted.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub series: Rows,
    pub links: Rows,
}

/// Figures that go on being counted.
#[derive(Clone)]
pub(crate) struct Live(pub(super) Arc<Mutex<State>>);

impl Live {
    /// Visits the series with spans from a number on until `go_on` says no; the number to go on from, `None` at the end. Nothing is counted
    /// meanwhile.
    pub fn series(&self, from: usize, mut go_on: impl FnMut(&SeriesNames<'_>, &Total) -> bool) -> Option<usize> {
        let state = self.0.lock();
        visit(&state.totals.series, from, |place, total| go_on(&state.names.series_names(place), total))
    }

    /// As [`Live::series`].
    pub fn links(&self, from: usize, mut go_on: impl FnMut(&LinkNames<'_>, &Total) -> bool) -> Option<usize> {
        let state = self.0.lock();
        visit(&state.totals.links, from, |place, total| go_on(&state.names.link_names(place), total))
    }
}

fn visit(rows: &Rows, from: usize, mut go_on: impl FnMut(u32, &Total) -> bool) -> Option<usize> {
    let counted = rows.0.iter().enumerate().skip(from).filter(|(_, total)| total.count() > 0);
    for (place, total) in counted {
        if !go_on(place as u32, total) {
            return Some(place + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram;
    use proptest::prelude::*;

    proptest! {
        /// Guarantee: what a document has up to a bound, the totals have too.
        #[test]
        fn buckets_are_made_of_those_of_a_document(shift in 0..63_u32, low in any::<u64>()) {
            let duration = (1 << shift) | (low & ((1 << shift) - 1));
            let fine = usize::from(histogram::bucket(duration));
            let expected = (0..BOUNDS).find(|n| fine <= 4 * (FIRST as usize + n)).unwrap_or(BOUNDS);
            prop_assert_eq!(Total::bucket(duration), expected);
            prop_assert!(expected == BOUNDS || duration <= bound(expected));
            prop_assert!(expected == 0 || duration > bound(expected - 1));
        }
    }

    #[test]
    fn the_ends_of_the_buckets() {
        assert_eq!([0, 1, 512, 513, 1024, 1 << 25, (1 << 25) + 1, u64::MAX].map(Total::bucket), [0, 0, 0, 1, 1, 16, 17, 17]);
    }
}
