#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| regi_fuzz::second_copy::hold(bytes));
