//! Reads the memory that the kernel shares with us for one event.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use linux_perf_event_reader::{RawData, RawEventRecord, RecordParseInfo, RecordType};
use memmap2::{MmapOptions, MmapRaw};
use perf_event_open_sys::bindings::perf_event_mmap_page;

use super::attr;
use super::outer::Steady;
use crate::sample::walk::auxv;

/// Bytes of `struct perf_event_header`: type (32 bits), misc (16), size (16).
const HEADER: usize = 8;

/// One record, copied out of its ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub(super) time: u64,
    /// `PERF_RECORD_*`.
    pub(super) kind: u32,
    /// Flags of this kind of record.
    pub(super) misc: u16,
    /// All after the header.
    pub(super) body: Vec<u8>,
    /// Of a sample, what stayed the same beyond the stack that it copied.
    pub(super) steady: Option<Steady>,
}

/// The ring of one event on one CPU.
pub(super) struct Ring {
    memory: MmapRaw,
    data: usize,
    size: usize,
    tail: u64,
    newest: u64,
    parse_info: RecordParseInfo,
    /// Closing the event would end sampling.
    event: OwnedFd,
    /// Others that write into the same ring.
    beside: Vec<OwnedFd>,
}

impl Ring {
    /// Maps `pages` data pages (a power of two) of an event.
    pub(super) fn new(event: OwnedFd, pages: usize) -> std::io::Result<Self> {
        let page = auxv::page_size();
        let memory = MmapOptions::new().len((pages + 1) * page).map_raw(&event)?;
        Ok(Self {
            memory,
            data: page,
            size: pages * page,
            tail: 0,
            newest: 0,
            parse_info: attr::parse_info(),
            event,
            beside: Vec::new(),
        })
    }

    /// Keeps an event alive that writes into this ring.
    pub(super) fn share_with(&mut self, event: OwnedFd) {
        self.beside.push(event);
    }

    /// Hands over every complete record and gives its room back to the kernel.
    pub(super) fn drain(&mut self, mut each: impl FnMut(Record)) {
        // The barrier pairs with the kernel's: what lies before `head` is written (`perf_event_open(2)`, `data_head`).
        let head = self.head().load(Ordering::Acquire);
        while self.tail < head {
            let Some(record) = self.next(head) else {
                // A size that cannot be: give the whole stretch up rather than read garbage for ever.
                self.tail = head;
                break;
            };
            each(record);
            self.consumed().store(self.tail, Ordering::Release);
        }
        self.consumed().store(self.tail, Ordering::Release);
    }

    /// The event.
    pub(super) fn event(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }

    fn next(&mut self, head: u64) -> Option<Record> {
        let header: [u8; HEADER] = self.copy(self.tail, HEADER).try_into().ok()?;
        let [k0, k1, k2, k3, m0, m1, s0, s1] = header;
        let size = usize::from(u16::from_ne_bytes([s0, s1]));
        if size < HEADER || size as u64 > head - self.tail {
            return None;
        }
        let body = self.copy(self.tail + HEADER as u64, size - HEADER);
        self.tail += size as u64;
        let (kind, misc) = (u32::from_ne_bytes([k0, k1, k2, k3]), u16::from_ne_bytes([m0, m1]));
        let raw = RawEventRecord::new(RecordType(kind), misc, RawData::Single(&body), self.parse_info);
        // A record without a time belongs where it stood in its ring.
        self.newest = raw.timestamp().unwrap_or(self.newest);
        Some(Record { time: self.newest, kind, misc, body, steady: None })
    }

    fn copy(&self, position: u64, len: usize) -> Vec<u8> {
        let len = len.min(self.size);
        let start = (position % self.size as u64) as usize;
        let first = len.min(self.size - start);
        let mut out = Vec::with_capacity(len);
        #[expect(unsafe_code, reason = "the kernel shares this memory; only pointers can read it")]
        // SAFETY: `start + first` and `len - first` are at most `size`, and `data..data + size` is mapped for as long as
        // `memory` lives; the kernel does not write between tail and head; `out` has room for `len` bytes, all of which
        // are written before the length is set.
        unsafe {
            let ring = self.memory.as_ptr().add(self.data);
            ptr::copy_nonoverlapping(ring.add(start), out.as_mut_ptr(), first);
            ptr::copy_nonoverlapping(ring, out.as_mut_ptr().add(first), len - first);
            out.set_len(len);
        }
        out
    }

    fn head(&self) -> &AtomicU64 {
        let page: *mut perf_event_mmap_page = self.memory.as_mut_ptr().cast();
        #[expect(unsafe_code, reason = "the kernel shares this word; atomics are how both sides agree on it")]
        // SAFETY: the mapping starts with a perf_event_mmap_page, page-aligned, and lives as long as `self`; the kernel
        // and this process access the word only as a whole.
        unsafe {
            AtomicU64::from_ptr(&raw mut (*page).data_head)
        }
    }

    fn consumed(&self) -> &AtomicU64 {
        let page: *mut perf_event_mmap_page = self.memory.as_mut_ptr().cast();
        #[expect(unsafe_code, reason = "the kernel shares this word; atomics are how both sides agree on it")]
        // SAFETY: as for `head`.
        unsafe {
            AtomicU64::from_ptr(&raw mut (*page).data_tail)
        }
    }
}
