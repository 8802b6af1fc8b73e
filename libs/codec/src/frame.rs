//! Length-delimited fields whose length is known only when their content is written.

use skua_model::wire::{put_varint, varint_len};

/// An open field: room is kept for the length that its content is expected to have, and moved if that was wrong.
/// Beside `wire::put_message` it lets the content fail, and it never moves a long content whose length was well guessed.
#[must_use]
pub(crate) struct Frame {
    body: usize,
    reserved: usize,
}

impl Frame {
    /// Writes the tag and keeps room for a length like `expected`.
    #[inline]
    pub fn open(out: &mut Vec<u8>, number: u32, expected: usize) -> Self {
        put_varint(out, u64::from(number << 3 | 2));
        let reserved = varint_len(expected as u64);
        out.extend_from_slice(&[0; 10][..reserved]);
        Self { body: out.len(), reserved }
    }

    /// Everything written since [`Frame::open`] is the content.
    #[inline]
    pub fn close(self, out: &mut Vec<u8>) {
        let len = out.len() - self.body;
        let need = varint_len(len as u64);
        if need != self.reserved {
            self.shift(out, need);
        }
        let (at, mut v) = (self.body - self.reserved, len);
        for i in 0..need {
            out[at + i] = (v & 0x7f) as u8 | if i + 1 < need { 0x80 } else { 0 };
            v >>= 7;
        }
    }

    #[inline(never)]
    fn shift(&self, out: &mut Vec<u8>, need: usize) {
        let (len, to) = (out.len() - self.body, self.body - self.reserved + need);
        if need > self.reserved {
            out.resize(to + len, 0);
        }
        out.copy_within(self.body..self.body + len, to);
        out.truncate(to + len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skua_model::wire::put_bytes;

    #[test]
    fn any_guess_gives_the_same_bytes() {
        for len in [0, 1, 127, 128, 16_383, 16_384] {
            for expected in [0, 127, 128, 16_384, 3_000_000] {
                let (mut got, mut want) = (vec![7], vec![7]);
                let frame = Frame::open(&mut got, 5, expected);
                got.resize(got.len() + len, 9);
                frame.close(&mut got);
                put_bytes(&mut want, 5, &vec![9; len]);
                assert_eq!(got, want, "{len} bytes, {expected} expected");
            }
        }
    }
}
