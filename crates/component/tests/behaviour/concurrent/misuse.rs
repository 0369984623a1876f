//! Hosts and guests that do what they should not, and who suffers from it.

use super::*;

/// A first poll is made from where a guest calls, on its stack: what is called there cannot
/// leave that either.
#[test]
fn nor_can_one_that_is_made_at_once() -> Result<()> {
    for inner in ["function", "task"] {
        let engine = Engine::default();
        let mut store = Store::new(&engine, Data::default());
        let called = match inner {
            "function" => {
                let mut linker = Linker::<Data>::new(&engine);
                linker.root().func_wrap_async("wait", |_, (x,): (u32,)| {
                    Box::new(async move {
                        turn().await;
                        Ok((x,))
                    })
                })?;
                let instance = linker.instantiate(&mut store, &Component::new(&engine, SYNC)?)?;
                func(&mut store, &instance, "run")
            }
            _ => {
                let component = Component::new(&engine, GUEST)?;
                let instance = linker(&engine).instantiate(&mut store, &component)?;
                func(&mut store, &instance, "block")
            }
        };
        let mut linker = Linker::<Data>::new(&engine);
        linker.root().func_wrap_concurrent("wait", move |accessor, (number,): (u32,)| {
            Box::pin(async move {
                let nested = accessor.with(|access| {
                    let (kept, here) = (std::rc::Rc::new(number), thread::current().id());
                    let nested = called.call(access, (*kept,));
                    assert_eq!(thread::current().id(), here);
                    nested
                });
                assert!(nested.is_err(), "{nested:?}");
                Ok((number,))
            })
        })?;
        let outer = linker.instantiate(&mut store, &Component::new(&engine, GUEST)?)?;
        let outer = func(&mut store, &outer, "run");
        let mut call = Box::pin(outer.call_async(&mut store, (3,)));
        let result = poll_once(call.as_mut());
        assert!(matches!(result, Poll::Ready(Ok((4,)))), "{inner}: {result:?}");
    }
    Ok(())
}

/// `run(x)` begins `wait(x)`, and asks whether it has ended whenever it has its turn.
const SPIN: &str = r#"(component
  (import "wait" (func $wait async (param "x" u32) (result u32)))
  (core module $Memory (memory (export "mem") 1))
  (core instance $memory (instantiate $Memory))
  (core func $wait' (canon lower (func $wait) async (memory (core memory $memory "mem"))))
  (core func $return (canon task.return (result u32)))
  (core func $set.new (canon waitable-set.new))
  (core func $set.poll (canon waitable-set.poll (memory (core memory $memory "mem"))))
  (core func $join (canon waitable.join))
  (core module $Code
    (import "" "wait" (func $wait (param i32 i32) (result i32)))
    (import "" "return" (func $return (param i32)))
    (import "" "set.new" (func $set.new (result i32)))
    (import "" "set.poll" (func $set.poll (param i32 i32) (result i32)))
    (import "" "join" (func $join (param i32 i32)))
    (global $set (mut i32) (i32.const 0))
    (func (export "run") (param i32) (result i32)
      (global.set $set (call $set.new))
      (call $join (i32.shr_u (call $wait (local.get 0) (i32.const 8)) (i32.const 4)) (global.get $set))
      (i32.const 1))
    (func (export "cb") (param i32 i32 i32) (result i32)
      (if (call $set.poll (global.get $set) (i32.const 0))
        (then (call $return (i32.const 5)) (return (i32.const 0))))
      (i32.const 1)))
  (core instance $code (instantiate $Code (with "" (instance
    (export "wait" (func $wait'))
    (export "return" (func $return))
    (export "set.new" (func $set.new))
    (export "set.poll" (func $set.poll))
    (export "join" (func $join))))))
  (func (export "run") async (param "x" u32) (result u32)
    (canon lift (core func $code "run") async (callback (core func $code "cb")))))"#;

#[test]
fn a_guest_that_gives_its_turn_away_keeps_nobody_waiting() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Data::default());
    let gates = store.data().gates.clone();
    let instance = linker(&engine).instantiate(&mut store, &Component::new(&engine, SPIN)?)?;
    let run = func(&mut store, &instance, "run");
    let mut call = Box::pin(store.run_concurrent(async move |accessor: &Accessor<Data>| {
        run.call_concurrent(accessor, (1,)).await
    }));
    assert!((0..10).all(|_| poll_once(call.as_mut()).is_pending()));
    gates.open(1);
    let result = (0..10).map(|_| poll_once(call.as_mut())).find(Poll::is_ready);
    assert!(matches!(result, Some(Poll::Ready(Ok(Ok((5,)))))), "{result:?}");
    Ok(())
}

#[test]
fn a_synchronous_function_calls_other_guests() -> Result<()> {
    let (mut store, instances) = guests(1);
    let double = func(&mut store, &instances[0], "double");
    let engine = store.engine().clone();
    let mut linker = Linker::<Data>::new(&engine);
    linker.root().func_wrap_concurrent("wait", move |accessor, (n,): (u32,)| {
        Box::pin(async move { double.call_concurrent(accessor, (n,)).await })
    })?;
    let outer = linker.instantiate(&mut store, &Component::new(&engine, SYNC)?)?;
    let run = func(&mut store, &outer, "run");
    assert_eq!(block_on(run.call_async(&mut store, (3,)))?, (7,));
    let call = store.run_concurrent(async move |accessor: &Accessor<Data>| {
        run.call_concurrent(accessor, (4,)).await
    });
    assert_eq!(block_on(call)??, (9,));
    Ok(())
}

#[test]
fn what_a_component_that_has_trapped_waits_for_is_forgotten() -> Result<()> {
    let (mut store, instances) = guests(2);
    let gates = store.data().gates.clone();
    let [first, second] = [0, 1].map(|at| func(&mut store, &instances[at], "run"));
    let error = call_and_trap(&mut store, [(first, 7), (first, 13)]);
    assert!(error.unwrap_err().summary().contains("unreachable"));
    assert_eq!(store.data().ended, [13, 1007]);
    // It would fail, and take the other component's call with it.
    gates.open(7);
    gates.open(2);
    let result = block_on(store.run_concurrent(async |accessor| {
        let result = second.call_concurrent(accessor, (2,)).await;
        turns().await;
        result
    }));
    assert_eq!(result??, (3,));
    Ok(())
}

#[test]
fn a_function_that_panics_at_once_ends_its_component() -> Result<()> {
    let engine = Engine::default();
    let component = Component::new(&engine, GUEST)?;
    let mut linker = Linker::<Data>::new(&engine);
    linker.root().func_wrap_concurrent("wait", |_: &Accessor<Data>, (n,): (u32,)| {
        Box::pin(async move {
            assert!(n != 1, "in the host");
            Ok((n,))
        })
    })?;
    let mut store = Store::new(&engine, Data::default());
    let [first, second] = [(); 2].map(|()| linker.instantiate(&mut store, &component).unwrap());
    let [first, second] = [first, second].map(|instance| func(&mut store, &instance, "run"));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let call = async |accessor: &Accessor<Data>| first.call_concurrent(accessor, (1,)).await;
        block_on(store.run_concurrent(call))
    }));
    assert!(panicked.is_err());
    let results = block_on(store.run_concurrent(async |accessor: &Accessor<Data>| {
        let results = [first, second].map(|func| func.call_concurrent(accessor, (2,)));
        let [first, second] = results;
        (first.await.is_err(), second.await)
    }))?;
    assert!(matches!(results, (true, Ok((3,)))), "{results:?}");
    Ok(())
}
