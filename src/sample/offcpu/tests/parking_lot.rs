// Stands for parking_lot in the live tests: who waits parks, each thread on a word of its own, in a function of that name.
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;
use std::thread::Thread;

pub struct RawMutex {
    held: AtomicBool,
    waiting: Mutex<VecDeque<Thread>>,
}

impl RawMutex {
    pub fn new() -> Self {
        Self { held: AtomicBool::new(false), waiting: Mutex::new(VecDeque::new()) }
    }

    pub fn lock(&self) {
        if self.held.swap(true, Ordering::Acquire) {
            self.lock_slow();
        }
    }

    #[inline(never)]
    fn lock_slow(&self) {
        loop {
            self.waiting.lock().unwrap().push_back(std::thread::current());
            if !self.held.swap(true, Ordering::Acquire) {
                let me = std::thread::current().id();
                self.waiting.lock().unwrap().retain(|thread| thread.id() != me);
                return;
            }
            std::thread::park();
        }
    }

    pub fn unlock(&self) {
        self.held.store(false, Ordering::Release);
        if let Some(next) = self.waiting.lock().unwrap().pop_front() {
            next.unpark();
        }
    }
}
