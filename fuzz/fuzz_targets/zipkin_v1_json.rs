#![no_main]

use skua_fuzz::{check, targets};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    check(&targets::ZIPKIN_V1_JSON, input);
});
