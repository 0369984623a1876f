//! What compiled code asks of the whole process: address space and memory.
#![cfg(all(feature = "wat", compiler, target_os = "linux"))]

use std::fs;
use std::mem::zeroed;
use std::sync::{Mutex, MutexGuard};

use zwasm::{Config, Engine, Instance, Memory, MemoryType, Module, Store, Strategy, Trap};

/// One test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn engine() -> Engine {
    Engine::new(Config::new().strategy(Strategy::Baseline)).unwrap()
}

const LOAD: &str = r#"(module
    (memory 1)
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;

/// Loads at the memory's end and behind it.
fn check(store: &mut Store<()>, instance: Instance) {
    let load = instance.get_typed_func::<i32, i32>(&mut *store, "load").unwrap();
    assert_eq!(load.call(&mut *store, 65532).unwrap(), 0);
    for address in [65533, 65536, 1 << 30, -1] {
        let error = load.call(&mut *store, address).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
    }
    assert!(instance.get_func(&mut *store, "load").unwrap().is_compiled(&*store));
}

/// Bytes of memory that is executable and no file's.
fn executable_bytes() -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let size = |line: &str| {
        let mut words = line.split_whitespace();
        let (range, access) = (words.next()?, words.next()?);
        let (start, end) = range.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        assert!(!access.contains("wx"), "both writable and executable: {line}");
        (access.contains('x') && words.count() == 3).then_some(address(end)? - address(start)?)
    };
    maps.lines().filter_map(size).sum()
}

#[test]
fn code_is_freed_with_its_module() {
    let _alone = alone();
    let engine = engine();
    let before = executable_bytes();
    for _ in 0..10 {
        let modules: Vec<_> = (0..20).map(|_| Module::new(&engine, LOAD).unwrap()).collect();
        let mut store = Store::new(&engine, ());
        for module in &modules {
            let instance = Instance::new(&mut store, module, &[]).unwrap();
            check(&mut store, instance);
        }
        drop(modules);
        // The store's instances hold their modules.
        assert!(executable_bytes() >= before + 20 * 4096);
        drop(store);
        assert_eq!(executable_bytes(), before);
    }
}

/// When there is no address space for guard pages, instances of the same module run
/// code that checks beside code that does not.
#[test]
fn memories_without_guard_pages_are_checked() {
    let _alone = alone();
    let engine = engine();
    let module = Module::new(&engine, LOAD).unwrap();
    let mut store = Store::new(&engine, ());
    let guarded = Instance::new(&mut store, &module, &[]).unwrap();
    check(&mut store, guarded);
    let imports = r#"(module
        (import "" "memory" (memory 1))
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;
    let imports = Module::new(&engine, imports).unwrap();

    let status = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = status.split(' ').next().unwrap().parse().unwrap();
    // SAFETY: only this process's limit is changed, and put back.
    let before = unsafe {
        let mut limit: libc::rlimit = zeroed();
        assert_eq!(libc::getrlimit(libc::RLIMIT_AS, &raw mut limit), 0);
        let before = limit;
        limit.rlim_cur = pages * 4096 + (1 << 30);
        assert_eq!(libc::setrlimit(libc::RLIMIT_AS, &raw const limit), 0);
        before
    };
    let unguarded = Instance::new(&mut store, &module, &[]);
    let memory = Memory::new(&mut store, MemoryType::new(1, None));
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const before) }, 0);

    let (unguarded, memory) = (unguarded.unwrap(), memory.unwrap());
    check(&mut store, unguarded);
    check(&mut store, guarded);
    let imported = Instance::new(&mut store, &imports, &[memory.into()]).unwrap();
    check(&mut store, imported);
    // What lies behind an exact memory is not part of it, whoever grows.
    memory.grow(&mut store, 1).unwrap();
    let load = imported.get_typed_func::<i32, i32>(&mut store, "load").unwrap();
    assert_eq!(load.call(&mut store, 131_068).unwrap(), 0);
    assert!(load.call(&mut store, 131_069).is_err());
}
