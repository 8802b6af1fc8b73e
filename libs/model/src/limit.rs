//! A limit for the bytes of one span: what is longer is trimmed or refused.

use crate::check::DecodeError;
use crate::copy::{Edit, Message, Place, copy};
use crate::rewrite::Rewrite;
use crate::warn::copy_with_warning;
use crate::{Refusal, SpanBatch};
use std::borrow::Cow;
use std::fmt::Write;

/// No value is cut to fewer bytes than this: what is left would say nothing.
const LEAST: usize = 32;

/// Bytes of a name in a warning.
const NAME: usize = 64;

/// Cut values that a warning names; it counts the rest.
const NAMED: usize = 8;

/// Bytes that a warning is expected to take; a longer one costs another try.
const WARNING: usize = 200;

/// How long a span may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanLimit {
    /// Bytes of the OTLP `Span` message.
    pub max_bytes: usize,
    /// What becomes of a longer span.
    pub over: Over,
}

/// What becomes of a span that is longer than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Its longest values are cut to one length, the longest at which the span fits, and a warning says which, from how many
    /// bytes to how many: values of attributes of the span, its events and links, texts in lists and maps, names of the span
    /// and its events, the status message. Text is cut between two characters. Keys stay. A span that does not fit with
    /// every value at 32 bytes is refused.
    Trim,
    /// It is refused.
    Refuse,
}

/// Trims or refuses each span that is over the limit, and returns how many were trimmed; the refused are counted in
/// [`SpanBatch::refused`] as [`Refusal::TooLarge`]. A batch without such a span is returned as it is, at the cost of one
/// comparison a span.
///
/// # Errors
/// When the new batch is longer than an index can address.
pub fn limit_spans(mut batch: SpanBatch, limit: SpanLimit) -> Result<(SpanBatch, u32), DecodeError> {
    let long = |batch: &SpanBatch| batch.spans().iter().filter(|s| s.body_size() > limit.max_bytes).count();
    if long(&batch) == 0 {
        return Ok((batch, 0));
    }
    let mut trimmed = 0;
    if limit.over == Over::Trim {
        let mut rewrite = Rewrite::new(&batch);
        for (number, entry) in (0..).zip(batch.spans()).filter(|(_, s)| s.body_size() > limit.max_bytes) {
            rewrite.span(number, |out| {
                let fits = trim(batch.span_body(entry), limit.max_bytes, out);
                trimmed += u32::from(fits);
                fits
            });
        }
        if let Some(new) = rewrite.finish()? {
            batch = new;
        }
    }
    let refused = long(&batch) as u32;
    batch.retain(|s| s.body_size() <= limit.max_bytes);
    batch.index.refused.add_many(Refusal::TooLarge, refused);
    Ok((batch, trimmed))
}

/// Appends the fields of a span so cut that they fit; false when that cannot be.
fn trim(body: &[u8], max: usize, out: &mut Vec<u8>) -> bool {
    let mut survey = Survey(Vec::new());
    copy(Message::Span, body, &mut Vec::with_capacity(body.len()), &mut survey);
    let from = out.len();
    let mut excess = body.len().saturating_sub(max) + WARNING;
    // The length of the warning depends on what is cut, and that on the length of the warning: both settle at once.
    for _ in 0..4 {
        let Some(level) = level(&survey.0, excess) else { return false };
        let mut cut = Cut { level, key: String::new(), longest: Vec::new(), count: 0 };
        let mut fields = Vec::with_capacity(max);
        copy(Message::Span, body, &mut fields, &mut cut);
        out.truncate(from);
        copy_with_warning(&fields, &cut.warning(body.len(), max), out);
        match (out.len() - from).checked_sub(max) {
            None | Some(0) => return true,
            Some(over) => excess += over,
        }
    }
    false
}

/// The longest length for values at which at least `excess` bytes are gained.
fn level(lengths: &[usize], excess: usize) -> Option<usize> {
    let gained = |level| lengths.iter().map(|n| n.saturating_sub(level)).sum::<usize>();
    let (mut enough, mut too_long) = (LEAST, lengths.iter().max()?.saturating_add(1));
    if gained(enough) < excess {
        return None;
    }
    while too_long - enough > 1 {
        let middle = enough + (too_long - enough) / 2;
        if gained(middle) >= excess { enough = middle } else { too_long = middle }
    }
    Some(enough)
}

fn can_be_cut(place: Place) -> bool {
    !matches!(place, Place::Key | Place::Whole)
}

/// The lengths of the values that can be cut.
struct Survey(Vec<usize>);

impl Edit for Survey {
    fn text<'a>(&mut self, place: Place, text: &'a [u8]) -> Cow<'a, [u8]> {
        if can_be_cut(place) && text.len() > LEAST {
            self.0.push(text.len());
        }
        Cow::Borrowed(text)
    }
}

/// Cuts the values that are longer than the level.
struct Cut {
    level: usize,
    /// The start of the last key.
    key: String,
    /// The longest of what was cut, longest first: its name, its bytes before and after.
    longest: Vec<(String, usize, usize)>,
    /// How many were cut.
    count: usize,
}

impl Edit for Cut {
    fn text<'a>(&mut self, place: Place, text: &'a [u8]) -> Cow<'a, [u8]> {
        if place == Place::Key {
            self.key.clear();
            self.key.push_str(&String::from_utf8_lossy(&text[..boundary(text, NAME)]));
        }
        if !can_be_cut(place) || text.len() <= self.level {
            return Cow::Borrowed(text);
        }
        let end = if place == Place::Bytes { self.level } else { boundary(text, self.level) };
        let name = if let Place::Named(name) = place { name } else { &self.key };
        let place = self.longest.partition_point(|(_, from, _)| *from >= text.len());
        if place < NAMED {
            self.longest.insert(place, (name.to_owned(), text.len(), end));
            self.longest.truncate(NAMED);
        }
        self.count += 1;
        Cow::Borrowed(&text[..end])
    }
}

impl Cut {
    fn warning(&self, was: usize, max: usize) -> String {
        let mut text = format!("The span had {was} bytes, more than the limit of {max}; cut: ");
        for (i, (name, from, to)) in self.longest.iter().enumerate() {
            let _ = write!(text, "{}{name} from {from} to {to} bytes", if i > 0 { ", " } else { "" });
        }
        if self.count > self.longest.len() {
            let _ = write!(text, ", and {} more", self.count - self.longest.len());
        }
        text
    }
}

/// The last place at or before `at` that is between two characters of UTF-8.
fn boundary(text: &[u8], at: usize) -> usize {
    let continues = |i: &usize| text.get(*i).is_some_and(|b| b & 0xc0 == 0x80);
    let at = at.min(text.len());
    (at.saturating_sub(3)..=at).rev().find(|i| !continues(i)).unwrap_or(at)
}
