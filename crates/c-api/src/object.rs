//! References: functions, instances, traps and all else that `wasm_ref_t` covers.
//!
//! They are one Rust type, so that the casts of `wasm.h` hand back the pointer they
//! were given, or null when the object is of another kind.
//!
//! Host information belongs to what is referred to, and all references to the same
//! thing see the same. Where the thing is this library's own (a module, a trap, a
//! foreign object), it holds the information; where it is the store's, the store
//! keeps a table of it, and the finalizers run when the store is gone.

use std::ffi::c_void;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use runtime::{AnyRef, Extern, Instance, OwnedRooted, ThrownException};

use crate::foreign::Foreign;
use crate::module::Module;
use crate::store::StoreRef;
use crate::trap::Trap;
use crate::vec::Ptr;
use crate::{guard, guard_or};

/// `wasm_ref_t` and everything that is one.
#[derive(Clone)]
pub struct Object {
    /// The store that what is referred to belongs to, if it does to one.
    store: Option<StoreRef>,
    pub body: Body,
}

/// What a reference refers to.
#[derive(Clone)]
pub enum Body {
    Extern(Extern),
    Instance(Instance),
    Module(Arc<Module>),
    Trap(Arc<Trap>),
    Foreign(Arc<Foreign>),
    /// An object of the guest's heap, or an integer.
    Any(OwnedRooted<AnyRef>),
    Exn(ThrownException),
}

impl Object {
    /// A reference to something in a store.
    pub fn of_store(store: &StoreRef, body: Body) -> Box<Object> {
        Box::new(Object { store: Some(store.clone()), body })
    }

    /// A reference to something in no store.
    pub fn free(body: Body) -> Box<Object> {
        Box::new(Object { store: None, body })
    }

    /// The store that what is referred to belongs to.
    pub fn store(&self) -> Option<&StoreRef> {
        self.store.as_ref()
    }

    /// The store and the external, if this is one.
    pub fn external(&self) -> Option<(&StoreRef, &Extern)> {
        match (&self.store, &self.body) {
            (Some(store), Body::Extern(item)) => Some((store, item)),
            _ => None,
        }
    }

    /// The store and the instance, if this is one.
    pub fn instance(&self) -> Option<(&StoreRef, Instance)> {
        match (&self.store, &self.body) {
            (Some(store), Body::Instance(instance)) => Some((store, *instance)),
            _ => None,
        }
    }

    /// Where the host information is, if what is referred to has it itself.
    fn own_info(&self) -> Option<MutexGuard<'_, HostInfo>> {
        let own = match &self.body {
            Body::Module(module) => &module.info,
            Body::Trap(trap) => &trap.info,
            Body::Foreign(foreign) => &foreign.info,
            _ => return None,
        };
        Some(own.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn info(&self) -> *mut c_void {
        match self.own_info() {
            Some(own) => own.data,
            None => self.store.as_ref().map_or(ptr::null_mut(), |store| store.info(&self.body)),
        }
    }

    fn set_info(&self, info: HostInfo) {
        let old = match (self.own_info(), &self.store) {
            (Some(mut own), _) => Some(std::mem::replace(&mut *own, info)),
            (None, Some(store)) => store.set_info(&self.body, info),
            (None, None) => None,
        };
        // The finalizer of what was there is C's and may ask for host information
        // itself, so it runs when nothing is locked any more.
        drop(old);
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Body) -> bool {
        match (self, other) {
            (Body::Extern(a), Body::Extern(b)) => a == b,
            (Body::Instance(a), Body::Instance(b)) => a == b,
            (Body::Module(a), Body::Module(b)) => Arc::ptr_eq(a, b),
            (Body::Trap(a), Body::Trap(b)) => Arc::ptr_eq(a, b),
            (Body::Foreign(a), Body::Foreign(b)) => Arc::ptr_eq(a, b),
            (Body::Any(a), Body::Any(b)) => a == b,
            (Body::Exn(a), Body::Exn(b)) => a.exn() == b.exn(),
            _ => false,
        }
    }
}

impl Eq for Body {}

impl Hash for Body {
    fn hash<H: Hasher>(&self, state: &mut H) {
        discriminant(self).hash(state);
        match self {
            Body::Extern(item) => item.hash(state),
            Body::Instance(instance) => instance.hash(state),
            Body::Module(module) => ptr::hash(&raw const **module, state),
            Body::Trap(trap) => ptr::hash(&raw const **trap, state),
            Body::Foreign(foreign) => ptr::hash(&raw const **foreign, state),
            Body::Any(reference) => reference.hash(state),
            Body::Exn(thrown) => thrown.exn().hash(state),
        }
    }
}

/// What frees a pointer of C's, if anything has to.
pub type Finalizer = Option<crate::Finalizer>;

/// A pointer of C's, given back to it when it is dropped.
pub struct HostInfo {
    data: *mut c_void,
    finalizer: Finalizer,
}

// SAFETY: the pointer is C's, and is not followed here. It is given back on the
// thread that drops what it belongs to, which is the user's choice.
unsafe impl Send for HostInfo {}
// SAFETY: as above.
unsafe impl Sync for HostInfo {}

impl HostInfo {
    pub fn new(data: *mut c_void, finalizer: Finalizer) -> HostInfo {
        HostInfo { data, finalizer }
    }

    pub fn data(&self) -> *mut c_void {
        self.data
    }

    /// Changes the pointer, which the same finalizer will get.
    pub fn set_data(&mut self, data: *mut c_void) {
        self.data = data;
    }
}

impl Default for HostInfo {
    fn default() -> HostInfo {
        HostInfo::new(ptr::null_mut(), None)
    }
}

impl Drop for HostInfo {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: the finalizer takes the pointer that was given with it, once.
            unsafe { crate::finalize(finalizer, self.data) }
        }
    }
}

/// Host information of something that is this library's own.
pub type OwnInfo = Mutex<HostInfo>;

/// What every kind of reference has.
macro_rules! references {
    ($($name:literal)*) => {$(
        const _: () = {
            #[unsafe(export_name = concat!("wasm_", $name, "_delete"))]
            pub extern "C" fn delete(object: Ptr<Object>) {
                guard(|| drop(object));
            }

            #[unsafe(export_name = concat!("wasm_", $name, "_copy"))]
            pub extern "C" fn copy(object: Option<&Object>) -> Ptr<Object> {
                guard(|| object.cloned().map(Box::new))
            }

            #[unsafe(export_name = concat!("wasm_", $name, "_same"))]
            pub extern "C" fn same(a: Option<&Object>, b: Option<&Object>) -> bool {
                a.map(|a| &a.body) == b.map(|b| &b.body)
            }

            #[unsafe(export_name = concat!("wasm_", $name, "_get_host_info"))]
            pub extern "C" fn get_host_info(object: &Object) -> *mut c_void {
                guard_or(ptr::null_mut, || object.info())
            }

            #[unsafe(export_name = concat!("wasm_", $name, "_set_host_info"))]
            pub extern "C" fn set_host_info(object: &Object, data: *mut c_void) {
                guard(|| object.set_info(HostInfo::new(data, None)));
            }

            #[unsafe(export_name = concat!("wasm_", $name, "_set_host_info_with_finalizer"))]
            pub extern "C" fn set_host_info_with_finalizer(
                object: &Object,
                data: *mut c_void,
                finalizer: Finalizer,
            ) {
                guard(|| object.set_info(HostInfo::new(data, finalizer)));
            }
        };
    )*};
}

references! {
    "ref" "trap" "foreign" "module" "func" "global" "table" "memory" "extern" "instance"
}

/// Casts of a kind of reference, up to a more general kind and back.
macro_rules! casts {
    ($($up:literal $down:literal $is:expr;)*) => {$(
        const _: () = {
            #[unsafe(export_name = concat!("wasm_", $down, "_as_", $up))]
            pub extern "C" fn up(object: *mut Object) -> *mut Object {
                object
            }

            #[unsafe(export_name = concat!("wasm_", $down, "_as_", $up, "_const"))]
            pub extern "C" fn up_const(object: Option<&Object>) -> Option<&Object> {
                object
            }

            #[unsafe(export_name = concat!("wasm_", $up, "_as_", $down))]
            pub unsafe extern "C" fn down(object: *mut Object) -> *mut Object {
                // SAFETY: see the crate's header. What is cast may be in use, so that no
                // exclusive reference to it is made.
                let is = unsafe { object.as_ref() }.is_some_and(|object| ($is)(&object.body));
                if is { object } else { ptr::null_mut() }
            }

            #[unsafe(export_name = concat!("wasm_", $up, "_as_", $down, "_const"))]
            pub extern "C" fn down_const(object: Option<&Object>) -> Option<&Object> {
                object.filter(|object| ($is)(&object.body))
            }
        };
    )*};
}

/// A test for a kind of reference.
macro_rules! is {
    ($kind:pat) => {
        |body: &Body| matches!(body, $kind)
    };
}

fn is_memory(body: &Body) -> bool {
    #[cfg(feature = "threads")]
    if matches!(body, Body::Extern(Extern::SharedMemory(_))) {
        return true;
    }
    matches!(body, Body::Extern(Extern::Memory(_)))
}

casts! {
    "ref" "trap" is!(Body::Trap(_));
    "ref" "foreign" is!(Body::Foreign(_));
    "ref" "module" is!(Body::Module(_));
    "ref" "func" is!(Body::Extern(Extern::Func(_)));
    "ref" "global" is!(Body::Extern(Extern::Global(_)));
    "ref" "table" is!(Body::Extern(Extern::Table(_)));
    "ref" "memory" is_memory;
    "ref" "extern" is!(Body::Extern(_));
    "ref" "instance" is!(Body::Instance(_));
    "extern" "func" is!(Body::Extern(Extern::Func(_)));
    "extern" "global" is!(Body::Extern(Extern::Global(_)));
    "extern" "table" is!(Body::Extern(Extern::Table(_)));
    "extern" "memory" is_memory;
}
