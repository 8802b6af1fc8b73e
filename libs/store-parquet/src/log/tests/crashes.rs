use super::*;
use proptest::prelude::*;

/// What happens to a log.
#[derive(Debug, Clone)]
enum Step {
    /// Records of these lengths are queued.
    Put(Vec<usize>),
    /// All tickets are waited for.
    Settle,
    Roll,
    /// The segments that have ended are in blocks.
    Forget,
    Room(Option<u64>),
    FailSyncs(u32),
    FailCuts(bool),
    MostAtOnce(Option<usize>),
    PowerOffAfter(u64),
    /// The process ends, and with a seed the power goes too; it starts again.
    Restart(Option<u64>),
}

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![9 => 0_usize..2000, 1 => 60_000_usize..70_000];
    prop_oneof![
        8 => prop::collection::vec(len, 1..12).prop_map(Step::Put),
        4 => Just(Step::Settle),
        2 => Just(Step::Roll),
        1 => Just(Step::Forget),
        1 => prop::option::of(0_u64..5000).prop_map(Step::Room),
        1 => (0_u32..3).prop_map(Step::FailSyncs),
        1 => any::<bool>().prop_map(Step::FailCuts),
        1 => prop::option::of(1_usize..3000).prop_map(Step::MostAtOnce),
        1 => (0_u64..12).prop_map(Step::PowerOffAfter),
        2 => prop::option::of(any::<u64>()).prop_map(Step::Restart),
    ]
}

/// What must be true of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// It was not there after a start, and never comes back.
    Gone,
    /// It may be there.
    Open,
    /// It outlives the process.
    Written,
    /// It outlives the machine.
    Durable,
}

struct Record {
    body: Bytes,
    segment: u64,
    ticket: Option<Ticket>,
    fate: Fate,
    /// It was told that it is not kept.
    refused: bool,
}

struct World {
    sync: Sync,
    files: SimFiles,
    log: Option<Log>,
    records: Vec<Record>,
    segment: u64,
    /// What the manifest says.
    done: u64,
    /// A sync failed since the power was last cut: what a process sees may not be on the disk.
    suspect: bool,
    /// Files could not be cut at some time since the start.
    uncut: bool,
    off: bool,
}

impl World {
    fn new(sync: Sync) -> Self {
        let files = SimFiles::default();
        let log = Some(open(&files, sync, 0).0);
        Self { sync, files, log, records: Vec::new(), segment: 1, done: 0, suspect: false, uncut: false, off: false }
    }

    async fn settle(&mut self) {
        for record in &mut self.records {
            let Some(ticket) = record.ticket.take() else { continue };
            match ticket.kept().await {
                Ok(()) => record.fate = if self.sync == Sync::Batch { Fate::Durable } else { Fate::Written },
                Err(_) => record.refused = true,
            }
        }
    }

    async fn step(&mut self, step: Step) {
        let Some(log) = &self.log else { return };
        match step {
            Step::Put(lens) => {
                for len in lens {
                    let body = record(self.records.len() as u32, len);
                    let ticket = Some(log.enqueue(body.clone()));
                    self.records.push(Record { body, segment: self.segment, ticket, fate: Fate::Open, refused: false });
                }
            }
            Step::Settle => self.settle().await,
            Step::Roll => {
                assert_eq!(log.roll(), self.segment);
                self.segment += 1;
            }
            Step::Forget => {
                self.done = self.segment - 1;
                log.forget(self.done);
            }
            Step::Room(room) => self.files.set_room(room),
            Step::FailSyncs(times) => {
                self.files.fail_syncs(times);
                self.suspect |= times > 0;
            }
            Step::FailCuts(fail) => {
                self.files.fail_cuts(fail);
                self.uncut |= fail;
            }
            Step::MostAtOnce(bytes) => self.files.most_at_once(bytes),
            Step::PowerOffAfter(calls) => {
                self.files.power_off_after(calls);
                self.off = true;
            }
            Step::Restart(seed) => self.restart(seed).await,
        }
    }

    async fn restart(&mut self, seed: Option<u64>) {
        drop(self.log.take());
        self.settle().await;
        let seed = if self.off { seed.or(Some(1)) } else { seed };
        if let Some(seed) = seed {
            self.files.crash(seed);
            self.suspect = false;
        }
        self.files.fail_syncs(0);
        self.files.fail_cuts(false);
        let (log, _, found) = open(&self.files, self.sync, self.done);
        self.log = Some(log);
        let mut found = found.into_iter().peekable();
        for (number, record) in self.records.iter_mut().enumerate() {
            let there = found.next_if(|r| r.record == record.body);
            let least = if seed.is_some() { Fate::Durable } else { Fate::Written };
            match there {
                Some(replayed) => {
                    assert_eq!(replayed.segment, record.segment, "record {number}");
                    assert!(record.segment > self.done, "record {number} was forgotten");
                    assert!(record.fate > Fate::Gone, "record {number} came back");
                    let cut_back = record.refused && seed.is_none() && !self.uncut;
                    assert!(!cut_back || record.fate > Fate::Open, "record {number} was refused and is there");
                    let durable = self.sync != Sync::Off && !self.suspect;
                    record.fate = record.fate.max(if durable { Fate::Durable } else { Fate::Written });
                }
                None => {
                    assert!(record.segment <= self.done || record.fate < least, "record {number} is lost: {:?}", record.fate);
                    record.fate = Fate::Gone;
                }
            }
        }
        assert_eq!(found.next(), None, "partly there, out of order, or twice");
        (self.off, self.uncut) = (false, false);
        // The numbers go on from the last that is there.
        let log = self.log.as_ref().expect("it is open");
        self.segment = log.roll() + 1;
        assert!(self.segment > self.done + 1);
        log.check().expect("a log that was just opened takes records");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Scenario: records come, segments end and are forgotten, the disk is full or fails, the process or the machine dies at any moment
    /// and starts again, in any order. Guarantee: what was acknowledged and is not forgotten comes back once and in order, after the
    /// end of the process always and after that of the machine with `batch`; so does what came back once; what was not acknowledged
    /// comes back whole or not at all.
    #[test]
    fn nothing_acknowledged_is_lost(
        sync in prop_oneof![3 => Just(Sync::Batch), 1 => Just(Sync::Interval), 1 => Just(Sync::Off)],
        steps in prop::collection::vec(step(), 1..60),
        last in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let mut world = World::new(sync);
            for step in steps {
                world.step(step).await;
            }
            world.step(Step::Restart(Some(last))).await;
            world.step(Step::Put(vec![1])).await;
            world.settle().await;
            let record = world.records.last().expect("a record");
            assert!(!record.refused, "it goes on");
        });
    }
}
