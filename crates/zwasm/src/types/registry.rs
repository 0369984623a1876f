//! Canonical numbers for defined types.
//!
//! Two recursion groups with the same shape define the same types, whichever
//! modules they stand in. Each group is keyed by its definitions, with
//! references inside the group made relative and those outside already
//! canonical, and gets consecutive numbers the first time it is seen. Equality
//! of types is then equality of numbers, across all modules of an engine.
//!
//! Numbers are never given back: an engine's table grows with the number of
//! *distinct* types its modules define, which stays small in practice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard};

use super::{FuncType, HeapType, Mutability, RefType, ValType};

/// The canonical number of a defined type.
pub(crate) type TypeId = u32;

/// Set in a [`HeapType::Concrete`] of a group's key that refers into the group.
const RELATIVE: u32 = 1 << 31;

/// What a field or an array element stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageType {
    /// The low 8 bits of an `i32`.
    I8,
    /// The low 16 bits of an `i32`.
    I16,
    /// A value.
    ValType(ValType),
}

impl StorageType {
    /// The type of the values that are read and written.
    pub fn unpack(self) -> ValType {
        match self {
            StorageType::I8 | StorageType::I16 => ValType::I32,
            StorageType::ValType(ty) => ty,
        }
    }
}

impl From<ValType> for StorageType {
    fn from(ty: ValType) -> StorageType {
        StorageType::ValType(ty)
    }
}

/// A field of a structure, or the element of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldType {
    pub(crate) storage: StorageType,
    pub(crate) mutable: bool,
}

impl FieldType {
    /// A field that stores this.
    pub fn new(mutability: Mutability, storage: impl Into<StorageType>) -> FieldType {
        FieldType { storage: storage.into(), mutable: mutability == Mutability::Var }
    }

    /// What is stored.
    pub fn element_type(&self) -> StorageType {
        self.storage
    }

    /// Whether it can be written.
    pub fn mutability(&self) -> Mutability {
        if self.mutable { Mutability::Var } else { Mutability::Const }
    }
}

/// The structure of a defined type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Composite {
    Func(FuncType),
    Struct(Arc<[FieldType]>),
    Array(FieldType),
}

/// A defined type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SubType {
    pub(crate) is_final: bool,
    pub(crate) supertype: Option<TypeId>,
    pub(crate) composite: Composite,
}

/// All types of an engine.
pub(crate) struct TypeRegistry {
    /// No other registry has it.
    number: u64,
    types: RwLock<Types>,
}

impl Default for TypeRegistry {
    fn default() -> TypeRegistry {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        TypeRegistry { number: NEXT.fetch_add(1, Ordering::Relaxed), types: RwLock::default() }
    }
}

/// The registry, locked for reading or writing.
#[derive(Default)]
pub(crate) struct Types {
    defined: Vec<SubType>,
    groups: BTreeMap<Vec<u8>, TypeId>,
}

impl TypeRegistry {
    /// Locks the registry for reading.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Types> {
        self.types.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Numbers a group; `group`'s references into itself are [`relative`].
    pub(crate) fn intern(&self, group: Vec<SubType>) -> TypeId {
        let key = key_of(&group);
        if let Some(&first) = self.read().groups.get(&key) {
            return first;
        }
        let mut types = self.types.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(&first) = types.groups.get(&key) {
            return first;
        }
        let first = types.defined.len() as TypeId;
        types.groups.insert(key, first);
        types.defined.extend(group.into_iter().map(|ty| absolute(ty, first)));
        first
    }

    /// The number of a function type: the one it was taken from, or else the one that
    /// stands alone.
    pub(crate) fn intern_func(&self, ty: FuncType) -> TypeId {
        if let Some((registry, id)) = ty.origin
            && registry == self.number
        {
            return id;
        }
        self.intern(vec![SubType {
            is_final: true,
            supertype: None,
            composite: Composite::Func(ty),
        }])
    }

    /// The function type with this number.
    pub(crate) fn func_type(&self, id: TypeId) -> FuncType {
        match &self.read().defined[id as usize].composite {
            Composite::Func(ty) => FuncType { origin: Some((self.number, id)), ..ty.clone() },
            _ => FuncType::new([], []),
        }
    }
}

/// The reference to member `index` of the group being interned.
pub(crate) fn relative(index: u32) -> TypeId {
    index | RELATIVE
}

/// Writes a group as bytes: definitions that are equal give equal bytes.
fn key_of(group: &[SubType]) -> Vec<u8> {
    let mut key = Vec::with_capacity(group.len() * 16);
    for ty in group {
        key.push(u8::from(ty.is_final));
        key.extend(ty.supertype.map_or(u32::MAX, |id| id).to_le_bytes());
        match &ty.composite {
            Composite::Func(ty) => {
                key.push(b'f');
                key.extend((ty.params_slice().len() as u32).to_le_bytes());
                key.extend((ty.results_slice().len() as u32).to_le_bytes());
                ty.types.iter().for_each(|&ty| write_value(&mut key, ty));
            }
            Composite::Struct(fields) => {
                key.push(b's');
                key.extend((fields.len() as u32).to_le_bytes());
                fields.iter().for_each(|&field| write_field(&mut key, field));
            }
            Composite::Array(field) => {
                key.push(b'a');
                write_field(&mut key, *field);
            }
        }
    }
    key
}

fn write_field(key: &mut Vec<u8>, field: FieldType) {
    key.push(u8::from(field.mutable));
    match field.storage {
        StorageType::I8 => key.push(20),
        StorageType::I16 => key.push(21),
        StorageType::ValType(ty) => write_value(key, ty),
    }
}

fn write_value(key: &mut Vec<u8>, ty: ValType) {
    match ty {
        ValType::I32 => key.push(0),
        ValType::I64 => key.push(1),
        ValType::F32 => key.push(2),
        ValType::F64 => key.push(3),
        ValType::V128 => key.push(4),
        ValType::Ref(ty) => {
            key.push(if ty.is_nullable() { 5 } else { 6 });
            let tag = match ty.heap_type() {
                HeapType::Func => 0,
                HeapType::NoFunc => 1,
                HeapType::Extern => 2,
                HeapType::NoExtern => 3,
                HeapType::Any => 4,
                HeapType::Eq => 5,
                HeapType::I31 => 6,
                HeapType::Struct => 7,
                HeapType::Array => 8,
                HeapType::None => 9,
                HeapType::Exn => 10,
                HeapType::NoExn => 11,
                HeapType::Concrete(_) => 12,
            };
            key.push(tag);
            if let HeapType::Concrete(id) = ty.heap_type() {
                key.extend(id.to_le_bytes());
            }
        }
    }
}

/// Replaces relative references by canonical ones.
fn absolute(ty: SubType, first: TypeId) -> SubType {
    let id = |id: TypeId| if id & RELATIVE != 0 { first + (id & !RELATIVE) } else { id };
    let value = |ty: ValType| match ty {
        ValType::Ref(reference) => match reference.heap_type() {
            HeapType::Concrete(concrete) => ValType::Ref(RefType::new(
                reference.is_nullable(),
                HeapType::Concrete(id(concrete)),
            )),
            _ => ty,
        },
        _ => ty,
    };
    let field = |field: FieldType| FieldType {
        storage: match field.storage {
            StorageType::ValType(ty) => StorageType::ValType(value(ty)),
            packed => packed,
        },
        ..field
    };
    SubType {
        is_final: ty.is_final,
        supertype: ty.supertype.map(id),
        composite: match ty.composite {
            Composite::Func(ty) => {
                Composite::Func(FuncType::new(ty.params().map(value), ty.results().map(value)))
            }
            Composite::Struct(fields) => {
                Composite::Struct(fields.iter().map(|&each| field(each)).collect())
            }
            Composite::Array(element) => Composite::Array(field(element)),
        },
    }
}

impl Types {
    /// The definition with this number.
    pub(crate) fn get(&self, id: TypeId) -> &SubType {
        &self.defined[id as usize]
    }

    /// Whether a type that is made of this one can be defined.
    pub(crate) fn knows(&self, ty: ValType) -> bool {
        match ty {
            ValType::Ref(ty) => match ty.heap_type() {
                HeapType::Concrete(id) => (id as usize) < self.defined.len(),
                _ => true,
            },
            _ => true,
        }
    }

    /// Whether `sub` is `sup` or declares it as an ancestor.
    pub(crate) fn is_subtype(&self, sub: TypeId, sup: TypeId) -> bool {
        let mut current = Some(sub);
        while let Some(id) = current {
            if id == sup {
                return true;
            }
            current = self.get(id).supertype;
        }
        false
    }

    /// A type and its ancestors, the root last.
    pub(crate) fn supertypes(&self, id: TypeId) -> Vec<TypeId> {
        std::iter::successors(Some(id), |&id| self.get(id).supertype).collect()
    }

    /// Subtyping of heap types.
    ///
    /// Source: WebAssembly 3.0, section "Matching", heap types.
    pub(crate) fn heap_matches(&self, sub: HeapType, sup: HeapType) -> bool {
        use HeapType::*;
        match (sub, sup) {
            _ if sub == sup => true,
            (Concrete(sub), Concrete(sup)) => self.is_subtype(sub, sup),
            (Concrete(id), _) => match self.get(id).composite {
                Composite::Func(_) => sup == Func,
                Composite::Struct(_) => matches!(sup, Struct | Eq | Any),
                Composite::Array(_) => matches!(sup, Array | Eq | Any),
            },
            (None, Concrete(id)) => !matches!(self.get(id).composite, Composite::Func(_)),
            (NoFunc, Concrete(id)) => matches!(self.get(id).composite, Composite::Func(_)),
            (None, Any | Eq | I31 | Struct | Array) => true,
            (I31 | Struct | Array, Eq | Any) | (Eq, Any) => true,
            (NoFunc, Func) | (NoExtern, Extern) | (NoExn, Exn) => true,
            _ => false,
        }
    }

    /// Subtyping of reference types.
    pub(crate) fn ref_matches(&self, sub: RefType, sup: RefType) -> bool {
        (sup.is_nullable() || !sub.is_nullable())
            && self.heap_matches(sub.heap_type(), sup.heap_type())
    }

    /// Subtyping of value types.
    pub(crate) fn val_matches(&self, sub: ValType, sup: ValType) -> bool {
        match (sub, sup) {
            (ValType::Ref(sub), ValType::Ref(sup)) => self.ref_matches(sub, sup),
            _ => sub == sup,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(head: ValType) -> Vec<SubType> {
        let next = ValType::Ref(RefType::new(true, HeapType::Concrete(relative(0))));
        let fields =
            [head, next].map(|ty| FieldType { storage: StorageType::ValType(ty), mutable: false });
        vec![SubType {
            is_final: true,
            supertype: None,
            composite: Composite::Struct(fields.into()),
        }]
    }

    #[test]
    fn equal_groups_share_their_numbers() {
        let registry = TypeRegistry::default();
        let first = registry.intern(list(ValType::I32));
        let other = registry.intern(list(ValType::I64));
        assert_ne!(first, other);
        assert_eq!(registry.intern(list(ValType::I32)), first);
        let types = registry.read();
        let Composite::Struct(fields) = &types.get(other).composite else { panic!() };
        let next = RefType::new(true, HeapType::Concrete(other));
        assert_eq!(fields[1].storage, StorageType::ValType(ValType::Ref(next)));
    }

    #[test]
    fn heap_types_form_the_specified_lattice() {
        let registry = TypeRegistry::default();
        let id = registry.intern(list(ValType::I32));
        let types = registry.read();
        assert!(types.heap_matches(HeapType::Concrete(id), HeapType::Eq));
        assert!(types.heap_matches(HeapType::None, HeapType::Concrete(id)));
        assert!(!types.heap_matches(HeapType::NoFunc, HeapType::Concrete(id)));
        assert!(!types.heap_matches(HeapType::Any, HeapType::Eq));
        assert!(!types.heap_matches(HeapType::Extern, HeapType::Any));
    }
}
