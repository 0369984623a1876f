//! A guest that says hello through a function of the host, which counts how often.

use engine::{Caller, Engine, Func, Instance, Module, Result, Store};

struct State {
    name: String,
    count: usize,
}

#[test]
fn hello() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (func $hello (import "" "hello"))
            (func (export "run") (call $hello) (call $hello)))"#,
    )?;
    let mut store = Store::new(&engine, State { name: "world".into(), count: 0 });
    let hello = Func::wrap(&mut store, |mut caller: Caller<'_, State>| {
        caller.data_mut().count += 1;
        assert_eq!(caller.data().name, "world");
    });
    let instance = Instance::new(&mut store, &module, &[hello.into()])?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    run.call(&mut store, ())?;
    assert_eq!(store.into_data().count, 2);
    Ok(())
}
