//! The table of atomic memory ops: each declared once.
//!
//! Rows have the form of those in [`crate::ops`], with the opcode behind the prefix
//! `0xFE`. The meaning is what an op does to the cell, the cell's type in memory and the
//! type of the values. All narrow ops zero-extend what they read and wrap what they write,
//! so that these say everything; enum, decoding, display and the interpreter's handlers are
//! derived from them. Waiting, notifying and the fence are not accesses of this
//! shape and are instructions of their own.

use crate::ops::op_enum;
use crate::types::Type;

/// Hands every atomic access to `$callback`.
#[macro_export]
macro_rules! for_each_atomic {
    ($callback:ident) => {
        $callback! {
            I32AtomicLoad { wasm: 0x10, text: "i32.atomic.load" } [load u32 as I32];
            I64AtomicLoad { wasm: 0x11, text: "i64.atomic.load" } [load u64 as I64];
            I32AtomicLoad8U { wasm: 0x12, text: "i32.atomic.load8_u" } [load u8 as I32];
            I32AtomicLoad16U { wasm: 0x13, text: "i32.atomic.load16_u" } [load u16 as I32];
            I64AtomicLoad8U { wasm: 0x14, text: "i64.atomic.load8_u" } [load u8 as I64];
            I64AtomicLoad16U { wasm: 0x15, text: "i64.atomic.load16_u" } [load u16 as I64];
            I64AtomicLoad32U { wasm: 0x16, text: "i64.atomic.load32_u" } [load u32 as I64];
            I32AtomicStore { wasm: 0x17, text: "i32.atomic.store" } [store u32 as I32];
            I64AtomicStore { wasm: 0x18, text: "i64.atomic.store" } [store u64 as I64];
            I32AtomicStore8 { wasm: 0x19, text: "i32.atomic.store8" } [store u8 as I32];
            I32AtomicStore16 { wasm: 0x1A, text: "i32.atomic.store16" } [store u16 as I32];
            I64AtomicStore8 { wasm: 0x1B, text: "i64.atomic.store8" } [store u8 as I64];
            I64AtomicStore16 { wasm: 0x1C, text: "i64.atomic.store16" } [store u16 as I64];
            I64AtomicStore32 { wasm: 0x1D, text: "i64.atomic.store32" } [store u32 as I64];
            I32AtomicRmwAdd { wasm: 0x1E, text: "i32.atomic.rmw.add" } [add u32 as I32];
            I64AtomicRmwAdd { wasm: 0x1F, text: "i64.atomic.rmw.add" } [add u64 as I64];
            I32AtomicRmw8AddU { wasm: 0x20, text: "i32.atomic.rmw8.add_u" } [add u8 as I32];
            I32AtomicRmw16AddU { wasm: 0x21, text: "i32.atomic.rmw16.add_u" } [add u16 as I32];
            I64AtomicRmw8AddU { wasm: 0x22, text: "i64.atomic.rmw8.add_u" } [add u8 as I64];
            I64AtomicRmw16AddU { wasm: 0x23, text: "i64.atomic.rmw16.add_u" } [add u16 as I64];
            I64AtomicRmw32AddU { wasm: 0x24, text: "i64.atomic.rmw32.add_u" } [add u32 as I64];
            I32AtomicRmwSub { wasm: 0x25, text: "i32.atomic.rmw.sub" } [sub u32 as I32];
            I64AtomicRmwSub { wasm: 0x26, text: "i64.atomic.rmw.sub" } [sub u64 as I64];
            I32AtomicRmw8SubU { wasm: 0x27, text: "i32.atomic.rmw8.sub_u" } [sub u8 as I32];
            I32AtomicRmw16SubU { wasm: 0x28, text: "i32.atomic.rmw16.sub_u" } [sub u16 as I32];
            I64AtomicRmw8SubU { wasm: 0x29, text: "i64.atomic.rmw8.sub_u" } [sub u8 as I64];
            I64AtomicRmw16SubU { wasm: 0x2A, text: "i64.atomic.rmw16.sub_u" } [sub u16 as I64];
            I64AtomicRmw32SubU { wasm: 0x2B, text: "i64.atomic.rmw32.sub_u" } [sub u32 as I64];
            I32AtomicRmwAnd { wasm: 0x2C, text: "i32.atomic.rmw.and" } [and u32 as I32];
            I64AtomicRmwAnd { wasm: 0x2D, text: "i64.atomic.rmw.and" } [and u64 as I64];
            I32AtomicRmw8AndU { wasm: 0x2E, text: "i32.atomic.rmw8.and_u" } [and u8 as I32];
            I32AtomicRmw16AndU { wasm: 0x2F, text: "i32.atomic.rmw16.and_u" } [and u16 as I32];
            I64AtomicRmw8AndU { wasm: 0x30, text: "i64.atomic.rmw8.and_u" } [and u8 as I64];
            I64AtomicRmw16AndU { wasm: 0x31, text: "i64.atomic.rmw16.and_u" } [and u16 as I64];
            I64AtomicRmw32AndU { wasm: 0x32, text: "i64.atomic.rmw32.and_u" } [and u32 as I64];
            I32AtomicRmwOr { wasm: 0x33, text: "i32.atomic.rmw.or" } [or u32 as I32];
            I64AtomicRmwOr { wasm: 0x34, text: "i64.atomic.rmw.or" } [or u64 as I64];
            I32AtomicRmw8OrU { wasm: 0x35, text: "i32.atomic.rmw8.or_u" } [or u8 as I32];
            I32AtomicRmw16OrU { wasm: 0x36, text: "i32.atomic.rmw16.or_u" } [or u16 as I32];
            I64AtomicRmw8OrU { wasm: 0x37, text: "i64.atomic.rmw8.or_u" } [or u8 as I64];
            I64AtomicRmw16OrU { wasm: 0x38, text: "i64.atomic.rmw16.or_u" } [or u16 as I64];
            I64AtomicRmw32OrU { wasm: 0x39, text: "i64.atomic.rmw32.or_u" } [or u32 as I64];
            I32AtomicRmwXor { wasm: 0x3A, text: "i32.atomic.rmw.xor" } [xor u32 as I32];
            I64AtomicRmwXor { wasm: 0x3B, text: "i64.atomic.rmw.xor" } [xor u64 as I64];
            I32AtomicRmw8XorU { wasm: 0x3C, text: "i32.atomic.rmw8.xor_u" } [xor u8 as I32];
            I32AtomicRmw16XorU { wasm: 0x3D, text: "i32.atomic.rmw16.xor_u" } [xor u16 as I32];
            I64AtomicRmw8XorU { wasm: 0x3E, text: "i64.atomic.rmw8.xor_u" } [xor u8 as I64];
            I64AtomicRmw16XorU { wasm: 0x3F, text: "i64.atomic.rmw16.xor_u" } [xor u16 as I64];
            I64AtomicRmw32XorU { wasm: 0x40, text: "i64.atomic.rmw32.xor_u" } [xor u32 as I64];
            I32AtomicRmwXchg { wasm: 0x41, text: "i32.atomic.rmw.xchg" } [xchg u32 as I32];
            I64AtomicRmwXchg { wasm: 0x42, text: "i64.atomic.rmw.xchg" } [xchg u64 as I64];
            I32AtomicRmw8XchgU { wasm: 0x43, text: "i32.atomic.rmw8.xchg_u" } [xchg u8 as I32];
            I32AtomicRmw16XchgU { wasm: 0x44, text: "i32.atomic.rmw16.xchg_u" } [xchg u16 as I32];
            I64AtomicRmw8XchgU { wasm: 0x45, text: "i64.atomic.rmw8.xchg_u" } [xchg u8 as I64];
            I64AtomicRmw16XchgU { wasm: 0x46, text: "i64.atomic.rmw16.xchg_u" } [xchg u16 as I64];
            I64AtomicRmw32XchgU { wasm: 0x47, text: "i64.atomic.rmw32.xchg_u" } [xchg u32 as I64];
            I32AtomicRmwCmpxchg { wasm: 0x48, text: "i32.atomic.rmw.cmpxchg" } [cmpxchg u32 as I32];
            I64AtomicRmwCmpxchg { wasm: 0x49, text: "i64.atomic.rmw.cmpxchg" } [cmpxchg u64 as I64];
            I32AtomicRmw8CmpxchgU { wasm: 0x4A, text: "i32.atomic.rmw8.cmpxchg_u" } [cmpxchg u8 as I32];
            I32AtomicRmw16CmpxchgU { wasm: 0x4B, text: "i32.atomic.rmw16.cmpxchg_u" } [cmpxchg u16 as I32];
            I64AtomicRmw8CmpxchgU { wasm: 0x4C, text: "i64.atomic.rmw8.cmpxchg_u" } [cmpxchg u8 as I64];
            I64AtomicRmw16CmpxchgU { wasm: 0x4D, text: "i64.atomic.rmw16.cmpxchg_u" } [cmpxchg u16 as I64];
            I64AtomicRmw32CmpxchgU { wasm: 0x4E, text: "i64.atomic.rmw32.cmpxchg_u" } [cmpxchg u32 as I64];
        }
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
    ($($name:ident $facts:tt [$kind:ident $m:ident as $ty:ident];)*) => {
        op_enum! {
            /// Atomic accesses.
            AtomicOp: $($name $facts [];)*
        }

        impl AtomicOp {
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
        }
    };
}
for_each_atomic!(atomic_enum);

impl AtomicOp {
    /// How many operands follow the address: a store's value, what a read-modify-write
    /// combines, or the expected and the new value.
    pub const fn operands(self) -> usize {
        match self.kind() {
            AtomicKind::Load => 0,
            AtomicKind::Cmpxchg => 2,
            AtomicKind::Store
            | AtomicKind::Add
            | AtomicKind::Sub
            | AtomicKind::And
            | AtomicKind::Or
            | AtomicKind::Xor
            | AtomicKind::Xchg => 1,
        }
    }

    /// Whether the op yields a value; only stores do not.
    pub const fn has_result(self) -> bool {
        !matches!(self.kind(), AtomicKind::Store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opcodes_are_dense_and_texts_say_what_they_name() {
        for (index, &op) in AtomicOp::ALL.iter().enumerate() {
            assert_eq!(AtomicOp::from_opcode(0x10 + index as u16), Some(op));
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
