//! Who calls whom, by all who have counted.

use super::{DAY, RollupReader, SOURCE};
use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use skua_store::{DependencyLink, DependencyReader, StoreError};
use std::ops::Range;
use std::sync::Arc;

/// A window on more days is asked for in one go.
const MOST_DAYS: u64 = 32;

/// Days that are asked for at a time.
const AT_A_TIME: usize = 4;

/// Joins what we counted with what others did, a Spark job for example, so that nothing is counted twice:
///
/// - rows in the storage's own table that have our [`SOURCE`] are left out, as they repeat the documents;
/// - a link that others tell of on a day (UTC) on which our documents have it too, at whichever minute, is left out;
/// - all else is added.
///
/// Of a window on more than 32 days nobody says which day a link of the others is of: then it is left out when our documents
/// have it anywhere in the window.
pub struct WithRollups {
    /// What we counted.
    pub rollups: RollupReader,
    /// The storage's own table.
    pub others: Arc<dyn DependencyReader>,
}

#[async_trait]
impl DependencyReader for WithRollups {
    async fn dependencies(&self, start: u64, end: u64) -> Result<Vec<DependencyLink>, StoreError> {
        if end <= start {
            return Ok(Vec::new());
        }
        let (first, last) = (start / DAY, (end - 1) / DAY);
        if last - first >= MOST_DAYS {
            return self.part(start..end, start..end).await;
        }
        let days = (first..=last).map(|day| {
            let whole = day * DAY..(day + 1).saturating_mul(DAY);
            self.part(start.max(whole.start)..end.min(whole.end), whole)
        });
        let parts: Vec<_> = stream::iter(days).buffered(AT_A_TIME).try_collect().await?;
        Ok(parts.concat())
    }
}

impl WithRollups {
    /// All links of a part; those that our documents of `whole` have count as told by us.
    async fn part(&self, part: Range<u64>, whole: Range<u64>) -> Result<Vec<DependencyLink>, StoreError> {
        let (ours, others) = (self.rollups.links(&part), self.others.dependencies(part.start, part.end));
        let (ours, mut others) = futures::try_join!(ours, others)?;
        others.retain(|link| link.source != SOURCE);
        if others.is_empty() || part == whole {
            others.retain(|link| !ours.has(&link.parent, &link.child));
        } else {
            let known = self.rollups.links(&whole).await?;
            others.retain(|link| !known.has(&link.parent, &link.child));
        }
        let mut all = ours.into_list();
        all.append(&mut others);
        Ok(all)
    }
}
