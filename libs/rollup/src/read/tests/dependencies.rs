use super::*;
use skua_store::memory::{MemoryConfig, MemoryStore};
use skua_store::{DependencyReader, DependencyWriter};

/// A minute's calls between several, and in documents on both sides of a day's end.
async fn counted() -> Arc<Map> {
    let store = Arc::new(Map::default());
    for (key, minute, calls) in [
        (link("a", "b", Connection::Call), NOON, 3),
        (link("a", "b", Connection::Messaging), NOON + 9 * MINUTE, 2),
        (link("a", "db", Connection::Database), NOON + 10 * MINUTE, 7),
        (link("a", "b", Connection::Call), NOON + DAY, 10),
    ] {
        store.count(&key, minute, &took(&vec![5; calls])).await;
    }
    store
}

/// Scenario: windows that begin and end within a document, a minute, and nowhere. Guarantees: minutes count by their starts; a pair comes
/// once, whichever way it is connected.
#[tokio::test]
async fn minutes_count_by_their_starts() {
    let reader = reader(&counted().await);
    let within = async |start, end| reader.dependencies(NOON + start, NOON + end).await.unwrap();
    assert_eq!(within(0, DAY).await, [row("a", "b", 5, SOURCE), row("a", "db", 7, SOURCE)]);
    assert_eq!(within(1, DAY + 1).await, [row("a", "b", 12, SOURCE), row("a", "db", 7, SOURCE)]);
    assert_eq!(within(9 * MINUTE, 10 * MINUTE).await, [row("a", "b", 2, SOURCE)]);
    assert_eq!(within(MINUTE, 9 * MINUTE).await, []);
    assert_eq!(within(DAY, 0).await, []);
}

/// Scenario: a job wrote lists at the starts of two days, and we our intervals' links. Guarantees: ours are not counted twice; a link of the
/// job counts on days on which we have not the same, even when we have it at another hour of the day than is asked of.
#[tokio::test]
async fn beside_a_job() {
    let table = Arc::new(MemoryStore::new(MemoryConfig::default()));
    let midnight = NOON - NOON % DAY;
    let theirs = [row("a", "b", 100, "jaeger"), row("x", "y", 40, "jaeger"), row("a", "db", 60, "mesh")];
    for day in [midnight, midnight + DAY] {
        table.write_dependencies(day, &theirs).await.unwrap();
    }
    table.write_dependencies(NOON, &[row("a", "b", 5, SOURCE), row("a", "db", 7, SOURCE)]).await.unwrap();
    let all = WithRollups { rollups: reader(&counted().await), others: table };
    let within = async |start, end| {
        let mut links = all.dependencies(start, end).await.unwrap();
        links.sort();
        links
    };
    let first = [row("a", "b", 5, SOURCE), row("a", "db", 7, SOURCE), row("x", "y", 40, "jaeger")];
    assert_eq!(within(midnight, midnight + DAY).await, first);
    let second = [row("a", "b", 10, SOURCE), row("a", "db", 60, "mesh"), row("x", "y", 40, "jaeger")];
    assert_eq!(within(midnight + DAY, midnight + 2 * DAY).await, second, "we have not counted a call of db on that day");
    let mut both = [first, second].concat();
    both.sort();
    assert_eq!(within(midnight, midnight + 2 * DAY).await, both);
    assert_eq!(within(midnight, midnight + 1).await, [row("x", "y", 40, "jaeger")], "what we have came at noon, on the same day");
    assert_eq!(within(NOON, NOON).await, []);
}

/// Scenario: a window of more days than are asked for one by one. Guarantee: a link of others counts only where we have none at all.
#[tokio::test]
async fn a_long_window() {
    let table = Arc::new(MemoryStore::new(MemoryConfig::default()));
    let theirs = [row("a", "b", 1, "jaeger"), row("x", "y", 2, "jaeger")];
    table.write_dependencies(NOON - 20 * DAY, &theirs).await.unwrap();
    let all = WithRollups { rollups: reader(&counted().await), others: table };
    let want = [row("a", "b", 15, SOURCE), row("a", "db", 7, SOURCE), row("x", "y", 2, "jaeger")];
    for (start, end) in [(NOON - 30 * DAY, NOON + 2 * DAY), (0, u64::MAX), (0, i64::MAX as u64)] {
        let mut links = all.dependencies(start, end).await.unwrap();
        links.sort();
        assert_eq!(links, want, "{start} to {end}");
    }
    let shorter = all.dependencies(NOON - 29 * DAY, NOON + 2 * DAY).await.unwrap();
    assert!(shorter.contains(&theirs[0]), "32 days");
}
