//! How objects lie in the heap, by type.
//!
//! An object is an 8-byte header and its contents. The header's first word is
//! the canonical number of the type with the kind in its low bits; the second is
//! the length of an array, or the index of a host value. Fields follow in their
//! declared order, each at its natural alignment (vectors at 8), so that a
//! subtype's fields begin like its supertype's. References into the heap and those
//! to functions take four bytes, exception references eight.

use crate::engine::Engine;
use crate::types::{
    Composite, FieldType, HeapType, StorageType, TableType, TypeId, Types, ValType,
};
use zwasm_regir::Storage;

/// Bytes of an object's header.
pub(crate) const HEADER: usize = 8;

/// Types whose casts look at displays have fewer supertypes; all those of valid modules do.
pub(crate) const DISPLAY: usize = 64;

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
            ValType::Ref(ty) => reference(types, ty.heap_type()),
        },
    }
}

/// Whether the elements of a table are functions.
pub(crate) fn holds_functions(engine: &Engine, table: TableType) -> bool {
    reference(&engine.types().read(), table.element().heap_type()) == Storage::FuncRef
}

/// How a reference is stored.
fn reference(types: &Types, heap: HeapType) -> Storage {
    match heap {
        HeapType::Func | HeapType::NoFunc => Storage::FuncRef,
        HeapType::Exn | HeapType::NoExn => Storage::WideRef,
        HeapType::Concrete(ty) => match types.definition(ty) {
            Some(Composite::Func(_)) => Storage::FuncRef,
            // Of another engine nothing is ever stored.
            Some(Composite::Struct(_) | Composite::Array(_)) | None => Storage::HeapRef,
        },
        HeapType::Any
        | HeapType::None
        | HeapType::Eq
        | HeapType::I31
        | HeapType::Struct
        | HeapType::Array
        | HeapType::Extern
        | HeapType::NoExtern => Storage::HeapRef,
    }
}

/// The offset of an array's element in the heap, less that of the first in the array.
///
/// The sum is cut to 32 bits. That changes no element of an array; but the length that
/// the index was compared with is the guest's to write, should it ever forge a
/// reference, and then this still leads to its own objects.
#[inline(always)]
pub(crate) fn element_offset(reference: u32, index: u32, size: usize) -> u32 {
    reference.wrapping_add(index.wrapping_mul(size as u32))
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
#[derive(Default)]
pub(crate) struct Layouts {
    layouts: Vec<Layout>,
    pub(crate) displays: Displays,
}

/// The display of each type: its ancestors from the root on, itself last.
///
/// One run of words holds, by canonical number, where each type's display starts,
/// and then the displays. Displays are as long as their types are deep, and a cast
/// does not ask how long: whatever stands at index `n` of a display has `n`
/// supertypes. So a word read behind the end of a display, at the depth of the type
/// that is looked for, is at another index of another display, and is another type.
pub(crate) struct Displays {
    /// The starts of `types` displays, a word for types without one, the displays,
    /// and [`DISPLAY`] words that may be read behind the last one.
    words: Vec<u32>,
    types: usize,
    /// The first of `words`, where compiled code looks.
    pub(crate) base: *const u32,
    /// One less than `types`, a power of two: the number in any header, forged or not,
    /// leads to one of the starts through it.
    pub(crate) mask: u32,
}

/// What stands for no type.
const NO_TYPE: u32 = u32::MAX;

impl Default for Displays {
    fn default() -> Displays {
        let mut words = vec![NO_TYPE; 1 + DISPLAY];
        words[0] = 1;
        Displays { base: words.as_ptr(), words, types: 1, mask: 0 }
    }
}

impl Displays {
    /// Makes room for the starts of types with smaller numbers than `types`.
    fn reserve(&mut self, types: usize) {
        if types <= self.types {
            return;
        }
        let room = types.next_power_of_two();
        let moved = (room - self.types) as u32;
        let (starts, displays) = self.words.split_at(self.types);
        let mut words = Vec::with_capacity(room + displays.len());
        words.extend(starts.iter().map(|start| start + moved));
        words.resize(room, room as u32);
        words.extend_from_slice(displays);
        (self.words, self.types, self.mask) = (words, room, room as u32 - 1);
    }

    /// Adds the displays of types, each given with its ancestors, the root last.
    fn add(&mut self, paths: impl Iterator<Item = (usize, Vec<TypeId>)>) {
        self.words.truncate(self.words.len() - DISPLAY);
        for (index, path) in paths {
            self.words[index] = self.words.len() as u32;
            self.words.extend(path.iter().rev());
        }
        self.words.extend([NO_TYPE; DISPLAY]);
        self.base = self.words.as_ptr();
    }

    /// Whether objects with this header word are of the type, which has `depth`
    /// supertypes, fewer than [`DISPLAY`].
    ///
    #[inline(always)]
    pub(crate) fn has(&self, word: u32, depth: usize, id: TypeId) -> bool {
        // SAFETY: the mask leaves the index of a start, and as many words as are read
        // at most are behind each of them.
        unsafe {
            let start = *self.base.add((word >> 2 & self.mask) as usize) as usize;
            *self.base.add(start + depth) == id
        }
    }
}

impl Layouts {
    /// Adds types; those known already cost nothing.
    pub(crate) fn add(&mut self, types: &Types, ids: &[TypeId]) {
        let Some(&last) = ids.iter().max() else { return };
        if last as usize >= self.layouts.len() {
            self.layouts.resize_with(last as usize + 1, || Layout::None);
            self.displays.reserve(last as usize + 1);
        }
        let mut added = Vec::new();
        for &id in ids {
            let index = id as usize;
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
            added.push(id);
        }
        self.displays.add(added.into_iter().map(|id| (id as usize, types.supertypes(id))));
    }

    /// The layout of the type in a header word.
    #[inline]
    pub(crate) fn of(&self, word: u32) -> &Layout {
        self.layouts.get((word >> 2) as usize).unwrap_or(&Layout::None)
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
