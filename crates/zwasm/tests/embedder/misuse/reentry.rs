//! Host functions and callbacks that use the store while the guest waits, and those that
//! panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{engines, panics};
use zwasm::{
    AnyRef, Caller, Config, Engine, ExnRef, ExternRef, Func, FuncType, Instance, Linker, Memory,
    MemoryType, Module, ResourceLimiter, Result, RootScope, Store, Table, TableType, Tag, TagType,
    UpdateDeadline, Val,
};

/// A guest that reads everything before the host is called, and again after.
const GUEST: &str = r#"(module
    (import "host" "change" (func $change))
    (memory (export "memory") 1 100)
    (table (export "table") 1 100 funcref)
    (global (export "global") (mut i64) (i64.const 1))
    (elem declare func $seven)
    (func $seven (result i32) (i32.const 7))
    (func (export "run") (param i32) (result i64)
      (local i64)
      (local.set 1 (i64.add (i64.load (i32.const 8)) (global.get 0)))
      (table.set (i32.const 0) (ref.func $seven))
      (if (local.get 0) (then (call $change)))
      (i64.add
        (local.get 1)
        (i64.add (i64.load (i32.const 8))
          (i64.add (global.get 0)
            (i64.extend_i32_s
              (i32.add (call_indirect (result i32) (i32.const 0))
                (i32.add (memory.size) (table.size)))))))))"#;

#[test]
fn a_host_function_changes_everything_under_the_guest() -> Result<()> {
    for guard_pages in [true, false] {
        for strategy in super::STRATEGIES {
            let mut config = Config::new();
            config.guard_pages(guard_pages).strategy(strategy);
            let Ok(engine) = Engine::new(&config) else { continue };
            let mut linker = Linker::<i64>::new(&engine);
            linker.func_wrap("host", "change", change)?;
            let mut store = Store::new(&engine, 0);
            let module = Module::new(&engine, GUEST)?;
            let instance = linker.instantiate(&mut store, &module)?;
            let run = instance.get_typed_func::<i32, i64>(&mut store, "run")?;
            let (mut before, mut size) = (1, 1);
            for round in 1..=20 {
                *store.data_mut() = round;
                let after = 100 * round + 10 * round;
                size += 1;
                assert_eq!(run.call(&mut store, 1)?, before + after + 70 + 2 * size);
                before = after;
                // What the host has put into the table is gone with the next run.
                assert_eq!(run.call(&mut store, 0)?, 2 * after + 7 + 2 * size);
            }
        }
    }
    Ok(())
}

fn change(mut caller: Caller<'_, i64>) -> Result<()> {
    let round = *caller.data();
    let mut export = |name: &str| caller.get_export(name).expect("it is exported");
    let (memory, table) = (export("memory").into_memory(), export("table").into_table());
    let (global, run) = (export("global").into_global(), export("run").into_func());
    let (memory, table) = (memory.expect("a memory"), table.expect("a table"));
    // The guest runs again, and fills the frames above this one.
    run.expect("a function").call(&mut caller, &[Val::I32(0)], &mut [Val::I64(0)])?;
    memory.grow(&mut caller, 1)?;
    memory.write(&mut caller, 8, &(100 * round).to_le_bytes())?;
    global.expect("a global").set(&mut caller, Val::I64(10 * round))?;
    let seventy = Func::wrap(&mut caller, || 70);
    table.grow(&mut caller, 1, zwasm::Ref::Func(None))?;
    table.set(&mut caller, 0, seventy.into())?;
    // More of everything, so that what holds it moves.
    let module = Module::new(caller.engine(), "(module (memory 1) (table 9 externref))")?;
    for _ in 0..10 {
        Instance::new(&mut caller, &module, &[])?;
        Memory::new(&mut caller, MemoryType::new(1, None))?;
    }
    let mut scope = RootScope::new(&mut caller);
    for _ in 0..1000 {
        ExternRef::new(&mut scope, vec![0u8; 100])?;
        AnyRef::from_i31(&mut scope, zwasm::I31::wrapping_u32(7));
    }
    Ok(())
}

#[test]
fn a_host_function_collects_under_the_guest() -> Result<()> {
    for strategy in super::STRATEGIES {
        let mut config = Config::new();
        config.gc_stress(true).strategy(strategy);
        let Ok(engine) = Engine::new(&config) else { continue };
        let mut linker = Linker::<()>::new(&engine);
        let ty = FuncType::new(
            &engine,
            std::iter::repeat_n(zwasm::ValType::I64, 2),
            std::iter::repeat_n(zwasm::ValType::I64, 3),
        );
        // Works on its slots before, while and after what collects.
        linker.func_slots("host", "slots", ty.clone(), |mut caller, slots| {
            slots[0] += 1;
            churn(&mut caller)?;
            slots[2] = slots[0] + slots[1];
            churn(&mut caller)
        })?;
        linker.func_wrap("host", "typed", |mut caller: Caller<'_, ()>, a: i64, b: i64| {
            churn(&mut caller).map(|()| (a + 1, b, a + b + 1))
        })?;
        linker.func_new("host", "dynamic", ty, |mut caller, args, results| {
            churn(&mut caller)?;
            let (a, b) = (args[0].i64().unwrap(), args[1].i64().unwrap());
            results.copy_from_slice(&[a + 1, b, a + b + 1].map(Val::I64));
            churn(&mut caller)
        })?;
        for name in ["slots", "typed", "dynamic"] {
            let wat = format!(
                r#"(module
                     (import "host" "{name}" (func $f (param i64 i64) (result i64 i64 i64)))
                     (type $box (struct (field i64)))
                     (func (export "run") (result i64)
                       (local (ref null $box))
                       (local.set 0 (struct.new $box (i64.const 1000)))
                       (call $f (i64.const 20) (i64.const 3))
                       (i64.add) (i64.add)
                       (i64.add (struct.get $box 0 (local.get 0)))))"#
            );
            let mut store = Store::new(&engine, ());
            let instance = linker.instantiate(&mut store, &Module::new(&engine, wat)?)?;
            let run = instance.get_typed_func::<(), i64>(&mut store, "run")?;
            assert_eq!(run.call(&mut store, ())?, 1048, "{name}");
        }
    }
    Ok(())
}

fn churn(caller: &mut Caller<'_, ()>) -> Result<()> {
    let ty = TagType::new(FuncType::new(caller.engine(), [], []));
    let tag = Tag::new(&mut *caller, &ty)?;
    let pre = zwasm::ExnType::from_tag_type(&ty)?;
    let pre = zwasm::ExnRefPre::new(&mut *caller, pre);
    for _ in 0..10 {
        ExternRef::new(&mut *caller, 1)?;
        ExnRef::new(&mut *caller, &pre, &tag, &[])?;
    }
    Ok(())
}

/// Panics when it is told to.
#[derive(Default)]
struct Moody {
    armed: bool,
}

impl Moody {
    fn answer(&self) -> Result<bool> {
        assert!(!self.armed, "the limiter panics");
        Ok(true)
    }
}

impl ResourceLimiter for Moody {
    fn memory_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        self.answer()
    }
    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        self.answer()
    }
    fn gc_heap_growing(&mut self, _: usize, _: usize) -> Result<bool> {
        self.answer()
    }
    fn exceptions_growing(&mut self, _: usize, _: usize) -> Result<bool> {
        self.answer()
    }
}

#[test]
fn a_limiter_that_panics_leaves_a_store_that_works() -> Result<()> {
    for engine in engines() {
        let module = Module::new(
            &engine,
            r#"(module
                 (memory (export "memory") 1) (table (export "table") 1 funcref)
                 (type $a (array i8)) (tag $e (param i64))
                 (func (export "memory.grow") (drop (memory.grow (i32.const 1))))
                 (func (export "table.grow")
                   (drop (table.grow (ref.null func) (i32.const 1))))
                 (func (export "array.new") (local i32)
                   (loop $again
                     (drop (array.new_default $a (i32.const 100000)))
                     (br_if $again (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1)))
                       (i32.const 100)))))
                 (func (export "throw")
                   (block $h (try_table (catch_all $h) (throw $e (i64.const 1))))))"#,
        )?;
        // An object made while the instance is, for which collections wait.
        let large = Module::new(
            &engine,
            r#"(module (type $a (array i8))
                 (global (ref $a) (array.new_default $a (i32.const 30000000))))"#,
        )?;
        let mut store = Store::new(&engine, Moody::default());
        store.limiter(|moody| moody);
        let instance = Instance::new(&mut store, &module, &[])?;
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        let table = instance.get_table(&mut store, "table").unwrap();
        let null = zwasm::Ref::Func(None);
        store.data_mut().armed = true;
        for name in ["memory.grow", "table.grow", "array.new", "throw"] {
            let func = instance.get_typed_func::<(), ()>(&mut store, name)?;
            assert_eq!(panics(|| func.call(&mut store, ())), "the limiter panics", "{name}");
        }
        let panic = "the limiter panics";
        assert_eq!(panics(|| memory.grow(&mut store, 1)), panic);
        assert_eq!(panics(|| table.grow(&mut store, 1, null)), panic);
        assert_eq!(panics(|| Memory::new(&mut store, MemoryType::new(1, None))), panic);
        let ty = TableType::new(zwasm::RefType::FUNCREF, 1, None);
        assert_eq!(panics(|| Table::new(&mut store, ty, null)), panic);
        assert_eq!(panics(|| Instance::new(&mut store, &module, &[])), panic);
        for _ in 0..3 {
            assert_eq!(panics(|| Instance::new(&mut store, &large, &[])), panic);
        }
        store.data_mut().armed = false;
        for name in ["memory.grow", "table.grow", "array.new", "throw"] {
            instance.get_typed_func::<(), ()>(&mut store, name)?.call(&mut store, ())?;
        }
        assert_eq!(memory.grow(&mut store, 1)?, 2);
        assert_eq!(table.grow(&mut store, 1, null)?, 2);
        Instance::new(&mut store, &large, &[])?;
        // Collections go on: far more is made than there is room for.
        let array = instance.get_typed_func::<(), ()>(&mut store, "array.new")?;
        for _ in 0..500 {
            array.call(&mut store, ())?;
        }
    }
    Ok(())
}

#[test]
fn panics_of_the_host_pass_the_guest_and_leave_a_store_that_works() -> Result<()> {
    for strategy in super::STRATEGIES {
        let mut config = Config::new();
        config.epoch_interruption(true).strategy(strategy);
        let Ok(engine) = Engine::new(&config) else { continue };
        let mut linker = Linker::<()>::new(&engine);
        linker.func_wrap("host", "panic", || -> i32 { panic!("the host panics") })?;
        linker.func_wrap("host", "nested", |mut caller: Caller<'_, ()>, depth: i32| {
            let nested = caller.get_export("nested").and_then(|item| item.into_func()).unwrap();
            nested.call(&mut caller, &[Val::I32(depth - 1)], &mut [])
        })?;
        let module = Module::new(
            &engine,
            r#"(module
                 (import "host" "panic" (func $panic (result i32)))
                 (import "host" "nested" (func $nested (param i32)))
                 (export "panic" (func $panic))
                 (func $run (export "run") (result i32)
                   (block $h (try_table (catch_all $h) (return (i32.add (i32.const 1) (call $panic)))))
                   (i32.const 0))
                 (func (export "nested") (param i32)
                   (if (local.get 0)
                     (then (call $nested (local.get 0)))
                     (else (drop (call $run)))))
                 (func (export "fine") (result i32) (i32.const 1)))"#,
        )?;
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(1);
        let instance = linker.instantiate(&mut store, &module)?;
        let fine = instance.get_typed_func::<(), i32>(&mut store, "fine")?;
        for name in ["run", "panic"] {
            let run = instance.get_typed_func::<(), i32>(&mut store, name)?;
            assert_eq!(panics(|| run.call(&mut store, ())), "the host panics");
            assert_eq!(fine.call(&mut store, ())?, 1);
        }
        let nested = instance.get_typed_func::<i32, ()>(&mut store, "nested")?;
        assert_eq!(panics(|| nested.call(&mut store, 10)), "the host panics");
        assert_eq!(fine.call(&mut store, ())?, 1);
        let start = Module::new(
            &engine,
            r#"(module (import "host" "panic" (func $panic (result i32)))
                 (func $start (drop (call $panic))) (start $start))"#,
        )?;
        assert_eq!(panics(|| linker.instantiate(&mut store, &start)), "the host panics");
        store.epoch_deadline_callback(|_| panic!("the callback panics"));
        engine.increment_epoch();
        assert_eq!(panics(|| fine.call(&mut store, ())), "the callback panics");
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(1)));
        assert_eq!(fine.call(&mut store, ())?, 1);
        // A hook that panics is still there afterwards.
        store.call_hook(|_, _| panic!("the hook panics"));
        for _ in 0..2 {
            assert_eq!(panics(|| fine.call(&mut store, ())), "the hook panics");
        }
    }
    Ok(())
}

#[test]
fn what_the_guest_dropped_may_panic() -> Result<()> {
    struct Bomb(Arc<AtomicUsize>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("the destructor panics");
        }
    }
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let mut scope = RootScope::new(&mut store);
        let gone = Arc::new(AtomicUsize::new(0));
        for _ in 0..10 {
            ExternRef::new(&mut scope, Bomb(gone.clone()))?;
        }
        drop(scope);
        let module = Module::new(
            &engine,
            r#"(module (type $a (array i8))
                 (func (export "run") (local i32)
                   (loop $again
                     (drop (array.new_default $a (i32.const 100000)))
                     (br_if $again (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1)))
                       (i32.const 1000))))))"#,
        )?;
        let instance = Instance::new(&mut store, &module, &[])?;
        instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
        // All, and none twice.
        assert_eq!(gone.load(Ordering::Relaxed), 10);
        let late = ExternRef::new(&mut store, Bomb(gone.clone()))?;
        assert!(late.data(&store)?.is_some());
        assert_eq!(panics(|| drop(store)), "the destructor panics");
        assert_eq!(gone.load(Ordering::Relaxed), 11);
    }
    Ok(())
}

/// A callback at a deadline uses the store as a host function does.
#[test]
fn a_callback_at_a_deadline_changes_everything_under_the_guest() -> Result<()> {
    for strategy in super::STRATEGIES {
        let mut config = Config::new();
        config.epoch_interruption(true).guard_pages(false).strategy(strategy);
        let Ok(engine) = Engine::new(&config) else { continue };
        let module = Module::new(
            &engine,
            r#"(module
                 (memory (export "memory") 1 1000)
                 (func $leaf (export "leaf") (result i32) (i32.const 1))
                 (func (export "run") (result i32) (local i32)
                   (loop $again
                     (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (call $leaf)))
                     (br_if $again (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1)))
                       (i32.const 50))))
                   (i32.load (i32.const 8))))"#,
        )?;
        let mut store = Store::new(&engine, None::<Instance>);
        let instance = Instance::new(&mut store, &module, &[])?;
        *store.data_mut() = Some(instance);
        let inner = engine.clone();
        store.epoch_deadline_callback(move |mut context| {
            let instance = context.data().expect("it has been made");
            let memory = instance.get_memory(&mut context, "memory").expect("it is exported");
            memory.grow(&mut context, 1)?;
            // Reached at once: the callback is asked while it runs, and then stops.
            context.set_epoch_deadline(1 << 40);
            let leaf = instance.get_typed_func::<(), i32>(&mut context, "leaf")?;
            assert_eq!(leaf.call(&mut context, ())?, 1);
            inner.increment_epoch();
            Ok(UpdateDeadline::Continue(1))
        });
        store.set_epoch_deadline(1);
        engine.increment_epoch();
        let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
        assert_eq!(run.call(&mut store, ())?, 50);
        assert_eq!(run.call(&mut store, ())?, 100);
    }
    Ok(())
}
