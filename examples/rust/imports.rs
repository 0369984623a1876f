//! Deciding about a module by what it imports and exports, before anything of it
//! runs.
//!
//! run: cargo run -p zwasm-examples --bin imports
//! expect: imports wasi_snapshot_preview1.fd_write: func (param i32 i32 i32 i32) (result i32)
//! expect: imports env.limit: global i32
//! expect: exports memory: memory 1
//! expect: exports _start: func
//! expect: it is a WASI command
//! expect: env.limit is what we provide: yes

use zwasm::{Engine, Extern, ExternType, Instance, Linker, Module, Mutability, Result, Store};

const TEXT: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write"
        (func (param i32 i32 i32 i32) (result i32)))
    (import "env" "limit" (global i32))
    (memory (export "memory") 1)
    (func (export "_start")))"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, TEXT)?;
    for import in module.imports() {
        println!("imports {}.{}: {}", import.module(), import.name(), import.ty());
    }
    for export in module.exports() {
        println!("exports {}: {}", export.name(), export.ty());
    }
    let wasi = module.imports().any(|import| import.module() == "wasi_snapshot_preview1");
    if wasi && module.get_export("_start").is_some() {
        println!("it is a WASI command");
    }

    // Everything that is missing can be made from its declared type.
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    for import in module.imports() {
        let (from, name) = (import.module(), import.name());
        match import.ty() {
            ExternType::Func(ty) => {
                linker.func_new(from, name, ty, |_, _, _| Ok(()))?;
            }
            ExternType::Global(ty) if ty.mutability() == Mutability::Const => {
                let global = ty.default_value(&mut store)?;
                linker.define(&store, from, name, global)?;
            }
            other => println!("{from}.{name} is {other}, which we do not provide"),
        }
    }
    let _instance: Instance = linker.instantiate(&mut store, &module)?;
    let limit = linker.get(&mut store, "env", "limit");
    let provided = matches!(limit, Ok(Extern::Global(_)));
    println!("env.limit is what we provide: {}", if provided { "yes" } else { "no" });
    Ok(())
}
