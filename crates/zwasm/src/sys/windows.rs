//! Address space through `VirtualAlloc`.
//!
//! Windows tells reserving addresses from committing memory, and counts only the
//! latter against what the system has: so a reservation costs nothing, and committing
//! is what can fail. A mapping is one reservation; the parts of it that are given
//! back are decommitted, and only the whole is released.

#[cfg(compiler)]
pub(crate) mod exceptions;

use std::ffi::c_void;
use std::io;
use std::ptr::{self, NonNull};

#[cfg(compiler)]
use super::Access;
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_NOACCESS, PAGE_READWRITE,
    VirtualAlloc, VirtualFree,
};
#[cfg(compiler)]
use windows_sys::Win32::System::Memory::{PAGE_EXECUTE_READ, VirtualProtect};

/// A time in nanoseconds. What the system knows of threads is coarser than what is measured.
#[cfg(optimizer)]
pub(crate) fn thread_time() -> u64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_nanos() as u64
}

/// The system's allocator gives back what is free by itself.
pub(crate) fn trim_heap() {}

/// A range of address space, released when dropped.
pub(crate) struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the range is owned, and access to it goes through raw pointers whose
// users answer for synchronisation.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

/// The size of a page, which on x86-64 is always this.
#[cfg(compiler)]
pub(crate) fn page_size() -> usize {
    4096
}

/// What a call that returns zero failed with.
fn checked(succeeded: bool) -> io::Result<()> {
    if succeeded { Ok(()) } else { Err(io::Error::last_os_error()) }
}

impl Mapping {
    /// A mapping without address space.
    pub(crate) fn empty() -> Mapping {
        Mapping { base: NonNull::dangling(), len: 0 }
    }

    /// Reserves `len` bytes that cannot be accessed yet.
    pub(crate) fn reserve(len: usize) -> io::Result<Mapping> {
        Mapping::map(len, MEM_RESERVE, PAGE_NOACCESS)
    }

    /// Maps `len` bytes of zeros.
    pub(crate) fn zeroed(len: usize) -> io::Result<Mapping> {
        Mapping::map(len, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
    }

    fn map(len: usize, how: u32, protection: u32) -> io::Result<Mapping> {
        if len == 0 {
            return Ok(Mapping::empty());
        }
        // SAFETY: a fresh range touches no existing memory.
        let base = unsafe { VirtualAlloc(ptr::null(), len, how, protection) };
        let base = NonNull::new(base.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Mapping { base, len })
    }

    /// The address of `len` bytes from `offset`.
    fn range(&self, offset: usize, len: usize) -> *mut c_void {
        let end = offset.checked_add(len);
        assert!(end.is_some_and(|end| end <= self.len), "a range beyond the mapping");
        self.base.as_ptr().wrapping_add(offset).cast()
    }

    /// Makes `len` bytes from `offset` readable and writable.
    pub(crate) fn commit(&mut self, offset: usize, len: usize) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        // What is committed already stays as it is.
        // SAFETY: the range lies within this mapping.
        let base =
            unsafe { VirtualAlloc(self.range(offset, len), len, MEM_COMMIT, PAGE_READWRITE) };
        checked(!base.is_null())
    }

    /// Changes what may be done with `len` bytes from `offset`, and commits them when
    /// they become writable. Nothing may use them meanwhile.
    #[cfg(compiler)]
    pub(crate) fn protect(&self, offset: usize, len: usize, access: Access) -> io::Result<()> {
        let start = self.range(offset, len);
        // SAFETY: the range lies within this mapping, and the old protection is
        // written to a variable.
        unsafe {
            match access {
                Access::ReadWrite => {
                    checked(!VirtualAlloc(start, len, MEM_COMMIT, PAGE_READWRITE).is_null())
                }
                Access::ReadExecute => {
                    let mut old = 0;
                    checked(VirtualProtect(start, len, PAGE_EXECUTE_READ, &raw mut old) != 0)
                }
            }
        }
    }

    /// Has `len` bytes from `offset`, which can be written, be zeros again, and gives their
    /// pages back. Nothing may use them meanwhile.
    pub(crate) fn reset(&self, offset: usize, len: usize) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        let start = self.range(offset, len);
        // SAFETY: the range lies within this mapping; what is committed anew is zero.
        unsafe {
            checked(VirtualFree(start, len, MEM_DECOMMIT) != 0)?;
            checked(!VirtualAlloc(start, len, MEM_COMMIT, PAGE_READWRITE).is_null())
        }
    }

    /// What is committed takes memory page by page anyway.
    pub(crate) fn stay_small(&self) {}

    /// Makes `len` bytes from `offset` inaccessible again and gives their pages
    /// back. Nothing may use them any more.
    pub(crate) fn discard(&self, offset: usize, len: usize) -> io::Result<()> {
        // SAFETY: the range lies within this mapping.
        checked(unsafe { VirtualFree(self.range(offset, len), len, MEM_DECOMMIT) } != 0)
    }

    /// Changes the size of a mapping made by [`Mapping::zeroed`], which may move
    /// it; new bytes are zero.
    pub(crate) fn resize(&mut self, len: usize) -> io::Result<()> {
        let grown = Mapping::zeroed(len)?;
        // SAFETY: both ranges are committed, disjoint and at least that long.
        unsafe {
            let count = self.len.min(len);
            ptr::copy_nonoverlapping(self.base.as_ptr(), grown.base.as_ptr(), count);
        }
        *self = grown;
        Ok(())
    }

    /// The first byte.
    pub(crate) fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// The size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: the range is this mapping's own, and no pointer into it
            // outlives its owner. Failure would only leak address space.
            let _ = unsafe { VirtualFree(self.base.as_ptr().cast(), 0, MEM_RELEASE) };
        }
    }
}
