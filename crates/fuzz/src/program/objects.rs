//! The types of objects that a program has: small ones of every storage, subtypes,
//! and at times one whose size is next to where allocation changes.

use crate::ty::{Heap, Ty};
use wasm_encoder::{ArrayType, CompositeInnerType, CompositeType, FieldType, StorageType};
use wasm_encoder::{StructType, SubType};
use zwasm_regir::object::{GRANULE, HEADER};
use zwasm_wast::mutate::Rng;

/// What a field or an element stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    I8,
    I16,
    Whole(Ty),
}

/// A type of objects.
#[derive(Clone, Debug)]
pub struct Object {
    /// The fields; of an array, that of its elements.
    pub fields: Vec<Storage>,
    pub is_array: bool,
    /// The type that it is a subtype of.
    pub parent: Option<u32>,
    /// Whether there may be no subtypes.
    pub is_final: bool,
}

/// Bytes of our heap's granules, lines, small objects and blocks, at which it
/// allocates differently.
const BORDERS: [usize; 7] = [GRANULE, 256, 8 << 10, 8 << 10, 8 << 10, 8 << 10, 32 << 10];
/// More fields than this are never given values one by one.
pub const MOST_OPERANDS: usize = 2100;

/// So many elements that an object of them has about the size of a border.
pub fn about_border(storage: Storage, rng: &mut Rng) -> usize {
    let border = BORDERS[rng.below(BORDERS.len())];
    ((border - HEADER) / storage.size() + rng.below(8)).saturating_sub(4)
}

impl Storage {
    /// The type of what is read and written.
    pub fn ty(self) -> Ty {
        match self {
            Storage::I8 | Storage::I16 => Ty::I32,
            Storage::Whole(ty) => ty,
        }
    }

    /// Whether reading it says how it is extended.
    pub fn is_packed(self) -> bool {
        matches!(self, Storage::I8 | Storage::I16)
    }

    /// Bytes in our heap.
    fn size(self) -> usize {
        match self {
            Storage::I8 => 1,
            Storage::I16 => 2,
            Storage::Whole(ty) => match ty {
                Ty::I32 | Ty::F32 => 4,
                Ty::I64 | Ty::F64 => 8,
                Ty::V128 => 16,
                Ty::Ref(Heap::Func | Heap::NoFunc | Heap::Exn) => 8,
                Ty::Ref(_) => 4,
            },
        }
    }

    fn draw(numbers: &[Ty], objects: usize, rng: &mut Rng) -> Self {
        match rng.below(8) {
            0 => Storage::I8,
            1 => Storage::I16,
            2 | 3 => {
                let heaps = [
                    Heap::Any,
                    Heap::Eq,
                    Heap::I31,
                    Heap::Struct,
                    Heap::Array,
                    Heap::Func,
                    Heap::Extern,
                ];
                let known = objects > 0 && rng.below(2) == 0;
                Storage::Whole(Ty::Ref(if known {
                    Heap::Type(rng.below(objects) as u32)
                } else {
                    heaps[rng.below(heaps.len())]
                }))
            }
            _ => Storage::Whole(numbers[rng.below(numbers.len())]),
        }
    }

    fn encoded(self) -> FieldType {
        let element_type = match self {
            Storage::I8 => StorageType::I8,
            Storage::I16 => StorageType::I16,
            Storage::Whole(ty) => StorageType::Val(ty.encoded()),
        };
        FieldType { element_type, mutable: true }
    }
}

impl Object {
    /// Types of objects: a structure, an array, and more of them.
    pub fn draw_all(numbers: &[Ty], rng: &mut Rng) -> Vec<Self> {
        let mut objects: Vec<Self> = Vec::new();
        for index in 0..2 + rng.below(4) {
            let is_array = index == 1 || index > 1 && rng.below(3) == 0;
            let parent = (index > 1 && !is_array && rng.below(2) == 0)
                .then(|| {
                    let structs = |at: &u32| !objects[*at as usize].is_array;
                    let all: Vec<u32> = (0..index as u32).filter(structs).collect();
                    rng.pick(&all).copied()
                })
                .flatten();
            let mut fields = match parent {
                Some(parent) => objects[parent as usize].fields.clone(),
                None => Vec::new(),
            };
            let words = rng.below(4) == 0;
            let many = match rng.below(12) {
                _ if is_array => 1,
                0 => 28 + rng.below(8),
                1 | 2 => rng.below(12),
                _ => rng.below(5),
            };
            for _ in 0..many {
                let storage = Storage::draw(numbers, objects.len(), rng);
                fields.push(if words { Storage::Whole(Ty::I32) } else { storage });
            }
            objects.push(Self { fields, is_array, parent, is_final: false });
        }
        // One is much work for everybody.
        if rng.below(4) == 0 {
            let storages = [
                Storage::Whole(Ty::I64),
                Storage::Whole(Ty::I64),
                Storage::Whole(Ty::I32),
                Storage::I8,
                Storage::Whole(Ty::Ref(Heap::Any)),
                Storage::Whole(Ty::Ref(Heap::Func)),
                Storage::Whole(numbers[rng.below(numbers.len())]),
            ];
            let storage = storages[rng.below(storages.len())];
            let fields = vec![storage; about_border(storage, rng).min(9000)];
            objects.push(Self { fields, is_array: false, parent: None, is_final: false });
        }
        let parents: Vec<u32> = objects.iter().filter_map(|object| object.parent).collect();
        for (index, object) in objects.iter_mut().enumerate() {
            object.is_final = !parents.contains(&(index as u32)) && rng.below(2) == 0;
        }
        objects
    }

    /// The type as modules have it.
    pub fn encoded(&self) -> SubType {
        let inner = if self.is_array {
            CompositeInnerType::Array(ArrayType(self.fields[0].encoded()))
        } else {
            let fields = self.fields.iter().map(|field| field.encoded()).collect();
            CompositeInnerType::Struct(StructType { fields })
        };
        let composite_type =
            CompositeType { inner, shared: false, describes: None, descriptor: None };
        let supertype_idxs = self.parent.into_iter().collect();
        SubType { is_final: self.is_final, supertype_idxs, composite_type }
    }
}
