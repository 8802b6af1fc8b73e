//! What happens to a batch between its acceptance and its delivery. Each step returns the batch as it is when it has nothing to
//! do, which is nearly always: no step copies what it does not change.

use crate::{InFlight, Pipeline};
use skua_model::{DecodeError, SpanBatch, limit_spans, mark_times, repair, tag_resources};
use std::time::UNIX_EPOCH;

impl Pipeline {
    /// Sanitizes, shows, samples, limits and tags. What is left out is settled in `open`.
    pub(crate) fn prepare(&self, batch: SpanBatch, open: &mut InFlight) -> Result<SpanBatch, DecodeError> {
        let (options, metrics, refused) = (&self.options, &self.metrics, *batch.refused());
        let (batch, repairs) = repair(batch)?;
        let (mut batch, timestamps) = mark_times(batch, self.now())?;
        metrics.repaired("strings", repairs.strings);
        metrics.repaired("durations", repairs.durations);
        metrics.repaired("services", repairs.services);
        metrics.repaired("timestamps", timestamps);

        options.observers.iter().for_each(|observer| observer.observe(&batch));
        if let Some(downsampling) = &options.downsampling {
            open.sampled_out(downsampling.sample(&mut batch));
        }
        if let Some(limit) = options.span_limit {
            let (limited, trimmed) = limit_spans(batch, limit)?;
            metrics.repaired("trimmed", trimmed);
            batch = limited;
        }
        batch.refused().since(&refused).iter().for_each(|(why, n)| open.refused(why.as_str(), n));
        tag_resources(batch, &options.tags)
    }

    /// Nanoseconds since 1970.
    fn now(&self) -> u64 {
        let since = (self.options.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}
