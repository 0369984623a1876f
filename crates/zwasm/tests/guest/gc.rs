//! The garbage collector's promises, through the public interface.
#![cfg(all(feature = "gc", feature = "wat"))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use zwasm::{
    Caller, Config, Engine, ErrorKind, ExternRef, Func, Instance, Module, RootScope, Rooted, Store,
    Strategy, Trap, Val,
};

const LISTS: &str = r#"(module
    (type $node (struct (field i32) (field (mut (ref null $node)))))
    (type $bytes (array (mut i8)))
    (global $kept (mut (ref null $node)) (ref.null $node))
    (global $seen (mut (ref null $node)) (ref.null $node))

    ;; Allocates $n nodes and drops each, after a moment in which it is seen: else
    ;; optimized code would not allocate it.
    (func (export "garbage") (param $n i32)
        (loop $again
            (global.set $seen (struct.new $node (local.get $n) (ref.null $node)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (global.set $seen (ref.null $node)))

    ;; Allocates $n pairs of nodes that refer to each other, and drops them.
    (func (export "cycles") (param $n i32)
        (local $a (ref null $node))
        (loop $again
            (local.set $a (struct.new $node (i32.const 1) (ref.null $node)))
            (struct.set $node 1 (local.get $a)
                (struct.new $node (i32.const 2) (local.get $a)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

    ;; Allocates $n arrays of $size bytes and drops each.
    (func (export "arrays") (param $n i32) (param $size i32)
        (loop $again
            (drop (array.new_default $bytes (local.get $size)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

    ;; Keeps a list of the numbers from 1 to $n.
    (func (export "list") (param $n i32)
        (local $i i32)
        (global.set $kept (ref.null $node))
        (loop $again
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (global.set $kept (struct.new $node (local.get $i) (global.get $kept)))
            (br_if $again (i32.lt_u (local.get $i) (local.get $n)))))

    ;; The sum of the list.
    (func (export "sum") (result i64)
        (local $node (ref null $node)) (local $sum i64)
        (local.set $node (global.get $kept))
        (block $end
            (loop $again
                (local.set $sum (i64.add (local.get $sum)
                    (i64.extend_i32_u
                        (struct.get $node 0 (br_on_null $end (local.get $node))))))
                (local.set $node (struct.get $node 1 (local.get $node)))
                (br $again))
            (unreachable))
        (local.get $sum)))"#;

/// Debug builds do a hundredth of the work.
const SCALE: i32 = if cfg!(debug_assertions) { 1 } else { 100 };

fn lists(max: u64) -> (Store<()>, Instance) {
    lists_with(max, Strategy::Auto)
}

fn lists_with(max: u64, strategy: Strategy) -> (Store<()>, Instance) {
    let mut config = Config::new();
    config.max_gc_heap(max).strategy(strategy);
    let engine = Engine::new(&config).expect("configures");
    let module = Module::new(&engine, LISTS).expect("compiles");
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).expect("instantiates");
    (store, instance)
}

fn call(store: &mut Store<()>, instance: &Instance, name: &str, args: &[i32]) -> zwasm::Result<()> {
    let func = instance.get_func(&mut *store, name).expect("is exported");
    let args: Vec<Val> = args.iter().map(|&arg| Val::I32(arg)).collect();
    func.call(store, &args, &mut [])
}

fn sum(store: &mut Store<()>, instance: &Instance) -> i64 {
    let sum = instance.get_typed_func::<(), i64>(&mut *store, "sum").expect("is exported");
    sum.call(store, ()).expect("runs")
}

#[test]
fn cycles_are_reclaimed() {
    let (mut store, instance) = lists(8 << 20);
    call(&mut store, &instance, "cycles", &[1_000_000 * (SCALE / 10).max(1)]).expect("runs");
}

#[test]
fn what_optimised_code_keeps_in_registers_survives() {
    if !Strategy::Optimizing.is_available() {
        return;
    }
    let (mut store, instance) = lists_with(8 << 20, Strategy::Optimizing);
    call(&mut store, &instance, "cycles", &[1_000_000 * (SCALE / 10).max(1)]).expect("runs");
    call(&mut store, &instance, "list", &[50_000]).expect("runs");
    for size in [100, 1000, 9000, 1_000_000] {
        call(&mut store, &instance, "arrays", &[20_000_000 / size, size]).expect("runs");
    }
    call(&mut store, &instance, "garbage", &[1_000_000]).expect("runs");
    assert_eq!(sum(&mut store, &instance), 50_000 * 50_001 / 2);
}

#[test]
fn a_list_of_ten_million_survives_marking() {
    let n = 100_000 * SCALE;
    let (mut store, instance) = lists(u64::MAX);
    call(&mut store, &instance, "list", &[n]).expect("runs");
    // Enough garbage for several collections.
    call(&mut store, &instance, "garbage", &[5 * n + 1_000_000]).expect("runs");
    assert_eq!(sum(&mut store, &instance), i64::from(n) * (i64::from(n) + 1) / 2);
}

#[test]
fn a_full_heap_is_an_error_and_is_usable_afterwards() {
    let (mut store, instance) = lists(4 << 20);
    let error = call(&mut store, &instance, "list", &[10_000_000]).expect_err("does not fit");
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.summary().contains("out of garbage-collected memory"), "{error}");
    call(&mut store, &instance, "list", &[1000]).expect("fits");
    assert_eq!(sum(&mut store, &instance), 500_500);
    for size in [5 << 20, i32::MAX, -1] {
        let error = call(&mut store, &instance, "arrays", &[1, size]).expect_err("does not fit");
        assert_eq!(error.kind(), ErrorKind::Limit);
    }
}

#[test]
fn the_largest_arrays_are_errors_not_panics() {
    let wat = r#"(module
        (type $wide (array (mut i64)))
        (func (export "new") (param i32)
            (drop (array.new $wide (i64.const 1) (local.get 0))))
        (func (export "default") (param i32)
            (drop (array.new_default $wide (local.get 0)))))"#;
    let engine = Engine::default();
    let module = Module::new(&engine, wat).expect("compiles");
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).expect("instantiates");
    for name in ["new", "default"] {
        for len in [i32::MIN, i32::MAX, -1] {
            let error = call(&mut store, &instance, name, &[len]).expect_err("is too large");
            assert_eq!(error.kind(), ErrorKind::Limit);
            assert_eq!(error.trap(), Some(Trap::AllocationTooLarge));
        }
    }
}

#[test]
fn casts_and_null_have_their_own_traps() {
    let wat = r#"(module
        (type $a (struct (field i32)))
        (type $b (struct (field f32)))
        (type $array (array i8))
        (func (export "cast") (drop (ref.cast (ref $a) (struct.new $b (f32.const 0)))))
        (func (export "cast null") (drop (ref.cast (ref $a) (ref.null $a))))
        (func (export "struct") (drop (struct.get $a 0 (ref.null $a))))
        (func (export "array") (drop (array.get_u $array (ref.null $array) (i32.const 0))))
        (func (export "i31") (drop (i31.get_s (ref.null i31))))
        (func (export "bounds")
            (drop (array.get_u $array
                (array.new_default $array (i32.const 3)) (i32.const 3)))))"#;
    let engine = Engine::default();
    let module = Module::new(&engine, wat).expect("compiles");
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).expect("instantiates");
    for (name, trap) in [
        ("cast", Trap::CastFailure),
        ("cast null", Trap::CastFailure),
        ("struct", Trap::NullReference),
        ("array", Trap::NullReference),
        ("i31", Trap::NullReference),
        ("bounds", Trap::ArrayOutOfBounds),
    ] {
        let error = call(&mut store, &instance, name, &[]).expect_err("traps");
        assert_eq!(error.trap(), Some(trap), "{name}");
    }
}

/// Counts its drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn host_values_are_collected_when_no_scope_holds_them() {
    let drops = Arc::new(AtomicUsize::new(0));
    let (mut store, instance) = lists(8 << 20);
    let kept = ExternRef::new(&mut store, 7).expect("fits");
    for _ in 0..10 {
        let mut scope = RootScope::new(&mut store);
        for _ in 0..10 {
            ExternRef::new(&mut scope, Counted(drops.clone())).expect("fits");
        }
    }
    call(&mut store, &instance, "garbage", &[2_000_000]).expect("runs");
    // The value stack is scanned conservatively, but nothing of this was on it.
    assert_eq!(drops.load(Ordering::Relaxed), 100);
    let value = kept.data(&store).expect("is rooted").expect("is the host's");
    assert_eq!(value.downcast_ref(), Some(&7));
}

#[test]
fn references_end_with_the_host_call_that_got_them() {
    let wat = r#"(module
        (import "host" "take" (func $take (param externref)))
        (func (export "run") (param externref) (call $take (local.get 0))))"#;
    let engine = Engine::default();
    let module = Module::new(&engine, wat).expect("compiles");
    let mut store = Store::new(&engine, None::<Rooted<ExternRef>>);
    let take = Func::wrap(
        &mut store,
        |mut caller: Caller<'_, Option<Rooted<ExternRef>>>,
         reference: Option<Rooted<ExternRef>>| {
            *caller.data_mut() = reference;
        },
    );
    let instance = Instance::new(&mut store, &module, &[take.into()]).expect("instantiates");
    let run = instance
        .get_typed_func::<Option<Rooted<ExternRef>>, ()>(&mut store, "run")
        .expect("exists");
    let reference = ExternRef::new(&mut store, 1).expect("fits");
    run.call(&mut store, Some(reference)).expect("runs");
    let stale = store.data().expect("was taken");
    assert!(stale.data(&store).is_err());
    assert!(run.call(&mut store, Some(stale)).is_err());
    assert!(reference.data(&store).is_ok());
}
