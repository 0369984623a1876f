//! Tasks, streams and futures between a guest and the host.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use zwasm::{Config, Engine, Feature, PoolingAllocationConfig, Result, Store};
use zwasm_component::{
    Component, Instance, Linker, Loop, StreamReader, StreamWriter, poll_until, set_loop, spawn,
    stream,
};

/// A guest with a callback. `run(x)` calls `wait(x)` and gives one more than its result;
/// `sum(s)` reads a stream to its end and gives the sum; `numbers(n)` gives a stream of
/// which it writes `n` bytes.
pub const GUEST: &str = r#"(component
  (import "wait" (func $wait async (param "x" u32) (result u32)))
  (core module $Memory (memory (export "mem") 1))
  (core instance $memory (instantiate $Memory))
  (type $S (stream u8))
  (core func $wait' (canon lower (func $wait) async (memory (core memory $memory "mem"))))
  (core func $return (canon task.return (result u32) (memory (core memory $memory "mem"))))
  (core func $return-stream (canon task.return (result $S) (memory (core memory $memory "mem"))))
  (core func $set.new (canon waitable-set.new))
  (core func $join (canon waitable.join))
  (core func $subtask.drop (canon subtask.drop))
  (core func $context.get (canon context.get i32 0))
  (core func $context.set (canon context.set i32 0))
  (core func $new (canon stream.new $S))
  (core func $read (canon stream.read $S async (memory (core memory $memory "mem"))))
  (core func $write (canon stream.write $S async (memory (core memory $memory "mem"))))
  (core func $drop-readable (canon stream.drop-readable $S))
  (core func $drop-writable (canon stream.drop-writable $S))
  (core module $Code
    (import "" "mem" (memory 1))
    (import "" "wait" (func $wait (param i32 i32) (result i32)))
    (import "" "return" (func $return (param i32)))
    (import "" "return-stream" (func $return-stream (param i32)))
    (import "" "set.new" (func $set.new (result i32)))
    (import "" "join" (func $join (param i32 i32)))
    (import "" "subtask.drop" (func $subtask.drop (param i32)))
    (import "" "context.get" (func $context.get (result i32)))
    (import "" "context.set" (func $context.set (param i32)))
    (import "" "new" (func $new (result i64)))
    (import "" "read" (func $read (param i32 i32 i32) (result i32)))
    (import "" "write" (func $write (param i32 i32 i32) (result i32)))
    (import "" "drop-readable" (func $drop-readable (param i32)))
    (import "" "drop-writable" (func $drop-writable (param i32)))

    ;; Each task has 16 bytes of memory, whose address is its number.
    (global $next (mut i32) (i32.const 1024))
    (func $wait-for (param $waitable i32) (result i32)
      (local $set i32)
      (local.set $set (call $set.new))
      (call $join (local.get $waitable) (local.get $set))
      (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))

    (func (export "run") (param $x i32) (result i32)
      (local $address i32) (local $status i32)
      (local.set $address (global.get $next))
      (global.set $next (i32.add (global.get $next) (i32.const 16)))
      (call $context.set (local.get $address))
      (local.set $status (call $wait (local.get $x) (local.get $address)))
      (if (i32.eq (local.get $status) (i32.const 2))
        (then
          (call $return (i32.add (i32.load (local.get $address)) (i32.const 1)))
          (return (i32.const 0))))
      (call $wait-for (i32.shr_u (local.get $status) (i32.const 4))))
    (func (export "run-callback") (param i32 i32 i32) (result i32)
      (if (i32.ne (local.get 0) (i32.const 1)) (then unreachable))
      (if (i32.ne (local.get 2) (i32.const 2)) (then (return (i32.const 0))))
      (call $join (local.get 1) (i32.const 0))
      (call $subtask.drop (local.get 1))
      (call $return (i32.add (i32.load (call $context.get)) (i32.const 1)))
      (i32.const 0))

    (func $add (param $address i32) (param $count i32)
      (local $at i32)
      (loop $each
        (if (i32.lt_u (local.get $at) (local.get $count))
          (then
            (i32.store (local.get $address)
              (i32.add (i32.load (local.get $address))
                (i32.load8_u (i32.add (i32.const 64) (local.get $at)))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $each)))))
    ;; Reads until it has to wait: what the callback gives.
    (func $sum-more (param $stream i32) (param $status i32) (result i32)
      (local $address i32)
      (local.set $address (call $context.get))
      (loop $more
        (if (i32.eq (local.get $status) (i32.const -1))
          (then (return (call $wait-for (local.get $stream)))))
        (call $add (local.get $address) (i32.shr_u (local.get $status) (i32.const 4)))
        (if (i32.eq (i32.and (local.get $status) (i32.const 15)) (i32.const 1))
          (then
            (call $drop-readable (local.get $stream))
            (call $return (i32.load (local.get $address)))
            (return (i32.const 0))))
        (local.set $status (call $read (local.get $stream) (i32.const 64) (i32.const 100)))
        (br $more))
      unreachable)
    (func (export "sum") (param $stream i32) (result i32)
      (call $context.set (global.get $next))
      (global.set $next (i32.add (global.get $next) (i32.const 16)))
      (call $sum-more (local.get $stream)
        (call $read (local.get $stream) (i32.const 64) (i32.const 100))))
    (func (export "sum-callback") (param i32 i32 i32) (result i32)
      (call $join (local.get 1) (i32.const 0))
      (call $sum-more (local.get 1) (local.get 2)))

    (func (export "numbers") (param $count i32) (result i32)
      (local $ends i64)
      (local.set $ends (call $new))
      (call $return-stream (i32.wrap_i64 (local.get $ends)))
      (call $context.set (local.get $count))
      (call $numbers-more (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32)))
        (i32.const 0)))
    (func $numbers-more (param $stream i32) (param $status i32) (result i32)
      (loop $more
        (if (i32.eq (local.get $status) (i32.const -1))
          (then (return (call $wait-for (local.get $stream)))))
        (call $context.set
          (i32.sub (call $context.get) (i32.shr_u (local.get $status) (i32.const 4))))
        (if (i32.or (i32.eqz (call $context.get))
              (i32.eq (i32.and (local.get $status) (i32.const 15)) (i32.const 1)))
          (then
            (call $drop-writable (local.get $stream))
            (return (i32.const 0))))
        (local.set $status
          (call $write (local.get $stream) (i32.const 512) (call $context.get)))
        (br $more))
      unreachable)
    (func (export "numbers-callback") (param i32 i32 i32) (result i32)
      (call $join (local.get 1) (i32.const 0))
      (call $numbers-more (local.get 1) (local.get 2)))
    (data (i32.const 512) "\01\02\03\04\05\06\07\08"))
  (core instance $code (instantiate $Code (with "" (instance
    (export "mem" (memory $memory "mem"))
    (export "wait" (func $wait'))
    (export "return" (func $return))
    (export "return-stream" (func $return-stream))
    (export "set.new" (func $set.new))
    (export "join" (func $join))
    (export "subtask.drop" (func $subtask.drop))
    (export "context.get" (func $context.get))
    (export "context.set" (func $context.set))
    (export "new" (func $new))
    (export "read" (func $read))
    (export "write" (func $write))
    (export "drop-readable" (func $drop-readable))
    (export "drop-writable" (func $drop-writable))))))
  (func (export "run") async (param "x" u32) (result u32)
    (canon lift (core func $code "run") async (memory (core memory $memory "mem"))
      (callback (core func $code "run-callback"))))
  (func (export "sum") async (param "s" $S) (result u32)
    (canon lift (core func $code "sum") async (memory (core memory $memory "mem"))
      (callback (core func $code "sum-callback"))))
  (func (export "numbers") async (param "n" u32) (result $S)
    (canon lift (core func $code "numbers") async (memory (core memory $memory "mem"))
      (callback (core func $code "numbers-callback"))))
)"#;

/// Calls that wait, with what wakes them.
type Waiting = Arc<Mutex<Vec<(u32, Waker)>>>;

/// Wakes what waits, the last first.
struct WakeLast(Waiting);

impl Loop for WakeLast {
    fn wait(&mut self) -> Result<bool> {
        match self.0.lock().unwrap().pop() {
            Some((_, waker)) => {
                waker.wake();
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

/// The guest, with a `wait` that gives ten times its number once the loop has waited; what
/// has the number 0 is there at once.
fn guest() -> (Store<()>, Instance, Waiting) {
    guest_in(&Engine::default())
}

fn guest_in(engine: &Engine) -> (Store<()>, Instance, Waiting) {
    let component = Component::new(engine, GUEST).unwrap();
    let mut linker = Linker::new(engine);
    let waiting = Waiting::default();
    let all = waiting.clone();
    let mut root = linker.root();
    root.func_raw::<(u32,), (u32,)>("wait", move |mut store, call| {
        let (x,) = call.args::<(u32,)>(&mut store)?;
        if x == 0 {
            return call.finish(&mut store, &(0_u32,));
        }
        let (all, mut asked) = (all.clone(), false);
        call.pend::<()>(move |mut store, call, cx| {
            if !std::mem::replace(&mut asked, true) {
                all.lock().unwrap().push((x, cx.waker().clone()));
                return Poll::Pending;
            }
            Poll::Ready(call.finish(&mut store, &(10 * x,)))
        });
        Ok(())
    })
    .unwrap();
    let mut store = Store::new(engine, ());
    set_loop(&mut store, WakeLast(waiting.clone()));
    let instance = linker.instantiate(&mut store, &component).unwrap();
    (store, instance, waiting)
}

#[test]
fn a_function_of_the_host_is_waited_for() {
    let (mut store, instance, _) = guest();
    let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, (0,)).unwrap(), (1,));
    assert_eq!(run.call(&mut store, (4,)).unwrap(), (41,));
}

/// All of its functions for tasks are done at once: there is one stack, the store's.
#[test]
fn what_returns_to_wait_needs_no_stack_of_its_own() {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_stacks(1);
    let engine = Engine::new(Config::new().allocation_strategy(pool)).unwrap();
    calls_beside_each_other(guest_in(&engine));
    assert_eq!(engine.pooling_allocator_metrics().unwrap().stacks(), 0);
}

#[test]
fn calls_go_on_beside_each_other() {
    calls_beside_each_other(guest());
}

fn calls_beside_each_other((mut store, instance, waiting): (Store<()>, Instance, Waiting)) {
    let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "run").unwrap();
    let mut calls: Vec<_> = (1..=5).map(|x| (x, run.start(&mut store, (x,)).unwrap())).collect();
    assert_eq!(waiting.lock().unwrap().len(), 5);
    let mut order = Vec::new();
    poll_until(&mut store, |mut store, cx| {
        let mut ready =
            |x: u32, call: &mut zwasm_component::Call<(u32,)>| match call.poll(&mut store, cx) {
                Poll::Pending => true,
                Poll::Ready(result) => {
                    assert_eq!(result.unwrap(), (10 * x + 1,));
                    order.push(x);
                    false
                }
            };
        calls.retain_mut(|(x, call)| ready(*x, call));
        if calls.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .unwrap();
    assert_eq!(order, [5, 4, 3, 2, 1]);
}

#[test]
fn what_nobody_wakes_is_a_deadlock() {
    let (mut store, instance, waiting) = guest();
    let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "run").unwrap();
    let mut call = run.start(&mut store, (1,)).unwrap();
    waiting.lock().unwrap().clear();
    let error = poll_until(&mut store, |mut store, cx| call.poll(&mut store, cx)).unwrap_err();
    assert!(error.to_string().contains("deadlock"), "{error}");
}

#[test]
fn a_guest_reads_what_the_host_writes() {
    let (mut store, instance, _) = guest();
    let sum = instance.get_typed_func::<(StreamReader<u8>,), (u32,)>(&mut store, "sum").unwrap();
    let (writer, reader) = stream::<u8>(&mut store).unwrap();
    let mut left: VecDeque<u8> = (0..250).collect();
    spawn(&mut store, move |mut store, cx| {
        loop {
            match writer.poll_write(&mut store, cx, &mut left)? {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(true) if !left.is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(writer.close(&mut store)),
            }
        }
    })
    .unwrap();
    assert_eq!(sum.call(&mut store, (reader,)).unwrap(), ((0..250).sum(),));
    // The end is the guest's now, and was dropped.
    assert!(sum.call(&mut store, (reader,)).is_err());
    assert!(reader.close(&mut store).is_err());
}

#[test]
fn the_host_reads_what_a_guest_writes() {
    let (mut store, instance, _) = guest();
    let numbers =
        instance.get_typed_func::<(u32,), (StreamReader<u8>,)>(&mut store, "numbers").unwrap();
    let (reader,) = numbers.call(&mut store, (8,)).unwrap();
    let mut read = Vec::new();
    let mut copied = |store: &mut Store<()>, most: usize| {
        let read = &mut read;
        poll_until(store, |mut store, cx| reader.poll_read(&mut store, cx, read, most)).unwrap()
    };
    assert!(copied(&mut store, 3));
    assert!(copied(&mut store, 100));
    assert!(!copied(&mut store, 100));
    assert_eq!(read, [1, 2, 3, 4, 5, 6, 7, 8]);
    // One that is closed ends the writer.
    let (reader,) = numbers.call(&mut store, (1000,)).unwrap();
    reader.close(&mut store).unwrap();
}

#[test]
fn both_ends_can_be_the_hosts() {
    let mut store = Store::new(&Engine::default(), ());
    let (writer, reader): (StreamWriter<String>, _) = stream(&mut store).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut texts: VecDeque<String> = ["a".to_owned(), "b".to_owned()].into();
    assert!(writer.poll_write(&mut store, &mut cx, &mut texts).is_pending());
    let mut read = Vec::new();
    assert!(matches!(reader.poll_read(&mut store, &mut cx, &mut read, 1), Poll::Ready(Ok(true))));
    assert_eq!(read, ["a"]);
    assert!(matches!(writer.poll_write(&mut store, &mut cx, &mut texts), Poll::Ready(Ok(true))));
    assert_eq!(texts, ["b"]);
    reader.close(&mut store).unwrap();
    assert!(matches!(writer.poll_write(&mut store, &mut cx, &mut texts), Poll::Ready(Ok(false))));
    writer.close(&mut store).unwrap();
    assert!(writer.close(&mut store).is_err());
    let other = &mut Store::new(&Engine::default(), ());
    assert!(reader.close(other).is_err());
}

/// Where one instance calls three functions of another: one that keeps all others with a
/// callback out, one of these, and one that waits in its code and so runs beside others.
const QUEUE: &str = r#"(component
  (component $Callee
    (core module $Memory (memory (export "mem") 1))
    (core instance $memory (instantiate $Memory))
    (core func $return (canon task.return))
    (core func $set.new (canon waitable-set.new))
    (core func $set.wait (canon waitable-set.wait (memory (core memory $memory "mem"))))
    (core module $Code
      (import "" "return" (func $return))
      (import "" "set.new" (func $set.new (result i32)))
      (import "" "set.wait" (func $set.wait (param i32 i32) (result i32)))
      (func (export "keeps") (result i32) (call $set.wait (call $set.new) (i32.const 0)))
      (func (export "waits") (result i32) (call $return) (i32.const 0))
      (func (export "callback") (param i32 i32 i32) (result i32) unreachable)
      (func (export "runs") (call $return)))
    (core instance $code (instantiate $Code (with "" (instance
      (export "return" (func $return))
      (export "set.new" (func $set.new))
      (export "set.wait" (func $set.wait))))))
    (func (export "keeps") async (canon lift (core func $code "keeps") async
      (callback (core func $code "callback"))))
    (func (export "waits") async (canon lift (core func $code "waits") async
      (callback (core func $code "callback"))))
    (func (export "runs") async (canon lift (core func $code "runs") async)))
  (component $Caller
    (import "keeps" (func $keeps async))
    (import "waits" (func $waits async))
    (import "runs" (func $runs async))
    (core module $Memory (memory (export "mem") 1))
    (core instance $memory (instantiate $Memory))
    (core func $keeps' (canon lower (func $keeps) async))
    (core func $waits' (canon lower (func $waits) async))
    (core func $runs' (canon lower (func $runs) async))
    (core func $set.new (canon waitable-set.new))
    (core func $set.wait (canon waitable-set.wait (memory (core memory $memory "mem"))))
    (core func $join (canon waitable.join))
    (core func $return (canon task.return (result u32)))
    (core module $Code
      (import "" "keeps" (func $keeps (result i32)))
      (import "" "waits" (func $waits (result i32)))
      (import "" "runs" (func $runs (result i32)))
      (import "" "set.new" (func $set.new (result i32)))
      (import "" "set.wait" (func $set.wait (param i32 i32) (result i32)))
      (import "" "join" (func $join (param i32 i32)))
      (import "" "return" (func $return (param i32)))
      (import "" "mem" (memory 1))
      (func (export "run") (local $status i32) (local $set i32)
        (if (i32.ne (i32.and (call $keeps) (i32.const 15)) (i32.const 1)) (then unreachable))
        (if (i32.and (call $waits) (i32.const 15)) (then unreachable))
        (local.set $status (call $runs))
        (if (i32.ne (i32.and (local.get $status) (i32.const 15)) (i32.const 2)) (then
          (local.set $set (call $set.new))
          (call $join (i32.shr_u (local.get $status) (i32.const 4)) (local.get $set))
          (drop (call $set.wait (local.get $set) (i32.const 0)))
          (local.set $status (i32.load (i32.const 4)))))
        (call $return (local.get $status))))
    (core instance $code (instantiate $Code (with "" (instance
      (export "keeps" (func $keeps'))
      (export "waits" (func $waits'))
      (export "runs" (func $runs'))
      (export "set.new" (func $set.new))
      (export "set.wait" (func $set.wait))
      (export "join" (func $join))
      (export "return" (func $return))
      (export "mem" (memory $memory "mem"))))))
    (func (export "run") async (result u32) (canon lift (core func $code "run") async)))
  (instance $callee (instantiate $Callee))
  (instance $caller (instantiate $Caller
    (with "keeps" (func $callee "keeps"))
    (with "waits" (func $callee "waits"))
    (with "runs" (func $callee "runs"))))
  (export "run" (func $caller "run")))"#;

#[test]
fn a_task_that_runs_beside_others_does_not_wait_behind_one_that_does_not() {
    let mut config = Config::new();
    config.wasm_feature(Feature::ComponentAsyncStackful, true);
    let engine = Engine::new(&config).unwrap();
    let component = Component::new(&engine, QUEUE).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run").unwrap();
    // It has returned.
    assert_eq!(run.call(&mut store, ()).unwrap(), (2,));
}
