//! The guest's memory, read and written by the host: every access is checked.
//!
//! run: cargo run -p zwasm-examples --bin memory
//! expect: the guest sums what the host wrote: 60
//! expect: the host reads what the guest wrote: [1, 2, 3]
//! expect: outside: out of bounds memory access
//! expect: grown from 1 page to 2, and not beyond
//! expect: with data at hand: 6

use zwasm::{Engine, Instance, Module, Result, Store};

const TEXT: &str = r#"(module
    (memory (export "memory") 1 2)
    (func (export "sum") (param $at i32) (param $count i32) (result i32)
        (local $sum i32)
        (block $end (loop $again
            (br_if $end (i32.eqz (local.get $count)))
            (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br $again)))
        (local.get $sum))
    (func (export "write") (param $at i32)
        (i32.store (local.get $at) (i32.const 0x030201))))"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, TEXT)?;
    let mut store = Store::new(&engine, 0u32);
    let instance = Instance::new(&mut store, &module, &[])?;
    let memory = instance.get_memory(&mut store, "memory").expect("it is exported");
    let sum = instance.get_typed_func::<(u32, u32), u32>(&mut store, "sum")?;
    let write = instance.get_typed_func::<u32, ()>(&mut store, "write")?;

    memory.write(&mut store, 100, &[10, 20, 30])?;
    println!("the guest sums what the host wrote: {}", sum.call(&mut store, (100, 3))?);

    write.call(&mut store, 200)?;
    let mut bytes = [0; 3];
    memory.read(&store, 200, &mut bytes)?;
    println!("the host reads what the guest wrote: {bytes:?}");

    let outside = memory.write(&mut store, 0xFFFE, b"four");
    println!("outside: {}", outside.expect_err("the memory has 65,536 bytes"));

    let before = memory.grow(&mut store, 1)?;
    assert!(memory.grow(&mut store, 1).is_err());
    println!("grown from {before} page to {}, and not beyond", memory.size(&store));

    // The contents as a slice, together with the store's data.
    let (contents, total) = memory.data_and_store_mut(&mut store);
    *total += contents[200..203].iter().map(|byte| u32::from(*byte)).sum::<u32>();
    println!("with data at hand: {}", store.data());
    Ok(())
}
