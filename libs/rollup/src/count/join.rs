//! Parent and child, as they come: which calls which.
//!
//! What a span's parent is does not depend on the order in which spans come, as long as all of them come within the window:
//!
//! - The child of a caller (client, producer) that is called itself (server, consumer) is settled at once.
//! - Zipkin's clients and servers share an id: then the client called the server, whatever the server names as its parent; and what
//!   names that id as its parent was called by the server.
//! - A child is within its service when any span of its parent's id is.
//! - What a span of a shared id could still change is settled when the child leaves the window, all else at once.
//!
//! Calls within a service are not links. A caller that no span of another service answered, and that says whom it called, is a call
//! of that peer, counted when it leaves the window.

use super::window::{Class, Info};
use hashbrown::HashTable;

/// Span and parent, before it is settled who called the span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    /// The span's own key.
    pub key: u64,
    /// Its parent's key; 0 for a root.
    pub parent: u64,
    /// Microseconds since 1970.
    pub start: u64,
    /// Microseconds; an hour and more as the most that fits.
    pub duration: u32,
    /// When it came.
    pub epoch: u32,
    /// The span.
    pub info: Info,
    /// The span that called it if nothing else turns up.
    pub candidate: Option<Info>,
}

/// What a span of the parent's id says.
pub(crate) enum Verdict {
    /// It is the parent, and that is final.
    Settled,
    /// It is the parent if no other comes.
    Candidate,
}

/// Whether `parent` called `child`, which names it as its parent.
pub(crate) fn judge(child: Info, parent: Info) -> Verdict {
    let sure = match (child.class(), parent.class()) {
        (Class::Called, class) => class == Class::Caller,
        (_, Class::Other) => true,
        _ => child.service() == parent.service(),
    };
    if sure { Verdict::Settled } else { Verdict::Candidate }
}

impl Open {
    /// Remembers a span of the parent's id: the first, but rather one that was called.
    pub fn consider(&mut self, parent: Info) {
        let better = |before: Info| parent.class() == Class::Called && before.class() == Class::Caller;
        if self.candidate.is_none_or(better) {
            self.candidate = Some(parent);
        }
    }
}

/// A caller that says whom it called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calling {
    pub key: u64,
    /// The number of the link to count if nobody answers.
    pub link: u32,
    pub duration: u32,
    pub start: u64,
    pub info: Info,
    pub epoch: u32,
}

/// The spans of a partition for which something is still open.
#[derive(Default)]
pub(crate) struct Joins {
    /// By the span's own key.
    open: HashTable<Open>,
    /// Parent's key and own key, by the parent's.
    waits: HashTable<(u64, u64)>,
    /// In the order in which they came.
    pub calling: std::collections::VecDeque<Calling>,
}

impl Joins {
    pub fn open(&mut self, open: Open) {
        if open.parent != 0 {
            self.waits.insert_unique(open.parent, (open.parent, open.key), |w| w.0);
        }
        self.open.insert_unique(open.key, open, |o| o.key);
    }

    pub fn is_waited_for(&self, key: u64) -> bool {
        self.waits.find(key, |w| w.0 == key).is_some()
    }

    /// The children that wait for a key: `decide` says whether each stays open, and may change it.
    pub fn children(&mut self, key: u64, mut decide: impl FnMut(&mut Open) -> bool) {
        let children: Vec<u64> = self.waits.iter_hash(key).filter(|w| w.0 == key).map(|w| w.1).collect();
        for own in children {
            self.visit(own, |open| open.parent == key, &mut decide);
        }
    }

    /// The open spans with an own key.
    pub fn own(&mut self, key: u64, mut decide: impl FnMut(&mut Open) -> bool) {
        self.visit(key, |_| true, &mut decide);
    }

    fn visit(&mut self, own: u64, which: impl Fn(&Open) -> bool, decide: &mut impl FnMut(&mut Open) -> bool) {
        let mut settled = Vec::new();
        for open in self.open.iter_hash_mut(own).filter(|o| o.key == own) {
            if which(open) && !decide(open) {
                settled.push((open.parent, open.info));
            }
        }
        for (parent, info) in settled {
            if let Ok(found) = self.open.find_entry(own, |o| o.key == own && o.parent == parent && o.info == info) {
                found.remove();
            }
            self.forget(parent, own);
        }
    }

    fn forget(&mut self, parent: u64, own: u64) {
        if let Ok(found) = self.waits.find_entry(parent, |w| *w == (parent, own)) {
            found.remove();
        }
    }

    /// Takes out what came before an epoch.
    pub fn expired(&mut self, floor: u64) -> Vec<Open> {
        let expired: Vec<Open> = self.open.extract_if(|o| u64::from(o.epoch) < floor).collect();
        expired.iter().filter(|o| o.parent != 0).for_each(|o| self.forget(o.parent, o.key));
        self.shrink();
        expired
    }

    /// Gives room back when most of it is empty.
    fn shrink(&mut self) {
        if self.open.capacity() > 4 * self.open.len() + 1024 {
            self.open.shrink_to(2 * self.open.len(), |o| o.key);
        }
        if self.waits.capacity() > 4 * self.waits.len() + 1024 {
            self.waits.shrink_to(2 * self.waits.len(), |w| w.0);
        }
        if self.calling.capacity() > 4 * self.calling.len() + 1024 {
            self.calling.shrink_to(2 * self.calling.len());
        }
    }

    pub fn bytes(&self) -> usize {
        (self.open.capacity() + self.open.capacity() / 7) * (size_of::<Open>() + 1)
            + (self.waits.capacity() + self.waits.capacity() / 7) * 17
            + self.calling.capacity() * size_of::<Calling>()
    }
}
