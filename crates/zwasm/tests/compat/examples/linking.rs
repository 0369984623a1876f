//! Two modules, of which one uses what the other exports, by way of a linker.

use engine::{Engine, Extern, Linker, Module, Result, Store};

#[test]
fn linking() -> Result<()> {
    let engine = Engine::default();
    let library = Module::new(
        &engine,
        r#"(module
            (memory (export "memory") 1)
            (global (export "offset") i32 (i32.const 64))
            (func (export "double") (param i32) (result i32)
                (i32.mul (local.get 0) (i32.const 2))))"#,
    )?;
    let program = Module::new(
        &engine,
        r#"(module
            (import "library" "memory" (memory 1))
            (import "library" "offset" (global $offset i32))
            (import "library" "double" (func $double (param i32) (result i32)))
            (import "host" "log" (func $log (param i32 i32)))
            (data (global.get $offset) "answer")
            (func (export "run") (result i32)
                (call $log (global.get $offset) (i32.const 6))
                (call $double (i32.const 21))))"#,
    )?;
    let mut store = Store::new(&engine, String::new());
    let mut linker = Linker::<String>::new(&engine);
    linker.func_wrap(
        "host",
        "log",
        |mut caller: engine::Caller<'_, String>, at: u32, len: u32| {
            // The caller does not export the memory: the library does.
            assert!(caller.get_export("memory").is_none());
            *caller.data_mut() = format!("{at}+{len}");
        },
    )?;
    let library = linker.instantiate(&mut store, &library)?;
    linker.instance(&mut store, "library", library)?;
    let program = linker.instantiate(&mut store, &program)?;
    let run = program.get_typed_func::<(), i32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, ())?, 42);
    let memory = library.get_export(&mut store, "memory").and_then(Extern::into_memory);
    let memory = memory.expect("the library exports it");
    assert_eq!((&memory.data(&store)[64..70], store.data().as_str()), (&b"answer"[..], "64+6"));
    Ok(())
}
