//! Floating-point arithmetic and conversions: the sequences of the encoder on registers.

use super::{Data, Inst, Ops, Select, Src};
use crate::asm::Rm;
use crate::isa::Size;
use crate::isa::x64::float::{Rounding, reads_memory};
use crate::isa::x64::{Cond, Condition};
use crate::lower::machine::{read, read_late, write, write_early, write_over};
use crate::ssa::{InstData, Value};
use zwasm_regir::{BinaryOp, CompareOp, Type, UnaryOp};

/// Set in the data of a sequence whose operand is in memory.
const IN_MEMORY: u64 = 1 << 32;
/// Set if it is a literal, whose number is above.
const IS_LITERAL: u64 = 1 << 33;
const LITERAL_SHIFT: u32 = 34;

/// The data of a sequence for an op with an operand.
fn data(op: u64, src: Src) -> Data {
    match src {
        Src::Mem(address) => Data { bits: op | IN_MEMORY, address },
        Src::Label(label) => Data::bits(op | IS_LITERAL | u64::from(label.0) << LITERAL_SHIFT),
        Src::Operand | Src::Imm(_) => Data::bits(op),
    }
}

/// The operand.
fn operand(regs: &mut super::emit::Regs<'_>, data: Data) -> Rm {
    if data.bits & IN_MEMORY != 0 {
        Rm::Mem(regs.mem(data.address))
    } else if data.bits & IS_LITERAL != 0 {
        Rm::Label(crate::asm::AsmLabel((data.bits >> LITERAL_SHIFT) as u32))
    } else {
        regs.rm()
    }
}

fn is_single(ty: Type) -> bool {
    ty == Type::F32
}

fn size(ty: Type) -> Size {
    if is_single(ty) { Size::B4 } else { Size::B8 }
}

impl Select<'_> {
    /// Whether a value is a constant that is not NaN. Only then the operands of sums and
    /// products may be exchanged: of two NaN, the first is the result.
    fn is_number(&self, ty: Type, value: Value) -> bool {
        self.func.constant(self.facts.root(value)).is_some_and(|bits| match ty {
            Type::F32 => !f32::from_bits(bits as u32).is_nan(),
            _ => !f64::from_bits(bits).is_nan(),
        })
    }

    pub(super) fn float_binary(&mut self, op: BinaryOp, inst: &InstData) {
        use BinaryOp::*;
        let ty = op.result();
        let (mut a, mut b) = (inst.args[0], inst.args[1]);
        if matches!(op, F32Add | F64Add | F32Mul | F64Mul) && self.is_number(ty, a) {
            (a, b) = (b, a);
        }
        let dst = self.result(inst);
        let first = self.reg(a);
        let mut ops = Ops::of(&[write_over(dst, 1), read(first)]);
        let src = if reads_memory(op) {
            self.src_rm(b, size(ty), &mut ops)
        } else {
            let second = self.reg(b);
            ops.push(read(second));
            Src::Operand
        };
        let sequence: super::Sequence = |e, regs, data| {
            let dst = regs.over();
            let src = operand(regs, data);
            e.asm.float_binary(BinaryOp::ALL[data.bits as u32 as usize], dst, src);
        };
        let data = data(op as u64, src);
        // Sums, products and the like are one instruction.
        let is_plain = reads_memory(op);
        let inst = if is_plain { Inst::Plain(sequence, data) } else { Inst::Seq(sequence, data) };
        self.put_ops(inst, &ops);
    }

    /// An op whose result is written over its operand.
    fn float_in_place(&mut self, op: UnaryOp, inst: &InstData) {
        let dst = self.result(inst);
        let src = self.reg(inst.args[0]);
        self.sequence(
            |e, regs, data| {
                use UnaryOp::*;
                let reg = regs.over();
                match UnaryOp::ALL[data.bits as usize] {
                    F32Abs => e.asm.float_abs(true, reg),
                    F64Abs => e.asm.float_abs(false, reg),
                    F32Neg => e.asm.float_negate(true, reg),
                    F64Neg => e.asm.float_negate(false, reg),
                    F32Canonical => e.asm.canonical_float(true, reg),
                    _ => e.asm.canonical_float(false, reg),
                }
            },
            Data::bits(op as u64),
            &[write_over(dst, 1), read(src)],
        );
    }

    /// An op of one instruction that leaves the rest of the result's register as it was,
    /// which thus has to be that of a float.
    fn float_to_float(&mut self, op: UnaryOp, inst: &InstData) {
        let dst = self.result(inst);
        let src = self.reg(inst.args[0]);
        self.sequence(
            |e, regs, data| {
                use UnaryOp::*;
                let reg = regs.over();
                let op = UnaryOp::ALL[data.bits as usize];
                let single = is_single(op.result());
                let mode = match op {
                    F32Ceil | F64Ceil => Rounding::Ceil,
                    F32Floor | F64Floor => Rounding::Floor,
                    F32Trunc | F64Trunc => Rounding::Truncate,
                    F32Nearest | F64Nearest => Rounding::Nearest,
                    _ => return e.asm.float_sqrt(single, reg, reg.into()),
                };
                e.asm.float_round(single, mode, reg, reg.into());
            },
            Data::bits(op as u64),
            &[write_over(dst, 1), read(src)],
        );
    }

    /// A conversion that clears the result's register before it reads the operand.
    fn converted(&mut self, op: UnaryOp, inst: &InstData) {
        let dst = self.result(inst);
        let mut ops = Ops::of(&[write_early(dst)]);
        let src = self.src_rm(inst.args[0], self.operand_size(op), &mut ops);
        let sequence: super::Sequence = |e, regs, data| {
            let dst = regs.reg();
            let src = operand(regs, data);
            match UnaryOp::ALL[data.bits as u32 as usize] {
                UnaryOp::F32DemoteF64 => e.asm.convert_float(true, dst, src),
                UnaryOp::F64PromoteF32 => e.asm.convert_float(false, dst, src),
                op => e.asm.convert_integer(op, dst, src),
            }
        };
        self.put_ops(Inst::Plain(sequence, data(op as u64, src)), &ops);
    }

    /// The bytes of an operand that a conversion reads.
    fn operand_size(&self, op: UnaryOp) -> Size {
        match op.operand() {
            Type::I32 | Type::F32 => Size::B4,
            Type::I64 | Type::F64 | Type::V128 | Type::Ref => Size::B8,
        }
    }

    pub(super) fn float_unary(&mut self, op: UnaryOp, inst: &InstData) {
        use UnaryOp::*;
        match op {
            F32Abs | F64Abs | F32Neg | F64Neg | F32Canonical | F64Canonical => {
                self.float_in_place(op, inst);
            }
            F32Ceil | F64Ceil | F32Floor | F64Floor | F32Trunc | F64Trunc | F32Nearest
            | F64Nearest | F32Sqrt | F64Sqrt => self.float_to_float(op, inst),
            F32ConvertI32S | F32ConvertI64S | F64ConvertI32S | F64ConvertI64S | F32DemoteF64
            | F64PromoteF32 => self.converted(op, inst),
            // They read 64 bits of a 32-bit number: in a register.
            F32ConvertI32U | F64ConvertI32U => {
                let dst = self.result(inst);
                let src = self.reg(inst.args[0]);
                self.sequence(
                    |e, regs, data| {
                        let (dst, src) = (regs.reg(), regs.reg());
                        e.asm.convert_integer(UnaryOp::ALL[data.bits as usize], dst, src.into());
                    },
                    Data::bits(op as u64),
                    &[write(dst), read(src)],
                );
            }
            F32ConvertI64U | F64ConvertI64U => {
                let dst = self.result(inst);
                let src = self.reg(inst.args[0]);
                let low = self.fresh(Type::I64);
                self.sequence(
                    |e, regs, data| {
                        let (dst, src, low) = (regs.reg(), regs.reg(), regs.reg());
                        e.asm.convert_u64(data.bits != 0, dst, src, low);
                    },
                    Data::bits((op == F32ConvertI64U).into()),
                    &[write(dst), read(src), write_early(low)],
                );
            }
            _ => self.convert_to_integer(op, inst),
        }
    }

    /// Conversions to integers; the result is of the other class, so that its register is
    /// not the operand's.
    fn convert_to_integer(&mut self, op: UnaryOp, inst: &InstData) {
        use UnaryOp::*;
        // The unsigned ones of 64 bits that saturate have an instruction too many.
        if let I64TruncSatF32U | I64TruncSatF64U = op {
            return self.saturate_u64(op == I64TruncSatF32U, inst);
        }
        let dst = self.result(inst);
        let src = self.reg(inst.args[0]);
        self.sequence(
            |e, regs, data| {
                let (dst, src) = (regs.reg(), regs.reg());
                let op = UnaryOp::ALL[data.bits as usize];
                let single = is_single(op.operand());
                match op {
                    I32TruncSatF32S | I32TruncSatF64S => e.asm.saturate(single, false, dst, src),
                    I64TruncSatF32S | I64TruncSatF64S => e.asm.saturate(single, true, dst, src),
                    I32TruncSatF32U | I32TruncSatF64U => e.asm.saturate_u32(single, dst, src),
                    _ => {
                        let failed = e.conversion_trap(single, src);
                        let fail = &mut |asm: &mut crate::isa::x64::Assembler, cond: Cond| {
                            asm.jcc(cond, failed);
                        };
                        match op {
                            I32TruncF32S | I32TruncF64S => {
                                e.asm.truncate_32(single, true, dst, src, fail);
                            }
                            I32TruncF32U | I32TruncF64U => {
                                e.asm.truncate_32(single, false, dst, src, fail);
                            }
                            I64TruncF32S | I64TruncF64S => {
                                e.asm.truncate_i64(single, dst, src, fail);
                            }
                            _ => e.asm.truncate_u64(single, dst, src, fail),
                        }
                    }
                }
            },
            Data::bits(op as u64),
            &[write(dst), read_late(src)],
        );
    }

    fn saturate_u64(&mut self, single: bool, inst: &InstData) {
        let dst = self.result(inst);
        let src = self.reg(inst.args[0]);
        self.sequence(
            |e, regs, data| {
                let (dst, src) = (regs.reg(), regs.reg());
                e.asm.saturate_u64(data.bits != 0, dst, src);
            },
            Data::bits(single.into()),
            &[write(dst), read_late(src)],
        );
    }

    pub(super) fn float_compare(&mut self, op: CompareOp, a: Value, b: Value) -> Condition {
        use CompareOp::*;
        let ty = op.operand();
        // "Below" is also set when a NaN takes part, "above" is not.
        let (op, a, b) = match op {
            F32Lt | F64Lt | F32Le | F64Le => (op.swap(), b, a),
            _ => (op, a, b),
        };
        let first = self.reg(a);
        let mut ops = Ops::of(&[read(first)]);
        let src = self.src_rm(b, size(ty), &mut ops);
        self.put_ops(Inst::CmpFloat { single: is_single(ty), src }, &ops);
        match op {
            F32Eq | F64Eq => Condition::OrderedEqual,
            F32Ne | F64Ne => Condition::NotEqualOrUnordered,
            F32Gt | F64Gt => Condition::Flag(Cond::Above),
            _ => Condition::Flag(Cond::AboveOrEqual),
        }
    }
}
