//! `wasi:cli`: arguments, environment, the standard streams, terminals, ending.

use std::io;
use std::sync::Arc;

use zwasm::Result;
use zwasm_component::{FutureReader, Linker, StreamReader};

use super::pump::{Ending, consume, produce};
use super::table::{Store, interface};
use crate::WasiView;
use crate::host::stdio::Stream;
use crate::p2::cli::{
    TerminalInput, TerminalOutput, exit, exit_with_code, get_arguments, get_environment,
    get_terminal_stderr, get_terminal_stdin, get_terminal_stdout, initial_cwd,
};
use crate::p2::io::stdio::{Stdin, Stdout};
use crate::p2::table::Code;
use crate::p2::wit::wit_enum;

wit_enum! {
    /// Why a standard stream failed.
    ErrorCode {
        Io = "io",
        IllegalByteSequence = "illegal-byte-sequence",
        Pipe = "pipe",
    }
}

impl Code for ErrorCode {
    fn refused() -> ErrorCode {
        ErrorCode::Io
    }

    fn system(error: io::Error) -> ErrorCode {
        match error.kind() {
            io::ErrorKind::BrokenPipe => ErrorCode::Pipe,
            io::ErrorKind::InvalidData => ErrorCode::IllegalByteSequence,
            _ => ErrorCode::Io,
        }
    }
}

/// Defines all interfaces of the package.
pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    define_types(linker)?;
    define_environment(linker)?;
    define_exit(linker)?;
    define_stdin(linker)?;
    define_stdout(linker)?;
    define_stderr(linker)?;
    define_terminal_input(linker)?;
    define_terminal_output(linker)?;
    define_terminal_stdin(linker)?;
    define_terminal_stdout(linker)?;
    define_terminal_stderr(linker)
}

interface! {
    fn define_types = "wasi:cli/types@0.3.0" {}
}

interface! {
    fn define_environment = "wasi:cli/environment@0.3.0" {
        "get-environment" = get_environment();
        "get-arguments" = get_arguments();
        "get-initial-cwd" = initial_cwd();
    }
}

interface! {
    fn define_exit = "wasi:cli/exit@0.3.0" {
        "exit" = exit(status);
        "exit-with-code" = exit_with_code(code);
    }
}

interface! {
    fn define_stdin = "wasi:cli/stdin@0.3.0" {
        "read-via-stream" as over = read_stdin();
    }
}

interface! {
    fn define_stdout = "wasi:cli/stdout@0.3.0" {
        "write-via-stream" as over = write_stdout(data);
    }
}

interface! {
    fn define_stderr = "wasi:cli/stderr@0.3.0" {
        "write-via-stream" as over = write_stderr(data);
    }
}

interface! {
    fn define_terminal_input = "wasi:cli/terminal-input@0.3.0" {
        resource "terminal-input": TerminalInput;
    }
}

interface! {
    fn define_terminal_output = "wasi:cli/terminal-output@0.3.0" {
        resource "terminal-output": TerminalOutput;
    }
}

interface! {
    fn define_terminal_stdin = "wasi:cli/terminal-stdin@0.3.0" {
        "get-terminal-stdin" = get_terminal_stdin();
    }
}

interface! {
    fn define_terminal_stdout = "wasi:cli/terminal-stdout@0.3.0" {
        "get-terminal-stdout" = get_terminal_stdout();
    }
}

interface! {
    fn define_terminal_stderr = "wasi:cli/terminal-stderr@0.3.0" {
        "get-terminal-stderr" = get_terminal_stderr();
    }
}

/// What standard input gives, and how that ended.
type Reading = (StreamReader<u8>, FutureReader<Ending<ErrorCode>>);

fn read_stdin(store: &mut dyn Store) -> Result<(Reading,)> {
    Ok((produce(store, Ok(Arc::new(Stdin::default())))?,))
}

fn write_stdout(
    store: &mut dyn Store,
    data: StreamReader<u8>,
) -> Result<(FutureReader<Ending<ErrorCode>>,)> {
    Ok((consume(store, data, Ok(Arc::new(Stdout(Stream::Out))))?,))
}

fn write_stderr(
    store: &mut dyn Store,
    data: StreamReader<u8>,
) -> Result<(FutureReader<Ending<ErrorCode>>,)> {
    Ok((consume(store, data, Ok(Arc::new(Stdout(Stream::Err))))?,))
}
