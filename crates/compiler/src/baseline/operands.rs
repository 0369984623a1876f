//! Getting operands into registers and results out of them.

use super::Compiler;
use super::select::Select;
use super::state::{Class, Location};
use crate::asm::{Reg, Rm};
use crate::isa::Size;
use zwasm_regir::{Operand, Slot};

impl<A: Select> Compiler<'_, A> {
    /// Whether a slot belongs to the operand stack.
    pub(crate) fn is_temporary(&self, slot: u32) -> bool {
        slot >= self.function.frame.stack
    }

    /// A register for a value of `slot` (whose old value is dead then), or for
    /// something in between.
    pub(crate) fn alloc(&mut self, class: Class, slot: Option<u32>) -> Reg {
        if let Some(slot) = slot
            && let Location::Reg(reg) = self.state.location(slot)
            && (class == Class::Int) != reg.is_vector()
            && !self.state.locked.contains(reg)
        {
            self.state.release(reg);
            self.state.lock(reg);
            return reg;
        }
        let reg = self.state.free(class, slot).or_else(|| {
            let victim = self.state.victim(class)?;
            self.spill(victim);
            self.state.release(victim);
            Some(victim)
        });
        let reg = reg.unwrap_or_else(|| {
            self.failed = true;
            self.state.any(class)
        });
        self.state.lock(reg);
        reg
    }

    /// Brings a register's value to its slot, if it is not there.
    pub(crate) fn spill(&mut self, reg: Reg) {
        if let Some(held) = self.state.held(reg)
            && held.dirty
        {
            self.store_slot(held.slot, reg, held.class);
            self.state.clean(reg);
        }
    }

    /// Brings a slot's value to its slot, wherever it is.
    pub(crate) fn spill_slot(&mut self, slot: u32) {
        match self.state.location(slot) {
            Location::Frame => {}
            Location::Reg(reg) | Location::Upper(reg) => self.spill(reg),
            Location::Const(value) => {
                self.store_constant(slot, value);
                self.state.forget(slot);
            }
        }
    }

    /// The operand, as a constant if that is known of its slot.
    pub(crate) fn resolve(&self, operand: Operand) -> Operand {
        match operand {
            Operand::Slot(slot) => match self.state.location(slot.0) {
                Location::Const(value) => Operand::Const(value),
                _ => operand,
            },
            constant => constant,
        }
    }

    /// A slot's value in a register of a class.
    pub(crate) fn reg(&mut self, slot: u32, class: Class) -> Reg {
        if class == Class::Vector {
            return self.vector(slot);
        }
        match self.state.location(slot) {
            Location::Reg(reg) => {
                let held = self.state.held(reg);
                let (old, dirty) = held.map_or((class, false), |held| (held.class, held.dirty));
                if old == class {
                    self.state.lock(reg);
                    return reg;
                }
                if old != Class::Vector {
                    self.state.lock(reg);
                    let new = self.alloc(class, None);
                    self.asm.mov(new, reg);
                    self.state.bind(new, slot, class, dirty);
                    return new;
                }
                self.spill(reg);
                self.state.release(reg);
            }
            Location::Upper(reg) => {
                self.spill(reg);
                self.state.release(reg);
            }
            Location::Const(value) => {
                let reg = self.alloc(class, None);
                self.asm.constant(reg, value);
                self.state.bind(reg, slot, class, true);
                return reg;
            }
            Location::Frame => {}
        }
        let reg = self.alloc(class, None);
        self.load_slot(reg, slot, class);
        self.state.bind(reg, slot, class, false);
        reg
    }

    /// The vector in two slots in a register.
    fn vector(&mut self, slot: u32) -> Reg {
        if let Location::Reg(reg) = self.state.location(slot)
            && self.state.held(reg).is_some_and(|held| held.class == Class::Vector)
        {
            self.state.lock(reg);
            return reg;
        }
        // A local that has not been written to.
        let zero = Location::Const(0);
        if [slot, slot + 1].map(|half| self.state.location(half)) == [zero; 2] {
            let reg = self.alloc(Class::Vector, None);
            self.asm.constant(reg, 0);
            self.state.bind(reg, slot, Class::Vector, true);
            return reg;
        }
        // Halves that were moved one by one.
        for half in [slot, slot + 1] {
            self.spill_slot(half);
            self.state.forget(half);
        }
        let reg = self.alloc(Class::Vector, None);
        self.load_slot(reg, slot, Class::Vector);
        self.state.bind(reg, slot, Class::Vector, false);
        reg
    }

    /// An operand in a register of a class.
    pub(crate) fn operand(&mut self, operand: Operand, class: Class) -> Reg {
        match self.resolve(operand) {
            Operand::Slot(slot) => self.reg(slot.0, class),
            Operand::Const(value) => {
                let reg = self.alloc(class, None);
                self.asm.constant(reg, value);
                reg
            }
        }
    }

    /// A slot's value for an instruction that can read memory: a temporary that
    /// is in the frame stays there, because nobody will read it again.
    pub(crate) fn rm(&mut self, slot: u32, class: Class) -> Rm {
        if self.is_temporary(slot) && self.state.location(slot) == Location::Frame {
            return self.slot_rm(slot);
        }
        self.reg(slot, class).into()
    }

    /// A slot of the frame as an operand.
    pub(crate) fn slot_rm(&self, slot: u32) -> Rm {
        self.slot(slot).into()
    }

    /// A slot's value in a register that may be overwritten with the new value of
    /// `dst`. The operand is consumed.
    pub(crate) fn take(&mut self, operand: Operand, class: Class, dst: u32) -> Reg {
        match self.resolve(operand) {
            Operand::Const(value) => {
                if let Operand::Slot(slot) = operand {
                    self.consume(slot);
                }
                let reg = self.alloc(class, Some(dst));
                self.asm.constant(reg, value);
                reg
            }
            Operand::Slot(Slot(slot)) => {
                if self.state.location(slot) == Location::Frame && class != Class::Vector {
                    let reg = self.alloc(class, Some(dst));
                    self.load_slot(reg, slot, class);
                    return reg;
                }
                let reg = self.reg(slot, class);
                if slot == dst || self.is_temporary(slot) {
                    self.state.release(reg);
                    return reg;
                }
                let new = self.alloc(class, Some(dst));
                self.asm.mov(new, reg);
                new
            }
        }
    }

    /// Loads an operand into a certain register that is free.
    pub(crate) fn load_into(&mut self, reg: Reg, operand: Operand) {
        match self.resolve(operand) {
            Operand::Const(value) => self.asm.constant(reg, value),
            Operand::Slot(slot) => match self.rm(slot.0, Class::Int) {
                Rm::Reg(src) => self.asm.mov(reg, src),
                Rm::Mem(src) => self.asm.load(reg, src, Size::B8),
                Rm::Label(_) => unreachable!("operands are in registers or slots"),
            },
        }
    }

    /// A temporary has been read for the last time.
    pub(crate) fn consume(&mut self, slot: Slot) {
        if self.is_temporary(slot.0) {
            self.state.forget(slot.0);
        }
    }

    /// As [`Compiler::consume`].
    pub(crate) fn consume_operand(&mut self, operand: Operand) {
        if let Operand::Slot(slot) = operand {
            self.consume(slot);
        }
    }

    /// Makes a register's value that of a slot.
    pub(crate) fn define(&mut self, reg: Reg, dst: Slot, class: Class) {
        self.state.bind(reg, dst.0, class, true);
    }

    /// `condition ? a : b`: `condition` emits what decides, when everything else is in
    /// its place.
    pub(crate) fn select(
        &mut self,
        dst: Slot,
        a: Operand,
        b: Operand,
        condition: impl FnOnce(&mut Self) -> A::Condition,
    ) {
        let in_float = |this: &Self, operand: Operand| match operand {
            Operand::Slot(slot) => {
                matches!(this.state.location(slot.0), Location::Reg(reg) if reg.is_vector())
            }
            Operand::Const(_) => false,
        };
        let class = if in_float(self, a) || in_float(self, b) { Class::Float } else { Class::Int };
        let first = self.operand(a, class);
        let second = self.operand(b, class);
        let reg = self.alloc(class, None);
        A::choose(self, class, reg, first, second, condition);
        self.consume_operand(a);
        self.consume_operand(b);
        self.define(reg, dst, class);
    }
}
