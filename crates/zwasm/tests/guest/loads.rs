//! A load that is partly out of bounds traps, however little of what it loads is used.
#![cfg(feature = "wat")]

use zwasm::{Config, Engine, Linker, Module, Store, Strategy, Trap};

/// What is loaded by `#`, its bytes, and what uses it.
const USES: &[(&str, usize, &str)] = &[
    ("i32.load", 4, "(i32.extend8_s #)"),
    ("i32.load", 4, "(i32.extend16_s #)"),
    ("i32.load", 4, "(i32.and # (i32.const 255))"),
    ("i32.load", 4, "(i32.eqz (i32.and # (i32.const 1)))"),
    ("i32.load", 4, "(select (i32.const 1) (i32.const 2) (i32.and # (i32.const 0xff00)))"),
    ("i32.load", 4, "(i32.rem_u # (i32.const 2))"),
    ("i32.load", 4, "(i32.shl # (i32.const 24))"),
    ("i32.load16_u", 2, "(i32.extend8_s #)"),
    ("i32.load16_s", 2, "(i32.eqz (i32.and # (i32.const 3)))"),
    ("i64.load", 8, "(i32.wrap_i64 #)"),
    ("i64.load", 8, "(i32.extend8_s (i32.wrap_i64 #))"),
    ("i64.load", 8, "(i32.wrap_i64 (i64.extend8_s #))"),
    ("i64.load", 8, "(i32.wrap_i64 (i64.extend16_s #))"),
    ("i64.load", 8, "(i32.wrap_i64 (i64.extend32_s #))"),
    ("i64.load", 8, "(i64.eqz (i64.and # (i64.const 1)))"),
    ("i64.load", 8, "(i64.eqz (i64.and # (i64.const 0x7fffffff)))"),
    ("i64.load", 8, "(i32.eqz (i32.and (i32.wrap_i64 #) (i32.const 1)))"),
    ("i64.load", 8, "(i64.ne (i64.and # (i64.const 0xffff0000)) (i64.const 0))"),
    ("i64.load32_u", 4, "(i64.eqz (i64.and # (i64.const 1)))"),
    ("i64.load32_s", 4, "(i32.wrap_i64 (i64.extend8_s #))"),
    ("f64.load", 8, "(i32.wrap_i64 (i64.reinterpret_f64 #))"),
    ("f64.load", 8, "(i32.reinterpret_f32 (f32.demote_f64 #))"),
    ("f32.load", 4, "(i32.extend8_s (i32.reinterpret_f32 #))"),
    #[cfg(feature = "simd")]
    ("v128.load", 16, "(i32x4.extract_lane 0 #)"),
    #[cfg(feature = "simd")]
    ("v128.load", 16, "(i8x16.extract_lane_u 1 #)"),
    #[cfg(feature = "simd")]
    ("v128.load", 16, "(i32x4.extract_lane 0 (i32x4.extend_low_i16x8_s #))"),
    #[cfg(feature = "simd")]
    ("v128.load", 16, "(i32x4.extract_lane 0 (f64x2.promote_low_f32x4 #))"),
    #[cfg(feature = "simd")]
    ("v128.load", 16, "(i32x4.extract_lane 0 (f64x2.convert_low_i32x4_u #))"),
    #[cfg(feature = "simd")]
    ("v128.load", 16, "(i32x4.extract_lane 0 (i32x4.shl # (i32.const 3)))"),
    #[cfg(feature = "simd")]
    ("v128.load", 16, "(i32x4.extract_lane 0 (i8x16.swizzle # (v128.const i64x2 0 0)))"),
    #[cfg(feature = "simd")]
    (
        "v128.load",
        16,
        "(i32x4.extract_lane 0 (i8x16.shuffle 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3 # (v128.const i64x2 1 1)))",
    ),
];

const END: usize = 0x1_0000;

#[test]
fn what_is_partly_out_of_bounds_traps_however_little_is_used() {
    let strategies =
        [Strategy::Interpreter, Strategy::Baseline, Strategy::Optimizing, Strategy::Mixed(1)];
    for strategy in strategies.into_iter().filter(|strategy| strategy.is_available()) {
        for guards in [true, false] {
            let mut config = Config::new();
            config.strategy(strategy).guard_pages(guards);
            let engine = Engine::new(&config).unwrap();
            USES.iter().for_each(|(load, size, used)| check(&engine, load, *size, used));
        }
    }
}

fn check(engine: &Engine, load: &str, size: usize, used: &str) {
    let used = used.replace('#', &format!("({load} (local.get 0))"));
    let text =
        format!("(module (memory 1) (func (export \"load\") (param i32) (result i32) {used}))");
    let module = Module::new(engine, text).unwrap();
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, &module).unwrap();
    let func = instance.get_typed_func::<i32, i32>(&mut store, "load").unwrap();
    func.call(&mut store, (END - size) as i32).unwrap();
    for start in END - size + 1..END {
        let error = func.call(&mut store, start as i32).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds), "{used} at {start:#x}");
    }
}
