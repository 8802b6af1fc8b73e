//! Real datagrams on loopback.

use super::{Options, Packets, Queue, Receiver};
use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const OPTIONS: Options = Options {
    sockets: 1,
    socket_buffer: 0,
    max_packet: 65_000,
    queue_packets: 1_000,
    queue_bytes: 1 << 20,
    take_bytes: 64 << 10,
};

const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

fn bind(options: Options) -> Receiver {
    Receiver::bind(LOOPBACK.into(), &options).expect("a port")
}

fn client(to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind(SocketAddr::from(LOOPBACK)).expect("a port");
    socket.connect(to).expect("connected");
    socket
}

/// What the queue still gives, until it is closed.
async fn all(queue: &Queue) -> Vec<(Vec<u8>, SocketAddr)> {
    let mut all = Vec::new();
    while queue.ready().await {
        if let Some(packets) = queue.take() {
            all.extend(packets.iter().map(|(bytes, sender)| (bytes.to_vec(), sender)));
            queue.give_back(packets);
        }
    }
    all
}

/// Waits until `done`, which something else brings about soon.
async fn until(done: impl Fn() -> bool) {
    let poll = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), poll).await.expect("it happens");
}

/// Runs a receiver over what was sent already, and stops it: it reads that first.
async fn drained(receiver: Receiver) -> Vec<(Vec<u8>, SocketAddr)> {
    let (queue, stop) = (receiver.queue(), CancellationToken::new());
    stop.cancel();
    receiver.run(stop).await.expect("it reads");
    all(&queue).await
}

/// Scenario: datagrams of many lengths, some empty, some as long as allowed. Guarantee: each arrives as it was sent, in
/// order, with its sender's address.
#[tokio::test]
async fn datagrams_arrive_as_they_were_sent() {
    let receiver = bind(OPTIONS);
    let (queue, stats) = (receiver.queue(), receiver.stats());
    let client = client(receiver.local_addr());
    let sent: Vec<Vec<u8>> = (0..300).map(|i: usize| vec![i as u8; (i * 13) % 500]).chain([vec![7; 65_000]]).collect();
    let stop = CancellationToken::new();
    let running = tokio::spawn(receiver.run(stop.clone()));
    for packet in &sent {
        client.send(packet).expect("sent");
    }
    until(|| stats.queued() == sent.len() as u64).await;
    assert_eq!(stats.last_size(), 65_000);
    stop.cancel();
    running.await.expect("no panic").expect("it reads");
    let from = client.local_addr().expect("an address");
    let want: Vec<_> = sent.into_iter().map(|bytes| (bytes, from)).collect();
    assert_eq!(all(&queue).await, want);
    assert_eq!((stats.waiting(), stats.queue_full(), stats.too_long(), stats.kernel_dropped()), (0, 0, 0, 0));
}

/// Scenario: a stop while datagrams lie in the kernel. Guarantee: they are read before the sockets close.
#[tokio::test]
async fn what_came_before_the_stop_is_read() {
    let receiver = bind(OPTIONS);
    let client = client(receiver.local_addr());
    for i in 0..200_u8 {
        client.send(&[i]).expect("sent");
    }
    let got: Vec<_> = drained(receiver).await.into_iter().map(|(bytes, _)| bytes[0]).collect();
    assert_eq!(got, (0..200).collect::<Vec<_>>());
}

/// Scenario: a datagram of one byte more than allowed. Guarantee: it is not cut but dropped, and counted; the others arrive.
#[tokio::test]
async fn a_long_datagram_is_dropped_whole() {
    let receiver = bind(Options { max_packet: 10, ..OPTIONS });
    let (client, stats) = (client(receiver.local_addr()), receiver.stats());
    for packet in [&b"before"[..], b"0123456789", b"0123456789+", b"after"] {
        client.send(packet).expect("sent");
    }
    let got: Vec<_> = drained(receiver).await.into_iter().map(|(bytes, _)| bytes).collect();
    assert_eq!(got, [&b"before"[..], b"0123456789", b"after"]);
    assert_eq!((stats.too_long(), stats.queued(), stats.queue_full()), (1, 3, 0));
}

/// Scenario: nobody takes. Guarantee: the queue holds as many datagrams, and as many bytes, as it may; the rest is counted.
#[tokio::test]
async fn a_full_queue_drops_and_counts() {
    for bounds in [Options { queue_packets: 10, ..OPTIONS }, Options { queue_bytes: 109, ..OPTIONS }] {
        let receiver = bind(bounds);
        let (client, stats) = (client(receiver.local_addr()), receiver.stats());
        for i in 0..25 {
            client.send(&[i; 10]).expect("sent");
        }
        let got = drained(receiver).await;
        assert_eq!(got.len(), 10);
        assert_eq!((stats.queued(), stats.queue_full()), (10, 15));
    }
}

/// Scenario: the queue was full and is taken from. Guarantee: it takes again.
#[tokio::test]
async fn a_queue_has_room_again() {
    let receiver = bind(Options { queue_packets: 1, ..OPTIONS });
    let (queue, stats, client) = (receiver.queue(), receiver.stats(), client(receiver.local_addr()));
    let stop = CancellationToken::new();
    let _end = stop.clone().drop_guard();
    tokio::spawn(receiver.run(stop));
    for i in 0..20_u8 {
        client.send(&[i]).expect("sent");
        assert!(queue.ready().await);
        let packets = queue.take().expect("a datagram");
        assert_eq!(packets.iter().map(|(bytes, _)| bytes.to_vec()).collect::<Vec<_>>(), [[i]]);
        queue.give_back(packets);
    }
    assert_eq!((stats.queued(), stats.queue_full()), (20, 0));
}

/// Scenario: a receive buffer as small as the kernel allows, and nobody reads. Guarantee: what the kernel dropped is told
/// apart from what we dropped, before anything is read and after the socket is closed.
#[tokio::test]
async fn the_kernels_drops_are_counted() {
    let receiver = bind(Options { socket_buffer: 1, ..OPTIONS });
    let (client, stats) = (client(receiver.local_addr()), receiver.stats());
    assert_eq!(stats.kernel_dropped(), 0);
    for _ in 0..500 {
        client.send(&[1; 1_000]).expect("sent");
    }
    let dropped = stats.kernel_dropped();
    assert!(dropped > 0);
    let got = drained(receiver).await.len() as u64;
    assert_eq!((got + dropped, stats.queued(), stats.queue_full()), (500, got, 0));
    assert_eq!(stats.kernel_dropped(), dropped);
}

/// Scenario: three sockets on one port, many senders. Guarantee: every datagram arrives once, whichever socket it came to, and
/// drops of all of them are counted.
#[tokio::test]
async fn sockets_share_a_port() {
    let receiver = bind(Options { sockets: 3, ..OPTIONS });
    let to = receiver.local_addr();
    for i in 0..60_u8 {
        client(to).send(&[i]).expect("sent");
    }
    let got: BTreeSet<_> = drained(receiver).await.into_iter().map(|(bytes, _)| bytes[0]).collect();
    assert_eq!(got, (0..60).collect());

    let receiver = bind(Options { sockets: 3, socket_buffer: 1, ..OPTIONS });
    let (to, stats) = (receiver.local_addr(), receiver.stats());
    for _ in 0..60 {
        let client = client(to);
        for _ in 0..20 {
            client.send(&[1; 1_000]).expect("sent");
        }
    }
    let got = drained(receiver).await.len() as u64;
    assert_eq!(got + stats.kernel_dropped(), 1_200);
    assert!(got < 1_200);
}

/// Scenario: much waits. Guarantee: one taking takes many datagrams, but not more than was asked for, and all come once.
#[tokio::test]
async fn a_taking_is_bounded() {
    let receiver = bind(Options { take_bytes: 1_000, ..OPTIONS });
    let (queue, client) = (receiver.queue(), client(receiver.local_addr()));
    for i in 0..100_u8 {
        client.send(&[i; 90]).expect("sent");
    }
    client.send(&[100; 5_000]).expect("sent");
    let stop = CancellationToken::new();
    stop.cancel();
    receiver.run(stop).await.expect("it reads");
    let taken: Vec<Packets> = std::iter::from_fn(|| queue.take()).collect();
    let sizes: Vec<_> = taken.iter().map(|p| (p.len(), p.size())).collect();
    let mut want = vec![(11, 990); 9];
    want.extend([(1, 90), (1, 5_000)]);
    assert_eq!(sizes, want);
    let order: Vec<_> = taken.iter().flat_map(Packets::iter).map(|(bytes, _)| bytes[0]).collect();
    assert_eq!(order, (0..=100).collect::<Vec<_>>());
}

/// Scenario: an idle port, then traffic, as the clock tells it. Guarantee: the first datagram is taken at once, those that
/// follow gather for a few milliseconds, unless there are enough of them.
#[tokio::test(start_paused = true)]
async fn under_load_datagrams_gather() {
    let receiver = bind(Options { take_bytes: 100, ..OPTIONS });
    let (queue, sender) = (receiver.queue(), receiver.local_addr());
    let push = |n: usize| {
        let bytes = vec![0; n];
        queue.push(&mut std::iter::once(super::inbox::Datagram { bytes: &bytes, sender, cut: false }));
    };
    let ready_after = || async {
        let start = tokio::time::Instant::now();
        assert!(queue.ready().await);
        start.elapsed()
    };
    push(10);
    assert_eq!(ready_after().await, Duration::ZERO);
    assert!(queue.take().is_some());
    push(10);
    assert!(ready_after().await >= Duration::from_millis(5));
    assert!(queue.take().is_some());
    push(60);
    push(60);
    assert_eq!(ready_after().await, Duration::ZERO);
    while queue.take().is_some() {}
    (0..OPTIONS.queue_packets / 2).for_each(|_| push(0));
    assert_eq!(ready_after().await, Duration::ZERO, "many small ones are enough too");
}

/// Scenario: an IPv6 wildcard address, as `:6831` is. Guarantee: senders of both families are heard.
#[tokio::test]
async fn both_families_are_heard() {
    let any: SocketAddr = ([0_u16; 8], 0).into();
    let Ok(receiver) = Receiver::bind(any, &OPTIONS) else { return }; // a machine without IPv6
    let port = receiver.local_addr().port();
    client(([127, 0, 0, 1], port).into()).send(b"four").expect("sent");
    if let Ok(six) = UdpSocket::bind("[::1]:0") {
        six.send_to(b"six", ("::1", port)).expect("sent");
        six.send_to(b"six", ("::1", port)).expect("sent");
    }
    let got = drained(receiver).await;
    assert_eq!(got[0].0, b"four");
    assert_eq!(got[0].1.ip().to_canonical(), std::net::Ipv4Addr::LOCALHOST);
    assert!(got[1..].iter().all(|(bytes, from)| bytes == b"six" && from.ip() == std::net::Ipv6Addr::LOCALHOST), "{got:?}");
}
