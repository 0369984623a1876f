//! References that are used after what they were good for.

use crate::engines;
use zwasm::{
    AnyRef, Caller, Engine, ErrorKind, ExnRef, ExternRef, FieldType, FuncType, Instance, Linker,
    Module, Mutability, Result, RootScope, Store, StructRef, StructRefPre, StructType, Tag,
    TagType, Val, ValType,
};

#[test]
fn a_reference_is_never_taken_for_one_that_came_after() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let field = FieldType::new(Mutability::Var, ValType::I64);
    let pre = StructRefPre::new(&mut store, StructType::new(&engine, [field])?)?;
    let mut stale: Vec<(StructRef, ExternRef)> = Vec::new();
    for round in 0..1000 {
        let mut scope = RootScope::new(&mut store);
        let object = StructRef::new(&mut scope, &pre, &[Val::I64(round)])?;
        let external = ExternRef::new(&mut scope, round)?;
        for (object, external) in &stale {
            assert!(object.field(&mut scope, 0).is_err());
            assert!(object.set_field(&mut scope, 0, Val::I64(-1)).is_err());
            assert!(object.field_count(&scope).is_err());
            assert!(object.to_any().i31(&scope).is_err());
            assert!(object.to_any().heap_type(&scope).is_err());
            assert!(object.to_any().to_owned_rooted(&mut scope).is_err());
            assert!(external.to_any().as_struct(&scope).is_err());
        }
        assert_eq!(object.field(&mut scope, 0)?.i64(), Some(round));
        drop(scope);
        assert!(external.data(&store).is_err());
        if round % 50 == 0 {
            stale.push((object, external));
        }
    }
    Ok(())
}

#[test]
fn scopes_end_in_any_order() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let outer = AnyRef::from_i31(&mut store, 1);
    let mut first = RootScope::new(&mut store);
    let in_first = AnyRef::from_i31(&mut first, 2);
    let mut second = RootScope::new(&mut first);
    let in_second = AnyRef::from_i31(&mut second, 3);
    let mut third = RootScope::new(&mut second);
    let in_third = AnyRef::from_i31(&mut third, 4);
    assert_eq!(in_third.i31(&third)?, Some(4));
    // The inner ones are never ended.
    std::mem::forget(third);
    assert_eq!(in_third.i31(&second)?, Some(4));
    std::mem::forget(second);
    drop(first);
    for stale in [in_first, in_second, in_third] {
        assert!(stale.i31(&store).is_err());
    }
    assert_eq!(outer.i31(&store)?, Some(1));
    Ok(())
}

#[test]
fn what_a_host_function_was_given_is_over_when_it_returns() -> Result<()> {
    struct Kept(Option<ExternRef>, Option<ExnRef>);
    for engine in engines() {
        let mut store = Store::new(&engine, Kept(None, None));
        let mut linker = Linker::<Kept>::new(&engine);
        linker.func_wrap(
            "host",
            "keep",
            |mut caller: Caller<'_, Kept>, external: Option<ExternRef>, exn: Option<ExnRef>| {
                *caller.data_mut() = Kept(external, exn);
            },
        )?;
        let module = Module::new(
            &engine,
            r#"(module
                 (import "host" "keep" (func $keep (param externref exnref)))
                 (tag $e (param i64))
                 (func (export "run") (param externref)
                   (call $keep (local.get 0)
                     (block $h (result exnref)
                       (try_table (catch_all_ref $h) (throw $e (i64.const 5)))
                       (unreachable))))
                 (func (export "churn") (param i32)
                   (loop $again
                     (block $h (try_table (catch_all $h) (throw $e (i64.const 6))))
                     (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#,
        )?;
        let instance = linker.instantiate(&mut store, &module)?;
        let run = instance.get_typed_func::<Option<ExternRef>, ()>(&mut store, "run")?;
        let external = ExternRef::new(&mut store, 7)?;
        run.call(&mut store, Some(external))?;
        let Kept(kept, exn) = std::mem::replace(store.data_mut(), Kept(None, None));
        assert!(kept.unwrap().data(&store).is_err());
        let churn = instance.get_typed_func::<i32, ()>(&mut store, "churn")?;
        churn.call(&mut store, 100_000)?;
        assert!(exn.unwrap().values(&mut store).is_err());
        assert!(exn.unwrap().throw(&mut store).is_err());
        assert!(external.data(&store)?.is_some());
    }
    Ok(())
}

#[test]
fn what_outlives_its_store_is_of_no_use_and_no_harm() -> Result<()> {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let module = Module::new(&engine, r#"(module (func $f (export "f") (unreachable)))"#)?;
        let instance = Instance::new(&mut store, &module, &[])?;
        let func = instance.get_func(&mut store, "f").unwrap();
        let error = func.call(&mut store, &[], &mut []).unwrap_err();
        let tag = Tag::new(&mut store, &TagType::new(FuncType::new([], [])));
        let thrown = ExnRef::new(&mut store, &tag, &[])?.throw(&mut store)?;
        let owned = AnyRef::from_i31(&mut store, 5).to_owned_rooted(&mut store)?;
        let interrupt = store.interrupt_handle();
        drop((store, module));
        interrupt.interrupt();
        assert_eq!(error.backtrace().unwrap().frames()[0].func_name(), Some("f"));
        let of = error.backtrace().unwrap().frames()[0].instance();
        let mut other = Store::new(&engine, ());
        assert!(of.get_typed_func::<(), ()>(&mut other, "f").is_err());
        assert!(owned.to_rooted(&mut other).is_err());
        assert!(thrown.exn().tag(&mut other).is_err());
        assert_eq!(thrown.to_string(), "uncaught exception");
        assert_eq!(zwasm::Error::from(thrown).kind(), ErrorKind::Exception);
        drop(owned.clone());
        assert_eq!(owned, owned.clone());
    }
    Ok(())
}
