//! New arrays of every element type and of lengths around every limit hold the same
//! compiled as interpreted, however often garbage is collected in between.
#![cfg(all(feature = "wat", feature = "gc", feature = "simd"))]

use std::fmt::Write as _;
use zwasm::{Config, Engine, Linker, Module, Store, Strategy, Val};

/// Element type, the value of `array.new`, what reads an element, and its use as
/// an `i64`.
const ELEMENTS: &[(&str, &str, &str, &str)] = &[
    ("i8", "(i32.const 0x81)", "array.get_u", "i64.extend_i32_u"),
    ("i16", "(local.get $n)", "array.get_s", "i64.extend_i32_s"),
    ("i32", "(i32.mul (local.get $n) (i32.const 77777))", "array.get", "i64.extend_i32_u"),
    ("i64", "(i64.const -5)", "array.get", ""),
    ("f32", "(f32.const 1.5)", "array.get", "i64.trunc_f32_s"),
    ("f64", "(f64.convert_i32_u (local.get $n))", "array.get", "i64.trunc_f64_s"),
    ("v128", "(v128.const i64x2 3 4)", "array.get", "i64x2.extract_lane 1"),
    ("anyref", "(ref.i31 (local.get $n))", "array.get", "call $number"),
];

/// Functions that make arrays, and sum their elements weighted by index and live
/// locals, while arrays from before are kept and looked at again.
fn module() -> String {
    let mut wat = String::from(
        "(module (func $number (param anyref) (result i64)
            (if (result i64) (ref.is_null (local.get 0))
                (then (i64.const 9))
                (else (i64.extend_i32_s (i31.get_s (ref.cast (ref i31) (local.get 0)))))))",
    );
    for (index, (ty, value, get, number)) in ELEMENTS.iter().enumerate() {
        let number = |element: String| match *number {
            "" => element,
            number => format!("({number} {element})"),
        };
        let element = number(format!("({get} $a{index} (local.get $a) (local.get $i))"));
        write!(
            wat,
            "(type $a{index} (array (mut {ty})))
            (func $sum{index} (param $a (ref $a{index})) (result i64)
                (local $i i32) (local $s i64)
                (block $end (loop $again
                    (br_if $end (i32.ge_u (local.get $i) (array.len (local.get $a))))
                    (local.set $s (i64.add (i64.mul (local.get $s) (i64.const 31)) {element}))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br $again)))
                (i64.add (local.get $s) (i64.extend_i32_u (array.len (local.get $a)))))"
        )
        .unwrap();
        let fixed = |count: usize| {
            format!("(array.new_fixed $a{index} {count} {})", vec![*value; count].join(" "))
        };
        let ways = [
            format!("(array.new $a{index} {value} (local.get $n))"),
            format!("(array.new_default $a{index} (local.get $n))"),
            format!("(array.new $a{index} {value} (i32.const 3))"),
            format!("(array.new_default $a{index} (i32.const 5))"),
            format!("(array.new_default $a{index} (i32.const 0))"),
            format!("(array.new_default $a{index} (i32.const 300))"),
            fixed(0),
            fixed(1),
            fixed(7),
            fixed(17),
        ];
        for (way, new) in ways.iter().enumerate() {
            write!(
                wat,
                "(func (export \"{index}.{way}\") (param $n i32) (result i64)
                    (local $before (ref null $a{index})) (local $x i64) (local $k i32)
                    (local.set $x (i64.add (i64.extend_i32_u (local.get $n)) (i64.const 1)))
                    (local.set $before {new})
                    (loop $again
                        (local.set $x (i64.xor (i64.mul (local.get $x) (i64.const 3))
                            (call $sum{index} {new})))
                        (br_if $again (i32.lt_u
                            (local.tee $k (i32.add (local.get $k) (i32.const 1)))
                            (i32.const 4))))
                    (i64.add (local.get $x)
                        (call $sum{index} (ref.as_non_null (local.get $before)))))"
            )
            .unwrap();
        }
    }
    wat + ")"
}

fn run(wat: &str, strategy: Strategy, stress: bool, fuel: bool) -> Vec<(String, u64)> {
    let mut config = Config::new();
    config.strategy(strategy).gc_stress(stress).consume_fuel(fuel);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    let mut found = Vec::new();
    for export in module.exports() {
        let func = instance.get_func(&mut store, export.name()).unwrap();
        for length in [0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 65, 255, 256, 257, 2000] {
            if fuel {
                store.set_fuel(1_000_000).unwrap();
            }
            let mut results = [Val::I64(0)];
            func.call(&mut store, &[Val::I32(length)], &mut results).unwrap();
            let left = if fuel { store.get_fuel().unwrap() } else { 0 };
            found.push((format!("{} {length}: {results:?}", export.name()), left));
        }
    }
    found
}

#[test]
fn compiled_arrays_are_what_interpreted_ones_are() {
    let wat = module();
    for fuel in [false, true] {
        let expected = run(&wat, Strategy::Interpreter, false, fuel);
        let compilers = [Strategy::Baseline, Strategy::Optimizing].into_iter();
        for strategy in compilers.filter(|strategy| strategy.is_available()) {
            for stress in [false, true] {
                let found = run(&wat, strategy, stress, fuel);
                let differs = expected.iter().zip(&found).find(|(one, other)| one != other);
                assert_eq!(differs, None, "{strategy:?}, stress {stress}, fuel {fuel}");
            }
        }
    }
}
