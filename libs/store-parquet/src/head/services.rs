//! Services and their operations, as they are seen.

use super::pool::Pool;
use crate::columns::NULL;
use crate::sidecar::{Operation, Service};
use hashbrown::HashSet;
use std::collections::{BTreeMap, BTreeSet};

/// Code of the service, code of the name, and kind.
type Seen = (u32, u32, u32);

/// A set of operations.
#[derive(Debug)]
pub(super) struct Services {
    seen: HashSet<Seen, foldhash::fast::FixedState>,
    last: Seen,
    /// Kinds that a span's own tag tells.
    kinds: Pool,
}

/// Kinds below are OTLP's numbers, those from here on codes of [`Services::kinds`].
const OWN: u32 = 8;

impl Default for Services {
    fn default() -> Self {
        let seen = HashSet::with_hasher(foldhash::fast::FixedState::with_seed(7));
        Self { seen, last: (NULL, NULL, NULL), kinds: Pool::default() }
    }
}

impl Services {
    /// An operation whose kind is a number of OTLP's; 0: it has none.
    #[inline]
    pub fn add(&mut self, service: u32, name: u32, kind: u32) {
        let seen = (service, name, kind.min(OWN - 1));
        if self.last != seen {
            self.last = seen;
            self.seen.insert(seen);
        }
    }

    /// An operation whose kind is a text.
    pub fn add_own(&mut self, service: u32, name: u32, kind: &[u8]) {
        let seen = (service, name, OWN + self.kinds.code(kind));
        self.last = seen;
        self.seen.insert(seen);
    }

    /// Sorted, each once.
    pub fn list(&self, services: &Pool, names: &Pool) -> Vec<Service> {
        let mut all = BTreeMap::<&[u8], BTreeSet<(&[u8], &[u8])>>::new();
        for &(service, name, kind) in &self.seen {
            let kind = match kind.checked_sub(OWN) {
                Some(code) => self.kinds.get(code),
                None => skua_model::kind_text(u64::from(kind)).unwrap_or_default().as_bytes(),
            };
            all.entry(services.get(service)).or_default().insert((names.get(name), kind));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let operation = |(name, kind): (&[u8], &[u8])| Operation { name: text(name), kind: text(kind) };
        let service = |(name, operations): (&[u8], BTreeSet<_>)| Service {
            name: text(name),
            operations: operations.into_iter().map(operation).collect(),
        };
        all.into_iter().map(service).collect()
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        self.seen.allocation_size() + self.kinds.bytes()
    }
}
