//! The rows of the indices, and what they promise.
//!
//! An index row is a hint: it names a trace and a time. A search reads the trace before it answers, so a row too many costs time
//! and a row too few costs a result. What is promised of the rows of what Skua writes, for each span and each partition that it
//! belongs to:
//!
//! > There is a row of the span's trace whose `start_time` is the span's own, or up to [`CELL`] later.
//!
//! So the spans of one trace in one partition share a row when they start within two seconds, and Jaeger, which writes a row for each of
//! them, keeps the same promise: one search serves both.
//!
//! | partition | holds | read by |
//! | --- | --- | --- |
//! | `service_name_index (service, bucket)` | the spans of a service | Jaeger and Skua |
//! | `service_operation_index (service, operation)` | … of an operation | Jaeger and Skua |
//! | `tag_index (service, key, value)` | … with a tag, or a field of a log | Jaeger and Skua |
//! | `duration_index (service, operation or "", hour)` | …, longest first; a row has the longest duration of the spans that share it | Jaeger and Skua |
//! | `tag_index (service, "$$skua.service", hour)` | the spans of a service, by the hour of the row | Skua |
//! | `tag_index (service, "$$skua.operation", hour + " " + operation)` | … of an operation | Skua |
//!
//! The last two are there because the first two have no trace id in their key: of two traces whose spans start in one microsecond
//! the second replaces the first. In `tag_index` each has its row. Each of these rows is written beside one of Jaeger's table with the
//! same time: where that table has no row in an hour, there is nothing of ours in that hour either.

/// Microseconds: how much later than a span the row may be that stands for it.
pub(crate) const CELL: u64 = 2_000_000;

/// Microseconds.
pub(crate) const HOUR: u64 = 3_600_000_000;

/// Buckets of `service_name_index`.
pub(crate) const BUCKETS: i32 = 10;

/// The tag key of our own partitions of a service.
pub(crate) const SERVICE_KEY: &[u8] = b"$$skua.service";

/// The tag key of our own partitions of an operation.
pub(crate) const OPERATION_KEY: &[u8] = b"$$skua.operation";

/// The hour that a time, in microseconds, lies in: the number of hours since 1970.
pub(crate) fn hour(start: u64) -> u64 {
    start / HOUR
}

/// The tag value of our own partitions; `operation` is empty for those of a service.
pub(crate) fn put_hour_value(out: &mut Vec<u8>, hour: u64, operation: Option<&[u8]>) {
    skua_model::json::put_int(out, hour);
    if let Some(operation) = operation {
        out.push(b' ');
        out.extend_from_slice(operation);
    }
}

/// The bucket of `duration_index`, in milliseconds since 1970: the start of a span in nanoseconds, rounded to the nearest hour, half up.
pub(crate) fn duration_bucket(start_ns: u64) -> i64 {
    const HOUR_NS: u64 = 1000 * HOUR;
    (start_ns.saturating_add(HOUR_NS / 2) / HOUR_NS * (HOUR / 1000)) as i64
}

/// The longest parts of a partition key that Cassandra takes together: 65,535 bytes with three for each part, and less for caution.
pub(crate) const LONGEST_KEY: usize = 65_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// From Jaeger 1.76: Go's `Round`.
    #[test]
    fn buckets_are_rounded_half_up() {
        let ms = 3_600_000;
        let minute = 60_000_000_000;
        assert_eq!(duration_bucket(30 * minute - 1), 0);
        assert_eq!(duration_bucket(30 * minute), ms);
        assert_eq!(duration_bucket(90 * minute - 1), ms);
        assert_eq!(duration_bucket(480_000 * 60 * minute), 480_000 * ms);
    }
}
