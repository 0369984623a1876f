//! Compiled code does with objects what the interpreter does: every kind of field and
//! element, every cast, allocations with values of all types live across them, at each of
//! which everything is collected that nothing refers to.
#![cfg(all(feature = "gc", feature = "simd", feature = "wat", compiler))]

use std::fmt::Write as _;
use zwasm::{Config, Engine, Instance, Module, Store, Strategy, Val};

/// Storage types with a constant of each, as a function of `$n`.
const STORAGES: [(&str, &str, &str); 8] = [
    ("i8", "i32", "(local.get $n)"),
    ("i16", "i32", "(i32.mul (local.get $n) (i32.const 0x1234567))"),
    ("i32", "i32", "(i32.xor (local.get $n) (i32.const -1))"),
    ("i64", "i64", "(i64.mul (i64.extend_i32_s (local.get $n)) (i64.const 0x123456789))"),
    ("f32", "f32", "(f32.convert_i32_s (local.get $n))"),
    ("f64", "f64", "(f64.div (f64.const 1) (f64.convert_i32_s (local.get $n)))"),
    ("v128", "v128", "(i32x4.splat (local.get $n))"),
    ("(ref null $leaf)", "(ref null $leaf)", "(struct.new $leaf (local.get $n))"),
];

/// What to turn a value into, to fold it into a number.
fn as_number(storage: &str, value: &str) -> String {
    match storage {
        "i8" | "i16" | "i32" => format!("(i64.extend_i32_u {value})"),
        "i64" => value.into(),
        "f32" => format!("(i64.extend_i32_u (i32.reinterpret_f32 {value}))"),
        "f64" => format!("(i64.reinterpret_f64 {value})"),
        "v128" => format!("(i64x2.extract_lane 1 {value})"),
        _ => format!("(i64.extend_i32_u (struct.get $leaf 0 {value}))"),
    }
}

/// Ops that read a value of a storage type.
fn gets(op: &str, storage: &str) -> Vec<String> {
    match storage {
        "i8" | "i16" => vec![format!("{op}_s"), format!("{op}_u")],
        _ => vec![op.into()],
    }
}

/// A module whose functions `(i32) -> i64` try everything.
fn module() -> String {
    let mut out = String::from(
        "(module\n (type $leaf (struct (field i32)))\n (rec (type $base (sub (struct (field i32)))))\n \
         (type $derived (sub $base (struct (field i32) (field i64))))\n \
         (type $last (sub final $derived (struct (field i32) (field i64) (field f32))))\n \
         (type $other (struct (field f64)))\n (type $f (func (param i32) (result i32)))\n \
         (global $kept (mut (ref null $leaf)) (ref.null $leaf))\n \
         (func $one (type $f) (local.get 0))\n (elem declare func $one)\n",
    );
    let fields: String =
        STORAGES.iter().map(|(storage, ..)| format!(" (field (mut {storage}))")).collect();
    let _ = writeln!(out, "(type $all (struct{fields}))");
    for (index, (storage, ..)) in STORAGES.iter().enumerate() {
        let _ = writeln!(out, "(type $array{index} (array (mut {storage})))");
    }
    let mut func = |name: String, locals: &str, body: String| {
        let _ = writeln!(
            out,
            "(func (export \"{name}\") (param $n i32) (result i64) (local $sum i64) {locals}\n {body} (local.get $sum))"
        );
    };
    let add = |value: String| {
        format!("(local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) {value}))\n")
    };
    let values: String = STORAGES.iter().map(|(_, _, value)| format!(" {value}")).collect();
    // Structures: made with and without values, written, read.
    let mut read = String::new();
    for (field, (storage, ..)) in STORAGES.iter().enumerate() {
        for get in gets("struct.get", storage) {
            read += &add(as_number(storage, &format!("({get} $all {field} (local.get $o))")));
        }
    }
    let object = "(local $o (ref null $all))";
    func("new".into(), object, format!("(local.set $o (struct.new $all {values})) {read}"));
    let mut write = String::new();
    for (field, (_, _, value)) in STORAGES.iter().enumerate() {
        let _ = writeln!(write, "(struct.set $all {field} (local.get $o) {value})");
    }
    func(
        "default".into(),
        object,
        format!("(local.set $o (struct.new_default $all)) {write} {read}"),
    );
    func("null field".into(), object, read.clone());
    func("null set".into(), object, write.clone());
    // Arrays of each type and many lengths, made in all ways.
    for (index, (storage, ..)) in STORAGES.iter().enumerate() {
        let value = STORAGES[index].2;
        let array = format!("(local $a (ref null $array{index})) (local $i i32)");
        let mut fold = String::from("(local.set $i (i32.const 0)) (block $end (loop $next\n");
        fold += "(br_if $end (i32.ge_u (local.get $i) (array.len (local.get $a))))\n";
        let null = storage.starts_with("(ref");
        for get in gets("array.get", storage) {
            let element = format!("({get} $array{index} (local.get $a) (local.get $i))");
            fold += &match null {
                true => format!(
                    "(if (i32.eqz (ref.is_null {element})) (then {}))",
                    add(as_number(storage, &element))
                ),
                false => add(as_number(storage, &element)),
            };
        }
        fold += "(local.set $i (i32.add (local.get $i) (i32.const 1))) (br $next)))\n";
        let ty = format!("$array{index}");
        let length = "(i32.and (local.get $n) (i32.const 0x1FF))";
        let makes = [
            ("filled", format!("(array.new {ty} {value} {length})")),
            ("zeros", format!("(array.new_default {ty} {length})")),
            ("three", format!("(array.new {ty} {value} (i32.const 3))")),
            ("none", format!("(array.new_default {ty} (i32.const 0))")),
            ("five", format!("(array.new_default {ty} (i32.const 5))")),
            ("many", format!("(array.new_default {ty} (i32.const 300))")),
            ("fixed", format!("(array.new_fixed {ty} 3 {value} {value} {value})")),
            ("empty", format!("(array.new_fixed {ty} 0)")),
        ];
        for (name, make) in makes {
            func(
                format!("{name} {storage}"),
                &array,
                format!(
                    "(local.set $a {make}) {fold} (drop (struct.new $leaf (i32.const 1))) {fold}"
                ),
            );
        }
        let at = "(i32.sub (local.get $n) (i32.const 2))";
        func(
            format!("set {storage}"),
            &array,
            format!(
                "(local.set $a (array.new_default {ty} (i32.const 5)))\n\
                 (array.set {ty} (local.get $a) (i32.const 4) {value})\n\
                 (array.set {ty} (local.get $a) {at} {value}) {fold}"
            ),
        );
        func(
            format!("beyond {storage}"),
            &array,
            format!(
                "(local.set $a (array.new_default {ty} (i32.const 5)))\n\
                 (array.set {ty} (local.get $a) (i32.const 5) {value})"
            ),
        );
        func(format!("null array {storage}"), &array, fold.clone());
    }
    // Values of all types live across allocations in a loop.
    let mut locals = String::from("(local $i i32) (local $o (ref null $leaf))");
    let (mut set, mut fold) = (String::new(), String::new());
    for (index, (storage, ty, value)) in STORAGES.iter().enumerate() {
        for copy in 0..3 {
            let _ = write!(locals, "(local $v{index}_{copy} {ty})");
            let _ = writeln!(set, "(local.set $v{index}_{copy} {value})");
            fold += &add(as_number(storage, &format!("(local.get $v{index}_{copy})")));
        }
    }
    func(
        "live".into(),
        &locals,
        format!(
            "{set} (loop $next (local.set $o (struct.new $leaf (local.get $i)))\n {fold}\n \
             (global.set $kept (struct.new $leaf (struct.get $leaf 0 (local.get $o))))\n \
             (local.set $i (i32.add (local.get $i) (i32.const 1)))\n \
             (br_if $next (i32.lt_u (local.get $i) (i32.const 50))))\n {}",
            add("(i64.extend_i32_u (struct.get $leaf 0 (global.get $kept)))".into())
        ),
    );
    // Casts of everything to everything.
    let things = [
        "(ref.null any)",
        "(ref.i31 (local.get $n))",
        "(struct.new $leaf (local.get $n))",
        "(struct.new $base (local.get $n))",
        "(struct.new $derived (local.get $n) (i64.const 2))",
        "(struct.new $last (local.get $n) (i64.const 2) (f32.const 3))",
        "(array.new_default $array0 (i32.const 4))",
        "(any.convert_extern (extern.convert_any (ref.i31 (i32.const 7))))",
    ];
    let targets = [
        "any", "eq", "i31", "struct", "array", "none", "$leaf", "$base", "$derived", "$last",
        "$other", "$array0",
    ];
    let thing = "(local $t anyref)";
    for (index, make) in things.iter().enumerate() {
        let mut tests = format!("(local.set $t {make})\n");
        for target in targets {
            for null in ["", "null "] {
                let ty = format!("(ref {null}{target})");
                tests += &add(format!("(i64.extend_i32_u (ref.test {ty} (local.get $t)))"));
                tests += &format!(
                    "(if (ref.test {ty} (local.get $t)) (then {}) (else {}))",
                    add("(i64.const 5)".into()),
                    add("(i64.const 9)".into())
                );
                tests += &format!(
                    "(if (i32.eqz (ref.test {ty} (local.get $t))) (then {}))",
                    add("(i64.const 3)".into())
                );
                func(
                    format!("cast {index} to {null}{target}"),
                    thing,
                    format!(
                        "(local.set $t {make}) (drop (ref.cast {ty} (local.get $t)))\n{}",
                        add("(i64.const 1)".into())
                    ),
                );
            }
        }
        func(format!("tests {index}"), thing, tests);
    }
    let down = "(ref.cast (ref $derived) (local.get $t))";
    func(
        "downcast".into(),
        thing,
        format!(
            "(local.set $t (select (result anyref) {} {} (i32.and (local.get $n) (i32.const 1))))\n{}{}",
            things[4],
            things[5],
            add(format!("(struct.get $derived 1 {down})")),
            add(format!("(i64.extend_i32_u (struct.get $base 0 {down}))")),
        ),
    );
    let func_cast = |value: &str| {
        format!(
            "(drop (ref.cast (ref $f) {value})) {}",
            add(format!(
                "(i64.extend_i32_u (call_ref $f (local.get $n) (ref.cast (ref $f) {value})))"
            ))
        )
    };
    func("function".into(), "(local $t funcref)", func_cast("(ref.func $one)"));
    func("no function".into(), "(local $t funcref)", func_cast("(local.get $t)"));
    // Integers.
    for get in ["i31.get_s", "i31.get_u"] {
        func(
            get.into(),
            "(local $t i31ref)",
            format!(
                "(local.set $t (ref.i31 (local.get $n))) {}",
                add(format!("(i64.extend_i32_u ({get} (local.get $t)))"))
            ),
        );
        func(
            format!("null {get}"),
            "(local $t i31ref)",
            add(format!("(i64.extend_i32_u ({get} (local.get $t)))")),
        );
    }
    out.push(')');
    out
}

/// What each function gives for each number, as text.
fn run(wat: &str, config: &Config) -> Vec<String> {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let mut found = Vec::new();
    for export in module.exports() {
        let func = instance.get_func(&mut store, export.name()).unwrap();
        for n in [0, 1, 2, 3, 5, 6, 7, 100, 255, -1, -77, i32::MIN, i32::MAX] {
            let mut results = [Val::I64(0)];
            let trap = func.call(&mut store, &[Val::I32(n)], &mut results).err();
            let trap = trap.map(|trap| trap.to_string());
            let trap = trap.map(|trap| trap.lines().next().unwrap_or("").to_owned());
            found.push(format!("{} {n}: {trap:?} {results:?}", export.name()));
        }
    }
    found
}

/// Nothing in the module is left to another tier.
#[cfg(feature = "trace")]
#[test]
fn the_optimizing_compiler_refuses_none_of_it() {
    if !Strategy::Optimizing.is_available() {
        return;
    }
    let engine = Engine::new(Config::new().strategy(Strategy::Optimizing)).unwrap();
    let module = Module::new(&engine, module()).unwrap();
    let mut func = 0;
    while let Ok(code) = module.machine_code(func) {
        assert!(code.contains("optimized:"), "function {func}");
        func += 1;
    }
    assert!(func > 200, "{func} functions");
}

#[test]
fn compiled_code_does_with_objects_what_the_interpreter_does() {
    let wat = module();
    let expected = run(&wat, Config::new().strategy(Strategy::Interpreter));
    assert!(expected.iter().any(|line| line.contains("cast")), "{}", expected[0]);
    let compilers = [Strategy::Baseline, Strategy::Optimizing].into_iter();
    for strategy in compilers.filter(|strategy| strategy.is_available()) {
        for (stress, oldest) in [(false, false), (true, false), (false, true)] {
            let mut config = Config::new();
            config.strategy(strategy).gc_stress(stress).oldest_processor(oldest);
            let found = run(&wat, &config);
            let differs = expected.iter().zip(&found).find(|(one, other)| one != other);
            assert_eq!(differs, None, "{strategy:?}, stress {stress}, oldest {oldest}");
        }
    }
}
