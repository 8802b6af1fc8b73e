//! Files: read in place, replaced under a lock.
//!
//! Names that end in `#` and digits are no objects: they are of writes under way and of locks.

use super::ranges;
use bytes::Bytes;
use object_store::path::Path as Location;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Files held open for reading.
const OPEN: usize = 256;
/// How long a deleted file stays open for those that read it.
const LINGERS: Duration = Duration::from_secs(60);
/// Locks of replacements: names share them.
const LOCKS: usize = 16;
/// How long another process may hold one.
const PATIENCE: Duration = Duration::from_secs(30);
/// Age of a write under way that is left over from a crash, where other processes may write too.
const LEFT_OVER: Duration = Duration::from_secs(3600);

#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    /// Other processes write too.
    shared: bool,
    open: Mutex<Open>,
    replacing: [Mutex<()>; LOCKS],
}

#[derive(Debug, Default)]
struct Open {
    files: HashMap<String, Held>,
    uses: u64,
    /// Files of [`Open::files`] that were deleted: there are few.
    deleted: Vec<(Instant, String)>,
}

#[derive(Debug)]
struct Held {
    file: Arc<File>,
    /// Bytes: a file never changes.
    len: u64,
    last_use: u64,
}

/// A revision and the mark of who made it.
pub(super) type Stamp = (u64, u64);

impl Files {
    pub fn new(root: PathBuf, shared: bool) -> Self {
        let files = Self { root, shared, open: Mutex::default(), replacing: Default::default() };
        remove_left_over(&files.root, if shared { LEFT_OVER } else { Duration::ZERO }, 8);
        files
    }

    /// Leaves everything as it is.
    pub fn to_read(root: PathBuf) -> Self {
        Self { root, shared: true, open: Mutex::default(), replacing: Default::default() }
    }

    fn path(&self, location: &Location) -> PathBuf {
        self.root.join(location.as_ref())
    }

    /// Ranges of a file that never changes; what touches is read together.
    pub fn read(&self, location: &Location, wanted: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        let (file, len) = self.open(location)?;
        let joined = ranges::join(wanted, usize::MAX, 0).ok_or_else(|| damaged("a range ends before it begins"))?;
        let one = |range: &Range<u64>| {
            if range.end > len {
                return Err(damaged(format!("it has {len} bytes and is read up to {}", range.end)));
            }
            let size = usize::try_from(range.end - range.start).map_err(|_| damaged("a range is larger than memory"))?;
            let mut bytes = vec![0; size];
            file.read_exact_at(&mut bytes, range.start)?;
            Ok(Bytes::from(bytes))
        };
        let bytes = joined.iter().map(one).collect::<io::Result<Vec<_>>>()?;
        ranges::cut(&joined, &bytes, wanted).ok_or_else(|| damaged("it ends before a range of it does"))
    }

    fn open(&self, location: &Location) -> io::Result<(Arc<File>, u64)> {
        let name = location.as_ref();
        {
            let mut open = self.open.lock();
            open.forget_deleted();
            open.uses += 1;
            let uses = open.uses;
            if let Some(held) = open.files.get_mut(name) {
                held.last_use = uses;
                return Ok((held.file.clone(), held.len));
            }
        }
        let file = File::open(self.path(location))?;
        let len = file.metadata()?.len();
        let file = Arc::new(file);
        let mut open = self.open.lock();
        if open.files.len() >= OPEN
            && let Some(oldest) = open.files.iter().min_by_key(|(_, held)| held.last_use).map(|(name, _)| name.clone())
        {
            open.files.remove(&oldest);
        }
        let held = Held { file: file.clone(), len, last_use: open.uses };
        open.files.insert(name.to_owned(), held);
        Ok((file, len))
    }

    /// A file is no longer there; who reads it may go on for a minute.
    pub fn deleted(&self, location: &Location) {
        let mut open = self.open.lock();
        open.forget_deleted();
        if open.files.contains_key(location.as_ref()) {
            open.deleted.push((Instant::now(), location.as_ref().to_owned()));
        }
    }

    /// A file was written: what was open under its name is another.
    pub fn written(&self, location: &Location) {
        let mut open = self.open.lock();
        open.files.remove(location.as_ref());
        open.deleted.retain(|(_, name)| name != location.as_ref());
    }

    /// A file that is replaced; `None` when it is not there.
    pub fn whole(&self, location: &Location) -> io::Result<Option<Bytes>> {
        absent_is_none(fs::read(self.path(location)).map(Bytes::from))
    }

    /// What a replaced file begins with.
    pub fn stamp(&self, location: &Location) -> io::Result<Option<Stamp>> {
        let read = File::open(self.path(location)).and_then(|mut file| {
            let mut bytes = [0; 16];
            file.read_exact(&mut bytes)?;
            Ok(bytes)
        });
        Ok(absent_is_none(read)?.as_ref().and_then(|bytes| super::versioned::stamp(bytes)))
    }

    /// Replaces a file if it still begins with this stamp, or is not there with `None`. It is on the disk afterwards.
    pub fn replace(&self, location: &Location, bytes: &[u8], was: Option<Stamp>) -> io::Result<bool> {
        let place = crc32c::crc32c(location.as_ref().as_bytes()) as usize % LOCKS;
        let _within = self.replacing[place].lock();
        let _beyond = if self.shared { Some(self.lock(place)?) } else { None };
        if self.stamp(location)? != was {
            return Ok(false);
        }
        let path = self.path(location);
        let directory = path.parent().unwrap_or(&self.root);
        let under_way = with_suffix(&path, "#0");
        let mut file = self.create(&under_way, directory)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&under_way, &path));
        if let Err(e) = written {
            // It says nothing more if this fails too; the next replacement writes over it.
            let _ = fs::remove_file(&under_way);
            return Err(e);
        }
        sync_directory(directory)?;
        Ok(true)
    }

    fn create(&self, path: &Path, directory: &Path) -> io::Result<File> {
        // Who deletes the last file of a directory deletes that too, perhaps just when it has been made.
        for _ in 0..10 {
            match File::create(path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => match self.create_directory(directory) {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                    _ => {}
                },
                file => return file,
            }
        }
        File::create(path)
    }

    fn create_directory(&self, directory: &Path) -> io::Result<()> {
        let missing = directory.ancestors().take_while(|path| **path != *self.root && !path.exists()).count();
        fs::create_dir_all(directory)?;
        directory.ancestors().skip(1).take(missing).try_for_each(sync_directory)
    }

    /// Of all processes one holds it.
    fn lock(&self, place: usize) -> io::Result<File> {
        let file = File::options().create(true).truncate(false).write(true).open(self.root.join(format!("lock#{place}")))?;
        let until = Instant::now() + PATIENCE;
        let mut pause = Duration::from_micros(200);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(e)) => return Err(e),
                Err(TryLockError::WouldBlock) if Instant::now() > until => {
                    let text = format!("another process holds lock#{place} for more than {} s", PATIENCE.as_secs());
                    return Err(io::Error::new(io::ErrorKind::TimedOut, text));
                }
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(crate::random::jittered(pause));
                    pause = (pause * 2).min(Duration::from_millis(20));
                }
            }
        }
    }
}

impl Open {
    fn forget_deleted(&mut self) {
        let kept = self.deleted.partition_point(|(at, _)| at.elapsed() > LINGERS);
        for (_, name) in self.deleted.drain(..kept) {
            self.files.remove(&name);
        }
    }
}

fn absent_is_none<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

fn damaged(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes writes that were under way in a crash. What cannot be removed only takes room.
fn remove_left_over(directory: &Path, age: Duration, depth: usize) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some((before, digits)) = name.to_str().and_then(|name| name.rsplit_once('#')) else {
            if depth > 0 && entry.file_type().is_ok_and(|ty| ty.is_dir()) {
                remove_left_over(&entry.path(), age, depth - 1);
            }
            continue;
        };
        let under_way = before != "lock" && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let old = || {
            let modified = entry.metadata().and_then(|m| m.modified()).ok()?;
            SystemTime::now().duration_since(modified).ok().filter(|passed| *passed >= age)
        };
        if under_way && (age.is_zero() || old().is_some()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
