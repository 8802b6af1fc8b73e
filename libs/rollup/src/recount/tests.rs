use super::*;
use crate::count::tests::of_ids;
use crate::count::tests::oracle::{BEGIN, Told, oracle};
use crate::count::tests::world::{World, batch};
use async_trait::async_trait;
use parking_lot::Mutex;
use skua_model::TraceId;
use skua_store::memory::{MemoryConfig, MemoryStore};
use skua_store::{Found, FoundStream, Operation, SpanWriter};

const NO_PAUSE: Duration = Duration::ZERO;

/// Every span of some traces, some of them twice.
fn spans() -> Vec<Told> {
    let halves = (0..60_u8).flat_map(|trace| (1..9_u8).flat_map(move |id| [(trace, id, false), (trace, id, true)]));
    let mut spans: Vec<Told> = halves.map(|(trace, id, half)| of_ids(trace, id, half)).collect();
    spans.extend_from_within(..50);
    spans
}

async fn stored(spans: &[Told]) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new(MemoryConfig { max_traces: 0, max_bytes: 0 }));
    for some in spans.chunks(7) {
        store.write(&batch(some)).await.expect("written");
    }
    store
}

/// A store that does something whenever it is searched.
struct Then<F> {
    inner: Arc<MemoryStore>,
    then: Mutex<F>,
}

#[async_trait]
impl<F: FnMut() + Send> SpanReader for Then<F> {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        self.inner.services().await
    }

    async fn operations(&self, _: &str, _: &str) -> Result<Vec<Operation>, StoreError> {
        unreachable!("not asked while counting")
    }

    async fn trace(&self, _: TraceId) -> Result<Trace, StoreError> {
        unreachable!("not asked while counting")
    }

    async fn find(&self, _: &TraceQuery) -> Result<Found, StoreError> {
        unreachable!("not asked while counting")
    }

    fn search(&self, query: TraceQuery) -> FoundStream<'_> {
        (self.then.lock())();
        self.inner.search(query)
    }
}

/// Scenario: of some spans only a part was counted, of others more than there are; all are counted anew. Guarantee: the figures are those of a
/// recount by other means, in Jaeger's place too, and nothing outside of the period changed.
#[tokio::test]
async fn figures_are_those_of_the_store() {
    let spans = spans();
    let mut world = World::new(1);
    let wrong: Vec<Told> = spans.iter().take(200).map(|s| Told { name: 9, ..s.clone() }).collect();
    let outside = Told { start_ms: 3 * INTERVAL / 1000, ..of_ids(70, 1, false) };
    world.send(0, 1, [wrong, vec![outside.clone()]].concat());
    world.run_to_the_end();

    let recount = Recount::new(stored(&spans).await, world.stores(), NO_PAUSE, 1000);
    let mut steps = Vec::new();
    recount.run(BEGIN, BEGIN + 2 * INTERVAL, |step| steps.push(step)).await.expect("counted");
    let (red, links) = oracle(&[spans, vec![outside]].concat());
    assert_eq!(world.red(), red);
    assert_eq!(world.links(), links);
    assert_eq!(world.jaeger(), world.links_of_jaeger());
    let counted = steps.iter().map(|s| if let Step::Counted { spans, .. } = s { *spans } else { 0 });
    assert_eq!(counted.sum::<u64>(), red.values().flat_map(|m| m.values()).map(|f| f.latency.count()).sum::<u64>() - 1);
}

/// Scenario: somebody counts and saves spans while those of the store, with them among these, are read. Guarantee: the interval is counted
/// again, and nothing is lost or counted twice.
#[tokio::test]
async fn who_counts_meanwhile_loses_nothing() {
    let spans = spans();
    let (early, late) = spans.split_at(spans.len() - 90);
    let mut world = World::new(1);
    world.send(0, 1, early.to_vec());
    world.run_to_the_end();
    let reader = stored(&spans).await;
    let stores = world.stores();
    let world = Arc::new(Mutex::new(world));
    let (live, mut late) = (world.clone(), Some(late.to_vec()));
    let then = move || {
        if let Some(late) = late.take() {
            let mut live = live.lock();
            live.send(0, 1, late);
            live.run_to_the_end();
        }
    };
    let recount = Recount::new(Arc::new(Then { inner: reader, then: Mutex::new(then) }), stores, NO_PAUSE, 1000);
    let mut again = 0;
    recount.run(BEGIN, BEGIN + INTERVAL, |step| again += usize::from(matches!(step, Step::Again { .. }))).await.expect("counted");
    assert_eq!(again, 1);
    let world = world.lock();
    assert_eq!((world.red(), world.links()), oracle(&spans));
}

/// Scenario: the spans of a period are gone. Guarantee: its figures stay.
#[tokio::test]
async fn figures_outlive_their_spans() {
    let mut world = World::new(1);
    world.send(0, 1, spans());
    world.run_to_the_end();
    let before = (world.red(), world.links());
    let recount = Recount::new(stored(&[]).await, world.stores(), NO_PAUSE, 1000);
    let mut steps = Vec::new();
    recount.run(BEGIN, BEGIN + INTERVAL, |step| steps.push(step)).await.expect("counted");
    assert!(steps.iter().any(|s| matches!(s, Step::Kept { .. })), "{steps:?}");
    assert_eq!((world.red(), world.links()), before);
}
