//! Attribute columns of a head: one for each key and type.

use super::pool::{Column, Pool};
use super::value::Plain;
use crate::columns::{MOST_ATTRIBUTES, NULL, Type};
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Values of one key and type.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub key: Vec<u8>,
    pub ty: Type,
    pub column: Column,
}

/// All columns of a head, numbered in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    pub columns: Vec<Attribute>,
    table: HashTable<u32>,
    /// The column that came after this one when it was looked for last: spans of one operation have their keys in one order.
    next: Vec<u32>,
    /// Columns of the key that Jaeger calls a span's kind, by type.
    pub kinds: [u32; 5],
}

/// The key of the tag that tells a span's kind.
pub(super) const SPAN_KIND: &[u8] = b"span.kind";

fn hash(key: &[u8], ty: Type) -> u64 {
    foldhash::fast::FixedState::with_seed(ty as u64).hash_one(key)
}

impl Attributes {
    pub fn new() -> Self {
        Self { kinds: [NULL; 5], next: vec![NULL], ..Self::default() }
    }

    pub fn find(&self, key: &[u8], ty: Type) -> Option<u32> {
        self.table.find(hash(key, ty), |n| self.is(*n, key, ty)).copied()
    }

    #[inline]
    fn is(&self, number: u32, key: &[u8], ty: Type) -> bool {
        self.columns.get(number as usize).is_some_and(|column| column.ty == ty && column.key == key)
    }

    /// Puts a value into its column, and returns the column's number; `None` when it can have none. `after` is the column of the
    /// attribute before it in the span, or [`NULL`].
    #[inline]
    pub fn push(&mut self, after: u32, key: &[u8], value: &Plain<'_>, row: usize) -> Option<u32> {
        let (ty, place) = (value.ty(), after.wrapping_add(1) as usize);
        let guess = self.next.get(place).copied().unwrap_or(NULL);
        let number = if self.is(guess, key, ty) {
            guess
        } else {
            let found = self.find(key, ty);
            let number = found.or_else(|| self.add(key, ty))?;
            self.next[place] = number;
            number
        };
        let column = &mut self.columns[number as usize].column;
        if column.codes.len() > row {
            return None; // the key is there already
        }
        let code = match value {
            Plain::String(text) => column.pool.code_if(text, |text| std::str::from_utf8(text).is_ok())?,
            Plain::Number(Type::Bool, bytes) => column.pool.code(&bytes[..1]),
            Plain::Number(_, bytes) => column.pool.code(bytes),
        };
        column.put(row, code);
        Some(number)
    }

    fn add(&mut self, key: &[u8], ty: Type) -> Option<u32> {
        if self.columns.len() == MOST_ATTRIBUTES || std::str::from_utf8(key).is_err() {
            return None;
        }
        let number = self.columns.len() as u32;
        let pool = Pool::of_width(match ty {
            Type::String => 0,
            Type::Bool => 1,
            Type::Int | Type::Double => 8,
        });
        self.columns.push(Attribute { key: key.to_vec(), ty, column: Column { pool, ..Column::default() } });
        self.next.push(NULL);
        let columns = &self.columns;
        let rehash = |n: &u32| columns.get(*n as usize).map_or(0, |column| hash(&column.key, column.ty));
        self.table.insert_unique(hash(key, ty), number, rehash);
        if key == SPAN_KIND {
            self.kinds[ty as usize] = number;
        }
        Some(number)
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        let column = |c: &Attribute| size_of::<Attribute>() + c.key.capacity() + c.column.bytes();
        self.columns.iter().map(column).sum()
    }
}
