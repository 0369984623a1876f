//! The types of values that programs compute with.

use wasm_encoder::{AbstractHeapType, Encode, HeapType, RefType, ValType};

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ty {
    I32,
    I64,
    F32,
    F64,
    V128,
    /// A reference that may be null.
    Ref(Heap),
}

/// What a reference refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heap {
    Func,
    NoFunc,
    Extern,
    NoExtern,
    Exn,
    Any,
    Eq,
    I31,
    Struct,
    Array,
    None,
    /// A type of the module.
    Type(u32),
}

impl Ty {
    /// The type as modules have it.
    pub fn encoded(self) -> ValType {
        match self {
            Ty::I32 => ValType::I32,
            Ty::I64 => ValType::I64,
            Ty::F32 => ValType::F32,
            Ty::F64 => ValType::F64,
            Ty::V128 => ValType::V128,
            Ty::Ref(heap) => ValType::Ref(RefType { nullable: true, heap_type: heap.encoded() }),
        }
    }

    /// Appends the type.
    pub fn push(self, bytes: &mut Vec<u8>) {
        self.encoded().encode(bytes);
    }
}

impl Heap {
    /// The type as modules have it.
    pub fn encoded(self) -> HeapType {
        let ty = match self {
            Heap::Func => AbstractHeapType::Func,
            Heap::NoFunc => AbstractHeapType::NoFunc,
            Heap::Extern => AbstractHeapType::Extern,
            Heap::NoExtern => AbstractHeapType::NoExtern,
            Heap::Exn => AbstractHeapType::Exn,
            Heap::Any => AbstractHeapType::Any,
            Heap::Eq => AbstractHeapType::Eq,
            Heap::I31 => AbstractHeapType::I31,
            Heap::Struct => AbstractHeapType::Struct,
            Heap::Array => AbstractHeapType::Array,
            Heap::None => AbstractHeapType::None,
            Heap::Type(index) => return HeapType::Concrete(index),
        };
        HeapType::Abstract { shared: false, ty }
    }

    /// Appends the type, as instructions name it.
    pub fn push(self, bytes: &mut Vec<u8>) {
        self.encoded().encode(bytes);
    }
}
