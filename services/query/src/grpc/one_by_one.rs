//! What a search found, as a stream.

use futures::stream::{self, Stream, StreamExt};
use skua_model::Trace;

/// Traces, each when what was made of the ones before it is on its way: adjusting them all does not hold up the first, and is not done
/// for a client that is gone.
pub(super) fn one_by_one(traces: Vec<Trace>) -> impl Stream<Item = Trace> + Send {
    stream::iter(traces).then(async |trace| {
        tokio::task::yield_now().await;
        trace
    })
}
