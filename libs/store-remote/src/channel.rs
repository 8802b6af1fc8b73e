//! The connection to the server.

use crate::config::Config;
use crate::target::Target;
use crate::tls::Tls;
use hyper_util::rt::TokioIo;
use skua_store::{ErrorKind, StoreError};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};

/// Receive window of one HTTP/2 stream, in bytes; the connection's is four times that.
const STREAM_WINDOW: u32 = 1 << 20;

/// Silence after which the server is asked whether it is still there, by TCP: Go's servers take pings of HTTP/2 amiss.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// A channel to the server, which need not be up: it connects when it is first used, and again when the connection is lost.
/// `group` is `grpc-storage` or `grpc-storage-archive`.
///
/// # Errors
/// `Invalid` when the configuration names no server or a file that cannot be used.
pub(crate) fn channel(config: &Config, group: &str) -> Result<Channel, StoreError> {
    let wrong = |why: String| StoreError::new(ErrorKind::Invalid, format!("--{group}.server: {why}"));
    let target = Target::parse(&config.server)
        .ok_or_else(|| wrong(format!("wants an address such as storage:17271, not {:?}", config.server)))?;
    let tls = Tls::load(&config.tls, group, &target)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let origin = format!("{scheme}://{}", target.authority());
    // TLS is our connector's business, so tonic is given a plain address.
    let endpoint = Endpoint::from_shared(format!("http://{}", target.authority())).map_err(|e| wrong(e.to_string()))?;
    let endpoint = endpoint
        .origin(origin.parse().map_err(|e: http::uri::InvalidUri| wrong(e.to_string()))?)
        .connect_timeout(config.connection_timeout)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(STREAM_WINDOW * 4)
        .user_agent(concat!("skua/", env!("CARGO_PKG_VERSION")))
        .map_err(|e| wrong(e.to_string()))?;
    Ok(endpoint.connect_with_connector_lazy(tower::service_fn(move |_| {
        let (target, tls) = (target.clone(), tls.clone());
        async move { connect(&target, tls.as_ref()).await.map(TokioIo::new) }
    })))
}

/// To the first address of the host that answers.
async fn connect(target: &Target, tls: Option<&Tls>) -> io::Result<Box<dyn Io>> {
    let stream = TcpStream::connect((target.host.as_str(), target.port)).await?;
    stream.set_nodelay(true)?;
    SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE))?;
    let io: Box<dyn Io> = match tls {
        None => Box::new(stream),
        Some(tls) => Box::new(tls.connect(stream).await?),
    };
    tracing::info!(server = %target.authority(), "connected to the remote storage");
    Ok(io)
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}
