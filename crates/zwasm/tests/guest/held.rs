//! What a tier remembers of a slot is forgotten when the slot changes.
#![cfg(feature = "wat")]

use zwasm::{Config, Engine, Instance, Module, Store, Strategy, Val};

/// The result of `run` with an argument, the same in every strategy, with inlining
/// and without.
fn everywhere(wat: &str, argument: i64) -> Result<i64, String> {
    let mut seen = None;
    let fixed = [Strategy::Interpreter, Strategy::Baseline, Strategy::Auto, Strategy::Stress];
    for strategy in fixed.into_iter().chain((0..4).map(Strategy::Mixed)) {
        for inlining in [false, true] {
            let mut config = Config::new();
            config.strategy(strategy).inlining(inlining);
            let Ok(engine) = Engine::new(&config) else { continue };
            let module = Module::new(&engine, wat).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let run = instance.get_func(&mut store, "run").unwrap();
            let mut results = [Val::I64(0)];
            let called = run.call(&mut store, &[Val::I64(argument)], &mut results);
            let found = match (called, &results[0]) {
                (Ok(()), Val::I64(value)) => Ok(*value),
                (Ok(()), other) => panic!("{other:?} is no i64"),
                (Err(error), _) => Err(error.summary()),
            };
            match &seen {
                Some(first) => assert_eq!(*first, found, "{strategy:?}, inlining {inlining}"),
                None => seen = Some(found),
            }
        }
    }
    seen.expect("there is an interpreter")
}

/// A callee leaves `argument + 5` in the slot of a local that the next callee reads
/// before it writes it.
const STALE: &str = "(func $dirty (param i64) (local i64)
      (local.set 1 (i64.add (local.get 0) (i64.const 5))))";

#[test]
fn locals_of_inlined_functions_are_zero() {
    let wat = format!(
        "(module {STALE}
           (func $zero (result i64) (local i64) (local.get 0))
           (func (export \"run\") (param i64) (result i64)
             (call $dirty (local.get 0)) (call $zero)))"
    );
    assert_eq!(everywhere(&wat, 7), Ok(0));
    for (ty, convert) in [
        ("i32", "i64.extend_i32_u"),
        ("f32", "i64.trunc_sat_f32_s"),
        ("f64", "i64.trunc_sat_f64_s"),
        ("v128", "i64x2.extract_lane 1"),
    ] {
        let value = match ty {
            "i32" => "(i32.wrap_i64 (local.get 0))",
            "f32" => "(f32.convert_i64_s (local.get 0))",
            "f64" => "(f64.convert_i64_s (local.get 0))",
            _ => "(i64x2.splat (local.get 0))",
        };
        let wat = format!(
            "(module
               (func $dirty (param i64) (local {ty}) (local.set 1 {value}))
               (func $zero (result i64) (local {ty}) ({convert} (local.get 0)))
               (func (export \"run\") (param i64) (result i64)
                 (call $dirty (local.get 0)) (call $zero)))"
        );
        assert_eq!(everywhere(&wat, 7), Ok(0), "{ty}");
    }
}

#[test]
fn a_local_that_was_never_written_is_null() {
    let wat = format!(
        "(module (type $h (struct (field (mut i64)))) {STALE}
           (func $null (result (ref null $h)) (local (ref null $h)) (local.get 0))
           (func (export \"run\") (param i64) (result i64)
             (call $dirty (local.get 0)) (struct.get $h 0 (call $null))))"
    );
    let error = everywhere(&wat, 0x9000_0010 - 5).unwrap_err();
    assert!(error.contains("null structure reference"), "{error}");
}

#[test]
fn objects_of_any_size_are_where_their_reference_says() {
    // Around the sizes at which the way of allocating changes: four words, the
    // largest that a window holds, and far beyond.
    for (field, counts) in
        [("i64", [1, 4, 1022, 1023, 1024, 3000]), ("i32", [3, 5, 2045, 2046, 2047, 6000])]
    {
        for count in counts {
            let fields = format!("(field (mut {field}))").repeat(count);
            let last = count - 1;
            let (put, get) = match field {
                "i64" => ("", ""),
                _ => ("i32.wrap_i64", "i64.extend_i32_u"),
            };
            let value = match put {
                "" => "(local.get 0)".to_owned(),
                put => format!("({put} (local.get 0))"),
            };
            let read = match get {
                "" => format!("(struct.get $s {last} (local.get 1))"),
                get => format!("({get} (struct.get $s {last} (local.get 1)))"),
            };
            let values = value.repeat(count);
            for make in [
                format!("(local.set 1 (struct.new $s {values}))"),
                format!(
                    "(local.set 1 (struct.new_default $s))
                     (struct.set $s {last} (local.get 1) {value})"
                ),
            ] {
                // The number in the accumulator is that of an offset within the heap.
                let wat = format!(
                    "(module (type $s (struct {fields}))
                       (func (export \"run\") (param i64) (result i64)
                         (local (ref null $s)) (local i64)
                         (local.set 2 (i64.add (local.get 0) (i64.const 0x90000010)))
                         {make}
                         (i64.add (i64.sub (local.get 2) (i64.const 0x90000010))
                           (i64.sub {read} (local.get 0)))))"
                );
                assert_eq!(everywhere(&wat, 41), Ok(41), "{count} fields of {field}");
                let direct = format!(
                    "(module (type $s (struct {fields}))
                       (func (export \"run\") (param i64) (result i64)
                         (local (ref null $s))
                         (i64.extend_i32_u (ref.is_null (struct.new_default $s)))))"
                );
                assert_eq!(everywhere(&direct, 0), Ok(0), "{count} fields of {field}");
            }
        }
    }
}
