//! The embedding API: handles into a store, and how they are used.
//!
//! This is the uppermost layer of the crate: nothing below names it.
//!
//! Who implements [`AsContext`](crate::AsContext) may answer with another store each
//! time. So every function asks once and works with the answer.

mod boundary;
pub(crate) mod coredump;
pub(crate) mod exception;
pub(crate) mod externs;
pub(crate) mod func;
pub(crate) mod gc;
pub(crate) mod gc_new;
pub(crate) mod instance;
pub(crate) mod limiter;
pub(crate) mod limits;
pub(crate) mod linker;
#[cfg(feature = "trace")]
pub(crate) mod observe;
#[cfg(feature = "threads")]
pub(crate) mod shared;
pub(crate) mod store;
pub(crate) mod val;
