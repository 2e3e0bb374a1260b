// The program that the live tests watch: each mode waits for one kind of thing, for about the given milliseconds.
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

extern "C" {
    fn mmap(at: *mut u8, len: usize, protection: i32, flags: i32, fd: i32, offset: i64) -> *mut u8;
    fn munmap(at: *mut u8, len: usize) -> i32;
    fn madvise(at: *mut u8, len: usize, advice: i32) -> i32;
}

fn spin(time: Duration) {
    let begun = Instant::now();
    let mut x = 1u64;
    while begun.elapsed() < time {
        for i in 0..10_000u64 {
            x = black_box(x.wrapping_mul(6364136223846793005).wrapping_add(i));
        }
    }
}

/// Two threads, each needs the lock for most of its time.
fn fight(time: Duration, work: fn(Duration)) {
    let lock = Arc::new(Mutex::new(()));
    let begun = Instant::now();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let lock = Arc::clone(&lock);
            std::thread::spawn(move || {
                while begun.elapsed() < time {
                    {
                        let _held = lock.lock().unwrap();
                        work(Duration::from_millis(8));
                    }
                    spin(Duration::from_micros(200));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// The same with the imitation of another lock.
fn fight_parking(time: Duration) {
    let lock = Arc::new(parking_lot::RawMutex::new());
    let begun = Instant::now();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let lock = Arc::clone(&lock);
            std::thread::spawn(move || {
                while begun.elapsed() < time {
                    lock.lock();
                    spin(Duration::from_millis(8));
                    lock.unlock();
                    spin(Duration::from_micros(200));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Eight idle workers on one condition, and a main thread that works.
fn pool(time: Duration) {
    let shared = Arc::new((Mutex::new(0u64), Condvar::new()));
    for _ in 0..8 {
        let shared = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut jobs = shared.0.lock().unwrap();
            loop {
                jobs = shared.1.wait(jobs).unwrap();
            }
        });
    }
    // So that the condition's counter stands where a held mutex does.
    std::thread::sleep(Duration::from_millis(50));
    shared.1.notify_one();
    shared.1.notify_one();
    spin(time);
}

fn faults(time: Duration) {
    const LEN: usize = 16 << 20;
    let begun = Instant::now();
    while begun.elapsed() < time {
        unsafe {
            // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS
            let memory = mmap(std::ptr::null_mut(), LEN, 3, 0x22, -1, 0);
            // MADV_NOHUGEPAGE
            madvise(memory, LEN, 15);
            for page in (0..LEN).step_by(4096) {
                memory.add(page).write_volatile(1);
            }
            munmap(memory, LEN);
        }
    }
}

fn fsync(time: Duration, path: &str) {
    let mut file = File::create(path).unwrap();
    let begun = Instant::now();
    while begun.elapsed() < time {
        file.write_all(&[7; 64 << 10]).unwrap();
        file.sync_all().unwrap();
    }
}

/// A fixed amount of arithmetic.
fn arithmetic(rounds: u64) {
    let mut x = 1u64;
    for i in 0..rounds * 1_000_000 {
        x = black_box(x.wrapping_mul(6364136223846793005).wrapping_add(i));
    }
}

/// 64 threads that share the arithmetic and wait in between.
fn many_threads(rounds: u64) {
    let threads: Vec<_> = (0..64)
        .map(|_| {
            std::thread::spawn(move || {
                for _ in 0..10 {
                    arithmetic(rounds / 640);
                    std::thread::sleep(Duration::from_millis(10));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn calls(rounds: u64) {
    let mut null = File::create("/dev/null").unwrap();
    for _ in 0..rounds * 1000 {
        null.write_all(b"x").unwrap();
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let time = Duration::from_millis(args[2].parse().unwrap());
    match args[1].as_str() {
        "spin" => spin(time),
        "arithmetic" => arithmetic(time.as_millis() as u64),
        "many-threads" => many_threads(time.as_millis() as u64),
        "calls" => calls(time.as_millis() as u64),
        "sleep" => std::thread::sleep(time),
        "fight" => fight(time, spin),
        "fight-parking" => fight_parking(time),
        "fight-asleep" => fight(time, std::thread::sleep),
        "pool" => pool(time),
        "faults" => faults(time),
        "fsync" => fsync(time, &args[3]),
        "read" => {
            let mut input = File::open(&args[3]).unwrap();
            let mut byte = [0];
            while input.read(&mut byte).unwrap() > 0 {
                spin(Duration::from_millis(1));
            }
        }
        "ask" => {
            let mut server = TcpStream::connect(&args[3]).unwrap();
            let mut byte = [0];
            while server.write_all(&[1]).is_ok() && server.read(&mut byte).unwrap_or(0) > 0 {}
        }
        "child" => {
            let me = std::env::current_exe().unwrap();
            let output = std::process::Command::new(me).args(["spin", &args[2]]).output().unwrap();
            assert!(output.status.success());
        }
        "churn" => {
            let begun = Instant::now();
            while begun.elapsed() < time {
                let threads: Vec<_> = (0..16).map(|_| std::thread::spawn(|| spin(Duration::from_micros(200)))).collect();
                threads.into_iter().for_each(|thread| thread.join().unwrap());
            }
        }
        // A megabyte each 10 ms, kept for ever, in a cache of 64 MB, or given back.
        "leak" => {
            let (begun, mut kept, mut number) = (Instant::now(), Vec::new(), 0);
            while begun.elapsed() < time {
                let block = vec![1u8; 1 << 20];
                match args[3].as_str() {
                    "kept" => kept.push(block),
                    "cached" if kept.len() < 64 => kept.push(block),
                    "cached" => kept[number % 64] = block,
                    _ => drop(black_box(block)),
                }
                number += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            black_box(kept);
        }
        other => panic!("{other}"),
    }
}
