//! Host code beside guests: futures with access to the store, on executors made by hand.

mod misuse;

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use zwasm::{AsContextMut, Engine, Error, Result, Store};
use zwasm_component::{
    Accessor, AccessorTask, Component, HasSelf, Instance, Linker, RunConcurrent, TypedFunc, Val,
};

/// `run(x)` gives one more than `wait(x)`, and traps if that gives 13; `cancel(x)` begins it
/// and cancels it, and gives how the call ended; `block(x)` is `run(x)` by a synchronous call;
/// `double` waits for nothing.
const GUEST: &str = r#"(component
  (import "wait" (func $wait async (param "x" u32) (result u32)))
  (core module $Memory (memory (export "mem") 1))
  (core instance $memory (instantiate $Memory))
  (core func $wait' (canon lower (func $wait) async (memory (core memory $memory "mem"))))
  (core func $wait-sync (canon lower (func $wait)))
  (core func $return (canon task.return (result u32)))
  (core func $set.new (canon waitable-set.new))
  (core func $join (canon waitable.join))
  (core func $subtask.drop (canon subtask.drop))
  (core func $subtask.cancel (canon subtask.cancel))
  (core func $context.get (canon context.get i32 0))
  (core func $context.set (canon context.set i32 0))
  (core module $Code
    (import "" "mem" (memory 1))
    (import "" "wait" (func $wait (param i32 i32) (result i32)))
    (import "" "wait-sync" (func $wait-sync (param i32) (result i32)))
    (import "" "return" (func $return (param i32)))
    (import "" "set.new" (func $set.new (result i32)))
    (import "" "join" (func $join (param i32 i32)))
    (import "" "subtask.drop" (func $subtask.drop (param i32)))
    (import "" "subtask.cancel" (func $subtask.cancel (param i32) (result i32)))
    (import "" "context.get" (func $context.get (result i32)))
    (import "" "context.set" (func $context.set (param i32)))
    (global $next (mut i32) (i32.const 1024))
    (func $finish
      (if (i32.eq (i32.load (call $context.get)) (i32.const 13)) (then unreachable))
      (call $return (i32.add (i32.load (call $context.get)) (i32.const 1))))
    (func (export "run") (param $x i32) (result i32)
      (local $status i32) (local $set i32)
      (call $context.set (global.get $next))
      (global.set $next (i32.add (global.get $next) (i32.const 4)))
      (local.set $status (call $wait (local.get $x) (call $context.get)))
      (if (i32.eq (local.get $status) (i32.const 2))
        (then (call $finish) (return (i32.const 0))))
      (local.set $set (call $set.new))
      (call $join (i32.shr_u (local.get $status) (i32.const 4)) (local.get $set))
      (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))
    (func (export "run-callback") (param i32 i32 i32) (result i32)
      (if (i32.ne (local.get 2) (i32.const 2)) (then (return (i32.const 0))))
      (call $join (local.get 1) (i32.const 0))
      (call $subtask.drop (local.get 1))
      (call $finish)
      (i32.const 0))
    (func (export "cancel") (param $x i32) (result i32) (local $subtask i32)
      (local.set $subtask
        (i32.shr_u (call $wait (local.get $x) (i32.const 16)) (i32.const 4)))
      (call $return (call $subtask.cancel (local.get $subtask)))
      (call $subtask.drop (local.get $subtask))
      (i32.const 0))
    (func (export "block") (param $x i32) (result i32)
      (i32.add (call $wait-sync (local.get $x)) (i32.const 1)))
    (func (export "double") (param $x i32) (result i32)
      (i32.mul (local.get $x) (i32.const 2))))
  (core instance $code (instantiate $Code (with "" (instance
    (export "mem" (memory $memory "mem"))
    (export "wait" (func $wait'))
    (export "wait-sync" (func $wait-sync))
    (export "return" (func $return))
    (export "set.new" (func $set.new))
    (export "join" (func $join))
    (export "subtask.drop" (func $subtask.drop))
    (export "subtask.cancel" (func $subtask.cancel))
    (export "context.get" (func $context.get))
    (export "context.set" (func $context.set))))))
  (func (export "run") async (param "x" u32) (result u32)
    (canon lift (core func $code "run") async (callback (core func $code "run-callback"))))
  (func (export "cancel") async (param "x" u32) (result u32)
    (canon lift (core func $code "cancel") async (callback (core func $code "run-callback"))))
  (func (export "block") async (param "x" u32) (result u32)
    (canon lift (core func $code "block")))
  (func (export "double") (param "x" u32) (result u32)
    (canon lift (core func $code "double"))))"#;

/// Whether a call may go on, and who waits for that.
type Gate = (bool, Option<Waker>);

/// What lets calls of `wait` go on, by their numbers.
#[derive(Clone, Default)]
struct Gates(Arc<Mutex<HashMap<u32, Gate>>>);

/// A call that is under way.
type Calling<'a> = Pin<Box<dyn Future<Output = Result<(u32,)>> + 'a>>;

impl Gates {
    fn open(&self, number: u32) {
        let waker = {
            let mut gates = self.0.lock().unwrap();
            let gate = gates.entry(number).or_default();
            gate.0 = true;
            gate.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn pass(&self, number: u32) {
        poll_fn(|context| {
            let mut gates = self.0.lock().unwrap();
            let gate = gates.entry(number).or_default();
            if gate.0 {
                return Poll::Ready(());
            }
            gate.1 = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

#[derive(Default)]
struct Data {
    gates: Gates,
    /// The numbers of calls of `wait` that have ended, and a thousand more for those that
    /// were dropped.
    ended: Vec<u32>,
    dropped: Arc<AtomicUsize>,
}

/// Tells the store's data of its end, if the store is there.
struct Guard<'a>(&'a Accessor<Data>, u32, Arc<AtomicUsize>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.2.fetch_add(1, Ordering::Relaxed);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            self.0.with(|mut access| access.get().ended.push(self.1));
        }));
    }
}

async fn wait(accessor: &Accessor<Data>, number: u32) -> Result<(u32,)> {
    let (gates, dropped) = accessor.with(|mut access| {
        let data = access.get();
        (data.gates.clone(), data.dropped.clone())
    });
    let mut guard = Guard(accessor, 1000 + number, dropped);
    gates.pass(number).await;
    guard.1 = number;
    match number {
        7 => Err(Error::msg("seven is not waited for")),
        _ => Ok((number,)),
    }
}

fn linker(engine: &Engine) -> Linker<Data> {
    let mut linker = Linker::new(engine);
    let mut root = linker.root();
    root.func_wrap_concurrent("wait", |accessor: &Accessor<Data>, (number,): (u32,)| {
        Box::pin(wait(accessor, number))
    })
    .unwrap();
    linker
}

type Func = TypedFunc<(u32,), (u32,)>;

fn guests(count: usize) -> (Store<Data>, Vec<Instance>) {
    let engine = Engine::default();
    let component = Component::new(&engine, GUEST).unwrap();
    let linker = linker(&engine);
    let mut store = Store::new(&engine, Data::default());
    let instances =
        (0..count).map(|_| linker.instantiate(&mut store, &component).unwrap()).collect();
    (store, instances)
}

fn func(store: &mut Store<Data>, instance: &Instance, name: &str) -> Func {
    instance.get_typed_func(store, name).unwrap()
}

fn guest() -> (Store<Data>, Func, Gates) {
    let (mut store, instances) = guests(1);
    let run = func(&mut store, &instances[0], "run");
    let gates = store.data().gates.clone();
    (store, run, gates)
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls whenever it is woken, and sleeps otherwise.
fn block_on<R>(future: impl Future<Output = R>) -> R {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
        thread::park();
    }
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// All of the futures' results, in the order in which they come.
async fn all<R>(futures: impl IntoIterator<Item = impl Future<Output = R>>) -> Vec<R> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut results = Vec::new();
    poll_fn(|context| {
        futures.retain_mut(|future| match future.as_mut().poll(context) {
            Poll::Ready(result) => {
                results.push(result);
                false
            }
            Poll::Pending => true,
        });
        match futures.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    results
}

/// Is pending once, and woken.
async fn turn() {
    let mut asked = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        match std::mem::replace(&mut asked, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

async fn turns() {
    for _ in 0..10 {
        turn().await;
    }
}

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    panic.downcast_ref::<&str>().map(|text| text.to_string()).unwrap_or_default()
}

#[test]
fn many_calls_end_in_the_order_of_what_they_wait_for() -> Result<()> {
    let (mut store, run, gates) = guest();
    let results = block_on(store.run_concurrent(async |accessor| {
        let opening = async {
            // Each call has begun.
            for _ in 0..30 {
                turns().await;
            }
            for number in (100..300).rev() {
                gates.open(number);
                turns().await;
            }
            Ok((0,))
        };
        let calls = (100..300).map(|number| run.call_concurrent(accessor, (number,)));
        let mut futures: Vec<Calling<'_>> = Vec::new();
        futures.extend(calls.map(|call| Box::pin(call) as _));
        futures.push(Box::pin(opening));
        all(futures).await
    }))?;
    let results = results.into_iter().collect::<Result<Vec<_>>>()?;
    let expected: Vec<_> = (101..301).rev().map(|number| (number,)).chain([(0,)]).collect();
    assert_eq!(results[..199], expected[..199]);
    assert_eq!(store.data().ended, (100..300).rev().collect::<Vec<_>>());
    Ok(())
}

#[test]
fn another_thread_wakes_a_function_of_the_host() -> Result<()> {
    let (mut store, run, gates) = guest();
    let other = thread::spawn(move || {
        for number in 1..=3 {
            thread::sleep(std::time::Duration::from_millis(5));
            gates.open(number);
        }
    });
    // The future goes to another thread, which polls it.
    let result = thread::scope(|scope| {
        let future = store.run_concurrent(async move |accessor: &Accessor<Data>| {
            all([3, 1, 2].map(|number| run.call_concurrent(accessor, (number,)))).await
        });
        scope.spawn(|| block_on(future)).join()
    });
    other.join().unwrap();
    let results = result.unwrap()?.into_iter().collect::<Result<Vec<_>>>()?;
    assert_eq!(results.iter().map(|(sum,)| sum).sum::<u32>(), 2 + 3 + 4);
    Ok(())
}

#[test]
fn a_guest_that_cancels_has_the_future_dropped() -> Result<()> {
    let (mut store, instances) = guests(1);
    let cancel = func(&mut store, &instances[0], "cancel");
    let call = async |accessor: &Accessor<Data>| cancel.call_concurrent(accessor, (5,)).await;
    let (status,) = block_on(store.run_concurrent(call))??;
    // Cancelled before it returned.
    assert_eq!(status, 4);
    assert_eq!(store.data().ended, [1005]);
    // The same where the host calls alone.
    assert_eq!(block_on(cancel.call_async(&mut store, (6,)))?, (4,));
    assert_eq!(store.data().ended, [1005, 1006]);
    Ok(())
}

/// Calls functions, of which one waits for 13 and traps once they all wait.
fn call_and_trap<const N: usize>(
    store: &mut Store<Data>,
    calls: [(Func, u32); N],
) -> Result<Vec<Result<(u32,)>>> {
    let gates = store.data().gates.clone();
    block_on(store.run_concurrent(async |accessor| {
        let opening = async {
            turns().await;
            gates.open(13);
            std::future::pending().await
        };
        let calls = calls.map(|(func, number)| func.call_concurrent(accessor, (number,)));
        let mut futures: Vec<Calling<'_>> = vec![Box::pin(opening)];
        futures.extend(calls.map(|call| Box::pin(call) as _));
        all(futures).await
    }))
}

#[test]
fn a_trap_ends_the_calls_of_its_component_only() -> Result<()> {
    let (mut store, instances) = guests(2);
    let gates = store.data().gates.clone();
    let [first, second] = [0, 1].map(|at| func(&mut store, &instances[at], "run"));
    let error = call_and_trap(&mut store, [(first, 1), (first, 13), (second, 2)]);
    assert!(error.unwrap_err().summary().contains("unreachable"));
    // The other component's call goes on.
    gates.open(2);
    gates.open(3);
    let results = block_on(store.run_concurrent(async |accessor| {
        let trapped = first.call_concurrent(accessor, (3,)).await;
        let other = second.call_concurrent(accessor, (3,)).await;
        turns().await;
        (trapped, other)
    }))?;
    assert!(results.0.unwrap_err().summary().contains("cannot enter component instance"));
    assert_eq!(results.1?, (4,));
    assert!(store.data().ended.contains(&2));
    Ok(())
}

#[test]
fn a_call_ends_with_its_component_whoever_has_it_trap() -> Result<()> {
    let (mut store, instances) = guests(1);
    let gates = store.data().gates.clone();
    let run = func(&mut store, &instances[0], "run");
    gates.open(13);
    let call = async |accessor: &Accessor<Data>| {
        let mut waiting = Box::pin(run.call_concurrent(accessor, (1,)));
        assert!(poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context))).await.is_pending());
        turns().await;
        let trapped = accessor.with(|access| run.call(access, (13,)));
        (trapped, waiting.await)
    };
    let (trapped, waiting) = block_on(store.run_concurrent(call))?;
    assert!(trapped.unwrap_err().summary().contains("unreachable"));
    assert!(waiting.unwrap_err().summary().contains("the call has ended with its component"));
    Ok(())
}

#[test]
fn an_error_of_a_function_stops_its_guest() -> Result<()> {
    let (mut store, run, gates) = guest();
    let opening = async |accessor: &Accessor<Data>| {
        let mut call = Box::pin(run.call_concurrent(accessor, (7,)));
        assert!(poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await.is_pending());
        turns().await;
        gates.open(7);
        call.await
    };
    let error = block_on(store.run_concurrent(opening)).unwrap_err();
    assert!(error.to_string().contains("seven is not waited for"), "{error}");
    assert!(run.call(&mut store, (7,)).is_err());
    Ok(())
}

#[test]
fn a_call_whose_future_is_dropped_goes_on() -> Result<()> {
    let (mut store, run, gates) = guest();
    block_on(store.run_concurrent(async |accessor| {
        let mut call = Box::pin(run.call_concurrent(accessor, (1,)));
        assert!(poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await.is_pending());
        drop(call);
        turns().await;
        gates.open(1);
        turns().await;
    }))?;
    assert_eq!(store.data().ended, [1]);
    // One that is never polled is never made.
    block_on(store.run_concurrent(async |accessor| {
        drop(run.call_concurrent(accessor, (2,)));
        turns().await;
    }))?;
    assert!(!gates.0.lock().unwrap().contains_key(&2));
    Ok(())
}

#[test]
fn what_is_pending_ends_with_the_store() {
    let (mut store, run, gates) = guest();
    let dropped = store.data().dropped.clone();
    {
        let mut future = Box::pin(store.run_concurrent(async |accessor| {
            all([1, 2].map(|number| run.call_concurrent(accessor, (number,)))).await
        }));
        assert!(poll_once(future.as_mut()).is_pending());
        assert!(poll_once(future.as_mut()).is_pending());
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    gates.open(1);
    let turns = block_on(store.run_concurrent(async |_| turns().await));
    turns.unwrap();
    assert_eq!(store.data().ended, [1]);
    drop(store);
    assert_eq!(dropped.load(Ordering::Relaxed), 2);
    gates.open(2);
}

#[test]
fn a_future_that_is_forgotten_leaves_nothing_behind() -> Result<()> {
    let (mut store, run, gates) = guest();
    gates.open(1);
    {
        let mut future = Box::pin(store.run_concurrent(async |accessor| {
            let _guard = Guard(accessor, 0, Arc::default());
            run.call_concurrent(accessor, (2,)).await
        }));
        assert!(poll_once(future.as_mut()).is_pending());
        std::mem::forget(future);
    }
    let call = async |accessor: &Accessor<Data>| run.call_concurrent(accessor, (1,)).await;
    assert_eq!(block_on(store.run_concurrent(call))??, (2,));
    Ok(())
}

#[test]
fn the_store_is_lent_once_and_only_while_a_future_is_polled() -> Result<()> {
    const OUTSIDE: &str = "only while its future is polled";
    let (mut store, _, _) = guest();
    let mut other = Store::new(store.engine(), Data::default());
    let kept = block_on(store.run_concurrent(async |accessor| {
        // Within itself, after which it works again.
        let nested = catch_unwind(AssertUnwindSafe(|| {
            accessor.with(|_access| accessor.with(|mut access| access.get().ended.push(1)));
        }));
        assert!(message(nested.unwrap_err()).contains(OUTSIDE));
        accessor.with(|mut access| access.get().ended.push(2));
        // Elsewhere, while it is lent here.
        let elsewhere = thread::scope(|scope| {
            scope.spawn(|| accessor.with(|mut access| access.get().ended.push(3))).join()
        });
        assert!(message(elsewhere.unwrap_err()).contains(OUTSIDE));
        turn().await;
        accessor.with(|mut access| access.get().ended.push(4));
        accessor.with_getter::<HasSelf<Data>>(|data| data)
    }))?;
    assert_eq!(store.data().ended, [2, 4]);
    let use_kept = || kept.with(|mut access| access.get().ended.push(5));
    let outside = catch_unwind(AssertUnwindSafe(use_kept));
    assert!(message(outside.unwrap_err()).contains(OUTSIDE));
    // While another store is lent.
    block_on(other.run_concurrent(async |accessor| {
        let wrong = catch_unwind(AssertUnwindSafe(use_kept));
        assert!(message(wrong.unwrap_err()).contains(OUTSIDE));
        accessor.with(|mut access| access.get().ended.push(6));
    }))?;
    assert_eq!(other.data().ended, [6]);
    // One accessor of a store is as good as another.
    block_on(store.run_concurrent(async |_| use_kept()))?;
    assert_eq!(store.data().ended, [2, 4, 5]);
    Ok(())
}

#[test]
fn a_future_that_panics_leaves_the_store_usable() -> Result<()> {
    let (mut store, run, gates) = guest();
    gates.open(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        block_on(store.run_concurrent(async |accessor| {
            turn().await;
            accessor.with(|_| panic!("within"));
        }))
    }));
    assert_eq!(message(panicked.unwrap_err()), "within");
    let call = async |accessor: &Accessor<Data>| run.call_concurrent(accessor, (1,)).await;
    assert_eq!(block_on(store.run_concurrent(call))??, (2,));
    Ok(())
}

#[test]
fn stores_take_turns_within_each_other() -> Result<()> {
    let (mut outer, run, gates) = guest();
    let (mut inner, inner_run, inner_gates) = guest();
    gates.open(1);
    inner_gates.open(2);
    let results = block_on(outer.run_concurrent(async |accessor| {
        let result = accessor.with(|mut access| {
            access.get().ended.push(0);
            block_on(inner.run_concurrent(async |accessor| {
                accessor.with(|mut access| access.get().ended.push(8));
                inner_run.call_concurrent(accessor, (2,)).await
            }))
        });
        accessor.with(|mut access| access.get().ended.push(9));
        (result, run.call_concurrent(accessor, (1,)).await)
    }))?;
    assert_eq!((results.0??, results.1?), ((3,), (2,)));
    assert_eq!((&outer.data().ended[..], &inner.data().ended[..]), (&[0, 9, 1][..], &[8, 2][..]));
    Ok(())
}

#[test]
fn a_synchronous_call_makes_its_own_task_wait_only() -> Result<()> {
    let (mut store, instances) = guests(2);
    let gates = store.data().gates.clone();
    let block = func(&mut store, &instances[0], "block");
    let (run, double) =
        (func(&mut store, &instances[1], "run"), func(&mut store, &instances[1], "double"));
    gates.open(2);
    let results = block_on(store.run_concurrent(async |accessor| {
        let mut blocked = Box::pin(block.call_concurrent(accessor, (1,)));
        assert!(poll_fn(|context| Poll::Ready(blocked.as_mut().poll(context))).await.is_pending());
        turns().await;
        let other = run.call_concurrent(accessor, (2,)).await;
        // One that is called at once, within the store.
        let at_once = accessor.with(|mut access| double.call(access.as_context_mut(), (21,)));
        gates.open(1);
        (other, at_once, blocked.await)
    }))?;
    assert_eq!((results.0?, results.1?, results.2?), ((3,), (42,), (2,)));
    assert_eq!(store.data().ended, [2, 1]);
    Ok(())
}

/// What is called within the store is on the stack of the function that calls it, beneath
/// which nothing may leave the stack: there is nobody to wait for.
#[test]
fn a_call_within_the_store_cannot_wait_for_what_comes_later() -> Result<()> {
    for name in ["run", "block"] {
        let (mut store, instances) = guests(1);
        let blocked = func(&mut store, &instances[0], "block");
        let engine = store.engine().clone();
        let mut linker = Linker::<Data>::new(&engine);
        linker.root().func_wrap_concurrent("wait", move |accessor, (number,): (u32,)| {
            Box::pin(async move {
                turn().await;
                // No gate is open that this waits for.
                let nested = accessor.with(|access| blocked.call(access, (number,)));
                assert!(format!("{:?}", nested.unwrap_err()).contains("deadlock"));
                turn().await;
                accessor.with(|mut access| access.get().ended.push(number));
                Ok((number,))
            })
        })?;
        let outer = linker.instantiate(&mut store, &Component::new(&engine, GUEST)?)?;
        let outer = func(&mut store, &outer, name);
        let results = block_on(store.run_concurrent(async |accessor| {
            let called = outer.call_concurrent(accessor, (3,)).await;
            turns().await;
            // The component whose call could not go on has trapped.
            (called, blocked.call_concurrent(accessor, (3,)).await.is_err())
        }))?;
        assert_eq!((results.0?, results.1), ((4,), true), "{name}");
        // What it waited for is dropped with it.
        assert_eq!(store.data().ended, [1003, 3]);
    }
    Ok(())
}

/// `run(x)` is one more than `wait(x)`, which is synchronous.
const SYNC: &str = r#"(component (import "wait" (func $wait (param "x" u32) (result u32)))
            (core func $wait (canon lower (func $wait)))
            (core module $m
                (import "" "wait" (func $wait (param i32) (result i32)))
                (func (export "run") (param i32) (result i32)
                    (i32.add (call $wait (local.get 0)) (i32.const 1))))
            (core instance $m (instantiate $m (with "" (instance (export "wait" (func $wait))))))
            (func (export "run") (param "x" u32) (result u32) (canon lift (core func $m "run"))))"#;

#[test]
fn calls_over_values_are_concurrent_too() -> Result<()> {
    let engine = Engine::default();
    let component = Component::new(&engine, GUEST)?;
    let mut linker = Linker::<Data>::new(&engine);
    linker.root().func_new_concurrent("wait", |accessor, ty, params, results| {
        assert_eq!(ty.params().len(), 1);
        Box::pin(async move {
            turns().await;
            accessor.with(|mut access| access.get().ended.push(0));
            results[0] = params[0].clone();
            Ok(())
        })
    })?;
    let mut store = Store::new(&engine, Data::default());
    let instance = linker.instantiate(&mut store, &component)?;
    let run = instance.get_func(&mut store, "run").unwrap();
    let mut results = [Val::Bool(false)];
    block_on(store.run_concurrent(async |accessor| {
        run.call_concurrent(accessor, &[Val::U32(4)], &mut results).await?;
        let error = run.call_concurrent(accessor, &[Val::U32(4)], &mut []).await.unwrap_err();
        assert!(error.to_string().contains("expected 1 result(s), got 0"), "{error}");
        let error = run.call_concurrent(accessor, &[Val::S8(4)], &mut results.clone()).await;
        assert!(error.is_err());
        Ok::<(), Error>(())
    }))??;
    // Wrong arguments do the guest no harm.
    block_on(store.run_concurrent(async |accessor| {
        run.call_concurrent(accessor, &[Val::U32(5)], &mut results).await
    }))??;
    assert_eq!(results, [Val::U32(6)]);
    assert_eq!(store.data().ended, [0, 0]);
    Ok(())
}

/// Waits for a gate, and begins another task after it.
struct Following(u32);

impl AccessorTask<Data> for Following {
    async fn run(self, accessor: &Accessor<Data>) -> Result<()> {
        let _guard = Guard(accessor, 1000 + self.0, Arc::default());
        let gates = accessor.with(|mut access| access.get().gates.clone());
        gates.pass(self.0).await;
        accessor.with(|mut access| access.get().ended.push(self.0));
        match self.0 {
            0 => Err(Error::msg("no task follows the last")),
            next => {
                accessor.spawn(Following(next - 1));
                Ok(())
            }
        }
    }
}

#[test]
fn tasks_go_on_beside_and_after_what_begins_them() -> Result<()> {
    let (mut store, run, gates) = guest();
    let aborted = store.spawn(Following(9));
    let first = block_on(store.run_concurrent(async |accessor| {
        let first = accessor.spawn(Following(2));
        turns().await;
        aborted.abort();
        aborted.await;
        gates.open(2);
        first.await;
    }));
    first?;
    assert_eq!(store.data().ended, [1009, 2, 1002]);
    // They go on with any call that lets them.
    gates.open(1);
    gates.open(3);
    assert_eq!(block_on(run.call_async(&mut store, (3,)))?, (4,));
    block_on(store.run_concurrent(async |_| turns().await))?;
    assert!(store.data().ended.contains(&1));
    gates.open(0);
    let error = block_on(store.run_concurrent(async |_| turns().await)).unwrap_err();
    assert!(error.to_string().contains("no task follows the last"), "{error}");
    // A task ends with its store.
    let last = store.spawn(Following(5));
    drop(store);
    block_on(last);
    Ok(())
}

#[test]
fn a_synchronous_function_waits_within_its_call() -> Result<()> {
    let engine = Engine::default();
    let component = Component::new(&engine, SYNC)?;
    let mut store = Store::new(&engine, Data::default());
    let gates = store.data().gates.clone();
    let instance = linker(&engine).instantiate(&mut store, &component)?;
    let run = func(&mut store, &instance, "run");
    let error = run.call(&mut store, (1,)).unwrap_err();
    assert!(error.summary().contains("cannot wait in a synchronous call"), "{error}");
    let instance = linker(&engine).instantiate(&mut store, &component)?;
    let run = func(&mut store, &instance, "run");
    {
        let mut call = Box::pin(run.call_async(&mut store, (1,)));
        assert!(poll_once(call.as_mut()).is_pending());
        gates.open(1);
        assert!(matches!(poll_once(call.as_mut()), Poll::Ready(Ok((2,)))));
    }
    // Dropped in the midst of it, the future has the store once more.
    store.data_mut().ended.clear();
    assert!(poll_once(Box::pin(run.call_async(&mut store, (2,))).as_mut()).is_pending());
    assert_eq!(store.data().ended, [1002]);
    Ok(())
}
