//! Which rows go in one request.
//!
//! Rows of one partition go together. Partitions with few rows of one table and one replica share a request too, up to the bounds
//! above which a server warns of a batch: ten partitions and 5 KiB (`unlogged_batch_across_partitions_warn_threshold` and
//! `batch_size_warn_threshold` of cassandra.yaml; neither counts for one partition).

use crate::index::rows::{NONE, Plan, Rows, Table};
use crate::statements::MOST_ROWS;
use crate::store::Connected;
use foldhash::HashMap;
use scylla::cluster::ClusterState;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of a request for one partition: a mutation of Cassandra may have 16 MiB by default.
const MOST_BYTES: usize = 256 << 10;
/// Partitions of one request.
const MOST_PARTITIONS: usize = 10;
/// Bytes of a request for several partitions.
const MOST_MIXED_BYTES: usize = 4 << 10;
/// A partition with so many rows has its own request.
const MANY: usize = 8;

/// Rows to write at once.
pub(super) struct Request {
    pub table: Table,
    pub rows: Rows,
    /// The spans that the rows are of, where they are rows of `traces`.
    pub spans: Vec<u32>,
}

/// Who has a partition: the number of its first replica, and shard.
pub(super) struct Owners<'c> {
    connected: &'c Connected,
    /// `None` with a single node without shards.
    cluster: Option<Arc<ClusterState>>,
}

impl<'c> Owners<'c> {
    pub fn new(connected: &'c Connected) -> Self {
        let cluster = connected.session.get_cluster_state();
        let one = match cluster.get_nodes_info() {
            [node] => node.sharder().is_none(),
            _ => false,
        };
        Self { connected, cluster: (!one).then_some(cluster) }
    }

    /// Equal for partitions of one first replica; 0 for all where that is not known.
    fn of(&self, table: Table, row: &[u8]) -> u64 {
        let Some(cluster) = &self.cluster else { return 0 };
        let statement = self.connected.statements.insert(table);
        let token = statement.calculate_token(&crate::cql::Cells(row)).ok().flatten();
        let Some((token, spec)) = token.zip(statement.get_table_spec()) else { return 0 };
        let replicas = cluster.get_token_endpoints(spec.ks_name(), spec.table_name(), token);
        replicas.first().map_or(0, |(node, shard)| node.host_id.as_u64_pair().1 ^ u64::from(*shard))
    }
}

/// All requests of a plan, made one at a time.
pub(super) struct Requests<'p> {
    plan: &'p Plan,
    /// Partitions by table, owner and number, the large ones apart.
    small: Vec<usize>,
    large: Vec<usize>,
    owners: HashMap<usize, u64>,
    /// Rows of `traces` done, and where the large partition that is under way goes on.
    traces_done: usize,
    large_next: Option<u32>,
}

impl<'p> Requests<'p> {
    pub fn new(plan: &'p Plan, owners: &Owners<'_>) -> Self {
        let (large, mut small): (Vec<usize>, Vec<usize>) =
            (0..plan.partitions.len()).partition(|i| plan.partitions[*i].len() >= MANY);
        small.retain(|i| plan.partitions[*i].len() > 0);
        let mut by_number = HashMap::default();
        if owners.cluster.is_some() {
            for i in &small {
                let mut row = Rows::default();
                plan.put(&plan.partitions[*i], &mut row, plan.partitions[*i].first(), 1);
                by_number.insert(*i, owners.of(plan.partitions[*i].table, row.row(0)));
            }
        }
        // Taken from the end.
        small.sort_by_key(|i| (plan.partitions[*i].table, by_number.get(i).copied().unwrap_or(0)));
        Self { plan, small, large, owners: by_number, traces_done: 0, large_next: None }
    }

    /// Some rows of the next trace.
    fn next_traces(&mut self) -> Option<Request> {
        let (plan, from) = (self.plan, self.traces_done);
        if from >= plan.traces.len() {
            return None;
        }
        let end_of_trace = plan.trace_ends[plan.trace_ends.partition_point(|end| *end <= from)];
        let to = bounded(from..end_of_trace, |i| plan.traces.row(i).len());
        self.traces_done = to;
        Some(Request { table: Table::Traces, rows: plan.traces.pick(from..to), spans: plan.spans[from..to].to_vec() })
    }

    fn next_large(&mut self) -> Option<Request> {
        let partition = &self.plan.partitions[*self.large.last()?];
        let mut rows = Rows::default();
        let next = self.plan.put(partition, &mut rows, self.large_next.unwrap_or(partition.first()), MOST_ROWS);
        self.large_next = (next != NONE).then_some(next);
        if self.large_next.is_none() {
            self.large.pop();
        }
        Some(Request { table: partition.table, rows, spans: Vec::new() })
    }

    fn next_small(&mut self) -> Option<Request> {
        let (owner, mut rows, mut partitions, mut size) = (self.owner(*self.small.last()?), Rows::default(), 0, 0);
        let table = self.plan.partitions[*self.small.last()?].table;
        while let Some(&next) = self.small.last() {
            let partition = &self.plan.partitions[next];
            size += partition.size();
            let full = partitions == MOST_PARTITIONS || size > MOST_MIXED_BYTES || rows.len() + partition.len() > MOST_ROWS;
            if partitions > 0 && (full || partition.table != table || self.owner(next) != owner) {
                break;
            }
            self.plan.put(partition, &mut rows, partition.first(), partition.len());
            partitions += 1;
            self.small.pop();
        }
        Some(Request { table, rows, spans: Vec::new() })
    }

    fn owner(&self, partition: usize) -> u64 {
        self.owners.get(&partition).copied().unwrap_or(0)
    }
}

/// The end of the first rows that fit one request: one at least.
fn bounded(rows: Range<usize>, size: impl Fn(usize) -> usize) -> usize {
    let mut bytes = 0;
    for i in rows.clone().take(MOST_ROWS) {
        bytes += size(i);
        if bytes > MOST_BYTES && i > rows.start {
            return i;
        }
    }
    rows.end.min(rows.start + MOST_ROWS)
}

impl Iterator for Requests<'_> {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        self.next_traces().or_else(|| self.next_large()).or_else(|| self.next_small())
    }
}
