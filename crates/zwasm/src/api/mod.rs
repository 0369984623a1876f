//! The embedding API: handles into a store, and how they are used.
//!
//! This is the uppermost layer of the crate: nothing below names it.
//!
//! Who implements [`AsContext`](crate::AsContext) may answer with another store each
//! time. So every function asks once and works with the answer.

#[cfg(feature = "async")]
pub(crate) mod asynchronous;
mod boundary;
pub(crate) mod caller;
pub(crate) mod code_builder;
pub(crate) mod config;
pub(crate) mod coredump;
pub(crate) mod engine;
pub(crate) mod exception;
pub(crate) mod externs;
pub mod fiber;
pub(crate) mod func;
pub(crate) mod gc;
pub(crate) mod hooks;
pub(crate) mod instance;
pub(crate) mod limiter;
pub(crate) mod limits;
pub(crate) mod linker;
pub(crate) mod module;
#[cfg(feature = "trace")]
pub(crate) mod observe;
pub(crate) mod raw;
pub(crate) mod serialize;
#[cfg(feature = "threads")]
pub(crate) mod shared;
pub(crate) mod slot_funcs;
pub(crate) mod store;
pub(crate) mod table;
pub(crate) mod types;
pub(crate) mod v128;
pub(crate) mod val;
pub(crate) mod wasm_ty;
mod words;
