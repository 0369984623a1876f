//! The official WASI tests for preview 1: every program with its arguments,
//! environment and directory, judged by exit code and standard output.
//!
//! They are looked for beside the repository; without them there is nothing to
//! test.

mod json;

use std::fs;
use std::path::{Path, PathBuf};

use json::Json;
use zwasm::{Engine, Linker, Module, Store};
use zwasm_wasi::{Capabilities, I32Exit, MemoryPipe, WasiCtx};

#[test]
fn preview_1_programs_behave_as_their_json_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/wasi-testsuite");
    if !root.is_dir() {
        println!("no official tests: there is no {}", root.display());
        return;
    }
    let (mut count, mut failures) = (0, Vec::new());
    for suite in ["assemblyscript", "c", "rust"] {
        for program in programs(&root.join(suite).join("wasm32-wasip1")) {
            count += 1;
            if let Err(failure) = check(&program) {
                failures.push(format!("{}: {failure}", program.display()));
            }
        }
    }
    assert!(count > 0, "no programs in {}", root.display());
    assert!(failures.is_empty(), "{} of {count} fail:\n{}", failures.len(), failures.join("\n"));
}

/// All programs in a directory, sorted.
fn programs(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut programs: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    programs.sort();
    programs
}

/// Runs one program in a copy of its directory.
fn check(program: &Path) -> Result<(), String> {
    let expected = match fs::read_to_string(program.with_extension("json")) {
        Ok(text) => Json::parse(&text).ok_or("its JSON is malformed")?,
        Err(_) => Json::Map(Vec::new()),
    };
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let scratch = Scratch::new(&name);

    let (out, err) = (MemoryPipe::new(), MemoryPipe::new());
    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL);
    builder.arg(format!("{name}.wasm")).args(expected.get("args").strings());
    for (name, value) in expected.get("env").entries() {
        builder.env(name, value.string());
    }
    if let Json::String(root) = expected.get("root") {
        let original = program.parent().unwrap_or(Path::new("")).join(root);
        copy(&original, &scratch.0).map_err(|error| format!("{}: {error}", original.display()))?;
        builder.preopen_dir(&scratch.0, "/").map_err(|error| error.to_string())?;
    }
    builder.stdout(Box::new(out.clone())).stderr(Box::new(err.clone()));

    let exit = run(&mut builder.build(), program)
        .map_err(|error| format!("{error}; it said: {}", text(&err)))?;
    let expected_exit = expected.get("exit_code").number().unwrap_or(0.0) as i32;
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

/// Runs a program to its end and returns its exit code.
fn run(ctx: &mut WasiCtx, program: &Path) -> zwasm::Result<i32> {
    let engine = Engine::default();
    let module = Module::from_file(&engine, program)?;
    let mut linker = Linker::new(&engine);
    zwasm_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx)?;
    let mut store = Store::new(&engine, std::mem::replace(ctx, WasiCtx::builder().build()));
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    match start.call(&mut store, ()) {
        Ok(()) => Ok(0),
        Err(error) => error.downcast_ref::<I32Exit>().map(|exit| exit.0).ok_or(error),
    }
}

/// A directory that lasts as long as this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let name = format!("zwasm-testsuite-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies what is in `from`, which may not be writable, into `to`.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
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
