//! The HTTP server under every HTTP listener of Skua: HTTP/1.1 and HTTP/2 on one port, with bounds on time and on connections.
//!
//! The bounds on time are enforced where they belong: waiting for a request or the rest of its header ends the read of the
//! [socket](socket::Socket); a body that takes too long fails as it is [read](body::RequestBody). A handler that works is never cut.

mod accept;
mod activity;
mod body;
mod connection;
mod limits;
mod socket;

pub(crate) use accept::Accept;
pub(crate) use activity::Activity;
pub use connection::serve;
pub use limits::Limits;
pub(crate) use socket::{Patience, Socket};
