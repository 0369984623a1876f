//! Where control joins: every way to a label brings values to the same places.
//!
//! The first branch to a label decides which registers hold what there; later
//! ones move, load and store until they agree. A loop's header is decided by what
//! the loop uses (see [`super::loops`]).

use super::Compiler;
use super::select::Select;
use super::state::{Class, Joined, Location};
use crate::asm::{AsmLabel, Reg};
use crate::tuning::{LOOP_ALIGN, MOVES_NEAR, NEAR_BYTES, NEAR_INSTS};
use std::rc::Rc;
use zwasm_regir::{Inst, Label, work};

/// What is known of a label.
pub(crate) struct Join {
    pub(crate) asm: AsmLabel,
    /// The registers that hold values there; none before the first branch to it.
    pub(crate) joined: Option<Rc<[Joined]>>,
}

impl<A: Select> Compiler<'_, A> {
    fn height(&self, label: Label) -> u32 {
        self.function.label_heights[label.0 as usize]
    }

    /// Writes constants below `height` to their slots.
    fn flush_constants(&mut self, height: u32) {
        while let Some(&(slot, value)) =
            self.state.constants().iter().find(|(slot, _)| *slot < height)
        {
            work::count(self.state.constants().len());
            self.store_constant(slot, value);
            self.state.forget(slot);
        }
    }

    /// Brings every value below `height` to its slot; none is in a register then.
    pub(crate) fn flush(&mut self, height: u32) {
        self.flush_constants(height);
        for reg in self.state.used().iter() {
            if self.state.held(reg).is_some_and(|held| held.slot < height) {
                self.spill(reg);
            }
        }
        self.state.clear();
    }

    /// Where a branch from here to a label goes; the values are as the label
    /// expects them if this is the first branch to it.
    fn target(&mut self, label: Label) -> (AsmLabel, Option<Rc<[Joined]>>) {
        let height = self.height(label);
        let asm = self.joins[label.0 as usize].asm;
        if let Some(joined) = &self.joins[label.0 as usize].joined {
            let moves = !self.conforms(joined, height);
            return (asm, moves.then(|| joined.clone()));
        }
        self.flush_constants(height);
        let snapshot = self.state.snapshot(height);
        self.joins[label.0 as usize].joined = Some(snapshot.into());
        (asm, None)
    }

    /// Whether nothing needs to be moved for a label.
    fn conforms(&self, joined: &[Joined], height: u32) -> bool {
        work::count(self.state.constants().len() + joined.len());
        let wanted = |reg: Reg| joined.iter().find(|each| each.reg == reg);
        self.state.constants().iter().all(|(slot, _)| *slot >= height)
            && joined.iter().all(|each| {
                self.state.held(each.reg).is_some_and(|held| {
                    held.slot == each.held.slot
                        && held.class == each.held.class
                        && (!held.dirty || each.held.dirty)
                })
            })
            && self.state.used().iter().all(|reg| {
                let held = self.state.held(reg);
                wanted(reg).is_some() || held.is_none_or(|held| !held.dirty || held.slot >= height)
            })
    }

    /// Brings values from where they are to where a label expects them. The state
    /// stays that of the code in front of the branch.
    fn conform(&mut self, joined: &[Joined], height: u32) {
        work::count(self.state.constants().len() + joined.len());
        let wanted = |slot: u32| joined.iter().find(|each| each.held.slot == slot);
        for reg in self.state.used().iter() {
            let Some(held) = self.state.held(reg) else { continue };
            if held.dirty && held.slot < height {
                let keeps = wanted(held.slot).is_some_and(|each| {
                    each.held.dirty
                        && (each.held.class == Class::Vector) == (held.class == Class::Vector)
                });
                if !keeps {
                    self.store_slot(held.slot, reg, held.class);
                }
            }
        }
        let mut moves: Vec<(Reg, Reg)> = Vec::new();
        let mut loads: Vec<Joined> = Vec::new();
        for index in 0..self.state.constants().len() {
            let (slot, value) = self.state.constants()[index];
            if slot >= height {
                continue;
            }
            if wanted(slot).is_none_or(|each| !each.held.dirty || each.held.class == Class::Vector)
            {
                self.store_constant(slot, value);
            }
        }
        for each in joined {
            match self.state.location(each.held.slot) {
                Location::Reg(reg)
                    if self.state.held(reg).is_some_and(|held| {
                        (held.class == Class::Vector) == (each.held.class == Class::Vector)
                    }) =>
                {
                    if reg != each.reg {
                        moves.push((reg, each.reg));
                    }
                }
                _ => loads.push(*each),
            }
        }
        self.parallel_moves(moves);
        for Joined { reg, held } in loads {
            match self.state.location(held.slot) {
                Location::Const(value) if held.class != Class::Vector => {
                    self.asm.constant(reg, value);
                }
                _ => self.load_slot(reg, held.slot, held.class),
            }
        }
    }

    /// Moves registers as if all at once.
    fn parallel_moves(&mut self, mut moves: Vec<(Reg, Reg)>) {
        while !moves.is_empty() {
            let free = moves.iter().position(|(_, dst)| moves.iter().all(|(src, _)| src != dst));
            match free {
                Some(index) => {
                    let (src, dst) = moves.swap_remove(index);
                    self.asm.mov(dst, src);
                }
                None => {
                    // Every destination is still to be read: a cycle. One of its
                    // values waits in a scratch register.
                    let src = moves[0].0;
                    let scratch = if src.is_vector() { A::FLOAT_SCRATCH } else { A::INT_SCRATCH };
                    self.asm.mov(scratch, src);
                    for (each, _) in &mut moves {
                        if *each == src {
                            *each = scratch;
                        }
                    }
                }
            }
        }
    }

    /// As [`Compiler::target`], for a jump that may turn out to be short: if it leads over few
    /// instructions, none of which takes many bytes.
    fn jump_target(&mut self, label: Label) -> (AsmLabel, Option<Rc<[Joined]>>) {
        let (asm, joined) = self.target(label);
        let (from, to) = (self.index + 1, self.loops.places[label.0 as usize]);
        let is_near = (from..from + NEAR_INSTS).contains(&to) && {
            let between = &self.function.insts[from..to];
            between.iter().map(size).sum::<usize>() <= NEAR_BYTES
        };
        (if is_near { asm.near() } else { asm }, joined)
    }

    /// Jumps to a label.
    pub(crate) fn branch(&mut self, label: Label) {
        let (asm, joined) = self.jump_target(label);
        if let Some(joined) = joined {
            self.conform(&joined, self.height(label));
        }
        self.asm.jump(asm);
        self.reachable = false;
        self.state.clear();
    }

    /// Jumps to a label if a condition holds, which the flags tell.
    pub(crate) fn branch_if(&mut self, condition: A::Condition, label: Label) {
        let (asm, joined) = self.jump_target(label);
        match joined {
            None => self.asm.jump_if(condition, asm),
            Some(joined) => {
                let moved = joined.len() + self.state.constants().len();
                let skip = self.asm.new_label();
                let skip = if moved <= MOVES_NEAR { skip.near() } else { skip };
                self.asm.jump_if(!condition, skip);
                self.conform(&joined, self.height(label));
                self.asm.jump(asm);
                self.asm.bind(skip);
            }
        }
    }

    /// Jumps to one of several labels by an index; the last is the default.
    pub(crate) fn branch_table(&mut self, index: Reg, labels: &[Label]) {
        // Before anyone looks which registers hold what.
        let target = self.alloc(Class::Int, None);
        let mut seen: Vec<(Label, AsmLabel)> = Vec::new();
        let mut stubs: Vec<(AsmLabel, AsmLabel, Rc<[Joined]>, u32)> = Vec::new();
        let mut entries = Vec::with_capacity(labels.len());
        // The first branch to a label writes constants to their slots, and must
        // not do so behind the jump.
        let height = labels.iter().map(|label| self.height(*label)).max().unwrap_or(0);
        self.flush_constants(height);
        for &label in labels {
            work::count(1);
            if let Some((_, entry)) = seen.iter().rev().take(16).find(|(each, _)| *each == label) {
                entries.push(*entry);
                continue;
            }
            let (asm, joined) = self.target(label);
            let entry = match joined {
                None => asm,
                Some(joined) => {
                    let stub = self.asm.new_label();
                    stubs.push((stub, asm, joined, self.height(label)));
                    stub
                }
            };
            seen.push((label, entry));
            entries.push(entry);
        }
        self.asm.jump_table(index, target, &entries);
        for (stub, asm, joined, height) in stubs {
            self.asm.bind(stub);
            self.conform(&joined, height);
            self.asm.jump(asm);
        }
        self.reachable = false;
        self.state.clear();
    }

    /// A label stands here.
    pub(crate) fn place(&mut self, label: Label, loop_header: bool) {
        let height = self.height(label);
        self.fuel_is_stale = self.metered;
        self.state.truncate(height);
        let index = label.0 as usize;
        let joined = match self.joins[index].joined.take() {
            Some(joined) => {
                if self.reachable {
                    self.conform(&joined, height);
                }
                joined
            }
            None if loop_header => {
                let joined: Rc<[Joined]> = self.enter_loop(label).into();
                self.state.set_homes(&joined);
                joined
            }
            // Nothing jumps here.
            None => {
                self.asm.bind(self.joins[index].asm);
                self.reachable = true;
                return;
            }
        };
        if loop_header && self.loops.is_innermost(label) {
            self.asm.align_with_nops(LOOP_ALIGN);
        }
        self.asm.bind(self.joins[index].asm);
        self.state.adopt(&joined);
        self.joins[index].joined = Some(joined);
        self.reachable = true;
    }

    /// Brings the values of a loop to where its header expects them.
    fn enter_loop(&mut self, label: Label) -> Vec<Joined> {
        let wanted = self.loops.values(label);
        work::count(wanted.len() + self.state.constants().len());
        let find = |slot: u32| wanted.iter().find(|value| value.slot == slot);
        for reg in self.state.used().iter() {
            let Some(held) = self.state.held(reg) else { continue };
            match find(held.slot) {
                Some(value) if value.class == held.class => {
                    if !value.written {
                        self.spill(reg);
                    }
                }
                _ => {
                    self.spill(reg);
                    self.state.release(reg);
                }
            }
        }
        let constants: Vec<(u32, u64)> = self.state.constants().to_vec();
        for (slot, value) in constants {
            if find(slot).is_none_or(|each| !each.written || each.class == Class::Vector) {
                self.store_constant(slot, value);
                self.state.forget(slot);
            }
        }
        for value in &wanted {
            match self.state.location(value.slot) {
                Location::Reg(_) | Location::Upper(_) => {}
                location => {
                    let Some(reg) = self.state.free(value.class, None) else { continue };
                    match location {
                        Location::Const(constant) => self.asm.constant(reg, constant),
                        _ => self.load_slot(reg, value.slot, value.class),
                    }
                    self.state.bind(reg, value.slot, value.class, false);
                }
            }
        }
        // Whatever did not find a register is in its slot.
        let constants: Vec<(u32, u64)> = self.state.constants().to_vec();
        for (slot, value) in constants {
            self.store_constant(slot, value);
            self.state.forget(slot);
        }
        let used = self.state.used();
        let joined = used.iter().filter_map(|reg| {
            let held = self.state.held(reg)?;
            let dirty = find(held.slot).is_some_and(|value| value.written);
            Some(Joined { reg, held: super::state::Held { dirty, ..held } })
        });
        joined.collect()
    }
}

/// Bytes that an instruction takes at most, as a rule.
fn size(inst: &Inst) -> usize {
    match inst {
        Inst::Label { loop_header: false, .. } => 8,
        Inst::Const { .. } | Inst::Copy { .. } => 8,
        Inst::Unary { .. } | Inst::Binary { .. } | Inst::Compare { .. } => 12,
        Inst::Select { .. } | Inst::Load { .. } | Inst::Store { .. } => 16,
        Inst::GlobalGet { .. } | Inst::GlobalSet { .. } | Inst::MemorySize { .. } => 16,
        Inst::StructGet { .. } | Inst::StructSet { .. } => 24,
        Inst::Br { .. } | Inst::BrIf { .. } => 16,
        Inst::Unreachable => 8,
        Inst::Return | Inst::ReturnValue { .. } => 32,
        _ => NEAR_BYTES + 1,
    }
}
