//! zwasm: a small, full and fast WebAssembly runtime.
//!
//! The API has the shape of wasmtime's: an [`Engine`] compiles [`Module`]s, a
//! [`Store`] owns [`Instance`]s, a [`Linker`] provides their imports, and a
//! [`Func`] or [`TypedFunc`] calls into them.
//!
//! ```
//! use zwasm::{Engine, Linker, Module, Store};
//!
//! let engine = Engine::default();
//! let module = Module::new(
//!     &engine,
//!     r#"(module
//!         (import "host" "double" (func $double (param i32) (result i32)))
//!         (func (export "quadruple") (param i32) (result i32)
//!             (call $double (call $double (local.get 0)))))"#,
//! )?;
//! let mut linker = Linker::new(&engine);
//! linker.func_wrap("host", "double", |x: i32| x * 2)?;
//! let mut store = Store::new(&engine, ());
//! let instance = linker.instantiate(&mut store, &module)?;
//! let quadruple = instance.get_typed_func::<i32, i32>(&mut store, "quadruple")?;
//! assert_eq!(quadruple.call(&mut store, 5)?, 20);
//! # Ok::<(), zwasm::Error>(())
//! ```
//!
//! For one call there is [`invoke`]:
//!
//! ```
//! use zwasm::Val;
//! let wat = r#"(module (func (export "add") (param i32 i32) (result i32)
//!     (i32.add (local.get 0) (local.get 1))))"#;
//! let results = zwasm::invoke(wat, "add", &[Val::I32(2), Val::I32(3)])?;
//! assert_eq!(results[0].i32(), Some(5));
//! # Ok::<(), zwasm::Error>(())
//! ```

/// The programs in the book's chapter on embedding, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/book/src/embedding.md")]
struct Book;

#[cfg(target_endian = "big")]
compile_error!("slots and memories are accessed as the little-endian layout they have");

mod api;
mod code;
mod engine;
pub mod error;
mod features;
mod interp;
mod module;
#[cfg(feature = "trace")]
mod observe;
#[cfg(doctest)]
mod soundness;
mod stack;
mod store;
mod sys;
mod tier;
mod tuning;
mod types;

pub use api::coredump::WasmCoreDump;
pub use api::exception::{ExnRef, ThrownException};
pub use api::externs::{Extern, Global, Memory, Table, Tag};
pub use api::func::{
    Caller, Func, IntoFunc, SlotFunc, TypedFunc, WasmParams, WasmResults, WasmRet, WasmTy,
};
pub use api::gc::{AnyRef, ArrayRef, ExternRef, OwnedRooted, RootScope, StructRef};
pub use api::gc_new::{ArrayRefPre, ArrayType, StructRefPre, StructType};
pub use api::instance::{Instance, invoke};
pub use api::limiter::{StoreLimits, StoreLimitsBuilder};
pub use api::limits::InterruptHandle;
pub use api::linker::Linker;
#[cfg(feature = "trace")]
pub use api::observe::{FunctionProfile, Profile, Sample, SampledFrame};
#[cfg(feature = "threads")]
pub use api::shared::SharedMemory;
pub use api::store::{AsContext, AsContextMut, Refusals, Store, StoreContext, StoreContextMut};
pub use api::val::Val;
pub use engine::{Config, Engine};
pub use error::{Error, ErrorKind, FrameInfo, FrameSymbol, Result, Trap, WasmBacktrace};
pub use features::{Feature, FeatureStatus};
#[cfg(feature = "addr2line")]
pub use module::SourceLine;
#[doc(hidden)]
pub use module::source;
pub use module::{ExportType, ImportType, Module};
#[cfg(feature = "trace")]
pub use observe::Trace;
pub use store::limiter::ResourceLimiter;
pub use store::limits::UpdateDeadline;
#[cfg(feature = "threads")]
pub use store::shared::WaitResult;
#[doc(hidden)]
pub use tier::Pin;
pub use tier::{Promotion, Strategy};
pub use types::{
    DefinedType, ExternType, FieldType, FuncType, GlobalType, HeapType, MemoryType, Mutability,
    RefType, StorageType, TableType, TagType, ValType,
};
