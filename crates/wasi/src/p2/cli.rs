//! `wasi:cli`: arguments, environment, the standard streams, terminals, ending.

use std::sync::Arc;

use zwasm::{Error, Result};
use zwasm_component::{Linker, Resource};

use super::io::stdio::{Stdin, Stdout};
use super::io::streams::{InputStream, OutputStream};
use super::table::interface;
use super::{WasiCtxView, WasiView};
use crate::ctx::State;
use crate::host::fs::file;
use crate::host::stdio::Stream;
use crate::host::sys;
use crate::{Capabilities, I32Exit};

/// A terminal that is read from.
pub(crate) struct TerminalInput;

/// A terminal that is written to.
pub(crate) struct TerminalOutput;

/// Defines all interfaces of the package.
pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
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
    fn define_environment = "wasi:cli/environment@0.2.12" {
        "get-environment" = get_environment();
        "get-arguments" = get_arguments();
        "initial-cwd" = initial_cwd();
    }
}

interface! {
    fn define_exit = "wasi:cli/exit@0.2.12" {
        "exit" = exit(status);
        "exit-with-code" = exit_with_code(code);
    }
}

interface! {
    fn define_stdin = "wasi:cli/stdin@0.2.12" {
        "get-stdin" = get_stdin();
    }
}

interface! {
    fn define_stdout = "wasi:cli/stdout@0.2.12" {
        "get-stdout" = get_stdout();
    }
}

interface! {
    fn define_stderr = "wasi:cli/stderr@0.2.12" {
        "get-stderr" = get_stderr();
    }
}

interface! {
    fn define_terminal_input = "wasi:cli/terminal-input@0.2.12" {
        resource "terminal-input": TerminalInput;
    }
}

interface! {
    fn define_terminal_output = "wasi:cli/terminal-output@0.2.12" {
        resource "terminal-output": TerminalOutput;
    }
}

interface! {
    fn define_terminal_stdin = "wasi:cli/terminal-stdin@0.2.12" {
        "get-terminal-stdin" = get_terminal_stdin();
    }
}

interface! {
    fn define_terminal_stdout = "wasi:cli/terminal-stdout@0.2.12" {
        "get-terminal-stdout" = get_terminal_stdout();
    }
}

interface! {
    fn define_terminal_stderr = "wasi:cli/terminal-stderr@0.2.12" {
        "get-terminal-stderr" = get_terminal_stderr();
    }
}

/// What is no UTF-8 has replacement characters where it is none.
pub(crate) fn get_environment(cx: &mut WasiCtxView<'_>) -> Result<(Vec<(String, String)>,)> {
    let variables = cx.ctx.0.env.iter().map(|variable| {
        let variable = String::from_utf8_lossy(variable);
        let (name, value) = variable.split_once('=').unwrap_or((&variable, ""));
        (name.to_owned(), value.to_owned())
    });
    Ok((variables.collect(),))
}

pub(crate) fn get_arguments(cx: &mut WasiCtxView<'_>) -> Result<(Vec<String>,)> {
    let args = cx.ctx.0.args.iter();
    Ok((args.map(|arg| String::from_utf8_lossy(arg).into_owned()).collect(),))
}

/// There is none: a guest finds its directories by their names.
pub(crate) fn initial_cwd(_: &mut WasiCtxView<'_>) -> Result<(Option<String>,)> {
    Ok((None,))
}

pub(crate) fn exit(cx: &mut WasiCtxView<'_>, status: Result<(), ()>) -> Result<()> {
    end(&cx.ctx.0, i32::from(status.is_err()))
}

pub(crate) fn exit_with_code(cx: &mut WasiCtxView<'_>, code: u8) -> Result<()> {
    end(&cx.ctx.0, code.into())
}

fn end(state: &State, code: i32) -> Result<()> {
    if state.host.require(Capabilities::EXIT).is_err() {
        return Err(Error::msg("the program wants to exit, which it may not"));
    }
    Err(I32Exit(code).into())
}

fn get_stdin(cx: &mut WasiCtxView<'_>) -> Result<(Resource<InputStream>,)> {
    Ok((cx.push(InputStream(Arc::new(Stdin::default())))?,))
}

fn get_stdout(cx: &mut WasiCtxView<'_>) -> Result<(Resource<OutputStream>,)> {
    Ok((cx.push(OutputStream(Arc::new(Stdout(Stream::Out))))?,))
}

fn get_stderr(cx: &mut WasiCtxView<'_>) -> Result<(Resource<OutputStream>,)> {
    Ok((cx.push(OutputStream(Arc::new(Stdout(Stream::Err))))?,))
}

/// Whether a standard stream is a terminal that the guest may use.
fn is_terminal(state: &State, stream: Stream) -> bool {
    state.host.require(Capabilities::STDIO).is_ok()
        && state
            .stdio
            .fd(stream)
            .is_some_and(|fd| file::kind(fd).is_ok_and(|kind| sys::is_terminal(fd, kind)))
}

pub(crate) fn get_terminal_stdin(
    cx: &mut WasiCtxView<'_>,
) -> Result<(Option<Resource<TerminalInput>>,)> {
    let terminal = is_terminal(&cx.ctx.0, Stream::In);
    Ok((terminal.then(|| cx.push(TerminalInput)).transpose()?,))
}

pub(crate) fn get_terminal_stdout(
    cx: &mut WasiCtxView<'_>,
) -> Result<(Option<Resource<TerminalOutput>>,)> {
    let terminal = is_terminal(&cx.ctx.0, Stream::Out);
    Ok((terminal.then(|| cx.push(TerminalOutput)).transpose()?,))
}

pub(crate) fn get_terminal_stderr(
    cx: &mut WasiCtxView<'_>,
) -> Result<(Option<Resource<TerminalOutput>>,)> {
    let terminal = is_terminal(&cx.ctx.0, Stream::Err);
    Ok((terminal.then(|| cx.push(TerminalOutput)).transpose()?,))
}
