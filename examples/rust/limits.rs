//! What a guest may use up: instructions, memory, stack, instances.
//!
//! run: cargo run -p zwasm-examples --bin limits
//! expect: on 1000 fuel: OutOfFuel
//! expect: 100 turns took the same fuel twice: true
//! expect: memory.grow by 100 pages: -1
//! expect: endless recursion: StackOverflow
//! expect: a second instance: Limit
//! expect: our own limiter was asked for 131072 bytes and said yes

use zwasm::{
    Config, Engine, Error, Instance, Module, ResourceLimiter, Result, Store, StoreLimits,
    StoreLimitsBuilder,
};

const TEXT: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "turn") (param i32)
        (loop $again
            (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func $deep (export "deep") (call $deep)))"#;

/// Says yes to everything, loudly.
struct Generous;

impl ResourceLimiter for Generous {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        println!("our own limiter was asked for {desired} bytes and said yes");
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(true)
    }
}

fn kind<T>(result: Result<T, Error>) -> String {
    result.map_or_else(|error| format!("{:?}", error.kind()), |_| "it went well".to_owned())
}

fn main() -> Result<()> {
    let mut config = Config::new();
    config.consume_fuel(true).max_stack(256 << 10);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, TEXT)?;

    let limits = StoreLimitsBuilder::new().memory_size(1 << 20).instances(1).build();
    let mut store: Store<StoreLimits> = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    store.set_fuel(1000)?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let turn = instance.get_typed_func::<i32, ()>(&mut store, "turn")?;
    println!("on 1000 fuel: {}", kind(turn.call(&mut store, 1_000_000)));

    let mut taken = Vec::new();
    for _ in 0..2 {
        store.set_fuel(10_000)?;
        turn.call(&mut store, 100)?;
        taken.push(10_000 - store.get_fuel()?);
    }
    println!("100 turns took the same fuel twice: {}", taken[0] > 0 && taken[0] == taken[1]);

    let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow")?;
    println!("memory.grow by 100 pages: {}", grow.call(&mut store, 100)?);
    store.set_fuel(u64::MAX)?;
    let deep = instance.get_typed_func::<(), ()>(&mut store, "deep")?;
    println!("endless recursion: {}", kind(deep.call(&mut store, ())));
    println!("a second instance: {}", kind(Instance::new(&mut store, &module, &[])));

    let mut store = Store::new(&engine, Generous);
    store.set_fuel(10_000)?;
    let text = "(module (memory 0) (func (export \"f\") (drop (memory.grow (i32.const 2)))))";
    let instance = Instance::new(&mut store, &Module::new(&engine, text)?, &[])?;
    store.limiter(|limiter| limiter);
    instance.get_typed_func::<(), ()>(&mut store, "f")?.call(&mut store, ())?;
    Ok(())
}
