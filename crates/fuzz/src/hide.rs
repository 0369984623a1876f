//! Hides which NaN an engine computes, of those that it may: the payload of a scalar
//! shows where it is stored, reinterpreted, put into a vector or gives its sign away,
//! and is made canonical there; every vector of floats is where it is computed.

use crate::between::{Emit, Scratch, rewritten_module};
use crate::opcodes::{F32_CONST, F32_EQ, F64_CONST, F64_EQ, LOCAL_GET, LOCAL_TEE, SELECT};
use crate::ops::{self, VECTOR};
use wasm_encoder::ValType;
use zwasm_regir::opcodes::{Operator, VectorOpcode, VectorOperator};
use zwasm_regir::reader::Reader;
use zwasm_regir::simd_ops::{
    BinaryOp as VectorBinaryOp, SplatOp, TernaryOp, UnaryOp as VectorUnaryOp,
};
use zwasm_regir::{BinaryOp, StoreOp, UnaryOp};

/// The module with its NaNs hidden; none if it is not valid.
pub fn hide(bytes: &[u8]) -> Option<Vec<u8>> {
    rewritten_module(bytes, |_, bytes, scratch, out| {
        canonical_scalar(bytes, scratch, out);
        out.extend_from_slice(bytes);
        if let Some(lanes) = computed_lanes(bytes) {
            canonical_lanes(lanes, scratch, out);
        }
    })
}

/// Makes the scalar canonical that the operator shows the bits of.
fn canonical_scalar(operator: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) {
    // Stores, reinterpretations, sign copies; splats and replacements of lanes.
    let single = match Reader::new(operator).operator() {
        Ok(
            Operator::Store(StoreOp::F32Store, _)
            | Operator::Unary(UnaryOp::I32ReinterpretF32)
            | Operator::Binary(BinaryOp::F32Copysign)
            | Operator::Vector(
                VectorOperator::Splat(SplatOp::F32x4Splat)
                | VectorOperator::F32x4ReplaceLane { .. },
            ),
        ) => true,
        Ok(
            Operator::Store(StoreOp::F64Store, _)
            | Operator::Unary(UnaryOp::I64ReinterpretF64)
            | Operator::Binary(BinaryOp::F64Copysign)
            | Operator::Vector(
                VectorOperator::Splat(SplatOp::F64x2Splat)
                | VectorOperator::F64x2ReplaceLane { .. },
            ),
        ) => false,
        _ => return,
    };
    let local = scratch.local(if single { ValType::F32 } else { ValType::F64 });
    out.with(LOCAL_TEE, local);
    if single {
        out.push(F32_CONST);
        out.extend(0x7fc0_0000_u32.to_le_bytes());
    } else {
        out.push(F64_CONST);
        out.extend(0x7ff8_0000_0000_0000_u64.to_le_bytes());
    }
    out.with(LOCAL_GET, local);
    out.with(LOCAL_GET, local);
    out.extend([if single { F32_EQ } else { F64_EQ }, SELECT]);
}

/// Floats in a vector.
#[derive(Clone, Copy)]
enum Lanes {
    F32,
    F64,
}

/// What floats an operator on vectors computes.
fn computed_lanes(operator: &[u8]) -> Option<Lanes> {
    let Ok(Operator::Vector(operator)) = Reader::new(operator).operator() else { return None };
    let canonical = match operator {
        VectorOperator::Unary(op) => op.canonical(),
        VectorOperator::Binary(op) => op.canonical(),
        VectorOperator::Ternary(op) => op.canonical(),
        _ => None,
    };
    canonical.map(|op| match op {
        VectorUnaryOp::F32x4Canonical => Lanes::F32,
        _ => Lanes::F64,
    })
}

/// Makes the floats of the vector on the stack canonical.
fn canonical_lanes(lanes: Lanes, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let local = scratch.local(ValType::V128);
    out.with(LOCAL_TEE, local);
    ops::push(out, VECTOR, VectorOpcode::V128Const as u32);
    match lanes {
        Lanes::F32 => (0..4).for_each(|_| out.extend(0x7fc0_0000_u32.to_le_bytes())),
        Lanes::F64 => (0..2).for_each(|_| out.extend(0x7ff8_0000_0000_0000_u64.to_le_bytes())),
    }
    out.with(LOCAL_GET, local);
    out.with(LOCAL_GET, local);
    // Equal to themselves; selected bit by bit.
    let equal = match lanes {
        Lanes::F32 => VectorBinaryOp::F32x4Eq,
        Lanes::F64 => VectorBinaryOp::F64x2Eq,
    };
    ops::push(out, VECTOR, equal.opcode().into());
    ops::push(out, VECTOR, TernaryOp::V128Bitselect.opcode().into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::ours;
    use crate::outcome::{Likeness, difference};
    use crate::plan::Plan;

    #[test]
    fn what_shows_the_bits_of_a_nan_shows_one() {
        let text = r#"(module
          (memory (export "m") 1)
          (func (export "single") (param f32)
            (local.set 0 (f32.mul (f32.const -nan:0x200001) (f32.const 1)))
            (f32.store (i32.const 0) (local.get 0))
            (i32.store (i32.const 4) (i32.reinterpret_f32 (local.get 0)))
            (f32.store (i32.const 8) (f32.copysign (f32.const 1) (local.get 0)))
            (v128.store (i32.const 16) (f32x4.splat (local.get 0)))
            (v128.store (i32.const 32) (f32x4.add (v128.const i32x4 -1 -2 -3 0) (v128.const i32x4 0 0 0 0)))))"#;
        let module = wat::parse_str(text).unwrap();
        let hidden = hide(&module).unwrap();
        let plan = Plan { fuel: None, ..Plan::new(&module, 1).unwrap() };
        let memory = |bytes: &[u8], deterministic| {
            let mut config = zwasm::Config::new();
            config.deterministic(deterministic);
            let engine = zwasm::Engine::new(&config).unwrap();
            ours::run(&engine, bytes, &plan)
        };
        let differs = |bytes: &[u8]| {
            let (one, two) = (memory(bytes, false), memory(bytes, true));
            difference(&one, &two, Likeness::Alike).is_some()
        };
        assert!(differs(&module) && !differs(&hidden));
    }
}
