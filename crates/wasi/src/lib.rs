//! WASI preview 1, 0.2 and 0.3 for zwasm.
//!
//! Two layers. `host/` is what a guest may ask of the machine: files below
//! preopened directories, clocks, randomness, waiting, sockets, the standard
//! streams. Each of its functions is one operation and begins by naming the
//! capability it needs, and none knows what a guest looks like. On top are the ABIs.
//! `p1/` is that of modules: numbers and pointers out of guest memory, the descriptor
//! table with its rights, error codes. One declared table of functions
//! (`p1::FUNCTIONS`) drives linking, so that the whole ABI costs one thunk
//! instead of one per function. [`p2`] is that of components: a table for each
//! interface, of functions over values and resources. [`p3`] is its successor, whose
//! functions can wait and whose streams are those of components.
//!
//! ```no_run
//! use zwasm::{Engine, Linker, Module, Store};
//! use zwasm_wasi::{Capabilities, WasiCtx};
//!
//! # fn main() -> zwasm::Result<()> {
//! let engine = Engine::default();
//! let mut linker: Linker<WasiCtx> = Linker::new(&engine);
//! zwasm_wasi::add_to_linker(&mut linker, |ctx| ctx)?;
//!
//! let mut wasi = WasiCtx::builder();
//! wasi.arg("hello.wasm").inherit_stdio().preopen_dir("data", "/")?;
//! wasi.caps(Capabilities::default() | Capabilities::READ);
//! let mut store = Store::new(&engine, wasi.build());
//!
//! let module = Module::from_file(&engine, "hello.wasm")?;
//! let instance = linker.instantiate(&mut store, &module)?;
//! let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
//! let result = start.call(&mut store, ());
//! store.data().flush()?;
//! result
//! # }
//! ```

#![forbid(unsafe_code)]

mod caps;
mod ctx;
mod exit;
mod host;
#[cfg(feature = "component")]
pub mod http;
mod link;
pub mod p1;
#[cfg(feature = "component")]
pub mod p2;
#[cfg(feature = "component")]
pub mod p3;
#[cfg(feature = "threads")]
mod threads;

pub use caps::Capabilities;
pub use ctx::{DirPerms, FilePerms, FsPerms, WasiCtx, WasiCtxBuilder};
pub use exit::I32Exit;
pub use host::interrupt::InterruptHandle;
pub use host::stdio::MemoryPipe;
pub use link::add_to_linker;
#[cfg(feature = "component")]
pub use p2::{WasiCtxView, WasiView};
#[cfg(feature = "threads")]
pub use threads::Threads;
#[cfg(feature = "component")]
pub use zwasm_component::ResourceTable;
