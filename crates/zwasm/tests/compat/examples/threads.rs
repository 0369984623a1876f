//! One module on several threads, each with a store of its own, and a memory they share.

use engine::{Config, Engine, Linker, MemoryType, Module, Result, SharedMemory, Store};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

#[test]
fn threads() -> Result<()> {
    const THREADS: u32 = 4;
    const TIMES: u32 = 1000;
    let mut config = Config::new();
    config.wasm_threads(true).shared_memory(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(
        &engine,
        r#"(module
            (import "env" "memory" (memory 1 4 shared))
            (import "env" "id" (func $id (result i32)))
            (func (export "run") (param $times i32)
                (loop $again
                    (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
                    (local.set $times (i32.sub (local.get $times) (i32.const 1)))
                    (br_if $again (local.get $times)))
                (i32.atomic.store (i32.add (i32.const 64) (i32.shl (call $id) (i32.const 2)))
                    (i32.const 1))))"#,
    )?;
    let memory = SharedMemory::new(&engine, MemoryType::shared(1, 4))?;
    let workers: Vec<_> = (0..THREADS)
        .map(|id| {
            let (engine, module, memory) = (engine.clone(), module.clone(), memory.clone());
            thread::spawn(move || -> Result<()> {
                let mut store = Store::new(&engine, id);
                let mut linker = Linker::new(&engine);
                linker.define(&store, "env", "memory", memory)?;
                linker.func_wrap("env", "id", |caller: engine::Caller<'_, u32>| *caller.data())?;
                let instance = linker.instantiate(&mut store, &module)?;
                instance.get_typed_func::<u32, ()>(&mut store, "run")?.call(&mut store, TIMES)
            })
        })
        .collect();
    for worker in workers {
        worker.join().expect("it does not panic")?;
    }
    let word = |at: usize| {
        let cell = memory.data()[at].get();
        // SAFETY: the memory is as long as that, and its words are accessed atomically.
        unsafe { AtomicU32::from_ptr(cell.cast()) }.load(Ordering::SeqCst)
    };
    assert_eq!(word(0), THREADS * TIMES);
    assert!((0..THREADS as usize).all(|id| word(64 + 4 * id) == 1));
    Ok(())
}
