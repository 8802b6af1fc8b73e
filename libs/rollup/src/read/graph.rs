//! The graph of services: who calls whom, how often, how fast and how well.

use super::dense::Dense;
use super::{DAY, LAST, LINKS_READ, LONGEST, RollupReader, Visitor};
use crate::document::{Connection, Exemplar, MINUTE, Row};
use hashbrown::{Equivalent, HashMap};
use skua_model::wire::WireError;
use skua_store::rollups::RollupKind;
use skua_store::{ErrorKind, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// What a graph is asked of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphQuery {
    /// Microseconds since 1970: of minutes that start at this time or later.
    pub start: u64,
    /// Microseconds since 1970: of minutes that start before.
    pub end: u64,
    /// Microseconds since 1970, to tell how much of the last minute has passed.
    pub now: u64,
    /// Only what lies around this service.
    pub service: Option<String>,
    /// Calls between the service and another, in either direction; not used without a service.
    pub depth: u32,
    /// Edges with fewer calls are left out, and what is reached only by them.
    pub min_calls: u64,
}

/// Who calls whom.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// Start of the first minute, in microseconds since 1970.
    pub start: u64,
    /// End of the last minute, in microseconds since 1970, or now if that is before.
    pub end: u64,
    /// Everything that an edge leads from or to, by name.
    pub nodes: Vec<Node>,
    /// By parent, child and connection.
    pub edges: Vec<Edge>,
}

/// A service, or something that sends no spans.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// Calls that it got, also by edges that are left out.
    pub calls: u64,
    /// Of those, the ones that failed.
    pub errors: u64,
    /// Calls a second.
    pub rate: f64,
}

/// What a node is, as far as its edges tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// Calls another, or is called by one that it shares a trace with.
    Service,
    /// Is only ever called, and by a connection of this kind.
    Called(Connection),
}

/// Calls from one to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Who calls.
    pub parent: String,
    /// Who is called.
    pub child: String,
    /// How.
    pub connection: Connection,
    /// Calls, not 0.
    pub calls: u64,
    /// Of those, the ones that failed.
    pub errors: u64,
    /// Calls a second.
    pub rate: f64,
    /// Milliseconds, of all calls together.
    pub sum: f64,
    /// Milliseconds that half of the calls did not exceed, 95 % and 99 %; off by less than 19 %.
    pub quantiles: [f64; 3],
    /// One of the slowest.
    pub exemplar: Option<Exemplar>,
}

impl RollupReader {
    /// The graph of a time.
    ///
    /// # Errors
    /// Invalid for more than [`LONGEST`]; those of the store; internal for a document that cannot be read.
    pub async fn graph(&self, query: &GraphQuery) -> Result<Graph, StoreError> {
        if query.end.saturating_sub(query.start) > LONGEST {
            let message = format!("a graph is of {} days at most", LONGEST / DAY);
            return Err(StoreError::new(ErrorKind::Invalid, message));
        }
        let minutes = query.start.min(LAST).next_multiple_of(MINUTE)..query.end.min(LAST).next_multiple_of(MINUTE);
        let mut sums = Sums::default();
        self.visit(RollupKind::Links, &minutes, LINKS_READ, &mut sums).await?;
        let end = minutes.end.min(query.now).max(minutes.start);
        let seconds = ((end - minutes.start) as f64 / 1e6).max(1.0);
        let edges = sums.edges(seconds);
        let shown = shown(&edges, query);
        let nodes = nodes(&edges, &shown, seconds);
        let edges = edges.into_iter().zip(shown).filter_map(|(edge, shown)| shown.then_some(edge)).collect();
        Ok(Graph { start: minutes.start, end, nodes, edges })
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    parent: String,
    child: String,
    connection: Connection,
}

/// A [`Key`] that is looked for.
#[derive(Hash)]
struct KeyRef<'a> {
    parent: &'a str,
    child: &'a str,
    connection: Connection,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.parent == key.parent && self.child == key.child && self.connection == key.connection
    }
}

struct Sum {
    latency: Dense,
    errors: u64,
    /// Microseconds.
    sum: u64,
    exemplar: Option<Exemplar>,
}

#[derive(Default)]
struct Sums(HashMap<Key, Sum, foldhash::fast::RandomState>);

impl Visitor for Sums {
    fn row(&mut self, row: &mut Row<'_>, wanted: &Range<u64>) -> Result<(), WireError> {
        let Some(connection) = Connection::ALL.get(row.kind as usize).copied() else { return Ok(()) };
        let (parent, child) = (row.first, row.second);
        if !self.0.contains_key(&KeyRef { parent, child, connection }) {
            let key = Key { parent: parent.to_owned(), child: child.to_owned(), connection };
            self.0.insert(key, Sum { latency: Dense::new(), errors: 0, sum: 0, exemplar: None });
        }
        let Some(sum) = self.0.get_mut(&KeyRef { parent, child, connection }) else { return Ok(()) };
        row.minutes(wanted, |minute| {
            sum.latency.add(minute.buckets);
            sum.errors = sum.errors.saturating_add(minute.errors);
            sum.sum = sum.sum.saturating_add(minute.sum);
        })?;
        sum.exemplar = row.slower(wanted, sum.exemplar)?;
        Ok(())
    }
}

impl Sums {
    /// In their order; only those with calls.
    fn edges(self, seconds: f64) -> Vec<Edge> {
        let edge = |(key, sum): (Key, Sum)| {
            let quantile = |q| sum.latency.quantile_ms(q);
            Some(Edge {
                quantiles: [quantile(0.5)?, quantile(0.95)?, quantile(0.99)?],
                parent: key.parent,
                child: key.child,
                connection: key.connection,
                calls: sum.latency.total(),
                errors: sum.errors,
                rate: sum.latency.total() as f64 / seconds,
                sum: sum.sum as f64 / 1000.0,
                exemplar: sum.exemplar,
            })
        };
        let mut edges: Vec<Edge> = self.0.into_iter().filter_map(edge).collect();
        edges.sort_by(|a, b| (&a.parent, &a.child, a.connection).cmp(&(&b.parent, &b.child, b.connection)));
        edges
    }
}

/// For each edge whether it is asked for: enough calls, and both ends near the service.
fn shown(edges: &[Edge], query: &GraphQuery) -> Vec<bool> {
    let mut shown: Vec<bool> = edges.iter().map(|edge| edge.calls >= query.min_calls).collect();
    let Some(service) = &query.service else { return shown };
    let mut beside: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (edge, _) in edges.iter().zip(&shown).filter(|(_, shown)| **shown) {
        beside.entry(&edge.parent).or_default().push(&edge.child);
        beside.entry(&edge.child).or_default().push(&edge.parent);
    }
    let mut near = BTreeSet::from([service.as_str()]);
    let mut last = vec![service.as_str()];
    for _ in 0..query.depth {
        let others = last.iter().filter_map(|name| beside.get(name)).flatten();
        last = others.copied().filter(|name| near.insert(name)).collect();
        if last.is_empty() {
            break;
        }
    }
    for (shown, edge) in shown.iter_mut().zip(edges) {
        *shown &= near.contains(edge.parent.as_str()) && near.contains(edge.child.as_str());
    }
    shown
}

/// The ends of the edges that are shown, with the calls of all edges.
fn nodes(edges: &[Edge], shown: &[bool], seconds: f64) -> Vec<Node> {
    let mut nodes: BTreeMap<&str, Option<Node>> = BTreeMap::new();
    for (edge, _) in edges.iter().zip(shown).filter(|(_, shown)| **shown) {
        nodes.insert(&edge.parent, None);
        nodes.insert(&edge.child, None);
    }
    let mut find = |name: &str, kind: NodeKind, calls: u64, errors: u64| {
        let Some(node) = nodes.get_mut(name) else { return };
        let node = node.get_or_insert_with(|| Node { name: name.to_owned(), kind, calls: 0, errors: 0, rate: 0.0 });
        node.calls = node.calls.saturating_add(calls);
        node.errors = node.errors.saturating_add(errors);
        node.rate = node.calls as f64 / seconds;
        node.kind = match (node.kind, kind) {
            (NodeKind::Called(a), NodeKind::Called(b)) => NodeKind::Called(a.min(b)),
            _ => NodeKind::Service,
        };
    };
    for edge in edges {
        let called = if edge.connection == Connection::Call { NodeKind::Service } else { NodeKind::Called(edge.connection) };
        find(&edge.parent, NodeKind::Service, 0, 0);
        find(&edge.child, called, edge.calls, edge.errors);
    }
    nodes.into_values().flatten().collect()
}
