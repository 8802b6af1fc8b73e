//! Mends traces for display, as Jaeger 1.76 does and in its order, in time linear in the number of spans (sorting aside).
//!
//! Unlike Jaeger's, the result is always the same: spans are in order of start and then of span id. (Jaeger removes duplicates
//! through a map, so that its spans come in another order with every request.)

mod clock_skew;
mod dedupe;
mod references;
mod shared_ids;
mod tags;

use skua_model::{Process, Span, Trace};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub use clock_skew::clock_skew;
pub(crate) use clock_skew::{Finding, Timed, correct};
pub use dedupe::dedupe;
pub(crate) use dedupe::hash_process;
pub use references::{parent_first, valid_references};
pub use shared_ids::unique_span_ids;
pub(crate) use tags::{IP, LIBRARY};
pub use tags::{ip_tags, library_tags, sort_tags};

/// All adjusters. `max_skew` is the most that [`clock_skew`] may shift a span; zero switches shifting off.
pub fn adjust(trace: &mut Trace, max_skew: Duration) {
    sort_spans(trace);
    unique_span_ids(trace);
    sort_tags(trace);
    dedupe(trace);
    clock_skew(trace, max_skew);
    ip_tags(trace);
    library_tags(trace);
    valid_references(trace);
    parent_first(trace);
    sort_spans(trace);
}

/// By start, then by span id; what is equal in both, by content, so that the order does not depend on the store.
pub fn sort_spans(trace: &mut Trace) {
    trace.spans.sort_by(|a, b| {
        let cheap = |s: &Span| (s.start_time, s.span_id);
        let names = |s: &Span| (s.kind().to_owned(), s.process.service_name.clone(), s.operation_name.clone(), s.parent_id());
        let all = |s: &Span| format!("{s:?}");
        cheap(a).cmp(&cheap(b)).then_with(|| names(a).cmp(&names(b))).then_with(|| all(a).cmp(&all(b)))
    });
}

/// Changes each process once, however many spans share it.
fn for_each_process(trace: &mut Trace, mut change: impl FnMut(&mut Process)) {
    let mut changed: HashMap<*const Process, (Arc<Process>, Arc<Process>)> = HashMap::new();
    for span in &mut trace.spans {
        let (_, new) = changed.entry(Arc::as_ptr(&span.process)).or_insert_with(|| {
            // The old one is kept so that its address is not given to another meanwhile.
            let mut new = Process::clone(&span.process);
            change(&mut new);
            (Arc::clone(&span.process), Arc::new(new))
        });
        span.process = Arc::clone(new);
    }
}

#[cfg(test)]
mod tests;
