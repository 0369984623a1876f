//! What a guest costs, until it costs more than there is.

use engine::{Config, Engine, Instance, Module, Result, Store, Trap};

#[test]
fn fuel() -> Result<()> {
    let engine = Engine::new(Config::new().consume_fuel(true))?;
    let mut store = Store::new(&engine, ());
    store.set_fuel(10_000)?;
    let module = Module::new(
        &engine,
        r#"(module
            (func $fibonacci (export "fibonacci") (param $n i32) (result i32)
                (if (i32.lt_s (local.get $n) (i32.const 2))
                    (then (return (local.get $n))))
                (i32.add
                    (call $fibonacci (i32.sub (local.get $n) (i32.const 1)))
                    (call $fibonacci (i32.sub (local.get $n) (i32.const 2))))))"#,
    )?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let fibonacci = instance.get_typed_func::<i32, i32>(&mut store, "fibonacci")?;
    let mut consumed = Vec::new();
    for n in 1.. {
        let before = store.get_fuel()?;
        match fibonacci.call(&mut store, n) {
            Ok(value) => {
                consumed.push(before - store.get_fuel()?);
                assert_eq!(value, [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233][n as usize]);
            }
            Err(error) => {
                assert_eq!(error.downcast::<Trap>()?, Trap::OutOfFuel);
                break;
            }
        }
        store.set_fuel(before)?;
        if n == 13 {
            store.set_fuel(consumed[12])?;
        }
    }
    // The same in both, as far as it goes: both count instructions.
    assert_eq!(consumed[..4], [6, 26, 46, 86]);
    assert_eq!(consumed.len(), 13);
    Ok(())
}
