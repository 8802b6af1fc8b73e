//! What the kernel dropped, from the last column of `/proc/net/udp` (Linux 2.6.27 and later).
//!
//! The control message `SO_RXQ_OVFL` tells the same, but only with the next datagram that does arrive: a burst followed by
//! silence would not show. And it costs every datagram something, this only a scrape.

use std::fs::File;
use std::io::{BufRead, BufReader};

/// The sum of a process' sockets with these inodes; `None` when none of them is listed.
pub(super) fn dropped(inodes: &[u64]) -> Option<u64> {
    let tables = ["/proc/self/net/udp", "/proc/self/net/udp6"].into_iter().filter_map(|path| File::open(path).ok());
    let lines = tables.flat_map(|table| BufReader::new(table).lines().map_while(Result::ok));
    let of_ours = lines.filter_map(|text| line(&text)).filter(|(inode, _)| inodes.contains(inode));
    of_ours.map(|(_, drops)| drops).reduce(u64::saturating_add)
}

/// Inode and drops: `sl local rem st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops`.
fn line(text: &str) -> Option<(u64, u64)> {
    const INODE: usize = 9;
    const DROPS: usize = 12;
    let mut columns = text.split_ascii_whitespace();
    let inode = columns.nth(INODE)?.parse().ok()?;
    Some((inode, columns.nth(DROPS - INODE - 1)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn the_kernels_columns() {
        let head =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";
        let socket = " 3014: 0100007F:1AAF 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 31337 2 0000000000000000 17";
        assert_eq!((line(head), line(socket), line("")), (None, Some((31_337, 17)), None));
    }
}
