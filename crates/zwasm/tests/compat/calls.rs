//! Calls: of functions of any type, through hooks, and what errors they give.

use engine::{
    AnyRef, CallHook, Caller, Engine, Extern, ExternRef, Func, FuncType, Instance, Linker, Module,
    Result, Store, V128, Val, ValRaw, ValType,
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

#[test]
fn values_without_types_are_what_they_were() -> Result<()> {
    let mut store = Store::<()>::default();
    let func = Func::wrap(&mut store, |x: i32| x + 1);
    let external = ExternRef::new(&mut store, 5)?;
    for (value, ty) in [
        (Val::I32(-1), ValType::I32),
        (Val::I64(i64::MIN), ValType::I64),
        (Val::F32(0x7FA0_0001), ValType::F32),
        (Val::F64(0x7FF4_0000_0000_0001), ValType::F64),
        (Val::from(u128::MAX - 1), ValType::V128),
        (Val::from(func), ValType::FUNCREF),
        (Val::from(external), ValType::EXTERNREF),
        (Val::null_any_ref(), ValType::ANYREF),
        (Val::null_func_ref(), ValType::FUNCREF),
    ] {
        let raw = value.to_raw(&mut store)?;
        // SAFETY: the value is of the type, and nothing was collected.
        let back = unsafe { Val::from_raw(&mut store, raw, ty) };
        match (value, back) {
            (Val::ExternRef(Some(_)), Val::ExternRef(Some(back))) => {
                let data = back.data(&store)?.and_then(|data| data.downcast_ref::<i32>());
                assert_eq!(data, Some(&5));
            }
            (Val::FuncRef(Some(_)), Val::FuncRef(Some(back))) => {
                assert_eq!(back.typed::<i32, i32>(&store)?.call(&mut store, 4)?, 5);
            }
            (value, back) => assert_eq!(format!("{value:?}"), format!("{back:?}")),
        }
    }
    assert_eq!((ValRaw::i32(-1).get_u32(), ValRaw::u64(7).get_i64()), (u32::MAX, 7));
    assert_eq!(ValRaw::v128(1 << 70).get_v128(), 1 << 70);
    assert_eq!(ValRaw::null().get_externref(), 0);
    assert!(ValRaw::null().get_funcref().is_null());
    Ok(())
}

#[test]
fn functions_are_called_and_made_unchecked() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, 0);
    let mut linker = Linker::new(&engine);
    let types = || [ValType::I32, ValType::V128, ValType::FUNCREF];
    let ty = FuncType::new(&engine, types(), [ValType::I64, ValType::FUNCREF, ValType::V128]);
    // SAFETY: the arguments are of the type, and the closure leaves results of it.
    unsafe {
        linker.func_new_unchecked("", "turn", ty, |mut caller: Caller<'_, i32>, row| {
            assert_eq!(row.len(), 3);
            let [x, vector, func] = std::array::from_fn(|at| row[at].assume_init());
            *caller.data_mut() += x.get_i32();
            row[0].write(ValRaw::i64(i64::from(x.get_i32())));
            row[1].write(func);
            row[2].write(vector);
            Ok(())
        })?;
    }
    let module = Module::new(
        &engine,
        r#"(module
            (type $s (struct (field i32)))
            (import "" "turn" (func $turn (param i32 v128 funcref) (result i64 funcref v128)))
            (elem declare func $self)
            (func $self (export "self") (result i32) (i32.const 11))
            (func (export "run") (param i32 i32) (result v128 i64 funcref)
                (local i64 funcref v128)
                (call $turn (local.get 0) (i32x4.splat (local.get 1)) (ref.func $self))
                (local.set 4) (local.set 3) (local.set 2)
                (local.get 4) (local.get 2) (local.get 3))
            (func (export "make") (param i32) (result (ref $s)) (struct.new $s (local.get 0)))
            (func (export "get") (param (ref $s)) (result i32) (struct.get $s 0 (local.get 0)))
            (func (export "trap") (param i32) unreachable))"#,
    )?;
    let instance = linker.instantiate(&mut store, &module)?;
    let mut find = |name| instance.get_func(&mut store, name).expect("it is exported");
    let (run, make, get, trap) = (find("run"), find("make"), find("get"), find("trap"));
    let mut row = [ValRaw::i32(-3), ValRaw::i32(0x0102_0304), ValRaw::null()];
    // SAFETY: the rows are as long as the functions' types, and of these types.
    unsafe {
        run.call_unchecked(&mut store, &mut row)?;
        assert_eq!(row[0].get_v128(), 0x01020304_01020304_01020304_01020304);
        assert_eq!((row[1].get_i64(), *store.data()), (-3, -3));
        let func = Func::from_raw(&mut store, row[2].get_funcref()).expect("it is not null");
        assert_eq!(func.typed::<(), i32>(&store)?.call(&mut store, ())?, 11);
        assert!(Func::from_raw(&mut store, std::ptr::null_mut()).is_none());

        let mut one = [ValRaw::i32(77)];
        make.call_unchecked(&mut store, &mut one)?;
        let object = AnyRef::from_raw(&mut store, one[0].get_anyref()).expect("it is not null");
        assert!(object.is_struct(&store)?);
        get.call_unchecked(&mut store, &mut one)?;
        assert_eq!(one[0].get_i32(), 77);
        assert!(trap.call_unchecked(&mut store, &mut one).is_err());
    }
    Ok(())
}

#[test]
fn an_error_of_an_unchecked_function_stops_the_guest() -> Result<()> {
    let mut store = Store::<()>::default();
    let ty = FuncType::new(store.engine(), [], [ValType::I32]);
    // SAFETY: there are no results where there is an error.
    let func = unsafe { Func::new_unchecked(&mut store, ty, |_, _| engine::bail!("not now")) };
    let error = func.call(&mut store, &[], &mut [Val::I32(0)]).unwrap_err();
    assert_eq!(error.root_cause().to_string(), "not now");
    Ok(())
}

#[test]
fn functions_of_another_store_are_refused() -> Result<()> {
    let engine = Engine::default();
    let (mut store, mut other) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let take = Func::wrap(&mut store, |_: Option<Func>| {});
    let foreign = Func::wrap(&mut other, || {});
    assert!(take.call(&mut store, &[foreign.into()], &mut []).is_err());
    let take = take.typed::<Option<Func>, ()>(&store)?;
    let error = take.call(&mut store, Some(foreign)).unwrap_err();
    assert!(error.to_string().contains("cross-`Store`"), "{error}");
    let give = Func::wrap(&mut store, move || Some(foreign));
    let module = Module::new(
        &engine,
        r#"(module (import "" "" (func $give (result funcref)))
            (func (export "run") (result funcref) (call $give)))"#,
    )?;
    let instance = Instance::new(&mut store, &module, &[give.into()])?;
    let run = instance.get_func(&mut store, "run").expect("it is exported");
    let error = run.call(&mut store, &[], &mut [Val::I32(0)]).unwrap_err();
    assert!(format!("{error:?}").contains("cross-`Store`"), "{error:?}");
    Ok(())
}
