//! Contexts that answer with another store each time they are asked: every function asks
//! once, so that it does all its work in one store.

use std::cell::Cell;
use zwasm::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, AsContext, AsContextMut, Engine, ExnRef, ExnRefPre,
    ExnType, Extern, ExternRef, FieldType, Func, FuncType, Global, GlobalType, I31, Instance,
    Linker, Memory, MemoryType, Module, Mutability, Ref, RefType, Result, RootScope, Store,
    StoreContext, StoreContextMut, StructRef, StructRefPre, StructType, Table, TableType, Tag,
    TagType, ThrownException, Val, ValType,
};

struct Fickle {
    stores: [Store<()>; 2],
    asked: Cell<usize>,
}

impl Fickle {
    fn new(engine: &Engine) -> Fickle {
        let stores = [Store::new(engine, ()), Store::new(engine, ())];
        Fickle { stores, asked: Cell::new(0) }
    }

    fn next(&self) -> usize {
        let asked = self.asked.get();
        self.asked.set(asked + 1);
        asked % 2
    }

    /// Runs something that asks once and is answered with the first store.
    fn once<R>(&mut self, work: impl FnOnce(&mut Fickle) -> R) -> R {
        self.asked.set(0);
        let result = work(self);
        assert_eq!(self.asked.get(), 1);
        result
    }

    fn first(&mut self) -> &mut Store<()> {
        &mut self.stores[0]
    }
}

impl AsContext for Fickle {
    type Data = ();
    fn as_context(&self) -> StoreContext<'_, ()> {
        self.stores[self.next()].as_context()
    }
}

impl AsContextMut for Fickle {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, ()> {
        let next = self.next();
        self.stores[next].as_context_mut()
    }
}

#[test]
fn functions_ask_once() -> Result<()> {
    let mut context = Fickle::new(&Engine::default());
    let seven = context.once(|context| Func::wrap(context, || 7));
    let ty = FuncType::new(context.first().engine(), [], [ValType::I32]);
    let dynamic = context.once(|context| {
        Func::new(context, ty.clone(), |_, _, results| {
            results[0] = Val::I32(7);
            Ok(())
        })
    });
    context.once(|context| Func::try_new(context, ty.clone(), |_, _, _| Ok(())))?;
    for func in [seven, dynamic] {
        assert_eq!(context.once(|context| func.ty(context)), ty);
        context.once(|context| func.is_compiled(context));
        let mut results = [Val::I32(0)];
        context.once(|context| func.call(context, &[], &mut results))?;
        assert_eq!(results[0].i32(), Some(7));
        let typed = context.once(|context| func.typed::<(), i32>(context))?;
        assert_eq!(context.once(|context| typed.call(context, ()))?, 7);
        context.once(|context| Extern::from(func).ty(context));
    }
    Ok(())
}

#[test]
fn memories_ask_once() -> Result<()> {
    let mut context = Fickle::new(&Engine::default());
    let memory = context.once(|context| Memory::new(context, MemoryType::new(1, None)))?;
    context.once(|context| memory.ty(context));
    assert_eq!(context.once(|context| memory.size(context)), 1);
    assert_eq!(context.once(|context| memory.data_size(context)), 65536);
    assert_eq!(context.once(|context| memory.grow(context, 1))?, 1);
    context.once(|context| memory.data_ptr(context));
    context.once(|context| memory.write(context, 0, b"a"))?;
    let mut byte = [0];
    context.once(|context| memory.read(context, 0, &mut byte))?;
    assert_eq!(byte, *b"a");
    Ok(())
}

#[test]
fn tables_globals_and_tags_ask_once() -> Result<()> {
    let mut context = Fickle::new(&Engine::default());
    let null = Ref::Func(None);
    let ty = TableType::new(RefType::FUNCREF, 1, None);
    let table = context.once(|context| Table::new(context, ty, null))?;
    context.once(|context| table.ty(context));
    assert_eq!(context.once(|context| table.size(context)), 1);
    assert!(context.once(|context| table.get(context, 0)).is_some());
    context.once(|context| table.set(context, 0, null))?;
    context.once(|context| table.fill(context, 0, null, 1))?;
    context.once(|context| Table::copy(context, &table, 0, &table, 0, 1))?;
    assert_eq!(context.once(|context| table.grow(context, 1, null))?, 1);

    let ty = GlobalType::new(ValType::I32, Mutability::Var);
    let global = context.once(|context| Global::new(context, ty, Val::I32(1)))?;
    context.once(|context| global.ty(context));
    context.once(|context| global.set(context, Val::I32(2)))?;
    assert_eq!(context.once(|context| global.get(context)).i32(), Some(2));

    let engine = context.first().engine().clone();
    let ty = TagType::new(FuncType::new(&engine, [ValType::I32], []));
    let tag = context.once(|context| Tag::new(context, &ty))?;
    context.once(|context| tag.ty(context));
    let pre = ExnType::from_tag_type(&ty)?;
    let pre = context.once(|context| ExnRefPre::new(context, pre));
    let exn = context.once(|context| ExnRef::new(context, &pre, &tag, &[Val::I32(3)]))?;
    assert_eq!(context.once(|context| exn.tag(context))?, tag);
    assert_eq!(context.once(|context| exn.field(context, 0))?.i32(), Some(3));
    context.once(|context| exn.ty(context))?;
    context.once(|context| ThrownException::new(context, exn))?;
    Ok(())
}

#[test]
fn linkers_and_instances_ask_once() -> Result<()> {
    let engine = Engine::default();
    let mut context = Fickle::new(&engine);
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("host", "first", || 1)?;
    linker.func_wrap("host", "second", || 2)?;
    let module = Module::new(
        &engine,
        r#"(module
             (import "host" "first" (func $first (result i32)))
             (import "host" "second" (func $second (result i32)))
             (memory (export "memory") 1) (table (export "table") 1 funcref)
             (global (export "global") i32 (i32.const 1))
             (func (export "sum") (result i32) (i32.add (call $first) (call $second))))"#,
    )?;
    let instance = context.once(|context| linker.instantiate(context, &module))?;
    let first = context.once(|context| linker.get(context, "host", "first")).unwrap();
    let second = context.once(|context| linker.get(context, "host", "second")).unwrap();
    let imports = [first.clone(), second];
    let other = context.once(|context| Instance::new(context, &module, &imports))?;
    for instance in [instance, other] {
        context.once(|context| instance.module(&*context).exports().len());
        assert_eq!(context.once(|context| instance.exports(context).len()), 4);
        context.once(|context| instance.get_export(context, "sum")).unwrap();
        context.once(|context| instance.get_memory(context, "memory")).unwrap();
        context.once(|context| instance.get_table(context, "table")).unwrap();
        context.once(|context| instance.get_global(context, "global")).unwrap();
        context.once(|context| instance.get_func(context, "sum")).unwrap();
        context.once(|context| instance.debug_function(context, 0)).unwrap();
        assert!(context.once(|context| instance.debug_function(context, u32::MAX)).is_none());
        assert!(context.once(|context| instance.get_shared_memory(context, "memory")).is_none());
        let sum = context.once(|context| instance.get_typed_func::<(), i32>(context, "sum"))?;
        assert_eq!(sum.call(context.first(), ())?, 3);
    }
    linker.define(&context, "other", "first", first)?;
    context.once(|context| linker.instance(context, "instance", instance).map(drop))?;
    // Nothing of the other store is in what was made.
    let [mut first, second] = context.stores;
    drop(second);
    let sum = instance.get_typed_func::<(), i32>(&mut first, "sum")?;
    assert_eq!(sum.call(&mut first, ())?, 3);
    Ok(())
}

#[test]
fn references_ask_once() -> Result<()> {
    let engine = Engine::default();
    let mut context = Fickle::new(&engine);
    let external = context.once(|context| ExternRef::new(context, 5))?;
    assert!(external.data(&*context.first())?.is_some());
    let any = context.once(|context| AnyRef::from_i31(context, I31::wrapping_u32(7)));
    assert_eq!(context.once(|context| any.as_i31(context))?, I31::new_u32(7));
    context.once(|context| any.ty(context))?;
    assert!(context.once(|context| any.as_struct(context))?.is_none());
    assert!(context.once(|context| any.as_array(context))?.is_none());
    let owned = context.once(|context| any.to_owned_rooted(context))?;
    context.once(|context| owned.to_rooted(context));

    let field = FieldType::new(Mutability::Var, ValType::I32.into());
    let ty = StructType::new(&engine, [field.clone()])?;
    let pre = context.once(|context| StructRefPre::new(context, ty));
    let object = context.once(|context| StructRef::new(context, &pre, &[Val::I32(1)]))?;
    assert_eq!(context.once(|context| object.ty(context))?.fields().len(), 1);
    context.once(|context| object.set_field(context, 0, Val::I32(2)))?;
    assert_eq!(context.once(|context| object.field(context, 0))?.i32(), Some(2));

    let ty = ArrayType::new(&engine, field);
    let pre = context.once(|context| ArrayRefPre::new(context, ty));
    context.once(|context| ArrayRef::new(context, &pre, &Val::I32(1), 3))?;
    let array = context.once(|context| ArrayRef::new_fixed(context, &pre, &[Val::I32(1)]))?;
    assert_eq!(context.once(|context| array.len(context))?, 1);
    assert!(!context.once(|context| array.is_empty(context))?);
    context.once(|context| array.set(context, 0, Val::I32(2)))?;
    assert_eq!(context.once(|context| array.get(context, 0))?.i32(), Some(2));
    Ok(())
}

#[test]
fn a_scope_ends_nothing_of_another_store() -> Result<()> {
    let engine = Engine::default();
    let mut context = Fickle::new(&engine);
    let ty = TagType::new(FuncType::new(&engine, [], []));
    let mut kept = Vec::new();
    for store in &mut context.stores {
        let tag = Tag::new(&mut *store, &ty)?;
        let pre = ExnRefPre::new(&mut *store, ExnType::from_tag_type(&ty)?);
        for _ in 0..3 {
            let exn = ExnRef::new(&mut *store, &pre, &tag, &[])?;
            kept.push((AnyRef::from_i31(&mut *store, I31::wrapping_u32(9)), exn));
        }
    }
    // Each scope begins in the first store and ends in the second.
    context.asked.set(0);
    for _ in 0..3 {
        drop(RootScope::new(&mut context));
    }
    assert_eq!(context.asked.get(), 6);
    // One that begins in the second sees the first when it ends.
    context.asked.set(1);
    drop(RootScope::new(&mut context));
    for (index, (any, exn)) in kept.into_iter().enumerate() {
        let store = &mut context.stores[index / 3];
        assert_eq!(any.as_i31(&*store)?, I31::new_u32(9));
        exn.tag(store)?;
    }
    Ok(())
}

/// What panics when it is asked for the second time.
struct Tired(Store<()>, Cell<bool>);

impl AsContext for Tired {
    type Data = ();
    fn as_context(&self) -> StoreContext<'_, ()> {
        self.0.as_context()
    }
}

impl AsContextMut for Tired {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, ()> {
        assert!(!self.1.replace(true), "asked again");
        self.0.as_context_mut()
    }
}

#[test]
fn a_scope_whose_context_panics_only_does_not_end() -> Result<()> {
    let mut tired = Tired(Store::new(&Engine::default(), ()), Cell::new(false));
    let scope = RootScope::new(&mut tired);
    assert_eq!(super::panics(|| drop(scope)), "asked again");
    let mut store = tired.0;
    let reference = ExternRef::new(&mut store, 1)?;
    assert!(reference.data(&store)?.is_some());
    Ok(())
}
