use super::*;
use proptest::prelude::*;
use skua_model::wire::Cursor;

/// The numbers of a hybrid, at least as many as there are; a plain second reading of the format.
fn read_hybrid(mut bytes: &[u8], width: u32) -> Vec<u32> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let mut c = Cursor::new(bytes);
        let header = c.varint().unwrap() as usize;
        let body = &bytes[bytes.len() - c.remaining()..];
        let bits = |from: usize, count: usize| {
            (0..count).fold(0, |all, n| all | u32::from(body[(from + n) / 8] >> ((from + n) % 8) & 1) << n)
        };
        let width = width as usize;
        let (count, packed) = (header >> 1, header & 1 == 1);
        let taken = if packed { count * width } else { width.div_ceil(8) };
        if packed {
            out.extend((0..count * 8).map(|n| bits(n * width, width)));
        } else {
            out.extend(std::iter::repeat_n(bits(0, taken * 8), count));
        }
        bytes = &body[taken..];
    }
    out
}

/// Numbers with runs of every length.
fn runs(most: u32) -> impl Strategy<Value = Vec<u32>> {
    let run = (0..=most, prop_oneof![3 => 1_usize..3, 1 => 1_usize..70]);
    prop::collection::vec(run, 0..40).prop_map(|runs| runs.into_iter().flat_map(|(v, n)| std::iter::repeat_n(v, n)).collect())
}

proptest! {
    /// Scenario: numbers with short and long runs, of every width. Guarantee: a plain reader gets them back.
    #[test]
    fn hybrid_comes_back((width, values) in (1_u32..=32).prop_flat_map(|w| (Just(w), runs(u32::MAX >> (32 - w))))) {
        let mut out = Vec::new();
        hybrid(&values, width, &mut out);
        let read = read_hybrid(&out, width);
        prop_assert_eq!(&read[..values.len()], &values[..]);
        prop_assert!(read[values.len()..].iter().all(|v| *v == 0) && read.len() < values.len() + 8);
    }

    /// Scenario: rows with and without a value in runs. Guarantee: a plain reader gets the levels back, and nothing is counted twice.
    #[test]
    fn levels_come_back(rows in runs(1)) {
        let (mut bits, mut out) = (vec![0_u64; rows.len().div_ceil(64)], Vec::new());
        rows.iter().enumerate().for_each(|(n, v)| bits[n / 64] |= u64::from(*v) << (n % 64));
        let values = rows.iter().filter(|v| **v == 1).count();
        prop_assume!(!rows.is_empty());
        levels(&bits, rows.len(), values, &mut out);
        let read = read_hybrid(&out, 1);
        prop_assert_eq!(&read[..rows.len()], &rows[..]);
        prop_assert!(read.len() < rows.len() + 8);
    }
}

/// Guarantee: a dictionary's codes have as many bits as the largest of them needs.
#[test]
fn widths() {
    let widths: Vec<_> = [0, 1, 2, 3, 4, 5, 256, 257].map(width_of).into();
    assert_eq!(widths, [1, 1, 1, 2, 2, 3, 8, 9]);
}
