//! The suite itself: a store that breaks a promise does not pass.

use super::*;
use crate::StoreError;
use crate::rollups::{MemoryRollups, Rollup};
use async_trait::async_trait;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// What was saved last wins.
    IgnoresVersions,
    /// As where a write looks first and then writes.
    ChecksTooEarly,
    CreatesAgain,
    ForgetsKinds,
    CutsBodies,
    EmptyIsAbsent,
    ExclusiveStart,
    InclusiveEnd,
    Unordered,
    OneDay,
    DeletesNothing,
    DeletesTheDay,
}

/// A memory store seen through a fault.
struct Broken {
    store: MemoryRollups,
    fault: Fault,
}

impl Broken {
    fn kind(&self, kind: RollupKind) -> RollupKind {
        if self.fault == Fault::ForgetsKinds { RED } else { kind }
    }
}

#[async_trait]
impl RollupStore for Broken {
    async fn rollup(&self, kind: RollupKind, interval: u64) -> Result<Option<Rollup>, StoreError> {
        let mut read = self.store.rollup(self.kind(kind), interval).await?;
        match self.fault {
            Fault::EmptyIsAbsent => read = read.filter(|rollup| !rollup.body.is_empty()),
            Fault::CutsBodies => read.iter_mut().for_each(|rollup| rollup.body.truncate(1 << 20)),
            _ => {}
        }
        Ok(read)
    }

    async fn save_rollup(&self, kind: RollupKind, interval: u64, body: Bytes, was: Option<Version>) -> Result<bool, StoreError> {
        let now = async || self.store.rollup(self.kind(kind), interval).await.map(|read| read.map(|rollup| rollup.version));
        let mut was = was;
        match self.fault {
            Fault::IgnoresVersions => was = now().await?,
            Fault::CreatesAgain if was.is_none() => was = now().await?,
            Fault::ChecksTooEarly => {
                if now().await? != was {
                    return Ok(false);
                }
                tokio::task::yield_now().await;
                was = now().await?;
            }
            _ => {}
        }
        self.store.save_rollup(self.kind(kind), interval, body, was).await
    }

    async fn rollups(&self, kind: RollupKind, from: u64, until: u64) -> Result<Vec<(u64, Bytes)>, StoreError> {
        let (mut from, mut until) = (from, until);
        match self.fault {
            Fault::ExclusiveStart => from += 1,
            Fault::InclusiveEnd => until += 1,
            Fault::OneDay => until = until.min((from / DAY + 1) * DAY),
            _ => {}
        }
        let mut read = self.store.rollups(self.kind(kind), from, until).await?;
        if self.fault == Fault::Unordered {
            read.reverse();
        }
        Ok(read)
    }

    async fn delete_rollups(&self, before: u64) -> Result<(), StoreError> {
        match self.fault {
            Fault::DeletesNothing => Ok(()),
            Fault::DeletesTheDay => self.store.delete_rollups(before.div_ceil(DAY) * DAY).await,
            _ => self.store.delete_rollups(before).await,
        }
    }
}

/// Scenario: a store with one fault. Guarantees: the case that is about it fails and says its own name.
#[tokio::test]
async fn a_broken_store_does_not_pass() {
    for (fault, case) in [
        (Fault::IgnoresVersions, "conflict"),
        (Fault::IgnoresVersions, "nothing-yet"),
        (Fault::ChecksTooEarly, "savers"),
        (Fault::ChecksTooEarly, "creators"),
        (Fault::CreatesAgain, "create"),
        (Fault::ForgetsKinds, "kinds-apart"),
        (Fault::CutsBodies, "bodies"),
        (Fault::EmptyIsAbsent, "bodies"),
        (Fault::ExclusiveStart, "range"),
        (Fault::InclusiveEnd, "range"),
        (Fault::Unordered, "days"),
        (Fault::OneDay, "days"),
        (Fault::OneDay, "full-day"),
        (Fault::DeletesNothing, "delete"),
        (Fault::DeletesTheDay, "delete"),
    ] {
        let broken = Broken { store: MemoryRollups::new(0), fault };
        let run = tokio::spawn(async move { run_case(case, &broken).await });
        let panic = run.await.expect_err(&format!("{fault:?}: {case}")).into_panic();
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.contains(case), "{fault:?}: {message}");
    }
}
