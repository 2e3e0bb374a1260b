// The library that the program loads while it runs.
#[no_mangle]
pub extern "C" fn plugin_work(cpu_ms: u64) -> u64 {
    let end = std::time::Instant::now() + std::time::Duration::from_millis(cpu_ms);
    let mut x = 1u64;
    while std::time::Instant::now() < end {
        for i in 0..100_000u64 {
            x = std::hint::black_box(x.wrapping_mul(31).wrapping_add(i));
        }
    }
    x
}
