//! One module on several threads: compiled once, with a store for each; and a
//! memory that they share.
//!
//! run: cargo run -p zwasm-examples --bin threads
//! expect: 4 threads counted to 4000
//! expect: a store can move to another thread: 4000

use std::thread;

use zwasm::{Engine, Linker, MemoryType, Module, Result, SharedMemory, Store};

const TEXT: &str = r#"(module
    (memory (import "env" "memory") 1 1 shared)
    (func (export "count") (param i32)
        (loop $again
            (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
            (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "get") (result i32) (i32.atomic.load (i32.const 0))))"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, TEXT)?;
    let memory = SharedMemory::new(&engine, MemoryType::shared(1, 1))?;

    let run = || -> Result<()> {
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.define(&store, "env", "memory", memory.clone())?;
        let instance = linker.instantiate(&mut store, &module)?;
        instance.get_typed_func::<i32, ()>(&mut store, "count")?.call(&mut store, 1000)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
    })?;
    let mut sum = [0; 4];
    memory.read(0, &mut sum)?;
    println!("4 threads counted to {}", u32::from_le_bytes(sum));

    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.define(&store, "env", "memory", memory.clone())?;
    let instance = linker.instantiate(&mut store, &module)?;
    let get = instance.get_typed_func::<(), i32>(&mut store, "get")?;
    let elsewhere = thread::spawn(move || get.call(&mut store, ()));
    let count = elsewhere.join().expect("no thread panics")?;
    println!("a store can move to another thread: {count}");
    Ok(())
}
