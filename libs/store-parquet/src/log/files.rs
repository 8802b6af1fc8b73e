//! The file system as the log needs it, so that a test can forget what was not synced, be full, or fail.

use std::io::{IoSlice, Result};

/// One directory of files. Names have no slashes.
pub(crate) trait Files: Send + Sync + 'static {
    /// The directory, for messages.
    fn place(&self) -> String;

    /// Names of all files, in no order.
    fn list(&self) -> Result<Vec<String>>;

    /// A new file; `AlreadyExists` when there is one of the name.
    fn create(&self, name: &str) -> Result<Box<dyn File>>;

    /// A file that is there; `NotFound` when it is not.
    fn open(&self, name: &str) -> Result<Box<dyn File>>;

    /// Gives a file another name, in place of a file that has it.
    fn rename(&self, from: &str, to: &str) -> Result<()>;

    /// Removes a file; one that is open stays readable.
    fn remove(&self, name: &str) -> Result<()>;

    /// Puts on the disk which files there are. Not what is in them.
    fn sync_dir(&self) -> Result<()>;
}

/// One open file.
pub(crate) trait File: Send {
    /// Bytes.
    fn len(&self) -> Result<u64>;

    /// Reads some bytes from a place; 0 at the end.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> Result<usize>;

    /// Writes at the end; returns how many bytes it took, which may be fewer than there are.
    fn append(&mut self, pieces: &[IoSlice<'_>]) -> Result<usize>;

    /// Cuts the file to this many bytes.
    fn cut(&mut self, len: u64) -> Result<()>;

    /// Puts on the disk what is in the file. After an error any byte since the last success may be lost, whatever a later call says.
    fn sync(&mut self) -> Result<()>;
}
