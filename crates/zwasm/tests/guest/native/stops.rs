//! Traps of every kind in every world: the same kind, through the same frames, at the same
//! places, again and again.

use super::*;
use zwasm::{FrameInfo, Trap};

/// A frame's function, its place, and its name.
type Frame = (u32, Option<usize>, Option<String>);

fn frames(error: &Error) -> Vec<Frame> {
    let describe = |frame: &FrameInfo| {
        (frame.func_index(), frame.module_offset(), frame.func_name().map(str::to_owned))
    };
    error.backtrace().map(|trace| trace.frames().iter().map(describe).collect()).unwrap_or_default()
}

/// Everything that is said of an error.
fn told(error: &Error) -> (String, Option<Trap>, Vec<Frame>) {
    (error.summary(), error.trap(), frames(error))
}

/// Causes by number, and around them calls of all kinds.
const CAUSES: &str = r#"(module
    (import "host" "pass" (func $pass (param i64 i64 i32) (result i64)))
    (import "host" "fail" (func $fail))
    (import "other" "hop" (func $hop (param i64 i64 i32) (result i64)))
    (import "other" "tail" (func $away (param i64 i64 i32) (result i64)))
    (import "other" "table" (table 64 funcref))
    (memory 1)
    (table $null 4 funcref)
    (tag $e (param i64))
    (type $t (func (param i64 i64) (result i64)))
    (type $cell (struct (field i64)))
    (type $array (array (mut i8)))
    (elem (i32.const 0) func $top $direct $indirect $ref $hosted $hopped $kept $tail $leaf)
    (func $cause (param $n i64) (param $x i64) (result i64)
        (local $cell (ref null $cell)) (local $array (ref null $array))
        (block $16 (block $15 (block $14 (block $13 (block $12
        (block $11 (block $10 (block $9 (block $8 (block $7 (block $6 (block $5 (block $4
        (block $3 (block $2 (block $1 (block $0
            (br_table $0 $1 $2 $3 $4 $5 $6 $7 $8 $9 $10 $11 $12 $13 $14 $15 $16
                (i32.wrap_i64 (local.get $n))))
            (unreachable))
            (return (i64.div_s (local.get $x) (i64.const 0))))
            (return (i64.div_s (i64.const 0x8000000000000000)
                (i64.sub (i64.const -1) (i64.and (local.get $x) (i64.const 0))))))
            (return (i64.load offset=65530 (i32.shl (i32.wrap_i64 (local.get $x)) (i32.const 8)))))
            (i64.store (i32.wrap_i64 (i64.or (local.get $x) (i64.const -8))) (i64.const 1)))
            (return (call_indirect $null (type $t) (i64.const 1) (i64.const 1) (i32.const 9))))
            (return (call_indirect $null (type $t) (i64.const 1) (i64.const 1) (i32.const 0))))
            (return (call_indirect 0 (param i64) (result i64) (i64.const 1) (i32.const 1))))
            (throw $e (local.get $x)))
            (call $fail))
            (return (i64.trunc_f64_s (f64.mul (f64.const 1e30) (f64.convert_i64_s (local.get $x))))))
            (return (struct.get $cell 0 (local.get $cell))))
            (return (i64.extend_i32_u (array.get_u $array
                (array.new $array (i32.const 7) (i32.const 5)) (i32.wrap_i64 (local.get $x))))))
            (return (struct.get $cell 0 (ref.cast (ref $cell) (ref.i31 (i32.const 4))))))
            (memory.fill (i32.const 65530) (i32.const 1) (i32.wrap_i64 (local.get $x))))
            (return (i64.extend_i32_u (i32.rem_u (i32.const 3) (i32.wrap_i64 (i64.shl (local.get $x) (i64.const 40)))))))
        (call_ref $t (i64.const 0) (i64.const 0) (ref.null $t)))
    (func $leaf (export "f8") (param $n i64) (param $x i64) (result i64)
        (i64.add (call $cause (local.get $n) (local.get $x)) (i64.const 1)))
    (func $kept (export "f6") (param $n i64) (param $x i64) (result i64)
        (local $a f64) (local $b v128) (local $c i32)
        (local.set $a (f64.convert_i64_s (local.get $x)))
        (local.set $b (i64x2.splat (local.get $x)))
        (local.set $c (i32.wrap_i64 (local.get $x)))
        (i64.add (call $leaf (local.get $n) (local.get $x))
            (i64.add (i64.trunc_f64_s (local.get $a))
                (i64.add (i64x2.extract_lane 0 (local.get $b))
                    (i64.extend_i32_u (local.get $c))))))
    (func $tail (export "f7") (param $n i64) (param $x i64) (result i64)
        (return_call $kept (local.get $n) (local.get $x)))
    (func $hopped (export "f5") (param $n i64) (param $x i64) (result i64)
        (i64.sub (call $hop (local.get $n) (local.get $x) (i32.const 7)) (i64.const 3)))
    (func $hosted (export "f4") (param $n i64) (param $x i64) (result i64)
        (i64.sub (call $pass (local.get $n) (local.get $x) (i32.const 5)) (i64.const 3)))
    (func $ref (export "f3") (param $n i64) (param $x i64) (result i64)
        (i64.add (call_ref $t (local.get $n) (local.get $x) (ref.func $hosted)) (i64.const 2)))
    (func $indirect (export "f2") (param $n i64) (param $x i64) (result i64)
        (i64.add (i64.const 4) (call_indirect (type $t) (local.get $n) (local.get $x) (i32.const 3))))
    (func $direct (export "f1") (param $n i64) (param $x i64) (result i64)
        (i64.mul (call $indirect (local.get $n) (local.get $x)) (i64.const 3)))
    (func $top (export "f0") (param $n i64) (param $x i64) (result i64)
        (i64.add (call $direct (local.get $n) (local.get $x))
            (call $away (local.get $n) (local.get $x) (i32.const 8)))))"#;

const COUNT: i64 = 16;

#[test]
fn every_trap_is_told_alike() {
    let found = everywhere(
        CAUSES,
        |_| {},
        |guest| {
            let mut seen = Vec::new();
            for round in 0..2 {
                for cause in 0..=COUNT {
                    for name in ["f0", "f4", "f6", "f7", "f8"] {
                        let error = guest.call(name, &[cause, 9 + round]).unwrap_err();
                        seen.push((cause, name, told(&error)));
                    }
                }
            }
            seen
        },
    );
    // The interpreter is right: all frames are there, with their places.
    let names = |frames: &[Frame]| -> Vec<String> {
        frames.iter().map(|frame| frame.2.clone().unwrap_or_else(|| "?".into())).collect()
    };
    let (.., (_, _, first)) = &found[0];
    let expected =
        ["cause", "leaf", "kept", "?", "hopped", "hosted", "ref", "indirect", "direct", "top"];
    assert_eq!(names(first), expected);
    for (cause, name, (_, _, frames)) in &found {
        assert!(frames.iter().all(|frame| frame.1.is_some()), "{cause} {name} {frames:?}");
    }
    let traps: Vec<_> = (0..COUNT as usize).filter_map(|at| found[at * 5].2.1).collect();
    assert!(traps.contains(&Trap::IntegerOverflow) && traps.contains(&Trap::CastFailure));
    assert_eq!(traps.len(), COUNT as usize - 2, "all but the exception and the host's error");
}

/// Nothing of a call that has been given up stays behind, on whatever stack.
#[test]
fn stores_are_used_again_after_many_traps() {
    for pins in PINS {
        let mut guest = Guest::pinned(pins, CAUSES);
        for round in 0..MANY / 200 {
            let error = guest.call("f0", &[round % COUNT, 9]).unwrap_err();
            assert!(error.trap().is_some() || [8, 9].contains(&(round % COUNT)), "{error}");
        }
    }
}

/// A panic of a host function goes on behind the guest, whichever worlds are between.
#[test]
fn panics_of_the_host_pass_through_all_worlds() {
    let wat = r#"(module
        (import "host" "again" (func $again (param i64) (result i64)))
        (import "h" "panic" (func $panic))
        (func $deep (param i64) (result i64)
            (if (i64.eqz (local.get 0)) (then (call $panic)))
            (i64.add (i64.const 1) (call $deep (i64.sub (local.get 0) (i64.const 1)))))
        (func (export "back") (param i64) (result i64) (i64.add (call $deep (local.get 0)) (i64.const 2)))
        (func (export "run") (param i64) (result i64) (i64.add (call $again (local.get 0)) (i64.const 3)))
        (func (export "fine") (param i64) (result i64) (i64.add (local.get 0) (i64.const 1))))"#;
    for strategy in strategies() {
        let engine = Engine::new(&config(strategy)).unwrap();
        let mut store = Store::new(&engine, Host { depth: u32::MAX, calls: 0 });
        let mut linker = Linker::new(&engine);
        linker.func_wrap("host", "again", again).unwrap();
        linker.func_wrap("h", "panic", || -> () { std::panic::panic_any(7u8) }).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let mut guest = Guest { store, instance };
        for depth in [0, 1, 20] {
            for name in ["back", "run"] {
                let call = std::panic::AssertUnwindSafe(|| guest.call(name, &[depth]));
                let panic = std::panic::catch_unwind(call).unwrap_err();
                assert_eq!(panic.downcast_ref(), Some(&7u8), "{strategy:?}");
                assert_eq!(guest.call("fine", &[depth]).unwrap(), depth + 1, "{strategy:?}");
            }
        }
    }
}
