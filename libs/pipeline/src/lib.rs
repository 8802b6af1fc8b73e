//! Between the receivers and a writer: sanitize, count, deliver. Every span that comes in is counted under what became of it.
//!
//! - [`Pipeline`]: takes batches and delivers them to a [`SpanWriter`](skua_store::SpanWriter), within bounds.
//! - [`Options`]: the bounds, and what is done to spans on their way.
//! - [`Downsampling`]: keeps a share of the traces, here and in the ingester.
//! - [`Ledger`]: received = stored + refused + dropped + sampled-out + in flight, to the span.
//! - [`CollectorMetrics`]: Jaeger's own metric names for the same events.

mod downsampling;
mod ledger;
mod metrics;
mod options;
mod pipeline;
mod prepare;
mod room;
pub mod tags;
#[cfg(test)]
mod tests;

pub use downsampling::Downsampling;
pub use ledger::{InFlight, Ledger};
pub use metrics::{CollectorMetrics, Transport};
pub use options::{Acknowledge, Observer, Options};
pub use pipeline::{Delivered, Pipeline};
