use super::*;

/// Scenario: a sidecar is written and read, and then cut or changed anywhere. Guarantee: it comes back the same, and damage is
/// told of and never a panic.
#[test]
fn comes_back_or_is_refused() {
    let ids: Vec<[u8; 16]> = (0_u8..40).flat_map(|n| vec![[n; 16]; 1 + usize::from(n % 3)]).collect();
    let operation = Operation { name: "GET /".to_owned(), kind: "server".to_owned() };
    let about = About {
        spans: ids.len() as u32,
        page_rows: 16,
        start_min: vec![1, i64::MIN],
        services: vec![Service { name: "shop".to_owned(), operations: vec![operation] }],
        ..About::default()
    };
    let sidecar = Sidecar {
        traces: Filter::of(ids.iter().map(trace_hash).collect()),
        tags: Filter::of(Vec::new()),
        about,
        runs: Runs::of(ids.iter().copied()),
    };
    let file = Bytes::from(sidecar.encode());
    let read = Sidecar::decode(&file).expect("as it was written");
    assert_eq!((&read.about, &read.runs), (&sidecar.about, &sidecar.runs));
    assert!(ids.iter().all(|id| read.traces.contains(trace_hash(id))), "no id is denied");
    assert!(!read.tags.contains(7), "the empty set has nothing");
    let rows: Vec<_> = read.runs.of_trace(&[4; 16]).map(|run| (run.start, run.end)).collect();
    assert_eq!(rows, [(7, 9)], "after 1, 2, 3 and 1 rows come the 2 of this trace");
    for length in 0..file.len() {
        assert!(Sidecar::decode(&file.slice(..length)).is_err(), "cut at {length}");
    }
    for at in 0..file.len() {
        let mut changed = file.to_vec();
        changed[at] ^= 0x41;
        assert!(Sidecar::decode(&changed.into()).is_err(), "changed at {at}");
    }
}
