//! How each instruction becomes bytes, once its registers are known.

use super::emit::{Emitter, Late, Regs, place};
use super::inst::{Inst, Load, Src};
use super::traps::Outside;
use crate::asm::{Mem, Reg, Rm, at};
use crate::code::Routine;
use crate::isa::x64::{Cond, INT_SCRATCH, RDI, emit};
use crate::isa::{Alu, Primitives, Size};
use regalloc2::Allocation;

impl Emitter<'_> {
    /// The sum that an address is. Where the destination is one of two terms this is an
    /// addition, which takes less time on many processors. No flags live across it, for
    /// what reads flags comes right behind what sets them.
    fn sum(&mut self, wide: bool, dst: Reg, mem: Mem) {
        match mem {
            Mem { base, index: None, disp } if base == dst => {
                self.asm.alu_immediate(Alu::Add, wide, dst, disp);
            }
            Mem { base, index: Some((index, 0)), disp: 0 } if base == dst => {
                self.asm.alu(Alu::Add, wide, dst, index.into());
            }
            Mem { base, index: Some((index, 0)), disp: 0 } if index == dst => {
                self.asm.alu(Alu::Add, wide, dst, base.into());
            }
            mem => self.asm.address_of(dst, mem, wide),
        }
    }

    /// Moves a value to where the allocator wants it; flags stay.
    pub(super) fn shift(&mut self, from: Allocation, to: Allocation, float_words: usize) {
        let float = if float_words == 1 { Size::B8 } else { Size::B16 };
        let size = |reg: Reg| if reg.is_vector() { float } else { Size::B8 };
        match (place(from, self.frame), place(to, self.frame)) {
            (Rm::Reg(from), Rm::Reg(to)) if from == to => {}
            (Rm::Reg(from), Rm::Reg(to)) => self.asm.mov(to, from),
            (Rm::Reg(from), Rm::Mem(to)) => self.asm.store(to, from, size(from)),
            (Rm::Mem(from), Rm::Reg(to)) => self.asm.load(to, from, size(to)),
            // The allocator has a register to go through.
            (Rm::Mem(_) | Rm::Label(_), _) | (_, Rm::Label(_)) => {}
        }
    }

    /// Emits an instruction; whether it is none that [`Emission::control`] emits.
    pub(super) fn inst(&mut self, inst: &Inst, regs: &mut Regs<'_>) -> bool {
        match *inst {
            Inst::Args | Inst::Copy => {}
            Inst::Move => {
                let (dst, src) = (regs.reg(), regs.reg());
                if dst != src {
                    self.asm.mov(dst, src);
                }
            }
            Inst::Const(bits) => {
                let dst = regs.reg();
                self.asm.constant(dst, bits);
            }
            Inst::FloatConst { bits, single } => {
                let dst = regs.reg();
                self.float_constant(dst, bits, single);
            }
            Inst::Alu { op, wide, src } => {
                let dst = regs.over();
                match src {
                    Src::Imm(value) => self.asm.alu_immediate(op, wide, dst, value),
                    _ => {
                        let src = regs.src(src);
                        self.asm.alu(op, wide, dst, src);
                    }
                }
            }
            Inst::AluMem { op, size, address, src } => match src {
                Src::Imm(value) => {
                    let mem = regs.mem(address);
                    self.asm.alu_rm_immediate(op, size == Size::B8, mem.into(), value);
                }
                _ => {
                    let src = regs.reg();
                    let mem = regs.mem(address);
                    self.asm.alu_memory(op, size, mem, src);
                }
            },
            Inst::Mul { wide, src } => {
                let dst = regs.over();
                let src = regs.src(src);
                self.asm.multiply(wide, dst, src);
            }
            Inst::MulImm { wide, src, by } => {
                let dst = regs.reg();
                let src = regs.src(src);
                self.asm.multiply_by(wide, dst, src, by);
            }
            Inst::Negate { wide } => {
                let dst = regs.over();
                match wide {
                    false => emit!(self.asm, negl_m(dst)),
                    true => emit!(self.asm, negq_m(dst)),
                }
            }
            Inst::Not { wide } => {
                let dst = regs.over();
                match wide {
                    false => emit!(self.asm, notl_m(dst)),
                    true => emit!(self.asm, notq_m(dst)),
                }
            }
            Inst::Shift { op, wide, count } => {
                let dst = regs.over();
                self.asm.shift_by(op, wide, dst, count);
            }
            Inst::ShiftBy { op, wide } => {
                let dst = regs.over();
                self.asm.shift_by_cl(op, wide, dst);
            }
            Inst::ShiftAny { op, wide, src } => {
                let (dst, count) = (regs.reg(), regs.reg());
                let src = regs.src(src);
                self.asm.shift_freely(op, wide, dst, src, count);
            }
            Inst::Lea { wide, address } => {
                let dst = regs.reg();
                let mem = regs.mem(address);
                self.sum(wide, dst, mem);
            }
            Inst::Load { load, src } => {
                let dst = regs.reg();
                match regs.src(src) {
                    Rm::Mem(mem) => match load {
                        Load::Zero(size) => self.asm.load(dst, mem, size),
                        Load::Sign32(size) => self.asm.load_signed(dst, mem, size, false),
                        Load::Sign64(size) => self.asm.load_signed(dst, mem, size, true),
                    },
                    src => {
                        let (Load::Zero(size) | Load::Sign32(size) | Load::Sign64(size)) = load;
                        self.asm.extend(dst, src, size);
                    }
                }
            }
            Inst::Store { size, address } => {
                let src = regs.reg();
                let mem = regs.mem(address);
                self.asm.store(mem, src, size);
            }
            Inst::StoreImm { size, address, value } => {
                let mem = regs.mem(address);
                self.asm.store_constant(mem, i64::from(value) as u64, size);
            }
            Inst::Cmp { size, a, b } => {
                let a = regs.src(a);
                match b {
                    Src::Imm(value) => self.asm.compare_sized_immediate(size, a, value),
                    _ => {
                        let b = regs.src(b);
                        self.asm.compare_sized(size, a, b);
                    }
                }
            }
            Inst::Test { wide } => {
                let (a, b) = (regs.reg(), regs.reg());
                match wide {
                    false => emit!(self.asm, testl_mr(a, b)),
                    true => emit!(self.asm, testq_mr(a, b)),
                }
            }
            Inst::TestZero { wide } => {
                let a = regs.reg();
                self.asm.test(wide, a);
            }
            Inst::TestImm { size, a, mask } => {
                let a = regs.src(a);
                self.asm.test_immediate(size, a, mask);
            }
            Inst::CmpFloat { single, src } => {
                let a = regs.reg();
                let b = regs.src(src);
                self.asm.compare_floats(single, a, b);
            }
            Inst::Set(condition) => {
                let dst = regs.reg();
                self.asm.set(condition, dst);
            }
            Inst::Cmov(cond) => {
                let dst = regs.over();
                let src = regs.reg();
                self.asm.cmov(cond, dst, src);
            }
            Inst::FloatCmov(condition) => {
                let dst = regs.over();
                let src = regs.reg();
                let skip = self.asm.new_label();
                self.asm.jump_if(!condition, skip);
                self.asm.mov(dst, src);
                self.asm.bind(skip);
            }
            Inst::TrapIf { condition, code } => self.trap_if(condition, code),
            Inst::OutsideIf { mem, size } => {
                let end = regs.reg();
                self.outside_if(Outside { mem, end, size });
            }
            Inst::Seq(sequence, data) | Inst::Plain(sequence, data) => sequence(self, regs, data),
            #[cfg(feature = "simd")]
            Inst::Vector(inst) => inst.emit(self, regs),
            Inst::Cast(cast) => cast.emit(self, regs),
            Inst::Allocate(allocation) => allocation.emit(self, regs),
            Inst::Call { callee, clauses: None } => {
                self.call(callee);
                self.restore_vmctx(callee);
            }
            Inst::TailCall { callee } => self.tail_call(callee),
            Inst::Epoch { code } => {
                let limits = regs.reg();
                let layout = self.layout;
                let resume = self.asm.new_label();
                let late = self.push_late(Late::Epoch { code, resume });
                self.asm.load(limits, at(RDI, layout.limits as i32), Size::B8);
                self.asm.load(INT_SCRATCH, at(RDI, layout.epoch as i32), Size::B8);
                self.asm.load(INT_SCRATCH, at(INT_SCRATCH, 0), Size::B8);
                let deadline = at(limits, layout.limits_epoch_deadline as i32);
                self.asm.cmp(true, INT_SCRATCH, Rm::Mem(deadline));
                self.asm.jcc(Cond::AboveOrEqual, late);
                self.asm.bind(resume);
            }
            Inst::Handler { code } => self.leave_for(code, Routine::Handler),
            Inst::Return => self.epilogue(),
            Inst::Trap(code) => self.raise(code.into()),
            Inst::Call { .. }
            | Inst::Throw { .. }
            | Inst::Jump
            | Inst::Branch(_)
            | Inst::BranchCast(_)
            | Inst::Table { .. } => {
                return false;
            }
        }
        true
    }

    /// Loads a float.
    pub(crate) fn float_constant(&mut self, dst: Reg, bits: u64, single: bool) {
        if bits == 0 {
            emit!(self.asm, xorps_a(dst, dst));
            return;
        }
        let label = self.literal(bits);
        match single {
            true => emit!(self.asm, movss_a_m(dst, label)),
            false => emit!(self.asm, movsd_a_m(dst, label)),
        }
    }
}
