// The program that the live tests sample: functions of known cost, of which it measures the truth itself.
use std::hint::black_box;

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn _exit(code: i32) -> !;
    fn signal(signal: i32, handler: usize) -> usize;
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
    fn mmap(at: *mut u8, length: usize, protection: i32, flags: i32, fd: i32, offset: i64) -> *mut u8;
    fn munmap(at: *mut u8, length: usize) -> i32;
    fn madvise(at: *mut u8, length: usize, advice: i32) -> i32;
    fn dlopen(path: *const std::ffi::c_char, flags: i32) -> *mut std::ffi::c_void;
    fn dlsym(library: *mut std::ffi::c_void, name: *const std::ffi::c_char) -> *mut std::ffi::c_void;
}

/// CPU time of this thread, nanoseconds.
fn cpu_time() -> u64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(3, &mut time) };
    time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
}

#[inline(never)]
fn share_a(n: u64) -> u64 {
    let mut x = black_box(1u64);
    for i in 0..n {
        x = black_box(x.wrapping_mul(6364136223846793005).wrapping_add(i));
    }
    x
}

#[inline(always)]
fn share_b(n: u64) -> u64 {
    let mut x = black_box(2u64);
    for i in 0..n {
        x = black_box(x.rotate_left(7) ^ i.wrapping_mul(3));
    }
    x
}

#[inline(never)]
fn share_c<T: Copy, F: Fn(T, u64) -> T>(n: u64, start: T, step: F) -> T {
    let mut x = start;
    for i in 0..n {
        x = step(x, i);
    }
    x
}

trait Work {
    fn seed(&self) -> u64;

    #[inline(never)]
    fn share_d(&self, n: u64) -> u64 {
        let mut x = self.seed();
        for i in 0..n {
            x = black_box(x.swap_bytes().wrapping_add(i | 1));
        }
        x
    }
}

struct Seeded(u64);

impl Work for Seeded {
    fn seed(&self) -> u64 {
        black_box(self.0)
    }
}

#[inline(never)]
fn caller_of_b(n: u64) -> u64 {
    black_box(share_b(black_box(n)))
}

/// Runs the four functions in turn, each until it has its share of a slice; returns what each really used.
#[inline(never)]
fn work(cpu_ms: u64) -> [u64; 4] {
    let mut used = [0u64; 4];
    let slices = [500_000u64, 300_000, 150_000, 50_000];
    let end = cpu_time() + cpu_ms * 1_000_000;
    while cpu_time() < end {
        for (index, slice) in slices.iter().enumerate() {
            let start = cpu_time();
            let mut now = start;
            while now - start < *slice {
                match index {
                    0 => black_box(share_a(5_000)),
                    1 => black_box(caller_of_b(5_000)),
                    2 => black_box(share_c(5_000, 3u64, |x, i| black_box(x.wrapping_sub(i ^ 0x55)))),
                    _ => black_box(Seeded(4).share_d(5_000)),
                };
                now = cpu_time();
            }
            used[index] += now - start;
        }
    }
    used
}

/// A loop of exactly one period at 999 Hz: the first half in one function, the second in another.
#[inline(never)]
fn in_step(cpu_ms: u64) {
    let end = cpu_time() + cpu_ms * 1_000_000;
    loop {
        let now = cpu_time();
        if now >= end {
            return;
        }
        match now % 1_001_001 < 500_500 {
            true => black_box(share_a(1_000)),
            false => black_box(caller_of_b(1_000)),
        };
    }
}

/// Keeps the allocator busy, and its locks taken most of the time.
#[inline(never)]
fn allocate(cpu_ms: u64) -> usize {
    let end = cpu_time() + cpu_ms * 1_000_000;
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut round = 0usize;
    while cpu_time() < end {
        for size in 0..200 {
            kept.push(vec![1; 16 + (size * 37 + round) % 4000]);
        }
        round += 1;
        kept.truncate(round % 50);
    }
    black_box(kept).len()
}

/// Touches nine in ten of all new pages.
#[inline(never)]
fn fresh() -> u64 {
    touched(900)
}

#[inline(never)]
fn also_fresh() -> u64 {
    touched(100).wrapping_add(1)
}

#[inline(always)]
fn touched(pages: usize) -> u64 {
    let length = pages << 12;
    unsafe {
        let block = mmap(std::ptr::null_mut(), length, 3, 0x22, -1, 0);
        // Large pages would be one fault each.
        madvise(block, length, 15);
        for page in 0..pages {
            block.add(page << 12).write_volatile(1);
        }
        munmap(block, length);
    }
    pages as u64
}

/// Holds some kilobytes of stack below the work.
#[inline(never)]
fn recursive(depth: u64, cpu_ms: u64) -> u64 {
    let block = black_box([depth; 16]);
    if depth == 0 { share_for(cpu_ms) + block[3] } else { black_box(recursive(depth - 1, cpu_ms)) + block[7] }
}

/// Keeps more on the stack than the kernel copies of one.
#[inline(never)]
fn deep(work: fn(u64) -> u64, n: u64) -> u64 {
    let block = black_box([n as u8; 200 << 10]);
    black_box(work)(n) + u64::from(black_box(&block)[7])
}

/// Calls `work` for so long.
#[inline(never)]
fn for_long(work: fn(u64) -> u64, micros: u64) {
    let end = cpu_time() + micros * 1_000;
    while cpu_time() < end {
        black_box(work(5_000));
    }
}

fn only_a(micros: u64) -> u64 {
    for_long(share_a, micros);
    1
}

fn only_b(micros: u64) -> u64 {
    for_long(caller_of_b, micros);
    2
}

#[inline(never)]
fn outer_a(micros: u64) -> u64 {
    deep(only_a, black_box(micros)) ^ 0x55
}

#[inline(never)]
fn outer_b(micros: u64) -> u64 {
    deep(only_b, black_box(micros)) ^ 0xaa
}

/// Has two callers of the same depth, in turn, each for so long.
#[inline(never)]
fn alternate(cpu_ms: u64, micros: u64) {
    let end = cpu_time() + cpu_ms * 1_000_000;
    while cpu_time() < end {
        black_box(outer_a(micros));
        black_box(outer_b(micros));
    }
}

#[inline(never)]
fn turn(micros: u64) -> u64 {
    let block = black_box([1u8; 200 << 10]);
    for_long(share_a, micros);
    u64::from(black_box(&block)[7])
}

#[inline(never)]
fn rest(micros: u64) -> u64 {
    let block = black_box([2u8; 200 << 10]);
    for_long(caller_of_b, micros);
    u64::from(black_box(&block)[7])
}

/// Calls one function after the other, as a runtime does that polls and parks.
#[inline(never)]
fn event_loop(cpu_ms: u64, micros: u64) {
    let end = cpu_time() + cpu_ms * 1_000_000;
    while cpu_time() < end {
        black_box(turn(black_box(micros)));
        black_box(rest(black_box(micros)));
    }
}

#[inline(never)]
fn share_for(cpu_ms: u64) -> u64 {
    work(cpu_ms)[0]
}

fn report(used: [u64; 4]) {
    let total: u64 = used.iter().sum();
    for (name, part) in ["share_a", "share_b", "share_c", "share_d"].iter().zip(used) {
        println!("{name} {}", part as f64 / total as f64);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let cpu_ms = arguments[2].parse().unwrap();
    match arguments[1].as_str() {
        "single" => report(work(cpu_ms)),
        "in-step" => in_step(cpu_ms),
        "threads" => {
            let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(move || work(cpu_ms))).collect();
            let mut sum = [0; 4];
            for thread in threads {
                for (total, part) in sum.iter_mut().zip(thread.join().unwrap()) {
                    *total += part;
                }
            }
            report(sum);
        }
        "children" => {
            let child = || std::process::Command::new(&arguments[0]).args(["single", &arguments[2]]).spawn().unwrap();
            for mut child in [child(), child()] {
                child.wait().unwrap();
            }
        }
        "churn" => {
            let end = std::time::Instant::now() + std::time::Duration::from_millis(cpu_ms);
            while std::time::Instant::now() < end {
                // Half the sampling period at 999 Hz, over twice that at 4999 Hz.
                let short = || {
                    let end = cpu_time() + 500_000;
                    while cpu_time() < end {
                        black_box(share_a(2_000));
                    }
                };
                std::thread::spawn(short).join().unwrap();
            }
        }
        "allocate" => {
            let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(move || allocate(cpu_ms))).collect();
            for thread in threads {
                thread.join().unwrap();
            }
        }
        "faults" => {
            let end = cpu_time() + cpu_ms * 1_000_000;
            while cpu_time() < end {
                black_box(fresh());
                black_box(also_fresh());
            }
        }
        "vanish" => {
            black_box(work(cpu_ms));
            unsafe { _exit(0) }
        }
        "own-signal" => {
            black_box(work(cpu_ms));
            unsafe { signal(27, 1) };
            black_box(work(cpu_ms));
        }
        "recursive" => {
            black_box(recursive(150, cpu_ms));
        }
        "deep" => {
            black_box(deep(share_for, cpu_ms));
        }
        "event-loop" => event_loop(cpu_ms, 700),
        "alternate" => alternate(cpu_ms, arguments[3].parse().unwrap()),
        "dlopen" => {
            let path = std::ffi::CString::new(arguments[3].as_str()).unwrap();
            let library = unsafe { dlopen(path.as_ptr(), 2) };
            let function = unsafe { dlsym(library, c"plugin_work".as_ptr()) };
            let plugin_work: extern "C" fn(u64) -> u64 = unsafe { std::mem::transmute(function) };
            black_box(plugin_work(cpu_ms));
        }
        other => panic!("unknown mode {other}"),
    }
}
