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
#[cfg(all(compiler, not(windows)))]
pub(crate) mod signals;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
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

/// What may be done with pages.
#[cfg(compiler)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadExecute,
}
