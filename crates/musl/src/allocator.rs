//! dlmalloc as the program's allocator.
//!
//! musl's own gives every larger piece of memory back to the system at once, and has it
//! zeroed again for the next: up to half more time for programs that are compiled.
//!
//! Its functions are calls here. Inlined where anything is allocated, they would take
//! 50 KB.

use dlmalloc::GlobalDlmalloc;
use std::alloc::{GlobalAlloc, Layout};

struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

// SAFETY: each function is dlmalloc's, whose promises are these.
unsafe impl GlobalAlloc for Allocator {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { GlobalDlmalloc.alloc(layout) }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { GlobalDlmalloc.dealloc(start, layout) }
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { GlobalDlmalloc.alloc_zeroed(layout) }
    }

    #[inline(never)]
    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { GlobalDlmalloc.realloc(start, layout, size) }
    }
}
