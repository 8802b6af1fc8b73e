//! Which log it is: the manifest names it so.

use super::fault::refused;
use super::files::Files;
use skua_store::{ErrorKind, StoreError};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, IoSlice};

const NAME: &str = "writer";
pub(super) const UNFINISHED: &str = "writer.new";
const DIGITS: usize = 16;

/// The 16 hex digits in the directory's file `writer`, which is made when it is missing.
///
/// # Errors
/// When it cannot be read or made, or does not hold what it should.
pub(crate) fn writer(files: &dyn Files) -> Result<String, StoreError> {
    match read(files) {
        Ok(text) if text.len() == DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => Ok(text),
        Ok(_) => {
            let message = format!("read {}/{NAME}: it does not hold {DIGITS} hex digits", files.place());
            Err(StoreError::new(ErrorKind::Internal, message))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let id = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
            make(files, &id).map_err(|e| refused(format!("make {}/{NAME}", files.place()), &e))?;
            Ok(id)
        }
        Err(e) => Err(refused(format!("read {}/{NAME}", files.place()), &e)),
    }
}

fn read(files: &dyn Files) -> io::Result<String> {
    let file = files.open(NAME)?;
    let mut bytes = [0; DIGITS + 1];
    let mut len = 0;
    while len < bytes.len() {
        match file.read_at(&mut bytes[len..], len as u64)? {
            0 => break,
            n => len += n,
        }
    }
    Ok(String::from_utf8_lossy(&bytes[..len]).into_owned())
}

/// It has its name only when it is whole and on the disk.
fn make(files: &dyn Files, id: &str) -> io::Result<()> {
    match files.remove(UNFINISHED) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => (),
    }
    let mut file = files.create(UNFINISHED)?;
    let mut rest = id.as_bytes();
    while !rest.is_empty() {
        match file.append(&[IoSlice::new(rest)])? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            n => rest = &rest[n..],
        }
    }
    file.sync()?;
    files.rename(UNFINISHED, NAME)?;
    files.sync_dir()
}
