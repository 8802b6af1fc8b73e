//! What is told when a disk is full or failing.

use skua_store::{ErrorKind, StoreError};
use std::io;
use std::time::Duration;

/// How long a sender should wait.
const LATER: Duration = Duration::from_secs(1);

/// Why the log takes nothing.
#[derive(Debug)]
pub(super) struct Fault {
    /// Finishes "failed to …".
    pub text: String,
}

impl Fault {
    /// `what` finishes "failed to …" and names the directory or file.
    pub fn new(what: &str, error: &io::Error) -> Self {
        Self { text: format!("{what}: {}", cause(error)) }
    }

    /// For a sender.
    pub fn error(&self) -> StoreError {
        StoreError { retry_after: Some(LATER), ..StoreError::new(ErrorKind::Overloaded, self.text.clone()) }
    }
}

/// An error of the file system as an error of the store, for whom nothing is sent to: at a start.
pub(super) fn refused(what: String, error: &io::Error) -> StoreError {
    StoreError::new(ErrorKind::Unavailable, format!("{what}: {}", cause(error)))
}

/// In lower case and without the number: "no space left on device".
fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split_once(" (os error").map_or(&*text, |(before, _)| before);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
