//! Objects that the host makes, and references that it owns.
#![cfg(all(feature = "gc", feature = "wat"))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use zwasm::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, AsContext, Config, Engine, Error, ErrorKind,
    ExternRef, FieldType, Finality, HeapType, I31, Instance, Module, Mutability, RefType,
    RootScope, StorageType, Store, StructRef, StructRefPre, StructType, Val, ValType,
};

/// A list of 64-bit numbers, as a module declares it and the host makes it.
const LIST: &str = r#"(module
    (type $node (struct (field i64) (field (mut (ref null $node)))))
    (func (export "sum") (param $list (ref null $node)) (result i64)
        (local $sum i64)
        (block $end
            (loop $again
                (local.set $sum (i64.add (local.get $sum)
                    (struct.get $node 0 (br_on_null $end (local.get $list)))))
                (local.set $list (struct.get $node 1 (local.get $list)))
                (br $again))
            (unreachable))
        (local.get $sum)))"#;

fn stressed() -> Store<()> {
    let engine = Engine::new(Config::new().gc_stress(true)).unwrap();
    Store::new(&engine, ())
}

/// The structure or array type that the export's first parameter refers to.
fn parameter(module: &Module, export: &str) -> HeapType {
    let ty = module.get_export(export).unwrap();
    match ty.func().unwrap().params().next() {
        Some(ValType::Ref(ty)) => ty.heap_type().clone(),
        other => panic!("{other:?} is no reference"),
    }
}

#[test]
fn the_guest_uses_a_list_the_host_made() {
    let mut store = stressed();
    let module = Module::new(store.engine(), LIST).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let ty = parameter(&module, "sum").unwrap_concrete_struct().clone();
    let pre = StructRefPre::new(&mut store, ty);
    let mut list = None;
    for number in 1..=50 {
        let fields = [Val::I64(number), Val::AnyRef(list)];
        list = Some(StructRef::new(&mut store, &pre, &fields).unwrap().to_anyref());
    }
    let mut results = [Val::I32(0)];
    let sum = instance.get_func(&mut store, "sum").unwrap();
    sum.call(&mut store, &[Val::AnyRef(list)], &mut results).unwrap();
    assert_eq!(results[0].i64(), Some(50 * 51 / 2));
}

#[test]
fn a_type_given_by_fields_is_the_one_a_module_declares() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (type $point (struct (field f32) (field (mut i16)) (field externref)))
            (type $points (array (mut (ref null $point))))
            (func (export "point") (param (ref $point)))
            (func (export "points") (param (ref $points))))"#,
    )
    .unwrap();
    let fields = || {
        [
            FieldType::new(Mutability::Const, ValType::F32.into()),
            FieldType::new(Mutability::Var, StorageType::I16),
            FieldType::new(Mutability::Const, ValType::EXTERNREF.into()),
        ]
    };
    let point = StructType::new(&engine, fields()).unwrap();
    assert_eq!(HeapType::from(point.clone()), parameter(&module, "point"));
    assert!(point.fields().eq(fields()));
    let element = ValType::Ref(RefType::new(true, point.clone().into()));
    let points = ArrayType::new(&engine, FieldType::new(Mutability::Var, element.into()));
    assert_eq!(HeapType::from(points.clone()), parameter(&module, "points"));
    assert_eq!(HeapType::from(point).top(), HeapType::Any);
}

#[test]
fn wrong_fields_are_errors() {
    let mut store = stressed();
    let engine = store.engine().clone();
    let ty =
        StructType::new(&engine, [FieldType::new(Mutability::Const, ValType::I64.into())]).unwrap();
    let element = ValType::Ref(RefType::new(false, ty.clone().into()));
    let array = ArrayType::new(&engine, FieldType::new(Mutability::Const, element.clone().into()));
    let pre = StructRefPre::new(&mut store, ty.clone());
    let array = ArrayRefPre::new(&mut store, array);

    let message = |error: Error| error.summary();
    let too_few = StructRef::new(&mut store, &pre, &[]).unwrap_err();
    assert_eq!(message(too_few), "expected 1 fields, got 0");
    assert!(StructRef::new(&mut store, &pre, &[Val::I32(1)]).is_err());
    assert!(ArrayRef::new(&mut store, &array, &Val::AnyRef(None), 1).is_err());
    let object = StructRef::new(&mut store, &pre, &[Val::I64(1)]).unwrap();
    assert!(object.set_field(&mut store, 0, Val::I64(2)).is_err());

    let mut other = Store::new(&engine, ());
    assert!(StructRef::new(&mut other, &pre, &[Val::I64(1)]).is_err());
    let foreign = Engine::default();
    let mut elsewhere = Store::new(&foreign, ());
    let prepare = std::panic::AssertUnwindSafe(|| StructRefPre::new(&mut elsewhere, ty));
    assert!(std::panic::catch_unwind(prepare).is_err());
    assert!(
        ArrayType::with_finality_and_supertype(
            &foreign,
            Finality::Final,
            None,
            FieldType::new(Mutability::Var, element.into())
        )
        .is_err()
    );
    let many = vec![FieldType::new(Mutability::Var, StorageType::I8); 10_001];
    assert!(StructType::new(&engine, many).is_err());
}

#[test]
fn fields_of_every_kind_come_back() {
    let mut store = stressed();
    let engine = store.engine().clone();
    let types = [
        ValType::I32,
        ValType::F64,
        ValType::V128,
        ValType::FUNCREF,
        ValType::EXTERNREF,
        ValType::Ref(RefType::new(true, HeapType::I31)),
    ];
    let packed = [StorageType::I8, StorageType::I16];
    let fields = packed.into_iter().chain(types.map(StorageType::from));
    let fields = fields.map(|storage| FieldType::new(Mutability::Var, storage));
    let ty = StructType::new(&engine, fields).unwrap();
    let pre = StructRefPre::new(&mut store, ty);
    let host = ExternRef::new(&mut store, "host").unwrap();
    let small = AnyRef::from_i31(&mut store, I31::wrapping_u32(99));
    let values = [
        Val::I32(-1),
        Val::I32(0x12345),
        Val::I32(-7),
        Val::from(2.5f64),
        Val::V128((1 << 100).into()),
        Val::FuncRef(None),
        Val::ExternRef(Some(host)),
        Val::AnyRef(Some(small)),
    ];
    let object = StructRef::new(&mut store, &pre, &values).unwrap();
    let mut field = |index| object.field(&mut store, index).unwrap();
    assert_eq!(field(0).i32(), Some(0xFF));
    assert_eq!(field(1).i32(), Some(0x2345));
    assert_eq!(field(2).i32(), Some(-7));
    assert_eq!(field(3).f64(), Some(2.5));
    assert!(matches!(field(4), Val::V128(bits) if bits.as_u128() == 1 << 100));
    assert!(matches!(field(5), Val::FuncRef(None)));
    let (host, small) = (field(6), field(7));
    let host = host.unwrap_externref().unwrap().data(&store).unwrap();
    assert_eq!(host.and_then(|value| value.downcast_ref()), Some(&"host"));
    assert_eq!(small.unwrap_anyref().unwrap().as_i31(&store).unwrap(), I31::new_u32(99));
}

#[test]
fn an_array_of_any_length_is_made_or_refused() {
    let engine = Engine::new(Config::new().max_gc_heap(1 << 20)).unwrap();
    let mut store = Store::new(&engine, ());
    let ty = ArrayType::new(&engine, FieldType::new(Mutability::Var, ValType::I64.into()));
    let pre = ArrayRefPre::new(&mut store, ty);
    let empty = ArrayRef::new_fixed(&mut store, &pre, &[]).unwrap();
    assert!(empty.is_empty(&store).unwrap());
    let array = ArrayRef::new(&mut store, &pre, &Val::I64(-3), 10_000).unwrap();
    assert_eq!(array.get(&mut store, 9_999).unwrap().i64(), Some(-3));
    for len in [200_000, u32::MAX] {
        let error = ArrayRef::new(&mut store, &pre, &Val::I64(1), len).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    }
}

/// Counts how many of it have been dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn an_owned_reference_lives_as_long_as_it_is_kept() {
    let mut store = stressed();
    let dropped = Arc::new(AtomicUsize::new(0));
    let owned = {
        let mut scope = RootScope::new(&mut store);
        let value = ExternRef::new(&mut scope, Counted(dropped.clone())).unwrap();
        value.to_any().to_owned_rooted(&mut scope).unwrap()
    };
    // Each allocation collects.
    let collect = |store: &mut Store<()>| {
        ExternRef::new(&mut RootScope::new(store), 0).unwrap();
    };
    collect(&mut store);
    let clone = owned.clone();
    assert!(owned == clone);
    drop(owned);
    collect(&mut store);
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    {
        let mut scope = RootScope::new(&mut store);
        let value = clone.to_rooted(&mut scope).to_extern();
        assert!(value.data(scope.as_context()).unwrap().is_some());
    }
    assert!(clone.is_i31(stressed()).is_err());
    std::thread::spawn(move || drop(clone)).join().unwrap();
    collect(&mut store);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}
