//! The decoders and their bounds, about half as much again as the worst inputs that we could think of (`tests.rs` has them).

use skua_codec::thrift::{self, Method, Protocol};
use skua_codec::{jaeger, otlp_json, zipkin};
use skua_model::SpanBatch;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The time of a span without any, nanoseconds since 1970.
const NOW: u64 = 1_700_000_000_000_000_000;

/// A decoder: appends OTLP, or says why it cannot.
pub type Decode = fn(&[u8], &mut Vec<u8>) -> Result<(), Box<dyn Error>>;

/// A decoder and what it may take.
pub struct Target {
    /// For the message of a failure.
    pub name: &'static str,
    /// What is called.
    pub decode: Decode,
    /// Bytes written for each byte read, at most.
    pub out: usize,
    /// Bytes allocated for each byte read at one time, at most: the output, which may hold up to three times its length while
    /// it doubles, and what the decoder keeps beside it.
    pub heap: usize,
    /// False where the input is passed on as it came: a single span of it may then be malformed.
    pub foreign: bool,
}

macro_rules! targets {
    ($($(#[$doc:meta])* $name:ident ($out:literal, $heap:literal) = $decode:expr;)+) => {
        $($(#[$doc])*
        pub static $name: Target =
            Target { name: stringify!($name), decode: $decode, out: $out, heap: $heap, foreign: true };)+
        /// All of them but [`OTLP_PROTO`].
        pub static ALL: &[&Target] = &[$(&$name),+];
    };
}

/// OTLP protobuf is not decoded but copied and indexed.
pub static OTLP_PROTO: Target = Target {
    name: "OTLP_PROTO",
    decode: |input, out| {
        SpanBatch::parse(input.to_vec())?;
        out.extend_from_slice(input);
        Ok(())
    },
    out: 1,
    heap: 24,
    foreign: false,
};

targets! {
    /// An empty object of 3 bytes becomes 2.
    OTLP_JSON (4, 16) = |input, out| Ok(otlp_json::decode(input, out)?);
    /// An empty span of 2 bytes becomes 80: ids, times, flags and the tag of the format.
    JAEGER_BATCH (64, 160) = |input, out| Ok(jaeger::decode::batch(input, Some("proto"), out)?);
    /// An empty reference of 2 bytes becomes a link of 66.
    JAEGER_SPAN (64, 160) = |input, out| Ok(jaeger::decode::span(input, out)?);
    /// An empty reference of 3 bytes becomes a link of 66.
    JAEGER_JSON (32, 128) = |input, out| Ok(jaeger::json::decode(input, out)?);
    /// A tag of an unknown type of 15 bytes becomes a text of 60; all else has its ids and times already.
    THRIFT_BATCH (8, 24) = |input, out| Ok(thrift::batch(input, Some("jaeger"), out)?);
    /// An empty `zipkincore.Span` is 1 byte and becomes 53, with three times that in a buffer that doubles.
    THRIFT_DATAGRAM_COMPACT (80, 240) = |input, out| datagram(Protocol::Compact, input, out);
    /// As in compact.
    THRIFT_DATAGRAM_BINARY (80, 240) = |input, out| datagram(Protocol::Binary, input, out);
    /// A span of only its ids, 25 bytes, becomes 90, and says that its time was absent.
    ZIPKIN_V2_JSON (12, 64) = |input, out| Ok(zipkin::v2_json(input, out)?);
    /// An empty annotation of 2 bytes becomes an event of 13 and an entry of 40 in a list.
    ZIPKIN_V2_PROTO (16, 128) = |input, out| Ok(zipkin::v2_proto(input, out)?);
    /// A span of only its ids, 55 bytes, becomes 94.
    ZIPKIN_V1_JSON (8, 32) = |input, out| Ok(zipkin::v1_json(input, NOW, out)?);
    /// An empty `zipkincore.Span` is 1 byte and becomes 50.
    ZIPKIN_V1_THRIFT (80, 240) = |input, out| Ok(zipkin::v1_thrift(input, out)?);
    /// An empty `zipkincore.Span` is 1 byte and becomes 53.
    ZIPKIN_CORE_THRIFT (80, 240) = |input, out| Ok(zipkin::core_thrift(input, out)?);
}

fn datagram(protocol: Protocol, input: &[u8], out: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
    thrift::datagram(protocol, input, None, out)?;
    Ok(())
}

/// A datagram says how many spans it has.
pub fn count(protocol: Protocol, input: &[u8]) {
    let mut out = Vec::new();
    let Ok(datagram) = thrift::datagram(protocol, input, None, &mut out) else { return };
    let batch = SpanBatch::parse(out).expect("what was decoded can be parsed");
    let spans = batch.len() + batch.refused().iter().map(|(_, n)| n as usize).sum::<usize>();
    match datagram.method {
        Method::EmitBatch => assert_eq!(datagram.spans, spans),
        // A span of Zipkin's that a client and a server share becomes two.
        Method::EmitZipkinBatch => assert!(datagram.spans <= spans && spans <= 2 * datagram.spans),
    }
}

/// With `SKUA_FUZZ_RATIOS` set, says on standard error when an input makes more bytes of each of its own than any before.
pub fn report(target: &Target, input: usize, out: usize, heap: usize) {
    static HIGHEST: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    // The floor tells nothing about the factor.
    if input < 64 || std::env::var_os("SKUA_FUZZ_RATIOS").is_none() {
        return;
    }
    let ratios = [out * 10 / input, heap * 10 / input];
    let mut higher = false;
    for (highest, ratio) in HIGHEST.iter().zip(ratios) {
        higher |= highest.fetch_max(ratio, Relaxed) < ratio;
    }
    if higher {
        let [out, heap] = HIGHEST.each_ref().map(|v| v.load(Relaxed) as f64 / 10.0);
        eprintln!("RATIO {} {out} bytes written, {heap} bytes of memory for each byte", target.name);
    }
}
