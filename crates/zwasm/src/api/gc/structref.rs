//! References to structures, and making them.

use std::num::NonZeroU64;

use super::place::{Place, admit, allocate, prepare};
use super::rooted::{Handle, Rooted, gc_ref};
use crate::api::store::{AsContext, AsContextMut, StoreContextMut};
use crate::api::types::StructType;
use crate::api::val::Val;
use crate::error::{Context, Error, Result};
use crate::store::StoreCore;
use crate::store::gc::layout::{self, storage};
use crate::types::Composite;
use zwasm_regir::object::{Kind, Storage, number, struct_layout, word};

gc_ref! {
    /// A structure.
    ///
    /// ```
    /// use zwasm::{Engine, Instance, Module, Store};
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, r#"(module
    ///     (type $pair (struct (field i8) (field (mut f64))))
    ///     (func (export "make") (result (ref $pair))
    ///         (struct.new $pair (i32.const 7) (f64.const 1.5))))"#)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let make = instance.get_func(&mut store, "make").expect("it is exported");
    /// let mut results = [zwasm::Val::I32(0)];
    /// make.call(&mut store, &[], &mut results)?;
    /// let pair = results[0].unwrap_anyref().expect("it is not null").unwrap_struct(&store)?;
    /// pair.set_field(&mut store, 1, 2.5.into())?;
    /// assert_eq!(pair.field(&mut store, 0)?.i32(), Some(7));
    /// assert_eq!(pair.field(&mut store, 1)?.f64(), Some(2.5));
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    StructRef Struct
}

/// A structure type, ready for a store to make structures of: it has the layout at hand,
/// so that many are made for one look at the type.
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
    /// # Panics
    ///
    /// If the type is of another engine.
    #[track_caller]
    pub fn new(mut store: impl AsContextMut, ty: StructType) -> StructRefPre {
        let store = prepare(store.as_context_mut().core(), ty.engine(), ty.defined());
        let types = ty.engine().types().read();
        let storages: Vec<Storage> =
            ty.inner_fields().iter().map(|&field| storage(&types, field)).collect();
        drop(types);
        let (offsets, size) = struct_layout(&storages);
        let places = storages.into_iter().zip(offsets).collect();
        StructRefPre { store, ty, places, size }
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
    ///     FieldType::new(Mutability::Var, ValType::F64.into()),
    /// ])?;
    /// let pre = StructRefPre::new(&mut store, ty);
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
        allocator: &StructRefPre,
        fields: &[Val],
    ) -> Result<Rooted<StructRef>> {
        let core = store.as_context_mut().core();
        let (id, _) = allocator.ty.defined();
        admit(core, allocator.store, id)?;
        if fields.len() != allocator.places.len() {
            return Err(Error::msg(format!(
                "expected {} fields, got {}",
                allocator.places.len(),
                fields.len()
            )));
        }
        for (value, field) in fields.iter().zip(allocator.ty.inner_fields()) {
            value.check(core, field.storage.unpack()).context("field type mismatch")?;
        }
        let (object, address) = allocate(core, word(id, Kind::Struct), 0, allocator.size)?;
        for (value, &(storage, offset)) in fields.iter().zip(&allocator.places) {
            // SAFETY: the object has the layout of its type, and the value its
            // field's type.
            unsafe { layout::write(storage, address.add(offset as usize), value.to_bits(core)) };
        }
        // SAFETY: the context is exclusive.
        Ok(Rooted::of(unsafe { Handle::new(core, object) }))
    }

    /// The type.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store; likewise below.
    pub fn ty(&self, store: impl AsContext) -> Result<StructType> {
        let core = store.as_context().core();
        let reference = self.0.get(core)?;
        // SAFETY: the store is borrowed and the reference a structure.
        let ty = unsafe { StructType::of(&(*core).engine, number((*core).gc.header(reference).0)) };
        ty.ok_or_else(|| Error::msg("the reference is to no structure"))
    }

    /// Whether the structure is of a type.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn matches_ty(&self, store: impl AsContext, ty: &StructType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// The place of a field; none if there are fewer.
    fn place(&self, core: *const StoreCore, index: usize) -> Result<Option<Place>> {
        let reference = self.0.get(core)?;
        // SAFETY: the store is borrowed and the reference a structure; its fields
        // lie where its type's layout has them.
        unsafe {
            let types = (*core).engine.types().read();
            let Composite::Struct(fields) =
                &types.get(number((*core).gc.header(reference).0)).composite
            else {
                return Ok(None);
            };
            let Some(&field) = fields.get(index) else { return Ok(None) };
            let storages: Vec<Storage> =
                fields.iter().map(|&field| storage(&types, field)).collect();
            let (offsets, _) = struct_layout(&storages);
            let object = (*core).gc.heap.base().add(reference as u32 as usize);
            let address = object.add(offsets[index] as usize);
            Ok(Some(Place { address, field, storage: storages[index] }))
        }
    }

    /// The fields; packed ones are zero-extended.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn fields<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<impl ExactSizeIterator<Item = Val> + 'a> {
        let mut store = store.into();
        let count = self.ty(&store)?.inner_fields().len();
        let values: Result<Vec<Val>> =
            (0..count).map(|index| self.field(&mut store, index)).collect();
        Ok(values?.into_iter())
    }

    /// A field; a packed one is zero-extended.
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no such field.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val> {
        let core = store.as_context_mut().core();
        let place = self.place(core, index)?;
        let place = place.ok_or_else(|| Error::msg(format!("no such field: {index}")))?;
        // SAFETY: the context is exclusive.
        Ok(unsafe { place.read(core) })
    }

    /// Writes a field.
    ///
    /// # Errors
    ///
    /// As [`StructRef::field`], or if the field is constant or has another type.
    pub fn set_field(&self, mut store: impl AsContextMut, index: usize, value: Val) -> Result<()> {
        let core = store.as_context_mut().core();
        let place = self.place(core, index)?;
        let place = place.ok_or_else(|| Error::msg(format!("no such field: {index}")))?;
        if !place.field.mutable {
            return Err(Error::msg(format!("cannot set field {index}: field is not mutable")));
        }
        // SAFETY: the context is exclusive.
        unsafe { place.write(core, value) }
            .with_context(|| format!("cannot set field {index}: type mismatch"))
    }
}
