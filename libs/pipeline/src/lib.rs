//! Between the receivers and a writer: sanitize, count, deliver. Every span that comes in is counted under what became of it.
//!
//! - [`Pipeline`]: takes batches and delivers them to a [`SpanWriter`](skua_store::SpanWriter), within bounds.
//! - [`Ledger`]: received = stored + refused + dropped + in flight, to the span.
//! - [`CollectorMetrics`]: Jaeger's own metric names for the same events.

mod ledger;
mod metrics;
mod pipeline;
#[cfg(test)]
mod tests;

pub use ledger::{InFlight, Ledger};
pub use metrics::{CollectorMetrics, Transport};
pub use pipeline::{Acknowledge, Delivered, Options, Pipeline};
