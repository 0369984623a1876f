//! A WASI program: what it is given, what it writes, how it ends.
//!
//! run: cargo run -p zwasm-examples --bin wasi
//! expect: the guest wrote "hello from WASI\n"
//! expect: it ended with code 2, its number of arguments
//! expect: without the capability, it was refused: exit

use zwasm::{Engine, Linker, Module, Result, Store};
use zwasm_wasi::{Capabilities, I32Exit, MemoryPipe, WasiCtx};

const TEXT: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get"
        (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\10\00\00\00\10\00\00\00")
    (data (i32.const 16) "hello from WASI\n")
    (func (export "_start")
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (drop (call $sizes (i32.const 8) (i32.const 12)))
        (call $exit (i32.load (i32.const 8)))))"#;

fn run(engine: &Engine, module: &Module, wasi: WasiCtx) -> Result<(Result<()>, WasiCtx)> {
    let mut linker: Linker<WasiCtx> = Linker::new(engine);
    zwasm_wasi::add_to_linker(&mut linker, |wasi| wasi)?;
    let mut store = Store::new(engine, wasi);
    let instance = linker.instantiate(&mut store, module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    let result = start.call(&mut store, ());
    Ok((result, store.into_data()))
}

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, TEXT)?;

    let output = MemoryPipe::new();
    let mut wasi = WasiCtx::builder();
    wasi.arg("program").arg("one").env("NAME", "value").stdout(Box::new(output.clone()));
    let (result, _) = run(&engine, &module, wasi.build())?;
    println!("the guest wrote {:?}", String::from_utf8_lossy(&output.contents()));
    let error = result.expect_err("exiting is an error to who called");
    let exit = error.downcast_ref::<I32Exit>().expect("the guest ended itself");
    println!("it ended with code {}, its number of arguments", exit.0);

    let mut wasi = WasiCtx::builder();
    wasi.caps(Capabilities::STDIO).arg("program");
    let (_, wasi) = run(&engine, &module, wasi.build())?;
    let refused: Vec<&str> = wasi.refused().names().collect();
    println!("without the capability, it was refused: {}", refused.join(", "));
    Ok(())
}
