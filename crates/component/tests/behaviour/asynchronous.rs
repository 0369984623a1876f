//! Calls that are futures, and functions of the host that are, on an executor made by hand.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use zwasm::{Config, Engine, Error, Result, Store, StoreContextMut};
use zwasm_component::{Component, Instance, Linker, TypedFunc, Val};

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls until there is an answer, and tells how often it was pending; each time it must have
/// been woken.
pub fn block_on<R>(future: impl Future<Output = R>) -> (R, u32) {
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

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
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
    dropped: Arc<AtomicUsize>,
    /// What the host's function calls, if anything.
    inner: Option<TypedFunc<(u32,), (u32,)>>,
}

impl Data {
    fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }
}

type Run = TypedFunc<(u32,), (u32,)>;

/// `run(x)` gives one more than what `wait(x)` gives, which is called by a component within
/// `depth` others, each of which adds one.
fn nested(depth: u32) -> String {
    let code = r#"
        (core func $wait' (canon lower (func $wait)))
        (core module $m
            (import "" "wait" (func $wait (param i32) (result i32)))
            (func (export "run") (param i32) (result i32)
                (i32.add (call $wait (local.get 0)) (i32.const 1))))
        (core instance $m (instantiate $m (with "" (instance (export "wait" (func $wait'))))))
        (func $run (param "x" u32) (result u32) (canon lift (core func $m "run")))"#;
    let imports = r#"(import "wait" (func $wait (param "x" u32) (result u32)))"#;
    let mut text = format!("(component {imports} {code} (export \"run\" (func $run)))");
    for _ in 0..depth {
        let inner = text.replacen("(component", "(component $inner", 1);
        text = format!(
            r#"(component (import "wait" (func $outer (param "x" u32) (result u32)))
                {inner}
                (instance $inner (instantiate $inner (with "wait" (func $outer))))
                (component $outer {imports} {code} (export "run" (func $run)))
                (alias export $inner "run" (func $wait))
                (instance $o (instantiate $outer (with "wait" (func $wait))))
                (export "run" (func $o "run")))"#
        );
    }
    text
}

fn linker(engine: &Engine) -> Result<Linker<Data>> {
    let mut linker = Linker::new(engine);
    linker.root().func_wrap_async(
        "wait",
        |mut store: StoreContextMut<'_, Data>, (times,): (u32,)| {
            Box::new(async move {
                let _guard = Dropped(store.data().dropped.clone());
                After(times).await;
                match store.data().inner {
                    Some(inner) => inner.call_async(&mut store, (times,)).await,
                    None => Ok((2 * times,)),
                }
            })
        },
    )?;
    Ok(linker)
}

fn instantiate(linker: &Linker<Data>, store: &mut Store<Data>, text: &str) -> Result<Run> {
    let component = Component::new(store.engine(), text)?;
    let instance = block_on(linker.instantiate_async(&mut *store, &component)).0?;
    instance.get_typed_func(store, "run")
}

#[test]
fn what_waits_within_components_is_pending() -> Result<()> {
    let engine = Engine::default();
    let linker = linker(&engine)?;
    for depth in 0..3 {
        let mut store = Store::new(&engine, Data::default());
        let run = instantiate(&linker, &mut store, &nested(depth))?;
        let (result, polls) = block_on(run.call_async(&mut store, (5,)));
        assert_eq!((result?, polls), ((10 + depth + 1,), 5));
        let mut results = [Val::Bool(false)];
        let call = run.func().call_async(&mut store, &[Val::U32(2)], &mut results);
        let (result, polls) = block_on(call);
        result?;
        assert_eq!((&results[0], polls), (&Val::U32(4 + depth + 1), 2));
    }
    Ok(())
}

#[test]
fn a_waiting_function_may_call_what_waits() -> Result<()> {
    let engine = Engine::default();
    let linker = linker(&engine)?;
    let mut store = Store::new(&engine, Data::default());
    let outer = instantiate(&linker, &mut store, &nested(1))?;
    let other = {
        let mut linker = Linker::new(&engine);
        linker.root().func_new_async("wait", |_, ty, params, results| {
            assert_eq!(ty.params().len(), 1);
            Box::new(async move {
                After(3).await;
                results[0] = params[0].clone();
                Ok(())
            })
        })?;
        instantiate(&linker, &mut store, &nested(0))?
    };
    store.data_mut().inner = Some(other);
    let (result, polls) = block_on(outer.call_async(&mut store, (5,)));
    assert_eq!((result?, polls), ((8,), 5 + 3));
    Ok(())
}

#[test]
fn a_call_that_is_dropped_ends_where_it_waits() -> Result<()> {
    let engine = Engine::default();
    let linker = linker(&engine)?;
    let mut store = Store::new(&engine, Data::default());
    let run = instantiate(&linker, &mut store, &nested(1))?;
    {
        let mut call = pin!(run.call_async(&mut store, (5,)));
        assert!(poll_once(call.as_mut()).is_pending());
    }
    assert_eq!(store.data().dropped(), 1);
    let error = block_on(run.call_async(&mut store, (5,))).0.unwrap_err();
    assert!(error.summary().contains("cannot enter component instance"), "{error}");
    // One that was never polled has not begun.
    let run = instantiate(&linker, &mut store, &nested(1))?;
    drop(run.call_async(&mut store, (5,)));
    assert_eq!(block_on(run.call_async(&mut store, (1,))).0?, (4,));
    Ok(())
}

#[test]
fn a_call_that_is_forgotten_stays_as_it_is() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    linker.root().func_wrap_async("wait", |store: StoreContextMut<'_, Data>, (_,): (u32,)| {
        let guard = Dropped(store.data().dropped.clone());
        Box::new(async move {
            let _guard = guard;
            std::future::pending::<Result<(u32,)>>().await
        })
    })?;
    let mut store = Store::new(&engine, Data::default());
    let dropped = store.data().dropped.clone();
    let run = instantiate(&linker, &mut store, &nested(1))?;
    {
        let mut call = Box::pin(run.call_async(&mut store, (5,)));
        assert!(poll_once(call.as_mut()).is_pending());
        std::mem::forget(call);
    }
    let other = instantiate(&linker, &mut store, &nested(0))?;
    assert!(poll_once(pin!(other.call_async(&mut store, (5,)))).is_pending());
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    // What it has borrowed may be gone, so it is not ended with the store either.
    drop(store);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    Ok(())
}

#[test]
fn nothing_waits_across_a_function_that_is_no_future() -> Result<()> {
    let engine = Engine::default();
    let waits = linker(&engine)?;
    let mut linker = Linker::new(&engine);
    linker.root().func_wrap("wait", |mut store: StoreContextMut<'_, Data>, params: (u32,)| {
        let inner = store.data().inner.ok_or_else(|| Error::msg("no inner function"))?;
        inner.call(&mut store, params)
    })?;
    let mut store = Store::new(&engine, Data::default());
    let inner = instantiate(&waits, &mut store, &nested(0))?;
    store.data_mut().inner = Some(inner);
    let outer = instantiate(&linker, &mut store, &nested(1))?;
    let error = block_on(outer.call_async(&mut store, (0,))).0.unwrap_err();
    assert!(error.summary().contains("cannot wait in a synchronous call"), "{error}");
    Ok(())
}

#[test]
fn start_functions_may_wait() -> Result<()> {
    let engine = Engine::default();
    let component = Component::new(
        &engine,
        r#"(component (import "wait" (func $wait (param "x" u32) (result u32)))
            (core func $wait (canon lower (func $wait)))
            (core module $m
                (import "" "wait" (func $wait (param i32) (result i32)))
                (global $got (mut i32) (i32.const 0))
                (func $start (global.set $got (call $wait (i32.const 6))))
                (func (export "run") (param i32) (result i32) (global.get $got))
                (start $start))
            (core instance $m (instantiate $m (with "" (instance (export "wait" (func $wait))))))
            (func (export "run") (param "x" u32) (result u32) (canon lift (core func $m "run"))))"#,
    )?;
    let linker = linker(&engine)?;
    let mut store = Store::new(&engine, Data::default());
    let (instance, polls) = block_on(linker.instantiate_async(&mut store, &component));
    assert_eq!(polls, 6);
    let run: Run = instance?.get_typed_func(&mut store, "run")?;
    assert_eq!(run.call(&mut store, (0,))?, (12,));
    assert!(linker.instantiate(&mut store, &component).is_err());
    Ok(())
}

/// As `run` of [`nested`], by tasks: `callback` calls `later`, whose type is asynchronous, and
/// gives one more than its result; `stackful` does so within its code, on a stack of its own,
/// and calls `wait` with the result.
const TASKS: &str = r#"(component
    (import "later" (func $later async (param "x" u32) (result u32)))
    (import "wait" (func $wait (param "x" u32) (result u32)))
    (core module $Memory (memory (export "mem") 1))
    (core instance $memory (instantiate $Memory))
    (core func $later' (canon lower (func $later) async (memory (core memory $memory "mem"))))
    (core func $later-sync (canon lower (func $later)))
    (core func $wait' (canon lower (func $wait)))
    (core func $return (canon task.return (result u32)))
    (core func $set.new (canon waitable-set.new))
    (core func $set.wait (canon waitable-set.wait (memory (core memory $memory "mem"))))
    (core func $join (canon waitable.join))
    (core func $subtask.drop (canon subtask.drop))
    (core module $Code
        (import "" "mem" (memory 1))
        (import "" "later" (func $later (param i32 i32) (result i32)))
        (import "" "later-sync" (func $later-sync (param i32) (result i32)))
        (import "" "wait" (func $wait (param i32) (result i32)))
        (import "" "return" (func $return (param i32)))
        (import "" "set.new" (func $set.new (result i32)))
        (import "" "set.wait" (func $set.wait (param i32 i32) (result i32)))
        (import "" "join" (func $join (param i32 i32)))
        (import "" "subtask.drop" (func $subtask.drop (param i32)))
        (func (export "callback") (param i32) (result i32) (local $status i32) (local $set i32)
            (local.set $status (call $later (local.get 0) (i32.const 16)))
            (local.set $set (call $set.new))
            (call $join (i32.shr_u (local.get $status) (i32.const 4)) (local.get $set))
            (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))
        (func (export "called-back") (param i32 i32 i32) (result i32)
            (if (i32.ne (local.get 2) (i32.const 2)) (then (return (i32.const 0))))
            (call $join (local.get 1) (i32.const 0))
            (call $subtask.drop (local.get 1))
            (call $return (i32.add (i32.load (i32.const 16)) (i32.const 1)))
            (i32.const 0))
        (func (export "stackful") (param i32)
            (call $return (i32.add (i32.const 1)
                (call $wait (call $later-sync (local.get 0)))))))
    (core instance $code (instantiate $Code (with "" (instance
        (export "mem" (memory $memory "mem"))
        (export "later" (func $later')) (export "later-sync" (func $later-sync))
        (export "wait" (func $wait')) (export "return" (func $return))
        (export "set.new" (func $set.new)) (export "set.wait" (func $set.wait))
        (export "join" (func $join)) (export "subtask.drop" (func $subtask.drop))))))
    (func (export "callback") async (param "x" u32) (result u32)
        (canon lift (core func $code "callback") async
            (callback (core func $code "called-back"))))
    (func (export "stackful") async (param "x" u32) (result u32)
        (canon lift (core func $code "stackful") async)))"#;

/// Who waits for `later`, and the result once it is there.
#[derive(Clone, Default)]
struct Later(Arc<Mutex<(Option<u32>, Option<Waker>)>>);

impl Later {
    fn finish(&self, result: u32) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.0 = Some(result);
            state.1.take()
        };
        waker.expect("somebody waits").wake();
    }
}

fn tasks() -> Result<(Store<Data>, Instance, Later)> {
    let engine = Engine::new(Config::new().wasm_component_model_async_stackful(true))?;
    let later = Later::default();
    let mut linker = linker(&engine)?;
    let found = later.clone();
    linker.root().func_raw::<(u32,), (u32,)>("later", move |mut store, call| {
        let (_,) = call.args::<(u32,)>(&mut store)?;
        let found = found.clone();
        call.pend(move |mut store: StoreContextMut<'_, Data>, call, context| {
            let mut state = found.0.lock().unwrap();
            let Some(result) = state.0.take() else {
                state.1 = Some(context.waker().clone());
                return Poll::Pending;
            };
            Poll::Ready(call.finish(&mut store, &(result,)))
        });
        Ok(())
    })?;
    let mut store = Store::new(&engine, Data::default());
    let component = Component::new(&engine, TASKS)?;
    let instance = block_on(linker.instantiate_async(&mut store, &component)).0?;
    Ok((store, instance, later))
}

#[test]
fn a_task_is_pending_until_a_function_is_finished() -> Result<()> {
    for (name, waits, result) in [("callback", 0, 8), ("stackful", 7, 15)] {
        let (mut store, instance, later) = tasks()?;
        let func: Run = instance.get_typed_func(&mut store, name)?;
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        let mut call = pin!(func.call_async(&mut store, (1,)));
        assert!(call.as_mut().poll(&mut context).is_pending());
        // Whoever polls without reason finds nothing.
        assert!(call.as_mut().poll(&mut context).is_pending());
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        std::thread::scope(|scope| {
            scope.spawn(|| later.finish(7));
        });
        for _ in 0..waits {
            assert_eq!(woken.0.swap(0, Ordering::Relaxed), 1, "{name}");
            assert!(call.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(woken.0.swap(0, Ordering::Relaxed), 1, "{name}");
        let Poll::Ready(got) = call.as_mut().poll(&mut context) else { panic!("{name}") };
        assert_eq!(got?, (result,), "{name}");
    }
    Ok(())
}

#[test]
fn a_task_that_is_dropped_ends_what_waits_on_its_stack() -> Result<()> {
    let (mut store, instance, later) = tasks()?;
    let func: Run = instance.get_typed_func(&mut store, "stackful")?;
    {
        let mut call = pin!(func.call_async(&mut store, (1,)));
        assert!(poll_once(call.as_mut()).is_pending());
        later.finish(5);
        assert!(poll_once(call.as_mut()).is_pending());
    }
    assert_eq!(store.data().dropped(), 1);
    assert!(block_on(func.call_async(&mut store, (1,))).0.is_err());
    Ok(())
}

#[test]
fn a_task_that_is_forgotten_stays_as_it_is() -> Result<()> {
    let (mut store, instance, later) = tasks()?;
    let func: Run = instance.get_typed_func(&mut store, "stackful")?;
    let dropped = store.data().dropped.clone();
    {
        let mut call = Box::pin(func.call_async(&mut store, (1,)));
        assert!(poll_once(call.as_mut()).is_pending());
        later.finish(5);
        assert!(poll_once(call.as_mut()).is_pending());
        std::mem::forget(call);
    }
    drop(store);
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    Ok(())
}

#[test]
fn a_task_in_a_synchronous_call_cannot_wait() -> Result<()> {
    let (mut store, instance, _) = tasks()?;
    let func: Run = instance.get_typed_func(&mut store, "callback")?;
    let error = func.call(&mut store, (1,)).unwrap_err();
    assert!(error.summary().contains("deadlock"), "{error}");
    Ok(())
}

/// What makes room for arguments takes its time.
const ROOM: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (loop $more
                (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get 0) (i32.const 1000))))
            (i32.const 64))
        (func (export "length") (param i32 i32) (result i32) (local.get 1)))
    (core instance $m (instantiate $m))
    (func (export "length") (param "text" string) (result u32)
        (canon lift (core func $m "length") (memory (core memory $m "memory"))
            (realloc (core func $m "realloc")))))"#;

#[test]
fn what_makes_room_for_arguments_gives_others_their_turn_later() -> Result<()> {
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    let component = Component::new(&engine, ROOM)?;
    let mut store = Store::new(&engine, ());
    store.epoch_deadline_async_yield_and_update(1);
    store.set_epoch_deadline(1);
    let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
    let length = instance.get_typed_func::<(&str,), (u32,)>(&mut store, "length")?;
    let text = String::from("four");
    engine.increment_epoch();
    let (result, polls) = block_on(length.call_async(&mut store, (&text,)));
    assert_eq!((result?, polls), ((4,), 0));
    Ok(())
}

/// The same by fuel, of which an interval may be short.
#[test]
fn what_makes_room_for_arguments_uses_fuel_without_turns() -> Result<()> {
    let engine = Engine::new(Config::new().consume_fuel(true))?;
    let component = Component::new(&engine, ROOM)?;
    let linker = Linker::new(&engine);
    let mut used = Vec::new();
    for interval in [None, Some(1), Some(100)] {
        let mut store = Store::new(&engine, ());
        store.set_fuel(1 << 20)?;
        store.fuel_async_yield_interval(interval)?;
        let (instance, _) = block_on(linker.instantiate_async(&mut store, &component));
        let length = instance?.get_typed_func::<(&str,), (u32,)>(&mut store, "length")?;
        let text = String::from("four");
        let (result, polls) = block_on(length.call_async(&mut store, (&text,)));
        assert_eq!(result?, (4,));
        assert!(polls <= 1, "{polls}");
        used.push(store.get_fuel()?);
    }
    assert!(used.iter().all(|left| *left == used[0] && *left < (1 << 20) - 8000), "{used:?}");
    Ok(())
}
