//! Which spans a partition brought in the last minutes: what a span's parent is looked up in, and its duplicates.
//!
//! A span takes 12 bytes: with a window of two minutes at 20 000 spans a second there are 2.4 million of them. An entry holds 64 bits of
//! a hash of trace id and span id, so that two of these millions are taken for each other once in some thousand days.

/// Epochs of a window: it moves on by an eighth of its length.
pub(crate) const EPOCHS: u64 = 8;
/// Tables of a window, each of which grows on its own, so that growing never needs the room of the whole twice.
const SEGMENTS: usize = 32;
/// Tags of epochs; an entry is cleared away before its tag is used again.
const TAGS: u64 = 32;
/// Services that an entry can name.
pub(crate) const MOST_SERVICES: usize = 1 << 14;

/// What a span is in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Other,
    /// Client or producer.
    Caller,
    /// Server or consumer.
    Called,
}

impl Class {
    /// Of OTLP's number of a span kind.
    fn of(kind: u8) -> Self {
        match kind {
            3 | 4 => Self::Caller,
            2 | 5 => Self::Called,
            _ => Self::Other,
        }
    }
}

/// What the window knows of a span: service (14 bits), class (2), answered (1), failed (1), by way of a queue (1),
/// tag (5), check (8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Info(u32);

const ANSWERED: u32 = 1 << 16;
const FAILED: u32 = 1 << 17;
const QUEUED: u32 = 1 << 18;
const TAG: u32 = 19;
const CHECK: u32 = 24;

impl Info {
    /// `kind` is OTLP's number; `check` tells spans of one id apart, by its lowest eight bits.
    pub fn new(service: u16, kind: u8, failed: bool, check: u64) -> Self {
        let failed = if failed { FAILED } else { 0 };
        let queued = if matches!(kind, 4 | 5) { QUEUED } else { 0 };
        Self(u32::from(service) | (Class::of(kind) as u32) << 14 | failed | queued | (check as u32) << CHECK)
    }

    /// Producer or consumer.
    pub fn queued(self) -> bool {
        self.0 & QUEUED != 0
    }

    /// The same, answered.
    pub fn answer(self) -> Self {
        Self(self.0 | ANSWERED)
    }

    pub fn service(self) -> u16 {
        (self.0 & 0x3fff) as u16
    }

    pub fn class(self) -> Class {
        match self.0 >> 14 & 3 {
            1 => Class::Caller,
            2 => Class::Called,
            _ => Class::Other,
        }
    }

    pub fn failed(self) -> bool {
        self.0 & FAILED != 0
    }

    /// Whether a span of another service was its child.
    pub fn answered(self) -> bool {
        self.0 & ANSWERED != 0
    }

    /// Whether both are of one span.
    pub fn is(self, other: Self) -> bool {
        const APART: u32 = ANSWERED | (TAGS as u32 - 1) << TAG;
        (self.0 ^ other.0) & !APART == 0
    }

    fn tagged(self, epoch: u64) -> Self {
        Self(self.0 | ((epoch % TAGS) as u32) << TAG)
    }

    /// Epochs since it came, as seen in `now`.
    fn age(self, now: u64) -> u64 {
        now.wrapping_sub(u64::from(self.0 >> TAG)) % TAGS
    }
}

/// Twelve bytes; a key of 0 is an empty slot.
#[derive(Clone, Copy)]
#[repr(C, packed(4))]
struct Slot {
    key: u64,
    info: Info,
}

/// Slots of the smallest table.
const LEAST: usize = 14;

const EMPTY: Slot = Slot { key: 0, info: Info(0) };

#[derive(Default)]
struct Segment {
    slots: Vec<Slot>,
    /// Slots that are not empty, expired ones among them.
    used: usize,
}

impl Segment {
    fn at(&self, key: u64) -> usize {
        ((u64::from(key as u32) * self.slots.len() as u64) >> 32) as usize
    }

    /// Visits the slots that a key may be in until `visit` says that it is enough.
    #[inline]
    fn probe(&mut self, key: u64, mut visit: impl FnMut(&mut Slot) -> bool) {
        if self.slots.is_empty() {
            return;
        }
        let mut at = self.at(key);
        while !visit(&mut self.slots[at]) {
            at = if at + 1 == self.slots.len() { 0 } else { at + 1 };
        }
    }

    fn insert(&mut self, key: u64, info: Info, alive: impl Fn(Info) -> bool) {
        if (self.used + 1) * 8 > self.slots.len() * 7 {
            self.clear_away(&alive);
        }
        let mut fresh = false;
        self.probe(key, |slot| {
            fresh = slot.key == 0;
            let free = fresh || !alive(slot.info);
            if free {
                *slot = Slot { key, info };
            }
            free
        });
        self.used += usize::from(fresh);
    }

    /// Takes out what has expired: in its place if the table is as large as it should be, so that a steady stream allocates nothing.
    fn clear_away(&mut self, alive: impl Fn(Info) -> bool) {
        let live = self.slots.iter().filter(|s| s.key != 0 && alive(s.info)).count();
        let room = self.slots.len();
        if room == 0 || live * 5 > room * 4 || (live * 2 < room && room > LEAST) {
            let old = std::mem::replace(&mut self.slots, vec![EMPTY; (live * 4 / 3).max(LEAST)]);
            old.into_iter().filter(|s| s.key != 0 && alive(s.info)).for_each(|slot| self.put(slot));
        } else if live < self.used {
            self.sweep(alive);
        }
        self.used = live;
    }

    /// Each run of slots between two empty ones is put together anew.
    fn sweep(&mut self, alive: impl Fn(Info) -> bool) {
        let Some(begin) = self.slots.iter().position(|s| s.key == 0) else { return };
        let (mut run, mut expired) = (Vec::new(), false);
        for at in (begin + 1..self.slots.len()).chain(0..=begin) {
            let slot = self.slots[at];
            if slot.key != 0 {
                expired |= !alive(slot.info);
                run.push(slot);
                continue;
            }
            if std::mem::take(&mut expired) {
                // They are those before this slot.
                for back in 1..=run.len() {
                    let place = if at >= back { at - back } else { at + self.slots.len() - back };
                    self.slots[place] = EMPTY;
                }
                run.drain(..).filter(|s| alive(s.info)).for_each(|slot| self.put(slot));
            }
            run.clear();
        }
    }

    /// Into the first empty slot.
    fn put(&mut self, slot: Slot) {
        let Slot { key, .. } = slot;
        self.probe(key, |place| {
            let free = place.key == 0;
            if free {
                *place = slot;
            }
            free
        });
    }
}

/// The spans of one partition.
pub(crate) struct Window {
    segments: Vec<Segment>,
    /// Of what comes now.
    epoch: u64,
    /// What came in an earlier epoch has expired.
    floor: u64,
    /// The segment that is cleared away next.
    next: usize,
}

impl Window {
    pub fn new(epoch: u64) -> Self {
        Self { segments: (0..SEGMENTS).map(|_| Segment::default()).collect(), epoch, floor: epoch, next: 0 }
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The earliest epoch that has not expired.
    pub fn floor(&self) -> u64 {
        self.floor
    }

    fn segment(&mut self, key: u64) -> &mut Segment {
        &mut self.segments[(key >> 59) as usize]
    }

    /// Reads where a key would be: many of these at once wait for memory no longer than one.
    #[inline]
    pub fn touch(&self, key: u64) -> u64 {
        let segment = &self.segments[(key >> 59) as usize];
        segment.slots.get(segment.at(key)).map_or(0, |slot| slot.key)
    }

    /// Visits the entries of a key that have not expired, and may mark them as answered by returning true.
    #[inline]
    pub fn each(&mut self, key: u64, mut visit: impl FnMut(Info) -> bool) {
        let (epoch, reach) = (self.epoch, self.epoch - self.floor);
        self.segment(key).probe(key, |slot| {
            if slot.key == key && slot.info.age(epoch) <= reach && visit(slot.info) {
                slot.info = { slot.info }.answer();
            }
            slot.key == 0
        });
    }

    #[inline]
    pub fn insert(&mut self, key: u64, info: Info) {
        let (epoch, reach) = (self.epoch, self.epoch - self.floor);
        self.segment(key).insert(key, info.tagged(epoch), |info| info.age(epoch) <= reach);
    }

    /// Another epoch begins. What came more than [`EPOCHS`] before it has expired.
    pub fn advance(&mut self, epoch: u64) {
        let steps = epoch.saturating_sub(self.epoch);
        self.epoch = self.epoch.max(epoch);
        self.expire(self.epoch.saturating_sub(EPOCHS));
        if steps > EPOCHS {
            self.segments.iter_mut().for_each(|segment| *segment = Segment::default());
            return;
        }
        // Before the tags come round again every segment is cleared away.
        for _ in 0..steps as usize * SEGMENTS / EPOCHS as usize {
            let (epoch, reach) = (self.epoch, self.epoch - self.floor);
            self.segments[self.next].clear_away(|info| info.age(epoch) <= reach);
            self.next = (self.next + 1) % SEGMENTS;
        }
    }

    /// What came before `floor` has expired.
    pub fn expire(&mut self, floor: u64) {
        self.floor = self.floor.max(floor.min(self.epoch));
    }

    /// Gives back the room of what has expired.
    pub fn shrink(&mut self) {
        let (epoch, reach) = (self.epoch, self.epoch - self.floor);
        self.segments.iter_mut().for_each(|s| s.clear_away(|info| info.age(epoch) <= reach));
    }

    /// Room taken.
    pub fn bytes(&self) -> usize {
        self.segments.iter().map(|s| s.slots.capacity() * size_of::<Slot>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    #[test]
    fn an_entry_takes_twelve_bytes() {
        assert_eq!(size_of::<Slot>(), 12);
    }

    proptest! {
        /// Scenario: keys that share slots, epochs that pass one by one or in leaps. Guarantee: the window finds exactly what a list of
        /// the last epochs holds.
        #[test]
        fn finds_what_has_not_expired(steps in prop::collection::vec((any::<u8>(), 0..40_u64), 1..400)) {
            let mut window = Window::new(1000);
            let mut list: VecDeque<(u64, u64, u16)> = VecDeque::new();
            for (n, (key, leap)) in steps.into_iter().enumerate() {
                if key < 40 {
                    window.advance(window.epoch() + leap);
                    list.retain(|(epoch, ..)| epoch + EPOCHS >= window.epoch());
                }
                // Some keys in one segment, all of them in few slots.
                let key = (u64::from(key) + 1) << 56 | u64::from(key % 16) << 4 | 1;
                let info = Info::new(n as u16, 3, n % 2 == 0, n as u64);
                window.insert(key, info);
                list.push_back((window.epoch(), key, n as u16));
                let mut found = Vec::new();
                window.each(key, |info| {
                    found.push(info.service());
                    false
                });
                found.sort_unstable();
                let expected: Vec<u16> = list.iter().filter(|(_, k, _)| *k == key).map(|(.., n)| *n).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn an_answer_is_remembered() {
        let mut window = Window::new(5);
        let info = Info::new(7, 2, true, 3);
        window.insert(99, info);
        window.each(99, |found| {
            assert!(found.is(info) && !found.answered() && found.failed() && found.class() == Class::Called);
            assert!(!found.is(Info::new(7, 2, true, 4)));
            true
        });
        window.each(99, |found| {
            assert!(found.is(info) && found.answered());
            false
        });
    }
}
