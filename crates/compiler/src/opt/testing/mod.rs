//! An interpreter of SSA, and programs to run it on: what a function does must not change,
//! whatever passes do to it.

mod interpreter;
mod programs;

use super::{Context, ORDER};
use crate::environment::MemoryInfo;
use crate::ssa::graph::Graph;
use crate::ssa::{Block, Func, Likely, Op, Terminator, Value};
use crate::testing::TestModule;
use interpreter::{MEMORY, Seen, run};
use programs::{Builder, Random, VARS};
use zwasm_regir::{BinaryOp, Storage, Type, UnaryOp};

const STRUCTS: [&[Storage]; 3] = [
    &[Storage::I32, Storage::I8, Storage::I64, Storage::HeapRef],
    &[Storage::I32, Storage::I8, Storage::I64, Storage::HeapRef, Storage::I16],
    &[Storage::I64, Storage::I32, Storage::HeapRef],
];

/// Memories 0 and 1 are the module's own, without and with checks; 2 and 3 are imports,
/// and the same. Structure type 1 is below 0.
fn module() -> TestModule {
    TestModule {
        signatures: &[(&[Type::I32], &[Type::I32])],
        memory: |memory| MemoryInfo {
            is_64: false,
            shared: false,
            page_size_log2: 0,
            guard: (memory == 0).then_some(1 << 16),
            imported: memory > 1,
            minimum: MEMORY,
        },
        structs: &[(None, STRUCTS[0]), (Some(0), STRUCTS[1]), (None, STRUCTS[2])],
        ..TestModule::new(&[])
    }
}

/// Runs passes one after the other and compares what the function does.
pub(super) fn check(func: &mut Func, inputs: &[Vec<u64>], name: &str) {
    let module = module();
    let before: Vec<Option<Seen>> = inputs.iter().map(|args| run(func, args)).collect();
    for pass in &ORDER {
        let text = func.to_string();
        let context = Context { env: &module, graph: Graph::of(func) };
        (pass.run)(func, &context);
        crate::ssa::verify::verify(func, &module, pass.name);
        for (args, before) in inputs.iter().zip(&before) {
            if let Some(before) = before {
                let after = run(func, args);
                assert!(
                    after.as_ref() == Some(before),
                    "{name}: {} on {args:x?}\n{before:x?}\n{after:x?}\n{text}\n{func}",
                    pass.name,
                );
            }
        }
    }
}

#[test]
fn programs_do_what_they_did() {
    let mut made = (0, 0);
    for seed in 0..3000 {
        let mut random = Random(seed);
        let mut builder = Builder::new();
        builder.statements(&mut random, 3);
        builder.statements(&mut random, 3);
        let mut func = builder.finish();
        let inputs: Vec<Vec<u64>> = (0..4)
            .map(|_| {
                (VARS.iter())
                    .map(|ty| {
                        let bits = match random.below(3) {
                            0 => random.below(40),
                            1 => 0u64.wrapping_sub(random.below(3)),
                            _ => random.next().wrapping_mul(0x9E37_79B9),
                        };
                        if *ty == Type::I32 { u64::from(bits as u32) } else { bits }
                    })
                    .collect()
            })
            .collect();
        made.0 += count_made(&func);
        check(&mut func, &inputs, &format!("program {seed}"));
        made.1 += count_made(&func);
    }
    assert!(made.1 * 4 < made.0 * 3, "of {} objects {} are left", made.0, made.1);
}

/// The objects that a function makes.
fn count_made(func: &Func) -> usize {
    let graph = Graph::of(func);
    let insts = graph.order.iter().flat_map(|block| &func.block(*block).insts);
    insts.filter(|inst| matches!(func.inst(**inst).op, Op::Gc(_))).count()
}

/// Values as edge cases have them.
fn edges(random: &mut Random) -> u64 {
    let near = random.one(&[0, 1 << 31, 1 << 32, 1 << 63, 0xFFFF_FFFF]);
    match random.below(3) {
        0 => near + random.below(3),
        1 => near.wrapping_sub(random.below(3)),
        _ => random.next().wrapping_mul(0x9E37_79B9) >> random.below(64),
    }
}

#[test]
fn division_by_constants() {
    let mut random = Random(7);
    for round in 0..1500 {
        let mut builder = Builder::new();
        let mut divisors = Vec::new();
        for (index, ty) in VARS.into_iter().enumerate() {
            let by = edges(&mut random).max(1);
            let by = if ty == Type::I32 { u64::from(by as u32).max(1) } else { by };
            let ops = match ty {
                Type::I32 => [BinaryOp::I32DivS, BinaryOp::I32DivU, BinaryOp::I32RemS],
                _ => [BinaryOp::I64DivS, BinaryOp::I64DivU, BinaryOp::I64RemS],
            };
            divisors.push(by);
            let by = builder.value(Op::Const(by), &[], ty);
            let op = Op::Binary(random.one(&ops));
            builder.vars[index] = builder.value(op, &[builder.vars[index], by], ty);
        }
        let mut func = builder.finish();
        let inputs: Vec<Vec<u64>> = (0..60)
            .map(|_| {
                (VARS.iter().zip(&divisors))
                    .map(|(ty, by)| {
                        let number = match random.below(2) {
                            0 => edges(&mut random),
                            _ => by.wrapping_mul(edges(&mut random)).wrapping_sub(random.below(2)),
                        };
                        if *ty == Type::I32 { u64::from(number as u32) } else { number }
                    })
                    .collect()
            })
            .collect();
        check(&mut func, &inputs, &format!("round {round}"));
        let trapping = |inst: &crate::ssa::Inst| match func.inst(*inst).op {
            Op::Binary(op) => op.traps(),
            _ => false,
        };
        // What is left divides by -1.
        let left = func.blocks[0].insts.iter().filter(|inst| trapping(inst)).count();
        let minus_one = divisors.iter().zip(VARS).filter(|(by, ty)| **by == super::ints::mask(*ty));
        assert!(left <= minus_one.count(), "{func}");
    }
}

/// The two ways to compute a product of 128 bits in parts, as compilers write them.
#[test]
fn wide_products_are_found() {
    for (at_once, masks, swapped) in
        [(false, false, false), (true, false, true), (false, true, true), (true, true, false)]
    {
        let mut builder = Builder::new();
        let i64 = Type::I64;
        let mut a = builder.vars[3];
        let b = builder.vars[4];
        if swapped {
            let mask = builder.value(Op::Const(0x7_FFFF_FFFF_FFFF), &[], i64);
            a = builder.value(Op::Binary(BinaryOp::I64And), &[a, mask], i64);
        }
        let mut constant = |bits| builder.value(Op::Const(bits), &[], i64);
        let (low_mask, half) = (constant(0xFFFF_FFFF), constant(32));
        let low = |builder: &mut Builder, value| {
            if masks {
                return builder.value(Op::Binary(BinaryOp::I64And), &[value, low_mask], i64);
            }
            let low = builder.value(Op::Unary(UnaryOp::I32WrapI64), &[value], Type::I32);
            builder.value(Op::Unary(UnaryOp::I64ExtendI32U), &[low], i64)
        };
        let high = |builder: &mut Builder, value| {
            builder.value(Op::Binary(BinaryOp::I64ShrU), &[value, half], i64)
        };
        let binary = |builder: &mut Builder, op: BinaryOp, a: Value, b: Value| {
            let (a, b) = if swapped && op.commutes() { (b, a) } else { (a, b) };
            builder.value(Op::Binary(op), &[a, b], i64)
        };
        let b2 = &mut builder;
        let (a0, a1) = (low(b2, a), high(b2, a));
        let (b0, b1) = (low(b2, b), high(b2, b));
        let p00 = binary(b2, BinaryOp::I64Mul, a0, b0);
        let p01 = binary(b2, BinaryOp::I64Mul, a0, b1);
        let p10 = binary(b2, BinaryOp::I64Mul, a1, b0);
        let p11 = binary(b2, BinaryOp::I64Mul, a1, b1);
        let carried = high(b2, p00);
        let (s, t) = if at_once {
            let (m1, m2) = (low(b2, p01), low(b2, p10));
            let sum = binary(b2, BinaryOp::I64Add, m1, carried);
            (binary(b2, BinaryOp::I64Add, sum, m2), None)
        } else {
            let t = binary(b2, BinaryOp::I64Add, p10, carried);
            let rest = low(b2, t);
            (binary(b2, BinaryOp::I64Add, p01, rest), Some(t))
        };
        let s_high = high(b2, s);
        let mut upper = binary(b2, BinaryOp::I64Add, p11, s_high);
        // Something else among the terms.
        upper = binary(b2, BinaryOp::I64Add, upper, a);
        match t {
            Some(t) => {
                let t = high(b2, t);
                upper = binary(b2, BinaryOp::I64Add, upper, t);
            }
            None => {
                let (one, two) = (high(b2, p01), high(b2, p10));
                let both = binary(b2, BinaryOp::I64Add, one, two);
                upper = binary(b2, BinaryOp::I64Add, both, upper);
            }
        }
        let shifted = binary(b2, BinaryOp::I64Shl, s, half);
        let lowest = low(b2, p00);
        let lower = binary(b2, BinaryOp::I64Or, shifted, lowest);
        builder.vars[3] = upper;
        builder.vars[5] = lower;
        let mut func = builder.finish();
        let mut random = Random(3);
        let inputs: Vec<Vec<u64>> =
            (0..200).map(|_| (0..6).map(|_| edges(&mut random)).collect()).collect();
        check(&mut func, &inputs, "a product");
        let text = func.to_string();
        let count = |word: &str| text.matches(word).count();
        assert_eq!((count("mul"), count("mul_wide_u"), count("i64.add")), (1, 1, 1), "{text}");
    }
}

/// Shapes that a guest may make as large as it likes.
#[test]
fn cost_grows_with_size() {
    /// Loops in loops, each with its counter and what it computes of outer ones.
    fn nested(size: u64) -> Func {
        let mut builder = Builder::new();
        let mut headers = Vec::new();
        for _ in 0..size / 8 {
            let header = builder.start();
            builder.end(Terminator::Jump(builder.edge(header)), header);
            let [a, b] = [builder.vars[3], builder.vars[4]];
            builder.vars[3] = builder.value(Op::Binary(BinaryOp::I64Mul), &[a, b], Type::I64);
            builder.value(Op::GlobalGet(0), &[], Type::I64);
            headers.push(header);
        }
        for header in headers.into_iter().rev() {
            let behind = builder.start();
            let arg = builder.vars[0];
            let cond = builder.value(Op::Call { func: 0 }, &[arg], Type::I32);
            let (then, otherwise) = (builder.edge(header), builder.edge(behind));
            builder.end(Terminator::Branch { cond, then, otherwise, likely: Likely::Then }, behind);
        }
        builder.finish()
    }
    /// A table with a block for each edge, all of which lead to the same.
    fn wide(size: u64) -> Func {
        let mut builder = Builder::new();
        let targets: Vec<Block> = (0..size / 8).map(|_| builder.start()).collect();
        let behind = builder.start();
        let edges = targets.iter().map(|block| builder.edge(*block)).collect();
        let index = builder.vars[0];
        builder.end(Terminator::Table { index, edges }, behind);
        for &target in &targets {
            builder.block = target;
            builder.vars = builder.func.block(target).params.clone();
            builder.access(&mut Random(u64::from(target.0)), Some(Type::I32));
            builder.end(Terminator::Jump(builder.edge(behind)), behind);
        }
        builder.finish()
    }
    /// One block, whose values depend on each other, and all addresses differ.
    fn long(size: u64) -> Func {
        let mut builder = Builder::new();
        let mut random = Random(1);
        for _ in 0..size / 4 {
            let ty = Type::I64;
            builder.vars[3] = builder.expression(&mut random, ty, 1);
            builder.access(&mut random, None);
        }
        builder.finish()
    }
    /// Choices one behind the other, each decided by the same.
    fn chained(size: u64) -> Func {
        let mut builder = Builder::new();
        for _ in 0..size / 8 {
            let [then, behind] = [builder.start(), builder.start()];
            let cond = builder.vars[0];
            let (one, other) = (builder.edge(then), builder.edge(behind));
            let likely = Likely::Unknown;
            builder.end(Terminator::Branch { cond, then: one, otherwise: other, likely }, then);
            builder.emit(Op::Call { func: 0 }, &[cond], &[Type::I32]);
            builder.end(Terminator::Jump(builder.edge(behind)), behind);
        }
        builder.finish()
    }
    for (name, shape) in [
        ("nested", nested as fn(u64) -> Func),
        ("wide", wide),
        ("long", long),
        ("chained", chained),
    ] {
        let module = module();
        let time = |size| {
            let mut func = shape(size);
            let mut times = Vec::new();
            for pass in &ORDER {
                let context = Context { env: &module, graph: Graph::of(&func) };
                let start = std::time::Instant::now();
                (pass.run)(&mut func, &context);
                times.push((pass.name, start.elapsed().as_secs_f64()));
            }
            times
        };
        let (small, large) = (time(20_000), time(80_000));
        for ((pass, small), (_, large)) in small.into_iter().zip(large) {
            assert!(large < 16.0 * small + 0.5, "{name}: {pass} took {small} s, then {large} s");
        }
    }
}
