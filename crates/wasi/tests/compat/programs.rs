//! Hosts of programs for preview 1.

use engine::{Engine, Linker, Module, Result, Store};
use std::fs;
use std::path::PathBuf;
use wasi::p1::{self, WasiP1Ctx};
use wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasi::{FsPerms, I32Exit, WasiCtxBuilder};

/// Runs a command that is to exit, and gives its exit code.
fn run(text: &str, wasi: WasiP1Ctx) -> Result<i32> {
    let engine = Engine::default();
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |wasi| wasi)?;
    let module = Module::new(&engine, text)?;
    let mut store = Store::new(&engine, wasi);
    linker.module(&mut store, "", &module)?;
    let start = linker.get_default(&mut store, "")?.typed::<(), ()>(&store)?;
    let error = start.call(&mut store, ()).expect_err("it exits");
    Ok(error.downcast::<I32Exit>()?.0)
}

/// Copies its input to its output, says what its second argument and its environment are
/// on standard error, and exits with their number.
const ECHO: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read"
        (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $arg (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get"
        (func $environ (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func $check (param i32) (if (local.get 0) (then unreachable)))
    (func $say (param $fd i32) (param $at i32) (param $len i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $len))
        (call $check (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "_start")
        (loop $more
            (i32.store (i32.const 0) (i32.const 1024))
            (i32.store (i32.const 4) (i32.const 100))
            (call $check (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
            (if (i32.load (i32.const 8))
                (then
                    (call $say (i32.const 1) (i32.const 1024) (i32.load (i32.const 8)))
                    (br $more))))
        (call $check (call $args (i32.const 16) (i32.const 20)))
        (call $check (call $environ (i32.const 24) (i32.const 28)))
        (call $check (call $arg (i32.const 64) (i32.const 2048)))
        (call $check (call $env (i32.const 96) (i32.const 3072)))
        (call $say (i32.const 2) (i32.load (i32.const 68)) (i32.const 3))
        (call $say (i32.const 2) (i32.load (i32.const 96)) (i32.load (i32.const 28)))
        (call $exit (i32.add (i32.load (i32.const 16)) (i32.load (i32.const 24))))))"#;

#[test]
fn a_command_with_streams_in_memory() -> Result<()> {
    let (stdout, stderr) = (MemoryOutputPipe::new(4096), MemoryOutputPipe::new(4096));
    let stdin = MemoryInputPipe::new("over\nand out\n");
    let wasi = WasiCtxBuilder::new()
        .arg("echo")
        .arg("two")
        .env("NAME", "value")
        .stdin(stdin.clone())
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .build_p1();
    assert_eq!(run(ECHO, wasi)?, 3);
    assert_eq!(stdout.contents().to_vec(), b"over\nand out\n");
    assert_eq!(stderr.contents().to_vec(), b"twoNAME=value\0");
    Ok(())
}

/// Opens `file` below its first directory for reading and then for writing, copies what it
/// reads to standard output, and exits with what opening for writing gave.
const READER: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read"
        (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 512) "file")
    (func $check (param i32) (if (local.get 0) (then unreachable)))
    (func (export "_start")
        ;; The right to read is 2, that to write 64.
        (call $check (call $open (i32.const 3) (i32.const 0) (i32.const 512) (i32.const 4)
            (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
        (i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (i32.const 100))
        (call $check (call $read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1)
            (i32.const 4)))
        (call $check (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $exit (call $open (i32.const 3) (i32.const 0) (i32.const 512) (i32.const 4)
            (i32.const 0) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 20)))))"#;

#[test]
fn directories_are_read_and_written_as_they_were_given() -> Result<()> {
    let directory: PathBuf =
        std::env::temp_dir().join(format!("compat-wasi-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("file"), "contents")?;
    let mut outcomes = Vec::new();
    for perms in [FsPerms::ReadWrite, FsPerms::ReadOnly] {
        let stdout = MemoryOutputPipe::new(4096);
        let wasi = WasiCtxBuilder::new()
            .stdout(stdout.clone())
            .preopened_dir(&directory, "/data", perms)?
            .build_p1();
        outcomes.push((run(READER, wasi)? == 0, stdout.contents().to_vec()));
    }
    fs::remove_dir_all(&directory)?;
    let text = b"contents".to_vec();
    assert_eq!(outcomes, [(true, text.clone()), (false, text)]);
    Ok(())
}

#[test]
fn nothing_is_there_that_was_not_given() -> Result<()> {
    let wasi = WasiCtxBuilder::new().build_p1();
    // No arguments, no environment: what is said of them has no bytes, and no input comes.
    let text = ECHO.replace("(i32.const 3))", "(i32.const 0))");
    assert_eq!(run(&text, wasi)?, 0);
    Ok(())
}
