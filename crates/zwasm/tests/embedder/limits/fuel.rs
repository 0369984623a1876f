//! What programs cost, and where they stop when they cannot pay.

use zwasm::{Caller, Engine, ErrorKind, Instance, Linker, Module, Result, Store, Trap};

use super::{call, engines, fueled, instance, timed};

pub const PROGRAMS: &str = r#"(module
  (memory 40) (table $t 100 funcref) (elem $e func 0 0 0)
  (data $d "0123456789abcdef") (global $g (mut i32) (i32.const 0))
  (tag $oops (param i32))
  (func $nothing)
  (func (export "nothing") (param i32) (result i32) (local.get 0))
  (func (export "free") (param i32) (result i32)
    (nop) (block (nop) (loop (nop))) (drop (i32.const 1)) (return (local.get 0)))
  (func (export "count") (param i32) (result i32) (local $n i32)
    (loop $next
      (local.set $n (i32.add (local.get $n) (local.get 0)))
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $n))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add
        (call $fib (i32.sub (local.get 0) (i32.const 1)))
        (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "switch") (param i32) (result i32)
    (block $c (block $b (block $a
      (br_table $a $b $c (local.get 0)))
      (return (i32.const 10)))
      (return (i32.add (i32.const 10) (i32.const 1))))
    (i32.const 12))
  (func $tail (export "tail") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 5))))
    (return_call $tail (i32.sub (local.get 0) (i32.const 1))))
  (func (export "catch") (param i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $oops $caught) (throw $oops (local.get 0)))
      (unreachable)))
  (func (export "fill") (param i32) (result i32)
    (memory.fill (i32.const 0) (i32.const 7) (local.get 0)) (i32.const 0))
  (func (export "copy") (param i32) (result i32)
    (memory.copy (i32.const 1) (i32.const 0) (local.get 0)) (i32.const 0))
  (func (export "init") (param i32) (result i32)
    (memory.init $d (i32.const 0) (i32.const 0) (local.get 0)) (i32.const 0))
  (func (export "table.fill") (param i32) (result i32)
    (table.fill $t (i32.const 0) (ref.func $nothing) (local.get 0)) (i32.const 0))
  (func (export "table.copy") (param i32) (result i32)
    (table.copy $t $t (i32.const 1) (i32.const 0) (local.get 0)) (i32.const 0))
  (func (export "table.init") (param i32) (result i32)
    (table.init $t $e (i32.const 0) (i32.const 0) (local.get 0)) (i32.const 0))
  (func (export "table.grow") (param i32) (result i32)
    (table.grow $t (ref.null func) (local.get 0)))
  (func (export "memory.grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "steps") (param i32) (result i32)
    (global.set $g (i32.const 1))
    (if (local.get 0) (then
      (global.set $g (i32.const 2))
      (call $nothing)
      (global.set $g (i32.const 3))))
    (global.set $g (i32.const 4))
    (i32.const 0))
  (func (export "reached") (param i32) (result i32) (global.get $g)))"#;

/// Name, argument, result, cost: 1 for the call itself and for each instruction that
/// is not free, bulk operations 1 more for each 8 bytes.
pub const COSTS: &[(&str, i32, i32, u64)] = &[
    ("nothing", 3, 3, 2),
    ("free", 3, 3, 3),
    // Nine in each round.
    ("count", 1, 1, 1 + 9 + 1),
    ("count", 10, 55, 1 + 90 + 1),
    ("count", 1000, 500_500, 1 + 9000 + 1),
    // A leaf costs 6: the call, four up to and with the `if`, and the result; each
    // other call costs 14.
    ("fib", 1, 1, 6),
    ("fib", 2, 1, 6 * 2 + 14),
    ("fib", 10, 55, 89 * 6 + 88 * 14),
    ("switch", 0, 10, 3 + 1),
    ("switch", 1, 11, 3 + 3),
    ("switch", 9, 12, 3 + 1),
    ("tail", 0, 5, 4 + 1),
    ("tail", 100, 5, 101 * 4 + 100 * 4 + 1),
    ("catch", 9, 9, 4),
    ("fill", 0, 0, 6),
    ("fill", 7, 0, 6),
    ("fill", 8, 0, 6 + 1),
    ("fill", 2_000_001, 0, 6 + 250_000),
    ("copy", 2_000_001, 0, 6 + 250_000),
    ("init", 16, 0, 6 + 2),
    ("table.fill", 50, 0, 6 + 50),
    ("table.copy", 50, 0, 6 + 50),
    ("table.init", 3, 0, 6 + 3),
    ("table.grow", 20, 100, 4 + 20),
    // What does not happen costs nothing.
    ("table.grow", -1, -1, 4),
    ("memory.grow", 5, 40, 3),
    ("memory.grow", -1, -1, 3),
];

#[test]
fn every_program_has_its_price() {
    let engines = fueled();
    let all = engines.iter().flat_map(|engine| COSTS.iter().map(move |cost| (engine, cost)));
    for (engine, &(name, arg, result, cost)) in all {
        let (mut store, instance) = instance(engine, (), PROGRAMS);
        store.set_fuel(1 << 40).unwrap();
        assert_eq!(call(&mut store, instance, name, arg).unwrap(), result, "{name} {arg}");
        assert_eq!((1 << 40) - store.get_fuel().unwrap(), cost, "{name} {arg}");
        store.set_fuel(cost).unwrap();
        if name != "table.grow" && name != "memory.grow" {
            assert_eq!(call(&mut store, instance, name, arg).unwrap(), result, "{name} {arg}");
            assert_eq!(store.get_fuel().unwrap(), 0);
            store.set_fuel(cost - 1).unwrap();
            let error = call(&mut store, instance, name, arg).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfFuel, "{name} {arg}");
            assert_eq!(error.trap(), Some(Trap::OutOfFuel));
            assert_eq!(error.summary(), "trap: fuel exhausted");
            assert_eq!(store.get_fuel().unwrap(), 0);
        }
    }
}

/// Locals are zeroed at each call, which a few bytes of a function may declare
/// thousands of.
#[test]
fn many_locals_are_paid_for() {
    for (locals, cost) in [(256, 1), (257, 2), (1256, 1001), (50_000, 49_745)] {
        let declared = "i64 ".repeat(locals);
        let text = format!(
            r#"(module
              (func $many (local {declared}))
              (func (export "run") (param i32) (result i32)
                (call $many) (call $many) (local.get 0)))"#
        );
        for engine in fueled() {
            let (mut store, instance) = instance(&engine, (), &text);
            store.set_fuel(1 << 40).unwrap();
            call(&mut store, instance, "run", 7).unwrap();
            // The function, three of its instructions, and twice the other.
            assert_eq!((1 << 40) - store.get_fuel().unwrap(), 4 + 2 * cost, "{locals}");
        }
    }
}

#[test]
fn epochs_do_not_change_the_price() {
    let engines = engines(|config| {
        config.consume_fuel(true).epoch_interruption(true);
    });
    let all = engines.iter().flat_map(|engine| COSTS.iter().map(move |cost| (engine, cost)));
    for (engine, &(name, arg, result, cost)) in all {
        let (mut store, instance) = instance(engine, (), PROGRAMS);
        store.set_fuel(cost).unwrap();
        assert_eq!(call(&mut store, instance, name, arg).unwrap(), result, "{name} {arg}");
        assert_eq!(store.get_fuel().unwrap(), 0, "{name} {arg}");
    }
}

#[test]
fn a_run_that_cannot_be_paid_for_is_not_begun() {
    for engine in fueled() {
        runs_are_begun_when_paid_for(&engine);
    }
}

fn runs_are_begun_when_paid_for(engine: &Engine) {
    // The first run has the call, the first two lines up to the `if`, and costs 5;
    // that of the `if` costs 5, with the empty function 1 more; the rest 3.
    for (fuel, arg, reached) in
        [(0, 1, 0), (4, 1, 0), (5, 1, 1), (9, 1, 1), (10, 1, 2), (11, 1, 3), (13, 1, 3), (7, 0, 1)]
    {
        let (mut store, instance) = instance(engine, (), PROGRAMS);
        store.set_fuel(fuel).unwrap();
        let error = call(&mut store, instance, "steps", arg).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfFuel);
        assert!(!error.backtrace().unwrap().frames().is_empty());
        store.set_fuel(10).unwrap();
        assert_eq!(call(&mut store, instance, "reached", 0).unwrap(), reached, "{fuel}");
    }
    let (mut store, instance) = instance(engine, (), PROGRAMS);
    store.set_fuel(14).unwrap();
    call(&mut store, instance, "steps", 1).unwrap();
    assert_eq!(store.get_fuel().unwrap(), 0);
}

#[test]
fn a_bulk_operation_is_checked_then_paid_for_then_done() {
    let (mut store, instance) = instance(&fueled()[0], (), PROGRAMS);
    store.set_fuel(10).unwrap();
    let error = call(&mut store, instance, "fill", 1 << 30).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
    store.set_fuel(10).unwrap();
    let error = call(&mut store, instance, "fill", 1000).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::OutOfFuel));
    store.set_fuel(1000).unwrap();
    let size = call(&mut store, instance, "memory.grow", 0).unwrap();
    assert_eq!(size, 40);
}

#[test]
#[cfg(feature = "gc")]
fn arrays_are_paid_for_by_their_bytes() {
    let wat = r#"(module (type $a (array (mut i16)))
      (global $keep (mut (ref null $a)) (ref.null $a))
      (func (export "new") (param i32) (result i32)
        (array.len (array.new_default $a (local.get 0))))
      (func (export "fill") (param i32) (result i32)
        (array.fill $a (array.new $a (i32.const 1) (local.get 0))
          (i32.const 0) (i32.const 2) (local.get 0))
        (i32.const 0)))"#;
    for (name, arg, cost) in [("new", 3, 4), ("new", 4, 4 + 1), ("fill", 400, 9 + 100 + 100)] {
        let (mut store, instance) = instance(&fueled()[0], (), wat);
        store.set_fuel(1000).unwrap();
        call(&mut store, instance, name, arg).unwrap();
        assert_eq!(1000 - store.get_fuel().unwrap(), cost, "{name} {arg}");
        store.set_fuel(cost - 1).unwrap();
        let error = call(&mut store, instance, name, arg).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfFuel);
    }
}

#[test]
fn host_functions_see_and_give_fuel() {
    let engine = fueled().remove(0);
    let mut linker = Linker::<()>::new(&engine);
    linker
        .func_wrap("", "refuel", |mut caller: Caller<'_, ()>| -> Result<()> {
            assert_eq!(caller.get_fuel()?, 1);
            caller.set_fuel(100)
        })
        .unwrap();
    let wat = r#"(module (import "" "refuel" (func $refuel))
        (func (export "f") (call $refuel) (block (br_if 0 (i32.const 0)))))"#;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &Module::new(&engine, wat).unwrap()).unwrap();
    store.set_fuel(5).unwrap();
    let f = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    f.call(&mut store, ()).unwrap();
    assert_eq!(store.get_fuel().unwrap(), 100);
}

#[test]
fn fuel_has_to_be_asked_for() {
    let mut store = Store::new(&Engine::default(), ());
    for error in [store.set_fuel(1).unwrap_err(), store.get_fuel().unwrap_err()] {
        assert!(error.summary().contains("consume_fuel"), "{error}");
    }
    let mut store = Store::new(&fueled()[0], ());
    assert_eq!(store.get_fuel().unwrap(), 0);
    store.set_fuel(u64::MAX).unwrap();
    assert!(store.get_fuel().unwrap() >= i64::MAX as u64);
}

#[test]
fn constant_expressions_pay_for_objects() {
    let text = |len: u32, init: &str| {
        format!("(module (type $a (array (mut i8))) {init})").replace("LEN", &len.to_string())
    };
    let places = [
        "(global (ref $a) (array.new $a (i32.const 1) (i32.const LEN)))",
        "(global (ref $a) (array.new_default $a (i32.const LEN)))",
        "(table 1 (ref $a) (array.new $a (i32.const 1) (i32.const LEN)))",
        "(elem (ref $a) (item (array.new $a (i32.const 1) (i32.const LEN))))",
        "(table 1 (ref null $a)) (elem (i32.const 0) (ref $a) (item (array.new_default $a (i32.const LEN))))",
    ];
    for engine in fueled() {
        for init in places {
            let mut store = Store::new(&engine, ());
            let module = Module::new(&engine, text(8000, init)).unwrap();
            store.set_fuel(1001).unwrap();
            Instance::new(&mut store, &module, &[]).unwrap();
            assert_eq!(store.get_fuel().unwrap(), 0, "{init}");
            store.set_fuel(1000).unwrap();
            let error = Instance::new(&mut store, &module, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfFuel, "{init}");
        }
    }
    for engine in timed() {
        for init in places {
            let mut store = Store::new(&engine, ());
            let module = Module::new(&engine, text(8, init)).unwrap();
            store.interrupt_handle().interrupt();
            let error = Instance::new(&mut store, &module, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{init}");
        }
    }
}

#[test]
fn arrays_of_constant_expressions_are_filled() {
    let text = r#"(module (type $a (array i16))
      (global $g (ref $a) (array.new $a (i32.const 0x1234) (i32.const 1500001)))
      (func (export "f") (param i32) (result i32) (array.get_u $a (global.get $g) (local.get 0))))"#;
    let (mut store, instance) = instance(&Engine::default(), (), text);
    for index in [0, 1, 2, 3, 524_287, 524_288, 1_048_577, 1_500_000] {
        assert_eq!(call(&mut store, instance, "f", index).unwrap(), 0x1234, "{index}");
    }
}

#[test]
fn large_structures_cost_by_size() {
    for (fields, cost) in [(1, 0), (8, 0), (9, 1), (100, 92)] {
        let text = format!(
            "(module (type $s (struct {})) (func (export \"f\") (param i32) (result i32)
               (drop (struct.new_default $s)) (i32.const 7)))",
            "(field i64)".repeat(fields)
        );
        for engine in fueled() {
            let (mut store, instance) = instance(&engine, (), &text);
            for _ in 0..5 {
                store.set_fuel(3 + cost).unwrap();
                assert_eq!(call(&mut store, instance, "f", 0).unwrap(), 7);
                assert_eq!(store.get_fuel().unwrap(), 0);
                store.set_fuel(2 + cost).unwrap();
                let error = call(&mut store, instance, "f", 0).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::OutOfFuel);
            }
        }
    }
}
