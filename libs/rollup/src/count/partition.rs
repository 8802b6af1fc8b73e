//! One source of spans, a partition of a topic or this process: its window, and what was counted of it since the last save.

use super::facts::Facts;
use super::join::{Calling, Joins, Open, Verdict, judge};
use super::names::{Child, Names};
use super::tally::{Counted, Tally};
use super::totals::Totals;
use super::window::{Class, EPOCHS, Info, Window};
use crate::document::{Connection, Exemplar, MINUTE, Mark, interval_of};
use skua_store::rollups::RollupKind;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::ops::Range;

/// What happened to spans, for the counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Counted, each once.
    pub counted: u64,
    /// Came again within the window.
    pub duplicate: u64,
    /// Counted before the process started; read again for the window.
    pub replayed: u64,
    /// Left the window before a span with their parent's id came.
    pub unjoined: u64,
    /// Left the window before their time, for lack of memory.
    pub evicted: u64,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// The first record to read, two windows before the first that is not counted: what is in the window then is as it was, since it only
    /// depends on what came up to a window before it.
    pub offset: i64,
    /// Milliseconds since 1970 that it was in the partition at that record; 0 when that is not known.
    pub clock: u64,
    /// All of this is in the documents.
    pub counted: Mark,
}

/// What ends a wait: a record, or the end of an epoch.
#[derive(Debug, Clone, Copy)]
enum At {
    Offset(i64),
    Epoch(u64),
}

pub(crate) struct Partition {
    /// Its name in marks.
    pub source: String,
    window: Window,
    joins: Joins,
    pub red: Tally,
    pub links: Tally,
    /// Everything before this offset was counted, or seen again.
    pub next: i64,
    /// Milliseconds since 1970, of the latest record; never goes back.
    clock: u64,
    /// Milliseconds of an epoch.
    epoch_ms: u64,
    /// Epoch, offset and clock of the first record of each epoch in the last two windows.
    starts: VecDeque<(u64, i64, u64)>,
    /// This was in all documents when the partition began.
    counted: Mark,
    /// Before this offset others may have counted already: documents have to be learned first.
    pub until: i64,
    /// What was counted already, by document.
    pub learned: HashMap<(RollupKind, u64), Mark>,
    /// A document that was not learned has a mark of at most this.
    pub known: i64,
    /// Tells it from the same partition at other times.
    pub assignment: u64,
    pub seen: Seen,
    only: Option<Only>,
}

/// Spans that are to be counted; the others are there for them.
#[derive(Debug, Clone)]
pub(crate) struct Only {
    /// The number of their service.
    pub service: u16,
    /// Microseconds since 1970.
    pub start: Range<u64>,
}

/// What all partitions share while spans are counted.
pub(crate) struct Shared<'a> {
    pub names: &'a mut Names,
    pub totals: &'a mut Totals,
    pub hasher: &'a foldhash::quality::RandomState,
}

/// A span's own key and its parent's, 0 for none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    own: u64,
    parent: u64,
}

impl Shared<'_> {
    pub fn keys(&self, f: &Facts<'_>) -> Keys {
        Keys { own: self.key(&f.trace_id, &f.span_id), parent: f.parent.map_or(0, |parent| self.key(&f.trace_id, &parent)) }
    }

    /// Never 0.
    #[inline]
    fn key(&self, trace_id: &[u8; 16], span_id: &[u8; 8]) -> u64 {
        self.hasher.hash_one((u128::from_be_bytes(*trace_id), u64::from_be_bytes(*span_id))).max(1)
    }
}

impl Partition {
    /// Begins at a position; before `until` documents have to be learned.
    pub fn new(source: String, from: Position, until: i64, window_ms: u64, assignment: u64) -> Self {
        let epoch_ms = (window_ms / EPOCHS).max(1);
        Self {
            source,
            // What was in the window at that record has expired since, or is not known.
            window: Window::new(from.clock / epoch_ms),
            joins: Joins::default(),
            red: Tally::default(),
            links: Tally::default(),
            next: from.offset,
            clock: from.clock,
            epoch_ms,
            starts: VecDeque::new(),
            counted: from.counted,
            until,
            learned: HashMap::new(),
            known: until,
            assignment,
            seen: Seen::default(),
            only: None,
        }
    }

    /// Counts these alone.
    pub fn only(self, only: Only) -> Self {
        Self { only: Some(only), ..self }
    }

    /// Where the next process has to begin to have the same window, once everything that was counted is saved.
    pub fn position(&self) -> Position {
        let (offset, clock) = self.starts.front().map_or((self.next, self.clock), |(_, offset, clock)| (*offset, *clock));
        Position { offset, clock, counted: self.mark() }
    }

    pub fn mark(&self) -> Mark {
        Mark { offset: self.next, epoch: self.window.floor().saturating_sub(1) }
    }

    /// A record comes: time goes on.
    pub fn record(&mut self, offset: i64, clock: u64, shared: &mut Shared<'_>) {
        if self.clock == 0 {
            self.window = Window::new(clock / self.epoch_ms);
        }
        self.tick(clock, shared);
        let epoch = self.window.epoch();
        if self.starts.back().is_none_or(|(last, ..)| *last != epoch) {
            self.starts.push_back((epoch, offset, self.clock));
        }
        self.next = offset + 1;
    }

    /// The time goes on, at most; what leaves the window is settled.
    pub fn tick(&mut self, clock: u64, shared: &mut Shared<'_>) {
        self.clock = self.clock.max(clock);
        let epoch = self.clock / self.epoch_ms;
        if epoch > self.window.epoch() {
            self.leave(epoch.saturating_sub(EPOCHS), shared, true);
            self.window.advance(epoch);
            self.joins.answered(epoch, |calling| answered(&mut self.window, calling));
            self.forget_starts();
        }
    }

    fn forget_starts(&mut self) {
        while self.starts.front().is_some_and(|(epoch, ..)| *epoch + EPOCHS < self.window.floor()) {
            self.starts.pop_front();
        }
    }

    /// Whether a span is to be counted at all.
    #[inline]
    fn is_wanted(&self, service: u16, start: u64) -> bool {
        self.only.as_ref().is_none_or(|only| only.service == service && only.start.contains(&start))
    }

    /// Whether a contribution is to be counted: it is not in its document yet.
    #[inline]
    fn is_new(&self, kind: RollupKind, start: u64, at: At) -> bool {
        let after = |mark: &Mark| match at {
            At::Offset(offset) => offset >= mark.offset,
            At::Epoch(epoch) => epoch > mark.epoch,
        };
        after(&self.counted) && (self.learned.is_empty() || self.learned.get(&(kind, interval_of(start))).is_none_or(after))
    }

    /// Reads what [`Partition::span`] will need.
    #[inline]
    pub fn touch(&self, keys: Keys) -> u64 {
        self.window.touch(keys.own) ^ self.window.touch(keys.parent)
    }

    /// Counts a span of the record at `offset`.
    #[inline]
    pub fn span(&mut self, f: &Facts<'_>, keys: Keys, service: u16, offset: i64, shared: &mut Shared<'_>) {
        let key = keys.own;
        let check = (f.start ^ f.duration.rotate_left(32) ^ f.name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
        let mut info = Info::new(service, f.kind, f.status == 2, check);
        let (mut duplicate, mut other_half) = (false, None);
        self.window.each(key, |found| {
            duplicate |= found.is(info);
            let halves = matches!((found.class(), info.class()), (Class::Caller, Class::Called) | (Class::Called, Class::Caller));
            if halves && found.service() != service {
                other_half.get_or_insert(found);
            }
            false
        });
        if duplicate {
            self.seen.duplicate += 1;
            return;
        }
        let exemplar = || Some(Exemplar { trace_id: f.trace_id, span_id: f.span_id, start: f.start, duration: f.duration });
        let wanted = self.is_wanted(service, f.start);
        if wanted && self.is_new(RollupKind::Red, f.start, At::Offset(offset)) {
            self.seen.counted += 1;
            let series = shared.names.series(service, f.name, f.kind, f.status);
            let counted = Counted { start: f.start, duration: f.duration, failed: false };
            shared.totals.series.record(series, &counted, exemplar);
            self.red.record(series, &counted, exemplar);
        } else {
            self.seen.replayed += 1;
        }
        let open = Open {
            key,
            parent: keys.parent,
            start: f.start,
            duration: u32::try_from(f.duration).unwrap_or(u32::MAX),
            epoch: self.window.epoch() as u32,
            info,
            candidate: None,
        };
        let at = At::Offset(offset);
        match (info.class(), other_half) {
            (Class::Called, Some(caller)) => {
                if wanted {
                    self.link(&open, caller, at, shared, exemplar());
                }
                self.window.each(key, |found| found.is(caller));
            }
            _ if open.parent == 0 && !(wanted && info.class() == Class::Called) => {}
            _ => self.find_parent(open, at, shared, exemplar),
        }
        if self.is_asked_for(&open, other_half, at, shared, exemplar) {
            info = info.answer();
        }
        self.window.insert(key, info);
        if wanted
            && info.class() == Class::Caller
            && !info.answered()
            && let Some((connection, name)) = f.peer.name()
        {
            let link = shared.names.link(service, Child::Peer(&name), connection);
            let calling = Calling { key, link, duration: open.duration, minute: (open.start / MINUTE) as u32, info };
            self.joins.call(self.window.epoch(), calling);
        }
    }

    /// Looks for the span's parent among those that came before.
    #[inline]
    fn find_parent(&mut self, mut open: Open, at: At, shared: &mut Shared<'_>, exemplar: impl Fn() -> Option<Exemplar>) {
        let (info, mut settled) = (open.info, None);
        if open.parent != 0 {
            self.window.each(open.parent, |parent| {
                match judge(info, parent) {
                    Verdict::Settled => _ = settled.get_or_insert(parent),
                    Verdict::Candidate => open.consider(parent),
                }
                parent.service() != info.service()
            });
        }
        match settled {
            Some(parent) => self.link(&open, parent, at, shared, exemplar()),
            None => self.joins.open(open),
        }
    }

    /// Settles the spans that waited for this one. True if one of them is of another service.
    #[inline]
    fn is_asked_for(
        &mut self,
        span: &Open,
        other_half: Option<Info>,
        at: At,
        shared: &mut Shared<'_>,
        exemplar: impl Fn() -> Option<Exemplar>,
    ) -> bool {
        let (info, mut answered) = (span.info, false);
        let mut joins = std::mem::take(&mut self.joins);
        if joins.is_waited_for(span.key) {
            joins.children(span.key, |open| {
                if open.key == span.key && open.info == info {
                    return true; // A span that names itself as its parent.
                }
                answered |= open.info.service() != info.service();
                match judge(open.info, info) {
                    Verdict::Settled => self.link(open, info, at, shared, exemplar()),
                    Verdict::Candidate => open.consider(info),
                }
                matches!(judge(open.info, info), Verdict::Candidate)
            });
        }
        if other_half.is_some() && info.class() == Class::Caller {
            answered = true;
            joins.own(span.key, |open| {
                let other = open.info.class() == Class::Called && open.info.service() != info.service();
                if other {
                    self.link(open, info, at, shared, exemplar());
                }
                !other
            });
        }
        self.joins = joins;
        answered
    }

    /// Counts a call, unless it stays within a service.
    fn link(&mut self, child: &Open, parent: Info, at: At, shared: &mut Shared<'_>, exemplar: Option<Exemplar>) {
        // A root that was not wanted is not here.
        let wanted = child.parent == 0 || self.is_wanted(child.info.service(), child.start);
        if parent.service() == child.info.service() || !wanted || !self.is_new(RollupKind::Links, child.start, at) {
            return;
        }
        let queued = parent.queued() || child.info.queued();
        let connection = if queued { Connection::Messaging } else { Connection::Call };
        let link = shared.names.link(parent.service(), Child::Service(child.info.service()), connection);
        let failed = child.info.failed() || (parent.class() == Class::Caller && parent.failed());
        let counted = Counted { start: child.start, duration: child.duration.into(), failed };
        shared.totals.links.record(link, &counted, || exemplar);
        self.links.record(link, &counted, || exemplar);
    }

    /// Settles what came before an epoch; `whole` is false when it has to go before its time.
    fn leave(&mut self, floor: u64, shared: &mut Shared<'_>, whole: bool) {
        while let Some((epoch, callers)) = self.joins.callers(floor) {
            for calling in callers {
                let at = At::Epoch(epoch);
                let start = u64::from(calling.minute) * MINUTE;
                if answered(&mut self.window, &calling) {
                    continue;
                }
                if !whole {
                    self.seen.evicted += 1;
                } else if self.is_new(RollupKind::Links, start, at) {
                    let counted = Counted { start, duration: calling.duration.into(), failed: calling.info.failed() };
                    shared.totals.links.record(calling.link, &counted, || None);
                    self.links.record(calling.link, &counted, || None);
                }
            }
        }
        for open in self.joins.expired(floor) {
            match open.candidate {
                _ if !whole => self.seen.evicted += u64::from(open.parent != 0),
                Some(parent) => self.link(&open, parent, At::Epoch(open.epoch.into()), shared, None),
                None => self.seen.unjoined += u64::from(open.parent != 0),
            }
        }
    }

    /// Gives up the oldest epoch of the window, for lack of memory.
    pub fn evict(&mut self, shared: &mut Shared<'_>) {
        let floor = self.window.floor() + 1;
        self.leave(floor, shared, false);
        self.window.expire(floor);
        self.window.shrink();
        self.forget_starts();
    }

    /// Settles everything, as when the window has passed.
    pub fn settle(&mut self, shared: &mut Shared<'_>) {
        self.leave(self.window.epoch() + 1, shared, true);
    }

    /// Room taken by what is not yet settled.
    pub fn bytes(&self) -> usize {
        self.window.bytes() + self.joins.bytes()
    }

    /// Whether there is an epoch to give up.
    pub fn can_evict(&self) -> bool {
        self.window.floor() < self.window.epoch()
    }
}

/// Whether another service answered a caller.
fn answered(window: &mut Window, calling: &Calling) -> bool {
    let mut answered = false;
    window.each(calling.key, |found| {
        answered |= found.is(calling.info) && found.answered();
        false
    });
    answered
}
