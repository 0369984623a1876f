//! Encoding of instructions whose operands 16 bits cannot name.
//!
//! A frame with such slots has a window of near ones (`Frame::window`). Operands are
//! copied into it, the instruction works there, and its result is copied out: slow,
//! but only functions with tens of thousands of live values have such frames, and
//! they need no second form of every handler. What must know where its operands
//! really are has a form that says so in 32 bits: calls, because the callee's frame
//! starts there, and what allocates or throws, because the frame's live slots end
//! there. Nothing is remembered of a slot across these.

use super::{Encoder, Held, fields, halves};
use crate::interp::handlers::far;
use crate::module::places::Place;
use zwasm_regir::inst::{NEAR_SLOTS, SCRATCH_SLOTS};
use zwasm_regir::{Inst, Operand, Slot};

/// A run of slots that an instruction in the window uses, and where it has it.
struct Moved {
    from: u32,
    count: u32,
    place: u32,
}

impl Encoder<'_> {
    /// Whether the frame has a window.
    pub(super) fn has_window(&self) -> bool {
        self.function.frame.window > 0
    }

    /// Whether a slot is far off.
    pub(super) fn is_far_slot(&self, slot: u32) -> bool {
        // When testing, everything behind the window is taken to be.
        let near = match self.module.engine.config().far_frames {
            true => self.function.frame.locals,
            false => NEAR_SLOTS,
        };
        slot >= near
    }

    /// Whether an instruction names a slot that is far off.
    pub(super) fn is_far(&self, inst: &Inst) -> bool {
        let mut last = match *inst {
            Inst::Call { func, base } => base.0 + self.layout(self.module.funcs[func as usize]).1,
            Inst::CallIndirect { ty, base, .. } | Inst::CallRef { ty, base, .. } => {
                base.0 + self.layout(ty).1
            }
            _ => 0,
        };
        let mut named = *inst;
        named.slots_mut(&mut |slot| last = last.max(slot.0));
        self.is_far_slot(last)
    }

    /// Encodes an instruction that names a slot that is far off.
    pub(super) fn far(&mut self, inst: &Inst) {
        self.held = Held::default();
        match *inst {
            Inst::Zero { from, count } => self.op(far::zero, halves(from.0, count)),
            Inst::Copy { dst, src } => self.copy_slots(dst.0, src.0, 1),
            Inst::Call { func, base } => {
                match self.module.func_place(func) {
                    Place::Own(offset) => self.op(far::own_callee, halves(0, offset)),
                    Place::Imported(index) => self.op(far::imported_callee, halves(0, index)),
                }
                self.far_call(self.module.funcs[func as usize], base);
            }
            Inst::CallIndirect { ty, table, index, base } => {
                let index = match index {
                    Operand::Slot(slot) => self.near_copy(slot),
                    Operand::Const(_) => self.in_slot(index, 0),
                };
                self.op(far::table_callee, fields(index, 0, 0, 0));
                self.with_type(table, ty);
                self.far_call(ty, base);
            }
            Inst::CallRef { ty, callee, base } => {
                let callee = self.near_copy(callee);
                self.op(far::reference_callee, fields(callee, 0, 0, 0));
                self.with_type(0, ty);
                self.far_call(ty, base);
            }
            Inst::CopySlots { .. } | Inst::Gc { .. } | Inst::Throw { .. } => self.emit(inst),
            _ => self.in_window(inst),
        }
        self.held = Held::default();
        self.left = None;
    }

    /// Copies slots that may be anywhere.
    pub(super) fn copy_slots(&mut self, to: u32, from: u32, count: u32) {
        if count > 0 {
            self.op(far::copy, halves(to, from));
            self.words.push(u64::from(count));
        }
    }

    /// Copies a slot to a near one.
    fn near_copy(&mut self, slot: Slot) -> u32 {
        let near = self.scratch();
        self.copy_slots(near, slot.0, 1);
        near
    }

    /// Calls the function in the accumulator.
    fn far_call(&mut self, ty: u32, base: Slot) {
        let (_, header) = self.layout(ty);
        self.op(far::call, halves(base.0, base.0 + header));
    }

    /// Encodes an instruction with all its operands and results in the window.
    fn in_window(&mut self, inst: &Inst) {
        let module = self.module;
        let mut reads = Vec::new();
        inst.reads(&mut |run| reads.push((run.from.0, module.slots_of(run.length))));
        let write = inst.writes().map(|run| (run.from.0, module.slots_of(run.length)));
        // Runs that start at the same slot are one: the result then replaces an operand.
        let mut moved: Vec<Moved> = Vec::new();
        for &(from, count) in reads.iter().chain(&write) {
            match moved.iter_mut().find(|run| run.from == from) {
                Some(run) => run.count = run.count.max(count),
                None => moved.push(Moved { from, count, place: 0 }),
            }
        }
        let scratch = self.scratch();
        let mut next = scratch + SCRATCH_SLOTS;
        for run in &mut moved {
            run.place = next;
            next += run.count;
        }
        debug_assert!(next <= self.function.frame.locals, "the window is too small");
        // What is named and neither read nor written may be anywhere.
        let place = |slot: u32| moved.iter().find(|run| run.from == slot).map(|run| run.place);
        for &(from, count) in &reads {
            self.copy_slots(place(from).unwrap_or(scratch), from, count);
        }
        let mut near = *inst;
        near.slots_mut(&mut |slot| slot.0 = place(slot.0).unwrap_or(scratch));
        self.emit(&near);
        if let Some((to, count)) = write {
            self.copy_slots(to, place(to).unwrap_or(scratch), count);
        }
    }
}
