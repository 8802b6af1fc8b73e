//! UDP: datagrams from one port into a bounded queue, undecoded. Nobody can be told that there is no room, so everything that
//! is lost is counted: what the kernel dropped before we read it ([`Stats::kernel_dropped`]) apart from what we dropped.

mod inbox;
mod kernel;
mod queue;
mod receiver;
mod socket;
mod stats;
#[cfg(test)]
mod tests;

pub use queue::{Packets, Queue};
pub use receiver::Receiver;
pub use stats::Stats;

/// Bounds of one port.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Sockets that share the port by `SO_REUSEPORT`; the kernel gives each sender one of them. At least 1.
    pub sockets: usize,
    /// Bytes of a socket's receive buffer in the kernel; 0 asks for 4 MiB. `net.core.rmem_max` caps it.
    pub socket_buffer: usize,
    /// Bytes of a datagram; longer ones are dropped and counted.
    pub max_packet: usize,
    /// Datagrams that may wait; further ones are dropped and counted.
    pub queue_packets: usize,
    /// Bytes of datagrams that may wait; further ones are dropped and counted.
    pub queue_bytes: usize,
    /// Bytes of datagrams that one call of [`Queue::take`] takes at most, unless a single one is longer: as many as are worth one
    /// request to a collector. It takes at most a quarter of `queue_packets`, too.
    pub take_bytes: usize,
}
