//! Copies and fills of every short length, of constant ones and others: what they write, at
//! the ends of memory, where ranges overlap, and what they leave alone.

use super::memory::MEMORIES;
use super::*;
use std::fmt::Write;
use zwasm::Trap;

const PAGE: i64 = 65536;

/// Lengths that are constants in the module.
fn constants() -> impl Iterator<Item = i64> {
    (0..=40).chain([47, 48, 49, 63, 64, 65, 95, 112, 127, 128, 129, 130, 400])
}

/// Functions that move a constant number of bytes, and some that move as many as they are
/// told, with values around them that have to stay what they are.
fn wat() -> String {
    let mut wat = String::from(r#"(module (memory (export "memory") 1 1)"#);
    let at = |local: u32| format!("(i32.wrap_i64 (local.get {local}))");
    let (to, from, count) = (at(0), at(1), at(2));
    for n in constants() {
        write!(
            wat,
            r#"(func (export "copy{n}") (param i64 i64 i64) (result i64)
                (memory.copy {to} {from} (i32.const {n}))
                (i64.add (local.get 0) (local.get 1)))
            (func (export "fill{n}") (param i64 i64 i64) (result i64)
                (memory.fill {to} {from} (i32.const {n}))
                (i64.add (local.get 0) (local.get 1)))
            (func (export "zero{n}") (param i64 i64 i64) (result i64)
                (memory.fill {to} (i32.const 0x100) (i32.const {n}))
                (i64.add (local.get 0) (local.get 1)))
            (func (export "same{n}") (param i64 i64 i64) (result i64)
                (memory.fill {to} (i32.const 0x5a7) (i32.const {n}))
                (i64.add (local.get 0) (local.get 1)))"#
        )
        .unwrap();
    }
    for (name, value) in [
        ("copy", &*from),
        ("fill", &*from),
        ("zero", "(i32.const 0x100)"),
        ("same", "(i32.const 0x5a7)"),
    ] {
        let op = if name == "copy" { "copy" } else { "fill" };
        write!(
            wat,
            r#"(func (export "{name}") (param i64 i64 i64) (result i64)
                (local $a f64) (local $b i64) (local $c v128) (local $d i64) (local $e f32)
                (local.set $a (f64.convert_i64_s (local.get 0)))
                (local.set $b (i64.mul (local.get 1) (i64.const 3)))
                (local.set $c (i64x2.splat (local.get 2)))
                (local.set $d (i64.xor (local.get 2) (i64.const 0x55)))
                (local.set $e (f32.convert_i64_s (local.get 2)))
                (memory.{op} {to} {value} {count})
                (i64.sub (i64.add (i64.add (i64.trunc_f64_s (local.get $a)) (local.get $b))
                    (i64.add (i64x2.extract_lane 1 (local.get $c))
                        (i64.xor (local.get $d) (i64.const 0x55))))
                    (i64.add (i64.trunc_f32_s (local.get $e))
                        (i64.add (local.get 2) (i64.shl (local.get 1) (i64.const 1))))))
            (func (export "{name} in a loop") (param i64 i64 i64) (result i64)
                (local $i i64) (local $sum i64)
                (loop $again
                    (memory.{op} {to} {value} {count})
                    (local.set $sum (i64.add (local.get $sum) (i64.load8_u (i32.const 3000))))
                    (br_if $again (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1)))
                        (i64.const 2))))
                (local.get $sum))"#
        )
        .unwrap();
    }
    wat + ")"
}

/// Where copies go and come from.
fn places(n: i64) -> [(i64, i64); 12] {
    let end = PAGE - n;
    [
        (1000, 3000),
        (3001, 1002),
        (500, 501),
        (501, 500),
        (2000, 2000 + n / 2),
        (2000 + n / 2, 2000),
        (7, 7),
        (end, 0),
        (0, end),
        (end + 1, 64),
        (64, end + 1),
        (-1, -1),
    ]
}

/// What is written, and what is answered.
fn expected(memory: &mut [u8], op: &str, to: i64, from: i64, n: i64) -> Option<()> {
    let range = |start: i64| {
        let start = i64::from(start as u32);
        (start + n <= PAGE).then_some(start as usize..(start + n) as usize)
    };
    match op {
        "copy" => memory.copy_within(range(from)?, range(to)?.start),
        "fill" => memory[range(to)?].fill(from as u8),
        "zero" => memory[range(to)?].fill(0),
        _ => memory[range(to)?].fill(0xa7),
    }
    Some(())
}

/// What calls have answered and what fuel they have left, which has to be the same in every
/// engine.
fn run(guest: &mut Guest) -> Vec<(Option<i64>, u64)> {
    let mut model: Vec<u8> = (0..PAGE).map(|at| (at * 7 + at / 256) as u8).collect();
    let memory = guest.instance.get_memory(&mut guest.store, "memory").unwrap();
    memory.data_mut(&mut guest.store).copy_from_slice(&model);
    let mut seen = Vec::new();
    let fueled = guest.store.set_fuel(1 << 50).is_ok();
    for n in constants() {
        for op in ["copy", "fill", "zero", "same"] {
            for name in [format!("{op}{n}"), op.into(), format!("{op} in a loop")] {
                for (to, from) in places(n) {
                    let answer = guest.call(&name, &[to, from, n]);
                    let is_done = expected(&mut model, op, to, from, n).is_some();
                    match &answer {
                        Ok(_) => assert!(is_done, "{name} {to} {from} {n}"),
                        Err(error) => {
                            assert!(!is_done, "{name} {to} {from} {n}");
                            assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
                        }
                    }
                    // Ranges that overlap are not the same afterwards.
                    if name.ends_with("loop") {
                        expected(&mut model, op, to, from, n);
                    }
                    assert!(memory.data(&guest.store) == model, "{name} {to} {from} {n}");
                    let left = if fueled { guest.store.get_fuel().unwrap() } else { 0 };
                    seen.push((answer.ok(), left));
                }
            }
        }
    }
    seen
}

#[test]
fn every_length_is_moved_and_nothing_else() {
    let wat = wat();
    let pins: [&[Pin]; 3] = [&[I], &[B], &[O]];
    for fuel in [false, true] {
        let mut first = None;
        for (guard_pages, signals) in MEMORIES {
            for pins in pins {
                let mut config = config(Strategy::pinned(pins));
                config.guard_pages(guard_pages).signals_based_traps(signals).consume_fuel(fuel);
                let seen = run(&mut Guest::new(&config, &wat));
                match &first {
                    None => first = Some(seen),
                    Some(first) => assert!(*first == seen, "{pins:?} {guard_pages} {fuel}"),
                }
            }
        }
    }
}

/// A copy that cannot be paid for writes nothing, and leaves no fuel.
#[test]
fn what_is_not_paid_for_is_not_moved() {
    let wat = wat();
    let pins: [&[Pin]; 3] = [&[I], &[B], &[O]];
    for pins in pins {
        let mut config = config(Strategy::pinned(pins));
        config.consume_fuel(true);
        let mut guest = Guest::new(&config, &wat);
        let memory = guest.instance.get_memory(&mut guest.store, "memory").unwrap();
        for n in [8, 40, 64, 128] {
            for name in [format!("same{n}"), "same".into()] {
                guest.store.set_fuel(1000).unwrap();
                guest.call(&name, &[100, 0, n]).unwrap();
                let cost = 1000 - guest.store.get_fuel().unwrap();
                memory.data_mut(&mut guest.store).fill(1);
                // All but the last unit, which is one for the bytes.
                guest.store.set_fuel(cost - 1).unwrap();
                let error = guest.call(&name, &[100, 0, n]).unwrap_err();
                assert_eq!(error.trap(), Some(Trap::OutOfFuel), "{pins:?} {name} {n}");
                assert_eq!(guest.store.get_fuel().unwrap(), 0);
                assert!(memory.data(&guest.store).iter().all(|byte| *byte == 1));
            }
        }
    }
}
