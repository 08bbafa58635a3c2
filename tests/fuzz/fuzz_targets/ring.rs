//! Bytes from libFuzzer for `checks/ring.rs`.
#![no_main]

#[path = "../checks/ring.rs"]
mod ring;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ring::check(data));
