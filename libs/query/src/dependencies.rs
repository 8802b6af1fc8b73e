//! Who calls whom.

use crate::QueryService;
use skua_store::{DependencyLink, StoreError};
use std::collections::BTreeMap;

/// Calls from one service to another, by caller and called.
pub type Calls = BTreeMap<(String, String), u64>;

impl QueryService {
    /// What was counted from `start` to before `end`, in microseconds since 1970, added up over times and sources. Only links from
    /// or to `service`, unless it is empty.
    ///
    /// # Errors
    /// As [`DependencyReader::dependencies`](skua_store::DependencyReader::dependencies).
    pub async fn dependencies(&self, start: u64, end: u64, service: &str) -> Result<Calls, StoreError> {
        let mut calls = Calls::new();
        for link in self.links(start, end).await? {
            if service.is_empty() || link.parent == service || link.child == service {
                let count = calls.entry((link.parent, link.child)).or_default();
                *count = count.saturating_add(link.call_count);
            }
        }
        Ok(calls)
    }

    /// The links themselves from `start` to before `end`, in microseconds since 1970: a pair comes once for each time and source.
    ///
    /// # Errors
    /// As [`DependencyReader::dependencies`](skua_store::DependencyReader::dependencies).
    pub async fn links(&self, start: u64, end: u64) -> Result<Vec<DependencyLink>, StoreError> {
        let pass = self.gate.enter().await?;
        pass.in_time(self.stores.dependencies.dependencies(start, end)).await
    }
}
