//! Where accesses to memories were that left them: what errors tell, in all tiers.
#![cfg(feature = "wat")]

use zwasm::{Config, Engine, Instance, MemoryFault, Module, Store, Strategy, Trap};

const PAGE: u64 = 0x10000;

/// All ways to run code, with guard pages and without.
fn engines() -> impl Iterator<Item = (String, bool, Engine)> {
    let mut strategies = vec![Strategy::Interpreter];
    if cfg!(compiler) {
        strategies.extend([Strategy::Baseline, Strategy::Stress, Strategy::Auto]);
        strategies.extend((0..8).map(Strategy::Mixed));
    }
    strategies.into_iter().flat_map(|strategy| {
        [(true, false), (false, false), (false, true)].map(|(guards, metered)| {
            let mut config = Config::new();
            config.strategy(strategy).guard_pages(guards).consume_fuel(metered);
            config.wasm_multi_memory(true).wasm_memory64(true);
            let name = format!("{strategy:?}, guards {guards}, fuel {metered}");
            (name, metered, Engine::new(&config).unwrap())
        })
    })
}

/// Whether a mode may tell this of a fault: memory, address and size.
type Judge<'a> = &'a dyn Fn(&str, Option<(u32, u64, u64)>) -> bool;

/// Calls each exported function of a module with a number that the compiler does not know.
fn check(text: &str, argument: i64, judge: Judge<'_>) {
    for (engine_name, metered, engine) in engines() {
        let module = Module::new(&engine, text).unwrap();
        for export in module.exports() {
            let mut store = Store::new(&engine, ());
            if metered {
                store.set_fuel(1_000_000).unwrap();
            }
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let f = instance.get_typed_func::<i64, ()>(&mut store, export.name()).unwrap();
            let error = f.call(&mut store, argument).unwrap_err();
            let place = format!("{} in {engine_name}: {error:?}", export.name());
            assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds), "{place}");
            assert_eq!(error.backtrace().unwrap().frames().len(), 1, "{place}");
            let found = error.downcast_ref::<MemoryFault>();
            let found = found.map(|fault| (fault.memory(), fault.address(), fault.size()));
            assert!(judge(export.name(), found), "{found:x?}: {place}");
        }
    }
}

/// The argument is 100 bytes before the end of memory 0.
#[test]
fn addresses() {
    let text = r#"(module
      (memory 1) (memory 2) (memory i64 3) (data $d "12345678")
      (func (export "0 load behind") (param i64)
        (drop (i32.load offset=200 (i32.wrap_i64 (local.get 0)))))
      (func (export "0 load across") (param i64)
        (drop (i64.load offset=93 (i32.wrap_i64 (local.get 0)))))
      (func (export "0 byte") (param i64)
        (drop (i32.load8_u offset=100 (i32.wrap_i64 (local.get 0)))))
      (func (export "0 far") (param i64)
        (drop (i64.load offset=0xffff_ffff (i32.wrap_i64 (local.get 0)))))
      (func (export "0 stored behind") (param i64)
        (f64.store offset=200 (i32.wrap_i64 (local.get 0)) (f64.const 1)))
      (func (export "0 stored across") (param i64)
        (i32.store offset=97 (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0))))
      (func (export "0 constant load") (param i64) (drop (i32.load offset=100 (i32.const 65536))))
      (func (export "0 constant store") (param i64)
        (i64.store offset=100 (i32.const 65536) (local.get 0)))
      (func (export "0 accumulated") (param i64)
        (i32.store8 (i32.add (i32.wrap_i64 (local.get 0)) (i32.const 300)) (i32.const 5)))
      (func (export "0 summed") (param i64)
        (i64.store (i32.const 0)
          (i64.add (i64.load (i32.add (i32.wrap_i64 (local.get 0)) (i32.const 300))) (i64.const 1))))
      (func (export "1 load") (param i64)
        (drop (i32.load 1 offset=65536 (i32.add (i32.wrap_i64 (local.get 0)) (i32.const 300)))))
      (func (export "1 store") (param i64)
        (f32.store 1 offset=65633 (i32.wrap_i64 (local.get 0)) (f32.const 0)))
      (func (export "2 load") (param i64)
        (drop (i64.load 2 (i64.add (local.get 0) (i64.const 0x1_0000_0000_0000)))))
      (func (export "2 store") (param i64)
        (i64.store 2 offset=0x1234_5678_9abc (local.get 0) (i64.const 7)))
      (func (export "2 constant") (param i64) (drop (i64.load 2 (i64.const 0x12_0000_0000))))
      (func (export "2 wrapped") (param i64)
        (drop (i64.load 2 offset=8 (i64.sub (local.get 0) (i64.const 65437)))))
      (func (export "0 fill") (param i64)
        (memory.fill (i32.wrap_i64 (local.get 0)) (i32.const 1) (i32.wrap_i64 (local.get 0))))
      (func (export "0 fill of few") (param i64)
        (memory.fill (i32.add (i32.wrap_i64 (local.get 0)) (i32.const 300)) (i32.const 1)
          (i32.const 12)))
      (func (export "0 copy to") (param i64)
        (memory.copy (i32.wrap_i64 (local.get 0)) (i32.const 1) (i32.const 101)))
      (func (export "0 copy from") (param i64)
        (memory.copy (i32.const 0) (i32.add (i32.wrap_i64 (local.get 0)) (i32.const 300))
          (i32.wrap_i64 (local.get 0))))
      (func (export "1 copy from") (param i64)
        (memory.copy 0 1 (i32.const 0) (i32.const 131072) (i32.wrap_i64 (local.get 0))))
      (func (export "0 init") (param i64)
        (memory.init $d (i32.add (i32.wrap_i64 (local.get 0)) (i32.const 300)) (i32.const 0)
          (i32.const 8)))
      (func (export "- init") (param i64)
        (memory.init $d (i32.wrap_i64 (local.get 0)) (i32.const 4) (i32.const 8))))"#;
    check(text, 65436, &|name, found| {
        let address = match name {
            "0 load behind" | "0 stored behind" => 65636,
            "0 far" => 65436 + 0xffff_ffff,
            "0 constant load" | "0 constant store" => 65636,
            "0 accumulated" | "0 summed" | "0 fill of few" | "0 copy from" | "0 init" => 65736,
            "1 load" => 65736 + 65536,
            "2 load" => 65436 + 0x1_0000_0000_0000,
            "2 store" => 65436 + 0x1234_5678_9abc,
            "2 constant" => 0x12_0000_0000,
            "2 wrapped" | "- init" => return found.is_none(),
            // The first byte behind the memory.
            _ => 0,
        };
        let memory: u32 = name[..1].parse().unwrap();
        let size = PAGE * (u64::from(memory) + 1);
        found == Some((memory, address.max(size), size))
    });
}

/// What starts within the last bytes that 64 bits can name.
#[test]
fn ends_beyond_all_addresses() {
    let text = r#"(module (memory i64 1)
      (func (export "load") (param i64) (drop (i64.load (local.get 0))))
      (func (export "store") (param i64) (i64.store offset=1 (local.get 0) (local.get 0)))
      (func (export "constant") (param i64) (drop (i64.load offset=1 (i64.const -4)))))"#;
    // Compiled code compares where an access ends, which is nowhere.
    check(text, -4, &|name, found| {
        let address = if name == "load" { -4_i64 as u64 } else { -3_i64 as u64 };
        found.is_none_or(|found| found == (0, address, PAGE))
    });
}

#[cfg(all(feature = "simd", feature = "threads"))]
#[test]
fn vectors_and_atomics() {
    let text = r#"(module (memory 1) (memory 1 2 shared)
      (func (export "0 load") (param i64) (drop (v128.load offset=200 (i32.wrap_i64 (local.get 0)))))
      (func (export "0 store") (param i64)
        (v128.store offset=200 (i32.wrap_i64 (local.get 0)) (v128.const i64x2 1 2)))
      (func (export "0 lane") (param i64)
        (v128.store16_lane offset=200 3 (i32.wrap_i64 (local.get 0)) (v128.const i64x2 1 2)))
      (func (export "0 lanes") (param i64)
        (drop (v128.load8_lane offset=200 3 (i32.wrap_i64 (local.get 0)) (v128.const i64x2 1 2))))
      (func (export "0 add") (param i64)
        (drop (i32.atomic.rmw.add offset=200 (i32.wrap_i64 (local.get 0)) (i32.const 1))))
      (func (export "1 add") (param i64)
        (drop (i32.atomic.rmw.add 1 offset=200 (i32.wrap_i64 (local.get 0)) (i32.const 1))))
      (func (export "1 load") (param i64)
        (drop (v128.load 1 offset=200 (i32.wrap_i64 (local.get 0)))))
      (func (export "1 notify") (param i64)
        (drop (memory.atomic.notify 1 offset=200 (i32.wrap_i64 (local.get 0)) (i32.const 1)))))"#;
    check(text, 65436, &|name, found| found == Some((name[..1].parse().unwrap(), 65636, PAGE)));
}

/// The fault stands where wasmtime has it, between frames and trap, and not in the line for
/// people; another trap in the same store has none.
#[test]
fn errors() {
    let engine = Engine::default();
    let text = r#"(module (memory 1)
      (func (export "f") (param i32) (drop (i32.load (local.get 0))))
      (func (export "g") unreachable))"#;
    let module = Module::new(&engine, text).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let f = instance.get_typed_func::<i32, ()>(&mut store, "f").unwrap();
    let g = instance.get_typed_func::<(), ()>(&mut store, "g").unwrap();
    for _ in 0..3 {
        let error = f.call(&mut store, 0x12345).unwrap_err();
        let chain: Vec<_> = error.chain().skip(1).map(ToString::to_string).collect();
        let fault = "memory fault at wasm address 0x12345 in linear memory of size 0x10000";
        assert_eq!(chain, [fault, "wasm trap: out of bounds memory access"]);
        assert_eq!(error.summary(), "trap: out of bounds memory access");
        let error = g.call(&mut store, ()).unwrap_err();
        assert!(error.downcast_ref::<MemoryFault>().is_none());
    }
    let shown = MemoryFault::to_string(f.call(&mut store, -1).unwrap_err().downcast_ref().unwrap());
    assert!(shown.contains("0xffffffff"), "{shown}");
}
