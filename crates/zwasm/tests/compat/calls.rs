//! Calls: of functions of any type, through hooks, and what errors they give.

use engine::{
    CallHook, Caller, Engine, Extern, Func, FuncType, Instance, Module, Result, Store, V128, Val,
    ValType,
};

#[test]
fn functions_of_a_type_known_at_run_time() -> Result<()> {
    let mut store = Store::new(&Engine::default(), 0);
    let ty = FuncType::new(store.engine(), [ValType::I32, ValType::V128], [ValType::V128]);
    let func = Func::new(&mut store, ty.clone(), |mut caller, params, results| {
        *caller.data_mut() += params[0].unwrap_i32();
        results[0] = params[1];
        Ok(())
    });
    assert!(func.matches_ty(&store, &ty) && FuncType::eq(&func.ty(&store), &ty));
    let mut results = [Val::I32(0)];
    func.call(&mut store, &[Val::I32(3), Val::from(9u128)], &mut results)?;
    assert_eq!((results[0].unwrap_v128().as_u128(), *store.data()), (9, 3));
    let typed = func.typed::<(i32, V128), V128>(&store)?;
    assert_eq!(typed.call(&mut store, (1, V128::from(7)))?.as_u128(), 7);
    for (params, results, message) in [
        (vec![], 1, "expected 2 arguments, got 0"),
        (vec![Val::I32(0), Val::from(0u128)], 0, "expected 1 results, got 0"),
    ] {
        let mut results = vec![Val::I32(0); results];
        let error = func.call(&mut store, &params, &mut results).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let wrong = func.call(&mut store, &[Val::I64(0), Val::from(0u128)], &mut results);
    assert!(format!("{:?}", wrong.unwrap_err()).contains("type mismatch"));
    Ok(())
}

#[test]
fn what_a_host_function_gives_is_checked() {
    let mut store = Store::<()>::default();
    let ty = FuncType::new(store.engine(), [], [ValType::I32]);
    let wrong = Func::new(&mut store, ty.clone(), |_, _, results| {
        results[0] = Val::I64(1);
        Ok(())
    });
    assert!(wrong.call(&mut store, &[], &mut [Val::I32(0)]).is_err());
    let nothing = Func::new(&mut store, ty, |_, _, _| Ok(()));
    assert!(nothing.call(&mut store, &[], &mut [Val::I32(0)]).is_err());
}

#[test]
fn typed_functions_say_what_does_not_fit() {
    let mut store = Store::<()>::default();
    let func = Func::wrap(&mut store, |_: i32| 1i64);
    let Err(error) = func.typed::<i64, i64>(&store) else { panic!("it fits") };
    assert!(error.to_string().contains("type mismatch with parameters"), "{error:?}");
    let Err(error) = func.typed::<i32, i32>(&store) else { panic!("it fits") };
    assert!(error.to_string().contains("type mismatch with results"), "{error:?}");
    let Err(error) = func.typed::<(), i64>(&store) else { panic!("it fits") };
    assert!(format!("{error:?}").contains("expected 0 types, found 1"), "{error:?}");
}

#[test]
fn exports_are_found_in_every_way() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (func (export "f") (result i32) (i32.const 1))
            (memory (export "m") 1)
            (tag (export "t"))
            (global (export "g") i32 (i32.const 2)))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let names: Vec<String> =
        instance.exports(&mut store).map(|export| export.name().to_string()).collect();
    assert_eq!(names, ["f", "m", "t", "g"]);
    let number = module.get_export_index("g").expect("it is exported");
    let global = instance.get_module_export(&mut store, &number).and_then(Extern::into_global);
    assert_eq!(global.expect("it is a global").get(&mut store).i32(), Some(2));
    assert!(instance.get_tag(&mut store, "t").is_some());
    assert!(instance.get_memory(&mut store, "f").is_none());
    assert!(Module::same(instance.module(&store), &module));
    let Err(error) = instance.get_typed_func::<(), ()>(&mut store, "no") else { panic!("none") };
    assert!(error.to_string().contains("failed to find function export `no`"), "{error}");
    Ok(())
}

#[test]
fn a_hook_sees_every_passage() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (import "" "f" (func $f)) (func (export "run") (call $f)))"#,
    )?;
    let mut store = Store::new(&engine, Vec::new());
    store.call_hook(|mut store, hook| {
        store.data_mut().push(hook);
        Ok(())
    });
    let f = Func::wrap(&mut store, |_: Caller<'_, Vec<CallHook>>| {});
    let instance = Instance::new(&mut store, &module, &[f.into()])?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    run.call(&mut store, ())?;
    let passed: Vec<(bool, bool)> =
        store.data().iter().map(|hook| (hook.entering_host(), hook.exiting_host())).collect();
    assert_eq!(passed, [(false, true), (true, false), (false, true), (true, false)]);
    store.call_hook(|_, hook| match hook {
        CallHook::CallingHost => engine::bail!("not into the host"),
        _ => Ok(()),
    });
    let error = run.call(&mut store, ()).unwrap_err();
    assert_eq!(error.root_cause().to_string(), "not into the host");
    Ok(())
}
