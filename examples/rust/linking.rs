//! Modules that import from each other.
//!
//! run: cargo run -p zwasm-examples --bin linking
//! expect: area of 3 by 4: 12
//! expect: the counter they share: 2
//! expect: a wrong import: incompatible import type for `shapes::area`: expected func (param f64), found func (param i32 i32) (result i32)

use zwasm::{
    Engine, Global, GlobalType, Instance, Linker, Module, Mutability, Result, Store, Val, ValType,
};

const SHAPES: &str = r#"(module
    (import "host" "count" (global $count (mut i32)))
    (func (export "area") (param i32 i32) (result i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (i32.mul (local.get 0) (local.get 1))))"#;

const MAIN: &str = r#"(module
    (import "shapes" "area" (func $area (param i32 i32) (result i32)))
    (func (export "run") (result i32)
        (drop (call $area (i32.const 1) (i32.const 1)))
        (call $area (i32.const 3) (i32.const 4))))"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());

    // Things of the host's can be imported as well as those of other modules.
    let ty = GlobalType::new(ValType::I32, Mutability::Var);
    let count = Global::new(&mut store, ty, Val::I32(0))?;

    // By name: a linker knows what names stand for, whole instances too.
    let mut linker = Linker::new(&engine);
    linker.define(&store, "host", "count", count)?;
    let shapes = linker.instantiate(&mut store, &Module::new(&engine, SHAPES)?)?;
    linker.instance(&mut store, "shapes", shapes)?;
    let main = linker.instantiate(&mut store, &Module::new(&engine, MAIN)?)?;
    let run = main.get_typed_func::<(), i32>(&mut store, "run")?;
    println!("area of 3 by 4: {}", run.call(&mut store, ())?);
    println!("the counter they share: {}", count.get(&mut store).unwrap_i32());

    // By position: imports in the module's order.
    let wrong = Module::new(&engine, r#"(module (import "shapes" "area" (func (param f64))))"#)?;
    let area = shapes.get_export(&mut store, "area").expect("it is exported");
    let error = Instance::new(&mut store, &wrong, &[area]).expect_err("the types differ");
    println!("a wrong import: {error:#}");
    Ok(())
}
