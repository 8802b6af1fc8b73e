//! Looks whether a disk that was full or failed takes bytes again.

use super::files::Files;
use std::io::{ErrorKind, IoSlice, Result};

pub(super) const NAME: &str = "probe";
/// Bytes that must find room.
const BYTES: usize = 1 << 20;

/// Writes a file, which is removed again.
///
/// # Errors
/// What is still wrong.
pub(super) fn probe(files: &dyn Files, sync: bool) -> Result<()> {
    remove(files)?;
    let written = write(files, sync);
    remove(files)?;
    written
}

fn write(files: &dyn Files, sync: bool) -> Result<()> {
    let mut file = files.create(NAME)?;
    let zeros = vec![0; BYTES];
    let mut rest = &zeros[..];
    while !rest.is_empty() {
        match file.append(&[IoSlice::new(rest)]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => rest = &rest[n..],
            Err(e) if e.kind() == ErrorKind::Interrupted => (),
            Err(e) => return Err(e),
        }
    }
    if sync { file.sync() } else { Ok(()) }
}

fn remove(files: &dyn Files) -> Result<()> {
    match files.remove(NAME) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
