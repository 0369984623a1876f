//! References to arrays, and making them.

use std::num::NonZeroU64;

use super::place::{Place, admit, allocate, prepare};
use super::rooted::{Handle, Rooted, gc_ref};
use crate::api::store::{AsContext, AsContextMut, StoreContextMut};
use crate::api::types::ArrayType;
use crate::api::val::Val;
use crate::error::{Context, Error, Result};
use crate::store::StoreCore;
use crate::store::gc::layout::{self, storage};
use crate::types::Composite;
use zwasm_regir::object::{HEADER, Kind, Storage, array_size, element_offset, number, word};

gc_ref! {
    /// An array.
    ArrayRef Array
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
    /// # Panics
    ///
    /// If the type is of another engine.
    #[track_caller]
    pub fn new(mut store: impl AsContextMut, ty: ArrayType) -> ArrayRefPre {
        let store = prepare(store.as_context_mut().core(), ty.engine(), ty.defined());
        let storage = storage(&ty.engine().types().read(), ty.inner_field());
        ArrayRefPre { store, ty, storage }
    }

    /// The type.
    pub fn ty(&self) -> &ArrayType {
        &self.ty
    }
}

impl ArrayRef {
    /// A new array of `len` elements that are all `elem`.
    ///
    /// # Errors
    ///
    /// As [`ArrayRef::new_fixed`].
    pub fn new(
        store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elem: &Val,
        len: u32,
    ) -> Result<Rooted<ArrayRef>> {
        ArrayRef::make(store, allocator, std::slice::from_ref(elem), len)
    }

    /// A new array with these elements. Packed ones take the low bits of an `i32`.
    ///
    /// ```
    /// use zwasm::*;
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let ty = ArrayType::new(&engine, FieldType::new(Mutability::Var, StorageType::I16));
    /// let pre = ArrayRefPre::new(&mut store, ty);
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
        allocator: &ArrayRefPre,
        elems: &[Val],
    ) -> Result<Rooted<ArrayRef>> {
        let len = u32::try_from(elems.len());
        let len = len.map_err(|_| Error::msg("an array has fewer than 2^32 elements"))?;
        ArrayRef::make(store, allocator, elems, len)
    }

    /// A new array whose elements are these, the last one repeated.
    fn make(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elems: &[Val],
        len: u32,
    ) -> Result<Rooted<ArrayRef>> {
        let core = store.as_context_mut().core();
        let field = allocator.ty.inner_field();
        admit(core, allocator.store, allocator.ty.defined().0)?;
        for value in elems {
            value.check(core, field.storage.unpack()).context("element type mismatch")?;
        }
        let stride = allocator.storage.size();
        let (object, address) = allocator.allocate(core, len)?;
        let mut bits = 0;
        for index in 0..len as usize {
            if let Some(value) = elems.get(index) {
                bits = value.to_bits(core);
            }
            // SAFETY: the array has `len` elements of this size, and the values
            // have their type.
            unsafe { layout::write(allocator.storage, address.add(index * stride), bits) };
        }
        // SAFETY: the context is exclusive.
        Ok(Rooted::of(unsafe { Handle::new(core, object) }))
    }

    /// A new array with these bytes as its elements, which are of type `i8`.
    ///
    /// # Errors
    ///
    /// As [`ArrayRef::new_fixed`], and if elements are of another type.
    pub fn new_from_i8_slice(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elems: &[u8],
    ) -> Result<Rooted<ArrayRef>> {
        let core = store.as_context_mut().core();
        admit(core, allocator.store, allocator.ty.defined().0)?;
        if allocator.storage != Storage::I8 {
            return Err(Error::msg(format!(
                "element type mismatch: cannot initialize an array of `{}` elements from a slice of `i8`s",
                allocator.ty.element_type()
            )));
        }
        let len = u32::try_from(elems.len());
        let len = len.map_err(|_| Error::msg("an array has fewer than 2^32 elements"))?;
        let (object, address) = allocator.allocate(core, len)?;
        // SAFETY: the array has as many elements of a byte; the context is exclusive.
        unsafe {
            address.copy_from_nonoverlapping(elems.as_ptr(), elems.len());
            Ok(Rooted::of(Handle::new(core, object)))
        }
    }

    /// Copies the elements, which are of type `i8`.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store, elements are of
    /// another type, or `dst` has not as many.
    pub fn copy_to_i8_slice(&self, mut store: impl AsContextMut, dst: &mut [u8]) -> Result<()> {
        let core = store.as_context_mut().core();
        let reference = self.0.get(core)?;
        // SAFETY: the context is exclusive, and the reference an array; its elements are
        // behind its header.
        unsafe {
            let (word, len) = (*core).gc.header(reference);
            let ty = ArrayType::of(&(*core).engine, number(word));
            let ty = ty.ok_or_else(|| Error::msg("the reference is to no array"))?;
            if !ty.element_type().is_i8() {
                return Err(Error::msg(format!(
                    "element type mismatch: cannot read an array of `{}` elements into a slice of `i8`s",
                    ty.element_type()
                )));
            }
            if dst.len() != len as usize {
                return Err(Error::msg(format!(
                    "length mismatch: the array has {len} elements, the slice {}",
                    dst.len()
                )));
            }
            let at = element_offset(reference as u32, 0, 1) as usize + HEADER;
            let elements = (*core).gc.heap.base().add(at);
            dst.as_mut_ptr().copy_from_nonoverlapping(elements, dst.len());
        }
        Ok(())
    }

    /// The type.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store; likewise below.
    pub fn ty(&self, store: impl AsContext) -> Result<ArrayType> {
        let core = store.as_context().core();
        let reference = self.0.get(core)?;
        // SAFETY: the store is borrowed and the reference an array.
        let ty = unsafe { ArrayType::of(&(*core).engine, number((*core).gc.header(reference).0)) };
        ty.ok_or_else(|| Error::msg("the reference is to no array"))
    }

    /// Whether the array is of a type.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn matches_ty(&self, store: impl AsContext, ty: &ArrayType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// The number of elements.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn len(&self, store: impl AsContext) -> Result<u32> {
        let core = store.as_context().core();
        let reference = self.0.get(core)?;
        // SAFETY: the store is borrowed and the reference an array.
        Ok(unsafe { (*core).gc.header(reference).1 })
    }

    /// Whether there are no elements.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn is_empty(&self, store: impl AsContext) -> Result<bool> {
        self.len(store).map(|len| len == 0)
    }

    fn place(&self, core: *const StoreCore, index: u32) -> Result<Place> {
        let reference = self.0.get(core)?;
        // SAFETY: the store is borrowed and the reference an array; the element is
        // within its length.
        unsafe {
            let (word, len) = (*core).gc.header(reference);
            let types = (*core).engine.types().read();
            let Composite::Array(field) = types.get(number(word)).composite else {
                return Err(Error::msg("the reference is to no array"));
            };
            if index >= len {
                return Err(Error::msg(format!(
                    "index out of bounds: the length is {len} but the index is {index}"
                )));
            }
            let storage = storage(&types, field);
            let at = element_offset(reference as u32, index, storage.size());
            let address = (*core).gc.heap.base().add(at as usize + HEADER);
            Ok(Place { address, field, storage })
        }
    }

    /// The elements; packed ones are zero-extended.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn elems<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<impl ExactSizeIterator<Item = Val> + 'a> {
        let mut store = store.into();
        let len = self.len(&store)?;
        let values: Result<Vec<Val>> = (0..len).map(|index| self.get(&mut store, index)).collect();
        Ok(values?.into_iter())
    }

    /// An element; a packed one is zero-extended.
    ///
    /// # Errors
    ///
    /// Likewise, and if there is no such element.
    pub fn get(&self, mut store: impl AsContextMut, index: u32) -> Result<Val> {
        let core = store.as_context_mut().core();
        let place = self.place(core, index)?;
        // SAFETY: the context is exclusive.
        Ok(unsafe { place.read(core) })
    }

    /// Writes an element.
    ///
    /// # Errors
    ///
    /// As [`ArrayRef::get`], or if elements are constant or have another type.
    pub fn set(&self, mut store: impl AsContextMut, index: u32, value: Val) -> Result<()> {
        let core = store.as_context_mut().core();
        let place = self.place(core, index)?;
        if !place.field.mutable {
            return Err(Error::msg(format!(
                "cannot set element {index}: array elements are not mutable"
            )));
        }
        // SAFETY: the context is exclusive.
        unsafe { place.write(core, value) }
            .with_context(|| format!("cannot set element {index}: type mismatch"))
    }
}

impl ArrayRefPre {
    /// Allocates an array of so many elements; its reference, and the address of the first.
    fn allocate(&self, core: *mut StoreCore, len: u32) -> Result<(u64, *mut u8)> {
        let size = usize::try_from(array_size(self.storage, len))
            .map_err(|_| Error::msg("the array is too large"))?;
        let word = word(self.ty.defined().0, Kind::Array);
        let (object, address) = allocate(core, word, len, size)?;
        // SAFETY: the header lies before the elements.
        Ok((object, unsafe { address.add(HEADER) }))
    }
}
