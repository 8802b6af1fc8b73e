//! Looks for the next sound record after damage.

use super::files::File;
use super::record::{HEADER, Header};
use std::io::Result;

/// Bytes read at once.
const CHUNK: usize = 64 << 10;
/// Bytes of a record that is believed to be one without a look at what follows it.
const SHORT: u64 = 1 << 20;
/// Headers that must follow a longer one.
const FOLLOWERS: usize = 3;
/// Bytes that are summed in one file: this, and [`TIMES`] times its own. Chance makes a search sum little; this bounds what bytes
/// made for it can cost.
const LEAST: u64 = 1 << 30;
const TIMES: u64 = 64;

/// How much may still be summed in a file of so many bytes.
pub(super) fn budget(file: u64) -> u64 {
    file.saturating_mul(TIMES).saturating_add(LEAST)
}

/// Where the first sound record at `from` or later begins; nothing when there is none before `end`, the length of the file.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn search(file: &dyn File, from: u64, end: u64, budget: &mut u64) -> Result<Option<u64>> {
    let mut chunk = vec![0; CHUNK];
    let mut at = from;
    while end.saturating_sub(at) > HEADER as u64 {
        let read = read_some(file, &mut chunk, at)?;
        if read < HEADER {
            return Ok(None);
        }
        for window in chunk[..read].windows(HEADER) {
            let header = Header::of(window.try_into().unwrap_or_default());
            if let Some(after) = header.end(at, end)
                && (u64::from(header.len) <= SHORT || followed(file, after, end)?)
            {
                let Some(left) = budget.checked_sub(u64::from(header.len)) else { return Ok(None) };
                *budget = left;
                if sum(file, at, header.len)? == Some(header.sum) {
                    return Ok(Some(at));
                }
            }
            at += 1;
        }
    }
    Ok(None)
}

/// Up to the end of the file, or for some records, one header leads to the next.
fn followed(file: &dyn File, mut at: u64, end: u64) -> Result<bool> {
    for _ in 0..FOLLOWERS {
        if at == end {
            return Ok(true);
        }
        let mut bytes = [0; HEADER];
        if read_some(file, &mut bytes, at)? < HEADER {
            return Ok(false);
        }
        let Some(after) = Header::of(bytes).end(at, end) else { return Ok(false) };
        at = after;
    }
    Ok(true)
}

/// The sum of the record that begins at `at`, by its length.
fn sum(file: &dyn File, at: u64, len: u32) -> Result<Option<u32>> {
    let mut chunk = [0; 16 << 10];
    let mut sum = crc32c::crc32c(&len.to_le_bytes());
    let (mut at, mut left) = (at + HEADER as u64, len as usize);
    while left > 0 {
        let wanted = left.min(chunk.len());
        let read = read_some(file, &mut chunk[..wanted], at)?;
        if read < wanted {
            return Ok(None);
        }
        sum = crc32c::crc32c_append(sum, &chunk[..read]);
        (at, left) = (at + read as u64, left - read);
    }
    Ok(Some(sum))
}

/// Fills the buffer unless the file ends.
pub(super) fn read_some(file: &dyn File, buffer: &mut [u8], at: u64) -> Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], at + read as u64) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => (),
            Err(e) => return Err(e),
        }
    }
    Ok(read)
}
