//! Figures that wait for the next save, by minute and number of the series or link.

use crate::document::{Exemplar, Figures, MINUTE};
use crate::histogram::{Histogram, bucket};
use hashbrown::HashMap;

/// Figures of one series in one minute, small.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    sum: u64,
    errors: u32,
    buckets: Vec<(u8, u32)>,
    exemplar: Option<Exemplar>,
}

impl Cell {
    #[inline]
    fn record(&mut self, duration: u64, failed: bool, exemplar: impl FnOnce() -> Option<Exemplar>) {
        self.sum = self.sum.saturating_add(duration);
        self.errors += u32::from(failed);
        let bucket = bucket(duration);
        match self.buckets.iter_mut().find(|(b, _)| *b == bucket) {
            Some((_, spans)) => *spans += 1,
            None => self.buckets.push((bucket, 1)),
        }
        if self.exemplar.is_none_or(|e| duration > e.duration) {
            self.exemplar = exemplar().or(self.exemplar);
        }
    }

    pub fn figures(&self) -> Figures {
        let buckets = self.buckets.iter().map(|(bucket, spans)| (*bucket, u64::from(*spans))).collect();
        Figures { latency: Histogram::new(self.sum, buckets), errors: self.errors.into(), exemplar: self.exemplar }
    }
}

/// A call or span to count.
pub(crate) struct Counted {
    /// Microseconds since 1970.
    pub start: u64,
    /// Microseconds.
    pub duration: u64,
    pub failed: bool,
}

/// Cells of series, or of links.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    cells: HashMap<(u32, u32), Cell, foldhash::fast::RandomState>,
}

impl Tally {
    #[inline]
    pub fn record(&mut self, place: u32, counted: &Counted, exemplar: impl FnOnce() -> Option<Exemplar>) {
        // Minutes fit in 32 bits until the year 10136.
        let minute = (counted.start / MINUTE) as u32;
        self.cells.entry((minute, place)).or_default().record(counted.duration, counted.failed, exemplar);
    }

    /// Minute (microseconds since 1970), place and figures.
    pub fn cells(&self) -> impl Iterator<Item = (u64, u32, &Cell)> {
        self.cells.iter().map(|((minute, place), cell)| (u64::from(*minute) * MINUTE, *place, cell))
    }
}
