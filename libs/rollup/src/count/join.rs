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
use crate::document::MINUTE;
use hashbrown::HashTable;
use std::collections::VecDeque;

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
    /// Minutes since 1970.
    pub minute: u32,
    pub info: Info,
}

/// An open span without a parent: who shares its id can still turn out to have called it. There are many, so they are small.
#[derive(Debug, Clone, Copy)]
struct Root {
    key: u64,
    minute: u32,
    duration: u32,
    epoch: u32,
    info: Info,
}

impl Root {
    fn open(&self) -> Open {
        let Self { key, minute, duration, epoch, info } = *self;
        Open { key, parent: 0, start: u64::from(minute) * MINUTE, duration, epoch, info, candidate: None }
    }
}

/// The spans of a partition for which something is still open.
#[derive(Default)]
pub(crate) struct Joins {
    /// By the span's own key; they have a parent.
    open: HashTable<Open>,
    /// By the span's own key.
    roots: HashTable<Root>,
    /// Parent's key and own key, by the parent's.
    waits: HashTable<(u64, u64)>,
    /// By epoch, in the order in which they came.
    calling: VecDeque<(u64, Vec<Calling>)>,
}

impl Joins {
    pub fn open(&mut self, open: Open) {
        let Open { key, parent, start, duration, epoch, info, .. } = open;
        if parent == 0 {
            let root = Root { key, minute: (start / MINUTE) as u32, duration, epoch, info };
            self.roots.insert_unique(key, root, |r| r.key);
        } else {
            self.waits.insert_unique(parent, (parent, key), |w| w.0);
            self.open.insert_unique(key, open, |o| o.key);
        }
    }

    pub fn call(&mut self, epoch: u64, calling: Calling) {
        match self.calling.back_mut() {
            Some((last, list)) if *last == epoch => list.push(calling),
            _ => self.calling.push_back((epoch, vec![calling])),
        }
    }

    /// Forgets callers of before an epoch that were answered; most are within the epoch in which they come.
    pub fn answered(&mut self, before: u64, mut answered: impl FnMut(&Calling) -> bool) {
        for (_, list) in self.calling.iter_mut().rev().skip_while(|(epoch, _)| *epoch >= before).take(1) {
            list.retain(|calling| !answered(calling));
            list.shrink_to_fit();
        }
    }

    /// Takes out the callers of the first epoch if it is before `floor`.
    pub fn callers(&mut self, floor: u64) -> Option<(u64, Vec<Calling>)> {
        self.calling.front().is_some_and(|(epoch, _)| *epoch < floor).then(|| self.calling.pop_front()).flatten()
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
        while let Ok(found) = self.roots.find_entry(key, |r| r.key == key && !decide(&mut r.open())) {
            found.remove();
        }
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

    /// Takes out what came before an epoch, and forgets the roots.
    pub fn expired(&mut self, floor: u64) -> Vec<Open> {
        let expired: Vec<Open> = self.open.extract_if(|o| u64::from(o.epoch) < floor).collect();
        expired.iter().for_each(|o| self.forget(o.parent, o.key));
        self.roots.retain(|r| u64::from(r.epoch) >= floor);
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
        if self.roots.capacity() > 4 * self.roots.len() + 1024 {
            self.roots.shrink_to(2 * self.roots.len(), |r| r.key);
        }
    }

    pub fn bytes(&self) -> usize {
        let calling: usize = self.calling.iter().map(|(_, list)| list.capacity()).sum();
        self.open.allocation_size() + self.roots.allocation_size() + self.waits.allocation_size() + calling * size_of::<Calling>()
    }
}
