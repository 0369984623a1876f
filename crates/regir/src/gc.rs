//! Instructions on structures, arrays and other references.
//!
//! What allocates or works on ranges is rare enough to take its operands from
//! consecutive slots ([`GcOp`]); what reads or writes one value has instructions
//! of its own, with operands anywhere.

use core::fmt::{self, Display, Formatter};

/// How a packed value is widened when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extend {
    /// Not packed, or zero-extended.
    Zero,
    /// Sign-extended.
    Sign,
}

/// An instruction on objects whose operands lie in consecutive slots; the result
/// replaces the first.
#[allow(missing_docs, reason = "field names are explained in the header of `inst`")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GcOp {
    /// `struct.new`: the fields.
    StructNew { ty: u32 },
    /// `struct.new_default`.
    StructNewDefault { ty: u32 },
    /// `array.new`: element, length.
    ArrayNew { ty: u32 },
    /// `array.new_default`: length.
    ArrayNewDefault { ty: u32 },
    /// `array.new_fixed`: the elements.
    ArrayNewFixed { ty: u32, count: u32 },
    /// `array.new_data`: source, length.
    ArrayNewData { ty: u32, data: u32 },
    /// `array.new_elem`: source, length.
    ArrayNewElem { ty: u32, elem: u32 },
    /// `array.fill`: array, start, value, length.
    ArrayFill { ty: u32 },
    /// `array.copy`: array, start, source array, its start, length.
    ArrayCopy { dst: u32, src: u32 },
    /// `array.init_data`: array, start, source, length.
    ArrayInitData { ty: u32, data: u32 },
    /// `array.init_elem`: array, start, source, length.
    ArrayInitElem { ty: u32, elem: u32 },
}

/// The type that a reference is tested for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefTarget {
    /// Whether null passes.
    pub nullable: bool,
    /// What is referred to.
    pub heap: HeapTarget,
}

/// What a reference that is not null is tested for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeapTarget {
    /// Anything: the top of a hierarchy.
    Top,
    /// Nothing: the bottom of a hierarchy.
    Bottom,
    /// Values that `ref.eq` compares.
    Eq,
    /// 31-bit integers.
    I31,
    /// Structures.
    Struct,
    /// Arrays.
    Array,
    /// A type of the module.
    Type(u32),
}

impl HeapTarget {
    /// The target that a heap type in the binary format means.
    pub fn decode(code: i64) -> Option<HeapTarget> {
        Some(match code {
            0.. => HeapTarget::Type(u32::try_from(code).ok()?),
            // func, extern, any and exn.
            -0x10 | -0x11 | -0x12 | -0x17 => HeapTarget::Top,
            // none, noextern, nofunc and noexn.
            -0x0F..=-0x0C => HeapTarget::Bottom,
            -0x13 => HeapTarget::Eq,
            -0x14 => HeapTarget::I31,
            -0x15 => HeapTarget::Struct,
            -0x16 => HeapTarget::Array,
            _ => return None,
        })
    }
}

impl Display for GcOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            GcOp::StructNew { ty } => write!(f, "struct.new type {ty}"),
            GcOp::StructNewDefault { ty } => write!(f, "struct.new_default type {ty}"),
            GcOp::ArrayNew { ty } => write!(f, "array.new type {ty}"),
            GcOp::ArrayNewDefault { ty } => write!(f, "array.new_default type {ty}"),
            GcOp::ArrayNewFixed { ty, count } => write!(f, "array.new_fixed type {ty} x{count}"),
            GcOp::ArrayNewData { ty, data } => write!(f, "array.new_data type {ty} d{data}"),
            GcOp::ArrayNewElem { ty, elem } => write!(f, "array.new_elem type {ty} e{elem}"),
            GcOp::ArrayFill { ty } => write!(f, "array.fill type {ty}"),
            GcOp::ArrayCopy { dst, src } => write!(f, "array.copy type {dst} type {src}"),
            GcOp::ArrayInitData { ty, data } => write!(f, "array.init_data type {ty} d{data}"),
            GcOp::ArrayInitElem { ty, elem } => write!(f, "array.init_elem type {ty} e{elem}"),
        }
    }
}

impl Display for RefTarget {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.nullable { "null " } else { "" })?;
        f.write_str(match self.heap {
            HeapTarget::Top => "top",
            HeapTarget::Bottom => "bottom",
            HeapTarget::Eq => "eq",
            HeapTarget::I31 => "i31",
            HeapTarget::Struct => "struct",
            HeapTarget::Array => "array",
            HeapTarget::Type(ty) => return write!(f, "type {ty}"),
        })
    }
}
