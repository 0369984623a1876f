//! Exceptions across calls, tail calls, instances and host functions.
#![cfg(feature = "wat")]

use zwasm::{
    AsContextMut, Caller, Config, Engine, Error, ErrorKind, ExnRef, ExnRefPre, ExnType, Extern,
    Func, FuncType, Instance, Linker, Module, Result, RootScope, Rooted, Store, Strategy, Tag,
    TagType, ThrownException, V128, Val, ValType,
};

fn instance(store: &mut Store<()>, wat: &str, imports: &[Extern]) -> Instance {
    let module = Module::new(store.engine(), wat).expect("the module is valid");
    Instance::new(store, &module, imports).expect("the module can be instantiated")
}

fn tag(store: &mut Store<()>, types: &[ValType]) -> Tag {
    let ty = FuncType::new(store.engine(), types.to_vec(), []);
    Tag::new(store, &TagType::new(ty)).unwrap()
}

fn store() -> Store<()> {
    Store::new(&Engine::default(), ())
}

/// Calls a function of one `i32` parameter and result.
fn call(store: &mut Store<()>, instance: Instance, name: &str, argument: i32) -> Result<i32> {
    instance.get_typed_func::<i32, i32>(&mut *store, name)?.call(&mut *store, argument)
}

/// A new exception.
fn made(mut store: impl AsContextMut, tag: &Tag, values: &[Val]) -> Result<Rooted<ExnRef>, Error> {
    let ty = ExnType::from_tag_type(&tag.ty(&mut store))?;
    let pre = ExnRefPre::new(&mut store, ty);
    ExnRef::new(&mut store, &pre, tag, values)
}

/// The values of an exception.
fn values(exn: &ExnRef, mut store: impl AsContextMut) -> Result<Vec<Val>, Error> {
    let context = store.as_context_mut();
    Ok(exn.fields(context)?.collect())
}

#[test]
fn an_uncaught_exception_is_an_error_with_tag_values_and_backtrace() {
    let mut store = store();
    let instance = instance(
        &mut store,
        r#"(module $m
            (tag $e (export "e") (param i32 f64 funcref))
            (func $inner (throw $e (i32.const 7) (f64.const 1.5) (ref.null func)))
            (func (export "f") (call $inner)))"#,
        &[],
    );
    let tag = instance.get_export(&mut store, "e").and_then(Extern::into_tag).unwrap();
    let func = instance.get_func(&mut store, "f").unwrap();
    let error = func.call(&mut store, &[], &mut []).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exception);
    assert_eq!(error.summary(), "uncaught exception with i32 7, f64 1.5, funcref");
    assert_eq!(error.trap(), None);
    let thrown = error.exception().unwrap();
    assert_eq!(thrown.tag(), tag);
    assert_eq!(thrown.values()[0].i32(), Some(7));
    assert_eq!(thrown.values()[1].f64(), Some(1.5));
    assert_eq!(values(thrown.exn(), &mut store).unwrap().len(), 3);
    let frames = error.backtrace().unwrap().frames();
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0].func_name(), Some("inner"));
}

#[test]
fn values_of_all_types_arrive_and_locals_keep_theirs() {
    let mut store = store();
    let types = "i32 i64 f32 f64 externref i64 i64 i64 i64 i64 i64 i64 i64";
    let instance = instance(
        &mut store,
        &format!(
            r#"(module
            (tag $e (param {types}))
            (func $throw (param {types})
                (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
                (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9)
                (local.get 10) (local.get 11) (local.get 12)
                (throw $e))
            (func (export "f") (param i32 externref) (result i32 {types} exnref i32)
                (local $late i32)
                (local.get 0)
                (block $caught (result {types} exnref)
                    (local.set $late (i32.const 5))
                    (i64.const 99) (i64.const 98)
                    (try_table (catch_ref $e $caught)
                        (local.set $late (i32.add (local.get $late) (i32.const 1)))
                        (call $throw (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4)
                            (local.get 1) (i64.const 5) (i64.const 6) (i64.const 7)
                            (i64.const 8) (i64.const 9) (i64.const 10) (i64.const 11)
                            (i64.const 12)))
                    (unreachable))
                (local.get $late)))"#
        ),
        &[],
    );
    let host = zwasm::ExternRef::new(&mut store, 5u8).unwrap();
    let func = instance.get_func(&mut store, "f").unwrap();
    let mut results = vec![Val::I32(0); 16];
    let args = [Val::I32(-4), Val::ExternRef(Some(host))];
    func.call(&mut store, &args, &mut results).unwrap();
    assert_eq!(results[0].i32(), Some(-4));
    assert_eq!(results[1].i32(), Some(1));
    assert_eq!(results[2].i64(), Some(2));
    assert_eq!(results[3].f32(), Some(3.0));
    assert_eq!(results[4].f64(), Some(4.0));
    let arrived = results[5].externref().flatten().expect("a reference");
    assert_eq!(arrived.data(&store).unwrap().and_then(|value| value.downcast_ref()), Some(&5u8));
    assert_eq!(results[13].i64(), Some(12));
    assert_eq!(results[15].i32(), Some(6));
    let Val::ExnRef(Some(exn)) = results[14] else { panic!("no exnref") };
    assert_eq!(values(&exn, &mut store).unwrap()[12].i64(), Some(12));
}

#[test]
fn vectors_among_the_values_take_two_slots() {
    let mut store = store();
    let instance = instance(
        &mut store,
        r#"(module
            (tag $e (param i32 v128 i32))
            (func $throw (param i32 v128)
                (throw $e (local.get 0) (local.get 1) (i32.const 9)))
            (func (export "f") (param i32 v128) (result i32 v128 i32 exnref)
                (i64.const 1)
                (try_table (catch_ref $e 0) (call $throw (local.get 0) (local.get 1)))
                (unreachable)))"#,
        &[],
    );
    let bits = V128::from(0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10);
    let func = instance.get_func(&mut store, "f").unwrap();
    let mut results = [Val::I32(0); 4];
    func.call(&mut store, &[Val::I32(3), Val::V128(bits)], &mut results).unwrap();
    let [Val::I32(3), Val::V128(vector), Val::I32(9), Val::ExnRef(Some(exn))] = results else {
        panic!("{results:?}")
    };
    assert_eq!(vector, bits);
    assert!(matches!(values(&exn, &mut store).unwrap()[1], Val::V128(vector) if vector == bits));
}

#[test]
fn ten_thousand_frames_are_thrown_through() {
    let mut store = store();
    let instance = instance(
        &mut store,
        r#"(module
            (tag $e (param i32))
            (tag $other (param i32))
            (func $deep (param i32) (result i32)
                (if (i32.eqz (local.get 0)) (then (throw $e (i32.const 42))))
                (block $no (result i32)
                    (try_table (result i32) (catch $other $no)
                        (call $deep (i32.sub (local.get 0) (i32.const 1))))))
            (func (export "f") (param i32) (result i32)
                (block $caught (result i32)
                    (try_table (result i32) (catch $e $caught) (call $deep (local.get 0))))))"#,
        &[],
    );
    assert_eq!(call(&mut store, instance, "f", 10_000).unwrap(), 42);
}

#[test]
fn the_host_throws_catches_and_lets_pass() {
    let mut store = store();
    let tag = tag(&mut store, &[ValType::I32]);
    // Calls the function it is given, and throws on what comes out of it.
    let through = Func::wrap(&mut store, |mut caller: Caller<'_, ()>, func: Option<Func>| {
        func.unwrap().call(&mut caller, &[], &mut [])
    });
    let catches = Func::wrap(&mut store, |mut caller: Caller<'_, ()>, func: Option<Func>| {
        let error = func.unwrap().call(&mut caller, &[], &mut []).unwrap_err();
        error.exception().unwrap().values()[0].i32().unwrap()
    });
    let throws = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, x: i32| -> Result<()> {
        let exn = made(&mut caller, &tag, &[Val::I32(x)])?;
        Err(ThrownException::new(&mut caller, exn)?.into())
    });
    let instance = instance(
        &mut store,
        r#"(module
            (import "" "tag" (tag $e (param i32)))
            (import "" "through" (func $through (param funcref)))
            (import "" "catches" (func $catches (param funcref) (result i32)))
            (import "" "throws" (func $throws (param i32)))
            (elem declare func $guest $host $nested)
            (func $guest (throw $e (i32.const 1)))
            (func $host (call $throws (i32.const 2)))
            (func $nested (call $through (ref.func $host)))
            (func (export "f") (param i32) (result i32)
                (block $caught (result i32)
                    (try_table (catch $e $caught)
                        (block (block (block (block
                            (br_table 0 1 2 3 (local.get 0)))
                            (call $through (ref.func $guest)))
                            (call $throws (i32.const 20)))
                            (call $through (ref.func $nested)))
                        (return (call $catches (ref.func $nested))))
                    (i32.const -1)))
            (func (export "tail") (param i32) (result i32)
                (block $caught (result i32)
                    (try_table (catch $e $caught) (call $tail (local.get 0)))
                    (i32.const -1)))
            (func $tail (param i32) (return_call $throws (local.get 0)))
            (func (export "uncaught") (param i32) (result i32)
                (call $through (ref.func $nested)) (i32.const 0)))"#,
        &[tag.into(), through.into(), catches.into(), throws.into()],
    );
    assert_eq!(call(&mut store, instance, "f", 0).unwrap(), 1);
    assert_eq!(call(&mut store, instance, "f", 1).unwrap(), 20);
    assert_eq!(call(&mut store, instance, "f", 2).unwrap(), 2);
    assert_eq!(call(&mut store, instance, "f", 3).unwrap(), 2);
    assert_eq!(call(&mut store, instance, "tail", 9).unwrap(), 9);
    let error = call(&mut store, instance, "uncaught", 0).unwrap_err();
    assert_eq!(error.summary(), "uncaught exception with i32 2");
    assert_eq!(error.exception().unwrap().tag(), tag);
}

#[test]
fn a_host_that_throws_all_the_time_leaves_nothing_behind() {
    let mut store = store();
    let tag = tag(&mut store, &[ValType::I32]);
    let throws = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, x: i32| -> Result<()> {
        let exn = made(&mut caller, &tag, &[Val::I32(x)])?;
        Err(ThrownException::new(&mut caller, exn)?.into())
    });
    let through = Func::wrap(&mut store, |mut caller: Caller<'_, ()>, func: Option<Func>| {
        func.unwrap().call(&mut caller, &[], &mut [])
    });
    let instance = instance(
        &mut store,
        r#"(module
            (import "" "tag" (tag $e (param i32)))
            (import "" "throws" (func $throws (param i32)))
            (import "" "through" (func $through (param funcref)))
            (elem declare func $throw)
            (func $throw (throw $e (i32.const 1)))
            (func (export "f") (param i32) (result i32)
                (local $sum i32)
                (loop $again
                    (block $h (result i32)
                        (try_table (catch $e $h) (call $throws (i32.const 1)))
                        (unreachable))
                    (block $h (result i32)
                        (try_table (catch $e $h) (call $through (ref.func $throw)))
                        (unreachable))
                    (local.set $sum (i32.add (i32.add (local.get $sum))))
                    (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (local.get $sum)))"#,
        &[tag.into(), throws.into(), through.into()],
    );
    assert_eq!(call(&mut store, instance, "f", 200_000).unwrap(), 400_000);
}

#[test]
fn throw_ref_throws_the_same_exception() {
    let mut store = store();
    let instance = instance(
        &mut store,
        r#"(module
            (tag $e (param i32))
            (func $again (param i32)
                (block $h (result i32 exnref)
                    (try_table (catch_ref $e $h) (throw $e (local.get 0)))
                    (unreachable))
                (throw_ref))
            (func (export "f") (param i32) (result i32)
                (block $all (result exnref)
                    (try_table (catch_all_ref $all) (call $again (local.get 0)))
                    (unreachable))
                (drop)
                (block $h (result i32)
                    (try_table (catch $e $h) (call $again (local.get 0)))
                    (i32.const -1)))
            (func (export "null") (param i32) (result i32) (throw_ref (ref.null exn))))"#,
        &[],
    );
    assert_eq!(call(&mut store, instance, "f", 5).unwrap(), 5);
    let error = call(&mut store, instance, "null", 0).unwrap_err();
    assert_eq!(error.trap(), Some(zwasm::Trap::NullReference));
}

#[test]
fn a_tail_call_leaves_the_try() {
    let mut store = store();
    let instance = instance(
        &mut store,
        r#"(module
            (tag $e)
            (table funcref (elem $throw))
            (type $t (func (result i32)))
            (func $throw (result i32) (throw $e))
            (func $direct (result i32)
                (block $h (try_table (catch_all $h) (return_call $throw))) (i32.const 1))
            (func $indirect (result i32)
                (block $h (try_table (catch_all $h)
                    (return_call_indirect (type $t) (i32.const 0)))) (i32.const 1))
            (func $reference (result i32)
                (block $h (try_table (catch_all $h)
                    (return_call_ref $t (ref.func $throw)))) (i32.const 1))
            (func (export "f") (param i32) (result i32)
                (block $h
                    (try_table (catch_all $h)
                        (return (call $direct)))) 
                (block $h
                    (try_table (catch_all $h)
                        (return (call $indirect))))
                (block $h
                    (try_table (catch_all $h)
                        (return (call $reference))))
                (i32.const 2)))"#,
        &[],
    );
    assert_eq!(call(&mut store, instance, "f", 0).unwrap(), 2);
}

#[test]
fn tags_are_told_apart_by_identity() {
    let mut store = store();
    let shared = tag(&mut store, &[ValType::I32]);
    let equal = tag(&mut store, &[ValType::I32]);
    let thrower = instance(
        &mut store,
        r#"(module
            (import "" "tag" (tag $e (param i32)))
            (memory 3)
            (func (export "throw") (param i32) (throw $e (local.get 0))))"#,
        &[shared.into()],
    );
    let throw = thrower.get_func(&mut store, "throw").unwrap();
    // The second import has the same type; the memories differ in size.
    let catcher = r#"(module
        (import "" "one" (tag $one (param i32)))
        (import "" "two" (tag $two (param i32)))
        (import "" "throw" (func $throw (param i32)))
        (memory 1)
        (func (export "f") (param i32) (result i32)
            (block $two (result i32)
                (block $one (result i32)
                    (try_table (catch $one $one) (catch $two $two) (call $throw (local.get 0)))
                    (unreachable))
                (drop)
                (return (memory.size)))
            (i32.add (i32.const 100))))"#;
    let first = instance(&mut store, catcher, &[shared.into(), equal.into(), throw.into()]);
    let second = instance(&mut store, catcher, &[equal.into(), shared.into(), throw.into()]);
    let neither = instance(&mut store, catcher, &[equal.into(), equal.into(), throw.into()]);
    assert_eq!(call(&mut store, first, "f", 5).unwrap(), 1);
    assert_eq!(call(&mut store, second, "f", 5).unwrap(), 105);
    let error = call(&mut store, neither, "f", 5).unwrap_err();
    assert_eq!(error.exception().unwrap().tag(), shared);
}

#[test]
fn clauses_may_leave_the_function_or_continue_a_loop() {
    let mut store = store();
    let instance = instance(
        &mut store,
        r#"(module
            (tag $pair (param i32 i64))
            (tag $one (param i32))
            (func $both (param i32) (result i32 i64)
                (try_table (catch $pair 0)
                    (throw $pair (local.get 0) (i64.const 8)))
                (unreachable))
            (func (export "f") (param i32) (result i32)
                (call $both (local.get 0)) (i32.wrap_i64) (i32.add))
            (func (export "loop") (param i32) (result i32)
                (local $sum i32)
                (local.get 0)
                (loop $again (param i32) (result i32)
                    (local.set 0)
                    (local.set $sum (i32.add (local.get $sum) (local.get 0)))
                    (try_table (catch $one $again)
                        (br_if 0 (i32.eqz (local.get 0)))
                        (throw $one (i32.sub (local.get 0) (i32.const 1))))
                    (local.get $sum))))"#,
        &[],
    );
    assert_eq!(call(&mut store, instance, "f", 34).unwrap(), 42);
    assert_eq!(call(&mut store, instance, "loop", 100).unwrap(), 5050);
}

#[test]
fn exceptions_kept_in_globals_and_tables_survive_a_million_throws() {
    let mut store = store();
    let instance = instance(
        &mut store,
        r#"(module
            (tag $e (param i32))
            (global $g (mut exnref) (ref.null exn))
            (table $t 1 exnref)
            (func (export "f") (param i32) (result i32)
                (local $kept exnref)
                (local.set $kept (call $second (call $make (i32.const 1))))
                (global.set $g (call $second (call $make (i32.const 10))))
                (table.set $t (i32.const 0) (call $second (call $make (i32.const 100))))
                (loop $again
                    (block $h (try_table (catch_all $h) (throw $e (local.get 0))))
                    (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (i32.add (call $value (local.get $kept))
                    (i32.add (call $value (global.get $g))
                        (call $value (table.get $t (i32.const 0))))))
            (func $make (param i32) (result i32 exnref)
                (block $h (result i32 exnref)
                    (try_table (catch_ref $e $h) (throw $e (local.get 0)))
                    (unreachable)))
            (func $second (param i32 exnref) (result exnref) (local.get 1))
            (func $value (param exnref) (result i32)
                (block $h (result i32)
                    (try_table (catch $e $h) (throw_ref (local.get 0)))
                    (unreachable))))"#,
        &[],
    );
    assert_eq!(call(&mut store, instance, "f", 1_000_000).unwrap(), 111);
}

#[test]
fn the_host_may_hold_on_to_errors_and_references() {
    let mut store = store();
    let tag = tag(&mut store, &[ValType::I32]);
    let instance = instance(
        &mut store,
        r#"(module
            (import "" "tag" (tag $e (param i32)))
            (func (export "throw") (param i32) (result i32) (throw $e (local.get 0))))"#,
        &[tag.into()],
    );
    let kept = call(&mut store, instance, "throw", -1).unwrap_err();
    let exn = made(&mut store, &tag, &[Val::I32(-2)]).unwrap();
    let mut gone = None;
    for round in 0..50_000 {
        let error = call(&mut store, instance, "throw", round).unwrap_err();
        assert_eq!(error.exception().unwrap().values()[0].i32(), Some(round));
        gone.get_or_insert_with(|| **error.exception().unwrap().exn());
    }
    assert_eq!(values(kept.exception().unwrap().exn(), &mut store).unwrap()[0].i32(), Some(-1));
    assert_eq!(values(&exn, &mut store).unwrap()[0].i32(), Some(-2));
    let error = gone.unwrap().tag(&mut store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Host);
}

#[test]
fn references_pass_through_typed_functions() {
    let mut store = store();
    let tag = tag(&mut store, &[ValType::I32]);
    let swap =
        Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, exn: Option<Rooted<ExnRef>>| {
            let exn = exn.ok_or_else(|| Error::msg("no exception"))?;
            let value = values(&exn, &mut caller)?[0].i32().unwrap();
            Ok::<_, Error>(Some(made(&mut caller, &tag, &[Val::I32(value + 1)])?))
        });
    let instance = instance(
        &mut store,
        r#"(module
            (import "" "tag" (tag $e (param i32)))
            (import "" "swap" (func $swap (param exnref) (result exnref)))
            (func (export "f") (param exnref) (result exnref)
                (call $swap (call $swap (local.get 0)))))"#,
        &[tag.into(), swap.into()],
    );
    let exn = made(&mut store, &tag, &[Val::I32(5)]).unwrap();
    let func = instance
        .get_typed_func::<Option<Rooted<ExnRef>>, Option<Rooted<ExnRef>>>(&mut store, "f")
        .unwrap();
    let back = func.call(&mut store, Some(exn)).unwrap().unwrap();
    assert_eq!(values(&back, &mut store).unwrap()[0].i32(), Some(7));
    assert_eq!(func.call(&mut store, None).unwrap_err().kind(), ErrorKind::Host);
}

#[test]
fn misuse_is_an_error() {
    let mut store = store();
    let mut other = Store::new(&Engine::default(), ());
    let tag = tag(&mut store, &[ValType::I32]);
    assert!(made(&mut store, &tag, &[]).is_err());
    assert!(made(&mut store, &tag, &[Val::I64(1)]).is_err());
    let exn = made(&mut store, &tag, &[Val::I32(1)]).unwrap();
    assert!(exn.tag(&mut other).is_err());
    assert!(ThrownException::new(&mut other, exn).is_err());
    // One of another store is an error like any, and not caught.
    let thrown = ThrownException::new(&mut store, exn).unwrap();
    let fail = Func::wrap(&mut other, move || -> Result<()> { Err(thrown.clone().into()) });
    let instance = instance(
        &mut other,
        r#"(module
            (import "" "fail" (func $fail))
            (func (export "f") (param i32) (result i32)
                (block $h (try_table (catch_all $h) (call $fail))) (i32.const 1)))"#,
        &[fail.into()],
    );
    let error = call(&mut other, instance, "f", 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exception);
}

#[test]
fn traps_and_errors_of_the_host_are_not_caught() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("", "fail", || -> Result<()> { Err(Error::msg("odd")) }).unwrap();
    let module = Module::new(
        &engine,
        r#"(module
            (import "" "fail" (func $fail))
            (func (export "trap") (block $h (try_table (catch_all $h) (unreachable))))
            (func (export "fail") (block $h (try_table (catch_all $h) (call $fail)))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    for (name, kind) in [("trap", ErrorKind::Trap), ("fail", ErrorKind::Host)] {
        let func = instance.get_func(&mut store, name).unwrap();
        assert_eq!(func.call(&mut store, &[], &mut []).unwrap_err().kind(), kind);
    }
}

#[test]
fn the_exception_handling_before_wasm_3_is_refused_by_name() {
    // (func (try) (catch_all) (end))
    let body = [0x06, 0x40, 0x19, 0x0B, 0x0B];
    let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0A".to_vec();
    bytes.extend([body.len() as u8 + 3, 1, body.len() as u8 + 1, 0]);
    bytes.extend(body);
    let error = Module::new(&Engine::default(), bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.summary().contains("before WebAssembly 3.0"), "{error}");
}

#[test]
fn a_scope_lets_go_of_the_exceptions_made_in_it() {
    let mut store = store();
    let tag = tag(&mut store, &[ValType::I32]);
    let kept = made(&mut store, &tag, &[Val::I32(1)]).unwrap();
    let gone = made(&mut RootScope::new(&mut store), &tag, &[Val::I32(2)]).unwrap();
    // Enough for those that nothing keeps to be looked for.
    for _ in 0..20_000 {
        made(&mut RootScope::new(&mut store), &tag, &[Val::I32(3)]).unwrap();
    }
    assert_eq!(values(&kept, &mut store).unwrap()[0].i32(), Some(1));
    assert!(values(&gone, &mut store).is_err());
}

/// Null is told from an exception by all of the reference, also from a store's first.
#[test]
fn exceptions_are_told_from_null() {
    let wat = r#"(module
        (tag $e)
        (func $catch (result exnref)
            (block $h (result exnref)
                (try_table (catch_all_ref $h) (throw $e))
                (unreachable)))
        (func (export "test") (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (ref.test (ref exn) (call $catch)))
                (else (ref.test (ref exn) (ref.null exn)))))
        (func (export "cast") (param i32) (result i32)
            (drop (ref.cast (ref exn) (call $catch)))
            (ref.is_null (ref.as_non_null (ref.cast exnref (call $catch))))))"#;
    for strategy in [
        Strategy::Interpreter,
        Strategy::Baseline,
        Strategy::Auto,
        Strategy::Mixed(1),
        Strategy::Mixed(2),
    ] {
        let mut config = Config::new();
        config.strategy(strategy);
        let mut store = Store::new(&Engine::new(&config).unwrap(), ());
        let instance = instance(&mut store, wat, &[]);
        assert_eq!(call(&mut store, instance, "test", 1).unwrap(), 1, "{strategy:?}");
        assert_eq!(call(&mut store, instance, "test", 0).unwrap(), 0, "{strategy:?}");
        assert_eq!(call(&mut store, instance, "cast", 0).unwrap(), 0, "{strategy:?}");
    }
}

#[test]
fn the_search_for_a_handler_can_be_interrupted() {
    let strategies = [Strategy::Interpreter, Strategy::Baseline, Strategy::Optimizing];
    for strategy in strategies.into_iter().filter(|strategy| strategy.is_available()) {
        let engine = Engine::new(Config::new().strategy(strategy).max_stack(256 << 20)).unwrap();
        let mut store = Store::new(&engine, ());
        let tag = tag(&mut store, &[]);
        let handle = store.interrupt_handle();
        let throw = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>| -> Result<()> {
            let exn = made(&mut caller, &tag, &[])?;
            handle.interrupt();
            Err(ThrownException::new(&mut caller, exn)?.into())
        });
        let instance = instance(
            &mut store,
            r#"(module
                (import "" "tag" (tag $e))
                (import "" "throw" (func $throw))
                (func $f (param i32) (result i32)
                    (if (i32.eqz (local.get 0)) (then (call $throw)))
                    (i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
                (func (export "f") (param i32) (result i32)
                    (block $c (try_table (catch $e $c) (drop (call $f (local.get 0)))))
                    (i32.const 7)))"#,
            &[tag.into(), throw.into()],
        );
        // Few frames are looked through before anybody asks.
        assert_eq!(call(&mut store, instance, "f", 10).unwrap(), 7, "{strategy:?}");
        store.clear_interrupt();
        let error = call(&mut store, instance, "f", 1_000_000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{strategy:?}: {error}");
        store.clear_interrupt();
        assert_eq!(call(&mut store, instance, "f", 10).unwrap(), 7, "{strategy:?}");
    }
}
