//! Accesses to memories.
//!
//! # DANGER
//!
//! What keeps optimised code inside its memories is in this file. An access that is not
//! checked has an address below 2^32, because the register of a 32-bit value has zeros
//! above it, and its offset is bounded by the guard; the SSA form says which are so. All
//! others are compared with the memory's length as a whole, in arithmetic that cannot
//! wrap.

use super::{Address, Inst, Load, Ops, Select, Src};
use crate::Place as Found;
use crate::isa::x64::{Cond, Condition};
use crate::isa::{Alu, Size};
use crate::lower::machine::{read, write, write_over};
use crate::ssa::{Access, Handler, InstData, Op, Value};
use regalloc2::VReg;
use zwasm_regir::{BinaryOp, Inst as SlotInst, LoadOp, Slot, StoreOp, TrapCode, Type};

/// A place in memory and the registers it is made of.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) address: Address,
    base: Option<VReg>,
    index: Option<VReg>,
}

impl Place {
    /// At a distance from a register.
    pub(crate) fn at(base: VReg, disp: i32) -> Place {
        Place { address: Address::operand(disp), base: Some(base), index: None }
    }

    /// At a distance from a register plus another.
    pub(crate) fn indexed(base: VReg, index: VReg, scale: u8, disp: i32) -> Place {
        Place { address: Address::indexed(scale, disp), base: Some(base), index: Some(index) }
    }

    /// The same place in bytes from here.
    fn plus(self, disp: i32) -> Place {
        Place { address: Address { disp, ..self.address }, ..self }
    }

    /// The place that a register, scaled, is away from here.
    fn plus_index(self, index: VReg, scale: u8) -> Place {
        Place {
            address: Address { scale: Some(scale), ..self.address },
            index: Some(index),
            ..self
        }
    }

    /// In the `vmctx`.
    pub(crate) fn vmctx(offset: u32) -> Place {
        Place { address: Address::vmctx(offset), base: None, index: None }
    }

    /// Adds its registers to operands.
    pub(crate) fn push(&self, ops: &mut Ops) {
        self.base.into_iter().chain(self.index).for_each(|vreg| ops.push(read(vreg)));
    }
}

/// What a load makes of the bytes it reads.
pub(super) fn kind(op: LoadOp) -> Load {
    use LoadOp::*;
    match op {
        I32Load8S => Load::Sign32(Size::B1),
        I32Load16S => Load::Sign32(Size::B2),
        I64Load8S => Load::Sign64(Size::B1),
        I64Load16S => Load::Sign64(Size::B2),
        I64Load32S => Load::Sign64(Size::B4),
        I32Load | I64Load | F32Load | F64Load | I32Load8U | I32Load16U | I64Load8U | I64Load16U
        | I64Load32U => Load::Zero(Size::of(op.size())),
    }
}

impl Select<'_> {
    /// The place of an access of so many bytes, with the checks it needs. `args` are the
    /// memory's first byte, the address and, if it is checked, the length.
    pub(crate) fn place(&mut self, access: Access, args: &[Value], size: u64) -> Place {
        let base = self.base(args[0]);
        if access.checked {
            return self.checked(access, base, args[1], args[2], size);
        }
        let offset = access.offset;
        if let Some(addr) = self.func.constant(self.facts.root(args[1])) {
            let is_64 = self.env.memory(access.mem).is_64;
            let addr = if is_64 { addr } else { u64::from(addr as u32) };
            let start = addr.wrapping_add(offset);
            return match i32::try_from(start) {
                Ok(disp) => base.plus(disp),
                Err(_) => {
                    let start = self.constant(Type::I64, start);
                    base.plus_index(start, 0)
                }
            };
        }
        if let Ok(disp) = i32::try_from(offset) {
            let (addr, scale) = self.scaled_address(args[1]);
            let index = self.reg(addr);
            return base.plus_index(index, scale).plus(disp);
        }
        let index = self.reg(args[1]);
        let sum = self.add_constant(index, offset);
        base.plus_index(sum, 0)
    }

    /// The first byte of a memory.
    fn base(&mut self, base: Value) -> Place {
        if self.is_pinned(base) {
            return Place { address: Address::memory(), base: None, index: None };
        }
        Place::at(self.reg(base), 0)
    }

    /// An address that is a small power of two times a number, which is small enough for
    /// the product to be less than 2^32.
    fn scaled_address(&self, addr: Value) -> (Value, u8) {
        let Some(InstData { op: Op::Binary(BinaryOp::I32Shl), args, .. }) = self.single_def(addr)
        else {
            return (addr, 0);
        };
        match self.func.constant(self.facts.root(args[1])) {
            Some(count @ 1..=3) if self.bits_of(args[0]) + count as u32 <= 32 => {
                (args[0], count as u8)
            }
            _ => (addr, 0),
        }
    }

    /// How many bits a 32-bit number has at most, from what defines it.
    fn bits_of(&self, value: Value) -> u32 {
        const ALL: u32 = 32;
        let Some(data) = self.def(value) else { return ALL };
        let constant = |index: usize| self.func.constant(self.facts.root(data.args[index]));
        let width = |bits: u64| 64 - (bits & 0xFFFF_FFFF).leading_zeros();
        match data.op {
            Op::Const(bits) => width(bits),
            Op::Compare(_) => 1,
            Op::Load(LoadOp::I32Load8U, _) => 8,
            Op::Load(LoadOp::I32Load16U, _) => 16,
            Op::Binary(BinaryOp::I32And) => {
                [0, 1].into_iter().filter_map(constant).map(width).min().unwrap_or(ALL)
            }
            Op::Binary(BinaryOp::I32ShrU) => constant(1).map_or(ALL, |by| ALL - (by as u32 & 31)),
            _ => ALL,
        }
    }

    /// `value + constant`, 64 bits.
    fn add_constant(&mut self, value: VReg, constant: u64) -> VReg {
        let constant = self.constant(Type::I64, constant);
        let sum = self.fresh(Type::I64);
        let inst = Inst::Alu { op: Alu::Add, wide: true, src: Src::Operand };
        self.put(inst, &[write_over(sum, 1), read(constant), read(value)]);
        sum
    }

    fn trap_if(&mut self, cond: Cond, code: TrapCode) {
        self.put(Inst::TrapIf { condition: Condition::Flag(cond), code }, &[]);
    }

    fn checked(
        &mut self,
        access: Access,
        base: Place,
        addr: Value,
        len: Value,
        size: u64,
    ) -> Place {
        let is_64 = self.env.memory(access.mem).is_64;
        let known = self.func.constant(self.facts.root(addr));
        // What cannot be reached ends above the size of any memory.
        let mut exists = true;
        let end = match (access.offset.checked_add(size), known) {
            (None, _) => {
                exists = false;
                self.constant(Type::I64, u64::MAX)
            }
            (Some(end), Some(addr)) => {
                let addr = if is_64 { addr } else { u64::from(addr as u32) };
                let end = end.checked_add(addr);
                exists = end.is_some();
                self.constant(Type::I64, end.unwrap_or(u64::MAX))
            }
            (Some(end), None) => {
                let addr = self.reg(addr);
                match i32::try_from(end) {
                    Ok(end) if !is_64 => {
                        let sum = self.fresh(Type::I64);
                        let address = Address::operand(end);
                        self.put(Inst::Lea { wide: true, address }, &[write(sum), read(addr)]);
                        sum
                    }
                    _ => {
                        let sum = self.add_constant(addr, end);
                        // Of 32 bits, both are below 2^33, or the offset is above all.
                        self.trap_if(Cond::Below, TrapCode::MemoryOutOfBounds);
                        sum
                    }
                }
            }
        };
        let mut ops = Ops::of(&[read(end)]);
        let len = self.src_rm(len, Size::B8, &mut ops);
        self.put_ops(Inst::Cmp { size: Size::B8, a: Src::Operand, b: len }, &ops);
        if exists {
            self.put(Inst::OutsideIf { mem: access.mem, size: size as u32 }, &[read(end)]);
        } else {
            self.trap_if(Cond::Above, TrapCode::MemoryOutOfBounds);
        }
        base.plus_index(end, 0).plus(-(size as i32))
    }

    /// Whether a value is loaded from so many bytes of memory, with nothing but zeros added,
    /// and can be read there by the instruction that is selected.
    pub(super) fn can_take(&self, value: Value, size: Size) -> bool {
        let Some(inst) = self.facts.inst_of(self.func, value) else { return false };
        let data = self.func.inst(inst);
        self.facts.is_single(value)
            && match data.op {
                Op::Load(op, _) => {
                    matches!(
                        op,
                        LoadOp::I32Load
                            | LoadOp::I64Load
                            | LoadOp::F32Load
                            | LoadOp::F64Load
                            | LoadOp::I32Load8U
                            | LoadOp::I64Load8U
                    ) && Size::of(op.size()) == size
                        && self.facts.region(inst) + 1 == self.region
                }
                Op::GlobalGet(global) => {
                    // All of it is looked at, which has 32 bits or more.
                    !matches!(size, Size::B1 | Size::B2)
                        && matches!(self.env.global(global), Found::Own(_))
                        && self.facts.region(inst) == self.region
                }
                _ => false,
            }
    }

    /// Makes a load part of the instruction that is selected, if it can be.
    pub(super) fn take_load(&mut self, value: Value, size: Size, ops: &mut Ops) -> Option<Address> {
        if !self.can_take(value, size) {
            return None;
        }
        let func = self.func;
        let inst = self.facts.inst_of(func, value)?;
        let data = func.inst(inst);
        let place = match data.op {
            Op::Load(op, access) => {
                self.taken[inst.0 as usize] = true;
                ops.source = Some(data.source);
                let own = core::mem::replace(&mut self.source, data.source);
                let place = self.place(access, &data.args, op.size());
                self.source = own;
                place
            }
            Op::GlobalGet(global) => {
                self.taken[inst.0 as usize] = true;
                self.global_place(global)
            }
            _ => return None,
        };
        place.push(ops);
        Some(place.address)
    }

    pub(super) fn load(&mut self, op: LoadOp, access: Access, data: &InstData) {
        let dst = self.result(data);
        let place = self.place(access, &data.args, op.size());
        let mut ops = Ops::of(&[write(dst)]);
        place.push(&mut ops);
        self.put_ops(Inst::Load { load: kind(op), src: Src::Mem(place.address) }, &ops);
    }

    pub(super) fn store(&mut self, op: StoreOp, access: Access, data: &InstData) {
        let size = Size::of(op.size());
        let Some(&value) = data.args.last() else { return };
        let wide = size == Size::B8;
        let value = self.stored(op, value);
        if self.change_in_place(op, access, data, value) {
            return;
        }
        let constant = self.func.constant(self.facts.root(value));
        let small = constant.filter(|bits| !wide || i32::try_from(*bits as i64).is_ok());
        if let Some(value) = small {
            let place = self.place(access, &data.args, op.size());
            let mut ops = Ops::of(&[]);
            place.push(&mut ops);
            let inst = Inst::StoreImm { size, address: place.address, value: value as i32 };
            return self.put_ops(inst, &ops);
        }
        // The bits of a float that is constant are one as well.
        let src = match constant {
            Some(bits) => self.constant(Type::I64, bits),
            None => self.reg(value),
        };
        let place = self.place(access, &data.args, op.size());
        let mut ops = Ops::of(&[read(src)]);
        place.push(&mut ops);
        self.put_ops(Inst::Store { size, address: place.address }, &ops);
    }

    /// The value whose lower bytes are stored.
    fn stored(&self, op: StoreOp, value: Value) -> Value {
        use StoreOp::*;
        match op {
            I32Store | I32Store8 | I32Store16 => self.unwrapped(value),
            I64Store | F32Store | F64Store | I64Store8 | I64Store16 | I64Store32 => value,
        }
    }

    /// Changes what is in memory by one instruction: a store, to the place where its
    /// operand was loaded from with nothing in between, of what an op made of it.
    fn change_in_place(
        &mut self,
        op: StoreOp,
        access: Access,
        data: &InstData,
        value: Value,
    ) -> bool {
        let func = self.func;
        let (wide, load_op) = match op {
            StoreOp::I32Store => (false, LoadOp::I32Load),
            StoreOp::I64Store => (true, LoadOp::I64Load),
            _ => return false,
        };
        let Some(changed) = self.single_def(value) else { return false };
        use BinaryOp::*;
        let alu = match changed.op {
            Op::Binary(op) => match (op, wide) {
                (I32Add, false) | (I64Add, true) => Alu::Add,
                (I32Sub, false) | (I64Sub, true) => Alu::Sub,
                (I32And, false) | (I64And, true) => Alu::And,
                (I32Or, false) | (I64Or, true) => Alu::Or,
                (I32Xor, false) | (I64Xor, true) => Alu::Xor,
                _ => return false,
            },
            _ => return false,
        };
        let size = if wide { Size::B8 } else { Size::B4 };
        let (a, b) = (changed.args[0], changed.args[1]);
        let mut found = None;
        for (old, other) in [(a, b), (b, a)] {
            let Some(inst) = self.facts.inst_of(func, old).filter(|_| self.can_take(old, size))
            else {
                continue;
            };
            let load = func.inst(inst);
            let same = load.op == Op::Load(load_op, access)
                && load.args.len() + 1 == data.args.len()
                && load.args.iter().zip(&data.args).all(|(a, b)| {
                    let (a, b) = (self.facts.root(*a), self.facts.root(*b));
                    a == b || self.is_same_constant(a, b)
                });
            if same {
                found = Some((inst, other));
                break;
            }
            if alu == Alu::Sub {
                break;
            }
        }
        let Some((inst, other)) = found else { return false };
        self.taken[inst.0 as usize] = true;
        // If it traps, the load would have.
        self.source = func.inst(inst).source;
        let (src, reg) = match self.immediate(other, wide) {
            Some(value) => (Src::Imm(value), None),
            None if wide => (Src::Operand, Some(self.reg(other))),
            None => (Src::Operand, Some(self.reg_32(other))),
        };
        let place = self.place(access, &data.args, op.size());
        let mut ops = Ops::of(&[]);
        reg.into_iter().for_each(|reg| ops.push(read(reg)));
        place.push(&mut ops);
        self.put_ops(Inst::AluMem { op: alu, size, address: place.address, src }, &ops);
        true
    }

    fn is_same_constant(&self, a: Value, b: Value) -> bool {
        let (a, b) = (self.func.constant(a), self.func.constant(b));
        a.is_some() && a == b
    }

    /// Loads a field of a memory's description.
    pub(super) fn memory_field(&mut self, mem: u32, field: u32, data: &InstData) {
        let dst = self.result(data);
        let memory = self.memory(mem);
        let address = Address::operand(field as i32);
        let load = Inst::Load { load: Load::Zero(Size::B8), src: Src::Mem(address) };
        self.put(load, &[write(dst), read(memory)]);
    }

    /// Where a memory is described.
    fn memory(&mut self, mem: u32) -> VReg {
        let load = |address| Inst::Load { load: Load::Zero(Size::B8), src: Src::Mem(address) };
        let dst = self.fresh(Type::I64);
        if mem == 0 {
            self.put(load(Address::vmctx(self.layout.memory0)), &[write(dst)]);
            return dst;
        }
        let list = self.fresh(Type::I64);
        self.put(load(Address::vmctx(self.layout.memories)), &[write(list)]);
        self.put(load(Address::operand((mem * 8) as i32)), &[write(dst), read(list)]);
        dst
    }

    pub(super) fn memory_size(&mut self, mem: u32, data: &InstData) {
        // Threads may have grown it, which the handler knows to look for.
        if self.env.memory(mem).shared {
            let inst = SlotInst::MemorySize { dst: Slot(0), mem };
            return self.handler(Handler { inst, slots: 1 }, data);
        }
        let dst = self.result(data);
        let memory = self.memory(mem);
        let len = self.fresh(Type::I64);
        let address = Address::operand(self.layout.memory_len as i32);
        let load = Inst::Load { load: Load::Zero(Size::B8), src: Src::Mem(address) };
        self.put(load, &[write(len), read(memory)]);
        let count = self.env.memory(mem).page_size_log2;
        let op = crate::isa::x64::integer::Shift::RightUnsigned;
        self.put(Inst::Shift { op, wide: true, count }, &[write_over(dst, 1), read(len)]);
    }
}
