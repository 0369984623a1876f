//! Types are defined as long as something uses them, and no longer; whatever number
//! they have meanwhile, none is taken for another.
#![cfg(all(feature = "gc", feature = "wat"))]

use zwasm::{
    Config, Engine, FieldType, Func, FuncType, Global, GlobalType, HeapType, Instance, Linker,
    Module, Mutability, RefType, RootScope, Store, Strategy, StructRef, StructRefPre, StructType,
    Table, TableType, Tag, TagType, Val, ValType,
};

/// Loads and drops modules with types that no other module has, so that numbers are
/// given again.
fn churn(engine: &Engine, from: usize, count: usize) {
    for number in from..from + count {
        // A structure whose fields are the bits of the number.
        let mut bytes = b"\0asm\x01\0\0\0\x01\x24\x01\x5F\x10".to_vec();
        bytes.extend((0..16).flat_map(|bit| [0x7C + (number >> bit & 1) as u8, 1]));
        bytes[9] = (bytes.len() - 10) as u8;
        Module::new(engine, &bytes).unwrap();
    }
}

fn engines() -> impl Iterator<Item = Engine> {
    let strategies =
        [Strategy::Interpreter, Strategy::Baseline, Strategy::Auto, Strategy::Mixed(1)];
    strategies.into_iter().map(|strategy| {
        let mut config = Config::new();
        config.strategy(strategy);
        Engine::new(&config).unwrap()
    })
}

/// The type of the only field's values, which a module defines.
fn concrete(ty: &FuncType) -> HeapType {
    let Some(ValType::Ref(ty)) = ty.results().next() else { panic!("{ty}") };
    assert!(ty.heap_type().is_concrete_struct());
    ty.heap_type().clone()
}

const MAKER: &str = r#"(module (type $s (struct (field i32)))
    (func (export "make") (result (ref $s)) (struct.new $s (i32.const 7))))"#;

#[test]
fn a_type_of_the_api_keeps_its_definition() {
    let engine = Engine::default();
    let module = Module::new(&engine, MAKER).unwrap();
    let make = module.get_export("make").unwrap().func().unwrap().clone();
    drop(module);
    let structure = concrete(&make).unwrap_concrete_struct().clone();
    churn(&engine, 0, 10_000);
    // The function type keeps the structure it refers to, and the other way to it is as good.
    assert_eq!(concrete(&make).as_concrete_struct(), Some(&structure));
    let field = FieldType::new(Mutability::Const, ValType::I32.into());
    assert_eq!(StructType::new(&engine, [field]).unwrap(), structure);
    let mut store = Store::new(&engine, ());
    let pre = StructRefPre::new(&mut store, structure);
    let object = StructRef::new(&mut store, &pre, &[Val::I32(9)]).unwrap();
    drop(pre);
    churn(&engine, 0, 10_000);
    let func = Func::new(&mut store, make, move |_, _, results| {
        results[0] = object.into();
        Ok(())
    });
    // What the host makes is of the module's type.
    let module = Module::new(
        &engine,
        r#"(module (type $s (struct (field i32)))
            (import "" "make" (func $make (result (ref $s))))
            (func (export "get") (result i32) (struct.get $s 0 (call $make))))"#,
    );
    let instance = Instance::new(&mut store, &module.unwrap(), &[func.into()]).unwrap();
    let get = instance.get_typed_func::<(), i32>(&mut store, "get").unwrap();
    assert_eq!(get.call(&mut store, ()).unwrap(), 9);
}

/// Objects that a store has keep apart from those of types defined later, under numbers
/// that were those of types in between.
#[test]
fn a_store_keeps_its_types() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let module = Module::new(
            &engine,
            r#"(module (rec (type $a (sub (struct))) (type $b (sub $a (struct))))
                (table $t (export "t") 3 anyref)
                (start $fill)
                (func $fill
                    (table.set $t (i32.const 0) (struct.new $a))
                    (table.set $t (i32.const 1) (struct.new $b))
                    (table.set $t (i32.const 2) (ref.i31 (i32.const 3))))
                (func (export "is") (param i32) (result i32) (i32.add
                    (ref.test (ref $a) (table.get $t (local.get 0)))
                    (ref.test (ref $b) (table.get $t (local.get 0))))))"#,
        );
        let first = Instance::new(&mut store, &module.unwrap(), &[]).unwrap();
        let table = first.get_table(&mut store, "t").unwrap();
        let call = |instance: Instance, store: &mut Store<()>, arg: i32| {
            let func = instance.get_typed_func::<i32, i32>(&mut *store, "is").unwrap();
            func.call(store, arg).unwrap()
        };
        for round in 0..3 {
            churn(&engine, round * 5000, 5000);
            let module = Module::new(
                &engine,
                format!(
                    r#"(module (import "" "t" (table $t 3 anyref))
                        (rec (type $a (sub (struct))) (type $b (sub $a (struct)))
                            (type (array (mut f{}))))
                        (func (export "is") (param i32) (result i32) (i32.add
                            (ref.test (ref $a) (table.get $t (local.get 0)))
                            (ref.test (ref $b) (table.get $t (local.get 0))))))"#,
                    32 << (round & 1)
                ),
            );
            let other = Instance::new(&mut store, &module.unwrap(), &[table.into()]).unwrap();
            let found = [0, 1, 2].map(|index| call(first, &mut store, index));
            assert_eq!(found, [1, 2, 0]);
            let found = [0, 1, 2].map(|index| call(other, &mut store, index));
            assert_eq!(found, [0, 0, 0]);
        }
    }
}

/// A function that a linker defines keeps the types of its signature.
#[test]
fn a_linker_keeps_its_types() {
    for engine in engines() {
        let module = Module::new(&engine, MAKER).unwrap();
        let heap = concrete(module.get_export("make").unwrap().func().unwrap());
        let ty = FuncType::new(&engine, [], [ValType::Ref(RefType::new(true, heap))]);
        let mut linker = Linker::<()>::new(&engine);
        linker
            .func_new("", "make", ty, |_, _, results| {
                results[0] = Val::AnyRef(None);
                Ok(())
            })
            .unwrap();
        drop(module);
        churn(&engine, 0, 10_000);
        let module = Module::new(
            &engine,
            r#"(module (type $s (struct (field i32)))
                (import "" "make" (func $make (result (ref null $s))))
                (func (export "run") (result i32) (ref.is_null (call $make))))"#,
        );
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module.unwrap()).unwrap();
        let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
        assert_eq!(run.call(&mut store, ()).unwrap(), 1);
    }
}

/// A type that is kept is the same after others came and went, and everything is made of it.
#[test]
fn a_type_that_is_kept_stays_what_it_is() {
    let engine = Engine::default();
    let module = Module::new(&engine, MAKER).unwrap();
    let heap = concrete(module.get_export("make").unwrap().func().unwrap());
    drop(module);
    churn(&engine, 0, 10_000);
    let mut store = Store::new(&engine, ());
    let ty = RefType::new(true, heap.clone());
    let value = ValType::Ref(ty.clone());
    StructType::new(&engine, [FieldType::new(Mutability::Var, value.clone().into())]).unwrap();
    let null = value.default_value().unwrap();
    Table::new(&mut store, TableType::new(ty, 1, None), null.ref_().unwrap()).unwrap();
    let global = GlobalType::new(value.clone(), Mutability::Var);
    let global = Global::new(&mut store, global, null).unwrap();
    assert!(global.set(&mut store, Val::FuncRef(None)).is_err());
    let func = FuncType::new(&engine, [value.clone()], [value]);
    Func::try_new(&mut store, func.clone(), |_, _, _| Ok(())).unwrap();
    let params = FuncType::new(&engine, func.params(), []);
    Tag::new(&mut store, &TagType::new(params)).unwrap();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_new("", "f", func, |_, _, _| Ok(())).unwrap();
    let module = Module::new(&engine, MAKER).unwrap();
    assert_eq!(concrete(module.get_export("make").unwrap().func().unwrap()), heap);
}

/// Modules with the same types come and go in several threads.
#[test]
fn types_come_and_go_in_threads() {
    let engine = Engine::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..200 {
                    let module = Module::new(&engine, MAKER).unwrap();
                    let mut store = Store::new(&engine, ());
                    let instance = Instance::new(&mut store, &module, &[]).unwrap();
                    let make = instance.get_func(&mut store, "make").unwrap();
                    drop(module);
                    let mut results = [Val::I32(0)];
                    make.call(&mut store, &[], &mut results).unwrap();
                    let object = results[0].unwrap_anyref().unwrap();
                    let object = object.as_struct(&store).unwrap().unwrap();
                    assert_eq!(object.field(&mut store, 0).unwrap().i32(), Some(7));
                    churn(&engine, round * 10, 10);
                }
            });
        }
    });
}

/// What a store learned of the types of an instance that came to nothing is true of no
/// type that has the number later.
#[test]
fn a_failed_instance_leaves_no_type_behind() {
    let mut config = Config::new();
    config.gc_stress(true).max_memory(65_536);
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    let module = Module::new(
        &engine,
        r#"(module (type $s (struct (field i64))) (memory 2)
            (func (export "make") (result (ref $s)) unreachable))"#,
    )
    .unwrap();
    let gone = concrete(module.get_export("make").unwrap().func().unwrap()).to_string();
    Instance::new(&mut store, &module, &[]).unwrap_err();
    drop(module);
    // The number is given again unless the store still holds the type.
    let again = (0..10_000).find_map(|number| {
        let field = |ty: ValType| FieldType::new(Mutability::Const, ty.into());
        let bits = (0..14).map(|bit| match number >> bit & 1 {
            0 => field(ValType::I32),
            _ => field(ValType::I64),
        });
        let fields =
            [field(ValType::Ref(RefType::new(true, HeapType::Any)))].into_iter().chain(bits);
        let ty = StructType::new(&engine, fields).unwrap();
        // Numbers show in what a type is called.
        (HeapType::from(ty.clone()).to_string() == gone).then_some((ty, number))
    });
    let Some((ty, number)) = again else { return };
    let field = FieldType::new(Mutability::Const, ValType::I32.into());
    let inner = StructType::new(&engine, [field]).unwrap();
    let inner = StructRefPre::new(&mut store, inner);
    let outer = StructRefPre::new(&mut store, ty);
    let outer = {
        let mut scope = RootScope::new(&mut store);
        let seven = StructRef::new(&mut scope, &inner, &[Val::I32(7)]).unwrap();
        let mut values = vec![Val::from(seven)];
        values.extend((0..14).map(|bit| match number >> bit & 1 {
            0 => Val::I32(1),
            _ => Val::I64(1),
        }));
        let object = StructRef::new(&mut scope, &outer, &values).unwrap();
        object.to_owned_rooted(&mut scope).unwrap()
    };
    for _ in 0..100 {
        let mut scope = RootScope::new(&mut store);
        StructRef::new(&mut scope, &inner, &[Val::I32(8)]).unwrap();
    }
    let seven = outer.field(&mut store, 0).unwrap();
    let seven = seven.unwrap_anyref().unwrap().unwrap_struct(&store).unwrap();
    assert_eq!(seven.field(&mut store, 0).unwrap().i32(), Some(7));
}
