//! Tables, memories and globals.

use engine::{
    Engine, ExternRef, Func, Global, GlobalType, Memory, MemoryType, Mutability, Ref, RefType,
    Result, SharedMemory, Store, Table, TableType, Trap, Val, ValType,
};

#[test]
fn tables_are_written_filled_copied_and_grown() -> Result<()> {
    let mut store = Store::<()>::default();
    let func = Func::wrap(&mut store, || 5);
    let ty = TableType::new(RefType::FUNCREF, 4, Some(6));
    let table = Table::new(&mut store, ty, Ref::Func(None))?;
    table.set(&mut store, 0, func.into())?;
    table.fill(&mut store, 2, func.into(), 2)?;
    let is_set = |store: &mut Store<()>| -> Vec<bool> {
        (0..table.size(&*store))
            .map(|index| table.get(&mut *store, index).expect("it is there").is_non_null())
            .collect()
    };
    assert_eq!(is_set(&mut store), [true, false, true, true]);
    Table::copy(&mut store, &table, 1, &table, 0, 2)?;
    assert_eq!(is_set(&mut store), [true, true, false, true]);
    let other = Table::new(&mut store, TableType::new(RefType::FUNCREF, 2, None), func.into())?;
    Table::copy(&mut store, &table, 2, &other, 0, 2)?;
    assert_eq!(is_set(&mut store), [true; 4]);
    assert_eq!(table.grow(&mut store, 2, Ref::Func(None))?, 4);
    assert!(table.grow(&mut store, 1, Ref::Func(None)).is_err());
    for error in [
        table.fill(&mut store, 5, Ref::Func(None), 2).unwrap_err(),
        Table::copy(&mut store, &table, 0, &other, 1, 2).unwrap_err(),
    ] {
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::TableOutOfBounds));
    }
    assert!(table.set(&mut store, 6, Ref::Func(None)).is_err());
    assert!(table.get(&mut store, 6).is_none());
    assert!(table.set(&mut store, 0, Ref::Extern(None)).is_err());
    let externs = TableType::new(RefType::EXTERNREF, 1, None);
    let externs = Table::new(&mut store, externs, Ref::Extern(None))?;
    assert!(Table::copy(&mut store, &externs, 0, &table, 0, 1).is_err());
    let external = ExternRef::new(&mut store, 1)?;
    externs.set(&mut store, 0, external.into())?;
    let got = externs.get(&mut store, 0).expect("it is there");
    assert!(got.unwrap_extern().is_some());
    Ok(())
}

#[test]
fn memories_are_read_written_and_grown() -> Result<()> {
    let mut store = Store::new(&Engine::default(), 7);
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(2)))?;
    memory.write(&mut store, 65534, b"ab")?;
    let error = memory.write(&mut store, 65535, b"ab").unwrap_err();
    assert_eq!(error.to_string(), "out of bounds memory access");
    let mut bytes = [0; 2];
    memory.read(&store, 65534, &mut bytes)?;
    assert_eq!(bytes, *b"ab");
    let (data, state) = memory.data_and_store_mut(&mut store);
    data[0] = *state as u8;
    assert_eq!(memory.data(&store)[0], 7);
    assert_eq!((memory.grow(&mut store, 1)?, memory.size(&store)), (1, 2));
    let error = memory.grow(&mut store, 1).unwrap_err();
    assert_eq!(error.to_string(), "failed to grow memory by `1`");
    assert_eq!((memory.page_size(&store), memory.page_size_log2(&store)), (65536, 16));
    Ok(())
}

#[test]
fn globals_are_what_their_types_say() -> Result<()> {
    let mut store = Store::<()>::default();
    let ty = GlobalType::new(ValType::I32, Mutability::Const);
    assert!(Global::new(&mut store, ty.clone(), Val::I64(0)).is_err());
    let constant = Global::new(&mut store, ty, Val::I32(1))?;
    let error = constant.set(&mut store, Val::I32(2)).unwrap_err();
    assert!(error.to_string().contains("immutable global cannot be set"), "{error}");
    let ty = GlobalType::new(ValType::I32, Mutability::Var);
    let global = Global::new(&mut store, ty, Val::I32(1))?;
    assert!(global.set(&mut store, Val::F32(0)).is_err());
    global.set(&mut store, Val::I32(2))?;
    assert_eq!(global.get(&mut store).unwrap_i32(), 2);
    Ok(())
}

#[test]
fn shared_memories_are_cells() -> Result<()> {
    let mut config = engine::Config::new();
    config.wasm_threads(true).shared_memory(true);
    let memory = SharedMemory::new(&Engine::new(&config)?, MemoryType::shared(1, 2))?;
    assert_eq!((memory.data().len(), memory.size(), memory.page_size()), (65536, 1, 65536));
    assert_eq!(memory.grow(1)?, 1);
    assert_eq!(memory.data_size(), 2 * 65536);
    assert_eq!(memory.atomic_notify(0, 1)?, 0);
    Ok(())
}
