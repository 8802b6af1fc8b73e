//! The records of a log as it was found.

use super::fault::refused;
use super::files::{File, Files};
use super::record::{ANY_MAGIC, HEADER, Header, MAGIC, Name, sum};
use super::search::{budget, read_some, search};
use bytes::{Buf as _, Bytes, BytesMut};
use skua_store::{ErrorKind, StoreError};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Bytes read at once.
const CHUNK: u64 = 256 << 10;

/// A record of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replayed {
    /// The number of its segment.
    pub segment: u64,
    pub record: Bytes,
}

/// Reads the records in their order, piece by piece: in memory are one record and [`CHUNK`]. It blocks. After an error there is nothing more.
///
/// What was read to its end is on the disk from then on (but with `off`), and the torn tail of the last file is cut off.
pub(crate) struct Replay {
    files: Arc<dyn Files>,
    names: VecDeque<Name>,
    open: Option<Open>,
    sync: bool,
    damaged: u64,
    torn: u64,
}

/// The file that is being read.
struct Open {
    name: Name,
    file: Box<dyn File>,
    /// Of the file.
    len: u64,
    /// Where the next record begins, and the buffer.
    at: u64,
    buffer: BytesMut,
    /// For searches.
    budget: u64,
}

/// What is at a place of a file.
enum Place {
    Record(Bytes),
    /// Unsound up to here.
    Gap(u64),
    /// Unsound up to the end.
    Tail,
    End,
}

impl Replay {
    /// `names` in order.
    pub(super) fn new(files: Arc<dyn Files>, names: VecDeque<Name>, sync: bool) -> Self {
        Self { files, names, open: None, sync, damaged: 0, torn: 0 }
    }

    /// Bytes so far that were skipped because they are no sound records, the torn tail aside. Those of records that were acknowledged are lost.
    pub fn damaged_bytes(&self) -> u64 {
        self.damaged
    }

    /// Bytes that were cut off the last file: what a crash left of records that were not acknowledged.
    pub fn torn_bytes(&self) -> u64 {
        self.torn
    }

    fn step(&mut self) -> Result<Option<Replayed>, (Name, io::Error)> {
        loop {
            let Some(open) = &mut self.open else {
                let Some(name) = self.names.pop_front() else { return Ok(None) };
                self.open = Some(Open::new(&*self.files, name).map_err(|e| (name, e))?);
                continue;
            };
            let name = open.name;
            let from = open.at;
            match open.next().map_err(|e| (name, e))? {
                Place::Record(record) => return Ok(Some(Replayed { segment: name.segment, record })),
                Place::Gap(to) => self.damage(name, from, to),
                Place::Tail if self.names.is_empty() => {
                    self.torn = open.len - from;
                    self.cut(from);
                }
                Place::Tail => {
                    let to = open.len;
                    self.damage(name, from, to);
                    self.done();
                }
                Place::End => self.done(),
            }
        }
    }

    fn damage(&mut self, name: Name, from: u64, to: u64) {
        self.damaged += to - from;
        tracing::error!("bytes {from} to {to} of {}/{name} are no sound records; they are skipped", self.files.place());
    }

    /// Cuts off the torn tail.
    fn cut(&mut self, to: u64) {
        let Some(open) = &mut self.open else { return };
        let name = open.name;
        tracing::warn!(
            "{}/{name} ends with {} bytes of records that were not finished; they are cut off",
            self.files.place(),
            self.torn
        );
        if let Err(e) = open.file.cut(to) {
            // At the next start it counts as damage, and is skipped.
            tracing::warn!("failed to cut {}/{name}: {e}", self.files.place());
        }
        self.done();
    }

    /// Ends with the present file.
    fn done(&mut self) {
        if let Some(mut open) = self.open.take()
            && self.sync
            && let Err(e) = open.file.sync()
        {
            tracing::warn!("failed to sync {}/{}: {e}", self.files.place(), open.name);
        }
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { names, damaged, torn, .. } = self;
        f.debug_struct("Replay").field("names", names).field("damaged", damaged).field("torn", torn).finish_non_exhaustive()
    }
}

impl Iterator for Replay {
    type Item = Result<Replayed, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.step() {
            Ok(record) => record.map(Ok),
            Err((name, e)) => {
                self.names.clear();
                self.open = None;
                let what = format!("read {}/{name}", self.files.place());
                // A segment of a later version is no matter of a second attempt.
                let kind = if e.kind() == io::ErrorKind::Unsupported { ErrorKind::Unsupported } else { ErrorKind::Unavailable };
                Some(Err(StoreError { kind, ..refused(what, &e) }))
            }
        }
    }
}

impl Open {
    fn new(files: &dyn Files, name: Name) -> io::Result<Self> {
        let file = files.open(&name.to_string())?;
        let len = file.len()?;
        let mut magic = [0; MAGIC.len()];
        let read = read_some(&*file, &mut magic, 0)?;
        let version = magic[ANY_MAGIC.len()];
        if read == magic.len() && magic.starts_with(ANY_MAGIC) && magic != MAGIC && version.is_ascii_digit() {
            let text = format!("it is of version {} of the format, which this version does not know", char::from(version));
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        // Without the magic it is damaged from the beginning.
        let at = if magic == MAGIC { MAGIC.len() as u64 } else { 0 };
        Ok(Self { name, file, len, at, buffer: BytesMut::new(), budget: budget(len) })
    }

    fn next(&mut self) -> io::Result<Place> {
        if self.at >= self.len {
            return Ok(Place::End);
        }
        if let Some(record) = self.sound()? {
            return Ok(Place::Record(record));
        }
        // What begins here is not sound, what begins at the next byte may be.
        let found = search(&*self.file, self.at + 1, self.len, &mut self.budget)?;
        self.buffer.clear();
        self.at = found.unwrap_or(self.len);
        Ok(found.map_or(Place::Tail, Place::Gap))
    }

    /// The record that begins here, if it is sound.
    fn sound(&mut self) -> io::Result<Option<Bytes>> {
        if !self.fill(HEADER)? {
            return Ok(None);
        }
        let header = Header::of(self.buffer[..HEADER].try_into().unwrap_or_default());
        let Some(end) = header.end(self.at, self.len) else { return Ok(None) };
        let len = header.len as usize;
        if !self.fill(HEADER + len)? || sum(header.len.to_le_bytes(), &self.buffer[HEADER..HEADER + len]) != header.sum {
            return Ok(None);
        }
        self.at = end;
        self.buffer.advance(HEADER);
        Ok(Some(self.buffer.split_to(len).freeze()))
    }

    /// Reads until so many bytes are in the buffer, if there are so many.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        let have = self.buffer.len();
        if have >= wanted {
            return Ok(true);
        }
        let left = self.len - self.at;
        if (wanted as u64) > left {
            return Ok(false);
        }
        let target = (wanted as u64).max(CHUNK.min(left)) as usize;
        self.buffer.resize(target, 0);
        let read = read_some(&*self.file, &mut self.buffer[have..], self.at + have as u64)?;
        self.buffer.truncate(have + read);
        Ok(self.buffer.len() >= wanted)
    }
}
