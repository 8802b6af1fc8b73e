//! Which ranges of an object are read together.

use bytes::Bytes;
use std::ops::Range;

/// Ranges that hold all of `wanted`, ascending and apart: what overlaps, touches or has less than `gap` bytes between it is one, and so
/// is what has the smallest gaps, until there are at most `most`. `None` when one ends before it begins.
pub(super) fn join(wanted: &[Range<u64>], most: usize, gap: u64) -> Option<Vec<Range<u64>>> {
    if wanted.iter().any(|range| range.end < range.start) {
        return None;
    }
    let mut sorted: Vec<Range<u64>> = wanted.iter().filter(|range| !range.is_empty()).cloned().collect();
    sorted.sort_unstable_by_key(|range| range.start);
    let apart = merge(sorted, |_, between| between < gap);
    if apart.len() <= most {
        return Some(apart);
    }
    let mut gaps: Vec<(u64, usize)> = (1..apart.len()).map(|i| (apart[i].start - apart[i - 1].end, i)).collect();
    gaps.sort_unstable();
    gaps.truncate(apart.len() - most.max(1));
    let mut joined: Vec<usize> = gaps.into_iter().map(|(_, i)| i).collect();
    joined.sort_unstable();
    Some(merge(apart, |i, _| joined.binary_search(&i).is_ok()))
}

/// Makes one of neighbours that overlap or touch, or of which `joins` is true: of the number of the second and the bytes between.
fn merge(sorted: Vec<Range<u64>>, joins: impl Fn(usize, u64) -> bool) -> Vec<Range<u64>> {
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for (i, range) in sorted.into_iter().enumerate() {
        match merged.last_mut() {
            Some(last) if range.start <= last.end || joins(i, range.start - last.end) => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Each of `wanted`, from the bytes of `joined`; `None` when those are too short.
pub(super) fn cut(joined: &[Range<u64>], bytes: &[Bytes], wanted: &[Range<u64>]) -> Option<Vec<Bytes>> {
    let one = |range: &Range<u64>| {
        if range.is_empty() {
            return Some(Bytes::new());
        }
        let place = joined.partition_point(|whole| whole.start <= range.start).checked_sub(1)?;
        let from = usize::try_from(range.start - joined[place].start).ok()?;
        let to = from.checked_add(usize::try_from(range.end - range.start).ok()?)?;
        bytes.get(place).filter(|whole| to <= whole.len()).map(|whole| whole.slice(from..to))
    };
    wanted.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::single_range_in_vec_init, reason = "lists of ranges, which may have one")]

    use super::*;

    /// Scenario: ranges in any order. Guarantees: small gaps are always joined, then the smallest until there are few enough.
    #[test]
    fn the_smallest_gaps_go_first() {
        let of = |starts: &[u64]| starts.iter().map(|start| *start..*start + 10).collect::<Vec<_>>();
        for (wanted, most, gap, want) in [
            (of(&[]), 4, 5, vec![]),
            (of(&[100, 0]), 4, 5, vec![0..10, 100..110]),
            (of(&[0, 10, 5]), 4, 0, vec![0..20]),
            (of(&[0, 14, 29]), 4, 5, vec![0..24, 29..39]),
            (of(&[0, 100, 150, 300, 320]), 3, 5, vec![0..10, 100..160, 300..330]),
            (of(&[0, 100, 150, 300, 320]), 1, 5, vec![0..330]),
            (vec![3..3, 0..10, 2..4], 4, 5, vec![0..10]),
        ] {
            assert_eq!(join(&wanted, most, gap).unwrap(), want, "{wanted:?}");
        }
        #[allow(clippy::reversed_empty_ranges, reason = "damage")]
        let backwards = 5..4;
        assert_eq!(join(&[backwards], 4, 5), None);
    }

    proptest::proptest! {
        /// Whatever is asked for is answered with its own bytes, in the order of the question.
        #[test]
        fn every_range_is_answered(wanted in proptest::collection::vec((0..900u64, 0..100u64), 0..40), most in 1..6usize, gap in 0..50u64) {
            let object: Bytes = (0..1000u32).map(|i| (i % 251) as u8).collect();
            let wanted: Vec<_> = wanted.into_iter().map(|(from, len)| from..from + len).collect();
            let joined = join(&wanted, most, gap).unwrap();
            assert!(joined.len() <= most);
            let bytes: Vec<_> = joined.iter().map(|r| object.slice(r.start as usize..r.end as usize)).collect();
            let answer = cut(&joined, &bytes, &wanted).unwrap();
            let want: Vec<_> = wanted.iter().map(|r| object.slice(r.start as usize..r.end as usize)).collect();
            assert_eq!(answer, want);
            if let Some(last) = bytes.last() {
                let short: Vec<_> = bytes[..bytes.len() - 1].iter().cloned().chain([last.slice(1..)]).collect();
                assert!(cut(&joined, &short, &wanted).is_none());
            }
        }
    }
}
