//! A host of plugins: each is given fuel and memory, may log and look up settings,
//! and is told what to work on through its memory.
//!
//! run: cargo run -p zwasm-examples --bin ported
//! expect: the plugin wants host.log, host.setting
//! expect: log: 5 letters
//! expect: shout("hello") = "HELLO!!"
//! expect: the setting was asked for 7 times
//! expect: the plugin used fuel: true
//! expect: an endless plugin is out of fuel
//! expect: a broken plugin executes unreachable
//! expect: a hungry plugin gets no memory: -1
//! expect: of an unknown type: I32(3)

use std::collections::HashMap;

use zwasm::{
    Caller, Config, Engine, Error, Extern, Func, Instance, Linker, Memory, Module, Result, Store,
    StoreLimits, StoreLimitsBuilder, Trap, Val,
};

/// Adds to each letter the setting `offset`, and what the setting `mark` says twice.
const SHOUT: &str = r#"(module
    (import "host" "log" (func $log (param i32 i32)))
    (import "host" "setting" (func $setting (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "0 letters")
    (data (i32.const 16) "offset")
    (data (i32.const 24) "mark")
    (func (export "input") (param $len i32) (result i32) (i32.const 1024))
    (func (export "shout") (param $at i32) (param $len i32) (result i32)
        (local $i i32)
        (i32.store8 (i32.const 0) (i32.add (i32.const 48) (local.get $len)))
        (call $log (i32.const 0) (i32.const 9))
        (loop $again
            (i32.store8 (i32.add (local.get $at) (local.get $i))
                (i32.add (i32.load8_u (i32.add (local.get $at) (local.get $i)))
                    (call $setting (i32.const 16) (i32.const 6))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (local.get $len))))
        (i32.store8 (i32.add (local.get $at) (local.get $i))
            (call $setting (i32.const 24) (i32.const 4)))
        (i32.store8 (i32.add (local.get $at) (i32.add (local.get $i) (i32.const 1)))
            (call $setting (i32.const 24) (i32.const 4)))
        (i32.add (local.get $len) (i32.const 2))))"#;

const BAD: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "endless") (loop $again (br $again)))
    (func (export "broken") (unreachable))
    (func (export "hungry") (result i32) (memory.grow (i32.const 1000)))
    (func (export "count") (param i32 i64) (result i32)
        (i32.add (local.get 0) (i32.wrap_i64 (local.get 1)))))"#;

/// What the host keeps for each plugin.
struct Host {
    settings: HashMap<String, i32>,
    asked: u32,
    limits: StoreLimits,
}

fn memory_of(caller: &mut Caller<'_, Host>) -> Result<Memory> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => Err(Error::msg("the plugin exports no memory")),
    }
}

fn text(caller: &mut Caller<'_, Host>, at: u32, len: u32) -> Result<String> {
    let memory = memory_of(caller)?;
    let mut bytes = vec![0; len as usize];
    memory.read(&*caller, at as usize, &mut bytes)?;
    Ok(String::from_utf8(bytes)?)
}

fn linker(engine: &Engine) -> Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("host", "log", |mut caller: Caller<'_, Host>, at: u32, len: u32| {
        println!("log: {}", text(&mut caller, at, len)?);
        Ok(())
    })?;
    linker.func_wrap("host", "setting", |mut caller: Caller<'_, Host>, at: u32, len: u32| {
        let name = text(&mut caller, at, len)?;
        caller.data_mut().asked += 1;
        let value = caller.data().settings.get(&name).copied();
        value.ok_or_else(|| Error::msg(format!("there is no setting {name:?}")))
    })?;
    Ok(linker)
}

fn plugin(engine: &Engine, text: &str) -> Result<(Store<Host>, Instance)> {
    let module = Module::new(engine, text)?;
    let wanted: Vec<String> =
        module.imports().map(|import| format!("{}.{}", import.module(), import.name())).collect();
    if !wanted.is_empty() {
        println!("the plugin wants {}", wanted.join(", "));
    }
    let settings = [("offset".to_owned(), -32), ("mark".to_owned(), 33)].into();
    let limits = StoreLimitsBuilder::new().memory_size(4 << 20).instances(1).build();
    let mut store = Store::new(engine, Host { settings, asked: 0, limits });
    store.limiter(|host| &mut host.limits);
    store.set_fuel(100_000)?;
    let instance = linker(engine)?.instantiate(&mut store, &module)?;
    Ok((store, instance))
}

fn shout(engine: &Engine, word: &str) -> Result<()> {
    let (mut store, instance) = plugin(engine, SHOUT)?;
    let memory = instance.get_memory(&mut store, "memory").expect("it exports a memory");
    let input = instance.get_typed_func::<u32, u32>(&mut store, "input")?;
    let shout = instance.get_typed_func::<(u32, u32), u32>(&mut store, "shout")?;
    let at = input.call(&mut store, word.len() as u32)?;
    memory.write(&mut store, at as usize, word.as_bytes())?;
    let len = shout.call(&mut store, (at, word.len() as u32))?;
    let shouted = &memory.data(&store)[at as usize..][..len as usize];
    println!("shout({word:?}) = {:?}", std::str::from_utf8(shouted)?);
    println!("the setting was asked for {} times", store.data().asked);
    println!("the plugin used fuel: {}", store.get_fuel()? < 100_000);
    Ok(())
}

fn main() -> Result<()> {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config)?;
    shout(&engine, "hello")?;

    let (mut store, instance) = plugin(&engine, BAD)?;
    for name in ["endless", "broken"] {
        let func: Func = instance.get_func(&mut store, name).expect("it is exported");
        let error = func.call(&mut store, &[], &mut []).expect_err("it cannot end well");
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => println!("an {name} plugin is out of fuel"),
            Some(Trap::UnreachableCodeReached) => println!("a {name} plugin executes unreachable"),
            _ => return Err(error),
        }
        store.set_fuel(100_000)?;
    }
    let hungry = instance.get_typed_func::<(), i32>(&mut store, "hungry")?;
    println!("a hungry plugin gets no memory: {}", hungry.call(&mut store, ())?);

    let count = instance.get_export(&mut store, "count").and_then(Extern::into_func);
    let count = count.expect("it exports a function");
    let mut results = vec![Val::I32(0); count.ty(&store).results().len()];
    count.call(&mut store, &[Val::I32(1), Val::I64(2)], &mut results)?;
    assert_eq!(results[0].unwrap_i32(), 3);
    println!("of an unknown type: {:?}", results[0]);
    Ok(())
}
