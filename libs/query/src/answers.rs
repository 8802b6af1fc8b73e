//! Traces on their way from a store to a client, one after the other.

use crate::QueryService;
use crate::adjust::adjust;
use crate::limits::{Pass, Room, weight};
use crate::service::ById;
use futures::StreamExt;
use futures::future::FutureExt;
use skua_model::{Trace, TraceId};
use skua_store::{ErrorKind, Found, FoundItem, SpanReader, StoreError, TraceQuery};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

/// Spans from which a trace is mended on a thread of its own, so that others go on meanwhile.
const LARGE: usize = 5000;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// Traces of which a span matches, latest first.
    Search(TraceQuery),
    /// Traces by id, in this order; each from the archive when the store does not have it.
    ByIds(Vec<TraceId>),
}

/// One thing of an answer.
#[derive(Debug)]
pub enum Item {
    /// A trace.
    Trace(Held),
    /// An id that neither the store nor the archive has.
    Missing(TraceId),
    /// Why the answer is not complete.
    Partial(String),
}

/// A trace that counts for `--query.max-memory` until it is dropped.
#[derive(Debug)]
pub struct Held {
    /// The trace; it may be taken apart.
    pub trace: Trace,
    _room: Room,
}

/// What a request is answered, as it is read. Dropping it ends the reading at once.
pub struct Answers {
    first: Option<Item>,
    rest: mpsc::Receiver<Item>,
    /// How the reading ended; `None` when that was told.
    reading: Option<AbortOnDropHandle<Result<(), StoreError>>>,
}

impl Answers {
    /// The next item; `None` at the end, and after an error.
    pub async fn next(&mut self) -> Option<Result<Item, StoreError>> {
        if let Some(item) = self.first.take() {
            return Some(Ok(item));
        }
        match self.rest.recv().await {
            Some(item) => Some(Ok(item)),
            None => self.ended().await.err().map(Err),
        }
    }

    /// An answer is whole only when the reading says so: it may have met a limit, or broken.
    async fn ended(&mut self) -> Result<(), StoreError> {
        let Some(reading) = self.reading.take() else { return Ok(()) };
        reading.await.unwrap_or_else(|e| Err(broken(e)))
    }

    /// All of it.
    async fn found(mut self) -> Result<(Found, Vec<TraceId>), StoreError> {
        let (mut found, mut missing) = (Found::default(), Vec::new());
        while let Some(item) = self.next().await {
            match item? {
                Item::Trace(held) => found.traces.push(held.trace),
                Item::Missing(id) => missing.push(id),
                Item::Partial(why) => found.partial.push(why),
            }
        }
        Ok((found, missing))
    }
}

impl QueryService {
    /// Begins to answer. `raw` leaves traces as they were stored.
    ///
    /// # Errors
    /// As [`SpanReader::find`] and [`SpanReader::trace`], when there is nothing before; `Overloaded` and `Timeout` by
    /// [`Limits`](crate::Limits). Later errors are items.
    pub async fn answer(&self, wanted: Wanted, raw: bool) -> Result<Answers, StoreError> {
        let pass = self.gate.enter().await?;
        let (out, rest) = mpsc::channel(1);
        let reading = Reading { service: self.clone(), pass, raw, left: self.gate.limits.max_result_size, out };
        let reading = Some(AbortOnDropHandle::new(tokio::spawn(reading.run(wanted))));
        let mut answers = Answers { first: None, rest, reading };
        answers.first = answers.next().await.transpose()?;
        Ok(answers)
    }

    /// Begins to answer with one trace; from the archive when the store does not have it.
    ///
    /// # Errors
    /// As [`answer`](Self::answer), and `NotFound`.
    pub async fn answer_trace(&self, id: TraceId, raw: bool) -> Result<Answers, StoreError> {
        let answers = self.answer(Wanted::ByIds(vec![id]), raw).await?;
        if let Some(Item::Missing(_)) = answers.first { Err(not_found()) } else { Ok(answers) }
    }

    /// A whole trace; from the archive when the store does not have it.
    ///
    /// # Errors
    /// As [`answer`](Self::answer), and `NotFound`.
    pub async fn trace(&self, id: TraceId, raw: bool) -> Result<Trace, StoreError> {
        let (found, _) = self.answer(Wanted::ByIds(vec![id]), raw).await?.found().await?;
        found.traces.into_iter().next().ok_or_else(not_found)
    }

    /// Traces by id: one that the store does not have is not an error.
    ///
    /// # Errors
    /// As [`answer`](Self::answer), for any of the ids.
    pub async fn by_ids(&self, ids: &[TraceId], raw: bool) -> Result<ById, StoreError> {
        let (found, missing) = self.answer(Wanted::ByIds(ids.to_vec()), raw).await?.found().await?;
        Ok(ById { traces: found.traces, missing })
    }

    /// Traces of which a span matches, latest first.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub async fn find(&self, query: &TraceQuery, raw: bool) -> Result<Found, StoreError> {
        Ok(self.answer(Wanted::Search(query.clone()), raw).await?.found().await?.0)
    }
}

pub(crate) fn not_found() -> StoreError {
    StoreError::new(ErrorKind::NotFound, "trace not found")
}

fn broken(e: JoinError) -> StoreError {
    StoreError::new(ErrorKind::Internal, "the query broke off").caused_by(e)
}

/// A request at work.
struct Reading {
    service: QueryService,
    pass: Pass,
    raw: bool,
    /// Bytes that the answer may still have; no limit when it began with 0.
    left: usize,
    out: mpsc::Sender<Item>,
}

/// Why no more is read.
enum Stop {
    /// The answer has its end: a limit is met, which was said.
    Enough,
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(e: StoreError) -> Self {
        Self::Failed(e)
    }
}

impl Reading {
    async fn run(mut self, wanted: Wanted) -> Result<(), StoreError> {
        let ended = match wanted {
            Wanted::Search(query) => self.search(query).await,
            Wanted::ByIds(ids) => self.by_ids(ids).await,
        };
        match ended {
            Ok(()) | Err(Stop::Enough) => Ok(()),
            Err(Stop::Failed(e)) => Err(e),
        }
    }

    async fn search(&mut self, query: TraceQuery) -> Result<(), Stop> {
        let spans = self.service.stores.spans.clone();
        let mut found = spans.search(query);
        while let Some(item) = self.pass.in_time(found.next().map(Option::transpose)).await? {
            match item {
                FoundItem::Partial(why) => self.send(Item::Partial(why)).await?,
                FoundItem::Trace(mut trace) => {
                    self.cut(&mut trace);
                    let (mut room, bytes) = (Room::default(), trace.spans.iter().map(weight).sum());
                    self.pass.room(&mut room, bytes).await?;
                    self.trace(trace, room, bytes).await?;
                }
            }
        }
        Ok(())
    }

    async fn by_ids(&mut self, ids: Vec<TraceId>) -> Result<(), Stop> {
        let primary = self.service.stores.spans.clone();
        let archive = self.service.stores.archive.as_ref().map(|a| a.reader.clone());
        for id in ids {
            let read = match (self.read(&*primary, id).await?, &archive) {
                (None, Some(archive)) => self.read(&**archive, id).await?,
                (read, _) => read,
            };
            match read {
                Some((trace, room, bytes)) => self.trace(trace, room, bytes).await?,
                None => self.send(Item::Missing(id)).await?,
            }
        }
        Ok(())
    }

    /// A trace with its bytes, no more of it than the limit; `None` when it is not there.
    async fn read(&mut self, store: &dyn SpanReader, id: TraceId) -> Result<Option<(Trace, Room, usize)>, StoreError> {
        let most = self.pass.limits().max_trace_size;
        let mut pieces = store.spans(id);
        let (mut trace, mut room, mut bytes) = (Trace::default(), Room::default(), 0);
        loop {
            let piece = match self.pass.in_time(pieces.next().map(Option::transpose)).await {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(e) if e.kind == ErrorKind::NotFound && trace.spans.is_empty() => return Ok(None),
                Err(e) => return Err(e),
            };
            let more = piece.iter().map(weight).sum();
            self.pass.room(&mut room, more).await?;
            bytes += more;
            if trace.spans.is_empty() {
                trace.spans = piece
            } else {
                trace.spans.extend(piece)
            }
            if most > 0 && trace.spans.len() > most {
                break;
            }
        }
        self.cut(&mut trace);
        trace.spans.sort_by_key(|s| (s.start_time, s.span_id));
        Ok(Some((trace, room, bytes)).filter(|(trace, ..)| !trace.spans.is_empty()))
    }

    /// Leaves out what is beyond the limit, and says so.
    fn cut(&self, trace: &mut Trace) {
        let most = self.pass.limits().max_trace_size;
        if most == 0 || trace.spans.len() <= most {
            return;
        }
        self.pass.met("trace-size");
        trace.spans.truncate(most);
        if let Some(first) = trace.spans.iter_mut().min_by_key(|s| (s.start_time, s.span_id)) {
            first.warnings.push(format!("the trace has more than {most} spans, the rest is left out (--query.max-trace-size)"));
        }
    }

    async fn trace(&mut self, mut trace: Trace, room: Room, bytes: usize) -> Result<(), Stop> {
        if self.pass.limits().max_result_size > 0 {
            if bytes > self.left {
                self.pass.met("result-size");
                let most = self.pass.limits().max_result_size;
                let why = format!("the answer stops at {most} bytes of spans (--query.max-result-size): narrow the search");
                self.send(Item::Partial(why)).await?;
                return Err(Stop::Enough);
            }
            self.left -= bytes;
        }
        if !self.raw {
            trace = mended(trace, self.service.max_clock_skew).await.map_err(broken)?;
        }
        self.send(Item::Trace(Held { trace, _room: room })).await
    }

    /// Waits until the client has taken what was sent before, but no longer than the query may take: one that does not read must not
    /// keep others waiting for its turn and its memory.
    async fn send(&self, item: Item) -> Result<(), Stop> {
        let sent = async { Ok(self.out.send(item).await.map_err(|_| Stop::Enough)) };
        self.pass.in_time(sent).await?
    }
}

async fn mended(mut trace: Trace, max_skew: Duration) -> Result<Trace, JoinError> {
    let large = trace.spans.len() >= LARGE;
    let mend = move || {
        adjust(&mut trace, max_skew);
        trace
    };
    if large { tokio::task::spawn_blocking(mend).await } else { Ok(mend()) }
}

#[cfg(test)]
mod tests;
