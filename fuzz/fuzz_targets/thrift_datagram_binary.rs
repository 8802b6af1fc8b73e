#![no_main]

use skua_codec::thrift::Protocol;
use skua_fuzz::{check, targets};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    check(&targets::THRIFT_DATAGRAM_BINARY, input);
    targets::count(Protocol::Binary, input);
});
