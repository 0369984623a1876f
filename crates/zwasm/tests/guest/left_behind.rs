//! What the optimizing compiler refuses, because it would take too long, stays in baseline
//! code and does the same; what is a little smaller is optimized.
#![cfg(all(
    feature = "gc",
    feature = "optimize",
    feature = "wat",
    target_arch = "x86_64",
    target_os = "linux"
))]

use zwasm::{Config, Engine, Instance, Module, Store, Strategy};

/// Whether a function with these instructions, of a parameter and result of 32 bits, gets
/// optimized code. It gives what the interpreter says it does.
fn is_optimized(locals: &str, body: &str) -> bool {
    let wat = format!(
        r#"(module (func (export "run") (param i32) (result i32) {locals}
            {body} (local.get 0)))"#
    );
    let run = |strategy| {
        let engine = Engine::new(Config::new().strategy(strategy)).unwrap();
        let module = Module::new(&engine, &wat).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
        let results: Vec<i32> =
            [0, 1, -7].into_iter().map(|arg| run.call(&mut store, arg).unwrap()).collect();
        (results, module.optimized_functions())
    };
    let (expected, _) = run(Strategy::Interpreter);
    let (results, (optimized, all)) = run(Strategy::Optimizing);
    assert_eq!((results, all), (expected, 1), "{:.200}", body);
    optimized == 1
}

/// Compares a size that is optimized with one that is not.
fn between(what: &str, small: usize, large: usize, make: impl Fn(usize) -> (String, String)) {
    for (size, expected) in [(small, true), (large, false)] {
        let (locals, body) = make(size);
        assert_eq!(is_optimized(&locals, &body), expected, "{size} {what}");
    }
}

/// A value that takes another one at each join, which the allocator would give one register
/// in as many steps as there are joins before.
#[test]
fn long_chains_of_joins() {
    between("blocks", 500, 12_000, |count| {
        let each = |index: usize| {
            // Too much to be done for nothing: the branch stays one.
            let add = index % 64;
            let sum = format!("(i32.add (local.get 0) (i32.const {add}))");
            let product = format!("(i32.mul {sum} (i32.const 7))");
            format!(
                "(block (br_if 0 (local.get 0)) \
                 (local.set 0 (i32.xor (i32.rotl {product} (i32.const 3)) (local.get 0))))"
            )
        };
        (String::new(), (0..count).map(each).collect())
    });
    between("targets of a table", 500, 14_000, |count| {
        let targets: String = (0..count).map(|target| format!("{target} ")).collect();
        let each = "end local.get 0 i32.const 3 i32.add local.set 0 ";
        let (open, close) = ("block ".repeat(count), each.repeat(count));
        (String::new(), format!("{open} local.get 0 br_table {targets} {close}"))
    });
}

/// Values that a loop carries live at once where it is gone back.
#[test]
fn loops_that_carry_much() {
    between("locals", 300, 8000, |count| {
        let locals = format!("(local {})", "i32 ".repeat(count));
        let each = |index: usize| {
            let (own, before) = (index + 1, index);
            format!("(local.set {own} (i32.add (local.get {own}) (local.get {before})))")
        };
        let body: String = (0..count).map(each).collect();
        let end = "(local.set 0 (i32.shr_u (local.get 0) (i32.const 1))) (br_if 0 (local.get 0))";
        (locals, format!("(loop {body} {end}) (local.set 0 (local.get {count}))"))
    });
}

#[test]
fn straight_code_without_end() {
    between("sums", 1000, 70_000, |count| {
        let each = "local.get 0 i32.const 3 i32.mul i32.const 7 i32.xor local.set 0 ";
        (String::new(), each.repeat(count))
    });
}
