//! Sums of the minutes before each point, moved on from point to point.

use super::dense::Dense;
use super::points::Points;
use skua_store::{ErrorKind, StoreError};
use std::collections::VecDeque;
use std::ops::Range;

/// Buckets of single minutes that are held for all series together, some 128 MiB.
const MOST_HELD: usize = 8 << 20;

/// Points of all series together, some 64 MiB.
const MOST_POINTS: usize = 4 << 20;

/// Series of which minutes come in the order of documents, and points go out.
pub(super) struct AllSeries<V> {
    points: Points,
    /// What a point shows of the sum of its minutes, which is not empty.
    value: V,
    series: Vec<Series>,
    /// The first point that is not made yet.
    next: usize,
    held: usize,
    made: usize,
}

#[derive(Default)]
struct Series {
    /// Minutes (microseconds since 1970) with spans by bucket, ascending; buckets of a minute in any order.
    held: VecDeque<(u64, Vec<(u8, u64)>)>,
    /// How many of them are in the sum.
    entered: usize,
    sum: Option<Dense>,
    made: Vec<(u64, f64)>,
}

impl<V: Fn(&Dense) -> f64> AllSeries<V> {
    pub fn new(points: Points, value: V) -> Self {
        Self { points, value, series: Vec::new(), next: 0, held: 0, made: 0 }
    }

    /// Another series; its number.
    pub fn push(&mut self) -> usize {
        self.series.push(Series::default());
        self.series.len() - 1
    }

    /// Adds spans of a minute that no point was made beyond.
    pub fn add(&mut self, series: usize, minute: u64, buckets: &[(u8, u64)]) {
        let held = &mut self.series[series].held;
        self.held += buckets.len();
        let at = held.iter().rposition(|(m, _)| *m <= minute);
        match at.map(|at| &mut held[at]) {
            Some((m, list)) if *m == minute => list.extend_from_slice(buckets),
            _ => held.insert(at.map_or(0, |at| at + 1), (minute, buckets.to_vec())),
        }
    }

    /// Makes the points for which all minutes are there once those before `until` (microseconds since 1970) are.
    ///
    /// # Errors
    /// Invalid, when it is too much to hold or to answer.
    pub fn advance(&mut self, until: u64) -> Result<(), StoreError> {
        let too_much = |what: &str, most: usize, less: &str| {
            let message = format!("the answer takes more than {most} {what}: ask for fewer services, {less}");
            StoreError::new(ErrorKind::Invalid, message)
        };
        let ready = (self.next..self.points.len).take_while(|point| self.points.window(*point).end <= until).count();
        for series in &mut self.series {
            for point in self.next..self.next + ready {
                self.held -= series.move_to(&self.points.window(point));
                if let Some(sum) = series.sum.as_ref().filter(|sum| sum.total() > 0) {
                    series.made.push((self.points.time(point), (self.value)(sum)));
                    self.made += 1;
                }
            }
            if self.made > MOST_POINTS {
                return Err(too_much("points", MOST_POINTS, "a larger step or a shorter lookback"));
            }
        }
        self.next += ready;
        if self.held > MOST_HELD {
            return Err(too_much("figures of single minutes", MOST_HELD, "or a shorter ratePer"));
        }
        Ok(())
    }

    /// All points, by the number of their series.
    pub fn finish(self) -> impl Iterator<Item = Vec<(u64, f64)>> {
        self.series.into_iter().map(|series| series.made)
    }
}

impl Series {
    /// The sum becomes that of the window; the number of buckets that are no longer held.
    fn move_to(&mut self, window: &Range<u64>) -> usize {
        let mut dropped = 0;
        while let Some((_, buckets)) = self.held.get(self.entered).filter(|(minute, _)| *minute < window.end) {
            self.sum.get_or_insert_with(Dense::new).add(buckets);
            self.entered += 1;
        }
        while self.entered > 0
            && self.held.front().is_some_and(|(minute, _)| *minute < window.start)
            && let Some((_, buckets)) = self.held.pop_front()
        {
            self.entered -= 1;
            dropped += buckets.len();
            if let Some(sum) = &mut self.sum {
                sum.take(&buckets);
            }
        }
        dropped
    }
}
