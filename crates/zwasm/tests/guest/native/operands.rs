//! Operands that instructions share or find in memory.

use super::*;

/// A number in memory is compared as a whole, however small what it is compared with.
#[test]
fn globals_are_compared_as_a_whole() {
    let wat = r#"(module
        (global $g (mut i32) (i32.const 0))
        (func (export "set") (param $n i64) (result i64)
            (global.set $g (i32.wrap_i64 (local.get $n)))
            (i64.const 0))
        (func (export "run") (result i64)
            (if (result i64) (i32.lt_u (global.get $g) (i32.const 2))
                (then (i64.const 1)) (else (i64.const 0)))))"#;
    let numbers = [0, 1, 2, 255, 256, 257, 258, 0x1_0000, 0x7FFF_FF01];
    let results = everywhere(
        wat,
        |_| {},
        |guest| {
            let less = |number| {
                guest.call("set", &[number]).unwrap();
                guest.call("run", &[]).unwrap()
            };
            numbers.map(less).to_vec()
        },
    );
    assert_eq!(results, [1, 1, 0, 0, 0, 0, 0, 0, 0]);
}

/// The upper half of a sum is made of what its operands were before the lower half was
/// written.
#[test]
fn halves_of_a_sum_may_be_the_same_number() {
    let wat = r#"(module
        (func (export "run") (param $a i64) (param $b i64) (result i64) (local $low i64) (local $high i64)
            (i64.add128 (local.get $a) (local.get $b) (local.get $b) (local.get $a))
            (local.set $high) (local.set $low)
            (i64.xor (local.get $low) (i64.rotl (local.get $high) (i64.const 7)))))"#;
    let results = everywhere(
        wat,
        |_| {},
        |guest| {
            let pairs = [(0, 1), (1, 0), (-1, 1), (5, -3)];
            pairs.map(|(a, b)| guest.call("run", &[a, b]).unwrap()).to_vec()
        },
    );
    let expected = [(0_i64, 1_i64), (1, 0), (-1, 1), (5, -3)].map(|(a, b)| {
        let number = |low: i64, high: i64| u128::from(high as u64) << 64 | u128::from(low as u64);
        let sum = number(a, b).wrapping_add(number(b, a));
        (sum as u64 ^ ((sum >> 64) as u64).rotate_left(7)) as i64
    });
    assert_eq!(results, expected);
}
