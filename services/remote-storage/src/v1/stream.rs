//! `StreamingSpanWriterPlugin`: spans as they come.
//!
//! A client of Jaeger keeps its streams open for as long as it runs and never looks at the answer, so spans are stored while the stream
//! goes on. The answer says that all spans of the stream are stored.

use super::writer::batch;
use crate::answer::status;
use crate::intake::{Intake, Kept};
use crate::service::{Call, Methods};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming, body::Body};

/// Bytes of spans that are stored together.
const TOGETHER: usize = 1 << 20;

/// A stream that pauses for so long has its spans stored meanwhile.
const PAUSE: Duration = Duration::from_millis(10);

/// The service.
#[derive(Clone)]
pub(crate) struct StreamWriter {
    pub intake: Arc<Intake>,
    /// Ends streams that would never end by themselves.
    pub stop: CancellationToken,
}

impl Methods for StreamWriter {
    const SERVICE: &'static str = "jaeger.storage.v1.StreamingSpanWriterPlugin";

    async fn call(self, method: &str, call: Call) -> http::Response<Body> {
        match method {
            "WriteSpanStream" => call.messages(|spans| self.clone().write(spans)).await,
            _ => call.unknown(),
        }
    }
}

/// What the next thing is that happens to a stream.
enum Next {
    Span(Bytes),
    End,
    Pause,
}

impl StreamWriter {
    /// A stream of `WriteSpanRequest` → `WriteSpanResponse`, which has no fields.
    ///
    /// A span that is refused is counted, and the others are stored all the same; the client is told at the end.
    async fn write(self, mut spans: Streaming<Bytes>) -> Result<Bytes, Status> {
        let mut stream = Stream { intake: self.intake, waiting: Vec::new(), bytes: 0, room: None, kept: Kept::default() };
        loop {
            match stream.next(&mut spans, &self.stop).await {
                Ok(Next::Span(request)) => stream.add(request).await?,
                Ok(Next::Pause) => stream.store().await?,
                Ok(Next::End) => break,
                Err(e) => {
                    stream.store().await?;
                    return Err(e);
                }
            }
        }
        stream.store().await?;
        if stream.kept.refused > 0 {
            let Kept { refused, why } = stream.kept;
            let spans = if refused == 1 { "1 span of the stream is" } else { &format!("{refused} spans of the stream are") };
            return Err(Status::invalid_argument(format!("{spans} refused, the others are stored: {why}")));
        }
        Ok(Bytes::new())
    }
}

/// A stream, and its spans that are not stored yet.
struct Stream {
    intake: Arc<Intake>,
    waiting: Vec<Bytes>,
    bytes: usize,
    room: Option<OwnedSemaphorePermit>,
    kept: Kept,
}

impl Stream {
    async fn next(&self, spans: &mut Streaming<Bytes>, stop: &CancellationToken) -> Result<Next, Status> {
        let pause = async {
            match self.waiting.is_empty() {
                true => stop.cancelled().await,
                false => tokio::time::sleep(PAUSE).await,
            }
        };
        tokio::select! {
            biased;
            message = spans.message() => Ok(message?.map_or(Next::End, Next::Span)),
            () = pause => match self.waiting.is_empty() {
                true => Err(Status::unavailable("the remote storage is being stopped; send the spans again")),
                false => Ok(Next::Pause),
            },
        }
    }

    async fn add(&mut self, request: Bytes) -> Result<(), Status> {
        let room = match self.intake.try_room(request.len()) {
            Some(room) => room,
            None => {
                self.store().await?; // so that nothing is held while waiting
                self.intake.room(request.len()).await.map_err(|e| status(&e))?
            }
        };
        match &mut self.room {
            Some(all) => all.merge(room),
            none => *none = Some(room),
        }
        self.bytes += request.len();
        self.waiting.push(request);
        if self.bytes >= TOGETHER { self.store().await } else { Ok(()) }
    }

    /// Stores what waits. A message that cannot be read costs itself.
    async fn store(&mut self) -> Result<(), Status> {
        let (waiting, room) = (std::mem::take(&mut self.waiting), self.room.take());
        self.bytes = 0;
        let Some(room) = room else { return Ok(()) };
        let all = match batch(&waiting) {
            Ok(all) => all,
            Err(_) => {
                let sound = self.readable(waiting);
                batch(&sound).map_err(|e| Status::internal(format!("failed to read spans that were read before: {e}")))?
            }
        };
        let kept = self.intake.store(all, room).await.map_err(|e| status(&e))?;
        self.refuse(kept.refused, kept.why);
        Ok(())
    }

    /// Messages that can be read; the others are counted.
    fn readable(&mut self, mut messages: Vec<Bytes>) -> Vec<Bytes> {
        messages.retain(|message| {
            let read = batch(std::slice::from_ref(message));
            if let Err(e) = &read {
                self.intake.undecodable();
                self.refuse(1, format!("failed to read WriteSpanRequest: {e}"));
            }
            read.is_ok()
        });
        messages
    }

    /// For the answer. The first reason is as good as all of them.
    fn refuse(&mut self, spans: u64, why: String) {
        self.kept.refused += spans;
        if self.kept.why.is_empty() {
            self.kept.why = why;
        }
    }
}
