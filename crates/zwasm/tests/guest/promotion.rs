//! Functions that run long are optimized, on whichever thread, and do the same.
#![cfg(all(feature = "wat", feature = "optimize", feature = "trace"))]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use zwasm::{Config, Engine, Func, Instance, Linker, Module, Promotion, Store, Strategy, Trace};

/// A recursive function, a loop, calls through a table and a reference, and a loop in the
/// middle of which a memory grows.
const PROGRAM: &str = r#"(module
    (type $binary (func (param i32 i32) (result i32)))
    (memory (export "memory") 1 8)
    (table $t funcref (elem $add $xor $other))
    (elem declare func $add)
    (global $calls (mut i32) (i32.const 0))
    (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
    (func $xor (type $binary) (i32.xor (local.get 0) (local.get 1)))
    (func $other (param i64))
    (func $fib (export "fib") (param i32) (result i32)
      (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
        (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                       (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func (export "loop") (param i32) (result i32) (local i32)
      (loop $more
        (local.set 1 (i32.add (i32.mul (local.get 1) (i32.const 31)) (local.get 0)))
        (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get 1))
    (func (export "indirect") (param $count i32) (param $last i32) (result i32) (local $sum i32)
      (loop $more
        (local.set $sum (call_indirect $t (type $binary) (local.get $sum) (local.get $count)
          (if (result i32) (i32.eq (local.get $count) (i32.const 1))
            (then (local.get $last)) (else (i32.const 0)))))
        (local.set $sum (call_ref $binary (local.get $sum) (i32.const 3) (ref.func $add)))
        (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
      (local.get $sum))
    (func (export "grow") (param $count i32) (result i32) (local $sum i32)
      (loop $more
        (if (i32.eqz (i32.rem_u (local.get $count) (i32.const 100000)))
          (then (drop (memory.grow (i32.const 1)))))
        (i32.store (i32.and (i32.mul (local.get $count) (i32.const 4)) (i32.const 0xfffc))
          (i32.add (local.get $sum) (local.get $count)))
        (local.set $sum (i32.add (local.get $sum) (memory.size)))
        (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
      (local.get $sum)))"#;

/// What the compilers have told.
type Told = Arc<Mutex<String>>;

fn engine(strategy: Strategy, promotion: Promotion, fuel: bool) -> (Engine, Told) {
    let told = Told::default();
    let sink = told.clone();
    let mut config = Config::new();
    config.strategy(strategy).promotion(promotion).consume_fuel(fuel);
    config.trace(Trace::JIT, move |line| {
        let mut told = sink.lock().unwrap();
        told.push_str(line);
        told.push('\n');
    });
    (Engine::new(&config).unwrap(), told)
}

fn instance(module: &Module) -> (Store<()>, Instance) {
    let mut store = Store::new(module.engine(), ());
    let instance = Linker::new(module.engine()).instantiate(&mut store, module).unwrap();
    (store, instance)
}

fn func(store: &mut Store<()>, instance: Instance, name: &str) -> Func {
    instance.get_func(store, name).unwrap()
}

/// The results of everything, what of the fuel is left, and what happens when the table's
/// third function is called, which is of another type.
fn run(module: &Module, fuel: bool) -> (Vec<i32>, u64, String) {
    let (mut store, instance) = instance(module);
    if fuel {
        store.set_fuel(1 << 40).unwrap();
    }
    let mut results = Vec::new();
    for (name, argument) in [("fib", 30), ("loop", 10_000_000), ("grow", 700_000)] {
        let func = func(&mut store, instance, name).typed::<i32, i32>(&store).unwrap();
        results.push(func.call(&mut store, argument).unwrap());
    }
    let indirect = func(&mut store, instance, "indirect").typed::<(i32, i32), i32>(&store).unwrap();
    results.push(indirect.call(&mut store, (1_000_000, 0)).unwrap());
    results.push(indirect.call(&mut store, (1000, 1)).unwrap());
    let error = indirect.call(&mut store, (1000, 2)).unwrap_err();
    let left = if fuel { store.get_fuel().unwrap() } else { 0 };
    (results, left, error.summary())
}

#[test]
fn promotion_changes_nothing() {
    for fuel in [false, true] {
        let expected = {
            let (engine, _) = engine(Strategy::Interpreter, Promotion::Never, fuel);
            run(&Module::new(&engine, PROGRAM).unwrap(), fuel)
        };
        for (strategy, promotion) in [
            (Strategy::Auto, Promotion::Never),
            (Strategy::Auto, Promotion::Synchronous),
            (Strategy::Auto, Promotion::Background),
            (Strategy::Stress, Promotion::Background),
            (Strategy::Mixed(1), Promotion::Background),
            (Strategy::Mixed(2), Promotion::Background),
            (Strategy::Asked(1), Promotion::Background),
            (Strategy::Asked(3), Promotion::Background),
        ] {
            let (engine, _) = engine(strategy, promotion, fuel);
            let module = Module::new(&engine, PROGRAM).unwrap();
            // The second instance finds code that the first has had made.
            for _ in 0..2 {
                assert_eq!(run(&module, fuel), expected, "{strategy:?} {promotion:?}");
            }
        }
    }
}

#[test]
fn what_runs_long_is_optimized_and_says_so() {
    let (engine, told) = engine(Strategy::Auto, Promotion::Synchronous, false);
    let module = Module::new(&engine, PROGRAM).unwrap();
    run(&module, false);
    let told = told.lock().unwrap();
    // The recursive function as a whole, the loops from their headers on; the callee that
    // a call always had is part of its caller.
    for line in ["f3 is hot:", "f3 optimized:", "f4 is hot, in a loop", "f4 optimized from a loop"]
    {
        assert!(told.contains(line), "no {line} in {told}");
    }
    let indirect = told.lines().find(|line| line.contains("f5 optimized from a loop on:"));
    assert!(indirect.is_some_and(|line| line.contains(" 2 calls inlined")), "{told}");
    let (engine, told) = self::engine(Strategy::Auto, Promotion::Never, false);
    run(&Module::new(&engine, PROGRAM).unwrap(), false);
    assert!(!told.lock().unwrap().contains("optimized"));
}

/// Who is asked at every so many checks takes the same way each time.
#[test]
fn what_is_asked_is_optimized_and_the_same_each_time() {
    let hot = |every| {
        let (engine, told) = engine(Strategy::Asked(every), Promotion::Background, false);
        run(&Module::new(&engine, PROGRAM).unwrap(), false);
        let told = told.lock().unwrap();
        for func in 3..7 {
            assert!(told.contains(&format!("f{func} optimized")), "no f{func} in {told}");
        }
        told.lines().filter(|line| line.contains(" is hot")).map(str::to_owned).collect::<Vec<_>>()
    };
    let often = hot(1);
    assert_eq!(often, hot(1));
    assert_eq!(hot(1000), hot(1000));
}

/// A function that neither loops nor calls is charged when it is entered: by the host, by
/// baseline code and by optimized code.
#[test]
fn functions_without_checks_are_charged_as_they_are_entered() {
    let long = "(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 3)) (local.get 1)))";
    let text = format!(
        r#"(module
             (func $long (export "long") (param i32 i32) (result i32) {} (local.get 0))
             (func (export "loop") (param $count i32) (result i32) (local $sum i32)
               (loop $more
                 (local.set $sum (call $long (local.get $sum) (local.get $count)))
                 (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
               (local.get $sum)))"#,
        long.repeat(30)
    );
    let told = Told::default();
    let sink = told.clone();
    let mut config = Config::new();
    config.strategy(Strategy::Asked(1)).inlining(false);
    config.trace(Trace::JIT, move |line| sink.lock().unwrap().push_str(&format!("{line}\n")));
    for by_host in [true, false] {
        told.lock().unwrap().clear();
        let module = Module::new(&Engine::new(&config).unwrap(), &text).unwrap();
        let (mut store, instance) = instance(&module);
        if by_host {
            let long = func(&mut store, instance, "long").typed::<(i32, i32), i32>(&store).unwrap();
            let first = long.call(&mut store, (1, 2)).unwrap();
            (0..50).for_each(|_| assert_eq!(long.call(&mut store, (1, 2)).unwrap(), first));
        } else {
            let run = func(&mut store, instance, "loop").typed::<i32, i32>(&store).unwrap();
            let first = run.call(&mut store, 1000).unwrap();
            assert_eq!(run.call(&mut store, 1000).unwrap(), first);
        }
        let told = told.lock().unwrap();
        assert!(told.contains("f0 optimized"), "{told}");
        if !by_host {
            assert!(told.find("f1 is hot") < told.find("f0 is hot"), "{told}");
        }
    }
}

/// Six loops in each other, with as many rounds as the parameters say, the outermost
/// first; how many rounds there were, weighted.
fn nest() -> String {
    let mut text = String::from("(i32.add (i32.mul (local.get $sum) (i32.const 5)) (i32.const 1))");
    text = format!("(local.set $sum {text})");
    for depth in (0..6).rev() {
        let rest = "(local.set $sum (i32.xor (local.get $sum) (i32.const 9)))";
        text = format!(
            "(local.set $i{depth} (local.get $n{depth}))
             (loop $l{depth} {text} {rest}
               (br_if $l{depth}
                 (local.tee $i{depth} (i32.sub (local.get $i{depth}) (i32.const 1)))))"
        );
    }
    let declared = |kind: &str, name: &str| -> String {
        (0..6).map(|depth| format!("({kind} ${name}{depth} i32)")).collect()
    };
    let (params, locals) = (declared("param", "n"), declared("local", "i"));
    format!(
        r#"(module (func (export "f") {params} (result i32) {locals} (local $sum i32)
             {text} (local.get $sum)))"#
    )
}

type Rounds = (i32, i32, i32, i32, i32, i32);

/// What six loops give, and what the compilers tell of that.
fn run_nest(strategy: Strategy, rounds: Rounds) -> (i32, String) {
    let (engine, told) = engine(strategy, Promotion::Synchronous, false);
    let module = Module::new(&engine, nest()).unwrap();
    let (mut store, instance) = instance(&module);
    let func = func(&mut store, instance, "f").typed::<Rounds, i32>(&store).unwrap();
    let result = func.call(&mut store, rounds).unwrap();
    let told = told.lock().unwrap().clone();
    (result, told)
}

#[test]
fn nested_loops_are_gone_on_with_from_the_outermost_that_is_come_to_soon() {
    for (rounds, made) in [
        // An inner loop ends soon, and so does all around it.
        ((2_400_000, 2, 2, 2, 2, 2), 1),
        // The outermost loop is never gone back to, nor is the next.
        ((1, 1, 1_200_000, 2, 2, 3), 3),
        // The frame stays in the innermost loop.
        ((1, 1, 1, 1, 1, 54_000_000), 4),
    ] {
        let (result, told) = run_nest(Strategy::Auto, rounds);
        assert_eq!(result, run_nest(Strategy::Baseline, rounds).0, "{rounds:?}");
        assert_eq!(told.matches("f0 optimized from a loop on").count(), made, "{told}");
    }
}

#[test]
fn the_background_thread_optimizes_while_the_function_runs() {
    let (engine, told) = engine(Strategy::Auto, Promotion::Background, false);
    let module = Module::new(&engine, PROGRAM).unwrap();
    let (mut store, instance) = instance(&module);
    let looping = func(&mut store, instance, "loop").typed::<i32, i32>(&store).unwrap();
    let start = Instant::now();
    while !told.lock().unwrap().contains("f4 optimized") {
        looping.call(&mut store, 1_000_000).unwrap();
        assert!(start.elapsed() < Duration::from_secs(60), "{}", told.lock().unwrap());
    }
    looping.call(&mut store, 1_000_000).unwrap();
}

#[test]
fn threads_share_what_is_optimized() {
    let (engine, _) = engine(Strategy::Auto, Promotion::Background, false);
    let module = Module::new(&engine, PROGRAM).unwrap();
    let expected = {
        let (engine, _) = self::engine(Strategy::Interpreter, Promotion::Never, false);
        run(&Module::new(&engine, PROGRAM).unwrap(), false)
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(run(&module, false), expected));
        }
    });
}

#[test]
fn modules_and_engines_go_while_the_thread_is_busy() {
    for _ in 0..20 {
        let (engine, _) = engine(Strategy::Auto, Promotion::Background, false);
        for _ in 0..3 {
            let module = Module::new(&engine, PROGRAM).unwrap();
            let (mut store, instance) = instance(&module);
            let fib = func(&mut store, instance, "fib").typed::<i32, i32>(&store).unwrap();
            assert_eq!(fib.call(&mut store, 22).unwrap(), 17711);
        }
    }
}

/// What is too short to ask for itself is optimized when optimized code calls it, and what
/// others call behind them.
#[test]
fn short_functions_follow_their_callers() {
    const PROGRAM: &str = r#"(module
        (type $unary (func (param i32) (result i32)))
        (table funcref (elem $one $two))
        (func $one (type $unary) (i32.add (local.get 0) (i32.const 1)))
        (func $two (type $unary) (i32.xor (local.get 0) (i32.const 2)))
        (func (export "run") (param $count i32) (result i32) (local $sum i32)
          (loop $more
            (local.set $sum (call_indirect (type $unary) (local.get $sum)
              (i32.and (local.get $count) (i32.const 1))))
            (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
          (local.get $sum)))"#;
    let (engine, told) = engine(Strategy::Auto, Promotion::Background, false);
    let module = Module::new(&engine, PROGRAM).unwrap();
    let (mut store, instance) = instance(&module);
    let run = func(&mut store, instance, "run").typed::<i32, i32>(&store).unwrap();
    let start = Instant::now();
    let made = |what: &str| told.lock().unwrap().contains(what);
    while !(made("f0 optimized") && made("f1 optimized") && made("f2 optimized")) {
        assert_eq!(run.call(&mut store, 1_000_000).unwrap(), 500_000);
        assert!(start.elapsed() < Duration::from_secs(60), "{}", told.lock().unwrap());
    }
    assert_eq!(run.call(&mut store, 1_000_000).unwrap(), 500_000);
    // Its own loop is what the caller is optimized for.
    let told = told.lock().unwrap();
    assert!(told.find("f2 is hot") < told.find("f0 is hot"), "{told}");
}

/// Calls `fib` once in an instance of its own: its result, and how it is run afterwards, whether
/// compiled and whether optimized.
fn one_of_many(module: &Module, argument: i32) -> (i32, bool, bool) {
    let (mut store, instance) = instance(module);
    let fib = func(&mut store, instance, "fib");
    let result = fib.typed::<i32, i32>(&store).unwrap().call(&mut store, argument).unwrap();
    (result, fib.is_compiled(&store), fib.is_optimized(&store))
}

#[test]
fn what_many_instances_call_is_compiled_however_little_each_does() {
    let (engine, _) = engine(Strategy::Auto, Promotion::Background, false);
    if !Strategy::Optimizing.is_available() {
        return;
    }
    let module = Module::new(&engine, PROGRAM).unwrap();
    assert_eq!(one_of_many(&module, 1), (1, false, false));
    for _ in 0..100 {
        assert_eq!(one_of_many(&module, 3).0, 2);
    }
    assert_eq!(one_of_many(&module, 3), (2, true, false));
    // Time is charged to the function whichever instance calls it.
    let begin = Instant::now();
    while !one_of_many(&module, 15).2 {
        assert!(begin.elapsed() < Duration::from_secs(60), "it is never optimized");
    }
    assert_eq!(one_of_many(&module, 15), (610, true, true));
    // Who has no time for compilers has none of it.
    let (interpreting, _) = self::engine(Strategy::Interpreter, Promotion::Never, false);
    let module = Module::new(&interpreting, PROGRAM).unwrap();
    for _ in 0..50 {
        assert_eq!(one_of_many(&module, 3), (2, false, false));
    }
}
