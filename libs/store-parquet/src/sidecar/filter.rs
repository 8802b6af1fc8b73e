//! A set of hashes that may say yes of one in 256 that it does not hold, and never no of one that it holds.

use bytes::Bytes;
use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter as _, FilterRef as _};

/// An immutable set of 64-bit hashes, 9 bits each.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    descriptor: [u8; BinaryFuse8::DESCRIPTOR_LEN],
    /// Empty: the set is.
    fingerprints: Bytes,
}

impl Filter {
    /// Of these hashes, in any order, repeated or not.
    pub fn of(mut hashes: Vec<u64>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        let mut descriptor = [0; BinaryFuse8::DESCRIPTOR_LEN];
        if hashes.is_empty() {
            return Self { descriptor, fingerprints: Bytes::new() };
        }
        match BinaryFuse8::try_from(&hashes[..]) {
            Ok(filter) => {
                filter.dma_copy_descriptor_to(&mut descriptor);
                Self { descriptor, fingerprints: Bytes::copy_from_slice(filter.dma_fingerprints()) }
            }
            // Of distinct keys it succeeds but for a chance of nearly none; one that says yes to all is right too.
            Err(_) => Self { descriptor, fingerprints: Bytes::from_static(&[0]) },
        }
    }

    /// Whether the hash may be in the set.
    pub fn contains(&self, hash: u64) -> bool {
        match self.fingerprints.len() {
            0 => false,
            1 => true,
            _ => BinaryFuse8Ref::from_dma(&self.descriptor, &self.fingerprints).contains(&hash),
        }
    }

    /// Bytes in memory.
    pub fn size(&self) -> usize {
        self.descriptor.len() + self.fingerprints.len()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        [&self.descriptor[..], &self.fingerprints].concat()
    }

    pub(super) fn decode(bytes: Bytes) -> Option<Self> {
        let descriptor = bytes.get(..BinaryFuse8::DESCRIPTOR_LEN)?.try_into().ok()?;
        Some(Self { descriptor, fingerprints: bytes.slice(BinaryFuse8::DESCRIPTOR_LEN..) })
    }
}
