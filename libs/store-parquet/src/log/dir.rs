//! A directory of a real file system.

use super::files::{File, Files};
use std::fs::{self, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, IoSlice, Result, Write as _};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A directory that this process has for itself until it is dropped.
#[derive(Debug)]
pub(crate) struct Dir {
    path: PathBuf,
    /// Locked.
    handle: fs::File,
}

impl Dir {
    /// Takes a directory, which is made when it is missing.
    ///
    /// # Errors
    /// When it cannot be made or read; `WouldBlock` when another process has it.
    pub fn open(path: &Path) -> Result<Self> {
        make(path)?;
        let handle = fs::File::open(path)?;
        handle.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => Error::new(ErrorKind::WouldBlock, "another process uses it"),
            TryLockError::Error(e) => e,
        })?;
        Ok(Self { path: path.to_owned(), handle })
    }
}

/// Makes a directory and those above it, and puts their names on the disk.
fn make(path: &Path) -> Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
    fs::create_dir_all(path)?;
    for made in missing {
        let above = made.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(above)?.sync_all()?;
    }
    Ok(())
}

impl Files for Dir {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn list(&self) -> Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    fn create(&self, name: &str) -> Result<Box<dyn File>> {
        Ok(Box::new(OpenOptions::new().read(true).append(true).create_new(true).open(self.path.join(name))?))
    }

    fn open(&self, name: &str) -> Result<Box<dyn File>> {
        Ok(Box::new(OpenOptions::new().read(true).append(true).open(self.path.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_dir(&self) -> Result<()> {
        self.handle.sync_all()
    }
}

impl File for fs::File {
    fn len(&self) -> Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> Result<usize> {
        FileExt::read_at(self, buffer, at)
    }

    fn append(&mut self, pieces: &[IoSlice<'_>]) -> Result<usize> {
        self.write_vectored(pieces)
    }

    fn cut(&mut self, len: u64) -> Result<()> {
        self.set_len(len)
    }

    fn sync(&mut self) -> Result<()> {
        self.sync_data()
    }
}
