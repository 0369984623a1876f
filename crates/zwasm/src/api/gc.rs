//! References into the collected heap, as the API passes them.
//!
//! A handle names a root that the store owns, never an object, so nothing moves
//! or dies under it. Roots live until the innermost scope ends in which they were
//! made: a call of a host function is a scope, a [`RootScope`] is one, and the
//! store is the outermost. A handle that outlives its scope is noticed: using it
//! is an error, and never reaches another object.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;
use std::sync::Arc;

use super::store::{AsContext, AsContextMut, StoreContextMut};
use super::val::Val;
use crate::error::{Error, Result};
use crate::store::StoreCore;
use crate::store::gc::Root;
use crate::store::gc::layout::{self, storage};
use crate::types::{Composite, FieldType, HeapType};
use zwasm_regir::object::{
    HEADER, I31_SHIFT, Kind, Storage, element_offset, i31, is_i31, is_kind, number, struct_layout,
};

/// A root of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    /// Not zero, so that an optional handle takes no more room.
    store: NonZeroU64,
    root: Root,
}

impl Handle {
    /// Roots a reference that is not null.
    ///
    /// # Safety
    ///
    /// `core` is valid and exclusive, and the reference is one of its heap.
    pub(crate) unsafe fn new(core: *mut StoreCore, reference: u64) -> Handle {
        // SAFETY: by the contract.
        unsafe { Handle { store: (*core).id, root: (*core).gc.root(reference) } }
    }

    /// The reference; none if the scope has ended or the store is another one.
    pub(crate) fn reference(self, core: *const StoreCore) -> Option<u64> {
        // SAFETY: contexts only give out pointers to live stores.
        unsafe {
            let gc = &(*core).gc;
            if self.store == (*core).id { gc.rooted(self.root) } else { None }
        }
    }

    fn get(self, core: *const StoreCore) -> Result<u64> {
        let gone = || Error::msg("a reference was used after its scope or with another store");
        self.reference(core).ok_or_else(gone)
    }
}

/// Releases, when it is dropped, all references made through it, those to
/// exceptions included: of the store that the context gave when the scope began.
///
/// ```
/// use zwasm::{Engine, ExternRef, RootScope, Store};
/// let mut store = Store::new(&Engine::default(), ());
/// let reference = {
///     let mut scope = RootScope::new(&mut store);
///     ExternRef::new(&mut scope, 5)?
/// };
/// assert!(reference.data(&store).is_err());
/// # Ok::<(), zwasm::Error>(())
/// ```
pub struct RootScope<C: AsContextMut> {
    store: C,
    /// The store that the scope began in.
    id: NonZeroU64,
    start: usize,
    exceptions: usize,
}

impl<C: AsContextMut> RootScope<C> {
    /// Begins a scope.
    pub fn new(mut store: C) -> RootScope<C> {
        // SAFETY: the context is exclusive.
        let core = unsafe { &*store.as_context_mut().core() };
        let (start, exceptions) = (core.gc.open_scope(), core.exceptions.handles());
        RootScope { id: core.id, start, exceptions, store }
    }
}

impl<C: AsContextMut> Drop for RootScope<C> {
    fn drop(&mut self) {
        // SAFETY: the context is exclusive.
        let core = unsafe { &mut *self.store.as_context_mut().core() };
        // Of another store, what the scope knows means nothing.
        if core.id == self.id {
            core.gc.close_scope(self.start);
            core.exceptions.release(self.exceptions);
        }
    }
}

impl<C: AsContextMut> AsContext for RootScope<C> {
    type Data = C::Data;
    fn as_context(&self) -> crate::StoreContext<'_, C::Data> {
        self.store.as_context()
    }
}

impl<C: AsContextMut> AsContextMut for RootScope<C> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        self.store.as_context_mut()
    }
}

/// A reference to a value of the host, which lives while the guest can reach it
/// or the reference's scope lasts.
///
/// ```
/// use zwasm::{Engine, ExternRef, Store};
/// let mut store = Store::new(&Engine::default(), ());
/// let reference = ExternRef::new(&mut store, "hello")?;
/// let value = reference.data(&store)?;
/// assert_eq!(value.and_then(|value| value.downcast_ref()), Some(&"hello"));
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternRef(pub(crate) Handle);

impl ExternRef {
    /// Gives a value to the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the heap is full.
    pub fn new<T: Any + Send + Sync>(mut store: impl AsContextMut, value: T) -> Result<ExternRef> {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive.
        unsafe {
            let reference = StoreCore::add_extern(core, Box::new(value))?;
            Ok(ExternRef(Handle::new(core, reference)))
        }
    }

    /// The value; none if this was converted from a value of the guest.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store.
    pub fn data<'a, T: 'a>(
        &self,
        store: impl Into<crate::StoreContext<'a, T>>,
    ) -> Result<Option<&'a (dyn Any + Send + Sync)>> {
        let core = store.into().core();
        let reference = self.0.get(core)?;
        // SAFETY: the context borrows the store for `'a`, and values are removed
        // only by a collection, which needs it exclusively.
        Ok(unsafe { (*core).gc.get_extern(reference) })
    }

    /// `any.convert_extern`: the same value as the guest's internal reference.
    pub fn to_any(self) -> AnyRef {
        AnyRef(self.0)
    }
}

/// A reference to a value internal to the guest: an object or an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnyRef(pub(crate) Handle);

impl AnyRef {
    /// `ref.i31`: an integer of 31 bits; the highest bit of `value` is dropped.
    pub fn from_i31(mut store: impl AsContextMut, value: u32) -> AnyRef {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive.
        AnyRef(unsafe { Handle::new(core, u64::from(i31(value))) })
    }

    /// The integer, zero-extended, if this is one.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store.
    pub fn i31(&self, store: impl AsContext) -> Result<Option<u32>> {
        let reference = self.0.get(store.as_context().core())?;
        Ok(is_i31(reference as u32).then_some(reference as u32 >> I31_SHIFT))
    }

    /// The same reference, good for as long as the result lives.
    ///
    /// # Errors
    ///
    /// As [`AnyRef::i31`].
    pub fn to_owned_rooted(self, mut store: impl AsContextMut) -> Result<OwnedRooted> {
        let core = store.as_context_mut().core();
        let reference = self.0.get(core)?;
        // SAFETY: the context is exclusive.
        let (store, token) = unsafe { ((*core).id, (*core).gc.owned.hold(reference)) };
        Ok(OwnedRooted { store, reference, _token: token })
    }

    /// What this refers to: `I31`, `Any` for a value of the host, or the type of
    /// the structure or array.
    ///
    /// # Errors
    ///
    /// As [`AnyRef::i31`].
    pub fn heap_type(&self, store: impl AsContext) -> Result<HeapType> {
        let core = store.as_context().core();
        // SAFETY: the store is borrowed.
        unsafe { Ok(heap_type(core, self.0.get(core)?)) }
    }

    /// The structure, if this is one.
    ///
    /// # Errors
    ///
    /// As [`AnyRef::i31`].
    pub fn as_struct(&self, store: impl AsContext) -> Result<Option<StructRef>> {
        self.is_kind(store, Kind::Struct).map(|is| is.then_some(StructRef(self.0)))
    }

    /// The array, if this is one.
    ///
    /// # Errors
    ///
    /// As [`AnyRef::i31`].
    pub fn as_array(&self, store: impl AsContext) -> Result<Option<ArrayRef>> {
        self.is_kind(store, Kind::Array).map(|is| is.then_some(ArrayRef(self.0)))
    }

    fn is_kind(&self, store: impl AsContext, kind: Kind) -> Result<bool> {
        let core = store.as_context().core();
        let reference = self.0.get(core)?;
        // SAFETY: the store is borrowed; what is not an integer is an object.
        unsafe { Ok(!is_i31(reference as u32) && is_kind((*core).gc.header(reference).0, kind)) }
    }

    /// `extern.convert_any`: the same value as an external reference.
    pub fn to_extern(self) -> ExternRef {
        ExternRef(self.0)
    }
}

/// A reference that ends with no scope: it lives as long as this or a clone of it,
/// which can be dropped without the store. An external reference is kept as the
/// internal one with the same value.
///
/// ```
/// use zwasm::{Engine, ExternRef, RootScope, Store};
/// let mut store = Store::new(&Engine::default(), ());
/// let owned = {
///     let mut scope = RootScope::new(&mut store);
///     let reference = ExternRef::new(&mut scope, 5)?;
///     reference.to_any().to_owned_rooted(&mut scope)?
/// };
/// let reference = owned.to_rooted(&mut store)?.to_extern();
/// let value = reference.data(&store)?;
/// assert_eq!(value.and_then(|value| value.downcast_ref()), Some(&5));
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OwnedRooted {
    store: NonZeroU64,
    reference: u64,
    _token: Arc<()>,
}

impl OwnedRooted {
    /// The same reference in the innermost scope.
    ///
    /// # Errors
    ///
    /// If it is of another store.
    pub fn to_rooted(&self, mut store: impl AsContextMut) -> Result<AnyRef> {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive, and the token keeps the reference.
        unsafe {
            if self.store != (*core).id {
                return Err(Error::msg("a reference was used with another store"));
            }
            Ok(AnyRef(Handle::new(core, self.reference)))
        }
    }
}

/// Whether both refer to the same object, or are the same integer.
impl PartialEq for OwnedRooted {
    fn eq(&self, other: &OwnedRooted) -> bool {
        self.store == other.store && self.reference == other.reference
    }
}

impl Eq for OwnedRooted {}

impl Hash for OwnedRooted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.reference.hash(state);
    }
}

/// The exact type of what a reference that is not null refers to.
///
/// # Safety
///
/// `core` is valid and the reference one of its heap.
pub(crate) unsafe fn heap_type(core: *const StoreCore, reference: u64) -> HeapType {
    if is_i31(reference as u32) {
        return HeapType::I31;
    }
    // SAFETY: by the contract an object.
    let (word, _) = unsafe { (*core).gc.header(reference) };
    match is_kind(word, Kind::Extern) {
        true => HeapType::Any,
        // SAFETY: by the contract.
        false => unsafe { (*core).engine.types().heap_type(number(word)) },
    }
}

/// A reference to a structure.
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
/// let pair = results[0].anyref().flatten().expect("it is a reference");
/// let pair = pair.as_struct(&store)?.expect("it is a structure");
/// pair.set_field(&mut store, 1, 2.5.into())?;
/// assert_eq!(pair.field(&mut store, 0)?.i32(), Some(7));
/// assert_eq!(pair.field(&mut store, 1)?.f64(), Some(2.5));
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StructRef(pub(super) Handle);

/// Where a value lies in the heap, and its type.
struct Place {
    address: *mut u8,
    field: FieldType,
    storage: Storage,
}

impl StructRef {
    fn fields(self, core: *const StoreCore) -> Result<Vec<Place>> {
        let reference = self.0.get(core)?;
        // SAFETY: the store is borrowed and the reference a structure; its fields
        // lie where its type's layout has them.
        unsafe {
            let types = (*core).engine.types().read();
            let Composite::Struct(fields) =
                &types.get(number((*core).gc.header(reference).0)).composite
            else {
                return Ok(Vec::new());
            };
            let storages: Vec<Storage> =
                fields.iter().map(|&field| storage(&types, field)).collect();
            let (offsets, _) = struct_layout(&storages);
            let object = (*core).gc.heap.base().add(reference as u32 as usize);
            let places = fields.iter().zip(storages).zip(offsets);
            Ok(places
                .map(|((&field, storage), offset)| Place {
                    address: object.add(offset as usize),
                    field,
                    storage,
                })
                .collect())
        }
    }

    /// The number of fields.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store.
    pub fn field_count(&self, store: impl AsContext) -> Result<usize> {
        self.fields(store.as_context().core()).map(|fields| fields.len())
    }

    /// A field; a packed one is zero-extended.
    ///
    /// # Errors
    ///
    /// As [`StructRef::field_count`], or if there is no such field.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val> {
        let core = store.as_context_mut().core();
        let fields = self.fields(core)?;
        let place = fields.get(index).ok_or_else(|| Error::msg("no such field"))?;
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
        let fields = self.fields(core)?;
        let place = fields.get(index).ok_or_else(|| Error::msg("no such field"))?;
        // SAFETY: the context is exclusive.
        unsafe { place.write(core, value) }
    }

    /// The same reference as an [`AnyRef`].
    pub fn to_any(self) -> AnyRef {
        AnyRef(self.0)
    }
}

/// A reference to an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayRef(pub(super) Handle);

impl ArrayRef {
    /// The number of elements.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store.
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
    /// As [`ArrayRef::len`].
    pub fn is_empty(&self, store: impl AsContext) -> Result<bool> {
        self.len(store).map(|len| len == 0)
    }

    fn place(self, core: *const StoreCore, index: u32) -> Result<Place> {
        let reference = self.0.get(core)?;
        // SAFETY: the store is borrowed and the reference an array; the element is
        // within its length.
        unsafe {
            let (word, len) = (*core).gc.header(reference);
            let types = (*core).engine.types().read();
            let Composite::Array(field) = types.get(number(word)).composite else {
                return Err(Error::msg("no such element"));
            };
            if index >= len {
                return Err(Error::msg("no such element"));
            }
            let storage = storage(&types, field);
            let at = element_offset(reference as u32, index, storage.size());
            let address = (*core).gc.heap.base().add(at as usize + HEADER);
            Ok(Place { address, field, storage })
        }
    }

    /// An element; a packed one is zero-extended.
    ///
    /// # Errors
    ///
    /// As [`ArrayRef::len`], or if there is no such element.
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
        // SAFETY: the context is exclusive.
        unsafe { place.write(core, value) }
    }

    /// The same reference as an [`AnyRef`].
    pub fn to_any(self) -> AnyRef {
        AnyRef(self.0)
    }
}

impl Place {
    /// # Safety
    ///
    /// `core` is valid and exclusive, and the place is in its heap.
    unsafe fn read(&self, core: *mut StoreCore) -> Val {
        let mut bytes = [0; 16];
        // SAFETY: by the contract; the place is as large as its storage.
        unsafe {
            bytes.as_mut_ptr().copy_from(self.address, self.storage.size());
            Val::from_bits(core, u128::from_le_bytes(bytes), self.field.storage.unpack())
        }
    }

    /// # Safety
    ///
    /// As [`Place::read`].
    unsafe fn write(&self, core: *mut StoreCore, value: Val) -> Result<()> {
        if !self.field.mutable {
            return Err(Error::msg("the field is constant"));
        }
        value.check(core, self.field.storage.unpack())?;
        // SAFETY: by the contract; the value has the place's type.
        unsafe { layout::write(self.storage, self.address, value.to_bits(core)) };
        Ok(())
    }
}
