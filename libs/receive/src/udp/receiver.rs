//! From sockets into the queue.

use super::inbox::Inbox;
use super::{Options, Queue, Stats, socket};
use socket2::Socket;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The sockets of one port. From the moment they are bound, the kernel keeps what comes.
#[derive(Debug)]
pub struct Receiver {
    sockets: Vec<Socket>,
    address: SocketAddr,
    queue: Arc<Queue>,
    stats: Arc<Stats>,
    max_packet: usize,
}

impl Receiver {
    /// Opens the sockets. Port 0 takes a free one.
    ///
    /// # Errors
    /// The operating system's.
    pub fn bind(address: SocketAddr, options: &Options) -> io::Result<Self> {
        let sockets = socket::bind(address, options)?;
        let address = sockets[0].local_addr()?.as_socket().unwrap_or(address);
        let inodes = sockets.iter().map(inode).collect::<io::Result<_>>()?;
        let stats = Arc::new(Stats::new(inodes));
        let queue = Arc::new(Queue::new(options, stats.clone()));
        Ok(Self { sockets, address, queue, stats, max_packet: options.max_packet })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where the datagrams go.
    pub fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    /// What is counted.
    pub fn stats(&self) -> Arc<Stats> {
        self.stats.clone()
    }

    /// Reads until `stop`; then reads what the kernel still holds, closes the sockets and the queue.
    ///
    /// # Errors
    /// When a socket cannot be watched.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        let mut readers = JoinSet::new();
        for socket in self.sockets {
            let (queue, stats, stop) = (self.queue.clone(), self.stats.clone(), stop.clone());
            readers.spawn(read(UdpSocket::from_std(socket.into())?, self.max_packet, queue, stats, stop));
        }
        let mut result = Ok(());
        while let Some(ended) = readers.join_next().await {
            result = result.and(ended.unwrap_or_else(|e| Err(io::Error::other(e))));
        }
        self.queue.close();
        result
    }
}

async fn read(
    socket: UdpSocket,
    max_packet: usize,
    queue: Arc<Queue>,
    stats: Arc<Stats>,
    stop: CancellationToken,
) -> io::Result<()> {
    let mut inbox = Inbox::new(max_packet);
    let mut receive = || match inbox.receive(socket.as_fd(), |datagrams| queue.push(datagrams)) {
        Ok(false) => Ok(()),
        // As good as a call that finds nothing, and one call less: what comes from now on is another event.
        Ok(true) => Err(io::ErrorKind::WouldBlock.into()),
        Err(e) => Err(e),
    };
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            ready = socket.readable() => ready?,
        }
        match socket.try_io(Interest::READABLE, &mut receive) {
            // There is more: those who take from the queue come first, lest it is full although nobody had a chance to take.
            Ok(()) => tokio::task::yield_now().await,
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(e) => {
                Stats::add(&stats.read_errors, 1);
                tracing::warn!(error = %e, "failed to read datagrams");
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
    // What was sent before the stop: as much as a receive buffer may hold, whoever goes on sending.
    for _ in 0..LAST_READS {
        if receive().is_err() {
            break;
        }
    }
    stats.kernel_dropped();
    Ok(())
}

/// A socket whose reads fail is not tried again at once.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Calls after the stop.
const LAST_READS: usize = 1000;

fn inode(socket: &Socket) -> io::Result<u64> {
    let fd: OwnedFd = socket.try_clone()?.into();
    Ok(File::from(fd).metadata()?.ino())
}
