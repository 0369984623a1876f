//! `wasi:io`: streams, what can be waited for, and errors.

pub(crate) mod poll;
pub(crate) mod stdio;
pub(crate) mod streams;
#[cfg(feature = "async")]
pub(crate) mod watch;

use std::io;

use zwasm::Result;
use zwasm_component::Resource;

use super::WasiCtxView;
use super::table::interface;

pub(crate) use poll::define_poll;
pub(crate) use streams::define_streams;

/// What went wrong with a stream: a resource, for its users to ask about.
pub struct IoError(pub(crate) io::Error);

interface! {
    /// Defines `wasi:io/error`.
    fn define_error = "wasi:io/error@0.2.12" {
        resource "error": IoError;
        "[method]error.to-debug-string" = to_debug_string(error);
    }
}

fn to_debug_string(cx: &mut WasiCtxView<'_>, error: Resource<IoError>) -> Result<(String,)> {
    Ok((cx.table.get(&error)?.0.to_string(),))
}
