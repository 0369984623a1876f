//! Access violations that are not the guest's belong to whoever else handles them. The
//! handler is installed once per process, so this is the only test here.
#![cfg(all(feature = "wat", feature = "jit", target_arch = "x86_64", windows))]

use std::ptr::null;
use std::sync::atomic::{AtomicUsize, Ordering};

use windows_sys::Win32::Foundation::EXCEPTION_ACCESS_VIOLATION;
use windows_sys::Win32::System::Diagnostics::Debug::{
    AddVectoredExceptionHandler, EXCEPTION_CONTINUE_EXECUTION, EXCEPTION_CONTINUE_SEARCH,
    EXCEPTION_POINTERS,
};
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_RESERVE, PAGE_NOACCESS, PAGE_READONLY, VirtualAlloc, VirtualProtect,
};
use zwasm::{Config, Engine, Instance, Module, Store, Strategy, Trap};

static PAGE: AtomicUsize = AtomicUsize::new(0);
static FAULTS: AtomicUsize = AtomicUsize::new(0);

/// Makes the test's page accessible if that was hit, and counts.
unsafe extern "system" fn open_page(info: *mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the system passes valid structures, and the page is the test's.
    unsafe {
        let record = &*(*info).ExceptionRecord;
        let page = PAGE.load(Ordering::SeqCst);
        if record.ExceptionCode != EXCEPTION_ACCESS_VIOLATION
            || record.ExceptionInformation[1] & !4095 != page
        {
            return EXCEPTION_CONTINUE_SEARCH;
        }
        FAULTS.fetch_add(1, Ordering::SeqCst);
        let mut old = 0;
        assert_ne!(VirtualProtect(page as *mut _, 4096, PAGE_READONLY, &raw mut old), 0);
    }
    EXCEPTION_CONTINUE_EXECUTION
}

/// Lets a guest leave its memory, in compiled code.
fn check() {
    let engine = Engine::new(Config::new().strategy(Strategy::Baseline)).unwrap();
    let wat = r#"(module (memory 1)
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let load = instance.get_typed_func::<i32, i32>(&mut store, "load").unwrap();
    assert_eq!(load.call(&mut store, 65532).unwrap(), 0);
    for address in [65533, 65536, 1 << 30, -1] {
        let error = load.call(&mut store, address).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
    }
    assert!(instance.get_func(&mut store, "load").unwrap().is_compiled(&store));
}

#[test]
fn other_faults_are_passed_on() {
    // SAFETY: the handler keeps to what such handlers may do, and the page is fresh.
    let page = unsafe {
        assert!(!AddVectoredExceptionHandler(1, Some(open_page)).is_null());
        VirtualAlloc(null(), 4096, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS)
    };
    assert!(!page.is_null());
    PAGE.store(page as usize, Ordering::SeqCst);
    check();
    assert_eq!(FAULTS.load(Ordering::SeqCst), 0);
    // SAFETY: the page is readable once the handler has run.
    assert_eq!(unsafe { page.cast::<u32>().read_volatile() }, 0);
    assert_eq!(FAULTS.load(Ordering::SeqCst), 1);
    // Faults of threads are traps too.
    let threads: Vec<_> =
        (0..4).map(|_| std::thread::spawn(|| (0..20).for_each(|_| check()))).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(FAULTS.load(Ordering::SeqCst), 1);
}
