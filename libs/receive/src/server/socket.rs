//! A connection's socket, which ends when the peer keeps us waiting too long.
//!
//! hyper has one time-out for both an idle connection and an unfinished header; here they are two, as in Go and so in Jaeger.

use super::Activity;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Instant, Sleep};

/// The beginning of HTTP/2's connection preface (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI ";

/// How long a peer is waited for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patience {
    /// For a whole header, once it has begun; for the first one, or HTTP/2's preface, from the connect.
    pub header: Option<Duration>,
    /// For the next request.
    pub idle: Option<Duration>,
    /// Told when an idle connection should make room for another one.
    pub wanted: Option<Arc<Notify>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A header is expected, or has come in part.
    Header,
    /// Requests are under way; however long they take, the peer is not to blame.
    Busy,
    /// Nothing is under way.
    Idle,
}

/// A TCP stream with its share of the listener's room.
pub(crate) struct Socket {
    io: TcpStream,
    activity: Arc<Activity>,
    patience: Patience,
    phase: Phase,
    begun: u64,
    has_deadline: bool,
    deadline: Pin<Box<Sleep>>,
    wanted: Option<Pin<Box<OwnedNotified>>>,
    _room: OwnedSemaphorePermit,
}

impl Socket {
    pub fn new(io: TcpStream, room: OwnedSemaphorePermit, activity: Arc<Activity>, patience: Patience) -> Self {
        let mut socket = Self {
            io,
            activity,
            phase: Phase::Header,
            begun: 0,
            has_deadline: false,
            deadline: Box::pin(tokio::time::sleep(Duration::ZERO)),
            wanted: None,
            _room: room,
            patience,
        };
        socket.wait_at_most(socket.patience.header);
        socket
    }

    fn wait_at_most(&mut self, time: Option<Duration>) {
        self.has_deadline = time.is_some();
        if let Some(time) = time {
            self.deadline.as_mut().reset(Instant::now() + time);
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.wanted = None;
        match phase {
            Phase::Header => self.wait_at_most(self.patience.header),
            Phase::Busy => self.has_deadline = false,
            Phase::Idle => {
                self.wait_at_most(self.patience.idle);
                self.wanted = self.patience.wanted.clone().map(|w| Box::pin(w.notified_owned()));
            }
        }
    }

    /// Takes note of requests that have begun or ended since.
    fn settle(&mut self) {
        let begun = self.activity.begun();
        if self.activity.is_busy() {
            if self.phase != Phase::Busy {
                self.enter(Phase::Busy);
            }
        } else if self.phase == Phase::Busy || begun != self.begun || (self.phase == Phase::Header && self.activity.is_http2()) {
            self.enter(Phase::Idle);
        }
        self.begun = begun;
    }

    fn came(&mut self, bytes: &[u8]) {
        if self.begun == 0 && self.phase == Phase::Header && bytes.starts_with(PREFACE) {
            self.activity.set_http2();
        }
        self.settle();
        // On HTTP/2 these may be a ping as well.
        if self.phase == Phase::Idle && !self.activity.is_http2() {
            self.enter(Phase::Header);
        }
    }

    /// Nothing has come. Ready when that has lasted long enough: with an error in the middle of a header, else as if the peer
    /// had closed the connection.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.activity.wake_when_idle(cx);
        self.settle();
        if let Some(wanted) = &mut self.wanted
            && wanted.as_mut().poll(cx).is_ready()
        {
            self.wanted = None;
            return Poll::Ready(Ok(()));
        }
        if !self.has_deadline {
            return Poll::Pending;
        }
        ready!(self.deadline.as_mut().poll(cx));
        Poll::Ready(if self.phase == Phase::Header { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) })
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                let came = &buf.filled()[before..];
                if !came.is_empty() {
                    self.came(came);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => self.wait(cx),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl tonic::transport::server::Connected for Socket {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}
