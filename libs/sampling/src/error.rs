//! What keeps strategies from being served.

/// Finishes "failed to …"; names the place and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or the answer cannot be had.
    #[error("read the sampling strategies {place}: {cause}; correct --sampling.strategies-file or make it readable")]
    Unreadable {
        /// A path, or a URL without credentials.
        place: String,
        /// What the system or the server says.
        cause: String,
    },
    /// The text is not a strategies file.
    #[error("read the sampling strategies {place}, line {line} column {column}: {cause}")]
    Syntax {
        /// A path, or a URL without credentials.
        place: String,
        /// From 1.
        line: usize,
        /// From 1, in bytes; 0 is before the line's first.
        column: usize,
        /// What was found there, and what belongs there.
        cause: String,
    },
    /// An option has a value that nothing can be done with.
    #[error("use {flag}={value}: {cause}")]
    Option {
        /// With its dashes.
        flag: &'static str,
        /// As given.
        value: String,
        /// What it has to be.
        cause: &'static str,
    },
    /// There is no HTTP client.
    #[error("set up HTTP for the sampling strategies: {0}")]
    Http(#[source] reqwest::Error),
}
