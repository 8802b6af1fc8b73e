use super::*;
use proptest::prelude::*;

fn any_figures() -> impl Strategy<Value = Figures> {
    let exemplar = (any::<[u8; 16]>(), any::<[u8; 8]>(), 0..MINUTE, any::<u64>());
    (prop::collection::vec(any::<u32>(), 1..20), 0..3_u64, prop::option::of(exemplar)).prop_map(
        |(durations, errors, exemplar)| {
            let mut figures = Figures { errors, ..Figures::default() };
            durations.iter().for_each(|d| figures.latency.record(u64::from(*d)));
            figures.exemplar =
                exemplar.map(|(trace_id, span_id, start, duration)| Exemplar { trace_id, span_id, start, duration });
            figures
        },
    )
}

proptest! {
    /// Guarantee: a document comes back as it was kept, and any damage is an error or other figures, never a panic.
    #[test]
    fn a_document_comes_back(
        rows in prop::collection::vec(("[a-c]", "[a-z/]{0,5}", 0..6_u8, 0..3_u8, 0..10_u64, any_figures()), 0..20),
        revision in any::<u64>(), offset in any::<i64>(), epoch in any::<u64>(), cut in any::<prop::sample::Index>(),
    ) {
        let interval = 1_700_000_000_000_000 / INTERVAL * INTERVAL;
        let mut document = Document { revision, ..Document::default() };
        document.marks.insert("spans/3".to_owned(), Mark { offset, epoch });
        for (service, operation, kind, status, minute, mut figures) in rows {
            let at = interval + minute * MINUTE;
            if let Some(e) = &mut figures.exemplar {
                e.start += at;
            }
            document.add(&SeriesKey { service, operation, kind, status }, at, &figures);
        }
        let bytes = document.encode(interval).unwrap();
        prop_assert_eq!(Document::decode(interval, &bytes).unwrap(), document);
        let _ = Document::<SeriesKey>::decode(interval, &bytes[..cut.index(bytes.len())]);
        let mut damaged = bytes.to_vec();
        let at = cut.index(damaged.len());
        damaged[at] ^= 0x55;
        let _ = Document::<LinkKey>::decode(interval, &damaged);
    }
}
