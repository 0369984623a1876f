//! WASI 0.3: the interfaces of components that wait.
//!
//! They are tables of functions as those of 0.2 are, and do the same with the same
//! resources wherever they can. What is new is that a function may wait while others of
//! its instance go on, and that streams and futures are those of components. `table` says
//! how such functions are declared, `reactor` how they wait, and `pump` moves bytes
//! between a stream of a guest and one of the host.
//!
//! Operations on files are done in place: a guest that waits for a disk keeps its other
//! tasks waiting.

mod cli;
mod clocks;
mod filesystem;
pub(crate) mod http;
pub(crate) mod pump;
mod random;
pub(crate) mod reactor;
pub(crate) mod sockets;
pub(crate) mod table;

#[cfg(feature = "serve")]
pub use self::http::Service;

use zwasm::Result;
use zwasm_component::Linker;

use crate::WasiView;

/// Defines the interfaces of `wasi:cli`, `wasi:clocks`, `wasi:filesystem`, `wasi:http`,
/// `wasi:random` and `wasi:sockets` in a linker, except those that a component exports. Components of any
/// version 0.3 find them. They stand beside those of 0.2.
///
/// # Errors
///
/// When one of the names is defined already and the linker does not allow shadowing.
pub fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    cli::add_to_linker(linker)?;
    clocks::add_to_linker(linker)?;
    random::add_to_linker(linker)?;
    filesystem::add_to_linker(linker)?;
    sockets::add_to_linker(linker)?;
    http::add_to_linker(linker)
}
