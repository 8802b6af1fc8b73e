//! Calls to collectors: to one after the other, until one answers.

use super::peers::{Peer, Peers};
use bytes::Bytes;
use http::uri::PathAndQuery;
use skua_codec::otlp::retry_info;
use skua_proto::Raw;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Code, Status};

/// Time for one call. A collector that answers when Kafka has the spans may take seconds.
const CALL: Duration = Duration::from_secs(15);

/// The pause before the first repetition; before each further one it is four times as long. With the default of three
/// repetitions a batch waits for a collector for five seconds: a restart.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause, whatever a collector asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A call that no collector answered as it should.
#[derive(Debug)]
pub(crate) struct Failure {
    /// gRPC's, [`Code::Unavailable`] when there was no answer.
    pub code: Code,
    /// The collector's, or what is wrong with the way to it.
    pub message: String,
    retry_after: Option<Duration>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// There was no connection, so the collector cannot have seen it.
    NotSent,
    /// The connection broke.
    Broken,
    /// No answer in time.
    TimedOut,
    /// The collector's answer.
    Answered,
}

impl Failure {
    fn unreachable(message: String, kind: Kind) -> Self {
        Self { code: Code::Unavailable, message, retry_after: None, kind }
    }

    fn of(status: &Status, peer: &Peer) -> Self {
        let (mut source, mut not_sent) = (status.source(), false);
        if source.is_none() {
            let retry_after = retry_info(status.details()).ok().flatten().map(|t| t.min(LONGEST_PAUSE));
            let message = status.message().to_owned();
            return Self { code: status.code(), message, retry_after, kind: Kind::Answered };
        }
        // What tonic says of a connection: the innermost error is the telling one.
        let mut cause = status.message().to_owned();
        while let Some(e) = source {
            not_sent |= e.is::<tonic::ConnectError>();
            cause = e.to_string();
            source = e.source();
        }
        let kind = if not_sent { Kind::NotSent } else { Kind::Broken };
        Self::unreachable(format!("connection error: {} ({}): {cause}", peer.target.authority(), peer.address), kind)
    }

    fn may_be_repeated(&self) -> bool {
        self.kind != Kind::Answered || matches!(self.code, Code::Unavailable | Code::ResourceExhausted)
    }

    /// The address is better left alone for a while.
    fn is_the_peers(&self) -> bool {
        self.kind != Kind::Answered || self.code == Code::Unavailable
    }
}

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience {
    /// It is repeated this often, with pauses.
    Repeat(u32),
    /// Each healthy address is tried once: somebody waits.
    EachOnce,
}

/// Calls a method of whichever collector is the next.
pub(crate) async fn call(peers: &Peers, method: &'static str, message: Bytes, patience: Patience) -> Result<Bytes, Failure> {
    let (mut tried, mut repeated) = (Vec::new(), 0);
    loop {
        let failure = match next(peers, &tried).await {
            Ok(peer) => match call_one(&peer, method, message.clone()).await {
                Ok(answer) => {
                    peer.well();
                    return Ok(answer);
                }
                Err(failure) => {
                    note(peers, &peer, &failure);
                    tried.push(peer);
                    failure
                }
            },
            Err(failure) => failure,
        };
        let another = peers.has_healthy(&tried);
        let most = match patience {
            _ if failure.kind == Kind::NotSent && another => continue, // it cost nothing
            Patience::EachOnce if failure.may_be_repeated() && another => continue,
            Patience::EachOnce => return Err(failure),
            Patience::Repeat(most) => most,
        };
        if !failure.may_be_repeated() || repeated >= most {
            return Err(failure);
        }
        repeated += 1;
        if !another {
            tokio::time::sleep(failure.retry_after.unwrap_or_else(|| pause(repeated))).await;
            tried.clear();
        }
    }
}

/// The next address; when none is known yet, it is waited for as long as for a connection that does not come about.
async fn next(peers: &Peers, tried: &[Arc<Peer>]) -> Result<Arc<Peer>, Failure> {
    if let Some(peer) = peers.next(tried).or_else(|| peers.next(&[])) {
        return Ok(peer);
    }
    let _ = tokio::time::timeout(FIRST_PAUSE, peers.some()).await;
    peers.next(&[]).ok_or_else(|| Failure::unreachable("no address of a collector is known".to_owned(), Kind::NotSent))
}

fn note(peers: &Peers, peer: &Peer, failure: &Failure) {
    tracing::debug!(address = %peer.address, ?failure, "a call to a collector failed");
    if failure.is_the_peers() {
        peer.failed();
        peers.look_up();
    }
    if failure.kind == Kind::TimedOut {
        peer.disconnect();
    }
}

/// Exponential, and not the same for all batches that wait.
fn pause(repetition: u32) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(4_u32.saturating_pow(repetition - 1)).min(LONGEST_PAUSE);
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    pause + pause * (clock.subsec_nanos() % 100) / 400
}

async fn call_one(peer: &Peer, method: &'static str, message: Bytes) -> Result<Bytes, Failure> {
    let mut grpc = tonic::client::Grpc::new(peer.channel());
    let answer = async {
        grpc.ready().await.map_err(|e| Failure::of(&Status::from_error(Box::new(e)), peer))?;
        let answer = grpc.unary(tonic::Request::new(message), PathAndQuery::from_static(method), Raw::LONG_CALLS).await;
        answer.map(tonic::Response::into_inner).map_err(|status| Failure::of(&status, peer))
    };
    tokio::time::timeout(CALL, answer).await.unwrap_or_else(|_| {
        let message = format!("{} ({}) did not answer within {CALL:?}", peer.target.authority(), peer.address);
        Err(Failure::unreachable(message, Kind::TimedOut))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow() {
        let longest = |n| pause(n).mul_f64(0.8);
        assert!(pause(1) >= FIRST_PAUSE && longest(1) <= FIRST_PAUSE);
        assert!(pause(3) >= 16 * FIRST_PAUSE && pause(u32::MAX) >= LONGEST_PAUSE && longest(u32::MAX) <= LONGEST_PAUSE);
    }
}
