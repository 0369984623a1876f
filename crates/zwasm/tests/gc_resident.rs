//! What a process holds while a small heap sees much garbage. The test is alone in its
//! file: the memory of the process is what it measures, and other tests would add theirs.
#![cfg(all(feature = "gc", feature = "wat"))]

use zwasm::{Config, Engine, Instance, Module, Store};

/// Every allocation is seen from outside for a moment, so that none is left out.
const GARBAGE: &str = r#"(module
    (type $node (struct (field i32) (field (mut (ref null $node)))))
    (type $bytes (array (mut i8)))
    (global $node (mut (ref null $node)) (ref.null $node))
    (global $bytes (mut (ref null $bytes)) (ref.null $bytes))

    (func (export "nodes") (param $n i32)
        (loop $again
            (global.set $node (struct.new $node (local.get $n) (ref.null $node)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

    (func (export "arrays") (param $n i32) (param $size i32)
        (loop $again
            (global.set $bytes (array.new_default $bytes (local.get $size)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#;

/// Debug builds do a hundredth of the work.
const SCALE: i32 = if cfg!(debug_assertions) { 1 } else { 100 };

/// The resident memory of this process in kB, where the system tells.
fn resident_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn ten_gigabytes_of_garbage_fit_a_small_heap() {
    let mut config = Config::new();
    config.max_gc_heap(64 << 20);
    let engine = Engine::new(&config).expect("configures");
    let module = Module::new(&engine, GARBAGE).expect("compiles");
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).expect("instantiates");
    let nodes = instance.get_typed_func::<i32, ()>(&mut store, "nodes").expect("is exported");
    let arrays =
        instance.get_typed_func::<(i32, i32), ()>(&mut store, "arrays").expect("is exported");

    // Structures of 16 bytes, then arrays of many sizes: 10 GB at full scale.
    nodes.call(&mut store, 3_000_000 * SCALE).expect("runs");
    let before = resident_kb();
    for size in [100, 1000, 8000, 9000, 100_000, 1_000_000, 20_000_000] {
        let count = (8_000_000 * SCALE / size).max(5);
        arrays.call(&mut store, (count, size)).expect("runs");
    }
    nodes.call(&mut store, 1_000_000 * SCALE).expect("runs");
    if let (Some(before), Some(after)) = (before, resident_kb()) {
        assert!(after < before + (80 << 10), "{before} kB grew to {after} kB");
    }
}
