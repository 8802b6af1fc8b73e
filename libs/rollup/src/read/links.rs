//! How often one service called another.

use super::{LINKS_READ, RollupReader, SOURCE, Visitor};
use crate::document::Row;
use skua_model::wire::WireError;
use skua_store::rollups::RollupKind;
use skua_store::{DependencyLink, StoreError};
use std::collections::BTreeMap;
use std::ops::Range;

/// Calls by caller and called.
#[derive(Debug, Default)]
pub(super) struct Links(BTreeMap<String, BTreeMap<String, u64>>);

impl Visitor for Links {
    fn row(&mut self, row: &mut Row<'_>, wanted: &Range<u64>) -> Result<(), WireError> {
        let mut calls = 0_u64;
        row.minutes(wanted, |minute| calls = calls.saturating_add(minute.calls()))?;
        if calls > 0 {
            self.add(row.first, row.second, calls);
        }
        Ok(())
    }
}

impl Links {
    fn add(&mut self, parent: &str, child: &str, calls: u64) {
        match self.0.get_mut(parent).and_then(|children| children.get_mut(child)) {
            Some(sum) => *sum = sum.saturating_add(calls),
            None => drop(self.0.entry(parent.to_owned()).or_default().insert(child.to_owned(), calls)),
        }
    }

    pub fn has(&self, parent: &str, child: &str) -> bool {
        self.0.get(parent).is_some_and(|children| children.contains_key(child))
    }

    pub fn into_list(self) -> Vec<DependencyLink> {
        let link = |parent: &String, child, call_count| DependencyLink {
            parent: parent.clone(),
            child,
            call_count,
            source: SOURCE.to_owned(),
        };
        let of_one = |(parent, children): (String, BTreeMap<String, u64>)| {
            children.into_iter().map(|(child, calls)| link(&parent, child, calls)).collect::<Vec<_>>()
        };
        self.0.into_iter().flat_map(of_one).collect()
    }
}

impl RollupReader {
    /// Calls of the minutes that start at `start` or later and before `end`, in microseconds since 1970; a pair of services comes once,
    /// however one calls the other, and its source is [`SOURCE`].
    ///
    /// # Errors
    /// Those of the store; internal for a document that cannot be read.
    pub async fn dependencies(&self, start: u64, end: u64) -> Result<Vec<DependencyLink>, StoreError> {
        Ok(self.links(&(start..end)).await?.into_list())
    }

    pub(super) async fn links(&self, wanted: &Range<u64>) -> Result<Links, StoreError> {
        let mut links = Links::default();
        self.visit(RollupKind::Links, wanted, LINKS_READ, &mut links).await?;
        Ok(links)
    }
}
