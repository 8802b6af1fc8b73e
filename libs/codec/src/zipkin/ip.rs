//! Addresses as text, written as Go's `net.IP` does: IPv4 in IPv6 is IPv4.

use super::json::Text;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A text that is an address of either kind; an IPv4 one can only be written one way, so it is kept.
pub(super) fn parse(text: Text<'_>) -> Option<Text<'_>> {
    match std::str::from_utf8(&text).ok()?.parse().ok()? {
        IpAddr::V4(_) => Some(text),
        IpAddr::V6(v6) => Some(of_v6(v6)),
    }
}

/// An address of 4 or 16 bytes; nothing for none, and hex after `?` for another length.
pub(super) fn of_bytes(b: &[u8]) -> Text<'static> {
    match *b {
        [] => Cow::Borrowed(b""),
        [a, b, c, d] => text(Ipv4Addr::new(a, b, c, d)),
        _ => match <[u8; 16]>::try_from(b) {
            Ok(v6) => of_v6(Ipv6Addr::from(v6)),
            Err(_) => text(b.iter().fold("?".to_owned(), |s, b| format!("{s}{b:02x}"))),
        },
    }
}

fn of_v6(v6: Ipv6Addr) -> Text<'static> {
    v6.to_ipv4_mapped().map_or_else(|| text(v6), text)
}

fn text(address: impl ToString) -> Text<'static> {
    Cow::Owned(address.to_string().into_bytes())
}
