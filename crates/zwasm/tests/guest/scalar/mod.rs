//! Every scalar op yields what plain Rust says it yields, bit for bit, in every tier: of
//! edge values, as constants and in slots of all kinds, with the result in an operand's
//! place and as what a branch or a selection asks.
#![cfg(feature = "wat")]

mod edges;
mod guest;
mod memory;
mod reference;

use edges::{constant, edges, name};
use guest::Guest;
use reference::{Expected, binary, unary};
use zwasm_regir::Type;
use zwasm_regir::ops::{BinaryOp, CompareOp, UnaryOp};

/// Ops of one operand, with the types of operand and result. What the translation puts
/// behind others has no name in the text format.
fn unary_ops() -> Vec<(&'static str, Type, Type)> {
    let table = UnaryOp::ALL.iter().map(|op| (op.text(), op.operand(), op.result()));
    // Comparisons with zero are no ops of their own.
    table
        .filter(|(text, ..)| !text.ends_with(".canonical"))
        .chain([("i32.eqz", Type::I32, Type::I32), ("i64.eqz", Type::I64, Type::I32)])
        .collect()
}

/// Ops of two operands, with the types of the operands and of the result.
fn binary_ops() -> Vec<(&'static str, Type, Type)> {
    let ops = BinaryOp::ALL.iter().map(|op| (op.text(), op.result(), op.result()));
    let comparisons = CompareOp::ALL.iter().map(|op| (op.text(), op.operand(), Type::I32));
    ops.chain(comparisons).collect()
}

/// An operand from memory.
fn load(ty: Type, address: &str) -> String {
    format!("({}.load (local.get ${address}))", name(ty))
}

/// An operand that is what a call returned.
fn returned(local: &str) -> String {
    format!("(call $same (local.get ${local}))")
}

#[test]
fn ops_on_one_operand() {
    for (op, ty, result) in unary_ops() {
        let values = edges(ty);
        let mut guest = Guest::new(op, ty, &values, false);
        for operand in ["(local.get $a)".to_string(), load(ty, "i"), returned("a")] {
            guest.value(result, &format!("({op} {operand})"), |a, _| unary(op, a));
        }
        if result == ty {
            guest.value(
                result,
                &format!(
                    "(block (result {ty}) (local.set $d (local.get $a))
                        (local.set $d ({op} (local.get $d))) (local.get $d))",
                    ty = name(ty)
                ),
                |a, _| unary(op, a),
            );
        }
        guest.check();

        // Constants: the loop's operand does not matter.
        let mut guest = Guest::new(op, ty, &values[..1], false);
        for &value in &values {
            guest
                .value(result, &format!("({op} {})", constant(ty, value)), |_, _| unary(op, value));
        }
        guest.check();
    }
}

#[test]
fn ops_on_two_slots() {
    for (op, ty, result) in binary_ops() {
        let mut guest = Guest::new(op, ty, &edges(ty), true);
        let ordered = |a, b| binary(op, a, b);
        let (a, b) = ("(local.get $a)".to_string(), "(local.get $b)".to_string());
        let (ma, mb) = (load(ty, "i"), load(ty, "j"));
        let (ca, cb) = (returned("a"), returned("b"));
        for (x, y) in [(&a, &b), (&ma, &mb), (&ca, &cb), (&a, &mb), (&ma, &b), (&ca, &b)] {
            guest.value(result, &format!("({op} {x} {y})"), ordered);
        }
        guest.value(result, &format!("({op} {b} {a})"), |a, b| binary(op, b, a));
        guest.value(result, &format!("({op} {a} {a})"), |a, _| binary(op, a, a));
        guest.value(result, &format!("({op} (local.tee $d {mb}) (local.get $d))"), |_, b| {
            binary(op, b, b)
        });
        // The operand keeps its value although the local changes.
        let changed = format!(
            "(block (result {}) (local.set $d {a}) ({op} (local.get $d) (local.tee $d {b})))",
            name(result)
        );
        guest.value(result, &changed, ordered);
        if result == ty {
            for (kept, x, y) in
                [("a", "(local.get $d)", b.as_str()), ("b", a.as_str(), "(local.get $d)")]
            {
                guest.value(
                    result,
                    &format!(
                        "(block (result {ty}) (local.set $d (local.get ${kept}))
                            (local.set $d ({op} {x} {y})) (local.get $d))",
                        ty = name(ty)
                    ),
                    ordered,
                );
            }
        }
        guest.check();
    }
}

#[test]
fn ops_on_a_slot_and_a_constant() {
    for (op, ty, result) in binary_ops() {
        let values = edges(ty);
        let mut guest = Guest::new(op, ty, &values, false);
        for &value in &values {
            let constant = constant(ty, value);
            guest.value(result, &format!("({op} (local.get $a) {constant})"), |a, _| {
                binary(op, a, value)
            });
            guest.value(result, &format!("({op} {constant} (local.get $a))"), |a, _| {
                binary(op, value, a)
            });
            if result == ty {
                let memory = load(ty, "i");
                guest.value(result, &format!("({op} {memory} {constant})"), |a, _| {
                    binary(op, a, value)
                });
            }
        }
        guest.check();
    }
}

#[test]
fn ops_on_two_constants() {
    for (op, ty, result) in binary_ops() {
        let values = edges(ty);
        let mut guest = Guest::new(op, ty, &values[..1], false);
        for (index, &first) in values.iter().enumerate() {
            // Each with itself, and in turn with every other.
            for &second in values.iter().skip(index % 3).step_by(3).chain([&first]) {
                let text = format!("({op} {} {})", constant(ty, first), constant(ty, second));
                guest.value(result, &text, |_, _| binary(op, first, second));
            }
        }
        guest.check();
    }
}

#[test]
fn wide_arithmetic() {
    /// A result of 128 bits, in 64 that show all of them.
    fn folded(wide: u128) -> Expected {
        Expected::Bits(wide as u64 ^ ((wide >> 64) as u64).rotate_left(7))
    }
    fn signed(value: u64) -> i128 {
        i128::from(value as i64)
    }
    let joined = |low: u64, high: u64| u128::from(high) << 64 | u128::from(low);
    let show = |op: &str, operands: &[&str]| {
        format!(
            "(block (result i64)
                ({op} {}) (local.set $y) (local.set $x)
                (i64.xor (local.get $x) (i64.rotl (local.get $y) (i64.const 7))))",
            operands.join(" ")
        )
    };
    let values = edges(Type::I64);
    let (a, b) = ("(local.get $a)", "(local.get $b)");
    let (ma, mb) = ("(i64.load (local.get $i))", "(i64.load (local.get $j))");

    for (op, sum) in [
        ("i64.add128", u128::wrapping_add as fn(u128, u128) -> u128),
        ("i64.sub128", u128::wrapping_sub),
    ] {
        let mut guest = Guest::new(op, Type::I64, &values, true);
        for (x, y) in [(a, b), (ma, mb), (a, mb)] {
            guest.show(show(op, &[x, y, y, x]), |a, b| folded(sum(joined(a, b), joined(b, a))));
            guest.show(show(op, &[x, x, y, y]), |a, b| folded(sum(joined(a, a), joined(b, b))));
            guest.show(show(op, &[x, y, x, y]), |a, b| folded(sum(joined(a, b), joined(a, b))));
            for constant in [0, 1, -1, i64::MAX, i64::MIN] {
                let text = format!("(i64.const {constant})");
                let c = constant as u64;
                guest.show(show(op, &[x, y, &text, y]), |a, b| {
                    folded(sum(joined(a, b), joined(c, b)))
                });
                guest.show(show(op, &[x, y, y, &text]), |a, b| {
                    folded(sum(joined(a, b), joined(b, c)))
                });
                guest.show(show(op, &[&text, x, y, x]), |a, b| {
                    folded(sum(joined(c, a), joined(b, a)))
                });
                guest.show(show(op, &[&text, &text, x, y]), |a, b| {
                    folded(sum(joined(c, c), joined(a, b)))
                });
            }
        }
        guest.check();
    }
    for (op, product) in [
        ("i64.mul_wide_s", (|a, b| (signed(a) * signed(b)) as u128) as fn(u64, u64) -> u128),
        ("i64.mul_wide_u", |a, b| u128::from(a) * u128::from(b)),
    ] {
        let mut guest = Guest::new(op, Type::I64, &values, true);
        for (x, y) in [(a, b), (ma, mb), (a, mb), (ma, b)] {
            guest.show(show(op, &[x, y]), |a, b| folded(product(a, b)));
        }
        guest.show(show(op, &[a, a]), |a, _| folded(product(a, a)));
        for &value in &values {
            let text = constant(Type::I64, value);
            guest.show(show(op, &[a, &text]), |a, _| folded(product(a, value)));
            guest.show(show(op, &[&text, b]), |_, b| folded(product(value, b)));
        }
        guest.check();
    }
}
