//! What a blocked thread is there for, from the functions on its stack (`reference/evidence-rules.md` §3.2 step 2, §2.5). Pure.
//!
//! Only names of std, of runtimes and of locks are read, and only up to the first frame of somebody else: what a program calls its own
//! functions says nothing.

use super::{Place, Wait};
use crate::profile::Frame;

/// What the stack says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Role {
    /// What a wait on a futex is for; `None` where the stack does not tell.
    pub(super) wait: Option<Wait>,
    /// Where in an asynchronous program it stands.
    pub(super) place: Place,
}

impl Role {
    /// Of a thread whose stack is not known.
    pub(super) const UNKNOWN: Self = Self { wait: None, place: Place::Outside };

    /// Of a stack, leaf first.
    pub(super) fn of(stack: &[&Frame]) -> Self {
        let library = stack.iter().take_while(|frame| is_library(frame));
        let named = library.clone().find_map(|frame| specific(&frame.function));
        let wait = named.or_else(|| library.clone().find_map(|frame| general(&frame.function)));
        Self { wait, place: place(stack) }
    }
}

/// Crates between a program and a blocked call.
const LIBRARIES: [&str; 30] = [
    "std",
    "core",
    "alloc",
    "__rustc",
    "parking_lot",
    "parking_lot_core",
    "lock_api",
    "once_cell",
    "tokio",
    "tokio_util",
    "mio",
    "rayon",
    "rayon_core",
    "crossbeam",
    "crossbeam_channel",
    "crossbeam_utils",
    "crossbeam_deque",
    "flume",
    "futures",
    "futures_util",
    "futures_executor",
    "futures_lite",
    "async_executor",
    "async_task",
    "async_io",
    "polling",
    "smol",
    "blocking",
    "r2d2",
    "threadpool",
];

/// Functions of C have no path; they are passed by.
fn is_library(frame: &Frame) -> bool {
    match crate_of(&frame.function) {
        Some(name) => LIBRARIES.contains(&name),
        None => true,
    }
}

fn crate_of(function: &str) -> Option<&str> {
    let (name, _) = function.trim_start_matches(['<', '&', '[', '*', '(']).split_once("::")?;
    Some(name)
}

fn last(function: &str) -> &str {
    function.rsplit("::").find(|part| *part != "{{closure}}").unwrap_or(function)
}

/// Ends of the names of functions that wait for a lock.
const LOCKS: [&str; 12] = [
    "lock_contended",
    "read_contended",
    "write_contended",
    "lock_slow",
    "lock_shared_slow",
    "lock_exclusive_slow",
    "lock_upgradable_slow",
    "upgrade_slow",
    "wait_for_readers",
    "lll_lock_wait",
    "lll_lock_wait_private",
    "lock_wait",
];

/// The C library's.
const C_LOCKS: [&str; 4] = ["pthread_mutex_lock", "pthread_rwlock_rdlock", "pthread_rwlock_wrlock", "pthread_mutex_timedlock"];

/// Parts of the names under which a worker has nothing to do.
const IDLE: [&str; 12] = [
    "park_internal",
    "park_driver",
    "park_condvar",
    "park::Inner::park",
    "CachedParkThread",
    "mio::poll::Poll::poll",
    "WorkerThread::wait_until",
    "rayon_core::sleep::Sleep::sleep",
    "tokio::runtime::blocking::pool::Inner::run",
    "futures_executor::local_pool::run_executor",
    "threadpool::",
    "async_io::driver",
];

const JOINS: [&str; 4] = ["JoinInner::join", "JoinHandle::join", "std::thread::scoped::scope", "Thread::join"];

const CHANNELS: [&str; 5] = ["std::sync::mpmc::", "std::sync::mpsc::", "crossbeam_channel::", "flume::", "std::sync::barrier::"];

/// Work that is waited for elsewhere in the program.
const LATCHES: [&str; 2] = ["rayon_core::latch::", "rayon_core::scope::"];

/// What only one kind of wait passes through, nearest to the leaf first.
fn specific(function: &str) -> Option<Wait> {
    let last = last(function);
    let plain = last.trim_start_matches('_');
    let any = |parts: &[&str]| parts.iter().any(|part| function.contains(part));
    if LOCKS.iter().any(|lock| plain.ends_with(lock))
        || C_LOCKS.contains(&plain)
        || function.contains("sync::once::futex::Once::")
    {
        return Some(Wait::Lock);
    }
    // A pool of connections gives one when another thread brings it back: as with a lock.
    if function.starts_with("r2d2::") && (last.starts_with("get") || last.starts_with("wait")) {
        return Some(Wait::Lock);
    }
    match () {
        () if any(&IDLE) => Some(Wait::Parked),
        () if any(&JOINS) || plain.starts_with("pthread_join") || plain.starts_with("pthread_clockjoin") => Some(Wait::Join),
        () if any(&CHANNELS) || any(&LATCHES) => Some(Wait::HandOff),
        () => None,
    }
}

/// Conditions and parking, which serve everything.
fn general(function: &str) -> Option<Wait> {
    let plain = last(function).trim_start_matches('_');
    let condition = function.to_ascii_lowercase().contains("condvar") || plain.starts_with("pthread_cond_");
    let parks =
        function.contains("thread_parking") || function.starts_with("std::thread::park") || function.contains("Parker::park");
    (condition || parks).then_some(Wait::Parked)
}

/// The poll of one task.
fn is_poll(function: &str) -> bool {
    let of_tokio =
        function.starts_with("tokio::runtime::task::core::Core") || function.starts_with("tokio::runtime::task::harness::");
    (of_tokio && last(function).starts_with("poll")) || function.starts_with("async_task::raw::RawTask::run")
}

/// What polls tasks one after the other.
fn is_worker(function: &str) -> bool {
    let runs = |name: &str| name == "run_task" || name == "enter";
    (function.contains("tokio::runtime::scheduler::multi_thread") && last(function) == "run_task")
        || (function.contains("tokio::runtime::scheduler::current_thread") && (runs(last(function)) || is_guard(function)))
        || function.contains("tokio::task::local::LocalSet::tick")
        || function.starts_with("async_executor::")
}

fn is_guard(function: &str) -> bool {
    function.contains("current_thread::CoreGuard::block_on")
}

fn is_block_on(function: &str) -> bool {
    is_guard(function)
        || function.starts_with("tokio::runtime::runtime::Runtime::block_on")
        || function.contains("CachedParkThread::block_on")
}

/// Decided from the leaf outwards: somebody's own code, then the poll of a task, then a worker.
fn place(stack: &[&Frame]) -> Place {
    let position = |wanted: fn(&str) -> bool| stack.iter().position(|frame| wanted(&frame.function));
    let Some(own) = stack.iter().position(|frame| !is_library(frame)) else { return Place::Outside };
    let moved_away = |end: usize| stack.iter().take(end).any(|frame| last(&frame.function) == "block_in_place");
    let poll = position(is_poll);
    let after = |start: usize, wanted: fn(&str) -> bool| {
        stack.iter().skip(start).position(|frame| wanted(&frame.function)).map(|at| start + at)
    };
    match poll.filter(|&poll| poll > own).and_then(|poll| after(poll, is_worker)) {
        Some(worker) if !moved_away(worker) => return Place::Worker,
        Some(_) => return Place::Outside,
        None => {}
    }
    // The pool for what blocks polls such work as a task, too, and no worker does.
    match after(own, is_block_on) {
        Some(root) if poll.is_none() && !moved_away(root) => Place::Root,
        _ => Place::Outside,
    }
}
