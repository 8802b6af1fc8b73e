//! Sends datagrams at a given rate, or as fast as the kernel takes them. Nobody answers: what arrived is to be read from the
//! receiver's own counters.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// How to send.
#[derive(Debug, Clone)]
pub struct Plan {
    /// `host:port`
    pub target: String,
    /// Sockets that take turns, as many clients would: a receiver with several sockets on one port tells senders apart.
    pub sockets: usize,
    /// Spans a second; 0 is as fast as the kernel takes them.
    pub rate: u64,
    /// How often all datagrams are sent.
    pub rounds: u64,
}

/// What was sent.
#[derive(Debug, Default)]
pub struct Sent {
    /// Datagrams that the kernel took.
    pub datagrams: u64,
    /// Spans in them.
    pub spans: u64,
    /// Spans in datagrams that the kernel did not take.
    pub failed: u64,
    /// Why it did not, and how often.
    pub reasons: BTreeMap<String, u64>,
    /// From the first datagram to the last.
    pub wall: Duration,
    /// How long after its time a datagram was sent, at worst; zero without a rate.
    pub late: Duration,
}

/// Sends every datagram `rounds` times; blocks until it is done.
///
/// # Errors
/// When no socket can be opened.
pub fn send(plan: &Plan, datagrams: &[Bytes], sizes: &[u32]) -> io::Result<Sent> {
    let local = if plan.target.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    let open = |_| {
        let socket = UdpSocket::bind(local)?;
        socket.connect(&plan.target)?;
        Ok(socket)
    };
    let sockets = (0..plan.sockets.max(1)).map(open).collect::<io::Result<Vec<_>>>()?;
    let (mut sent, started) = (Sent::default(), Instant::now());
    let mut turns = sockets.iter().cycle();
    for _ in 0..plan.rounds.max(1) {
        for (datagram, size) in datagrams.iter().zip(sizes) {
            wait(plan.rate, started, &mut sent);
            let Some(socket) = turns.next() else { continue };
            match socket.send(datagram) {
                Ok(_) => {
                    sent.datagrams += 1;
                    sent.spans += u64::from(*size);
                }
                Err(e) => {
                    sent.failed += u64::from(*size);
                    *sent.reasons.entry(e.to_string()).or_default() += 1;
                }
            }
        }
    }
    sent.wall = started.elapsed();
    Ok(sent)
}

/// Waits until the next datagram is due: the pace is kept over the whole time, a late one does not shift those after it.
fn wait(rate: u64, started: Instant, sent: &mut Sent) {
    if rate == 0 {
        return;
    }
    let due = due(rate, sent.spans + sent.failed);
    let now = started.elapsed();
    match due.checked_sub(now) {
        Some(early) => std::thread::sleep(early),
        None => sent.late = sent.late.max(now - due),
    }
}

/// When a datagram is due after so many spans.
fn due(rate: u64, spans: u64) -> Duration {
    Duration::from_secs_f64(spans as f64 / rate as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A receiver of its own, its socket large enough for all of it.
    fn receiver() -> (UdpSocket, String) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        (socket, address)
    }

    #[test]
    fn every_datagram_is_sent_in_each_round_and_counted() {
        let (socket, target) = receiver();
        let datagrams: Vec<Bytes> = (1..=5).map(|n| vec![n; 10 * usize::from(n)].into()).collect();
        let plan = Plan { target, sockets: 2, rate: 0, rounds: 2 };
        let sent = send(&plan, &datagrams, &[1, 2, 3, 4, 5]).unwrap();
        assert_eq!((sent.datagrams, sent.spans, sent.failed), (10, 30, 0), "{sent:?}");
        let mut buffer = [0; 100];
        let got: Vec<usize> = (0..10).map(|_| socket.recv(&mut buffer).unwrap()).collect();
        assert_eq!(got.iter().sum::<usize>(), 2 * 150);
    }

    #[test]
    fn a_rate_says_when_each_datagram_is_due() {
        assert_eq!(due(50_000, 0), Duration::ZERO);
        assert_eq!(due(50_000, 30), Duration::from_micros(600));
        assert_eq!(due(50_000, 1_000_000), Duration::from_secs(20));
    }

    #[test]
    fn what_the_kernel_does_not_take_is_counted() {
        let (_socket, target) = receiver();
        let too_long = Bytes::from(vec![0; 70_000]);
        let plan = Plan { target, sockets: 1, rate: 1_000_000, rounds: 1 };
        let sent = send(&plan, &[too_long, Bytes::from_static(b"x")], &[7, 1]).unwrap();
        assert_eq!((sent.datagrams, sent.spans, sent.failed), (1, 1, 7));
        assert_eq!(sent.reasons.values().sum::<u64>(), 1);
    }
}
