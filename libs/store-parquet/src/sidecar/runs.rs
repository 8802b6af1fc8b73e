//! Where each trace lies in a block: a run of rows.

use skua_model::wire::{Cursor, put_varint};
use std::ops::Range;

/// The traces of a block in the order of their rows: the first 4 bytes of each id, and where its rows begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    prefixes: Vec<u32>,
    /// One more than traces: the last is the number of rows.
    starts: Vec<u32>,
}

fn prefix(id: &[u8; 16]) -> u32 {
    u32::from_be_bytes([id[12], id[13], id[14], id[15]])
}

impl Runs {
    /// Of the trace ids of all rows in their order; rows of a trace lie together.
    pub fn of(rows: impl Iterator<Item = [u8; 16]>) -> Self {
        let (mut runs, mut last, mut count) = (Self::default(), None, 0);
        for id in rows {
            if last != Some(id) {
                runs.prefixes.push(prefix(&id));
                runs.starts.push(count);
                last = Some(id);
            }
            count += 1;
        }
        runs.starts.push(count);
        runs
    }

    /// Traces.
    pub fn len(&self) -> usize {
        self.prefixes.len()
    }

    /// The runs that may be this trace's: their ids are to be compared.
    pub fn of_trace(&self, id: &[u8; 16]) -> impl Iterator<Item = Range<usize>> + use<'_> {
        let wanted = prefix(id);
        let found = self.prefixes.iter().enumerate().filter(move |(_, prefix)| **prefix == wanted);
        found.map(|(n, _)| self.starts[n] as usize..self.starts[n + 1] as usize)
    }

    /// Bytes in memory.
    pub fn size(&self) -> usize {
        4 * (self.prefixes.len() + self.starts.len())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(5 * self.len() + 8);
        put_varint(&mut out, self.len() as u64);
        self.starts.windows(2).for_each(|w| put_varint(&mut out, u64::from(w[1] - w[0])));
        self.prefixes.iter().for_each(|prefix| out.extend_from_slice(&prefix.to_le_bytes()));
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(bytes);
        let count = c.varint().ok()? as usize;
        if count > bytes.len() {
            return None;
        }
        let (mut starts, mut row) = (Vec::with_capacity(count + 1), 0_u32);
        starts.push(0);
        for _ in 0..count {
            row = row.checked_add(u32::try_from(c.varint().ok()?).ok()?)?;
            starts.push(row);
        }
        let prefixes = bytes.get(bytes.len() - c.remaining()..)?;
        if prefixes.len() != 4 * count {
            return None;
        }
        let prefixes = prefixes.chunks_exact(4).map(|p| u32::from_le_bytes([p[0], p[1], p[2], p[3]])).collect();
        Some(Self { prefixes, starts })
    }
}
