//! Copying and filling short runs of a memory.
//!
//! # DANGER
//!
//! The ranges are compared with the memory's length here, as a whole and before anything is
//! written. Places and lengths are zero-extended numbers of 32 bits, so that no sum wraps;
//! the SSA form has these ops of such memories only, which no other thread makes longer.
//!
//! A length that is not known, and turns out to be long, is left to the handler, out of
//! line, with all registers kept around it: for what is around it, the op is an
//! instruction like any other.

use super::emit::Emitter;
use super::memory::Place;
use super::traps::Outside;
use super::{Address, Data, Inst, Load, Ops, Select, Src};
use crate::asm::{AsmLabel, Mem, Reg, Rm, at};
use crate::bulk::{BYTES_PER_FUEL, Copy, Fill, pieces, spread, spread_constant};
use crate::isa::x64::{FLOAT_SCRATCH, INT_SCRATCH, RDI};
use crate::isa::{Primitives, Size};
use crate::lower::machine::{read, write, write_early};
use crate::ssa::{InstData, Value};
use crate::tuning::BULK_INLINE_BYTES;
use regalloc2::VReg;
use zwasm_regir::inst::Bulk;
use zwasm_regir::{Inst as SlotInst, Slot, Type};

/// Where a long one goes.
pub(super) struct Long {
    /// The threaded code of the handler.
    code: u32,
    /// Its operands.
    operands: [Reg; 3],
    resume: AsmLabel,
}

impl Select<'_> {
    /// Whether the length is a constant, and what it is; none if the handler does all.
    fn bulk_length(&self, count: Value) -> Option<Option<u32>> {
        match self.func.constant(self.facts.root(count)) {
            Some(bytes) if bytes <= BULK_INLINE_BYTES.into() => Some(Some(bytes as u32)),
            // The handlers pay by size.
            None if !self.env.consumes_fuel() => Some(None),
            _ => None,
        }
    }

    pub(super) fn memory_copy(&mut self, mem: u32, data: &InstData) {
        let inst = SlotInst::Bulk { op: Bulk::MemoryCopy { dst: mem, src: mem }, base: Slot(0) };
        match self.bulk_length(data.args[4]) {
            Some(Some(bytes)) => self.copy_constant(data, bytes),
            Some(None) => self.copy_short(&inst, data),
            None => self.run_handler(&inst, 3, &data.args[2..]),
        }
    }

    pub(super) fn memory_fill(&mut self, mem: u32, data: &InstData) {
        let inst = SlotInst::Bulk { op: Bulk::MemoryFill { mem }, base: Slot(0) };
        match self.bulk_length(data.args[4]) {
            Some(Some(bytes)) => self.fill_constant(data, bytes),
            Some(None) => self.fill_short(&inst, data),
            None => self.run_handler(&inst, 3, &data.args[2..]),
        }
    }

    /// Traps unless so many bytes from a place on are within a memory of this length.
    fn within(&mut self, start: VReg, bytes: u32, len: VReg) {
        let end = self.fresh(Type::I64);
        let address = Address::operand(bytes as i32);
        self.put(Inst::Lea { wide: true, address }, &[write(end), read(start)]);
        let compare = Inst::Cmp { size: Size::B8, a: Src::Operand, b: Src::Operand };
        self.put(compare, &[read(end), read(len)]);
        self.put(Inst::OutsideIf { mem: 0, size: 0 }, &[read(start)]);
    }

    /// Pays for so many bytes, whose places have been checked.
    fn pay_for_bytes(&mut self, bytes: u32) {
        if self.env.consumes_fuel() && bytes >= BYTES_PER_FUEL {
            self.fuel(bytes / BYTES_PER_FUEL);
        }
    }

    fn store_piece(&mut self, base: VReg, to: VReg, (at, size): (i32, Size), value: VReg) {
        let place = Place::indexed(base, to, 0, at);
        let mut ops = Ops::of(&[read(value)]);
        place.push(&mut ops);
        self.put_ops(Inst::Store { size, address: place.address }, &ops);
    }

    fn copy_constant(&mut self, data: &InstData, bytes: u32) {
        self.machine.float_words = 2;
        let [base, len, to, from] = [0, 1, 2, 3].map(|index| self.reg(data.args[index]));
        self.within(to, bytes, len);
        self.within(from, bytes, len);
        self.pay_for_bytes(bytes);
        let mut loaded = Vec::new();
        for (at, size) in pieces(bytes, Size::B16) {
            let value = self.fresh(if size == Size::B16 { Type::V128 } else { Type::I64 });
            let place = Place::indexed(base, from, 0, at);
            let mut ops = Ops::of(&[write(value)]);
            place.push(&mut ops);
            let load = Load::Zero(size);
            self.put_ops(Inst::Load { load, src: Src::Mem(place.address) }, &ops);
            loaded.push((at, size, value));
        }
        for (at, size, value) in loaded {
            self.store_piece(base, to, (at, size), value);
        }
    }

    fn fill_constant(&mut self, data: &InstData, bytes: u32) {
        let [base, len, to] = [0, 1, 2].map(|index| self.reg(data.args[index]));
        self.within(to, bytes, len);
        self.pay_for_bytes(bytes);
        let zero = self.func.constant(self.facts.root(data.args[3])).is_some_and(|v| v as u8 == 0);
        let value = self.spread(data.args[3]);
        let mut vector = None;
        for (at, size) in pieces(bytes, if zero { Size::B16 } else { Size::B8 }) {
            let value = match size {
                Size::B16 => *vector.get_or_insert_with(|| {
                    self.machine.float_words = 2;
                    let vector = self.fresh(Type::V128);
                    self.put(Inst::FloatConst { bits: 0, single: false }, &[write(vector)]);
                    vector
                }),
                _ => value,
            };
            self.store_piece(base, to, (at, size), value);
        }
    }

    /// A register with eight times the lowest byte of a value.
    fn spread(&mut self, value: Value) -> VReg {
        if let Some(value) = self.func.constant(self.facts.root(value)) {
            return self.constant(Type::I64, spread_constant(value));
        }
        let (value, all) = (self.reg(value), self.fresh(Type::I64));
        self.sequence(
            |e, regs, _| {
                let (all, value) = (regs.reg(), regs.reg());
                spread(&mut e.asm, all, value, INT_SCRATCH);
            },
            Data::bits(0),
            &[write_early(all), read(value)],
        );
        all
    }

    /// The number of the threaded code of a handler that is rarely used.
    fn long(&mut self, inst: &SlotInst) -> Data {
        self.calls = true;
        Data::bits(self.scratch(inst, 3).into())
    }

    fn copy_short(&mut self, inst: &SlotInst, data: &InstData) {
        let long = self.long(inst);
        let args = [0, 1, 2, 3, 4].map(|index| read(self.reg(data.args[index])));
        let ints = [(); 3].map(|()| write_early(self.fresh(Type::I64)));
        let vectors = [(); 3].map(|()| write_early(self.fresh(Type::V128)));
        let operands: Vec<_> = [&ints[..], &vectors, &args].concat();
        let sequence: super::Sequence = |e, regs, data| {
            let [to_end, from_end, first] = [(); 3].map(|()| regs.reg());
            let vectors = [(); 3].map(|()| regs.reg());
            let [base, len, to, from, count] = [(); 5].map(|()| regs.reg());
            e.ends_within(to_end, to, count, len);
            e.ends_within(from_end, from, count, len);
            let vectors = [vectors[0], vectors[1], vectors[2], FLOAT_SCRATCH];
            let ints = [first, INT_SCRATCH];
            let copy = Copy { base, to, from, to_end, from_end, count, ints, vectors };
            let resume = e.asm.new_label();
            let operands = [to, from, count];
            let long = e.push_long(Long { code: data.bits as u32, operands, resume });
            copy.emit(&mut e.asm, long);
            e.asm.bind(resume);
        };
        self.sequence(sequence, long, &operands);
    }

    fn fill_short(&mut self, inst: &SlotInst, data: &InstData) {
        let long = self.long(inst);
        let value = self.spread(data.args[3]);
        let [base, len, to, count] = [0, 1, 2, 4].map(|index| read(self.reg(data.args[index])));
        let to_end = write_early(self.fresh(Type::I64));
        let sequence: super::Sequence = |e, regs, data| {
            let [to_end, base, len, to, value, count] = [(); 6].map(|()| regs.reg());
            e.ends_within(to_end, to, count, len);
            let resume = e.asm.new_label();
            // The handler looks at the lowest byte.
            let operands = [to, value, count];
            let long = e.push_long(Long { code: data.bits as u32, operands, resume });
            Fill { base, to, to_end, count, value }.emit(&mut e.asm, long);
            e.asm.bind(resume);
        };
        self.sequence(sequence, long, &[to_end, base, len, to, read(value), count]);
    }
}

impl Emitter<'_> {
    /// Traps unless as many bytes from a place on as `count` says are within a memory of
    /// this length; `end` gets where they end.
    fn ends_within(&mut self, end: Reg, start: Reg, count: Reg, len: Reg) {
        let place = Mem { base: start, index: Some((count, 0)), disp: 0 };
        self.asm.address_of(end, place, true);
        self.asm.cmp(true, end, Rm::Reg(len));
        self.outside_if(Outside { mem: 0, end: start, size: 0 });
    }

    /// Has the handler do a long one.
    pub(super) fn long_bulk(&mut self, long: &Long) {
        // No operand is in the scratch register.
        self.asm.load(INT_SCRATCH, at(RDI, self.layout.store as i32), Size::B8);
        self.asm.load(INT_SCRATCH, at(INT_SCRATCH, self.layout.value_top as i32), Size::B8);
        for (slot, operand) in (1..).zip(long.operands) {
            self.asm.store(at(INT_SCRATCH, slot * 8), operand, Size::B8);
        }
        self.keep(long.code);
        self.bring();
        self.asm.jump(long.resume);
    }
}
