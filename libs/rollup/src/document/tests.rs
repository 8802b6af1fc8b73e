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

/// A document as its visitor finds it.
fn visited(interval: u64, bytes: &[u8]) -> Result<Document<SeriesKey>, StoreError> {
    let mut document = Document::default();
    Visits::new()?.visit(RollupKind::Red, interval, bytes, |row| {
        let (first, second) = (row.first.to_owned(), row.second.to_owned());
        let Some(key) = SeriesKey::of(first, second, row.kind, row.status) else { return Ok(()) };
        let mut minutes = Vec::new();
        row.minutes(&(0..u64::MAX), |m| {
            let latency = Histogram::new(m.sum, m.buckets.to_vec());
            minutes.push((m.start, Figures { latency, errors: m.errors, exemplar: None }));
        })?;
        for (minute, figures) in &mut minutes {
            figures.exemplar = row.slower(&(*minute..*minute + 1), None)?;
            document.add(&key, *minute, figures);
        }
        Ok(())
    })?;
    Ok(document)
}

/// Guarantee: what says that it is larger than any document is not unpacked.
#[test]
fn too_large_a_document_is_refused() {
    let bomb = zstd::bulk::compress(&vec![0; (MOST_BYTES + 1) as usize], 1).unwrap();
    for error in [Document::<SeriesKey>::decode(0, &bomb).unwrap_err(), visited(0, &bomb).unwrap_err()] {
        assert!(error.message.contains("bytes are too many"), "{error}");
    }
    let error = visited(0, b"not zstd").unwrap_err();
    assert_eq!(error.message, "read the roll-ups (red) of 0: it is not compressed as roll-ups are");
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
        prop_assert_eq!(&Document::decode(interval, &bytes).unwrap(), &document);
        prop_assert_eq!(&visited(interval, &bytes).unwrap().rows, &document.rows);
        let _ = visited(interval, &bytes[..cut.index(bytes.len())]);
        let _ = Document::<SeriesKey>::decode(interval, &bytes[..cut.index(bytes.len())]);
        let mut damaged = bytes.to_vec();
        let at = cut.index(damaged.len());
        damaged[at] ^= 0x55;
        let _ = Document::<LinkKey>::decode(interval, &damaged);
        let _ = visited(interval, &damaged);
        let mut damaged = zstd::bulk::decompress(&bytes, 1 << 20).unwrap();
        let at = cut.index(damaged.len());
        damaged[at] ^= 0x55;
        let damaged = zstd::bulk::compress(&damaged, 1).unwrap();
        let _ = Document::<LinkKey>::decode(interval, &damaged);
        let _ = visited(interval, &damaged);
    }
}
