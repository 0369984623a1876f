//! A module with two memories, and copies between them.

use engine::{Config, Engine, Instance, Module, Result, Store};

#[test]
fn multimemory() -> Result<()> {
    let mut config = Config::new();
    config.wasm_multi_memory(true);
    let engine = Engine::new(&config)?;
    let mut store = Store::new(&engine, ());
    let module = Module::new(
        &engine,
        r#"(module
            (memory $a (export "memory0") 2 3)
            (memory $b (export "memory1") 2 4)
            (func (export "size1") (result i32) (memory.size $b))
            (func (export "load1") (param i32) (result i32) (i32.load8_s $b (local.get 0)))
            (func (export "copy") (param i32 i32 i32)
                (memory.copy $b $a (local.get 0) (local.get 1) (local.get 2)))
            (data (memory $a) (i32.const 0x1000) "\01\02\03\04")
            (data (memory $b) (i32.const 0x1000) "\04\03\02\01"))"#,
    )?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let first = instance.get_memory(&mut store, "memory0").expect("it is exported");
    let second = instance.get_memory(&mut store, "memory1").expect("it is exported");
    let load = instance.get_typed_func::<i32, i32>(&mut store, "load1")?;
    let copy = instance.get_typed_func::<(i32, i32, i32), ()>(&mut store, "copy")?;
    assert_eq!(load.call(&mut store, 0x1000)?, 4);
    copy.call(&mut store, (0x1000, 0x1000, 2))?;
    assert_eq!(second.data(&store)[0x1000..0x1004], [1, 2, 2, 1]);
    assert_eq!(first.grow(&mut store, 1)?, 2);
    let size = instance.get_typed_func::<(), i32>(&mut store, "size1")?;
    assert_eq!((size.call(&mut store, ())?, first.size(&store)), (2, 3));
    assert!(copy.call(&mut store, (0, 0x2FFFF, 2)).is_err());
    Ok(())
}
