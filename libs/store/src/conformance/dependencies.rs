//! The suite of who calls whom. The store has to be empty at first.

mod revisions;

use super::Settled;
use crate::dependencies::{DEFAULT_SOURCE, DependencyLink, DependencyReader, DependencyWriter};
use std::time::{SystemTime, UNIX_EPOCH};

/// The names of all cases.
pub const CASES: &[&str] = &[
    "nothing-yet",
    "one-time",
    "several-times",
    "edges",
    "days-apart",
    "again",
    "sources",
    "unicode",
    "big-counts",
    "many-links",
    "many-times",
    "revisions",
    "revisions-reversed",
    "revision-again",
    "revision-empty",
    "revisions-apart",
    "revisions-at-once",
];

/// Runs all cases, one after the other. `settle` returns when everything written is visible.
///
/// # Panics
/// When the store breaks a promise; the message begins with the name of the case.
pub async fn run<'a>(
    writer: &'a dyn DependencyWriter,
    reader: &'a dyn DependencyReader,
    settle: &'a (dyn Fn() -> Settled<'a> + Sync),
) {
    for case in CASES {
        run_case(case, writer, reader, settle).await;
    }
}

/// Runs one of [`CASES`].
///
/// # Panics
/// As [`run`], and when there is no such case.
pub async fn run_case<'a>(
    case: &'a str,
    writer: &'a dyn DependencyWriter,
    reader: &'a dyn DependencyReader,
    settle: &'a (dyn Fn() -> Settled<'a> + Sync),
) {
    let Some(place) = CASES.iter().position(|c| *c == case) else { panic!("there is no case {case}") };
    let today = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() / 86_400);
    // Days of its own for each case, the last of which is yesterday.
    let day = (today - 1 - 10 * place as u64) * DAY;
    let bench = Bench { case, writer, reader, settle, day };
    match case {
        "nothing-yet" => bench.nothing_yet().await,
        "one-time" => bench.one_time().await,
        "several-times" => bench.several_times().await,
        "edges" => bench.edges().await,
        "days-apart" => bench.days_apart().await,
        "again" => bench.again().await,
        "sources" => bench.sources().await,
        "unicode" => bench.unicode().await,
        "big-counts" => bench.big_counts().await,
        "many-links" => bench.many_links().await,
        "many-times" => bench.many_times().await,
        _ => revisions::run(&bench).await,
    }
}

const MS: u64 = 1_000;
const HOUR: u64 = 3_600_000_000;
const DAY: u64 = 24 * HOUR;

struct Bench<'a> {
    case: &'a str,
    writer: &'a dyn DependencyWriter,
    reader: &'a dyn DependencyReader,
    settle: &'a (dyn Fn() -> Settled<'a> + Sync),
    /// Microseconds since 1970: the midnight before a day that this case has for itself, and the nine days before it.
    day: u64,
}

fn link(parent: &str, child: &str, call_count: u64) -> DependencyLink {
    DependencyLink { parent: parent.to_owned(), child: child.to_owned(), call_count, source: DEFAULT_SOURCE.to_owned() }
}

impl Bench<'_> {
    async fn put(&self, at: u64, links: &[DependencyLink]) {
        let put = self.writer.write_dependencies(at, links).await;
        put.unwrap_or_else(|e| panic!("{}: failed to write dependencies: {e}", self.case));
    }

    async fn write(&self, at: u64, links: &[DependencyLink]) {
        self.put(at, links).await;
        (self.settle)().await;
    }

    async fn read(&self, start: u64, end: u64) -> Vec<DependencyLink> {
        let read = self.reader.dependencies(start, end).await;
        let mut read = read.unwrap_or_else(|e| panic!("{}: failed to read dependencies: {e}", self.case));
        read.sort_unstable();
        read
    }

    async fn counts(&self, start: u64, end: u64) -> Vec<u64> {
        let mut counts: Vec<u64> = self.read(start, end).await.iter().map(|l| l.call_count).collect();
        counts.sort_unstable();
        counts
    }

    async fn nothing_yet(&self) {
        assert_eq!(self.read(self.day, self.day + DAY).await, [], "{}", self.case);
        self.write(self.day + HOUR, &[]).await;
        assert_eq!(self.read(self.day, self.day + DAY).await, [], "{}: an empty list", self.case);
        assert_eq!(self.read(self.day + DAY, self.day).await, [], "{}: an end before the start", self.case);
    }

    async fn one_time(&self) {
        let links = [link("a", "b", 1), link("a", "c", 2), link("b", "a", 3), link("b", "b", 0)];
        self.write(self.day + HOUR, &links).await;
        assert_eq!(self.read(self.day, self.day + DAY).await, links, "{}: each link as it was", self.case);
        assert_eq!(self.read(self.day + 2 * HOUR, self.day + DAY).await, [], "{}: later", self.case);
        assert_eq!(self.read(self.day, self.day + HOUR).await, [], "{}: earlier", self.case);
    }

    async fn several_times(&self) {
        self.put(self.day + HOUR, &[link("a", "b", 1), link("c", "d", 5)]).await;
        self.put(self.day + 2 * HOUR, &[link("a", "b", 2)]).await;
        self.write(self.day + 3 * HOUR, &[link("a", "b", 1)]).await;
        let all = [link("a", "b", 1), link("a", "b", 1), link("a", "b", 2), link("c", "d", 5)];
        assert_eq!(self.read(self.day, self.day + DAY).await, all, "{}: nothing is added up", self.case);
    }

    /// From the start on and before the end, to the millisecond; times that touch share nothing and lose nothing.
    async fn edges(&self) {
        let at = self.day + HOUR;
        for i in 0..5 {
            self.put(at + i * MS, &[link("a", "b", i)]).await;
        }
        (self.settle)().await;
        let counts = async |start: u64, end: u64| self.counts(at + start * MS, at + end * MS).await;
        assert_eq!(counts(0, 5).await, [0, 1, 2, 3, 4], "{}: all", self.case);
        assert_eq!(counts(1, 3).await, [1, 2], "{}: the start is in, the end is not", self.case);
        assert_eq!(counts(3, 4).await, [3], "{}: one millisecond", self.case);
        assert_eq!(counts(3, 3).await, [0; 0], "{}: no time at all", self.case);
        assert_eq!(counts(5, 9).await, [0; 0], "{}: after all", self.case);
    }

    async fn days_apart(&self) {
        let days = [0, 1, 2, 5, 9];
        for before in days {
            self.put(self.day - before * DAY + HOUR, &[link("a", "b", before)]).await;
        }
        // On either side of a midnight.
        self.put(self.day - MS, &[link("x", "y", 100)]).await;
        self.write(self.day, &[link("x", "y", 101)]).await;
        let counts = async |from: u64, to: u64| self.counts(self.day - from * DAY, self.day - to * DAY + DAY).await;
        assert_eq!(counts(9, 0).await, [0, 1, 2, 5, 9, 100, 101], "{}: ten days", self.case);
        assert_eq!(counts(5, 1).await, [1, 2, 5, 100], "{}: the days between", self.case);
        assert_eq!(counts(8, 6).await, [0; 0], "{}: days without any", self.case);
        assert_eq!(self.counts(self.day - MS, self.day + MS).await, [100, 101], "{}: midnight", self.case);
        assert_eq!(self.counts(self.day, self.day + MS).await, [101], "{}: after midnight", self.case);
    }

    async fn again(&self) {
        let at = self.day + HOUR;
        self.write(at, &[link("a", "b", 1), link("b", "c", 2)]).await;
        self.write(at, &[link("a", "b", 1), link("b", "c", 2)]).await;
        assert_eq!(self.counts(at, at + MS).await, [1, 2], "{}: the same again", self.case);
        self.write(at, &[link("a", "b", 9)]).await;
        assert_eq!(self.counts(at, at + MS).await, [9], "{}: another list in its place", self.case);
        self.write(at, &[]).await;
        assert_eq!(self.counts(at, at + MS).await, [9], "{}: nothing in its place", self.case);
    }

    async fn sources(&self) {
        let of = |source: &str, count| DependencyLink { source: source.to_owned(), ..link("a", "b", count) };
        self.write(self.day + HOUR, &[of("", 1), of(DEFAULT_SOURCE, 2), of("mesh", 3)]).await;
        let want = [of(DEFAULT_SOURCE, 1), of(DEFAULT_SOURCE, 2), of("mesh", 3)];
        assert_eq!(self.read(self.day, self.day + DAY).await, want, "{}: an empty one is the default", self.case);
    }

    async fn unicode(&self) {
        let names = ["möwe 🦆", "\"quoted\" \\ <a&b>", "line\nbreak\ttab", "a.b/c:d,e", "", " ", "\u{2028}\u{10ffff}"];
        let mut links: Vec<_> = names.iter().map(|name| link(name, "to", 1)).collect();
        links.extend(names.iter().map(|name| link("from", name, 2)));
        self.write(self.day + HOUR, &links).await;
        links.sort_unstable();
        assert_eq!(self.read(self.day, self.day + DAY).await, links, "{}", self.case);
    }

    async fn big_counts(&self) {
        let counts = [0, 1, u64::from(u32::MAX), u64::from(u32::MAX) + 1, (1 << 53) + 1, i64::MAX as u64];
        let links: Vec<_> = counts.iter().map(|count| link("a", "b", *count)).collect();
        self.write(self.day + HOUR, &links).await;
        assert_eq!(self.counts(self.day, self.day + DAY).await, counts, "{}", self.case);
    }

    async fn many_links(&self) {
        let links: Vec<_> = (0..5_000).map(|i| link(&format!("service-{:03}", i / 50), &format!("child-{i}"), i)).collect();
        self.write(self.day + HOUR, &links).await;
        let read = self.read(self.day, self.day + DAY).await;
        assert_eq!(read.len(), links.len(), "{}: as many links", self.case);
        let mut links = links;
        links.sort_unstable();
        assert!(read == links, "{}: the same links", self.case);
    }

    /// A list for each quarter of an hour.
    async fn many_times(&self) {
        for i in 0..96 {
            self.put(self.day + i * HOUR / 4, &[link("a", "b", i), link("b", "c", i)]).await;
        }
        (self.settle)().await;
        let want: Vec<u64> = (0..96).flat_map(|i| [i, i]).collect();
        assert_eq!(self.counts(self.day, self.day + DAY).await, want, "{}", self.case);
    }
}
