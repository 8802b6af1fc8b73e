//! Distinct values and their codes.

use crate::columns::NULL;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Distinct byte strings, numbered in the order in which they came. Together they hold at most 4 GiB: who fills a head bounds it.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// Code and half of the hash: growing the table, and most misses, never touch the values.
    table: HashTable<(u32, u32)>,
    bytes: Vec<u8>,
    /// Where each value ends; empty when all are of [`Pool::width`].
    ends: Vec<u32>,
    /// Bytes of every value; 0: each has its own length.
    width: usize,
    last: u32,
}

fn spread(short: u32) -> u64 {
    u64::from(short).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn short_hash(value: &[u8]) -> u32 {
    (foldhash::fast::FixedState::with_seed(7).hash_one(value) >> 32) as u32
}

impl Pool {
    /// For values of this many bytes; 0: of any.
    pub fn of_width(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// Values.
    pub fn len(&self) -> usize {
        self.bytes.len().checked_div(self.width).unwrap_or(self.ends.len())
    }

    /// Empty for a code that there is not.
    #[inline]
    pub fn get(&self, code: u32) -> &[u8] {
        let code = code as usize;
        let (from, to) = if self.width > 0 {
            (code * self.width, (code + 1) * self.width)
        } else {
            let from = if code == 0 { 0 } else { self.ends.get(code - 1).copied().unwrap_or_default() };
            (from as usize, self.ends.get(code).copied().unwrap_or_default() as usize)
        };
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// All values, in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len() as u32).map(|code| self.get(code))
    }

    /// Code of the value, which becomes a new one where there is none.
    #[inline]
    pub fn code(&mut self, value: &[u8]) -> u32 {
        self.code_if(value, |_| true).unwrap_or_default()
    }

    /// As [`Pool::code`]; `None` when the value would be a new one and is not `sound`.
    #[inline]
    pub fn code_if(&mut self, value: &[u8], sound: impl FnOnce(&[u8]) -> bool) -> Option<u32> {
        if (self.last as usize) < self.len() && self.get(self.last) == value {
            return Some(self.last); // what stays the same or changes slowly is never hashed
        }
        let short = short_hash(value);
        if let Some(&(code, _)) = self.table.find(spread(short), |&(code, other)| other == short && self.get(code) == value) {
            self.last = code;
            return Some(code);
        }
        if !sound(value) {
            return None;
        }
        let code = self.add(value);
        self.table.insert_unique(spread(short), (code, short), |&(_, short)| spread(short));
        self.last = code;
        Some(code)
    }

    /// Adds a value that is known to be new and is never looked for by [`Pool::code`].
    pub fn add(&mut self, value: &[u8]) -> u32 {
        let code = self.len() as u32;
        self.bytes.extend_from_slice(value);
        if self.width == 0 {
            self.ends.push(self.bytes.len() as u32);
        }
        code
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        self.table.allocation_size() + self.bytes.capacity() + 4 * self.ends.capacity()
    }
}

/// Codes of rows, and their values.
#[derive(Debug, Default)]
pub(crate) struct Column {
    /// May end before the last row: what is missing is [`NULL`].
    pub codes: Vec<u32>,
    /// Rows with a value.
    pub count: u32,
    pub pool: Pool,
}

impl Column {
    /// Gives a row its code. Rows come in order.
    #[inline]
    pub fn put(&mut self, row: usize, code: u32) {
        if self.codes.len() < row {
            self.codes.resize(row, NULL);
        }
        self.codes.push(code);
        self.count += 1;
    }

    /// [`NULL`] where there is none.
    #[inline]
    pub fn code(&self, row: usize) -> u32 {
        self.codes.get(row).copied().unwrap_or(NULL)
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        4 * self.codes.capacity() + self.pool.bytes()
    }
}
