//! Everything that stores hold together.

use zwasm::{
    Config, Engine, ErrorKind, Instance, Memory, MemoryType, Module, Store, StoreLimits,
    StoreLimitsBuilder,
};

use super::{call, engines};

const BOMBS: &str = r#"(module
  (type $a (array (mut i8))) (type $l (struct (field (ref $a)) (field (ref null $l))))
  (memory $m 1) (memory $n i64 1) (table $t 1 funcref) (tag $list (param exnref))
  (global $g (mut (ref null $l)) (ref.null $l)) (global $e (mut exnref) (ref.null exn))
  (func $cons (param exnref) (result exnref exnref)
    (try_table (catch_ref $list 0) (throw $list (local.get 0))) (unreachable))
  (func (export "memory") (param i32) (result i32) (memory.grow $m (local.get 0)))
  (func (export "memory64") (param i32) (result i32)
    (i32.wrap_i64 (memory.grow $n (i64.extend_i32_u (local.get 0)))))
  (func (export "table") (param i32) (result i32)
    (table.grow $t (ref.null func) (local.get 0)))
  (func (export "objects") (param i32) (result i32)
    (loop $again
      (global.set $g (struct.new $l (array.new $a (i32.const 1) (i32.const 10000)) (global.get $g)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.const 0))
  (func (export "exceptions") (param i32) (result i32)
    (loop $again
      (call $cons (global.get $e)) (global.set $e) (drop)
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.const 0)))"#;

/// Engines with a limit of everything together, and stores that have it themselves.
fn with_total(bytes: usize, visit: impl Fn(Store<StoreLimits>)) {
    for engine in engines(|config| {
        config.max_total(bytes as u64);
    }) {
        visit(Store::new(&engine, StoreLimits::default()));
    }
    for engine in engines(|_| ()) {
        let limits = StoreLimitsBuilder::new().total_size(bytes).build();
        let mut store = Store::new(&engine, limits);
        store.limiter(|limits| limits);
        visit(store);
    }
}

#[test]
fn everything_together_is_limited() {
    with_total(8 << 20, |mut store| {
        let module = Module::new(store.engine(), BOMBS).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        // What one kind has taken is not there for another.
        assert_eq!(call(&mut store, instance, "memory", 128).unwrap(), -1);
        assert_eq!(call(&mut store, instance, "memory", 40).unwrap(), 1);
        assert_eq!(call(&mut store, instance, "memory64", 100).unwrap(), -1);
        assert_eq!(call(&mut store, instance, "memory64", 16).unwrap(), 1);
        assert_eq!(call(&mut store, instance, "table", 1 << 20).unwrap(), -1);
        // A table that moves is there twice.
        assert_eq!(call(&mut store, instance, "table", 100_000).unwrap(), 1);
        assert_eq!(call(&mut store, instance, "table", 420_000).unwrap(), -1);
        for name in ["objects", "exceptions"] {
            let error = call(&mut store, instance, name, i32::MAX).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit, "{name}: {error}");
        }
        assert_eq!(call(&mut store, instance, "memory", 64).unwrap(), -1);
        let error = Memory::new(&mut store, MemoryType::new(64, None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        let message = "no room for a memory of 4194304 bytes (the limit is 8388608 bytes in all)";
        assert_eq!(error.summary(), message);
    });
}

#[test]
fn many_of_a_kind_are_limited_together() {
    for what in ["(memory 16)", "(memory i64 16)", "(table 100000 funcref)"] {
        with_total(8 << 20, |mut store| {
            let text = format!("(module {})", what.repeat(12));
            let module = Module::new(store.engine(), text).unwrap();
            let error = Instance::new(&mut store, &module, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit, "{what}");
            assert!(error.summary().contains("(the limit is 8388608 bytes in all)"), "{error}");
        });
    }
    with_total(1 << 20, |mut store| {
        let text = format!("(module {})", "(func)".repeat(1000));
        let module = Module::new(store.engine(), text).unwrap();
        let made = (0..100).take_while(|_| Instance::new(&mut store, &module, &[]).is_ok());
        assert!((10..50).contains(&made.count()));
    });
}

/// Stores beside each other share what one may have, and give back what they had.
#[test]
fn stores_beside_each_other_are_limited_together() {
    for engine in engines(|config| {
        config.max_total(8 << 20).max_stack(64 << 10);
    }) {
        let module = Module::new(&engine, BOMBS).unwrap();
        let mut first = Store::new(&engine, ());
        let instance = Instance::new(&mut first, &module, &[]).unwrap();
        assert_eq!(call(&mut first, instance, "memory", 70).unwrap(), 1);
        for round in 0..3 {
            let mut second = Store::beside(&first, ());
            let other = Instance::new(&mut second, &module, &[]).unwrap();
            assert_eq!(call(&mut second, other, "memory", 60).unwrap(), -1, "{round}");
            assert_eq!(call(&mut second, other, "table", 300_000).unwrap(), 1);
            let error = call(&mut second, other, "objects", i32::MAX).unwrap_err();
            assert!(error.summary().contains("(the limit is 8388608 bytes in all)"), "{error}");
            // What the second has is not there for the first, until it is gone.
            assert_eq!(call(&mut first, instance, "memory64", 16).unwrap(), -1, "{round}");
            let refused = first.refusals().growth().unwrap();
            assert_eq!(second.refusals().growth(), Some(refused.clone()));
            assert!(refused.contains(" bytes (the limit is 8388608 bytes in all)"), "{refused}");
        }
        assert_eq!(call(&mut first, instance, "memory64", 16).unwrap(), 1);
        // Each has a stack, and all but the first count it.
        let stores: Vec<_> = (0..100)
            .map_while(|_| {
                let mut store = Store::beside(&first, ());
                Instance::new(&mut store, &module, &[]).is_ok().then_some(store)
            })
            .collect();
        assert!((5..40).contains(&stores.len()), "{}", stores.len());
        let alone = &mut Store::new(&engine, ());
        assert!(Instance::new(alone, &module, &[]).is_ok());
    }
}

/// Two that ask at the same time are not both given the last bytes.
#[test]
fn stores_that_grow_at_once_stay_within_the_limit() {
    let mut config = Config::new();
    let engine = Engine::new(config.max_total(16 << 20).max_stack(64 << 10)).unwrap();
    let module = "(module (memory 0) (func (export \"f\") (param i32) (result i32) (local $n i32)
        (loop (if (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))
          (then (local.set $n (i32.add (local.get $n) (i32.const 1))) (br 1))))
        (local.get $n)))";
    let module = Module::new(&engine, module).unwrap();
    for _ in 0..20 {
        let (first, start) = (Store::new(&engine, ()), &std::sync::Barrier::new(4));
        let all: i32 = std::thread::scope(|scope| {
            let grow = |_| {
                let mut store = Store::beside(&first, ());
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                scope.spawn(move || {
                    start.wait();
                    let pages = call(&mut store, instance, "f", 0).unwrap();
                    (store, pages)
                })
            };
            let threads: Vec<_> = (0..4).map(grow).collect();
            let stores: Vec<_> = threads.into_iter().map(|one| one.join().unwrap()).collect();
            stores.iter().map(|(_, pages)| pages).sum()
        });
        assert!((200..=252).contains(&all), "{all}");
    }
}

#[cfg(feature = "threads")]
#[test]
fn a_shared_memory_counts_once_for_stores_beside_each_other() {
    let mut config = Config::new();
    let engine = Engine::new(config.max_total(8 << 20).max_stack(64 << 10)).unwrap();
    let module = r#"(module (import "" "m" (memory 64 100 shared))
        (func (export "f") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    let module = Module::new(&engine, module).unwrap();
    let memory = zwasm::SharedMemory::new(&engine, MemoryType::shared(64, 100)).unwrap();
    let mut first = Store::new(&engine, ());
    let one = Instance::new(&mut first, &module, &[memory.clone().into()]).unwrap();
    let mut second = Store::beside(&first, ());
    let two = Instance::new(&mut second, &module, &[memory.clone().into()]).unwrap();
    assert_eq!(call(&mut second, two, "f", 30).unwrap(), 64);
    assert_eq!(call(&mut first, one, "f", 5).unwrap(), 94);
    let text = "(module (memory 0) (func (export \"f\") (param i32) (result i32)
        (memory.grow (local.get 0))))";
    let own = Module::new(&engine, text).unwrap();
    let own = Instance::new(&mut first, &own, &[]).unwrap();
    assert_eq!(call(&mut first, own, "f", 40).unwrap(), -1);
    assert_eq!(call(&mut first, own, "f", 20).unwrap(), 0);
    // The memory stays when one of them is gone.
    drop(second);
    assert_eq!(call(&mut first, own, "f", 20).unwrap(), -1);
}

#[test]
fn garbage_and_what_is_thrown_away_do_not_count() {
    with_total(8 << 20, |mut store| {
        let text = r#"(module (type $a (array (mut i8))) (tag $e (param i32))
          (func $throw (block $h (try_table (catch_all $h) (throw $e (i32.const 1)))))
          (func (export "f") (param i32) (result i32)
            (loop $again
              (drop (array.new $a (i32.const 1) (i32.const 1000)))
              (call $throw)
              (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (i32.const 7)))"#;
        let module = Module::new(store.engine(), text).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        assert_eq!(call(&mut store, instance, "f", 30_000).unwrap(), 7);
    });
}

#[test]
fn what_could_not_be_made_is_not_counted() {
    with_total(8 << 20, |mut store| {
        let engine = store.engine().clone();
        let module = |wat| Module::new(&engine, wat).unwrap();
        let failing = [
            module("(module (memory 64) (table 1000 funcref) (memory 100))"),
            module("(module (memory 64) (table 400000 funcref) (table 400000 funcref))"),
            #[cfg(feature = "threads")]
            module("(module (memory 64 64 shared) (memory 100))"),
        ];
        for module in failing.iter().chain(&failing) {
            let error = Instance::new(&mut store, module, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
        }
        let fitting = module(r#"(module (memory (export "m") 100) (table 1000 funcref))"#);
        let instance = Instance::new(&mut store, &fitting, &[]).unwrap();
        assert_eq!(instance.get_memory(&mut store, "m").unwrap().size(&store), 100);
        Instance::new(&mut store, &fitting, &[]).unwrap_err();
    });
}
