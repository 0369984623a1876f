//! Canonical numbers for defined types.
//!
//! Two recursion groups with the same shape define the same types, whichever
//! modules they stand in. Each group is keyed by its definitions, with
//! references inside the group made relative and those outside already
//! canonical, and gets consecutive numbers the first time it is seen. Equality
//! of types is then equality of numbers, across all modules of an engine.
//!
//! A group is defined as long as somebody holds it: modules hold theirs, stores the
//! types of what they have, types of the API themselves, and groups those they refer
//! to. Code, headers and displays name types by number alone, and are of modules and
//! stores, so they never see a number that was given again. What can is a
//! [`HeapType::Concrete`] that the host kept longer than all of these: so numbers
//! rest before they are given again, and naming one that rests is found out.
//!
//! Letting go of a group takes no lock that anyone holds while doing something else:
//! it is only noted, and the next definition forgets what was noted.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak};

use super::{FuncType, HeapType, Mutability, RefType, ValType};
use crate::error::{Error, Result};
use crate::tuning;
use zwasm_regir::object::DISPLAY;
use zwasm_regir::work;

/// The canonical number of a defined type.
pub(crate) type TypeId = u32;

/// Set in the number of a type in a group's key that refers into the group.
const RELATIVE: u32 = 1 << 31;

/// A type that a module or the host has defined in an engine. What is given one of another
/// engine says so.
///
/// It stays defined as long as somebody holds it. Afterwards it is as if of another engine,
/// and long afterwards perhaps another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DefinedType {
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
pub(crate) enum StorageType {
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

/// A field of a structure, or the element of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FieldType {
    pub(crate) storage: StorageType,
    pub(crate) mutable: bool,
}

impl FieldType {
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

impl SubType {
    /// Names the types that the definition refers to, but for the supertype.
    fn for_each_reference(&self, visit: &mut dyn FnMut(DefinedType)) {
        let mut value = |ty: ValType| {
            if let ValType::Ref(ty) = ty
                && let HeapType::Concrete(ty) = ty.heap_type()
            {
                visit(ty);
            }
        };
        match &self.composite {
            Composite::Func(ty) => ty.types.iter().copied().for_each(value),
            Composite::Struct(fields) => {
                fields.iter().for_each(|field| value(field.storage.unpack()));
            }
            Composite::Array(field) => value(field.storage.unpack()),
        }
    }
}

/// All types of an engine.
pub(crate) struct TypeRegistry(Arc<Shared>);

struct Shared {
    /// No other registry has it.
    number: u32,
    types: RwLock<Types>,
    /// The groups that nobody holds any more, first things first.
    dead: Mutex<Vec<Dead>>,
}

/// What is left of a group that nobody holds any more.
struct Dead {
    key: Arc<[u8]>,
    ids: Box<[TypeId]>,
}

/// A recursion group, defined as long as it is held.
pub(crate) struct Group {
    registry: Arc<Shared>,
    key: Arc<[u8]>,
    ids: Box<[TypeId]>,
    /// The groups that it refers to.
    needs: Vec<Held>,
}

/// Keeps a group's types defined.
pub(crate) type Held = Arc<Group>;

impl Group {
    /// The numbers of its types.
    pub(crate) fn ids(&self) -> &[TypeId] {
        &self.ids
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "types {:?}", self.ids)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut needs = std::mem::take(&mut self.needs);
        let dead = Dead { key: self.key.clone(), ids: std::mem::take(&mut self.ids) };
        self.registry.dead.lock().unwrap_or_else(PoisonError::into_inner).push(dead);
        // Groups may refer to each other in a long chain: no recursion.
        while let Some(held) = needs.pop() {
            if let Some(mut group) = Arc::into_inner(held) {
                needs.append(&mut group.needs);
            }
        }
    }
}

/// The registry, locked for reading or writing.
pub(crate) struct Types {
    /// That of the registry.
    number: u32,
    /// The definitions by number.
    defined: Vec<Option<Box<Defined>>>,
    groups: BTreeMap<Arc<[u8]>, Weak<Group>>,
    /// Numbers that can be given again, those that rest longest first.
    free: VecDeque<TypeId>,
}

struct Defined {
    ty: SubType,
    /// How many supertypes it has.
    depth: usize,
    group: Weak<Group>,
}

impl TypeRegistry {
    /// An empty registry; none if there is no number left for one.
    pub(crate) fn new() -> Option<TypeRegistry> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = |number: u32| number.checked_add(1);
        let number = NEXT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        // Displays have zeros where others have the numbers below.
        let defined = std::iter::repeat_with(|| None).take(DISPLAY).collect();
        let types = Types { number, defined, groups: BTreeMap::new(), free: VecDeque::new() };
        let (types, dead) = (RwLock::new(types), Mutex::default());
        Some(TypeRegistry(Arc::new(Shared { number, types, dead })))
    }

    /// The defined type with this number, as references have it.
    pub(crate) fn heap_type(&self, id: TypeId) -> HeapType {
        HeapType::Concrete(DefinedType { registry: self.0.number, id })
    }

    /// Makes sure that something may be made of these types.
    ///
    /// # Errors
    ///
    /// If one is of another engine, or gone.
    pub(crate) fn check(&self, all: impl IntoIterator<Item = ValType>) -> Result<()> {
        all.into_iter().try_for_each(|ty| self.check_one(ty))
    }

    fn check_one(&self, ty: ValType) -> Result<()> {
        match ty {
            ValType::Ref(ty) => match ty.heap_type() {
                HeapType::Concrete(defined) if !self.read().is_held(defined) => {
                    Err(Error::msg(format!("{defined} is a type of another engine, or gone")))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Locks the registry for reading.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Types> {
        self.0.types.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Defines a group, whose references into itself are [`relative`]; none if it
    /// refers to types that are not defined, or one has [`DISPLAY`] supertypes.
    pub(crate) fn intern(&self, group: Vec<SubType>) -> Option<Held> {
        let key = key_of(&group);
        if let Some(held) = self.read().live(&key) {
            return Some(held);
        }
        let mut types = self.0.types.write().unwrap_or_else(PoisonError::into_inner);
        let dead = std::mem::take(&mut *self.0.dead.lock().unwrap_or_else(PoisonError::into_inner));
        types.bury(dead);
        if let Some(held) = types.live(&key) {
            return Some(held);
        }
        let needs = types.needs(&group)?;
        let depths = types.depths(&group)?;
        let ids = types.numbers(group.len());
        let key: Arc<[u8]> = key.into();
        let held = Arc::new(Group { registry: self.0.clone(), key: key.clone(), ids, needs });
        for ((&id, ty), depth) in held.ids.iter().zip(group).zip(depths) {
            let ty = absolute(ty, &held.ids);
            let defined = Defined { ty, depth, group: Arc::downgrade(&held) };
            types.defined[id as usize] = Some(Box::new(defined));
        }
        types.groups.insert(key, Arc::downgrade(&held));
        Some(held)
    }

    /// The number of a function type: the one it was taken from, or else the one that
    /// stands alone. References to types that are not defined here are taken for
    /// references to nothing.
    pub(crate) fn intern_func(&self, ty: FuncType) -> (Held, TypeId) {
        if let Some((held, id)) = &ty.origin
            && Arc::ptr_eq(&held.registry, &self.0)
        {
            return (held.clone(), *id);
        }
        let defined = |ty: ValType| match ty {
            ValType::Ref(reference) if self.check_one(ty).is_err() => {
                ValType::Ref(RefType::new(reference.is_nullable(), HeapType::None))
            }
            ty => ty,
        };
        let alone = |ty| {
            let composite = Composite::Func(ty);
            self.intern(vec![SubType { is_final: true, supertype: None, composite }])
        };
        let held = alone(FuncType::new(ty.params().map(defined), ty.results().map(defined)));
        // A type can be gone between two looks; no type refers to nothing.
        let held = held.or_else(|| alone(FuncType::new([], []))).expect("it refers to no type");
        let id = held.ids[0];
        (held, id)
    }

    /// A function type that stays defined as long as it is kept.
    pub(crate) fn define_func(&self, ty: FuncType) -> FuncType {
        let (_held, id) = self.intern_func(ty);
        self.func_type(id)
    }

    /// The function type with this number.
    pub(crate) fn func_type(&self, id: TypeId) -> FuncType {
        let types = self.read();
        let ty = types.func_type(id).cloned();
        let Some(ty) = ty else { return FuncType::new([], []) };
        FuncType { origin: types.held(id).map(|held| (held, id)), ..ty }
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
    work::count(key.len());
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

/// Replaces relative references by canonical ones, given those of the group.
fn absolute(ty: SubType, ids: &[TypeId]) -> SubType {
    let id = |id: TypeId| if id & RELATIVE != 0 { ids[(id & !RELATIVE) as usize] } else { id };
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
    /// The group with this key, if somebody holds it.
    fn live(&self, key: &[u8]) -> Option<Held> {
        self.groups.get(key)?.upgrade()
    }

    /// Forgets groups that nobody holds any more.
    fn bury(&mut self, dead: Vec<Dead>) {
        for Dead { key, ids } in dead {
            work::count(key.len() + ids.len());
            // The same types may have been defined anew since, with other numbers.
            if self.groups.get(&key).is_some_and(|group| group.strong_count() == 0) {
                self.groups.remove(&key);
            }
            for id in ids {
                self.defined[id as usize] = None;
                self.free.push_back(id);
            }
        }
    }

    /// The groups that a group refers to; none if one is not defined.
    fn needs(&self, group: &[SubType]) -> Option<Vec<Held>> {
        let (mut ids, mut are_ours) = (Vec::new(), true);
        for ty in group {
            ids.extend(ty.supertype);
            ty.for_each_reference(&mut |ty| {
                are_ours &= ty.registry == self.number;
                ids.push(ty.id);
            });
        }
        if !are_ours {
            return None;
        }
        ids.retain(|id| id & RELATIVE == 0);
        ids.sort_by_cached_key(|id| u64::from(*id));
        ids.dedup();
        let mut needs: Vec<Held> =
            ids.into_iter().map(|id| self.held(id)).collect::<Option<_>>()?;
        needs.dedup_by(|a, b| Arc::ptr_eq(a, b));
        Some(needs)
    }

    /// How many supertypes each type of a group has; none if those are too many. A
    /// supertype stands before what declares it.
    fn depths(&self, group: &[SubType]) -> Option<Vec<usize>> {
        let mut depths: Vec<usize> = Vec::with_capacity(group.len());
        for ty in group {
            let depth = match ty.supertype {
                None => 0,
                Some(id) if id & RELATIVE != 0 => depths.get((id & !RELATIVE) as usize)? + 1,
                Some(id) => self.depth(id) + 1,
            };
            depths.push(Some(depth).filter(|depth| *depth < DISPLAY)?);
        }
        Some(depths)
    }

    /// Numbers for a group's types.
    fn numbers(&mut self, count: usize) -> Box<[TypeId]> {
        let mut number = || {
            if self.free.len() > tuning::RESTING_TYPES
                && let Some(id) = self.free.pop_front()
            {
                return id;
            }
            self.defined.push(None);
            self.defined.len() as TypeId - 1
        };
        (0..count).map(|_| number()).collect()
    }

    fn defined(&self, id: TypeId) -> Option<&Defined> {
        self.defined.get(id as usize)?.as_deref()
    }

    /// The function type with this number, if there is one.
    pub(crate) fn func_type(&self, id: TypeId) -> Option<&FuncType> {
        match &self.defined(id)?.ty.composite {
            Composite::Func(ty) => Some(ty),
            Composite::Struct(_) | Composite::Array(_) => None,
        }
    }

    /// Keeps the type with this number defined, if it is.
    pub(crate) fn held(&self, id: TypeId) -> Option<Held> {
        self.defined(id)?.group.upgrade()
    }

    /// The definition with this number, if there is one.
    pub(crate) fn find(&self, id: TypeId) -> Option<&SubType> {
        Some(&self.defined(id)?.ty)
    }

    /// The definition with this number, which somebody holds.
    pub(crate) fn get(&self, id: TypeId) -> &SubType {
        self.find(id).expect("a type that is held is defined")
    }

    /// The number of a type, if it is of this engine.
    pub(crate) fn id(&self, ty: DefinedType) -> Option<TypeId> {
        (ty.registry == self.number).then_some(ty.id)
    }

    /// What a type is defined as, if it is of this engine.
    pub(crate) fn definition(&self, ty: DefinedType) -> Option<&Composite> {
        Some(&self.find(self.id(ty)?)?.composite)
    }

    /// Whether a type that is made of this one can be defined.
    fn is_held(&self, ty: DefinedType) -> bool {
        self.id(ty).is_some_and(|id| self.held(id).is_some())
    }

    /// Whether `sub` is `sup` or declares it as an ancestor.
    pub(crate) fn is_subtype(&self, sub: TypeId, sup: TypeId) -> bool {
        self.ancestry(sub).any(|id| id == sup)
    }

    /// How many supertypes a type has.
    pub(crate) fn depth(&self, id: TypeId) -> usize {
        self.defined(id).map_or(0, |defined| defined.depth)
    }

    /// The topmost ancestor of a type.
    #[cfg(compiler)]
    pub(crate) fn root(&self, id: TypeId) -> TypeId {
        self.ancestry(id).last().unwrap_or(id)
    }

    /// A type and its ancestors, the root last.
    pub(crate) fn supertypes(&self, id: TypeId) -> Vec<TypeId> {
        self.ancestry(id).collect()
    }

    fn ancestry(&self, id: TypeId) -> impl Iterator<Item = TypeId> {
        std::iter::successors(Some(id), |&id| {
            work::count(1);
            self.find(id)?.supertype
        })
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
            _ => abstract_matches(sub, sup),
        }
    }

    /// Subtyping of definitions, but for declared supertypes.
    ///
    /// Source: WebAssembly 3.0, section "Matching", composite types.
    pub(crate) fn composite_matches(&self, sub: &Composite, sup: &Composite) -> bool {
        let all = |sub: &[ValType], sup: &[ValType]| {
            sub.len() == sup.len() && sub.iter().zip(sup).all(|(a, b)| self.val_matches(*a, *b))
        };
        match (sub, sup) {
            (Composite::Func(sub), Composite::Func(sup)) => {
                all(sup.params_slice(), sub.params_slice())
                    && all(sub.results_slice(), sup.results_slice())
            }
            (Composite::Struct(sub), Composite::Struct(sup)) => {
                sub.len() >= sup.len()
                    && sub.iter().zip(sup.iter()).all(|(a, b)| self.field_matches(*a, *b))
            }
            (Composite::Array(sub), Composite::Array(sup)) => self.field_matches(*sub, *sup),
            (Composite::Func(_) | Composite::Struct(_) | Composite::Array(_), _) => false,
        }
    }

    /// Subtyping of fields: what can be written is of the same type.
    fn field_matches(&self, sub: FieldType, sup: FieldType) -> bool {
        let reads = match (sub.storage, sup.storage) {
            (StorageType::ValType(sub), StorageType::ValType(sup)) => self.val_matches(sub, sup),
            (sub, sup) => sub == sup,
        };
        sub.mutable == sup.mutable && reads && (!sub.mutable || sub.storage == sup.storage)
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

/// Subtyping of heap types that are not defined.
pub(crate) fn abstract_matches(sub: HeapType, sup: HeapType) -> bool {
    use HeapType::*;
    match (sub, sup) {
        _ if sub == sup => true,
        (None, Any | Eq | I31 | Struct | Array) => true,
        (I31 | Struct | Array, Eq | Any) | (Eq, Any) => true,
        (NoFunc, Func) | (NoExtern, Extern) | (NoExn, Exn) => true,
        _ => false,
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

    /// The number of a list's type.
    fn define(registry: &TypeRegistry, head: ValType) -> Held {
        registry.intern(list(registry, head)).expect("it refers to no other type")
    }

    #[test]
    fn equal_groups_share_their_numbers() {
        let registry = TypeRegistry::new().expect("a registry");
        let first = define(&registry, ValType::I32);
        let other = define(&registry, ValType::I64);
        assert_ne!(first.ids(), other.ids());
        assert_eq!(define(&registry, ValType::I32).ids(), first.ids());
        let types = registry.read();
        let Composite::Struct(fields) = &types.get(other.ids()[0]).composite else { panic!() };
        let next = RefType::new(true, registry.heap_type(other.ids()[0]));
        assert_eq!(fields[1].storage, StorageType::ValType(ValType::Ref(next)));
    }

    #[test]
    fn heap_types_form_the_specified_lattice() {
        let registry = TypeRegistry::new().expect("a registry");
        let held = define(&registry, ValType::I32);
        let ty = registry.heap_type(held.ids()[0]);
        let types = registry.read();
        assert!(types.heap_matches(ty, HeapType::Eq));
        assert!(types.heap_matches(HeapType::None, ty));
        assert!(!types.heap_matches(HeapType::NoFunc, ty));
        assert!(!types.heap_matches(HeapType::Any, HeapType::Eq));
        assert!(!types.heap_matches(HeapType::Extern, HeapType::Any));
    }

    /// An array of references to a type.
    fn array_of(registry: &TypeRegistry, id: TypeId) -> Vec<SubType> {
        let element = ValType::Ref(RefType::new(true, registry.heap_type(id)));
        let field = FieldType { storage: StorageType::ValType(element), mutable: true };
        vec![SubType { is_final: true, supertype: None, composite: Composite::Array(field) }]
    }

    #[test]
    fn what_is_referred_to_is_kept_and_what_is_not_goes() {
        let registry = TypeRegistry::new().expect("a registry");
        let list = define(&registry, ValType::I32);
        let id = list.ids()[0];
        let array = registry.intern(array_of(&registry, id)).expect("the list is defined");
        drop(list);
        define(&registry, ValType::F32);
        assert!(registry.read().held(id).is_some());
        assert_eq!(define(&registry, ValType::I32).ids(), [id]);
        drop(array);
        assert!(registry.read().held(id).is_none());
        assert!(registry.intern(array_of(&registry, id)).is_none());
        // The same type again, and not yet with the same number.
        let again = define(&registry, ValType::I32);
        assert_ne!(again.ids(), [id]);
        assert!(registry.read().find(id).is_none());
    }

    #[test]
    fn numbers_rest_and_are_given_again() {
        let registry = TypeRegistry::new().expect("a registry");
        let mut seen = std::collections::BTreeSet::new();
        for count in 0..3 * tuning::RESTING_TYPES {
            let field = FieldType { storage: StorageType::I8, mutable: false };
            let composite = Composite::Struct(vec![field; count].into());
            let ty = SubType { is_final: true, supertype: None, composite };
            let held = registry.intern(vec![ty]).expect("it refers to no other type");
            seen.insert(held.ids()[0]);
        }
        assert!(seen.len() <= tuning::RESTING_TYPES + 4);
    }

    #[test]
    fn long_chains_are_let_go_without_recursion() {
        let registry = TypeRegistry::new().expect("a registry");
        let mut last = define(&registry, ValType::I32);
        for _ in 0..200_000 {
            last = registry
                .intern(array_of(&registry, last.ids()[0]))
                .expect("the last one is defined");
        }
        drop(last);
        let only = define(&registry, ValType::I64);
        let types = registry.read();
        assert_eq!(types.groups.len(), 1);
        assert_eq!(types.defined.iter().flatten().count(), 1);
        drop(only);
    }

    #[test]
    fn types_of_other_registries_match_only_themselves() {
        let registries = [(); 2].map(|()| TypeRegistry::new().expect("a registry"));
        let held = registries.each_ref().map(|registry| define(registry, ValType::I32));
        let [ours, theirs] = [0, 1].map(|index| registries[index].heap_type(held[index].ids()[0]));
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
