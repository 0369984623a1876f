//! Limiters of memories, tables and the heap.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use zwasm::{
    Engine, Error, ErrorKind, Instance, InterruptHandle, Memory, MemoryType, Module, Ref, RefType,
    ResourceLimiter, Result, Store, StoreLimits, StoreLimitsBuilder, Table, TableType,
};

use super::{call, instance};

/// A limiter that remembers what it was asked.
#[derive(Default)]
struct Asked {
    questions: Vec<String>,
    answer: Option<bool>,
    failures: usize,
}

impl Asked {
    fn decide(&mut self, what: &str, current: usize, desired: usize) -> Result<bool> {
        self.questions.push(format!("{what} {current} {desired}"));
        self.answer.ok_or_else(|| Error::msg("the limiter objects"))
    }
}

impl ResourceLimiter for Asked {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        self.decide("memory", current, desired)
    }
    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        self.failures += 1;
        Ok(())
    }
    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        self.decide("table", current, desired)
    }
    fn table_grow_failed(&mut self, _: Error) -> Result<()> {
        self.failures += 1;
        Ok(())
    }
}

const GROWS: &str = r#"(module (memory (export "memory") 1 9) (table (export "table") 2 9 funcref)
  (func (export "memory.grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "table.grow") (param i32) (result i32)
    (table.grow (ref.null func) (local.get 0))))"#;

#[test]
fn a_limiter_is_asked_about_everything_that_grows() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Asked { answer: Some(true), ..Asked::default() });
    store.limiter(|asked| asked);
    let module = Module::new(&engine, GROWS).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    let table = instance.get_table(&mut store, "table").unwrap();
    assert_eq!(call(&mut store, instance, "memory.grow", 2).unwrap(), 1);
    assert_eq!(call(&mut store, instance, "table.grow", 2).unwrap(), 2);
    assert_eq!(memory.grow(&mut store, 1).unwrap(), 3);
    assert_eq!(table.grow(&mut store, 1, Ref::Func(None)).unwrap(), 4);
    assert_eq!(call(&mut store, instance, "memory.grow", 9).unwrap(), -1);
    assert_eq!(call(&mut store, instance, "table.grow", 9).unwrap(), -1);
    let page = 65536;
    assert_eq!(
        store.data().questions,
        [
            format!("memory 0 {page}"),
            "table 0 2".into(),
            format!("memory {page} {}", 3 * page),
            "table 2 4".into(),
            format!("memory {} {}", 3 * page, 4 * page),
            "table 4 5".into(),
            format!("memory {} {}", 4 * page, 13 * page),
            "table 5 14".into(),
        ]
    );
    assert_eq!(store.data().failures, 2);
    store.data_mut().answer = Some(false);
    assert_eq!(call(&mut store, instance, "memory.grow", 1).unwrap(), -1);
    assert_eq!(call(&mut store, instance, "table.grow", 1).unwrap(), -1);
    assert!(memory.grow(&mut store, 1).is_err());
    assert_eq!(store.data().failures, 2);
    for error in [
        Instance::new(&mut store, &module, &[]).unwrap_err(),
        Memory::new(&mut store, MemoryType::new(1, None)).unwrap_err(),
        Table::new(&mut store, TableType::new(RefType::FUNCREF, 1, None), Ref::Func(None))
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Limit);
    }
    store.data_mut().answer = None;
    for name in ["memory.grow", "table.grow"] {
        let error = call(&mut store, instance, name, 1).unwrap_err();
        assert_eq!(error.summary(), "the limiter objects");
        assert_eq!(error.backtrace().unwrap().frames().len(), 1);
    }
    assert_eq!((memory.size(&store), table.size(&store)), (4, 5));
}

#[test]
fn a_panic_in_a_limiter_reaches_the_caller() {
    struct Panics;
    impl ResourceLimiter for Panics {
        fn memory_growing(&mut self, current: usize, _: usize, _: Option<usize>) -> Result<bool> {
            assert_eq!(current, 0, "no growth");
            Ok(true)
        }
        fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
            Ok(true)
        }
    }
    let engine = Engine::default();
    let mut store = Store::new(&engine, Panics);
    store.limiter(|limiter| limiter);
    let instance = Instance::new(&mut store, &Module::new(&engine, GROWS).unwrap(), &[]).unwrap();
    let grow = std::panic::AssertUnwindSafe(|| call(&mut store, instance, "memory.grow", 1));
    assert!(std::panic::catch_unwind(grow).is_err());
    assert_eq!(call(&mut store, instance, "table.grow", 1).unwrap(), 2);
}

#[test]
fn fixed_limits() {
    let engine = Engine::default();
    let limits = StoreLimitsBuilder::new().memory_size(3 << 16).table_elements(4);
    let limits = limits.instances(2).tables(3).memories(3).build();
    let mut store: Store<StoreLimits> = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let module = Module::new(&engine, GROWS).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    for (name, results) in [("memory.grow", [1, 2, -1]), ("table.grow", [2, 3, -1])] {
        for result in results {
            assert_eq!(call(&mut store, instance, name, 1).unwrap(), result, "{name}");
        }
    }
    Instance::new(&mut store, &module, &[]).unwrap();
    let error = Instance::new(&mut store, &module, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert_eq!(error.summary(), "a store may have 2 instances");
    Memory::new(&mut store, MemoryType::new(0, None)).unwrap();
    let error = Memory::new(&mut store, MemoryType::new(0, None)).unwrap_err();
    assert_eq!(error.summary(), "a store may have 3 memories");
    store.data_mut().clone_from(
        &StoreLimitsBuilder::new().memory_size(3 << 16).trap_on_grow_failure(true).build(),
    );
    let error = call(&mut store, instance, "memory.grow", 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[cfg(feature = "gc")]
#[test]
fn the_heap_grows_as_the_limiter_allows() {
    let wat = r#"(module (type $list (sub (struct (field (ref null $list)) (field i64 i64 i64))))
      (type $bytes (array i8))
      (global $all (mut (ref null $list)) (ref.null $list))
      (func (export "keep") (param i32) (result i32)
        (loop $next
          (global.set $all (struct.new $list (global.get $all)
            (i64.const 1) (i64.const 2) (i64.const 3)))
          (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i32.const 0))
      (func (export "drop") (param i32) (result i32)
        (global.set $all (ref.null $list))
        (loop $next
          (drop (struct.new $list (ref.null $list) (i64.const 1) (i64.const 2) (i64.const 3)))
          (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i32.const 0))
      (func (export "large") (param i32) (result i32)
        (array.len (array.new_default $bytes (local.get 0)))))"#;
    let engine = Engine::default();
    let limits = StoreLimitsBuilder::new().gc_heap_size(8 << 20).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let instance = Instance::new(&mut store, &Module::new(&engine, wat).unwrap(), &[]).unwrap();
    for _ in 0..2 {
        assert_eq!(call(&mut store, instance, "keep", 100_000).unwrap(), 0);
        let error = call(&mut store, instance, "keep", i32::MAX).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        // What was kept is garbage now, and room again.
        assert_eq!(call(&mut store, instance, "drop", 1_000_000).unwrap(), 0);
    }
    assert_eq!(call(&mut store, instance, "large", 1 << 20).unwrap(), 1 << 20);
    let error = call(&mut store, instance, "large", 9 << 20).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn kinds_can_be_told_apart() {
    let (mut store, instance) = instance(
        &Engine::default(),
        (),
        r#"(module (func $f (export "deep") (param i32) (result i32) (call $f (local.get 0)))
            (func (export "trap") (param i32) (result i32) (unreachable)))"#,
    );
    for (name, kind) in [("deep", ErrorKind::StackOverflow), ("trap", ErrorKind::Trap)] {
        assert_eq!(call(&mut store, instance, name, 0).unwrap_err().kind(), kind);
    }
}

#[test]
fn handles_travel_between_threads() {
    fn check<T: Send + Sync + Clone + 'static>(_: &T) {}
    let store = Store::new(&Engine::default(), ());
    let handle: InterruptHandle = store.interrupt_handle();
    check(&handle);
    // Many at once, and a store that goes away meanwhile.
    let (started, stop) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (handle, started, stop) = (handle.clone(), started.clone(), stop.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    handle.interrupt();
                    started.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    while started.load(Ordering::Relaxed) < 100 {
        thread::yield_now();
    }
    drop(store);
    stop.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
