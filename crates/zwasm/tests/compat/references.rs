//! References: rooted, owned, cast, made by the host and thrown.

use engine::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, AsContextMut, Caller, Engine, EqRef, ExnRef,
    ExnRefPre, ExnType, ExternRef, FieldType, Func, HeapType, I31, Instance, Module, Mutability,
    NoExtern, OwnedRooted, Ref, Result, RootScope, Rooted, StorageType, Store, StructRef,
    StructRefPre, StructType, Tag, ThrownException, V128, Val, ValType,
};

#[test]
fn integers_that_are_references() -> Result<()> {
    assert_eq!(I31::new_u32(1 << 31), None);
    assert_eq!(I31::new_i32(-1).map(|value| value.get_i32()), Some(-1));
    assert_eq!(I31::wrapping_i32(-1).get_u32(), 0x7FFF_FFFF);
    let mut store = Store::<()>::default();
    let any = AnyRef::from_i31(&mut store, I31::wrapping_u32(7));
    assert!(any.is_i31(&store)? && any.is_eqref(&store)? && !any.is_struct(&store)?);
    assert_eq!(any.unwrap_i31(&store)?.get_u32(), 7);
    assert!(matches!(any.ty(&store)?, HeapType::I31));
    assert!(any.matches_ty(&store, &HeapType::Eq)?);
    let eq: Rooted<EqRef> = any.unwrap_eqref(&mut store)?;
    assert_eq!(eq.to_anyref().unwrap_i31(&store)?.get_u32(), 7);
    assert!(any.as_array(&store)?.is_none());
    Ok(())
}

#[test]
fn values_of_the_host() -> Result<()> {
    let mut store = Store::<()>::default();
    let a = ExternRef::new(&mut store, String::from("a"))?;
    let data = a.data_mut(&mut store)?.and_then(|data| data.downcast_mut::<String>());
    data.expect("it is a string").push('b');
    let data = a.data(&store)?.and_then(|data| data.downcast_ref::<String>());
    assert_eq!(data.map(String::as_str), Some("ab"));
    let b = ExternRef::new(&mut store, 1)?;
    assert!(Rooted::ref_eq(&store, &a, &a)? && !Rooted::ref_eq(&store, &a, &b)?);
    let any = AnyRef::convert_extern(&mut store, a)?;
    let back = ExternRef::convert_any(&mut store, any)?;
    assert!(back.data(&store)?.is_some_and(|data| data.is::<String>()));
    Ok(())
}

#[test]
fn roots_end_with_their_scope_unless_they_are_owned() -> Result<()> {
    let mut store = Store::<()>::default();
    let (gone, owned): (_, OwnedRooted<ExternRef>) = {
        let mut scope = RootScope::new(&mut store);
        scope.reserve(2);
        let gone = ExternRef::new(&mut scope, 1)?;
        let kept = ExternRef::new(scope.as_context_mut(), 2)?;
        (gone, kept.to_owned_rooted(&mut scope)?)
    };
    store.gc(None)?;
    assert!(gone.data(&store).is_err());
    let rooted = owned.to_rooted(&mut store);
    assert!(OwnedRooted::ref_eq(&store, &owned, &rooted)?);
    let data = owned.data(&store)?.and_then(|data| data.downcast_ref());
    assert_eq!(data, Some(&2));
    Ok(())
}

#[test]
fn structures_of_the_host() -> Result<()> {
    let mut store = Store::<()>::default();
    let engine = store.engine().clone();
    let ty = StructType::new(
        &engine,
        [
            FieldType::new(Mutability::Const, StorageType::I8),
            FieldType::new(Mutability::Var, ValType::V128.into()),
            FieldType::new(Mutability::Var, ValType::ANYREF.into()),
        ],
    )?;
    let pre = StructRefPre::new(&mut store, ty.clone());
    let vector = V128::from(1u128 << 100);
    let fields = [Val::I32(-1), vector.into(), Val::null_any_ref()];
    let object = StructRef::new(&mut store, &pre, &fields)?;
    assert_eq!(object.field(&mut store, 0)?.i32(), Some(0xFF));
    assert_eq!(object.field(&mut store, 1)?.unwrap_v128().as_u128(), 1 << 100);
    object.set_field(&mut store, 2, object.into())?;
    let own = object.field(&mut store, 2)?;
    let own = own.unwrap_anyref().expect("it is not null").unwrap_struct(&store)?;
    assert!(Rooted::ref_eq(&store, &own, &object)?);
    assert!(object.matches_ty(&store, &ty)? && StructType::eq(&object.ty(&store)?, &ty));
    assert_eq!(object.fields(&mut store)?.len(), 3);
    assert!(object.set_field(&mut store, 0, Val::I32(1)).is_err());
    assert!(object.set_field(&mut store, 1, Val::I32(1)).is_err());
    assert!(object.field(&mut store, 3).is_err());
    assert!(StructRef::new(&mut store, &pre, &[]).is_err());
    assert!(object.to_eqref().is_struct(&store)? && !object.to_anyref().is_array(&store)?);
    Ok(())
}

#[test]
fn arrays_of_the_host() -> Result<()> {
    let mut store = Store::<()>::default();
    let engine = store.engine().clone();
    let ty = ArrayType::new(&engine, FieldType::new(Mutability::Var, StorageType::I8));
    let pre = ArrayRefPre::new(&mut store, ty.clone());
    let array = ArrayRef::new(&mut store, &pre, &Val::I32(7), 3)?;
    assert_eq!(array.len(&store)?, 3);
    array.set(&mut store, 1, Val::I32(300))?;
    let elements: Vec<_> = array.elems(&mut store)?.map(|element| element.unwrap_i32()).collect();
    assert_eq!(elements, [7, 44, 7]);
    let message = array.get(&mut store, 3).unwrap_err().to_string();
    assert!(message.contains("out of bounds"), "{message}");
    let fixed = ArrayRef::new_fixed(&mut store, &pre, &[Val::I32(1), Val::I32(2)])?;
    assert!(!Rooted::ref_eq(&store, &array, &fixed)?);
    let bytes = ArrayRef::new_from_i8_slice(&mut store, &pre, b"abc")?;
    let mut copy = [0; 3];
    bytes.copy_to_i8_slice(&mut store, &mut copy)?;
    assert_eq!(copy, *b"abc");
    assert!(ArrayType::eq(&bytes.ty(&store)?, &ty));
    Ok(())
}

#[test]
fn values_know_their_types() -> Result<()> {
    let mut store = Store::<()>::default();
    let external = ExternRef::new(&mut store, 1)?;
    assert!(Val::from(external).matches_ty(&store, &ValType::EXTERNREF)?);
    assert!(matches!(Val::null_extern_ref().ty(&store)?, ValType::Ref(ty) if ty.is_nullable()));
    assert!(Val::null_func_ref().ref_().is_some_and(|reference| reference.is_null()));
    assert!(Ref::from(external).is_non_null() && Ref::from(external).is_extern());
    assert!(Ref::null(&HeapType::I31).is_any() && Val::I32(1).ref_().is_none());
    let func = Func::wrap(&mut store, |x: i32| x);
    assert!(Val::from(func).matches_ty(&store, &ValType::FUNCREF)?);
    assert!(Val::from(func).ty(&store)?.unwrap_ref().heap_type().is_concrete_func());
    let Val::FuncRef(Some(_)) = Val::from(func) else { panic!("it is a function") };
    assert_eq!(Val::from(1.5f32).unwrap_f32(), 1.5);
    assert!(Val::default_for_ty(&ValType::ANYREF).is_some());
    Ok(())
}

#[test]
fn exceptions_are_made_thrown_and_taken() -> Result<()> {
    let mut store = Store::<()>::default();
    let engine = store.engine().clone();
    let ty = ExnType::new(&engine, [ValType::I32])?;
    let tag = Tag::new(&mut store, &ty.tag_type())?;
    let throw = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, x: i32| -> Result<()> {
        let pre = ExnRefPre::new(&mut caller, ty.clone());
        let exn = ExnRef::new(&mut caller, &pre, &tag, &[Val::I32(x)])?;
        caller.as_context_mut().throw(exn)
    });
    let module = Module::new(
        &engine,
        r#"(module
            (import "" "tag" (tag $e (param i32)))
            (import "" "throw" (func $throw (param i32)))
            (func (export "caught") (param i32) (result i32)
                (block $h (result i32)
                    (try_table (catch $e $h) (call $throw (local.get 0)))
                    (i32.const 0)))
            (func (export "loose") (param i32) (call $throw (local.get 0))))"#,
    )?;
    let instance = Instance::new(&mut store, &module, &[tag.into(), throw.into()])?;
    let caught = instance.get_typed_func::<i32, i32>(&mut store, "caught")?;
    assert_eq!(caught.call(&mut store, 7)?, 7);
    assert!(!store.has_pending_exception());
    let loose = instance.get_typed_func::<i32, ()>(&mut store, "loose")?;
    let error = loose.call(&mut store, 8).unwrap_err();
    assert!(error.is::<ThrownException>());
    assert!(store.has_pending_exception());
    let exn = store.take_pending_exception().expect("nothing has caught it");
    assert_eq!(exn.field(&mut store, 0)?.i32(), Some(8));
    assert!(Tag::eq(&exn.tag(&mut store)?, &tag, &store));
    assert_eq!(exn.ty(&store)?.fields().len(), 1);
    assert!(store.take_pending_exception().is_none());
    Ok(())
}

#[test]
fn typed_functions_take_references() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (type $s (struct (field i32)))
            (func (export "make") (param i32) (result (ref $s)) (struct.new $s (local.get 0)))
            (func (export "get") (param (ref null $s)) (result i32)
                (struct.get $s 0 (local.get 0)))
            (func (export "some") (param (ref extern)) (result (ref extern)) (local.get 0))
            (func (export "i31") (param (ref i31)) (result i32) (i31.get_s (local.get 0)))
            (func (export "null") (result externref) (ref.null extern)))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let make = instance.get_typed_func::<i32, Rooted<StructRef>>(&mut store, "make")?;
    let get = instance.get_typed_func::<Option<Rooted<AnyRef>>, i32>(&mut store, "get")?;
    let object = make.call(&mut store, 9)?;
    assert_eq!(get.call(&mut store, Some(object.to_anyref()))?, 9);
    // Of another type than the parameter's.
    let wrong = AnyRef::from_i31(&mut store, I31::wrapping_u32(1));
    assert!(get.call(&mut store, Some(wrong)).is_err());
    let some =
        instance.get_typed_func::<Rooted<ExternRef>, Rooted<ExternRef>>(&mut store, "some")?;
    let external = ExternRef::new(&mut store, 1)?;
    let same = some.call(&mut store, external)?;
    assert!(Rooted::ref_eq(&store, &same, &external)?);
    let i31 = instance.get_typed_func::<I31, i32>(&mut store, "i31")?;
    assert_eq!(i31.call(&mut store, I31::wrapping_i32(-5))?, -5);
    let null = instance.get_typed_func::<(), Option<Rooted<ExternRef>>>(&mut store, "null")?;
    assert!(null.call(&mut store, ())?.is_none());
    let nullable =
        instance.get_typed_func::<Option<Rooted<ExternRef>>, Rooted<ExternRef>>(&mut store, "some");
    assert!(nullable.is_err());
    assert!(NoExtern::null().is_none());
    Ok(())
}
