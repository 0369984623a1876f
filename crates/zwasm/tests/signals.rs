//! Faults that are not the guest's belong to whoever handled them before. The
//! handler is installed once per process, so this is the only test here.
#![cfg(all(feature = "wat", compiler, unix))]

use std::ffi::{c_int, c_void};
use std::mem::zeroed;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use zwasm::{Config, Engine, Instance, Module, Store, Strategy, Trap};

/// What an access to an inaccessible page raises.
const FAULT: c_int = if cfg!(target_vendor = "apple") { libc::SIGBUS } else { libc::SIGSEGV };

/// Lets a guest leave its memory, in compiled code.
fn check(signals: bool) {
    let mut config = Config::new();
    config.strategy(Strategy::Baseline).signals_based_traps(signals);
    let wat = r#"(module (memory 1)
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let load = instance.get_typed_func::<i32, i32>(&mut store, "load").unwrap();
    assert_eq!(load.call(&mut store, 65532).unwrap(), 0);
    let error = load.call(&mut store, -1).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
    assert!(instance.get_func(&mut store, "load").unwrap().is_compiled(&store));
}

fn page_size() -> usize {
    // SAFETY: it reads a constant of the system.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

static FAULTS: AtomicUsize = AtomicUsize::new(0);

/// Makes the page that was hit accessible, and counts.
extern "C" fn open_page(_: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    FAULTS.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the system passes a valid structure, and the page is the test's.
    unsafe {
        let page = (*info).si_addr() as usize & !(page_size() - 1);
        assert_eq!(libc::mprotect(page as *mut c_void, page_size(), libc::PROT_READ), 0);
    }
}

fn segv_handler() -> usize {
    // SAFETY: the action is only read.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        assert_eq!(libc::sigaction(FAULT, null(), &raw mut action), 0);
        action.sa_sigaction
    }
}

#[test]
fn faults_of_others_reach_the_earlier_handler() {
    let ours = open_page as *const () as usize;
    // SAFETY: the handler may run at any time; the page is mapped for the test.
    let page = unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = ours;
        action.sa_flags = libc::SA_SIGINFO;
        assert_eq!(libc::sigaction(FAULT, &raw const action, null_mut()), 0);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        libc::mmap(null_mut(), page_size(), libc::PROT_NONE, flags, -1, 0)
    };
    assert_ne!(page, libc::MAP_FAILED);

    check(false);
    assert_eq!(segv_handler(), ours, "a handler is installed that nobody wants");

    check(true);
    assert_ne!(segv_handler(), ours);
    assert_eq!(FAULTS.load(Ordering::SeqCst), 0, "the guest's fault went elsewhere");

    // SAFETY: the page is mapped, and readable once its handler has run.
    assert_eq!(unsafe { page.cast::<u8>().read_volatile() }, 0);
    assert_eq!(FAULTS.load(Ordering::SeqCst), 1);
    check(true);
    assert_eq!(FAULTS.load(Ordering::SeqCst), 1);
}
