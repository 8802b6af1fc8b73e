//! The suite of roll-ups. The store has to be empty at first, and is again at the end.

use crate::rollups::{INTERVAL, RollupKind, RollupStore, Version};
use bytes::Bytes;
use futures::future::join_all;
use std::time::{SystemTime, UNIX_EPOCH};

/// The names of all cases.
pub const CASES: &[&str] = &[
    "nothing-yet",
    "create",
    "replace",
    "conflict",
    "kinds-apart",
    "bodies",
    "range",
    "days",
    "full-day",
    "savers",
    "creators",
    "delete",
];

/// Runs all cases, one after the other.
///
/// # Panics
/// When the store breaks a promise; the message begins with the name of the case.
pub async fn run(store: &dyn RollupStore) {
    for case in CASES {
        run_case(case, store).await;
    }
}

/// Runs one of [`CASES`].
///
/// # Panics
/// As [`run`], and when there is no such case.
pub async fn run_case(case: &str, store: &dyn RollupStore) {
    let Some(place) = CASES.iter().position(|c| *c == case) else { panic!("there is no case {case}") };
    let today = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() / 86_400);
    // Days of its own for each case, so that what one deletes is no other's.
    let bench = Bench { case, store, day: (today - 1 - 10 * place as u64) * DAY };
    match case {
        "nothing-yet" => bench.nothing_yet().await,
        "create" => bench.create().await,
        "replace" => bench.replace().await,
        "conflict" => bench.conflict().await,
        "kinds-apart" => bench.kinds_apart().await,
        "bodies" => bench.bodies().await,
        "range" => bench.range().await,
        "days" => bench.days().await,
        "full-day" => bench.full_day().await,
        "savers" => bench.savers().await,
        "creators" => bench.creators().await,
        _ => bench.delete().await,
    }
}

const DAY: u64 = 86_400_000_000;
const RED: RollupKind = RollupKind::Red;
const LINKS: RollupKind = RollupKind::Links;

struct Bench<'a> {
    case: &'a str,
    store: &'a dyn RollupStore,
    /// Microseconds since 1970: the midnight before a day that this case has for itself, and the nine days before it.
    day: u64,
}

/// A body of its own for each number.
fn body(number: u64) -> Bytes {
    number.to_string().into_bytes().into()
}

impl Bench<'_> {
    async fn save(&self, kind: RollupKind, interval: u64, body: Bytes, was: Option<Version>) -> bool {
        let saved = self.store.save_rollup(kind, interval, body, was).await;
        saved.unwrap_or_else(|e| panic!("{}: failed to save: {e}", self.case))
    }

    /// Saves a document that is not there yet.
    async fn put(&self, kind: RollupKind, interval: u64, body: Bytes) {
        assert!(self.save(kind, interval, body, None).await, "{}: {interval} is not there yet", self.case);
    }

    async fn read(&self, kind: RollupKind, interval: u64) -> Option<(Version, Bytes)> {
        let read = self.store.rollup(kind, interval).await;
        let read = read.unwrap_or_else(|e| panic!("{}: failed to read {interval}: {e}", self.case));
        read.map(|rollup| (rollup.version, rollup.body))
    }

    /// The document's body, which has to be this one, and its version.
    async fn expect(&self, kind: RollupKind, interval: u64, body: &Bytes) -> Version {
        let Some((version, found)) = self.read(kind, interval).await else { panic!("{}: it is there", self.case) };
        assert!(found == *body, "{}: its body is what was saved, of {} bytes, not {}", self.case, body.len(), found.len());
        version
    }

    async fn range_of(&self, kind: RollupKind, from: u64, until: u64) -> Vec<(u64, Bytes)> {
        let read = self.store.rollups(kind, from, until).await;
        read.unwrap_or_else(|e| panic!("{}: failed to read {from} to {until}: {e}", self.case))
    }

    async fn delete_before(&self, before: u64) {
        let deleted = self.store.delete_rollups(before).await;
        deleted.unwrap_or_else(|e| panic!("{}: failed to delete: {e}", self.case));
    }

    /// The first start of an installation.
    async fn nothing_yet(&self) {
        assert_eq!(self.read(RED, self.day).await, None, "{}", self.case);
        assert_eq!(self.range_of(RED, self.day, self.day + DAY).await, [], "{}", self.case);
        self.delete_before(self.day).await;
        // As if somebody had read what was deleted since.
        assert!(!self.save(RED, self.day, body(1), Some(Version(1, 1))).await, "{}: there is nothing to replace", self.case);
        assert_eq!(self.read(RED, self.day).await, None, "{}", self.case);
    }

    async fn create(&self) {
        self.put(RED, self.day, body(1)).await;
        self.expect(RED, self.day, &body(1)).await;
        assert!(!self.save(RED, self.day, body(2), None).await, "{}: it is there already", self.case);
        self.expect(RED, self.day, &body(1)).await;
        assert_eq!(self.read(RED, self.day + INTERVAL).await, None, "{}: the next interval", self.case);
    }

    async fn replace(&self) {
        self.put(RED, self.day, body(0)).await;
        for i in 1..20 {
            let was = self.expect(RED, self.day, &body(i - 1)).await;
            assert!(self.save(RED, self.day, body(i), Some(was)).await, "{}: nobody else saved", self.case);
        }
        let was = self.expect(RED, self.day, &body(19)).await;
        assert!(self.save(RED, self.day, body(19), Some(was)).await, "{}: the same body again", self.case);
        assert!(self.expect(RED, self.day, &body(19)).await != was, "{}: is another version", self.case);
    }

    async fn conflict(&self) {
        self.put(RED, self.day, body(1)).await;
        let first = self.expect(RED, self.day, &body(1)).await;
        assert!(self.save(RED, self.day, body(2), Some(first)).await, "{}", self.case);
        let second = self.expect(RED, self.day, &body(2)).await;
        for was in [Some(first), None] {
            assert!(!self.save(RED, self.day, body(3), was).await, "{}: somebody saved in between", self.case);
            assert_eq!(self.expect(RED, self.day, &body(2)).await, second, "{}: nothing changed", self.case);
        }
        assert!(self.save(RED, self.day, body(4), Some(second)).await, "{}", self.case);
        self.expect(RED, self.day, &body(4)).await;
    }

    async fn kinds_apart(&self) {
        self.put(RED, self.day, body(1)).await;
        assert_eq!(self.read(LINKS, self.day).await, None, "{}", self.case);
        self.put(LINKS, self.day, body(2)).await;
        self.expect(RED, self.day, &body(1)).await;
        let was = self.expect(LINKS, self.day, &body(2)).await;
        assert!(self.save(LINKS, self.day, body(3), Some(was)).await, "{}", self.case);
        assert_eq!(self.range_of(RED, self.day, self.day + DAY).await, [(self.day, body(1))], "{}", self.case);
        assert_eq!(self.range_of(LINKS, self.day, self.day + DAY).await, [(self.day, body(3))], "{}", self.case);
    }

    /// Empty, every byte, and of 3 MiB that no compression makes smaller.
    async fn bodies(&self) {
        let noise = |seed: u64| {
            let mut x = seed;
            let mut next = || {
                x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (x >> 56) as u8
            };
            Bytes::from((0..3 << 20).map(|_| next()).collect::<Vec<u8>>())
        };
        let bodies = [Bytes::new(), Bytes::from((0..=255).collect::<Vec<u8>>()), noise(1), Bytes::from_static(b"\0\"\\\n\xff")];
        for (i, body) in (0..).zip(&bodies) {
            let interval = self.day + i * INTERVAL;
            self.put(RED, interval, body.clone()).await;
            let was = self.expect(RED, interval, body).await;
            let next = bodies[(i as usize + 1) % bodies.len()].clone();
            assert!(self.save(RED, interval, next.clone(), Some(was)).await, "{}", self.case);
            self.expect(RED, interval, &next).await;
        }
        let was = self.expect(RED, self.day, &bodies[1]).await;
        assert!(self.save(RED, self.day, Bytes::new(), Some(was)).await, "{}: empty again", self.case);
        let read = self.range_of(RED, self.day, self.day + DAY).await;
        let want: Vec<u64> = (0..4).map(|i| self.day + i * INTERVAL).collect();
        assert_eq!(read.iter().map(|(interval, _)| *interval).collect::<Vec<_>>(), want, "{}", self.case);
        let found: Vec<&Bytes> = read.iter().map(|(_, body)| body).collect();
        let want = [&Bytes::new(), &bodies[2], &bodies[3], &bodies[0]];
        assert!(found == want, "{}: bodies of a range", self.case);
    }

    /// From the start on and before the end; in order, whatever the order of saving.
    async fn range(&self) {
        for i in [4, 0, 3, 1, 7] {
            self.put(RED, self.day + i * INTERVAL, body(i)).await;
        }
        let read = async |from: u64, until: u64| {
            let read = self.range_of(RED, self.day + from, self.day + until).await;
            let numbers = read.iter().map(|(interval, found)| {
                let number = (interval - self.day) / INTERVAL;
                assert!(*found == body(number), "{}: the body of {number}", self.case);
                number
            });
            numbers.collect::<Vec<u64>>()
        };
        assert_eq!(read(0, DAY).await, [0, 1, 3, 4, 7], "{}: all", self.case);
        assert_eq!(read(0, 4 * INTERVAL).await, [0, 1, 3], "{}: the end is not in", self.case);
        assert_eq!(read(INTERVAL, 4 * INTERVAL + 1).await, [1, 3, 4], "{}: the start is in", self.case);
        assert_eq!(read(INTERVAL + 1, 8 * INTERVAL).await, [3, 4, 7], "{}: begun before the start", self.case);
        assert_eq!(read(5 * INTERVAL, 7 * INTERVAL).await, [0; 0], "{}: a gap", self.case);
        assert_eq!(read(3 * INTERVAL, 3 * INTERVAL).await, [0; 0], "{}: no time at all", self.case);
        assert_eq!(read(4 * INTERVAL, 3 * INTERVAL).await, [0; 0], "{}: an end before the start", self.case);
    }

    async fn days(&self) {
        let days = [9, 4, 3, 2, 0];
        for before in days {
            self.put(LINKS, self.day - before * DAY + 5 * INTERVAL, body(before)).await;
        }
        // On either side of a midnight.
        self.put(LINKS, self.day - INTERVAL, body(100)).await;
        self.put(LINKS, self.day, body(101)).await;
        let read = async |from: u64, until: u64| {
            let read = self.range_of(LINKS, from, until).await;
            assert!(read.is_sorted_by_key(|(interval, _)| *interval), "{}: in order", self.case);
            read.into_iter().map(|(_, body)| body).collect::<Vec<_>>()
        };
        let all = [9, 4, 3, 2, 100, 101, 0].map(body);
        assert_eq!(read(self.day - 9 * DAY, self.day + DAY).await, all, "{}: ten days", self.case);
        assert_eq!(read(self.day - 4 * DAY, self.day - 2 * DAY).await, [4, 3].map(body), "{}: days between", self.case);
        assert_eq!(read(self.day - 8 * DAY, self.day - 5 * DAY).await, Vec::<Bytes>::new(), "{}: days without any", self.case);
        assert_eq!(read(self.day - INTERVAL, self.day + 1).await, [100, 101].map(body), "{}: midnight", self.case);
    }

    /// All intervals of a day, and of the half days beside it.
    async fn full_day(&self) {
        let intervals = || (self.day - DAY / 2..self.day + DAY / 2 * 3).step_by(INTERVAL as usize);
        for some in intervals().collect::<Vec<_>>().chunks(16) {
            join_all(some.iter().map(|interval| self.put(RED, *interval, body(*interval)))).await;
        }
        let read = self.range_of(RED, self.day - DAY, self.day + 2 * DAY).await;
        assert!(read == intervals().map(|interval| (interval, body(interval))).collect::<Vec<_>>(), "{}: all", self.case);
    }

    /// Each adds its numbers to what it read, and tries again when another was faster or when it is not known.
    async fn savers(&self) {
        let one = async |saver: u64| {
            for number in 0..5 {
                self.add(saver * 100 + number).await;
            }
        };
        join_all((1..=6).map(one)).await;
        let (_, found) = self.read(RED, self.day).await.unwrap_or_else(|| panic!("{}: it is there", self.case));
        let mut found: Vec<u64> = numbers(&found);
        found.sort_unstable();
        let want: Vec<u64> = (1..=6).flat_map(|saver| (0..5).map(move |number| saver * 100 + number)).collect();
        assert_eq!(found, want, "{}: nothing is lost and nothing is twice", self.case);
    }

    async fn add(&self, number: u64) {
        const TRIES: u32 = 2000;
        for _ in 0..TRIES {
            let read = match self.store.rollup(RED, self.day).await {
                Err(e) if e.is_retryable() => continue,
                read => read.unwrap_or_else(|e| panic!("{}: failed to read: {e}", self.case)),
            };
            let (was, mut all) = read.map_or((None, Vec::new()), |r| (Some(r.version), numbers(&r.body)));
            if all.contains(&number) {
                return;
            }
            all.push(number);
            let text: Vec<String> = all.iter().map(u64::to_string).collect();
            match self.store.save_rollup(RED, self.day, text.join(" ").into_bytes().into(), was).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(e) => assert!(e.is_retryable(), "{}: failed to save: {e}", self.case),
            }
        }
        panic!("{}: failed to save {TRIES} times", self.case);
    }

    /// All at once the first document.
    async fn creators(&self) {
        let saved = join_all((0..8).map(|i| self.store.save_rollup(LINKS, self.day, body(i), None))).await;
        let Some((_, found)) = self.read(LINKS, self.day).await else { panic!("{}: one saved it", self.case) };
        for (i, saved) in (0..).zip(saved) {
            match saved {
                Ok(saved) => assert_eq!(saved, found == body(i), "{}: one saved it, and knows it", self.case),
                Err(e) => assert!(e.is_retryable(), "{}: failed to save: {e}", self.case),
            }
        }
    }

    /// Last, because all that is older goes too.
    async fn delete(&self) {
        for before in (0..6).rev() {
            for kind in RollupKind::ALL {
                self.put(kind, self.day - before * DAY, body(before)).await;
                self.put(kind, self.day - before * DAY + DAY - INTERVAL, body(before)).await;
            }
        }
        let left = async |kind| {
            let read = self.range_of(kind, self.day - 9 * DAY, self.day + DAY).await;
            let mut days: Vec<u64> = read.iter().map(|(interval, _)| (self.day + DAY - 1 - interval) / DAY).collect();
            days.dedup();
            days
        };
        self.delete_before(self.day - 3 * DAY).await;
        for kind in RollupKind::ALL {
            assert_eq!(left(kind).await, [3, 2, 1, 0], "{}: the day itself stays", self.case);
            let read = self.range_of(kind, self.day - 3 * DAY, self.day + DAY).await;
            assert_eq!(read.len(), 8, "{}: all of the days that stay", self.case);
            assert_eq!(self.read(kind, self.day - 4 * DAY).await, None, "{}", self.case);
        }
        self.delete_before(self.day - 3 * DAY).await;
        self.delete_before(self.day - 2 * DAY + 7 * INTERVAL).await;
        assert_eq!(left(RED).await, [2, 1, 0], "{}: what of a day is not before stays", self.case);
        assert_eq!(self.range_of(RED, self.day - 2 * DAY + 7 * INTERVAL, self.day).await.len(), 3, "{}", self.case);
        // All that the suite wrote.
        let end = self.day + 10 * CASES.len() as u64 * DAY;
        self.delete_before(end).await;
        for kind in RollupKind::ALL {
            assert_eq!(self.range_of(kind, self.day - 9 * DAY, end).await, [], "{}: all", self.case);
        }
    }
}

fn numbers(body: &[u8]) -> Vec<u64> {
    String::from_utf8_lossy(body).split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests;
