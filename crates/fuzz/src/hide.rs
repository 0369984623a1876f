//! Hides which NaN an engine computes, of those that it may: the payload of a scalar
//! shows where it is stored, reinterpreted, put into a vector or gives its sign away,
//! and is made canonical there; every vector of floats is where it is computed.

use crate::between::{
    Emit, F32_CONST, F32_EQ, F64_CONST, F64_EQ, LOCAL_GET, LOCAL_TEE, SELECT, Scratch,
    rewritten_module,
};
use crate::ops::VECTOR;
use wasm_encoder::ValType;

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
    let single = match operator {
        [0x38 | 0xbc | 0x98, ..] | [VECTOR, 0x13 | 0x20, ..] => true,
        [0x39 | 0xbd | 0xa6, ..] | [VECTOR, 0x14 | 0x22, ..] => false,
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
#[derive(Clone, Copy, PartialEq)]
enum Lanes {
    F32,
    F64,
}

/// What floats an operator on vectors computes.
fn computed_lanes(operator: &[u8]) -> Option<Lanes> {
    Some(match operator {
        [VECTOR, 0x5e | 0x67..=0x6a] | [VECTOR, 0xe3..=0xe9, 1] => Lanes::F32,
        [VECTOR, 0x5f | 0x74 | 0x75 | 0x7a] | [VECTOR, 0x94 | 0xef..=0xf5, 1] => Lanes::F64,
        [VECTOR, 0x85 | 0x86 | 0x8d | 0x8e, 2] => Lanes::F32,
        [VECTOR, 0x87 | 0x88 | 0x8f | 0x90, 2] => Lanes::F64,
        _ => return None,
    })
}

/// Makes the floats of the vector on the stack canonical.
fn canonical_lanes(lanes: Lanes, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let local = scratch.local(ValType::V128);
    out.with(LOCAL_TEE, local);
    out.extend([VECTOR, 0x0c]);
    match lanes {
        Lanes::F32 => (0..4).for_each(|_| out.extend(0x7fc0_0000_u32.to_le_bytes())),
        Lanes::F64 => (0..2).for_each(|_| out.extend(0x7ff8_0000_0000_0000_u64.to_le_bytes())),
    }
    out.with(LOCAL_GET, local);
    out.with(LOCAL_GET, local);
    // Equal to themselves; selected bit by bit.
    out.extend([VECTOR, if lanes == Lanes::F32 { 0x41 } else { 0x47 }, VECTOR, 0x52]);
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
