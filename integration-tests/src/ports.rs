//! Free ports of the loopback address.

use crate::{Error, Result};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

// Below the range from which the kernel takes the local ports of outgoing connections (32768 and up), so that none of
// those can take a port between its choice and its use.
const FIRST: u16 = 20000;
const COUNT: u16 = 10000;

/// A TCP port of 127.0.0.1 that nothing listens on, and that this process has not been given before.
pub fn free_port() -> Result<u16> {
    free(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
}

/// A UDP port of 127.0.0.1 that nothing listens on, and that this process has not been given before.
pub fn free_udp_port() -> Result<u16> {
    free(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
}

fn free(is_free: impl Fn(u16) -> bool) -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        // 37 and the count share no factor: every port comes once a round, and processes with near ids stay apart.
        let port = FIRST + ((u32::from(start) * 37 + u32::from(step)) % u32::from(COUNT)) as u16;
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(Error::new("no free port on 127.0.0.1"))
}

/// A name that no other test and no earlier run has used: for topics, groups and index prefixes on shared servers.
pub fn unique(name: &str) -> String {
    format!("{name}-{:x}", unique_number())
}

/// A number that no other test and no earlier run has used.
pub fn unique_number() -> u64 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let micros = std::time::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_micros()) as u64;
    (micros << 10) | u64::from(NEXT.fetch_add(1, Ordering::Relaxed) % 1024)
}
