//! Objects of the guest's heap and small integers, passed between guest and host.

use engine::{AnyRef, Config, Engine, I31, Instance, Module, Ref, Result, Rooted, Store, Val};

#[test]
fn anyref() -> Result<()> {
    let mut config = Config::new();
    config.wasm_reference_types(true).wasm_function_references(true).wasm_gc(true);
    let engine = Engine::new(&config)?;
    let mut store = Store::new(&engine, ());
    let module = Module::new(
        &engine,
        r#"(module
            (type $point (struct (field $x i32) (field $y (mut f64))))
            (table (export "table") 10 anyref)
            (global (export "global") (mut anyref) (ref.null any))
            (func (export "take") (param anyref) (result anyref) (local.get 0))
            (func (export "point") (param i32 f64) (result (ref $point))
                (struct.new $point (local.get 0) (local.get 1))))"#,
    )?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let number = AnyRef::from_i31(&mut store, I31::wrapping_u32(1234));
    assert_eq!(number.unwrap_i31(&store)?.get_u32(), 1234);

    let table = instance.get_table(&mut store, "table").expect("it is exported");
    table.set(&mut store, 3, Ref::Any(Some(number)))?;
    let element = table.get(&mut store, 3).expect("the table has ten");
    let element = element.unwrap_any().expect("it is not null").unwrap_i31(&store)?;
    assert_eq!(element.get_u32(), 1234);

    let point =
        instance.get_typed_func::<(i32, f64), Rooted<engine::StructRef>>(&mut store, "point")?;
    let point = point.call(&mut store, (7, 0.5))?;
    point.set_field(&mut store, 1, Val::F64(2.5f64.to_bits()))?;
    assert_eq!(point.field(&mut store, 0)?.unwrap_i32(), 7);
    assert_eq!(point.field(&mut store, 1)?.unwrap_f64(), 2.5);

    let global = instance.get_global(&mut store, "global").expect("it is exported");
    global.set(&mut store, point.into())?;
    let Val::AnyRef(Some(content)) = global.get(&mut store) else { panic!("it was set") };
    let content = content.unwrap_struct(&store)?;
    assert!(Rooted::ref_eq(&store, &content, &point)?);

    let take = instance
        .get_typed_func::<Option<Rooted<AnyRef>>, Option<Rooted<AnyRef>>>(&mut store, "take")?;
    let taken = take.call(&mut store, Some(point.to_anyref()))?.expect("it is not null");
    assert!(taken.is_struct(&store)?);
    store.gc(None)?;
    Ok(())
}
