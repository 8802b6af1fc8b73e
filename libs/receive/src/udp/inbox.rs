//! Where the kernel puts datagrams: many with one call, always into the same memory.

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Datagrams that one call may bring.
const MOST: usize = 64;

/// Bytes of memory for them; of 64 datagrams of 64 KiB each there would be 4 MiB for every socket.
const MEMORY: usize = 2 << 20;

/// A datagram as it lies in the inbox.
pub(super) struct Datagram<'a> {
    pub bytes: &'a [u8],
    pub sender: SocketAddr,
    /// It was longer than the inbox's slots: `bytes` is only its beginning.
    pub cut: bool,
}

/// Fewest slots that a call offers.
const FEWEST: usize = 4;

/// Slots for some datagrams.
pub(super) struct Inbox {
    memory: Vec<u8>,
    slot: usize,
    slots: usize,
    /// Slots that the next call offers: twice what the last one filled.
    offered: usize,
}

impl Inbox {
    /// For datagrams of up to `max_packet` bytes.
    pub fn new(max_packet: usize) -> Self {
        let slot = max_packet.max(1);
        let slots = (MEMORY / slot).clamp(FEWEST, MOST);
        Self { memory: vec![0; slot * slots], slot, slots, offered: FEWEST }
    }

    /// Reads what waits, without blocking, and hands it to `take`. True when nothing more waits.
    ///
    /// # Errors
    /// The kernel's, [`io::ErrorKind::WouldBlock`] when nothing waits.
    pub fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        take: impl FnOnce(&mut dyn Iterator<Item = Datagram<'_>>),
    ) -> io::Result<bool> {
        // Headers are made anew for every call: nix's hold raw pointers, so that no task may keep them, and the lengths that the
        // kernel wrote into them last time would bound what it writes this time.
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(self.offered, None);
        let mut rest = self.memory.chunks_exact_mut(self.slot);
        let mut slices: [[IoSliceMut<'_>; 1]; MOST] = std::array::from_fn(|_| [IoSliceMut::new(rest.next().unwrap_or_default())]);
        let slices = slices[..self.offered].iter_mut();
        let received = recvmmsg(socket.as_raw_fd(), &mut headers, slices, MsgFlags::MSG_DONTWAIT, None)?;
        let mut count = 0;
        take(&mut received.map(|message| {
            count += 1;
            Datagram {
                bytes: message.iovs().next().unwrap_or_default(),
                sender: message.address.as_ref().map_or(UNKNOWN, address),
                cut: message.flags.contains(MsgFlags::MSG_TRUNC),
            }
        }));
        let all = count < self.offered;
        self.offered = (2 * count).clamp(FEWEST, self.slots);
        Ok(all)
    }
}

const UNKNOWN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

fn address(a: &SockaddrStorage) -> SocketAddr {
    let v4 = a.as_sockaddr_in().map(|v4| SocketAddr::V4(SocketAddrV4::from(*v4)));
    v4.or_else(|| a.as_sockaddr_in6().map(|v6| SocketAddr::V6(SocketAddrV6::from(*v6)))).unwrap_or(UNKNOWN)
}
