//! Handles: what embedders hold of references, and how long.

use std::fmt::{self, Debug, Formatter};
use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;
use std::ops::Deref;

use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut, expect};
use crate::error::{Error, Result};
use crate::store::StoreCore;
use crate::store::gc::Root;
use crate::store::held::Token;

/// A root of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    /// Not zero, so that an optional handle takes no more room.
    pub(in crate::api) store: NonZeroU64,
    pub(in crate::api) root: Root,
}

impl Handle {
    /// Roots a reference that is not null in the innermost scope.
    ///
    /// # Safety
    ///
    /// `core` is valid and exclusive, and the reference is one of its heap or to one of its
    /// exceptions.
    pub(crate) unsafe fn new(core: *mut StoreCore, reference: u64) -> Handle {
        // SAFETY: by the contract.
        unsafe { Handle { store: (*core).id, root: (*core).gc.root(reference) } }
    }

    /// Roots a reference that is not null as long as the token lives.
    ///
    /// # Safety
    ///
    /// As [`Handle::new`].
    pub(crate) unsafe fn owned(core: *mut StoreCore, reference: u64) -> (Handle, Token) {
        // SAFETY: by the contract.
        unsafe {
            let (root, token) = (*core).gc.own(reference);
            (Handle { store: (*core).id, root }, token)
        }
    }

    /// The reference; none if the scope has ended or the store is another one.
    pub(crate) fn reference(self, core: *const StoreCore) -> Option<u64> {
        // SAFETY: contexts only give out pointers to live stores.
        unsafe {
            let gc = &(*core).gc;
            if self.store == (*core).id { gc.rooted(self.root) } else { None }
        }
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn get(self, core: *const StoreCore) -> Result<u64> {
        self.reference(core).ok_or_else(|| {
            // SAFETY: as above.
            Error::msg(if self.store == unsafe { (*core).id } {
                "attempted to use a garbage-collected object that has been unrooted"
            } else {
                "object used with the wrong store"
            })
        })
    }
}

pub(crate) mod sealed {
    use super::Handle;
    use crate::api::types::HeapType;

    /// Who has one is of this crate: what is public only because a bound names it takes one.
    #[derive(Clone, Copy)]
    pub struct Seal(());

    impl Seal {
        pub(crate) const OURS: Seal = Seal(());
    }

    /// What a type of references is made of.
    pub trait Sealed: Copy + Send + Sync + 'static {
        #[doc(hidden)]
        const HEAP: HeapType;
        #[doc(hidden)]
        fn of(handle: Handle, seal: Seal) -> Self;
        #[doc(hidden)]
        fn handle(&self, seal: Seal) -> Handle;
    }

    /// What holds a reference.
    pub trait Root<T> {
        #[doc(hidden)]
        fn root(&self, seal: Seal) -> Handle;
    }
}
use sealed::Seal;

/// The types of what is referred to: [`ExternRef`](crate::ExternRef),
/// [`AnyRef`](crate::AnyRef) and those below it, [`ExnRef`](crate::ExnRef).
pub trait GcRef: sealed::Sealed {}

/// What holds a reference: [`Rooted`] and [`OwnedRooted`].
pub trait RootedGcRef<T: GcRef>: sealed::Root<T> {}

/// Declares a type of references.
macro_rules! gc_ref {
    ($(#[$doc:meta])* $name:ident $heap:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(pub(crate) crate::api::gc::rooted::Handle);

        impl crate::api::gc::rooted::sealed::Sealed for $name {
            const HEAP: crate::api::types::HeapType = crate::api::types::HeapType::$heap;

            fn of(
                handle: crate::api::gc::rooted::Handle,
                _: crate::api::gc::rooted::sealed::Seal,
            ) -> Self {
                $name(handle)
            }

            fn handle(
                &self,
                _: crate::api::gc::rooted::sealed::Seal,
            ) -> crate::api::gc::rooted::Handle {
                self.0
            }
        }

        impl crate::api::gc::rooted::GcRef for $name {}
    };
}
pub(crate) use gc_ref;

/// A reference that is good until the innermost scope ends in which it was made; see
/// [`RootScope`].
///
/// ```
/// use zwasm::{Engine, ExternRef, Rooted, Store};
/// let mut store = Store::new(&Engine::default(), ());
/// let a: Rooted<ExternRef> = ExternRef::new(&mut store, 5)?;
/// let b = ExternRef::new(&mut store, 5)?;
/// assert!(Rooted::ref_eq(&store, &a, &a)? && !Rooted::ref_eq(&store, &a, &b)?);
/// # Ok::<(), zwasm::Error>(())
/// ```
pub struct Rooted<T: GcRef>(T);

impl<T: GcRef> Rooted<T> {
    pub(crate) fn of(handle: Handle) -> Rooted<T> {
        Rooted(T::of(handle, Seal::OURS))
    }

    pub(crate) fn handle(&self) -> Handle {
        self.0.handle(Seal::OURS)
    }

    /// The same handle as one to what is referred to as another type.
    pub(crate) fn cast<U: GcRef>(self) -> Rooted<U> {
        Rooted::of(self.handle())
    }

    /// The same reference, good for as long as the result or a clone of it lives.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store.
    pub fn to_owned_rooted(&self, mut store: impl AsContextMut) -> Result<OwnedRooted<T>> {
        let core = store.as_context_mut().core();
        let reference = self.handle().get(core)?;
        // SAFETY: the context is exclusive, and the reference was rooted.
        Ok(unsafe { OwnedRooted::new(core, reference) })
    }

    /// Whether both are the same root, not only roots of the same reference.
    pub fn rooted_eq(a: Self, b: Self) -> bool {
        a.handle() == b.handle()
    }

    /// Whether both refer to the same object, or are the same integer.
    ///
    /// # Errors
    ///
    /// If the scope of either has ended or it is of another store.
    pub fn ref_eq(
        store: impl AsContext,
        a: &impl RootedGcRef<T>,
        b: &impl RootedGcRef<T>,
    ) -> Result<bool> {
        let core = store.as_context().core();
        Ok(a.root(Seal::OURS).get(core)? == b.root(Seal::OURS).get(core)?)
    }

    /// Hashes the root.
    pub fn rooted_hash<H: Hasher>(&self, state: &mut H) {
        self.handle().hash(state);
    }

    /// Hashes the reference: alike for all that are [equal](Rooted::ref_eq).
    ///
    /// # Errors
    ///
    /// If the scope has ended or it is of another store.
    pub fn ref_hash<H: Hasher>(&self, store: impl AsContext, state: &mut H) -> Result<()> {
        self.handle().get(store.as_context().core())?.hash(state);
        Ok(())
    }
}

impl Hash for Handle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.store.hash(state);
        self.root.hash(state);
    }
}

impl<T: GcRef> Clone for Rooted<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: GcRef> Copy for Rooted<T> {}

impl<T: GcRef> Debug for Rooted<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rooted").field(&self.handle()).finish()
    }
}

impl<T: GcRef> Deref for Rooted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: GcRef> sealed::Root<T> for Rooted<T> {
    fn root(&self, _: Seal) -> Handle {
        self.handle()
    }
}

impl<T: GcRef> RootedGcRef<T> for Rooted<T> {}

/// A reference that ends with no scope: it lives as long as this or a clone of it,
/// which can be dropped without the store.
///
/// ```
/// use zwasm::{Engine, ExternRef, RootScope, Store};
/// let mut store = Store::new(&Engine::default(), ());
/// let owned = {
///     let mut scope = RootScope::new(&mut store);
///     ExternRef::new(&mut scope, 5)?.to_owned_rooted(&mut scope)?
/// };
/// let value = owned.data(&store)?;
/// assert_eq!(value.and_then(|value| value.downcast_ref()), Some(&5));
/// # Ok::<(), zwasm::Error>(())
/// ```
pub struct OwnedRooted<T: GcRef> {
    root: T,
    pub(in crate::api) token: Token,
}

impl<T: GcRef> OwnedRooted<T> {
    /// A reference that the token keeps.
    ///
    /// # Safety
    ///
    /// As [`Handle::new`].
    pub(crate) unsafe fn new(core: *mut StoreCore, reference: u64) -> OwnedRooted<T> {
        // SAFETY: by the contract.
        let (handle, token) = unsafe { Handle::owned(core, reference) };
        OwnedRooted { root: T::of(handle, Seal::OURS), token }
    }

    /// The same reference in the innermost scope.
    ///
    /// # Panics
    ///
    /// If it is of another store.
    #[track_caller]
    pub fn to_rooted(&self, mut store: impl AsContextMut) -> Rooted<T> {
        let core = store.as_context_mut().core();
        let reference = expect(self.root.handle(Seal::OURS).get(core));
        // SAFETY: the context is exclusive, and the reference is rooted.
        Rooted::of(unsafe { Handle::new(core, reference) })
    }

    /// As [`Rooted::ref_eq`].
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn ref_eq(
        store: impl AsContext,
        a: &impl RootedGcRef<T>,
        b: &impl RootedGcRef<T>,
    ) -> Result<bool> {
        Rooted::ref_eq(store, a, b)
    }

    /// Hashes the root.
    pub fn rooted_hash<H: Hasher>(&self, state: &mut H) {
        self.root.handle(Seal::OURS).hash(state);
    }

    /// Hashes the reference: alike for all that are [equal](OwnedRooted::ref_eq).
    ///
    /// # Panics
    ///
    /// If it is of another store.
    #[track_caller]
    pub fn ref_hash<H: Hasher>(&self, store: impl AsContext, state: &mut H) {
        expect(self.root.handle(Seal::OURS).get(store.as_context().core())).hash(state);
    }

    pub(crate) fn handle(&self) -> Handle {
        self.root.handle(Seal::OURS)
    }

    /// What a handle and its token are.
    pub(in crate::api) fn of(handle: Handle, token: Token) -> OwnedRooted<T> {
        OwnedRooted { root: T::of(handle, Seal::OURS), token }
    }

    /// The same reference as one to another type.
    pub(crate) fn cast<U: GcRef>(self) -> OwnedRooted<U> {
        OwnedRooted { root: U::of(self.handle(), Seal::OURS), token: self.token }
    }
}

impl<T: GcRef> Clone for OwnedRooted<T> {
    fn clone(&self) -> Self {
        OwnedRooted { root: self.root, token: self.token.clone() }
    }
}

/// Whether both refer to the same object, or are the same integer.
impl<T: GcRef> PartialEq for OwnedRooted<T> {
    fn eq(&self, other: &Self) -> bool {
        self.handle().store == other.handle().store && self.token == other.token
    }
}

impl<T: GcRef> Eq for OwnedRooted<T> {}

impl<T: GcRef> Hash for OwnedRooted<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.token.hash(state);
    }
}

impl<T: GcRef> Debug for OwnedRooted<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedRooted").field(&self.root.handle(Seal::OURS)).finish()
    }
}

impl<T: GcRef> Deref for OwnedRooted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.root
    }
}

impl<T: GcRef> sealed::Root<T> for OwnedRooted<T> {
    fn root(&self, _: Seal) -> Handle {
        self.root.handle(Seal::OURS)
    }
}

impl<T: GcRef> RootedGcRef<T> for OwnedRooted<T> {}

/// What older code calls an [`OwnedRooted`].
pub type ManuallyRooted<T> = OwnedRooted<T>;

/// Releases, when it is dropped, all references made through it: of the store that the
/// context gave when the scope began.
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
}

impl<C: AsContextMut> RootScope<C> {
    /// Begins a scope.
    pub fn new(mut store: C) -> RootScope<C> {
        // SAFETY: the context is exclusive.
        let core = unsafe { &*store.as_context_mut().core() };
        let (id, start) = (core.id, core.gc.open_scope());
        RootScope { id, start, store }
    }

    /// Makes room for so many references.
    pub fn reserve(&mut self, additional: usize) {
        // SAFETY: the context is exclusive.
        unsafe { (*self.store.as_context_mut().core()).gc.reserve_roots(additional) }
    }
}

impl<C: AsContextMut> Drop for RootScope<C> {
    fn drop(&mut self) {
        // SAFETY: the context is exclusive.
        let core = unsafe { &mut *self.store.as_context_mut().core() };
        // Of another store, what the scope knows means nothing.
        if core.id == self.id {
            core.gc.close_scope(self.start);
        }
    }
}

impl<C: AsContextMut> AsContext for RootScope<C> {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        self.store.as_context()
    }
}

impl<C: AsContextMut> AsContextMut for RootScope<C> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        self.store.as_context_mut()
    }
}
