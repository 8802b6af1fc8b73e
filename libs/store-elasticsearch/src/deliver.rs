//! Sends one part of a batch until each of its documents is stored or refused.

use crate::bulk::{Item, Of, Part};
use crate::bulk_answer::{self, BULK_PATH, Fate};
use crate::client::{Answer, Body};
use crate::error;
use crate::store::ElasticsearchStore;
use bytes::Bytes;
use libdeflater::{CompressionLvl, Compressor};
use reqwest::Method;
use skua_store::{ErrorKind, RefusedSpan, StoreError};
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Pauses in a row without a single document stored, after which the caller hears of it.
const PAUSES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Smaller bodies are not worth compressing.
const WORTH_COMPRESSING: usize = 1024;
/// What a server calls too long makes later requests shorter, but not than this.
const LEAST_SIZE: usize = 64 << 10;

/// What to do about a request.
enum Next {
    /// Nothing: every document has its outcome.
    Done,
    /// These documents again, after a pause.
    Again { part: Part, progress: bool, why: StoreError },
    /// The request was too long.
    Halve,
}

impl ElasticsearchStore {
    /// The spans of the part that the store refuses; all others are stored.
    ///
    /// # Errors
    /// When the store is away or busy for longer than a few pauses. Part of the documents may be stored.
    pub(crate) async fn deliver(&self, part: Part) -> Result<Vec<RefusedSpan>, StoreError> {
        let mut refused = Vec::new();
        let mut waiting = vec![part];
        let mut pauses = 0;
        while let Some(part) = waiting.pop() {
            match self.send_part(&part, &mut refused).await? {
                Next::Done => pauses = 0,
                Next::Halve => match part.halves() {
                    Some((a, b)) => {
                        self.size.fetch_min((part.body.len() / 2).max(LEAST_SIZE), Relaxed);
                        waiting.extend([b, a]);
                    }
                    None => {
                        let size = part.body.len();
                        let detail = format!("a document of {size} bytes is longer than http.max_content_length");
                        self.metrics.bulk.errors.inc();
                        part.items.iter().for_each(|i| refuse(i, "too-large", detail.clone(), &mut refused));
                    }
                },
                Next::Again { part, progress, why } => {
                    pauses = if progress { 1 } else { pauses + 1 };
                    if pauses > PAUSES {
                        let retry_after = why.retry_after.or(Some(self.pause(pauses)));
                        return Err(StoreError { retry_after, ..why });
                    }
                    tracing::debug!(error = %why, documents = part.items.len(), "failed to store documents, trying again");
                    tokio::time::sleep(self.pause(pauses).max(why.retry_after.unwrap_or_default()).min(self.longest_pause)).await;
                    waiting.push(part);
                }
            }
        }
        Ok(refused)
    }

    /// 100 ms, 200 ms, 400 ms …, and up to half as much again, so that many writers do not come back together.
    fn pause(&self, nth: u32) -> Duration {
        let base = FIRST_PAUSE * (1 << nth.saturating_sub(1).min(10));
        let random = std::hash::RandomState::new().build_hasher().finish();
        (base + base / 2 * (random % 1024) as u32 / 1024).min(self.longest_pause)
    }

    async fn send_part(&self, part: &Part, refused: &mut Vec<RefusedSpan>) -> Result<Next, StoreError> {
        const DOING: &str = "write spans";
        let (started, count) = (Instant::now(), part.items.len());
        let rows = &self.metrics.bulk;
        rows.attempts.inc_by(count as u64);
        let answer = self.client.send(Method::POST, BULK_PATH, self.body(&part.body)).await;
        let fates = answer.and_then(|answer| match answer.status {
            200..=299 => bulk_answer::read(&answer.body, count).map_err(|e| error::unreadable(DOING, &answer.peer, e)),
            413 => Err(StoreError::new(ErrorKind::Unsupported, "413")),
            _ => Err(of_whole(DOING, &answer)),
        });
        let latency = if fates.is_ok() { &rows.latency_ok } else { &rows.latency_err };
        latency.observe(started.elapsed().as_secs_f64());
        match fates {
            Ok(None) => {
                rows.inserts.inc_by(count as u64);
                part.items.iter().for_each(|i| self.remember(i));
                Ok(Next::Done)
            }
            Ok(Some(fates)) => Ok(self.settle(part, fates, refused)),
            Err(e) if e.kind == ErrorKind::Unsupported => Ok(Next::Halve),
            Err(e) => {
                rows.errors.inc_by(count as u64);
                if !e.is_retryable() {
                    return Err(e);
                }
                let same = Part { body: part.body.clone(), items: part.items.clone() };
                Ok(Next::Again { part: same, progress: false, why: e })
            }
        }
    }

    /// Sorts the documents of an answered request.
    fn settle(&self, part: &Part, fates: Vec<Fate>, refused: &mut Vec<RefusedSpan>) -> Next {
        let (mut later, mut why) = (Vec::new(), None);
        let mut stored = 0;
        for (item, fate) in part.items.iter().zip(fates) {
            match fate {
                Fate::Stored => {
                    stored += 1;
                    self.remember(item);
                }
                Fate::Refused { reason, detail } => refuse(item, reason, detail, refused),
                Fate::Later { busy, detail } => {
                    let kind = if busy { ErrorKind::Overloaded } else { ErrorKind::Unavailable };
                    why.get_or_insert_with(|| StoreError::new(kind, format!("write spans: {detail}")));
                    later.push(item.clone());
                }
            }
        }
        self.metrics.bulk.inserts.inc_by(stored);
        self.metrics.bulk.errors.inc_by(part.items.len() as u64 - stored);
        match why {
            None => Next::Done,
            Some(why) => Next::Again { progress: later.len() < part.items.len(), part: part.pick(&later), why },
        }
    }

    fn remember(&self, item: &Item) {
        if let Of::Service(key) = item.of {
            self.cache.stored(key);
        }
    }

    /// The body as it is sent.
    pub(crate) fn body(&self, plain: &Bytes) -> Body {
        let Some(pool) = self.compressors.as_ref().filter(|_| plain.len() >= WORTH_COMPRESSING) else {
            return Body::Lines(plain.clone());
        };
        let spare = pool.lock().pop();
        // Level 1; what the library calls its fastest is 0, which does not compress.
        let level = || CompressionLvl::new(1).unwrap_or_default();
        let (mut compressor, mut room) = spare.unwrap_or_else(|| (Compressor::new(level()), Vec::new()));
        let bound = compressor.gzip_compress_bound(plain.len());
        if room.len() < bound {
            room.resize(bound, 0);
        }
        // The output is a tenth of the input: copying it costs less than clearing new room for the bound.
        let body = match compressor.gzip_compress(plain, &mut room) {
            Ok(length) => Body::GzipLines(Bytes::copy_from_slice(&room[..length])),
            Err(_) => Body::Lines(plain.clone()),
        };
        pool.lock().push((compressor, room));
        body
    }
}

/// An answer that speaks for no document: 5xx other than those with a meaning of their own may pass too.
fn of_whole(doing: &str, answer: &Answer) -> StoreError {
    error::of_status(doing, &answer.peer, answer.status, &answer.body, answer.retry_after)
}

fn refuse(item: &Item, reason: &'static str, detail: String, refused: &mut Vec<RefusedSpan>) {
    match item.of {
        Of::Span(span) => refused.push(RefusedSpan { span, reason, detail }),
        Of::Service(_) => tracing::warn!(reason, detail, "failed to store a pair of service and operation"),
    }
}
