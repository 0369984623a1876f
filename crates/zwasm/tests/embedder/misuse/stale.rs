//! References that are used after what they were good for.

use super::engines;
use zwasm::{
    AnyRef, Caller, Engine, ErrorKind, ExnRef, ExnRefPre, ExnType, ExternRef, FieldType, FuncType,
    I31, Instance, Linker, Module, Mutability, Result, RootScope, Rooted, Store, StructRef,
    StructRefPre, StructType, Tag, TagType, ThrownException, Val, ValType,
};

#[test]
fn a_reference_is_never_taken_for_one_that_came_after() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let field = FieldType::new(Mutability::Var, ValType::I64.into());
    let pre = StructRefPre::new(&mut store, StructType::new(&engine, [field])?);
    let mut stale: Vec<(Rooted<StructRef>, Rooted<ExternRef>)> = Vec::new();
    for round in 0..1000 {
        let mut scope = RootScope::new(&mut store);
        let object = StructRef::new(&mut scope, &pre, &[Val::I64(round)])?;
        let external = ExternRef::new(&mut scope, round)?;
        for (object, external) in &stale {
            assert!(object.field(&mut scope, 0).is_err());
            assert!(object.set_field(&mut scope, 0, Val::I64(-1)).is_err());
            assert!(object.ty(&scope).is_err());
            assert!(object.to_anyref().as_i31(&scope).is_err());
            assert!(object.to_anyref().ty(&scope).is_err());
            assert!(object.to_owned_rooted(&mut scope).is_err());
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
    let outer = AnyRef::from_i31(&mut store, I31::wrapping_u32(1));
    let mut first = RootScope::new(&mut store);
    let in_first = AnyRef::from_i31(&mut first, I31::wrapping_u32(2));
    let mut second = RootScope::new(&mut first);
    let in_second = AnyRef::from_i31(&mut second, I31::wrapping_u32(3));
    let mut third = RootScope::new(&mut second);
    let in_third = AnyRef::from_i31(&mut third, I31::wrapping_u32(4));
    assert_eq!(in_third.as_i31(&third)?, I31::new_u32(4));
    // The inner ones are never ended.
    std::mem::forget(third);
    assert_eq!(in_third.as_i31(&second)?, I31::new_u32(4));
    std::mem::forget(second);
    drop(first);
    for stale in [in_first, in_second, in_third] {
        assert!(stale.as_i31(&store).is_err());
    }
    assert_eq!(outer.as_i31(&store)?, I31::new_u32(1));
    Ok(())
}

#[test]
fn what_a_host_function_was_given_is_over_when_it_returns() -> Result<()> {
    struct Kept(Option<Rooted<ExternRef>>, Option<Rooted<ExnRef>>);
    for engine in engines() {
        let mut store = Store::new(&engine, Kept(None, None));
        let mut linker = Linker::<Kept>::new(&engine);
        linker.func_wrap(
            "host",
            "keep",
            |mut caller: Caller<'_, Kept>,
             external: Option<Rooted<ExternRef>>,
             exn: Option<Rooted<ExnRef>>| {
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
        let run = instance.get_typed_func::<Option<Rooted<ExternRef>>, ()>(&mut store, "run")?;
        let external = ExternRef::new(&mut store, 7)?;
        run.call(&mut store, Some(external))?;
        let Kept(kept, exn) = std::mem::replace(store.data_mut(), Kept(None, None));
        assert!(kept.unwrap().data(&store).is_err());
        let churn = instance.get_typed_func::<i32, ()>(&mut store, "churn")?;
        churn.call(&mut store, 100_000)?;
        assert!(exn.unwrap().field(&mut store, 0).is_err());
        assert!(ThrownException::new(&mut store, exn.unwrap()).is_err());
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
        let ty = TagType::new(FuncType::new(&engine, [], []));
        let tag = Tag::new(&mut store, &ty)?;
        let pre = ExnRefPre::new(&mut store, ExnType::from_tag_type(&ty)?);
        let exn = ExnRef::new(&mut store, &pre, &tag, &[])?;
        let thrown = ThrownException::new(&mut store, exn)?;
        let owned =
            AnyRef::from_i31(&mut store, I31::wrapping_u32(5)).to_owned_rooted(&mut store)?;
        let interrupt = store.interrupt_handle();
        drop((store, module));
        interrupt.interrupt();
        assert_eq!(error.backtrace().unwrap().frames()[0].func_name(), Some("f"));
        let of = error.backtrace().unwrap().frames()[0].instance();
        let mut other = Store::new(&engine, ());
        assert!(of.get_typed_func::<(), ()>(&mut other, "f").is_err());
        assert!(owned.is_i31(&other).is_err());
        assert!(thrown.exn().tag(&mut other).is_err());
        assert_eq!(thrown.to_string(), "uncaught exception");
        assert_eq!(zwasm::Error::from(thrown).kind(), ErrorKind::Exception);
        drop(owned.clone());
        assert_eq!(owned, owned.clone());
    }
    Ok(())
}
