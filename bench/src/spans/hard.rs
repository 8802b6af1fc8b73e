//! Spans that are hard on a store of columns: hundreds of attribute keys of which each operation has a few, deep trees, times and
//! durations of which every nanosecond is random.

use super::encode::{Attributes, bytes, fixed32, fixed64, uint};
use super::rng::{Rng, mix};
use super::{Config, Load, SERVICES, Waiting, mix_the_rest, resource, span_id, trace_id};

/// Attribute keys in all.
pub const KEYS: u64 = 200;
/// Attributes of a span.
pub const ATTRIBUTES: usize = 15;
/// Operations of a service: each has its own attributes.
const OPERATIONS: u64 = 10;
/// Keys that half of all operations have.
const COMMON: u64 = 10;
/// Spans of a trace at most.
const LARGEST: u64 = 60;

/// One operation: its name, and the keys of its spans.
struct Operation {
    name: String,
    kind: u64,
    keys: Vec<u64>,
}

fn operation(service: &str, number: u64, rng: &mut Rng) -> Operation {
    let mut keys: Vec<u64> = Vec::with_capacity(ATTRIBUTES);
    while keys.len() < ATTRIBUTES {
        let key = if keys.len() < 5 { rng.below(COMMON) } else { COMMON + rng.below(KEYS - COMMON) };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Operation { name: format!("{service}/operation-{number}"), kind: 1 + number % 5, keys }
}

/// Makes all requests of a load; [`Config::one_trace`] is not looked at.
pub fn generate_hard(config: &Config) -> Load {
    let mut rng = Rng::new(config.seed ^ 0x4a5d);
    let resources: Vec<Vec<u8>> = SERVICES.iter().map(|s| resource(s, &mut rng)).collect();
    let mut operation_of = |s: usize| (0..OPERATIONS).map(|n| operation(SERVICES[s].name, n, &mut rng)).collect::<Vec<_>>();
    let operations: Vec<_> = (0..SERVICES.len()).map(&mut operation_of).collect();
    let mut waiting: Vec<Waiting> = SERVICES.iter().map(|_| Waiting::default()).collect();
    let (mut load, window, batch) = (Load::default(), config.window.as_nanos() as u64, config.batch.max(1));
    let spread = window.saturating_sub(super::trace::LONGEST);
    while load.spans < config.spans {
        let size = (1 + rng.below(LARGEST) as usize).min(config.spans - load.spans);
        let offset = (u128::from(spread) * load.spans as u128 / config.spans as u128) as u64 + rng.below(1_000_000);
        let start = config.now.saturating_sub(window) + offset;
        let id = trace_id(config.seed, load.traces as u64);
        let mut times = vec![(start, (2e6 * 1000f64.powf(rng.unit())) as u64)];
        for n in 0..size {
            let parent = (n > 0).then(|| rng.below(n as u64) as usize);
            if let Some(parent) = parent {
                let (start, lasts) = times[parent];
                let after = rng.below(lasts.max(1));
                times.push((start + after, 1 + rng.below((lasts - after).max(1))));
            }
            let service = rng.below(SERVICES.len() as u64) as usize;
            let number = |at: usize| span_id(config.seed, (load.spans + at) as u64);
            let operation = &operations[service][rng.below(OPERATIONS) as usize];
            let body = encode(&mut rng, operation, &id, (number(n), parent.map(number)), times[n]);
            waiting[service].push(0, body, batch, &resources[service], &mut load);
        }
        load.spans += size;
        load.traces += 1;
    }
    mix_the_rest(&mut load, &resources, waiting, batch);
    load
}

fn encode(
    rng: &mut Rng,
    operation: &Operation,
    trace: &[u8; 16],
    (id, parent): ([u8; 8], Option<[u8; 8]>),
    (start, lasts): (u64, u64),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(700);
    bytes(&mut out, 1, trace);
    bytes(&mut out, 2, &id);
    if let Some(parent) = parent {
        bytes(&mut out, 4, &parent);
    }
    bytes(&mut out, 5, operation.name.as_bytes());
    uint(&mut out, 6, operation.kind);
    fixed64(&mut out, 7, start);
    fixed64(&mut out, 8, start + lasts);
    let mut a = Attributes::new(&mut out, 9);
    operation.keys.iter().for_each(|key| attribute(&mut a, rng, *key));
    fixed32(&mut out, 16, 0x101);
    out
}

/// A key has one type, and as many values as its number says: two to 20, some hundred, or tens of thousands.
fn attribute(a: &mut Attributes<'_>, rng: &mut Rng, key: u64) {
    let name = format!("app.module{}.field{key}", key / 10);
    let most = match key % 5 {
        0 | 1 => 2 + mix(key) % 19,
        2 | 3 => 100 + mix(key) % 400,
        _ => 50_000,
    };
    let value = rng.below(most);
    match key % 8 {
        0 => a.int(&name, value as i64),
        1 => a.flag(&name, value.is_multiple_of(2)),
        2 => a.double(&name, value as f64 / 4.0),
        _ => a.text(&name, &format!("{}-{value}", ["alpha", "beta", "gamma"][key as usize % 3])),
    }
}
