//! Answers as streams of messages: each trace is sent when it is read, and the next one is read meanwhile.
//!
//! Messages have no field that says why an answer is not complete: the trailer [`PARTIAL`] does, with the status OK.

use super::status::status;
use futures::stream::{self, BoxStream, StreamExt};
use skua_model::Trace;
use skua_query::{Answers, Held, Item};
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Code, Status};

/// Once for each reason.
pub(super) const PARTIAL: &str = "skua-partial";

/// Reasons that are told, and bytes of each: clients bound what they take in metadata.
const REASONS: usize = 8;
const BYTES: usize = 256;

/// Messages made of each trace, one after the other.
struct Streamed<F, I> {
    answers: Answers,
    of: F,
    /// Of the trace that is being sent, which is held until all of them are made.
    messages: Option<(I, Held)>,
    reasons: Vec<String>,
    ended: bool,
}

/// The messages of an answer that has begun. `prefix` is for the texts of errors.
pub(super) fn messages<M, I>(
    answers: Answers,
    prefix: &'static str,
    of: impl FnMut(Trace) -> I + Send + 'static,
) -> BoxStream<'static, Result<M, Status>>
where
    M: Send + 'static,
    I: Iterator<Item = M> + Send + 'static,
{
    let streamed = Streamed { answers, of, messages: None, reasons: Vec::new(), ended: false };
    let next = async move |mut streamed: Streamed<_, _>| {
        let message = streamed.next(prefix).await?;
        Some((message, streamed))
    };
    stream::unfold(streamed, next).boxed()
}

impl<M, I: Iterator<Item = M>, F: FnMut(Trace) -> I> Streamed<F, I> {
    async fn next(&mut self, prefix: &str) -> Option<Result<M, Status>> {
        loop {
            if let Some(message) = self.messages.as_mut().and_then(|(messages, _)| messages.next()) {
                return Some(Ok(message));
            }
            self.messages = None;
            if self.ended {
                return None;
            }
            match self.answers.next().await {
                Some(Ok(Item::Trace(mut held))) => {
                    let trace = std::mem::take(&mut held.trace);
                    self.messages = Some(((self.of)(trace), held));
                }
                Some(Ok(Item::Partial(why))) => self.reasons.push(why),
                Some(Ok(Item::Missing(_))) => {}
                Some(Err(e)) => {
                    self.ended = true;
                    return Some(Err(status(prefix, e)));
                }
                None => {
                    self.ended = true;
                    return told(&self.reasons).map(Err);
                }
            }
        }
    }
}

/// The end of an answer that is not complete.
fn told(reasons: &[String]) -> Option<Status> {
    let first = reasons.first()?;
    tracing::warn!(reason = %first, reasons = reasons.len(), "a search is answered in part");
    let mut trailers = MetadataMap::new();
    for reason in reasons.iter().take(REASONS).filter_map(|r| text(r)) {
        trailers.append(PARTIAL, reason);
    }
    Some(Status::with_metadata(Code::Ok, "", trailers))
}

/// What cannot stand in metadata becomes `?`.
fn text(reason: &str) -> Option<MetadataValue<Ascii>> {
    let text: String = reason.chars().take(BYTES).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect();
    text.parse().ok()
}
