//! Ids as hex digits of either case.

const DIGITS: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut i = 0;
    while i < 16 {
        digits[b"0123456789abcdef"[i] as usize] = i as u8;
        digits[b"0123456789ABCDEF"[i] as usize] = i as u8;
        i += 1;
    }
    digits
};

/// Exactly `N` bytes.
pub(super) fn bytes<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    if pairs.len() != N {
        return None;
    }
    let (mut out, mut all) = ([0; N], 0);
    for (byte, [hi, lo]) in out.iter_mut().zip(pairs) {
        let (hi, lo) = (DIGITS[usize::from(*hi)], DIGITS[usize::from(*lo)]);
        all |= hi | lo;
        *byte = hi << 4 | lo & 15;
    }
    (all < 16).then_some(out)
}

/// A number of any number of digits, but for none.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    if let Some(bytes) = bytes(text) {
        return Some(u64::from_be_bytes(bytes));
    }
    let digit = |v: u64, b: &u8| (*b as char).to_digit(16).filter(|_| v >> 60 == 0).map(|d| v << 4 | u64::from(d));
    text.iter().try_fold(0, digit).filter(|_| !text.is_empty())
}

/// A trace id: the last 16 digits are the low half.
pub(super) fn trace_id(text: &[u8]) -> Option<[u8; 16]> {
    if let Some(bytes) = bytes(text) {
        return Some(bytes);
    }
    let (high, low) = text.split_at(text.len().saturating_sub(16));
    let high = if high.is_empty() { 0 } else { number(high)? };
    Some((u128::from(high) << 64 | u128::from(number(low)?)).to_be_bytes())
}
