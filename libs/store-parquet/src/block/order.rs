//! The order of a block's rows.

use crate::head::Head;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// A trace of a head.
struct Trace {
    id: [u8; 16],
    first_start: i64,
    rows: u32,
}

/// Row numbers by (first start of the trace, trace id, start, span id); spans that are equal in all of these as they came.
pub(super) fn order(head: &Head) -> Vec<u32> {
    let state = foldhash::fast::FixedState::with_seed(7);
    let mut table = HashTable::<u32>::new();
    let (mut traces, mut trace_of) = (Vec::<Trace>::new(), Vec::with_capacity(head.len()));
    for (id, start) in head.trace_id.iter().zip(&head.start) {
        let hash = |trace: &u32| state.hash_one(traces[*trace as usize].id);
        let number =
            *table.entry(state.hash_one(id), |t| traces[*t as usize].id == *id, hash).or_insert(traces.len() as u32).get();
        match traces.get_mut(number as usize) {
            Some(trace) => {
                trace.first_start = trace.first_start.min(*start);
                trace.rows += 1;
            }
            None => traces.push(Trace { id: *id, first_start: *start, rows: 1 }),
        }
        trace_of.push(number);
    }
    let mut sorted: Vec<u32> = (0..traces.len() as u32).collect();
    sorted.sort_unstable_by_key(|n| (traces[*n as usize].first_start, traces[*n as usize].id));
    let (mut from, mut at) = (vec![0_u32; traces.len()], 0);
    for n in &sorted {
        from[*n as usize] = at;
        at += traces[*n as usize].rows;
    }
    let mut rows = vec![0; head.len()];
    for (row, trace) in (0..).zip(&trace_of) {
        let at = &mut from[*trace as usize];
        rows[*at as usize] = row;
        *at += 1;
    }
    let mut rest = &mut rows[..];
    for n in sorted {
        let (own, others) = rest.split_at_mut(traces[n as usize].rows as usize);
        own.sort_unstable_by_key(|row| (head.start[*row as usize], head.span_id[*row as usize], *row));
        rest = others;
    }
    rows
}
