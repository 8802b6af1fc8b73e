//! An allocator that counts: it shows what a decoder takes at its highest, and ends the process at one absurd request.
#![expect(unsafe_code, reason = "an allocator cannot be written without; every call goes straight to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// No single allocation may be larger, bytes. The targets' inputs are at most 64 KiB.
const LARGEST: usize = 256 << 20;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

impl Counting {
    /// Null is how an allocator refuses; Rust then aborts, which libFuzzer reports as a crash.
    fn add(size: usize) -> bool {
        PEAK.fetch_max(NOW.fetch_add(size, Relaxed) + size, Relaxed);
        size <= LARGEST
    }
}

// SAFETY: every pointer comes from `System` and goes back to it with the layout it was asked for with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if Self::add(layout.size()) { unsafe { System.alloc(layout) } } else { std::ptr::null_mut() }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if Self::add(layout.size()) { unsafe { System.alloc_zeroed(layout) } } else { std::ptr::null_mut() }
    }

    /// Counts the old and the new place at once, as when the bytes have to move.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !Self::add(size) {
            return std::ptr::null_mut();
        }
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Watches the memory from now on. A target has one thread.
pub struct Meter(usize);

impl Meter {
    pub fn start() -> Self {
        let now = NOW.load(Relaxed);
        PEAK.store(now, Relaxed);
        Self(now)
    }

    /// The highest of what was taken since the start and not given back, bytes.
    pub fn peak(&self) -> usize {
        PEAK.load(Relaxed).saturating_sub(self.0)
    }
}
