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
use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard};

use super::{FuncType, HeapType, Mutability, RefType, ValType};
use crate::error::{Error, Result};

/// The canonical number of a defined type.
pub(crate) type TypeId = u32;

/// Set in the number of a type in a group's key that refers into the group.
const RELATIVE: u32 = 1 << 31;

/// A type that a module or the host has defined in an engine, which is where it comes
/// from: of a module's imports and exports, of things in a store, of a
/// [`StructType`](crate::StructType) or an [`ArrayType`](crate::ArrayType). What is given
/// one of another engine says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DefinedType {
    /// The number of the registry.
    registry: u32,
    /// The canonical number of the type there.
    id: TypeId,
}

impl Display for DefinedType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "type#{}", self.id)
    }
}

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
    types: RwLock<Types>,
    number: u32,
}

/// The registry, locked for reading or writing.
pub(crate) struct Types {
    /// No other registry has it.
    number: u32,
    defined: Vec<SubType>,
    groups: BTreeMap<Vec<u8>, TypeId>,
}

impl TypeRegistry {
    /// An empty registry; none if there is no number left for one.
    pub(crate) fn new() -> Option<TypeRegistry> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = |number: u32| number.checked_add(1);
        let number = NEXT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        let types = Types { number, defined: Vec::new(), groups: BTreeMap::new() };
        Some(TypeRegistry { types: RwLock::new(types), number })
    }

    /// The defined type with this number, as references have it.
    pub(crate) fn heap_type(&self, id: TypeId) -> HeapType {
        HeapType::Concrete(DefinedType { registry: self.number, id })
    }

    /// Makes sure that something may be made of these types.
    ///
    /// # Errors
    ///
    /// If one is of another engine.
    pub(crate) fn check(&self, all: impl IntoIterator<Item = ValType>) -> Result<()> {
        all.into_iter().try_for_each(|ty| self.check_one(ty))
    }

    fn check_one(&self, ty: ValType) -> Result<()> {
        match ty {
            ValType::Ref(ty) => match ty.heap_type() {
                HeapType::Concrete(defined) if self.read().definition(defined).is_none() => {
                    Err(Error::msg(format_args!("{defined} is a type of another engine")))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

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
        if let Some(DefinedType { registry, id }) = ty.origin
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
            Composite::Func(ty) => {
                FuncType { origin: Some(DefinedType { registry: self.number, id }), ..ty.clone() }
            }
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
            if let HeapType::Concrete(ty) = ty.heap_type() {
                key.extend(ty.id.to_le_bytes());
            }
        }
    }
}

/// Replaces relative references by canonical ones.
fn absolute(ty: SubType, first: TypeId) -> SubType {
    let id = |id: TypeId| if id & RELATIVE != 0 { first + (id & !RELATIVE) } else { id };
    let value = |ty: ValType| match ty {
        ValType::Ref(reference) => match reference.heap_type() {
            HeapType::Concrete(ty) => ValType::Ref(RefType::new(
                reference.is_nullable(),
                HeapType::Concrete(DefinedType { id: id(ty.id), ..ty }),
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

    /// The number of a type, if it is of this engine.
    pub(crate) fn id(&self, ty: DefinedType) -> Option<TypeId> {
        (ty.registry == self.number).then_some(ty.id)
    }

    /// What a type is defined as, if it is of this engine.
    pub(crate) fn definition(&self, ty: DefinedType) -> Option<&Composite> {
        Some(&self.defined.get(self.id(ty)? as usize)?.composite)
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

    /// Subtyping of heap types. A type of another engine matches only itself.
    ///
    /// Source: WebAssembly 3.0, section "Matching", heap types.
    pub(crate) fn heap_matches(&self, sub: HeapType, sup: HeapType) -> bool {
        use HeapType::*;
        match (sub, sup) {
            _ if sub == sup => true,
            (Concrete(sub), Concrete(sup)) => match (self.id(sub), self.id(sup)) {
                (Some(sub), Some(sup)) => self.is_subtype(sub, sup),
                _ => false,
            },
            (Concrete(sub), _) => match self.definition(sub) {
                Some(Composite::Func(_)) => sup == Func,
                Some(Composite::Struct(_)) => matches!(sup, Struct | Eq | Any),
                Some(Composite::Array(_)) => matches!(sup, Array | Eq | Any),
                Option::None => false,
            },
            (None, Concrete(sup)) => {
                matches!(self.definition(sup), Some(Composite::Struct(_) | Composite::Array(_)))
            }
            (NoFunc, Concrete(sup)) => matches!(self.definition(sup), Some(Composite::Func(_))),
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

    fn list(registry: &TypeRegistry, head: ValType) -> Vec<SubType> {
        let next = ValType::Ref(RefType::new(true, registry.heap_type(relative(0))));
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
        let registry = TypeRegistry::new().expect("a registry");
        let first = registry.intern(list(&registry, ValType::I32));
        let other = registry.intern(list(&registry, ValType::I64));
        assert_ne!(first, other);
        assert_eq!(registry.intern(list(&registry, ValType::I32)), first);
        let types = registry.read();
        let Composite::Struct(fields) = &types.get(other).composite else { panic!() };
        let next = RefType::new(true, registry.heap_type(other));
        assert_eq!(fields[1].storage, StorageType::ValType(ValType::Ref(next)));
    }

    #[test]
    fn heap_types_form_the_specified_lattice() {
        let registry = TypeRegistry::new().expect("a registry");
        let ty = registry.heap_type(registry.intern(list(&registry, ValType::I32)));
        let types = registry.read();
        assert!(types.heap_matches(ty, HeapType::Eq));
        assert!(types.heap_matches(HeapType::None, ty));
        assert!(!types.heap_matches(HeapType::NoFunc, ty));
        assert!(!types.heap_matches(HeapType::Any, HeapType::Eq));
        assert!(!types.heap_matches(HeapType::Extern, HeapType::Any));
    }

    #[test]
    fn types_of_other_registries_match_only_themselves() {
        let registries = [(); 2].map(|()| TypeRegistry::new().expect("a registry"));
        let [ours, theirs] = registries
            .each_ref()
            .map(|registry| registry.heap_type(registry.intern(list(registry, ValType::I32))));
        let types = registries[0].read();
        for other in [HeapType::Any, HeapType::Func, HeapType::None, HeapType::NoFunc, ours] {
            assert!(!types.heap_matches(theirs, other), "{other}");
            assert!(!types.heap_matches(other, theirs), "{other}");
        }
        assert!(types.heap_matches(theirs, theirs));
        let value = |heap| ValType::Ref(RefType::new(true, heap));
        assert!(registries[0].check([ValType::I32, value(ours)]).is_ok());
        assert!(registries[0].check([ValType::I32, value(theirs)]).is_err());
    }
}
