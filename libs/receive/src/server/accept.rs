//! Connections as they come, no more at a time than there is room for.

use futures::FutureExt;
use prometheus_client::metrics::counter::Counter;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Time between attempts when the system has no room for another connection (no file descriptors, no memory).
const NO_ROOM: Duration = Duration::from_millis(200);

/// Silence after which a peer is asked whether it is still there, and time between such questions: Go's default.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// A listener with a bound.
pub(crate) struct Accept {
    listener: TcpListener,
    room: Arc<Semaphore>,
    waited: Counter,
    /// Has come, and waits for room. Kept here so that [`Accept::next`] loses nothing when it is dropped.
    waiting: Option<TcpStream>,
    /// Told once for each connection that waits: one that is idle should make room.
    wanted: Arc<Notify>,
}

impl Accept {
    pub fn new(listener: TcpListener, max_connections: usize, waited: Counter) -> Self {
        let room = Arc::new(Semaphore::new(max_connections.clamp(1, Semaphore::MAX_PERMITS)));
        Self { listener, room, waited, waiting: None, wanted: Arc::default() }
    }

    /// What idle connections wait for besides a request.
    pub fn wanted(&self) -> Arc<Notify> {
        self.wanted.clone()
    }

    /// The next connection and its share of the room. May be dropped and called again.
    ///
    /// # Errors
    /// When the socket is not one that listens; whatever may pass is waited out.
    pub async fn next(&mut self) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
        if self.waiting.is_none() {
            self.waiting = Some(self.accept().await?);
            if self.room.available_permits() == 0 {
                self.waited.inc();
                self.wanted.notify_one();
            }
        }
        let permit = self.room.clone().acquire_owned().await.map_err(io::Error::other)?;
        // Nobody waits any more: if no idle connection has heard that one did, the next one must not.
        let _: Option<()> = self.wanted.notified().now_or_never();
        let stream = self.waiting.take().ok_or_else(|| io::Error::other("no connection waits"))?;
        Ok((stream, permit))
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        loop {
            let error = match self.listener.accept().await {
                Ok((stream, _)) => {
                    prepare(&stream);
                    return Ok(stream);
                }
                Err(error) => error,
            };
            match error.kind() {
                // accept(2): the peer of that connection is gone already.
                io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted => {}
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => return Err(error),
                _ => {
                    tracing::error!(error = %error, "failed to accept a connection; raise the limit of open files if it is that");
                    tokio::time::sleep(NO_ROOM).await;
                }
            }
        }
    }
}

/// Answers leave at once; a peer that is gone without a word is noticed. Neither is worth the connection when it fails.
fn prepare(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
    let kept = SockRef::from(stream).set_tcp_keepalive(&keepalive);
    if let Err(error) = stream.set_nodelay(true).and(kept) {
        tracing::debug!(error = %error, "failed to set options of a connection");
    }
}
