//! The file that is being written.

use super::files::{File, Files};
use super::queue::Entry;
use super::record::{HEADER, MAGIC, Name, header};
use std::io::{self, IoSlice};

/// Records of one write at most: two pieces each, and the kernel takes 1024 of them.
const AT_ONCE: usize = 512;

/// One file. Up to `len` there are whole records only.
pub(super) struct Segment {
    pub name: Name,
    file: Box<dyn File>,
    /// Bytes.
    pub len: u64,
    /// Bytes that are on the disk for sure.
    synced: u64,
}

/// Why not all records are in the file.
#[derive(Debug)]
pub(super) struct Stopped {
    /// Records that are whole in the file.
    pub whole: usize,
    pub error: io::Error,
    /// What was written of the next one could not be cut off: nothing may be written after it.
    pub broken: bool,
}

impl Segment {
    /// A new file, with its name on the disk when `durable`.
    ///
    /// # Errors
    /// Those of the file system. The file may then be there; it holds no record.
    pub fn create(files: &dyn Files, name: Name, durable: bool) -> io::Result<Self> {
        let mut segment = Self { name, file: files.create(&name.to_string())?, len: 0, synced: 0 };
        let (written, result) = write_all(&mut *segment.file, &mut [IoSlice::new(&MAGIC)]);
        segment.len = written;
        result?;
        if durable {
            files.sync_dir()?;
        }
        Ok(segment)
    }

    /// Writes records at the end. When it stops before the last one, what it wrote of the next is cut off.
    ///
    /// # Errors
    /// What stopped it.
    pub fn append(&mut self, records: &[Entry]) -> Result<(), Stopped> {
        let mut headers = Vec::with_capacity(records.len().min(AT_ONCE));
        for (nth, some) in records.chunks(AT_ONCE).enumerate() {
            headers.clear();
            headers.extend(some.iter().map(|e| header(&e.record)));
            let pieces = headers.iter().zip(some).flat_map(|(h, e)| [IoSlice::new(h), IoSlice::new(&e.record)]);
            let mut pieces: Vec<IoSlice<'_>> = pieces.collect();
            let (written, result) = write_all(&mut *self.file, &mut pieces);
            if let Err(error) = result {
                let mut whole = 0;
                let mut left = written;
                for size in some.iter().map(|e| (HEADER + e.record.len()) as u64) {
                    let Some(after) = left.checked_sub(size) else { break };
                    (left, whole, self.len) = (after, whole + 1, self.len + size);
                }
                let broken = left > 0 && self.file.cut(self.len).is_err();
                return Err(Stopped { whole: nth * AT_ONCE + whole, error, broken });
            }
            self.len += written;
        }
        Ok(())
    }

    /// Something is not on the disk for sure.
    pub fn dirty(&self) -> bool {
        self.synced < self.len
    }

    /// Puts all on the disk.
    ///
    /// # Errors
    /// That of the file system. Then no later sync of this file may be believed.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync()?;
        self.synced = self.len;
        Ok(())
    }

    /// After a failed sync: cuts off what came since the last good one, if the disk lets it. The bytes it has now.
    pub fn give_up(mut self) -> u64 {
        if self.file.cut(self.synced).is_ok() {
            self.len = self.synced;
            // So that it does not come back with the next power cut; nothing depends on it.
            drop(self.file.sync());
        }
        self.len
    }
}

/// Bytes written, and what stopped it.
fn write_all(file: &mut dyn File, mut pieces: &mut [IoSlice<'_>]) -> (u64, io::Result<()>) {
    let mut written = 0;
    while !pieces.is_empty() {
        match file.append(pieces) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(n) => {
                written += n as u64;
                IoSlice::advance_slices(&mut pieces, n);
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => (),
            Err(e) => return (written, Err(e)),
        }
    }
    (written, Ok(()))
}
