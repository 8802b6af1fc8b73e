//! Where a value came from.

use std::fmt;

/// The source of a value; later ones win.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The table.
    Default,
    /// A config file.
    File {
        /// As it was given.
        path: String,
        /// From 1.
        line: usize,
    },
    /// This environment variable.
    Environment(String),
    /// The command line.
    CommandLine,
}

impl Origin {
    /// A sentence about a flag from this source: `environment variable ES_TIMEOUT: es.timeout wants …`.
    /// `rest` starts with what follows the name: a space or a colon.
    pub(crate) fn sentence(&self, flag: &str, rest: &str) -> String {
        match self {
            Self::CommandLine => format!("--{flag}{rest}"),
            Self::Default => format!("{flag}{rest}"),
            Self::Environment(_) | Self::File { .. } => format!("{self}: {flag}{rest}"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "config file {path}:{line}"),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}
