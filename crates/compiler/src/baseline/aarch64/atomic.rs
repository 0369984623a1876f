//! Atomic accesses.
//!
//! Loads acquire and stores release, which orders them among each other as WebAssembly
//! asks. What combines is one instruction where the processor has the extension LSE, else
//! a loop around an exclusive load and store. Alignment is checked on the effective
//! address, before the bounds, as the handlers do.
//!
//! The address has to be in one register. It is brought there when all operands are in
//! theirs; from then on nothing is allocated, and the scratch registers for values and
//! integers hold what is written and whether that worked.

use crate::asm::Reg;
use crate::baseline::Compiler;
use crate::baseline::select::AtomicAccess;
use crate::baseline::state::Class;
use crate::isa::aarch64::regs::{Barrier, Cond, Extend, Order, Size, Width, ZR};
use crate::isa::aarch64::{Assembler, Condition, INT_SCRATCH, Inst, VALUE, inst};
use crate::isa::{Alu, Primitives};
use zwasm_regir::{AtomicKind, Operand, Slot};

/// What a value in memory becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Exchange,
    Combine(Alu),
}

/// Where an access is: the address in a register, and how much is there.
#[derive(Clone, Copy)]
struct Cell {
    size: Size,
    address: Reg,
}

/// An instruction of LSE: the register with the operand, the one for what was there, and
/// the address.
type Lse = fn(Order, Size, Reg, Reg, Reg) -> Inst;

impl Compiler<'_, Assembler> {
    /// An access that is not a load or store yields the old value.
    pub(super) fn atomic_access(&mut self, access: AtomicAccess) {
        let AtomicAccess { op, dst, addr, a, b, .. } = access;
        // A store has none.
        let old = if op.has_result() { self.alloc(Class::Int, None) } else { ZR };
        match op.kind() {
            AtomicKind::Load => {
                let cell = self.cell(access);
                self.asm.emit(inst::ldar(cell.size, old, cell.address));
            }
            AtomicKind::Store => {
                let value = self.written(a);
                let cell = self.cell(access);
                self.asm.emit(inst::stlr(cell.size, value, cell.address));
            }
            AtomicKind::Cmpxchg => self.compare_exchange(access, old),
            AtomicKind::Add => self.change(Change::Combine(Alu::Add), access, old),
            AtomicKind::Sub => self.change(Change::Combine(Alu::Sub), access, old),
            AtomicKind::And => self.change(Change::Combine(Alu::And), access, old),
            AtomicKind::Or => self.change(Change::Combine(Alu::Or), access, old),
            AtomicKind::Xor => self.change(Change::Combine(Alu::Xor), access, old),
            AtomicKind::Xchg => self.change(Change::Exchange, access, old),
        }
        let operands = [addr, a, b];
        operands[..=op.operands()].iter().for_each(|slot| self.consume(*slot));
        if op.has_result() {
            self.define(old, dst, Class::Int);
        }
    }

    pub(super) fn fence(&mut self) {
        self.asm.emit(inst::dmb(Barrier::Ish));
    }

    /// An operand that is written or combined; for zero there is a register.
    fn written(&mut self, slot: Slot) -> Reg {
        match self.resolve(Operand::Slot(slot)) {
            Operand::Const(0) => ZR,
            operand => self.operand(operand, Class::Int),
        }
    }

    /// Checks alignment and bounds, and computes the address.
    fn cell(&mut self, access: AtomicAccess) -> Cell {
        let AtomicAccess { op, addr, mem, offset, .. } = access;
        let place = self.aligned(mem, addr, offset, op.size());
        let address = self.asm.address(place);
        let size = match op.size() {
            1 => Size::B,
            2 => Size::H,
            4 => Size::W,
            _ => Size::X,
        };
        Cell { size, address }
    }

    /// Reads what is there into `old` and changes it.
    fn change(&mut self, change: Change, access: AtomicAccess, old: Reg) {
        let operand = self.written(access.a);
        let cell = self.cell(access);
        if self.asm.features.lse {
            self.change_at_once(change, cell, old, operand);
        } else {
            self.repeat(cell, old, |this| match change {
                Change::Exchange => operand,
                Change::Combine(alu) => {
                    this.asm.alu_registers(alu, width(cell.size), VALUE, old, operand);
                    VALUE
                }
            });
        }
    }

    /// There is no instruction for subtracting, and one for clearing bits rather than
    /// keeping them.
    fn change_at_once(&mut self, change: Change, cell: Cell, old: Reg, operand: Reg) {
        let Cell { size, address } = cell;
        let (inst, operand): (Lse, _) = match change {
            Change::Exchange => (inst::swp, operand),
            Change::Combine(Alu::Add) => (inst::ldadd, operand),
            Change::Combine(Alu::Sub) => {
                self.asm.emit(inst::neg(width(size), VALUE, operand));
                (inst::ldadd, VALUE)
            }
            Change::Combine(Alu::And) => {
                self.asm.emit(inst::mvn(width(size), VALUE, operand));
                (inst::ldclr, VALUE)
            }
            Change::Combine(Alu::Or) => (inst::ldset, operand),
            Change::Combine(Alu::Xor) => (inst::ldeor, operand),
        };
        self.asm.emit(inst(Order::Full, size, operand, old, address));
    }

    /// Loads `old` and stores what `new` computes, until nobody else wrote in between.
    fn repeat(&mut self, cell: Cell, old: Reg, new: impl FnOnce(&mut Self) -> Reg) {
        let Cell { size, address } = cell;
        let again = self.asm.new_label();
        self.asm.bind(again);
        self.asm.emit(inst::ldaxr(size, old, address));
        let new = new(self);
        self.asm.emit(inst::stlxr(size, INT_SCRATCH, new, address));
        self.asm.jump_if(Condition::NonZero(Width::W, INT_SCRATCH), again);
    }

    /// Of the expected value, as many bytes count as are accessed.
    fn compare_exchange(&mut self, access: AtomicAccess, old: Reg) {
        let new = self.written(access.b);
        if self.asm.features.lse {
            self.load_into(old, Operand::Slot(access.a));
            let Cell { size, address } = self.cell(access);
            return self.asm.emit(inst::cas(Order::Full, size, old, new, address));
        }
        let expected = self.operand(Operand::Slot(access.a), Class::Int);
        let cell = self.cell(access);
        let differs = self.asm.new_label();
        self.repeat(cell, old, |this| {
            this.asm.emit(match cell.size {
                Size::B => inst::cmp_ext(Width::W, old, expected, (Extend::Uxtb, 0)),
                Size::H => inst::cmp_ext(Width::W, old, expected, (Extend::Uxth, 0)),
                Size::W | Size::X => inst::cmp(width(cell.size), old, expected),
            });
            this.asm.jump_if(Condition::Flag(Cond::Ne), differs);
            new
        });
        self.asm.bind(differs);
    }
}

/// The width of the registers with a value.
fn width(size: Size) -> Width {
    if size == Size::X { Width::X } else { Width::W }
}
