//! The rows of a batch, partition by partition, and their values.

use crate::cql::{put, put_i64};
use foldhash::HashMap;
use skua_store::RefusedSpan;
use std::ops::Range;

/// The tables that a batch is written to, names apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Table {
    Traces,
    ServiceName,
    ServiceOperation,
    Duration,
    Tag,
}

/// Rows of one partition. Most have one row: so keys and rows of all lie side by side in the [`Plan`].
pub(crate) struct Partition {
    pub table: Table,
    /// Where the cells of its key lie.
    pub(super) key: Range<u32>,
    /// The row that was added last.
    pub(super) last: u32,
    pub(super) rows: u32,
    /// The trace of the last row: its number in the batch.
    pub(super) trace: u32,
}

/// 24 bytes.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// Microseconds since 1970.
    pub(super) start: u64,
    /// Span id in `tag_index`, microseconds in `duration_index`.
    pub(super) extra: i64,
    /// The number of the trace.
    pub(super) trace: u32,
    /// The row of the same partition that was added before.
    pub(super) before: u32,
}

/// No row.
pub(crate) const NONE: u32 = u32::MAX;

/// Encoded rows: the values of one statement each.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub cells: Vec<u8>,
    /// Where each row ends.
    pub ends: Vec<u32>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The values of a row.
    pub fn row(&self, i: usize) -> &[u8] {
        let from = i.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.cells[from..self.ends[i] as usize]
    }

    /// What was appended to the cells is a row.
    pub fn end_row(&mut self) {
        self.ends.push(self.cells.len() as u32);
    }

    /// Some of the rows, by their numbers.
    pub fn pick(&self, rows: impl Iterator<Item = usize>) -> Self {
        let mut picked = Self::default();
        for i in rows {
            picked.cells.extend_from_slice(self.row(i));
            picked.end_row();
        }
        picked
    }
}

/// A name that has to be in its table: `service`, or `service`, kind and operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub service: Vec<u8>,
    /// `None` for the service itself.
    pub operation: Option<(&'static str, Vec<u8>)>,
}

/// All that a batch becomes. Rows of `traces`, which are long, are written when they are sent: see [`Plan::spans`].
#[derive(Default)]
pub(crate) struct Plan {
    /// The spans with a row in `traces`, a trace after the other.
    pub spans: Vec<u32>,
    /// For each trace the number of its last span in [`Plan::spans`] and one.
    pub trace_ends: Vec<usize>,
    /// By the number of a resource: its cell in those rows.
    pub processes: HashMap<u32, Vec<u8>>,
    pub partitions: Vec<Partition>,
    pub(super) keys: Vec<u8>,
    pub(super) rows: Vec<Row>,
    /// By the number of a trace.
    pub(super) ids: Vec<[u8; 16]>,
    pub names: Vec<Name>,
    pub refused: Vec<RefusedSpan>,
    /// Tags, operations of which nothing can be indexed because they are too long.
    pub skipped: u64,
}

impl Partition {
    /// Rows of it.
    pub fn len(&self) -> usize {
        self.rows as usize
    }

    /// Bytes of the values of all its rows, about.
    pub fn size(&self) -> usize {
        self.len() * (self.key.len() + 44)
    }

    /// The row to begin with.
    pub fn first(&self) -> u32 {
        self.last
    }
}

impl Plan {
    /// Appends some of a partition's rows as values of statements, and returns where the next begin, or [`NONE`].
    pub fn put(&self, partition: &Partition, out: &mut Rows, from: u32, most: usize) -> u32 {
        let (mut next, cells) = (from, &mut out.cells);
        for _ in 0..most {
            let Some(row) = self.rows.get(next as usize) else { break };
            cells.extend_from_slice(&self.keys[partition.key.start as usize..partition.key.end as usize]);
            if partition.table == Table::Duration {
                put_i64(cells, row.extra);
            }
            put_i64(cells, row.start as i64);
            put(cells, &self.ids[row.trace as usize]);
            if partition.table == Table::Tag {
                put_i64(cells, row.extra);
            }
            out.ends.push(cells.len() as u32);
            next = row.before;
        }
        next
    }
}
