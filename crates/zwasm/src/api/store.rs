//! Stores and what borrows them.
//!
//! Why this is sound is in the header of [`crate::store`].

use std::any::Any;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;

use crate::engine::Engine;
use crate::error::Result;
use crate::stack::fiber;
use crate::store::gc::full::GcHeapOutOfMemory;
use crate::store::stored::Stored;
use crate::store::total::Total;
use crate::store::{StoreCore, leak};

/// The state of a store; the core comes first, so that a pointer to either is a
/// pointer to both.
#[repr(C)]
struct Inner<T> {
    core: StoreCore,
    data: T,
}

/// Owns instances and everything they consist of, and data of the user's.
///
/// ```
/// let engine = zwasm::Engine::default();
/// let mut store = zwasm::Store::new(&engine, 41);
/// *store.data_mut() += 1;
/// assert_eq!(store.into_data(), 42);
/// ```
///
/// The type of the data is exact, as host functions are for it; a store is not one of
/// a supertype:
///
/// ```compile_fail,E0308
/// type Any = for<'a> fn(&'a str);
/// type One = fn(&'static str);
/// fn other(store: zwasm::Store<Any>) -> zwasm::Store<One> {
///     store
/// }
/// ```
///
/// ```compile_fail,E0308
/// type Any = for<'a> fn(&'a str);
/// type One = fn(&'static str);
/// fn other(store: zwasm::StoreContext<'_, Any>) -> zwasm::StoreContext<'_, One> {
///     store
/// }
/// ```
pub struct Store<T: 'static> {
    inner: NonNull<Inner<T>>,
    owns: PhantomData<Inner<T>>,
    /// Host functions write to the data.
    invariant: PhantomData<fn(T) -> T>,
}

// SAFETY: everything in the store is reached only through it; host functions and
// external references are `Send + Sync`, the stack is not in use while the store itself
// can be moved, and what waits on the stacks of fibers may go along.
unsafe impl<T: Send> Send for Store<T> {}
// SAFETY: a shared store only gives out shared references to data and contents.
unsafe impl<T: Sync> Sync for Store<T> {}

impl<T> Store<T> {
    /// An empty store with the user's data.
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        let inner = leak(Inner { core: StoreCore::new(engine), data });
        Store { inner, owns: PhantomData, invariant: PhantomData }
    }

    /// As [`Store::new`].
    ///
    /// # Errors
    ///
    /// None; where others have some.
    pub fn try_new(engine: &Engine, data: T) -> Result<Store<T>> {
        Ok(Store::new(engine, data))
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        // SAFETY: see the header of `store`.
        unsafe { &(*self.inner.as_ptr()).core.engine }
    }

    /// The user's data.
    pub fn data(&self) -> &T {
        // SAFETY: see the header of `store`.
        unsafe { &(*self.inner.as_ptr()).data }
    }

    /// The user's data, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        // SAFETY: see the header of `store`.
        unsafe { &mut (*self.inner.as_ptr()).data }
    }

    /// The user's data beside a core.
    ///
    /// # Safety
    ///
    /// The core is that of a store with data of this type, which nothing uses for `'a`.
    pub(super) unsafe fn data_of<'a>(core: *mut StoreCore) -> &'a mut T {
        // SAFETY: by the contract.
        unsafe { &mut (*core.cast::<Inner<T>>()).data }
    }

    /// The state.
    pub(super) fn core(&self) -> *mut StoreCore {
        self.inner.as_ptr().cast()
    }

    /// The same, borrowed.
    pub(super) fn core_ref(&self) -> &StoreCore {
        // SAFETY: see the header of `store`.
        unsafe { &*self.core() }
    }

    /// The same, to be changed.
    pub(crate) fn core_mut(&mut self) -> &mut StoreCore {
        // SAFETY: see the header of `store`.
        unsafe { &mut *self.core() }
    }

    /// Drops the store and returns the user's data.
    pub fn into_data(self) -> T {
        let inner = self.inner;
        // SAFETY: the store is ours alone, and nothing runs in it.
        unsafe { fiber::end_all(self.core()) };
        std::mem::forget(self);
        // SAFETY: the box was leaked by `new`, and `self` is forgotten.
        unsafe { Box::from_raw(inner.as_ptr()) }.data
    }
}

impl<T> Drop for Store<T> {
    fn drop(&mut self) {
        // SAFETY: the box was leaked by `new`, and this is the last use. What still waits in
        // the store ends before anything of it goes.
        unsafe { fiber::end_all(self.core()) };
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(self.inner.as_ptr()) });
    }
}

/// Collects garbage, and frees exceptions that nothing refers to.
///
/// # Safety
///
/// `core` is valid and ours alone.
unsafe fn collect(core: *mut StoreCore) {
    // SAFETY: by the contract; guest frames end at the value stack's top whenever the host
    // runs, and what the host refers to is rooted.
    unsafe {
        let top = (*core).value_top;
        StoreCore::collect_all(core, top);
    }
}

impl<T> Store<T> {
    /// Collects garbage now, because of `why` if that is given.
    ///
    /// # Errors
    ///
    /// None; where others have some.
    pub fn gc(&mut self, why: Option<&GcHeapOutOfMemory<()>>) -> Result<()> {
        self.as_context_mut().gc(why)
    }

    /// The bytes of the heap of garbage-collected objects, in use or not.
    pub fn gc_heap_capacity(&self) -> usize {
        self.core_ref().gc.heap.size()
    }
}

/// What stores made beside each other were refused; see [`Store::refusals`].
#[derive(Clone)]
pub struct Refusals(Arc<Total>);

impl Refusals {
    /// The first growth of a memory or table that a limit of the host did not allow,
    /// as a message that names the limit. The guest has seen no more than that
    /// growing failed.
    pub fn growth(&self) -> Option<String> {
        self.0.refused()
    }
}

impl<T> Store<T> {
    /// Makes a store that counts with another: [`Config::max_total`] holds for what
    /// both have together, this one's call stack included. For the threads of one guest.
    ///
    /// [`Config::max_total`]: crate::Config::max_total
    pub fn beside(other: &impl AsContext, data: T) -> Store<T> {
        let other = other.as_context();
        // SAFETY: the other store is borrowed.
        let total = unsafe { (*other.core()).total().clone() };
        let mut store = Store::new(other.engine(), data);
        store.core_mut().count_with(total);
        store
    }

    /// What this store and those beside it were refused, also while they run.
    pub fn refusals(&self) -> Refusals {
        Refusals(self.core_ref().total().clone())
    }
}

/// Shared access to a store.
pub struct StoreContext<'a, T: 'static> {
    inner: NonNull<Inner<T>>,
    borrow: PhantomData<&'a T>,
    exact: PhantomData<fn(T) -> T>,
}

/// Exclusive access to a store.
pub struct StoreContextMut<'a, T: 'static> {
    inner: NonNull<Inner<T>>,
    borrow: PhantomData<&'a mut T>,
}

// SAFETY: it borrows the store as `&Store` does, which only gives out shared references.
unsafe impl<T: Sync> Send for StoreContext<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for StoreContext<'_, T> {}
// SAFETY: it borrows the store as `&mut Store` does.
unsafe impl<T: Send> Send for StoreContextMut<'_, T> {}
// SAFETY: a shared one gives out shared references.
unsafe impl<T: Sync> Sync for StoreContextMut<'_, T> {}

impl<'a, T> StoreContext<'a, T> {
    /// The user's data.
    pub fn data(&self) -> &'a T {
        // SAFETY: the context borrows the store for `'a`.
        unsafe { &(*self.inner.as_ptr()).data }
    }

    /// The engine.
    pub fn engine(&self) -> &'a Engine {
        // SAFETY: as above.
        unsafe { &(*self.inner.as_ptr()).core.engine }
    }

    /// The store's value of type `A`, if it was made; see
    /// [`StoreContextMut::attachment`].
    pub fn attachment<A: Any + Default + Send + Sync>(&self) -> Option<&'a A> {
        self.core_ref().find_attachment()
    }

    pub(crate) fn core(&self) -> *mut StoreCore {
        self.inner.as_ptr().cast()
    }

    /// The state.
    pub(super) fn core_ref(&self) -> &'a StoreCore {
        // SAFETY: as above.
        unsafe { &*self.core() }
    }
}

impl<'a, T> StoreContextMut<'a, T> {
    /// A context for a host function that is called while the store runs.
    ///
    /// # Safety
    ///
    /// `core` is the core of a store with data of type `T`, and the context is
    /// used only while the guest waits for the host function.
    pub(crate) unsafe fn from_core(core: *mut StoreCore) -> StoreContextMut<'a, T> {
        // SAFETY: a store's core is never null.
        let inner = unsafe { NonNull::new_unchecked(core.cast()) };
        StoreContextMut { inner, borrow: PhantomData }
    }

    /// The user's data.
    pub fn data(&self) -> &T {
        // SAFETY: the context borrows the store exclusively for `'a`.
        unsafe { &(*self.inner.as_ptr()).data }
    }

    /// The user's data, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut (*self.inner.as_ptr()).data }
    }

    /// As [`Store::gc`].
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn gc(&mut self, why: Option<&GcHeapOutOfMemory<()>>) -> Result<()> {
        let _ = why;
        // SAFETY: the context is exclusive.
        unsafe { collect(self.core()) };
        Ok(())
    }

    /// As [`Store::gc_heap_capacity`].
    pub fn gc_heap_capacity(&self) -> usize {
        // SAFETY: the context borrows the store.
        unsafe { (*self.core()).gc.heap.size() }
    }

    /// The user's data, to be changed as long as the context could be.
    pub(crate) fn into_data_mut(self) -> &'a mut T {
        // SAFETY: as above; the context is used up.
        unsafe { &mut (*self.inner.as_ptr()).data }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        // SAFETY: as above.
        unsafe { &(*self.inner.as_ptr()).core.engine }
    }

    /// The store's one value of type `A`, beside the user's data: what a crate above
    /// this one keeps for a store. It is made when it is first asked for.
    pub fn attachment<A: Any + Default + Send + Sync>(&mut self) -> &mut A {
        // SAFETY: the context borrows the store exclusively, and through `self` no more
        // than this.
        unsafe { (*self.core()).attachment() }
    }

    pub(crate) fn core(&self) -> *mut StoreCore {
        self.inner.as_ptr().cast()
    }
}

/// What gives shared access to a store: stores, contexts and callers.
pub trait AsContext {
    /// The user's data in the store.
    type Data: 'static;
    /// The access.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// What gives exclusive access to a store.
pub trait AsContextMut: AsContext {
    /// The access.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

impl<T> AsContext for Store<T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: self.inner, borrow: PhantomData, exact: PhantomData }
    }
}

impl<T> AsContextMut for Store<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { inner: self.inner, borrow: PhantomData }
    }
}

impl<T> AsContext for StoreContext<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: self.inner, borrow: PhantomData, exact: PhantomData }
    }
}

impl<T> AsContext for StoreContextMut<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: self.inner, borrow: PhantomData, exact: PhantomData }
    }
}

impl<T> AsContextMut for StoreContextMut<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { inner: self.inner, borrow: PhantomData }
    }
}

impl<C: AsContext> AsContext for &C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContext> AsContext for &mut C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        C::as_context_mut(self)
    }
}

/// What a handle is of.
///
/// Both accessors follow its pointer, and so does nobody else who only looks or writes:
/// - The store is the handle's own, for its number is compared, and a store owns what it
///   has given handles to until it is dropped, which a context that borrows it prevents.
/// - A shared context lives at the same time as other shared ones only, and these change
///   nothing that handles are of; an exclusive one is used up, or lent for as long as
///   the answer lives. The guest runs with an exclusive context of its own, and waits
///   while a host function has one made from it.
impl<T> Stored<T> {
    /// What the handle is of, as long as its store is borrowed.
    ///
    /// # Errors
    ///
    /// If the handle is of another store; likewise below.
    pub(crate) fn of<'a, D>(&self, store: &StoreContext<'a, D>) -> Result<&'a T> {
        // SAFETY: see above.
        self.find(store.core()).map(|pointer| unsafe { pointer.as_ref() })
    }

    /// The same for as long as an exclusive context borrows the store.
    pub(crate) fn of_shared<'a, D>(&self, store: StoreContextMut<'a, D>) -> Result<&'a T> {
        // SAFETY: see above.
        self.find(store.core()).map(|pointer| unsafe { pointer.as_ref() })
    }

    /// The same, to be changed.
    pub(crate) fn of_mut<'a, D>(&self, store: StoreContextMut<'a, D>) -> Result<&'a mut T> {
        // SAFETY: see above.
        self.find(store.core()).map(|mut pointer| unsafe { pointer.as_mut() })
    }
}

/// What was found with a handle, where nothing can be returned instead.
///
/// # Panics
///
/// If the handle is of another store.
#[track_caller]
pub(super) fn expect<T>(found: Result<T>) -> T {
    match found {
        Ok(found) => found,
        Err(error) => panic!("{error}"),
    }
}

impl<'a, C: AsContext> From<&'a C> for StoreContext<'a, C::Data> {
    fn from(context: &'a C) -> Self {
        context.as_context()
    }
}

impl<'a, C: AsContext> From<&'a mut C> for StoreContext<'a, C::Data> {
    fn from(context: &'a mut C) -> Self {
        C::as_context(context)
    }
}

impl<'a, C: AsContextMut> From<&'a mut C> for StoreContextMut<'a, C::Data> {
    fn from(context: &'a mut C) -> Self {
        context.as_context_mut()
    }
}

impl<'a, T: 'static> From<StoreContextMut<'a, T>> for StoreContext<'a, T> {
    fn from(context: StoreContextMut<'a, T>) -> Self {
        StoreContext { inner: context.inner, borrow: PhantomData, exact: PhantomData }
    }
}

impl<T: Default> Default for Store<T> {
    /// A store with the default data, of an engine of its own.
    fn default() -> Store<T> {
        Store::new(&Engine::default(), T::default())
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("data", self.data()).finish_non_exhaustive()
    }
}
