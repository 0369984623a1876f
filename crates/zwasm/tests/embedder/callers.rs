//! What a host function learns of the instance that called it, however it did.
#![cfg(feature = "wat")]

use zwasm::{Caller, Config, Engine, Instance, Linker, Module, Store, Strategy, Val};

const STRATEGIES: [Strategy; 4] =
    [Strategy::Interpreter, Strategy::Baseline, Strategy::Auto, Strategy::Mixed(1)];

fn engines() -> impl Iterator<Item = Engine> {
    STRATEGIES.into_iter().filter_map(|strategy| {
        let mut config = Config::new();
        config.strategy(strategy);
        Engine::new(&config).ok()
    })
}

/// Names that callers export, one for each call; none of what has no exports.
type Calls = Vec<Option<i32>>;

/// What the calling instance says it is: its export `id`, which its memory has as well.
fn note(mut caller: Caller<'_, Calls>) {
    let global = caller.get_export("id").and_then(|item| item.into_global());
    let id = global.map(|global| global.get(&mut caller).unwrap_i32());
    let (byte, calls) = match caller.guest_memory() {
        Some((memory, calls)) => (Some(i32::from(memory[0])), calls),
        None => (None, caller.data_mut()),
    };
    assert_eq!(id, byte);
    calls.push(id);
}

fn linker(engine: &Engine) -> Linker<Calls> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("host", "none", |caller: Caller<'_, Calls>| note(caller)).unwrap();
    let four = |caller: Caller<'_, Calls>, _: i64, _: i64, _: i64, _: i64| note(caller);
    linker.func_wrap("host", "four", four).unwrap();
    let result = |caller: Caller<'_, Calls>, value: i32| -> i32 {
        note(caller);
        value
    };
    linker.func_wrap("host", "result", result).unwrap();
    linker
}

#[test]
fn a_host_function_that_a_module_starts_with_is_called_by_its_instance() {
    for engine in engines() {
        let mut store = Store::new(&engine, Calls::new());
        let module = Module::new(
            &engine,
            r#"(module
                 (import "host" "none" (func $none))
                 (export "again" (func $none))
                 (global (export "id") i32 (i32.const 7))
                 (memory (export "memory") 1)
                 (data (i32.const 0) "\07")
                 (start $none))"#,
        )
        .unwrap();
        let instance = linker(&engine).instantiate(&mut store, &module).unwrap();
        assert_eq!(store.data()[..], [Some(7)]);
        // Called by the embedder, the same function has no caller.
        let again = instance.get_func(&mut store, "again").unwrap();
        again.call(&mut store, &[], &mut []).unwrap();
        let typed = again.typed::<(), ()>(&store).unwrap();
        typed.call(&mut store, ()).unwrap();
        assert_eq!(store.data()[..], [Some(7), None, None]);
    }
}

#[test]
fn an_error_of_a_start_function_of_the_host_is_its_own() {
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        linker
            .func_wrap("host", "fail", |_: Caller<'_, ()>| -> zwasm::Result<()> {
                Err(zwasm::Error::msg("not today"))
            })
            .unwrap();
        let wat = r#"(module (import "host" "fail" (func $fail)) (start $fail))"#;
        let module = Module::new(&engine, wat).unwrap();
        let error = linker.instantiate(&mut Store::new(&engine, ()), &module).unwrap_err();
        assert_eq!(error.summary(), "not today");
        assert!(error.backtrace().is_none(), "there are no frames of the guest");
    }
}

/// An instance that calls the host in every way that there is.
fn guest(id: i32) -> String {
    let mut wat = format!(
        r#"(module
             (import "host" "none" (func $none))
             (import "host" "four" (func $four (param i64 i64 i64 i64)))
             (import "host" "result" (func $result (param i32) (result i32)))
             (global (export "id") i32 (i32.const {id}))
             (memory (export "memory") 1)
             (data (i32.const 0) "\{id:02x}")
             (type $none (func))
             (type $four (func (param i64 i64 i64 i64)))
             (type $result (func (param i32) (result i32)))
             (table funcref (elem $none $four $result))
             (elem declare func $none $four $result)"#
    );
    let cases = [
        ("none", "", ""),
        ("four", "(i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)", ""),
        ("result", "(i32.const 5)", "(result i32)"),
    ];
    for (index, (name, arguments, result)) in cases.into_iter().enumerate() {
        for (shape, locals) in [("short", ""), ("long", "(param i64 i64 i64 i64 i64 i64)")] {
            for word in ["call", "return_call"] {
                let mut add = |kind: &str, code: String| {
                    wat += &format!(
                        "(func (export \"{name} {shape} {word} {kind}\") {locals} {result} {code})"
                    );
                };
                add("direct", format!("({word} ${name} {arguments})"));
                add(
                    "table",
                    format!("({word}_indirect (type ${name}) {arguments} (i32.const {index}))"),
                );
                add("ref", format!("({word}_ref ${name} {arguments} (ref.func ${name}))"));
            }
        }
    }
    wat + ")"
}

/// Calls what another instance exports.
const MIDDLE: &str = r#"(module
    (import "guest" "f" (func $f))
    (global (export "id") i32 (i32.const 9))
    (memory (export "memory") 1)
    (data (i32.const 0) "\09")
    (func (export "call") (call $f))
    (func (export "return_call") (return_call $f)))"#;

#[test]
fn the_caller_is_the_instance_that_calls_also_if_it_leaves_its_frame() {
    for engine in engines() {
        let mut store = Store::new(&engine, Calls::new());
        let linker = linker(&engine);
        let module = Module::new(&engine, guest(3)).unwrap();
        let guest = linker.instantiate(&mut store, &module).unwrap();
        let names: Vec<String> = module.exports().map(|export| export.name().to_owned()).collect();
        for name in names.iter().filter(|name| name.contains("call")) {
            let func = guest.get_func(&mut store, name).unwrap();
            let ty = func.ty(&store);
            let arguments = vec![Val::I64(0); ty.params().len()];
            let mut results = vec![Val::I64(0); ty.results().len()];
            for _ in 0..3 {
                func.call(&mut store, &arguments, &mut results).unwrap();
            }
            assert_eq!(std::mem::take(store.data_mut()), [Some(3); 3], "{name}");
            assert!(results.iter().all(|value| value.i32() == Some(5)), "{name}");
        }
        // A caller further out is not taken for it.
        let middle = Module::new(&engine, MIDDLE).unwrap();
        for name in names.iter().filter(|name| name.starts_with("none short")) {
            let f = guest.get_func(&mut store, name).unwrap();
            let middle = Instance::new(&mut store, &middle, &[f.into()]).unwrap();
            for outer in ["call", "return_call"] {
                let outer = middle.get_typed_func::<(), ()>(&mut store, outer).unwrap();
                outer.call(&mut store, ()).unwrap();
                assert_eq!(std::mem::take(store.data_mut()), [Some(3)], "{name}");
            }
        }
        // The host function itself, called through an instance that leaves its frame.
        let none = linker.get(&mut store, "host", "none").unwrap();
        let middle = Instance::new(&mut store, &middle, &[none]).unwrap();
        for outer in ["return_call", "call", "return_call"] {
            let outer = middle.get_typed_func::<(), ()>(&mut store, outer).unwrap();
            outer.call(&mut store, ()).unwrap();
            assert_eq!(std::mem::take(store.data_mut()), [Some(9)]);
        }
        let direct = linker.get(&mut store, "host", "none").unwrap().into_func().unwrap();
        direct.call(&mut store, &[], &mut []).unwrap();
        assert_eq!(store.data()[..], [None]);
    }
}

#[test]
fn a_caller_who_left_its_frame_is_forgotten_where_the_stack_is_full() {
    for engine in engines() {
        let mut store = Store::new(&engine, Calls::new());
        let mut linker = linker(&engine);
        // Calls back until no host function may be called any more.
        linker
            .func_wrap("host", "again", |mut caller: Caller<'_, Calls>| -> zwasm::Result<()> {
                let again = caller.get_export("again").and_then(|item| item.into_func());
                again.expect("it is exported").call(&mut caller, &[], &mut [])
            })
            .unwrap();
        let module = Module::new(
            &engine,
            r#"(module
                 (import "host" "again" (func $again))
                 (func (export "again") (return_call $again)))"#,
        )
        .unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let again = instance.get_typed_func::<(), ()>(&mut store, "again").unwrap();
        let error = again.call(&mut store, ()).unwrap_err();
        assert_eq!(error.trap(), Some(zwasm::Trap::StackOverflow));
        let none = linker.get(&mut store, "host", "none").unwrap().into_func().unwrap();
        none.call(&mut store, &[], &mut []).unwrap();
        assert_eq!(store.data()[..], [None]);
    }
}
