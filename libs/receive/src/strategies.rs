//! Who answers remote samplers.

use async_trait::async_trait;
use skua_codec::sampling::Response;

/// Answers what a remote sampler asks.
#[async_trait]
pub trait Strategies: Send + Sync + 'static {
    /// The strategy of a service; an unknown one has the default.
    ///
    /// # Errors
    /// When it cannot be told, in words for the client.
    async fn strategy(&self, service: &str) -> Result<Response, String>;
}
