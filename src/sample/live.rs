//! The door to the memory of a running process: `/proc/PID/mem`. Nobody is stopped, so what is read may be changing; whether it was
//! is for the caller to say.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// The memory of one process, of the program that it executed when this was opened.
pub(super) struct Memory(File);

impl Memory {
    /// Opens it; `None` where the kernel refuses, or nobody is there.
    pub(super) fn open(pid: u32) -> Option<Self> {
        File::open(format!("/proc/{pid}/mem")).ok().map(Self)
    }

    /// Reads what there is from `address` on, at most as much as fits; returns how many bytes.
    pub(super) fn read(&self, address: u64, into: &mut [u8]) -> usize {
        self.0.read_at(into, address).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_it_is_and_what_is_not_there_is_not_read() {
        let value = std::hint::black_box(0x0123_4567_89ab_cdef_u64);
        let memory = Memory::open(std::process::id()).unwrap();
        let mut read = [0; 8];
        assert_eq!((memory.read(&raw const value as u64, &mut read), u64::from_ne_bytes(read)), (8, value));
        assert_eq!(memory.read(8, &mut [0; 64]), 0);
    }
}
