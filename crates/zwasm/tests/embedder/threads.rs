//! Memories that threads share, atomic instructions, and waiting.

#![cfg(all(feature = "threads", feature = "wat"))]

use std::sync::Barrier;
use std::time::Duration;

use zwasm::{
    Config, Engine, Extern, Instance, Linker, Memory, MemoryType, Module, Result, SharedMemory,
    Store, Trap, Val, WaitResult,
};

fn call(memory: &SharedMemory, module: &Module, name: &str, args: &[Val]) -> Result<i64> {
    let mut store = Store::new(module.engine(), ());
    let instance = Instance::new(&mut store, module, &[memory.clone().into()])?;
    let func = instance.get_func(&mut store, name).expect("an export");
    let mut results = vec![Val::I32(0); func.ty(&store).results().len()];
    func.call(&mut store, args, &mut results)?;
    Ok(match results.first() {
        Some(Val::I32(value)) => i64::from(*value),
        Some(Val::I64(value)) => *value,
        _ => 0,
    })
}

const COUNTERS: &str = r#"(module
    (memory (import "" "m") 1 4 shared)
    (func (export "add") (param i32) (loop $next
        (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
        (drop (i64.atomic.rmw16.add_u (i32.const 8) (i64.const 1)))
        (drop (i32.atomic.rmw8.xor_u offset=16 (i32.const 1) (i32.const 1)))
        (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "locked") (param i32) (loop $next
        (loop $spin (br_if $spin (i32.atomic.rmw.cmpxchg (i32.const 32) (i32.const 0) (i32.const 1))))
        (i32.store (i32.const 36) (i32.add (i32.load (i32.const 36)) (i32.const 1)))
        (i32.atomic.store (i32.const 32) (i32.const 0))
        (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "mutex") (param i32) (loop $next
        (block $held (loop $try
            (br_if $held (i32.eqz (i32.atomic.rmw.xchg (i32.const 40) (i32.const 1))))
            (drop (memory.atomic.wait32 (i32.const 40) (i32.const 1) (i64.const -1)))
            (br $try)))
        (i32.store (i32.const 44) (i32.add (i32.load (i32.const 44)) (i32.const 1)))
        (i32.atomic.store (i32.const 40) (i32.const 0))
        (drop (memory.atomic.notify (i32.const 40) (i32.const 1)))
        (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;

#[test]
fn threads_count_together() {
    const EACH: i32 = 20_000;
    let engine = Engine::default();
    let memory = SharedMemory::new(&engine, MemoryType::shared(1, 4)).expect("a memory");
    let module = Module::new(&engine, COUNTERS).expect("a module");
    for name in ["add", "locked", "mutex"] {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| call(&memory, &module, name, &[Val::I32(EACH)]).expect("returns"));
            }
        });
    }
    let word = |at| {
        let mut bytes = [0; 4];
        memory.read(at, &mut bytes).expect("in bounds");
        i32::from_le_bytes(bytes)
    };
    assert_eq!(word(0), 4 * EACH);
    assert_eq!(word(8), (4 * EACH) & 0xFFFF);
    assert_eq!(word(16), 0);
    assert_eq!(word(36), 4 * EACH);
    assert_eq!(word(44), 4 * EACH);
}

const GROWER: &str = r#"(module
    (memory (import "" "m") 1 16 shared)
    (func (export "size") (result i32) memory.size)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "store") (param i32) (i32.store (local.get 0) (i32.const 7)))
    (func (export "fill") (param i32) (memory.fill (local.get 0) (i32.const 3) (i32.const 8)))
    (func (export "atomic") (param i32) (result i32) (i32.atomic.load (local.get 0))))"#;

#[test]
fn what_another_thread_has_grown_is_in_bounds() {
    let engine = Engine::default();
    let memory = SharedMemory::new(&engine, MemoryType::shared(1, 16)).expect("a memory");
    let module = Module::new(&engine, GROWER).expect("a module");
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[memory.clone().into()]).expect("links");
    for (name, page) in [("load", 1), ("store", 2), ("fill", 3), ("atomic", 4)] {
        let func = instance.get_func(&mut store, name).expect("an export");
        let mut results = vec![Val::I32(0); func.ty(&store).results().len()];
        let args = [Val::I32(page * 65536)];
        let error = func.call(&mut store, &args, &mut results).expect_err("out of bounds");
        assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds), "{name}");
        let old = std::thread::scope(|scope| {
            let grow = scope.spawn(|| call(&memory, &module, "grow", &[Val::I32(1)]));
            grow.join().expect("no panic").expect("returns")
        });
        assert_eq!(old, i64::from(page));
        func.call(&mut store, &args, &mut results).expect(name);
    }
    memory.grow(1).expect("grows");
    let size = instance.get_typed_func::<(), i32>(&mut store, "size").expect("an export");
    assert_eq!(size.call(&mut store, ()).expect("returns"), 6);
    assert_eq!(call(&memory, &module, "grow", &[Val::I32(11)]).expect("returns"), -1);
}

const WAITER: &str = r#"(module
    (memory (import "" "m") 1 1 shared)
    (func (export "wait32") (param i32 i64) (result i32)
        (memory.atomic.wait32 (local.get 0) (i32.const 0) (local.get 1)))
    (func (export "wait64") (param i32 i64) (result i32)
        (memory.atomic.wait64 (local.get 0) (i64.const 1) (local.get 1)))
    (func (export "notify") (param i32) (result i32)
        (memory.atomic.notify (local.get 0) (i32.const -1))))"#;

#[test]
fn hosts_and_guests_wait_for_each_other() {
    let engine = Engine::default();
    let memory = SharedMemory::new(&engine, MemoryType::shared(1, 1)).expect("a memory");
    let module = Module::new(&engine, WAITER).expect("a module");
    let forever = [Val::I32(64), Val::I64(-1)];
    let wake = |notify: &dyn Fn() -> u32| {
        while notify() == 0 {
            std::thread::yield_now();
        }
    };
    std::thread::scope(|scope| {
        let guest = scope.spawn(|| call(&memory, &module, "wait32", &forever).expect("returns"));
        wake(&|| memory.atomic_notify(64, 1).expect("in bounds"));
        assert_eq!(guest.join().expect("no panic"), 0);
        let host = scope.spawn(|| memory.atomic_wait64(128, 0, None).expect("in bounds"));
        wake(&|| call(&memory, &module, "notify", &[Val::I32(128)]).expect("returns") as u32);
        assert_eq!(host.join().expect("no panic"), WaitResult::Ok);
    });
    let soon = Some(Duration::from_millis(2));
    assert_eq!(memory.atomic_wait32(0, 0, soon), Ok(WaitResult::TimedOut));
    assert_eq!(memory.atomic_wait32(0, 1, None), Ok(WaitResult::Mismatch));
    assert_eq!(memory.atomic_wait32(2, 0, None), Err(Trap::HeapMisaligned));
    assert_eq!(memory.atomic_wait64(65536, 0, None), Err(Trap::MemoryOutOfBounds));
    assert_eq!(memory.atomic_notify(u64::MAX - 3, 1), Err(Trap::MemoryOutOfBounds));
    for (name, address, timeout, ended) in
        [("wait32", 0, 1_000_000, 2), ("wait32", 0, 0, 2), ("wait64", 8, -1, 1)]
    {
        let args = [Val::I32(address), Val::I64(timeout)];
        assert_eq!(call(&memory, &module, name, &args).expect("returns"), ended);
    }
}

#[test]
fn misplaced_atomics_trap() {
    let text = |memory: &str| {
        format!(
            r#"(module (memory {memory})
            (func (export "load") (param i32) (result i32)
                (i32.atomic.load offset=1 (local.get 0)))
            (func (export "far") (param i32) (result i32)
                (i32.atomic.rmw16.add_u offset=4294967294 (local.get 0) (i32.const 1)))
            (func (export "wait") (param i32) (result i32)
                (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const 0)))
            (func (export "notify") (param i32) (result i32)
                (memory.atomic.notify (local.get 0) (i32.const 9))))"#
        )
    };
    let trap = |memory: &str, name: &str, at: i32| {
        zwasm::invoke(text(memory), name, &[Val::I32(at)])
            .map(|results| results[0].i32())
            .map_err(|error| error.trap())
    };
    for memory in ["1", "1 1 shared"] {
        assert_eq!(trap(memory, "load", 0), Err(Some(Trap::HeapMisaligned)));
        assert_eq!(trap(memory, "load", 3), Ok(Some(0)));
        assert_eq!(trap(memory, "load", 65535), Err(Some(Trap::MemoryOutOfBounds)));
        assert_eq!(trap(memory, "load", -1), Err(Some(Trap::MemoryOutOfBounds)));
        assert_eq!(trap(memory, "far", 1), Err(Some(Trap::HeapMisaligned)));
        assert_eq!(trap(memory, "far", -2), Err(Some(Trap::MemoryOutOfBounds)));
        assert_eq!(trap(memory, "notify", 0), Ok(Some(0)));
        assert_eq!(trap(memory, "notify", 1), Err(Some(Trap::HeapMisaligned)));
        assert_eq!(trap(memory, "notify", 65536), Err(Some(Trap::MemoryOutOfBounds)));
    }
    assert_eq!(trap("1", "wait", 0), Err(Some(Trap::AtomicWaitNonSharedMemory)));
    assert_eq!(trap("1 1 shared", "wait", 0), Ok(Some(2)));
}

#[test]
fn every_memory_and_index_type_has_atomics() {
    let wat = r#"(module
        (memory 0) (memory i64 1) (memory i64 1 2 shared)
        (func (export "f") (result i64)
            (i64.atomic.store 1 (i64.const 8) (i64.const 5))
            (drop (i64.atomic.rmw.sub 1 (i64.const 8) (i64.const 2)))
            (drop (i64.atomic.rmw32.cmpxchg_u 2 offset=4294967296
                (i64.const -4294967296) (i64.const 0) (i64.const 40)))
            (i64.add
                (i64.atomic.rmw.xchg 1 (i64.const 8) (i64.const 1))
                (i64.atomic.load 2 (i64.const 0)))))"#;
    let error = zwasm::invoke(wat, "f", &[]).expect_err("the sum wraps");
    assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
    let wat = wat.replace("offset=4294967296", "").replace("-4294967296", "0");
    let results = zwasm::invoke(wat, "f", &[]).expect("returns");
    assert_eq!(results[0].i64(), Some(43));
}

#[test]
fn shared_memories_link_by_their_types() {
    let engine = Engine::default();
    let memory = SharedMemory::new(&engine, MemoryType::shared(1, 2)).expect("a memory");
    let exporter = r#"(module (memory (export "m") (import "env" "m") 1 2 shared))"#;
    let mut linker = Linker::new(&engine);
    let mut store = Store::new(&engine, ());
    linker.define(&store, "env", "m", memory.clone()).expect("defines");
    let module = Module::new(&engine, exporter).expect("a module");
    let first = linker.instantiate(&mut store, &module).expect("links");
    let exported = first.get_shared_memory(&mut store, "m").expect("shared");
    assert!(first.get_memory(&mut store, "m").is_none());
    exported.write(5, b"seen").expect("in bounds");
    let mut seen = [0; 4];
    memory.read(5, &mut seen).expect("in bounds");
    assert_eq!(&seen, b"seen");
    assert!(memory.read(65536 - 3, &mut seen).is_err());
    assert!(memory.write(usize::MAX, &seen).is_err());
    for wrong in ["1 1 shared", "2 2 shared", "1 2", "i64 1 2 shared"] {
        let text = format!(r#"(module (memory (import "env" "m") {wrong}))"#);
        let module = Module::new(&engine, text).expect("a module");
        assert!(linker.instantiate(&mut store, &module).is_err(), "{wrong}");
    }
    memory.grow(1).expect("grows");
    let text = r#"(module (memory (import "env" "m") 2 2 shared))"#;
    let module = Module::new(&engine, text).expect("a module");
    assert!(linker.instantiate(&mut store, &module).is_ok());

    let other = SharedMemory::new(&Engine::default(), MemoryType::shared(1, 2)).expect("a memory");
    let module = Module::new(&engine, exporter).expect("a module");
    assert!(Instance::new(&mut store, &module, &[Extern::from(other)]).is_err());
    assert!(Memory::new(&mut store, MemoryType::shared(1, 2)).is_err());
    assert!(SharedMemory::new(&engine, MemoryType::new(1, Some(2))).is_err());
    assert!(SharedMemory::new(&engine, MemoryType::shared(2, 1)).is_err());
}

#[test]
fn limits_hold_for_shared_memories() {
    let mut config = Config::new();
    config.max_memory(3 << 16);
    let engine = Engine::new(&config).expect("an engine");
    assert!(SharedMemory::new(&engine, MemoryType::shared(4, 4)).is_err());
    let memory = SharedMemory::new(&engine, MemoryType::shared(1, 65536)).expect("a memory");
    assert_eq!(memory.grow(2).ok(), Some(1));
    assert!(memory.grow(1).is_err());
    assert!(memory.grow(u64::MAX).is_err());
}

#[test]
fn bytewise_pages_and_data_segments_work_shared() {
    let wat = r#"(module
        (memory 5 70000 shared (pagesize 1))
        (data (i32.const 1) "abc")
        (func (export "f") (result i32)
            (drop (memory.grow (i32.const 65536)))
            (i32.store8 (i32.const 65540) (i32.load8_u (i32.const 3)))
            (i32.add (memory.size) (i32.atomic.load8_u (i32.const 65540)))))"#;
    let results = zwasm::invoke(wat, "f", &[]).expect("returns");
    assert_eq!(results[0].i32(), Some(65541 + i32::from(b'c')));
}

#[test]
fn racing_stores_leave_one_of_the_values() {
    let engine = Engine::default();
    let memory = SharedMemory::new(&engine, MemoryType::shared(1, 1)).expect("a memory");
    let wat = r#"(module (memory (import "" "m") 1 1 shared)
        (func (export "race") (param i32) (result i64) (local i32)
            (loop $next
                (i32.store (i32.const 0) (local.get 0))
                (i32.store (i32.const 4) (i32.load (i32.const 0)))
                (br_if $next (i32.lt_u
                    (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 50000))))
            (i64.load (i32.const 0))))"#;
    let module = Module::new(&engine, wat).expect("a module");
    let start = Barrier::new(3);
    let race = &|value: i32| {
        start.wait();
        call(&memory, &module, "race", &[Val::I32(value)]).expect("returns")
    };
    std::thread::scope(|scope| {
        let values = [0x0101_0101, 0x0202_0202, 0x0303_0303];
        let threads = values.map(|value| scope.spawn(move || race(value)));
        for thread in threads {
            let seen = thread.join().expect("no panic") as u64;
            let one_of = |half: u64| values.iter().any(|value| half == *value as u64);
            assert!(one_of(seen & 0xFFFF_FFFF) && one_of(seen >> 32), "{seen:#x}");
        }
    });
}
