//! A pull parser for JSON: the caller asks for the value that it expects next. Strings without escapes are borrowed, nothing
//! else is allocated, and values that nobody asks for are checked and passed over.
//!
//! Beside `serde_json` it reads three things as Go's `encoding/json` does, with which Jaeger reads Zipkin: bytes that are not
//! UTF-8 and halves of surrogate pairs become U+FFFD, and the caller may look at what comes before it asks.

use std::borrow::Cow;

/// A string of a message: borrowed from it, if it lies there as it is.
pub(crate) type Text<'a> = Cow<'a, [u8]>;

/// Why a text is not the JSON that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {at}")]
pub struct JsonError {
    /// What was expected there, or what is wrong.
    pub problem: &'static str,
    /// Counted from 0.
    pub at: usize,
}

/// Lists and objects inside a value that is passed over, at most this deep.
const MAX_NESTING: u32 = 128;

/// A position in a text.
pub(crate) struct Json<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Json<'a> {
    /// At the start.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes that were read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Bytes that were not.
    pub fn remaining(&self) -> usize {
        self.text.len() - self.at
    }

    fn wrong<T>(&self, problem: &'static str) -> Result<T, JsonError> {
        Err(JsonError { problem: if self.at < self.text.len() { problem } else { "the text ends too early" }, at: self.at })
    }

    /// The next byte, 0 (which no JSON has) at the end.
    #[inline(always)]
    fn byte(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// The first byte of what comes next.
    #[inline(always)]
    pub fn peek(&mut self) -> u8 {
        while matches!(self.byte(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
        self.byte()
    }

    /// After the last value.
    pub fn end(&mut self) -> Result<(), JsonError> {
        self.peek();
        if self.at == self.text.len() { Ok(()) } else { self.wrong("something follows the value") }
    }

    /// Reads `null`, if that is what comes next.
    #[inline]
    pub fn null(&mut self) -> Result<bool, JsonError> {
        if self.peek() != b'n' {
            return Ok(false);
        }
        self.word(b"null")?;
        Ok(true)
    }

    /// Reads an empty string, if that is what comes next.
    pub fn empty_string(&mut self) -> bool {
        self.peek();
        let is = self.text[self.at..].starts_with(b"\"\"");
        self.at += if is { 2 } else { 0 };
        is
    }

    /// `true` or `false`.
    pub fn bool(&mut self) -> Result<bool, JsonError> {
        match self.peek() {
            b't' => self.word(b"true").map(|()| true),
            b'f' => self.word(b"false").map(|()| false),
            _ => self.wrong("not true or false"),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return self.wrong("not a value");
        }
        self.at += word.len();
        Ok(())
    }

    /// The bracket that opens a list; then [`Json::element`] until it says that there are no more.
    pub fn list(&mut self) -> Result<(), JsonError> {
        if self.peek() != b'[' {
            return self.wrong("not a list");
        }
        self.at += 1;
        Ok(())
    }

    /// The bracket that opens an object; then [`Json::key`] until there are no more.
    #[inline]
    pub fn object(&mut self) -> Result<(), JsonError> {
        if self.peek() != b'{' {
            return self.wrong("not an object");
        }
        self.at += 1;
        Ok(())
    }

    /// True when another element comes. `first` is true before the first one.
    #[inline]
    pub fn element(&mut self, first: &mut bool) -> Result<bool, JsonError> {
        self.next_or(b']', first)
    }

    /// The next key, its colon included.
    #[inline]
    pub fn key(&mut self, first: &mut bool) -> Result<Option<Text<'a>>, JsonError> {
        if !self.next_or(b'}', first)? {
            return Ok(None);
        }
        let key = self.string()?;
        if self.peek() != b':' {
            return self.wrong("no colon after a key");
        }
        self.at += 1;
        Ok(Some(key))
    }

    #[inline(always)]
    fn next_or(&mut self, close: u8, first: &mut bool) -> Result<bool, JsonError> {
        let c = self.peek();
        if std::mem::replace(first, false) {
            self.at += usize::from(c == close);
            return Ok(c != close);
        }
        match c {
            b',' => self.at += 1,
            c if c == close => self.at += 1,
            _ => return self.wrong("no comma or bracket after a value"),
        }
        Ok(c != close)
    }

    /// A number, as it is written.
    pub fn number(&mut self) -> Result<&'a str, JsonError> {
        self.peek();
        let from = self.at;
        self.at += usize::from(self.byte() == b'-');
        match self.byte() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), b'+' | b'-'));
            self.digits()?;
        }
        Ok(std::str::from_utf8(&self.text[from..self.at]).unwrap_or_default()) // ASCII
    }

    #[inline]
    fn digits(&mut self) -> Result<(), JsonError> {
        let from = self.at;
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > from { Ok(()) } else { self.wrong("not a number") }
    }

    /// A string.
    #[inline]
    pub fn string(&mut self) -> Result<Text<'a>, JsonError> {
        if self.peek() != b'"' {
            return self.wrong("not a string");
        }
        self.at += 1;
        let from = self.at;
        let is_ascii = self.plain();
        let run = &self.text[from..self.at];
        if self.byte() == b'"' && (is_ascii || std::str::from_utf8(run).is_ok()) {
            self.at += 1;
            return Ok(Cow::Borrowed(run));
        }
        self.escaped(run).map(Cow::Owned)
    }

    /// Goes on to the next byte that does not stand for itself, eight bytes at a time. False when some were not ASCII.
    #[inline(always)]
    fn plain(&mut self) -> bool {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = ONES << 7;
        let mut seen = 0;
        let mut rest = &self.text[self.at..];
        while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*chunk);
            let zero = |v: u64| v.wrapping_sub(ONES) & !v;
            let control = word.wrapping_sub(ONES * 0x20) & !word;
            // The lowest bit that is set is right; higher ones may come of a borrow.
            let special = (zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c)) | control) & HIGH;
            if special != 0 {
                let before = special.trailing_zeros() & !7;
                seen |= word & ((1 << before) - 1);
                self.at = self.text.len() - rest.len() + before as usize / 8;
                return seen & HIGH == 0;
            }
            seen |= word;
            rest = after;
        }
        let len = rest.iter().take_while(|b| !matches!(b, b'"' | b'\\' | 0..0x20)).count();
        seen |= rest[..len].iter().fold(0, |bits, b| bits | u64::from(*b));
        self.at = self.text.len() - rest.len() + len;
        seen & HIGH == 0
    }

    /// The rest of a string that does not lie in the text as it is, after its first run of plain bytes.
    #[inline(never)]
    fn escaped(&mut self, first: &[u8]) -> Result<Vec<u8>, JsonError> {
        let mut out = Vec::with_capacity(first.len() + 32);
        put_utf8(&mut out, first);
        loop {
            match self.byte() {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => self.escape(&mut out)?,
                _ => return self.wrong("a control character in a string"),
            }
            let from = self.at;
            self.plain();
            put_utf8(&mut out, &self.text[from..self.at]);
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), JsonError> {
        self.at += 1;
        let c = match self.byte() {
            c @ (b'"' | b'\\' | b'/') => c,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(out),
            _ => return self.wrong("not an escape of JSON"),
        };
        self.at += 1;
        out.push(c);
        Ok(())
    }

    fn unicode(&mut self, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let Some(first) = self.unit(self.at) else { return self.wrong("not four hex digits") };
        self.at += 5;
        let mut code = first;
        if (0xd800..0xdc00).contains(&first)
            && self.byte() == b'\\'
            && let Some(second @ 0xdc00..0xe000) = self.unit(self.at + 1)
        {
            self.at += 6;
            code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        }
        let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    /// `uXXXX` at a place.
    fn unit(&self, at: usize) -> Option<u32> {
        let (b'u', digits) = self.text.get(at..at + 5)?.split_first()? else { return None };
        digits.iter().try_fold(0, |v, b| Some(v << 4 | (*b as char).to_digit(16)?))
    }

    /// Passes over a value of any type.
    ///
    /// # Errors
    /// When it is not JSON or nests deeper than 128 levels.
    pub fn skip(&mut self) -> Result<(), JsonError> {
        self.skip_at(0)
    }

    fn skip_at(&mut self, nesting: u32) -> Result<(), JsonError> {
        match self.peek() {
            b'"' => self.string().map(drop),
            b'{' | b'[' if nesting == MAX_NESTING => self.wrong("nested deeper than 128 levels"),
            b'{' => {
                self.at += 1;
                let mut first = true;
                while self.key(&mut first)?.is_some() {
                    self.skip_at(nesting + 1)?;
                }
                Ok(())
            }
            b'[' => {
                self.at += 1;
                let mut first = true;
                while self.element(&mut first)? {
                    self.skip_at(nesting + 1)?;
                }
                Ok(())
            }
            b'n' => self.word(b"null"),
            b't' | b'f' => self.bool().map(drop),
            b'-' | b'0'..=b'9' => self.number().map(drop),
            _ => self.wrong("not a value"),
        }
    }
}

/// Copies, with U+FFFD for each byte that is not part of UTF-8.
fn put_utf8(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        chunk.invalid().iter().for_each(|_| out.extend_from_slice("\u{fffd}".as_bytes()));
    }
}

#[cfg(test)]
mod tests;
