//! The values of a dictionary, or of a page without one.

use bytes::Bytes;

/// Values by their number.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    bytes: Bytes,
    /// 0: each is as long as it is.
    width: u32,
    /// Where each begins, and one more, each 4 bytes after the end of the one before.
    starts: Vec<u32>,
}

impl Values {
    /// All of one width.
    pub fn fixed(bytes: Bytes, width: u32) -> Self {
        Self { bytes, width, starts: Vec::new() }
    }

    /// Each after the 4 bytes of its length.
    pub(super) fn lengths(bytes: Bytes, starts: Vec<u32>) -> Self {
        Self { bytes, width: 0, starts }
    }

    /// False and true.
    pub fn bools() -> Self {
        Self::fixed(Bytes::from_static(&[0, 1]), 1)
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self.width {
            0 => self.starts.len().saturating_sub(1),
            width => self.bytes.len() / width as usize,
        }
    }

    /// The value of this number; empty when there is none.
    #[inline]
    pub fn get(&self, n: u32) -> &[u8] {
        let n = n as usize;
        let range = match self.width as usize {
            0 => match self.starts.get(n..n.saturating_add(2)) {
                Some([from, next]) => *from as usize..(*next as usize).saturating_sub(4),
                _ => return &[],
            },
            width => n.saturating_mul(width)..n.saturating_mul(width).saturating_add(width),
        };
        self.bytes.get(range).unwrap_or_default()
    }

    /// Bytes in memory.
    pub fn size(&self) -> usize {
        self.bytes.len() + 4 * self.starts.capacity()
    }
}
