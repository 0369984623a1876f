//! What is kept compactly or looked up in one step gives the same answers: deep
//! types, many constants, segments of expressions.
#![cfg(all(feature = "gc", feature = "wat"))]

use std::fmt::Write;
use zwasm::{Config, Engine, Instance, Module, Store, Strategy};

/// Instantiates a module with each strategy.
fn each(wat: &str, test: impl Fn(&mut Store<()>, Instance)) {
    let strategies =
        [Strategy::Interpreter, Strategy::Baseline, Strategy::Auto, Strategy::Mixed(1)];
    for strategy in strategies {
        let mut config = Config::new();
        config.strategy(strategy);
        let engine = Engine::new(&config).unwrap();
        // Other types first, so that numbers are not indices.
        Module::new(&engine, "(module (type (sub (struct))) (type (array i8)))").unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        test(&mut store, instance);
    }
}

fn call(store: &mut Store<()>, instance: Instance, name: &str, arg: i32) -> i32 {
    let func = instance.get_typed_func::<i32, i32>(&mut *store, name).unwrap();
    func.call(store, arg).unwrap()
}

/// Two chains of types share their first `fork` types. Every object is tested against
/// every type.
#[test]
fn casts_tell_types_of_all_depths_apart() {
    const DEPTH: usize = 63;
    const FORK: usize = 20;
    let name = |chain: usize, depth: usize| match depth < FORK {
        true => format!("$a{depth}"),
        false => format!("${}{depth}", ["a", "b"][chain]),
    };
    let mut types = String::new();
    let mut made = Vec::new();
    for chain in 0..2 {
        for depth in (if chain == 0 { 0 } else { FORK })..=DEPTH {
            let sup = if depth == 0 { String::new() } else { name(chain, depth - 1) };
            write!(types, "(type {} (sub {sup} (struct)))", name(chain, depth)).unwrap();
            made.push((chain, depth));
        }
    }
    // One group: equal structures are different types. Objects are made in the order
    // of `made`; each function tests all against one type and gives a sum.
    let make: String = made
        .iter()
        .enumerate()
        .map(|(index, &(chain, depth))| {
            let ty = name(chain, depth);
            format!("(array.set $all (global.get $objects) (i32.const {index}) (struct.new {ty}))")
        })
        .collect();
    let tests: String = made
        .iter()
        .map(|&(chain, depth)| {
            let ty = name(chain, depth);
            format!(
                r#"(func (export "{ty}") (param $i i32) (result i32)
                    (ref.test (ref {ty}) (array.get $all (global.get $objects) (local.get $i))))"#
            )
        })
        .collect();
    let count = made.len();
    let wat = format!(
        r#"(module (rec {types}) (type $all (array (mut anyref)))
            (global $objects (ref $all) (array.new_default $all (i32.const {count})))
            (func $make {make}) (start $make) {tests})"#
    );
    each(&wat, |store, instance| {
        for &(chain, depth) in &made {
            for (index, &(other, below)) in made.iter().enumerate() {
                let is = below >= depth && (depth < FORK || chain == other);
                let ty = name(chain, depth);
                assert_eq!(call(store, instance, &ty, index as i32), i32::from(is), "{ty} {index}");
            }
        }
    });
}

/// More constants than are kept unwritten, below a block, a loop, a call and a branch.
#[test]
fn many_constants_are_all_there() {
    const COUNT: i32 = 200;
    let push: String = (1..=COUNT).map(|value| format!("(i32.const {value})")).collect();
    let add = "i32.add ".repeat(COUNT as usize);
    for middle in [
        "(block)",
        "(loop)",
        "(call $nothing)",
        "(if (local.get 0) (then (call $nothing)) (else (local.set 0 (i32.const 0))))",
        "(block (br_if 0 (local.get 0)) (call $nothing))",
    ] {
        let wat = format!(
            r#"(module (func $nothing)
                (func (export "run") (param i32) (result i32)
                    {push} {middle} (local.get 0) {add}))"#
        );
        each(&wat, |store, instance| {
            for arg in [0, 1000] {
                let sum = COUNT * (COUNT + 1) / 2 + arg;
                assert_eq!(call(store, instance, "run", arg), sum, "{middle}");
            }
        });
    }
}

/// Segments of functions and null, and of anything else, passive and active.
#[test]
fn segments_of_expressions_keep_their_elements() {
    let wat = r#"(module
        (type $f (func (result i32)))
        (func $one (result i32) (i32.const 1))
        (func $two (result i32) (i32.const 2))
        (global $g funcref (ref.func $two))
        (table $t 20 funcref)
        (table $r 20 (ref null i31))
        (elem (table $t) (i32.const 0) funcref
            (ref.null func) (ref.func $one) (ref.func $two) (ref.null func))
        (elem $p funcref (ref.func $two) (ref.null func) (ref.func $one))
        (elem (table $t) (i32.const 4) funcref
            (ref.func $one) (global.get $g) (ref.null func))
        (elem $q funcref (global.get $g) (ref.null func) (ref.func $one))
        (elem $e funcref)
        (elem (table $r) (i32.const 1) (ref null i31)
            (ref.i31 (i32.add (i32.const 3) (i32.const 4))) (ref.null i31)
            (item (i32.const 700000) (ref.i31)))
        (func (export "init") (param i32) (result i32)
            (table.init $t $p (i32.const 8) (i32.const 0) (i32.const 3))
            (table.init $t $q (i32.const 12) (i32.const 0) (i32.const 3))
            (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 0))
            (i32.const 0))
        ;; What a function gives, or 0 for null.
        (func (export "func") (param i32) (result i32)
            (if (result i32) (ref.is_null (table.get $t (local.get 0)))
                (then (i32.const 0))
                (else (call_indirect $t (type $f) (local.get 0)))))
        (func (export "number") (param i32) (result i32)
            (if (result i32) (ref.is_null (table.get $r (local.get 0)))
                (then (i32.const -1))
                (else (i31.get_u (table.get $r (local.get 0)))))))"#;
    each(wat, |store, instance| {
        call(store, instance, "init", 0);
        let found: Vec<i32> = (0..16).map(|at| call(store, instance, "func", at)).collect();
        assert_eq!(found, [0, 1, 2, 0, 1, 2, 0, 0, 2, 0, 1, 0, 2, 0, 1, 0]);
        let found: Vec<i32> = (0..5).map(|at| call(store, instance, "number", at)).collect();
        assert_eq!(found, [-1, 7, -1, 700_000, -1]);
    });
}
