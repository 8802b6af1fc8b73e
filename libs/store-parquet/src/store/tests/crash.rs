//! A whole store whose disk, object store and process fail at any moment.

use super::spans::{Sent, batch_of, cases, numbers_of, search_for, traces_of};
use super::*;
use crate::bucket::faults::Faults;
use crate::log::{Options, sim::SimFiles};
use crate::{JoinConfig, Sync, WalConfig};
use object_store::memory::InMemory;
use proptest::prelude::*;
use skua_store::SpanWriter;
use std::collections::BTreeSet;
use tokio::runtime::Runtime;

/// What happens to a process.
#[derive(Debug, Clone)]
enum Step {
    /// Batches of so many spans of these traces come at once; a batch that fails comes again, a few times.
    Write(Vec<(u8, usize)>),
    /// The same, and everything goes on only so far: after so many turns something else happens.
    Begin(Vec<(u8, usize)>, u32),
    /// The store is maintained, for so many turns.
    Maintain(u32),
    /// Everything is put in blocks.
    Flush,
    Faults(u64),
    Room(Option<u64>),
    FailSyncs(u32),
    FailCuts(bool),
    PowerOffAfter(u64),
    /// The process ends, and with a seed the power of its disk goes too; it starts again.
    Kill(Option<u64>),
    Check,
}

fn step() -> impl Strategy<Value = Step> {
    let batches = || prop::collection::vec((0_u8..12, 1_usize..25), 1..5);
    prop_oneof![
        6 => batches().prop_map(Step::Write),
        4 => (batches(), 0_u32..40).prop_map(|(batches, turns)| Step::Begin(batches, turns)),
        4 => prop_oneof![0_u32..60, Just(3000)].prop_map(Step::Maintain),
        1 => Just(Step::Flush),
        2 => prop_oneof![Just(u64::MAX), 3_u64..30].prop_map(Step::Faults),
        1 => prop::option::of(0_u64..20_000).prop_map(Step::Room),
        1 => (0_u32..3).prop_map(Step::FailSyncs),
        1 => any::<bool>().prop_map(Step::FailCuts),
        1 => (0_u64..12).prop_map(Step::PowerOffAfter),
        4 => prop::option::of(any::<u64>()).prop_map(Step::Kill),
        1 => Just(Step::Check),
    ]
}

/// What was sent, and the numbers that were acknowledged.
#[derive(Default)]
struct Ledger {
    sent: Vec<Sent>,
    kept: BTreeSet<u32>,
}

struct Process {
    config: Config,
    /// Of its log, if it has one.
    files: Option<SimFiles>,
    faults: Arc<Faults>,
    off: bool,
    life: Option<(Runtime, Arc<ParquetStore>)>,
    ledger: Arc<Mutex<Ledger>>,
    /// What it acknowledged itself.
    own: Arc<Mutex<BTreeSet<u32>>>,
}

/// What is far from now happens only when a step says so.
pub(super) fn config() -> Config {
    Config {
        block_spans: 40,
        block_age: Duration::from_secs(100_000),
        retention: Duration::ZERO,
        max_bytes: String::new(),
        poll_interval: Duration::ZERO,
        join: JoinConfig { enabled: true, interval: Duration::from_secs(100_000), rate: 0 },
        wal: WalConfig { sync: Sync::Batch, ..WalConfig::default() },
        ..Config::default()
    }
}

pub(super) async fn open_over(config: Config, bucket: Bucket, files: Option<SimFiles>) -> Result<Arc<ParquetStore>, StoreError> {
    let source = files.map(|files| LogSource {
        files: Box::new(move || Ok(Arc::new(files))),
        options: Options { probe: Duration::from_millis(1), ..Options::new(Sync::Batch, Duration::from_millis(1)) },
    });
    ParquetStore::open_with(config, bucket, Role::Primary, &mut Registry::default(), source).await
}

/// Hands a batch over until it is taken, as a client does, and notes when it is kept.
async fn deliver(
    store: Arc<ParquetStore>,
    spans: Vec<Sent>,
    logs: bool,
    ledger: Arc<Mutex<Ledger>>,
    own: Arc<Mutex<BTreeSet<u32>>>,
) {
    let batch = batch_of(&spans);
    for _ in 0..3 {
        match store.hand_over(&batch).await {
            Ok((written, later)) => {
                assert_eq!(written.stored, spans.len() as u64);
                assert!(!logs || later.is_done());
                later.kept().await;
                ledger.lock().kept.extend(spans.iter().map(|span| span.number));
                own.lock().extend(spans.iter().map(|span| span.number));
                return;
            }
            Err(e) => assert!(e.is_retryable(), "{e}"),
        }
    }
}

async fn turns(count: u32) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

impl Process {
    fn new(config: Config, store: &Arc<InMemory>, logs: bool, seed: u64, ledger: &Arc<Mutex<Ledger>>) -> Self {
        let mut process = Self {
            config,
            files: logs.then(SimFiles::default),
            faults: Faults::new(store.clone(), seed, u64::MAX),
            off: false,
            life: None,
            ledger: ledger.clone(),
            own: Arc::default(),
        };
        process.start();
        process
    }

    fn start(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let bucket = Bucket::over(self.faults.clone());
        let store = runtime.block_on(async {
            loop {
                match open_over(self.config.clone(), bucket.clone(), self.files.clone()).await {
                    Ok(store) => return store,
                    Err(e) => assert!(e.is_retryable(), "failed to open: {e} {:?}", e.source),
                }
            }
        });
        self.life = Some((runtime, store));
    }

    fn batches(&self, batches: Vec<(u8, usize)>) -> Vec<Vec<Sent>> {
        let mut ledger = self.ledger.lock();
        let mut next = |trace: u8| {
            let span = Sent { number: ledger.sent.len() as u32, trace };
            ledger.sent.push(span);
            span
        };
        // Half of a batch is of one trace, the others of any.
        let one = |(trace, count): (u8, usize)| {
            (0..count).map(|n| next(if n % 2 == 0 { trace } else { (trace + n as u8) % 12 })).collect()
        };
        batches.into_iter().map(one).collect()
    }

    fn step(&mut self, step: Step) {
        let batches = match &step {
            Step::Write(batches) | Step::Begin(batches, _) => self.batches(batches.clone()),
            _ => Vec::new(),
        };
        let logs = self.files.is_some();
        let Some((runtime, store)) = &self.life else { return };
        let deliveries =
            || batches.iter().map(|spans| deliver(store.clone(), spans.clone(), logs, self.ledger.clone(), self.own.clone()));
        match step {
            Step::Write(_) if logs => drop(runtime.block_on(futures::future::join_all(deliveries()))),
            // Without a log nothing is kept before a block is full.
            Step::Write(_) => {
                deliveries().for_each(|delivery| drop(runtime.spawn(delivery)));
                runtime.block_on(turns(200));
            }
            Step::Begin(_, count) => {
                deliveries().for_each(|delivery| drop(runtime.spawn(delivery)));
                runtime.block_on(turns(count));
            }
            Step::Maintain(count) => {
                let inner = store.inner.clone();
                runtime.spawn(async move { inner.maintain_once(true).await });
                runtime.block_on(turns(count));
            }
            Step::Flush => {
                let inner = store.inner.clone();
                runtime.block_on(async move { tokio::time::timeout(Duration::from_secs(60), inner.drained()).await.ok() });
            }
            Step::Faults(one_in) => self.faults.set_one_in(one_in),
            Step::Room(room) => self.files.iter().for_each(|files| files.set_room(room)),
            Step::FailSyncs(times) => self.files.iter().for_each(|files| files.fail_syncs(times)),
            Step::FailCuts(fail) => self.files.iter().for_each(|files| files.fail_cuts(fail)),
            Step::PowerOffAfter(calls) => {
                self.files.iter().for_each(|files| files.power_off_after(calls));
                self.off = true;
            }
            Step::Kill(seed) => self.kill(seed),
            Step::Check => self.check(),
        }
    }

    /// Everything that it does ends at once.
    fn kill(&mut self, seed: Option<u64>) {
        if let Some((runtime, store)) = self.life.take() {
            let left = Arc::downgrade(&store.inner);
            drop(store);
            drop(runtime);
            assert!(left.upgrade().is_none(), "nothing is left of it");
        }
        let seed = if self.off { seed.or(Some(1)) } else { seed };
        self.off = false;
        if let (Some(files), Some(seed)) = (&self.files, seed) {
            files.crash(seed);
        }
        if let Some(files) = &self.files {
            files.set_room(None);
            files.fail_syncs(0);
            files.fail_cuts(false);
        }
        self.start();
        self.check();
    }

    /// What it acknowledged is there, and nothing that was not sent.
    fn check(&self) {
        let Some((runtime, store)) = &self.life else { return };
        self.faults.set_one_in(u64::MAX);
        let (sent, own) = (self.ledger.lock().sent.clone(), self.own.lock().clone());
        runtime.block_on(check(store, &sent, &own, 8));
    }
}

/// All kept spans are found by trace, and one in so many by a search.
pub(super) async fn check(store: &ParquetStore, sent: &[Sent], kept: &BTreeSet<u32>, one_in: u32) {
    let found: BTreeSet<u32> = traces_of(store, sent).await.into_values().flatten().collect();
    let lost: Vec<_> = kept.difference(&found).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    for number in kept.iter().filter(|number| (**number).is_multiple_of(one_in)) {
        let span = sent[*number as usize];
        let found = search_for(store, span).await.expect("an answer");
        assert!(found.partial.is_empty(), "{:?}", found.partial);
        assert_eq!(found.traces.len(), 1, "{span:?} by a search");
        assert!(numbers_of(&found.traces[0], sent).contains(number));
    }
}

/// The manifest's blocks are all there, and each can be read to its end.
pub(super) async fn check_blocks(store: &ParquetStore) {
    let inner = &store.inner;
    for meta in &inner.manifests.current().blocks {
        let block = Block::open(&inner.bucket, &meta.id, &inner.pages).await.expect("its sidecar");
        let about = &block.sidecar.about;
        assert_eq!((about.spans, about.file_bytes), (meta.spans, meta.bytes));
        let columns: Vec<usize> = (0..about.columns.len()).collect();
        for page in 0..about.pages() {
            block.load(&mut block.rows(), page, &columns, None).await.expect("a page");
        }
    }
}

/// Runs a history of some processes on one bucket.
fn run(config: &Config, logs: &[bool], steps: Vec<(usize, Step)>, seed: u64) {
    let (store, ledger) = (Arc::new(InMemory::new()), Arc::default());
    let mut processes: Vec<Process> =
        (0..).zip(logs).map(|(n, logs)| Process::new(config.clone(), &store, *logs, seed.wrapping_add(n), &ledger)).collect();
    for (number, step) in steps {
        let number = number % processes.len();
        processes[number].step(step);
    }
    for process in &mut processes {
        process.faults.set_one_in(u64::MAX);
        process.kill(Some(seed));
        let Some((runtime, store)) = &process.life else { continue };
        runtime.block_on(store.inner.drained());
        runtime.block_on(store.inner.maintain_once(true)).expect("it is maintained");
    }
    drop(processes);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let store = open_over(config.clone(), Bucket::over(store), None).await.expect("another process");
        let Ledger { sent, kept } = std::mem::take(&mut *ledger.lock());
        check(&store, &sent, &kept, 1).await;
        check_blocks(&store).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(150), max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Scenario: blocks of many batches, or of one and joined all the time. A store with a log, one without, and two at once on one bucket; spans come, blocks are cut and joined, requests fail
    /// before or after they took effect, the disk is full or fails, a process or its machine dies at any moment and starts again.
    /// Guarantee: after each start, and at the end by another process, every acknowledged span is found by its trace and by a search, once and
    /// as it was sent; nothing else is; and every block that the manifest names can be read to its end.
    #[test]
    fn nothing_acknowledged_is_lost(
        logs in prop_oneof![
            3 => Just(vec![true]), 2 => Just(vec![false]), 1 => Just(vec![true, true]), 2 => Just(vec![false, false]),
            1 => Just(vec![true, false]),
        ],
        steps in prop::collection::vec((0_usize..2, step()), 1..40),
        (block_spans, head_bytes) in prop_oneof![Just((40, 96 << 20)), Just((200, 1))],
        seed in any::<u64>(),
    ) {
        run(&Config { head_bytes, block_spans, ..config() }, &logs, steps, seed);
    }
}
