//! Counting against a recount of the same spans, with everything that can happen on the way.

pub(crate) mod oracle;
pub(crate) mod world;

use super::window::EPOCHS;
use crate::document::Connection;
use oracle::{Told, oracle};
use proptest::prelude::*;
use world::{WINDOW_MS, World};

/// A span of a made-up trace; ids are small numbers.
pub(crate) fn told(trace: u8, id: u8, parent: u8, service: u8, kind: u8) -> Told {
    Told { trace, id, parent, service, kind, name: 0, status: 0, start_ms: 0, duration_us: 10, peer: None }
}

/// The links of spans that come in this order, each as a record of its own, 10 ms apart.
fn links(spans: &[Told]) -> Vec<(String, String, Connection, u64)> {
    let mut world = World::new(1);
    for span in spans {
        world.send(0, 10, vec![span.clone()]);
    }
    world.run_to_the_end();
    assert_eq!(world.links(), oracle(spans).1);
    let links = world.links().into_iter();
    links
        .map(|(key, minutes)| (key.parent, key.child, key.connection, minutes.values().map(|f| f.latency.count()).sum()))
        .collect()
}

fn link(parent: &str, child: &str, connection: Connection, calls: u64) -> (String, String, Connection, u64) {
    (parent.to_owned(), child.to_owned(), connection, calls)
}

/// Every order of some spans.
fn orders(spans: &[Told]) -> Vec<Vec<Told>> {
    if spans.len() <= 1 {
        return vec![spans.to_vec()];
    }
    let mut all = Vec::new();
    for first in 0..spans.len() {
        let mut rest = spans.to_vec();
        let one = rest.remove(first);
        all.extend(orders(&rest).into_iter().map(|mut order| {
            order.insert(0, one.clone());
            order
        }));
    }
    all
}

/// Scenario: server in s0, client in s0, server in s1, work in s1, in every order. Guarantee: s0 calls s1 once.
#[test]
fn a_client_calls_a_server() {
    let spans = [told(1, 1, 0, 0, 2), told(1, 2, 1, 0, 3), told(1, 3, 2, 1, 2), told(1, 4, 3, 1, 1)];
    for order in orders(&spans) {
        assert_eq!(links(&order), [link("s0", "s1", Connection::Call, 1)]);
    }
}

/// Scenario: as Zipkin's clients and servers, which share an id, and a third service below, in every order. Guarantee: s0 calls s1, and
/// s1, not s0, calls s2.
#[test]
fn a_client_and_a_server_share_an_id() {
    let spans = [told(1, 1, 0, 0, 2), told(1, 2, 1, 0, 3), told(1, 2, 1, 1, 2), told(1, 3, 2, 2, 1)];
    for order in orders(&spans) {
        assert_eq!(links(&order), [link("s0", "s1", Connection::Call, 1), link("s1", "s2", Connection::Call, 1)]);
    }
    let roots = [told(1, 2, 0, 0, 3), told(1, 2, 0, 1, 2)];
    for order in orders(&roots) {
        assert_eq!(links(&order), [link("s0", "s1", Connection::Call, 1)]);
    }
}

/// Scenario: services whose spans have no kind, a server below a server. Guarantee: they are linked all the same.
#[test]
fn kinds_are_not_needed() {
    for order in orders(&[told(1, 1, 0, 0, 0), told(1, 2, 1, 1, 0), told(1, 3, 2, 1, 2), told(1, 4, 3, 2, 2)]) {
        assert_eq!(links(&order), [link("s0", "s1", Connection::Call, 1), link("s1", "s2", Connection::Call, 1)]);
    }
}

/// Scenario: a producer and a consumer; a client of a database; a client of a peer that answers, and of one that does not.
/// Guarantee: each is a link of its sort, the peer that answers by the name of its own.
#[test]
fn queues_databases_and_peers() {
    let peer = |id, service, kind, peer| Told { peer, ..told(1, id, 1, service, kind) };
    let spans = [
        told(1, 1, 0, 0, 2),
        peer(2, 0, 4, Some("queue")),
        told(1, 3, 2, 1, 5),
        peer(4, 0, 3, Some("database")),
        peer(5, 0, 3, Some("peer")),
        peer(6, 0, 3, Some("peer")),
        Told { parent: 6, ..told(1, 7, 6, 2, 2) },
    ];
    let expected = [
        link("s0", "10.0.0.1", Connection::Peer, 1),
        link("s0", "postgresql/orders", Connection::Database, 1),
        link("s0", "s1", Connection::Messaging, 1),
        link("s0", "s2", Connection::Call, 1),
    ];
    assert_eq!(links(&spans), expected);
    assert_eq!(links(&spans.iter().rev().cloned().collect::<Vec<_>>()), expected);
}

/// Scenario: a child whose parent comes after the window. Guarantee: no link is guessed, and the span is counted as unjoined.
#[test]
fn what_falls_out_of_the_window_is_not_guessed() {
    let mut world = World::new(1);
    world.send(0, 0, vec![told(1, 2, 1, 1, 2)]);
    world.send(0, 2 * WINDOW_MS, vec![told(1, 1, 0, 0, 3)]);
    world.run_to_the_end();
    assert!(world.links().is_empty());
    let text = world.metrics();
    assert!(text.contains("skua_rollup_unjoined_spans_total{outcome=\"expired\"} 1"), "{text}");
    assert!(text.contains("skua_rollup_spans_total{outcome=\"counted\"} 2"), "{text}");
}

/// Scenario: a client that a server answered long before is read again after a restart, without the server. Guarantee: it is not taken for the
/// client of a database: what was settled before the last save is settled, though its document was not touched since.
#[test]
fn what_was_settled_stays_settled() {
    let spans = [told(1, 3, 2, 1, 2), Told { peer: Some("database"), ..told(1, 2, 0, 0, 3) }];
    let mut world = World::new(1);
    world.send(0, 0, vec![spans[0].clone()]);
    world.send(0, WINDOW_MS, vec![spans[1].clone()]);
    world.read_all();
    world.save(usize::MAX);
    world.send(0, 2 * WINDOW_MS, vec![told(2, 1, 0, 0, 1)]);
    world.read_all();
    world.die(usize::MAX);
    world.run_to_the_end();
    assert_eq!(world.links(), oracle(&spans).1);
}

/// Scenario: more spans than the memory for the window holds. Guarantee: it stays within its bound, calls are missing and not made up, and
/// those that are missing are told of.
#[test]
fn the_window_is_bounded() {
    let mut world = World::new(1);
    world.window_bytes = 40_000;
    for n in 0..100_u8 {
        let spans = (0..100).map(|i| Told { trace: n, ..told(n, i + 1, 200, 1, 2) }).collect();
        world.send(0, WINDOW_MS / 50, spans);
    }
    world.read_all();
    assert!(world.window_bytes_now() <= 40_000 + WINDOW_MS as usize);
    world.run_to_the_end();
    let text = world.metrics();
    assert!(!text.contains("outcome=\"evicted\"} 0"), "{text}");
    assert!(text.contains("skua_rollup_spans_total{outcome=\"counted\"} 10000"), "{text}");
}

/// Scenario: more operations and peers than may be told apart. Guarantee: the rest is counted together, nothing is lost.
#[test]
fn series_are_bounded() {
    let mut world = World::new(1);
    world.max_series = 10;
    let spans: Vec<Told> = (0..200).map(|i| Told { name: i, ..told(i, 1, 0, i % 50, 2) }).collect();
    for span in &spans {
        world.send(0, 1, vec![span.clone()]);
    }
    world.run_to_the_end();
    let red = world.red();
    assert!(red.len() <= 2 * 10 + 2, "{}", red.len());
    assert_eq!(red.values().flat_map(|m| m.values()).map(|f| f.latency.count()).sum::<u64>(), 200);
    assert!(red.keys().any(|k| k.operation == "other-operations") && red.keys().any(|k| k.service == "other-services"));
}

/// A span by its ids: what it is follows from them, so that no two of one id differ, but for a client and a server that share it.
pub(crate) fn of_ids(trace: u8, id: u8, half: bool) -> Told {
    let mut dice = (u64::from(trace) << 8 | u64::from(id)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut roll = |sides: u64| {
        dice ^= dice >> 29;
        dice = dice.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (dice >> 33) % sides
    };
    let (shared, mut parent, service) = (roll(3) == 0, roll(9) as u8, roll(4) as u8);
    let kind = if shared { if half { 3 } else { 2 } } else { roll(6) as u8 };
    // A server whose client shares its id names that client's parent, which is no client.
    if parent == id || (shared && parent > 0 && (parent > id || matches!(of_ids(trace, parent, true).kind, 3 | 4))) {
        parent = 0;
    }
    Told {
        trace,
        id,
        parent,
        service: if shared && half { (service + 1) % 4 } else { service },
        kind,
        name: roll(3) as u8,
        status: roll(3) as u8,
        start_ms: roll(400_000),
        duration_us: roll(3_000_000),
        peer: [None, None, Some("queue"), Some("database"), Some("peer")][roll(5) as usize],
    }
}

pub(crate) fn any_told() -> impl Strategy<Value = Told> {
    (0..12_u8, 1..9_u8, any::<bool>()).prop_map(|(trace, id, half)| of_ids(trace, id, half))
}

#[derive(Debug, Clone)]
enum Step {
    Send {
        partition: usize,
        later_ms: u64,
        spans: Vec<Told>,
    },
    Again {
        of: prop::sample::Index,
    },
    /// Time passes; from then on there are other traces.
    Later {
        ms: u64,
    },
    Read,
    Save,
    /// The process ends in the middle of a save, after so many documents.
    Die {
        saves: usize,
    },
    /// A partition goes to another process; the old one may save once more afterwards.
    Move {
        partition: usize,
        zombie: bool,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    let spans = prop::collection::vec(any_told(), 1..6);
    prop_oneof![
        8 => (0..2_usize, 0..300_u64, spans).prop_map(|(partition, later_ms, spans)| Step::Send { partition, later_ms, spans }),
        2 => any::<prop::sample::Index>().prop_map(|of| Step::Again { of }),
        1 => (0..2 * WINDOW_MS).prop_map(|ms| Step::Later { ms }),
        3 => Just(Step::Read),
        2 => Just(Step::Save),
        1 => (0..4_usize).prop_map(|saves| Step::Die { saves }),
        1 => (0..2_usize, any::<bool>()).prop_map(|(partition, zombie)| Step::Move { partition, zombie }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Scenario: spans of two partitions in any order, some twice, with saves, deaths in the middle of a save, and partitions that move to a
    /// process that begins while the old one still saves; the last dies while it saves what left the window. Guarantee: in the end every span and call is counted once, as a recount of the
    /// spans has it.
    #[test]
    fn everything_is_counted_once(steps in prop::collection::vec(any_step(), 1..80), last in 0..4_usize) {
        let mut world = World::new(2);
        let mut sent: Vec<(usize, Told)> = Vec::new();
        // Traces of their own, and from when on, in each partition.
        let (mut generation, mut since) = (0_u8, [0; 2]);
        for step in steps {
            match step {
                Step::Send { partition, later_ms, spans } => {
                    // All spans of a trace are of one partition, and come within the window.
                    let spans: Vec<Told> = spans.into_iter().filter(|s| usize::from(s.trace) % 2 == partition).collect();
                    let from = since[partition].max(world.elapsed(partition));
                    if from + later_ms - since[partition] >= WINDOW_MS - WINDOW_MS / EPOCHS {
                        continue;
                    }
                    let later_ms = from + later_ms - world.elapsed(partition);
                    let spans: Vec<Told> = spans.into_iter().map(|s| Told { trace: s.trace + 12 * generation, ..s }).collect();
                    sent.extend(spans.iter().map(|s| (partition, s.clone())));
                    world.send(partition, later_ms, spans);
                }
                Step::Again { of } if !sent.is_empty() => {
                    let (partition, span) = of.get(&sent).clone();
                    if span.trace / 12 == generation {
                        world.send(partition, 0, vec![span]);
                    }
                }
                Step::Again { .. } => {}
                Step::Later { ms } if generation < 20 => {
                    generation += 1;
                    since = [0, 1].map(|p| world.elapsed(p).max(since[p]) + ms);
                }
                Step::Later { .. } => {}
                Step::Read => world.read_some(),
                Step::Save => world.save(usize::MAX),
                Step::Die { saves } => world.die(saves),
                Step::Move { partition, zombie } => world.move_on(partition, zombie),
            }
        }
        world.read_all();
        world.pass_window();
        world.die(last);
        world.run_to_the_end();
        let all: Vec<Told> = sent.into_iter().map(|(_, span)| span).collect();
        let (red, links) = oracle(&all);
        prop_assert_eq!(world.red(), red);
        prop_assert_eq!(world.links(), links);
        prop_assert_eq!(world.jaeger(), world.links_of_jaeger());
    }
}
