//! Leases: one owner at a time.

use crate::sampling::Lease;
use std::time::Duration;

const TTL: Duration = Duration::from_secs(60);
const SECOND: u64 = 1_000_000;

struct Bench<'a> {
    case: &'a str,
    lease: &'a dyn Lease,
    /// That nobody else has.
    resource: String,
    now: u64,
}

pub(super) async fn run(case: &str, lease: &dyn Lease, now: u64) {
    let bench = Bench { case, lease, resource: format!("{case}/{now:x} a"), now };
    match case {
        "lease-one-owner" => bench.one_owner().await,
        "lease-kept" => bench.kept().await,
        "lease-expires" => bench.expires().await,
        "lease-forfeit" => bench.forfeit().await,
        "lease-race" => bench.race().await,
        _ => panic!("there is no case {case}"),
    }
}

impl Bench<'_> {
    /// `after` is in seconds.
    async fn acquire(&self, owner: &str, after: u64) -> bool {
        let acquired = self.lease.acquire(&self.resource, owner, TTL, self.now + after * SECOND).await;
        acquired.unwrap_or_else(|e| panic!("{}: failed to acquire: {e}", self.case))
    }

    async fn give_back(&self, owner: &str) -> bool {
        let given = self.lease.forfeit(&self.resource, owner).await;
        given.unwrap_or_else(|e| panic!("{}: failed to forfeit: {e}", self.case))
    }

    async fn one_owner(&self) {
        assert!(self.acquire("a", 0).await, "{}: nobody had it", self.case);
        assert!(!self.acquire("b", 1).await, "{}: a has it", self.case);
        let other = format!("{}-other", self.resource);
        let other = self.lease.acquire(&other, "b", TTL, self.now).await;
        assert!(other.unwrap_or_else(|e| panic!("{}: {e}", self.case)), "{}: another resource is free", self.case);
    }

    /// An owner that asks in time has it for ever.
    async fn kept(&self) {
        for i in 0..4 {
            assert!(self.acquire("a", i * 50).await, "{}: its own", self.case);
            assert!(!self.acquire("b", i * 50 + 49).await, "{}: kept", self.case);
        }
    }

    async fn expires(&self) {
        assert!(self.acquire("a", 0).await, "{}", self.case);
        assert!(self.acquire("b", 61).await, "{}: a did not ask again", self.case);
        assert!(!self.acquire("a", 62).await, "{}: b has it now", self.case);
    }

    async fn forfeit(&self) {
        assert!(!self.give_back("a").await, "{}: nobody has it", self.case);
        assert!(self.acquire("a", 0).await, "{}", self.case);
        assert!(!self.give_back("b").await, "{}: not b's to give", self.case);
        assert!(!self.acquire("b", 1).await, "{}: a still has it", self.case);
        assert!(self.give_back("a").await, "{}", self.case);
        assert!(self.acquire("b", 2).await, "{}: free again", self.case);
    }

    /// Many at once for a free one, and again when it has expired.
    async fn race(&self) {
        for after in [0, 61, 122] {
            let names: Vec<String> = (0..8).map(|i| format!("{i}-{after}")).collect();
            let mut asking: Vec<_> = names.iter().map(|name| Box::pin(self.acquire(name, after))).collect();
            let mut won = 0;
            std::future::poll_fn(|cx| {
                asking.retain_mut(|one| match one.as_mut().poll(cx) {
                    std::task::Poll::Ready(got) => {
                        won += u32::from(got);
                        false
                    }
                    std::task::Poll::Pending => true,
                });
                if asking.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
            assert_eq!(won, 1, "{}: one gets it", self.case);
        }
    }
}
