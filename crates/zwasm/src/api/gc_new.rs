//! Structures and arrays that the host makes.
//!
//! A [`StructType`] or [`ArrayType`] names a defined type of an engine: the one a
//! module declares, or one given field by field, which is the same type as any
//! module's with the same declaration. A [`StructRefPre`] or [`ArrayRefPre`] has
//! the layout at hand, so that many objects are made for one look at the type.

use std::num::NonZeroU64;

use super::gc::{ArrayRef, Handle, StructRef};
use super::store::AsContextMut;
use super::val::Val;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::StoreCore;
use crate::store::gc::layout;
use crate::types::{Composite, FieldType, HeapType, Held, SubType, TypeId};
use zwasm_regir::object::{HEADER, Kind, Storage, array_size, struct_layout, word};

/// Fields that a structure of a module may have.
const MAX_STRUCT_FIELDS: usize = 10_000;

/// Defines a final type without a supertype.
fn define(engine: &Engine, fields: &[FieldType], composite: Composite) -> Result<Held> {
    engine.types().check(fields.iter().map(|field| field.storage.unpack()))?;
    let held = engine.types().intern(vec![SubType { is_final: true, supertype: None, composite }]);
    held.ok_or_else(|| Error::msg("a field has a type that is gone"))
}

/// What a heap type of an engine is defined as.
fn composite(engine: &Engine, ty: HeapType) -> Option<(Held, TypeId, Composite)> {
    let HeapType::Concrete(ty) = ty else { return None };
    let types = engine.types().read();
    let id = types.id(ty)?;
    Some((types.held(id)?, id, types.definition(ty)?.clone()))
}

macro_rules! defined_type {
    ($ty:ident) => {
        impl $ty {
            /// The engine.
            pub fn engine(&self) -> &Engine {
                &self.engine
            }

            /// The type as references have it.
            pub fn heap_type(&self) -> HeapType {
                self.engine.types().heap_type(self.id)
            }
        }

        impl PartialEq for $ty {
            fn eq(&self, other: &Self) -> bool {
                self.id == other.id && Engine::same(&self.engine, &other.engine)
            }
        }

        impl Eq for $ty {}

        impl std::fmt::Debug for $ty {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($ty), "({})"), self.heap_type())
            }
        }
    };
}

/// The type of a structure.
#[derive(Clone)]
pub struct StructType {
    engine: Engine,
    id: TypeId,
    /// Keeps it defined.
    held: Held,
    fields: std::sync::Arc<[FieldType]>,
}

defined_type!(StructType);

impl StructType {
    /// The final type without a supertype that has these fields.
    ///
    /// # Errors
    ///
    /// If there are more fields than a module may declare, or one refers to a
    /// type of another engine or one that is gone.
    pub fn new(engine: &Engine, fields: impl IntoIterator<Item = FieldType>) -> Result<StructType> {
        let fields: std::sync::Arc<[FieldType]> = fields.into_iter().collect();
        if fields.len() > MAX_STRUCT_FIELDS {
            return Err(Error::msg(format!(
                "a structure of {} fields: at most {MAX_STRUCT_FIELDS} are allowed",
                fields.len()
            )));
        }
        let held = define(engine, &fields, Composite::Struct(fields.clone()))?;
        Ok(StructType { engine: engine.clone(), id: held.ids()[0], held, fields })
    }

    /// The structure type that a heap type of this engine is, if it is one.
    pub fn from_heap_type(engine: &Engine, ty: HeapType) -> Option<StructType> {
        let (held, id, Composite::Struct(fields)) = composite(engine, ty)? else { return None };
        Some(StructType { engine: engine.clone(), id, held, fields })
    }

    /// The fields.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = FieldType> + '_ {
        self.fields.iter().copied()
    }
}

/// The type of an array.
#[derive(Clone)]
pub struct ArrayType {
    engine: Engine,
    id: TypeId,
    /// Keeps it defined.
    held: Held,
    element: FieldType,
}

defined_type!(ArrayType);

impl ArrayType {
    /// The final type without a supertype that has these elements.
    ///
    /// # Errors
    ///
    /// If the element refers to a type of another engine or one that is gone.
    pub fn new(engine: &Engine, element: FieldType) -> Result<ArrayType> {
        let held = define(engine, &[element], Composite::Array(element))?;
        Ok(ArrayType { engine: engine.clone(), id: held.ids()[0], held, element })
    }

    /// The array type that a heap type of this engine is, if it is one.
    pub fn from_heap_type(engine: &Engine, ty: HeapType) -> Option<ArrayType> {
        let (held, id, Composite::Array(element)) = composite(engine, ty)? else { return None };
        Some(ArrayType { engine: engine.clone(), id, held, element })
    }

    /// The elements.
    pub fn field_type(&self) -> FieldType {
        self.element
    }
}

/// Tells a store's collector how objects of a type lie in the heap.
fn prepare(core: *mut StoreCore, engine: &Engine, held: &Held, id: TypeId) -> Result<NonZeroU64> {
    // SAFETY: contexts only give out pointers to live stores, and this one is exclusive.
    let store = unsafe { &mut *core };
    if !Engine::same(engine, &store.engine) {
        return Err(Error::msg("the type is of another engine than the store's"));
    }
    store.hold_type(held.clone());
    store.gc.layouts.add(&engine.types().read(), &[id])?;
    Ok(store.id)
}

fn check_store(core: *const StoreCore, store: NonZeroU64) -> Result<()> {
    // SAFETY: as above.
    if unsafe { (*core).id } != store {
        return Err(Error::msg("the type was prepared for another store"));
    }
    Ok(())
}

/// Allocates an object; its reference and address.
fn allocate(core: *mut StoreCore, word: u32, second: u32, size: usize) -> Result<(u64, *mut u8)> {
    // SAFETY: the context is exclusive, guest frames end at the value stack's top
    // whenever the host runs, and what the host refers to is rooted.
    unsafe {
        let top = (*core).value_top;
        let object = StoreCore::allocate(core, top, word, second, size)?;
        Ok((object, (*core).gc.heap.base().add(object as usize)))
    }
}

/// A structure type, ready for a store to make structures of.
pub struct StructRefPre {
    store: NonZeroU64,
    ty: StructType,
    /// How each field is stored, and where.
    places: Box<[(Storage, u32)]>,
    size: usize,
}

impl StructRefPre {
    /// Prepares a type for a store.
    ///
    /// # Errors
    ///
    /// If the type is of another engine.
    pub fn new(mut store: impl AsContextMut, ty: StructType) -> Result<StructRefPre> {
        let store = prepare(store.as_context_mut().core(), &ty.engine, &ty.held, ty.id)?;
        let types = ty.engine.types().read();
        let storages: Vec<Storage> =
            ty.fields.iter().map(|&field| layout::storage(&types, field)).collect();
        drop(types);
        let (offsets, size) = struct_layout(&storages);
        let places = storages.into_iter().zip(offsets).collect();
        Ok(StructRefPre { store, ty, places, size })
    }

    /// The type.
    pub fn ty(&self) -> &StructType {
        &self.ty
    }
}

impl StructRef {
    /// A new structure with these fields. Packed ones take the low bits of an
    /// `i32`.
    ///
    /// ```
    /// use zwasm::*;
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let ty = StructType::new(&engine, [
    ///     FieldType::new(Mutability::Const, StorageType::I8),
    ///     FieldType::new(Mutability::Var, ValType::F64),
    /// ])?;
    /// let pre = StructRefPre::new(&mut store, ty)?;
    /// let pair = StructRef::new(&mut store, &pre, &[Val::from(7), Val::from(1.5)])?;
    /// pair.set_field(&mut store, 1, Val::from(2.5))?;
    /// assert_eq!(pair.field(&mut store, 0)?.i32(), Some(7));
    /// assert_eq!(pair.field(&mut store, 1)?.f64(), Some(2.5));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If number or types of the fields are wrong, the type was prepared for
    /// another store, or [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the
    /// heap is full.
    pub fn new(
        mut store: impl AsContextMut,
        pre: &StructRefPre,
        fields: &[Val],
    ) -> Result<StructRef> {
        let core = store.as_context_mut().core();
        check_store(core, pre.store)?;
        if fields.len() != pre.places.len() {
            let (want, got) = (pre.places.len(), fields.len());
            return Err(Error::msg(format!("expected {want} fields, got {got}")));
        }
        for (value, field) in fields.iter().zip(pre.ty.fields.iter()) {
            value.check(core, field.storage.unpack())?;
        }
        let word = word(pre.ty.id, Kind::Struct);
        let (object, address) = allocate(core, word, 0, pre.size)?;
        for (value, &(storage, offset)) in fields.iter().zip(&pre.places) {
            // SAFETY: the object has the layout of its type, and the value its
            // field's type.
            unsafe { layout::write(storage, address.add(offset as usize), value.to_bits(core)) };
        }
        // SAFETY: the context is exclusive.
        Ok(StructRef(unsafe { Handle::new(core, object) }))
    }
}

/// An array type, ready for a store to make arrays of.
pub struct ArrayRefPre {
    store: NonZeroU64,
    ty: ArrayType,
    storage: Storage,
}

impl ArrayRefPre {
    /// Prepares a type for a store.
    ///
    /// # Errors
    ///
    /// If the type is of another engine.
    pub fn new(mut store: impl AsContextMut, ty: ArrayType) -> Result<ArrayRefPre> {
        let store = prepare(store.as_context_mut().core(), &ty.engine, &ty.held, ty.id)?;
        let storage = layout::storage(&ty.engine.types().read(), ty.element);
        Ok(ArrayRefPre { store, ty, storage })
    }

    /// The type.
    pub fn ty(&self) -> &ArrayType {
        &self.ty
    }
}

impl ArrayRef {
    /// A new array of `len` elements that are all `element`.
    ///
    /// # Errors
    ///
    /// As [`ArrayRef::new_fixed`].
    pub fn new(
        store: impl AsContextMut,
        pre: &ArrayRefPre,
        element: &Val,
        len: u32,
    ) -> Result<ArrayRef> {
        ArrayRef::fill(store, pre, std::slice::from_ref(element), len)
    }

    /// A new array with these elements. Packed ones take the low bits of an `i32`.
    ///
    /// ```
    /// use zwasm::*;
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let ty = ArrayType::new(&engine, FieldType::new(Mutability::Var, StorageType::I16))?;
    /// let pre = ArrayRefPre::new(&mut store, ty)?;
    /// let array = ArrayRef::new_fixed(&mut store, &pre, &[Val::I32(1), Val::I32(-1)])?;
    /// assert_eq!(array.len(&store)?, 2);
    /// assert_eq!(array.get(&mut store, 1)?.i32(), Some(0xFFFF));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If an element has another type, the type was prepared for another store,
    /// or [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the heap is full.
    pub fn new_fixed(
        store: impl AsContextMut,
        pre: &ArrayRefPre,
        elements: &[Val],
    ) -> Result<ArrayRef> {
        let len = u32::try_from(elements.len());
        let len = len.map_err(|_| Error::msg("an array has fewer than 2^32 elements"))?;
        ArrayRef::fill(store, pre, elements, len)
    }

    /// A new array whose elements are these, the last one repeated.
    fn fill(
        mut store: impl AsContextMut,
        pre: &ArrayRefPre,
        elements: &[Val],
        len: u32,
    ) -> Result<ArrayRef> {
        let core = store.as_context_mut().core();
        check_store(core, pre.store)?;
        for value in elements {
            value.check(core, pre.ty.element.storage.unpack())?;
        }
        let stride = pre.storage.size();
        let size = usize::try_from(array_size(pre.storage, len))
            .map_err(|_| Error::msg("the array is too large"))?;
        let word = word(pre.ty.id, Kind::Array);
        let (object, address) = allocate(core, word, len, size)?;
        let mut bits = 0;
        for index in 0..len as usize {
            if let Some(value) = elements.get(index) {
                bits = value.to_bits(core);
            }
            // SAFETY: the array has `len` elements of this size, and the values
            // have their type.
            unsafe { layout::write(pre.storage, address.add(HEADER + index * stride), bits) };
        }
        // SAFETY: the context is exclusive.
        Ok(ArrayRef(unsafe { Handle::new(core, object) }))
    }
}
