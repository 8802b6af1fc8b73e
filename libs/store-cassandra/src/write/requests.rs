//! Which rows go in one request.
//!
//! Rows of one partition go together. Partitions with few rows of one table and one replica share a request too, up to the bounds
//! above which a server warns of a batch: ten partitions and 5 KiB (`unlogged_batch_across_partitions_warn_threshold` and
//! `batch_size_warn_threshold` of cassandra.yaml; neither counts for one partition).

use crate::encode::put_span;
use crate::index::rows::{NONE, Partition, Plan, Rows, Table};
use crate::statements::MOST_ROWS;
use crate::store::Connected;
use foldhash::{HashMap, HashSet};
use skua_model::SpanBatch;

/// Bytes of a request for one partition: a mutation of Cassandra may have 16 MiB by default.
const MOST_BYTES: usize = 256 << 10;
/// Partitions of one request.
const MOST_PARTITIONS: usize = 10;
/// Bytes of a request for several partitions.
const MOST_MIXED_BYTES: usize = 4 << 10;
/// A partition with so many rows has its own request.
const MANY: usize = 8;

/// Rows to write at once.
pub(crate) struct Request {
    pub table: Table,
    pub rows: Rows,
    /// The spans that the rows are of, where they are rows of `traces`.
    pub spans: Vec<u32>,
}

/// Who has a partition: equal numbers for partitions of one first replica and shard, by the number of a partition. Empty with a single
/// node without shards; large partitions, which share no request, are not in it.
pub(super) fn owners(plan: &Plan, connected: &Connected) -> HashMap<usize, u64> {
    let cluster = connected.session.get_cluster_state();
    if let [node] = cluster.get_nodes_info()
        && node.sharder().is_none()
    {
        return HashMap::default();
    }
    let owner = |partition: &Partition| {
        let mut row = Rows::default();
        plan.put(partition, &mut row, partition.first(), 1);
        let statement = connected.statements.insert(partition.table);
        let token = statement.calculate_token(&crate::cql::Cells(row.row(0))).ok().flatten();
        let (token, spec) = token.zip(statement.get_table_spec())?;
        let replicas = cluster.get_token_endpoints(spec.ks_name(), spec.table_name(), token);
        replicas.first().map(|(node, shard)| node.host_id.as_u64_pair().1 ^ u64::from(*shard))
    };
    let small = plan.partitions.iter().enumerate().filter(|(_, p)| (1..MANY).contains(&p.len()));
    small.map(|(i, partition)| (i, owner(partition).unwrap_or(0))).collect()
}

/// All requests of a plan, made one at a time.
pub(crate) struct Requests<'p> {
    batch: &'p SpanBatch,
    plan: &'p Plan,
    /// Partitions by table, owner and number, the large ones apart.
    small: Vec<usize>,
    large: Vec<usize>,
    owners: HashMap<usize, u64>,
    /// Spans done, and of the trace that is under way those that have a row: span id and hash.
    spans_done: usize,
    seen: HashSet<([u8; 8], i64)>,
    /// Where the large partition that is under way goes on.
    large_next: Option<u32>,
}

impl<'p> Requests<'p> {
    pub fn new(batch: &'p SpanBatch, plan: &'p Plan, owners: HashMap<usize, u64>) -> Self {
        let (large, mut small): (Vec<usize>, Vec<usize>) =
            (0..plan.partitions.len()).partition(|i| plan.partitions[*i].len() >= MANY);
        small.retain(|i| plan.partitions[*i].len() > 0);
        // Taken from the end.
        small.sort_by_key(|i| (plan.partitions[*i].table, owners.get(i).copied().unwrap_or(0)));
        Self { batch, plan, small, large, owners, spans_done: 0, seen: HashSet::default(), large_next: None }
    }

    /// Some rows of the next trace. A span that comes twice has one: two statements of one request would be carried out at one time,
    /// and Cassandra would then keep both lists of tags.
    fn next_traces(&mut self) -> Option<Request> {
        let (plan, mut rows, mut spans) = (self.plan, Rows::default(), Vec::new());
        while self.spans_done < plan.spans.len() {
            let end_of_trace = plan.trace_ends[plan.trace_ends.partition_point(|end| *end <= self.spans_done)];
            while self.spans_done < end_of_trace && rows.len() < MOST_ROWS && rows.cells.len() < MOST_BYTES {
                let span = plan.spans[self.spans_done];
                let entry = &self.batch.spans()[span as usize];
                let process = plan.processes.get(&self.batch.resource_of(entry)).map_or(&[][..], Vec::as_slice);
                let (before, view) = (rows.cells.len(), self.batch.view(entry));
                let hash = put_span(&mut rows.cells, &view, process);
                if self.seen.insert((view.span_id, hash)) {
                    rows.end_row();
                    spans.push(span);
                } else {
                    rows.cells.truncate(before);
                }
                self.spans_done += 1;
            }
            if self.spans_done == end_of_trace {
                self.seen.clear();
            }
            if rows.len() > 0 {
                return Some(Request { table: Table::Traces, rows, spans });
            }
        }
        None
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

impl Iterator for Requests<'_> {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        self.next_traces().or_else(|| self.next_large()).or_else(|| self.next_small())
    }
}
