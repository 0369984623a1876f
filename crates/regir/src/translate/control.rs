//! Blocks, branches, calls and returns.

use super::{Malformed, Result, Translator, Value};
use crate::inst::{HEADER_SLOTS, Inst, Label, Operand, Slot};
use crate::opcodes::immediates::{BlockType, Labels};
use crate::tuning::CARRIED_ONE_BY_ONE;
use crate::types::{Signature, Type, slots_of};
use crate::work;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    /// The body of an inlined function.
    Inlined,
    Block,
    Loop,
    /// An `if` whose `else` has not been seen; the label is where it would be.
    If(Label),
    /// The body of a try.
    Try(u32),
}

/// An open block.
pub(super) struct Control<'a> {
    pub(super) kind: Kind,
    /// Where a branch to this block goes.
    pub(super) label: Label,
    /// Whether anything branches to the label.
    pub(super) branched: bool,
    /// Entries below the block's parameters.
    pub(super) height: usize,
    /// The canonical slot at that height.
    pub(super) slot: u32,
    pub(super) signature: BlockSignature<'a>,
    /// The stub that carries values here for the `br_table` with this first
    /// target; a table may name a block thousands of times.
    pub(super) stub: Option<(u32, Label)>,
}

/// The type of a block, without allocating for the short forms.
#[derive(Clone, Copy)]
pub(super) enum BlockSignature<'a> {
    Result(Option<Type>),
    Function(Signature<'a>),
}

impl BlockSignature<'_> {
    fn params(&self) -> &[Type] {
        match self {
            BlockSignature::Result(_) => &[],
            BlockSignature::Function(signature) => signature.params,
        }
    }

    pub(super) fn results(&self) -> &[Type] {
        match self {
            BlockSignature::Result(result) => result.as_slice(),
            BlockSignature::Function(signature) => signature.results,
        }
    }
}

impl Control<'_> {
    /// The values a branch to this block carries.
    fn carried(&self) -> &[Type] {
        match self.kind {
            Kind::Loop => self.signature.params(),
            _ => self.signature.results(),
        }
    }
}

/// Which function a call goes to.
pub(super) enum Callee {
    Direct(u32),
    Table { ty: u32, table: u32, index: Operand },
    Reference { ty: u32, callee: Slot },
}

impl<'a> Translator<'a> {
    pub(super) fn open_function(&mut self, signature: Signature<'a>) {
        let label = self.new_label(self.function.frame.stack);
        self.controls.push(Control {
            kind: Kind::Function,
            label,
            branched: false,
            height: 0,
            slot: self.function.frame.stack,
            signature: BlockSignature::Function(Signature {
                params: &[],
                results: signature.results,
            }),
            stub: None,
        });
    }

    fn block_signature(&self, ty: BlockType) -> BlockSignature<'a> {
        match ty {
            BlockType::Empty => BlockSignature::Result(None),
            BlockType::Result(ty) => BlockSignature::Result(Some(ty)),
            BlockType::Function(ty) => BlockSignature::Function(self.types.signature(ty)),
        }
    }

    /// Opens a block: everything on the stack goes to its canonical slot.
    pub(super) fn open(&mut self, kind: Kind, ty: BlockType) -> Result<()> {
        let signature = self.block_signature(ty);
        self.flush_all();
        let height = self.stack.len().checked_sub(signature.params().len()).ok_or(Malformed)?;
        let slot = self.slot_at(height);
        let carried = match kind {
            Kind::Loop => signature.params(),
            _ => signature.results(),
        };
        let label = self.new_label(slot + slots_of(carried));
        if kind == Kind::Loop {
            self.inlining.loops += 1;
            self.emit(Inst::Label { label, loop_header: true });
            self.check_loop();
        }
        self.controls.push(Control {
            kind,
            label,
            branched: false,
            height,
            slot,
            signature,
            stub: None,
        });
        Ok(())
    }

    pub(super) fn r#if(&mut self, ty: BlockType) -> Result<()> {
        let cond = self.pop_slot()?;
        let target = self.new_label(self.top());
        self.flush_before_branch(cond);
        self.emit(Inst::BrIf { cond, negate: true, target });
        self.fuel = None;
        self.open(Kind::If(target), ty)
    }

    /// Flushes the stack while a popped condition stays readable.
    ///
    /// The condition's slot is above every entry or a local, and flushing writes
    /// neither. A comparison that made it is moved behind the copies, because
    /// only adjacent ones can be fused with the branch. One whose result went to a
    /// local is not fused, and stays: entries pushed since may have the slots of
    /// its operands.
    fn flush_before_branch(&mut self, cond: Slot) {
        let pending = &self.stack[self.flushed..];
        work::count(pending.len());
        if pending.iter().all(|entry| matches!(entry.value, Value::Temp)) {
            self.flushed = self.stack.len();
            return;
        }
        let end = self.function.insts.len();
        let compare = match self.function.insts.last() {
            Some(&Inst::Compare { dst, .. }) if dst == cond && self.is_temporary(dst) => {
                self.function.sources.pop();
                self.function.insts.pop()
            }
            _ => None,
        };
        self.flush_all();
        if let Some(compare) = compare {
            self.emit(compare);
            self.postpone_deaths(end);
        }
    }

    pub(super) fn r#else(&mut self) -> Result<()> {
        if self.reachable {
            self.carry_results()?;
            let control = self.controls.last_mut().ok_or(Malformed)?;
            control.branched = true;
            let target = control.label;
            self.emit(Inst::Br { target });
        }
        let control = self.controls.last_mut().ok_or(Malformed)?;
        let Kind::If(target) = control.kind else { return Err(Malformed) };
        control.kind = Kind::Block;
        let (height, signature) = (control.height, control.signature);
        self.place(target);
        self.reset_stack(height, signature.params());
        self.reachable = true;
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<()> {
        let kind = self.controls.last().ok_or(Malformed)?.kind;
        if kind == Kind::Function {
            if self.reachable {
                self.emit_return()?;
            }
            self.land_returns()?;
            self.controls.pop();
            return Ok(());
        }
        if self.reachable {
            self.carry_results()?;
        }
        let control = self.controls.pop().ok_or(Malformed)?;
        match kind {
            Kind::If(target) => {
                self.place(target);
                self.reachable = true;
            }
            Kind::Try(region) => self.end_try(region),
            Kind::Loop => self.inlining.loops -= 1,
            _ => {}
        }
        if control.branched && kind != Kind::Loop {
            self.place(control.label);
            self.reachable = true;
        }
        self.reset_stack(control.height, control.signature.results());
        Ok(())
    }

    /// Brings a block's results into their canonical slots.
    fn carry_results(&mut self) -> Result<()> {
        let count = self.controls.last().ok_or(Malformed)?.signature.results().len();
        self.flush_top(count)
    }

    pub(super) fn reset_stack(&mut self, height: usize, types: &[Type]) {
        while self.stack.len() > height {
            // Only entries of unreachable code are left here; popping unlinks them.
            let _ = self.pop();
        }
        self.work += types.len();
        for &ty in types {
            self.push_temp(ty);
        }
    }

    pub(super) fn target(&self, depth: u32) -> Result<usize> {
        (self.controls.len() - 1).checked_sub(depth as usize).ok_or(Malformed)
    }

    /// Whether a branch to a control can be a bare jump.
    fn in_place(&mut self, target: usize) -> Result<bool> {
        let control = &self.controls[target];
        if control.kind == Kind::Function {
            return Ok(false);
        }
        let carried = control.carried();
        let from = self.stack.len().checked_sub(carried.len()).ok_or(Malformed)?;
        let pending = &self.stack[from.max(self.flushed)..];
        work::count(pending.len());
        self.work += pending.len();
        Ok(self.stack.get(from).is_none_or(|entry| entry.slot == control.slot)
            && pending.iter().all(|entry| matches!(entry.value, Value::Temp)))
    }

    /// Whether a branch carries so many values that they have to be in their slots
    /// before it: then no branch copies again what one before it did.
    fn carries_much(&self, target: usize) -> bool {
        self.controls[target].carried().len() > CARRIED_ONE_BY_ONE
    }

    /// Emits the moves and the jump (or return) of a branch. The stack stays, and many
    /// values are in their slots if the branch is not always taken.
    fn jump(&mut self, target: usize) -> Result<()> {
        if self.controls[target].kind == Kind::Function {
            return self.emit_return();
        }
        let control = &mut self.controls[target];
        control.branched = true;
        let label = control.label;
        let count = control.carried().len();
        let mut dst = control.slot;
        let from = self.stack.len().checked_sub(count).ok_or(Malformed)?;
        if count > CARRIED_ONE_BY_ONE {
            self.flush_from(from);
            let src = self.slot_at(from);
            if src != dst {
                let (dst, count) = (Slot(dst), self.top() - src);
                self.emit(Inst::CopySlots { dst, src: Slot(src), count });
            }
            self.emit(Inst::Br { target: label });
            return Ok(());
        }
        // Ascending: a destination is never above its source, so no move
        // overwrites a source that is still to be read.
        for index in from..self.stack.len() {
            work::count(1);
            let entry = self.stack[index];
            let operand = self.operand(entry);
            self.copy(dst, entry.ty, operand);
            dst += entry.ty.slots();
        }
        self.emit(Inst::Br { target: label });
        Ok(())
    }

    /// Branches to `target` when `cond` is not zero (zero with `negate`).
    fn branch_if(&mut self, cond: Slot, negate: bool, target: usize) -> Result<()> {
        if self.carries_much(target) {
            self.flush_before_branch(cond);
        }
        if self.in_place(target)? {
            let control = &mut self.controls[target];
            control.branched = true;
            let target = control.label;
            self.emit(Inst::BrIf { cond, negate, target });
            self.fuel = None;
        } else {
            // Below the condition lies what goes on, also a tested reference.
            let skip = self.new_label(self.top().max(cond.0));
            self.emit(Inst::BrIf { cond, negate: !negate, target: skip });
            self.jump(target)?;
            self.place(skip);
        }
        Ok(())
    }

    pub(super) fn br(&mut self, depth: u32) -> Result<()> {
        let target = self.target(depth)?;
        self.jump(target)?;
        self.reachable = false;
        Ok(())
    }

    pub(super) fn br_if(&mut self, depth: u32) -> Result<()> {
        let target = self.target(depth)?;
        let cond = self.pop_slot()?;
        self.branch_if(cond, false, target)
    }

    /// Branches `depth` blocks out when `cond` is not zero (zero with `negate`).
    pub(super) fn branch_to(&mut self, cond: Slot, negate: bool, depth: u32) -> Result<()> {
        let target = self.target(depth)?;
        self.branch_if(cond, negate, target)
    }

    /// `br_on_null`: branches without the reference, or keeps it.
    pub(super) fn br_on_null(&mut self, depth: u32) -> Result<()> {
        let target = self.target(depth)?;
        let entry = self.pop()?;
        let cond = self.null_test(self.operand(entry));
        self.branch_if(cond, false, target)?;
        self.repush(entry);
        Ok(())
    }

    /// `br_on_non_null`: branches with the reference on top, or drops it.
    pub(super) fn br_on_non_null(&mut self, depth: u32) -> Result<()> {
        let target = self.target(depth)?;
        let entry = *self.stack.last().ok_or(Malformed)?;
        let operand = self.operand(entry);
        let cond = self.null_test(operand);
        self.branch_if(cond, true, target)?;
        self.pop()?;
        Ok(())
    }

    fn null_test(&mut self, operand: Operand) -> Slot {
        let (a, b) = match operand {
            Operand::Slot(_) => (operand, Operand::Const(0)),
            Operand::Const(value) => {
                let dst = Slot(self.top());
                self.high = self.high.max(dst.0 + 1);
                self.emit(Inst::Const { dst, value });
                (Operand::Slot(dst), Operand::Const(0))
            }
        };
        let dst = Slot(self.top() + 1);
        self.high = self.high.max(dst.0 + 1);
        self.emit(Inst::Compare { op: crate::ops::CompareOp::I64Eq, dst, a, b });
        dst
    }

    /// Pushes back an entry that was just popped.
    fn repush(&mut self, entry: super::Entry) {
        if let Value::Local { index, .. } = entry.value {
            let position = self.stack.len() as u32;
            let top = &mut self.locals[index as usize].top;
            let below = core::mem::replace(top, position);
            self.push(entry.ty, Value::Local { index, below });
        } else {
            self.push(entry.ty, entry.value);
        }
    }

    pub(super) fn br_table(&mut self, targets: Labels) -> Result<()> {
        let depths: Vec<u32> = targets.depths(&self.body.reader).collect();
        work::count(depths.len());
        let index = self.pop_slot()?;
        for &depth in &depths {
            if self.carries_much(self.target(depth)?) {
                self.flush_all();
            }
        }
        let first = self.function.br_targets.len() as u32;
        let mut targets: Vec<Label> = Vec::with_capacity(depths.len());
        let mut stubs: Vec<(usize, Label)> = Vec::new();
        for &depth in &depths {
            let target = self.target(depth)?;
            if self.in_place(target)? {
                let control = &mut self.controls[target];
                control.branched = true;
                targets.push(control.label);
                continue;
            }
            let stub = match self.controls[target].stub {
                Some((table, stub)) if table == first => stub,
                _ => {
                    let stub = self.new_label(self.top());
                    self.controls[target].stub = Some((first, stub));
                    stubs.push((target, stub));
                    stub
                }
            };
            targets.push(stub);
        }
        let count = targets.len() as u32;
        self.function.br_targets.extend(targets);
        self.emit(Inst::BrTable { index, first, count });
        for (target, stub) in stubs {
            self.place(stub);
            self.jump(target)?;
        }
        self.reachable = false;
        Ok(())
    }

    pub(super) fn r#return(&mut self) -> Result<()> {
        self.jump(self.body.control)?;
        self.reachable = false;
        Ok(())
    }

    /// Returns the function's results from the top of the stack, which stays.
    pub(super) fn emit_return(&mut self) -> Result<()> {
        let results = self.controls[0].signature.results();
        let (count, slots) = (results.len(), self.function.frame.results);
        let from = self.stack.len().checked_sub(count).ok_or(Malformed)?;
        match slots {
            0 => self.emit(Inst::Return),
            1 => {
                let entry = self.stack[from];
                let value = self.operand(entry);
                self.emit(Inst::ReturnValue { value });
            }
            #[cfg(feature = "simd")]
            2 if count == 1 => {
                let value = self.operand(self.stack[from]);
                self.vector_return(value)?;
            }
            slots => {
                // Copies instead of a flush: this path may be one arm of a branch,
                // and the entries must keep their values for the other. Many are in
                // their slots for both.
                let copied = if count > CARRIED_ONE_BY_ONE {
                    self.flush_from(from);
                    self.stack.len()
                } else {
                    from
                };
                for index in copied..self.stack.len() {
                    work::count(1);
                    let entry = self.stack[index];
                    let operand = self.operand(entry);
                    self.copy(entry.slot, entry.ty, operand);
                }
                let from = Slot(self.stack[from].slot);
                self.longest = self.longest.max(slots);
                self.emit(Inst::ReturnSlots { from, count: slots });
            }
        }
        Ok(())
    }

    /// Emits a call; the arguments are on the stack.
    pub(super) fn call(&mut self, callee: Callee, signature: Signature<'a>) -> Result<()> {
        let base = self.arguments(signature)?;
        self.emit(match callee {
            Callee::Direct(func) => Inst::Call { func, base },
            Callee::Table { ty, table, index } => Inst::CallIndirect { ty, table, index, base },
            Callee::Reference { ty, callee } => Inst::CallRef { ty, callee, base },
        });
        for &ty in signature.results {
            self.push_temp(ty);
        }
        Ok(())
    }

    /// Emits a tail call; the arguments are on the stack.
    pub(super) fn return_call(&mut self, callee: Callee, signature: Signature<'a>) -> Result<()> {
        let base = self.arguments(signature)?;
        self.longest = self.longest.max(slots_of(signature.params));
        self.emit(match callee {
            Callee::Direct(func) => Inst::ReturnCall { func, base },
            Callee::Table { ty, table, index } => {
                Inst::ReturnCallIndirect { ty, table, index, base }
            }
            Callee::Reference { ty, callee } => Inst::ReturnCallRef { ty, callee, base },
        });
        self.reachable = false;
        Ok(())
    }

    /// Brings the arguments of a call into consecutive slots and pops them.
    pub(super) fn arguments(&mut self, signature: Signature<'a>) -> Result<Slot> {
        let count = signature.params.len();
        self.work += count + signature.results.len();
        self.flush_top(count)?;
        let height = self.stack.len() - count;
        let base = self.slot_at(height);
        self.truncate(height);
        let header = slots_of(signature.params).max(slots_of(signature.results));
        self.high = self.high.max(base + header + HEADER_SLOTS);
        Ok(Slot(base))
    }
}
