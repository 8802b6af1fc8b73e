//! Times that cannot be: they are kept as they came and pointed out to those who read the span. Jaeger does not look at them.

use crate::SpanBatch;
use crate::check::DecodeError;
use crate::rewrite::Rewrite;
use crate::view::SpanView;
use crate::warn::copy_with_warning;

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;

/// 2000-01-01 00:00 UTC in nanoseconds since 1970. No span is older than tracing (Dapper was written about 2004); what claims to
/// be has no time at all, a clock that was never set, or times in another unit than nanoseconds.
pub const EARLIEST_START: u64 = 946_684_800 * SECOND;

/// Nanoseconds that the end of a span may lie after its arrival. A span is sent after it has ended, so any is too many; a clock
/// that is set to local time instead of UTC is ahead by up to 14 hours, and from 24 on a span falls into the index of a day that
/// searches of today do not read.
pub const LATEST_END: u64 = DAY;

/// Nanoseconds that a span may last. Tracing libraries keep an open span in memory; 30 days is longer than processes live and
/// than traces are kept (Jaeger's searches look back 3 days).
pub const LONGEST: u64 = 30 * DAY;

/// What every warning begins with, so that a span is not warned about twice.
const BEGIN: &str = "Clock skew? The span ";

/// Adds a warning to each span that starts before [`EARLIEST_START`], ends later than [`LATEST_END`] after `now` (nanoseconds
/// since 1970) or lasts longer than [`LONGEST`], and returns how many there were. The times stay as they are. A span that has
/// such a warning already gets no other. No text holds the time of arrival, so that a span that is sent again is the same span
/// to a store. An ingester does not mark: what it reads again must come out as before, however late that is.
///
/// Costs two comparisons when the whole batch lies within the bounds.
///
/// # Errors
/// When the new batch is longer than an index can address.
pub fn mark_times(batch: SpanBatch, now: u64) -> Result<(SpanBatch, u32), DecodeError> {
    let latest = now.saturating_add(LATEST_END);
    let times = batch.index.times;
    if times.earliest >= EARLIEST_START && times.latest <= latest && times.latest.saturating_sub(times.earliest) <= LONGEST {
        return Ok((batch, 0));
    }
    let (mut rewrite, mut marked) = (Rewrite::new(&batch), 0);
    for (number, entry) in (0..).zip(batch.spans()) {
        let span = batch.view(entry);
        if let Some(what) = absurdity(&span, latest)
            && !span.warnings().any(|w| w.starts_with(BEGIN.as_bytes()))
        {
            marked += 1;
            rewrite.span(number, |out| {
                copy_with_warning(batch.span_body(entry), &format!("{BEGIN}{what}; its times are kept as they came"), out);
                true
            });
        }
    }
    Ok((rewrite.finish()?.unwrap_or(batch), marked))
}

fn absurdity(span: &SpanView<'_>, latest: u64) -> Option<&'static str> {
    if span.start < EARLIEST_START {
        Some("starts before the year 2000")
    } else if span.end.max(span.start) > latest {
        Some("ends more than 24 hours after it was received")
    } else if span.duration() > LONGEST {
        Some("lasts longer than 30 days")
    } else {
        None
    }
}
