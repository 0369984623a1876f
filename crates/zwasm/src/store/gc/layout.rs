//! How objects lie in the heap, by type.
//!
//! An object is an 8-byte header and its contents. The header's first word is
//! the canonical number of the type with the kind in its low bits; the second is
//! the length of an array, or the index of a host value. Fields follow in their
//! declared order, each at its natural alignment (vectors at 8), so that a
//! subtype's fields begin like its supertype's. References into the heap take
//! four bytes, function and exception references eight.

use crate::types::{Composite, FieldType, HeapType, StorageType, TypeId, Types, ValType};
use zwasm_regir::Storage;

/// Bytes of an object's header.
pub(crate) const HEADER: usize = 8;

/// Depths of supertypes that a display holds: deeper ones are looked up.
pub(crate) const DISPLAY: usize = 8;

/// What an object is: the low bits of the header's first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Struct = 0,
    Array = 1,
    /// A value of the host.
    Extern = 2,
}

/// The bits of a header's first word that hold the kind.
pub(crate) const KIND: u32 = 3;

/// The first header word of a host value.
pub(crate) const EXTERN_WORD: u32 = Kind::Extern as u32;

/// The first header word of objects of a type.
pub(crate) fn word(id: TypeId, kind: Kind) -> u32 {
    id << 2 | kind as u32
}

/// The bytes that a value takes in an object.
pub(crate) const fn size_of(storage: Storage) -> usize {
    storage.size()
}

/// What a field type stores.
pub(crate) fn storage(types: &Types, field: FieldType) -> Storage {
    match field.storage {
        StorageType::I8 => Storage::I8,
        StorageType::I16 => Storage::I16,
        StorageType::ValType(ty) => match ty {
            ValType::I32 => Storage::I32,
            ValType::I64 => Storage::I64,
            ValType::F32 => Storage::F32,
            ValType::F64 => Storage::F64,
            ValType::V128 => Storage::V128,
            ValType::Ref(ty) if is_wide(types, ty.heap_type()) => Storage::WideRef,
            ValType::Ref(_) => Storage::HeapRef,
        },
    }
}

/// Whether references of a type are not offsets into the heap.
pub(crate) fn is_wide(types: &Types, heap: HeapType) -> bool {
    match heap {
        HeapType::Func | HeapType::NoFunc | HeapType::Exn | HeapType::NoExn => true,
        HeapType::Concrete(id) => matches!(types.get(id).composite, Composite::Func(_)),
        _ => false,
    }
}

/// Writes a value, given as slots hold it, to its place in an object.
///
/// # Safety
///
/// The place has room for the storage.
pub(crate) unsafe fn write(storage: Storage, to: *mut u8, bits: u128) {
    let bytes = bits.to_le_bytes();
    // SAFETY: by the contract.
    unsafe { to.copy_from(bytes.as_ptr(), size_of(storage)) }
}

/// The offset of each field from the object's start, and the object's size.
pub(crate) fn struct_layout(fields: &[Storage]) -> (Vec<u32>, usize) {
    let mut at = HEADER;
    let mut offsets = Vec::with_capacity(fields.len());
    for &field in fields {
        let size = size_of(field);
        at = at.next_multiple_of(size.min(8));
        offsets.push(at as u32);
        at += size;
    }
    (offsets, at)
}

/// What the collector knows of a type.
pub(crate) enum Layout {
    /// Not a type of heap objects.
    None,
    /// Size in bytes and offsets of the references.
    Struct { size: u32, refs: Box<[u32]> },
    /// Bytes of an element, and whether it is a reference.
    Array { element: u32, refs: bool },
}

/// Layouts and displays of the types that a store's instances define, by
/// canonical number.
pub(crate) struct Layouts {
    layouts: Vec<Layout>,
    displays: Vec<[u32; DISPLAY]>,
    /// The first of `displays`, where compiled code looks.
    pub(crate) display_base: *const [u32; DISPLAY],
}

impl Default for Layouts {
    fn default() -> Layouts {
        Layouts { layouts: Vec::new(), displays: Vec::new(), display_base: std::ptr::null() }
    }
}

impl Layouts {
    /// Adds types; those known already cost nothing.
    pub(crate) fn add(&mut self, types: &Types, ids: &[TypeId]) {
        for &id in ids {
            let index = id as usize;
            if index >= self.layouts.len() {
                self.layouts.resize_with(index + 1, || Layout::None);
                self.displays.resize(index + 1, [u32::MAX; DISPLAY]);
            }
            if !matches!(self.layouts[index], Layout::None) {
                continue;
            }
            self.layouts[index] = match &types.get(id).composite {
                Composite::Func(_) => continue,
                Composite::Struct(fields) => {
                    let fields: Vec<Storage> =
                        fields.iter().map(|&field| storage(types, field)).collect();
                    let (offsets, size) = struct_layout(&fields);
                    let refs = offsets.iter().zip(&fields);
                    let refs = refs.filter(|(_, field)| **field == Storage::HeapRef);
                    Layout::Struct {
                        size: size as u32,
                        refs: refs.map(|(&offset, _)| offset).collect(),
                    }
                }
                Composite::Array(element) => {
                    let element = storage(types, *element);
                    Layout::Array {
                        element: size_of(element) as u32,
                        refs: element == Storage::HeapRef,
                    }
                }
            };
            let mut path = types.supertypes(id);
            path.reverse();
            for (entry, ancestor) in self.displays[index].iter_mut().zip(path) {
                *entry = ancestor;
            }
        }
        self.display_base = self.displays.as_ptr();
    }

    /// The layout of the type in a header word.
    #[inline]
    pub(crate) fn of(&self, word: u32) -> &Layout {
        self.layouts.get((word >> 2) as usize).unwrap_or(&Layout::None)
    }

    /// The display of each type: its ancestors from the root on, itself included.
    pub(crate) fn displays(&self) -> *const [u32; DISPLAY] {
        self.display_base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_aligned_and_in_order() {
        let fields = [Storage::I8, Storage::I16, Storage::HeapRef, Storage::I8, Storage::V128];
        assert_eq!(struct_layout(&fields), (vec![8, 10, 12, 16, 24], 40));
        assert_eq!(struct_layout(&[]), (vec![], HEADER));
        assert_eq!(struct_layout(&[Storage::I32, Storage::HeapRef]), (vec![8, 12], 16));
    }
}
