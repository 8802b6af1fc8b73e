//! What the stores can, so that the UI offers no more.

use skua_query::Stores;
use std::fmt;

/// The UI's names for what a backend can; written as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Capabilities {
    /// Traces can be archived.
    pub archive: bool,
    /// There are metrics for the Monitor tab.
    pub metrics: bool,
    /// A search may leave the service open.
    pub any_service: bool,
}

impl Capabilities {
    pub fn of(stores: &Stores) -> Self {
        Self {
            archive: stores.archive.is_some(),
            metrics: stores.metrics.is_some(),
            any_service: stores.spans.searches_any_service(),
        }
    }

    /// The older form, of Jaeger 1: storage alone.
    pub fn storage(self) -> String {
        format!(r#"{{"archiveStorage":{}}}"#, self.archive)
    }
}

/// The form of Jaeger 2. There is no assistant.
impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"{{"archiveStorage":{},"metricsStorage":{},"searchWithoutServiceName":{},"aiAssistant":false}}"#,
            self.archive, self.metrics, self.any_service
        )
    }
}
