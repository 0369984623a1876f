//! Engines and stores.

use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ops::Deref;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use runtime::{AsContextMut, Config, Engine, Error, StoreContextMut, StoreLimits};

use crate::attempt;
use crate::object::{Body, HostInfo};
use crate::vec::Ptr;
use crate::wasi::Given;

/// The user's data of every store.
pub struct Data {
    /// The store itself, for the functions it calls.
    pub store: Weak<Store>,
    /// A pointer of C's that belongs to the store.
    pub user: HostInfo,
    /// What WASI works with.
    pub wasi: Given,
    /// What WASI's resources are.
    #[cfg(feature = "component")]
    pub table: zwasm_component::ResourceTable,
    pub limits: StoreLimits,
}

/// A store, which lives as long as there is a reference to something in it.
pub struct Store {
    store: UnsafeCell<runtime::Store<Data>>,
    /// Host information of what the store owns. Dropped after the store, whose end
    /// may still call functions of C's.
    infos: Mutex<HashMap<Body, HostInfo>>,
}

// SAFETY: the headers demand that a store is used by one thread at a time; moving
// it between them is what `runtime::Store` allows.
unsafe impl Send for Store {}
// SAFETY: as above.
unsafe impl Sync for Store {}

/// `wasm_store_t`
#[derive(Clone)]
pub struct StoreRef(Arc<Store>);

impl Deref for StoreRef {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.0
    }
}

impl StoreRef {
    /// A store with a pointer of C's.
    pub fn new(engine: &Engine, user: HostInfo) -> StoreRef {
        StoreRef(Arc::new_cyclic(|store| {
            let data = Data {
                store: store.clone(),
                user,
                wasi: Given::default(),
                #[cfg(feature = "component")]
                table: zwasm_component::ResourceTable::new(),
                limits: StoreLimits::default(),
            };
            Store {
                store: UnsafeCell::new(runtime::Store::new(engine, data)),
                infos: Mutex::default(),
            }
        }))
    }

    /// The store of a function that is being called.
    pub fn of(data: &Data) -> runtime::Result<StoreRef> {
        let gone = || Error::msg("the store is being deleted");
        StoreRef::upgrade(&data.store).ok_or_else(gone)
    }

    pub fn upgrade(store: &Weak<Store>) -> Option<StoreRef> {
        store.upgrade().map(StoreRef)
    }

    pub fn downgrade(&self) -> Weak<Store> {
        Arc::downgrade(&self.0)
    }

    /// Whether both are the same store.
    pub fn is(&self, other: &StoreRef) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Store {
    /// Access to the store. At most one such is in use at a time, except that one
    /// waits while the guest it was used to call calls back.
    pub fn context(&self) -> StoreContextMut<'_, Data> {
        // SAFETY: one thread uses the store, and the exclusive reference lives only
        // until the context, which is no more than a pointer, is made.
        unsafe { (*self.store.get()).as_context_mut() }
    }

    /// As [`Store::context`], for what contexts do not have; nothing runs meanwhile.
    pub fn with<R>(&self, work: impl FnOnce(&mut runtime::Store<Data>) -> R) -> R {
        // SAFETY: as above.
        work(unsafe { &mut *self.store.get() })
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        self.context().engine().clone()
    }

    fn infos(&self) -> MutexGuard<'_, HashMap<Body, HostInfo>> {
        self.infos.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host information of something in the store.
    pub fn info(&self, body: &Body) -> *mut c_void {
        self.infos().get(body).map_or(ptr::null_mut(), HostInfo::data)
    }

    /// Changes it; what it was.
    pub fn set_info(&self, body: &Body, info: HostInfo) -> Option<HostInfo> {
        self.infos().insert(body.clone(), info)
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_engine_new() -> Ptr<Engine> {
    attempt(|| Ok(Box::new(Engine::default())))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_engine_new_with_config(config: Ptr<Config>) -> Ptr<Engine> {
    attempt(|| Engine::new(&config.unwrap_or_default()).map(Box::new))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_engine_delete(_: Ptr<Engine>) {}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_store_new(engine: &Engine) -> Ptr<StoreRef> {
    attempt(|| Ok(Box::new(StoreRef::new(engine, HostInfo::default()))))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_store_delete(store: Ptr<StoreRef>) {
    crate::guard(|| drop(store));
}
