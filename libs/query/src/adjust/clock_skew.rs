//! Clocks of different hosts.

use crate::go;
use skua_model::{Process, Span, SpanId, Trace, Value};
use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// Shifts a span that does not lie inside its parent, when it may come from another host: its clock then differs.
///
/// Two spans are of one host when their processes have the same tag `ip`; without one, every span is its own host. A child as
/// long as its parent or shorter is centred in it, a longer one only moved to not start before it; its descendants on the same
/// host move along, logs too. A shift above `max` is not made but told of in a warning; with `max` 0 none is made.
pub fn clock_skew(trace: &mut Trace, max: Duration) {
    let hosts = hosts(trace);
    let spans = &mut trace.spans;
    let mut nodes: HashMap<SpanId, usize> = HashMap::with_capacity(spans.len());
    let mut is_node = vec![true; spans.len()];
    for (i, span) in spans.iter_mut().enumerate() {
        let first = *nodes.entry(span.span_id).or_insert(i);
        if first != i {
            span.warnings.push("duplicate span IDs; skipping clock skew adjustment".to_owned());
            is_node[i] = false;
        }
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut to_visit = Vec::new();
    for i in (0..spans.len()).filter(|i| is_node[*i]) {
        let parent = spans[i].parent_id();
        match parent.map(|p| (p, nodes.get(&p))) {
            None => to_visit.push((i, None, 0)),
            Some((_, Some(p))) => children[*p].push(i),
            Some((p, None)) => {
                spans[i].warnings.push(format!("invalid parent span IDs={p}; skipping clock skew adjustment"));
                to_visit.push((i, None, 0));
            }
        }
    }
    // Parents before children. Spans whose parents form a ring are never reached, and stay as they are.
    while let Some((i, parent, inherited)) = to_visit.pop() {
        let delta = match parent {
            Some(p) if hosts[i].is_none() || hosts[i] != hosts[p] => skew(&spans[i], &spans[p]),
            _ => inherited,
        };
        shift(&mut spans[i], delta, max);
        to_visit.extend(children[i].iter().map(|child| (*child, Some(i), delta)));
    }
}

/// A number for each span's host, `None` when it is not known.
fn hosts(trace: &Trace) -> Vec<Option<usize>> {
    let mut by_process: HashMap<*const Process, Option<usize>> = HashMap::new();
    let mut by_key: HashMap<String, usize> = HashMap::new();
    let number = |p: &Arc<Process>| {
        *by_process.entry(Arc::as_ptr(p)).or_insert_with(|| {
            let key = host_key(p).filter(|k| !k.is_empty())?;
            let next = by_key.len();
            Some(*by_key.entry(key).or_insert(next))
        })
    };
    trace.spans.iter().map(|s| &s.process).map(number).collect()
}

fn host_key(process: &Process) -> Option<String> {
    match &process.tags.iter().find(|t| t.key == "ip")?.value {
        Value::String(s) => Some(s.clone()),
        Value::Int64(v) => Some(Ipv4Addr::from_bits(*v as u32).to_string()),
        Value::Binary(b) => {
            let v4 = <[u8; 4]>::try_from(&b[..]).map(Ipv4Addr::from).ok();
            let v6 = <[u8; 16]>::try_from(&b[..]).map(Ipv6Addr::from).ok();
            v4.or(v6.and_then(|ip| ip.to_ipv4_mapped())).map(|ip| ip.to_string()).or(v6.map(|ip| ip.to_string()))
        }
        _ => None,
    }
}

/// Nanoseconds to add to the child.
fn skew(child: &Span, parent: &Span) -> i64 {
    let (child_end, parent_end) =
        (child.start_time.saturating_add(child.duration), parent.start_time.saturating_add(parent.duration));
    let between = |from: u64, to: u64| (i128::from(to) - i128::from(from)).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    if child.duration > parent.duration {
        return between(child.start_time, parent.start_time).max(0);
    }
    if child.start_time >= parent.start_time && child_end <= parent_end {
        return 0;
    }
    let latency = (parent.duration - child.duration) / 2;
    between(child.start_time, parent.start_time.saturating_add(latency))
}

fn shift(span: &mut Span, delta: i64, max: Duration) {
    if delta == 0 {
        return;
    }
    let text = go::duration_text(delta);
    if u128::from(delta.unsigned_abs()) > max.as_nanos() {
        span.warnings.push(if max.is_zero() {
            format!("clock skew adjustment disabled; not applying calculated delta of {text}")
        } else {
            let max = go::duration_text(i64::try_from(max.as_nanos()).unwrap_or(i64::MAX));
            format!("max clock skew adjustment delta of {max} exceeded; not applying calculated delta of {text}")
        });
        return;
    }
    span.start_time = span.start_time.saturating_add_signed(delta);
    span.warnings.push(format!("This span's timestamps were adjusted by {text}"));
    for log in &mut span.logs {
        log.timestamp = log.timestamp.saturating_add_signed(delta);
    }
}
