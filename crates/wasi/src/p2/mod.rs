//! WASI 0.2: the interfaces that components import.
//!
//! Each interface is a table of functions over the host layer, as preview 1 is: what an
//! operation needs is asked for there, and refused there. `table` says how an interface
//! is declared, `wit` how types of WIT are; the other modules are one package each.
//!
//! A component may import more than its guest may use. It links all the same, and what
//! is refused is refused when it is called: with an error code where the function has
//! one, and by stopping the guest where it has none.
//!
//! ```no_run
//! use zwasm::{Engine, Store};
//! use zwasm_component::{Component, Linker, ResourceTable};
//! use zwasm_wasi::WasiCtx;
//! use zwasm_wasi::p2::bindings::sync::Command;
//! use zwasm_wasi::p2::{WasiCtxView, WasiView};
//!
//! struct State {
//!     wasi: WasiCtx,
//!     table: ResourceTable,
//! }
//!
//! impl WasiView for State {
//!     fn ctx(&mut self) -> WasiCtxView<'_> {
//!         WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
//!     }
//! }
//!
//! # fn main() -> zwasm::Result<()> {
//! let engine = Engine::default();
//! let mut linker: Linker<State> = Linker::new(&engine);
//! zwasm_wasi::p2::add_to_linker_sync(&mut linker)?;
//!
//! let wasi = WasiCtx::builder().arg("hello.wasm").inherit_stdio().build();
//! let mut store = Store::new(&engine, State { wasi, table: ResourceTable::new() });
//! let component = Component::from_file(&engine, "hello.wasm")?;
//! let command = Command::instantiate(&mut store, &component, &linker)?;
//! let succeeded = command.wasi_cli_run().call_run(&mut store)?.is_ok();
//! store.data().wasi.flush()?;
//! # let _ = succeeded;
//! # Ok(())
//! # }
//! ```

pub mod bindings;
pub(crate) mod cli;
pub(crate) mod clocks;
pub(crate) mod filesystem;
pub(crate) mod http;
mod interfaces;
pub(crate) mod io;
pub mod pipe;
pub(crate) mod random;
pub(crate) mod sockets;
pub(crate) mod table;
pub(crate) mod wit;

#[cfg(feature = "serve")]
pub use self::http::Proxy;

use zwasm::{Error, Result};
use zwasm_component::{Linker, Resource, ResourceTable, ResourceTableError};

use crate::WasiCtx;

/// Access to the WASI state of a guest in the data of its store.
pub trait WasiView: Send {
    /// The state.
    fn ctx(&mut self) -> WasiCtxView<'_>;
}

/// The WASI state of a guest: what it was given, and what it has opened.
pub struct WasiCtxView<'a> {
    /// What it was given.
    pub ctx: &'a mut WasiCtx,
    /// Its resources.
    pub table: &'a mut ResourceTable,
}

impl WasiCtxView<'_> {
    /// Adds a resource for the guest.
    ///
    /// # Errors
    ///
    /// If it has as many as there may be.
    pub(crate) fn push<R: Send + 'static>(&mut self, value: R) -> Result<Resource<R>> {
        self.table.push(value).map_err(|error| full(&self.ctx.0.host, error))
    }

    /// The same for one that depends on another.
    pub(crate) fn push_child<R: Send + 'static, P: 'static>(
        &mut self,
        value: R,
        parent: &Resource<P>,
    ) -> Result<Resource<R>> {
        self.table.push_child(value, parent).map_err(|error| full(&self.ctx.0.host, error))
    }
}

/// The error of a table that refused a resource.
#[cold]
fn full(host: &crate::host::Host, error: ResourceTableError) -> Error {
    if error == ResourceTableError::Full {
        host.reach(|| "more resources than a program may have".to_owned());
        return Error::limit("the program has as many resources as it may have");
    }
    error.into()
}

/// Defines all interfaces of `wasi:cli`, `wasi:clocks`, `wasi:filesystem`, `wasi:http`,
/// `wasi:io`, `wasi:random` and `wasi:sockets` in a linker, except those that a component
/// exports. Components of any version 0.2 find them.
///
/// # Errors
///
/// When one of the names is defined already and the linker does not allow shadowing.
pub fn add_to_linker_sync<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    io::define_poll(linker)?;
    io::define_streams(linker)?;
    add_rest(linker)
}

/// The same with functions that wait as futures: a guest that polls, sleeps, or reads and writes
/// streams by what blocks has its call pending meanwhile, on any executor. So it has to be
/// called asynchronously; a synchronous call is stopped with an error when it would wait.
///
/// One thread of the process waits for all such guests, as long as there are any.
///
/// What takes the system a while and does not wait for others is done in place: files, names of
/// directories, and standard output and error, which wait in their thread for whoever reads them.
///
/// # Errors
///
/// As [`add_to_linker_sync`].
#[cfg(feature = "async")]
pub fn add_to_linker_async<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    let mut futures = table::Futures(linker);
    io::define_poll(&mut futures)?;
    io::define_streams(&mut futures)?;
    add_rest(linker)
}

/// Defines what does not wait.
fn add_rest<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    io::define_error(linker)?;
    cli::add_to_linker(linker)?;
    clocks::add_to_linker(linker)?;
    random::add_to_linker(linker)?;
    filesystem::add_to_linker(linker)?;
    sockets::add_to_linker(linker)?;
    http::add_to_linker(linker)
}
