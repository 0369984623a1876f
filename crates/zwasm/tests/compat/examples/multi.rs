//! Several results, of functions of either side, with types known when compiling or not.

use engine::{Engine, Func, Instance, Module, Result, Store, Val};

#[test]
fn multi() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let module = Module::new(
        &engine,
        r#"(module
            (func $f (import "" "f") (param i32 i64) (result i64 i32))
            (func (export "g") (param i32 i64) (result i64 i32)
                (call $f (local.get 0) (local.get 1)))
            (func (export "round_trip_many")
                (param i64 i64 i64 i64 i64) (result i64 i64 i64 i64 i64)
                (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))"#,
    )?;
    let f = Func::wrap(&mut store, |a: i32, b: i64| (b + 1, a + 1));
    let instance = Instance::new(&mut store, &module, &[f.into()])?;
    let g = instance.get_typed_func::<(i32, i64), (i64, i32)>(&mut store, "g")?;
    assert_eq!(g.call(&mut store, (1, 3))?, (4, 2));

    let many = instance.get_func(&mut store, "round_trip_many").expect("it is exported");
    let arguments: Vec<Val> = (0..5).map(Val::I64).collect();
    let mut results = vec![Val::I32(0); 5];
    many.call(&mut store, &arguments, &mut results)?;
    assert!(results.iter().enumerate().all(|(at, value)| value.i64() == Some(at as i64)));
    type Five = (i64, i64, i64, i64, i64);
    let many = many.typed::<Five, Five>(&store)?;
    assert_eq!(many.call(&mut store, (9, 8, 7, 6, 5))?, (9, 8, 7, 6, 5));
    Ok(())
}
