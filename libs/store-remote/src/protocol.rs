//! Which version of the API a server speaks.

use crate::call::{Caller, Method};
use crate::error::is_unknown_method;
use parking_lot::Mutex;
use skua_proto::jaeger::storage::{v1, v2};
use skua_store::StoreError;

const CAPABILITIES: Method = Method("/jaeger.storage.v1.PluginCapabilities/Capabilities");

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `jaeger.storage.v1`.
    V1 {
        /// It takes spans in streams, too.
        streaming: bool,
    },
    /// `jaeger.storage.v2`, and OTLP for writing.
    V2,
}

/// What the server was found to speak, if it was asked already.
#[derive(Debug, Default)]
pub(crate) struct Spoken(Mutex<Option<Protocol>>);

impl Spoken {
    /// Asks the server once. One that knows neither its capabilities nor version 2 is an old one of version 1.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn by(&self, caller: &Caller) -> Result<Protocol, StoreError> {
        let known = *self.0.lock();
        if let Some(protocol) = known {
            return Ok(protocol);
        }
        let protocol = match caller.unary::<v1::CapabilitiesResponse>(CAPABILITIES, &v1::CapabilitiesRequest {}).await {
            Ok(can) => Protocol::V1 { streaming: can.streaming_span_writer },
            Err(e) if is_unknown_method(&e) => {
                let request = v2::GetServicesRequest {};
                match caller.unary::<v2::GetServicesResponse>(crate::v2::SERVICES, &request).await {
                    Err(e) if is_unknown_method(&e) => Protocol::V1 { streaming: false },
                    Err(e) if e.is_retryable() => return Err(e),
                    _ => Protocol::V2,
                }
            }
            Err(e) => return Err(e),
        };
        tracing::info!(server = caller.server, ?protocol, "remote storage found");
        *self.0.lock() = Some(protocol);
        Ok(protocol)
    }

    /// The server did not know a method: another one may have taken its place, and is asked again.
    pub fn forget(&self) {
        *self.0.lock() = None;
    }
}
