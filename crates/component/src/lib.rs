//! The component model: decoding components, instantiating them, calling into them and
//! providing their imports, in the shape of wasmtime's `component` module.
//!
//! A component becomes a flat plan of steps (`decode`, `plan`), whose types are interned
//! (`types`). Values cross between host and guest, and between guests, as the canonical
//! ABI says (`abi`); handles to resources are in one table per instance (`handles`).

#![deny(unsafe_code)]

/// The programs in the book's chapter on components, as tests.
#[cfg(all(doctest, feature = "macros", feature = "wat"))]
#[doc = include_str!("../../../docs/book/src/components.md")]
struct Book;

mod abi;
#[cfg(feature = "async")]
mod asynchronous;
mod bindings;
mod component;
#[cfg(feature = "async")]
mod concurrent;
mod decode;
mod func;
mod fuse;
mod handles;
mod instance;
mod instantiate;
mod linker;
mod plan;
mod prepared;
mod resource;
mod resource_table;
mod state;
mod task;
mod tuning;
pub mod types;
mod val;
pub mod wave;
pub mod wit;

pub use abi::call::RawCall;
pub use abi::{
    AnyStore, Check, ComponentNamedList, ComponentType, Lift, LiftContext, Lower, LowerContext,
    Place, TypeContext,
};
pub use bindings::{__private, HasData, HasSelf};
pub use component::Component;
#[cfg(feature = "async")]
pub use concurrent::{Access, Accessor, AccessorTask, AsAccessor, JoinHandle, RunConcurrent};
pub use func::{Func, TypedFunc};
pub use instance::{ComponentExportIndex, Instance, InstanceExportLookup};
pub use instantiate::InstancePre;
pub use linker::{Linker, LinkerInstance};
pub use resource::{Resource, ResourceAny, ResourceType};
pub use resource_table::{ResourceTable, ResourceTableError};
pub use task::ends::{
    FutureReader, FutureWriter, ReaderAny, StreamReader, StreamWriter, future, future_in, stream,
    stream_in,
};
pub use task::host::{Call, Loop, poll_until, set_loop, spawn};
pub use types::{InterfaceType, Type};
pub use val::Val;

#[cfg(feature = "macros")]
mod macros;
#[cfg(feature = "macros")]
pub use macros::{ComponentType, Lift, Lower, bindgen, flags};
