//! Memories that grow under code that remembers where they are, and accesses at their
//! edges.

use super::*;
use zwasm::Trap;

/// With the address space of 32-bit memories reserved, so that they stay where they are;
/// moving, and with checks in place of guard pages.
pub(super) const MEMORIES: [(bool, bool); 3] = [(true, true), (false, true), (true, false)];

fn in_all_memories<T: PartialEq + Debug>(wat: &str, look: impl Fn(&mut Guest) -> T) -> T {
    let mut seen: Option<T> = None;
    for (guard_pages, signals) in MEMORIES {
        let settings = |config: &mut Config| {
            config.guard_pages(guard_pages).signals_based_traps(signals);
        };
        let found = everywhere(wat, settings, &look);
        match &seen {
            Some(first) => assert_eq!(*first, found, "{guard_pages} {signals}\n{wat}"),
            None => seen = Some(found),
        }
    }
    seen.expect("there are some")
}

/// The memory is grown by the function itself, by a callee, by the host and through another
/// instance, in loops that use it before and after.
#[test]
fn loops_see_a_memory_that_moves() {
    for index in ["i32", "i64"] {
        let kind = if index == "i64" { "i64" } else { "" };
        let widen = if index == "i64" { "i64.extend_i32_u" } else { "nop" };
        let narrow = if index == "i64" { "i32.wrap_i64" } else { "nop" };
        let wat = format!(
            r#"(module
            (import "host" "grow" (func $host_grow (result i32)))
            (import "host" "again" (func $again (param i64) (result i64)))
            (memory $m (export "memory") {kind} 1 600)
            (func $at (param i64) (result {index})
                (local.get 0) (i32.wrap_i64) (i32.const 0xff8) (i32.and) {widen})
            (func $grow (param i64) (result i64)
                (block $own (block $host (block $nested (block $none
                    (br_table $none $own $host $nested $none
                        (i32.wrap_i64 (i64.rem_u (local.get 0) (i64.const 5)))))
                    (return (i64.const 0)))
                    (return (call $again (local.get 0))))
                    (return (i64.extend_i32_u (call $host_grow))))
                ({index}.const 1) (memory.grow) {narrow} (i64.extend_i32_s))
            (func (export "back") (param i64) (result i64)
                (i64.store (call $at (local.get 0)) (i64.const 77))
                ({index}.const 1) (memory.grow) {narrow} (i64.extend_i32_s))
            (func (export "run") (param $n i64) (result i64) (local $sum i64) (local $kept i64)
                (i64.store (call $at (i64.const 4088)) (i64.const 3))
                (loop $again
                    (local.set $kept (i64.load (call $at (i64.const 4088))))
                    (i64.store (call $at (i64.mul (local.get $n) (i64.const 8)))
                        (i64.add (local.get $n) (local.get $kept)))
                    (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 3))
                        (call $grow (local.get $n))))
                    (local.set $sum (i64.add (local.get $sum)
                        (i64.load (call $at (i64.mul (local.get $n) (i64.const 8))))))
                    (i64.store (call $at (i64.const 4088))
                        (i64.add (i64.load (call $at (i64.const 4088))) (local.get $sum)))
                    (memory.size) {narrow} (i64.extend_i32_u) (local.get $sum) (i64.add) (local.set $sum)
                    (br_if $again (i64.ne (i64.const 0)
                        (local.tee $n (i64.sub (local.get $n) (i64.const 1))))))
                (local.get $sum)))"#
        );
        in_all_memories(&wat, |guest| {
            guest.store.data_mut().depth = 3;
            [guest.call("run", &[40]).unwrap(), guest.call("run", &[300]).unwrap()]
        });
    }
}

/// A loop that leaves memory at some round: all stores before that are there, none behind,
/// and the accesses that no round reaches do not trap.
#[test]
fn loops_leave_memory_at_the_right_round() {
    for (kind, index, page) in [("", "i32", 1), ("i64", "i64", 1), ("", "i32", 3)] {
        let wat = format!(
            r#"(module (memory (export "memory") {kind} {page} {page})
            (func (export "fill") (param $from i64) (param $n i64) (result i64)
                (local $p {index}) (local $k i64)
                (local.set $p {from})
                (loop $again
                    (i64.store offset=8 (local.get $p) (i64.add (local.get $k) (i64.const 1)))
                    (i64.store16 offset=24 (local.get $p) (i64.load8_u offset=9 (local.get $p)))
                    (local.set $k (i64.add (local.get $k) (i64.const 1)))
                    (local.set $p ({index}.add (local.get $p) ({index}.const 16)))
                    (br_if $again (i64.lt_u (local.get $k) (local.get $n))))
                (local.get $k))
            (func (export "invariant") (param $at i64) (param $n i64) (result i64)
                (local $sum i64)
                (if (i64.eqz (local.get $n)) (then (return (i64.const -1))))
                (loop $again
                    (if (i64.eq (local.get $n) (i64.const 1)) (then
                        (local.set $sum (i64.add (local.get $sum) (i64.load {at})))))
                    (i64.store8 {zero} (local.get $n))
                    (br_if $again (i64.gt_s (local.tee $n (i64.sub (local.get $n) (i64.const 1)))
                        (i64.const 0))))
                (local.get $sum)))"#,
            from = if index == "i32" {
                "(i32.wrap_i64 (local.get $from))"
            } else {
                "(local.get $from)"
            },
            at = if index == "i32" { "(i32.wrap_i64 (local.get $at))" } else { "(local.get $at)" },
            zero = if index == "i32" { "(i32.const 0)" } else { "(i64.const 0)" },
        );
        let end = page * 65536;
        in_all_memories(&wat, |guest| {
            let mut seen = Vec::new();
            for (from, n) in [
                (0, 10),
                (end - 160, 9),
                (end - 160, 11),
                (end - 100, 40),
                (end - 16, 1),
                (end - 15, 2),
                (-16, 3),
                (-9, 3),
                (1 << 31, 1),
                (u32::MAX as i64 - 40, 5),
            ] {
                seen.push(guest.call("fill", &[from, n]).map_err(|error| error.trap()));
                seen.push(guest.call("invariant", &[from, n]).map_err(|error| error.trap()));
                let memory = guest.instance.get_memory(&mut guest.store, "memory").unwrap();
                let sum = |sum: i64, byte: &u8| sum.wrapping_mul(31).wrapping_add(i64::from(*byte));
                seen.push(Ok(memory.data(&guest.store).iter().fold(0i64, sum)));
            }
            assert!(seen.contains(&Err(Some(Trap::MemoryOutOfBounds))) && seen.contains(&Ok(10)));
            seen
        });
    }
}

/// Loads and stores of several memories, of which one moves, with the same addresses.
#[test]
fn memories_are_not_taken_for_each_other() {
    let wat = r#"(module
        (memory $a (export "a") 1 1) (memory $b 1 50) (memory $c i64 1 50)
        (global $g (mut i64) (i64.const 5))
        (func (export "run") (param $n i64) (result i64) (local $sum i64) (local $p i32)
            (loop $again
                (local.set $p (i32.and (i32.wrap_i64 (local.get $n)) (i32.const 0xf8)))
                (i64.store $a (local.get $p) (local.get $n))
                (i64.store $b (local.get $p) (i64.load $a (local.get $p)))
                (i64.store $c (i64.extend_i32_u (local.get $p))
                    (i64.add (i64.load $b (local.get $p)) (i64.const 1)))
                (i64.store8 $a offset=3 (local.get $p) (i64.load $c (i64.const 0)))
                (global.set $g (i64.add (global.get $g) (i64.load $a (local.get $p))))
                (i32.store16 $b offset=2 (local.get $p) (i32.wrap_i64 (global.get $g)))
                (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 5))
                    (i64.xor (i64.load $a (local.get $p))
                        (i64.add (i64.load $b (local.get $p))
                            (i64.load $c (i64.extend_i32_u (local.get $p)))))))
                (if (i64.eqz (i64.and (local.get $n) (i64.const 31))) (then
                    (drop (memory.grow $b (i32.const 1)))
                    (drop (memory.grow $c (i64.const 1)))))
                (br_if $again (i64.ne (i64.const 0)
                    (local.tee $n (i64.sub (local.get $n) (i64.const 1))))))
            (i64.add (local.get $sum) (global.get $g))))"#;
    in_all_memories(wat, |guest| guest.call("run", &[500]).unwrap());
}

/// Of a memory with 64-bit addresses all bits count, also where an earlier access has been
/// compared with its length: addresses above 4 GiB are not those below.
#[test]
fn constant_addresses_above_four_gigabytes_stay_there() {
    let wat = r#"(module (memory i64 65540 65540)
        (func (export "run") (param $n i64) (result i64)
            (i64.store offset=8 (i64.const 0x1_0000_0010) (local.get $n))
            (i64.store (i64.const 0x1_0000_0010) (i64.const 7))
            (i64.store8 offset=1 (i64.const 0x1_0000_0010) (i64.const 9))
            (i64.add (i64.mul (i64.load (i64.const 0x10)) (i64.const 1000))
                (i64.load16_u (i64.const 0x1_0000_0010))))
        (func (export "low") (param i64) (result i64)
            (i64.or (i64.load offset=8 (i64.const 0x10)) (i64.load (i64.const 0x10)))))"#;
    everywhere(
        wat,
        |_| {},
        |guest| {
            assert_eq!(guest.call("run", &[5]).unwrap(), 0x907);
            assert_eq!(guest.call("low", &[0]).unwrap(), 0);
        },
    );
}
