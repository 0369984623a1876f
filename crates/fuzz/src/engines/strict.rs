//! Writes what engines may decide differently in terms of what they may not, the way
//! ours has decided: of the relaxed operators on vectors, a multiplication and
//! addition rounds twice, and a dot product saturates its 16-bit sums; an array that
//! is copied from and null traps before bounds are looked at.

use crate::between::{Scratch, rewritten_module};
use wasm_encoder::{InstructionSink, ValType};
use wasmparser::Operator;

/// The module with those operators written out; none if it is not valid.
pub fn strict(bytes: &[u8]) -> Option<Vec<u8>> {
    rewritten_module(bytes, |operator, bytes, scratch, out| {
        if !write(operator, scratch, out) {
            out.extend_from_slice(bytes);
        }
    })
}

/// Writes the operator out if it is one of those.
fn write(operator: &Operator<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) -> bool {
    let [a, b, c] = scratch.locals(ValType::V128);
    let mut out = InstructionSink::new(out);
    match operator {
        Operator::F32x4RelaxedMadd => out.local_set(c).f32x4_mul().local_get(c).f32x4_add(),
        Operator::F64x2RelaxedMadd => out.local_set(c).f64x2_mul().local_get(c).f64x2_add(),
        Operator::F32x4RelaxedNmadd => {
            out.local_set(c).f32x4_mul().f32x4_neg().local_get(c).f32x4_add()
        }
        Operator::F64x2RelaxedNmadd => {
            out.local_set(c).f64x2_mul().f64x2_neg().local_get(c).f64x2_add()
        }
        Operator::I16x8RelaxedDotI8x16I7x16S => dot(&mut out, a, b),
        Operator::I32x4RelaxedDotI8x16I7x16AddS => {
            dot(out.local_set(c), a, b).i32x4_extadd_pairwise_i16x8_s().local_get(c).i32x4_add()
        }
        &Operator::ArrayCopy { array_type_index_dst, array_type_index_src } => {
            let [index, length] = scratch.locals(ValType::I32);
            out.local_set(length).local_set(index).ref_as_non_null();
            out.local_get(index).local_get(length);
            out.array_copy(array_type_index_dst, array_type_index_src)
        }
        _ => return false,
    };
    true
}

fn dot<'s, 'f>(out: &'s mut InstructionSink<'f>, a: u32, b: u32) -> &'s mut InstructionSink<'f> {
    out.local_set(b).local_tee(a);
    out.local_get(b).i16x8_extmul_low_i8x16_s().i32x4_extadd_pairwise_i16x8_s();
    out.local_get(a).local_get(b).i16x8_extmul_high_i8x16_s().i32x4_extadd_pairwise_i16x8_s();
    out.i16x8_narrow_i32x4_s()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::ours;
    use crate::outcome::Event;
    use crate::plan::Plan;

    #[test]
    fn what_is_written_out_computes_the_same() {
        // Products that round, sums of bytes that saturate, and zeros of both signs.
        let text = r#"(module
          (func (export "madd") (result v128) (f32x4.relaxed_madd (call $x) (call $x) (call $y)))
          (func (export "nmadd") (result v128) (f32x4.relaxed_nmadd (call $x) (call $x) (call $y)))
          (func (export "wide madd") (result v128)
            (f64x2.relaxed_madd (call $z) (call $z) (call $z)))
          (func (export "wide nmadd") (result v128)
            (f64x2.relaxed_nmadd (call $z) (call $z) (call $z)))
          (func (export "dot") (result v128)
            (i16x8.relaxed_dot_i8x16_i7x16_s (call $b) (call $b)))
          (func (export "dot and add") (result v128)
            (i32x4.relaxed_dot_i8x16_i7x16_add_s (call $b) (call $x) (call $b)))
          (func $x (result v128) (v128.const f32x4 1.0000001 -0 0 3e38))
          (func $y (result v128) (v128.const f32x4 -1.0000002 -0 0 -inf))
          (func $z (result v128) (v128.const f64x2 1.0000000000000002 0.1))
          (func $b (result v128)
            (v128.const i8x16 -128 -128 127 127 -128 127 3 4 5 6 7 8 9 10 11 12)))"#;
        let module = wat::parse_str(text).unwrap();
        let plan = Plan { fuel: None, ..Plan::new(&module, 1).unwrap() };
        let engine = zwasm::Engine::default();
        let outcome = ours::run(&engine, &module, &plan);
        let returned = |event: &&Event| matches!(event, Event::Called(_, Ok(_)));
        assert_eq!(outcome.iter().filter(returned).count(), 3 * 6);
        assert_eq!(outcome, ours::run(&engine, &strict(&module).unwrap(), &plan));
    }
}
