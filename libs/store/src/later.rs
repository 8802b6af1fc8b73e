//! The end of a wait for what a store has taken over and not yet kept.

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use std::future::Future;

/// Ends when what was [handed over](crate::SpanWriter::hand_over) is kept. It never ends when the process is stopped before: then nothing may be
/// acknowledged.
#[must_use = "nothing is kept before it has ended"]
pub struct Later(Option<BoxFuture<'static, ()>>);

impl Later {
    /// It is kept already.
    pub fn done() -> Self {
        Self(None)
    }

    /// It is kept when this ends.
    pub fn when(kept: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Some(kept.boxed()))
    }

    /// It is kept when all of these are.
    pub fn all(all: Vec<Self>) -> Self {
        let mut open: Vec<_> = all.into_iter().filter_map(|later| later.0).collect();
        match open.len() {
            0 => Self(None),
            1 => Self(open.pop()),
            _ => Self::when(join_all(open).map(|_| ())),
        }
    }

    /// True when nothing has to be waited for.
    pub fn is_done(&self) -> bool {
        self.0.is_none()
    }

    /// Waits until it is kept.
    pub async fn kept(self) {
        if let Some(kept) = self.0 {
            kept.await;
        }
    }
}

impl std::fmt::Debug for Later {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Later").field("is_done", &self.is_done()).finish()
    }
}

#[cfg(test)]
mod tests;
