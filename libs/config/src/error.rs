//! What stops a start.

use std::fmt;

/// The exit code of every configuration error: EX_USAGE of sysexits.h.
pub const EXIT_CODE: i32 = 64;

/// Everything that is wrong with a command line, an environment and a config file, one line a problem.
///
/// Each line names the source (file and line, variable or flag), the key, and where one is near the right name.
/// `Display` is the whole text for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl ConfigError {
    /// An error with one problem.
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problems: vec![problem.into()] }
    }

    /// `Ok` when there is no problem.
    pub(crate) fn check(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// An error with these problems, of which there is at least one.
    pub(crate) fn from(problems: Vec<String>) -> Self {
        Self { problems }
    }

    /// The problems one by one, in the order in which the sources were read.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The exit code that belongs to this error: 64.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        EXIT_CODE
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("\n"))
    }
}
