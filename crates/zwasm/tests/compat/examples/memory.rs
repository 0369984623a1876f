//! A memory that guest and host read, write and grow, and one that the host makes.

use engine::{Instance, Memory, MemoryType, Module, Result, Store, Trap};

#[test]
fn memory() -> Result<()> {
    let mut store = Store::<()>::default();
    let module = Module::new(
        store.engine(),
        r#"(module
            (memory (export "memory") 2 3)
            (func (export "size") (result i32) (memory.size))
            (func (export "load") (param i32) (result i32) (i32.load8_s (local.get 0)))
            (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
            (data (i32.const 0x1000) "\01\02\03\04"))"#,
    )?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let memory = instance.get_memory(&mut store, "memory").expect("it is exported");
    let size = instance.get_typed_func::<(), i32>(&mut store, "size")?;
    let load = instance.get_typed_func::<i32, i32>(&mut store, "load")?;
    let set = instance.get_typed_func::<(i32, i32), ()>(&mut store, "store")?;

    assert_eq!((memory.size(&store), memory.data_size(&store)), (2, 0x20000));
    assert_eq!(memory.data(&store)[0x1000..0x1004], [1, 2, 3, 4]);
    assert_eq!((size.call(&mut store, ())?, load.call(&mut store, 0x1003)?), (2, 4));
    let error = load.call(&mut store, 0x20000).unwrap_err();
    assert_eq!(error.downcast::<Trap>()?, Trap::MemoryOutOfBounds);

    memory.data_mut(&mut store)[0x1003] = 5;
    set.call(&mut store, (0x1002, 6))?;
    assert!(set.call(&mut store, (0x20000, 0)).is_err());
    let mut read = [0; 4];
    memory.read(&store, 0x1000, &mut read)?;
    assert_eq!(read, [1, 2, 6, 5]);
    assert!(memory.write(&mut store, 0x1FFFF, &[0, 0]).is_err());

    assert_eq!(memory.grow(&mut store, 1)?, 2);
    assert_eq!((memory.size(&store), load.call(&mut store, 0x20000)?), (3, 0));
    assert!(memory.grow(&mut store, 1).is_err());
    assert_eq!(memory.grow(&mut store, 0)?, 3);

    let own = Memory::new(&mut store, MemoryType::new(5, Some(5)))?;
    assert_eq!(own.size(&store), 5);
    assert!(own.grow(&mut store, 1).is_err());
    Ok(())
}
