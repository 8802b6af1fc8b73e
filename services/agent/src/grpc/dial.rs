//! Connections to collectors, counted.

use super::metrics::ConnectionStatus;
use super::target::Target;
use super::tls::Tls;
use hyper_util::rt::TokioIo;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};

/// Time for a connection to come about, encryption included.
const CONNECT: Duration = Duration::from_secs(5);

/// Makes channels.
#[derive(Clone)]
pub(crate) struct Dial {
    pub tls: Option<Tls>,
    pub status: ConnectionStatus,
}

impl Dial {
    /// A channel to one address of a target. It connects when it is first used, and again when the connection is lost.
    ///
    /// # Errors
    /// When the address cannot be written as a URI.
    pub fn channel(&self, target: &Target, address: SocketAddr) -> Result<Channel, String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let origin = format!("{scheme}://{}", target.authority());
        // TLS is our connector's business, so tonic is given a plain address.
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|e| e.to_string())?;
        let endpoint = endpoint
            .origin(origin.parse().map_err(|e: http::uri::InvalidUri| e.to_string())?)
            .connect_timeout(CONNECT)
            .user_agent(concat!("skua-agent/", env!("CARGO_PKG_VERSION")))
            .map_err(|e| e.to_string())?;
        let (dial, target) = (self.clone(), target.clone());
        Ok(endpoint.connect_with_connector_lazy(tower::service_fn(move |_| {
            let (dial, target) = (dial.clone(), target.clone());
            async move { dial.connect(&target, address).await.map(TokioIo::new) }
        })))
    }

    async fn connect(&self, target: &Target, address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let io: Box<dyn Io> = match &self.tls {
            None => Box::new(stream),
            Some(tls) => Box::new(tls.connect(target, stream).await?),
        };
        tracing::info!(collector = %target.authority(), %address, "connected");
        Ok(Connection { io, _open: self.status.opened() })
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection that is counted as long as it is open.
struct Connection {
    io: Box<dyn Io>,
    _open: super::metrics::Open,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
