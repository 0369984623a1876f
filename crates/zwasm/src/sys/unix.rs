//! Address space through `mmap`.

use std::io;
use std::ptr::{self, NonNull};

#[cfg(compiler)]
use super::Access;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// Pages of this process alone, for which nothing is set aside before they are used.
/// FreeBSD needs not be asked for that.
#[cfg(not(target_os = "freebsd"))]
const FRESH: MapFlags = MapFlags::PRIVATE.union(MapFlags::NORESERVE);
#[cfg(target_os = "freebsd")]
const FRESH: MapFlags = MapFlags::PRIVATE;

/// The time in nanoseconds that this thread has run.
#[cfg(optimizer)]
pub(crate) fn thread_time() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Gives what is free of the heap back to the system, where the allocator would keep it.
pub(crate) fn trim_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            safe fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        malloc_trim(0);
    }
}

/// A range of address space, unmapped when dropped.
pub(crate) struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the range is owned, and access to it goes through raw pointers whose
// users answer for synchronisation.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// A mapping without address space.
    pub(crate) fn empty() -> Mapping {
        Mapping { base: NonNull::dangling(), len: 0 }
    }

    /// Reserves `len` bytes that cannot be accessed yet.
    pub(crate) fn reserve(len: usize) -> io::Result<Mapping> {
        Mapping::map(len, ProtFlags::empty())
    }

    /// Maps `len` bytes of zeros.
    pub(crate) fn zeroed(len: usize) -> io::Result<Mapping> {
        Mapping::map(len, ProtFlags::READ | ProtFlags::WRITE)
    }

    fn map(len: usize, protection: ProtFlags) -> io::Result<Mapping> {
        if len == 0 {
            return Ok(Mapping::empty());
        }
        // SAFETY: a fresh anonymous mapping touches no existing memory.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), len, protection, FRESH)? };
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { base, len })
    }

    /// Makes `len` bytes from `offset` readable and writable.
    pub(crate) fn commit(&mut self, offset: usize, len: usize) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        assert!(offset + len <= self.len, "commit beyond the mapping");
        // SAFETY: the range lies within this mapping, which nothing else uses.
        unsafe {
            let start = self.base.as_ptr().add(offset);
            mprotect(start.cast(), len, MprotectFlags::READ | MprotectFlags::WRITE)?;
        }
        Ok(())
    }

    /// Changes what may be done with `len` bytes from `offset`. Nothing may use
    /// them meanwhile.
    #[cfg(compiler)]
    pub(crate) fn protect(&self, offset: usize, len: usize, access: Access) -> io::Result<()> {
        let flags = match access {
            Access::ReadWrite => MprotectFlags::READ | MprotectFlags::WRITE,
            Access::ReadExecute => MprotectFlags::READ | MprotectFlags::EXEC,
        };
        assert!(offset + len <= self.len, "protection beyond the mapping");
        // SAFETY: the range lies within this mapping.
        unsafe { mprotect(self.base.as_ptr().add(offset).cast(), len, flags)? };
        Ok(())
    }

    /// Has `len` bytes from `offset`, which can be written, be zeros again, and gives their
    /// pages back. Nothing may use them meanwhile.
    pub(crate) fn reset(&self, offset: usize, len: usize) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        assert!(offset + len <= self.len, "resetting beyond the mapping");
        // SAFETY: the range lies within this mapping, and is plain memory of this process.
        unsafe {
            let start = self.base.as_ptr().add(offset);
            // Of the other systems not all promise zeros.
            #[cfg(target_os = "linux")]
            rustix::mm::madvise(start.cast(), len, rustix::mm::Advice::LinuxDontNeed)?;
            #[cfg(not(target_os = "linux"))]
            {
                let protection = ProtFlags::READ | ProtFlags::WRITE;
                mmap_anonymous(start.cast(), len, protection, FRESH | MapFlags::FIXED)?;
            }
        }
        Ok(())
    }

    /// Has the bytes from `offset`, which can be written, be those of an image; what writes to
    /// them has a copy of the page. Resetting them brings those of the image back. Nothing may
    /// use them meanwhile.
    #[cfg(target_os = "linux")]
    pub(crate) fn show(&self, offset: usize, image: &super::Image) -> io::Result<()> {
        assert!(offset + image.len() <= self.len, "an image beyond the mapping");
        // SAFETY: the range lies within this mapping; the new one takes its place.
        unsafe {
            rustix::mm::mmap(
                self.base.as_ptr().add(offset).cast(),
                image.len(),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::FIXED,
                &image.file,
                0,
            )?;
        }
        Ok(())
    }

    /// Has `len` bytes from `offset`, which an image was shown in, be zeros.
    #[cfg(target_os = "linux")]
    pub(crate) fn hide(&self, offset: usize, len: usize) -> io::Result<()> {
        assert!(offset + len <= self.len, "hiding beyond the mapping");
        // SAFETY: as above.
        unsafe {
            let start = self.base.as_ptr().add(offset);
            let protection = ProtFlags::READ | ProtFlags::WRITE;
            mmap_anonymous(start.cast(), len, protection, FRESH | MapFlags::FIXED)?;
        }
        Ok(())
    }

    /// Has the mapping take no more memory than the pages that are touched, where the
    /// system would give more at a time. What it does not know of that stays as it is.
    pub(crate) fn stay_small(&self) {
        #[cfg(target_os = "linux")]
        // SAFETY: the range is this mapping, whose contents stay as they are.
        let _ = unsafe {
            rustix::mm::madvise(
                self.base.as_ptr().cast(),
                self.len,
                rustix::mm::Advice::LinuxNoHugepage,
            )
        };
    }

    /// Makes `len` bytes from `offset` inaccessible again and gives their pages
    /// back. Nothing may use them any more.
    pub(crate) fn discard(&self, offset: usize, len: usize) -> io::Result<()> {
        assert!(offset + len <= self.len, "discarding beyond the mapping");
        // SAFETY: the range lies within this mapping; the new one takes its place.
        unsafe {
            let start = self.base.as_ptr().add(offset);
            mmap_anonymous(start.cast(), len, ProtFlags::empty(), FRESH | MapFlags::FIXED)?;
        }
        Ok(())
    }

    /// Changes the size of a mapping made by [`Mapping::zeroed`], which may move
    /// it; new bytes are zero.
    pub(crate) fn resize(&mut self, len: usize) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if self.len != 0 && len != 0 {
            // SAFETY: the whole mapping is given up for the one that replaces it.
            let base = unsafe {
                rustix::mm::mremap(
                    self.base.as_ptr().cast(),
                    self.len,
                    len,
                    rustix::mm::MremapFlags::MAYMOVE,
                )?
            };
            self.base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
            self.len = len;
            return Ok(());
        }
        let grown = Mapping::zeroed(len)?;
        // SAFETY: both ranges are mapped, disjoint and at least that long.
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

/// The size of the system's pages: 4, 16 or 64 KiB.
#[cfg(compiler)]
pub(crate) fn page_size() -> usize {
    // SAFETY: it reads a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).expect("the system has pages")
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: the range is this mapping's own, and no pointer into it
            // outlives its owner. Failure would only leak address space.
            let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
        }
    }
}
