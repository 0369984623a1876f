//! The primitives: an instruction or a short sequence each.
//!
//! What other processors do on a place in memory is a load, the instruction and a store
//! here; addresses that no load can name are computed first. Two registers of ours are for
//! that, [`ADDRESS`] and [`VALUE`], so that the scratch register of whoever calls stays
//! what it is.

use super::assembler::patch;
use super::fixup::Labelled;
use super::imm::{Imm12, fp_imm8, logical_imm, mov_constant};
use super::inst;
use super::regs::{Access, Cond, Extend, Float, Index, Pair, Width, ZR, x};
use super::*;
use crate::asm::{AsmLabel, Finished, Mem, OutOfReach, Rm, at};
use crate::code::{Field, TypeForm, Value};
use crate::isa::{Alu, Primitives, Relation, Shift, Size, TypeWord, without};
use crate::target::Features;
use crate::tuning::{CLEARS_INLINE, MOVES_INLINE};

/// What decides about a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// What the flags say.
    Flag(Cond),
    /// Whether a register is zero.
    Zero(Width, Reg),
    /// Whether a register is not zero.
    NonZero(Width, Reg),
}

impl std::ops::Not for Condition {
    type Output = Condition;

    fn not(self) -> Condition {
        match self {
            Condition::Flag(cond) => Condition::Flag(cond.not()),
            Condition::Zero(width, reg) => Condition::NonZero(width, reg),
            Condition::NonZero(width, reg) => Condition::Zero(width, reg),
        }
    }
}

fn flag(relation: Relation) -> Condition {
    Condition::Flag(match relation {
        Relation::Equal => Cond::Eq,
        Relation::NotEqual => Cond::Ne,
        Relation::Above => Cond::Hi,
        Relation::AboveOrEqual => Cond::Hs,
    })
}

/// The width of an operation.
pub(crate) fn width(wide: bool) -> Width {
    if wide { Width::X } else { Width::W }
}

/// A constant as a signed number.
fn signed(width: Width, value: u64) -> i64 {
    match width {
        Width::W => i64::from(value as i32),
        Width::X => value as i64,
    }
}

/// `dst = a op value` as one instruction, if the constant has room in it.
pub(crate) fn alu_short(op: Alu, width: Width, dst: Reg, a: Reg, value: u64) -> Option<Inst> {
    let inst = match op {
        Alu::Add => return inst::add_constant(width, dst, a, signed(width, value)),
        Alu::Sub => {
            return inst::add_constant(width, dst, a, signed(width, value).wrapping_neg());
        }
        Alu::And => inst::and_imm,
        Alu::Or => inst::orr_imm,
        Alu::Xor => inst::eor_imm,
    };
    Some(inst(width, dst, a, logical_imm(value, width)?))
}

impl Size {
    /// The load into a register of one bank or the other.
    pub(crate) fn load(self, vector: bool) -> Access {
        match (self, vector) {
            (Size::B1, false) => Access::LdB,
            (Size::B2, false) => Access::LdH,
            (Size::B4, false) => Access::LdW,
            (Size::B8, false) => Access::LdX,
            (Size::B1, true) => Access::LdVb,
            (Size::B2, true) => Access::LdVh,
            (Size::B4, true) => Access::LdVs,
            (Size::B8, true) => Access::LdVd,
            (Size::B16, _) => Access::LdVq,
        }
    }

    /// The store of a register of one bank or the other.
    pub(crate) fn store(self, vector: bool) -> Access {
        match (self, vector) {
            (Size::B1, false) => Access::StB,
            (Size::B2, false) => Access::StH,
            (Size::B4, false) => Access::StW,
            (Size::B8, false) => Access::StX,
            (Size::B1, true) => Access::StVb,
            (Size::B2, true) => Access::StVh,
            (Size::B4, true) => Access::StVs,
            (Size::B8, true) => Access::StVd,
            (Size::B16, _) => Access::StVq,
        }
    }
}

impl Assembler {
    /// A load or store. The address is computed in [`ADDRESS`] if no instruction takes it.
    pub(crate) fn access(&mut self, access: Access, data: Reg, mem: Mem) {
        let Mem { base, index, disp } = mem;
        if let Some((reg, scale)) = index
            && disp == 0
            && (scale == 0 || u32::from(scale) == access.scale())
        {
            let index = Index { reg, extend: Extend::Uxtx, scaled: scale != 0 };
            return self.emit(inst::access_indexed(access, data, base, index));
        }
        let base = match index {
            Some((reg, scale)) => {
                self.add_index(Width::X, ADDRESS, base, reg, scale);
                ADDRESS
            }
            None => base,
        };
        if let Some(inst) = inst::access(access, data, base, disp) {
            return self.emit(inst);
        }
        self.add_disp(Width::X, ADDRESS, base, disp);
        self.emit(inst::access_unscaled(access, data, ADDRESS, 0));
    }

    /// The address of a place in memory in a register, which may be one of it.
    pub(crate) fn address(&mut self, mem: Mem) -> Reg {
        if let Mem { base, index: None, disp: 0 } = mem {
            return base;
        }
        self.address_of(ADDRESS, mem, true);
        ADDRESS
    }

    fn add_index(&mut self, width: Width, dst: Reg, base: Reg, index: Reg, scale: u8) {
        self.emit(match scale {
            0 => inst::add(width, dst, base, index),
            _ => inst::add_shifted(width, dst, base, index, (regs::Shift::Lsl, scale)),
        });
    }

    fn add_disp(&mut self, width: Width, dst: Reg, base: Reg, disp: i32) {
        match inst::add_constant(width, dst, base, i64::from(disp)) {
            Some(inst) => self.emit(inst),
            None => {
                // The base may be the address register itself.
                self.mov_constant(Width::X, VALUE, i64::from(disp) as u64);
                self.emit(inst::add(width, dst, base, VALUE));
            }
        }
    }

    /// Loads a constant into a general register.
    pub(crate) fn mov_constant(&mut self, width: Width, dst: Reg, value: u64) {
        for inst in mov_constant(width, dst, value) {
            self.emit(inst);
        }
    }

    /// An operand in a register: [`VALUE`] if it is in memory.
    fn in_register(&mut self, wide: bool, operand: Rm) -> Reg {
        match operand {
            Rm::Reg(reg) => reg,
            Rm::Mem(mem) => {
                let size = if wide { Size::B8 } else { Size::B4 };
                self.load(VALUE, mem, size);
                VALUE
            }
            Rm::Label(label) => {
                let load = if wide { inst::ldr_literal_x } else { inst::ldr_literal_w };
                let access = Size::of(if wide { 8 } else { 4 }).load(false);
                self.load_from_label(load(VALUE), label, |base| {
                    inst::access_unscaled(access, VALUE, base, 0)
                });
                VALUE
            }
        }
    }

    /// `dst = a op value`, with the constant in the instruction or in [`ADDRESS`].
    pub(crate) fn alu_constant(&mut self, op: Alu, width: Width, dst: Reg, a: Reg, value: u64) {
        match alu_short(op, width, dst, a, value) {
            Some(inst) => self.emit(inst),
            None => {
                self.mov_constant(width, ADDRESS, value);
                self.alu_registers(op, width, dst, a, ADDRESS);
            }
        }
    }

    /// `dst = a op b`.
    pub(crate) fn alu_registers(&mut self, op: Alu, width: Width, dst: Reg, a: Reg, b: Reg) {
        let inst = match op {
            Alu::Add => inst::add,
            Alu::Sub => inst::sub,
            Alu::And => inst::and,
            Alu::Or => inst::orr,
            Alu::Xor => inst::eor,
        };
        self.emit(inst(width, dst, a, b));
    }

    /// Compares a register with a constant.
    pub(crate) fn compare_constant(&mut self, width: Width, a: Reg, value: u64) {
        match inst::cmp_constant(width, a, signed(width, value)) {
            Some(inst) => self.emit(inst),
            None => {
                self.mov_constant(width, ADDRESS, value);
                self.emit(inst::cmp(width, a, ADDRESS));
            }
        }
    }

    /// A branch on a condition.
    fn branch_for(condition: Condition) -> Labelled {
        match condition {
            Condition::Flag(cond) => inst::b_cond(cond),
            Condition::Zero(width, reg) => inst::cbz(width, reg),
            Condition::NonZero(width, reg) => inst::cbnz(width, reg),
        }
    }

    /// Makes a condition one of flags.
    pub(crate) fn in_flags(&mut self, condition: Condition) -> Cond {
        match condition {
            Condition::Flag(cond) => cond,
            Condition::Zero(width, reg) => {
                self.emit(inst::cmp_imm(width, reg, Imm12::ZERO));
                Cond::Eq
            }
            Condition::NonZero(width, reg) => {
                self.emit(inst::cmp_imm(width, reg, Imm12::ZERO));
                Cond::Ne
            }
        }
    }
}

impl Primitives for Assembler {
    const VMCTX: Reg = x(0);
    const FRAME: Reg = x(1);
    const IP: Reg = x(2);
    const ACC: Reg = x(3);
    const MEMORY: Reg = x(4);
    const MEMORY_LEN: Reg = x(5);
    const BODY: Reg = x(6);
    const CALLEE_FRAME: Reg = x(7);
    const SPARE: Reg = x(8);
    // x15 to x17 are scratch, x18 is the system's, x30 is where the first handler returns to.
    const INT_REGS: &'static [Reg] = &[
        x(19),
        x(20),
        x(21),
        x(22),
        x(23),
        x(24),
        x(25),
        x(26),
        x(27),
        x(28),
        x(29),
        x(9),
        x(10),
        x(11),
        x(12),
        x(13),
        x(14),
        x(8),
        x(7),
        x(6),
        x(3),
        x(2),
    ];
    const METERED_INT_REGS: &'static [Reg] =
        &without::<{ Self::INT_REGS.len() - 1 }>(Self::INT_REGS, Self::FUEL);
    const FUEL: Reg = x(28);
    const RESUME: Reg = VALUE;
    const FLOAT_REGS: &'static [Reg] = &FLOAT_REGS;
    const INT_SCRATCH: Reg = INT_SCRATCH;
    const FLOAT_SCRATCH: Reg = FLOAT_SCRATCH;

    type Condition = Condition;

    fn new(features: Features, far: bool, listing: bool) -> Assembler {
        Assembler::start(features, far, listing)
    }

    fn finish(self) -> Result<Finished, OutOfReach> {
        self.into_buffer().finish(patch)
    }

    fn mov(&mut self, dst: Reg, src: Reg) {
        self.emit(match (dst.is_vector(), src.is_vector()) {
            (false, false) => inst::mov(Width::X, dst, src),
            (true, true) => vec::mov(regs::Lanes::B16, dst, src),
            (true, false) => inst::fmov_from_general(Width::X, dst, src),
            (false, true) => inst::fmov_to_general(Width::X, dst, src),
        });
    }

    fn narrow(&mut self, dst: Reg, src: Reg) {
        self.emit(inst::mov(Width::W, dst, src));
    }

    fn constant(&mut self, dst: Reg, value: u64) {
        if !dst.is_vector() {
            return self.mov_constant(Width::X, dst, value);
        }
        // Of an f32 the upper half is zero.
        let single = f64::from(f32::from_bits(value as u32));
        let double = f64::from_bits(value);
        if value == 0 {
            self.emit(vec::movi_d(dst, 0));
        } else if let Some(imm) = fp_imm8(double) {
            self.emit(inst::fmov_imm(Float::D, dst, imm));
        } else if value >> 32 == 0
            && let Some(imm) = fp_imm8(single)
        {
            self.emit(inst::fmov_imm(Float::S, dst, imm));
        } else {
            self.mov_constant(Width::X, VALUE, value);
            self.emit(inst::fmov_from_general(Width::X, dst, VALUE));
        }
    }

    fn type_constant(&mut self, dst: Reg, word: TypeWord) {
        let at = self.offset();
        if self.lists() {
            let what = match word.form {
                TypeForm::Number => "type",
                TypeForm::Header => "header of type",
            };
            self.list(format!("mov w{}, {what} {}", dst.enc(), word.index));
        }
        self.append(inst::movz(Width::W, dst, 0, 0));
        self.append(inst::movk(Width::W, dst, 0, 1));
        self.relocate(at, Field::Moves, Value::Type(word.index, word.form));
    }

    fn load(&mut self, dst: Reg, mem: Mem, size: Size) {
        self.access(size.load(dst.is_vector()), dst, mem);
    }

    fn load_signed(&mut self, dst: Reg, mem: Mem, size: Size, wide: bool) {
        let access = match (size, wide) {
            (Size::B1, false) => Access::LdSbW,
            (Size::B1, true) => Access::LdSbX,
            (Size::B2, false) => Access::LdShW,
            (Size::B2, true) => Access::LdShX,
            (_, false) => Access::LdW,
            (_, true) => Access::LdSw,
        };
        self.access(access, dst, mem);
    }

    /// Loads the last byte.
    fn reach(&mut self, mem: Mem, bytes: u64) -> Mem {
        const NEAR: i32 = 4096 - 16;
        let place = match mem {
            Mem { base, index: Some((index, scale)), disp } if (0..NEAR).contains(&disp) => {
                self.add_index(Width::X, ADDRESS, base, index, scale);
                at(ADDRESS, disp)
            }
            Mem { index: None, disp: 0..NEAR, .. } => mem,
            _ => {
                self.address_of(ADDRESS, mem, true);
                at(ADDRESS, 0)
            }
        };
        self.access(Access::LdB, ZR, at(place.base, place.disp + bytes as i32 - 1));
        place
    }

    fn store(&mut self, mem: Mem, src: Reg, size: Size) {
        self.access(size.store(src.is_vector()), src, mem);
    }

    fn can_store(&self, value: u64, size: Size) -> bool {
        match size {
            Size::B1 => value as u8 == 0,
            Size::B2 => value as u16 == 0,
            Size::B4 => value as u32 == 0,
            Size::B8 | Size::B16 => value == 0,
        }
    }

    fn store_constant(&mut self, mem: Mem, value: u64, size: Size) {
        if self.can_store(value, size) {
            return self.access(size.store(false), ZR, mem);
        }
        // The address may need the register for values.
        let mem = match mem {
            Mem { index: None, disp, base }
                if inst::access(size.store(false), ZR, base, disp).is_some() =>
            {
                mem
            }
            _ => {
                self.address_of(ADDRESS, mem, true);
                at(ADDRESS, 0)
            }
        };
        self.mov_constant(width(size == Size::B8), VALUE, value);
        self.access(size.store(false), VALUE, mem);
    }

    fn store_type(&mut self, mem: Mem, word: TypeWord) {
        let address = self.address(mem);
        self.type_constant(VALUE, word);
        self.access(Access::StW, VALUE, at(address, 0));
    }

    fn copy_words(&mut self, base: Reg, dst: i32, src: i32, count: u32) {
        if count <= MOVES_INLINE {
            for index in 0..count as i32 {
                self.load(FLOAT_SCRATCH, at(base, src + index * 8), Size::B8);
                self.store(at(base, dst + index * 8), FLOAT_SCRATCH, Size::B8);
            }
            return;
        }
        let (from, to, end) = (INT_SCRATCH, ADDRESS, VALUE);
        self.address_of(from, at(base, src), true);
        self.address_of(to, at(base, dst), true);
        self.alu_count(end, from, count);
        let top = self.new_label();
        self.bind(top);
        self.emit(inst::access_post(Access::LdVd, FLOAT_SCRATCH, from, 8));
        self.emit(inst::access_post(Access::StVd, FLOAT_SCRATCH, to, 8));
        self.emit(inst::cmp(Width::X, from, end));
        self.jump_if(Condition::Flag(Cond::Ne), top);
    }

    fn clear_words(&mut self, base: Reg, dst: i32, count: u32) {
        if count > CLEARS_INLINE {
            let (to, end) = (INT_SCRATCH, VALUE);
            self.address_of(to, at(base, dst), true);
            self.alu_count(end, to, count & !1);
            let top = self.new_label();
            self.bind(top);
            self.emit(inst::pair_post(Pair::StX, ZR, ZR, to, 16));
            self.emit(inst::cmp(Width::X, to, end));
            self.jump_if(Condition::Flag(Cond::Ne), top);
            if count & 1 != 0 {
                self.store_constant(at(to, 0), 0, Size::B8);
            }
            return;
        }
        let (base, dst) = match inst::access(Access::StX, ZR, base, dst) {
            // A pair reaches 504 bytes.
            Some(_) if (0..=504 - count as i32 * 8).contains(&dst) => (base, dst),
            _ if count < 2 => (base, dst),
            _ => {
                self.address_of(INT_SCRATCH, at(base, dst), true);
                (INT_SCRATCH, 0)
            }
        };
        let mut index = 0;
        while index + 2 <= count as i32 {
            self.emit(inst::pair(Pair::StX, ZR, ZR, base, dst + index * 8));
            index += 2;
        }
        if index < count as i32 {
            self.store_constant(at(base, dst + index * 8), 0, Size::B8);
        }
    }

    fn write_header(&mut self, disp: i32) {
        if inst::pair_fits(Pair::StX, disp) {
            self.emit(inst::pair(Pair::StX, Self::IP, Self::FRAME, Self::FRAME, disp));
        } else {
            self.store(at(Self::FRAME, disp), Self::IP, Size::B8);
            self.store(at(Self::FRAME, disp + 8), Self::FRAME, Size::B8);
        }
        self.store(at(Self::FRAME, disp + 16), Self::VMCTX, Size::B8);
    }

    fn read_header(&mut self, disp: i32) {
        self.load(Self::BODY, at(Self::FRAME, disp + 16), Size::B8);
        if inst::pair_fits(Pair::LdX, disp) {
            // The base may be among what is loaded: it is not written back.
            self.emit(inst::pair(Pair::LdX, Self::IP, Self::FRAME, Self::FRAME, disp));
        } else {
            self.load(Self::IP, at(Self::FRAME, disp), Size::B8);
            self.load(Self::FRAME, at(Self::FRAME, disp + 8), Size::B8);
        }
    }

    fn address_of(&mut self, dst: Reg, mem: Mem, wide: bool) {
        let width = width(wide);
        match mem {
            Mem { base, index: Some((index, scale)), disp } => {
                self.add_index(width, dst, base, index, scale);
                if disp != 0 {
                    self.add_disp(width, dst, dst, disp);
                }
            }
            Mem { base, index: None, disp: 0 } => self.emit(inst::mov(width, dst, base)),
            Mem { base, index: None, disp } => self.add_disp(width, dst, base, disp),
        }
    }

    fn alu(&mut self, op: Alu, wide: bool, dst: Reg, src: Rm) {
        let src = self.in_register(wide, src);
        self.alu_registers(op, width(wide), dst, dst, src);
    }

    fn alu_immediate(&mut self, op: Alu, wide: bool, dst: Reg, value: i32) {
        self.alu_constant(op, width(wide), dst, dst, i64::from(value) as u64);
    }

    fn shift(&mut self, op: Shift, wide: bool, reg: Reg, count: u8) {
        let inst = match op {
            Shift::Left => inst::lsl_imm,
            Shift::RightSigned => inst::asr_imm,
            Shift::RightUnsigned => inst::lsr_imm,
        };
        self.emit(inst(width(wide), reg, reg, count));
    }

    fn compare(&mut self, relation: Relation, wide: bool, a: Reg, b: Rm) -> Condition {
        let b = self.in_register(wide, b);
        self.emit(inst::cmp(width(wide), a, b));
        flag(relation)
    }

    fn compare_immediate(
        &mut self,
        relation: Relation,
        wide: bool,
        a: Rm,
        value: i32,
    ) -> Condition {
        let reg = self.in_register(wide, a);
        self.compare_constant(width(wide), reg, i64::from(value) as u64);
        flag(relation)
    }

    fn is_type(&mut self, a: Rm, word: TypeWord) -> Condition {
        let reg = self.in_register(false, a);
        self.type_constant(ADDRESS, word);
        self.emit(inst::cmp(Width::W, reg, ADDRESS));
        Condition::Flag(Cond::Eq)
    }

    fn is_zero(&mut self, reg: Reg, wide: bool) -> Condition {
        Condition::Zero(width(wide), reg)
    }

    fn are_clear(&mut self, reg: Reg, bits: u8) -> Condition {
        match logical_imm(u64::from(bits), Width::W) {
            Some(mask) => self.emit(inst::tst_imm(Width::W, reg, mask)),
            None => {
                self.mov_constant(Width::W, ADDRESS, u64::from(bits));
                self.emit(inst::tst(Width::W, reg, ADDRESS));
            }
        }
        Condition::Flag(Cond::Eq)
    }

    fn add_carries(&mut self, dst: Reg, src: Reg) -> Condition {
        self.emit(inst::adds(Width::X, dst, dst, src));
        Condition::Flag(Cond::Hs)
    }

    fn count_down(&mut self, reg: Reg) -> Condition {
        self.alu_immediate(Alu::Sub, false, reg, 1);
        Condition::NonZero(width(false), reg)
    }

    fn pay(&mut self, reg: Reg, cost: u32) -> Condition {
        match Imm12::new(u64::from(cost)) {
            Some(imm) => self.emit(inst::subs_imm(Width::X, reg, reg, imm)),
            None => {
                self.mov_constant(Width::X, INT_SCRATCH, u64::from(cost));
                self.emit(inst::subs(Width::X, reg, reg, INT_SCRATCH));
            }
        }
        Condition::Flag(Cond::Mi)
    }

    fn charge(&mut self, mem: Mem, cost: i32) -> Condition {
        self.address_of(ADDRESS, mem, true);
        self.access(Access::LdX, VALUE, at(ADDRESS, 0));
        match Imm12::new(i64::from(cost) as u64) {
            Some(imm) => self.emit(inst::subs_imm(Width::X, VALUE, VALUE, imm)),
            None => {
                self.mov_constant(Width::X, INT_SCRATCH, i64::from(cost) as u64);
                self.emit(inst::subs(Width::X, VALUE, VALUE, INT_SCRATCH));
            }
        }
        self.access(Access::StX, VALUE, at(ADDRESS, 0));
        Condition::Flag(Cond::Mi)
    }

    fn jump(&mut self, label: AsmLabel) {
        self.branch(label);
    }

    fn jump_if(&mut self, condition: Condition, label: AsmLabel) {
        self.branch_on(Assembler::branch_for(condition), label);
    }

    fn jump_if_nan(&mut self, single: bool, reg: Reg, label: AsmLabel) {
        let float = if single { Float::S } else { Float::D };
        self.emit(inst::fcmp(float, reg, reg));
        self.jump_if(Condition::Flag(Cond::Vs), label);
    }

    fn jump_through(&mut self, word: Reg) {
        self.access(Access::LdX, INT_SCRATCH, at(word, 0));
        self.emit(inst::br(INT_SCRATCH));
    }

    fn jump_through_label(&mut self, word: AsmLabel) {
        self.load_from_label(inst::ldr_literal_x(INT_SCRATCH), word, |base| {
            inst::access_unscaled(Access::LdX, INT_SCRATCH, base, 0)
        });
        self.emit(inst::br(INT_SCRATCH));
    }

    fn label_address(&mut self, dst: Reg, label: AsmLabel) {
        self.address_of_label(dst, label);
    }

    fn jump_table(&mut self, index: Reg, target: Reg, entries: &[AsmLabel]) {
        let last = entries.len() as u64 - 1;
        let table = self.new_label();
        self.mov_constant(Width::W, INT_SCRATCH, last);
        self.emit(inst::cmp(Width::W, index, INT_SCRATCH));
        self.emit(inst::csel(Width::W, INT_SCRATCH, index, INT_SCRATCH, Cond::Lo));
        self.label_address(target, table);
        let entry = Index { reg: INT_SCRATCH, extend: Extend::Uxtx, scaled: true };
        self.emit(inst::access_indexed(Access::LdSw, INT_SCRATCH, target, entry));
        self.emit(inst::add(Width::X, target, target, INT_SCRATCH));
        self.emit(inst::br(target));
        self.bind(table);
        self.table(entries);
    }

    fn align_with_nops(&mut self, align: usize) {
        while !(self.offset() as usize).is_multiple_of(align) {
            self.emit(inst::nop());
        }
    }
}

impl Assembler {
    /// The end of so many words.
    fn alu_count(&mut self, end: Reg, start: Reg, words: u32) {
        self.mov_constant(Width::X, end, u64::from(words) * 8);
        self.emit(inst::add(Width::X, end, end, start));
    }
}
