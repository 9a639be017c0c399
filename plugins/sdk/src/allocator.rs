//! The memory allocator of a plugin: it allocates from front to back, and frees only the newest block.
//!
//! A sandbox lives for one call and is then discarded with all its memory, so freeing memory within it has no use. Only
//! the newest block is freed, or grown in place, so that a growing list does not leave copies of itself behind.

#![allow(unsafe_code, reason = "an allocator hands out raw memory")]

use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::cell::Cell;

/// WebAssembly's unit of memory, in bytes.
const PAGE: usize = 65_536;

/// The fewest units that memory grows by, because growing is expensive.
const PAGES_MIN: usize = 16;

/// Takes memory from the sandbox and gives nothing back.
struct Bump {
    /// The first free byte, and the first byte beyond the memory; both 0 before the first allocation.
    next: Cell<usize>,
    end: Cell<usize>,
}

// SAFETY: a plugin has one thread.
unsafe impl Sync for Bump {}

#[global_allocator]
static MEMORY: Bump = Bump { next: Cell::new(0), end: Cell::new(0) };

unsafe extern "C" {
    /// Where the linker ends what is not for the allocator.
    static __heap_base: u8;
}

impl Bump {
    /// The piece of `size` bytes that begins at `start`, if memory reaches that far or can be made to.
    #[inline]
    fn take(&self, start: usize, size: usize) -> *mut u8 {
        match start.checked_add(size) {
            Some(next) if next <= self.end.get() || self.reach(next) => {
                self.next.set(next);
                std::ptr::with_exposed_provenance_mut(start)
            }
            Some(_) | None => std::ptr::null_mut(),
        }
    }

    /// Makes memory reach up to `next`, or says that it cannot.
    #[cold]
    fn reach(&self, next: usize) -> bool {
        let pages = (next - self.end.get()).div_ceil(PAGE).max(PAGES_MIN);
        let before = core::arch::wasm32::memory_grow::<0>(pages);
        if before == usize::MAX {
            return false;
        }
        self.end.set((before + pages) * PAGE);
        true
    }

    #[cold]
    fn start(&self) {
        self.next.set((&raw const __heap_base).expose_provenance());
        self.end.set(core::arch::wasm32::memory_size::<0>() * PAGE);
    }

    fn is_newest(&self, piece: *mut u8, layout: Layout) -> bool {
        piece.addr() + layout.size() == self.next.get()
    }
}

// SAFETY: each piece lies behind all earlier ones that are still in use, within memory that is there.
unsafe impl GlobalAlloc for Bump {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.end.get() == 0 {
            self.start();
        }
        self.take(self.next.get().next_multiple_of(layout.align()), layout.size())
    }

    #[inline]
    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        if self.is_newest(piece, layout) {
            self.next.set(piece.addr());
        }
    }

    #[inline]
    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if self.is_newest(piece, layout) {
            return self.take(piece.addr(), size);
        }
        // SAFETY: the caller promises that `size` fits the alignment, and that `piece` has what `layout` says.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(piece, moved, layout.size().min(size));
            }
            moved
        }
    }
}
