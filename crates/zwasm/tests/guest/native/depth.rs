//! Recursion, within one world and between all: as deep as it has to be, and a trap when
//! it does not end.

use super::*;
use zwasm::Trap;

/// Functions that call each other in turns, with more or less in their frames.
const DEPTH: &str = r#"(module
    (import "other" "hop" (func $hop (param i64 i64 i32) (result i64)))
    (import "other" "table" (table 64 funcref))
    (elem (i32.const 0) func $f0 $f1 $f2 $away)
    (type $t (func (param i64 i64) (result i64)))
    (func $f0 (export "f0") (param i64 i64) (result i64)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (i64.add (i64.const 1) (call $f1 (i64.sub (local.get 0) (i64.const 1)) (local.get 1))))
    (func $f1 (param i64 i64) (result i64) (local $a f64) (local $b v128)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (local.set $a (f64.convert_i64_s (local.get 0)))
        (local.set $b (i64x2.splat (local.get 1)))
        (i64.add
            (call_indirect (type $t) (i64.sub (local.get 0) (i64.const 1)) (local.get 1) (i32.const 2))
            (i64.sub (i64.add (i64.trunc_f64_s (local.get $a)) (i64x2.extract_lane 1 (local.get $b)))
                (i64.add (local.get 0) (i64.sub (local.get 1) (i64.const 1))))))
    (func $f2 (param i64 i64) (result i64)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (i64.add (i64.const 1)
            (call_ref $t (i64.sub (local.get 0) (i64.const 1)) (local.get 1) (ref.func $f0))))
    (func $away (export "away") (param i64 i64) (result i64)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (i64.add (i64.const 1)
            (call $hop (i64.sub (local.get 0) (i64.const 1)) (local.get 1) (i32.const 3))))
    (func $many (export "many") (param i64 i64) (result i64)
        (i64.add (i64.const 1)
            (call $wide (local.get 0) (local.get 1) (local.get 0) (local.get 1) (local.get 0)
                (local.get 1) (local.get 0) (local.get 1) (f64.const 1) (v128.const i64x2 1 2))))
    (func $wide (param i64 i64 i64 i64 i64 i64 i64 i64 f64 v128) (result i64)
        (if (i64.eqz (local.get 0)) (then (return (local.get 7))))
        (i64.add (i64.const 1) (call $many (i64.sub (local.get 0) (i64.const 1)) (local.get 7))))
    (func $forever (export "forever") (param i64 i64) (result i64)
        (i64.add (call $forever2 (local.get 1) (local.get 0)) (i64.const 1)))
    (func $forever2 (param i64 i64) (result i64)
        (i64.add (i64.const 2)
            (call_indirect (type $t) (local.get 1) (local.get 0) (i32.const 9))))
    (elem (i32.const 9) func $forever)
    (func $hopping (export "hopping") (param i64 i64) (result i64)
        (i64.add (i64.const 1) (call $hop (local.get 0) (local.get 1) (i32.const 10))))
    (elem (i32.const 10) func $hopping)
    (func $caught (export "caught") (param i64 i64) (result i64)
        (block $h
            (return (try_table (result i64) (catch_all $h)
                (call $caught (local.get 0) (local.get 1)))))
        (i64.const 0))
    (func $run (export "self") (param i64 i64) (result i64)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (i64.add (i64.const 1) (call $run (i64.sub (local.get 0) (i64.const 1)) (local.get 1)))))"#;

#[test]
fn fifty_thousand_frames_are_there_in_every_mixture() {
    for strategy in strategies() {
        let mut guest = Guest::new(&config(strategy), DEPTH);
        for (name, deep) in [("self", 49_000), ("f0", 30_000), ("away", 10_000), ("many", 10_000)] {
            let extra = if name == "many" { deep + 1 } else { 0 };
            assert_eq!(
                guest.call(name, &[deep, 5]).unwrap(),
                deep + 5 + extra,
                "{strategy:?} {name}"
            );
        }
    }
}

#[test]
fn a_raised_limit_holds_a_million_frames() {
    for pins in PINS {
        let mut config = config(Strategy::pinned(pins));
        config.max_stack(256 << 20);
        let mut guest = Guest::new(&config, DEPTH);
        assert_eq!(guest.call("self", &[1_000_000, 5]).unwrap(), 1_000_005, "{pins:?}");
        assert_eq!(guest.call("f0", &[300_000, 5]).unwrap(), 300_005, "{pins:?}");
    }
}

#[test]
fn endless_recursion_traps_and_the_store_goes_on() {
    for strategy in strategies() {
        for stack in [64 << 10, 1 << 20, 16 << 20] {
            let mut config = config(strategy);
            config.max_stack(stack);
            let mut guest = Guest::new(&config, DEPTH);
            for round in 0..3 {
                for name in ["forever", "hopping", "caught"] {
                    let error = guest.call(name, &[1, 2]).unwrap_err();
                    assert_eq!(error.trap(), Some(Trap::StackOverflow), "{strategy:?} {name}");
                    let frames = error.backtrace().unwrap().frames().len();
                    assert!(frames >= 16, "{strategy:?} {name}: {frames}");
                }
                assert_eq!(guest.call("f0", &[100, round]).unwrap(), 100 + round);
            }
        }
    }
}

/// The last frame of a recursion that ends calls the host, which finds its own room.
#[test]
fn hosts_have_room_at_any_depth() {
    let wat = r#"(module
        (import "host" "again" (func $again (param i64) (result i64)))
        (func $down (export "down") (param i64) (result i64)
            (if (i64.eqz (local.get 0)) (then (return (call $again (i64.const 0)))))
            (i64.add (i64.const 1) (call $down (i64.sub (local.get 0) (i64.const 1)))))
        (func (export "back") (param i64) (result i64) (i64.const 70)))"#;
    for strategy in strategies() {
        let mut config = config(strategy);
        config.max_stack(1 << 20);
        let mut guest = Guest::new(&config, wat);
        let (mut low, mut high) = (0, 1_000_000);
        // As deep as it just goes, and everything below that.
        while low + 1 < high {
            let deep = (low + high) / 2;
            match guest.call("down", &[deep]) {
                Ok(result) => {
                    assert_eq!(result, deep + 70, "{strategy:?}");
                    low = deep;
                }
                Err(error) => {
                    assert_eq!(error.trap(), Some(Trap::StackOverflow), "{strategy:?}");
                    high = deep;
                }
            }
        }
        assert!(low >= 3000, "{strategy:?}: only {low} frames in a mebibyte");
    }
}
