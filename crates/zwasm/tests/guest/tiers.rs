//! Code of all tiers calls, returns to, unwinds through and continues each other.
#![cfg(all(feature = "wat", compiler))]

use zwasm::{
    AsContextMut, Caller, Config, Engine, Error, Func, Instance, Linker, Module, Store, Strategy,
    Trap, Val,
};

/// Unoptimised, the same is shown with less of it.
const MANY: i32 = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };

/// All ways to run code; of those that chance decides, several.
fn strategies() -> impl Iterator<Item = Strategy> {
    let fixed =
        [Strategy::Interpreter, Strategy::Baseline, Strategy::Auto, Strategy::Stress].into_iter();
    fixed.chain((0..16).map(Strategy::Mixed))
}

struct Guest {
    store: Store<u64>,
    instance: Instance,
}

fn config(strategy: Strategy) -> Config {
    let mut config = Config::new();
    // These tests are about calls.
    config.strategy(strategy).inlining(false);
    config
}

impl Guest {
    fn new(config: &Config, wat: &str) -> Guest {
        let engine = Engine::new(config).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let mut store = Store::new(&engine, 0);
        let mut linker: Linker<u64> = Linker::new(&engine);
        linker.func_wrap("host", "again", again).unwrap();
        linker
            .func_wrap("host", "fail", || -> zwasm::Result<()> { Err(Error::msg("host")) })
            .unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        Guest { store, instance }
    }

    fn with(strategy: Strategy, wat: &str) -> Guest {
        Guest::new(&config(strategy), wat)
    }

    /// A guest in which each of these functions, called with `argument`, ends up
    /// compiled or interpreted as wanted.
    fn split(wat: &str, functions: &[(&str, bool)], argument: i32) -> Guest {
        let found = (0..10_000).map(|seed| {
            let mut guest = Guest::with(Strategy::Mixed(seed), wat);
            for (name, _) in functions {
                for _ in 0..100 {
                    guest.call(name, argument).unwrap();
                }
            }
            guest
        });
        let wanted = |guest: &mut Guest| {
            functions
                .iter()
                .all(|(name, compiled)| guest.func(name).is_compiled(&guest.store) == *compiled)
        };
        found.into_iter().find_map(|mut guest| wanted(&mut guest).then_some(guest)).unwrap()
    }

    fn func(&mut self, name: &str) -> Func {
        self.instance.get_func(&mut self.store, name).unwrap()
    }

    fn call(&mut self, name: &str, argument: i32) -> zwasm::Result<i32> {
        let func = self.instance.get_typed_func::<i32, i32>(&mut self.store, name).unwrap();
        func.call(&mut self.store, argument)
    }
}

/// Calls the export `back` of the caller's instance.
fn again(mut caller: Caller<'_, u64>, argument: i32) -> zwasm::Result<i32> {
    let back = caller.get_export("back").and_then(|back| back.into_func());
    let Some(back) = back else { return Err(Error::msg("no export 'back'")) };
    let mut results = [Val::I32(0)];
    back.call(caller.as_context_mut(), &[Val::I32(argument)], &mut results)?;
    results[0].i32().ok_or_else(|| Error::msg("no number"))
}

#[test]
fn forced_tiers_are_what_they_say() {
    let wat = r#"(module (func (export "f") (param i32) (result i32) (local.get 0)))"#;
    let mut guest = Guest::with(Strategy::Interpreter, wat);
    for _ in 0..MANY {
        guest.call("f", 1).unwrap();
    }
    assert!(!guest.func("f").is_compiled(&guest.store));
    let mut guest = Guest::with(Strategy::Baseline, wat);
    assert!(!guest.func("f").is_compiled(&guest.store));
    guest.call("f", 1).unwrap();
    assert!(guest.func("f").is_compiled(&guest.store));
}

#[test]
fn what_is_entered_often_is_compiled_and_what_is_not_is_not() {
    let wat = r#"(module
        (func (export "hot") (param i32) (result i32) (local.get 0))
        (func (export "cold") (param i32) (result i32) (local.get 0)))"#;
    let mut guest = Guest::with(Strategy::Auto, wat);
    guest.call("cold", 1).unwrap();
    for argument in 0..10_000 {
        assert_eq!(guest.call("hot", argument).unwrap(), argument);
    }
    assert!(guest.func("hot").is_compiled(&guest.store));
    assert!(!guest.func("cold").is_compiled(&guest.store));
}

/// Values of all kinds live across a loop whose frame changes tiers in the middle.
#[test]
fn a_loop_continues_compiled_with_all_its_values() {
    let wat = r#"(module
        (func (export "sum") (param $n i32) (result i32)
            (local $i i64) (local $f f32) (local $d f64) (local $v v128) (local $odd i32)
            (local.set $v (v128.const i32x4 1 2 3 4))
            (i32.const 7)
            (f64.const 0.5)
            (loop $outer (param f64) (result f64)
                (local.set $i (i64.add (local.get $i) (i64.const 0x1_0000_0001)))
                (local.set $f (f32.add (local.get $f) (f32.const 0.25)))
                (local.set $v (i32x4.add (local.get $v) (v128.const i32x4 1 1 1 1)))
                (local.set $odd (i32.const 0))
                (loop $inner
                    (local.set $odd (i32.add (local.get $odd) (i32.const 1)))
                    (br_if $inner (i32.lt_u (local.get $odd) (i32.const 3))))
                (f64.add (f64.convert_i32_u (local.get $odd)))
                (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.set $d)
            (i32.add (i32.wrap_i64 (local.get $i)))
            (i32.add (i32.wrap_i64 (i64.shr_u (local.get $i) (i64.const 32))))
            (i32.add (i32.trunc_f32_u (local.get $f)))
            (i32.add (i32.trunc_f64_u (local.get $d)))
            (i32.add (i32x4.extract_lane 3 (local.get $v)))))"#;
    for strategy in strategies() {
        let mut guest = Guest::with(strategy, wat);
        let n = 40_000;
        let expected = 7 + n + n + n / 4 + 3 * n + (4 + n);
        assert_eq!(guest.call("sum", n).unwrap(), expected, "{strategy:?}");
        let compiled = guest.func("sum").is_compiled(&guest.store);
        match strategy {
            Strategy::Interpreter => assert!(!compiled),
            Strategy::Mixed(_) => {}
            _ => assert!(compiled, "{strategy:?}"),
        }
    }
}

#[test]
fn tail_calls_alternate_between_tiers_in_constant_stack() {
    let wat = r#"(module
        (func $odd (export "odd") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
            (return_call $even (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))
        (func $even (param i32 i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
            (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
        (func (export "even") (param i32) (result i32)
            (call $even (local.get 0) (i32.const 0)))
        (export "alternate" (func $even)))"#;
    let long = MANY.saturating_mul(100);
    for odd_compiled in [true, false] {
        let found = (0..10_000).find_map(|seed| {
            let mut config = config(Strategy::Mixed(seed));
            config.max_stack(64 << 10);
            let mut guest = Guest::new(&config, wat);
            guest.call("odd", 1000).unwrap();
            let odd = guest.func("odd").is_compiled(&guest.store);
            let even = guest.func("alternate").is_compiled(&guest.store);
            (odd == odd_compiled && even != odd_compiled).then_some(guest)
        });
        let mut guest = found.unwrap();
        assert_eq!(guest.call("odd", long).unwrap(), 1);
        assert_eq!(guest.call("even", long).unwrap(), 0);
    }
}

#[test]
fn recursion_is_as_deep_in_every_tier() {
    let wat = r#"(module
        (func $depth (export "depth") (param i32) (result i32)
            (if (result i32) (i32.eqz (local.get 0))
                (then (i32.const 0))
                (else (i32.add (i32.const 1)
                    (call $depth (i32.sub (local.get 0) (i32.const 1)))))))
        (func $forever (export "forever") (param i32) (result i32)
            (i32.add (i32.const 1) (call $forever (local.get 0)))))"#;
    for strategy in strategies() {
        let mut guest = Guest::with(strategy, wat);
        for _ in 0..3 {
            assert_eq!(guest.call("depth", 50_000).unwrap(), 50_000, "{strategy:?}");
            let error = guest.call("forever", 0).unwrap_err();
            assert_eq!(error.trap(), Some(Trap::StackOverflow), "{strategy:?}");
        }
    }
}

const EXCEPTIONS: &str = r#"(module
    (tag $e (param i32))
    (func $thrower (export "thrower") (param i32) (result i32)
        (if (i32.and (local.get 0) (i32.const 1)) (then (throw $e (local.get 0))))
        (local.get 0))
    (func $middle (export "middle") (param i32) (result i32)
        (call $thrower (local.get 0)))
    (func $catcher (export "catcher") (param i32) (result i32)
        (local i32)
        (local.set 1 (i32.const 1000))
        (block $h (result i32)
            (try_table (result i32) (catch $e $h)
                (i32.sub (call $middle (local.get 0)) (i32.const 1))))
        (i32.add (local.get 1)))
    (func (export "sum") (param i32) (result i32)
        (local i32)
        (loop $again
            (local.set 1 (i32.add (local.get 1) (call $catcher (local.get 0))))
            (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1)))"#;

#[test]
fn exceptions_cross_tiers() {
    let sum = |n: i32| {
        (1..=n).fold(0i32, |sum, i| sum.wrapping_add(1000 + if i % 2 == 1 { i } else { i - 1 }))
    };
    for strategy in strategies() {
        let mut guest = Guest::with(strategy, EXCEPTIONS);
        assert_eq!(guest.call("sum", 2000).unwrap(), sum(2000), "{strategy:?}");
    }
    for compiled in [true, false] {
        let functions = [("middle", compiled), ("thrower", !compiled), ("catcher", !compiled)];
        let mut guest = Guest::split(EXCEPTIONS, &functions, 2);
        assert_eq!(guest.call("sum", MANY).unwrap(), sum(MANY));
    }
}

const REENTRY: &str = r#"(module
    (import "host" "again" (func $again (param i32) (result i32)))
    (func $back (export "back") (param i32) (result i32)
        (if (result i32) (i32.and (local.get 0) (i32.const 3))
            (then (i32.add (call $again (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
            (else (local.get 0))))
    (func $check (export "check") (param i32) (result i32)
        (if (i32.ne (call $again (local.get 0)) (local.get 0)) (then (unreachable)))
        (i32.const 0))
    (func (export "many") (param i32) (result i32)
        (loop $again
            (drop (call $check (local.get 0)))
            (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i32.const 0)))"#;

#[test]
fn calls_through_the_host_cross_tiers() {
    for strategy in strategies() {
        let mut guest = Guest::with(strategy, REENTRY);
        assert_eq!(guest.call("many", 1000).unwrap(), 0, "{strategy:?}");
    }
    for compiled in [true, false] {
        let functions = [("back", compiled), ("check", !compiled)];
        let mut guest = Guest::split(REENTRY, &functions, 3);
        assert_eq!(guest.call("many", MANY).unwrap(), 0);
    }
}

/// Every trap in every tier: at the same place, through the same frames.
#[test]
fn backtraces_are_the_same_in_every_tier() {
    let wat = r#"(module $m
        (import "host" "again" (func $again (param i32) (result i32)))
        (import "host" "fail" (func $fail))
        (memory 1)
        (table 4 funcref)
        (tag $e)
        (type $t (func (param i32) (result i32)))
        (func $other)
        (elem (i32.const 0) func $other)
        (func $cause (param i32) (result i32)
            (block $7 (block $6 (block $5 (block $4 (block $3 (block $2 (block $1 (block $0
                (br_table $0 $1 $2 $3 $4 $5 $6 $7 (local.get 0)))
                (unreachable))
                (return (i32.div_u (local.get 0) (i32.const 0))))
                (return (i32.load offset=65530 (i32.shl (local.get 0) (i32.const 8)))))
                (i64.store (i32.const -1) (i64.const 1)))
                (return (call_indirect (type $t) (i32.const 1) (i32.const 9))))
                (return (call_indirect (type $t) (i32.const 1) (i32.const 0))))
                (throw $e))
            (call $fail)
            (unreachable))
        (func $inner (export "back") (param i32) (result i32)
            (i32.add (call $cause (local.get 0)) (i32.const 1)))
        (func $outer (export "outer") (param i32) (result i32)
            (i32.add (call $again (local.get 0)) (i32.const 1))))"#;
    let frames = |error: &Error| -> Vec<_> {
        let frames = error.backtrace().unwrap().frames().iter();
        let describe = |frame: &zwasm::FrameInfo| {
            (frame.func_name().map(str::to_owned), frame.func_index(), frame.module_offset())
        };
        frames.map(describe).collect()
    };
    let all = |strategy: Strategy| -> Vec<_> {
        let mut guest = Guest::with(strategy, wat);
        let mut errors = Vec::new();
        for round in 0..3 {
            for cause in 0..8 {
                let error = guest.call("outer", cause).unwrap_err();
                errors.push((round, cause, error.summary(), frames(&error)));
            }
        }
        errors
    };
    let expected = all(Strategy::Interpreter);
    for (_, cause, message, frames) in &expected {
        let names: Vec<_> = frames.iter().map(|(name, ..)| name.as_deref().unwrap()).collect();
        assert_eq!(names, ["cause", "inner", "outer"], "{cause}: {message}");
        assert!(frames.iter().all(|(_, _, offset)| offset.is_some()), "{cause}: {message}");
    }
    for strategy in strategies() {
        assert_eq!(all(strategy), expected, "{strategy:?}");
    }
}

#[test]
fn traps_cross_tiers_again_and_again() {
    let wat = r#"(module
        (import "host" "again" (func $again (param i32) (result i32)))
        (memory 1)
        (func $poke (export "back") (param i32) (result i32)
            (i32.load (i32.add (local.get 0) (i32.const 65533))))
        (func $nest (export "nest") (param i32) (result i32)
            (call $again (local.get 0))))"#;
    for compiled in [true, false] {
        let functions = [("back", compiled), ("nest", !compiled)];
        let mut guest = Guest::split(wat, &functions, -8);
        for _ in 0..MANY / 10 {
            let error = guest.call("nest", 0).unwrap_err();
            assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
        }
        assert_eq!(guest.call("nest", -8).unwrap(), 0);
    }
}

/// Accesses at the edges, with the guard and with checks in its place.
#[test]
fn bounds_hold_with_and_without_guard_pages() {
    let access = |memory: &str, index: &str, offset: u64| {
        format!(
            r#"(module (memory {memory})
                (func (export "load") (param {index}) (result i32)
                    (i32.load8_u offset={offset} (local.get 0)))
                (func (export "store") (param {index})
                    (i64.store offset={offset} (local.get 0) (i64.const -1)))
                (func (export "grow") (result i32)
                    (drop (memory.grow ({index}.const 1))) (i32.const 0)))"#
        )
    };
    let large = [0, 1, 65535, (32 << 20) - 8, 32 << 20, 1 << 31, u64::from(u32::MAX)];
    for (guard_pages, signals) in [(true, true), (true, false), (false, true)] {
        for (memory, index) in [("1 3", "i32"), ("i64 1 3", "i64")] {
            for offset in large {
                let mut config = config(Strategy::Baseline);
                config.guard_pages(guard_pages).signals_based_traps(signals);
                let mut guest = Guest::new(&config, &access(memory, index, offset));
                let check = |guest: &mut Guest, address: u64, pages: u64| {
                    let value = match index {
                        "i32" => Val::I32(address as u32 as i32),
                        _ => Val::I64(address as i64),
                    };
                    for (name, size) in [("load", 1), ("store", 8)] {
                        let func = guest.func(name);
                        let count = func.ty(&guest.store).results().len();
                        let mut results = vec![Val::I32(0); count];
                        let outcome = func.call(&mut guest.store, &[value], &mut results);
                        let end = address.checked_add(offset).and_then(|at| at.checked_add(size));
                        let inside = end.is_some_and(|end| end <= pages << 16);
                        let what = format!("{memory} {name} {address}+{offset} of {pages}");
                        match outcome {
                            Ok(()) => assert!(inside, "{what}"),
                            Err(error) => {
                                assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds), "{what}");
                                assert!(!inside, "{what}");
                            }
                        }
                        assert!(func.is_compiled(&guest.store));
                    }
                };
                for pages in 1..=3u64 {
                    let edge = (pages << 16).wrapping_sub(offset);
                    for address in [edge.wrapping_sub(8), edge.wrapping_sub(1), edge, 0, u64::MAX] {
                        let address = if index == "i32" { address & 0xffff_ffff } else { address };
                        check(&mut guest, address, pages);
                    }
                    let grow = guest.instance.get_typed_func::<(), i32>(&mut guest.store, "grow");
                    grow.unwrap().call(&mut guest.store, ()).unwrap();
                }
            }
        }
    }
}

/// A loop in which a frame changes tiers costs what it costs in one.
#[test]
fn fuel_is_the_same_in_every_tier() {
    let wat = r#"(module
        (func $step (param i32) (result i32) (i32.add (local.get 0) (i32.const 3)))
        (func (export "run") (param i32) (result i32) (local i32)
            (loop $again
                (if (i32.and (local.get 0) (i32.const 1))
                    (then (local.set 1 (call $step (local.get 1))))
                    (else (local.set 1 (i32.add (local.get 1) (i32.const 1)))))
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 1)))"#;
    let left = |strategy| {
        let mut config = config(strategy);
        config.consume_fuel(true);
        let mut guest = Guest::new(&config, wat);
        guest.store.set_fuel(10_000_000).unwrap();
        for _ in 0..3 {
            assert_eq!(guest.call("run", 10_000).unwrap(), 20_000, "{strategy:?}");
        }
        let left = guest.store.get_fuel().unwrap();
        assert_eq!(guest.call("run", -1).unwrap_err().trap(), Some(Trap::OutOfFuel));
        left
    };
    let expected = left(Strategy::Interpreter);
    for strategy in strategies() {
        assert_eq!(left(strategy), expected, "{strategy:?}");
    }
}

/// An endless loop ends with its epoch, whatever runs it.
#[test]
fn epochs_end_loops_in_every_tier() {
    let wat = r#"(module (func (export "spin") (param i32) (result i32)
        (loop $again (br $again)) (unreachable)))"#;
    for strategy in strategies() {
        let mut config = config(strategy);
        config.epoch_interruption(true);
        let mut guest = Guest::new(&config, wat);
        guest.store.set_epoch_deadline(1);
        let engine = guest.store.engine().clone();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(20));
                engine.increment_epoch();
            });
            let error = guest.call("spin", 0).unwrap_err();
            assert_eq!(error.trap(), Some(Trap::Interrupt), "{strategy:?}");
        });
    }
}

/// One module in several threads, all of which compile it at the same time.
#[test]
fn threads_compile_the_same_module() {
    let wat = r#"(module (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                (call $fib (i32.sub (local.get 0) (i32.const 2))))))))"#;
    for strategy in [Strategy::Baseline, Strategy::Auto, Strategy::Stress] {
        let engine = Engine::new(&config(strategy)).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut store = Store::new(&engine, ());
                    let instance = Instance::new(&mut store, &module, &[]).unwrap();
                    let fib = instance.get_typed_func::<i32, i32>(&mut store, "fib").unwrap();
                    assert_eq!(fib.call(&mut store, 18).unwrap(), 2584);
                });
            }
        });
    }
}

/// A branch on null that takes a value along is a jump over the code that moves it;
/// the reference is on both sides of that.
#[cfg(feature = "gc")]
#[test]
fn a_reference_outlives_a_branch_on_null_that_moves_values() {
    let wat = r#"(module (type $cell (struct (field i32)))
        (func (export "f") (param i32) (result i32)
            (i32.const 7) (struct.new $cell (local.get 0))
            br_on_null 0
            struct.get $cell 0
            i32.add))"#;
    for strategy in strategies() {
        let mut guest = Guest::with(strategy, wat);
        for _ in 0..3 {
            assert_eq!(guest.call("f", 35).unwrap(), 42, "{strategy:?}");
        }
    }
}
