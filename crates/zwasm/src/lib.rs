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
mod pooling;
#[doc(hidden)]
pub use api::fiber;
#[cfg(doctest)]
mod soundness;
mod stack;
mod store;
mod sys;
mod tier;
mod tuning;
mod types;

#[cfg(feature = "async")]
pub use api::asynchronous::WasmTyList;
pub use api::caller::Caller;
pub use api::code_builder::{CodeBuilder, CodeHint};
pub use api::config::{
    Collector, Inlining, OptLevel, ProfilingStrategy, RegallocAlgorithm, WasmBacktraceDetails,
};
pub use api::coredump::WasmCoreDump;
pub use api::engine::{PoolingAllocatorMetrics, Precompiled};
pub use api::exception::{ExnRef, ExnRefPre, ThrownException};
pub use api::externs::{Export, Extern, Global, Memory, MemoryAccessError, Tag};
pub use api::func::{Func, SlotFunc, TypedFunc};
pub use api::gc::anyref::AnyRef;
pub use api::gc::arrayref::{ArrayRef, ArrayRefPre};
pub use api::gc::eqref::EqRef;
pub use api::gc::externref::ExternRef;
pub use api::gc::i31::I31;
pub use api::gc::rooted::{GcRef, ManuallyRooted, OwnedRooted, RootScope, Rooted, RootedGcRef};
pub use api::gc::structref::{StructRef, StructRefPre};
pub use api::hooks::CallHook;
#[cfg(feature = "async")]
pub use api::hooks::CallHookHandler;
pub use api::instance::{Instance, invoke};
pub use api::limiter::{StoreLimits, StoreLimitsBuilder};
pub use api::limits::InterruptHandle;
pub use api::linker::{InstancePre, Linker, UnknownImportError};
pub use api::module::{ExportType, ImportType, ModuleExport, ResourcesRequired};
#[cfg(feature = "trace")]
pub use api::observe::{FunctionProfile, Profile, Sample, SampledFrame};
pub use api::raw::ValRaw;
#[cfg(feature = "threads")]
pub use api::shared::SharedMemory;
pub use api::slot_funcs::SlotFuncs;
pub use api::store::{AsContext, AsContextMut, Refusals, Store, StoreContext, StoreContextMut};
pub use api::table::Table;
pub use api::types::{
    ArrayType, ExnType, ExternType, FieldType, Finality, FuncType, GlobalType, HeapType, RefType,
    StorageType, StructType, TableType, TagType, ValType,
};
pub use api::v128::V128;
pub use api::val::{Ref, Val};
pub use api::wasm_ty::{
    IntoFunc, NoExn, NoExtern, NoFunc, NoneRef, WasmParams, WasmResults, WasmRet, WasmTy,
};
pub use engine::{Config, Engine, EngineWeak, ModuleVersionStrategy};
pub use error::{
    Context, Error, ErrorKind, FrameInfo, FrameSymbol, MemoryFault, Result, Trap, WasmBacktrace,
};
pub use features::{Feature, FeatureStatus};
pub use module::Module;
#[cfg(feature = "addr2line")]
pub use module::SourceLine;
#[doc(hidden)]
pub use module::source;
#[cfg(feature = "trace")]
pub use observe::Trace;
pub use pooling::{
    Enabled, InstanceAllocationStrategy, PoolConcurrencyLimitError, PoolingAllocationConfig,
};
pub use store::gc::full::GcHeapOutOfMemory;
#[cfg(feature = "async")]
pub use store::growth::ResourceLimiterAsync;
pub use store::limiter::ResourceLimiter;
pub use store::limits::UpdateDeadline;
#[cfg(feature = "threads")]
pub use store::shared::WaitResult;
#[doc(hidden)]
pub use tier::Pin;
pub use tier::{Promotion, Strategy};
pub use types::{MemoryType, MemoryTypeBuilder, Mutability};
