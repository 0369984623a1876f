//! Linkers: what they define, and what they say is missing.

use engine::{
    Engine, Extern, Global, GlobalType, Linker, Module, Mutability, Result, Store,
    UnknownImportError, Val, ValType,
};

#[test]
fn a_reactor_is_instantiated_once_and_a_command_for_each_call() -> Result<()> {
    let engine = Engine::default();
    let counter = |start: &str| {
        format!(
            r#"(module
                (global $n (mut i32) (i32.const 40))
                (func (export "{start}") (global.set $n (i32.const 41)))
                (func (export "next") (result i32)
                    (global.set $n (i32.add (global.get $n) (i32.const 1)))
                    (global.get $n)))"#
        )
    };
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.module(&mut store, "reactor", &Module::new(&engine, counter("_initialize"))?)?;
    linker.module(&mut store, "command", &Module::new(&engine, counter("_start"))?)?;
    for (module, numbers) in [("reactor", [42, 43]), ("command", [41, 41])] {
        for number in numbers {
            let next = linker.get(&mut store, module, "next")?.into_func();
            let next = next.expect("it is a function").typed::<(), i32>(&store)?;
            assert_eq!(next.call(&mut store, ())?, number, "{module}");
        }
    }
    linker.get_default(&mut store, "command")?.call(&mut store, &[], &mut [])?;
    linker.get_default(&mut store, "nothing")?.call(&mut store, &[], &mut [])?;
    Ok(())
}

#[test]
fn names_are_given_to_what_is_there() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("a", "f", || 1)?;
    linker.alias("a", "f", "b", "g")?.alias_module("a", "c")?;
    assert!(linker.alias("a", "no", "b", "h").is_err());
    let error = linker.func_wrap("b", "g", || 2).map(drop).unwrap_err();
    assert!(error.to_string().contains("defined twice"), "{error}");
    linker.allow_shadowing(true).func_wrap("b", "g", || 2)?;
    let mut names: Vec<_> =
        linker.iter(&mut store).map(|(module, name, _)| format!("{module}.{name}")).collect();
    names.sort();
    assert_eq!(names, ["a.f", "b.g", "c.f"]);
    assert!(matches!(linker.get(&mut store, "c", "f")?, Extern::Func(_)));
    Ok(())
}

#[test]
fn what_is_missing_is_told_or_made_up() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "f" (func $f (result i32)))
            (func (export "run") (result i32) (call $f)))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let linker = Linker::new(&engine);
    let error = linker.instantiate(&mut store, &module).unwrap_err();
    let unknown = error.downcast_ref::<UnknownImportError>().expect("it says what is missing");
    assert_eq!((unknown.module(), unknown.name()), ("host", "f"));
    assert!(unknown.ty().func().is_some());
    let words = "unknown import: `host::f` has not been defined";
    assert_eq!(error.to_string(), words);

    let mut traps = linker.clone();
    traps.define_unknown_imports_as_traps(&module)?;
    let instance = traps.instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
    let error = run.call(&mut store, ()).unwrap_err();
    assert!(error.is::<UnknownImportError>());

    let mut defaults = linker.clone();
    defaults.define_unknown_imports_as_default_values(&mut store, &module)?;
    let instance = defaults.instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, ())?, 0);
    Ok(())
}

#[test]
fn imports_are_looked_up_before() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "f" (func $f (result i32)))
            (func (export "run") (result i32) (call $f)))"#,
    )?;
    let mut linker = Linker::new(&engine);
    assert!(linker.instantiate_pre(&module).is_err());
    linker.func_wrap("host", "f", || 3)?;
    let pre = linker.instantiate_pre(&module)?;
    assert!(Module::same(pre.module(), &module));
    for _ in 0..3 {
        let mut store = Store::new(&engine, ());
        let instance = pre.instantiate(&mut store)?;
        let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
        assert_eq!(run.call(&mut store, ())?, 3);
    }
    linker.allow_shadowing(true).func_wrap("host", "f", |_: i32| 3)?;
    assert!(linker.instantiate_pre(&module).is_err());
    let import = module.imports().next().expect("there is one");
    let mut store = Store::new(&engine, ());
    assert!(linker.get_by_import(&mut store, &import).is_some());
    let ty = GlobalType::new(ValType::I32, Mutability::Const);
    let global = Global::new(&mut store, ty, Val::I32(1))?;
    linker.define(&mut store, "host", "f", global)?;
    assert!(linker.instantiate(&mut store, &module).is_err());
    Ok(())
}

#[test]
fn an_import_of_another_type_is_named() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let ty = GlobalType::new(ValType::FUNCREF, Mutability::Var);
    let global = Global::new(&mut store, ty, Val::null_func_ref())?;
    linker.define(&store, "env", "g", global)?;
    for wanted in ["(global (mut (ref null nofunc)))", "(global funcref)", "(func)", "(memory 1)"] {
        let module = Module::new(&engine, format!(r#"(module (import "env" "g" {wanted}))"#))?;
        let error = linker.instantiate(&mut store, &module).unwrap_err();
        assert_eq!(error.to_string(), "incompatible import type for `env::g`", "{wanted}");
        assert_eq!(error.chain().count(), 2);
    }
    Ok(())
}

#[test]
fn what_is_of_another_engine_is_refused_beforehand() -> Result<()> {
    let (engine, other) = (Engine::default(), Engine::default());
    let mut store = Store::new(&other, ());
    let foreign = engine::Func::wrap(&mut store, |_: f64| {});
    let mut linker = Linker::<()>::new(&engine);
    linker.define(&store, "", "", foreign)?;
    let module = Module::new(&engine, r#"(module (import "" "" (func (param i64))))"#)?;
    let Err(error) = linker.instantiate_pre(&module) else { panic!("it is foreign") };
    let says = error.chain().any(|error| error.to_string().contains("cross-`Engine`"));
    assert!(says, "{error:?}");
    let Err(error) = Linker::<()>::new(&engine)
        .instantiate_pre(&Module::new(&engine, "(module)")?)?
        .instantiate(&mut store)
    else {
        panic!("the store is of another engine")
    };
    assert!(format!("{error:?}").contains("cross-`Engine`"), "{error:?}");
    Ok(())
}
