//! Copying and filling short runs of a memory without a handler.
//!
//! Of the usual kind of memory only: the first, with 32-bit addresses, not shared. The
//! ranges are compared with its length before anything is written, and paid for then, as
//! the handlers do it. What has a length that is not known, and turns out to be long, is
//! the handler's.

use super::Compiler;
use super::late::Late;
use super::select::Select;
use super::state::Class;
use crate::asm::{Mem, Reg};
use crate::bulk::{self, Copy, Fill, pieces};
use crate::isa::Size;
use crate::tuning::BULK_INLINE_BYTES;
use zwasm_regir::inst::Bulk;
use zwasm_regir::{Inst, Operand, Slot};

/// Whether a bulk operation has code of its own if it moves few bytes.
pub(crate) fn may_be_short(op: Bulk) -> bool {
    matches!(op, Bulk::MemoryCopy { dst: 0, src: 0 } | Bulk::MemoryFill { mem: 0 })
}

impl<A: Select> Compiler<'_, A> {
    pub(crate) fn bulk(&mut self, inst: &Inst, op: Bulk, base: Slot) {
        if !may_be_short(op) || !self.is_plain_memory() {
            return self.call_handler(inst);
        }
        let is_copy = matches!(op, Bulk::MemoryCopy { .. });
        match (self.resolve(Operand::Slot(Slot(base.0 + 2))), is_copy) {
            (Operand::Const(bytes), _) if bytes > BULK_INLINE_BYTES.into() => {
                return self.call_handler(inst);
            }
            (Operand::Const(bytes), true) => self.copy_constant(base, bytes as u32),
            (Operand::Const(bytes), false) => self.fill_constant(base, bytes as u32),
            // Where fuel is paid, the handlers pay by size.
            (Operand::Slot(_), _) if self.metered => return self.call_handler(inst),
            (Operand::Slot(_), true) => self.copy_short(inst, base),
            (Operand::Slot(_), false) => self.fill_short(inst, base),
        }
        (0..3).for_each(|slot| self.consume(Slot(base.0 + slot)));
    }

    fn is_plain_memory(&self) -> bool {
        let memory = self.env.memory(0);
        !memory.is_64 && !memory.shared
    }

    /// Pays for so many bytes, whose places have been checked.
    fn pay_for_bytes(&mut self, bytes: u32) {
        if self.metered && bytes >= bulk::BYTES_PER_FUEL {
            self.fuel(bytes / bulk::BYTES_PER_FUEL);
        }
    }

    fn operands(&self, base: Slot) -> [Operand; 3] {
        [0, 1, 2].map(|slot| Operand::Slot(Slot(base.0 + slot)))
    }

    fn copy_constant(&mut self, base: Slot, bytes: u32) {
        let [to, from, _] = self.operands(base);
        let to = self.operand(to, Class::Int);
        let from = self.operand(from, Class::Int);
        self.within(to, bytes);
        self.within(from, bytes);
        self.pay_for_bytes(bytes);
        let loaded: Vec<(i32, Size, Reg)> = pieces(bytes, Size::B16)
            .into_iter()
            .map(|(at, size)| {
                let class = if size == Size::B16 { Class::Float } else { Class::Int };
                let reg = self.alloc(class, None);
                self.asm.load(reg, place::<A>(from, at), size);
                (at, size, reg)
            })
            .collect();
        for (at, size, reg) in loaded {
            self.asm.store(place::<A>(to, at), reg, size);
        }
    }

    fn fill_constant(&mut self, base: Slot, bytes: u32) {
        let [to, value, _] = self.operands(base);
        let to = self.operand(to, Class::Int);
        let value = match self.resolve(value) {
            Operand::Const(value) if value as u8 == 0 && bytes >= 16 => {
                self.asm.constant(A::FLOAT_SCRATCH, 0);
                A::FLOAT_SCRATCH
            }
            value => self.spread(value),
        };
        self.within(to, bytes);
        self.pay_for_bytes(bytes);
        let widest = if value.is_vector() { Size::B16 } else { Size::B8 };
        // The rest of a vector of zeros may be stored from a general register only.
        for (at, size) in pieces(bytes, widest) {
            match size {
                Size::B1 | Size::B2 if value.is_vector() => {
                    self.asm.store_constant(place::<A>(to, at), 0, size);
                }
                _ => self.asm.store(place::<A>(to, at), value, size),
            }
        }
    }

    /// A register with eight times the lowest byte of a value.
    fn spread(&mut self, value: Operand) -> Reg {
        let value = match self.resolve(value) {
            Operand::Const(value) => Operand::Const(bulk::spread_constant(value)),
            slot => slot,
        };
        let reg = self.operand(value, Class::Int);
        if let Operand::Const(_) = value {
            return reg;
        }
        let spread = self.alloc(Class::Int, None);
        bulk::spread(&mut self.asm, spread, reg, A::INT_SCRATCH);
        spread
    }

    fn copy_short(&mut self, inst: &Inst, base: Slot) {
        let [to, from, count] =
            self.operands(base).map(|operand| self.operand(operand, Class::Int));
        let [to_end, from_end, first] = [(); 3].map(|()| self.alloc(Class::Int, None));
        let vectors = [(); 3].map(|()| self.alloc(Class::Float, None));
        let slow = self.slow(inst, None);
        self.ends_within(to_end, to, count);
        self.ends_within(from_end, from, count);
        let copy = Copy {
            base: A::MEMORY,
            to,
            from,
            to_end,
            from_end,
            count,
            ints: [first, A::INT_SCRATCH],
            vectors: [vectors[0], vectors[1], vectors[2], A::FLOAT_SCRATCH],
        };
        copy.emit(&mut self.asm, slow.label);
        self.asm.bind(slow.resume);
        self.late.push(Late::Slow(Box::new(slow)));
    }

    fn fill_short(&mut self, inst: &Inst, base: Slot) {
        let [to, value, count] = self.operands(base);
        let [to, count] = [to, count].map(|operand| self.operand(operand, Class::Int));
        let value = self.spread(value);
        let to_end = self.alloc(Class::Int, None);
        let slow = self.slow(inst, None);
        self.ends_within(to_end, to, count);
        let fill = Fill { base: A::MEMORY, to, to_end, count, value };
        fill.emit(&mut self.asm, slow.label);
        self.asm.bind(slow.resume);
        self.late.push(Late::Slow(Box::new(slow)));
    }
}

/// A place in memory 0.
fn place<A: Select>(index: Reg, disp: i32) -> Mem {
    Mem { base: A::MEMORY, index: Some((index, 0)), disp }
}
