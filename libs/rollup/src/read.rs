//! Answers from the documents: RED metrics, links between services, and the graph of them.

mod dense;
mod dependencies;
mod graph;
mod links;
mod metrics;
mod points;
mod series;
#[cfg(test)]
mod tests;

pub use dependencies::WithRollups;
pub use graph::{Edge, Graph, GraphQuery, Node, NodeKind};

use crate::document::{INTERVAL, Row, Visits, interval_of};
use skua_model::wire::WireError;
use skua_store::StoreError;
use skua_store::rollups::{RollupKind, RollupStore};
use std::ops::Range;
use std::sync::Arc;

/// [`DependencyLink::source`](skua_store::DependencyLink::source) of links that were counted by us.
pub const SOURCE: &str = "skua";

/// The longest time that a metric or a graph can be asked of, in microseconds: 31 days.
pub const LONGEST: u64 = 31 * DAY;

/// Microseconds.
pub(crate) const DAY: u64 = 86_400_000_000;

/// Documents of links of six hours are in memory at a time: a few megabytes.
const LINKS_READ: u64 = DAY / 4;

/// Where nothing was kept the next read is twice as long, up to this.
const LONGEST_READ: u64 = 16 * DAY;

/// No document is of a later time (the year 2100), whatever is asked for.
const LAST: u64 = 4_102_444_800_000_000;

/// Reads roll-ups.
#[derive(Clone)]
pub struct RollupReader {
    store: Arc<dyn RollupStore>,
}

impl RollupReader {
    /// Reads what is in this store.
    pub fn new(store: Arc<dyn RollupStore>) -> Self {
        Self { store }
    }

    /// Shows a visitor the documents that may have minutes starting in `wanted` (microseconds since 1970), ascending. What is in memory
    /// at a time is as many documents as lie in `read` microseconds; other tasks get their turn between two documents.
    async fn visit(
        &self,
        kind: RollupKind,
        wanted: &Range<u64>,
        read: u64,
        visitor: &mut impl Visitor,
    ) -> Result<(), StoreError> {
        let mut visits = Visits::new()?;
        let (mut from, end, mut step) = (interval_of(wanted.start), wanted.end.min(LAST), read);
        while from < end {
            let until = end.min(from.saturating_add(step));
            let documents = self.store.rollups(kind, from, until).await?;
            step = if documents.is_empty() { LONGEST_READ.min(step * 2) } else { read };
            for (interval, bytes) in documents {
                let minutes = wanted.start.max(interval)..wanted.end.min(interval.saturating_add(INTERVAL));
                visits.visit(kind, interval, &bytes, |row| visitor.row(row, &minutes))?;
                visitor.read_until(minutes.end)?;
                tokio::task::yield_now().await;
            }
            from = until;
        }
        Ok(())
    }
}

/// What adds documents up.
trait Visitor: Send {
    /// A row, and of which of its minutes (by their starts, microseconds since 1970) is asked.
    fn row(&mut self, row: &mut Row<'_>, wanted: &Range<u64>) -> Result<(), WireError>;

    /// No later row has minutes before this time.
    fn read_until(&mut self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }
}
