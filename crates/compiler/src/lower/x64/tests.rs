//! Vectors, atomic accesses and objects as text; and that every op finds registers, on
//! old processors and new ones.

use crate::lower::tests::{Build, expect};
use crate::ssa::{Access, Edge, Likely, Op, Terminator, Value, VectorOp};
use crate::testing::TestModule;
use zwasm_regir::gc::{Extend, GcOp, HeapTarget, RefTarget};
use zwasm_regir::simd::Width;
use zwasm_regir::simd_ops::{
    self, BinaryOp, ExtractOp, ShiftOp, SplatOp, TernaryOp, TestOp, UnaryOp,
};
use zwasm_regir::{AtomicOp, LoadOp, Type};

const OLD: [&str; 0] = [];
const NEW: [&str; 6] = ["avx", "avx2", "bmi1", "bmi2", "lzcnt", "popcnt"];
const ACCESS: Access = Access { mem: 0, offset: 16, checked: false };

/// Selects an op, whose operands and results are of these types, where its operands are
/// dead behind it, where they are not, and where they are all the same.
fn select(op: Op, params: &[Type], result: Option<Type>) -> Vec<String> {
    let mut listings = Vec::new();
    for features in [&OLD[..], &NEW[..]] {
        for kept in [false, true] {
            for same in [false, true] {
                let mut types = params.to_vec();
                types.extend(result);
                let mut results: Vec<Type> = result.into_iter().collect();
                if kept {
                    results.extend(params);
                }
                let mut build = Build::new(params, &results);
                let first = |ty| params.iter().position(|each| *each == ty).unwrap_or(0);
                let args: Vec<Value> = (0..params.len())
                    .map(|index| build.param(if same { first(params[index]) } else { index }))
                    .collect();
                let found = build.op(op, &args, &results[..usize::from(result.is_some())]);
                let mut values: Vec<Value> = result.map(|_| found).into_iter().collect();
                if kept {
                    values.extend(&args);
                }
                build.end(Terminator::Return(values.into()));
                listings.push(build.listing(&TestModule::new(features)));
            }
        }
    }
    listings
}

#[test]
fn every_vector_op_finds_registers() {
    const V: Type = Type::V128;
    let mut count = 0;
    let mut check = |op: VectorOp, params: &[Type], result: Type| {
        count += 1;
        for listing in select(Op::Vector(op), params, Some(result)) {
            assert!(listing.contains("ret"), "{op:?}\n{listing}");
        }
    };
    UnaryOp::ALL.iter().for_each(|op| check(VectorOp::Unary(*op), &[V], V));
    BinaryOp::ALL.iter().for_each(|op| check(VectorOp::Binary(*op), &[V, V], V));
    TernaryOp::ALL.iter().for_each(|op| check(VectorOp::Ternary(*op), &[V, V, V], V));
    ShiftOp::ALL.iter().for_each(|op| check(VectorOp::Shift(*op), &[V, Type::I32], V));
    TestOp::ALL.iter().for_each(|op| check(VectorOp::Test(*op), &[V], Type::I32));
    SplatOp::ALL.iter().for_each(|op| check(VectorOp::Splat(*op), &[op.operand()], V));
    for op in ExtractOp::ALL {
        for lane in [0, 1] {
            check(VectorOp::Extract(*op, lane), &[V], op.result());
        }
    }
    for (width, ty) in [
        (Width::B8, Type::I32),
        (Width::B16, Type::I32),
        (Width::B32, Type::I32),
        (Width::B64, Type::I64),
        (Width::B32, Type::F32),
        (Width::B64, Type::F64),
    ] {
        for lane in [0, 1] {
            check(VectorOp::Replace(width, lane), &[V, ty], V);
        }
    }
    let bytes = |first: u8, step: u8| std::array::from_fn(|i| (first + step * i as u8) % 32);
    for lanes in [bytes(0, 1), bytes(0, 2), bytes(1, 3), bytes(5, 1), bytes(16, 1), bytes(3, 0)] {
        check(VectorOp::Shuffle(lanes), &[V, V], V);
    }
    assert!(count > 220, "{count} ops");
}

#[test]
fn every_access_finds_registers() {
    const V: Type = Type::V128;
    for (checked, more) in [(false, 0), (true, 1)] {
        let access = Access { checked, ..ACCESS };
        let place = |rest: &[Type]| {
            let mut types = vec![Type::I64, Type::I32];
            types.extend((0..more).map(|_| Type::I64));
            types.extend(rest);
            types
        };
        for op in simd_ops::LoadOp::ALL {
            select(Op::VectorLoad(*op, access), &place(&[]), Some(V));
        }
        select(Op::VectorStore(access), &place(&[V]), None);
        for width in [Width::B8, Width::B16, Width::B32, Width::B64] {
            for lane in [0, 1] {
                select(Op::LoadLane(width, lane, access), &place(&[V]), Some(V));
                select(Op::StoreLane(width, lane, access), &place(&[V]), None);
            }
        }
        for &op in AtomicOp::ALL {
            let operands = vec![op.value(); op.operands()];
            let result = op.has_result().then_some(op.value());
            for listing in select(Op::Atomic(op, access), &place(&operands), result) {
                let checks = listing.contains("testl") || listing.contains("testb");
                assert_eq!(checks, op.size() > 1, "{op:?}\n{listing}");
            }
        }
    }
}

fn loaded(build: &mut Build, op: Op, ty: Type) -> Value {
    let (base, addr) = (build.param(0), build.param(1));
    build.op(op, &[base, addr], &[ty])
}

/// `a - load`, of vectors.
fn with_loaded(features: &[&str]) -> String {
    let params = [Type::I64, Type::I32, Type::V128];
    let mut build = Build::new(&params, &[Type::V128]);
    let a = build.param(2);
    let b = loaded(&mut build, Op::VectorLoad(simd_ops::LoadOp::V128Load, ACCESS), Type::V128);
    let op = Op::Vector(VectorOp::Binary(BinaryOp::I32x4Sub));
    let sum = build.op(op, &[a, b], &[Type::V128]);
    build.end(Terminator::Return(smallvec::smallvec![sum]));
    build.listing(&TestModule::new(features))
}

#[test]
fn a_load_is_part_of_an_instruction_that_may_read_any_place() {
    expect(
        &with_loaded(&NEW),
        "
        L0:
        pushq rbp
        movq rbp, rsp
        L1:
        psubd xmm0, xmm0, [rax + rcx*1 + 0x10]
        popq rbp
        ret
        ",
    );
    expect(
        &with_loaded(&OLD),
        "
        L0:
        pushq rbp
        movq rbp, rsp
        L1:
        movups xmm3, [rax + rcx*1 + 0x10]
        psubd xmm0, xmm0, xmm3
        popq rbp
        ret
        ",
    );
}

#[test]
fn a_load_of_more_than_is_read_stays_one() {
    let mut build = Build::new(&[Type::I64, Type::I32], &[Type::V128]);
    let a = loaded(&mut build, Op::VectorLoad(simd_ops::LoadOp::V128Load, ACCESS), Type::V128);
    let op = Op::Vector(VectorOp::Unary(UnaryOp::I16x8ExtendLowI8x16S));
    let wide = build.op(op, &[a], &[Type::V128]);
    build.end(Terminator::Return(smallvec::smallvec![wide]));
    let listing = build.listing(&TestModule::new(&NEW));
    assert!(listing.contains("movups xmm2, [rax + rcx*1 + 0x10]"), "{listing}");
    assert!(listing.contains("pmovsxbw xmm0, xmm2"), "{listing}");
}

#[test]
fn a_constant_is_an_operand_in_memory_and_comes_last() {
    let mut build = Build::new(&[Type::V128], &[Type::V128]);
    let a = build.param(0);
    let constant = build.op(Op::VectorConst([1, 2]), &[], &[Type::V128]);
    let op = Op::Vector(VectorOp::Binary(BinaryOp::I64x2Add));
    let sum = build.op(op, &[constant, a], &[Type::V128]);
    build.end(Terminator::Return(smallvec::smallvec![sum]));
    let listing = build.listing(&TestModule::new(&OLD));
    assert!(listing.contains("paddq xmm0, xmm0, L0"), "{listing}");
}

#[test]
fn a_load_and_a_splat_are_one() {
    let mut build = Build::new(&[Type::I64, Type::I32], &[Type::V128]);
    let a = loaded(&mut build, Op::Load(LoadOp::I32Load8U, ACCESS), Type::I32);
    let op = Op::Vector(VectorOp::Splat(SplatOp::I8x16Splat));
    let splat = build.op(op, &[a], &[Type::V128]);
    build.end(Terminator::Return(smallvec::smallvec![splat]));
    let listing = build.listing(&TestModule::new(&NEW));
    assert!(listing.contains("vpbroadcastb xmm0, [rax + rcx*1 + 0x10]"), "{listing}");
}

/// A branch by a value that an op makes of the parameter.
fn branch(op: Op, param: Type, results: &[Type]) -> String {
    let mut build = Build::new(&[param], &[Type::I32]);
    let a = build.param(0);
    let cond = build.op(op, &[a], results);
    let (yes, no) = (build.func.add_block(), build.func.add_block());
    let edge = |block| Edge { block, args: Vec::new() };
    let (then, otherwise) = (edge(yes), edge(no));
    build.end(Terminator::Branch { cond, then, otherwise, likely: Likely::Unknown });
    for (block, value) in [(yes, 1), (no, 2)] {
        build.at = block;
        let value = build.constant(value);
        build.end(Terminator::Return(smallvec::smallvec![value]));
    }
    build.listing(&TestModule::new(&NEW))
}

#[test]
fn branches_want_no_numbers() {
    let any = Op::Vector(VectorOp::Test(TestOp::V128AnyTrue));
    let listing = branch(any, Type::V128, &[Type::I32]);
    assert!(listing.contains("ptest xmm0, xmm0\nje"), "{listing}");
    assert!(!listing.contains("set"), "{listing}");
    let test = Op::RefTest(RefTarget { nullable: false, heap: HeapTarget::I31 });
    let listing = branch(test, Type::Ref, &[Type::I32]);
    assert!(!listing.contains("movl rcx, 0x0"), "{listing}");
}

#[test]
fn fields_share_the_base_and_the_null_check() {
    let mut build = Build::new(&[Type::Ref], &[Type::I32]);
    let object = build.param(0);
    let get = Op::StructGet { ty: 0, field: 0, extend: Extend::Zero };
    let a = build.op(get, &[object], &[Type::I32]);
    build.op(Op::StructSet { ty: 0, field: 0 }, &[object, a], &[]);
    build.end(Terminator::Return(smallvec::smallvec![a]));
    let listing = build.listing(&TestModule::new(&NEW));
    assert_eq!(listing.matches("[rdi + 0x18]").count(), 1, "{listing}");
    assert_eq!(listing.matches("testl").count(), 1, "{listing}");
    assert_eq!(listing.matches("je ").count(), 1, "{listing}");
}

#[test]
fn an_allocation_keeps_registers() {
    let mut build = Build::new(&[Type::I32, Type::V128], &[Type::Ref, Type::I32, Type::V128]);
    let (a, v) = (build.param(0), build.param(1));
    let object = build.op(Op::Gc(GcOp::StructNew { ty: 0 }), &[a], &[Type::Ref]);
    build.end(Terminator::Return(smallvec::smallvec![object, a, v]));
    let listing = build.listing(&TestModule::new(&NEW));
    let (usual, rare) = listing.split_once("ret\n").unwrap();
    // Nothing is spilled; all is kept and brought back out of line.
    assert!(!usual.contains("[rbp - 0x10]"), "{listing}");
    assert!(!usual.contains("call"), "{listing}");
    assert_eq!(rare.matches("call").count(), 3, "{listing}");
}
