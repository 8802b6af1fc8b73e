//! The thread that writes.

use super::fault::Fault;
use super::files::Files;
use super::queue::{Answer, Entry, Queue, Stop};
use super::record::Name;
use super::segment::{Segment, Stopped};
use super::{Options, probe};
use crate::config::Sync;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// All that the thread has.
pub(super) struct Writer {
    files: Arc<dyn Files>,
    options: Options,
    queue: Arc<Queue>,
    /// Bytes of each file there is.
    all: BTreeMap<Name, u64>,
    /// The file that is being written; none before the first record of a segment and after a failure.
    current: Option<Segment>,
    forgotten: u64,
    /// When to sync (`interval`).
    sync_at: Option<Instant>,
    /// When to look whether the disk has recovered.
    probe_at: Option<Instant>,
}

/// Tells the queue, however the thread ends.
struct AtEnd(Arc<Queue>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Writer {
    /// `all` are the files there are, of segments after `forgotten`.
    pub fn new(files: Arc<dyn Files>, options: Options, queue: Arc<Queue>, all: BTreeMap<Name, u64>, forgotten: u64) -> Self {
        let mut writer = Self { files, options, queue, all, current: None, forgotten, sync_at: None, probe_at: None };
        writer.count();
        writer
    }

    /// Until it is told to stop.
    pub fn run(mut self) {
        let _end = AtEnd(Arc::clone(&self.queue));
        loop {
            let until = [self.sync_at, self.probe_at].into_iter().flatten().min();
            let round = self.queue.take(until, self.forgotten);
            if matches!(round.stop, Stop::Abandon | Stop::Ended) {
                return;
            }
            self.write(round.entries);
            if round.forget > self.forgotten {
                self.forget(round.forget);
            }
            if let Stop::Close(answer) = round.stop {
                // Whoever closed it may have gone.
                let _gone = answer.send(self.finish());
                return;
            }
            let now = Instant::now();
            if self.sync_at.is_some_and(|at| at <= now) {
                // Nobody waits for this sync; a failure is told by the next check.
                let _told = self.sync();
            }
            if self.probe_at.is_some_and(|at| at <= now) {
                self.probe();
            }
            self.count();
        }
    }

    fn write(&mut self, mut entries: Vec<Entry>) {
        while let Some(first) = entries.first() {
            let segment = first.segment;
            let rest = entries.iter().position(|e| e.segment != segment).map(|at| entries.split_off(at));
            self.keep(segment, entries);
            entries = rest.unwrap_or_default();
        }
    }

    /// Writes records of one segment and answers each of them.
    fn keep(&mut self, segment: u64, mut entries: Vec<Entry>) {
        if let Some(fault) = self.queue.fault() {
            return answer(entries, &Err(fault));
        }
        if let Err(fault) = self.turn_to(segment) {
            return answer(entries, &Err(fault));
        }
        let Some(current) = &mut self.current else { return };
        let mut stopped = None;
        if let Err(Stopped { whole, error, broken }) = current.append(&entries) {
            stopped = Some((entries.split_off(whole), self.fail("write", &error), broken));
        }
        let kept = match self.options.sync {
            Sync::Batch => self.sync(),
            Sync::Interval => {
                self.sync_at.get_or_insert_with(|| Instant::now() + self.options.interval);
                Ok(())
            }
            Sync::Off => Ok(()),
        };
        answer(entries, &kept);
        if let Some((failed, fault, broken)) = stopped {
            if broken {
                // The fault is set already.
                let _told = self.leave();
            }
            answer(failed, &Err(fault));
        }
    }

    /// Makes the present file one of this segment.
    fn turn_to(&mut self, segment: u64) -> Answer {
        if self.current.as_ref().is_some_and(|c| c.name.segment == segment) {
            return Ok(());
        }
        self.leave()?;
        let parts = Name { segment, part: 0 }..=Name { segment, part: u32::MAX };
        let part = self.all.range(parts).next_back().map_or(0, |(last, _)| last.part.saturating_add(1));
        let name = Name { segment, part };
        match Segment::create(&*self.files, name, self.options.sync != Sync::Off) {
            Ok(current) => {
                self.all.insert(name, current.len);
                self.current = Some(current);
                Ok(())
            }
            Err(error) => {
                match self.files.remove(&name.to_string()) {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => drop(self.all.insert(name, 0)),
                    _ => (),
                }
                Err(self.fail("begin a file of", &error))
            }
        }
    }

    /// Ends the present file.
    fn leave(&mut self) -> Answer {
        let synced = if self.options.sync == Sync::Off { Ok(()) } else { self.sync() };
        self.count();
        self.current = None;
        synced
    }

    /// Puts the present file on the disk. When that fails nothing more is written to it, and what was not acknowledged is cut off.
    fn sync(&mut self) -> Answer {
        self.sync_at = None;
        let Some(current) = &mut self.current else { return Ok(()) };
        let Err(error) = (if current.dirty() { current.sync() } else { Ok(()) }) else { return Ok(()) };
        if let Some(current) = self.current.take() {
            let name = current.name;
            let len = if self.options.sync == Sync::Batch { current.give_up() } else { current.len };
            self.all.insert(name, len);
        }
        Err(self.fail("sync", &error))
    }

    /// Nothing is taken until a probe succeeds.
    fn fail(&mut self, what: &str, error: &io::Error) -> Arc<Fault> {
        let fault = Arc::new(Fault::new(&format!("{what} the log in {}", self.files.place()), error));
        if self.queue.fault().is_none() {
            tracing::error!("failed to {}; spans are refused until it can be written again", fault.text);
        }
        self.queue.set_fault(Some(Arc::clone(&fault)));
        self.probe_at = Some(Instant::now() + self.options.probe);
        fault
    }

    fn probe(&mut self) {
        match probe::probe(&*self.files, self.options.sync != Sync::Off) {
            Ok(()) => {
                self.probe_at = None;
                self.queue.set_fault(None);
                tracing::info!("the log in {} can be written again", self.files.place());
            }
            Err(error) => drop(self.fail("write", &error)),
        }
    }

    fn forget(&mut self, through: u64) {
        if self.current.as_ref().is_some_and(|c| c.name.segment <= through) {
            (self.current, self.sync_at) = (None, None);
        }
        self.forgotten = through;
        let names: Vec<Name> = self.all.keys().copied().take_while(|n| n.segment <= through).collect();
        for name in names {
            match self.files.remove(&name.to_string()) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    // It is tried again with the next segment, and at the next start.
                    tracing::warn!("failed to remove {}/{name}: {e}", self.files.place());
                }
                _ => drop(self.all.remove(&name)),
            }
        }
        // There is room now, perhaps.
        self.probe_at = self.probe_at.map(|_| Instant::now());
    }

    fn finish(&mut self) -> Answer {
        self.sync()?;
        self.count();
        self.queue.fault().map_or(Ok(()), Err)
    }

    /// Shows the bytes of all files.
    fn count(&mut self) {
        if let Some(current) = &self.current {
            self.all.insert(current.name, current.len);
        }
        self.queue.bytes.store(self.all.values().sum(), Ordering::Relaxed);
    }
}

fn answer(entries: Vec<Entry>, result: &Answer) {
    for entry in entries {
        // Whoever waited may have gone.
        let _gone = entry.answer.send(result.clone());
    }
}
