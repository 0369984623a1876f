//! Everything that a host function can do, in every kind of host function, called in every
//! way out of code of every tier: what comes of it is always the same.
#![cfg(all(feature = "wat", feature = "gc"))]

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, OnceLock};

use zwasm::{
    AsContextMut, CallHook, Caller, Config, Engine, Error, ErrorKind, ExnRef, ExnRefPre, ExnType,
    ExternRef, Func, FuncType, Instance, InterruptHandle, Linker, Module, Pin, Result, Rooted,
    Store, Strategy, Tag, TagType, ThrownException, Trap, Val, ValRaw, ValType,
};

/// What the host function does, by its argument.
const RETURN: i32 = 0;
const PANIC: i32 = 1;
const FAIL: i32 = 2;
const TRAP: i32 = 3;
const THROW: i32 = 4;
const INTERRUPT: i32 = 5;
/// From here on it takes the store.
const REENTER: i32 = 6;
const REENTER_TRAP: i32 = 7;
const COLLECT: i32 = 8;
const EXHAUST: i32 = 9;
const RECURSE: i32 = 10;
const ACTS: i32 = 11;

/// What is called: the host function itself, and functions that call it.
const WAYS: [&str; 7] = ["act", "direct", "indirect", "tail", "far tail", "caught", "loop"];

const GUEST: &str = r#"(module
    (type $t (func (param i32) (result i32)))
    (import "h" "act" (func $act (type $t)))
    (import "h" "e" (tag $e (param i32)))
    (table funcref (elem $act))
    (memory (export "memory") 1)
    (export "act" (func $act))
    (func (export "inner") (param i32) (result i32) (i32.add (local.get 0) (i32.const 100)))
    (func (export "trap") (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 0)))
    (func (export "spin") (param i32) (result i32) (loop $again (br $again)) (i32.const 0))
    (func $direct (export "direct") (param i32) (result i32) (call $act (local.get 0)))
    (func (export "indirect") (param i32) (result i32)
        (call_indirect (type $t) (local.get 0) (i32.const 0)))
    (func $tail (export "tail") (param i32) (result i32) (return_call $act (local.get 0)))
    (func (export "far tail") (param i32) (result i32) (local $kept i32)
        (local.set $kept (i32.add (local.get 0) (i32.const 1)))
        (i32.sub
            (i32.add (call $tail (local.get 0)) (local.get $kept))
            (i32.add (local.get 0) (i32.const 1))))
    (func (export "caught") (param i32) (result i32)
        (block $thrown (result i32)
            (return (try_table (result i32) (catch $e $thrown) (call $direct (local.get 0)))))
        (i32.add (i32.const 1000)))
    (func (export "loop") (param i32) (result i32) (local $n i32) (local $last i32)
        (loop $again
            (local.set $last (call $act (local.get 0)))
            (br_if $again
                (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 50))))
        (local.get $last)))"#;

/// What a host function has beside its arguments.
#[derive(Clone)]
struct Host {
    thrown: Arc<OnceLock<ThrownException>>,
    interrupt: InterruptHandle,
}

impl Host {
    /// What takes no store.
    fn act(&self, what: i32) -> Result<i32> {
        match what {
            PANIC => resume_unwind(Box::new("the host's")),
            FAIL => Err(Error::msg("failed")),
            TRAP => Err(Trap::IntegerOverflow.into()),
            THROW => Err(self.thrown.get().expect("it was made").clone().into()),
            INTERRUPT => {
                self.interrupt.interrupt();
                Ok(what)
            }
            _ => Ok(what + 1),
        }
    }

    /// What does.
    fn act_in(&self, caller: &mut Caller<'_, u64>, what: i32) -> Result<i32> {
        *caller.data_mut() += 1;
        match what {
            REENTER => call(caller, "inner", what),
            REENTER_TRAP => call(caller, "trap", what),
            RECURSE => call(caller, "direct", what),
            EXHAUST => {
                caller.set_fuel(1000)?;
                call(caller, "spin", what)
            }
            COLLECT => {
                let kept = ExternRef::new(&mut *caller, 5u32)?;
                for each in 0..20u32 {
                    ExternRef::new(&mut *caller, each)?;
                }
                caller.gc(None)?;
                let kept = kept.data(&*caller)?.and_then(|data| data.downcast_ref::<u32>());
                assert_eq!(kept, Some(&5));
                Ok(what)
            }
            _ => self.act(what),
        }
    }
}

/// Calls an export of the caller.
fn call(caller: &mut Caller<'_, u64>, name: &str, argument: i32) -> Result<i32> {
    let func = caller.get_export(name).and_then(|item| item.into_func());
    let func = func.ok_or_else(|| Error::msg("the host has called"))?;
    func.typed::<i32, i32>(&*caller)?.call(&mut *caller, argument)
}

/// A kind of host function.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Numbers,
    WithCaller,
    Dynamic,
    Slots,
    Unchecked,
}

const KINDS: [Kind; 5] =
    [Kind::Numbers, Kind::WithCaller, Kind::Dynamic, Kind::Slots, Kind::Unchecked];

fn host_function(kind: Kind, store: &mut Store<u64>, host: Host) -> Func {
    let ty = FuncType::new(store.engine(), [ValType::I32], [ValType::I32]);
    match kind {
        Kind::Numbers => Func::wrap(store, move |what: i32| host.act(what)),
        Kind::WithCaller => Func::wrap(store, move |mut caller: Caller<'_, u64>, what: i32| {
            host.act_in(&mut caller, what)
        }),
        Kind::Dynamic => Func::new(store, ty, move |mut caller, args, results| {
            results[0] = Val::I32(host.act_in(&mut caller, args[0].unwrap_i32())?);
            Ok(())
        }),
        Kind::Slots => {
            let func = move |mut caller: Caller<'_, u64>, slots: &mut [u64]| {
                // What is above the lower half is nobody's business.
                slots[0] = host.act_in(&mut caller, slots[0] as i32)? as u64 | 7 << 32;
                Ok(())
            };
            Func::from_slots(store, ty, func).expect("it is over numbers")
        }
        Kind::Unchecked => {
            let func = move |mut caller: Caller<'_, u64>, row: &mut [MaybeUninit<ValRaw>]| {
                // SAFETY: the argument is there.
                let what = unsafe { row[0].assume_init() }.get_i32();
                row[0].write(ValRaw::i32(host.act_in(&mut caller, what)?));
                Ok(())
            };
            // SAFETY: it leaves a number, as its type says.
            unsafe { Func::new_unchecked(store, ty, func) }
        }
    }
}

struct Guest {
    store: Store<u64>,
    instance: Instance,
}

impl Guest {
    fn new(strategy: Strategy, kind: Kind, fuel: bool) -> Guest {
        let mut config = Config::new();
        config.strategy(strategy).consume_fuel(fuel).epoch_interruption(!fuel);
        let engine = Engine::new(&config).expect("it is valid");
        let mut store = Store::new(&engine, 0);
        if fuel {
            store.set_fuel(1 << 40).expect("it is consumed");
        } else {
            store.set_epoch_deadline(1 << 40);
        }
        let ty = FuncType::new(&engine, [ValType::I32], []);
        let tag = Tag::new(&mut store, &TagType::new(ty)).expect("it is valid");
        let exn = ExnType::from_tag_type(&tag.ty(&store)).expect("tags have types");
        let pre = ExnRefPre::new(&mut store, exn);
        let exn = ExnRef::new(&mut store, &pre, &tag, &[Val::I32(7)]).expect("there is room");
        let thrown = Arc::new(OnceLock::new());
        thrown.get_or_init(|| ThrownException::new(&mut store, exn).expect("it is rooted"));
        let host = Host { thrown, interrupt: store.interrupt_handle() };
        let func = host_function(kind, &mut store, host);
        let mut linker = Linker::new(&engine);
        linker.define(&store, "h", "act", func).expect("it is new");
        linker.define(&store, "h", "e", tag).expect("it is new");
        let module = Module::new(&engine, GUEST).expect("the module is valid");
        let instance = linker.instantiate(&mut store, &module).expect("all is there");
        Guest { store, instance }
    }

    fn call(&mut self, way: &str, what: i32) -> Result<i32> {
        let func = self.instance.get_typed_func::<i32, i32>(&mut self.store, way)?;
        func.call(&mut self.store, what)
    }

    /// What comes of an act as text: the result, or the error with the functions of its
    /// backtrace.
    fn outcome(&mut self, way: &str, what: i32) -> String {
        // None, if it is not consumed.
        let _ = self.store.set_fuel(1 << 40);
        let outcome = match catch_unwind(AssertUnwindSafe(|| self.call(way, what))) {
            Ok(Ok(result)) => format!("{result}"),
            Ok(Err(error)) => {
                let frames = error.backtrace().map(|trace| {
                    trace.frames().iter().map(|frame| frame.func_index()).collect::<Vec<_>>()
                });
                // How deep recursion goes depends on the frames of the host.
                let frames = frames.filter(|_| what != RECURSE);
                format!("{:?} {} {frames:?}", error.kind(), error.summary())
            }
            Err(panic) => format!("panic {}", panic.downcast_ref::<&str>().expect("our own")),
        };
        self.store.clear_interrupt();
        // A pending exception is one that nobody has caught.
        let pending = self.store.take_pending_exception().is_some();
        assert_eq!(pending, outcome.starts_with("Exception"), "{outcome}");
        // What fuel is left is the same everywhere, but recursion is as deep as the host's
        // frames are small.
        let left = self.store.get_fuel();
        // Whoever has run out of it goes on.
        let _ = self.store.set_fuel(1 << 40);
        match left {
            Ok(left) if what != RECURSE => format!("{outcome} {left}"),
            _ => outcome,
        }
    }
}

fn strategies() -> impl Iterator<Item = Strategy> {
    use Pin::{Baseline as B, Interpreted as I, Optimized as O, Rising as R};
    let pins: [&[Pin]; 7] = [&[I], &[B], &[O], &[R], &[I, O], &[O, I], &[B, O]];
    let pinned = pins.into_iter().map(Strategy::pinned);
    let all = pinned.chain([Strategy::Auto, Strategy::Stress, Strategy::Mixed(1)]);
    all.filter(|strategy| strategy.is_available())
}

/// What is said of a kind that cannot do everything.
fn acts(kind: Kind, fuel: bool) -> impl Iterator<Item = i32> {
    let acts = if kind == Kind::Numbers { REENTER } else { ACTS };
    (RETURN..acts).filter(move |what| fuel || *what != EXHAUST)
}

#[test]
fn acts_of_all_kinds_come_to_the_same_out_of_every_tier() {
    for (kind, fuel) in KINDS.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let mut expected: Option<Vec<String>> = None;
        for strategy in strategies() {
            let mut guest = Guest::new(strategy, kind, fuel);
            let mut outcomes = Vec::new();
            for (what, way) in acts(kind, fuel).flat_map(|what| WAYS.map(|way| (what, way))) {
                let first = guest.outcome(way, what);
                for _ in 0..3 {
                    assert_eq!(guest.outcome(way, what), first, "{strategy:?} {kind:?} {way}");
                    assert_eq!(guest.call("direct", RETURN).expect("it returns"), 1);
                }
                outcomes.push(format!("{what} {way}: {first}"));
            }
            match &expected {
                Some(expected) => assert_eq!(&outcomes, expected, "{strategy:?} {kind:?}"),
                None => expected = Some(outcomes),
            }
        }
    }
}

/// What the comparison above compares is what it should be.
#[test]
fn acts_come_to_what_they_say() {
    for kind in KINDS {
        for strategy in strategies() {
            let mut guest = Guest::new(strategy, kind, true);
            for way in WAYS {
                assert_eq!(guest.call(way, RETURN).expect("it returns"), 1);
                let error = guest.call(way, FAIL).expect_err("it fails");
                assert_eq!((error.kind(), error.summary()), (ErrorKind::Host, "failed".to_owned()));
                let error = guest.call(way, TRAP).expect_err("it traps");
                assert_eq!(error.trap(), Some(Trap::IntegerOverflow));
                let error = guest.call(way, INTERRUPT).expect_err("it is interrupted");
                assert_eq!(error.trap(), Some(Trap::Interrupt));
                guest.store.clear_interrupt();
                match (way, guest.call(way, THROW)) {
                    ("caught", caught) => assert_eq!(caught.expect("it is caught"), 1007),
                    (_, thrown) => {
                        let error = thrown.expect_err("nobody catches it");
                        assert!(error.is::<ThrownException>());
                    }
                }
                guest.store.take_pending_exception();
                if kind == Kind::Numbers || way == "act" {
                    continue;
                }
                let before = *guest.store.data();
                assert_eq!(guest.call(way, REENTER).expect("it returns"), 106);
                let calls = if way == "loop" { 50 } else { 1 };
                assert_eq!(*guest.store.data(), before + calls);
                let error = guest.call(way, REENTER_TRAP).expect_err("it traps");
                assert_eq!(error.trap(), Some(Trap::IntegerDivisionByZero));
                let error = guest.call(way, RECURSE).expect_err("it is endless");
                assert_eq!(error.trap(), Some(Trap::StackOverflow));
                let error = guest.call(way, EXHAUST).expect_err("it is endless");
                assert_eq!(error.trap(), Some(Trap::OutOfFuel));
                guest.store.set_fuel(1 << 40).expect("it is consumed");
                assert_eq!(guest.call(way, COLLECT).expect("it returns"), COLLECT);
            }
        }
    }
}

/// The hook is told of each call and return, and may stop either.
#[test]
fn a_hook_is_told_whatever_the_kind() {
    for (kind, strategy) in KINDS.into_iter().flat_map(|kind| strategies().map(move |s| (kind, s)))
    {
        let mut guest = Guest::new(strategy, kind, false);
        assert_eq!(guest.call("loop", RETURN).expect("it returns"), 1);
        let (seen, stop_at) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
        let told = Arc::new(std::sync::Mutex::new(Vec::new()));
        guest.store.call_hook({
            let (told, stop_at, seen) = (told.clone(), stop_at.clone(), seen.clone());
            move |_, what| {
                told.lock().expect("no panic").push(what);
                if stop_at.get() == Some(&what) {
                    seen.get_or_init(|| ());
                    return Err(Error::msg("the hook"));
                }
                Ok(())
            }
        });
        let told = || std::mem::take(&mut *told.lock().expect("no panic"));
        use CallHook::{CallingHost, CallingWasm, ReturningFromHost, ReturningFromWasm};
        assert_eq!(guest.call("direct", RETURN).expect("it returns"), 1);
        assert_eq!(told(), [CallingWasm, CallingHost, ReturningFromHost, ReturningFromWasm]);
        assert_eq!(guest.call("caught", THROW).expect("it is caught"), 1007);
        assert_eq!(told(), [CallingWasm, CallingHost, ReturningFromHost, ReturningFromWasm]);
        if kind != Kind::Numbers {
            assert_eq!(guest.call("tail", REENTER).expect("it returns"), 106);
            assert_eq!(told().len(), 6);
        }
        stop_at.get_or_init(|| if kind == Kind::Slots { CallingHost } else { ReturningFromHost });
        let error = guest.call("direct", RETURN).expect_err("the hook stops it");
        assert_eq!(error.summary(), "the hook");
        assert!(seen.get().is_some());
    }
}

/// References that a function without a caller is given are released when it returns, and
/// come back as what they were.
#[test]
fn references_go_through_functions_without_a_caller() {
    type Reference = Option<Rooted<ExternRef>>;
    for strategy in strategies() {
        let mut config = Config::new();
        config.strategy(strategy);
        let engine = Engine::new(&config).expect("it is valid");
        let mut store = Store::new(&engine, ());
        let same = Func::wrap(&mut store, |reference: Reference, _: f64, _: i64| reference);
        let collect = Func::wrap(&mut store, |mut caller: Caller<'_, ()>, reference: Reference| {
            caller.as_context_mut().gc(None).map(|()| reference)
        });
        let module = Module::new(
            &engine,
            r#"(module
                (import "" "" (func $same (param externref f64 i64) (result externref)))
                (import "" "" (func $collect (param externref) (result externref)))
                (func (export "run") (param externref) (result externref) (local $n i32)
                    (loop $again
                        (local.set 0 (call $same (local.get 0) (f64.const 1.5) (i64.const -1)))
                        (local.set 0 (call $collect (local.get 0)))
                        (br_if $again (i32.lt_u
                            (local.tee $n (i32.add (local.get $n) (i32.const 1)))
                            (i32.const 200))))
                    (local.get 0)))"#,
        )
        .expect("the module is valid");
        let imports = [same.into(), collect.into()];
        let instance = Instance::new(&mut store, &module, &imports).expect("they fit");
        let run = instance.get_typed_func::<Reference, Reference>(&mut store, "run");
        let run = run.expect("it is exported");
        let reference = ExternRef::new(&mut store, 5u32).expect("there is room");
        let result = run.call(&mut store, Some(reference)).expect("it returns");
        let result = result.expect("it is not null");
        let data = result.data(&store).expect("it is rooted");
        assert_eq!(data.and_then(|data| data.downcast_ref::<u32>()), Some(&5));
        assert_eq!(run.call(&mut store, None).expect("it returns").map(|_| ()), None);
    }
}
