//! Where modules come from: text, bytes, files; and one call without ceremony.
//!
//! run: cargo run -p zwasm-examples --bin loading
//! expect: from text: 5
//! expect: from bytes: 5
//! expect: from a file: 5
//! expect: in one call: 5
//! expect: damaged: invalid module: unexpected end-of-file (at byte offset 0x22)

use zwasm::{Engine, Instance, Module, Result, Store, Val};

const TEXT: &str = r#"(module (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))"#;

/// Two and three, added by a module.
fn added(engine: &Engine, module: &Module) -> Result<i32> {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[])?;
    instance.get_typed_func::<(i32, i32), i32>(&mut store, "add")?.call(&mut store, (2, 3))
}

fn main() -> Result<()> {
    let engine = Engine::default();
    // `Module::new` takes either form; `binary` gives the bytes of any module.
    let module = Module::new(&engine, TEXT)?;
    println!("from text: {}", added(&engine, &module)?);
    let bytes = module.binary();
    println!("from bytes: {}", added(&engine, &Module::from_binary(&engine, bytes)?)?);

    let path = std::env::temp_dir().join(format!("zwasm-loading-{}.wasm", std::process::id()));
    std::fs::write(&path, bytes)?;
    let module = Module::from_file(&engine, &path);
    std::fs::remove_file(&path)?;
    println!("from a file: {}", added(&engine, &module?)?);

    let results = zwasm::invoke(TEXT, "add", &[Val::I32(2), Val::I32(3)])?;
    println!("in one call: {}", results[0].unwrap_i32());

    let damaged = Module::from_binary(&engine, &bytes[..bytes.len() - 3]);
    println!("damaged: {}", damaged.expect_err("the module is cut off"));
    Ok(())
}
