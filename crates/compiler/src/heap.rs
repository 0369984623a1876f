//! Sequences on objects that the compilers share, for all instruction sets: casts, and
//! taking room for an object.
//!
//! The address of an object exists only within a sequence: the heap's base plus a
//! reference, which is cut to 32 bits first, so that no value of a register, whatever it
//! was meant to be, leads out of the heap's region.

use crate::asm::{AsmLabel, Mem, Reg, Rm, at};
use crate::code::TypeForm;
use crate::isa::{Alu, Primitives, Relation, Shift, Size, TypeWord};
use crate::tuning::ARRAY_INLINE_BYTES;
use crate::{Environment, HeapType, VmLayout};
use zwasm_regir::gc::{HeapTarget, RefTarget};
use zwasm_regir::object::{self, Kind};

pub(crate) const HEADER: i32 = object::HEADER as i32;
pub(crate) const LENGTH: i32 = object::LENGTH as i32;
pub(crate) const GRANULE: i32 = object::GRANULE as i32;

/// What a reference is checked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    target: RefTarget,
    /// If that is a type of the module.
    ty: Option<HeapType>,
}

impl Check {
    pub(crate) fn of(target: RefTarget, env: &dyn Environment) -> Check {
        let ty = match target.heap {
            HeapTarget::Type(ty) => Some(env.heap_type(ty)),
            HeapTarget::Top
            | HeapTarget::Bottom
            | HeapTarget::Eq
            | HeapTarget::I31
            | HeapTarget::Struct
            | HeapTarget::Array => None,
        };
        Check { target, ty }
    }

    /// Jumps to `fails` unless a reference passes; goes on or to `passes` if it does. The
    /// register `found`, which is another, and the scratch register are overwritten.
    pub(crate) fn emit<A: Primitives>(
        self,
        asm: &mut A,
        layout: &VmLayout,
        reference: Reg,
        found: Reg,
        passes: AsmLabel,
        fails: AsmLabel,
    ) {
        let target = self.target;
        asm.narrow(found, reference);
        let zero = asm.is_zero(found, false);
        asm.jump_if(zero, if target.nullable { passes } else { fails });
        // Whether the reference is one to an object.
        let is_object = |asm: &mut A| asm.are_clear(found, object::I31 as u8);
        let header = |base: Reg| Mem { base, index: Some((found, 0)), disp: 0 };
        match target.heap {
            HeapTarget::Top => {}
            HeapTarget::Bottom => asm.jump(fails),
            HeapTarget::I31 => {
                let is_object = is_object(asm);
                asm.jump_if(is_object, fails);
            }
            HeapTarget::Eq => {
                let is_object = is_object(asm);
                asm.jump_if(!is_object, passes);
                let base = base(asm, layout);
                let word = object::EXTERN_WORD as i32;
                let condition =
                    asm.compare_immediate(Relation::Equal, false, Rm::Mem(header(base)), word);
                asm.jump_if(condition, fails);
            }
            HeapTarget::Struct | HeapTarget::Array => {
                let is_object = is_object(asm);
                asm.jump_if(!is_object, fails);
                let base = base(asm, layout);
                let kind = match target.heap {
                    HeapTarget::Struct => Kind::Struct,
                    _ => Kind::Array,
                };
                asm.load(base, header(base), Size::B4);
                asm.alu_immediate(Alu::And, false, base, object::KIND as i32);
                let kind = kind as i32;
                let condition =
                    asm.compare_immediate(Relation::NotEqual, false, Rm::Reg(base), kind);
                asm.jump_if(condition, fails);
            }
            HeapTarget::Type(ty) => {
                // It is there, as the check was made of the target.
                let Some(HeapType { is_final, is_func, depth, .. }) = self.ty else {
                    return asm.jump(fails);
                };
                let word_of_reference = if is_func {
                    let count = at(A::VMCTX, layout.function_count as i32);
                    let condition =
                        asm.compare(Relation::AboveOrEqual, false, found, Rm::Mem(count));
                    asm.jump_if(condition, fails);
                    let functions = at(A::VMCTX, layout.functions as i32);
                    asm.load(A::INT_SCRATCH, functions, Size::B8);
                    let record = Mem { base: A::INT_SCRATCH, index: Some((found, 3)), disp: 0 };
                    asm.load(A::INT_SCRATCH, record, Size::B8);
                    let zero = asm.is_zero(A::INT_SCRATCH, true);
                    asm.jump_if(zero, fails);
                    at(A::INT_SCRATCH, layout.record_type as i32)
                } else {
                    let is_object = is_object(asm);
                    asm.jump_if(!is_object, fails);
                    header(base(asm, layout))
                };
                // Records have the number itself.
                let form = if is_func { TypeForm::Number } else { TypeForm::Header };
                let word = TypeWord { index: ty, form };
                if is_final {
                    let is_same = asm.is_type(Rm::Mem(word_of_reference), word);
                    asm.jump_if(!is_same, fails);
                    return;
                }
                asm.load(found, word_of_reference, Size::B4);
                let is_same = asm.is_type(Rm::Reg(found), word);
                asm.jump_if(is_same, passes);
                if !is_func {
                    asm.shift(Shift::RightUnsigned, false, found, object::KIND_BITS as u8);
                }
                let inherits = has_supertype(asm, layout, found, ty, depth);
                asm.jump_if(!inherits, fails);
            }
        }
    }
}

/// Loads the heap's base into the scratch register.
pub(crate) fn base<A: Primitives>(asm: &mut A, layout: &VmLayout) -> Reg {
    asm.load(A::INT_SCRATCH, at(A::VMCTX, layout.heap as i32), Size::B8);
    A::INT_SCRATCH
}

/// Whether what the display of the type whose number is in `found` has at a depth is a
/// type of the module. The scratch register is overwritten.
pub(crate) fn has_supertype<A: Primitives>(
    asm: &mut A,
    layout: &VmLayout,
    found: Reg,
    ty: u32,
    depth: u32,
) -> A::Condition {
    let scratch = A::INT_SCRATCH;
    asm.load(scratch, at(A::VMCTX, layout.store as i32), Size::B8);
    asm.alu(Alu::And, false, found, Rm::Mem(at(scratch, layout.display_mask as i32)));
    asm.load(scratch, at(scratch, layout.displays as i32), Size::B8);
    let start = Mem { base: scratch, index: Some((found, 2)), disp: 0 };
    asm.load(found, start, Size::B4);
    let entry = Mem { base: scratch, index: Some((found, 2)), disp: depth as i32 * 4 };
    asm.is_type(Rm::Mem(entry), TypeWord { index: ty, form: TypeForm::Number })
}

/// How large an object is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extent {
    /// So many bytes.
    Fixed(i32),
    /// An array of as many elements as a register says, and the logarithm of their
    /// size.
    Array(Reg, u8),
}

/// Takes an object's bytes from the window; jumps to `slow` if there is no room, or an array
/// is too large. The object's header has to be written at once, for the collector finds what
/// lies behind it by it.
///
/// The reference is then in `reference`, and the object's address in `object`; the scratch
/// register is overwritten.
pub(crate) fn take_room<A: Primitives>(
    asm: &mut A,
    layout: &VmLayout,
    reference: Reg,
    object: Reg,
    extent: Extent,
    slow: AsmLabel,
) {
    let end = object;
    if let Extent::Array(count, scale) = extent {
        let most = (ARRAY_INLINE_BYTES >> scale) as i32;
        let condition = asm.compare_immediate(Relation::Above, false, Rm::Reg(count), most);
        asm.jump_if(condition, slow);
    }
    asm.load(A::INT_SCRATCH, at(A::VMCTX, layout.store as i32), Size::B8);
    let cursor = at(A::INT_SCRATCH, layout.heap_cursor as i32);
    asm.load(reference, cursor, Size::B8);
    match extent {
        Extent::Fixed(size) => asm.address_of(end, at(reference, size), true),
        Extent::Array(count, scale) => rounded_size(asm, end, count, scale, Some(reference)),
    }
    let limit = at(A::INT_SCRATCH, layout.heap_limit as i32);
    let condition = asm.compare(Relation::Above, true, end, Rm::Mem(limit));
    asm.jump_if(condition, slow);
    asm.store(cursor, end, Size::B8);
    asm.load(object, at(A::VMCTX, layout.heap as i32), Size::B8);
    asm.alu(Alu::Add, true, object, Rm::Reg(reference));
}

/// The bytes of an array with so many elements, rounded to granules, and added to another
/// register, which is a multiple of granules.
pub(crate) fn rounded_size<A: Primitives>(
    asm: &mut A,
    into: Reg,
    count: Reg,
    scale: u8,
    plus: Option<Reg>,
) {
    let disp = HEADER + GRANULE - 1;
    match plus {
        Some(base) => {
            asm.address_of(into, Mem { base, index: Some((count, scale)), disp }, true);
        }
        None => {
            asm.mov(into, count);
            if scale > 0 {
                asm.shift(Shift::Left, true, into, scale);
            }
            asm.alu_immediate(Alu::Add, true, into, disp);
        }
    }
    asm.alu_immediate(Alu::And, true, into, -GRANULE);
}

/// Writes the header of an array, but for its length.
pub(crate) fn array_header<A: Primitives>(asm: &mut A, object: Reg, ty: u32, length: Length) {
    asm.store_type(at(object, 0), TypeWord { index: ty, form: TypeForm::Header });
    let place = at(object, LENGTH);
    match length {
        Length::Constant(length) => asm.store_constant(place, u64::from(length), Size::B4),
        Length::Register(length) => asm.store(place, length, Size::B4),
    }
}

/// Writes the header of a structure. The scratch register is overwritten.
pub(crate) fn struct_header<A: Primitives>(asm: &mut A, object: Reg, ty: u32) {
    asm.type_constant(A::INT_SCRATCH, TypeWord { index: ty, form: TypeForm::Header });
    asm.store(at(object, 0), A::INT_SCRATCH, Size::B8);
}

/// Clears an object of so many bytes behind its header. The vector scratch register is
/// overwritten.
pub(crate) fn clear_contents<A: Primitives>(asm: &mut A, object: Reg, size: i32) {
    asm.constant(A::FLOAT_SCRATCH, 0);
    let mut offset = HEADER;
    while offset + 16 <= size {
        asm.store(at(object, offset), A::FLOAT_SCRATCH, Size::B16);
        offset += 16;
    }
    if offset < size {
        asm.store(at(object, offset), A::FLOAT_SCRATCH, Size::B8);
    }
}

/// Clears an array of as many elements as a register says, and perhaps its header, from the
/// end to the start. Both scratch registers are overwritten.
pub(crate) fn clear_array<A: Primitives>(asm: &mut A, object: Reg, count: Reg, scale: u8) {
    const STEP: i32 = 16;
    let (again, check) = (asm.new_label(), asm.new_label());
    asm.constant(A::FLOAT_SCRATCH, 0);
    rounded_size(asm, A::INT_SCRATCH, count, scale, None);
    asm.jump(check);
    asm.bind(again);
    let place = Mem { base: object, index: Some((A::INT_SCRATCH, 0)), disp: -STEP };
    asm.store(place, A::FLOAT_SCRATCH, Size::B16);
    asm.alu_immediate(Alu::Sub, true, A::INT_SCRATCH, STEP);
    asm.bind(check);
    let more = asm.compare_immediate(Relation::Above, true, Rm::Reg(A::INT_SCRATCH), HEADER);
    asm.jump_if(more, again);
}

/// Writes a value to all elements of an array, as many as a register says. The scratch
/// register is overwritten.
pub(crate) fn fill_array<A: Primitives>(
    asm: &mut A,
    object: Reg,
    count: Reg,
    value: Reg,
    size: Size,
) {
    let scale = size.log2();
    let (again, done) = (asm.new_label(), asm.new_label());
    asm.narrow(A::INT_SCRATCH, count);
    let zero = asm.is_zero(count, false);
    asm.jump_if(zero, done);
    asm.bind(again);
    let place =
        Mem { base: object, index: Some((A::INT_SCRATCH, scale)), disp: HEADER - (1 << scale) };
    asm.store(place, value, size);
    let more = asm.count_down(A::INT_SCRATCH);
    asm.jump_if(more, again);
    asm.bind(done);
}

/// The length of an array.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    Constant(u32),
    Register(Reg),
}
