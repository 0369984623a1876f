//! A store that is partly out of bounds traps and writes nothing, whatever tells.
#![cfg(feature = "wat")]

use zwasm::{Config, Engine, Linker, Module, Store, Strategy, Trap};

/// Stores and their sizes.
const STORES: &[(&str, usize)] = &[
    ("i32.store (local.get 0) (i32.const -1)", 4),
    ("i32.store16 (local.get 0) (i32.const -1)", 2),
    ("i32.store offset=3 (local.get 0) (global.get $n)", 4),
    ("i64.store (local.get 0) (i64.const -1)", 8),
    ("i64.store offset=5000 (local.get 0) (i64.const -1)", 8),
    ("i64.store32 (local.get 0) (i64.const -1)", 4),
    ("f64.store (local.get 0) (f64.const -1.5)", 8),
    ("f32.store offset=7 (local.get 0) (f32.const -1.5)", 4),
    #[cfg(feature = "simd")]
    ("v128.store (local.get 0) (v128.const i64x2 -1 -1)", 16),
    #[cfg(feature = "simd")]
    ("v128.store offset=15 (local.get 0) (v128.const i64x2 -1 -1)", 16),
    #[cfg(feature = "simd")]
    ("v128.store64_lane 1 (local.get 0) (v128.const i64x2 -1 -1)", 8),
    #[cfg(feature = "simd")]
    ("v128.store32_lane 0 (local.get 0) (v128.const i64x2 -1 -1)", 4),
];

const END: usize = 0x1_0000;

#[test]
fn what_is_partly_out_of_bounds_is_not_written() {
    let strategies =
        [Strategy::Interpreter, Strategy::Baseline, Strategy::Optimizing, Strategy::Mixed(1)];
    for strategy in strategies.into_iter().filter(|strategy| strategy.is_available()) {
        for guards in [true, false] {
            let mut config = Config::new();
            config.strategy(strategy).guard_pages(guards);
            STORES.iter().for_each(|(store, size)| check(&config, store, *size));
        }
    }
}

fn check(config: &Config, text: &str, size: usize) {
    let offset = text.split_once("offset=").map_or(0, |(_, rest)| {
        rest.split(' ').next().and_then(|number| number.parse().ok()).expect("it is a number")
    });
    // The same with an address that is known.
    for constant in [false, true] {
        for reach in 1..size {
            let start = END - size + reach - offset;
            let known = text.replace("(local.get 0)", &format!("(i32.const {start})"));
            let text = if constant { &known } else { text };
            let wat = format!(
                "(module (memory (export \"memory\") 1) (global $n (mut i32) (i32.const -1))
                  (func (export \"store\") (param i32) ({text})))"
            );
            let engine = Engine::new(config).unwrap();
            let module = Module::new(&engine, wat).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
            let func = instance.get_typed_func::<i32, ()>(&mut store, "store").unwrap();
            let error = func.call(&mut store, start as i32).unwrap_err();
            assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds), "{text}");
            let memory = instance.get_memory(&mut store, "memory").unwrap();
            let mut end = [0; 16];
            memory.read(&store, END - 16, &mut end).unwrap();
            assert_eq!(end, [0; 16], "{text} at {start:#x}");
            // One that is within the memory is made.
            if !constant {
                func.call(&mut store, (END - size - offset) as i32).unwrap();
                memory.read(&store, END - 16, &mut end).unwrap();
                assert!(end[16 - size..].iter().any(|byte| *byte != 0), "{text}");
            }
        }
    }
}
