//! Panics inside the library arrive in C as errors.
//!
//! C cannot cause one, so that these functions are called as C calls them, with objects
//! whose Rust side panics.

use std::ffi::{CStr, CString, c_void};
use std::mem::MaybeUninit;

use runtime::{Engine, ExternRef, Func, ResourceLimiter, RootScope};

use crate::func::wasm_func_call;
use crate::instance::{wasm_instance_new, zwasm_instance_export};
use crate::items::wasm_memory_grow;
use crate::linker::{zwasm_linker_define, zwasm_linker_instantiate, zwasm_linker_new};
use crate::module::wasm_module_new;
use crate::object::{Body, HostInfo, Object};
use crate::store::{Data, StoreRef, wasm_store_delete, wasm_store_new};
use crate::trap::{wasm_trap_message, zwasm_trap_error};
use crate::value::Val;
use crate::vec::{CVec, Ptr};
use crate::{zwasm_last_error, zwasm_version};

const FAILED: &str = "the library failed: see its message on standard error";

fn store() -> Box<StoreRef> {
    wasm_store_new(&Engine::default()).expect("a store")
}

/// A host function that panics.
fn bomb(store: &StoreRef) -> Box<Object> {
    let func = Func::wrap(store.context(), || -> () { panic!("a host function panics") });
    Object::of_store(store, Body::Extern(func.into()))
}

fn module(store: &StoreRef, text: &str) -> Box<Object> {
    let binary = CVec::from(wat::parse_str(text).expect("it is valid"));
    wasm_module_new(store, &binary).expect("a module")
}

fn last_error() -> String {
    let message = zwasm_last_error();
    assert!(!message.is_null());
    // SAFETY: the message is good until the next failure on this thread.
    unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned()
}

/// What a trap says; it is one of the host.
fn said(trap: Ptr<Object>) -> String {
    let trap = trap.expect("it has failed");
    assert_eq!(zwasm_trap_error(&trap), 0);
    let mut message = MaybeUninit::uninit();
    wasm_trap_message(&trap, &mut message);
    // SAFETY: it has been written.
    let message = unsafe { message.assume_init() };
    message.text().trim_end_matches('\0').to_owned()
}

#[test]
fn a_panic_of_a_host_function_is_a_trap() {
    let store = store();
    let bomb = bomb(&store);
    assert_eq!(said(wasm_func_call(&bomb, None, None)), FAILED);
    assert_eq!(last_error(), FAILED);
    // Through the guest, and a host function of the guest's.
    let text = r#"(module (import "" "" (func $bomb))
        (func (export "run") (call $bomb))
        (func (export "fine") (result i32) (i32.const 7)))"#;
    let module = module(&store, text);
    let imports = CVec::from(vec![Some(bomb)]);
    let instance = wasm_instance_new(&store, &module, Some(&imports), None).expect("an instance");
    let export = |name: &str| {
        let name = CString::new(name).expect("a name");
        // SAFETY: the name is a string of C's.
        unsafe { zwasm_instance_export(&instance, name.as_ptr()) }.expect("it is exported")
    };
    for _ in 0..3 {
        assert_eq!(said(wasm_func_call(&export("run"), None, None)), FAILED);
        // The store works as before.
        let mut results = CVec::from(vec![Val::default()]);
        assert!(wasm_func_call(&export("fine"), None, Some(&mut results)).is_none());
    }
}

#[test]
fn a_panic_of_a_host_function_is_an_error_of_wasmtime() {
    use crate::wasmtime::tests::{called, message};
    let store = store();
    let func = Func::wrap(store.context(), || -> () { panic!("a host function panics") });
    for _ in 0..2 {
        assert_eq!(message(&called(&store, func).expect("it has failed")), FAILED);
    }
    let func = Func::wrap(store.context(), || ());
    assert!(called(&store, func).is_none());
}

#[test]
fn a_panic_where_a_module_starts_is_a_trap() {
    let store = store();
    let text = r#"(module (import "m" "n" (func $bomb)) (start $bomb))"#;
    let module = module(&store, text);
    let imports = CVec::from(vec![Some(bomb(&store))]);
    let mut trap = MaybeUninit::uninit();
    assert!(wasm_instance_new(&store, &module, Some(&imports), Some(&mut trap)).is_none());
    // SAFETY: it has been written.
    assert_eq!(said(unsafe { trap.assume_init() }), FAILED);
    let linker = zwasm_linker_new(&store.engine()).expect("a linker");
    for _ in 0..2 {
        let mut trap = MaybeUninit::uninit();
        // SAFETY: the names are strings of C's.
        let defined =
            unsafe { zwasm_linker_define(&linker, c"m".as_ptr(), c"n".as_ptr(), &bomb(&store)) };
        // The second time the name is taken; the linker is not locked for ever.
        assert!(defined || last_error().contains("defined twice"));
        assert!(zwasm_linker_instantiate(&linker, &store, &module, Some(&mut trap)).is_none());
        // SAFETY: it has been written.
        assert_eq!(said(unsafe { trap.assume_init() }), FAILED);
    }
}

struct Moody;

impl ResourceLimiter for Moody {
    fn memory_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> runtime::Result<bool> {
        panic!("a limiter panics");
    }
    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> runtime::Result<bool> {
        Ok(true)
    }
}

#[test]
fn a_panic_without_a_trap_is_the_failure_that_the_type_allows() {
    let store = store();
    let ty = runtime::MemoryType::new(1, None);
    let memory = runtime::Memory::new(store.context(), ty).expect("a memory");
    let memory = Object::of_store(&store, Body::Extern(memory.into()));
    store.with(|store| {
        store.limiter(|_: &mut Data| Box::leak(Box::new(Moody)));
    });
    assert!(!wasm_memory_grow(&memory, 1));
    assert_eq!(last_error(), FAILED);
    // A store whose contents panic as they go.
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a destructor panics");
        }
    }
    ExternRef::new(store.context(), Bomb).expect("a reference");
    drop(memory);
    wasm_store_delete(Some(store));
    assert_eq!(last_error(), FAILED);
    assert!(!zwasm_version().is_null());
}

/// A finalizer that uses the store which is collecting.
#[test]
fn finalizers_wait_until_the_library_is_done() {
    struct Ran {
        store: *const StoreRef,
        times: usize,
    }
    unsafe extern "C" fn finalizer(data: *mut c_void) {
        // SAFETY: it is the pointer given with it, and its owner waits.
        let ran = unsafe { &mut *data.cast::<Ran>() };
        ran.times += 1;
        // SAFETY: the store lives until the end of the test.
        let store = unsafe { &*ran.store };
        let context = store.context();
        let ty = runtime::MemoryType::new(1, None);
        runtime::Memory::new(context, ty).expect("a memory");
    }
    let store = store();
    let mut ran = Ran { store: &raw const *store, times: 0 };
    let data: *mut Ran = &raw mut ran;
    {
        let mut scope = RootScope::new(store.context());
        for _ in 0..10 {
            let info = HostInfo::new(data.cast(), Some(finalizer));
            ExternRef::new(&mut scope, info).expect("a reference");
        }
    }
    let text = r#"(module (type $a (array i8)) (import "" "" (func $see))
        (func (export "run") (param i32)
          (loop $again
            (drop (array.new_default $a (i32.const 100000)))
            (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
          (call $see)))"#;
    let module = module(&store, text);
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(usize::MAX));
    let (see, at) = (seen.clone(), data as usize);
    let see = Func::wrap(store.context(), move || {
        // SAFETY: the counter lives as long as the test, on this thread.
        let times = unsafe { (*(at as *const Ran)).times };
        see.store(times, std::sync::atomic::Ordering::Relaxed);
    });
    let imports = CVec::from(vec![Some(Object::of_store(&store, Body::Extern(see.into())))]);
    let instance = wasm_instance_new(&store, &module, Some(&imports), None).expect("an instance");
    // SAFETY: the name is a string of C's.
    let run = unsafe { zwasm_instance_export(&instance, c"run".as_ptr()) }.expect("a function");
    // SAFETY: an i32 has been written where the kind says so.
    let argument =
        CVec::from(vec![Val::from_runtime(&store, store.context(), 1000.into()).expect("a value")]);
    assert!(wasm_func_call(&run, Some(&argument), None).is_none());
    // Collected while the guest ran, given back when it had returned.
    assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), 0);
    // SAFETY: as above.
    assert_eq!(unsafe { (*data).times }, 10);
}
