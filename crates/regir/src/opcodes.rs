//! Every instruction of WebAssembly: its opcode and its immediates, once.
//!
//! [`Reader::operator`] reads an instruction with all that belongs to it. Translating,
//! passing over what cannot be reached, looking ahead and reading constant expressions
//! all walk the code by it, so no two of them can differ about where an instruction ends.
//!
//! The rows here are the instructions that no op table has; those that one has get their
//! immediates by their class. Immediates read themselves ([`immediates`]).

pub mod immediates;
mod vector;

use crate::atomic_ops::AtomicOp;
use crate::ops::{BinaryOp, CompareOp, LoadOp, StoreOp, UnaryOp};
use crate::reader::{Malformed, Reader};
use immediates::{BlockType, Catches, HeapType, Immediate, Labels, MemArg, ValueTypes};
pub use vector::{VectorOpcode, VectorOperator};

/// The prefixes of opcodes of two numbers.
pub mod prefix {
    /// Objects and references.
    pub const GC: u8 = 0xFB;
    /// Saturating conversions, bulk operations, 128-bit integers.
    pub const MISC: u8 = 0xFC;
    /// Vectors.
    pub const VECTOR: u8 = 0xFD;
    /// Atomic accesses.
    pub const ATOMIC: u8 = 0xFE;
}

/// Declares instructions: an enum of their opcodes, and one with their immediates.
macro_rules! operators {
    (
        $(#[$doc:meta])* enum $enum:ident,
        $(#[$code_doc:meta])* enum $codes:ident:
        $($code:literal $name:ident $({ $($field:ident: $ty:ty),* })?;)*
        and { $($(#[$meta:meta])* $class:ident $(($($of:ty),*))?;)* }
    ) => {
        $(#[$code_doc])*
        #[allow(missing_docs, reason = "named as in the specification")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum $codes {
            $($name = $code,)*
        }

        $(#[$doc])*
        #[allow(missing_docs, reason = "named as in the specification")]
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[repr(u8)]
        pub enum $enum {
            $($name $({ $($field: $ty),* })?,)*
            $($(#[$meta])* $class $(($($of),*))?,)*
        }

        impl $enum {
            /// Reads the immediates of an opcode that has a row; what has none is read
            /// otherwise.
            #[inline(always)]
            fn of_row<'a>(
                code: u16,
                reader: &mut Reader<'a>,
                otherwise: impl FnOnce(&mut Reader<'a>) -> Result<Self, Malformed>,
            ) -> Result<Self, Malformed> {
                match code {
                    $($code => {
                        Ok($enum::$name $({ $($field: Immediate::read(reader)?),* })?)
                    })*
                    _ => otherwise(reader),
                }
            }
        }
    };
}
use operators;

operators! {
    /// An instruction with its immediates.
    enum Operator,
    /// The opcodes of instructions that no table has; prefixed ones are `0xPPxx`.
    enum Opcode:
    0x00 Unreachable;
    0x01 Nop;
    0x02 Block { ty: BlockType };
    0x03 Loop { ty: BlockType };
    0x04 If { ty: BlockType };
    0x05 Else;
    0x08 Throw { tag: u32 };
    0x0A ThrowRef;
    0x0B End;
    0x0C Br { depth: u32 };
    0x0D BrIf { depth: u32 };
    0x0E BrTable { targets: Labels };
    0x0F Return;
    0x10 Call { func: u32 };
    0x11 CallIndirect { ty: u32, table: u32 };
    0x12 ReturnCall { func: u32 };
    0x13 ReturnCallIndirect { ty: u32, table: u32 };
    0x14 CallRef { ty: u32 };
    0x15 ReturnCallRef { ty: u32 };
    0x1A Drop;
    0x1B Select;
    0x1C SelectTyped { types: ValueTypes };
    0x1F TryTable { ty: BlockType, catches: Catches };
    0x20 LocalGet { local: u32 };
    0x21 LocalSet { local: u32 };
    0x22 LocalTee { local: u32 };
    0x23 GlobalGet { global: u32 };
    0x24 GlobalSet { global: u32 };
    0x25 TableGet { table: u32 };
    0x26 TableSet { table: u32 };
    0x3F MemorySize { mem: u32 };
    0x40 MemoryGrow { mem: u32 };
    0x41 I32Const { value: i32 };
    0x42 I64Const { value: i64 };
    0x43 F32Const { bytes: [u8; 4] };
    0x44 F64Const { bytes: [u8; 8] };
    0x45 I32Eqz;
    0x50 I64Eqz;
    0xD0 RefNull { ty: HeapType };
    0xD1 RefIsNull;
    0xD2 RefFunc { func: u32 };
    0xD3 RefEq;
    0xD4 RefAsNonNull;
    0xD5 BrOnNull { depth: u32 };
    0xD6 BrOnNonNull { depth: u32 };
    0xFC08 MemoryInit { data: u32, mem: u32 };
    0xFC09 DataDrop { data: u32 };
    0xFC0A MemoryCopy { dst: u32, src: u32 };
    0xFC0B MemoryFill { mem: u32 };
    0xFC0C TableInit { elem: u32, table: u32 };
    0xFC0D ElemDrop { elem: u32 };
    0xFC0E TableCopy { dst: u32, src: u32 };
    0xFC0F TableGrow { table: u32 };
    0xFC10 TableSize { table: u32 };
    0xFC11 TableFill { table: u32 };
    0xFC13 I64Add128;
    0xFC14 I64Sub128;
    0xFC15 I64MulWideS;
    0xFC16 I64MulWideU;
    0xFE00 AtomicNotify { memory: MemArg };
    0xFE01 AtomicWait32 { memory: MemArg };
    0xFE02 AtomicWait64 { memory: MemArg };
    0xFE03 AtomicFence { reserved: u8 };
    and {
        /// Of the tables of scalar ops.
        Unary(UnaryOp);
        /// The same, with two operands.
        Binary(BinaryOp);
        /// The same, a comparison.
        Compare(CompareOp);
        /// A scalar load.
        Load(LoadOp, MemArg);
        /// A scalar store.
        Store(StoreOp, MemArg);
        /// An atomic access.
        Atomic(AtomicOp, MemArg);
        /// Behind the prefix `0xFB`.
        Gc(GcOperator);
        /// Behind the prefix `0xFD`.
        Vector(VectorOperator);
    }
}

operators! {
    /// An instruction on objects with its immediates.
    enum GcOperator,
    /// The opcodes behind the prefix `0xFB`.
    enum GcOpcode:
    0 StructNew { ty: u32 };
    1 StructNewDefault { ty: u32 };
    2 StructGet { ty: u32, field: u32 };
    3 StructGetS { ty: u32, field: u32 };
    4 StructGetU { ty: u32, field: u32 };
    5 StructSet { ty: u32, field: u32 };
    6 ArrayNew { ty: u32 };
    7 ArrayNewDefault { ty: u32 };
    8 ArrayNewFixed { ty: u32, count: u32 };
    9 ArrayNewData { ty: u32, data: u32 };
    10 ArrayNewElem { ty: u32, elem: u32 };
    11 ArrayGet { ty: u32 };
    12 ArrayGetS { ty: u32 };
    13 ArrayGetU { ty: u32 };
    14 ArraySet { ty: u32 };
    15 ArrayLen;
    16 ArrayFill { ty: u32 };
    17 ArrayCopy { dst: u32, src: u32 };
    18 ArrayInitData { ty: u32, data: u32 };
    19 ArrayInitElem { ty: u32, elem: u32 };
    20 RefTest { ty: HeapType };
    21 RefTestNull { ty: HeapType };
    22 RefCast { ty: HeapType };
    23 RefCastNull { ty: HeapType };
    24 BrOnCast { flags: u8, depth: u32, from: HeapType, to: HeapType };
    25 BrOnCastFail { flags: u8, depth: u32, from: HeapType, to: HeapType };
    26 AnyConvertExtern;
    27 ExternConvertAny;
    28 RefI31;
    29 I31GetS;
    30 I31GetU;
    and {}
}

/// An opcode of one byte that a table has.
#[derive(Clone, Copy)]
enum Tabled {
    Unary(UnaryOp),
    Binary(BinaryOp),
    Compare(CompareOp),
    Load(LoadOp),
    Store(StoreOp),
}

impl Tabled {
    const fn of(code: u16) -> Option<Tabled> {
        if let Some(op) = UnaryOp::from_opcode(code) {
            Some(Tabled::Unary(op))
        } else if let Some(op) = BinaryOp::from_opcode(code) {
            Some(Tabled::Binary(op))
        } else if let Some(op) = CompareOp::from_opcode(code) {
            Some(Tabled::Compare(op))
        } else if let Some(op) = LoadOp::from_opcode(code) {
            Some(Tabled::Load(op))
        } else if let Some(op) = StoreOp::from_opcode(code) {
            Some(Tabled::Store(op))
        } else {
            None
        }
    }
}

/// What each opcode of one byte is in the tables.
static TABLED: [Option<Tabled>; 256] = {
    let mut all = [None; 256];
    let mut code = 0;
    while code < all.len() {
        all[code] = Tabled::of(code as u16);
        code += 1;
    }
    all
};

impl Reader<'_> {
    /// The next instruction with its immediates.
    ///
    /// # Errors
    ///
    /// If there is no such instruction, or its immediates end early.
    #[inline(never)]
    pub fn operator(&mut self) -> Result<Operator, Malformed> {
        self.operator_inline()
    }

    /// The same, for the one place that reads most of them: when this is part of a switch
    /// over instructions, the instruction itself is never written down.
    #[inline(always)]
    pub(crate) fn operator_inline(&mut self) -> Result<Operator, Malformed> {
        let byte = self.byte()?;
        Operator::of_row(byte.into(), self, |reader| match TABLED[usize::from(byte)] {
            Some(Tabled::Unary(op)) => Ok(Operator::Unary(op)),
            Some(Tabled::Binary(op)) => Ok(Operator::Binary(op)),
            Some(Tabled::Compare(op)) => Ok(Operator::Compare(op)),
            Some(Tabled::Load(op)) => Ok(Operator::Load(op, Immediate::read(reader)?)),
            Some(Tabled::Store(op)) => Ok(Operator::Store(op, Immediate::read(reader)?)),
            None => reader.prefixed_operator(byte),
        })
    }

    #[inline(never)]
    fn gc_operator(&mut self) -> Result<GcOperator, Malformed> {
        let code = u16::try_from(self.u32()?).map_err(|_| Malformed)?;
        GcOperator::of_row(code, self, |_| Err(Malformed))
    }

    /// An instruction behind a prefix, if it is one.
    #[inline(never)]
    fn prefixed_operator(&mut self, prefix: u8) -> Result<Operator, Malformed> {
        match prefix {
            prefix::GC => return Ok(Operator::Gc(self.gc_operator()?)),
            prefix::VECTOR => return Ok(Operator::Vector(self.vector_operator()?)),
            prefix::MISC | prefix::ATOMIC => {}
            _ => return Err(Malformed),
        }
        let code = u8::try_from(self.u32()?).map_err(|_| Malformed)?;
        let whole = u16::from(prefix) << 8 | u16::from(code);
        if prefix == prefix::MISC
            && let Some(op) = UnaryOp::from_opcode(whole)
        {
            return Ok(Operator::Unary(op));
        }
        if prefix == prefix::ATOMIC
            && let Some(op) = AtomicOp::from_opcode(u16::from(code))
        {
            return Ok(Operator::Atomic(op, Immediate::read(self)?));
        }
        Operator::of_row(whole, self, |_| Err(Malformed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An instruction with zeros behind its opcode, and where it ends.
    fn read(opcode: &[u8]) -> Result<(Operator, usize), Malformed> {
        let bytes: &'static mut [u8] = vec![0; opcode.len() + 40].leak();
        bytes[..opcode.len()].copy_from_slice(opcode);
        let mut reader = Reader::new(bytes);
        let operator = reader.operator()?;
        Ok((operator, reader.position() - opcode.len()))
    }

    #[test]
    fn no_opcode_has_two_meanings() {
        let otherwise = |_: &mut Reader<'_>| Err(Malformed);
        let has_row = |code| Operator::of_row(code, &mut Reader::new(&[0; 40]), otherwise).is_ok();
        for code in 0..=u8::MAX {
            assert!(!has_row(code.into()) || TABLED[usize::from(code)].is_none(), "{code:#x}");
            let misc = 0xFC00 | u16::from(code);
            assert!(!has_row(misc) || UnaryOp::from_opcode(misc).is_none(), "{misc:#x}");
            let atomic = AtomicOp::from_opcode(code.into());
            assert!(!has_row(0xFE00 | u16::from(code)) || atomic.is_none(), "{code:#x}");
        }
    }

    #[test]
    fn immediates_have_their_lengths() {
        // With zeros behind, a number is one byte, a list is empty, a block type an index.
        let expected: &[(&[u8], usize)] = &[
            (&[0x00], 0),
            (&[0x02], 1),
            (&[0x0C], 1),
            (&[0x0E], 2),
            (&[0x11], 2),
            (&[0x1C], 1),
            (&[0x1F], 2),
            (&[0x28], 2),
            (&[0x3E], 2),
            (&[0x41], 1),
            (&[0x43], 4),
            (&[0x44], 8),
            (&[0x6A], 0),
            (&[0xD0], 1),
            (&[0xFB, 8], 2),
            (&[0xFB, 24], 4),
            (&[0xFB, 30], 0),
            (&[0xFC, 7], 0),
            (&[0xFC, 8], 2),
            (&[0xFC, 22], 0),
            (&[0xFE, 0], 2),
            (&[0xFE, 3], 1),
            (&[0xFE, 0x4E], 2),
        ];
        for (opcode, length) in expected {
            let read = read(opcode).map(|(_, length)| length);
            assert_eq!(read, Ok(*length), "{opcode:x?}");
        }
        for unknown in
            [&[0x06][..], &[0xC5], &[0xFB, 31], &[0xFC, 18], &[0xFC, 0x80, 8], &[0xFE, 0x4F]]
        {
            assert!(read(unknown).is_err(), "{unknown:x?}");
        }
    }

    #[test]
    fn lists_are_read_to_their_ends() {
        let table = [0x0E, 2, 5, 6, 7, 0x0B];
        let mut reader = Reader::new(&table);
        let Ok(Operator::BrTable { targets }) = reader.operator() else { panic!("no table") };
        assert_eq!(targets.depths(&reader).collect::<Vec<_>>(), [5, 6, 7]);
        assert!(matches!(reader.operator(), Ok(Operator::End)));
        let catches = [0x1F, 0x40, 2, 1, 9, 3, 2, 4, 0x0B];
        let mut reader = Reader::new(&catches);
        let Ok(Operator::TryTable { ty: BlockType::Empty, catches }) = reader.operator() else {
            panic!("no try")
        };
        let all: Vec<_> = catches.clauses(&reader).collect();
        assert_eq!(all.iter().map(|clause| clause.tag).collect::<Vec<_>>(), [Some(9), None]);
        assert_eq!(all.iter().map(|clause| clause.by_ref).collect::<Vec<_>>(), [true, false]);
        assert_eq!(all.iter().map(|clause| clause.depth).collect::<Vec<_>>(), [3, 4]);
        assert!(matches!(reader.operator(), Ok(Operator::End)));
        assert!(Reader::new(&table[..4]).operator().is_err());
    }
}
