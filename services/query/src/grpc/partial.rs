//! Answers that are not complete: the messages have no field for it, so that a header says so.

use tonic::Response;
use tonic::metadata::{Ascii, MetadataValue};

/// One for each reason.
const HEADER: &str = "skua-partial";

/// Reasons that are told, and bytes of each: clients bound what they take in headers.
const REASONS: usize = 8;
const BYTES: usize = 256;

/// The answer with why it is not complete.
pub(super) fn told<T>(mut answer: Response<T>, reasons: &[String]) -> Response<T> {
    if let Some(first) = reasons.first() {
        tracing::warn!(reason = %first, reasons = reasons.len(), "a search is answered in part");
    }
    for reason in reasons.iter().take(REASONS).filter_map(|r| header(r)) {
        answer.metadata_mut().append(HEADER, reason);
    }
    answer
}

/// What cannot stand in a header becomes `?`.
fn header(reason: &str) -> Option<MetadataValue<Ascii>> {
    let text: String = reason.chars().take(BYTES).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect();
    text.parse().ok()
}
