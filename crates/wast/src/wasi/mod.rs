//! The official WASI tests: every program of a folder with its arguments,
//! environment and directory, judged by exit code and standard output.
//!
//! A program runs in a copy of its directory. Standard input never has anything
//! and never ends, as the tests of threads want it; those of WASI 0.3 get what their
//! description says, and then its end.

mod json;
mod peer;
mod script;
mod service;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use json::Json;
use peer::Peers;
use script::Script;
use zwasm::{Engine, Error, Linker, Module, Store};
use zwasm_component::{self as component, Component, ResourceTable};
use zwasm_wasi::p2::bindings::sync::Command;
use zwasm_wasi::p2::{self, WasiCtxView, WasiView};
use zwasm_wasi::{Capabilities, I32Exit, MemoryPipe, Threads, WasiCtx, WasiCtxBuilder};

use crate::Mode;

/// The programs in a folder, sorted.
///
/// # Errors
///
/// When the folder can not be read.
pub fn programs(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            programs.push(path);
        }
    }
    programs.sort();
    Ok(programs)
}

/// Runs one program and compares what it did with the JSON beside it.
///
/// # Errors
///
/// What is not as it should be.
pub fn check(program: &Path, mode: Mode) -> Result<(), String> {
    let expected = match fs::read_to_string(program.with_extension("json")) {
        Ok(text) => Json::parse(&text).ok_or("its JSON is malformed")?,
        Err(_) => Json::Map(Vec::new()),
    };
    // Newer descriptions are lists of what is done.
    let operations = expected.get("operations").values();
    let operation = |name| operations.iter().find(|one| one.get("type").string() == name);
    let (setup, ending) = match operation("run") {
        Some(run) => (run, operation("wait").unwrap_or(&Json::Null)),
        None => (&expected, &expected),
    };
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let scratch = Scratch::new(&name).map_err(|error| error.to_string())?;

    let (out, err) = (MemoryPipe::new(), MemoryPipe::new());
    let (stdin, open) = io::pipe().map_err(|error| error.to_string())?;
    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL).stdin_from(stdin);
    builder.arg(format!("{name}.wasm")).args(setup.get("args").strings());
    for (name, value) in setup.get("env").entries() {
        builder.env(name, value.string());
    }
    // They run until the program is done.
    let peers =
        Peers::start(expected.get("servers").values()).map_err(|error| error.to_string())?;
    for (name, value) in &peers.env {
        builder.env(name, value);
    }
    if let Json::String(root) = setup.get("root") {
        let original = program.parent().unwrap_or(Path::new("")).join(root);
        copy(&original, &scratch.0).map_err(|error| format!("{}: {error}", original.display()))?;
        builder.preopen_dir(&scratch.0, "/").map_err(|error| error.to_string())?;
    }
    builder.stdout(Box::new(out.clone())).stderr(Box::new(err.clone()));

    if expected.get("world").string() == "wasi:http/service" {
        let component = load(program, mode).map_err(|error| error.to_string())?;
        let answered = service::check(builder.build(), &component, operations);
        return answered.map_err(|error| format!("{error}; it said: {}", text(&err)));
    }
    let script = Script::start(program, operations, open, [&out, &err]);
    let exit = run(&mut builder, program, mode)
        .map_err(|error| format!("{error}; it said: {}", text(&err)))?;
    script.finish()?;
    let expected_exit = ending.get("exit_code").number().unwrap_or(0.0) as i32;
    if exit != expected_exit {
        return Err(format!("exit code {exit}, not {expected_exit}; it said: {}", text(&err)));
    }
    match expected.get("stdout") {
        Json::String(expected) if *expected != text(&out) => {
            Err(format!("{:?} on standard output, not {expected:?}", text(&out)))
        }
        _ => Ok(()),
    }
}

fn text(pipe: &MemoryPipe) -> String {
    String::from_utf8_lossy(&pipe.contents()).into_owned()
}

/// Compiles a program that is a component.
fn load(program: &Path, mode: Mode) -> Result<Component, Error> {
    let engine = Engine::new(mode.config().epoch_interruption(true))?;
    Component::from_binary(&engine, &fs::read(program)?)
}

/// Runs a program to its end and returns its exit code.
fn run(builder: &mut WasiCtxBuilder, program: &Path, mode: Mode) -> Result<i32, Error> {
    // Threads that compute are stopped only so.
    let engine = Engine::new(mode.config().epoch_interruption(true))?;
    let bytes = fs::read(program)?;
    if Component::is_component(&bytes) {
        return run_component(builder, &Component::from_binary(&engine, &bytes)?);
    }
    let module = Module::from_binary(&engine, &bytes)?;
    let mut linker = Linker::new(&engine);
    zwasm_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx)?;
    let mut store = Store::new(&engine, builder.build());
    let threads = Threads::new(&mut store, linker, &module, |ctx| ctx)?;
    let outcome = threads.run(&mut store, |store, instance| {
        instance.get_typed_func::<(), ()>(&mut *store, "_start")?.call(store, ())
    });
    match outcome {
        Ok(()) => Ok(0),
        Err(error) => error.downcast_ref::<I32Exit>().map(|exit| exit.0).ok_or(error),
    }
}

/// The same for a program that is a component.
fn run_component(builder: &mut WasiCtxBuilder, component: &Component) -> Result<i32, Error> {
    let mut linker = component::Linker::new(component.engine());
    p2::add_to_linker_sync(&mut linker)?;
    zwasm_wasi::p3::add_to_linker(&mut linker)?;
    let state = State { wasi: builder.build(), table: ResourceTable::new() };
    let mut store = Store::new(component.engine(), state);
    store.set_epoch_deadline(1);
    let command = Command::instantiate(&mut store, component, &linker)?;
    match command.wasi_cli_run().call_run(&mut store) {
        Ok(status) => Ok(status.is_err().into()),
        Err(error) => error.downcast_ref::<I32Exit>().map(|exit| exit.0).ok_or(error),
    }
}

/// What a component's store holds.
struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A directory that lasts as long as this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> io::Result<Scratch> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("zwasm-wasi-suite-{}-{count}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies what is in `from`, which may not be writable, into `to`.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            fs::write(&target, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}
