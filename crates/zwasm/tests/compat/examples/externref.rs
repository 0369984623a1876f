//! Values of the host that go through tables, globals and functions of the guest.

use engine::{Engine, ExternRef, Instance, Module, Ref, Result, Rooted, Store, Val};

fn name<'a>(store: &'a Store<()>, value: &Rooted<ExternRef>) -> Option<&'a str> {
    value.data(store).ok().flatten()?.downcast_ref::<&str>().copied()
}

#[test]
fn externref() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let module = Module::new(
        &engine,
        r#"(module
            (table (export "table") 10 externref)
            (global (export "global") (mut externref) (ref.null extern))
            (func (export "func") (param externref) (result externref) (local.get 0)))"#,
    )?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let value = ExternRef::new(&mut store, "Hello, World!")?;
    assert_eq!(name(&store, &value), Some("Hello, World!"));

    let table = instance.get_table(&mut store, "table").expect("it is exported");
    assert!(table.get(&mut store, 3).is_some_and(|element| element.is_null()));
    table.set(&mut store, 3, Ref::Extern(Some(value)))?;
    let element = table.get(&mut store, 3).expect("the table has ten");
    let element = *element.unwrap_extern().expect("it is not null");
    assert!(Rooted::ref_eq(&store, &element, &value)?);

    let global = instance.get_global(&mut store, "global").expect("it is exported");
    global.set(&mut store, Some(value).into())?;
    let Val::ExternRef(Some(content)) = global.get(&mut store) else { panic!("it was set") };
    assert_eq!(name(&store, &content), Some("Hello, World!"));

    let func = instance.get_typed_func::<Option<Rooted<ExternRef>>, Option<Rooted<ExternRef>>>(
        &mut store, "func",
    )?;
    let result = func.call(&mut store, Some(value))?.expect("it is not null");
    assert!(Rooted::ref_eq(&store, &result, &value)?);
    assert!(func.call(&mut store, None)?.is_none());

    store.gc(None)?;
    assert_eq!(name(&store, &value), Some("Hello, World!"));
    Ok(())
}
