//! What a static build has in place of musl's slow parts: the allocator, and on x86-64
//! the copying of memory. Elsewhere this crate is empty.
//!
//! A program gets them by naming the crate; nothing is to be called.

#[cfg(target_env = "musl")]
mod allocator;
#[cfg(all(target_env = "musl", target_arch = "x86_64"))]
mod copy;
