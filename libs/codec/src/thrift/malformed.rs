//! Why bytes are not Thrift.

/// Why bytes are not a value of Thrift's compact or binary protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The message ends inside a value.
    #[error("the message ends inside a value")]
    Truncated,
    /// A varint longer than ten bytes.
    #[error("a varint is longer than ten bytes")]
    Varint,
    /// A length or count below zero.
    #[error("a length is negative")]
    Negative,
    /// A count of elements that cannot lie in the bytes that are left.
    #[error("a list or map of {count} elements in {left} bytes")]
    Count {
        /// What the message says.
        count: u32,
        /// Bytes after it.
        left: u32,
    },
    /// A type that the protocol does not have.
    #[error("the type {0} does not exist")]
    Type(u8),
    /// A list of something else where structs belong.
    #[error("a list holds something else than structs")]
    NotStructs,
    /// Values in values, deeper than 64.
    #[error("values are nested deeper than 64")]
    Depth,
    /// The first byte of a message is not the compact protocol's, or the version is not 1.
    #[error("not a message of the compact protocol, version 1")]
    NotCompact,
    /// The message has a version other than 1.
    #[error("not a message of the binary protocol, version 1")]
    NotBinary,
}
