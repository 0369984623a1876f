//! The smallest embedding: a module that calls the host and is called by it.
//!
//! run: cargo run -p zwasm-examples --bin hello
//! expect: hello from the guest, 41
//! expect: the guest returns 42

use zwasm::{Engine, Linker, Module, Result, Store};

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "hello" (func $hello (param i32)))
            (func (export "run") (param i32) (result i32)
                (call $hello (local.get 0))
                (i32.add (local.get 0) (i32.const 1))))"#,
    )?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "hello", |x: i32| println!("hello from the guest, {x}"))?;

    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
    println!("the guest returns {}", run.call(&mut store, 41)?);
    Ok(())
}
