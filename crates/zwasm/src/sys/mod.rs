//! What differs between operating systems and processors: address space, faults of the
//! process, and caches of code.
//!
//! # Safety
//!
//! A [`Mapping`] owns its address range from creation to drop. Its pages are
//! either inaccessible or plain zero-initialised memory; handing out pointers
//! into it is safe, dereferencing them is the caller's business.

#[cfg(all(compiler, unix))]
#[cfg_attr(target_arch = "x86_64", path = "context_x64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "context_aarch64.rs")]
mod context;
#[cfg(compiler)]
pub(crate) mod icache;
#[cfg_attr(not(target_os = "linux"), path = "no_image.rs")]
mod image;
#[cfg(all(compiler, target_os = "linux"))]
mod pagemap;
#[cfg(all(compiler, not(windows)))]
pub(crate) mod signals;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;

use crate::tuning;
pub(crate) use image::Image;
#[cfg(all(unix, compiler))]
pub(crate) use unix::page_size;
#[cfg(all(unix, optimizer))]
pub(crate) use unix::thread_time;
#[cfg(unix)]
pub(crate) use unix::{Mapping, trim_heap};
#[cfg(all(windows, optimizer))]
pub(crate) use windows::thread_time;
#[cfg(windows)]
pub(crate) use windows::{Mapping, trim_heap};
#[cfg(all(windows, compiler))]
pub(crate) use windows::{exceptions as signals, page_size};

/// Whether the system tells which pages hold something.
pub(crate) fn looks_at_pages() -> bool {
    #[cfg(all(compiler, target_os = "linux"))]
    return pagemap::is_there();
    #[cfg(not(all(compiler, target_os = "linux")))]
    false
}

impl Mapping {
    /// Has `len` bytes from the start, which can be written, be zeros again. Pages that hold
    /// something stay, up to so many bytes, if they are looked for; else the first ones. The
    /// others are given back. Nothing may use them meanwhile.
    pub(crate) fn clear(&self, len: usize, kept: usize, looks: bool) -> io::Result<()> {
        assert!(len <= self.len(), "clearing beyond the mapping");
        #[cfg(all(compiler, target_os = "linux"))]
        let cleared = if looks { pagemap::clear(self, len, kept) } else { None };
        #[cfg(not(all(compiler, target_os = "linux")))]
        let (cleared, _) = (None, looks);
        let cleared = cleared.unwrap_or_else(|| {
            let kept = kept.min(tuning::MEMORY_KEPT_BLINDLY).next_multiple_of(PAGE).min(len);
            // SAFETY: the bytes are this mapping's and can be written.
            unsafe { self.base().write_bytes(0, kept) };
            kept
        });
        self.reset(cleared, len - cleared)
    }
}

/// A size that those of all systems' pages divide.
const PAGE: usize = 64 << 10;

/// What may be done with pages.
#[cfg(compiler)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadExecute,
}
