//! Limiters and hooks that are futures, on every tier.
#![cfg(feature = "async")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use zwasm::{
    CallHook, CallHookHandler, Caller, Engine, Error, Func, Instance, Linker, Memory, MemoryType,
    Module, Ref, RefType, ResourceLimiterAsync, Result, Store, StoreContextMut, Table, TableType,
};

use crate::async_api::{After, block_on, strategies};

type Decision<'a> = Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>>;

/// Waits so many times, and allows what is not beyond a limit.
struct Limits {
    waits: u32,
    bytes: usize,
    elements: usize,
    asked: Vec<(usize, usize, Option<usize>)>,
    failed: usize,
    dropped: Arc<AtomicUsize>,
}

impl Limits {
    fn new(waits: u32) -> Limits {
        Limits {
            waits,
            bytes: 3 << 16,
            elements: 10,
            asked: Vec::new(),
            failed: 0,
            dropped: Arc::default(),
        }
    }
}

/// Counts how many were dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl ResourceLimiterAsync for Limits {
    fn memory_growing<'a, 'b>(
        &'a mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Decision<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let _guard = Dropped(self.dropped.clone());
            After::new(self.waits).await;
            self.asked.push((current, desired, maximum));
            Ok(desired <= self.bytes)
        })
    }

    fn memory_grow_failed(&mut self, _: Error) -> Result<()> {
        self.failed += 1;
        Ok(())
    }

    fn table_growing<'a, 'b>(
        &'a mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Decision<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            After::new(self.waits).await;
            self.asked.push((current, desired, maximum));
            match desired <= self.elements {
                true => Ok(true),
                false => Err(Error::msg("too many elements")),
            }
        })
    }

    fn instances(&self) -> usize {
        2
    }
}

const GROWS: &str = r#"(module
    (import "" "call" (func $call (param i32) (result i32)))
    (memory (export "memory") 1 4)
    (table $table 1 funcref)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "grow-twice") (param i32) (result i32)
        (i32.add (i32.mul (i32.const 100) (memory.grow (local.get 0)))
            (i32.add (memory.grow (local.get 0)) (memory.size))))
    (func (export "grow-table") (param i32) (result i32)
        (table.grow $table (ref.null func) (local.get 0)))
    (func (export "call") (param i32) (result i32) (call $call (local.get 0))))"#;

fn each(mut test: impl FnMut(Store<Limits>, Linker<Limits>, Module) -> Result<()>) -> Result<()> {
    for strategy in strategies() {
        let engine = Engine::new(zwasm::Config::new().strategy(strategy))?;
        let mut store = Store::new(&engine, Limits::new(2));
        store.limiter_async(|limits| limits);
        let mut linker = Linker::new(&engine);
        // What the guest calls grows its memory again.
        linker.func_wrap("", "call", |mut caller: Caller<'_, Limits>, pages: i32| {
            let grow = caller.get_export("memory").and_then(|it| it.into_memory());
            let memory = grow.ok_or_else(|| Error::msg("no memory"))?;
            memory.grow(&mut caller, pages as u64).map(|old| old as i32)
        })?;
        let module = Module::new(&engine, GROWS)?;
        test(store, linker, module).map_err(|error| error.context(format!("{strategy:?}")))?;
    }
    Ok(())
}

#[test]
fn growth_waits_for_the_limiter() -> Result<()> {
    each(|mut store, linker, module| {
        let (instance, polls) = block_on(linker.instantiate_async(&mut store, &module));
        let instance = instance?;
        assert_eq!(polls, 4);
        assert_eq!(store.data().asked, [(0, 1 << 16, Some(4 << 16)), (0, 1, None)]);
        let mut call = |name: &str, x: i32| {
            let func = instance.get_typed_func::<i32, i32>(&mut store, name)?;
            let (result, polls) = block_on(func.call_async(&mut store, x));
            result.map(|result| (result, polls))
        };
        assert_eq!(call("grow", 1)?, (1, 2));
        // The first is allowed, the second not.
        assert_eq!(call("grow-twice", 1)?, (200 - 1 + 3, 4));
        assert_eq!(call("grow", 0)?, (3, 2));
        assert_eq!(call("grow-table", 9)?, (1, 2));
        let error = call("grow-table", 1).unwrap_err();
        assert!(error.summary().contains("too many elements"), "{error}");
        // What is allowed may still fail.
        store.data_mut().bytes = usize::MAX;
        let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow")?;
        assert_eq!(block_on(grow.call_async(&mut store, 2)).0?, -1);
        assert_eq!(store.data().failed, 1);
        block_on(linker.instantiate_async(&mut store, &module)).0?;
        let error = block_on(linker.instantiate_async(&mut store, &module)).0.unwrap_err();
        assert!(error.summary().contains("2 instances"), "{error}");
        Ok(())
    })
}

#[test]
fn a_limiter_that_has_to_be_waited_for_is_an_error_elsewhere() -> Result<()> {
    each(|mut store, linker, module| {
        let cannot = |error: Error| {
            let summary = error.summary();
            assert!(summary.contains("cannot wait in a synchronous call"), "{summary}");
        };
        cannot(linker.instantiate(&mut store, &module).unwrap_err());
        let instance = block_on(linker.instantiate_async(&mut store, &module)).0?;
        let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow")?;
        cannot(grow.call(&mut store, 1).unwrap_err());
        cannot(Memory::new(&mut store, MemoryType::new(1, None)).unwrap_err());
        // Nor does it wait where a host function that is no future lies between.
        let call = instance.get_typed_func::<i32, i32>(&mut store, "call")?;
        cannot(block_on(call.call_async(&mut store, 1)).0.unwrap_err());
        // What is answered at once is good anywhere.
        store.data_mut().waits = 0;
        assert_eq!(grow.call(&mut store, 1)?, 1);
        assert_eq!(block_on(call.call_async(&mut store, 1)).0?, 2);
        assert_eq!(grow.call(&mut store, 1)?, -1);
        Ok(())
    })
}

#[test]
fn growth_that_is_dropped_has_not_happened() -> Result<()> {
    each(|mut store, linker, module| {
        let instance = block_on(linker.instantiate_async(&mut store, &module)).0?;
        let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow")?;
        let dropped = store.data().dropped.clone();
        let before = dropped.load(Ordering::Relaxed);
        {
            let mut call = Box::pin(grow.call_async(&mut store, 1));
            let poll = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(poll.is_pending());
        }
        assert_eq!(dropped.load(Ordering::Relaxed), before + 1);
        assert_eq!(block_on(grow.call_async(&mut store, 1)).0?, 1);
        Ok(())
    })
}

#[test]
fn the_host_waits_for_the_limiter_as_well() -> Result<()> {
    let mut store = Store::new(&Engine::default(), Limits::new(3));
    store.limiter_async(|limits| limits);
    let (memory, polls) = block_on(Memory::new_async(&mut store, MemoryType::new(1, None)));
    let memory = memory?;
    assert_eq!(polls, 3);
    let (old, polls) = block_on(memory.grow_async(&mut store, 2));
    assert_eq!((old?, polls), (1, 3));
    assert!(block_on(memory.grow_async(&mut store, 1)).0.is_err());
    let ty = TableType::new(RefType::FUNCREF, 2, None);
    let (table, polls) = block_on(Table::new_async(&mut store, ty, Ref::Func(None)));
    assert_eq!(polls, 3);
    let (old, polls) = block_on(table?.grow_async(&mut store, 3, Ref::Func(None)));
    assert_eq!((old?, polls), (2, 3));
    Ok(())
}

#[derive(Default)]
struct Passed(Vec<CallHook>);

/// Writes down what it is called for, and waits so many times.
struct Writes(u32);

impl CallHookHandler<Passed> for Writes {
    fn handle_call_event<'a, 'b, 'c>(
        &'a self,
        mut store: StoreContextMut<'b, Passed>,
        hook: CallHook,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            store.data_mut().0.push(hook);
            After::new(self.0).await;
            match store.data().0.len() > 20 {
                true => Err(Error::msg("that is enough")),
                false => Ok(()),
            }
        })
    }
}

#[test]
fn hooks_are_waited_for() -> Result<()> {
    use CallHook::{CallingHost, CallingWasm, ReturningFromHost, ReturningFromWasm};
    for strategy in strategies() {
        let engine = Engine::new(zwasm::Config::new().strategy(strategy))?;
        let module = Module::new(
            &engine,
            r#"(module (import "" "f" (func $f (param i32) (result i32)))
                (func (export "run") (param i32) (result i32)
                    (i32.add (call $f (local.get 0)) (call $f (i32.const 1)))))"#,
        )?;
        let mut store = Store::new(&engine, Passed::default());
        let sync = Func::wrap(&mut store, |x: i32| x + 1);
        let waits = Func::wrap_async(&mut store, |_: Caller<'_, Passed>, (x,): (i32,)| {
            Box::new(async move {
                After::new(5).await;
                x + 1
            })
        });
        for (f, more) in [(sync, 0), (waits, 10)] {
            let instance = Instance::new(&mut store, &module, &[f.into()])?;
            let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
            store.call_hook_async(Writes(3));
            store.data_mut().0.clear();
            let (result, polls) = block_on(run.call_async(&mut store, 4));
            assert_eq!((result?, polls), (7, 6 * 3 + more), "{strategy:?}");
            let host = [CallingHost, ReturningFromHost];
            let expected = [&[CallingWasm][..], &host, &host, &[ReturningFromWasm]].concat();
            assert_eq!(store.data().0, expected);
            // It may be dropped in each of them, and is there again afterwards.
            for polls in 1..8 {
                let mut call = Box::pin(run.call_async(&mut store, 4));
                for _ in 0..polls {
                    let mut context = Context::from_waker(Waker::noop());
                    assert!(call.as_mut().poll(&mut context).is_pending());
                }
                drop(call);
                store.data_mut().0.clear();
            }
            let error = run.call(&mut store, 4).unwrap_err().summary();
            assert!(error.contains("cannot wait in a synchronous call"), "{error}");
            for _ in 0..3 {
                block_on(run.call_async(&mut store, 4)).0?;
            }
            let error = block_on(run.call_async(&mut store, 4)).0.unwrap_err().summary();
            assert!(error.contains("that is enough"), "{error}");
            store.data_mut().0.clear();
            // One that does not wait serves all calls.
            store.call_hook_async(Writes(0));
            if more == 0 {
                assert_eq!(run.call(&mut store, 4)?, 7);
                assert_eq!(store.data().0, expected);
            }
            store.call_hook(|_, _| Ok(()));
        }
    }
    Ok(())
}
