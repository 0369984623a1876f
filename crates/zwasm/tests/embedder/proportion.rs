//! What is kept compactly, looked up in one step or moved at once gives the same
//! answers: deep types, many constants, segments of expressions, many values.
#![cfg(all(feature = "gc", feature = "wat"))]

use std::fmt::Write;
use zwasm::{Config, Engine, Func, Instance, Module, Store, Strategy};

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

/// Functions of two chains of types that share their first `fork`, and one of the host,
/// are tested against every type, and called as if they were of it.
#[test]
fn casts_and_calls_tell_function_types_of_all_depths_apart() {
    const DEPTH: usize = 63;
    const FORK: usize = 20;
    let name = |chain: usize, depth: usize| match depth < FORK {
        true => format!("$a{depth}"),
        false => format!("${}{depth}", ["a", "b"][chain]),
    };
    let mut made: Vec<(usize, usize)> = Vec::new();
    let mut module = String::from("(module (rec");
    for chain in 0..2 {
        for depth in (if chain == 0 { 0 } else { FORK })..=DEPTH {
            let sup = if depth == 0 { String::new() } else { name(chain, depth - 1) };
            let ty = name(chain, depth);
            write!(module, "(type {ty} (sub {sup} (func (result i32))))").unwrap();
            made.push((chain, depth));
        }
    }
    let host = (1, FORK + 1);
    write!(module, r#") (import "" "f" (func $host (type {})))"#, name(host.0, host.1)).unwrap();
    let mut elements = String::new();
    for (index, &(chain, depth)) in made.iter().enumerate() {
        let ty = name(chain, depth);
        write!(module, "(func $f{index} (type {ty}) (i32.const {index}))").unwrap();
        write!(elements, "$f{index} ").unwrap();
        for (kind, body) in [
            ("test", format!("(ref.test (ref {ty}) (table.get (local.get 0)))")),
            ("indirect", format!("(call_indirect (type {ty}) (local.get 0))")),
            ("tail", format!("(return_call_indirect (type {ty}) (local.get 0))")),
            ("ref", format!("(call_ref {ty} (ref.cast (ref {ty}) (table.get (local.get 0))))")),
            ("as", format!("(call_ref $a0 (ref.cast (ref null {ty}) (table.get (local.get 0))))")),
        ] {
            let head = format!(r#"(func (export "{kind}{ty}") (param i32) (result i32)"#);
            write!(module, "{head} {body})").unwrap();
        }
    }
    write!(module, "(table funcref (elem {elements} $host)))").unwrap();
    made.push(host);
    for strategy in [Strategy::Interpreter, Strategy::Baseline, Strategy::Mixed(1)] {
        let mut config = Config::new();
        config.strategy(strategy);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, &module).unwrap();
        let mut store = Store::new(&engine, ());
        let ty = module.imports().next().unwrap().ty().func().unwrap().clone();
        let last = made.len() as i32 - 1;
        let func = Func::new(&mut store, ty, move |_, _, results| {
            results[0] = last.into();
            Ok(())
        });
        let instance = Instance::new(&mut store, &module, &[func.into()]).unwrap();
        for &(chain, depth) in &made {
            let ty = name(chain, depth);
            for kind in ["test", "indirect", "tail", "ref", "as"] {
                let name = format!("{kind}{ty}");
                let func = instance.get_typed_func::<i32, i32>(&mut store, &name).unwrap();
                for (index, &(other, below)) in made.iter().enumerate() {
                    let is = below >= depth && (depth < FORK || chain == other);
                    let result = func.call(&mut store, index as i32);
                    match (kind, is) {
                        ("test", _) => assert_eq!(result.unwrap(), i32::from(is), "{name} {index}"),
                        (_, true) => assert_eq!(result.unwrap(), index as i32, "{name}"),
                        (_, false) => assert!(result.is_err(), "{name} {index}"),
                    }
                }
            }
        }
    }
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

/// Values in every way in which an operand can be held, in order.
struct Many {
    types: String,
    /// Pushes them.
    push: String,
    /// Pops them, and adds them up in `$h` so that their order matters.
    fold: String,
}

impl Many {
    const COUNT: usize = 60;

    /// Values that depend on the local `$x`.
    fn new() -> Many {
        let (mut types, mut push, mut fold) = (String::new(), String::new(), String::new());
        for index in 0..Many::COUNT {
            let sum = format!("(i32.add (local.get $x) (i32.const {index}))");
            let (ty, value, back) = match index % if cfg!(feature = "simd") { 6 } else { 5 } {
                0 => ("i32", "(local.get $x)".to_owned(), ""),
                1 => ("i32", format!("(i32.const {index})"), ""),
                2 => ("i32", sum, ""),
                3 => ("i64", format!("(i64.extend_i32_s {sum})"), "i32.wrap_i64"),
                4 => ("f64", format!("(f64.convert_i32_s {sum})"), "i32.trunc_f64_s"),
                _ => ("v128", format!("(i32x4.splat {sum})"), "i32x4.extract_lane 3"),
            };
            write!(types, "{ty} ").unwrap();
            push += &value;
            let add = format!(
                "{back} (local.set $v) (local.set $h
                    (i32.add (i32.mul (local.get $h) (i32.const 31)) (local.get $v))) "
            );
            fold.insert_str(0, &add);
        }
        Many { types, push, fold }
    }

    /// What `fold` makes of them.
    fn sum(x: i32) -> i32 {
        (0..Many::COUNT).rev().fold(0i32, |sum, index| {
            let value = match index % if cfg!(feature = "simd") { 6 } else { 5 } {
                0 => x,
                1 => index as i32,
                _ => x + index as i32,
            };
            sum.wrapping_mul(31).wrapping_add(value)
        })
    }
}

/// Branches of all kinds carry many values from above others, and go on with them when
/// they are not taken.
#[test]
fn branches_carry_many_values() {
    let Many { types, push, fold } = Many::new();
    for branch in [
        "(br_if $out (i32.gt_s (local.get $x) (i32.const 0)))",
        "(br_if $out (local.tee $c (i32.gt_s (local.get $x) (i32.const 0))))",
        "(block $in (type $t)
            (br_table $out $out $in (i32.lt_s (local.get $x) (i32.const 1)) (i32.mul (i32.const 2))))",
        "(drop (br_on_null $out (select (result anyref) (ref.null any) (ref.i31 (local.get $x))
            (i32.gt_s (local.get $x) (i32.const 0)))))",
        "(if (type $t) (i32.gt_s (local.get $x) (i32.const 0)) (then (br $out)) (else))",
    ] {
        let wat = format!(
            r#"(module (type $t (func (param {types}) (result {types})))
                (func (export "run") (param $x i32) (result i32)
                    (local $c i32) (local $v i32) (local $h i32)
                    (block $out (result {types})
                        (i32.const 7) (local.get $x) {push} {branch}
                        (local.set $x (i32.add (local.get $x) (i32.const 1)))
                        {branch}
                        (local.set $h (i32.const 1000)) (br $out))
                    {fold} (local.get $h)))"#
        );
        each(&wat, |store, instance| {
            assert_eq!(call(store, instance, "run", 5), Many::sum(5), "{branch}");
            assert_eq!(call(store, instance, "run", 0), Many::sum(0), "{branch}");
            let start = 1000i32.wrapping_mul(31i32.wrapping_pow(Many::COUNT as u32));
            let sum = Many::sum(-5).wrapping_add(start);
            assert_eq!(call(store, instance, "run", -5), sum, "{branch}");
        });
    }
}

/// Values move by one slot on each way back, onto themselves.
#[test]
fn loops_carry_many_values() {
    let count = 50;
    let types = "i32 ".repeat(count);
    let push: String = (0..count).map(|value| format!("(i32.const {value})")).collect();
    let fold = "(local.set $v) (local.set $h
        (i32.add (i32.mul (local.get $h) (i32.const 31)) (local.get $v)))"
        .repeat(count);
    let wat = format!(
        r#"(module (type $t (func (param {types}) (result {types})))
            (func (export "run") (param $x i32) (result i32) (local $v i32) (local $h i32)
                {push}
                (loop $l (type $t)
                    (i32.mul (local.get $x) (i32.const 100))
                    (br_if $l (local.tee $x (i32.sub (local.get $x) (i32.const 1))))
                    (drop))
                {fold} (local.get $h)))"#
    );
    each(&wat, |store, instance| {
        for rounds in [1, 2, 49, 200] {
            let mut values: Vec<i32> = (0..count as i32).collect();
            values.extend((2..=rounds).rev().map(|x| x * 100));
            let last = values[values.len() - count..].iter().rev();
            let sum = last.fold(0i32, |sum, value| sum.wrapping_mul(31).wrapping_add(*value));
            assert_eq!(call(store, instance, "run", rounds), sum, "{rounds}");
        }
    });
}

/// Functions return many values early and late, and pass them on by tail calls between
/// frames of the same shape and of others.
#[test]
fn calls_carry_many_values() {
    let Many { types, push, fold } = Many::new();
    let get: String = (0..Many::COUNT).map(|index| format!("(local.get {index})")).collect();
    for (what, body) in [
        (
            "return",
            format!("(i32.const 7) {push} (br_if 0 (local.get $x)) (local.get $x) (drop) return"),
        ),
        ("same", format!("{push} (return_call $same)")),
        (
            "wider",
            format!("(i32.const 7) {push} {} (return_call $wider)", "(i32.const 1)".repeat(40)),
        ),
        ("table", format!("{push} (return_call_indirect (type $t) (i32.const 0))")),
        ("reference", format!("{push} (return_call_ref $t (ref.func $same))")),
    ] {
        let wat = format!(
            r#"(module (type $t (func (param {types}) (result {types})))
                (table funcref (elem $same))
                (func $same (type $t) {get} (br_if 0 (local.get 0)) return)
                (func $wider (param {types} {}) (result {types}) {get} return)
                (func $f (param $x i32) (result {types}) {body})
                (func (export "run") (param $x i32) (result i32) (local $v i32) (local $h i32)
                    (call $f (local.get $x)) {fold} (local.get $h)))"#,
            "i32 ".repeat(40)
        );
        each(&wat, |store, instance| {
            for x in [0, 3] {
                assert_eq!(call(store, instance, "run", x), Many::sum(x), "{what} {x}");
            }
        });
    }
}

/// Many values are thrown and caught.
#[test]
fn exceptions_carry_many_values() {
    let Many { types, push, fold } = Many::new();
    let wat = format!(
        r#"(module (tag $e (param {types}))
            (func $throw (param $x i32) (i32.const 7) {push} (throw $e))
            (func (export "run") (param $x i32) (result i32) (local $v i32) (local $h i32)
                (block $out (result {types})
                    (i32.const 7) (local.get $x)
                    (try_table (catch $e $out) (call $throw (local.get $x)))
                    (unreachable))
                {fold} (local.get $h)))"#
    );
    each(&wat, |store, instance| {
        assert_eq!(call(store, instance, "run", 4), Many::sum(4));
    });
}
