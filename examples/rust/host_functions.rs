//! Functions of the host's: typed, with the store's data, and of a type that is
//! known only when the program runs.
//!
//! run: cargo run -p zwasm-examples --bin host_functions
//! expect: with data: called 2 times so far
//! expect: with the guest's memory: "from the guest"
//! expect: of any type: [I32(1), F64(4611686018427387904)]
//! expect: typed: 7 * 6 = 42
//! expect: failing: the host has had enough

use zwasm::{Caller, Engine, Error, Extern, FuncType, Linker, Module, Result, Store, Val, ValType};

const TEXT: &str = r#"(module
    (import "host" "mul" (func $mul (param i32 i32) (result i32)))
    (import "host" "count" (func $count))
    (import "host" "print" (func $print (param i32 i32)))
    (import "host" "any" (func $any (param i32 f64)))
    (import "host" "fail" (func $fail))
    (memory (export "memory") 1)
    (data (i32.const 8) "from the guest")
    (func (export "run") (result i32)
        (call $count)
        (call $count)
        (call $print (i32.const 8) (i32.const 14))
        (call $any (i32.const 1) (f64.const 2))
        (call $mul (i32.const 7) (i32.const 6)))
    (func (export "fail") (call $fail)))"#;

/// What the host keeps for each store.
struct Data {
    calls: u32,
}

fn main() -> Result<()> {
    let engine = Engine::default();
    let mut linker: Linker<Data> = Linker::new(&engine);

    // The closure's types are the function's.
    linker.func_wrap("host", "mul", |a: i32, b: i32| {
        println!("typed: {a} * {b} = {}", a * b);
        a * b
    })?;

    // A `Caller` as the first parameter is the store, and the exports of who calls.
    linker.func_wrap("host", "count", |mut caller: Caller<'_, Data>| {
        caller.data_mut().calls += 1;
        if caller.data().calls == 2 {
            println!("with data: called {} times so far", caller.data().calls);
        }
    })?;
    linker.func_wrap("host", "print", |mut caller: Caller<'_, Data>, at: u32, len: u32| {
        let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
            return Err(Error::msg("the guest exports no memory"));
        };
        let mut text = vec![0; len as usize];
        memory.read(&caller, at as usize, &mut text)?;
        println!("with the guest's memory: {:?}", String::from_utf8_lossy(&text));
        Ok(())
    })?;

    // The types may come from anywhere, such as the module's imports.
    let ty = FuncType::new(linker.engine(), [ValType::I32, ValType::F64], []);
    linker.func_new("host", "any", ty, |_, args: &[Val], _results: &mut [Val]| {
        println!("of any type: {args:?}");
        Ok(())
    })?;

    // An error stops the guest and is the error of the call.
    linker.func_wrap("host", "fail", || -> Result<()> {
        Err(Error::msg("the host has had enough"))
    })?;

    let mut store = Store::new(&engine, Data { calls: 0 });
    let module = Module::new(&engine, TEXT)?;
    let instance = linker.instantiate(&mut store, &module)?;
    instance.get_typed_func::<(), i32>(&mut store, "run")?.call(&mut store, ())?;
    let fail = instance.get_typed_func::<(), ()>(&mut store, "fail")?;
    println!("failing: {}", fail.call(&mut store, ()).expect_err("the host fails").summary());
    Ok(())
}
