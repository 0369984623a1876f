//! Linking and instantiating components.

use zwasm::{Engine, ErrorKind, Module, Result, Store, StoreContextMut};
use zwasm_component::{Component, Instance, Linker, Resource, ResourceType, Val};

fn component(engine: &Engine, text: &str) -> Component {
    Component::new(engine, text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn instantiate(text: &str) -> (Store<()>, Instance) {
    let engine = Engine::default();
    let component = component(&engine, text);
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
    (store, instance)
}

fn link_error(linker: &Linker<()>, text: &str) -> String {
    let component = component(linker.engine(), text);
    match linker.instantiate_pre(&component) {
        Ok(_) => panic!("linked: {text}"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Link, "{error}");
            error.summary()
        }
    }
}

const ADD: &str = r#"
    (core module $m (func (export "add") (param i32 i32) (result i32)
        (i32.add (local.get 0) (local.get 1))))
    (core instance $i (instantiate $m))
    (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))"#;

#[test]
fn exported_functions_are_called() {
    let text = format!(
        r#"(component {ADD}
            (export "add" (func $add))
            (instance $in (export "plus" (func $add)))
            (export "a:b/math@1.2.3" (instance $in)))"#
    );
    let (mut store, instance) = instantiate(&text);
    for name in ["add", "a:b/math@1.2.3#plus", "a:b/math@1.0.0#plus"] {
        let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, name).unwrap();
        assert_eq!(add.call(&mut store, (2, 3)).unwrap(), (5,), "{name}");
    }
    let math = instance.get_export_index(&store, None, "a:b/math@1.2.3").unwrap();
    let plus = instance.get_export_index(&store, Some(&math), "plus").unwrap();
    let plus = instance.get_func(&store, plus).unwrap();
    let mut results = [Val::Bool(false)];
    plus.call(&mut store, &[Val::U32(7), Val::U32(8)], &mut results).unwrap();
    assert_eq!(results[0], Val::U32(15));
    for none in ["plus", "a:b/math@2.0.0#plus", "a:b/math@1.2.3#add", "add#add", "#", ""] {
        assert!(instance.get_func(&store, none).is_none(), "{none}");
    }
    let names: Vec<_> = instance.exports(&store).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["add", "a:b/math@1.2.3"]);
    // What is found in one component is nothing in another, and in another store.
    let (other_store, other) = instantiate(&text);
    assert!(other.get_func(&other_store, math).is_none());
    assert!(instance.get_func(&other_store, "add").is_none());
}

#[test]
fn nested_components_get_what_they_are_given() {
    let text = format!(
        r#"(component
            (component $adder {ADD} (export "add" (func $add)))
            (component $twice
                (import "op" (func $op (param "a" u32) (param "b" u32) (result u32)))
                (core func $op (canon lower (func $op)))
                (core module $m (import "" "op" (func $op (param i32 i32) (result i32)))
                    (func (export "run") (param i32) (result i32)
                        (call $op (local.get 0) (local.get 0))))
                (core instance $i (instantiate $m (with "" (instance (export "op" (func $op))))))
                (func (export "run") (param "x" u32) (result u32)
                    (canon lift (core func $i "run"))))
            (component $outer
                (import "inner" (component $inner
                    (import "op" (func (param "a" u32) (param "b" u32) (result u32)))
                    (export "run" (func (param "x" u32) (result u32)))))
                (import "in" (instance $in
                    (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
                (instance $made (instantiate $inner (with "op" (func $in "add"))))
                (export "run" (func $made "run")))
            (instance $a (instantiate $adder))
            (instance $o (instantiate $outer
                (with "inner" (component $twice)) (with "in" (instance $a))))
            (export "run" (func $o "run")))"#
    );
    let (mut store, instance) = instantiate(&text);
    let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, (21,)).unwrap(), (42,));
}

const LOG: &str = r#"(component
    (import "a:b/log@0.2.3" (instance $log
        (export "log" (func (param "x" u32) (result u32)))))
    (core func $log (canon lower (func $log "log")))
    (core module $m (import "" "log" (func $log (param i32) (result i32)))
        (func (export "run") (result i32) (call $log (i32.const 5))))
    (core instance $i (instantiate $m (with "" (instance (export "log" (func $log))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))"#;

#[test]
fn imports_find_compatible_versions() {
    let engine = Engine::default();
    let run = |versions: &[&str]| -> Result<u32> {
        let mut linker: Linker<()> = Linker::new(&engine);
        for (place, version) in versions.iter().enumerate() {
            let mut names = linker.instance(&format!("a:b/log@{version}"))?;
            names.func_wrap("log", move |_: StoreContextMut<'_, ()>, (x,): (u32,)| {
                Ok((x * 10 + place as u32,))
            })?;
        }
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component(&engine, LOG))?;
        let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run")?;
        Ok(run.call(&mut store, ())?.0)
    };
    assert_eq!(run(&["0.2.3"]).unwrap(), 50);
    assert_eq!(run(&["0.2.0"]).unwrap(), 50);
    assert_eq!(run(&["0.2.0", "0.2.11", "0.2.9", "0.3.0"]).unwrap(), 51);
    assert_eq!(run(&["0.2.11", "0.2.3"]).unwrap(), 51);
    let wrong = run(&["0.3.0"]).unwrap_err().summary();
    let parts = [
        "unknown import 'a:b/log@0.2.3#log': func(x: u32) -> u32",
        "there is 'a:b/log@0.3.0', and the component wants 'a:b/log@0.2.3'",
    ];
    assert!(parts.iter().all(|part| wrong.contains(part)), "{wrong}");
}

/// Several imports may be of one interface, each under a name of its own.
#[test]
fn imports_find_the_interface_that_they_stand_for() {
    let engine = Engine::default();
    let text = r#"(component
        (import "first" (implements "a:b/log@0.2.3") (instance $first
            (export "log" (func (param "x" u32) (result u32)))))
        (import "second" (implements "a:b/log@0.2.3") (instance $second
            (export "log" (func (param "x" u32) (result u32)))))
        (core func $first (canon lower (func $first "log")))
        (core func $second (canon lower (func $second "log")))
        (core module $m
            (import "" "first" (func $first (param i32) (result i32)))
            (import "" "second" (func $second (param i32) (result i32)))
            (func (export "run") (result i32)
                (call $second (call $first (i32.const 5)))))
        (core instance $i (instantiate $m (with "" (instance
            (export "first" (func $first)) (export "second" (func $second))))))
        (func (export "run") (result u32) (canon lift (core func $i "run"))))"#;
    let component = component(&engine, text);
    let run = |linker: &Linker<()>| {
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run").unwrap();
        run.call(&mut store, ()).unwrap().0
    };
    let mut linker: Linker<()> = Linker::new(&engine);
    let mut define = |name: &str, add: u32| {
        let mut names = linker.instance(name).unwrap();
        let log = move |_: StoreContextMut<'_, ()>, (x,): (u32,)| Ok((x + add,));
        names.func_wrap("log", log).unwrap();
    };
    define("a:b/log@0.2.0", 100);
    // A definition of the name itself goes before.
    define("second", 1);
    assert_eq!(run(&linker), 106);
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    assert!(linker.instantiate_pre(&component).is_ok());
}

#[test]
fn all_that_is_missing_is_listed_with_its_type() {
    let engine = Engine::default();
    let mut linker: Linker<()> = Linker::new(&engine);
    let text = r#"(component
        (import "plain" (func (param "s" string)))
        (type $person' (record (field "name" string)))
        (import "ns:pkg/people" (instance
            (type $person' (record (field "name" string)))
            (export "person" (type $person (eq $person')))
            (export "crowd" (type $crowd (sub resource)))
            (export "find" (func (param "in" (borrow $crowd)) (result (option $person))))))
        (import "m" (core module (export "f" (func)))))"#;
    let missing = link_error(&linker, text);
    let parts = [
        "'plain': func(s: string);",
        "'ns:pkg/people#crowd': a resource;",
        "'ns:pkg/people#find': func(in: borrow<crowd>) -> option<person>;",
        "'m': a core module",
    ];
    assert!(parts.iter().all(|part| missing.contains(part)), "{missing}");
    assert_eq!(missing.matches("unknown import").count(), 4, "{missing}");
    // What is there but of another type.
    linker.root().func_wrap("plain", |_: StoreContextMut<'_, ()>, (_,): (u32,)| Ok(())).unwrap();
    linker.root().module("m", &Module::new(&engine, "(module)").unwrap()).unwrap();
    linker.root().module("ns:pkg/people", &Module::new(&engine, "(module)").unwrap()).unwrap();
    let wrong = link_error(&linker, text);
    assert!(wrong.contains("import 'plain' is to be func(s: string): parameters:"), "{wrong}");
    assert!(wrong.contains("import 'm' is to be a core module: it does not export 'f'"), "{wrong}");
    let twice = linker.root().module("m", &Module::new(&engine, "(module)").unwrap()).unwrap_err();
    assert!(twice.to_string().contains("'m' is defined twice"), "{twice}");
    assert!(linker.instance("m").is_err());
    linker.allow_shadowing(true);
    assert!(linker.instance("m").is_ok());
}

#[test]
fn long_lists_of_what_is_missing_end() {
    let mut text = "(component".to_owned();
    for index in 0..20_000 {
        text += &format!("(import \"f{index}\" (func (param \"x\" string)))");
    }
    let missing = link_error(&Linker::new(&Engine::default()), &(text + ")"));
    assert!(missing.len() < 100_000, "{}", missing.len());
    assert!(missing.ends_with("more"), "{}", &missing[missing.len() - 100..]);
}

#[test]
fn imported_modules_are_instantiated() {
    let engine = Engine::default();
    let text = r#"(component
        (import "m" (core module $m
            (import "env" "base" (global i32))
            (export "get" (func (result i32)))))
        (core module $env (global (export "base") i32 (i32.const 41)))
        (core instance $env (instantiate $env))
        (core instance $i (instantiate $m (with "env" (instance $env))))
        (func (export "get") (result u32) (canon lift (core func $i "get")))
        (export "again" (core module $m)))"#;
    let mut linker: Linker<()> = Linker::new(&engine);
    let module = |import: &str| {
        let text = format!(
            "(module {import} (global $g i32 (i32.const 1))
                (func (export \"get\") (result i32) (i32.add (global.get 0) (i32.const 1))))"
        );
        Module::new(&engine, text).unwrap()
    };
    let with_base = module("(import \"env\" \"base\" (global i32))");
    linker.root().module("m", &with_base).unwrap();
    let component = component(&engine, text);
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let get = instance.get_typed_func::<(), (u32,)>(&mut store, "get").unwrap();
    assert_eq!(get.call(&mut store, ()).unwrap(), (42,));
    assert!(instance.get_module(&store, "again").is_some());
    // One that asks for less will do, and one that asks for more will not.
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.root().module("m", &module("")).unwrap();
    assert!(linker.instantiate(&mut store, &component).is_ok());
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.root().module("m", &module("(import \"env\" \"other\" (global i32))")).unwrap();
    let wrong = link_error(&linker, text);
    assert!(wrong.contains("imports 'env' 'other', which it does not get"), "{wrong}");
}

struct Thing;

#[test]
fn resources_of_the_host_are_dropped() {
    let engine = Engine::default();
    let mut linker: Linker<Vec<u32>> = Linker::new(&engine);
    let mut names = linker.instance("host:a/things").unwrap();
    names
        .resource("thing", ResourceType::host::<Thing>(), |mut store, rep| {
            store.data_mut().push(rep);
            Ok(())
        })
        .unwrap();
    names
        .func_wrap("make", |_: StoreContextMut<'_, Vec<u32>>, (rep,): (u32,)| {
            Ok((Resource::<Thing>::new_own(rep),))
        })
        .unwrap();
    let text = r#"(component
        (import "host:a/things" (instance $h
            (export "thing" (type $thing (sub resource)))
            (export "make" (func (param "rep" u32) (result (own $thing))))))
        (alias export $h "thing" (type $thing))
        (core func $make (canon lower (func $h "make")))
        (core func $drop (canon resource.drop $thing))
        (core module $m
            (import "" "make" (func $make (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (func (export "run") (call $drop (call $make (i32.const 77)))))
        (core instance $i (instantiate $m (with "" (instance
            (export "make" (func $make)) (export "drop" (func $drop))))))
        (func (export "run") (canon lift (core func $i "run")))
        (export "thing" (type $thing)))"#;
    let component = component(&engine, text);
    let mut store = Store::new(&engine, Vec::new());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    run.call(&mut store, ()).unwrap();
    assert_eq!(*store.data(), [77]);
    assert_eq!(instance.get_resource(&store, "thing"), Some(ResourceType::host::<Thing>()));
}

#[test]
fn what_is_not_known_can_be_a_trap() {
    let engine = Engine::default();
    let mut linker: Linker<()> = Linker::new(&engine);
    let component = component(&engine, LOG);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run").unwrap();
    let error = run.call(&mut store, ()).unwrap_err();
    assert!(error.summary().contains("'a:b/log@0.2.3#log' is not defined"), "{error}");
}

#[test]
fn stores_and_linkers_of_other_engines_are_refused() {
    let (engine, other) = (Engine::default(), Engine::default());
    let component = component(&engine, "(component)");
    let linker: Linker<()> = Linker::new(&other);
    assert!(linker.instantiate_pre(&component).is_err());
    let linker: Linker<()> = Linker::new(&engine);
    assert!(linker.instantiate(&mut Store::new(&other, ()), &component).is_err());
    assert!(linker.instantiate(&mut Store::new(&engine, ()), &component).is_ok());
}
