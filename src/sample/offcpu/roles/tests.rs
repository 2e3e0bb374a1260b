//! The rules against stacks of real programs (`fixtures/blocked`, recorded with tokio 1.54, `parking_lot` 0.12 and std of Rust 1.95), and
//! against what they must not take for a wait of the program.

use super::*;
use crate::sample::offcpu::Blocked;

const TASKS: &str = include_str!("../../../../fixtures/blocked/tokio-fsync-in-task.json");
const POOL: &str = include_str!("../../../../fixtures/blocked/tokio-spawn-blocking.json");
const IN_PLACE: &str = include_str!("../../../../fixtures/blocked/tokio-block-in-place.json");
const CURRENT: &str = include_str!("../../../../fixtures/blocked/tokio-current-thread-sleep.json");
const ASYNC_LOCK: &str = include_str!("../../../../fixtures/blocked/tokio-async-mutex.json");
const PARKING_LOT: &str = include_str!("../../../../fixtures/blocked/parking-lot-mutex.json");

/// What a recorded stack was waiting for, its functions (leaf first) and its role by the rules.
type Judged = (Wait, Vec<String>, Role);

fn judged(recorded: &str) -> Vec<Judged> {
    let blocked: Blocked = serde_json::from_str(recorded).unwrap();
    let judge = |stack| {
        let frames: Vec<&Frame> = blocked.frames_of(stack).collect();
        (stack.wait, frames.iter().map(|frame| frame.function.clone()).collect(), Role::of(&frames))
    };
    blocked.stacks.iter().filter(|stack| !stack.frames.is_empty()).map(judge).collect()
}

/// Those whose stack shows this function.
fn through(recorded: &str, function: &str) -> Vec<Judged> {
    let found: Vec<Judged> =
        judged(recorded).into_iter().filter(|(_, names, _)| names.iter().any(|name| name == function)).collect();
    assert!(!found.is_empty(), "nobody is in {function}");
    found
}

#[test]
fn what_blocks_inside_of_a_task_holds_up_its_worker() {
    for (recorded, function) in [(TASKS, "asy::save_audit"), (CURRENT, "asy::sleepy::{{closure}}")] {
        for (wait, names, role) in through(recorded, function) {
            assert_eq!(role.place, Place::Worker, "{wait:?} in {names:#?}");
        }
    }
}

#[test]
fn what_was_moved_off_the_workers_does_not() {
    for recorded in [POOL, IN_PLACE] {
        for (wait, names, role) in through(recorded, "asy::save_audit") {
            assert_eq!(role.place, Place::Outside, "{wait:?} in {names:#?}");
        }
    }
}

#[test]
fn a_program_that_awaits_its_locks_holds_nobody_up() {
    for (wait, names, role) in judged(ASYNC_LOCK) {
        assert_eq!(role.place, Place::Outside, "{wait:?} in {names:#?}");
    }
}

#[test]
fn workers_without_work_are_idle_even_while_they_take_the_lock_of_their_pool() {
    for recorded in [TASKS, POOL, IN_PLACE, CURRENT, ASYNC_LOCK] {
        let idle = judged(recorded).into_iter().filter(|(_, names, _)| !names.iter().any(|name| name.starts_with("asy::")));
        for (wait, names, role) in idle.filter(|(wait, ..)| matches!(wait, Wait::Parked | Wait::Lock)) {
            assert_eq!(role, Role { wait: Some(Wait::Parked), place: Place::Outside }, "{wait:?} in {names:#?}");
        }
    }
}

#[test]
fn a_lock_of_parking_lot_is_a_lock_though_every_thread_has_a_word_of_its_own() {
    for (_, names, role) in through(PARKING_LOT, "parking_lot::raw_mutex::RawMutex::lock_slow") {
        assert_eq!(role, Role { wait: Some(Wait::Lock), place: Place::Outside }, "{names:#?}");
    }
}

fn role(functions: &[&str]) -> Role {
    let frame = |name: &&str| Frame { function: (*name).into(), file: None, line: None, module: "app".into(), inlined: false };
    let frames: Vec<Frame> = functions.iter().map(frame).collect();
    Role::of(&frames.iter().collect::<Vec<_>>())
}

/// std's own leaf of every wait for a futex.
fn futex(functions: &[&str]) -> Option<Wait> {
    let leaf = ["syscall", "std::sys::pal::unix::futex::futex_wait"];
    role(&leaf.iter().chain(functions).copied().collect::<Vec<_>>()).wait
}

#[test]
fn futexes_of_every_kind() {
    let parker = "std::sys::sync::thread_parking::futex::Parker::park";
    let condition = "std::sys::sync::condvar::futex::Condvar::wait_optional_timeout";
    let contended = "std::sys::sync::mutex::futex::Mutex::lock_contended";
    for (functions, expected) in [
        (vec![contended, "app::work"], Some(Wait::Lock)),
        (vec!["std::sys::sync::rwlock::futex::RwLock::read_contended", "app::work"], Some(Wait::Lock)),
        (vec!["__lll_lock_wait_private", "malloc", "app::work"], Some(Wait::Lock)),
        (vec![contended, condition, "app::Queue::take"], Some(Wait::Lock)),
        (vec![condition, "app::Queue::take"], Some(Wait::Parked)),
        (vec![parker, "std::thread::park", "app::work"], Some(Wait::Parked)),
        (vec![parker, "std::sync::mpmc::list::Channel::recv", "app::work"], Some(Wait::HandOff)),
        (vec![parker, "crossbeam_channel::flavors::array::Channel::recv", "app::work"], Some(Wait::HandOff)),
        (vec![parker, "std::thread::scoped::scope", "app::main"], Some(Wait::Join)),
        (vec![condition, "rayon_core::latch::LockLatch::wait_and_reset", "app::main"], Some(Wait::HandOff)),
        (vec![condition, "rayon_core::sleep::Sleep::sleep", "rayon_core::registry::main_loop"], Some(Wait::Parked)),
        (vec![condition, "r2d2::Pool::get_timeout", "app::query"], Some(Wait::Lock)),
        (vec!["app::own_futex"], None),
        // What a program calls its own functions says nothing.
        (vec!["app::lock_slow"], None),
        (vec!["app::work", contended], None),
    ] {
        assert_eq!(futex(&functions), expected, "{functions:?}");
    }
}

#[test]
fn an_executor_that_a_task_blocks_on_holds_up_the_worker() {
    let task = ["tokio::runtime::task::core::Core::poll", "tokio::runtime::scheduler::multi_thread::worker::Context::run_task"];
    let blocks = ["syscall", "std::thread::park", "futures_executor::local_pool::run_executor", "app::handle::{{closure}}"];
    let inside: Vec<&str> = blocks.iter().chain(&task).copied().collect();
    assert_eq!(role(&inside).place, Place::Worker);
    let spawns =
        ["syscall", "std::sys::sync::mutex::futex::Mutex::lock_contended", "tokio::runtime::blocking::pool::Spawner::spawn"];
    let runtime: Vec<&str> = spawns.iter().chain(&["app::handle::{{closure}}"]).chain(&task).copied().collect();
    assert_eq!(role(&runtime).place, Place::Outside, "the runtime's own lock");
}

#[test]
fn the_future_given_to_block_on_is_told_from_a_task() {
    let root = ["fsync", "app::main::{{closure}}", "tokio::runtime::park::CachedParkThread::block_on", "app::main"];
    assert_eq!(role(&root).place, Place::Root);
    let waits = ["syscall", "tokio::runtime::park::Inner::park", "tokio::runtime::park::CachedParkThread::block_on", "app::main"];
    assert_eq!(role(&waits), Role { wait: Some(Wait::Parked), place: Place::Outside });
}
