//! Clocks of different hosts.

use crate::go;
use skua_model::{Process, RefType, Reference, Span, SpanId, Trace, Value};
use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// Shifts a span that does not lie inside its parent, when it may come from another host: its clock then differs.
///
/// Two spans are of one host when their processes have the same tag `ip`; without one, every span is its own host. A child as
/// long as its parent or shorter is centred in it, a longer one only moved to not start before it; its descendants on the same
/// host move along, logs too. A span that only follows its parent (FOLLOWS_FROM) need not lie inside it, and is not shifted for it
/// (Jaeger does that). A shift above `max` is not made but told of in a warning; with `max` 0 none is made.
pub fn clock_skew(trace: &mut Trace, max: Duration) {
    let timed = |(span, host): (&Span, Option<usize>)| Timed {
        id: span.span_id,
        parent: span.parent_id(),
        follows: span.parent_id().is_some() && !span.references.iter().any(|r| is_parent(span, r)),
        host,
        start: span.start_time,
        duration: span.duration,
    };
    let spans: Vec<Timed> = trace.spans.iter().zip(hosts(trace)).map(timed).collect();
    correct(spans, max, |i, finding| {
        let span = &mut trace.spans[i];
        if let Finding::Moved(delta) = finding {
            span.start_time = span.start_time.saturating_add_signed(delta);
            for log in &mut span.logs {
                log.timestamp = log.timestamp.saturating_add_signed(delta);
            }
        }
        span.warnings.push(match finding {
            Finding::NoParent(p) => format!("invalid parent span IDs={p}; skipping clock skew adjustment"),
            other => other.text(max),
        });
    });
}

/// The parent that waits for the span.
fn is_parent(span: &Span, r: &Reference) -> bool {
    r.kind == RefType::ChildOf && r.trace_id == span.trace_id && Some(r.span_id) == span.parent_id()
}

/// A span as its clock is looked at.
pub(crate) struct Timed {
    pub id: SpanId,
    pub parent: Option<SpanId>,
    /// The parent does not wait for it: FOLLOWS_FROM.
    pub follows: bool,
    /// Spans of one host have one clock; `None` when it is not known.
    pub host: Option<usize>,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds.
    pub duration: u64,
}

/// What is to be told of a span. Times are in nanoseconds.
#[derive(Clone, Copy)]
pub(crate) enum Finding {
    /// One with its id came before; nothing else is found of it.
    Duplicate,
    /// Its parent is not in the trace.
    NoParent(SpanId),
    /// It has to be moved by so much.
    Moved(i64),
    /// It would be moved by so much, which is too far.
    TooFar(i64),
}

impl Finding {
    /// The warning.
    pub fn text(self, max: Duration) -> String {
        match self {
            Self::Duplicate => "duplicate span IDs; skipping clock skew adjustment".to_owned(),
            Self::NoParent(p) => format!("parent span ID={p} is not in the trace; skipping clock skew adjustment"),
            Self::Moved(delta) => format!("This span's timestamps were adjusted by {}", go::duration_text(delta)),
            Self::TooFar(delta) => {
                let delta = go::duration_text(delta);
                if max.is_zero() {
                    return format!("clock skew adjustment disabled; not applying calculated delta of {delta}");
                }
                let max = go::duration_text(i64::try_from(max.as_nanos()).unwrap_or(i64::MAX));
                format!("max clock skew adjustment delta of {max} exceeded; not applying calculated delta of {delta}")
            }
        }
    }
}

/// [`clock_skew`] of spans of any form; the finding is of the span with that number.
pub(crate) fn correct(mut spans: Vec<Timed>, max: Duration, mut found: impl FnMut(usize, Finding)) {
    let mut nodes: HashMap<SpanId, usize> = HashMap::with_capacity(spans.len());
    let mut is_node = vec![true; spans.len()];
    for (i, span) in spans.iter().enumerate() {
        let first = *nodes.entry(span.id).or_insert(i);
        if first != i {
            found(i, Finding::Duplicate);
            is_node[i] = false;
        }
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut to_visit: Vec<(usize, Option<usize>, i64)> = Vec::new();
    for i in (0..spans.len()).filter(|i| is_node[*i]) {
        match spans[i].parent.map(|p| (p, nodes.get(&p))) {
            None => to_visit.push((i, None, 0)),
            Some((_, Some(p))) => children[*p].push(i),
            Some((p, None)) => {
                found(i, Finding::NoParent(p));
                to_visit.push((i, None, 0));
            }
        }
    }
    // Parents before children. Spans whose parents form a ring are never reached, and stay as they are.
    while let Some((i, parent, inherited)) = to_visit.pop() {
        let delta = match parent {
            Some(p) if spans[i].host.is_none() || spans[i].host != spans[p].host => match spans[i].follows {
                true => 0,
                false => skew(&spans[i], &spans[p]),
            },
            _ => inherited,
        };
        if delta != 0 && u128::from(delta.unsigned_abs()) > max.as_nanos() {
            found(i, Finding::TooFar(delta));
        } else if delta != 0 {
            spans[i].start = spans[i].start.saturating_add_signed(delta);
            found(i, Finding::Moved(delta));
        }
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
fn skew(child: &Timed, parent: &Timed) -> i64 {
    let end = |span: &Timed| span.start.saturating_add(span.duration);
    let between = |from: u64, to: u64| (i128::from(to) - i128::from(from)).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    if child.duration > parent.duration {
        return between(child.start, parent.start).max(0);
    }
    if child.start >= parent.start && end(child) <= end(parent) {
        return 0;
    }
    let latency = (parent.duration - child.duration) / 2;
    between(child.start, parent.start.saturating_add(latency))
}
