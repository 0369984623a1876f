//! The contract between the worlds: calls, tail calls, exceptions, traps, the host and
//! collections between functions that are interpreted, compiled and optimised, each
//! where the test says. What has to come out is computed here, or by the interpreter.
#![cfg(all(feature = "wat", feature = "gc", feature = "simd", compiler))]

mod branches;
mod bulk;
mod calls;
mod depth;
mod host;
mod idioms;
mod memory;
mod metering;
mod operands;
mod order;
mod shapes;
mod stops;
mod tails;
mod throws;

use std::fmt::Debug;
use zwasm::{
    AsContextMut, Caller, Config, Engine, Error, Instance, Linker, Module, Pin, Result, Store,
    Strategy, Val,
};

/// How often something is done that could go wrong once in a while. Unoptimised, the same
/// is shown with less of it.
const MANY: i64 = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };

use Pin::{Baseline as B, Interpreted as I, Optimized as O, Rising as R};

/// Lists of pins, which functions take in turns: every tier alone, every one next to
/// every other, all after each other.
const PINS: [&[Pin]; 14] = [
    &[I],
    &[B],
    &[O],
    &[R],
    &[I, O],
    &[O, I],
    &[B, O],
    &[O, B],
    &[I, B],
    &[O, R],
    &[I, B, O],
    &[O, B, I],
    &[O, O, I],
    &[B, O, O],
];

/// All ways to run code.
fn strategies() -> impl Iterator<Item = Strategy> {
    let fixed = [Strategy::Auto, Strategy::Stress].into_iter();
    let pinned = PINS.iter().map(|pins| Strategy::pinned(pins));
    fixed.chain(pinned).chain((0..8).map(Strategy::Mixed))
}

/// An engine's settings for a strategy. These tests are about calls, so that inlining is
/// off unless a test is about it.
fn config(strategy: Strategy) -> Config {
    let mut config = Config::new();
    config.strategy(strategy).inlining(false);
    config
}

/// What a store knows of its guest.
#[derive(Default)]
struct Host {
    /// How deep host functions may call back.
    depth: u32,
    calls: u64,
}

struct Guest {
    store: Store<Host>,
    instance: Instance,
}

/// Calls the function with this index in the first table of what the import `hop` belongs
/// to, from an instance with a memory and globals of its own.
const HOP: &str = r#"(module
    (type $t (func (param i64 i64) (result i64)))
    (memory 1)
    (global $g (mut i64) (i64.const 0))
    (table (export "table") 64 funcref)
    (func (export "hop") (param i64 i64 i32) (result i64)
        (local $kept i64)
        (local.set $kept (i64.xor (local.get 0) (local.get 1)))
        (i64.store (i32.const 8) (local.get 1))
        (call_indirect (type $t) (local.get 0) (local.get 1) (local.get 2))
        (if (i64.ne (local.get $kept) (i64.xor (local.get 0) (local.get 1)))
            (then (unreachable)))
        (global.set $g (i64.load (i32.const 8))))
    (func (export "tail") (param i64 i64 i32) (result i64)
        (return_call_indirect (type $t) (local.get 0) (local.get 1) (local.get 2))))"#;

impl Guest {
    /// An instance of the module, with a second one under the name `other` to call it
    /// through, and host functions under the name `host`:
    ///
    /// - `pass` calls the caller's export `f` and a number, with two arguments;
    /// - `fail` is an error;
    /// - `grow` grows the caller's memory;
    /// - `again` calls the export `back`.
    fn new(config: &Config, wat: &str) -> Guest {
        let engine = Engine::new(config).unwrap();
        let mut store = Store::new(&engine, Host { depth: u32::MAX, calls: 0 });
        let mut linker: Linker<Host> = Linker::new(&engine);
        let other = Module::new(&engine, HOP).unwrap();
        let other = linker.instantiate(&mut store, &other).unwrap();
        linker.instance(&mut store, "other", other).unwrap();
        linker.func_wrap("host", "pass", pass).unwrap();
        linker.func_wrap("host", "fail", || -> Result<()> { Err(Error::msg("host")) }).unwrap();
        linker.func_wrap("host", "grow", grow).unwrap();
        linker.func_wrap("host", "again", again).unwrap();
        let module = Module::new(&engine, wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
        let instance = linker.instantiate(&mut store, &module).unwrap();
        Guest { store, instance }
    }

    fn pinned(pins: &[Pin], wat: &str) -> Guest {
        Guest::new(&config(Strategy::pinned(pins)), wat)
    }

    /// That functions which have been called run where the pins say: the exports `f0`,
    /// `f1` and so on are every `step`th function that the module defines.
    fn check_pins(&mut self, pins: &[Pin], step: usize) {
        let mut defined = 0;
        while let Some(func) =
            self.instance.get_func(&mut self.store, &format!("f{}", defined * step))
        {
            let pin = pins[defined % pins.len()];
            assert_eq!(func.is_compiled(&self.store), pin != I, "{pins:?} {defined}");
            if pin != R && Strategy::Optimizing.is_available() {
                assert_eq!(func.is_optimized(&self.store), pin == O, "{pins:?} {defined}");
            }
            defined += 1;
        }
        assert!(defined > 0);
    }

    /// Calls an export with integers; its results must be one integer.
    fn call(&mut self, name: &str, arguments: &[i64]) -> Result<i64> {
        let func = self.instance.get_func(&mut self.store, name).expect(name);
        let arguments: Vec<Val> = arguments.iter().map(|value| Val::I64(*value)).collect();
        let mut results = [Val::I64(0)];
        func.call(&mut self.store, &arguments, &mut results)?;
        Ok(results[0].i64().expect("it returns an i64"))
    }
}

fn call_export(caller: &mut Caller<'_, Host>, name: &str, arguments: &[Val]) -> Result<i64> {
    let func = caller.get_export(name).and_then(|item| item.into_func());
    let func = func.ok_or_else(|| Error::msg(format!("no function '{name}'")))?;
    let mut results = [Val::I64(0)];
    func.call(caller.as_context_mut(), arguments, &mut results)?;
    results[0].i64().ok_or_else(|| Error::msg("no number"))
}

fn pass(mut caller: Caller<'_, Host>, n: i64, acc: i64, at: i32) -> Result<i64> {
    caller.data_mut().calls += 1;
    call_export(&mut caller, &format!("f{at}"), &[Val::I64(n), Val::I64(acc)])
}

fn again(mut caller: Caller<'_, Host>, n: i64) -> Result<i64> {
    let host = caller.data_mut();
    host.calls += 1;
    if host.depth == 0 {
        return Ok(n);
    }
    host.depth -= 1;
    let result = call_export(&mut caller, "back", &[Val::I64(n)]);
    caller.data_mut().depth += 1;
    result
}

fn grow(mut caller: Caller<'_, Host>) -> Result<i32> {
    let memory = caller.get_export("memory").and_then(|item| item.into_memory());
    let memory = memory.ok_or_else(|| Error::msg("no memory"))?;
    Ok(memory.grow(&mut caller, 1)? as i32)
}

/// What `look` sees of a guest, which has to be the same in every strategy, with inlining
/// and without.
fn everywhere<T: PartialEq + Debug>(
    wat: &str,
    configure: impl Fn(&mut Config),
    look: impl Fn(&mut Guest) -> T,
) -> T {
    let seen = |strategy, inlining| {
        let mut config = config(strategy);
        configure(config.inlining(inlining));
        look(&mut Guest::new(&config, wat))
    };
    let expected = seen(Strategy::Interpreter, false);
    for strategy in strategies() {
        for inlining in [false, true] {
            let found = seen(strategy, inlining);
            assert!(
                found == expected,
                "{strategy:?}, inlining {inlining}:\n{found:?}\nnot\n{expected:?}\n{wat}"
            );
        }
    }
    expected
}
