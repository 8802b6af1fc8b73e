//! Searching a time in which a trace has one span of many.

use super::Bench;
use super::search::{tagged, text};
use super::spans::Spec;
use crate::TraceQuery;

/// Microseconds after the root at which its like begin.
const AFTER: [u64; 6] = [0, 400_000, 900_000, 2_000_000, 30_000_000, 1_200_000_000];

/// A span that is like others of its trace and came with them is found where it is, not only where they are.
pub(super) async fn narrow(b: &Bench<'_>) {
    let together = spans(b, "together");
    b.write(&together).await;
    let apart = spans(b, "apart");
    for span in &apart {
        b.deliver(std::slice::from_ref(span)).await;
    }
    (b.settle)().await;
    for (name, spans) in [("together", together), ("apart", apart)] {
        let root = &spans[0];
        let service = b.query(name);
        let operation = TraceQuery { operation: "step".to_owned(), ..service.clone() };
        let tag = tagged(service.clone(), &[("color", "red")]);
        let duration = TraceQuery { duration_min: 5_000, duration_max: 5_000, ..service.clone() };
        for query in [service, operation, tag, duration] {
            let of = |start_min, start_max| TraceQuery { start_min, start_max, ..query.clone() };
            for (i, span) in spans.iter().enumerate() {
                let at = span.start;
                for query in [of(at, at), of(at, at + 1_000), of(at - 1_000, at)] {
                    b.expect(&format!("span {i} alone, of spans {name}"), &query, &[root]).await;
                }
                if let Some(next) = spans.get(i + 1) {
                    b.expect(&format!("none after span {i}, of spans {name}"), &of(at + 1, next.start - 1), &[]).await;
                }
            }
        }
    }
}

/// Half an hour ago, so that all have ended.
fn spans(b: &Bench<'_>, service: &str) -> Vec<Spec> {
    let root = b.span(service).named("step").lasting(5_000).tag("color", text("red"));
    let root = Spec { start: root.start - 1_800_000_000, ..root };
    (1..).zip(AFTER).map(|(id, after)| Spec { span_id: id, parent: id / 2, ..root.clone() }.later(after)).collect()
}
