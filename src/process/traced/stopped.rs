//! What a tracer may do with a thread that stands still, and with the memory of its process.

use std::fs::File;
use std::io::Result;
use std::os::unix::fs::FileExt;

use super::ptrace;

/// A thread that stands still.
#[derive(Debug)]
pub struct Stopped {
    process: i32,
    thread: i32,
}

impl Stopped {
    pub(super) fn new(process: i32, thread: i32) -> Self {
        Self { process, thread }
    }

    /// Id of its process.
    pub fn process(&self) -> i32 {
        self.process
    }

    /// Address of the instruction that it executes next.
    pub fn instruction_pointer(&self) -> Result<u64> {
        ptrace::instruction_pointer(self.thread)
    }

    /// Makes it go on at another address.
    pub fn set_instruction_pointer(&self, address: u64) -> Result<()> {
        ptrace::set_instruction_pointer(self.thread, address)
    }

    /// Its memory, as it is now: after it executed another program this is another memory.
    pub fn memory(&self) -> Memory {
        // Refused only for programs that hide themselves (not dumpable) and on kernels that forbid forced writes; then words
        // are peeked and poked.
        let file = File::options().read(true).write(true).open(format!("/proc/{}/mem", self.thread)).ok();
        Memory { file }
    }
}

/// The memory of one process; code may be written too.
#[derive(Debug)]
pub struct Memory {
    file: Option<File>,
}

const WORD: u64 = 8;

impl Memory {
    /// Fills `bytes` from `address` on; `stopped` is a thread of the process.
    pub fn read(&self, stopped: &Stopped, address: u64, bytes: &mut [u8]) -> Result<()> {
        if let Some(file) = &self.file
            && file.read_exact_at(bytes, address).is_ok()
        {
            return Ok(());
        }
        let start = address - address % WORD;
        let mut words = Vec::with_capacity(bytes.len() + 2 * WORD as usize);
        let mut at = start;
        while at < address.saturating_add(bytes.len() as u64) {
            words.extend_from_slice(&ptrace::peek(stopped.thread, at)?);
            at += WORD;
        }
        for (byte, &word) in bytes.iter_mut().zip(words.iter().skip((address - start) as usize)) {
            *byte = word;
        }
        Ok(())
    }

    /// Writes `bytes` at `address`; `stopped` is a thread of the process.
    pub fn write(&self, stopped: &Stopped, address: u64, bytes: &[u8]) -> Result<()> {
        if let Some(file) = &self.file
            && file.write_all_at(bytes, address).is_ok()
        {
            return Ok(());
        }
        let mut at = address - address % WORD;
        while at < address.saturating_add(bytes.len() as u64) {
            let mut word = ptrace::peek(stopped.thread, at)?;
            for (slot, byte_at) in word.iter_mut().zip(at..) {
                if let Some(byte) = byte_at.checked_sub(address).and_then(|offset| bytes.get(offset as usize)) {
                    *slot = *byte;
                }
            }
            ptrace::poke(stopped.thread, at, word)?;
            at += WORD;
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn without_file() -> Self {
        Self { file: None }
    }
}
