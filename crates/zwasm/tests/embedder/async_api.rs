//! Calls that are futures, and host functions that are, on every tier and a hand-made
//! executor.
#![cfg(feature = "async")]

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use zwasm::{
    AsContextMut, Caller, Config, Engine, Error, ErrorKind, ExternRef, Func, FuncType, Instance,
    Linker, Module, Result, Rooted, Store, Strategy, Trap, UpdateDeadline, Val, ValType,
};

pub fn strategies() -> impl Iterator<Item = Strategy> {
    [
        Strategy::Interpreter,
        Strategy::Baseline,
        Strategy::Optimizing,
        Strategy::Stress,
        Strategy::Mixed(1),
        Strategy::Mixed(2),
    ]
    .into_iter()
    .filter(|strategy| strategy.is_available())
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls until there is an answer; each pending one must have been woken.
pub fn block_on<R>(future: impl Future<Output = R>) -> (R, usize) {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut future = pin!(future);
    let mut polls = 0;
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return (result, polls);
        }
        polls += 1;
        assert!(woken.0.swap(0, Ordering::Relaxed) > 0, "nobody would poll again");
    }
}

/// Is pending so many times, each time with the waker that it is polled with.
pub struct After(u32);

impl After {
    pub fn new(times: u32) -> After {
        After(times)
    }
}

impl Future for After {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Counts how many were dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Data {
    log: Vec<i32>,
    dropped: Arc<AtomicUsize>,
}

/// `wait: [i32] -> [i32]` is pending so many times and gives twice that.
fn linker(engine: &Engine) -> Result<Linker<Data>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap_async("host", "wait", |mut caller: Caller<'_, Data>, (times,): (i32,)| {
        Box::new(async move {
            let _guard = Dropped(caller.data().dropped.clone());
            caller.data_mut().log.push(times);
            After(times as u32).await;
            caller.data_mut().log.push(-times);
            2 * times
        })
    })?;
    Ok(linker)
}

fn each(
    wat: &str,
    mut test: impl FnMut(&Engine, Linker<Data>, Store<Data>, Module) -> Result<()>,
) -> Result<()> {
    for strategy in strategies() {
        let engine = Engine::new(Config::new().strategy(strategy))?;
        let (linker, store) = (linker(&engine)?, Store::new(&engine, Data::default()));
        let module = Module::new(&engine, wat)?;
        test(&engine, linker, store, module)
            .map_err(|error| error.context(format!("{strategy:?}")))?;
    }
    Ok(())
}

const SUM: &str = r#"(module
    (import "host" "wait" (func $wait (param i32) (result i32)))
    (global $started (export "started") (mut i32) (i32.const 0))
    (func $start (global.set $started (call $wait (i32.const 3))))
    (start $start)
    (func $sum (export "sum") (param $x i32) (result i32)
        (if (result i32) (local.get $x)
            (then (i32.add (call $wait (local.get $x))
                (call $sum (i32.sub (local.get $x) (i32.const 1)))))
            (else (i32.const 0)))))"#;

#[test]
fn what_waits_is_pending() -> Result<()> {
    each(SUM, |_, linker, mut store, module| {
        let (instance, polls) = block_on(linker.instantiate_async(&mut store, &module));
        let instance = instance?;
        assert_eq!(polls, 3);
        let started = instance.get_global(&mut store, "started").unwrap();
        assert_eq!(started.get(&mut store).i32(), Some(6));
        let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
        let (result, polls) = block_on(sum.call_async(&mut store, 4));
        assert_eq!((result?, polls), (20, 10));
        assert_eq!(store.data().log, [3, -3, 4, -4, 3, -3, 2, -2, 1, -1]);
        let mut results = [Val::I64(0)];
        let (result, polls) =
            block_on(sum.func().call_async(&mut store, &[Val::I32(2)], &mut results));
        result?;
        assert_eq!((results[0].i32(), polls), (Some(6), 3));
        // Wrong arguments.
        assert!(block_on(sum.func().call_async(&mut store, &[], &mut results)).0.is_err());
        let pre = linker.instantiate_pre(&module)?;
        assert_eq!(block_on(pre.instantiate_async(&mut store)).1, 3);
        let wait = linker.get(&mut store, "host", "wait")?;
        let (instance, polls) = block_on(Instance::new_async(&mut store, &module, &[wait]));
        instance?;
        assert_eq!(polls, 3);
        Ok(())
    })
}

#[test]
fn a_call_that_does_not_wait_is_an_error() -> Result<()> {
    each(SUM, |_, mut linker, mut store, module| {
        let error = linker.instantiate(&mut store, &module).unwrap_err();
        let cause = error.root_cause().to_string();
        assert!(cause.contains("`*_async` functions are used instead"), "{cause}");
        let instance = block_on(linker.instantiate_async(&mut store, &module)).0?;
        let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
        assert!(sum.call(&mut store, 1).is_err());
        // A function that does not wait, between two that do.
        linker.func_wrap("host", "between", move |mut caller: Caller<'_, Data>| {
            sum.call(&mut caller, 1)
        })?;
        let outer = r#"(module
            (import "host" "between" (func $between (result i32)))
            (func (export "outer") (result i32) (call $between)))"#;
        let outer = Module::new(linker.engine(), outer)?;
        let outer = linker.instantiate(&mut store, &outer)?;
        let outer = outer.get_typed_func::<(), i32>(&mut store, "outer")?;
        assert!(block_on(outer.call_async(&mut store, ())).0.is_err());
        // Nor may a hook.
        store.call_hook(move |mut store, what| match what {
            zwasm::CallHook::CallingWasm => sum.call(&mut store, 1).map(drop),
            _ => Ok(()),
        });
        assert!(block_on(sum.call_async(&mut store, 0)).0.is_err());
        Ok(())
    })
}

#[test]
fn calls_nest() -> Result<()> {
    let wat = r#"(module
        (import "host" "wait" (func $wait (param i32) (result i32)))
        (import "host" "again" (func $again (param i32) (result i32)))
        (func (export "f") (param $x i32) (result i32)
            (if (result i32) (local.get $x)
                (then (i32.add (call $wait (i32.const 2))
                    (call $again (i32.sub (local.get $x) (i32.const 1)))))
                (else (i32.const 0)))))"#;
    each(wat, |_, mut linker, mut store, module| {
        linker.func_wrap_async("host", "again", |mut caller: Caller<'_, Data>, (x,): (i32,)| {
            Box::new(async move {
                let f = caller.get_export("f").and_then(|f| f.into_func()).unwrap();
                let f = f.typed::<i32, i32>(&caller)?;
                After(1).await;
                let result = f.call_async(&mut caller, x).await?;
                After(1).await;
                Ok::<i32, Error>(result)
            })
        })?;
        let instance = linker.instantiate(&mut store, &module)?;
        let f = instance.get_typed_func::<i32, i32>(&mut store, "f")?;
        let (result, polls) = block_on(f.call_async(&mut store, 5));
        assert_eq!((result?, polls), (20, 5 * 4));
        // Dropped where all of them wait.
        let mut call = Box::pin(f.call_async(&mut store, 5));
        for _ in 0..15 {
            let poll = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(poll.is_pending());
        }
        drop(call);
        let (result, polls) = block_on(f.call_async(&mut store, 1));
        assert_eq!((result?, polls), (4, 4));
        Ok(())
    })
}

#[test]
fn a_call_that_is_dropped_is_unwound() -> Result<()> {
    each(SUM, |engine, linker, mut store, module| {
        let instance = block_on(linker.instantiate_async(&mut store, &module)).0?;
        let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
        let dropped = store.data().dropped.clone();
        let before = dropped.load(Ordering::Relaxed);
        for polls in 0..6 {
            let mut call = Box::pin(sum.call_async(&mut store, 3));
            for _ in 0..polls {
                let poll = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(poll.is_pending());
            }
        }
        // The first was not polled; the last two are in the second wait.
        assert_eq!(dropped.load(Ordering::Relaxed) - before, 5 + 2);
        assert_eq!(block_on(sum.call_async(&mut store, 1)).0?, 2);
        // One that is forgotten is never unwound.
        let count = dropped.load(Ordering::Relaxed);
        let mut call = Box::pin(sum.call_async(&mut store, 3));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        std::mem::forget(call);
        assert_eq!(block_on(sum.call_async(&mut store, 1)).0?, 2);
        assert_eq!(dropped.load(Ordering::Relaxed), count + 1);
        drop(store);
        assert_eq!(dropped.load(Ordering::Relaxed), count + 1);
        let _ = engine;
        Ok(())
    })
}

/// Writes to what it has borrowed when it is dropped.
struct Writes<'a>(&'a mut i32);

impl Drop for Writes<'_> {
    fn drop(&mut self) {
        *self.0 += 1;
    }
}

#[test]
fn a_call_that_is_forgotten_writes_to_nothing_it_had_borrowed() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Box::new(5));
    let wait = Func::wrap_async(&mut store, |mut caller: Caller<'_, Box<i32>>, (): ()| {
        Box::new(async move {
            let _borrowed = Writes(caller.data_mut());
            After(1).await;
        })
    });
    let poll = |call: Pin<&mut dyn Future<Output = Result<()>>>| {
        call.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    };
    // One that is dropped still has the store.
    assert!(poll(pin!(wait.call_async(&mut store, &[], &mut []))));
    assert_eq!(**store.data(), 6);
    {
        let mut call = Box::pin(wait.call_async(&mut store, &[], &mut []));
        assert!(poll(call.as_mut()));
        std::mem::forget(call);
    }
    let taken = std::mem::replace(store.data_mut(), Box::new(0));
    drop(store);
    assert_eq!(*taken, 6);
    Ok(())
}

#[test]
fn calls_go_from_thread_to_thread() -> Result<()> {
    each(SUM, |engine, linker, mut store, module| {
        let instance = block_on(linker.instantiate_async(&mut store, &module)).0?;
        drop((store, instance));
        let mut tasks: VecDeque<Pin<Box<dyn Future<Output = Result<i32>> + Send>>> =
            VecDeque::new();
        for x in 0..20 {
            let mut store = Store::new(engine, Data::default());
            let (linker, module) = (linker.clone(), module.clone());
            tasks.push_back(Box::pin(async move {
                let instance = linker.instantiate_async(&mut store, &module).await?;
                let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
                sum.call_async(&mut store, x % 6).await
            }));
        }
        // Each poll by another thread.
        let mut total = 0;
        while let Some(mut task) = tasks.pop_front() {
            let polled = std::thread::spawn(move || {
                let poll = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                (poll, task)
            });
            let (poll, task) = polled.join().expect("nothing panics");
            match poll {
                Poll::Pending => tasks.push_back(task),
                Poll::Ready(sum) => total += sum?,
            }
        }
        assert_eq!(total, (0..20).map(|x| (x % 6) * (x % 6 + 1)).sum::<i32>());
        Ok(())
    })
}

#[test]
fn deadlines_give_others_a_turn() -> Result<()> {
    let wat = r#"(module (func (export "count") (param $n i32) (result i32) (local $sum i32)
        (loop $more
            (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $sum) (local.get $n))))
        (local.get $sum)))"#;
    for strategy in strategies() {
        let engine = Engine::new(Config::new().strategy(strategy).epoch_interruption(true))?;
        let module = Module::new(&engine, wat)?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        let count = instance.get_typed_func::<i32, i32>(&mut store, "count")?;
        store.epoch_deadline_async_yield_and_update(1);
        // Until the epoch is another one it yields once.
        for _ in 0..3 {
            store.set_epoch_deadline(0);
            let (result, polls) = block_on(count.call_async(&mut store, 1000));
            assert_eq!((result?, polls), (1000, 1), "{strategy:?}");
        }
        // One that yields each time that it is asked, whatever the epoch.
        let mut call = Box::pin(count.call_async(&mut store, 1_000_000_000));
        for _ in 0..50 {
            engine.increment_epoch();
            let poll = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(poll.is_pending());
        }
        drop(call);
        // It waits for something, as long as that takes.
        let mut asked = 0;
        store.epoch_deadline_callback(move |_| {
            asked += 1;
            Ok(match asked {
                1 => UpdateDeadline::YieldCustom(1, Box::pin(After(7))),
                _ => UpdateDeadline::Continue(1),
            })
        });
        store.set_epoch_deadline(0);
        let (result, polls) = block_on(count.call_async(&mut store, 1000));
        assert_eq!((result?, polls), (1000, 7));
        // Nobody polls a call that does not wait.
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(0);
        assert!(count.call(&mut store, 1000).is_err());
        // An interruption while others have their turn.
        store.set_epoch_deadline(0);
        let handle = store.interrupt_handle();
        let mut call = Box::pin(count.call_async(&mut store, 1_000_000_000));
        let mut context = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
        handle.interrupt();
        let Poll::Ready(Err(error)) = call.as_mut().poll(&mut context) else {
            panic!("it goes on")
        };
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }
    Ok(())
}

#[test]
fn references_go_in_and_out() -> Result<()> {
    let wat = r#"(module
        (import "host" "keep" (func $keep (param externref) (result externref)))
        (func (export "both") (param externref externref) (result externref externref)
            (call $keep (local.get 1)) (call $keep (local.get 0))))"#;
    for strategy in strategies() {
        let engine = Engine::new(Config::new().strategy(strategy).gc_stress(true))?;
        let mut linker = Linker::<()>::new(&engine);
        let ty = FuncType::new(&engine, [ValType::EXTERNREF], [ValType::EXTERNREF]);
        linker.func_new_async("host", "keep", ty, |mut caller, params, results| {
            Box::new(async move {
                After(2).await;
                caller.gc(None)?;
                results[0] = params[0];
                After(1).await;
                Ok(())
            })
        })?;
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &Module::new(&engine, wat)?)?;
        type Ref = Option<Rooted<ExternRef>>;
        let both = instance.get_typed_func::<(Ref, Ref), (Ref, Ref)>(&mut store, "both")?;
        let mut scope = zwasm::RootScope::new(&mut store);
        let one = ExternRef::new(&mut scope, 1)?;
        let two = ExternRef::new(&mut scope, 2)?;
        let (result, polls) = block_on(both.call_async(&mut scope, (Some(one), Some(two))));
        let (a, b) = result?;
        assert_eq!(polls, 6);
        scope.as_context_mut().gc(None)?;
        for (reference, is) in [(a, 2), (b, 1)] {
            let data = reference.unwrap().data(&scope)?.and_then(|it| it.downcast_ref::<i32>());
            assert_eq!(data, Some(&is));
        }
        // The same in values.
        let mut results = [Val::I32(0); 2];
        let params = [Val::ExternRef(Some(one)), Val::ExternRef(None)];
        block_on(both.func().call_async(&mut scope, &params, &mut results)).0?;
        scope.as_context_mut().gc(None)?;
        assert!(matches!(results[0], Val::ExternRef(None)));
        let Val::ExternRef(Some(out)) = results[1] else { panic!("{results:?}") };
        assert_eq!(out.data(&scope)?.and_then(|it| it.downcast_ref::<i32>()), Some(&1));
    }
    Ok(())
}

#[test]
fn errors_traps_and_panics_come_out() -> Result<()> {
    let wat = r#"(module
        (import "host" "fail" (func $fail (param i32)))
        (func (export "f") (param i32) (call $fail (local.get 0)) (unreachable)))"#;
    each(wat, |_, mut linker, mut store, module| {
        linker.func_wrap_async("host", "fail", |_: Caller<'_, Data>, (how,): (i32,)| {
            Box::new(async move {
                After(2).await;
                match how {
                    0 => Ok(()),
                    1 => Err(Error::msg("no luck")),
                    _ => std::panic::panic_any("panicked"),
                }
            })
        })?;
        let instance = linker.instantiate(&mut store, &module)?;
        let f = instance.get_typed_func::<i32, ()>(&mut store, "f")?;
        let error = block_on(f.call_async(&mut store, 0)).0.unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::UnreachableCodeReached));
        assert_eq!(error.backtrace().map(|trace| trace.frames().len()), Some(1));
        let error = block_on(f.call_async(&mut store, 1)).0.unwrap_err();
        assert_eq!(error.root_cause().to_string(), "no luck");
        let panic =
            catch_unwind(AssertUnwindSafe(|| block_on(f.call_async(&mut store, 2)))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"panicked"));
        assert!(block_on(f.call_async(&mut store, 0)).0.is_err());
        Ok(())
    })
}

#[test]
fn commands_and_reactors_wait() -> Result<()> {
    each(SUM, |engine, mut linker, mut store, _| {
        let command = r#"(module
            (import "host" "wait" (func $wait (param i32) (result i32)))
            (func (export "_start") (drop (call $wait (i32.const 1))))
            (func (export "three") (result i32) (call $wait (i32.const 3))))"#;
        let reactor = r#"(module
            (import "host" "wait" (func $wait (param i32) (result i32)))
            (global $g (mut i32) (i32.const 0))
            (func (export "_initialize") (global.set $g (call $wait (i32.const 4))))
            (func (export "get") (result i32) (global.get $g)))"#;
        let (command, reactor) = (Module::new(engine, command)?, Module::new(engine, reactor)?);
        let (done, polls) = block_on(linker.module_async(&mut store, "c", &command));
        done?;
        assert_eq!(polls, 0);
        let (done, polls) = block_on(linker.module_async(&mut store, "r", &reactor));
        done?;
        assert_eq!(polls, 4);
        let get = linker.get(&mut store, "r", "get")?.into_func().unwrap();
        assert_eq!(get.typed::<(), i32>(&store)?.call(&mut store, ())?, 8);
        let user = r#"(module
            (import "c" "three" (func $three (result i32)))
            (func (export "six") (result i32) (i32.add (call $three) (call $three))))"#;
        let instance = linker.instantiate(&mut store, &Module::new(engine, user)?)?;
        let six = instance.get_typed_func::<(), i32>(&mut store, "six")?;
        let (result, polls) = block_on(six.call_async(&mut store, ()));
        assert_eq!((result?, polls), (12, 6));
        Ok(())
    })
}

#[test]
fn functions_made_in_a_store_wait() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, 5);
    let typed = Func::wrap_async(&mut store, |caller: Caller<'_, i32>, (a, b): (i32, i64)| {
        Box::new(async move {
            After(a as u32).await;
            i64::from(*caller.data()) + b
        })
    });
    let (result, polls) =
        block_on(typed.typed::<(i32, i64), i64>(&store)?.call_async(&mut store, (3, 4)));
    assert_eq!((result?, polls), (9, 3));
    // A result that it leaves alone is none of its type.
    let ty = FuncType::new(&engine, [], [ValType::I32]);
    let wrong = Func::new_async(&mut store, ty, |_, _, _| Box::new(async { Ok(()) }));
    assert!(block_on(wrong.call_async(&mut store, &[], &mut [Val::I32(0)])).0.is_err());
    Ok(())
}
