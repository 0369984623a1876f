//! Inlined calls are calls, as far as anyone can see.
#![cfg(feature = "wat")]

use std::fmt::Debug;
use zwasm::{Config, Engine, Error, Func, Instance, Module, Result, Store, Strategy, Val};

/// What `look` sees of an instance in every strategy, with inlining and without,
/// which has to be the same.
fn everywhere<T: PartialEq + Debug>(
    wat: &str,
    configure: impl Fn(&mut Config),
    look: impl Fn(&mut Store<()>, Instance) -> T,
) -> T {
    let mut seen: Option<T> = None;
    let fixed = [
        Strategy::Interpreter,
        Strategy::Baseline,
        Strategy::Optimizing,
        Strategy::Auto,
        Strategy::Stress,
    ];
    for strategy in fixed.into_iter().chain((0..4).map(Strategy::Mixed)) {
        for inlining in [false, true] {
            let mut config = Config::new();
            configure(config.strategy(strategy).inlining(inlining));
            let Ok(engine) = Engine::new(&config) else { continue };
            let module = Module::new(&engine, wat).unwrap();
            let mut store = Store::new(&engine, ());
            let imports: Vec<_> = module
                .imports()
                .map(|_| Func::wrap(&mut store, || Err::<(), _>(Error::msg("host"))).into())
                .collect();
            let instance = Instance::new(&mut store, &module, &imports).unwrap();
            let found = look(&mut store, instance);
            match &seen {
                Some(first) => assert_eq!(*first, found, "{strategy:?}, inlining {inlining}"),
                None => seen = Some(found),
            }
        }
    }
    seen.expect("there is an interpreter")
}

fn call(store: &mut Store<()>, instance: Instance, argument: i32) -> Result<i32> {
    let function = instance.get_func(&mut *store, "run").unwrap();
    let mut results = [Val::I32(0)];
    function.call(store, &[Val::I32(argument)], &mut results)?;
    let [Val::I32(result)] = results else { panic!("it returns an i32") };
    Ok(result)
}

/// The result of `run` of a module with these functions.
fn result(functions: &str, argument: i32) -> i32 {
    let wat = format!("(module (memory 1) (global $g (mut i32) (i32.const 0)) {functions})");
    everywhere(&wat, |_| {}, |store, instance| call(store, instance, argument).unwrap())
}

#[test]
fn parameters_are_the_arguments_or_copies_of_them() {
    let kept = "(func $sub (param i32 i32) (result i32)
          (i32.sub (local.get 0) (local.get 1)))
        (func (export \"run\") (param i32) (result i32)
          (call $sub (local.get 0) (call $sub (i32.const 50) (i32.add (local.get 0) (i32.const 1)))))";
    assert_eq!(result(kept, 7), 7 - (50 - 8));
    // The caller's local keeps its value though the callee writes its parameter.
    let written = "(func $next (param i32) (result i32)
          (local.set 0 (i32.add (local.get 0) (i32.const 1)))
          (i32.mul (local.get 0) (local.get 0)))
        (func (export \"run\") (param i32) (result i32)
          (i32.add (local.get 0) (i32.add (call $next (local.get 0)) (local.get 0))))";
    assert_eq!(result(written, 4), 4 + 25 + 4);
}

#[test]
fn locals_are_zero_at_every_call() {
    // Twice in a loop: the first leaves a value in the slot that the second gets.
    let functions = "(func $leave (param i32) (local i32)
          (local.set 1 (i32.add (local.get 0) (i32.const 9)))
          (global.set $g (local.get 1)))
        (func $fresh (param i32) (result i32) (local i32)
          (if (i32.gt_s (local.get 0) (i32.const 2)) (then (local.set 1 (local.get 0))))
          (local.get 1))
        (func (export \"run\") (param i32) (result i32) (local $sum i32)
          (loop $more
            (call $leave (local.get 0))
            (local.set $sum (i32.add (local.get $sum) (call $fresh (local.get 0))))
            (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
          (local.get $sum))";
    assert_eq!(result(functions, 5), 5 + 4 + 3);
}

#[test]
fn operands_of_the_caller_survive_early_returns() {
    let functions = "(func $early (param i32) (result i32)
          (br_if 0 (i32.const 3) (local.get 0)) (drop)
          (if (i32.eqz (i32.load (i32.const 0))) (then (return (i32.const 5))))
          (i32.const 7))
        (func (export \"run\") (param i32) (result i32) (local $a i32)
          (local.set $a (i32.const 100))
          (local.get 0) (local.get $a)
          (call $early (local.get 0))
          (local.set $a (i32.const 1))
          (i32.add) (i32.mul (i32.const 2)) (i32.sub) (i32.add (local.get $a)))";
    assert_eq!(result(functions, 1), 1 - 2 * (100 + 3) + 1);
    assert_eq!(result(functions, 0), -2 * (100 + 5) + 1);
}

#[test]
fn a_comparison_moved_behind_other_instructions_reads_what_it_read_before() {
    // The operand below the condition is brought to its slot between the comparison
    // and the branch, after the inlined function's local has died.
    let functions = "(func $small (param i32) (result i32) (local i32)
          (local.set 1 (i32.add (local.get 0) (i32.const 1)))
          (i32.lt_s (local.get 1) (i32.const 10)))
        (func (export \"run\") (param i32) (result i32)
          (local.get 0)
          (if (result i32) (call $small (i32.mul (local.get 0) (i32.const 3)))
            (then (i32.const 1000)) (else (i32.const 2000)))
          (i32.add))";
    assert_eq!(result(functions, 2), 1002);
    assert_eq!(result(functions, 5), 2005);
}

#[test]
fn a_comparison_moved_out_of_two_calls_reads_what_it_read_before() {
    // Both functions end with the comparison, and both have values that die with them.
    let functions = "(func $less (param i32) (result i32)
          (local.set 0 (i32.mul (local.get 0) (i32.const 3)))
          (i32.lt_u (local.get 0) (i32.const 10)))
        (func $next_less (param i32) (result i32)
          (local.set 0 (i32.add (local.get 0) (i32.const 1)))
          (call $less (local.get 0)))
        (func (export \"run\") (param i32) (result i32)
          (local.get 0)
          (if (param i32) (result i32) (call $next_less (local.get 0))
            (then (i32.add (i32.const 100)))
            (else (i32.add (i32.const 200)))))";
    assert_eq!(result(functions, 1), 101);
    assert_eq!(result(functions, 3), 203);
}

#[test]
fn a_selected_argument_takes_the_slot_of_what_was_compared() {
    // The comparison and the selection are one, and what dies between them has the slot
    // of what is selected.
    let functions = "(func $less (param i32) (result i32) (i32.lt_s (local.get 0) (i32.const 5)))
        (func $triple (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
        (func (export \"run\") (param i32) (result i32)
          (call $triple (select (local.get 0) (i32.const 7)
            (call $less (i32.add (local.get 0) (i32.const 1))))))";
    assert_eq!(result(functions, 2), 6);
    assert_eq!(result(functions, 9), 21);
}

#[test]
fn a_result_may_be_the_next_argument() {
    // The second call's parameter takes the slot of a local of the first.
    let functions = "(func $twice (param i32) (result i32)
          (local.set 0 (i32.add (local.get 0) (local.get 0)))
          (i32.xor (local.get 0) (i32.const 1)))
        (func (export \"run\") (param i32) (result i32)
          (call $twice (call $twice (call $twice (i32.add (local.get 0) (i32.const 1))))))";
    let twice = |x: i32| (x + x) ^ 1;
    assert_eq!(result(functions, 3), twice(twice(twice(4))));
}

#[test]
fn what_is_selected_by_the_result_of_a_call_may_be_the_next_argument() {
    // The selection, compiled together with the comparison, writes a slot that dies
    // between the two.
    let twice = "(func $twice (param i32) (result i32)
          (local.set 0 (i32.add (local.get 0) (local.get 0)))
          (i32.xor (local.get 0) (i32.const 1)))";
    let compared = "(func $less (param i32) (result i32) (local i32)
          (i32.lt_s (local.get 0) (i32.const 10)))
        (func (export \"run\") (param i32) (result i32)
          (call $twice (select (i32.const 5) (local.get 0) (call $less (local.get 0)))))";
    let tested = "(func $nothing (local i32))
        (func (export \"run\") (param i32) (result i32)
          (call $twice (select (i32.const 5) (local.get 0)
            (v128.any_true (i32x4.splat (i32.lt_s (local.get 0) (i32.const 10))))
            (call $nothing))))";
    for functions in [compared, tested] {
        let functions = format!("{twice}{functions}");
        assert_eq!(result(&functions, 9), 11);
        assert_eq!(result(&functions, 20), 41);
    }
}

#[test]
fn code_behind_a_call_that_does_not_return_is_not_reached() {
    let functions = "(func $stop (unreachable))
        (func (export \"run\") (param i32) (result i32)
          (block (br_if 0 (local.get 0)) (call $stop) (block) (loop (br 0)))
          (i32.const 6))";
    assert_eq!(result(functions, 1), 6);
}

#[test]
fn recursion_is_inlined_into_itself_once() {
    let functions = "(func $fib (export \"run\") (param i32) (result i32)
          (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add
              (call $fib (i32.sub (local.get 0) (i32.const 1)))
              (call $fib (i32.sub (local.get 0) (i32.const 2)))))))";
    assert_eq!(result(functions, 20), 6765);
}

#[test]
fn backtraces_have_the_frames_of_inlined_functions() {
    let wat = "(module (import \"host\" \"fail\" (func $fail)) (memory 1)
        (func $load (param i32) (result i32) (i32.load (local.get 0)))
        (func $outer (param i32) (result i32)
          (i32.add (call $load (i32.const 0)) (call $load (local.get 0))))
        (func $asks (param i32) (if (local.get 0) (then (call $fail))))
        (func (export \"run\") (param i32) (result i32)
          (call $asks (i32.eq (local.get 0) (i32.const 1)))
          (call $outer (local.get 0))))";
    let frames = |argument| {
        everywhere(
            wat,
            |_| {},
            |store, instance| {
                let error = call(store, instance, argument).unwrap_err();
                let frames = error.backtrace().expect("it has one").frames().iter();
                let frame = |frame: &zwasm::FrameInfo| (frame.func_index(), frame.module_offset());
                frames.map(frame).collect::<Vec<_>>()
            },
        )
    };
    let functions = |frames: Vec<(u32, Option<usize>)>| {
        assert!(frames.iter().all(|(_, offset)| offset.is_some()));
        frames.into_iter().map(|(function, _)| function).collect::<Vec<_>>()
    };
    assert_eq!(functions(frames(-1)), [1, 2, 4]);
    assert_eq!(functions(frames(1)), [3, 4]);
}

#[test]
fn exceptions_leave_inlined_functions_for_the_try_around_the_call() {
    let wat = "(module (tag $t (param i32))
        (func $throws (param i32) (loop (br_if 0 (i32.const 0))) (throw $t (local.get 0)))
        (func $passes (param i32) (if (local.get 0) (then (call $throws (local.get 0)))))
        (func (export \"run\") (param i32) (result i32)
          (block $caught (result i32)
            (try_table (catch $t $caught) (call $passes (local.get 0)))
            (i32.const -1))
          (i32.add (local.get 0))))";
    let run = |argument| everywhere(wat, |_| {}, |store, i| call(store, i, argument).unwrap());
    assert_eq!(run(0), -1);
    assert_eq!(run(21), 42);
}

#[test]
fn fuel_is_paid_as_for_calls() {
    let wat = "(module (memory 1)
        (func $get (param i32) (result i32)
          (if (i32.load8_u (local.get 0)) (then (return (i32.const 1))))
          (i32.store8 (local.get 0) (i32.const 1))
          (i32.const 2))
        (func (export \"run\") (param i32) (result i32) (local $sum i32)
          (loop $more
            (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 3))
              (call $get (i32.and (local.get 0) (i32.const 15)))))
            (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
          (local.get $sum)))";
    let fuel = |config: &mut Config| {
        config.consume_fuel(true).epoch_interruption(true);
    };
    let run = |fuel| {
        move |store: &mut Store<()>, instance| {
            store.set_fuel(fuel).unwrap();
            store.set_epoch_deadline(1);
            (call(store, instance, 1000).ok(), store.get_fuel().unwrap())
        }
    };
    let (result, left) = everywhere(wat, fuel, run(1_000_000));
    assert!(result.is_some());
    let needed = 1_000_000 - left;
    assert_eq!(everywhere(wat, fuel, run(needed)), (result, 0));
    assert_eq!(everywhere(wat, fuel, run(needed - 1)).0, None);
    // What stands behind a call is paid for before, also if it never returns.
    let traps = "(module (func $stop (unreachable))
        (func (export \"run\") (param i32) (result i32)
          (call $stop) (i32.mul (local.get 0) (i32.const 3))))";
    assert_eq!(everywhere(traps, fuel, run(100)), (None, 100 - 6));
}
