//! Imports, instances, limits and misuse of the API.
#![cfg(feature = "wat")]

use zwasm::{
    Caller, Config, Engine, ErrorKind, Extern, ExternType, Func, Global, GlobalType, Instance,
    Linker, Memory, MemoryType, Module, Mutability, Store, Tag, Trap, Val, ValType,
};

fn module(engine: &Engine, wat: &str) -> Module {
    Module::new(engine, wat).unwrap()
}

#[test]
fn all_missing_and_mismatched_imports_are_named_at_once() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("env", "wrong", |_: i32| ()).unwrap();
    let needs = module(
        &engine,
        r#"(module
            (import "env" "missing" (func (param i32 f64) (result i64)))
            (import "env" "wrong" (func (param i64)))
            (import "other" "memory" (memory 2)))"#,
    );
    let error = linker.instantiate(&mut store, &needs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Link);
    let text = error.summary();
    assert!(!text.contains('\n'), "{text}");
    for part in [
        r#"unknown import "env"."missing": func (param i32 f64) (result i64)"#,
        r#"incompatible import type for `env::wrong`: expected func (param i64), found func (param i32)"#,
        r#"unknown import "other"."memory": memory 2"#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn every_function_is_found_by_its_index() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let given = Func::wrap(&mut store, || 1);
    let text = r#"(module
        (import "" "" (func (result i32)))
        (func (result i32) (i32.const 2))
        (func $self (export "self") (result funcref) (ref.func $self)))"#;
    let instance =
        Instance::new(&mut store, &module(&engine, text), &[Extern::Func(given)]).unwrap();
    assert_eq!(instance.debug_function(&mut store, 0), Some(given));
    let mut results = [Val::I32(0)];
    let hidden = instance.debug_function(&mut store, 1).unwrap();
    hidden.call(&mut store, &[], &mut results).unwrap();
    assert_eq!(results[0].i32(), Some(2));
    let exported = instance.get_func(&mut store, "self");
    assert_eq!(instance.debug_function(&mut store, 2), exported);
    exported.unwrap().call(&mut store, &[], &mut results).unwrap();
    assert!(matches!(results[0], Val::FuncRef(found) if found == exported));
    assert_ne!(exported, Some(hidden));
    for beyond in [3, 4, u32::MAX] {
        assert_eq!(instance.debug_function(&mut store, beyond), None);
    }
}

#[test]
fn what_is_made_with_an_import_s_type_fits_the_import() {
    let engine = Engine::default();
    let needs = module(
        &engine,
        r#"(module
            (type $base (sub (func (result i32))))
            (rec (type $sub (sub $base (func (result i32)))) (type $tag (func (param f32))))
            (import "" "f" (func $f (type $sub)))
            (import "" "t" (tag (type $tag)))
            (func (export "call") (result i32) (call $f)))"#,
    );
    let make = |store: &mut Store<()>, module: &Module| -> Vec<Extern> {
        let make = |import: zwasm::ImportType| match import.ty() {
            ExternType::Func(ty) => {
                let seven = |_: Caller<()>, _: &[Val], results: &mut [Val]| {
                    results[0] = Val::I32(7);
                    Ok(())
                };
                Func::new(&mut *store, ty, seven).into()
            }
            ExternType::Tag(ty) => Tag::new(&mut *store, &ty).unwrap().into(),
            other => panic!("{other}"),
        };
        module.imports().map(make).collect()
    };
    let mut store = Store::new(&engine, ());
    let imports = make(&mut store, &needs);
    let instance = Instance::new(&mut store, &needs, &imports).unwrap();
    let call = instance.get_typed_func::<(), i32>(&mut store, "call").unwrap();
    assert_eq!(call.call(&mut store, ()).unwrap(), 7);
    // What only looks the same does not.
    let elsewhere =
        r#"(module (import "" "f" (func (result i32))) (import "" "t" (tag (param f32))))"#;
    let plain = make(&mut store, &module(&engine, elsewhere));
    assert_eq!(Instance::new(&mut store, &needs, &plain).unwrap_err().kind(), ErrorKind::Link);
}

#[test]
fn names_are_defined_once_unless_shadowing_is_allowed() {
    let mut linker = Linker::<()>::new(&Engine::default());
    linker.func_wrap("a", "b", || 1i32).unwrap();
    assert!(linker.func_wrap("a", "b", || 2i32).is_err());
    linker.allow_shadowing(true).func_wrap("a", "b", || 2i32).unwrap();
}

#[test]
fn instances_share_what_they_import() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let ty = GlobalType::new(ValType::I64, Mutability::Var);
    let global = Global::new(&mut store, ty, Val::I64(1)).unwrap();
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    let user = module(
        &engine,
        r#"(module
            (import "" "g" (global $g (mut i64)))
            (import "" "m" (memory 1))
            (func (export "step")
                (global.set $g (i64.mul (global.get $g) (i64.const 3)))
                (i64.store (i32.const 8) (global.get $g))))"#,
    );
    let imports = [Extern::Global(global), Extern::Memory(memory)];
    for _ in 0..2 {
        let instance = Instance::new(&mut store, &user, &imports).unwrap();
        let step = instance.get_typed_func::<(), ()>(&mut store, "step").unwrap();
        step.call(&mut store, ()).unwrap();
    }
    assert_eq!(global.get(&mut store).i64(), Some(9));
    assert_eq!(memory.data(&store)[8], 9);
}

#[test]
fn a_memory_grown_by_another_instance_is_seen_at_once() {
    let engine = Engine::default();
    for guard_pages in [true, false] {
        let mut config = Config::new();
        config.guard_pages(guard_pages);
        let engine = if guard_pages { engine.clone() } else { Engine::new(&config).unwrap() };
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let owner = module(
            &engine,
            r#"(module (memory (export "memory") 1)
                (func (export "grow") (drop (memory.grow (i32.const 100)))))"#,
        );
        let owner = linker.instantiate(&mut store, &owner).unwrap();
        linker.instance(&mut store, "owner", owner).unwrap();
        let user = module(
            &engine,
            r#"(module
                (import "owner" "memory" (memory 1))
                (import "owner" "grow" (func $grow))
                (func (export "f") (result i32)
                    (i32.store (i32.const 0) (i32.const 5))
                    (call $grow)
                    (i32.store (i32.const 6000000) (i32.const 37))
                    (i32.add (i32.load (i32.const 0)) (i32.load (i32.const 6000000)))))"#,
        );
        let user = linker.instantiate(&mut store, &user).unwrap();
        let f = user.get_typed_func::<(), i32>(&mut store, "f").unwrap();
        assert_eq!(f.call(&mut store, ()).unwrap(), 42);
    }
}

#[test]
fn limits_fail_growth_and_refuse_instances() {
    let mut config = Config::new();
    config.max_memory(1 << 20).max_table_elements(10);
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    let linker = Linker::new(&engine);
    let grows = module(
        &engine,
        r#"(module (memory 1) (table 1 funcref)
            (func (export "memory") (param i32) (result i32) (memory.grow (local.get 0)))
            (func (export "table") (param i32) (result i32)
                (table.grow (ref.null func) (local.get 0))))"#,
    );
    let instance = linker.instantiate(&mut store, &grows).unwrap();
    for (name, fits) in [("memory", 15), ("table", 9)] {
        let grow = instance.get_typed_func::<i32, i32>(&mut store, name).unwrap();
        assert_eq!(grow.call(&mut store, fits + 1).unwrap(), -1);
        assert_eq!(grow.call(&mut store, fits).unwrap(), 1);
        assert_eq!(grow.call(&mut store, 1).unwrap(), -1);
        assert_eq!(grow.call(&mut store, -1).unwrap(), -1);
    }
    for wat in ["(module (memory 17))", "(module (table 11 funcref))"] {
        let error = linker.instantiate(&mut store, &module(&engine, wat)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
    }
}

#[test]
fn segments_and_start_functions_that_trap_fail_the_instantiation() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let linker = Linker::new(&engine);
    for (wat, trap) in [
        (r#"(module (memory 1) (data (i32.const 65535) "ab"))"#, Trap::MemoryOutOfBounds),
        ("(module (table 1 funcref) (elem (i32.const 1) func 0) (func))", Trap::TableOutOfBounds),
        ("(module (func $f unreachable) (start $f))", Trap::UnreachableCodeReached),
    ] {
        let error = linker.instantiate(&mut store, &module(&engine, wat)).unwrap_err();
        assert_eq!(error.trap(), Some(trap), "{wat}");
    }
}

#[test]
fn calls_check_their_arguments() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let func = Func::wrap(&mut store, |a: i32| a);
    let mut result = [Val::I32(0)];
    assert!(func.call(&mut store, &[], &mut result).is_err());
    assert!(func.call(&mut store, &[Val::I64(1)], &mut result).is_err());
    assert!(func.call(&mut store, &[Val::I32(1)], &mut []).is_err());
    assert!(func.typed::<i64, i32>(&store).is_err());
    func.call(&mut store, &[Val::I32(1)], &mut result).unwrap();
    assert_eq!(result[0].i32(), Some(1));
}

#[test]
fn things_of_other_stores_and_engines_are_refused() {
    let engine = Engine::default();
    let (mut one, mut two) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let func = Func::wrap(&mut one, || ());
    let user = module(&engine, r#"(module (import "" "" (func)))"#);
    assert!(Instance::new(&mut two, &user, &[func.into()]).is_err());
    let mut result = [Val::I32(0)];
    let takes = Func::wrap(&mut two, |_: Option<Func>| 0i32);
    assert!(takes.call(&mut two, &[func.into()], &mut result).is_err());
    let mut foreign = Store::new(&Engine::default(), ());
    assert!(Instance::new(&mut foreign, &module(&engine, "(module)"), &[]).is_err());
}

#[test]
fn large_modules_report_the_first_invalid_function() {
    use std::fmt::Write;
    let mut wat = String::from("(module ");
    for index in 0..60_000 {
        let body = if index == 40_000 || index == 59_000 { "(i32.add)" } else { "(nop) (nop)" };
        let _ = write!(wat, "(func {body} (drop (i32.const 123456789)) (drop (i64.const 1)))");
    }
    wat.push(')');
    let error = Module::new(&Engine::default(), wat).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.summary().contains("function 40000)"), "{error}");
}

#[test]
fn modules_are_shared_between_threads() {
    let engine = Engine::default();
    let module = module(
        &engine,
        r#"(module (func (export "f") (param i32) (result i32)
            (i32.mul (local.get 0) (local.get 0))))"#,
    );
    std::thread::scope(|scope| {
        for n in 0..4 {
            let module = &module;
            scope.spawn(move || {
                let mut store = Store::new(module.engine(), ());
                let instance = Instance::new(&mut store, module, &[]).unwrap();
                let f = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
                assert_eq!(f.call(&mut store, n).unwrap(), n * n);
            });
        }
    });
}

#[test]
fn a_memory_beyond_its_own_type_is_refused() {
    let mut store = Store::new(&Engine::default(), ());
    for ty in [MemoryType::new(2, Some(1)), MemoryType::new(65_537, None)] {
        let error = Memory::new(&mut store, ty).unwrap_err();
        assert!(error.summary().contains("minimum"), "{error}");
    }
    assert!(Memory::new(&mut store, MemoryType::new(1, Some(1))).is_ok());
}
