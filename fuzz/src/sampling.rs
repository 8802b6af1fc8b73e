//! Sampling strategies: what clients are told, and what a person has written.

use crate::memory::Meter;
use skua_codec::sampling::{Response, read_request};

// The crate itself brings an HTTP client and a runtime; what reads a file of it is these two.
#[path = "../../libs/sampling/src/file/document.rs"]
mod document;
#[path = "../../libs/sampling/src/file/merge.rs"]
mod merge;

/// The most bytes of memory for a byte of the message: an operation of 2 bytes is a pair of 32 in a vector that is copied
/// while it doubles.
const HEAP: usize = 100;

/// Reads the answers and requests of gRPC's `SamplingManager`.
pub fn check_messages(input: &[u8]) {
    let meter = Meter::start();
    let response = Response::from_proto(input);
    let service = read_request(input);
    assert!(meter.peak() <= HEAP * input.len() + crate::FLOOR, "{} bytes for {}", meter.peak(), input.len());
    drop(service);
    let Ok(response) = response else { return };
    let text = response.to_json();
    assert!(text.starts_with("{\"strategyType\":") && text.ends_with('}'));
    drop(response.to_legacy_json());
    let again = Response::from_proto(&response.to_proto()).expect("our own message");
    assert_eq!(again.to_proto(), response.to_proto(), "the same, written and read again");
}

/// The most bytes of memory for a byte of a file of strategies: an empty one of 3 bytes is a struct of 80 in a vector that is copied
/// while it doubles.
const DOCUMENT: usize = 128;

/// Reads a strategies file. What comes of it has no bound by the length of the file: each service gets the default's operations.
pub fn check_file(input: &[u8]) {
    let meter = Meter::start();
    let document = document::Document::parse(input);
    assert!(meter.peak() <= DOCUMENT * input.len() + crate::FLOOR, "{} bytes for {}", meter.peak(), input.len());
    let Ok(document) = document else { return };
    let (table, warnings) = merge::Table::merge(&document, 0.001);
    let names = document.service_strategies.iter().map(|s| s.service.as_str()).take(20);
    for service in names.chain(["a service that is not there"]) {
        let response = table.find(service);
        assert!(response.to_json().starts_with("{\"strategyType\":"));
        assert!(Response::from_proto(&response.to_proto()).is_ok());
    }
    assert!(warnings.iter().all(|text| text.len() <= 8 * input.len() + crate::FLOOR));
    merge::Table::defaults(0.5).find("");
}
