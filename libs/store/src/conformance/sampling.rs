//! The suite of what adaptive sampling keeps. The store has to be empty at first.

mod lease;

use super::Settled;
use crate::sampling::{ByOperation, Lease, SamplingStore, Throughput};
use std::time::{SystemTime, UNIX_EPOCH};

/// The names of all cases.
pub const CASES: &[&str] = &[
    "nothing-yet",
    "throughput",
    "throughput-range",
    "throughput-repeated",
    "throughput-many",
    "probabilities",
    "probabilities-many",
    "lease-one-owner",
    "lease-kept",
    "lease-expires",
    "lease-forfeit",
    "lease-race",
];

/// Runs all cases, one after the other. `settle` returns when everything written is visible.
///
/// # Panics
/// When the store breaks a promise; the message begins with the name of the case.
pub async fn run<'a>(store: &'a dyn SamplingStore, lease: &'a dyn Lease, settle: &'a (dyn Fn() -> Settled<'a> + Sync)) {
    for case in CASES {
        run_case(case, store, lease, settle).await;
    }
}

/// Runs one of [`CASES`].
///
/// # Panics
/// As [`run`], and when there is no such case.
pub async fn run_case<'a>(
    case: &'a str,
    store: &'a dyn SamplingStore,
    lease: &'a dyn Lease,
    settle: &'a (dyn Fn() -> Settled<'a> + Sync),
) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64 * 1000);
    let bench = Bench { case, store, settle, now };
    match case {
        "nothing-yet" => bench.nothing_yet().await,
        "throughput" => bench.throughput().await,
        "throughput-range" => bench.range().await,
        "throughput-repeated" => bench.repeated().await,
        "throughput-many" => bench.many().await,
        "probabilities" => bench.probabilities().await,
        "probabilities-many" => bench.many_probabilities().await,
        _ => lease::run(case, lease, now).await,
    }
}

struct Bench<'a> {
    case: &'a str,
    store: &'a dyn SamplingStore,
    settle: &'a (dyn Fn() -> Settled<'a> + Sync),
    /// Microseconds since 1970, whole milliseconds.
    now: u64,
}

/// Names that a store may stumble on.
const NAMES: &[&str] = &["plain", "GET /users/:id", "a.b.c", ".", "..", " ", "é<&>\"\\\n", "_id", "x,y", "$where"];
const MS: u64 = 1000;

fn throughput(service: &str, operation: &str, count: u64, probabilities: &[&str]) -> Throughput {
    let probabilities = probabilities.iter().map(|&p| p.to_owned()).collect();
    Throughput { service: service.to_owned(), operation: operation.to_owned(), count, probabilities }
}

fn one(service: &str, operation: &str, v: f64) -> ByOperation {
    [(service.to_owned(), [(operation.to_owned(), v)].into())].into()
}

impl Bench<'_> {
    async fn insert(&self, at: u64, items: &[Throughput]) {
        let inserted = self.store.insert_throughput(at, items).await;
        inserted.unwrap_or_else(|e| panic!("{}: failed to insert throughput: {e}", self.case));
    }

    async fn read(&self, after: u64, until: u64) -> Vec<Throughput> {
        let read = self.store.throughput(after, until).await;
        let mut read = read.unwrap_or_else(|e| panic!("{}: failed to read throughput: {e}", self.case));
        read.sort_unstable();
        read
    }

    async fn put(&self, at: u64, probabilities: &ByOperation) {
        let put = self.store.insert_probabilities_and_qps(at, "host-1", probabilities, probabilities).await;
        put.unwrap_or_else(|e| panic!("{}: failed to insert probabilities: {e}", self.case));
        (self.settle)().await;
    }

    async fn latest(&self) -> ByOperation {
        let latest = self.store.latest_probabilities().await;
        latest.unwrap_or_else(|e| panic!("{}: failed to read probabilities: {e}", self.case))
    }

    /// The first start of an installation.
    async fn nothing_yet(&self) {
        assert_eq!(self.read(self.now - 60_000 * MS, self.now).await, [], "{}", self.case);
        assert_eq!(self.latest().await, ByOperation::new(), "{}", self.case);
        self.insert(self.now, &[]).await;
    }

    /// What several collectors inserted comes back item by item, as it was.
    async fn throughput(&self) {
        let at = self.now - 10_000 * MS;
        let mut all = Vec::new();
        for (collector, count) in [(1, 0), (2, 7), (3, 1 << 40)] {
            let items: Vec<_> = NAMES.iter().map(|name| throughput(name, name, count, &["0.001000", "1.000000"])).collect();
            self.insert(at + collector * MS, &items).await;
            all.extend(items);
        }
        let bare = throughput("no", "probabilities", 1, &[]);
        self.insert(at + MS, std::slice::from_ref(&bare)).await;
        all.push(bare);
        (self.settle)().await;
        all.sort_unstable();
        assert_eq!(self.read(at, at + 3 * MS).await, all, "{}", self.case);
    }

    /// After the beginning, up to and including the end; ranges that touch share nothing and lose nothing.
    async fn range(&self) {
        let at = self.now - 20_000 * MS;
        for i in 1..=5 {
            self.insert(at + i * MS, &[throughput("s", "o", i, &[])]).await;
        }
        (self.settle)().await;
        let counts = async |after: u64, until: u64| -> Vec<u64> {
            self.read(at + after * MS, at + until * MS).await.iter().map(|t| t.count).collect()
        };
        assert_eq!(counts(0, 5).await, [1, 2, 3, 4, 5], "{}", self.case);
        assert_eq!(counts(1, 4).await, [2, 3, 4], "{}: the beginning is left out, the end is in", self.case);
        assert!(counts(5, 9).await.is_empty() && counts(3, 3).await.is_empty(), "{}: nothing there", self.case);
        // Finer than a millisecond a store may be wrong, but in the same way at every border.
        let at = at - 1000 * MS;
        for i in 0..10 {
            self.insert(at + i * 137, &[throughput("s", "o", i, &[])]).await;
        }
        (self.settle)().await;
        let mut counts = Vec::new();
        for i in 0..20 {
            counts.extend(self.read(at - MS + i * 291, at - MS + (i + 1) * 291).await.iter().map(|t| t.count));
        }
        counts.sort_unstable();
        assert_eq!(counts, (0..10).collect::<Vec<_>>(), "{}: ranges share nothing and lose nothing", self.case);
    }

    async fn repeated(&self) {
        let at = self.now - 30_000 * MS;
        let item = throughput("s", "o", 3, &["0.5"]);
        self.insert(at, std::slice::from_ref(&item)).await;
        self.insert(at, std::slice::from_ref(&item)).await;
        (self.settle)().await;
        assert_eq!(self.read(at - MS, at).await, [item.clone(), item], "{}", self.case);
    }

    /// More than a page, each with probabilities of its own.
    async fn many(&self) {
        let at = self.now - 40_000 * MS;
        let item = |i: u64| throughput(&format!("s{}", i % 50), &format!("GET /{i}"), i, &[&format!("{:.6}", i as f64 / 3000.0)]);
        let mut items: Vec<_> = (0..3000).map(item).collect();
        self.insert(at, &items).await;
        (self.settle)().await;
        items.sort_unstable();
        assert_eq!(self.read(at - MS, at).await, items, "{}", self.case);
    }

    /// The latest counts and not the last, and whole.
    async fn probabilities(&self) {
        let at = self.now - 10_000 * MS;
        self.put(at, &one("old", "o", 0.25)).await;
        assert_eq!(self.latest().await, one("old", "o", 0.25), "{}", self.case);
        let exact: ByOperation = NAMES
            .iter()
            .map(|&name| {
                (name.to_owned(), [(name.to_owned(), 1.0 / 3.0), ("min".to_owned(), 1e-5), ("one".to_owned(), 1.0)].into())
            })
            .collect();
        self.put(at + 2 * MS, &exact).await;
        self.put(at + MS, &one("late", "o", 0.5)).await;
        assert_eq!(self.latest().await, exact, "{}: the latest, to the last digit, and none of those before", self.case);
    }

    /// More operations than a database likes to have fields.
    async fn many_probabilities(&self) {
        let of = |service: u32| (0..60).map(move |i| (format!("GET /{service}/{i}"), f64::from(i) / 60.0)).collect();
        let all: ByOperation = (0..50).map(|service| (format!("service.{service}"), of(service))).collect();
        self.put(self.now, &all).await;
        assert_eq!(self.latest().await, all, "{}", self.case);
    }
}
