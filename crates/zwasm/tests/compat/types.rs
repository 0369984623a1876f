//! Types: made, asked, and compared.

use engine::{
    ArrayType, Engine, ExnType, ExternType, FieldType, Finality, FuncType, GlobalType, HeapType,
    MemoryType, MemoryTypeBuilder, Module, Mutability, RefType, Result, StorageType, Store,
    StructType, TableType, TagType, ValType,
};

#[test]
fn value_types_are_told_apart() {
    assert!(ValType::I32.is_i32() && ValType::I64.is_i64() && ValType::F32.is_f32());
    assert!(ValType::F64.is_f64() && ValType::V128.is_v128() && !ValType::V128.is_ref());
    assert!(ValType::FUNCREF.is_funcref() && ValType::EXTERNREF.is_externref());
    assert!(ValType::ANYREF.is_anyref() && ValType::I31REF.is_ref());
    assert!(matches!(ValType::EQREF.unwrap_ref().heap_type(), HeapType::Eq));
    assert!(ValType::I31REF.matches(&ValType::EQREF));
    assert!(!ValType::EQREF.matches(&ValType::I31REF));
    assert!(ValType::NULLREF.matches(&ValType::STRUCTREF));
    assert!(ValType::NULLFUNCREF.matches(&ValType::FUNCREF));
    let strict = ValType::Ref(RefType::new(false, HeapType::Any));
    assert!(strict.matches(&ValType::ANYREF) && !ValType::ANYREF.matches(&strict));
    assert!(ValType::I32.default_value().is_some() && strict.default_value().is_none());
}

#[test]
fn function_types_have_their_parts() {
    let engine = Engine::default();
    let ty = FuncType::new(&engine, [ValType::I32, ValType::F64], [ValType::I64]);
    assert_eq!((ty.params().len(), ty.results().len()), (2, 1));
    assert!(ty.param(1).is_some_and(|ty| ty.is_f64()) && ty.param(2).is_none());
    assert!(ty.result(0).is_some_and(|ty| ty.is_i64()) && ty.result(1).is_none());
    assert!(ty.finality().is_final() && ty.supertype().is_none());
    let same = FuncType::new(&engine, ty.params(), ty.results());
    assert!(FuncType::eq(&ty, &same) && ty.matches(&same));
    assert!(!ty.matches(&FuncType::new(&engine, None, None)));
    assert!(Engine::same(ty.engine(), &engine));
}

#[test]
fn structures_have_supertypes() -> Result<()> {
    let engine = Engine::default();
    let field = || FieldType::new(Mutability::Const, ValType::I32.into());
    let base =
        StructType::with_finality_and_supertype(&engine, Finality::NonFinal, None, [field()])?;
    let sub = StructType::with_finality_and_supertype(
        &engine,
        Finality::Final,
        Some(&base),
        [field(), FieldType::new(Mutability::Var, StorageType::I8)],
    )?;
    assert!(sub.matches(&base) && !base.matches(&sub));
    assert!(sub.supertype().is_some_and(|above| StructType::eq(&above, &base)));
    assert!(base.finality().is_non_final());
    assert_eq!(sub.fields().len(), 2);
    let packed = sub.field(1).expect("there are two");
    assert!(packed.mutability().is_var() && packed.element_type().is_i8());
    assert!(packed.element_type().unpack().is_i32());
    assert!(sub.field(2).is_none());
    // Nothing is below what is final, nor of another shape than its supertype.
    let last =
        StructType::with_finality_and_supertype(&engine, Finality::Final, Some(&sub), [field()]);
    assert!(last.is_err());
    let other = StructType::with_finality_and_supertype(
        &engine,
        Finality::Final,
        Some(&base),
        [FieldType::new(Mutability::Const, ValType::I64.into())],
    );
    assert!(other.is_err());
    let heap = HeapType::from(sub.clone());
    assert!(heap.is_concrete_struct() && heap.matches(&HeapType::ConcreteStruct(base)));
    assert!(heap.matches(&HeapType::Struct) && matches!(heap.top(), HeapType::Any));
    assert!(HeapType::None.matches(&heap) && heap.is_concrete() && !heap.is_abstract());
    Ok(())
}

#[test]
fn arrays_and_exceptions_have_their_fields() -> Result<()> {
    let engine = Engine::default();
    let ty = ArrayType::new(&engine, FieldType::new(Mutability::Var, StorageType::I16));
    assert!(ty.mutability().is_var() && ty.element_type().is_i16());
    assert!(HeapType::ConcreteArray(ty.clone()).matches(&HeapType::Array));
    assert!(ArrayType::eq(&ty, &ArrayType::new(&engine, ty.field_type())));
    let ty = ExnType::new(&engine, [ValType::I32, ValType::I64])?;
    assert_eq!(ty.fields().len(), 2);
    assert_eq!(ty.tag_type().ty().params().len(), 2);
    assert_eq!(ExnType::from_tag_type(&ty.tag_type())?.fields().len(), 2);
    let results = TagType::new(FuncType::new(&engine, [], [ValType::I32]));
    assert!(ExnType::from_tag_type(&results).is_err());
    Ok(())
}

#[test]
fn memory_types_are_built() -> Result<()> {
    let ty = MemoryTypeBuilder::new().min(1).max(Some(3)).memory64(true).build()?;
    assert!(ty.is_64() && !ty.is_shared());
    assert_eq!((ty.minimum(), ty.maximum(), ty.page_size()), (1, Some(3), 65536));
    let ty = MemoryTypeBuilder::new().min(10).page_size_log2(0).build()?;
    assert_eq!((ty.page_size(), ty.page_size_log2()), (1, 0));
    assert!(MemoryTypeBuilder::new().min(2).max(Some(1)).build().is_err());
    assert!(MemoryTypeBuilder::new().shared(true).build().is_err());
    assert!(MemoryTypeBuilder::new().page_size_log2(5).build().is_err());
    assert!(MemoryTypeBuilder::new().memory64(true).min(1 << 48).build().is_err());
    assert!(MemoryTypeBuilder::new().memory64(true).min((1 << 48) - 1).build().is_ok());
    assert_eq!(MemoryType::new64(1, None).maximum(), None);
    Ok(())
}

#[test]
fn modules_show_types() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "m" "t" (table 1 2 funcref))
            (import "m" "g" (global (mut i64)))
            (type $s (struct (field i32)))
            (func (export "f") (param (ref null $s)))
            (memory (export "memory") 1))"#,
    )?;
    let imports: Vec<_> = module.imports().collect();
    assert_eq!((imports[0].module(), imports[0].name()), ("m", "t"));
    let table = imports[0].ty();
    assert_eq!(table.unwrap_table().maximum(), Some(2));
    assert!(table.func().is_none());
    let ExternType::Global(global) = imports[1].ty() else { panic!("it is a global") };
    assert!(global.mutability().is_var() && global.content().is_i64());
    let ty = module.get_export("f").expect("it is exported");
    let ty = ty.unwrap_func().param(0).expect("it has one");
    let ty = ty.unwrap_ref().heap_type().unwrap_concrete_struct();
    assert_eq!(ty.fields().len(), 1);
    assert_eq!(module.exports().map(|export| export.name()).collect::<Vec<_>>(), ["f", "memory"]);
    Ok(())
}

#[test]
fn types_have_default_values() -> Result<()> {
    let mut store = Store::<()>::default();
    let engine = store.engine().clone();
    let ty = FuncType::new(&engine, [ValType::I32], [ValType::I64]);
    let func = ty.default_value(&mut store)?.typed::<i32, i64>(&store)?;
    assert_eq!(func.call(&mut store, 5)?, 0);
    let global = GlobalType::new(ValType::F64, Mutability::Const).default_value(&mut store)?;
    assert_eq!(global.get(&mut store).f64(), Some(0.0));
    let table = TableType::new(RefType::FUNCREF, 2, None).default_value(&mut store)?;
    assert!(table.get(&mut store, 1).is_some_and(|element| element.is_null()));
    let memory = ExternType::from(MemoryType::new(1, None)).default_value(&mut store)?;
    assert!(memory.into_memory().is_some());
    Ok(())
}
