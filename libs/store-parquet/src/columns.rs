//! The columns of a span, as a head holds them and as a block holds them: who searches or rebuilds spans need not know which it is.

/// A code, or a number, where there is none.
pub(crate) const NULL: u32 = u32::MAX;

/// Attribute columns of a head at most; what comes later goes to the rest.
pub(crate) const MOST_ATTRIBUTES: usize = 256;

/// The type of an attribute column; the number is that of the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Type {
    /// UTF-8.
    String = 1,
    /// 8 bytes, little-endian.
    Int = 2,
    /// One byte, 0 or 1.
    Bool = 3,
    /// 8 bytes, little-endian.
    Double = 4,
}

impl Type {
    /// All.
    pub const ALL: [Self; 4] = [Self::String, Self::Int, Self::Bool, Self::Double];

    /// Of the number in a shape.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| *ty as u8 == number)
    }

    /// What follows the key in a column's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::String => "",
            Self::Int => ":int",
            Self::Bool => ":bool",
            Self::Double => ":double",
        }
    }
}

/// A column whose values are codes of a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    Service,
    Name,
    /// Optional.
    Message,
    /// Optional.
    TraceState,
    Resource,
    Scope,
    Shape,
    /// The attribute column of this number; optional.
    Attribute(u32),
}

/// A column of small numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Number {
    Kind,
    Status,
    Flags,
    /// [`NULL`] for a span that is not of Jaeger's model.
    JaegerFlags,
}

/// Rows of spans in columns: a head, or one page of a block. Rows are numbered from 0.
pub(crate) trait Rows {
    /// Big-endian.
    fn trace_id(&self, row: usize) -> [u8; 16];
    /// Big-endian.
    fn span_id(&self, row: usize) -> [u8; 8];
    /// Zero for a root.
    fn parent_id(&self, row: usize) -> [u8; 8];
    /// Nanoseconds since 1970, as the bits of an unsigned number.
    fn start(&self, row: usize) -> i64;
    /// Nanoseconds: end minus start, wrapping.
    fn duration(&self, row: usize) -> i64;
    /// [`NULL`] where there is none.
    fn number(&self, column: Number, row: usize) -> u32;
    /// [`NULL`] where there is none.
    fn code(&self, column: Field, row: usize) -> u32;
    /// The value of a code of the column.
    fn value(&self, column: Field, code: u32) -> &[u8];
    /// Whole fields of `Span`; empty where there are none.
    fn rest(&self, row: usize) -> &[u8];
    /// The number of the attribute column of this key and type.
    fn attribute(&self, key: &[u8], ty: Type) -> Option<u32>;
}
