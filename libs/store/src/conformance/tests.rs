//! The suite itself: a store that breaks a promise does not pass.

use super::*;
use crate::memory::{MemoryConfig, MemoryStore};
use crate::{ErrorKind, Operation, StoreError};
use async_trait::async_trait;
use std::sync::Arc;

#[derive(Debug, Clone, Copy)]
enum Fault {
    LosesASpan,
    ForgetsLimit,
    OldestFirst,
    IgnoresTags,
    IgnoresOperation,
    ExclusiveStart,
    ExclusiveDuration,
    UnsortedServices,
    NeverNotFound,
    DropsReferences,
    TruncatesAtPage,
    DropsWarnings,
    /// As where the limit is met before tags are looked at.
    LimitBeforeTags,
    /// As where an index has a row for each microsecond.
    OneTraceAMicrosecond,
    FirstOfTraceOnly,
    ForgetsLongTags,
    NeedsAService,
}

/// What the memory store can.
pub(crate) const MEMORY: Abilities =
    Abilities { warnings: true, long_values: true, any_service: true, patterns: false, repeated_keys: true };

/// A memory store seen through a fault.
struct Broken {
    store: MemoryStore,
    fault: Fault,
}

impl Broken {
    fn spoil(&self, mut trace: Trace) -> Trace {
        match self.fault {
            Fault::LosesASpan => drop(trace.spans.pop()),
            Fault::DropsReferences => trace.spans.iter_mut().for_each(|s| s.references.truncate(1)),
            Fault::TruncatesAtPage => trace.spans.truncate(10_000),
            Fault::DropsWarnings => trace.spans.iter_mut().for_each(|s| s.warnings.clear()),
            _ => {}
        }
        trace
    }
}

#[async_trait]
impl SpanReader for Broken {
    async fn services(&self) -> Result<Vec<String>, StoreError> {
        let mut services = self.store.services().await?;
        if matches!(self.fault, Fault::UnsortedServices) {
            services.reverse();
        }
        Ok(services)
    }

    async fn operations(&self, service: &str, kind: &str) -> Result<Vec<Operation>, StoreError> {
        self.store.operations(service, kind).await
    }

    async fn trace(&self, id: TraceId) -> Result<Trace, StoreError> {
        match self.store.trace(id).await {
            Err(e) if e.kind == ErrorKind::NotFound && matches!(self.fault, Fault::NeverNotFound) => Ok(Trace::default()),
            trace => trace.map(|t| self.spoil(t)),
        }
    }

    fn searches_any_service(&self) -> bool {
        self.store.searches_any_service()
    }

    async fn find(&self, query: &TraceQuery) -> Result<Found, StoreError> {
        let mut query = query.clone();
        match self.fault {
            Fault::ForgetsLimit => query.limit = 0,
            Fault::IgnoresTags => query.tags.clear(),
            Fault::IgnoresOperation => query.operation.clear(),
            Fault::ExclusiveStart => query.start_min += 1,
            Fault::ExclusiveDuration if query.duration_min > 0 => query.duration_min += 1,
            Fault::ForgetsLongTags if query.tags.iter().any(|(_, v)| v.len() > 256) => return Ok(Found::default()),
            Fault::NeedsAService if query.service.is_empty() => return Ok(Found::default()),
            _ => {}
        }
        let mut found = self.store.find(&query).await?;
        match self.fault {
            Fault::LimitBeforeTags => {
                let all = self.store.find(&TraceQuery { tags: Vec::new(), ..query.clone() }).await?;
                found.traces.retain(|t| all.traces.iter().any(|a| a.spans[0].trace_id == t.spans[0].trace_id));
            }
            Fault::OneTraceAMicrosecond => found.traces.dedup_by_key(|t| t.spans[0].start_time),
            Fault::FirstOfTraceOnly => found.traces.retain(|t| t.spans[0].start_time / 1000 >= query.start_min),
            _ => {}
        }
        if matches!(self.fault, Fault::OldestFirst) {
            found.traces.reverse();
        }
        found.traces = found.traces.into_iter().map(|t| self.spoil(t)).collect();
        Ok(found)
    }
}

/// Scenario: a store with one fault. Guarantees: the case that is about it fails and says its own name.
#[tokio::test]
async fn a_broken_store_does_not_pass() {
    for (fault, case) in [
        (Fault::LosesASpan, "trace-by-id"),
        (Fault::ForgetsLimit, "search-limit"),
        (Fault::OldestFirst, "search-service"),
        (Fault::IgnoresTags, "search-tags"),
        (Fault::IgnoresOperation, "search-operation"),
        (Fault::ExclusiveStart, "search-time"),
        (Fault::ExclusiveDuration, "search-duration"),
        (Fault::UnsortedServices, "services"),
        (Fault::NeverNotFound, "not-found"),
        (Fault::DropsReferences, "references"),
        (Fault::TruncatesAtPage, "one-microsecond"),
        (Fault::DropsWarnings, "warnings"),
        (Fault::LimitBeforeTags, "search-limit-tags"),
        (Fault::LimitBeforeTags, "search-limit-duration"),
        (Fault::ForgetsLimit, "search-many-traces"),
        (Fault::OneTraceAMicrosecond, "search-one-microsecond"),
        (Fault::FirstOfTraceOnly, "search-narrow"),
        (Fault::ForgetsLongTags, "search-unindexed"),
        (Fault::NeedsAService, "search-any-service"),
    ] {
        let broken = Arc::new(Broken { store: MemoryStore::new(MemoryConfig::default()), fault });
        let run = tokio::spawn(async move { run_case(case, MEMORY, &broken.store, &*broken, &|| Box::pin(async {})).await });
        let panic = run.await.expect_err(case).into_panic();
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.contains(case), "{fault:?}: {message}");
    }
}

#[test]
fn cases_are_named_once() {
    for cases in [CASES, sampling::CASES, dependencies::CASES, rollups::CASES] {
        assert_eq!(cases.iter().collect::<std::collections::HashSet<_>>().len(), cases.len());
    }
}

/// Scenario: a store that can more than is said of it. Guarantees: the suite says so, so that what is said stays true.
#[tokio::test]
async fn an_ability_is_not_hidden() {
    for (abilities, case) in [
        (Abilities { warnings: false, ..MEMORY }, "warnings"),
        (Abilities { long_values: false, ..MEMORY }, "search-unindexed"),
        (Abilities { any_service: false, ..MEMORY }, "search-any-service"),
        (Abilities { repeated_keys: false, ..MEMORY }, "typed-tags"),
    ] {
        let store = Arc::new(MemoryStore::new(MemoryConfig::default()));
        let run = tokio::spawn(async move { run_case(case, abilities, &*store, &*store, &|| Box::pin(async {})).await });
        assert!(run.await.is_err(), "{case}");
    }
}
