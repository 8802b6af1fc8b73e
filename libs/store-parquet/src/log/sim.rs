//! A disk that forgets what was not synced when its power is cut, that can be full, and that can fail.

mod inode;

use super::files::{File, Files};
use inode::{Chance, Inode};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::sync::Arc;

/// One directory on it. A clone is the same directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimFiles(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    inodes: Vec<Inode>,
    /// As a process sees them.
    names: BTreeMap<String, usize>,
    /// As they were at the last sync of the directory.
    durable: BTreeMap<String, usize>,
    /// What happened to names since.
    changes: Vec<Change>,
    /// Bytes of all files at most.
    capacity: Option<u64>,
    /// So many syncs of files fail.
    failing_syncs: u32,
    /// Files cannot be cut.
    uncut: bool,
    /// A write takes so many bytes at most.
    most_at_once: Option<usize>,
    /// Calls until the power goes.
    calls_left: Option<u64>,
    /// Power cuts so far: what was open before is of no use.
    boots: u64,
}

#[derive(Debug, Clone)]
enum Change {
    Add(String, usize),
    Remove(String),
    Rename(String, String, usize),
}

#[derive(Debug)]
struct SimFile {
    disk: Arc<Mutex<Disk>>,
    inode: usize,
    boot: u64,
}

impl Disk {
    /// Each change asks before.
    fn powered(&mut self) -> Result<()> {
        match &mut self.calls_left {
            Some(0) => Err(Error::other("the power is off")),
            Some(n) => {
                *n -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn used(&self) -> u64 {
        self.names.values().map(|n| self.inodes[*n].seen.len() as u64).sum()
    }

    fn inode(&self, name: &str) -> Result<usize> {
        self.names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl SimFiles {
    /// Cuts the power and brings it back: of what was not synced any part may be there, torn or mixed with garbage, or nothing.
    /// The same seed does the same. The disk works again, and has room.
    pub fn crash(&self, seed: u64) {
        let mut disk = self.0.lock();
        let mut chance = Chance::new(seed);
        let mut names = std::mem::take(&mut disk.durable);
        for change in std::mem::take(&mut disk.changes) {
            if chance.one_in(2) {
                change.apply(&mut names);
            }
        }
        for inode in &mut disk.inodes {
            inode.crash(&mut chance);
        }
        let Disk { inodes, boots, .. } = std::mem::take(&mut *disk);
        *disk = Disk { inodes, names: names.clone(), durable: names, boots: boots + 1, ..Disk::default() };
    }

    /// The power goes after so many more calls: each then fails, until [`SimFiles::crash`].
    pub fn power_off_after(&self, calls: u64) {
        self.0.lock().calls_left = Some(calls);
    }

    /// There is room for so many more bytes, or for any number.
    pub fn set_room(&self, room: Option<u64>) {
        let mut disk = self.0.lock();
        let used = disk.used();
        disk.capacity = room.map(|r| used + r);
    }

    /// So many of the next syncs of files fail, and lose what they should have kept.
    pub fn fail_syncs(&self, times: u32) {
        self.0.lock().failing_syncs = times;
    }

    /// Whether cutting a file fails.
    pub fn fail_cuts(&self, fail: bool) {
        self.0.lock().uncut = fail;
    }

    /// A write takes so many bytes at most.
    pub fn most_at_once(&self, bytes: Option<usize>) {
        self.0.lock().most_at_once = bytes;
    }

    /// The bytes of a file as a process sees them.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let disk = self.0.lock();
        disk.inode(name).ok().map(|n| disk.inodes[n].seen.clone())
    }

    /// Puts a file there, synced.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut disk = self.0.lock();
        disk.inodes.push(Inode::of(bytes));
        let inode = disk.inodes.len() - 1;
        disk.names.insert(name.to_owned(), inode);
        disk.durable.insert(name.to_owned(), inode);
    }
}

impl Change {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Add(name, inode) => drop(names.insert(name, inode)),
            Self::Remove(name) => drop(names.remove(&name)),
            Self::Rename(from, to, inode) => {
                names.remove(&from);
                names.insert(to, inode);
            }
        }
    }
}

impl Files for SimFiles {
    fn place(&self) -> String {
        "/sim/wal".to_owned()
    }

    fn list(&self) -> Result<Vec<String>> {
        Ok(self.0.lock().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> Result<Box<dyn File>> {
        let mut disk = self.0.lock();
        disk.powered()?;
        if disk.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        disk.inodes.push(Inode::default());
        let (inode, boot) = (disk.inodes.len() - 1, disk.boots);
        disk.names.insert(name.to_owned(), inode);
        disk.changes.push(Change::Add(name.to_owned(), inode));
        Ok(Box::new(SimFile { disk: Arc::clone(&self.0), inode, boot }))
    }

    fn open(&self, name: &str) -> Result<Box<dyn File>> {
        let disk = self.0.lock();
        let (inode, boot) = (disk.inode(name)?, disk.boots);
        Ok(Box::new(SimFile { disk: Arc::clone(&self.0), inode, boot }))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut disk = self.0.lock();
        disk.powered()?;
        let change = Change::Rename(from.to_owned(), to.to_owned(), disk.inode(from)?);
        change.clone().apply(&mut disk.names);
        disk.changes.push(change);
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let mut disk = self.0.lock();
        disk.powered()?;
        disk.inode(name)?;
        disk.names.remove(name);
        disk.changes.push(Change::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_dir(&self) -> Result<()> {
        let mut disk = self.0.lock();
        disk.powered()?;
        disk.durable = disk.names.clone();
        disk.changes.clear();
        Ok(())
    }
}

impl SimFile {
    /// The disk, unless its power was cut since the file was opened.
    fn disk(&self, change: bool) -> Result<parking_lot::MutexGuard<'_, Disk>> {
        let mut disk = self.disk.lock();
        if disk.boots != self.boot {
            return Err(Error::other("the power was off"));
        }
        if change {
            disk.powered()?;
        }
        Ok(disk)
    }
}

impl File for SimFile {
    fn len(&self) -> Result<u64> {
        Ok(self.disk(false)?.inodes[self.inode].seen.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> Result<usize> {
        let disk = self.disk(false)?;
        let rest = disk.inodes[self.inode].seen.get(at as usize..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn append(&mut self, pieces: &[IoSlice<'_>]) -> Result<usize> {
        assert!(pieces.len() <= 1024, "the kernel takes no more");
        let mut disk = self.disk(true)?;
        let room = disk.capacity.map(|c| c.saturating_sub(disk.used()) as usize);
        let bytes: Vec<u8> = pieces.iter().flat_map(|p| p.iter().copied()).collect();
        let n = bytes.len().min(disk.most_at_once.unwrap_or(usize::MAX)).min(room.unwrap_or(usize::MAX));
        if n == 0 && !bytes.is_empty() {
            return Err(Error::from_raw_os_error(28));
        }
        disk.inodes[self.inode].append(&bytes[..n]);
        Ok(n)
    }

    fn cut(&mut self, len: u64) -> Result<()> {
        let mut disk = self.disk(true)?;
        if disk.uncut {
            return Err(Error::from_raw_os_error(5));
        }
        disk.inodes[self.inode].cut(len as usize);
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        let mut disk = self.disk(true)?;
        let fails = disk.failing_syncs > 0;
        disk.failing_syncs = disk.failing_syncs.saturating_sub(1);
        disk.inodes[self.inode].sync(fails);
        if fails { Err(Error::from_raw_os_error(5)) } else { Ok(()) }
    }
}
