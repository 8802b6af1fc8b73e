//! Sockets and their receive buffers.

use super::Options;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// What is asked for when no size is given: a quarter of a second of 50,000 spans a second. Linux's own default (208 KiB) holds
/// three full datagrams of a Jaeger client.
const DEFAULT_BUFFER: usize = 4 << 20;

/// Opens the sockets of one port. Port 0 takes a free one, the same for all.
pub(super) fn bind(address: SocketAddr, options: &Options) -> io::Result<Vec<Socket>> {
    let shared = options.sockets > 1;
    let first = open(address, shared, options.socket_buffer)?;
    let address = first.local_addr()?.as_socket().unwrap_or(address);
    let mut sockets = vec![first];
    while sockets.len() < options.sockets {
        sockets.push(open(address, shared, options.socket_buffer)?);
    }
    Ok(sockets)
}

fn open(address: SocketAddr, shared: bool, buffer: usize) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    grow(&socket, address, buffer);
    Ok(socket)
}

/// Sets the receive buffer. The kernel gives less than asked for without an error; that is said in the log. A socket with a
/// small buffer is better than none.
fn grow(socket: &Socket, address: SocketAddr, flag: usize) {
    let asked = if flag == 0 { DEFAULT_BUFFER } else { flag };
    let set = socket.set_recv_buffer_size(asked);
    // Linux doubles what is asked for, to make room for its own bookkeeping, and reports the double.
    let given = socket.recv_buffer_size().unwrap_or_default() / 2;
    if flag > 0 && given < asked {
        let error = set.err().map(|e| e.to_string());
        tracing::warn!(%address, asked, given, error, "the kernel gives a smaller receive buffer than asked for: raise net.core.rmem_max");
    } else {
        tracing::info!(%address, asked, given, "receive buffer");
    }
}
