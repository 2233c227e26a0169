#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hither_fuzz::check("hither_server_frame", data));
