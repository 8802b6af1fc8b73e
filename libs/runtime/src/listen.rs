//! Listeners from Go's `host:port` texts.

use socket2::{Domain, Protocol, Socket, Type};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use tokio::net::TcpListener;

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The text is not `host:port` or `:port`.
    #[error("--{flag}: {text:?} is not host:port (an empty host means every address)")]
    Address {
        /// The flag that the text came from.
        flag: &'static str,
        /// What was given.
        text: String,
    },
    /// The operating system refused.
    #[error("--{flag}: failed to listen on {text}: {source}")]
    Bind {
        /// The flag that the text came from.
        flag: &'static str,
        /// What was given.
        text: String,
        /// Its reason, such as `Address already in use`.
        source: std::io::Error,
    },
}

/// Listens on `host:port` (`:4317` means all addresses of both families, as in Go). Port 0 takes a free one.
///
/// # Errors
/// Names the flag, the address and the reason.
pub fn tcp(flag: &'static str, text: &str) -> Result<TcpListener, ListenError> {
    let bad = || ListenError::Address { flag, text: text.to_owned() };
    let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
    let port: u16 = port.parse().map_err(|_| bad())?;
    let addresses: Vec<SocketAddr> = if host.is_empty() {
        vec![(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()]
    } else {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (host, port).to_socket_addrs().map_err(|source| ListenError::Bind { flag, text: text.to_owned(), source })?.collect()
    };
    let mut last = None;
    for address in addresses {
        match bind(address) {
            Ok(listener) => return Ok(listener),
            Err(e) => last = Some(e),
        }
    }
    let source = last.unwrap_or_else(|| std::io::Error::other("the name has no address"));
    Err(ListenError::Bind { flag, text: text.to_owned(), source })
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_are_gos() {
        for text in ["127.0.0.1:0", "localhost:0"] {
            assert!(tcp("x", text).unwrap().local_addr().unwrap().port() > 0);
        }
        assert_eq!(
            tcp("x.host-port", "4317").unwrap_err().to_string(),
            "--x.host-port: \"4317\" is not host:port (an empty host means every address)"
        );
        let taken = tcp("x", "127.0.0.1:0").unwrap();
        let text = taken.local_addr().unwrap().to_string();
        let e = tcp("x.host-port", &text).unwrap_err().to_string();
        assert!(e.starts_with(&format!("--x.host-port: failed to listen on {text}: ")), "{e}");
    }
}
