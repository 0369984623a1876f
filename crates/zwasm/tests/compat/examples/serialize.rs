//! A module that is written to a file by one engine and loaded by another.

use engine::{Caller, Engine, Func, Instance, Module, Result, Store};
use std::path::Path;

/// Unsafe in one of the two.
#[allow(unused_unsafe, reason = "only one of the two asks for it")]
fn load(engine: &Engine, path: &Path) -> Result<Module> {
    // SAFETY: the file was written by `serialize`.
    unsafe { Module::deserialize_file(engine, path) }
}

#[test]
fn serialize() -> Result<()> {
    let path = std::env::temp_dir().join(format!("compat-{}.cwasm", std::process::id()));
    let module = Module::new(
        &Engine::default(),
        r#"(module (import "" "hello" (func $hello)) (func (export "run") (call $hello)))"#,
    )?;
    std::fs::write(&path, module.serialize()?)?;

    let engine = Engine::default();
    let loaded = load(&engine, &path);
    std::fs::remove_file(&path)?;
    let mut store = Store::new(&engine, 0);
    let hello = Func::wrap(&mut store, |mut caller: Caller<'_, i32>| *caller.data_mut() += 1);
    let instance = Instance::new(&mut store, &loaded?, &[hello.into()])?;
    instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
    assert_eq!(*store.data(), 1);
    Ok(())
}
