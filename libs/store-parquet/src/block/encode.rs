//! Parquet's encodings, as far as blocks use them.

use skua_model::wire::put_varint;

/// Bits that the numbers below `count` take, at least 1.
pub(super) fn width_of(count: usize) -> u32 {
    (usize::BITS - count.saturating_sub(1).leading_zeros()).max(1)
}

/// The RLE / bit-packing hybrid. `width` is at most 32.
pub(super) fn hybrid(values: &[u32], width: u32, out: &mut Vec<u8>) {
    let bytes = width.div_ceil(8) as usize;
    let flush = |literals: &[u32], out: &mut Vec<u8>| {
        if !literals.is_empty() {
            let groups = literals.len().div_ceil(8);
            put_varint(out, (groups << 1 | 1) as u64);
            pack(literals, width, out);
        }
    };
    let (mut at, mut pending) = (0, 0); // literals wait from `pending` on
    while at < values.len() {
        let value = values[at];
        let run = values[at..].iter().take_while(|v| **v == value).count();
        let end = at + run;
        let fill = (8 - (at - pending) % 8) % 8; // a run fills the last group of literals first
        if run >= fill + 16 || (pending == at && end == values.len()) {
            flush(&values[pending..at + fill], out);
            put_varint(out, ((run - fill) << 1) as u64);
            out.extend_from_slice(&value.to_le_bytes()[..bytes]);
            pending = end;
        }
        at = end;
    }
    flush(&values[pending..], out);
}

/// Groups of 8 numbers of `width` bits each, lowest bit first; the last group is filled with zeros.
pub(super) fn pack(values: &[u32], width: u32, out: &mut Vec<u8>) {
    let end = out.len() + values.len().div_ceil(8) * width as usize;
    out.reserve(end - out.len() + 8);
    let (mut bits, mut count) = (0_u64, 0);
    for value in values {
        bits |= u64::from(*value) << count;
        count += width;
        if count >= 32 {
            out.extend_from_slice(&(bits as u32).to_le_bytes());
            bits >>= 32;
            count -= 32;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes());
    out.resize(end, 0); // at most 31 bits are left, and zeros may be missing
}

/// Runs of equal bytes of bits from here on are told once.
const RUN: usize = 5;

/// Definition levels of `rows` rows, lowest bit first: 1 where there is a value. Nothing is set behind the last row.
pub(super) fn levels(bits: &[u64], rows: usize, values: usize, out: &mut Vec<u8>) {
    if values == 0 || values == rows {
        put_varint(out, (rows << 1) as u64);
        return out.push(u8::from(values != 0));
    }
    let byte = |at: usize| (bits[at / 8] >> (at % 8 * 8)) as u8;
    let bytes = rows.div_ceil(8);
    let flush = |from: usize, to: usize, out: &mut Vec<u8>| {
        if from < to {
            put_varint(out, ((to - from) << 1 | 1) as u64);
            out.extend((from..to).map(byte));
        }
    };
    let (mut at, mut pending) = (0, 0);
    while at < bytes {
        let value = byte(at);
        let mut end = at + 1;
        if value == 0 || value == 0xff {
            while end < bytes && byte(end) == value {
                end += 1;
            }
            if end - at >= RUN {
                flush(pending, at, out);
                put_varint(out, (((end * 8).min(rows) - at * 8) << 1) as u64);
                out.push(value & 1);
                pending = end;
            }
        }
        at = end;
    }
    flush(pending, bytes, out);
}

fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

/// `DELTA_BINARY_PACKED`: blocks of 128 values in 4 miniblocks.
pub(super) fn delta(values: &[i64], out: &mut Vec<u8>) {
    put_varint(out, 128);
    put_varint(out, 4);
    put_varint(out, values.len() as u64);
    put_varint(out, zigzag(values.first().copied().unwrap_or_default()));
    let mut deltas = [0_i64; 128];
    for from in (1..values.len()).step_by(128) {
        let count = (values.len() - from).min(128);
        for (delta, pair) in deltas.iter_mut().zip(values[from - 1..from + count].windows(2)) {
            *delta = pair[1].wrapping_sub(pair[0]);
        }
        let deltas = &deltas[..count];
        let min = deltas.iter().copied().min().unwrap_or_default();
        put_varint(out, zigzag(min));
        let widths = out.len();
        out.extend_from_slice(&[0; 4]);
        for (n, mini) in deltas.chunks(32).enumerate() {
            let all = mini.iter().fold(0, |all, delta| all | delta.wrapping_sub(min) as u64);
            let width = u64::BITS - all.leading_zeros();
            out[widths + n] = width as u8;
            pack_wide(mini, min, width, out);
        }
    }
}

/// 32 differences to `min` of up to 64 bits; those that are missing are zeros.
fn pack_wide(mini: &[i64], min: i64, width: u32, out: &mut Vec<u8>) {
    let end = out.len() + 4 * width as usize;
    let (mut bits, mut count) = (0_u128, 0);
    for delta in mini {
        bits |= u128::from(delta.wrapping_sub(min) as u64) << count;
        count += width;
        if count >= 64 {
            out.extend_from_slice(&(bits as u64).to_le_bytes());
            bits >>= 64;
            count -= 64;
        }
    }
    out.extend_from_slice(&(bits as u64).to_le_bytes());
    out.resize(end, 0);
}

#[cfg(test)]
mod tests;
