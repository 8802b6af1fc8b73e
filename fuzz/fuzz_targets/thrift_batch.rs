#![no_main]

use skua_fuzz::{check, targets};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    check(&targets::THRIFT_BATCH, input);
});
