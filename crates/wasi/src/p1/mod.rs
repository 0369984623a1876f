//! The ABI of `wasi_snapshot_preview1`, and of `wasi_unstable` before it.
//!
//! Every function has one shape, `Call`: the guest's state, its memory and the
//! raw argument slots. `FUNCTIONS` says what each is called and what it
//! takes; linking, and whoever wants to know what exists, loop over it.
//!
//! A function checks where its results go before it does anything that could
//! not be undone, so that a bad pointer never loses data or a descriptor.

mod clock;
mod dir;
mod env;
mod errno;
pub(crate) mod fds;
mod file;
mod io;
mod memory;
mod path;
pub(crate) mod poll;
mod proc;
pub(crate) mod rights;
mod sock;
mod stat;
#[cfg(test)]
mod tests;

pub use crate::WasiCtx as WasiP1Ctx;
pub use crate::link::add_to_linker as add_to_linker_sync;
pub(crate) use env::Strings;
pub(crate) use errno::Errno;
pub(crate) use memory::Memory;

use crate::I32Exit;
pub(crate) use crate::ctx::State;
use crate::host::Failure;

/// The type of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Type {
    I32,
    I64,
}

/// Why a function does not return 0.
pub(crate) enum Stop {
    /// The guest gets this number.
    Errno(Errno),
    /// The guest does not get control back.
    Exit(I32Exit),
    /// Nor here: somebody stops it while it waits.
    Interrupted,
    /// Nor here: it polls more subscriptions at once, this many, than any program means to.
    Subscriptions(u32),
    /// Nor here: it may not exit, but there is no way to tell it.
    ExitRefused,
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Stop {
        Stop::Errno(errno)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        match failure {
            Failure::Refused => Stop::Errno(Errno::Notcapable),
            Failure::Interrupted => Stop::Interrupted,
            Failure::System(error) => Stop::Errno(error.into()),
        }
    }
}

/// What every function returns.
pub(crate) type Result<T = (), E = Stop> = std::result::Result<T, E>;

/// What every function is.
pub(crate) type Call = fn(&State, &mut Memory<'_>, Args<'_>) -> Result;

/// The raw argument slots of a call, at least as many as the function's table
/// entry has parameters.
#[derive(Clone, Copy)]
pub(crate) struct Args<'a>(pub &'a [u64]);

impl Args<'_> {
    fn u32(self, index: usize) -> u32 {
        self.0[index] as u32
    }

    fn u64(self, index: usize) -> u64 {
        self.0[index]
    }

    /// A set of flags, of which only `known` may be set.
    fn flags(self, index: usize, known: u32) -> Result<u32, Errno> {
        let flags = self.u32(index);
        if flags & !known == 0 { Ok(flags) } else { Err(Errno::Inval) }
    }
}

/// A function of the ABI.
pub(crate) struct Function {
    pub name: &'static str,
    pub params: &'static [Type],
    /// Whether it returns an error number; `proc_exit` returns nothing.
    pub returns: bool,
    pub call: Call,
}

const fn function(name: &'static str, params: &'static [Type], call: Call) -> Function {
    Function { name, params, returns: true, call }
}

use Type::{I32, I64};

/// All functions of `wasi_snapshot_preview1`.
pub(crate) static FUNCTIONS: [Function; 46] = [
    function("args_get", &[I32, I32], env::args_get),
    function("args_sizes_get", &[I32, I32], env::args_sizes_get),
    function("environ_get", &[I32, I32], env::environ_get),
    function("environ_sizes_get", &[I32, I32], env::environ_sizes_get),
    function("clock_res_get", &[I32, I32], clock::clock_res_get),
    function("clock_time_get", &[I32, I64, I32], clock::clock_time_get),
    function("fd_advise", &[I32, I64, I64, I32], file::fd_advise),
    function("fd_allocate", &[I32, I64, I64], file::fd_allocate),
    function("fd_close", &[I32], file::fd_close),
    function("fd_datasync", &[I32], file::fd_datasync),
    function("fd_fdstat_get", &[I32, I32], stat::fd_fdstat_get),
    function("fd_fdstat_set_flags", &[I32, I32], stat::fd_fdstat_set_flags),
    function("fd_fdstat_set_rights", &[I32, I64, I64], stat::fd_fdstat_set_rights),
    function("fd_filestat_get", &[I32, I32], stat::fd_filestat_get),
    function("fd_filestat_set_size", &[I32, I64], file::fd_filestat_set_size),
    function("fd_filestat_set_times", &[I32, I64, I64, I32], stat::fd_filestat_set_times),
    function("fd_pread", &[I32, I32, I32, I64, I32], io::fd_pread),
    function("fd_prestat_get", &[I32, I32], dir::fd_prestat_get),
    function("fd_prestat_dir_name", &[I32, I32, I32], dir::fd_prestat_dir_name),
    function("fd_pwrite", &[I32, I32, I32, I64, I32], io::fd_pwrite),
    function("fd_read", &[I32, I32, I32, I32], io::fd_read),
    function("fd_readdir", &[I32, I32, I32, I64, I32], dir::fd_readdir),
    function("fd_renumber", &[I32, I32], file::fd_renumber),
    function("fd_seek", &[I32, I64, I32, I32], file::fd_seek),
    function("fd_sync", &[I32], file::fd_sync),
    function("fd_tell", &[I32, I32], file::fd_tell),
    function("fd_write", &[I32, I32, I32, I32], io::fd_write),
    function("path_create_directory", &[I32, I32, I32], path::path_create_directory),
    function("path_filestat_get", &[I32, I32, I32, I32, I32], stat::path_filestat_get),
    function(
        "path_filestat_set_times",
        &[I32, I32, I32, I32, I64, I64, I32],
        stat::path_filestat_set_times,
    ),
    function("path_link", &[I32, I32, I32, I32, I32, I32, I32], path::path_link),
    function("path_open", &[I32, I32, I32, I32, I32, I64, I64, I32, I32], path::path_open),
    function("path_readlink", &[I32, I32, I32, I32, I32, I32], path::path_readlink),
    function("path_remove_directory", &[I32, I32, I32], path::path_remove_directory),
    function("path_rename", &[I32, I32, I32, I32, I32, I32], path::path_rename),
    function("path_symlink", &[I32, I32, I32, I32, I32], path::path_symlink),
    function("path_unlink_file", &[I32, I32, I32], path::path_unlink_file),
    function("poll_oneoff", &[I32, I32, I32, I32], poll::poll_oneoff),
    Function { name: "proc_exit", params: &[I32], returns: false, call: proc::proc_exit },
    function("proc_raise", &[I32], proc::proc_raise),
    function("sched_yield", &[], proc::sched_yield),
    function("random_get", &[I32, I32], proc::random_get),
    function("sock_accept", &[I32, I32, I32], sock::sock_accept),
    function("sock_recv", &[I32, I32, I32, I32, I32, I32], sock::sock_recv),
    function("sock_send", &[I32, I32, I32, I32, I32], sock::sock_send),
    function("sock_shutdown", &[I32, I32], sock::sock_shutdown),
];

/// What `wasi_unstable` has of its own: the same names and types, but other
/// numbers or layouts. Everything else is as in [`FUNCTIONS`].
pub(crate) static UNSTABLE: [Function; 4] = [
    function("fd_filestat_get", &[I32, I32], stat::unstable_fd_filestat_get),
    function("fd_seek", &[I32, I64, I32, I32], file::unstable_fd_seek),
    function("path_filestat_get", &[I32, I32, I32, I32, I32], stat::unstable_path_filestat_get),
    function("poll_oneoff", &[I32, I32, I32, I32], poll::unstable_poll_oneoff),
];
