//! Making structures and small arrays.
//!
//! An object is allocated by moving the window's cursor. When the window is full, or an
//! array is larger than it is worth code, a handler makes the object, with zeros for its
//! contents, out of line, and perhaps collects: all registers are kept on the stack,
//! where the collector looks, and come back behind it. So for what is around it an
//! allocation is an instruction like any other, which keeps all registers but its own.
//!
//! Contents that are not zeros are written behind it by usual stores. Nothing can collect
//! before they are.

use super::emit::{Emitter, Regs};
use super::{Inst, Ops, Select};
use crate::asm::{AsmLabel, Reg, Rm, at};
use crate::heap::{self, Extent, HEADER, Length};
use crate::isa::x64::{INT_SCRATCH, RDI, RSI};
use crate::isa::{Alu, Primitives, Size};
use crate::lower::Scratch;
use crate::lower::machine::{read, write_early};
use crate::ssa::{Handler, InstData, Value};
use crate::tuning::{
    ARRAY_INLINE_BYTES, ARRAY_INLINE_ELEMENTS, STRUCT_INLINE_BYTES, STRUCT_INLINE_FIELDS,
};
use regalloc2::VReg;
use zwasm_regir::gc::GcOp;
use zwasm_regir::{Inst as SlotInst, Slot, Storage, Type, object};

/// An object to be made. `[= reference, = address]`, both early; of an array of a length
/// that is not known, `[= reference, = address, length]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allocation {
    ty: u32,
    /// The threaded code of the handler that makes it.
    code: u32,
    what: What,
    /// Whether its contents are zeros. If not, they are anything.
    clear: bool,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// A structure of so many bytes.
    Struct(i32),
    /// An array of so many bytes and elements.
    Fixed(i32, u32),
    /// An array of as many elements as a register says, and the logarithm of their size.
    Array(u8),
}

/// What makes an object when there is no room in the window.
pub(super) struct Slow {
    allocation: Allocation,
    reference: Reg,
    object: Reg,
    count: Option<Reg>,
    resume: AsmLabel,
}

impl Allocation {
    /// Emits it on the registers given.
    pub(super) fn emit(self, e: &mut Emitter<'_>, regs: &mut Regs<'_>) {
        let (reference, object) = (regs.reg(), regs.reg());
        let (label, resume) = (e.asm.new_label(), e.asm.new_label());
        let (extent, count) = match self.what {
            What::Struct(size) | What::Fixed(size, _) => (Extent::Fixed(size), None),
            What::Array(scale) => {
                let count = regs.reg();
                (Extent::Array(count, scale), Some(count))
            }
        };
        heap::take_room(&mut e.asm, e.layout, reference, object, extent, label);
        match (self.what, count) {
            (What::Struct(size), _) => {
                heap::struct_header(&mut e.asm, object, self.ty);
                if self.clear {
                    heap::clear_contents(&mut e.asm, object, size);
                }
            }
            (What::Fixed(size, length), _) => {
                heap::array_header(&mut e.asm, object, self.ty, Length::Constant(length));
                if self.clear {
                    heap::clear_contents(&mut e.asm, object, size);
                }
            }
            (What::Array(scale), count) => {
                let count = count.unwrap_or(INT_SCRATCH);
                if self.clear {
                    heap::clear_array(&mut e.asm, object, count, scale);
                }
                heap::array_header(&mut e.asm, object, self.ty, Length::Register(count));
            }
        }
        e.asm.bind(resume);
        e.push_slow(label, Slow { allocation: self, reference, object, count, resume });
    }
}

impl Emitter<'_> {
    /// Has a handler make an object, with everything in registers saved.
    pub(super) fn slow_allocation(&mut self, slow: &Slow) {
        let Slow { allocation, reference, object, count, resume } = *slow;
        if !matches!(allocation.what, What::Struct(_)) {
            // No operand is in the scratch register.
            self.asm.load(INT_SCRATCH, at(RDI, self.layout.store as i32), Size::B8);
            self.asm.load(INT_SCRATCH, at(INT_SCRATCH, self.layout.value_top as i32), Size::B8);
            let length = at(INT_SCRATCH, 8);
            match (allocation.what, count) {
                (What::Fixed(_, count), _) => {
                    self.asm.store_constant(length, count.into(), Size::B8);
                }
                (_, Some(count)) => self.asm.store(length, count, Size::B8),
                (_, None) => {}
            }
        }
        self.keep(allocation.code);
        self.asm.load(INT_SCRATCH, at(RSI, 0), Size::B4);
        self.bring();
        self.asm.mov(reference, INT_SCRATCH);
        self.load_fuel();
        self.asm.load(object, at(RDI, self.layout.heap as i32), Size::B8);
        self.asm.alu(Alu::Add, true, object, Rm::Reg(reference));
        self.asm.jump(resume);
    }
}

impl Select<'_> {
    /// Allocates; what is not a small object is the handler's.
    pub(super) fn gc(&mut self, op: GcOp, data: &InstData) {
        if !self.make(op, data) {
            let slots = |values: &[Value]| values.iter().map(|v| self.func.ty(*v).slots()).sum();
            let slots: u32 = u32::max(slots(&data.args), slots(&data.results));
            let inst = SlotInst::Gc { op, base: Slot(0) };
            self.handler(Handler { inst, slots }, data);
        }
    }

    /// Makes an object; whether it did.
    fn make(&mut self, op: GcOp, data: &InstData) -> bool {
        match op {
            GcOp::StructNew { ty } => {
                let structure = self.env.struct_type(ty);
                if !structure.is_small || structure.fields > STRUCT_INLINE_FIELDS {
                    return false;
                }
                let what = What::Struct(structure.size as i32);
                let object = self.allocate(GcOp::StructNewDefault { ty }, ty, what, None, data);
                for (field, &value) in data.args.iter().enumerate() {
                    let (storage, offset) = self.env.field(ty, field as u32);
                    self.init_cell(storage, object, offset as i32, value);
                }
            }
            GcOp::StructNewDefault { ty } => {
                let structure = self.env.struct_type(ty);
                if !structure.is_small || structure.size > STRUCT_INLINE_BYTES {
                    return false;
                }
                self.allocate(op, ty, What::Struct(structure.size as i32), None, data);
            }
            // The handlers charge fuel by size.
            _ if self.env.consumes_fuel() => return false,
            GcOp::ArrayNewFixed { ty, count } => {
                if count > ARRAY_INLINE_ELEMENTS {
                    return false;
                }
                let (storage, _) = self.env.field(ty, 0);
                let what = What::Fixed(size_of_array(storage, count), count);
                let object = self.allocate(GcOp::ArrayNewDefault { ty }, ty, what, None, data);
                for (index, &value) in data.args.iter().enumerate() {
                    let at = HEADER + (index * storage.size()) as i32;
                    self.init_cell(storage, object, at, value);
                }
            }
            GcOp::ArrayNewDefault { ty } => {
                let (storage, _) = self.env.field(ty, 0);
                match self.known_length(data.args[0]) {
                    Some(count) if is_large(storage, count) => return false,
                    Some(count) => {
                        let what = What::Fixed(size_of_array(storage, count), count);
                        self.allocate(op, ty, what, None, data);
                    }
                    None if storage == Storage::V128 => return false,
                    None => {
                        let what = What::Array(storage.scale() as u8);
                        let count = self.reg(data.args[0]);
                        self.allocate(op, ty, what, Some(count), data);
                    }
                }
            }
            GcOp::ArrayNew { ty } => {
                let (storage, _) = self.env.field(ty, 0);
                let large =
                    self.known_length(data.args[1]).is_some_and(|count| is_large(storage, count));
                if storage == Storage::V128 || large {
                    return false;
                }
                let value = self.reg(data.args[0]);
                let count = self.reg(data.args[1]);
                let what = What::Array(storage.scale() as u8);
                let default = GcOp::ArrayNewDefault { ty };
                let object = self.allocate(default, ty, what, Some(count), data);
                let sequence: super::Sequence = |e, regs, data| {
                    let (object, count, value) = (regs.reg(), regs.reg(), regs.reg());
                    heap::fill_array(&mut e.asm, object, count, value, Size::of(data.bits));
                };
                let bits = storage.size() as u64;
                let operands = [read(object), read(count), read(value)];
                self.sequence(sequence, super::Data::bits(bits), &operands);
            }
            GcOp::ArrayNewData { .. }
            | GcOp::ArrayNewElem { .. }
            | GcOp::ArrayFill { .. }
            | GcOp::ArrayCopy { .. }
            | GcOp::ArrayInitData { .. }
            | GcOp::ArrayInitElem { .. } => return false,
        }
        true
    }

    fn known_length(&self, value: Value) -> Option<u32> {
        self.func.constant(self.facts.root(value)).map(|count| count as u32)
    }

    /// Puts an allocation. `default` makes the object by its handler, with zeros for its
    /// contents; if that is what is wanted, they are zeros here, too. The object's
    /// address, which must not be used behind anything that may collect.
    fn allocate(
        &mut self,
        default: GcOp,
        ty: u32,
        what: What,
        count: Option<VReg>,
        data: &InstData,
    ) -> VReg {
        self.calls = true;
        let inst = SlotInst::Gc { op: default, base: Slot(0) };
        let threaded = self.env.threaded_on_scratch(&inst, 1);
        self.scratches.push(Scratch { threaded });
        let code = self.scratches.len() as u32 - 1;
        let clear = data.op == crate::ssa::Op::Gc(default);
        let (reference, object) = (self.result(data), self.fresh(Type::I64));
        let mut ops = Ops::of(&[write_early(reference), write_early(object)]);
        count.into_iter().for_each(|count| ops.push(read(count)));
        self.put_ops(Inst::Allocate(Allocation { ty, code, what, clear }), &ops);
        object
    }
}

fn is_large(storage: Storage, count: u32) -> bool {
    u64::from(count) * storage.size() as u64 > u64::from(ARRAY_INLINE_BYTES)
}

/// Bytes of an array with few elements, as the heap counts them.
fn size_of_array(storage: Storage, count: u32) -> i32 {
    object::array_size(storage, count).next_multiple_of(object::GRANULE as u64) as i32
}
