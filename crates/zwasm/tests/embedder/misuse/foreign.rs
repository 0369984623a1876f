//! Stores, engines and types that do not belong together.

use super::{engines, panics};
use zwasm::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, Engine, ExnRef, ExnRefPre, ExnType, Extern,
    ExternRef, ExternType, FieldType, Finality, Func, FuncType, Global, GlobalType, HeapType, I31,
    Instance, Linker, Memory, MemoryType, Module, Mutability, Ref, RefType, Result, Rooted,
    SharedMemory, Store, StructRef, StructRefPre, StructType, Table, TableType, Tag, TagType,
    ThrownException, TypedFunc, Val, ValType,
};

const OTHER_STORE: &str = "store";
const OTHER_ENGINE: &str = "engine";

#[track_caller]
fn refused<R>(result: Result<R>, why: &str) {
    let Err(error) = result else { panic!("it was accepted") };
    assert!(error.summary().contains(why), "{error}");
}

/// A new exception.
fn exception(store: &mut Store<()>, tag: &Tag, values: &[Val]) -> Result<Rooted<ExnRef>> {
    let ty = ExnType::from_tag_type(&tag.ty(&*store))?;
    let pre = ExnRefPre::new(&mut *store, ty);
    ExnRef::new(store, &pre, tag, values)
}

#[test]
fn modules_and_linkers_of_another_engine_are_refused() {
    let (ours, theirs) = (Engine::default(), Engine::default());
    // Types that only the other engine knows.
    let module = Module::new(
        &theirs,
        r#"(module
             (type $s (struct (field i64 i64)))
             (type $f (func (param (ref $s)) (result (ref $s))))
             (import "host" "f" (func (type $f))) (import "host" "g" (func)))"#,
    )
    .unwrap();
    let mut linker = Linker::<()>::new(&ours);
    linker.func_wrap("host", "g", || {}).unwrap();
    refused(linker.instantiate(&mut Store::new(&ours, ()), &module), OTHER_ENGINE);
    refused(linker.instantiate(&mut Store::new(&theirs, ()), &module), OTHER_ENGINE);
    let empty = Module::new(&theirs, "(module)").unwrap();
    refused(Instance::new(&mut Store::new(&ours, ()), &empty, &[]), OTHER_ENGINE);
    let mut store = Store::new(&theirs, ());
    refused(linker.get(&mut store, "host", "g"), OTHER_ENGINE);
    assert!(linker.get(&mut store, "host", "h").is_err());
}

/// Types of an engine, of a module with so many others before them.
struct Types {
    structure: HeapType,
    array: HeapType,
    func: HeapType,
    ty: FuncType,
}

impl Types {
    fn new(engine: &Engine, others: usize) -> Types {
        let mut wat = String::from("(module");
        (0..others).for_each(|at| wat += &format!("(type (func (result {})))", "i32 ".repeat(at)));
        wat += "(type $s (struct (field (mut i64) (mut externref))))
            (type $a (array (mut v128)))
            (type $f (func (param f32) (result f32)))
            (import \"\" \"\" (func (param (ref null $s)) (result (ref null $a) (ref null $f)))))";
        let module = Module::new(engine, wat).unwrap();
        let Some(ExternType::Func(ty)) = module.imports().map(|import| import.ty()).next() else {
            panic!("a function is imported");
        };
        let all: Vec<HeapType> = ty
            .params()
            .chain(ty.results())
            .map(|ty| match ty {
                ValType::Ref(ty) => ty.heap_type().clone(),
                other => panic!("{other} is no reference"),
            })
            .collect();
        let [structure, array, func] = all.try_into().expect("there are three");
        Types { structure, array, func, ty }
    }

    fn all(&self) -> [HeapType; 3] {
        [self.structure.clone(), self.array.clone(), self.func.clone()]
    }
}

#[test]
fn types_of_another_engine_are_refused_wherever_types_are_given() {
    // Theirs have numbers that ours does not have, or has for other types.
    for others in [0, 20] {
        for engine in engines() {
            foreign_types(&engine, &Types::new(&Engine::default(), others));
        }
    }
}

fn foreign_types(engine: &Engine, theirs: &Types) {
    let ours = Types::new(engine, 3);
    let mut store = Store::new(engine, ());
    let mut linker = Linker::<()>::new(engine);
    for heap in theirs.all() {
        let nullable = RefType::new(true, heap.clone());
        let ty = ValType::Ref(nullable.clone());
        refused(FuncType::try_new(engine, [ty.clone()], []), OTHER_ENGINE);
        let message = panics(|| FuncType::new(engine, [ValType::I32], [ty.clone()]));
        assert!(message.contains(OTHER_ENGINE), "{message}");
        let func = FuncType::new(theirs.ty.engine(), [ty.clone()], []);
        refused(Func::try_new(&mut store, func.clone(), |_, _, _| Ok(())), OTHER_ENGINE);
        let message = panics(|| Func::new(&mut store, func.clone(), |_, _, _| Ok(())).ty(&store));
        assert!(message.contains(OTHER_ENGINE), "{message}");
        let made = linker.func_new("host", "f", func.clone(), |_, _, _| Ok(()));
        refused(made.map(drop), OTHER_ENGINE);
        refused(Tag::new(&mut store, &TagType::new(func)), OTHER_ENGINE);
        for null in [Ref::Any(None), Ref::Func(None)] {
            let ty = TableType::new(nullable.clone(), 1, None);
            refused(Table::new(&mut store, ty, null), OTHER_ENGINE);
            let ty = TableType::new64(nullable.clone(), 0, None);
            refused(Table::new(&mut store, ty, null), OTHER_ENGINE);
            for mutability in [Mutability::Const, Mutability::Var] {
                let ty = GlobalType::new(nullable.clone().into(), mutability);
                refused(Global::new(&mut store, ty, null.into()), OTHER_ENGINE);
            }
        }
        let field = FieldType::new(Mutability::Var, ty.into());
        refused(StructType::new(engine, [field.clone()]), OTHER_ENGINE);
        let array =
            ArrayType::with_finality_and_supertype(engine, Finality::Final, None, field.clone());
        refused(array, OTHER_ENGINE);
        let message = panics(|| ArrayType::new(engine, field));
        assert!(message.contains(OTHER_ENGINE), "{message}");
        for ours in ours.all() {
            assert!(ours != heap && !ours.matches(&heap) && !heap.matches(&ours));
        }
    }
    refused(Func::try_new(&mut store, theirs.ty.clone(), |_, _, _| Ok(())), OTHER_ENGINE);
    assert_ne!(ours.ty, theirs.ty);
    // Nor is a type without such names in it the same in both.
    let other = Engine::default();
    let mut elsewhere = Store::new(&other, ());
    let plain = Func::wrap(&mut elsewhere, |a: i32| a).ty(&elsewhere);
    refused(Func::try_new(&mut store, plain, |_, _, _| Ok(())), OTHER_ENGINE);
    // Our own do everything.
    assert_eq!(ours.all().map(|heap| heap.top()), [HeapType::Any, HeapType::Any, HeapType::Func]);
    for heap in ours.all() {
        let nullable = RefType::new(true, heap);
        let null = Ref::null(nullable.heap_type());
        Table::new(&mut store, TableType::new(nullable.clone(), 1, None), null).unwrap();
        let ty = GlobalType::new(nullable.into(), Mutability::Var);
        let global = Global::new(&mut store, ty.clone(), null.into()).unwrap();
        global.set(&mut store, null.into()).unwrap();
        assert!(global.set(&mut store, Val::ExternRef(None)).is_err());
        let content = || [ty.content().clone()];
        Func::new(&mut store, FuncType::new(engine, content(), content()), |_, args, results| {
            results[0] = args[0];
            Ok(())
        })
        .call(&mut store, &[null.into()], &mut [Val::I32(0)])
        .unwrap();
        Tag::new(&mut store, &TagType::new(FuncType::new(engine, content(), []))).unwrap();
    }
    StructRefPre::new(&mut store, ours.structure.unwrap_concrete_struct().clone());
    let foreign = theirs.structure.unwrap_concrete_struct().clone();
    let message = panics(|| StructRefPre::new(&mut store, foreign).ty().clone());
    assert!(message.contains(OTHER_ENGINE), "{message}");
}

#[test]
fn objects_and_their_types_stay_in_their_store_and_engine() {
    let (ours, theirs) = (Engine::default(), Engine::default());
    let mut store = Store::new(&ours, ());
    let mut sibling = Store::new(&ours, ());
    let field = FieldType::new(Mutability::Var, ValType::I32.into());
    let structure = StructType::new(&theirs, [field.clone()]).unwrap();
    let array = ArrayType::new(&theirs, field.clone());
    let message = panics(|| StructRefPre::new(&mut store, structure).ty().clone());
    assert!(message.contains(OTHER_ENGINE), "{message}");
    let message = panics(|| ArrayRefPre::new(&mut store, array).ty().clone());
    assert!(message.contains(OTHER_ENGINE), "{message}");
    let structure = StructType::new(&ours, [field.clone()]).unwrap();
    let array = ArrayType::new(&ours, field);
    let structure = StructRefPre::new(&mut store, structure);
    let array = ArrayRefPre::new(&mut store, array);
    let one = Val::I32(1);
    refused(StructRef::new(&mut sibling, &structure, &[one]), OTHER_STORE);
    refused(ArrayRef::new(&mut sibling, &array, &one, 1), OTHER_STORE);
    refused(ArrayRef::new_fixed(&mut sibling, &array, &[one]), OTHER_STORE);
    let object = StructRef::new(&mut store, &structure, &[one]).unwrap();
    let elements = ArrayRef::new(&mut store, &array, &one, 3).unwrap();
    refused(object.field(&mut sibling, 0), OTHER_STORE);
    refused(object.set_field(&mut sibling, 0, one), OTHER_STORE);
    refused(object.ty(&sibling), OTHER_STORE);
    refused(elements.get(&mut sibling, 0), OTHER_STORE);
    refused(elements.set(&mut sibling, 0, one), OTHER_STORE);
    refused(elements.len(&sibling), OTHER_STORE);
    let any = object.to_anyref();
    refused(any.as_i31(&sibling), OTHER_STORE);
    refused(any.ty(&sibling), OTHER_STORE);
    refused(any.as_struct(&sibling), OTHER_STORE);
    refused(any.as_array(&sibling), OTHER_STORE);
    refused(any.to_extern().data(&sibling), OTHER_STORE);
    refused(any.to_owned_rooted(&mut sibling), OTHER_STORE);
    let owned = any.to_owned_rooted(&mut store).unwrap();
    refused(owned.is_i31(&sibling), OTHER_STORE);
    let message = panics(|| owned.to_rooted(&mut sibling));
    assert!(message.contains(OTHER_STORE), "{message}");
    owned.to_rooted(&mut store);
}

/// One of everything.
struct Things {
    func: Func,
    typed: TypedFunc<(), i32>,
    memory: Memory,
    table: Table,
    global: Global,
    tag: Tag,
    instance: Instance,
    exn: Rooted<ExnRef>,
    external: Rooted<ExternRef>,
}

impl Things {
    fn new(store: &mut Store<()>) -> Things {
        let wat = r#"(module (func (export "f") (result i32) (i32.const 1)))"#;
        let module = Module::new(store.engine(), wat).unwrap();
        let instance = Instance::new(&mut *store, &module, &[]).unwrap();
        let typed = instance.get_typed_func::<(), i32>(&mut *store, "f").unwrap();
        let func = *typed.func();
        let tag = {
            let ty = TagType::new(FuncType::new(store.engine(), [], []));
            Tag::new(&mut *store, &ty).unwrap()
        };
        let ty = TableType::new(RefType::FUNCREF, 2, None);
        let global = GlobalType::new(ValType::I32, Mutability::Var);
        Things {
            func,
            typed,
            memory: Memory::new(&mut *store, MemoryType::new(1, None)).unwrap(),
            table: Table::new(&mut *store, ty, func.into()).unwrap(),
            global: Global::new(&mut *store, global, Val::I32(1)).unwrap(),
            tag,
            instance,
            exn: exception(&mut *store, &tag, &[]).unwrap(),
            external: ExternRef::new(&mut *store, 1).unwrap(),
        }
    }
}

#[test]
fn what_is_used_with_another_store_is_an_error_or_the_panic_it_is_said_to_be() {
    for engine in engines() {
        let mut owner = Store::new(&engine, ());
        let things = Things::new(&mut owner);
        let mut stores = [Store::new(&engine, ()), Store::new(&Engine::default(), ())];
        stores.iter_mut().for_each(|store| another_store(&things, store));
        // Nor with one that has the place of the owner in memory.
        drop(owner);
        for _ in 0..4 {
            another_store(&things, &mut Store::new(&engine, ()));
        }
    }
}

fn another_store(things: &Things, store: &mut Store<()>) {
    let Things { func, typed, memory, table, global, tag, instance, exn, external } = things;
    refused(func.call(&mut *store, &[], &mut [Val::I32(0)]), OTHER_STORE);
    refused(func.typed::<(), i32>(&*store), OTHER_STORE);
    refused(typed.call(&mut *store, ()), OTHER_STORE);
    refused(memory.grow(&mut *store, 1), OTHER_STORE);
    let messages = [
        panics(|| memory.read(&*store, 0, &mut [0])),
        panics(|| memory.write(&mut *store, 0, &[0])),
    ];
    assert!(messages.iter().all(|message| message.contains(OTHER_STORE)), "{messages:?}");
    refused(table.set(&mut *store, 0, Ref::Func(None)), OTHER_STORE);
    refused(table.grow(&mut *store, 1, Ref::Func(None)), OTHER_STORE);
    refused(table.fill(&mut *store, 0, Ref::Func(None), 1), OTHER_STORE);
    refused(Table::copy(&mut *store, table, 0, table, 0, 1), OTHER_STORE);
    refused(global.set(&mut *store, Val::I32(0)), OTHER_STORE);
    refused(exn.tag(&mut *store), OTHER_STORE);
    refused(exn.ty(&*store), OTHER_STORE);
    refused(exn.field(&mut *store, 0), OTHER_STORE);
    refused(store.throw::<()>(*exn), OTHER_STORE);
    refused(external.data(&*store), OTHER_STORE);
    refused(instance.get_typed_func::<(), i32>(&mut *store, "f"), OTHER_STORE);
    let mut linker = Linker::<()>::new(store.engine());
    refused(linker.instance(&mut *store, "m", *instance).map(drop), OTHER_STORE);

    // What is given along.
    let own = Things::new(store);
    let null = TableType::new(RefType::FUNCREF, 1, None);
    let foreign = Ref::from(*func);
    assert!(own.table.set(&mut *store, 0, foreign).is_err());
    assert!(own.table.fill(&mut *store, 0, foreign, 1).is_err());
    assert!(own.table.grow(&mut *store, 1, foreign).is_err());
    assert!(Table::copy(&mut *store, &own.table, 0, table, 0, 1).is_err());
    assert!(Table::new(&mut *store, null, foreign).is_err());
    let foreign = Val::from(foreign);
    for foreign in [foreign, Val::ExternRef(Some(*external)), Val::ExnRef(Some(*exn))] {
        let ty = match foreign {
            Val::FuncRef(_) => ValType::FUNCREF,
            Val::ExternRef(_) => ValType::EXTERNREF,
            _ => ValType::EXNREF,
        };
        let ty = GlobalType::new(ty, Mutability::Var);
        assert!(Global::new(&mut *store, ty.clone(), foreign).is_err());
        let content = || [ty.content().clone()];
        let echo = FuncType::new(store.engine(), content(), content());
        let echo = Func::new(&mut *store, echo, |_, args, results| {
            results[0] = args[0];
            Ok(())
        });
        assert!(echo.call(&mut *store, &[foreign], &mut [Val::I32(0)]).is_err());
        let give = FuncType::new(store.engine(), [], content());
        let give = Func::new(&mut *store, give, move |_, _, results| {
            results[0] = foreign;
            Ok(())
        });
        assert!(give.call(&mut *store, &[], &mut [Val::I32(0)]).is_err());
        let carries = TagType::new(FuncType::new(store.engine(), content(), []));
        let tag = Tag::new(&mut *store, &carries).unwrap();
        assert!(exception(&mut *store, &tag, &[foreign]).is_err());
    }
    let (foreign, external) = (*func, *external);
    let give = Func::wrap(&mut *store, move || Some(foreign));
    assert!(give.call(&mut *store, &[], &mut [Val::I32(0)]).is_err());
    let give = Func::wrap(&mut *store, move || Some(external));
    assert!(give.call(&mut *store, &[], &mut [Val::I32(0)]).is_err());
    let take = Func::wrap(&mut *store, |_: Option<Func>| {});
    let take = take.typed::<Option<Func>, ()>(&*store).unwrap();
    assert!(take.call(&mut *store, Some(foreign)).is_err());

    // Imports.
    let wat = r#"(module (import "m" "f" (func (result i32))))"#;
    let module = Module::new(store.engine(), wat).unwrap();
    refused(Instance::new(&mut *store, &module, &[foreign.into()]), OTHER_STORE);
    linker.define(&*store, "m", "f", foreign).unwrap();
    refused(linker.instantiate(&mut *store, &module), OTHER_STORE);

    // Where nothing can be returned instead.
    let messages = [
        panics(|| func.ty(&*store)),
        panics(|| func.is_compiled(&*store)),
        panics(|| memory.ty(&*store)),
        panics(|| memory.size(&*store)),
        panics(|| memory.data_size(&*store)),
        panics(|| memory.data_ptr(&*store)),
        panics(|| memory.data(&*store).len()),
        panics(|| memory.data_mut(&mut *store).len()),
        panics(|| memory.data_and_store_mut(&mut *store).0.len()),
        panics(|| table.ty(&*store)),
        panics(|| table.size(&*store)),
        panics(|| table.get(&mut *store, 0)),
        panics(|| global.ty(&*store)),
        panics(|| global.get(&mut *store)),
        panics(|| tag.ty(&*store)),
        panics(|| Extern::from(*func).ty(&*store)),
        panics(|| instance.module(&*store)),
        panics(|| instance.exports(&mut *store).len()),
        panics(|| instance.get_export(&mut *store, "f")),
        panics(|| instance.get_func(&mut *store, "f")),
        panics(|| instance.debug_function(&mut *store, 0)),
        panics(|| instance.get_memory(&mut *store, "f")),
        panics(|| instance.get_shared_memory(&mut *store, "f")),
        panics(|| instance.get_table(&mut *store, "f")),
        panics(|| instance.get_global(&mut *store, "f")),
    ];
    for message in messages {
        assert!(message.contains(OTHER_STORE), "{message}");
    }
    // None of this has harmed the store.
    assert_eq!(own.typed.call(&mut *store, ()).unwrap(), 1);
}

#[test]
fn a_shared_memory_of_another_engine_is_refused() {
    let engine = Engine::default();
    let memory = SharedMemory::new(&Engine::default(), MemoryType::shared(1, 1)).unwrap();
    let wat = r#"(module (import "" "" (memory 1 1 shared)))"#;
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    assert!(Instance::new(&mut store, &module, &[memory.clone().into()]).is_err());
    let mut linker = Linker::<()>::new(&engine);
    linker.define(&store, "", "", memory).unwrap();
    assert!(linker.instantiate(&mut store, &module).is_err());
}

#[test]
fn an_exception_of_another_store_is_an_error_of_the_host() {
    for engine in engines() {
        let mut other = Store::new(&engine, ());
        let ty = TagType::new(FuncType::new(&engine, [], []));
        let tag = Tag::new(&mut other, &ty).unwrap();
        let exn = exception(&mut other, &tag, &[]).unwrap();
        let thrown = ThrownException::new(&mut other, exn).unwrap();
        let same = thrown.clone();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::<()>::new(&engine);
        linker
            .func_wrap("host", "throw", move || -> Result<()> { Err(thrown.clone().into()) })
            .unwrap();
        let module = Module::new(
            &engine,
            r#"(module (import "host" "throw" (func $throw))
                 (func (export "run") (block $h (try_table (catch_all $h) (call $throw)))))"#,
        )
        .unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        // The guest cannot catch what is not in its store.
        let error = run.call(&mut store, ()).unwrap_err();
        assert_eq!(error.exception().unwrap().exn(), same.exn());
        AnyRef::from_i31(&mut store, I31::wrapping_u32(1));
    }
}
