//! A recount that knows all spans at once.

use crate::document::{Connection, Figures, LinkKey, MINUTE, SeriesKey};
use std::collections::BTreeMap;

/// A made-up span.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Told {
    pub trace: u8,
    pub id: u8,
    /// 0 for none.
    pub parent: u8,
    pub service: u8,
    pub kind: u8,
    pub name: u8,
    pub status: u8,
    pub start_ms: u64,
    pub duration_us: u64,
    pub peer: Option<&'static str>,
}

/// Where all times of the tests begin: microseconds since 1970.
pub const BEGIN: u64 = 1_700_000_000_000_000 / MINUTE * MINUTE;

pub type Rows<K> = BTreeMap<K, BTreeMap<u64, Figures>>;

impl Told {
    pub fn start(&self) -> u64 {
        BEGIN + self.start_ms * 1000
    }

    fn is_caller(&self) -> bool {
        matches!(self.kind, 3 | 4)
    }

    fn is_called(&self) -> bool {
        matches!(self.kind, 2 | 5)
    }

    pub fn peer_name(&self) -> Option<(Connection, &'static str)> {
        Some(match self.peer? {
            "queue" => (Connection::Messaging, "kafka/orders"),
            "database" => (Connection::Database, "postgresql/orders"),
            _ => (Connection::Peer, "10.0.0.1"),
        })
    }
}

fn add<K: Ord>(rows: &mut Rows<K>, key: K, span: &Told, failed: bool) {
    let figures = rows.entry(key).or_default().entry(span.start() / MINUTE * MINUTE).or_default();
    figures.latency.record(span.duration_us);
    figures.errors += u64::from(failed);
}

/// Two spans that counting takes for one: all that it looks at is the same.
fn same(a: &Told, b: &Told) -> bool {
    let of = |s: &Told| (s.trace, s.id, s.service, s.kind, s.status == 2, s.start_ms, s.duration_us, s.name.to_string().len());
    of(a) == of(b)
}

/// RED and links of spans, each counted once.
pub fn oracle(spans: &[Told]) -> (Rows<SeriesKey>, Rows<LinkKey>) {
    let mut unique: Vec<&Told> = Vec::new();
    for span in spans {
        if !unique.iter().any(|s| same(s, span)) {
            unique.push(span);
        }
    }
    let (mut red, mut links) = (Rows::new(), Rows::new());
    for s in &unique {
        let key =
            SeriesKey { service: format!("s{}", s.service), operation: format!("o{}", s.name), kind: s.kind, status: s.status };
        add(&mut red, key, s, false);
        let trace: Vec<&&Told> = unique.iter().filter(|p| p.trace == s.trace && !same(p, s)).collect();
        let named = |kind: fn(&Told) -> bool| trace.iter().find(|p| s.parent != 0 && p.id == s.parent && kind(p)).copied();
        let other_half = || trace.iter().find(|p| p.id == s.id && p.is_caller() && p.service != s.service).copied();
        let by_name = |kinds: [fn(&Told) -> bool; 2]| kinds.into_iter().find_map(named);
        let parent = if s.is_called() {
            other_half().or_else(|| by_name([Told::is_caller, |_| true]))
        } else {
            let within = trace.iter().any(|p| s.parent != 0 && p.id == s.parent && p.service == s.service);
            by_name([|p| !p.is_caller(), |_| true]).filter(|_| !within)
        };
        if let Some(parent) = parent.filter(|p| p.service != s.service) {
            let queued = matches!(s.kind, 4 | 5) || matches!(parent.kind, 4 | 5);
            let connection = if queued { Connection::Messaging } else { Connection::Call };
            let key = LinkKey { parent: format!("s{}", parent.service), child: format!("s{}", s.service), connection };
            add(&mut links, key, s, s.status == 2 || (parent.is_caller() && parent.status == 2));
        }
        let answers = |c: &&&Told| c.service != s.service && (c.parent == s.id || (c.id == s.id && c.is_called()));
        if let Some((connection, child)) = s.peer_name().filter(|_| s.is_caller() && !trace.iter().any(answers)) {
            add(&mut links, LinkKey { parent: format!("s{}", s.service), child: child.to_owned(), connection }, s, s.status == 2);
        }
    }
    (red, links)
}
