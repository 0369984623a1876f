//! Small guests, from the text format through the linker to their effects.

use std::io::Cursor;

use zwasm::{Engine, Linker, Module, Store};
use zwasm_wasi::{Capabilities, I32Exit, MemoryPipe, WasiCtx, WasiCtxBuilder};

/// Runs `_start` of the module and returns what it exited with, if it did.
fn run(builder: &mut WasiCtxBuilder, text: &str) -> zwasm::Result<Option<i32>> {
    let engine = Engine::default();
    let module = Module::new(&engine, wat::parse_str(text)?)?;
    let mut linker = Linker::new(&engine);
    zwasm_wasi::add_to_linker(&mut linker, |ctx| ctx)?;
    let mut store = Store::new(&engine, builder.build());
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    match start.call(&mut store, ()) {
        Ok(()) => Ok(None),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => Ok(Some(exit.0)),
            None => Err(error),
        },
    }
}

#[test]
fn hello_reaches_standard_output() {
    let out = MemoryPipe::new();
    let exit = run(
        WasiCtx::builder().stdout(Box::new(out.clone())),
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write"
                (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 8) "hello\n")
            (func (export "_start")
                (i32.store (i32.const 0) (i32.const 8))
                (i32.store (i32.const 4) (i32.const 6))
                (call $proc_exit (i32.or
                    (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20))
                    (i32.load (i32.const 20))))
                unreachable))"#,
    );
    assert_eq!(exit.unwrap(), Some(6));
    assert_eq!(out.contents(), b"hello\n");
}

/// What takes no pointer works without a memory; what does stops the guest.
#[test]
fn a_module_without_memory_can_yield_and_exit() {
    let guest = |call: &str| {
        let module = format!(
            r#"(module
            (import "wasi_snapshot_preview1" "random_get"
                (func $random_get (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
            (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
            (func (export "_start") (call $proc_exit {call})))"#
        );
        run(&mut WasiCtx::builder(), &module)
    };
    const BADF: i32 = 8;
    assert_eq!(guest("(call $sched_yield)").unwrap(), Some(0));
    assert_eq!(guest("(call $fd_close (i32.const 9))").unwrap(), Some(BADF));
    let error = guest("(call $random_get (i32.const 0) (i32.const 1))").unwrap_err();
    assert_eq!(error.kind(), zwasm::ErrorKind::Host);
    assert!(error.summary().starts_with("missing required memory export: 'random_get'"));
}

#[test]
fn input_is_echoed_through_the_older_abi() {
    let out = MemoryPipe::new();
    let exit = run(
        WasiCtx::builder()
            .stdin(Box::new(Cursor::new(b"line one\nline two\n".to_vec())))
            .stdout(Box::new(out.clone())),
        r#"(module
            (import "wasi_unstable" "fd_read"
                (func $fd_read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_unstable" "fd_write"
                (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "_start")
                (i32.store (i32.const 0) (i32.const 100))
                (loop $more
                    (i32.store (i32.const 4) (i32.const 5))
                    (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
                        (then unreachable))
                    (i32.store (i32.const 4) (i32.load (i32.const 8)))
                    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12))
                        (then unreachable))
                    (br_if $more (i32.load (i32.const 8))))))"#,
    );
    assert_eq!(exit.unwrap(), None);
    assert_eq!(out.contents(), b"line one\nline two\n");
}

#[test]
fn any_number_of_calls_fits_the_stack() {
    let exit = run(
        &mut WasiCtx::builder(),
        r#"(module
            (import "wasi_snapshot_preview1" "clock_time_get"
                (func $clock_time_get (param i32 i64 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "_start") (local $left i32)
                (local.set $left (i32.const 200000))
                (loop $more
                    (if (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 0))
                        (then unreachable))
                    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                    (br_if $more (local.get $left)))))"#,
    );
    assert_eq!(exit.unwrap(), None);
}

#[test]
fn all_functions_are_there_under_both_names() {
    const NAMES: &str = "args_get args_sizes_get environ_get environ_sizes_get clock_res_get \
        clock_time_get fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get \
        fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size \
        fd_filestat_set_times fd_pread fd_prestat_get fd_prestat_dir_name fd_pwrite fd_read \
        fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write path_create_directory \
        path_filestat_get path_filestat_set_times path_link path_open path_readlink \
        path_remove_directory path_rename path_symlink path_unlink_file poll_oneoff proc_exit \
        proc_raise sched_yield random_get sock_accept sock_recv sock_send sock_shutdown";
    let engine = Engine::default();
    let mut linker: Linker<WasiCtx> = Linker::new(&engine);
    zwasm_wasi::add_to_linker(&mut linker, |ctx| ctx).unwrap();
    let mut store = Store::new(&engine, WasiCtx::builder().build());
    for name in NAMES.split_whitespace() {
        for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
            assert!(linker.get(&mut store, module, name).is_ok(), "{module} {name}");
        }
    }
    assert!(zwasm_wasi::add_to_linker(&mut linker, |ctx| ctx).is_err());
}

/// Reads a file in several buffers, lists a directory and prints, all through a
/// memory that other threads could use.
#[cfg(feature = "threads")]
#[test]
fn a_shared_memory_is_read_and_written() {
    let folder = std::env::temp_dir().join(format!("zwasm-shared-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let long: Vec<u8> = (0..200_000u32).map(|at| at as u8).collect();
    std::fs::write(folder.join("long"), &long).unwrap();
    let out = MemoryPipe::new();
    let mut builder = WasiCtx::builder();
    builder.stdout(Box::new(out.clone())).args(["a", "b"]).preopen_dir(&folder, "/").unwrap();
    builder.caps(Capabilities::ALL);
    let exit = run(
        &mut builder,
        r#"(module
            (import "wasi_snapshot_preview1" "args_get"
                (func $args_get (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "random_get"
                (func $random_get (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "path_open" (func $path_open
                (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_readdir"
                (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_read"
                (func $fd_read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write"
                (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
            (memory (export "memory") 8 8 shared)
            (data (i32.const 8) "long")
            (data (i32.const 16) "\00\00\01\00\05\00\00\00" "\00\00\02\00\ff\ff\04\00")
            (func $must (param i32) (if (local.get 0) (then (call $proc_exit (local.get 0)))))
            (func (export "_start")
                (call $must (call $args_get (i32.const 64) (i32.const 128)))
                (call $must (call $random_get (i32.const 256) (i32.const 70000)))
                (call $must (i64.eqz (i64.load (i32.const 70248))))
                (call $must (call $path_open (i32.const 3) (i32.const 0) (i32.const 8)
                    (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0)
                    (i32.const 40)))
                (call $must (call $fd_read (i32.load (i32.const 40)) (i32.const 16)
                    (i32.const 2) (i32.const 44)))
                (i32.store (i32.const 20) (i32.const 5))
                (i32.store (i32.const 28) (i32.sub (i32.load (i32.const 44)) (i32.const 5)))
                (call $must (call $fd_write (i32.const 1) (i32.const 16) (i32.const 2)
                    (i32.const 48)))
                (call $must (i32.ne (i32.load (i32.const 44)) (i32.load (i32.const 48))))
                (call $must (call $fd_readdir (i32.const 3) (i32.const 256) (i32.const 30)
                    (i64.const 0) (i32.const 52)))
                (call $must (i32.ne (i32.load (i32.const 52)) (i32.const 30)))
                (call $must (i32.ne (i32.load8_u (i32.const 130)) (i32.const 98)))
                (call $must (i32.ne
                    (call $fd_write (i32.const 1) (i32.const 524284) (i32.const 1) (i32.const 0))
                    (i32.const 21)))))"#,
    );
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(exit.unwrap(), None);
    assert_eq!(out.contents(), long);
}
