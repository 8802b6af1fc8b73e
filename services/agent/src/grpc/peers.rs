//! The addresses of the collectors, taken in turn. Names are looked up again and again; an address that fails rests for a while.

use super::dial::Dial;
use super::target::Target;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Channel;

/// Names are looked up this often.
const LOOK_UP_EVERY: Duration = Duration::from_secs(30);

/// After a failure they are looked up at once, but not more often than this.
const LOOK_UP_GAP: Duration = Duration::from_secs(2);

/// How long an address rests after its first failure. Each further one doubles it.
const FIRST_REST: Duration = Duration::from_secs(1);

/// How long an address rests at most.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// Looks up the addresses of a name.
pub(crate) type LookUp = Arc<dyn Fn(Target) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// The operating system's look-up.
pub(crate) fn system() -> LookUp {
    Arc::new(|target| Box::pin(async move { Ok(tokio::net::lookup_host((target.host, target.port)).await?.collect()) }))
}

/// One address of a collector.
pub(crate) struct Peer {
    pub target: Target,
    pub address: SocketAddr,
    dial: Dial,
    state: Mutex<State>,
}

struct State {
    channel: Channel,
    failures: u32,
    rests_until: Option<Instant>,
}

impl Peer {
    fn new(dial: &Dial, target: Target, address: SocketAddr) -> Option<Arc<Self>> {
        let channel = dial.channel(&target, address);
        let channel = channel.inspect_err(|e| tracing::error!(%address, error = %e, "failed to use an address")).ok()?;
        let state = Mutex::new(State { channel, failures: 0, rests_until: None });
        Some(Arc::new(Self { target, address, dial: dial.clone(), state }))
    }

    pub fn channel(&self) -> Channel {
        self.state.lock().channel.clone()
    }

    /// It answered.
    pub fn well(&self) {
        let mut state = self.state.lock();
        (state.failures, state.rests_until) = (0, None);
    }

    /// It did not.
    pub fn failed(&self) {
        let mut state = self.state.lock();
        let rest = FIRST_REST.saturating_mul(1 << state.failures.min(8)).min(LONGEST_REST);
        state.failures = state.failures.saturating_add(1);
        state.rests_until = Some(Instant::now() + rest);
    }

    /// Gives up a connection that says nothing any more: nobody else will notice that the other side is gone.
    pub fn disconnect(&self) {
        if let Ok(channel) = self.dial.channel(&self.target, self.address) {
            self.state.lock().channel = channel;
        }
    }

    fn rests(&self) -> bool {
        self.state.lock().rests_until.is_some_and(|until| until > Instant::now())
    }
}

/// All addresses of all collectors.
pub(crate) struct Peers {
    shared: Arc<Shared>,
    _end: DropGuard,
}

struct Shared {
    list: Mutex<List>,
    changed: Notify,
    look_up: Notify,
}

#[derive(Default)]
struct List {
    peers: Vec<Arc<Peer>>,
    next: usize,
}

impl Peers {
    /// Looks up the targets now and later, in the background.
    pub fn new(targets: Vec<Target>, dial: Dial, look_up: LookUp) -> Self {
        let shared = Arc::new(Shared { list: Mutex::default(), changed: Notify::new(), look_up: Notify::new() });
        let end = CancellationToken::new();
        let (state, stop) = (shared.clone(), end.clone());
        tokio::spawn(async move { stop.run_until_cancelled(state.follow(targets, dial, look_up)).await });
        Self { shared, _end: end.drop_guard() }
    }

    /// The next address that is not in `tried`; one that rests only when all others are in it. None when all are.
    pub fn next(&self, tried: &[Arc<Peer>]) -> Option<Arc<Peer>> {
        let mut list = self.shared.list.lock();
        let (count, from) = (list.peers.len(), list.next);
        let in_turn = (0..count).map(|i| (from + i) % count);
        let free: Vec<_> = in_turn.filter(|i| !tried.iter().any(|t| Arc::ptr_eq(t, &list.peers[*i]))).collect();
        let chosen = free.iter().find(|i| !list.peers[**i].rests()).or(free.first()).copied()?;
        list.next = chosen + 1;
        Some(list.peers[chosen].clone())
    }

    /// True when there is an address that is not in `tried` and does not rest.
    pub fn has_healthy(&self, tried: &[Arc<Peer>]) -> bool {
        let list = self.shared.list.lock();
        list.peers.iter().any(|p| !p.rests() && !tried.iter().any(|t| Arc::ptr_eq(t, p)))
    }

    /// Returns when there is an address.
    pub async fn some(&self) {
        loop {
            let changed = self.shared.changed.notified();
            if !self.shared.list.lock().peers.is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// An address failed: perhaps its name has others by now.
    pub fn look_up(&self) {
        self.shared.look_up.notify_one();
    }
}

impl Shared {
    async fn follow(&self, targets: Vec<Target>, dial: Dial, look_up: LookUp) {
        let mut found: Vec<Vec<SocketAddr>> = vec![Vec::new(); targets.len()];
        let named = targets.iter().any(|t| t.host.parse::<IpAddr>().is_err());
        loop {
            for (target, addresses) in targets.iter().zip(&mut found) {
                match look_up(target.clone()).await {
                    Ok(now) if !now.is_empty() => *addresses = now,
                    // Those that were found before may still be right.
                    Ok(_) => tracing::warn!(collector = %target.authority(), "the collector's name has no address"),
                    Err(e) => {
                        tracing::warn!(collector = %target.authority(), error = %e, "failed to look up a collector's address");
                    }
                }
            }
            let all = targets.iter().zip(&found).flat_map(|(t, of)| of.iter().map(move |a| (t, *a)));
            self.update(all, &dial);
            if !named {
                return;
            }
            tokio::time::sleep(LOOK_UP_GAP).await;
            let _ = tokio::time::timeout(LOOK_UP_EVERY - LOOK_UP_GAP, self.look_up.notified()).await;
        }
    }

    /// Addresses that stay keep their connections.
    fn update<'a>(&self, found: impl Iterator<Item = (&'a Target, SocketAddr)>, dial: &Dial) {
        let mut list = self.list.lock();
        let mut peers: Vec<Arc<Peer>> = Vec::new();
        for (target, address) in found {
            let same = |p: &&Arc<Peer>| p.address == address && p.target == *target;
            if peers.iter().any(|p| same(&p)) {
                continue;
            }
            let known = list.peers.iter().find(same).cloned();
            peers.extend(known.or_else(|| Peer::new(dial, target.clone(), address)));
        }
        let names = |peers: &[Arc<Peer>]| peers.iter().map(|p| p.address.to_string()).collect::<Vec<_>>();
        if names(&peers) != names(&list.peers) {
            tracing::info!(addresses = ?names(&peers), "collectors");
        }
        list.peers = peers;
        drop(list);
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::metrics::GrpcMetrics;
    use prometheus_client::registry::Registry;

    /// A name whose addresses the test sets; how often it was asked for them.
    #[derive(Default)]
    struct Name {
        ports: Mutex<Vec<u16>>,
        asked: Mutex<usize>,
    }

    impl Name {
        fn peers(self: &Arc<Self>, ports: &[u16]) -> Peers {
            self.set(ports);
            let name = self.clone();
            let look_up: LookUp = Arc::new(move |_| {
                *name.asked.lock() += 1;
                let ports = name.ports.lock().clone();
                Box::pin(async move {
                    if ports.is_empty() {
                        return Err(io::Error::other("no such name"));
                    }
                    Ok(ports.into_iter().map(|port| ([127, 0, 0, 1], port).into()).collect())
                })
            });
            let status = GrpcMetrics::new(&mut Registry::default()).status;
            Peers::new(Target::list("dns:///collector:1").expect("a target"), Dial { tls: None, status }, look_up)
        }

        fn set(&self, ports: &[u16]) {
            *self.ports.lock() = ports.to_vec();
        }
    }

    fn turn(peers: &Peers, n: usize) -> Vec<u16> {
        (0..n).map(|_| peers.next(&[]).expect("a peer").address.port()).collect()
    }

    /// Guarantee: addresses are taken in turn; one that failed rests, and is taken again later, or when there is no other.
    #[tokio::test(start_paused = true)]
    async fn an_address_that_fails_rests() {
        let peers = Arc::<Name>::default().peers(&[1, 2, 3]);
        peers.some().await;
        assert_eq!(turn(&peers, 4), [1, 2, 3, 1]);
        let second = peers.next(&[]).expect("a peer");
        second.failed();
        assert_eq!(turn(&peers, 4), [3, 1, 3, 1]);
        let others = [peers.next(&[]).expect("3"), peers.next(&[]).expect("1")];
        assert!(!peers.has_healthy(&others));
        assert_eq!(peers.next(&others).expect("the one that rests").address.port(), 2);
        assert!(peers.next(&[others[0].clone(), others[1].clone(), second.clone()]).is_none());
        tokio::time::advance(FIRST_REST).await;
        assert_eq!(turn(&peers, 3), [3, 1, 2]);
        second.failed();
        tokio::time::advance(FIRST_REST).await;
        assert_eq!(turn(&peers, 2), [3, 1], "the second rest is longer");
        second.well();
        assert_eq!(turn(&peers, 3), [2, 3, 1]);
    }

    /// Scenario: a name gets other addresses, then none. Guarantee: it is looked up every 30 seconds, and soon after a failure;
    /// addresses that stay keep their connections, and the last that were known are kept.
    #[tokio::test(start_paused = true)]
    async fn names_are_looked_up_again() {
        let name = Arc::<Name>::default();
        let peers = name.peers(&[1, 2]);
        peers.some().await;
        let kept = peers.next(&[peers.next(&[]).expect("1")]).expect("2");
        name.set(&[2, 3]);
        tokio::time::sleep(LOOK_UP_EVERY + Duration::from_millis(1)).await;
        assert_eq!(*name.asked.lock(), 2);
        let now: Vec<_> = (0..2).map(|_| peers.next(&[]).expect("a peer")).collect();
        assert!(now.iter().any(|p| Arc::ptr_eq(p, &kept)));
        assert!(now.iter().any(|p| p.address.port() == 3));
        name.set(&[4]);
        peers.look_up();
        tokio::time::sleep(LOOK_UP_GAP + Duration::from_millis(1)).await;
        assert_eq!((*name.asked.lock(), turn(&peers, 2)), (3, vec![4, 4]));
        name.set(&[]);
        tokio::time::sleep(LOOK_UP_EVERY * 3).await;
        assert_eq!(turn(&peers, 1), [4]);
    }
}
