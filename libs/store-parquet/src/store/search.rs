//! Searching: heads at once, then blocks, then the traces that were found.

use super::Inner;
use crate::search::{Candidate, Newest, Question, Searched, head_matches, search_blocks};
use skua_model::TraceId;
use skua_store::{FoundItem, StoreError, TraceQuery};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Traces that are gathered together.
const TOGETHER: usize = 20;

impl Inner {
    async fn find_ids(&self, question: &Question, partial: &mut Vec<String>) -> Result<Vec<TraceId>, StoreError> {
        for _ in 0..=super::CHASES {
            partial.clear();
            let mut newest = Newest::new(question.limit);
            // Heads before the manifest: what leaves a head is in the manifest by then.
            let sealed = {
                let state = self.state.read();
                head_matches(&state.live, question, &mut newest);
                state.sealed.clone()
            };
            sealed.iter().for_each(|sealed| head_matches(&sealed.head, question, &mut newest));
            let manifest = self.manifests.current();
            let candidate =
                |b: &crate::manifest::BlockMeta| Candidate { id: b.id.clone(), start_min: b.start_min, start_max: b.start_max };
            let candidates = manifest.blocks.iter().map(candidate).collect();
            let mut unreadable = Vec::new();
            let open = async |id: &str| self.block(id).await;
            let gone = async |id: &str| self.is_gone(id).await;
            let searched = search_blocks(question, candidates, &mut newest, &mut unreadable, open, gone).await?;
            unreadable.into_iter().for_each(|e| self.unreadable(e, partial));
            if let Searched::Whole = searched {
                return Ok(newest.into_ids());
            }
        }
        Err(super::chased())
    }

    /// Sends what is found; ends when nobody listens any more.
    pub(super) async fn search_into(self: Arc<Self>, query: TraceQuery, found: mpsc::Sender<Result<FoundItem, StoreError>>) {
        if let Err(e) = self.send_found(&query, &found).await {
            let _ = found.send(Err(e)).await;
        }
    }

    async fn send_found(
        &self,
        query: &TraceQuery,
        found: &mpsc::Sender<Result<FoundItem, StoreError>>,
    ) -> Result<(), StoreError> {
        let question = Question::read(query)?;
        self.fresh().await?;
        let mut partial = Vec::new();
        let ids = self.find_ids(&question, &mut partial).await?;
        for ids in ids.chunks(TOGETHER) {
            let mut gathered = self.gather(ids, &mut partial).await?;
            for id in ids {
                // Gone when it was retired in between.
                if let Some(trace) = gathered.take(*id)
                    && found.send(Ok(FoundItem::Trace(trace))).await.is_err()
                {
                    return Ok(());
                }
            }
        }
        partial.sort_unstable();
        partial.dedup();
        for reason in partial {
            let _ = found.send(Ok(FoundItem::Partial(reason))).await;
        }
        Ok(())
    }
}
