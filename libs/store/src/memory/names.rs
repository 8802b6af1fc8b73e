//! Services, operations and span kinds, each held once and counted.

use crate::Operation;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a span of the index refers to: the number of a service, operation and kind.
pub(super) type NameId = u32;

/// Bytes that one name takes in maps and allocations, beside its text (held twice).
const OVERHEAD: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Names {
    /// By service, operation and kind.
    ids: BTreeMap<String, BTreeMap<String, BTreeMap<String, NameId>>>,
    /// By number; `None` where a number is free.
    entries: Vec<Option<Name>>,
    free: Vec<NameId>,
    bytes: usize,
}

#[derive(Debug)]
struct Name {
    service: String,
    operation: String,
    kind: String,
    spans: u64,
}

impl Name {
    fn bytes(&self) -> usize {
        2 * (self.service.len() + self.operation.len() + self.kind.len()) + OVERHEAD
    }
}

impl Names {
    /// Counts one more span of that name.
    pub fn add(&mut self, service: &[u8], operation: &[u8], kind: &[u8]) -> NameId {
        let (service, operation, kind) = (text(service), text(operation), text(kind));
        let known = self.ids.get(&*service).and_then(|o| o.get(&*operation)).and_then(|k| k.get(&*kind)).copied();
        if let Some(id) = known {
            if let Some(name) = &mut self.entries[id as usize] {
                name.spans += 1;
            }
            return id;
        }
        let name = Name { service: service.into_owned(), operation: operation.into_owned(), kind: kind.into_owned(), spans: 1 };
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() as NameId - 1
        });
        self.bytes += name.bytes();
        let operations = self.ids.entry(name.service.clone()).or_default();
        operations.entry(name.operation.clone()).or_default().insert(name.kind.clone(), id);
        self.entries[id as usize] = Some(name);
        id
    }

    /// Counts one span less; the last one takes the name along.
    pub fn remove(&mut self, id: NameId) {
        let Some(slot) = self.entries.get_mut(id as usize) else { return };
        let Some(name) = slot else { return };
        name.spans -= 1;
        if name.spans > 0 {
            return;
        }
        let Some(name) = slot.take() else { return };
        self.free.push(id);
        self.bytes -= name.bytes();
        let Some(operations) = self.ids.get_mut(&name.service) else { return };
        if let Some(kinds) = operations.get_mut(&name.operation) {
            kinds.remove(&name.kind);
            if kinds.is_empty() {
                operations.remove(&name.operation);
            }
        }
        if operations.is_empty() {
            self.ids.remove(&name.service);
        }
    }

    /// Sorted.
    pub fn services(&self) -> Vec<String> {
        self.ids.keys().cloned().collect()
    }

    /// Sorted; of one kind unless `kind` is empty.
    pub fn operations(&self, service: &str, kind: &str) -> Vec<Operation> {
        let all = self.ids.get(service).into_iter().flatten();
        let all = all.flat_map(|(name, kinds)| kinds.keys().map(move |k| (name, k)));
        let wanted = all.filter(|(_, k)| kind.is_empty() || *k == kind);
        wanted.map(|(name, k)| Operation { name: name.clone(), kind: k.clone() }).collect()
    }

    /// For each number, whether it is of that service and operation; empty texts mean any.
    pub fn matching(&self, service: &str, operation: &str) -> Vec<bool> {
        let is = |wanted: &str, name: &str| wanted.is_empty() || wanted == name;
        let entry = |e: &Option<Name>| e.as_ref().is_some_and(|n| is(service, &n.service) && is(operation, &n.operation));
        self.entries.iter().map(entry).collect()
    }

    pub fn bytes(&self) -> usize {
        self.bytes + self.entries.capacity() * size_of::<Option<Name>>() + self.free.capacity() * size_of::<NameId>()
    }
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
