//! Fibers: what waits on a stack of its own finds everything as it was, on every tier.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use zwasm::fiber::{self, Cancelled, Fiber};
use zwasm::{
    AsContextMut, Caller, Config, Engine, Error, ErrorKind, Instance, Linker, Module,
    PoolingAllocationConfig, Result, Store, Strategy, Trap, TypedFunc,
};

/// All tiers that there are, and mixtures of them.
fn strategies() -> impl Iterator<Item = Strategy> {
    [
        Strategy::Interpreter,
        Strategy::Baseline,
        Strategy::Optimizing,
        Strategy::Auto,
        Strategy::Stress,
        Strategy::Mixed(1),
        Strategy::Mixed(2),
        Strategy::Mixed(3),
    ]
    .into_iter()
    .filter(|strategy| strategy.is_available())
}

/// What host functions have done, and a number for them to give.
#[derive(Default)]
struct Data {
    log: Vec<i32>,
    gives: i32,
}

fn wait(store: impl AsContextMut) -> Result<()> {
    // SAFETY: what lies between in these tests may go anywhere.
    unsafe { fiber::suspend(store) }
}

/// An instance with `host.wait: [i32] -> [i32]`, which logs, waits and gives the number.
fn waiting(config: &mut Config, wat: &str) -> Result<(Store<Data>, Instance)> {
    let engine = Engine::new(config)?;
    let mut linker = Linker::<Data>::new(&engine);
    linker.func_wrap("host", "wait", |mut caller: Caller<'_, Data>, x: i32| -> Result<i32> {
        caller.data_mut().log.push(x);
        wait(&mut caller)?;
        Ok(caller.data().gives)
    })?;
    linker.func_wrap("host", "gc", |mut caller: Caller<'_, Data>| caller.gc(None))?;
    let mut store = Store::new(&engine, Data::default());
    let instance = linker.instantiate(&mut store, &Module::new(&engine, wat)?)?;
    Ok((store, instance))
}

/// Does the same on all tiers.
fn each(wat: &str, mut test: impl FnMut(Store<Data>, Instance) -> Result<()>) -> Result<()> {
    for strategy in strategies() {
        let mut config = Config::new();
        config.strategy(strategy).consume_fuel(false);
        let (store, instance) = waiting(&mut config, wat)?;
        test(store, instance).map_err(|error| error.context(format!("{strategy:?}")))?;
    }
    Ok(())
}

/// A fiber that calls an export of a number.
fn call(store: &mut Store<Data>, func: TypedFunc<i32, i32>, x: i32) -> Result<Fiber<i32>> {
    Fiber::new(store, move |mut store| func.call(&mut store, x))
}

const SUM: &str = r#"(module
    (import "host" "wait" (func $wait (param i32) (result i32)))
    (func $leaf (param $x i32) (result i32) (i32.add (local.get $x) (call $wait (local.get $x))))
    ;; A frame for each call, and something to remember in each.
    (func $sum (export "sum") (param $x i32) (result i32) (local $own i32)
        (local.set $own (i32.mul (local.get $x) (i32.const 3)))
        (if (result i32) (i32.eqz (local.get $x))
            (then (i32.const 0))
            (else
                (i32.add
                    (call $leaf (local.get $x))
                    (i32.add (call $sum (i32.sub (local.get $x) (i32.const 1))) (local.get $own)))))))"#;

#[test]
fn frames_are_as_they_were() -> Result<()> {
    each(SUM, |mut store, instance| {
        let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
        let mut fiber = call(&mut store, sum, 4)?;
        for turn in 0..4 {
            store.data_mut().gives = 100 * turn;
            assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
            assert!(!fiber::is_inside(&store));
        }
        store.data_mut().gives = 1000;
        // The first answers when it is resumed: 100, 200, 300, 1000.
        assert_eq!(fiber.resume(&mut store)?, Poll::Ready(1600 + 10 + 30));
        assert_eq!(store.data().log, [4, 3, 2, 1]);
        assert!(fiber.resume(&mut store).is_err());
        Ok(())
    })
}

#[test]
fn many_go_on_in_any_order() -> Result<()> {
    each(SUM, |mut store, instance| {
        let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
        let mut waiting = VecDeque::new();
        for x in 0..40 {
            waiting.push_back((x, call(&mut store, sum, x % 7)?));
        }
        let mut random = 12345u32;
        let mut ended = 0;
        while !waiting.is_empty() {
            random = random.wrapping_mul(1664525).wrapping_add(1013904223);
            let at = (random >> 8) as usize % waiting.len();
            let (x, mut fiber) = waiting.remove(at).expect("it is one of them");
            match fiber.resume(&mut store)? {
                Poll::Pending => waiting.push_back((x, fiber)),
                Poll::Ready(sum) => {
                    let n = x % 7;
                    assert_eq!(sum, (1..=n).map(|x| 4 * x).sum::<i32>());
                    ended += 1;
                }
            }
            // The store's own stack serves meanwhile.
            if random.is_multiple_of(5) {
                assert_eq!(sum.call(&mut store, 0)?, 0);
            }
        }
        assert_eq!(ended, 40);
        Ok(())
    })
}

#[test]
fn fibers_make_and_resume_fibers() -> Result<()> {
    each(SUM, |mut store, instance| {
        let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
        fn nested(depth: i32, sum: TypedFunc<i32, i32>) -> Nested {
            Box::new(move |mut store| {
                let mut total = sum.call(&mut store, depth)?;
                if depth > 0 {
                    let inner = nested(depth - 1, sum);
                    let mut inner = Fiber::new(&mut store, inner)?;
                    loop {
                        match inner.resume(&mut store)? {
                            Poll::Ready(more) => break total += more,
                            // Each wait inside is one outside.
                            Poll::Pending => wait(&mut store)?,
                        }
                    }
                }
                Ok(total)
            })
        }
        type Nested =
            Box<dyn FnOnce(zwasm::StoreContextMut<'_, Data>) -> Result<i32> + Send + 'static>;
        let outer = nested(5, sum);
        let mut fiber = Fiber::new(&mut store, outer)?;
        let mut turns = 0;
        let total = loop {
            match fiber.resume(&mut store)? {
                Poll::Pending => turns += 1,
                Poll::Ready(total) => break total,
            }
        };
        assert_eq!(turns, 15);
        assert_eq!(total, (0..=5).map(|n| (1..=n).map(|x| 4 * x).sum::<i32>()).sum::<i32>());
        Ok(())
    })
}

#[test]
fn references_in_waiting_frames_are_roots() -> Result<()> {
    let wat = r#"(module
        (import "host" "wait" (func $wait (param i32) (result i32)))
        (import "host" "gc" (func $gc))
        (type $list (struct (field $value i32) (field $next (ref null $list))))
        (func $build (param $n i32) (result (ref null $list)) (local $list (ref null $list))
            (loop $more
                (local.set $list (struct.new $list (local.get $n) (local.get $list)))
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                (br_if $more (local.get $n)))
            (local.get $list))
        (func $add (param $list (ref null $list)) (result i32) (local $sum i32)
            (block $end
                (loop $more
                    (br_if $end (ref.is_null (local.get $list)))
                    (local.set $sum (i32.add (local.get $sum)
                        (struct.get $list $value (local.get $list))))
                    (local.set $list (struct.get $list $next (local.get $list)))
                    (br $more)))
            (local.get $sum))
        (func (export "sum") (param $n i32) (result i32)
            (local $a (ref null $list)) (local $b (ref null $list))
            (local.set $a (call $build (local.get $n)))
            (drop (call $wait (i32.const 1)))
            (local.set $b (call $build (local.get $n)))
            (call $gc)
            (drop (call $wait (i32.const 2)))
            (i32.add (call $add (local.get $a)) (call $add (local.get $b)))))"#;
    for stress in [false, true] {
        for strategy in strategies() {
            let mut config = Config::new();
            config.strategy(strategy).gc_stress(stress);
            let (mut store, instance) = waiting(&mut config, wat)?;
            let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
            let mut fibers = Vec::new();
            for n in 1..20 {
                fibers.push((n, call(&mut store, sum, n)?));
            }
            for _ in 0..2 {
                for (_, fiber) in &mut fibers {
                    assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
                    store.gc(None)?;
                }
            }
            for (n, fiber) in fibers.iter_mut().rev() {
                assert_eq!(fiber.resume(&mut store)?, Poll::Ready(*n * (*n + 1)), "{strategy:?}");
                store.gc(None)?;
            }
        }
    }
    Ok(())
}

#[test]
fn handles_are_good_until_their_own_scope_ends() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let value = |store: &mut Store<()>, x: i32| zwasm::ExternRef::new(store, x);
    let outside = value(&mut store, 1)?;
    let mut fibers = Vec::new();
    for x in 10..20 {
        fibers.push(Fiber::new(&mut store, move |mut store| {
            let read = |store: &zwasm::StoreContextMut<'_, ()>,
                        it: &zwasm::Rooted<zwasm::ExternRef>| {
                Ok::<_, Error>(*it.data(store)?.and_then(|it| it.downcast_ref::<i32>()).unwrap())
            };
            let mut scope = zwasm::RootScope::new(&mut store);
            let own = zwasm::ExternRef::new(&mut scope, x)?;
            for _ in 0..3 {
                wait(&mut scope)?;
                scope.as_context_mut().gc(None)?;
            }
            let found = read(&scope.as_context_mut(), &own)?;
            drop(scope);
            assert!(own.data(&store).is_err());
            assert_eq!(read(&store, &outside)?, 1);
            wait(&mut store)?;
            Ok(found)
        })?);
    }
    for _ in 0..4 {
        for fiber in &mut fibers {
            assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
            let mut scope = zwasm::RootScope::new(&mut store);
            zwasm::ExternRef::new(&mut scope, 0)?;
            scope.as_context_mut().gc(None)?;
        }
    }
    for (x, fiber) in (10..).zip(&mut fibers) {
        assert_eq!(fiber.resume(&mut store)?, Poll::Ready(x));
    }
    assert_eq!(outside.data(&store)?.and_then(|it| it.downcast_ref::<i32>()), Some(&1));
    Ok(())
}

#[test]
fn exceptions_are_caught_behind_a_wait() -> Result<()> {
    let wat = r#"(module
        (import "host" "wait" (func $wait (param i32) (result i32)))
        (tag $e (param i32))
        (func $thrower (param $x i32) (throw $e (i32.add (local.get $x) (call $wait (local.get $x)))))
        (func $deep (param $x i32) (param $n i32)
            (if (local.get $n)
                (then (call $deep (local.get $x) (i32.sub (local.get $n) (i32.const 1))))
                (else (call $thrower (local.get $x)))))
        (func (export "catch") (param $x i32) (result i32)
            (block $h (result i32)
                (try_table (catch $e $h) (call $deep (local.get $x) (i32.const 5)))
                (unreachable))
            (drop (call $wait (i32.const 0))))
        (func (export "throw") (param $x i32) (result i32)
            (call $deep (local.get $x) (i32.const 2)) (unreachable)))"#;
    each(wat, |mut store, instance| {
        let catch = instance.get_typed_func::<i32, i32>(&mut store, "catch")?;
        let throw = instance.get_typed_func::<i32, i32>(&mut store, "throw")?;
        let mut one = call(&mut store, catch, 7)?;
        let mut two = call(&mut store, throw, 8)?;
        for fiber in [&mut one, &mut two] {
            assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
        }
        assert_eq!(one.resume(&mut store)?, Poll::Pending);
        let error = two.resume(&mut store).unwrap_err();
        assert!(store.take_pending_exception().is_some(), "{error}");
        assert_eq!(one.resume(&mut store)?, Poll::Ready(7));
        Ok(())
    })
}

#[test]
fn traps_end_only_their_own_fiber() -> Result<()> {
    let wat = r#"(module
        (import "host" "wait" (func $wait (param i32) (result i32)))
        (memory 1)
        (func $in (param $x i32) (result i32) (i32.load (call $wait (local.get $x))))
        (func (export "load") (param $x i32) (result i32) (call $in (local.get $x)))
        (func $spin (export "deep") (param $x i32) (result i32)
            (drop (call $wait (i32.const 1))) (call $deeper (local.get $x)))
        (func $deeper (param $x i32) (result i32)
            (i32.add (call $deeper (i32.add (local.get $x) (i32.const 1))) (i32.const 1))))"#;
    each(wat, |mut store, instance| {
        let load = instance.get_typed_func::<i32, i32>(&mut store, "load")?;
        let deep = instance.get_typed_func::<i32, i32>(&mut store, "deep")?;
        let mut bad = call(&mut store, load, 1)?;
        let mut good = call(&mut store, load, 2)?;
        let mut deep = call(&mut store, deep, 2)?;
        for fiber in [&mut bad, &mut good, &mut deep] {
            assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
        }
        assert_eq!(deep.backtrace(&mut store)?.frames().len(), 1);
        assert_eq!(bad.backtrace(&mut store)?.frames().len(), 2);
        store.data_mut().gives = -4;
        let error = bad.resume(&mut store).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds));
        assert_eq!(error.backtrace().map(|trace| trace.frames().len()), Some(2));
        let error = deep.resume(&mut store).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
        store.data_mut().gives = 8;
        assert_eq!(good.resume(&mut store)?, Poll::Ready(0));
        Ok(())
    })
}

#[test]
fn fuel_and_epochs_stop_what_went_on() -> Result<()> {
    let wat = r#"(module
        (import "host" "wait" (func $wait (param i32) (result i32)))
        (func (export "spin") (param $x i32) (result i32)
            (drop (call $wait (local.get $x)))
            (loop $l (br_if $l (i32.const 1)))
            (i32.const 0)))"#;
    for strategy in strategies() {
        let mut config = Config::new();
        config.strategy(strategy).consume_fuel(true);
        let (mut store, instance) = waiting(&mut config, wat)?;
        store.set_fuel(100_000)?;
        let spin = instance.get_typed_func::<i32, i32>(&mut store, "spin")?;
        let mut fiber = call(&mut store, spin, 1)?;
        assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
        assert_eq!(fiber.resume(&mut store).unwrap_err().kind(), ErrorKind::OutOfFuel);

        let mut config = Config::new();
        config.strategy(strategy).epoch_interruption(true);
        let (mut store, instance) = waiting(&mut config, wat)?;
        let spin = instance.get_typed_func::<i32, i32>(&mut store, "spin")?;
        for interrupt in [false, true] {
            store.set_epoch_deadline(1);
            let mut fiber = call(&mut store, spin, 1)?;
            assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
            match interrupt {
                true => store.interrupt_handle().interrupt(),
                false => store.engine().increment_epoch(),
            }
            assert_eq!(fiber.resume(&mut store).unwrap_err().kind(), ErrorKind::Interrupted);
        }
    }
    Ok(())
}

/// Counts how many were dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn what_is_no_longer_wanted_is_unwound() -> Result<()> {
    each(SUM, |mut store, instance| {
        let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
        let dropped = Arc::new(AtomicUsize::new(0));
        let count = || dropped.load(Ordering::Relaxed);
        let make = |store: &mut Store<Data>| {
            let outer = Dropped(dropped.clone());
            Fiber::new(store, move |mut store| {
                let _inner = Dropped(outer.0.clone());
                let _outer = outer;
                let result = sum.call(&mut store, 3);
                let error = result.as_ref().unwrap_err();
                assert!(error.is::<Cancelled>(), "{error}");
                // Nothing waits any more.
                assert!(wait(&mut store).unwrap_err().is::<Cancelled>());
                result
            })
        };
        // Before it begins.
        make(&mut store)?.cancel(&mut store)?;
        assert_eq!(count(), 1);
        let mut fiber = make(&mut store)?;
        assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
        fiber.cancel(&mut store)?;
        assert_eq!(count(), 3);
        // The handle is dropped or forgotten.
        let mut fiber = make(&mut store)?;
        assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
        drop(fiber);
        assert_eq!(count(), 3);
        fiber::reap(&mut store);
        assert_eq!(count(), 5);
        let mut fiber = make(&mut store)?;
        assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
        std::mem::forget(fiber);
        std::mem::forget(make(&mut store)?);
        let mut kept = make(&mut store)?;
        assert_eq!(kept.resume(&mut store)?, Poll::Pending);
        // The store is dropped, perhaps by another thread.
        std::thread::spawn(move || drop(store)).join().expect("nothing panics");
        assert_eq!(count(), 5 + 2 + 1 + 2);
        Ok(())
    })
}

#[test]
fn a_panic_goes_to_who_resumes() -> Result<()> {
    let mut store = Store::new(&Engine::default(), 0);
    let mut fiber = Fiber::<()>::new(&mut store, |mut store| {
        wait(&mut store)?;
        std::panic::panic_any("panicked");
    })?;
    assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
    let panic = catch_unwind(AssertUnwindSafe(|| fiber.resume(&mut store))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"panicked"));
    assert!(fiber.resume(&mut store).is_err());
    // One that panics while it is cancelled.
    let mut fiber = Fiber::<()>::new(&mut store, |mut store| {
        wait(&mut store).expect("it is cancelled");
        zwasm::error::Ok(())
    })?;
    assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
    fiber.cancel(&mut store)?;
    Ok(())
}

#[test]
fn misuse_is_an_error() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, None::<Fiber<i32>>);
    let mut other = Store::new(&engine, ());
    assert!(wait(&mut store).is_err() && fiber::check(&mut store).is_err());
    let mut fiber = Fiber::new(&mut store, |mut store| {
        fiber::check(&mut store)?;
        let refused = fiber::unsuspendable(&mut store, |store| wait(store)).unwrap_err();
        assert!(!refused.is::<Cancelled>());
        // The one in the data, which its maker can no longer reach.
        let mut other = store.data_mut().take().expect("it was put there");
        assert_eq!(other.resume(&mut store)?, Poll::Ready(2));
        assert!(other.resume(&mut store).is_err() && other.backtrace(&mut store).is_err());
        wait(&mut store)?;
        Ok(1)
    })?;
    assert!(fiber.resume(&mut other).is_err());
    *store.data_mut() = Some(fiber);
    // Somebody else resumes it: a fiber that takes it out of the data.
    let mut outer = Fiber::new(&mut store, |mut store| {
        let mut this = store.data_mut().take().expect("it is there");
        let again = Fiber::new(&mut store, |_| Ok(2))?;
        *store.data_mut() = Some(again);
        this.resume(&mut store)
    })?;
    assert_eq!(outer.resume(&mut store)?, Poll::Ready(Poll::Pending));
    Ok(())
}

#[test]
fn ten_thousand_wait_in_little_memory() -> Result<()> {
    const COUNT: usize = 10_000;
    let engine = Engine::default();
    let mut linker = Linker::<i32>::new(&engine);
    linker.func_wrap("host", "wait", |mut caller: Caller<'_, i32>, x: i32| -> Result<i32> {
        wait(&mut caller)?;
        Ok(x)
    })?;
    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &Module::new(&engine, SUM)?)?;
    let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
    let before = resident();
    let mut fibers = Vec::new();
    for _ in 0..COUNT {
        let mut fiber = Fiber::new(&mut store, move |mut store| sum.call(&mut store, 3))?;
        assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
        fibers.push(fiber);
    }
    let each = (resident() - before) / COUNT;
    println!("{each} bytes each");
    assert!(each <= 40 << 10, "{each} bytes");
    let mut random = 1u32;
    while !fibers.is_empty() {
        random = random.wrapping_mul(1664525).wrapping_add(1013904223);
        let at = (random >> 8) as usize % fibers.len();
        match fibers[at].resume(&mut store)? {
            Poll::Pending => {}
            Poll::Ready(sum) => {
                assert_eq!(sum, 12 + 18);
                fibers.swap_remove(at);
            }
        }
    }
    let left = resident().saturating_sub(before);
    assert!(left <= 64 << 20, "{left} bytes are left");
    Ok(())
}

/// Bytes of the process in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = status.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    pages * 4096
}

/// A store keeps the stack of a fiber that has ended for the next one, until it is dropped;
/// where there are few stacks it does not.
#[test]
fn a_store_keeps_one_stack_for_its_fibers() -> Result<()> {
    for (total, kept) in [(8, 1), (1, 0)] {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_stacks(total);
        let engine = Engine::new(Config::new().allocation_strategy(pool))?;
        let stacks = || engine.pooling_allocator_metrics().map(|metrics| metrics.stacks());
        let mut store = Store::new(&engine, ());
        for _ in 0..3 {
            let mut fiber = Fiber::new(&mut store, |mut store| wait(&mut store))?;
            assert_eq!(fiber.resume(&mut store)?, Poll::Pending);
            assert_eq!(stacks(), Some(1));
            assert_eq!(fiber.resume(&mut store)?, Poll::Ready(()));
            assert_eq!(stacks(), Some(kept));
        }
        // Of two at once it keeps one.
        if kept == 1 {
            let two = [(), ()].map(|()| Fiber::new(&mut store, |_| Ok(())));
            assert_eq!(stacks(), Some(2));
            for fiber in two {
                assert_eq!(fiber?.resume(&mut store)?, Poll::Ready(()));
            }
            assert_eq!(stacks(), Some(1));
        }
        drop(store);
        assert_eq!(stacks(), Some(0));
    }
    Ok(())
}
