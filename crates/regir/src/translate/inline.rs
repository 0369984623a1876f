//! Calls replaced by the body of the function called.
//!
//! A call costs more than what many small functions do, and it brings all values
//! into slots. So the body of a small function is translated in place of a direct
//! call: as a block whose label is where it returns to. Its operand stack is the
//! caller's, and its parameters and locals get slots that the caller reserves
//! behind its own locals. A parameter that the body never writes is the local or
//! constant passed for it, without a copy.
//!
//! As this happens in the register IR, every tier runs the same code in the same
//! frames, and pays the same fuel as for the call. Only backtraces have to know:
//! each instruction says which call it was inlined for (`source`).
//!
//! There are two ways to decide which calls are replaced ([`Inlining`](super::Inlining)). For tiers that
//! make code quickly it is decided call by call. Only bodies without loops, tries, tail
//! calls and vectors are inlined, found by one look over their bytes. Which are worth it
//! is guessed from their size, and from whether the call is in a loop. For the optimizing
//! compiler a `plan` has decided it before, and calls through tables and references may
//! be replaced too: by a check whether they go where they nearly always go, the body
//! behind it, and beside it the call for all others.

use super::control::{BlockSignature, Callee, Control, Kind};
use super::plan::{Plan, Planned};
use super::{Body, Local, Malformed, NONE, Result, Stop, Translator, Types, Value};
use crate::inst::{Death, Inst, Operand, Slot};
use crate::opcodes::immediates::{Immediate, Locals};
use crate::opcodes::{GcOperator, Operator};
use crate::ops::{BinaryOp, CompareOp};
use crate::reader::Reader;
use crate::source::{Inlined, SourceLoc};
use crate::tuning::{
    INLINE_ANYWHERE, INLINE_BUDGET, INLINE_DEPTH, INLINE_IN_LOOP, INLINE_SLOTS, PLAN_SLOTS,
};
use crate::types::{Signature, Type, slots_of};
use crate::work;

/// What is being inlined, and what may be.
pub(super) struct State<'a> {
    /// The slots for parameters and locals that are free.
    free: core::ops::Range<u32>,
    has_slots: bool,
    /// Bytes that may still be inlined, if there is no plan.
    budget: usize,
    /// How many loops are open.
    pub(super) loops: u32,
    /// The offsets of the bodies being translated, outermost first.
    bodies: Vec<u32>,
    /// Where the outermost ends.
    end: usize,
    /// Bytes inlined so far.
    bytes: usize,
    /// What is inlined, if that has been decided.
    plan: Option<Plan<'a>>,
}

/// A body that takes the place of a call.
struct Replacement<'a> {
    func: u32,
    body: &'a [u8],
    /// The module offset of its first byte.
    offset: u32,
    /// Where its places start.
    start: SourceLoc,
    signature: Signature<'a>,
    shape: Shape,
    /// Its number in the plan, if there is one.
    planned: usize,
}

impl<'a> State<'a> {
    /// Nothing yet, with so many slots, in a body of so many bytes at a module offset.
    pub(super) fn new(slots: u32, body: u32, len: usize) -> Self {
        State {
            free: 0..slots,
            has_slots: slots > 0,
            budget: len + INLINE_BUDGET,
            loops: 0,
            bodies: vec![body],
            end: body as usize + len,
            bytes: 0,
            plan: None,
        }
    }

    /// The same, with a plan and the slots for it.
    pub(super) fn planned(types: &'a dyn Types, body: &'a [u8], offset: u32) -> Result<Self> {
        let plan = Plan::new(types, body, offset)?;
        let state = State::new(plan.slots, offset, body.len());
        Ok(State { plan: Some(plan), ..state })
    }

    /// Whether there is a plan.
    pub(super) fn is_planned(&self) -> bool {
        self.plan.is_some()
    }

    /// Puts the reserved slots at `slot`; the first behind them.
    pub(super) fn reserve(&mut self, slot: u32) -> u32 {
        self.free = slot..slot + self.free.end;
        self.free.end
    }

    fn take(&mut self, count: u32) -> u32 {
        let slot = self.free.start;
        self.free.start += count;
        slot
    }
}

/// What one look over a body finds.
#[derive(Clone, Copy, Default)]
pub(super) struct Shape {
    /// A bit for each local that is written.
    written: u64,
    /// A bit for each local that may be read before it is written.
    read_first: u64,
    /// Slots for all parameters and locals.
    pub(super) slots: u32,
    /// Whether anything but the body's end leads to another place in it.
    branches: bool,
    /// Whether it calls.
    calls: bool,
    /// Multiplications of 64 bits.
    products: u32,
}

/// What a body may have that is inlined.
#[derive(Clone, Copy)]
pub(super) struct Allowed {
    /// So many slots for parameters and locals.
    slots: u32,
    /// Whatever does not replace the frame.
    all: bool,
    vectors: bool,
    objects: bool,
}

impl Allowed {
    /// What small functions may have.
    const SMALL: Allowed =
        Allowed { slots: INLINE_SLOTS, all: false, vectors: false, objects: false };

    /// What a plan may have of a module.
    pub(super) fn planned(types: &dyn Types) -> Allowed {
        Allowed {
            slots: PLAN_SLOTS,
            all: true,
            vectors: cfg!(feature = "simd"),
            objects: types.has_gc(),
        }
    }
}

/// The bit of a local.
fn bit(local: u32) -> Result<u64> {
    1u64.checked_shl(local).ok_or(Malformed)
}

impl Shape {
    /// None if the body has what is not inlined.
    pub(super) fn of(
        signature: Signature<'_>,
        body: &[u8],
        allowed: Allowed,
    ) -> Result<Option<Shape>> {
        let is_refused = |ty| ty == Type::V128 && !allowed.vectors;
        if signature.params.iter().chain(signature.results).any(|ty| is_refused(*ty)) {
            return Ok(None);
        }
        let mut shape = Shape { slots: slots_of(signature.params), ..Shape::default() };
        let mut reader = Reader::new(body);
        for (count, ty) in Locals::read(&mut reader)?.groups(&reader) {
            if is_refused(ty) || count > allowed.slots {
                return Ok(None);
            }
            shape.slots += count * ty.slots();
        }
        if shape.slots > allowed.slots || !shape.look(&mut reader, allowed)? {
            return Ok(None);
        }
        Ok(Some(shape))
    }

    /// Whether it does nothing, perhaps, but multiply to 128 bits out of halves: the
    /// optimizing compiler makes one instruction of that.
    pub(super) fn is_wide_product(&self) -> bool {
        !self.branches && !self.calls && self.products >= 4
    }

    /// Looks at the instructions; whether all of them may be inlined.
    fn look(&mut self, reader: &mut Reader<'_>, allowed: Allowed) -> Result<bool> {
        while !reader.is_empty() {
            work::count(1);
            match reader.operator()? {
                Operator::Block { .. }
                | Operator::If { .. }
                | Operator::Br { .. }
                | Operator::BrIf { .. }
                | Operator::Return => self.branches = true,
                Operator::Call { .. } | Operator::CallIndirect { .. } => self.calls = true,
                Operator::Binary(op) => self.products += u32::from(op == BinaryOp::I64Mul),
                Operator::LocalGet { local } => self.read_first |= bit(local)? & !self.written,
                Operator::LocalSet { local } | Operator::LocalTee { local } => {
                    let local = bit(local)?;
                    if self.branches && self.written & local == 0 {
                        // It is written on one way through the body only.
                        self.read_first |= local;
                    }
                    self.written |= local;
                }
                Operator::Unreachable
                | Operator::Nop
                | Operator::Else
                | Operator::End
                | Operator::Drop
                | Operator::Select
                | Operator::GlobalGet { .. }
                | Operator::GlobalSet { .. }
                | Operator::Load(..)
                | Operator::Store(..)
                | Operator::MemorySize { .. }
                | Operator::MemoryCopy { .. }
                | Operator::MemoryFill { .. }
                | Operator::I32Const { .. }
                | Operator::I64Const { .. }
                | Operator::F32Const { .. }
                | Operator::F64Const { .. }
                | Operator::I32Eqz
                | Operator::I64Eqz
                | Operator::Unary(_)
                | Operator::Compare(_)
                | Operator::RefNull { .. }
                | Operator::RefIsNull => {}
                Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::ReturnCallRef { .. } => return Ok(false),
                Operator::Vector(_) if !allowed.vectors => return Ok(false),
                Operator::Gc(_) | Operator::RefEq if !allowed.objects => return Ok(false),
                Operator::Loop { .. }
                | Operator::TryTable { .. }
                | Operator::BrTable { .. }
                | Operator::BrOnNull { .. }
                | Operator::BrOnNonNull { .. }
                | Operator::Gc(GcOperator::BrOnCast { .. } | GcOperator::BrOnCastFail { .. })
                    if allowed.all =>
                {
                    self.branches = true;
                }
                Operator::Loop { .. }
                | Operator::Throw { .. }
                | Operator::ThrowRef
                | Operator::TryTable { .. }
                | Operator::BrTable { .. }
                | Operator::CallRef { .. }
                | Operator::SelectTyped { .. }
                | Operator::TableGet { .. }
                | Operator::TableSet { .. }
                | Operator::MemoryGrow { .. }
                | Operator::RefFunc { .. }
                | Operator::RefEq
                | Operator::RefAsNonNull
                | Operator::BrOnNull { .. }
                | Operator::BrOnNonNull { .. }
                | Operator::MemoryInit { .. }
                | Operator::DataDrop { .. }
                | Operator::TableInit { .. }
                | Operator::ElemDrop { .. }
                | Operator::TableCopy { .. }
                | Operator::TableGrow { .. }
                | Operator::TableSize { .. }
                | Operator::TableFill { .. }
                | Operator::I64Add128
                | Operator::I64Sub128
                | Operator::I64MulWideS
                | Operator::I64MulWideU
                | Operator::AtomicNotify { .. }
                | Operator::AtomicWait32 { .. }
                | Operator::AtomicWait64 { .. }
                | Operator::AtomicFence { .. }
                | Operator::Atomic(..)
                | Operator::Gc(_)
                | Operator::Vector(_) => {
                    if !allowed.all {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }
}

impl<'a> Translator<'a> {
    /// Translates the body of a function instead of a call of it, if that is worth
    /// it; the arguments are on the stack. Whether it did.
    pub(super) fn inline(&mut self, func: u32) -> core::result::Result<bool, Stop> {
        let chosen = match &self.inlining.plan {
            Some(_) => self.planned(),
            None => self.choose(func)?,
        };
        let inlined = chosen.is_some();
        if let Some(chosen) = chosen {
            self.replace_call(chosen)?;
        }
        Ok(inlined)
    }

    /// The body that the plan has for the call being translated.
    fn planned(&self) -> Option<Replacement<'a>> {
        let plan = self.inlining.plan.as_ref()?;
        let planned = plan.at(self.body.planned, self.body.at)?;
        let &Planned { func, body, offset, shape, .. } = plan.body(planned);
        let signature = self.types.signature(self.types.func_type(func));
        let start = self.number(body, offset)?;
        Some(Replacement { func, body, offset, start, signature, shape, planned })
    }

    /// Where the places of a body that is inlined next start.
    fn number(&self, body: &[u8], offset: u32) -> Option<SourceLoc> {
        let State { bytes, end, .. } = self.inlining;
        let end = end.max(offset as usize + body.len());
        SourceLoc::of_inlined(u32::try_from(bytes).ok()?, bytes + body.len(), end)
    }

    /// The body of a function that is called, if it is small.
    fn choose(&self, func: u32) -> core::result::Result<Option<Replacement<'a>>, Stop> {
        let Some((body, offset)) = self.types.inlinable(func) else { return Ok(None) };
        if !self.is_worth_it(body, offset) {
            return Ok(None);
        }
        let signature = self.types.signature(self.types.func_type(func));
        let Some(shape) = Shape::of(signature, body, Allowed::SMALL)? else { return Ok(None) };
        if shape.slots > self.inlining.free.len() as u32 {
            return if self.inlining.has_slots { Ok(None) } else { Err(Stop::NeedsSlots) };
        }
        let Some(start) = self.number(body, offset) else { return Ok(None) };
        Ok(Some(Replacement { func, body, offset, start, signature, shape, planned: 0 }))
    }

    /// Emits a call of a function that is found at run time, or the body of the one that
    /// it nearly always is behind a check; the arguments are on the stack.
    pub(super) fn call_dynamic(
        &mut self,
        callee: Callee,
        signature: Signature<'a>,
    ) -> core::result::Result<(), Stop> {
        let Some(chosen) = self.planned() else { return Ok(self.call(callee, signature)?) };
        let func = chosen.func;
        // Both ways find the arguments in their slots, and what names the callee, which
        // may be in the slot behind them. As temporaries are read once, the check reads a
        // copy of that.
        self.flush_all();
        let scratch = self.top() + 1;
        let (copy, known, cond) = (Slot(scratch), Slot(scratch + 1), Slot(scratch + 2));
        self.high = self.high.max(scratch + 3);
        match callee {
            Callee::Direct(_) => return Err(Malformed.into()),
            Callee::Table { table, index, .. } => {
                self.copy(scratch, self.types.table_index(table), index);
                let index = Operand::Slot(copy);
                self.emit(Inst::TableHolds { dst: cond, index, table, func });
            }
            Callee::Reference { callee, .. } => {
                self.emit(Inst::Copy { dst: copy, src: callee });
                self.emit(Inst::RefFunc { dst: known, func });
                let (a, b) = (Operand::Slot(copy), Operand::Slot(known));
                self.emit(Inst::Compare { op: CompareOp::I64Eq, dst: cond, a, b });
            }
        }
        let other = self.new_label(scratch);
        self.emit(Inst::BrIf { cond, negate: true, target: other });
        // Neither way is a run of its own: a call is not the end of one.
        let fuel = self.fuel;
        self.replace_call(chosen)?;
        for _ in signature.results {
            self.pop()?;
        }
        let end = self.new_label(self.top() + slots_of(signature.results));
        self.emit(Inst::Br { target: end });
        self.place(other);
        for &ty in signature.params {
            self.push_temp(ty);
        }
        self.call(callee, signature)?;
        self.place(end);
        self.fuel = fuel;
        Ok(())
    }
    fn is_worth_it(&self, body: &[u8], offset: u32) -> bool {
        let inlining = &self.inlining;
        // Once more into itself halves the calls of a recursive function.
        let recursions = inlining.bodies.iter().filter(|body| **body == offset).count();
        body.len() <= INLINE_IN_LOOP
            && (body.len() <= INLINE_ANYWHERE || inlining.loops > 0)
            && body.len() <= inlining.budget
            && inlining.bodies.len() <= INLINE_DEPTH
            && recursions < 2
    }

    fn replace_call(&mut self, chosen: Replacement<'a>) -> core::result::Result<(), Stop> {
        let Replacement { body, offset, start, signature, shape, planned, .. } = chosen;
        let call = self.body.start.at(self.body.at);
        let number = self.inlining.bytes as u32;
        self.function.inlined.push(Inlined { start: number, body: offset, call });
        self.inlining.bytes += body.len();
        self.inlining.budget = self.inlining.budget.saturating_sub(body.len());
        self.inlining.bodies.push(offset);
        self.translate_inlined(body, start, signature, &shape, planned)?;
        self.inlining.bodies.pop();
        Ok(())
    }

    fn translate_inlined(
        &mut self,
        body: &'a [u8],
        start: SourceLoc,
        signature: Signature<'a>,
        shape: &Shape,
        planned: usize,
    ) -> core::result::Result<(), Stop> {
        let free = self.inlining.free.clone();
        let first_local = self.locals.len();
        let mut reader = Reader::new(body);
        self.pass_arguments(signature, shape)?;
        self.declare_inlined(signature.params.len(), shape, &mut reader)?;
        if shape.branches {
            // As for any block, so that all ways to its end agree.
            self.flush_all();
        }
        let (height, slot) = (self.stack.len(), self.top());
        let label = self.new_label(slot + slots_of(signature.results));
        let results = Signature { params: &[], results: signature.results };
        let control = self.controls.len();
        let inner = Body { reader, start, at: 0, first_local, control, planned };
        let outer = core::mem::replace(&mut self.body, inner);
        let fuel = self.fuel.take();
        self.controls.push(Control {
            kind: Kind::Inlined,
            label,
            branched: false,
            height,
            slot,
            signature: BlockSignature::Function(results),
            stub: None,
        });
        self.pay_entry();
        self.operators()?;
        self.body = outer;
        if !self.reachable {
            // A body that only traps. As behind any call, what follows is paid for.
            self.place(label);
            self.reachable = true;
        }
        // What follows the call is paid for with what stands before it.
        self.fuel = fuel;
        self.locals.truncate(first_local);
        let count = self.inlining.free.start - free.start;
        if count > 0 {
            let before = self.function.insts.len();
            self.function.deaths.push(Death { before, from: Slot(free.start), count });
        }
        self.inlining.free = free;
        Ok(())
    }

    /// Makes the arguments on the stack the first locals of what is inlined.
    fn pass_arguments(&mut self, signature: Signature<'a>, shape: &Shape) -> Result<()> {
        let first = self.locals.len();
        for &ty in signature.params {
            self.locals.push(Local { slot: 0, ty, constant: None, top: NONE });
        }
        // The slots of what was inlined right before are not dead but used again.
        let now = self.function.insts.len();
        while self.function.deaths.pop_if(|death| death.before == now).is_some() {}
        for (index, &ty) in signature.params.iter().enumerate().rev() {
            let entry = self.pop()?;
            let index = first + index;
            match entry.value {
                Value::Const(bits) if shape.keeps(index - first) => {
                    self.locals[index].constant = Some(bits);
                }
                Value::Local { index: local, .. } if shape.keeps(index - first) => {
                    self.locals[index].slot = self.locals[local as usize].slot;
                }
                _ => {
                    self.locals[index].slot = self.inlining.take(ty.slots());
                    self.write_local(index as u32, entry);
                }
            }
        }
        Ok(())
    }

    /// Declares the locals of what is inlined.
    fn declare_inlined(
        &mut self,
        params: usize,
        shape: &Shape,
        reader: &mut Reader<'a>,
    ) -> Result<()> {
        let mut local = params as u32;
        for (count, ty) in Locals::read(reader)?.groups(reader) {
            for _ in 0..count {
                let slot = self.inlining.take(ty.slots());
                if shape.read_first & bit(local)? != 0 {
                    self.emit(Inst::Zero { from: Slot(slot), count: ty.slots() });
                }
                self.locals.push(Local { slot, ty, constant: None, top: NONE });
                local += 1;
            }
        }
        Ok(())
    }

    /// The instruction before the one at `from` was moved to the end, and so were the
    /// deaths of what it reads: one for each call that ended with it.
    pub(super) fn postpone_deaths(&mut self, from: usize) {
        let end = self.function.insts.len();
        let deaths = self.function.deaths.iter_mut().rev();
        for death in deaths.take_while(|death| death.before == from) {
            death.before = end;
        }
    }
}

impl Shape {
    /// Whether a local has the same value throughout.
    fn keeps(&self, local: usize) -> bool {
        self.written >> local & 1 == 0
    }
}
