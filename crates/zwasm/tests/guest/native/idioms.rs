//! Forms that the optimizing compiler has instructions for: bytes in the opposite order,
//! carries and borrows; and some that are nearly such, which must not be taken for them.

use super::*;

/// Numbers at the ends and with bytes that differ.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    3,
    4,
    0xFF,
    0x1122_3344,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
    0x1_0000_0000,
    0x1122_3344_5566_7788,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

type Case = (&'static str, &'static str, fn(u64, u64) -> u64);

fn narrow(value: u32) -> u64 {
    value.into()
}

/// Bodies of functions of two numbers, and what they compute. Those of 32 bits have the
/// numbers' lower halves in the locals 2 and 3.
const CASES: &[Case] = &[
    (
        "the lowest byte compared with zero, which has no sign",
        "(i64.or (i64.extend_i32_u (i64.le_s (i64.and (local.get 0) (i64.const 0xff)) (i64.const 0)))
            (i64.or
                (i64.shl (i64.extend_i32_u
                    (i32.lt_s (i32.and (local.get 2) (i32.const 0xff)) (i32.const 0))) (i64.const 1))
                (i64.shl (i64.extend_i32_u
                    (i32.gt_s (i32.and (local.get 3) (i32.const 0xf0)) (i32.const 0))) (i64.const 2))))",
        |a, b| u64::from(a as u8 == 0) | u64::from(b as u8 >> 4 != 0) << 2,
    ),
    (
        "swap of 32 bits, out of shifts",
        "(i64.extend_i32_u (i32.or
            (i32.or (i32.shl (local.get 2) (i32.const 24))
                (i32.shl (i32.and (local.get 2) (i32.const 0xff00)) (i32.const 8)))
            (i32.or (i32.and (i32.shr_u (local.get 2) (i32.const 8)) (i32.const 0xff00))
                (i32.shr_u (local.get 2) (i32.const 24)))))",
        |a, _| narrow((a as u32).swap_bytes()),
    ),
    (
        "swap of 32 bits, out of rotations",
        "(i64.extend_i32_u (i32.or
            (i32.and (i32.rotl (local.get 2) (i32.const 8)) (i32.const 0xff00ff))
            (i32.and (i32.rotr (local.get 2) (i32.const 8)) (i32.const 0xff00ff00))))",
        |a, _| narrow((a as u32).swap_bytes()),
    ),
    (
        "swap of a sum, which is wanted as well",
        "(local.set 2 (i32.add (local.get 2) (local.get 3)))
        (i64.add (i64.extend_i32_u (local.get 2)) (i64.extend_i32_u (i32.or
            (i32.and (i32.rotl (local.get 2) (i32.const 8)) (i32.const 0xff00ff))
            (i32.and (i32.rotr (local.get 2) (i32.const 8)) (i32.const 0xff00ff00)))))",
        |a, b| {
            let sum = (a as u32).wrapping_add(b as u32);
            narrow(sum) + narrow(sum.swap_bytes())
        },
    ),
    (
        "pairs of bytes swapped",
        "(i64.extend_i32_u (i32.or
            (i32.and (i32.shl (local.get 2) (i32.const 8)) (i32.const 0xff00ff00))
            (i32.and (i32.shr_u (local.get 2) (i32.const 8)) (i32.const 0xff00ff))))",
        |a, _| narrow((a as u32).swap_bytes().rotate_left(16)),
    ),
    (
        "a byte from elsewhere",
        "(i64.extend_i32_u (i32.or
            (i32.or (i32.shl (local.get 2) (i32.const 24))
                (i32.shl (i32.and (local.get 3) (i32.const 0xff00)) (i32.const 8)))
            (i32.or (i32.and (i32.shr_u (local.get 2) (i32.const 8)) (i32.const 0xff00))
                (i32.shr_u (local.get 2) (i32.const 24)))))",
        |a, b| {
            let (a, b) = ((a as u32).swap_bytes(), (b as u32).swap_bytes());
            narrow(a & !0xFF_0000 | b & 0xFF_0000)
        },
    ),
    (
        "a mask that cuts a byte",
        "(i64.extend_i32_u (i32.or
            (i32.or (i32.shl (local.get 2) (i32.const 24))
                (i32.shl (i32.and (local.get 2) (i32.const 0x7f00)) (i32.const 8)))
            (i32.or (i32.and (i32.shr_u (local.get 2) (i32.const 8)) (i32.const 0xff00))
                (i32.shr_u (local.get 2) (i32.const 24)))))",
        |a, _| narrow((a as u32).swap_bytes() & !0x80_0000),
    ),
    (
        "swap of 64 bits",
        "(i64.or
            (i64.or
                (i64.or (i64.shl (local.get 0) (i64.const 56))
                    (i64.shl (i64.and (local.get 0) (i64.const 0xff00)) (i64.const 40)))
                (i64.or (i64.shl (i64.and (local.get 0) (i64.const 0xff0000)) (i64.const 24))
                    (i64.shl (i64.and (local.get 0) (i64.const 0xff000000)) (i64.const 8))))
            (i64.or
                (i64.or (i64.and (i64.shr_u (local.get 0) (i64.const 8)) (i64.const 0xff000000))
                    (i64.and (i64.shr_u (local.get 0) (i64.const 24)) (i64.const 0xff0000)))
                (i64.or (i64.and (i64.shr_u (local.get 0) (i64.const 40)) (i64.const 0xff00))
                    (i64.shr_u (local.get 0) (i64.const 56)))))",
        |a, _| a.swap_bytes(),
    ),
    (
        "carry into a sum",
        "(i64.add (local.get 1) (i64.extend_i32_u
            (i64.lt_u (i64.add (local.get 0) (local.get 1)) (local.get 0))))",
        |a, b| b.wrapping_add(a.overflowing_add(b).1.into()),
    ),
    (
        "carry into a sum of three",
        "(i64.add (i64.add (local.get 1) (local.get 0)) (i64.extend_i32_u
            (i64.gt_u (local.get 0) (i64.add (local.get 0) (local.get 1)))))",
        |a, b| a.wrapping_add(b).wrapping_add(a.overflowing_add(b).1.into()),
    ),
    (
        "carry first",
        "(i64.add (i64.extend_i32_u (i64.gt_u (local.get 0) (local.get 1))) (local.get 0))",
        |a, b| a.wrapping_add((a > b).into()),
    ),
    (
        "no carry",
        "(i64.add (local.get 1) (i64.extend_i32_u (i64.ge_u (local.get 0) (local.get 1))))",
        |a, b| b.wrapping_add((a >= b).into()),
    ),
    (
        "borrow",
        "(i64.sub (local.get 0) (i64.extend_i32_u (i64.lt_u (local.get 0) (local.get 1))))",
        |a, b| a.wrapping_sub((a < b).into()),
    ),
    (
        "borrow of a difference",
        "(i64.sub (i64.sub (local.get 0) (local.get 1))
            (i64.extend_i32_u (i64.lt_u (local.get 0) (local.get 1))))",
        |a, b| a.wrapping_sub(b).wrapping_sub((a < b).into()),
    ),
    (
        "no borrow",
        "(i64.sub (local.get 0) (i64.extend_i32_u (i64.le_u (local.get 0) (local.get 1))))",
        |a, b| a.wrapping_sub((a <= b).into()),
    ),
    (
        "zero counted",
        "(i64.extend_i32_u (i32.add (local.get 3) (i32.eqz (local.get 2))))",
        |a, b| narrow((b as u32).wrapping_add((a as u32 == 0).into())),
    ),
    (
        "what is not zero counted",
        "(i64.extend_i32_u (i32.add (local.get 3) (i64.ne (local.get 0) (i64.const 0))))",
        |a, b| narrow((b as u32).wrapping_add((a != 0).into())),
    ),
    (
        "zero subtracted",
        "(i64.extend_i32_u (i32.sub (local.get 3) (i64.eqz (local.get 0))))",
        |a, b| narrow((b as u32).wrapping_sub((a == 0).into())),
    ),
    (
        "what is not zero subtracted",
        "(i64.extend_i32_u (i32.sub (local.get 3) (i32.ne (local.get 2) (i32.const 0))))",
        |a, b| narrow((b as u32).wrapping_sub((a as u32 != 0).into())),
    ),
    (
        "compared with a constant",
        "(i64.extend_i32_u (i32.add (i32.add (local.get 3) (i32.const 7))
            (i32.gt_u (local.get 2) (i32.const 0x7fffffff))))",
        |a, b| narrow((b as u32).wrapping_add(7).wrapping_add((a as u32 > 0x7FFF_FFFF).into())),
    ),
    (
        "of numbers with a sign there is no carry",
        "(i64.add (local.get 1) (i64.extend_i32_u (i64.lt_s (local.get 0) (local.get 1))))",
        |a, b| b.wrapping_add(((a as i64) < b as i64).into()),
    ),
    (
        "an answer that is wanted twice",
        "(local.set 2 (i64.lt_u (local.get 0) (local.get 1)))
        (i64.mul (i64.add (local.get 1) (i64.extend_i32_u (local.get 2)))
            (i64.sub (local.get 0) (i64.extend_i32_u (local.get 2))))",
        |a, b| {
            let answer = u64::from(a < b);
            b.wrapping_add(answer).wrapping_mul(a.wrapping_sub(answer))
        },
    ),
    (
        "the lowest byte compared, which has no sign",
        "(i64.or (i64.extend_i32_u (i64.gt_s (i64.and (local.get 0) (i64.const 0xff)) (i64.const 0x80)))
            (i64.or
                (i64.shl (i64.extend_i32_u
                    (i32.le_s (i32.and (local.get 2) (i32.const 0xff)) (i32.const 0xff))) (i64.const 1))
                (i64.shl (i64.extend_i32_u (i32.lt_u
                    (i32.and (i32.sub (local.get 3) (i32.const 0x30)) (i32.const 0xff)) (i32.const 0x59)))
                    (i64.const 2))))",
        |a, b| {
            u64::from(a as u8 > 0x80) | 2 | u64::from((b as u8).wrapping_sub(0x30) < 0x59) << 2
        },
    ),
    (
        "the lowest byte compared for the carry",
        "(i64.extend_i32_u (i32.add (local.get 3)
            (i32.lt_u (i32.and (i32.sub (local.get 2) (i32.const 0x30)) (i32.const 0xff)) (i32.const 0x59))))",
        |a, b| narrow((b as u32).wrapping_add(((a as u8).wrapping_sub(0x30) < 0x59).into())),
    ),
    (
        "compared with more than a byte has",
        "(i64.or
            (i64.extend_i32_u (i32.lt_u (i32.and (local.get 2) (i32.const 0xff)) (i32.const 0x122)))
            (i64.shl (i64.extend_i32_u
                (i32.gt_s (i32.and (local.get 2) (i32.const 0xff)) (i32.const -1))) (i64.const 1)))",
        |_, _| 3,
    ),
    (
        "the opposite of a comparison of floats, none of which are ordered with NaN",
        "(if (i32.xor (f64.lt (f64.reinterpret_i64 (local.get 0)) (f64.reinterpret_i64 (local.get 1)))
                (i32.const 1))
            (then (return (i64.const 7))))
        (i64.const 5)",
        |a, b| if f64::from_bits(a) < f64::from_bits(b) { 5 } else { 7 },
    ),
    (
        "few cases of a table",
        "(block $0 (block $1 (block $2 (block $else
            (br_table $0 $1 $1 $else $2 $else (local.get 2)))
            (return (i64.const 40)))
            (return (i64.const 30)))
            (return (i64.const 20)))
        (i64.const 10)",
        |a, _| match a as u32 {
            0 => 10,
            1 | 2 => 20,
            4 => 30,
            _ => 40,
        },
    ),
];

#[test]
fn idioms_compute_what_they_are_made_of() {
    let functions: String = CASES
        .iter()
        .enumerate()
        .map(|(index, (_, body, _))| {
            format!(
                r#"(func (export "{index}") (param i64 i64) (result i64) (local i32 i32)
                    (local.set 2 (i32.wrap_i64 (local.get 0)))
                    (local.set 3 (i32.wrap_i64 (local.get 1)))
                    {body})"#
            )
        })
        .collect();
    let pins: [&[Pin]; 3] = [&[I], &[B], &[O]];
    for pins in pins {
        let mut guest = Guest::pinned(pins, &format!("(module {functions})"));
        for (index, (name, _, expected)) in CASES.iter().enumerate() {
            for a in NUMBERS {
                for b in NUMBERS {
                    let found = guest.call(&index.to_string(), &[a as i64, b as i64]).unwrap();
                    assert_eq!(found as u64, expected(a, b), "{name}, {pins:?}: {a:#x} {b:#x}");
                }
            }
        }
    }
}
