//! How the objects of each type lie in the heap, for the collector, and what each type
//! is a subtype of, for casts. What all objects have in common is in
//! [`zwasm_regir::object`].

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::Mapping;
use crate::types::{
    Composite, FieldType, HeapType, StorageType, TableType, TypeId, Types, ValType,
};
use std::io;
use std::mem::take;
use zwasm_regir::object::{self, DISPLAY, KIND_BITS, Storage, struct_layout};
use zwasm_regir::work;

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

/// Writes a value, given as slots hold it, to its place in an object.
///
/// # Safety
///
/// The place has room for the storage.
pub(crate) unsafe fn write(storage: Storage, to: *mut u8, bits: u128) {
    let bytes = bits.to_le_bytes();
    // SAFETY: by the contract.
    unsafe { to.copy_from(bytes.as_ptr(), storage.size()) }
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
    /// For each type with a display.
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
///
/// What has no display has the one at the very start. Zeros stand there, which are no
/// type: the numbers of types start behind it. The words are fresh pages, and what
/// nobody writes costs nothing; so a store pays for its own types, however many the
/// engine has.
pub(crate) struct Displays {
    /// The starts of `types` displays, the displays, each behind a word that says how
    /// long it is and which layout its type has, and at least [`DISPLAY`] zeros.
    words: Mapping,
    types: usize,
    /// Words up to the end of the last display.
    used: usize,
    /// The types with a display.
    added: Vec<TypeId>,
    /// More than the number of any type that a cast may meet.
    end: usize,
    /// The first of `words`, where compiled code looks.
    pub(crate) base: *mut u32,
    /// One less than `types`, a power of two: the number in any header, forged or not,
    /// leads to one of the starts through it.
    pub(crate) mask: u32,
}

/// Set in the word before a display, so that it is no type's number.
const BEFORE: u32 = 1 << 31;

/// Where that word has the number of supertypes; below it is the index of the layout.
const DEPTH: u32 = 25;

impl Default for Displays {
    fn default() -> Displays {
        // The start of nothing's display, and that display.
        static NOTHING: [u32; 1 + DISPLAY] = [0; 1 + DISPLAY];
        let words = Mapping::empty();
        let base = NOTHING.as_ptr().cast_mut();
        Displays { words, types: 0, used: 0, added: Vec::new(), end: 0, base, mask: 0 }
    }
}

impl Displays {
    /// Makes room for the starts of all types, and for `more` words of displays.
    fn reserve(&mut self, more: usize) -> io::Result<()> {
        let room = self.words.len() / 4;
        if self.end <= self.types && self.used + more + DISPLAY <= room {
            return Ok(());
        }
        let types = self.end.next_power_of_two().max(self.types);
        let displays = self.used - self.types;
        let room = types + 2 * (displays + more) + DISPLAY;
        let words = Mapping::zeroed((room * 4).next_multiple_of(4096))?;
        let base: *mut u32 = words.base().cast();
        let moved = (types - self.types) as u32;
        work::count(displays + self.added.len());
        // SAFETY: both mappings have the displays behind the starts of so many types,
        // and the added types are among them.
        unsafe {
            if displays > 0 {
                let from = self.base.add(self.types);
                base.add(types).copy_from_nonoverlapping(from, displays);
            }
            for &id in &self.added {
                *base.add(id as usize) = *self.base.add(id as usize) + moved;
            }
        }
        let (used, mask) = (types + displays, types as u32 - 1);
        let added = take(&mut self.added);
        *self = Displays { words, types, used, added, end: self.end, base, mask };
        Ok(())
    }

    /// Lets casts meet a type, perhaps without a display.
    fn meet(&mut self, id: TypeId) -> io::Result<()> {
        self.end = self.end.max(id as usize + 1);
        if self.added.is_empty() { Ok(()) } else { self.reserve(0) }
    }

    /// Adds the display of a type, given with its ancestors, the root last.
    fn add(&mut self, id: TypeId, path: &[TypeId], layout: usize) -> io::Result<()> {
        self.end = self.end.max(id as usize + 1);
        self.reserve(1 + path.len())?;
        work::count(1 + path.len());
        let start = self.used + 1;
        // SAFETY: room for the number and for the words was just made.
        unsafe {
            *self.base.add(self.used) = BEFORE | (path.len() as u32 - 1) << DEPTH | layout as u32;
            for (index, &ancestor) in path.iter().rev().enumerate() {
                *self.base.add(start + index) = ancestor;
            }
            *self.base.add(id as usize) = start as u32;
        }
        self.used = start + path.len();
        self.added.push(id);
        Ok(())
    }

    /// Which layout a type has, if it was added.
    #[inline]
    fn layout(&self, id: TypeId) -> Option<usize> {
        if id as usize >= self.types {
            return None;
        }
        // SAFETY: the start of every number below `types` is there, and what has a
        // display has a word before it.
        unsafe {
            match *self.base.add(id as usize) {
                0 => None,
                start => {
                    let before = *self.base.add(start as usize - 1);
                    Some((before & ((1 << DEPTH) - 1)) as usize)
                }
            }
        }
    }

    /// Whether what has this header word is of a type that has `depth` supertypes. Of a
    /// function, the word is four times the number of its type; one that has no display
    /// has no supertypes, and was compared with the type before.
    #[inline(always)]
    pub(crate) fn has(&self, word: u32, depth: usize, id: TypeId) -> bool {
        // SAFETY: the mask leaves the index of a start, and as many words as are read
        // at most are behind each of them.
        unsafe {
            let start = *self.base.add((object::number(word) & self.mask) as usize) as usize;
            *self.base.add(start + depth) == id
        }
    }

    /// Whether a function's type has another one as a supertype. Both were added.
    #[inline(always)]
    pub(crate) fn is_subtype(&self, sub: TypeId, sup: TypeId) -> bool {
        // SAFETY: as in `has`; what has a display has a word before it.
        let depth = unsafe {
            match *self.base.add((sup & self.mask) as usize) {
                0 => 0,
                start => *self.base.add(start as usize - 1) >> DEPTH & (DISPLAY as u32 - 1),
            }
        };
        self.has(sub << KIND_BITS, depth as usize, sup)
    }
}

impl Layouts {
    /// Whether a type was added that has objects.
    pub(crate) fn knows(&self, id: TypeId) -> bool {
        self.displays.layout(id).is_some()
    }

    /// Whether a function's type without supertypes was added.
    pub(crate) fn has_met(&self, id: TypeId) -> bool {
        (id as usize) < self.displays.end
    }

    /// Adds types; those known already cost nothing.
    ///
    /// # Errors
    ///
    /// If there is no memory.
    pub(crate) fn add(&mut self, types: &Types, ids: &[TypeId]) -> Result<()> {
        for &id in ids {
            work::count(1);
            if self.displays.layout(id).is_some() {
                continue;
            }
            let layout = match &types.get(id).composite {
                // A function's type without supertypes does not need a display.
                Composite::Func(_) if types.depth(id) == 0 => {
                    self.displays.meet(id).map_err(no_memory)?;
                    continue;
                }
                Composite::Func(_) => Layout::None,
                Composite::Struct(fields) => {
                    work::count(fields.len());
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
                        element: element.size() as u32,
                        refs: element == Storage::HeapRef,
                    }
                }
            };
            if self.layouts.len() >> DEPTH != 0 {
                return Err(Error::of_kind(ErrorKind::Limit, "too many types for a store"));
            }
            let added = self.displays.add(id, &types.supertypes(id), self.layouts.len());
            added.map_err(no_memory)?;
            self.layouts.push(layout);
        }
        Ok(())
    }

    /// The layout of the type in a header word.
    #[inline]
    pub(crate) fn of(&self, word: u32) -> &Layout {
        match self.displays.layout(object::number(word)) {
            Some(layout) => &self.layouts[layout],
            None => &Layout::None,
        }
    }
}

fn no_memory(error: io::Error) -> Error {
    Error::of_kind(ErrorKind::OutOfMemory, format!("no memory for types: {error}"))
}
