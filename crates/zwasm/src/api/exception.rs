//! Exceptions as the API sees them: a reference to one, and one thrown.

use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};
use std::num::NonZeroU64;
use std::sync::Arc;

use super::caller::Caller;
use super::externs::Tag;
use super::gc::rooted::{Handle, OwnedRooted, Rooted, gc_ref};
use super::store::{AsContext, AsContextMut, Store, StoreContextMut};
use super::types::{ExnType, FuncType, HeapType, TagType};
use super::val::Val;
use crate::engine::Engine;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::store::held::Token;
use crate::store::stored::Stored;
use crate::store::{StoreCore, TagInst};

gc_ref! {
    /// An exception.
    ///
    /// ```
    /// use zwasm::{Engine, ExnRef, ExnRefPre, ExnType, Store, Tag, Val, ValType};
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let ty = ExnType::new(&engine, [ValType::I32])?;
    /// let tag = Tag::new(&mut store, &ty.tag_type())?;
    /// let pre = ExnRefPre::new(&mut store, ty);
    /// let exn = ExnRef::new(&mut store, &pre, &tag, &[Val::I32(7)])?;
    /// assert_eq!(exn.tag(&mut store)?, tag);
    /// assert_eq!(exn.field(&mut store, 0)?.i32(), Some(7));
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ExnRef Exn
}

/// A type of exceptions, ready for a store to make some.
pub struct ExnRefPre {
    store: NonZeroU64,
    ty: ExnType,
}

impl ExnRefPre {
    /// Prepares a type for a store.
    ///
    /// # Panics
    ///
    /// If the type is of another engine.
    #[track_caller]
    pub fn new(mut store: impl AsContextMut, ty: ExnType) -> ExnRefPre {
        let context = store.as_context_mut();
        let same = Engine::same(ty.engine(), context.engine());
        assert!(same, "the type is of the wrong engine, another one than the store's");
        // SAFETY: the context is exclusive.
        ExnRefPre { store: unsafe { (*context.core()).id }, ty }
    }

    /// The type.
    pub fn ty(&self) -> &ExnType {
        &self.ty
    }
}

impl ExnRef {
    /// A new exception with values of the tag's type.
    ///
    /// # Errors
    ///
    /// If number or types of the values are wrong, the tag is of another type or store or
    /// the type was prepared for another one, or [`ErrorKind::Limit`] if the store has no
    /// room for it.
    pub fn new(
        mut store: impl AsContextMut,
        allocator: &ExnRefPre,
        tag: &Tag,
        fields: &[Val],
    ) -> Result<Rooted<ExnRef>> {
        let core = store.as_context_mut().core();
        let tag = tag.0.find(core)?;
        // SAFETY: the context is exclusive.
        let (id, ty) = unsafe { ((*core).id, (*core).engine.types().func_type(tag.as_ref().ty)) };
        if id != allocator.store {
            let message = "the type was prepared for another store: this is the wrong store";
            return Err(Error::msg(message));
        }
        if ty.id() != allocator.ty.func().inner().id() {
            return Err(Error::msg("the exception's type is not that of the tag"));
        }
        let types = ty.params_slice();
        if types.len() != fields.len() {
            let (want, got) = (types.len(), fields.len());
            return Err(Error::msg(format!("expected {want} fields, got {got}")));
        }
        for (value, ty) in fields.iter().zip(types) {
            value.check(core, *ty).context("field type mismatch")?;
        }
        // SAFETY: the context is exclusive, the values have been checked, and all
        // frames end where the next activation would start.
        unsafe {
            let mut slots = vec![0; tag.as_ref().slots];
            Val::write_all(core, fields, types, &mut slots);
            let reference = StoreCore::add_exception(core, tag, &slots, (*core).value_top)?;
            Ok(Rooted::of(Handle::new(core, reference)))
        }
    }

    /// The reference as a number, which keeps nothing: good until exceptions are next
    /// collected. Null is 0.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store.
    pub fn to_raw(&self, mut store: impl AsContextMut) -> Result<u32> {
        Ok(self.0.get(store.as_context_mut().core())? as u32)
    }

    /// The reference that a number is. Nothing for null, and for what no exception has as its
    /// number; one whose exception is gone may be another's.
    pub fn from_raw(mut store: impl AsContextMut, raw: u32) -> Option<Rooted<ExnRef>> {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive, and the reference is one of its exceptions.
        unsafe {
            let reference = (*core).exceptions.numbered(raw)?;
            Some(Rooted::of(Handle::new(core, reference)))
        }
    }

    /// The tag it was made with.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store; likewise below.
    pub fn tag(&self, mut store: impl AsContextMut) -> Result<Tag> {
        let core = store.as_context_mut().core();
        let reference = self.0.get(core)?;
        // SAFETY: the context is exclusive.
        unsafe {
            let (tag, _) = (*core).exceptions.get(reference).ok_or_else(gone)?;
            Ok(Tag(Stored::new(core, tag)))
        }
    }

    /// The type.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn ty(&self, store: impl AsContext) -> Result<ExnType> {
        let context = store.as_context();
        let core = context.core();
        let reference = self.0.get(core)?;
        // SAFETY: the store is borrowed.
        let ty = unsafe {
            let (tag, _) = (*core).exceptions.get(reference).ok_or_else(gone)?;
            (*core).engine.types().func_type(tag.as_ref().ty)
        };
        ExnType::from_tag_type(&TagType::new(FuncType::of(context.engine(), ty)))
    }

    /// Whether the exception is of a type.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn matches_ty(&self, store: impl AsContext, ty: &HeapType) -> Result<bool> {
        Ok(HeapType::ConcreteExn(self.ty(store)?).matches(ty))
    }

    /// The values it carries.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn fields<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<impl ExactSizeIterator<Item = Val> + 'a> {
        let core = store.into().core();
        let reference = self.0.get(core)?;
        // SAFETY: the context is exclusive.
        let parts = unsafe { parts(core, reference, &mut |each| Handle::new(core, each)) };
        let (_, values) = parts.ok_or_else(gone)?;
        Ok(values.into_vec().into_iter())
    }

    /// A value it carries.
    ///
    /// # Errors
    ///
    /// Likewise, and if there are fewer.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val> {
        let value = self.fields(store.as_context_mut())?.nth(index);
        value.ok_or_else(|| Error::msg(format!("no such field: {index}")))
    }
}

pub(crate) fn gone() -> Error {
    Error::msg("nothing refers to the exception any more")
}

/// Tag and values of an exception of a store.
///
/// # Safety
///
/// `core` is valid and exclusive.
unsafe fn parts(
    core: *mut StoreCore,
    reference: u64,
    root: &mut dyn FnMut(u64) -> Handle,
) -> Option<(Tag, Box<[Val]>)> {
    // SAFETY: by the contract; the slots hold values of the tag's type.
    unsafe {
        let (tag, slots): (std::ptr::NonNull<TagInst>, &[u64]) =
            (*core).exceptions.get(reference)?;
        let ty = (*core).engine.types().func_type(tag.as_ref().ty);
        let mut values = vec![Val::I32(0); ty.params_slice().len()];
        Val::make_all(core, &mut values, ty.params_slice(), slots, root);
        Some((Tag(Stored::new(core, tag)), values.into()))
    }
}

/// An exception that was thrown and not caught by the guest: the payload of an
/// [`Error`] of kind [`ErrorKind::Exception`]. A host function that returns it,
/// alone or in the error it got it with, throws it to its caller.
///
/// [`ErrorKind::Exception`]: crate::ErrorKind::Exception
#[derive(Clone, Debug)]
pub struct ThrownException {
    exn: OwnedRooted<ExnRef>,
    tag: Tag,
    values: Box<[Val]>,
    /// Keeps what the values refer to.
    _held: Arc<[Token]>,
}

impl ThrownException {
    /// What a host function returns as its error to throw an exception.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store.
    pub fn new(mut store: impl AsContextMut, exn: Rooted<ExnRef>) -> Result<ThrownException> {
        let core = store.as_context_mut().core();
        let reference = exn.handle().get(core)?;
        // SAFETY: the context is exclusive.
        unsafe { ThrownException::of(core, reference) }.ok_or_else(gone)
    }

    /// The exception of a store that slots hold as `reference`, if it is there.
    ///
    /// # Safety
    ///
    /// `core` is valid and ours alone.
    pub(crate) unsafe fn of(core: *mut StoreCore, reference: u64) -> Option<ThrownException> {
        let mut held = Vec::new();
        // SAFETY: by the contract.
        unsafe {
            let mut own = |reference| {
                let (handle, token) = Handle::owned(core, reference);
                held.push(token);
                handle
            };
            let (tag, values) = parts(core, reference, &mut own)?;
            let exn = OwnedRooted::new(core, reference);
            Some(ThrownException { exn, tag, values, _held: held.into() })
        }
    }

    /// The tag.
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// The values it carries; references among them are good as long as `self`.
    pub fn values(&self) -> &[Val] {
        &self.values
    }

    /// The exception.
    pub fn exn(&self) -> &OwnedRooted<ExnRef> {
        &self.exn
    }

    /// The reference as slots hold it, if the exception is in this store.
    pub(crate) fn reference(&self, core: *const StoreCore) -> Option<u64> {
        self.exn.0.reference(core)
    }
}

impl Display for ThrownException {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("uncaught exception")?;
        for (index, value) in self.values.iter().enumerate() {
            f.write_str(if index == 0 { " with " } else { ", " })?;
            match value {
                Val::I32(value) => write!(f, "i32 {value}")?,
                Val::I64(value) => write!(f, "i64 {value}")?,
                Val::F32(bits) => write!(f, "f32 {}", f32::from_bits(*bits))?,
                Val::F64(bits) => write!(f, "f64 {}", f64::from_bits(*bits))?,
                Val::V128(vector) => write!(f, "v128 {:#034x}", vector.as_u128())?,
                Val::FuncRef(_) => f.write_str("funcref")?,
                Val::ExternRef(_) => f.write_str("externref")?,
                Val::AnyRef(_) => f.write_str("anyref")?,
                Val::ExnRef(_) => f.write_str("exnref")?,
            }
        }
        Ok(())
    }
}

impl StdError for ThrownException {}

impl Error {
    /// The exception, if that is what was thrown.
    pub fn exception(&self) -> Option<&ThrownException> {
        self.downcast_ref()
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Error {
        let thrown = (&error as &(dyn StdError + 'static)).is::<ThrownException>();
        Error::converted(if thrown { ErrorKind::Exception } else { ErrorKind::Host }, error)
    }
}

macro_rules! throwing {
    ($($ty:ty { $($generic:tt)* })*) => {$(
        impl<$($generic)*> $ty {
            /// Throws an exception: a host function returns this.
            ///
            /// ```
            /// use zwasm::*;
            /// let engine = Engine::default();
            /// let mut store = Store::new(&engine, ());
            /// let ty = ExnType::new(&engine, [ValType::I32])?;
            /// let tag = Tag::new(&mut store, &ty.tag_type())?;
            /// let fail = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>| -> Result<()> {
            ///     let pre = ExnRefPre::new(&mut caller, ty.clone());
            ///     let exn = ExnRef::new(&mut caller, &pre, &tag, &[Val::I32(7)])?;
            ///     caller.as_context_mut().throw(exn)
            /// });
            /// let error = fail.call(&mut store, &[], &mut []).unwrap_err();
            /// assert_eq!(error.kind(), ErrorKind::Exception);
            /// assert!(error.is::<ThrownException>());
            /// let exn = store.take_pending_exception().expect("it was not caught");
            /// assert_eq!(exn.field(&mut store, 0)?.i32(), Some(7));
            /// # Ok::<(), Error>(())
            /// ```
            ///
            /// # Errors
            ///
            /// Always: the thrown exception, or that it is of another store or gone.
            pub fn throw<R>(&mut self, exception: Rooted<ExnRef>) -> Result<R> {
                let core = self.as_context_mut().core();
                let thrown = ThrownException::new(self.as_context_mut(), exception)?;
                // SAFETY: the context is exclusive.
                unsafe { set_pending(core, &thrown) };
                Err(thrown.into())
            }

            /// The exception that was thrown last and that the guest has not caught, unless
            /// it has been taken.
            pub fn take_pending_exception(&mut self) -> Option<Rooted<ExnRef>> {
                let core = self.as_context_mut().core();
                // SAFETY: the context is exclusive.
                unsafe {
                    let pending = (*core).pending_exception.take()?;
                    let reference = (*core).gc.rooted(pending.0)?;
                    Some(Rooted::of(Handle::new(core, reference)))
                }
            }

            /// Whether there is such an exception.
            pub fn has_pending_exception(&self) -> bool {
                // SAFETY: the store is borrowed.
                unsafe { (*self.as_context().core()).pending_exception.is_some() }
            }
        }
    )*};
}
throwing! {
    Store<T> { T: 'static }
    StoreContextMut<'_, T> { T: 'static }
    Caller<'_, T> { T: 'static }
}

/// Remembers an exception that nothing has caught so far.
///
/// # Safety
///
/// `core` is valid and ours alone.
pub(super) unsafe fn set_pending(core: *mut StoreCore, thrown: &ThrownException) {
    // SAFETY: by the contract.
    unsafe {
        if let Some(reference) = thrown.reference(core) {
            (*core).pending_exception = Some((*core).gc.own(reference));
        }
    }
}
