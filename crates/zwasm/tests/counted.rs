//! Four times the size costs at most five times the work.
//!
//! Work is counted, not timed, in two ways that work everywhere. The loops that go
//! through what a module's author can make large count their steps
//! (`zwasm_regir::work`). And this program's allocator counts all bytes that are asked
//! for, whoever asks. Either alone would miss something: a loop without a counter, or
//! a search without an allocation.
//!
//! Steps are counted in builds with debug assertions only; in others the tests are
//! ignored, and say so. Each test warms up first, so that what is made once per
//! process is in neither count.
#![cfg(all(feature = "gc", feature = "wat"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use zwasm::{Config, Engine, Instance, Linker, Module, Store, Strategy};
use zwasm_regir::work;

struct Counting;

thread_local! {
    /// Bytes that this thread has asked for, and those of them it has not given back.
    static ASKED: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

fn note(asked: usize, live: i64) {
    // A thread that ends may allocate when these are gone.
    let _ = ASKED.try_with(|bytes| bytes.set(bytes.get() + asked as u64));
    let _ = LIVE.try_with(|bytes| bytes.set(bytes.get() + live));
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), layout.size() as i64);
        // SAFETY: by the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        note(0, -(layout.size() as i64));
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What something cost.
#[derive(Clone, Copy, Debug)]
struct Cost {
    steps: u64,
    bytes: u64,
}

fn cost<R>(run: impl FnOnce() -> R) -> Cost {
    let (steps, bytes) = (work::steps(), ASKED.get());
    let result = run();
    let cost = Cost { steps: work::steps() - steps, bytes: ASKED.get() - bytes };
    drop(result);
    cost
}

/// Compares what a size and four times the size cost.
fn compare(what: &str, size: usize, run: impl Fn(usize) -> Cost) {
    run(size / 4);
    let (one, four) = (run(size), run(4 * size));
    assert!(four.steps <= 5 * one.steps, "{what}: {one:?}, and four times as large {four:?}");
    assert!(four.bytes <= 5 * one.bytes, "{what}: {one:?}, and four times as large {four:?}");
    // What costs nothing was not looked at.
    assert!(one.steps >= size as u64, "{what}: only {one:?} for {size}");
}

/// Compares loading, compiling and running a module, in each tier.
fn compare_modules(what: &str, size: usize, wat: impl Fn(usize) -> String) {
    compare_slots(what, size, &wat);
    if Strategy::Optimizing.is_available() {
        compare_in(Strategy::Optimizing, what, size, wat);
    }
}

/// As [`compare_modules`], but for optimized code: what costs more there has a bound, or is
/// inlined up to some size.
fn compare_slots(what: &str, size: usize, wat: impl Fn(usize) -> String) {
    compare_in(Strategy::Interpreter, what, size, &wat);
    compare_in(Strategy::Baseline, what, size, wat);
}

fn compare_in(strategy: Strategy, what: &str, size: usize, wat: impl Fn(usize) -> String) {
    let mut config = Config::new();
    config.strategy(strategy);
    let engine = Engine::new(&config).unwrap();
    compare(&format!("{what}, {strategy:?}"), size, |size| {
        let bytes = wat::parse_str(wat(size)).unwrap();
        cost(|| {
            let module = Module::new(&engine, &bytes).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
            assert_eq!(run.call(&mut store, 0).unwrap(), 0);
            (module, store)
        })
    });
}

/// A module whose function `run` gives its argument after `body`.
fn function(head: &str, locals: &str, body: &str) -> String {
    format!(
        r#"(module {head} (func (export "run") (param i32) (result i32) {locals}
            {body} (local.get 0)))"#
    )
}

/// `count` values of a type.
fn list(word: &str, count: usize) -> String {
    format!("({word} {})", "i32 ".repeat(count))
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn loops() {
    compare_modules("loops in a row", 2000, |n| function("", "", &"(loop)".repeat(n)));
    compare_modules("loops in loops", 500, |n| {
        let body = format!("{}{}", "(loop (local.set 0 (local.get 0)) ".repeat(n), ")".repeat(n));
        function("", "", &body)
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn tries() {
    let head = "(tag $e (param i32)) (func $f (param i32) (result i32) (call $f (local.get 0)))";
    compare_modules("tries in a row", 1000, |n| {
        let each = "(if (local.get 0) (then (block $c (result i32)
            (try_table (result i32) (catch $e $c) (call $f (local.get 0)))) (local.set 0)))";
        function(head, "", &each.repeat(n))
    });
    compare_modules("tries in tries", 100, |n| {
        let open = "(block $c (result i32) (try_table (result i32) (catch $e $c)".repeat(n);
        let body = format!("{open} (local.get 0) {} (local.set 0)", "))".repeat(n));
        function(head, "", &body)
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn constants() {
    compare_modules("constants below blocks", 2000, |n| {
        let body = format!("{}(block)", "(i32.const 1)".repeat(n));
        function("", "", &format!("{body} {}", "drop ".repeat(n)))
    });
    compare_modules("constants between blocks", 1000, |n| {
        function("", "", &format!("{}{}", "(i32.const 1)(block)".repeat(n), "drop ".repeat(n)))
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn fields() {
    let head = format!("(type $s (struct {}))", "(field (mut i32))".repeat(9999));
    let local = "(local $s (ref null $s))";
    let skip = |body: String| format!("(if (local.get 0) (then {body}))");
    compare_modules("reads of the last field", 1000, |n| {
        let each = "(drop (struct.get $s 9998 (local.get $s)))";
        function(&head, local, &skip(each.repeat(n)))
    });
    let head = format!("(type $s (struct {}))", "(field (mut i32))".repeat(1000));
    compare_modules("large structures", 500, |n| {
        function(&head, "", &skip("(drop (struct.new_default $s))".repeat(n)))
    });
    compare_modules("fields of a structure", 500, |n| {
        let fields = "(field (mut i32))".repeat(n);
        let head = format!("(type $s (struct {fields}))");
        function(&head, "", "(drop (struct.new_default $s))")
    });
}

/// Many values go through each call, which is two bytes long.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn calls() {
    let wide = format!("(type $t (func {} {}))", list("param", 100), list("result", 100));
    let back: String = (0..100).map(|index| format!("(local.get {index})")).collect();
    let head = format!(
        "{wide} (table 1 funcref) (elem (table 0) (i32.const 0) func $f)
         (func $f (type $t) (drop (memory.size)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))
         {back}) (memory 1)"
    );
    for (what, call) in [
        ("calls", "(call $f)"),
        ("calls through a table", "(call_indirect (type $t) (i32.const 0))"),
        ("calls of references", "(call_ref $t (ref.func $f))"),
    ] {
        compare_slots(what, 200, |n| {
            let (push, pop) = ("(i32.const 1)".repeat(100), "drop ".repeat(100));
            function(&head, "", &format!("{push} {} {pop}", call.repeat(n)))
        });
    }
    compare_slots("calls below locals", 300, |n| {
        let body = "(local.set 7 (local.get 0)) (call $g (local.get 7)) ".repeat(n);
        let head = "(memory 1) (func $g (param i32) (memory.fill (local.get 0) (local.get 0) (local.get 0)))";
        function(head, &format!("(local {})", "i32 ".repeat(4 * n)), &body)
    });
    compare_slots("calls above operands", 300, |n| {
        let (push, pop) = ("(local.get 0)".repeat(n), "drop ".repeat(n));
        let head = "(memory 1) (func $g (param i32) (memory.fill (local.get 0) (local.get 0) (local.get 0)))";
        function(head, "", &format!("{push} {} {pop}", "(call $g (local.get 0))".repeat(n)))
    });
    for (what, call) in [
        ("tail calls", "(return_call $f)"),
        ("tail calls through a table", "(return_call_indirect (type $t) (i32.const 0))"),
        ("tail calls of references", "(return_call_ref $t (ref.func $f))"),
    ] {
        compare_slots(what, 200, |n| {
            let each = format!("(block $b (type $t) (br_if $b (local.get 0)) {call})");
            let head = format!("{head} (func $tails (type $t) {back} {})", each.repeat(n));
            let (push, pop) = ("(i32.const 1)".repeat(100), "drop ".repeat(100));
            function(&head, "", &format!("{push} (call $tails) {pop}"))
        });
    }
}

/// Many values are carried by each branch.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn joins() {
    let head = format!("(type $t (func {} {}))", list("param", 200), list("result", 200));
    let (push, pop) = ("(i32.const 1)".repeat(200), "drop ".repeat(200));
    for (what, open, close) in [
        ("blocks", "block (type $t) ", "end "),
        ("loops", "loop (type $t) ", "end "),
        ("ifs", "local.get 0 if (type $t) ", "else end "),
    ] {
        compare_modules(&format!("wide {what} in a row"), 100, |n| {
            let each = format!("{open} {close}");
            function(&head, "", &format!("{push} {} {pop}", each.repeat(n)))
        });
        compare_modules(&format!("wide {what} in each other"), 100, |n| {
            let body = format!("{}{}", open.repeat(n), close.repeat(n));
            function(&head, "", &format!("{push} {body} {pop}"))
        });
    }
    compare_modules("wide tables", 200, |n| {
        let each = "(block $in (type $t) (br_table $in $out (local.get 0)))".repeat(n);
        let out = list("result", 200);
        let body = format!("(block $out {out} (i32.const 7) {push} {each} br $out) {pop}");
        function(&head, "", &body)
    });
    compare_modules("the targets of a table", 1000, |n| {
        let targets: String = (0..n).map(|target| format!("{target} ")).collect();
        let each = "(local.set 0 (i32.xor (local.get 0) (local.get $x))) end ".repeat(n - 1);
        let table = format!("local.get 0 br_table {targets}");
        function("", "(local $x i32)", &format!("{} {table} end {each}", "block ".repeat(n)))
    });
}

/// As many branches as values: no branch costs as much as it carries.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn branches() {
    for value in ["(i32.const 1)", "(local.get 0)"] {
        for (what, each) in [
            ("wide branches", "(br_if $out (local.get 0))"),
            ("wide branches from ever higher", "(i32.const 1) (br_if $out (local.get 0))"),
        ] {
            compare_slots(what, 200, |n| {
                let (values, each, pop) = (value.repeat(n), each.repeat(n), "drop ".repeat(n));
                let out = list("result", n);
                // What is below the values is left behind.
                let body =
                    format!("(block $out {out} (i32.const 7) {values} {each} br $out) {pop}");
                function("", "", &body)
            });
        }
        compare_slots("wide returns", 200, |n| {
            let (values, pop) = (value.repeat(n), "drop ".repeat(n));
            let each = "(br_if 0 (i32.eqz (local.get 0)))".repeat(n);
            let results = list("result", n);
            let head =
                format!("(func $f (param i32) {results} (i32.const 7) {values} {each} return)");
            function(&head, "", &format!("(call $f (local.get 0)) {pop}"))
        });
    }
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn classes() {
    compare_modules("many chains", 10, |n| {
        let (types, casts): (String, String) = (0..n)
            .map(|number| {
                let casts = (0..60).map(|index| {
                    format!("(drop (ref.test (ref $t{number}_{index}) (local.get $x)))")
                });
                (chain(&format!("t{number}_"), 60, "(struct)"), casts.collect::<String>())
            })
            .unzip();
        let body = format!("(local.set $x (struct.new $t0_59)) {casts}");
        function(&format!("(rec {types})"), "(local $x anyref)", &body)
    });
    casts_alike(|depth| {
        let types = chain("t", depth, "(struct)");
        let last = depth - 1;
        let make = format!("(local.set $x (struct.new $t{last}))");
        let cast = format!("(drop (ref.test (ref $t{}) (local.get $x)))", last / 2);
        function(
            &format!("(rec {types})"),
            "(local $x (ref null $t0))",
            &format!("{make} {}", rounds(&cast)),
        )
    });
}

/// Types `$NAME0`, `$NAME1` and so on, each a subtype of the one before.
fn chain(name: &str, depth: usize, ty: &str) -> String {
    let one = |index: usize| match index {
        0 => format!("(type ${name}0 (sub {ty}))"),
        _ => format!("(type ${name}{index} (sub ${name}{} {ty}))", index - 1),
    };
    (0..depth).map(one).collect()
}

/// Does something a thousand times.
fn rounds(what: &str) -> String {
    format!(
        "(local.set 0 (i32.const 1000))
         (loop $l {what} (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
    )
}

/// Running a module a second time takes as many steps with deep types as with shallow ones.
fn casts_alike(wat: impl Fn(usize) -> String) {
    let all = [Strategy::Interpreter, Strategy::Baseline, Strategy::Optimizing];
    for strategy in all.into_iter().filter(|strategy| strategy.is_available()) {
        let mut config = Config::new();
        config.strategy(strategy);
        let engine = Engine::new(&config).unwrap();
        let steps = |depth: usize| {
            let module = Module::new(&engine, wat(depth)).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
            run.call(&mut store, 0).unwrap();
            cost(|| run.call(&mut store, 0).unwrap()).steps
        };
        assert_eq!(steps(60), steps(2), "{strategy:?}");
    }
}

/// Functions of types with many supertypes are called and cast as if of few.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn functions_of_deep_types() {
    casts_alike(|depth| {
        let types = chain("t", depth, "(func (result i32))");
        let last = depth - 1;
        let head = format!(
            "(rec {types}) (table funcref (elem $f)) (func $f (type $t{last}) (i32.const 0))"
        );
        let calls = "(drop (call_indirect (type $t0) (i32.const 0)))
            (drop (ref.test (ref $t0) (table.get (i32.const 0))))
            (drop (call_ref $t0 (ref.cast (ref $t0) (table.get (i32.const 0)))))";
        function(&head, "", &rounds(calls))
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn elements() {
    for (what, item) in [("nulls", "(ref.null func)"), ("globals", "(global.get $g)")] {
        compare_modules(what, 5000, |n| {
            let head = format!(
                "(global $g funcref (ref.null func)) (table $t {n} funcref)
                 (elem (table $t) (i32.const 0) funcref {})",
                item.repeat(n)
            );
            function(&head, "", "")
        });
    }
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn types() {
    let head = |n: usize, each: &dyn Fn(usize) -> String| (0..n).map(each).collect::<String>();
    compare_modules("types that refer to the one before", 1000, |n| {
        let each = |index: usize| match index {
            0 => "(type $t0 (struct))".to_owned(),
            _ => format!("(type $t{index} (struct (field (ref $t{}))))", index - 1),
        };
        function(&head(n, &each), "", "")
    });
    compare_modules("types of one group", 1000, |n| {
        let each =
            |index: usize| format!("(type $t{index} (array (ref null $t{})))", n - 1 - index);
        function(&format!("(rec {})", head(n, &each)), "", "")
    });
}

/// Exceptions are looked for in a heap that grows as they do.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn exceptions() {
    compare_modules("throws beside a heap", 80_000, |n| {
        let head = format!(
            "(tag $e (param i32)) (type $a (array i64))
             (global $heap (ref $a) (array.new_default $a (i32.const {})))",
            n * 20
        );
        let body = format!(
            "(local.set 1 (i32.const {n}))
             (loop $l
                (block $c (result i32) (try_table (catch $e $c) (throw $e (i32.const 1))) (i32.const 0))
                (drop)
                (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))");
        function(&head, "(local i32)", &body)
    });
}

/// So are they after many that were kept.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn exceptions_after_kept_ones() {
    let throw = "(block $c (result exnref)
        (try_table (catch_all_ref $c) (throw $e (i32.const 1))) (unreachable))";
    let rounds = |n: usize, what: &str| {
        format!(
            "(local.set 1 (i32.const {n}))
             (loop $l {what} (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))"
        )
    };
    let drops = format!("(drop {throw})");
    compare_modules("throws after kept ones", 80_000, |n| {
        let head = format!("(tag $e (param i32)) (table $t {n} exnref)");
        let keep = format!("(table.set $t (i32.sub (local.get 1) (i32.const 1)) {throw})");
        let forget = format!("(table.fill $t (i32.const 0) (ref.null exn) (i32.const {n}))");
        let body = format!("{} {forget} {}", rounds(n, &keep), rounds(3 * n, &drops));
        function(&head, "(local i32)", &body)
    });
}

/// Clauses that do not catch are looked at once, however many frames they are around.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn exceptions_through_clauses_that_do_not_catch() {
    compare_modules("throws through frames with clauses", 1000, |n| {
        let clauses = "(catch $other $out)".repeat(n);
        let head = format!(
            "(tag $e) (tag $other) (func $f (param i32)
                (if (i32.eqz (local.get 0)) (then (throw $e)))
                (block $out (try_table {clauses}
                    (call $f (i32.sub (local.get 0) (i32.const 1))))))"
        );
        let body = format!("(block $c (try_table (catch $e $c) (call $f (i32.const {n}))))");
        function(&head, "", &body)
    });
}

/// Garbage is collected beside a list that grows as it does.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn collections() {
    compare_slots("garbage beside a list", 100_000, |n| {
        let head = "(type $l (struct (field (ref null $l)) (field i64 i64 i64 i64 i64)))
                    (global $list (mut (ref null $l)) (ref.null $l))";
        let node = |next: &str| format!("(struct.new $l ({next}) {})", "(i64.const 0)".repeat(5));
        let body = format!(
            "(local.set 1 (i32.const {n}))
             (loop $l
                (global.set $list {}) (drop {}) (drop {0}) (drop {0})
                (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))",
            node("global.get $list"),
            node("ref.null $l")
        );
        function(head, "(local i32)", &body)
    });
}

/// Types of modules that are gone cost neither memory nor time.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn types_that_are_gone() {
    let engine = Engine::default();
    let own = wat::parse_str(
        "(module (type $s (struct (field i32))) (func (export \"f\") (result (ref $s))
            (struct.new $s (i32.const 7))))",
    )
    .unwrap();
    let start = || {
        cost(|| {
            let module = Module::new(&engine, &own).unwrap();
            let mut store = Store::new(&engine, ());
            Instance::new(&mut store, &module, &[]).unwrap();
            (module, store)
        })
    };
    let load = |number: usize| {
        // A section with a group of two types of their own: a function type with
        // the number in its parameters, and a structure.
        let mut params: Vec<u8> = (0..17).map(|bit| 0x7C + (number >> bit & 3) as u8).collect();
        params.insert(0, 17);
        let mut section = vec![1, 0x4E, 2, 0x60];
        section.extend(params);
        section.extend([0, 0x5F, 1, 0x64, 0, 0]);
        let mut bytes = b"\0asm\x01\0\0\0\x01".to_vec();
        bytes.push(section.len() as u8);
        bytes.extend(section);
        Module::new(&engine, &bytes).unwrap()
    };
    start();
    let first = start();
    let mut live = Vec::new();
    for number in 0..100_000 {
        drop(load(number));
        if number == 10_000 || number == 99_999 {
            live.push(LIVE.get());
        }
    }
    assert!(live[1] - live[0] < 100_000, "{live:?}");
    let last = start();
    assert!(
        last.steps <= first.steps + 100 && last.bytes <= first.bytes + 1000,
        "{first:?} {last:?}"
    );
    // And those that are there cost stores that do not use them nothing.
    let modules: Vec<Module> = (0..10_000).map(load).collect();
    let last = start();
    assert!(
        last.steps <= first.steps + 100 && last.bytes <= first.bytes + 1000,
        "{first:?} {last:?}"
    );
    drop(modules);
}

/// A host function is defined once, however many stores it is made in.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn stores() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("host", "f", |value: i32| value).unwrap();
    let module =
        Module::new(&engine, r#"(module (import "host" "f" (func (param i32) (result i32))))"#);
    let module = module.unwrap();
    compare("stores", 100, |n| {
        cost(|| {
            for _ in 0..n {
                linker.instantiate(&mut Store::new(&engine, ()), &module).unwrap();
            }
        })
    });
}

/// What a command imports is found once for all that it exports.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn commands() {
    let engine = Engine::default();
    compare("exports and imports of a command", 500, |n| {
        let imports: String =
            (0..n).map(|number| format!("(import \"m\" \"{number}\" (func))")).collect();
        let exports: String =
            (0..n).map(|number| format!("(func (export \"{number}\"))")).collect();
        let wat = format!("(module {imports} (func (export \"_start\")) {exports})");
        let bytes = wat::parse_str(wat).unwrap();
        let mut linker = Linker::new(&engine);
        cost(|| {
            let module = Module::new(&engine, &bytes).unwrap();
            linker.define_unknown_imports_as_traps(&module).unwrap();
            let mut store = Store::new(&engine, ());
            linker.module(&mut store, "command", &module).unwrap();
            (module, store)
        })
    });
}

/// The names of all functions cost no more each than one does.
#[cfg(feature = "trace")]
#[test]
#[cfg_attr(not(debug_assertions), ignore = "steps are not counted")]
fn names() {
    let engine = Engine::default();
    compare("names", 1000, |n| {
        let funcs: String = (0..n).map(|number| format!("(func $f{number})")).collect();
        let module = Module::new(&engine, format!("(module {funcs})")).unwrap();
        cost(|| {
            for number in 0..n {
                let name = module.func_name(number as u32);
                assert_eq!(name.as_deref(), Some(&*format!("f{number}")));
            }
        })
    });
}
