//! Encoding of the vector instructions.

use super::{BITS, Encoder, Form, fields, with_upper};
use crate::interp::handlers::{Handler, simd};
use zwasm_regir::simd::{SimdInst, Width};
use zwasm_regir::{Operand, Type};

impl Encoder<'_> {
    pub(super) fn simd(&mut self, inst: SimdInst) {
        let tier = simd::tier();
        match inst {
            SimdInst::Const { dst, halves } => {
                self.op(simd::vector_const, fields(dst.0, 0, 0, 0));
                self.words.extend(halves);
            }
            SimdInst::Copy { dst, src } => {
                self.op(simd::vector_copy, fields(dst.0, src.0, 0, 0));
            }
            SimdInst::Select { dst, cond, a, b } => {
                let (form, cond) = self.form(Operand::Slot(cond), Type::I32);
                self.op(simd::SELECT[form as usize], fields(dst.0, a.0, b.0, cond));
            }
            SimdInst::GlobalGet { dst, global } => {
                let (imported, place) = self.module.global_place(global).indexed();
                self.op(simd::GLOBAL[0][imported], with_upper(dst.0, 0, place));
            }
            SimdInst::GlobalSet { global, value } => {
                let (imported, place) = self.module.global_place(global).indexed();
                self.op(simd::GLOBAL[1][imported], with_upper(value.0, 0, place));
            }
            SimdInst::Return { value } => {
                self.op(simd::ret_vector, fields(self.function.frame.header, value.0, 0, 0));
            }
            SimdInst::Unary { op, dst, a } => {
                self.op(simd::UNARY[op as usize][tier], fields(dst.0, a.0, 0, 0));
            }
            SimdInst::Binary { op, dst, a, b } => {
                self.op(simd::BINARY[op as usize][tier], fields(dst.0, a.0, b.0, 0));
            }
            SimdInst::Ternary { op, dst, a, b, c } => {
                self.op(simd::TERNARY[op as usize][tier], fields(dst.0, a.0, b.0, c.0));
            }
            SimdInst::Shift { op, dst, a, count } => {
                let (form, slot) = self.form(count, Type::I32);
                let handler = simd::SHIFT[op as usize][tier][form as usize];
                match count {
                    Operand::Const(count) => self.op(handler, with_upper(dst.0, a.0, count as u32)),
                    Operand::Slot(_) => self.op(handler, fields(dst.0, a.0, slot, 0)),
                }
            }
            SimdInst::Test { op, dst, a } => {
                self.op(simd::TEST[op as usize][tier], fields(dst.0, a.0, 0, 0));
                self.leaves(dst, Type::I32);
            }
            SimdInst::Splat { op, dst, a } => {
                let (form, a) = self.form(Operand::Slot(a), op.operand());
                self.op(simd::SPLAT[op as usize][tier][form as usize], fields(dst.0, a, 0, 0));
            }
            SimdInst::Extract { op, dst, a, lane } => {
                let byte = u32::from(lane) * op.lane_bytes();
                self.op(simd::EXTRACT[op as usize], fields(dst.0, a.0, byte, 0));
                self.leaves(dst, op.result());
            }
            SimdInst::Replace { width, dst, a, value, lane } => {
                let (form, value) = self.form(Operand::Slot(value), BITS);
                let handler = simd::REPLACE[width as usize][form as usize];
                self.op(handler, fields(dst.0, a.0, value, 0));
                self.words.extend(mask(width, lane));
            }
            SimdInst::Shuffle { dst, a, b, lanes } => {
                self.op(simd::SHUFFLE[tier], fields(dst.0, a.0, b.0, 0));
                self.words.extend(halves(u128::from_le_bytes(lanes)));
            }
            SimdInst::Load { op, dst, addr, mem, offset } => {
                let handlers = &simd::LOAD[op as usize][tier];
                self.access(handlers, addr, mem, offset, |addr| (dst.0, addr));
            }
            SimdInst::LoadLane { width, dst, a, lane, addr, mem, offset } => {
                let [fast, any] = simd::LOAD_LANE[width as usize];
                self.access(&[fast, fast, any], addr, mem, offset, |addr| (dst.0, addr));
                self.words.extend(mask(width, lane));
                self.words.push(u64::from(a.0));
            }
            SimdInst::Store { addr, value, mem, offset } => {
                self.access(&simd::STORE, addr, mem, offset, |addr| (addr, value.0));
            }
            SimdInst::StoreLane { width, value, lane, addr, mem, offset } => {
                let [fast, any] = simd::STORE_LANE[width as usize];
                self.access(&[fast, fast, any], addr, mem, offset, |addr| (addr, value.0));
                self.words.push(u64::from(u32::from(lane) * width.bytes()));
            }
        }
    }

    /// An access by one of three handlers: with the address in a slot, in the
    /// accumulator, or to any memory. `order` places the address's slot.
    fn access(
        &mut self,
        handlers: &[Handler; 3],
        addr: Operand,
        mem: u32,
        offset: u64,
        order: impl Fn(u32) -> (u32, u32),
    ) {
        match self.fast_offset(mem, offset) {
            Some(offset) => {
                // A constant address is rare enough to be put into a slot.
                let slot = self.in_slot(addr, 0);
                let form = match addr {
                    Operand::Slot(_) => self.form(addr, Type::I32).0,
                    Operand::Const(_) => Form::Slot,
                };
                let (first, second) = order(slot);
                self.op(handlers[form as usize], with_upper(first, second, offset));
            }
            None => {
                let (first, second) = order(self.in_slot(addr, 0));
                self.op(handlers[2], with_upper(first, second, mem));
                self.words.push(offset);
            }
        }
    }
}

fn halves(bits: u128) -> [u64; 2] {
    [bits as u64, (bits >> 64) as u64]
}

/// All ones in one lane.
fn mask(width: Width, lane: u8) -> [u64; 2] {
    let bits = width.bytes() * 8;
    halves((u128::MAX >> (128 - bits)) << (u32::from(lane) * bits))
}
