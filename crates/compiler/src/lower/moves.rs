//! Moves that the allocator of registers has put and that change nothing.
//!
//! A value that is split into pieces moves from one place to the next wherever two of them
//! meet. What was loaded from a slot in a block is stored to it again behind the next,
//! though the slot has it still. One walk over the blocks remembers for each register
//! which slot holds the same: such stores and loads are left out, and a load of what a
//! register has still becomes a move. What is known where paths meet is what is known on
//! all of them; of ways back nothing is known when the header of a loop is looked at, so
//! that no block is looked at twice.

use super::machine::Machine;
use regalloc2::{Allocation, Block, Edit, Function, Inst, InstPosition, OperandKind, Output};
use regalloc2::{PReg, ProgPoint, RegClass};

/// Registers of both classes.
const REGS: usize = 64;

/// For each register the slot that holds the same, by number.
#[derive(Clone)]
struct Same([Option<u32>; REGS]);

fn index(reg: PReg) -> usize {
    match reg.class() {
        RegClass::Int => reg.hw_enc() & 31,
        RegClass::Float | RegClass::Vector => 32 + (reg.hw_enc() & 31),
    }
}

/// What becomes of a move.
enum Fate {
    Stays,
    /// It reads this register.
    From(PReg),
    Goes,
}

impl Same {
    fn nothing() -> Same {
        Same([None; REGS])
    }

    fn meet(&mut self, other: &Same) {
        for (one, other) in self.0.iter_mut().zip(&other.0) {
            if one != other {
                *one = None;
            }
        }
    }

    /// A register of this class that holds what the slot does.
    fn holder(&self, slot: u32, class: RegClass) -> Option<PReg> {
        let first = index(PReg::new(0, class));
        let found = self.0[first..first + 32].iter().position(|each| *each == Some(slot));
        found.map(|number| PReg::new(number, class))
    }

    fn execute(&mut self, from: Allocation, to: Allocation) -> Fate {
        let slot = |place: Allocation| place.as_stack().map(|slot| slot.index() as u32);
        match (from.as_reg(), to.as_reg()) {
            (Some(from), Some(to)) => {
                self.0[index(to)] = self.0[index(from)];
            }
            (Some(from), None) => {
                let Some(to) = slot(to) else { return Fate::Stays };
                if self.0[index(from)] == Some(to) {
                    return Fate::Goes;
                }
                for each in &mut self.0 {
                    if *each == Some(to) {
                        *each = None;
                    }
                }
                self.0[index(from)] = Some(to);
            }
            (None, Some(to)) => {
                let Some(from) = slot(from) else { return Fate::Stays };
                if self.0[index(to)] == Some(from) {
                    return Fate::Goes;
                }
                let holder = self.holder(from, to.class());
                self.0[index(to)] = Some(from);
                if let Some(holder) = holder {
                    return Fate::From(holder);
                }
            }
            (None, None) => *self = Same::nothing(),
        }
        Fate::Stays
    }
}

/// Leaves out moves without effect.
pub(super) fn remove(machine: &Machine, output: &mut Output, scratch: &[PReg]) {
    let mut ends: Vec<Option<Same>> = vec![None; machine.num_blocks()];
    let mut goes = vec![false; output.edits.len()];
    for number in 0..machine.num_blocks() {
        let block = Block::new(number);
        let mut same: Option<Same> = None;
        for from in machine.block_preds(block) {
            match (&mut same, &ends[from.index()]) {
                (_, None) => {
                    same = None;
                    break;
                }
                (Some(same), Some(other)) => same.meet(other),
                (None, Some(other)) => same = Some(other.clone()),
            }
        }
        let mut same = same.unwrap_or_else(Same::nothing);
        let insts = machine.block_insns(block);
        let start = ProgPoint::before(insts.first());
        let mut edit = output.edits.partition_point(|(point, _)| *point < start);
        for inst in insts.iter() {
            for position in [InstPosition::Before, InstPosition::After] {
                let point = ProgPoint::new(inst, position);
                while let Some((at, Edit::Move { from, to })) = output.edits.get_mut(edit)
                    && *at == point
                {
                    match same.execute(*from, *to) {
                        Fate::Stays => {}
                        Fate::From(reg) => *from = Allocation::reg(reg),
                        Fate::Goes => goes[edit] = true,
                    }
                    edit += 1;
                }
                if position == InstPosition::Before {
                    written(machine, output, inst, scratch, |reg| same.0[index(reg)] = None);
                }
            }
        }
        ends[number] = Some(same);
    }
    let mut goes = goes.into_iter();
    output.edits.retain(|_| !goes.next().unwrap_or(false));
}

/// Visits the registers that an instruction changes.
fn written(
    machine: &Machine,
    output: &Output,
    inst: Inst,
    scratch: &[PReg],
    mut visit: impl FnMut(PReg),
) {
    let operands = machine.inst_operands(inst).iter().zip(output.inst_allocs(inst));
    for (operand, place) in operands {
        if operand.kind() == OperandKind::Def
            && let Some(reg) = place.as_reg()
        {
            visit(reg);
        }
    }
    machine.inst_clobbers(inst).into_iter().chain(scratch.iter().copied()).for_each(visit);
}

#[cfg(test)]
mod tests {
    use super::super::machine::{Flow, Machine};
    use super::*;
    use regalloc2::{PRegSet, SpillSlot};

    fn reg(number: usize) -> Allocation {
        Allocation::reg(PReg::new(number, RegClass::Int))
    }

    fn slot(number: usize) -> Allocation {
        Allocation::stack(SpillSlot::new(number))
    }

    /// What is left of moves in front of the only instruction of each of three blocks, where
    /// the first leads to the others and the last leads back to the second.
    fn left(moves: [&[(Allocation, Allocation)]; 3]) -> Vec<(Allocation, Allocation)> {
        let mut machine = Machine::new(3, vec![PRegSet::empty()]);
        for block in (0..3).rev() {
            let from = machine.len();
            machine.inst(Flow::Branch, &[], None, 0);
            machine.block(block, from);
            for to in [&[1, 2][..], &[], &[1]][block] {
                machine.successor(block, *to, core::iter::empty());
            }
        }
        machine.finish();
        let mut output = Output { inst_alloc_offsets: vec![0; 4], ..Output::default() };
        for (at, moves) in moves.iter().enumerate() {
            let point = ProgPoint::before(Inst::new(at));
            let edits = moves.iter().map(|&(from, to)| (point, Edit::Move { from, to }));
            output.edits.extend(edits);
        }
        remove(&machine, &mut output, &[]);
        output.edits.into_iter().map(|(_, Edit::Move { from, to })| (from, to)).collect()
    }

    #[test]
    fn what_a_slot_has_is_not_stored_again() {
        let (load, store) = ((slot(0), reg(1)), (reg(1), slot(0)));
        assert_eq!(left([&[load, store], &[], &[store, load]]), [load]);
        // The slot has changed in between.
        let other = (reg(2), slot(0));
        assert_eq!(left([&[load], &[], &[other, store]]), [load, other, store]);
    }

    #[test]
    fn what_a_register_has_is_not_loaded_again() {
        let (store, load) = ((reg(1), slot(0)), (slot(0), reg(2)));
        assert_eq!(left([&[store, load], &[], &[]]), [store, (reg(1), reg(2))]);
    }

    #[test]
    fn of_ways_back_nothing_is_known() {
        let (store, load) = ((reg(1), slot(0)), (slot(0), reg(1)));
        assert_eq!(left([&[store], &[load], &[]]), [store, load]);
    }
}
