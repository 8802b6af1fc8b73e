use super::Later;
use crate::fan_out::FanOut;
use crate::{SpanWriter, StoreError, Written};
use async_trait::async_trait;
use futures::FutureExt as _;
use parking_lot::Mutex;
use skua_model::SpanBatch;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Keeps what it takes over when the test says so.
#[derive(Default)]
struct Slow(Mutex<Vec<oneshot::Sender<()>>>);

#[async_trait]
impl SpanWriter for Slow {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        Ok(Written::all(batch))
    }

    async fn hand_over(&self, batch: &SpanBatch) -> Result<(Written, Later), StoreError> {
        let (keep, kept) = oneshot::channel::<()>();
        self.0.lock().push(keep);
        Ok((Written::all(batch), Later::when(async move { kept.await.expect("not stopped") })))
    }
}

impl Slow {
    fn keep(&self) {
        self.0.lock().drain(..).for_each(|keep| keep.send(()).expect("somebody waits"));
    }
}

/// A writer that does not override it.
struct Plain;

#[async_trait]
impl SpanWriter for Plain {
    async fn write(&self, batch: &SpanBatch) -> Result<Written, StoreError> {
        Ok(Written::all(batch))
    }
}

#[test]
fn a_writer_that_answers_when_it_keeps_has_nothing_left_to_wait_for() {
    let (_, later) = Plain.hand_over(&SpanBatch::default()).now_or_never().expect("at once").expect("taken");
    assert!(later.is_done());
}

/// Scenario: three writers, two of which gather. Guarantee: kept by all is what is waited for.
#[test]
fn several_writers_have_kept_it_when_the_last_has() {
    let (first, second) = (Arc::new(Slow::default()), Arc::new(Slow::default()));
    let all = FanOut::of(vec![first.clone(), Arc::new(Plain), second.clone()]);
    let (_, later) = all.hand_over(&SpanBatch::default()).now_or_never().expect("at once").expect("taken");
    assert!(!later.is_done());
    let mut kept = Box::pin(later.kept());
    first.keep();
    assert!(kept.as_mut().now_or_never().is_none());
    second.keep();
    assert!(kept.as_mut().now_or_never().is_some());
}

#[test]
fn nothing_to_wait_for_is_done() {
    assert!(Later::all(Vec::new()).is_done());
    assert!(Later::all(vec![Later::done(), Later::done()]).is_done());
    assert!(!Later::all(vec![Later::done(), Later::when(async {})]).is_done());
}
