//! Numbers that make no sense: sizes, indices, limits, at their ends.

use super::{engines, panics};
use std::time::Duration;
use zwasm::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, Config, Engine, ErrorKind, ExnRef, ExnRefPre,
    ExnType, ExternRef, FieldType, Func, FuncType, Global, GlobalType, I31, Instance, Linker,
    Memory, MemoryType, Module, Mutability, Ref, RefType, SharedMemory, StorageType, Store,
    StoreLimitsBuilder, Strategy, StructRef, StructRefPre, StructType, Table, TableType, Tag,
    TagType, Trap, Val, ValType, WaitResult,
};

const SIZES: [u64; 12] = [
    0,
    1,
    2,
    65535,
    65536,
    1 << 31,
    u32::MAX as u64,
    1 << 32,
    1 << 47,
    i64::MAX as u64,
    u64::MAX - 1,
    u64::MAX,
];

#[test]
fn memories_of_any_size_are_made_or_refused() {
    // Not so large that the machine would have to have it.
    let mut config = Config::new();
    config.max_memory(1 << 20);
    let engine = Engine::new(&config).unwrap();
    for guard_pages in [true, false] {
        config.guard_pages(guard_pages);
        let mut store = Store::new(&Engine::new(&config).unwrap(), ());
        for minimum in SIZES {
            for maximum in SIZES.into_iter().map(Some).chain([None]) {
                let mut types = vec![MemoryType::new64(minimum, maximum)];
                if let Ok(minimum) = u32::try_from(minimum) {
                    let maximum = maximum.map(|maximum| u32::try_from(maximum).unwrap_or(u32::MAX));
                    types.push(MemoryType::new(minimum, maximum));
                }
                for ty in types {
                    check_memory(&mut store, ty);
                }
            }
        }
    }
    for minimum in SIZES.into_iter().filter_map(|size| u32::try_from(size).ok()) {
        for maximum in SIZES.into_iter().filter_map(|size| u32::try_from(size).ok()) {
            let ty = MemoryType::shared(minimum, maximum);
            let may = minimum <= maximum.min(16);
            let made = SharedMemory::new(&engine, ty);
            assert_eq!(made.is_ok(), may, "{ty}");
            let Ok(memory) = made else { continue };
            SIZES.iter().for_each(|delta| drop(memory.grow(*delta)));
            let end = memory.data_size();
            assert!(memory.write(end, &[]).is_ok() && memory.write(end, &[1]).is_err());
            for offset in SIZES.map(|size| size as usize) {
                assert_eq!(memory.read(offset, &mut [0; 2]).is_ok(), two_fit(offset, end));
                let _ = memory.atomic_notify(offset as u64, u32::MAX);
                let _ = memory.atomic_wait32(offset as u64, 1, None);
                let _ = memory.atomic_wait64(offset as u64, 1, Some(Duration::ZERO));
            }
        }
    }
}

/// Whether two bytes at an offset are before the end.
fn two_fit(offset: usize, end: usize) -> bool {
    offset.checked_add(2).is_some_and(|after| after <= end)
}

fn check_memory(store: &mut Store<()>, ty: MemoryType) {
    let may = ty.minimum() <= ty.maximum().unwrap_or(u64::MAX).min(16);
    let made = Memory::new(&mut *store, ty);
    assert_eq!(made.is_ok(), may, "{ty}");
    let Ok(memory) = made else { return };
    for delta in SIZES {
        let (old, pages) = (memory.size(&*store), ty.maximum().unwrap_or(16).min(16));
        let grown = memory.grow(&mut *store, delta);
        assert_eq!(grown.is_ok(), delta <= pages - old, "{ty} by {delta}");
    }
    let end = memory.data_size(&*store);
    assert_eq!(memory.data_mut(&mut *store).len(), end);
    for offset in SIZES.map(|size| size as usize) {
        let inside = two_fit(offset, end);
        assert_eq!(memory.write(&mut *store, offset, &[1, 2]).is_ok(), inside);
        assert_eq!(memory.read(&*store, offset, &mut [0, 0]).is_ok(), inside);
        assert_eq!(memory.read(&*store, offset, &mut []).is_ok(), offset <= end);
    }
    assert!(memory.write(&mut *store, 0, &vec![0; end + 1]).is_err());
}

#[test]
fn tables_of_any_size_are_made_or_refused() {
    let mut config = Config::new();
    config.max_table_elements(100_000);
    let mut store = Store::new(&Engine::new(&config).unwrap(), ());
    let null = Ref::Func(None);
    for minimum in SIZES {
        for maximum in SIZES.into_iter().map(Some).chain([None]) {
            let ty = TableType::new64(RefType::FUNCREF, minimum, maximum);
            let made = Table::new(&mut store, ty.clone(), null);
            assert_eq!(made.is_ok(), minimum <= maximum.unwrap_or(u64::MAX).min(100_000), "{ty}");
            let Ok(table) = made else { continue };
            for index in SIZES {
                let inside = index < minimum;
                assert_eq!(table.get(&mut store, index).is_some(), inside);
                assert_eq!(table.set(&mut store, index, null).is_ok(), inside);
            }
            for delta in SIZES {
                let most = maximum.unwrap_or(u64::MAX).min(100_000);
                let may = delta <= most - table.size(&store);
                assert_eq!(table.grow(&mut store, delta, null).is_ok(), may, "{ty} by {delta}");
            }
        }
    }
    let wrong = TableType::new(RefType::FUNCREF, 5, Some(2));
    let error = Table::new(&mut store, wrong, null).unwrap_err();
    assert!(error.summary().contains("beyond its maximum"), "{error}");
}

#[test]
fn objects_of_any_size_are_made_or_refused() {
    let mut config = Config::new();
    config.max_gc_heap(1 << 20);
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    let element = |storage: StorageType| FieldType::new(Mutability::Var, storage);
    let storages =
        [StorageType::I8, StorageType::I16, ValType::V128.into(), ValType::EXTERNREF.into()];
    for storage in storages {
        let zero = storage.unpack().default_value().unwrap();
        let ty = ArrayType::new(&engine, element(storage.clone()));
        let pre = ArrayRefPre::new(&mut store, ty);
        for len in SIZES.into_iter().filter_map(|size| u32::try_from(size).ok()) {
            let made = ArrayRef::new(&mut store, &pre, &zero, len);
            if len > 1 << 20 {
                assert!(made.is_err());
            }
            let Ok(array) = made else { continue };
            assert_eq!(array.len(&store).unwrap(), len);
            assert_eq!(array.is_empty(&store).unwrap(), len == 0);
            for index in SIZES.into_iter().filter_map(|size| u32::try_from(size).ok()) {
                assert_eq!(array.get(&mut store, index).is_ok(), index < len);
                assert_eq!(array.set(&mut store, index, zero).is_ok(), index < len);
            }
        }
        assert_eq!(ArrayRef::new_fixed(&mut store, &pre, &[]).unwrap().len(&store).unwrap(), 0);
        let fields = (0..10_001).map(|_| element(storage.clone()));
        assert!(StructType::new(&engine, fields.clone()).is_err());
        let ty = StructType::new(&engine, fields.take(10_000)).unwrap();
        let pre = StructRefPre::new(&mut store, ty);
        let object = StructRef::new(&mut store, &pre, &vec![zero; 10_000]).unwrap();
        assert!(object.field(&mut store, 9_999).is_ok());
        for index in [10_000, usize::MAX] {
            assert!(object.field(&mut store, index).is_err());
            assert!(object.set_field(&mut store, index, zero).is_err());
        }
    }
    let ty = StructType::new(&engine, []).unwrap();
    let pre = StructRefPre::new(&mut store, ty);
    let object = StructRef::new(&mut store, &pre, &[]).unwrap();
    assert_eq!(object.ty(&store).unwrap().fields().len(), 0);
    assert!(object.field(&mut store, 0).is_err());
    assert!(StructRef::new(&mut store, &pre, &[Val::I32(0)]).is_err());
    for value in [0, 1, u32::MAX >> 1, 1 << 31, u32::MAX] {
        let any = AnyRef::from_i31(&mut store, I31::wrapping_u32(value));
        assert_eq!(any.as_i31(&store).unwrap(), I31::new_u32(value & (u32::MAX >> 1)));
        assert!(any.to_extern().data(&store).unwrap().is_none());
    }
}

#[test]
fn functions_of_any_arity_are_called_or_refused() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        for count in [0, 1, 31, 32, 33, 1000, 1001, 100_000] {
            let types = || std::iter::repeat_n(ValType::V128, count);
            let echo = Func::new(
                &mut store,
                FuncType::new(&engine, types(), types()),
                |_, args, results| {
                    results.copy_from_slice(args);
                    Ok(())
                },
            );
            let args = vec![Val::from(7u128); count];
            let mut results = vec![Val::I32(0); count];
            echo.call(&mut store, &args, &mut results).unwrap();
            assert!(results.iter().all(|value| value.unwrap_v128().as_u128() == 7));
            results.push(Val::I32(0));
            assert!(echo.call(&mut store, &args, &mut results).is_err());
        }
        // More than the stack holds.
        let many = || std::iter::repeat_n(ValType::I64, (2 << 20) + 1);
        let func = Func::new(&mut store, FuncType::new(&engine, [], many()), |_, _, _| Ok(()));
        let mut results = vec![Val::I64(0); (2 << 20) + 1];
        let error = func.call(&mut store, &[], &mut results).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::StackOverflow));
        let ty = TagType::new(FuncType::new(&engine, many(), []));
        let tag = Tag::new(&mut store, &ty).unwrap();
        let pre = ExnRefPre::new(&mut store, ExnType::from_tag_type(&ty).unwrap());
        let _ = ExnRef::new(&mut store, &pre, &tag, &vec![Val::I64(1); (2 << 20) + 1]);
    }
}

#[test]
fn limits_of_any_size_are_kept() {
    let wat = r#"(module (memory (export "memory") 1) (table 1 funcref) (global anyref (ref.null any))
        (type $a (array i8)) (tag $e)
        (func (export "run") (result i32) (drop (array.new_default $a (i32.const 100)))
            (block $h (try_table (catch_all $h) (throw $e)))
            (i32.add (memory.grow (i32.const 1)) (i32.const 1))))"#;
    for size in SIZES {
        let (mut config, bytes) = (Config::new(), size as usize);
        config.max_memory(size).max_table_elements(size).max_gc_heap(size).max_total(size);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let mut store = Store::new(&engine, ());
        if let Ok(instance) = Instance::new(&mut store, &module, &[]) {
            let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
            let _ = run.call(&mut store, ());
        }
        let engine = Engine::default();
        let module = Module::new(&engine, wat).unwrap();
        let limits = StoreLimitsBuilder::new()
            .memory_size(bytes)
            .table_elements(bytes)
            .gc_heap_size(bytes)
            .exceptions_size(bytes)
            .total_size(bytes)
            .instances(bytes)
            .tables(bytes)
            .memories(bytes)
            .build();
        let mut store = Store::new(&engine, limits);
        store.limiter(|limits| limits);
        if let Ok(instance) = Instance::new(&mut store, &module, &[]) {
            let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
            let _ = run.call(&mut store, ());
        }
        let _ = ExternRef::new(&mut store, 1);
        let _ = Memory::new(&mut store, MemoryType::new(1, None));
    }
    for bytes in [0, 1, 65535, usize::MAX / 2, usize::MAX] {
        let mut config = Config::new();
        config.max_stack(bytes);
        let Ok(engine) = Engine::new(&config) else { continue };
        assert!(bytes >= 65536);
        let mut store = Store::new(&engine, ());
        let func = Func::wrap(&mut store, || 1);
        let error = func.call(&mut store, &[], &mut [Val::I32(0)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    }
    for seed in [0, 1, u64::MAX] {
        let mut config = Config::new();
        config.strategy(Strategy::Mixed(seed));
        let Ok(engine) = Engine::new(&config) else { continue };
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &Module::new(&engine, wat).unwrap(), &[]).unwrap();
        let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
        (0..3).for_each(|_| assert!(run.call(&mut store, ()).is_ok()));
    }
}

#[test]
fn fuel_reads_back_as_it_was_set() {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    for fuel in [0, 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
        store.set_fuel(fuel).unwrap();
        assert_eq!(store.get_fuel().unwrap(), fuel);
    }
    let run = Module::new(&engine, r#"(module (func (export "run") (nop) (drop (i32.const 1))))"#);
    let instance = Linker::new(&engine).instantiate(&mut store, &run.unwrap()).unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    run.call(&mut store, ()).unwrap();
    let left = store.get_fuel().unwrap();
    assert!(left < u64::MAX && left > u64::MAX - 10, "{left}");
}

#[test]
fn deadlines_of_any_distance_are_kept() {
    for strategy in super::STRATEGIES {
        let mut config = Config::new();
        config.epoch_interruption(true).strategy(strategy);
        let Ok(engine) = Engine::new(&config) else { continue };
        let module = Module::new(&engine, r#"(module (func (export "run")))"#).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        for ticks in SIZES {
            engine.increment_epoch();
            store.set_epoch_deadline(ticks);
            assert_eq!(run.call(&mut store, ()).is_ok(), ticks > 0);
        }
        store.epoch_deadline_callback(|_| Ok(zwasm::UpdateDeadline::Continue(u64::MAX)));
        store.set_epoch_deadline(0);
        run.call(&mut store, ()).unwrap();
        store.epoch_deadline_callback(|_| Ok(zwasm::UpdateDeadline::Continue(0)));
        store.set_epoch_deadline(0);
        run.call(&mut store, ()).unwrap();
    }
}

#[test]
fn values_of_other_types_are_refused() {
    let mut store = Store::new(&Engine::default(), ());
    let external = ExternRef::new(&mut store, 1).unwrap();
    let func = Func::wrap(&mut store, || {});
    let values = [
        Val::I32(0),
        Val::I64(0),
        Val::F32(0),
        Val::F64(0),
        Val::from(0u128),
        Val::FuncRef(Some(func)),
        Val::ExternRef(Some(external)),
        Val::AnyRef(Some(external.to_any())),
        Val::AnyRef(None),
        Val::FuncRef(None),
        Val::ExternRef(None),
        Val::ExnRef(None),
    ];
    for (index, value) in values.into_iter().enumerate() {
        let mut accepted = 0;
        for ty in [
            ValType::I32,
            ValType::I64,
            ValType::F32,
            ValType::F64,
            ValType::V128,
            ValType::FUNCREF,
            ValType::EXTERNREF,
            ValType::EXNREF,
            RefType::new(true, zwasm::HeapType::Any).into(),
        ] {
            let ty = GlobalType::new(ty, Mutability::Var);
            let Ok(global) = Global::new(&mut store, ty, value) else { continue };
            accepted += 1;
            global.set(&mut store, value).unwrap();
            assert!(global.set(&mut store, values[(index + 1) % 5]).is_err());
        }
        assert_eq!(accepted, 1, "{value:?}");
    }
    for wrong in [ValType::I64, ValType::FUNCREF] {
        let value = wrong.default_value().unwrap();
        let message = panics(|| value.unwrap_i32());
        assert!(message.contains("expected an i32"), "{message}");
    }
    assert_eq!(WaitResult::Ok as u8, 0);
}
