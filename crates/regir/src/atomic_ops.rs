//! The table of atomic memory ops: each declared once.
//!
//! A row gives the op's name, its opcode behind the prefix `0xFE`, its text, what
//! it does to the cell, the cell's type in memory and the type of the values. All
//! narrow ops zero-extend what they read and wrap what they write, so that these
//! say everything; enum, decoding, display and the interpreter's handlers are
//! derived from them. Waiting, notifying and the fence are not accesses of this
//! shape and are instructions of their own.

use crate::types::Type;

/// Hands every atomic access to `$callback`.
#[macro_export]
macro_rules! for_each_atomic {
    ($callback:ident) => {
        $callback! {
            I32AtomicLoad 0x10 "i32.atomic.load" load u32 I32;
            I64AtomicLoad 0x11 "i64.atomic.load" load u64 I64;
            I32AtomicLoad8U 0x12 "i32.atomic.load8_u" load u8 I32;
            I32AtomicLoad16U 0x13 "i32.atomic.load16_u" load u16 I32;
            I64AtomicLoad8U 0x14 "i64.atomic.load8_u" load u8 I64;
            I64AtomicLoad16U 0x15 "i64.atomic.load16_u" load u16 I64;
            I64AtomicLoad32U 0x16 "i64.atomic.load32_u" load u32 I64;
            I32AtomicStore 0x17 "i32.atomic.store" store u32 I32;
            I64AtomicStore 0x18 "i64.atomic.store" store u64 I64;
            I32AtomicStore8 0x19 "i32.atomic.store8" store u8 I32;
            I32AtomicStore16 0x1A "i32.atomic.store16" store u16 I32;
            I64AtomicStore8 0x1B "i64.atomic.store8" store u8 I64;
            I64AtomicStore16 0x1C "i64.atomic.store16" store u16 I64;
            I64AtomicStore32 0x1D "i64.atomic.store32" store u32 I64;
            I32AtomicRmwAdd 0x1E "i32.atomic.rmw.add" add u32 I32;
            I64AtomicRmwAdd 0x1F "i64.atomic.rmw.add" add u64 I64;
            I32AtomicRmw8AddU 0x20 "i32.atomic.rmw8.add_u" add u8 I32;
            I32AtomicRmw16AddU 0x21 "i32.atomic.rmw16.add_u" add u16 I32;
            I64AtomicRmw8AddU 0x22 "i64.atomic.rmw8.add_u" add u8 I64;
            I64AtomicRmw16AddU 0x23 "i64.atomic.rmw16.add_u" add u16 I64;
            I64AtomicRmw32AddU 0x24 "i64.atomic.rmw32.add_u" add u32 I64;
            I32AtomicRmwSub 0x25 "i32.atomic.rmw.sub" sub u32 I32;
            I64AtomicRmwSub 0x26 "i64.atomic.rmw.sub" sub u64 I64;
            I32AtomicRmw8SubU 0x27 "i32.atomic.rmw8.sub_u" sub u8 I32;
            I32AtomicRmw16SubU 0x28 "i32.atomic.rmw16.sub_u" sub u16 I32;
            I64AtomicRmw8SubU 0x29 "i64.atomic.rmw8.sub_u" sub u8 I64;
            I64AtomicRmw16SubU 0x2A "i64.atomic.rmw16.sub_u" sub u16 I64;
            I64AtomicRmw32SubU 0x2B "i64.atomic.rmw32.sub_u" sub u32 I64;
            I32AtomicRmwAnd 0x2C "i32.atomic.rmw.and" and u32 I32;
            I64AtomicRmwAnd 0x2D "i64.atomic.rmw.and" and u64 I64;
            I32AtomicRmw8AndU 0x2E "i32.atomic.rmw8.and_u" and u8 I32;
            I32AtomicRmw16AndU 0x2F "i32.atomic.rmw16.and_u" and u16 I32;
            I64AtomicRmw8AndU 0x30 "i64.atomic.rmw8.and_u" and u8 I64;
            I64AtomicRmw16AndU 0x31 "i64.atomic.rmw16.and_u" and u16 I64;
            I64AtomicRmw32AndU 0x32 "i64.atomic.rmw32.and_u" and u32 I64;
            I32AtomicRmwOr 0x33 "i32.atomic.rmw.or" or u32 I32;
            I64AtomicRmwOr 0x34 "i64.atomic.rmw.or" or u64 I64;
            I32AtomicRmw8OrU 0x35 "i32.atomic.rmw8.or_u" or u8 I32;
            I32AtomicRmw16OrU 0x36 "i32.atomic.rmw16.or_u" or u16 I32;
            I64AtomicRmw8OrU 0x37 "i64.atomic.rmw8.or_u" or u8 I64;
            I64AtomicRmw16OrU 0x38 "i64.atomic.rmw16.or_u" or u16 I64;
            I64AtomicRmw32OrU 0x39 "i64.atomic.rmw32.or_u" or u32 I64;
            I32AtomicRmwXor 0x3A "i32.atomic.rmw.xor" xor u32 I32;
            I64AtomicRmwXor 0x3B "i64.atomic.rmw.xor" xor u64 I64;
            I32AtomicRmw8XorU 0x3C "i32.atomic.rmw8.xor_u" xor u8 I32;
            I32AtomicRmw16XorU 0x3D "i32.atomic.rmw16.xor_u" xor u16 I32;
            I64AtomicRmw8XorU 0x3E "i64.atomic.rmw8.xor_u" xor u8 I64;
            I64AtomicRmw16XorU 0x3F "i64.atomic.rmw16.xor_u" xor u16 I64;
            I64AtomicRmw32XorU 0x40 "i64.atomic.rmw32.xor_u" xor u32 I64;
            I32AtomicRmwXchg 0x41 "i32.atomic.rmw.xchg" xchg u32 I32;
            I64AtomicRmwXchg 0x42 "i64.atomic.rmw.xchg" xchg u64 I64;
            I32AtomicRmw8XchgU 0x43 "i32.atomic.rmw8.xchg_u" xchg u8 I32;
            I32AtomicRmw16XchgU 0x44 "i32.atomic.rmw16.xchg_u" xchg u16 I32;
            I64AtomicRmw8XchgU 0x45 "i64.atomic.rmw8.xchg_u" xchg u8 I64;
            I64AtomicRmw16XchgU 0x46 "i64.atomic.rmw16.xchg_u" xchg u16 I64;
            I64AtomicRmw32XchgU 0x47 "i64.atomic.rmw32.xchg_u" xchg u32 I64;
            I32AtomicRmwCmpxchg 0x48 "i32.atomic.rmw.cmpxchg" cmpxchg u32 I32;
            I64AtomicRmwCmpxchg 0x49 "i64.atomic.rmw.cmpxchg" cmpxchg u64 I64;
            I32AtomicRmw8CmpxchgU 0x4A "i32.atomic.rmw8.cmpxchg_u" cmpxchg u8 I32;
            I32AtomicRmw16CmpxchgU 0x4B "i32.atomic.rmw16.cmpxchg_u" cmpxchg u16 I32;
            I64AtomicRmw8CmpxchgU 0x4C "i64.atomic.rmw8.cmpxchg_u" cmpxchg u8 I64;
            I64AtomicRmw16CmpxchgU 0x4D "i64.atomic.rmw16.cmpxchg_u" cmpxchg u16 I64;
            I64AtomicRmw32CmpxchgU 0x4E "i64.atomic.rmw32.cmpxchg_u" cmpxchg u32 I64;
        }
    };
}

/// Operands an access takes besides the address.
macro_rules! operands {
    (load) => {
        0
    };
    (cmpxchg) => {
        2
    };
    ($other:ident) => {
        1
    };
}

macro_rules! kind {
    (load) => {
        AtomicKind::Load
    };
    (store) => {
        AtomicKind::Store
    };
    (add) => {
        AtomicKind::Add
    };
    (sub) => {
        AtomicKind::Sub
    };
    (and) => {
        AtomicKind::And
    };
    (or) => {
        AtomicKind::Or
    };
    (xor) => {
        AtomicKind::Xor
    };
    (xchg) => {
        AtomicKind::Xchg
    };
    (cmpxchg) => {
        AtomicKind::Cmpxchg
    };
}

/// What an access does to its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtomicKind {
    /// Reads it.
    Load,
    /// Writes it.
    Store,
    /// Adds to it.
    Add,
    /// Subtracts from it.
    Sub,
    /// Clears bits that the operand does not have.
    And,
    /// Sets the operand's bits.
    Or,
    /// Flips the operand's bits.
    Xor,
    /// Replaces it.
    Xchg,
    /// Replaces it if it is what is expected.
    Cmpxchg,
}

macro_rules! atomic_enum {
    ($($name:ident $opcode:literal $text:literal $kind:ident $m:ident $ty:ident;)*) => {
        /// Atomic accesses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum AtomicOp {
            $(#[doc = concat!("`", $text, "`")] $name,)*
        }

        impl AtomicOp {
            /// Every op, in table order.
            pub const ALL: &'static [AtomicOp] = &[$(AtomicOp::$name,)*];

            /// The op's name in the text format.
            pub const fn text(self) -> &'static str {
                match self { $(AtomicOp::$name => $text,)* }
            }

            /// The op with this opcode behind the prefix `0xFE`.
            pub const fn from_opcode(opcode: u32) -> Option<AtomicOp> {
                match opcode { $($opcode => Some(AtomicOp::$name),)* _ => None }
            }

            /// The type of the operands and of the result.
            pub const fn value(self) -> Type {
                match self { $(AtomicOp::$name => Type::$ty,)* }
            }

            /// What the op does.
            pub const fn kind(self) -> AtomicKind {
                match self { $(AtomicOp::$name => kind!($kind),)* }
            }

            /// Bytes of the cell.
            pub const fn size(self) -> u64 {
                match self { $(AtomicOp::$name => size_of::<$m>() as u64,)* }
            }

            /// How many operands follow the address: a store's value, what a
            /// read-modify-write combines, or the expected and the new value.
            pub const fn operands(self) -> usize {
                match self { $(AtomicOp::$name => operands!($kind),)* }
            }

            /// Whether the op yields a value; only stores do not.
            pub const fn has_result(self) -> bool {
                !matches!(self.kind(), AtomicKind::Store)
            }
        }
    };
}
for_each_atomic!(atomic_enum);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opcodes_are_dense_and_texts_say_what_they_name() {
        for (index, &op) in AtomicOp::ALL.iter().enumerate() {
            assert_eq!(AtomicOp::from_opcode(0x10 + index as u32), Some(op));
            let text = op.text();
            let ty = if text.starts_with("i32") { Type::I32 } else { Type::I64 };
            assert_eq!(op.value(), ty, "{text}");
            assert_eq!(op.has_result(), !text.contains("store"), "{text}");
            assert_eq!(op.operands() == 2, text.contains("cmpxchg"), "{text}");
            assert_eq!(op.operands() == 0, text.contains("load"), "{text}");
        }
        assert_eq!(AtomicOp::ALL.len(), 0x4F - 0x10);
        assert_eq!(AtomicOp::from_opcode(0x4F), None);
    }
}
