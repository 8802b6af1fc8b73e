#![no_main]

use skua_fuzz::sampling::{check_file, check_messages};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    check_messages(input);
    check_file(input);
});
