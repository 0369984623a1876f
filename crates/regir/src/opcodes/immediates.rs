//! What follows an opcode: each kind of immediate reads itself.

use crate::reader::{Malformed, Reader};
use crate::types::Type;

/// Something that follows an opcode.
pub trait Immediate: Sized {
    /// Reads it.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed>;
}

/// An index, a count or a depth.
impl Immediate for u32 {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<u32, Malformed> {
        reader.u32()
    }
}

impl Immediate for i32 {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<i32, Malformed> {
        Ok(reader.i64()? as i32)
    }
}

impl Immediate for i64 {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<i64, Malformed> {
        reader.i64()
    }
}

/// Flags, a lane or a reserved byte.
impl Immediate for u8 {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<u8, Malformed> {
        reader.byte()
    }
}

/// A float, a vector or the lanes of a shuffle.
impl<const N: usize> Immediate for [u8; N] {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<[u8; N], Malformed> {
        reader.array()
    }
}

/// Where an access goes. The alignment promised is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemArg {
    /// The memory.
    pub mem: u32,
    /// What is added to the address.
    pub offset: u64,
}

/// The bit of the alignment that says a memory index follows.
const MEMORY_INDEX: u32 = 1 << 6;

impl Immediate for MemArg {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<MemArg, Malformed> {
        let align = reader.u32()?;
        let mem = if align & MEMORY_INDEX != 0 { reader.u32()? } else { 0 };
        Ok(MemArg { mem, offset: reader.u64()? })
    }
}

/// A value type, as far as slots care.
impl Immediate for Type {
    fn read(reader: &mut Reader<'_>) -> Result<Type, Malformed> {
        Ok(match reader.byte()? {
            0x7F => Type::I32,
            0x7E => Type::I64,
            0x7D => Type::F32,
            0x7C => Type::F64,
            0x7B => Type::V128,
            0x63 | 0x64 => {
                HeapType::read(reader)?;
                Type::Ref
            }
            _ => Type::Ref,
        })
    }
}

/// The code of a heap type: an index, or below zero an abstract one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapType(pub i64);

impl Immediate for HeapType {
    fn read(reader: &mut Reader<'_>) -> Result<HeapType, Malformed> {
        Ok(HeapType(reader.i64()?))
    }
}

/// The type of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockType {
    /// No operands and results.
    Empty,
    /// One result.
    Result(Type),
    /// Those of a function type.
    Function(u32),
}

impl Immediate for BlockType {
    fn read(reader: &mut Reader<'_>) -> Result<BlockType, Malformed> {
        let byte = reader.peek()?;
        if byte == 0x40 {
            reader.byte()?;
            return Ok(BlockType::Empty);
        }
        // What has these bits is a small negative number, and no index.
        if byte & 0xC0 == 0x40 {
            return Ok(BlockType::Result(Type::read(reader)?));
        }
        let index = u32::try_from(reader.i64()?).map_err(|_| Malformed)?;
        Ok(BlockType::Function(index))
    }
}

/// The types of a `select`, of which nothing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueTypes;

impl Immediate for ValueTypes {
    fn read(reader: &mut Reader<'_>) -> Result<ValueTypes, Malformed> {
        for _ in 0..reader.u32()? {
            Type::read(reader)?;
        }
        Ok(ValueTypes)
    }
}

/// The targets of a `br_table`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Where the first depth is.
    at: usize,
    /// How many there are beside the default.
    count: u32,
}

impl Labels {
    /// The depth of each, that of the default last; of the reader that read this.
    pub fn depths<'a>(self, reader: &Reader<'a>) -> impl Iterator<Item = u32> + use<'a> {
        let mut reader = reader.at(self.at);
        // They were read before.
        (0..=self.count).map_while(move |_| reader.u32().ok())
    }
}

impl Immediate for Labels {
    fn read(reader: &mut Reader<'_>) -> Result<Labels, Malformed> {
        let count = reader.u32()?;
        let labels = Labels { at: reader.position(), count };
        for _ in 0..=count {
            reader.u32()?;
        }
        Ok(labels)
    }
}

/// A clause of a `try_table`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The tag it catches; all exceptions without one.
    pub tag: Option<u32>,
    /// Whether the exception itself follows the values.
    pub by_ref: bool,
    /// The block that it continues behind.
    pub depth: u32,
}

/// The clause `catch_ref`; it and `catch`, below it, name a tag.
const CATCH_REF: u8 = 1;
/// The clause `catch_all_ref`.
const CATCH_ALL_REF: u8 = 3;

impl Immediate for Clause {
    fn read(reader: &mut Reader<'_>) -> Result<Clause, Malformed> {
        let kind = reader.byte()?;
        let by_ref = kind == CATCH_REF || kind == CATCH_ALL_REF;
        let tag = if kind <= CATCH_REF { Some(reader.u32()?) } else { None };
        Ok(Clause { tag, by_ref, depth: reader.u32()? })
    }
}

/// The clauses of a `try_table`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Catches {
    /// Where the first clause is.
    at: usize,
    count: u32,
}

impl Catches {
    /// Each clause in order; of the reader that read this.
    pub fn clauses<'a>(self, reader: &Reader<'a>) -> impl Iterator<Item = Clause> + use<'a> {
        let mut reader = reader.at(self.at);
        // They were read before.
        (0..self.count).map_while(move |_| Clause::read(&mut reader).ok())
    }
}

impl Immediate for Catches {
    fn read(reader: &mut Reader<'_>) -> Result<Catches, Malformed> {
        let count = reader.u32()?;
        let catches = Catches { at: reader.position(), count };
        for _ in 0..count {
            Clause::read(reader)?;
        }
        Ok(catches)
    }
}

/// The declarations of a body's locals, which stand before its first instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locals {
    /// Where the first group is.
    at: usize,
    count: u32,
}

impl Locals {
    /// How many of a type, one group after the other; of the reader that read this.
    pub fn groups<'a>(self, reader: &Reader<'a>) -> impl Iterator<Item = (u32, Type)> + use<'a> {
        let mut reader = reader.at(self.at);
        // They were read before.
        (0..self.count)
            .map_while(move |_| Some((reader.u32().ok()?, Type::read(&mut reader).ok()?)))
    }
}

impl Immediate for Locals {
    fn read(reader: &mut Reader<'_>) -> Result<Locals, Malformed> {
        let count = reader.u32()?;
        let locals = Locals { at: reader.position(), count };
        for _ in 0..count {
            reader.u32()?;
            Type::read(reader)?;
        }
        Ok(locals)
    }
}
