//! The program that the live tests probe: what it runs is chosen by its first argument.
use std::hint::black_box;
use std::process::{Command, exit};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

#[inline(never)]
fn called(x: u64) -> u64 {
    black_box(x).wrapping_mul(3)
}

#[inline(never)]
fn uncalled(x: u64) -> u64 {
    black_box(x).wrapping_mul(5) ^ 11
}

#[inline(always)]
fn always_inlined(x: u64) -> u64 {
    let y = black_box(x) + 7;
    y.rotate_left(9)
}

#[inline(never)]
fn in_thread(x: u64) -> u64 {
    black_box(x).wrapping_sub(77)
}

#[inline(never)]
fn in_child(x: u64) -> u64 {
    black_box(x).wrapping_mul(1234567)
}

#[inline(never)]
fn in_fork(x: u64) -> u64 {
    black_box(x).wrapping_mul(7654321)
}

#[inline(never)]
fn generic<T: std::fmt::Debug>(value: T) -> usize {
    format!("{:?}", black_box(value)).len()
}

#[inline(never)]
fn together(x: u64) -> u64 {
    let mut sum = black_box(x);
    for i in 0..black_box(20u64) {
        sum = sum.wrapping_add(i ^ black_box(3));
    }
    sum
}

#[inline(never)]
fn with_closure(values: &mut [u64]) {
    values.sort_by_key(|value| {
        value.wrapping_mul(0x9E37)
    });
}

// a region
// of comments
// and nothing else

macro_rules! define {
    ($name:ident, $factor:expr) => {
        #[inline(never)]
        fn $name(x: u64) -> u64 {
            black_box(x).wrapping_mul($factor)
        }
    };
}

mod made {
    use std::hint::black_box;
    define!(made_called, 17);
    define!(made_uncalled, 19);
    pub fn run(which: bool) -> u64 {
        if which { made_called(1) } else { made_uncalled(1) }
    }
}

static SIGNALS: AtomicU32 = AtomicU32::new(0);

extern "C" fn on_signal(_: i32) {
    SIGNALS.fetch_add(1, Ordering::SeqCst);
    black_box(called(1));
}

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn signal(number: i32, handler: usize) -> usize;
    fn raise(number: i32) -> i32;
    fn alarm(seconds: u32) -> u32;
    fn setsid() -> i32;
    fn getpid() -> i32;
    fn kill(pid: i32, number: i32) -> i32;
}

fn main() {
    let mode = std::env::args().nth(1).unwrap_or_default();
    // `never` is not known to the optimizer.
    if black_box(std::env::args().count()) > 9 {
        black_box(uncalled(1));
        black_box(made::run(false));
    }
    match mode.as_str() {
        "plain" => {
            black_box(called(1));
            black_box(always_inlined(2));
            black_box(generic(1u8) + generic("two"));
            black_box(made::run(true));
            exit(3);
        }
        "generic-u8" => exit((generic(1u8) == 0).into()),
        "closure" => {
            let mut values: Vec<u64> = (0..100).collect();
            with_closure(&mut values);
            black_box(values);
        }
        "thread" => drop(std::thread::spawn(|| black_box(in_thread(1))).join()),
        "together" => {
            let start = Arc::new(Barrier::new(4));
            let run = |start: Arc<Barrier>| move || { start.wait(); black_box(together(1)) };
            let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(run(start.clone()))).collect();
            threads.into_iter().for_each(|thread| drop(thread.join()));
            exit(4);
        }
        "child" => {
            let me = std::env::current_exe().unwrap();
            exit(Command::new(me).arg("as-child").status().unwrap().code().unwrap());
        }
        "as-child" => exit(black_box(in_child(0)) as i32 + 5),
        "foreign" => exit(Command::new("/bin/sh").args(["-c", "exit 6"]).status().unwrap().code().unwrap()),
        "become-foreign" => {
            use std::os::unix::process::CommandExt;
            black_box(called(1));
            panic!("{}", Command::new("/bin/sh").args(["-c", "exit 8"]).exec());
        }
        "fork" => unsafe {
            let pid = fork();
            if pid == 0 {
                black_box(in_fork(1));
                black_box(called(1));
                exit(0);
            }
            let mut status = -1;
            waitpid(pid, &mut status, 0);
            black_box(called(1));
            exit(if status == 0 { 7 } else { 70 });
        },
        "panic" => {
            black_box(called(1));
            panic!("on purpose");
        }
        "hang" => loop {
            black_box(called(1));
            std::thread::sleep(std::time::Duration::from_millis(10));
        },
        "hang-elsewhere" => unsafe {
            if fork() == 0 {
                setsid();
                println!("{}", getpid());
                loop {
                    std::thread::sleep(std::time::Duration::from_secs(1));
                }
            }
            std::thread::sleep(std::time::Duration::from_secs(60));
        },
        "leave-behind" => unsafe {
            if fork() == 0 {
                setsid();
                println!("{}", getpid());
                std::thread::sleep(std::time::Duration::from_secs(60));
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
            exit(2);
        },
        "signals" => unsafe {
            // 10 SIGUSR1, 14 SIGALRM, 5 SIGTRAP of Linux x86_64.
            for number in [10, 14, 5] {
                signal(number, on_signal as *const () as usize);
            }
            raise(10);
            raise(5);
            alarm(1);
            while SIGNALS.load(Ordering::SeqCst) < 3 {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            exit(9);
        },
        "own-breakpoint" => unsafe {
            signal(5, on_signal as *const () as usize);
            std::arch::asm!("int3");
            exit(10 + SIGNALS.load(Ordering::SeqCst) as i32);
        },
        "stop-and-continue" => unsafe {
            let pid = fork();
            if pid == 0 {
                raise(19);
                exit(0);
            }
            let mut status = 0;
            // WUNTRACED
            waitpid(pid, &mut status, 2);
            let stopped = status & 0xff == 0x7f;
            kill(pid, 18);
            waitpid(pid, &mut status, 0);
            exit(if stopped && status == 0 { 12 } else { 13 });
        },
        "killed" => unsafe {
            black_box(called(1));
            raise(9);
        },
        _ => exit(99),
    }
}
