//! Exceptions as the API sees them: a reference to one, and one thrown.

use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};
use std::num::NonZeroU64;
use std::sync::Arc;

use super::externs::Tag;
use super::store::AsContextMut;
use super::val::Val;
use crate::error::{Error, ErrorKind, Result};
use crate::store::StoreCore;
use crate::store::stored::Stored;

/// A reference to an exception.
///
/// The exception lives as long as the guest or a [`ThrownException`] refers to
/// it. Moreover the store keeps one whose reference the host has made or been
/// given: until the host function returns that got it or the
/// [`RootScope`](crate::RootScope) ends in which it was got, or, outside of any, as
/// long as the store itself. A reference used later gives an error.
///
/// ```
/// use zwasm::{Engine, ExnRef, FuncType, Store, Tag, TagType, Val, ValType};
/// let mut store = Store::new(&Engine::default(), ());
/// let tag = Tag::new(&mut store, &TagType::new(FuncType::new([ValType::I32], [])));
/// let exn = ExnRef::new(&mut store, &tag, &[Val::I32(7)])?;
/// assert_eq!(exn.tag(&mut store)?, tag);
/// assert_eq!(exn.values(&mut store)?[0].i32(), Some(7));
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExnRef {
    store: NonZeroU64,
    reference: u64,
}

impl ExnRef {
    /// A new exception with values of the tag's type.
    ///
    /// # Errors
    ///
    /// If number or types of the values are wrong or the tag is of another store, or
    /// [`ErrorKind::Limit`] if the store has no room for it.
    ///
    /// [`ErrorKind::Limit`]: crate::ErrorKind::Limit
    pub fn new(mut store: impl AsContextMut, tag: &Tag, values: &[Val]) -> Result<ExnRef> {
        let core = store.as_context_mut().core();
        let tag = tag.0.find(core)?;
        // SAFETY: the context is exclusive.
        let ty = unsafe { (*core).engine.types().func_type(tag.as_ref().ty) };
        let types = ty.params_slice();
        if types.len() != values.len() {
            let (want, got) = (types.len(), values.len());
            return Err(Error::msg(format!("expected {want} values, got {got}")));
        }
        for (value, ty) in values.iter().zip(types) {
            value.check(core, *ty)?;
        }
        // SAFETY: the context is exclusive, the values have been checked, and all
        // frames end where the next activation would start.
        unsafe {
            let mut slots = vec![0; tag.as_ref().slots];
            Val::write_all(core, values, types, &mut slots);
            let reference = StoreCore::add_exception(core, tag, &slots, (*core).value_top)?;
            (*core).exceptions.keep(reference);
            Ok(ExnRef { store: (*core).id, reference })
        }
    }

    /// The tag it was made with.
    ///
    /// # Errors
    ///
    /// If the exception is of another store or gone.
    pub fn tag(&self, mut store: impl AsContextMut) -> Result<Tag> {
        let core = store.as_context_mut().core();
        // SAFETY: the store is borrowed.
        unsafe { self.parts(core).map(|(tag, _)| tag) }
    }

    /// The values it carries.
    ///
    /// # Errors
    ///
    /// As [`ExnRef::tag`].
    pub fn values(&self, mut store: impl AsContextMut) -> Result<Box<[Val]>> {
        let core = store.as_context_mut().core();
        // SAFETY: the store is borrowed.
        unsafe {
            let (_, values) = self.parts(core)?;
            values.iter().for_each(|value| value.keep(core));
            Ok(values)
        }
    }

    /// Throws the exception: a host function returns this as its error.
    ///
    /// ```
    /// use zwasm::*;
    /// let mut store = Store::new(&Engine::default(), ());
    /// let tag = Tag::new(&mut store, &TagType::new(FuncType::new([ValType::I32], [])));
    /// let fail = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>| -> Result<()> {
    ///     let exn = ExnRef::new(&mut caller, &tag, &[Val::I32(7)])?;
    ///     Err(exn.throw(&mut caller)?.into())
    /// });
    /// let error = fail.call(&mut store, &[], &mut []).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Exception);
    /// assert_eq!(error.exception().unwrap().values()[0].i32(), Some(7));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`ExnRef::tag`].
    pub fn throw(&self, mut store: impl AsContextMut) -> Result<ThrownException> {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive.
        let thrown = unsafe {
            let own = self.store == (*core).id;
            own.then(|| ThrownException::of(core, self.reference)).flatten()
        };
        thrown.ok_or_else(gone)
    }

    /// # Safety
    ///
    /// `core` is valid.
    unsafe fn parts(&self, core: *mut StoreCore) -> Result<(Tag, Box<[Val]>)> {
        // SAFETY: by the contract.
        let parts = unsafe {
            let own = self.store == (*core).id;
            own.then(|| parts(core, self.reference)).flatten()
        };
        parts.ok_or_else(gone)
    }

    /// Whether the exception is in this store.
    pub(crate) fn is_of(&self, core: *const StoreCore) -> bool {
        // SAFETY: contexts only give out pointers to live stores.
        unsafe { self.store == (*core).id && (*core).exceptions.get(self.reference).is_some() }
    }

    /// The reference as slots hold it.
    pub(crate) fn reference(&self) -> u64 {
        self.reference
    }

    /// # Safety
    ///
    /// `core` is valid and the slot holds an exception reference of it.
    pub(crate) unsafe fn from_slot(core: *const StoreCore, slot: u64) -> Option<ExnRef> {
        // SAFETY: by the contract.
        let store = unsafe { (*core).id };
        (slot != 0).then_some(ExnRef { store, reference: slot })
    }
}

pub(crate) fn gone() -> Error {
    Error::msg("the exception is of another store or nothing refers to it any more")
}

/// Tag and values of an exception of a store.
///
/// # Safety
///
/// `core` is valid and exclusive.
unsafe fn parts(core: *mut StoreCore, reference: u64) -> Option<(Tag, Box<[Val]>)> {
    // SAFETY: by the contract; the slots hold values of the tag's type.
    unsafe {
        let (tag, slots) = (*core).exceptions.get(reference)?;
        let ty = (*core).engine.types().func_type(tag.as_ref().ty);
        let mut values = vec![Val::I32(0); ty.params_slice().len()];
        Val::read_all(core, &mut values, ty.params_slice(), slots);
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
    exn: ExnRef,
    tag: Tag,
    values: Box<[Val]>,
    /// Keeps the exception in the store.
    _held: Arc<()>,
}

impl ThrownException {
    /// The exception of a store that slots hold as `reference`, if it is there.
    ///
    /// # Safety
    ///
    /// `core` is valid and ours alone.
    pub(crate) unsafe fn of(core: *mut StoreCore, reference: u64) -> Option<ThrownException> {
        // SAFETY: by the contract.
        unsafe {
            let (tag, values) = parts(core, reference)?;
            let exn = ExnRef { store: (*core).id, reference };
            let held = (*core).exceptions.hold(reference);
            Some(ThrownException { exn, tag, values, _held: held })
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

    /// A reference to the exception, good as long as `self`.
    pub fn exn(&self) -> ExnRef {
        self.exn
    }

    /// The reference as slots hold it, if the exception is in this store.
    pub(crate) fn reference(&self, core: *const StoreCore) -> Option<u64> {
        self.exn.is_of(core).then_some(self.exn.reference)
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
                Val::V128(bits) => write!(f, "v128 {bits:#034x}")?,
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
