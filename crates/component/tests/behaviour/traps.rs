//! What guests must not do at the border, and what the host is told when it errs.

use zwasm::{AsContextMut, Engine, ErrorKind, Result, Store};
use zwasm_component::{Component, Instance, Linker, Resource, ResourceAny, ResourceType, Val};

struct Thing;

/// What the host keeps: representations of things that were dropped.
type Data = Vec<u32>;

fn linker(engine: &Engine) -> Result<Linker<Data>> {
    let mut linker = Linker::<Data>::new(engine);
    let mut root = linker.root();
    root.resource("thing", ResourceType::host::<Thing>(), |mut store, rep| {
        store.data_mut().push(rep);
        Ok(())
    })?;
    root.func_wrap("make", |_, (rep,): (u32,)| Ok((Resource::<Thing>::new_own(rep),)))?;
    root.func_wrap("look", |_, (thing,): (Resource<Thing>,)| Ok((thing.rep(),)))?;
    root.func_wrap("take", |_, (thing,): (Resource<Thing>,)| Ok((thing.rep(),)))?;
    root.func_wrap("nothing", |_, (): ()| Ok(()))?;
    Ok(linker)
}

fn start(text: &str) -> Result<(Store<Data>, Instance)> {
    let engine = Engine::default();
    let component = Component::new(&engine, text)?;
    let mut store = Store::new(&engine, Data::new());
    let instance = linker(&engine)?.instantiate(&mut store, &component)?;
    Ok((store, instance))
}

/// Calls a function without parameters, which has to fail with these words.
fn fails(text: &str, name: &str, words: &str) {
    let (mut store, instance) = start(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let func = instance.get_func(&mut store, name).unwrap_or_else(|| panic!("no {name}"));
    let mut results = vec![Val::Bool(false); func.ty(&store).results().len()];
    let error = func.call(&mut store, &[], &mut results).expect_err(name);
    assert!(error.summary().contains(words), "{name}: expected '{words}', got '{error}'");
    assert_eq!(error.kind(), ErrorKind::Trap, "{name}: {error}");
    // Nothing of the component runs again.
    let error = func.call(&mut store, &[], &mut results).expect_err(name);
    assert!(error.summary().contains("cannot enter component instance"), "{name}: {error}");
}

/// A component whose functions misuse what they are given.
const HANDLES: &str = r#"(component
    (import "thing" (type $T (sub resource)))
    (import "make" (func $make (param "rep" u32) (result (own $T))))
    (import "look" (func $look (param "t" (borrow $T)) (result u32)))
    (import "take" (func $take (param "t" (own $T)) (result u32)))
    (type $R (resource (rep i32)))
    (core func $make' (canon lower (func $make)))
    (core func $look' (canon lower (func $look)))
    (core func $take' (canon lower (func $take)))
    (core func $drop (canon resource.drop $T))
    (core func $new (canon resource.new $R))
    (core func $rep (canon resource.rep $R))
    (core func $drop-r (canon resource.drop $R))
    (core module $M
        (import "" "make" (func $make (param i32) (result i32)))
        (import "" "look" (func $look (param i32) (result i32)))
        (import "" "take" (func $take (param i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (import "" "new" (func $new (param i32) (result i32)))
        (import "" "rep" (func $rep (param i32) (result i32)))
        (import "" "drop-r" (func $drop-r (param i32)))
        (func (export "zero") (call $drop (i32.const 0)))
        (func (export "forged") (call $drop (i32.const 7)))
        (func (export "high") (call $drop (i32.const -1)))
        (func (export "twice") (local $h i32)
            (local.set $h (call $make (i32.const 5)))
            (call $drop (local.get $h))
            (call $drop (local.get $h)))
        (func (export "used-after") (local $h i32)
            (local.set $h (call $make (i32.const 5)))
            (drop (call $take (local.get $h)))
            (drop (call $look (local.get $h))))
        (func (export "wrong-type") (call $drop (call $new (i32.const 1))))
        (func (export "wrong-type-2") (drop (call $rep (call $make (i32.const 1)))))
        (func (export "right") (result i32) (local $h i32)
            (local.set $h (call $make (i32.const 40)))
            (if (i32.ne (call $rep (call $new (i32.const 9))) (i32.const 9)) (then unreachable))
            (if (i32.ne (local.get $h) (i32.const 1)) (then unreachable))
            (call $drop-r (i32.const 2))
            (if (i32.ne (call $make (i32.const 41)) (i32.const 2)) (then unreachable))
            (call $drop (i32.const 2))
            (call $look (local.get $h)))
        (func (export "keep") (param i32))
        (func (export "return") (param i32) (result i32)
            (call $drop (local.get 0)) (i32.const 3))
        (func (export "many") (loop (drop (call $new (i32.const 1))) (br 0))))
    (core instance $m (instantiate $M (with "" (instance
        (export "make" (func $make')) (export "look" (func $look')) (export "take" (func $take'))
        (export "drop" (func $drop)) (export "new" (func $new)) (export "rep" (func $rep))
        (export "drop-r" (func $drop-r))))))
    (func (export "zero") (canon lift (core func $m "zero")))
    (func (export "forged") (canon lift (core func $m "forged")))
    (func (export "high") (canon lift (core func $m "high")))
    (func (export "twice") (canon lift (core func $m "twice")))
    (func (export "used-after") (canon lift (core func $m "used-after")))
    (func (export "wrong-type") (canon lift (core func $m "wrong-type")))
    (func (export "wrong-type-two") (canon lift (core func $m "wrong-type-2")))
    (func (export "right") (result u32) (canon lift (core func $m "right")))
    (func (export "many") (canon lift (core func $m "many")))
    (func (export "keep") (param "t" (borrow $T)) (canon lift (core func $m "keep")))
    (func (export "return") (param "t" (borrow $T)) (result u32)
        (canon lift (core func $m "return"))))"#;

#[test]
fn handles_are_what_they_are_said_to_be() -> Result<()> {
    fails(HANDLES, "zero", "unknown handle index 0");
    fails(HANDLES, "forged", "unknown handle index 7");
    fails(HANDLES, "high", "unknown handle index 4294967295");
    fails(HANDLES, "twice", "unknown handle index 1");
    fails(HANDLES, "used-after", "unknown handle index 1");
    fails(
        HANDLES,
        "wrong-type",
        "handle index 1 used with the wrong type, expected host resource but found \
         guest-defined resource",
    );
    fails(HANDLES, "wrong-type-two", "expected guest-defined resource but found host resource");

    let (mut store, instance) = start(HANDLES)?;
    let right = instance.get_typed_func::<(), (u32,)>(&mut store, "right")?;
    assert_eq!(right.call(&mut store, ())?, (40,));
    assert_eq!(store.data()[..], [41], "what was dropped");
    Ok(())
}

#[test]
fn there_is_an_end_to_handles() -> Result<()> {
    let (mut store, instance) = start(HANDLES)?;
    let many = instance.get_typed_func::<(), ()>(&mut store, "many")?;
    let error = many.call(&mut store, ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    Ok(())
}

#[test]
fn what_is_borrowed_is_given_back() -> Result<()> {
    let (mut store, instance) = start(HANDLES)?;
    let give = instance.get_typed_func::<(&Resource<Thing>,), (u32,)>(&mut store, "return")?;
    let thing = Resource::new_own(11);
    assert_eq!(give.call(&mut store, (&thing,))?, (3,));
    assert_eq!(give.call(&mut store, (&thing,))?, (3,));
    assert!(store.data().is_empty(), "a borrowed handle was dropped, not the thing");

    let any = thing.try_into_resource_any(&mut store)?;
    let give = instance.get_typed_func::<(ResourceAny,), (u32,)>(&mut store, "return")?;
    assert_eq!(give.call(&mut store, (any,))?, (3,));
    let keep = instance.get_typed_func::<(ResourceAny,), ()>(&mut store, "keep")?;
    let error = keep.call(&mut store, (any,)).unwrap_err();
    assert!(error.summary().contains("borrow handles still remain at the end of the call"));
    // The loan has ended with the call.
    any.resource_drop(&mut store)?;
    assert_eq!(store.data()[..], [11]);
    let error = any.resource_drop(&mut store).unwrap_err();
    assert!(error.summary().contains("dropped or given away before"), "{error}");
    Ok(())
}

#[test]
fn handles_of_the_host_are_checked() -> Result<()> {
    let (mut store, instance) = start(HANDLES)?;
    let (mut other, another) = start(HANDLES)?;
    let any = Resource::<Thing>::new_own(1).try_into_resource_any(&mut store)?;
    assert!(any.owned() && any.ty() == ResourceType::host::<Thing>());
    for error in [
        any.resource_drop(&mut other).unwrap_err(),
        any.try_into_resource::<Thing>(&mut other).map(|_| ()).unwrap_err(),
        any.try_into_resource::<u8>(&mut store).map(|_| ()).unwrap_err(),
        instance.get_func(&mut store, "zero").unwrap().call(&mut other, &[], &mut []).unwrap_err(),
        another
            .get_typed_func::<(ResourceAny,), (u32,)>(&mut other, "return")?
            .call(&mut other, (any,))
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Host, "{error}");
    }
    assert_eq!(any.try_into_resource::<Thing>(&mut store)?.rep(), 1);
    assert!(any.try_into_resource::<Thing>(&mut store).is_err());
    // The host's errors leave the guest as it was.
    let give = instance.get_typed_func::<(ResourceAny,), (u32,)>(&mut store, "return")?;
    let any = Resource::<Thing>::new_own(2).try_into_resource_any(&mut store)?;
    assert_eq!(give.call(&mut store, (any,))?, (3,));
    Ok(())
}

/// A component whose functions return what lies at address 0 or is given.
fn returns(ty: &str, core: &str, code: &str) -> String {
    format!(
        r#"(component
            (import "nothing" (func $nothing))
            (core func $nothing' (canon lower (func $nothing)))
            (core module $M
                (import "" "nothing" (func $nothing))
                (memory (export "mem") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (call $nothing) (i32.const 0))
                (func (export "post") (param {core}) (call $nothing))
                (func (export "run") (result {core}) {code}))
            (core instance $m (instantiate $M (with "" (instance
                (export "nothing" (func $nothing'))))))
            (func (export "run") (result {ty}) (canon lift (core func $m "run")
                (memory (core memory $m "mem")))))"#
    )
}

#[test]
fn results_are_values_of_their_types() {
    let at = |address: u32, length: u32| {
        format!(
            "(i32.store (i32.const 0) (i32.const {address}))
             (i32.store (i32.const 4) (i32.const {length})) (i32.const 0)"
        )
    };
    let run = |ty: &str, core: &str, code: &str, words: &str| {
        fails(&returns(ty, core, code), "run", words);
    };
    run("char", "i32", "(i32.const 0xd800)", "invalid `char` bit pattern");
    run("char", "i32", "(i32.const 0x110000)", "invalid `char` bit pattern");
    run("(option u8)", "i32", "(i32.const 65535)", "pointer 0xffff out of bounds");
    run("(option u32)", "i32", "(i32.const 2)", "unaligned pointer");
    run(
        "(option u32)",
        "i32",
        "(i32.store8 (i32.const 8) (i32.const 2)) (i32.const 8)",
        "invalid variant discriminant 2",
    );
    run("(result)", "i32", "(i32.const 256)", "invalid variant discriminant 256");
    run("string", "i32", &at(65535, 2), "string pointer/length out of bounds of memory");
    run("string", "i32", &at(65537, 0), "string pointer/length out of bounds of memory");
    run("string", "i32", &at(u32::MAX, u32::MAX), "out of bounds of memory");
    run(
        "string",
        "i32",
        &format!("(i32.store8 (i32.const 8) (i32.const 0xc3)) {}", at(8, 1)),
        "incomplete utf-8 byte sequence",
    );
    run(
        "string",
        "i32",
        &format!("(i32.store8 (i32.const 8) (i32.const 0xff)) {}", at(8, 1)),
        "invalid utf-8",
    );
    run("(list u32)", "i32", &at(2, 0), "unaligned pointer");
    run("(list u32)", "i32", &at(8, 0x4000_0000), "list pointer/length out of bounds");
    run("(list u64)", "i32", &at(8, u32::MAX), "list pointer/length out of bounds");
    run("(list char)", "i32", &at(0, 16385), "list pointer/length out of bounds");
}

#[test]
fn parts_that_lie_on_each_other_have_an_end() -> Result<()> {
    // 8000 lists of 60000 bytes each, all of them the same.
    let code = "(local $i i32)
        (loop
            (i32.store (i32.mul (local.get $i) (i32.const 8)) (i32.const 8))
            (i32.store offset=4 (i32.mul (local.get $i) (i32.const 8)) (i32.const 60000))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if 0 (i32.lt_u (local.get $i) (i32.const 8000))))
        (i32.store (i32.const 0) (i32.const 8))
        (i32.store (i32.const 4) (i32.const 7999))
        (i32.const 0)";
    let (mut store, instance) = start(&returns("(list (list u8))", "i32", code))?;
    let run = instance.get_typed_func::<(), (Vec<Vec<u8>>,)>(&mut store, "run")?;
    let error = run.call(&mut store, ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    Ok(())
}

#[test]
fn payloads_in_payloads_have_an_end() -> Result<()> {
    // 200 lists of 900 elements each, all of them the same; each element is a byte in 60
    // options.
    let code = "(local $i i32)
        (memory.fill (i32.const 4096) (i32.const 1) (i32.const 61440))
        (loop
            (i32.store (i32.mul (local.get $i) (i32.const 8)) (i32.const 4096))
            (i32.store offset=4 (i32.mul (local.get $i) (i32.const 8)) (i32.const 900))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if 0 (i32.lt_u (local.get $i) (i32.const 201))))
        (i32.store (i32.const 0) (i32.const 8))
        (i32.store (i32.const 4) (i32.const 200))
        (i32.const 0)";
    let ty = format!("(list (list {}u8{}))", "(option ".repeat(60), ")".repeat(60));
    let (mut store, instance) = start(&returns(&ty, "i32", code))?;
    let run = instance.get_func(&mut store, "run").unwrap();
    let error = run.call(&mut store, &[], &mut [Val::Bool(false)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    Ok(())
}

/// A component in which one instance calls `f` of another, and catches what it throws.
fn catches(ty: &str, core: &str, args: &str, throws: [&str; 3]) -> String {
    let [f, realloc, post] = throws;
    format!(
        r#"(component
            (import "thing" (type $T (sub resource)))
            (import "make" (func $make (param "rep" u32) (result (own $T))))
            (component $Inner
                (import "thing" (type $T (sub resource)))
                (core module $M
                    (tag $t)
                    (memory (export "mem") 1)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                        {realloc} (i32.const 0))
                    (func (export "post") {post})
                    (func (export "f") (param {core}) {f}))
                (core instance $m (instantiate $M))
                (func (export "f") (param "x" {ty}) (canon lift (core func $m "f")
                    (memory (core memory $m "mem")) (realloc (core func $m "realloc"))
                    (post-return (core func $m "post")))))
            (instance $inner (instantiate $Inner (with "thing" (type $T))))
            (component $Outer
                (import "thing" (type $T (sub resource)))
                (import "make" (func $make (param "rep" u32) (result (own $T))))
                (import "f" (func $f (param "x" {ty})))
                (core module $Mem (memory (export "mem") 1))
                (core instance $mem (instantiate $Mem))
                (core func $make' (canon lower (func $make)))
                (core func $f' (canon lower (func $f) (memory (core memory $mem "mem"))))
                (core module $M
                    (import "" "make" (func $make (param i32) (result i32)))
                    (import "" "f" (func $f (param {core})))
                    (func (export "run")
                        (block $caught (try_table (catch_all $caught) (call $f {args})))))
                (core instance $m (instantiate $M (with "" (instance
                    (export "make" (func $make')) (export "f" (func $f'))))))
                (func (export "run") (canon lift (core func $m "run"))))
            (instance $outer (instantiate $Outer
                (with "thing" (type $T)) (with "make" (func $make))
                (with "f" (func $inner "f"))))
            (export "run" (func $outer "run")))"#
    )
}

#[test]
fn exceptions_end_where_an_instance_does() {
    const TYPES: [[&str; 3]; 4] = [
        ["u32", "i32", "(i32.const 1)"],
        ["string", "i32 i32", "(i32.const 0) (i32.const 20)"],
        ["(list string)", "i32 i32", "(i32.const 0) (i32.const 1)"],
        ["(borrow $T)", "i32", "(call $make (i32.const 1))"],
    ];
    const THROW: &str = "(throw $t)";
    for [ty, core, args] in TYPES {
        fails(&catches(ty, core, args, [THROW, "", ""]), "run", "uncaught exception");
        if core == "i32 i32" {
            fails(&catches(ty, core, args, ["", "", THROW]), "run", "uncaught exception");
            fails(&catches(ty, core, args, ["", THROW, ""]), "run", "uncaught exception");
        }
    }
}

#[test]
fn memory_that_a_guest_gives_is_checked() -> Result<()> {
    let with = |code: &str| {
        format!(
            r#"(component
                (import "nothing" (func $nothing))
                (core func $nothing' (canon lower (func $nothing)))
                (core module $M
                    (import "" "nothing" (func $nothing))
                    (memory (export "mem") 1)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) {code})
                    (func (export "run") (param i32 i32)))
                (core instance $m (instantiate $M (with "" (instance
                    (export "nothing" (func $nothing'))))))
                (func (export "run") (param "l" (list u32)) (canon lift (core func $m "run")
                    (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))"#
        )
    };
    for (code, words) in [
        ("(i32.const 2)", "realloc return: result not aligned"),
        ("(i32.const -4)", "realloc return: beyond end of memory"),
        ("(i32.const 65536)", "realloc return: beyond end of memory"),
        ("unreachable", "unreachable"),
        ("(call $nothing) (i32.const 0)", "cannot leave component instance"),
    ] {
        let (mut store, instance) = start(&with(code))?;
        let run = instance.get_typed_func::<(&[u32],), ()>(&mut store, "run")?;
        let error = run.call(&mut store, (&[1],)).unwrap_err();
        assert!(error.summary().contains(words), "expected '{words}', got '{error}'");
        let error = run.call(&mut store, (&[1],)).unwrap_err();
        assert!(error.summary().contains("cannot enter"), "{error}");
    }
    // An error of the host is none of the guest's.
    let (mut store, instance) = start(&with("(i32.const 65528)"))?;
    let run = instance.get_func(&mut store, "run").unwrap();
    for wrong in [Val::U8(1), Val::List(vec![Val::U32(1), Val::U8(2)]), Val::Option(None)] {
        let error = run.call(&mut store, &[wrong], &mut []).unwrap_err();
        assert!(!error.summary().contains("cannot enter"), "{error}");
    }
    assert!(run.call(&mut store, &[], &mut []).is_err());
    run.call(&mut store, &[Val::List(vec![Val::U32(1)])], &mut [])?;
    Ok(())
}

#[test]
fn what_cleans_up_may_not_leave() {
    let text = returns("u32", "i32", "(i32.const 1)")
        .replace(r#"(memory (core memory $m "mem"))"#, r#"(post-return (core func $m "post"))"#);
    fails(&text, "run", "cannot leave component instance");
}

#[test]
fn a_component_that_waits_is_not_entered() -> Result<()> {
    let engine = Engine::default();
    let component = Component::new(
        &engine,
        r#"(component
            (import "back" (func $back))
            (core func $back' (canon lower (func $back)))
            (core module $M
                (import "" "back" (func $back))
                (func (export "go") (call $back))
                (func (export "idle")))
            (core instance $m (instantiate $M (with "" (instance
                (export "back" (func $back'))))))
            (func (export "go") (canon lift (core func $m "go")))
            (func (export "idle") (canon lift (core func $m "idle"))))"#,
    )?;
    let mut linker = Linker::<Vec<Instance>>::new(&engine);
    linker.root().func_wrap("back", |mut store, (): ()| {
        for instance in store.data().clone() {
            let idle = instance.get_typed_func::<(), ()>(store.as_context_mut(), "idle")?;
            idle.call(store.as_context_mut(), ())?;
        }
        Ok(())
    })?;
    let mut store = Store::new(&engine, Vec::new());
    let first = linker.instantiate(&mut store, &component)?;
    let second = linker.instantiate(&mut store, &component)?;
    let go = first.get_typed_func::<(), ()>(&mut store, "go")?;
    // Another instance may be called,
    store.data_mut().push(second);
    go.call(&mut store, ())?;
    // the one that waits may not.
    store.data_mut().push(first);
    let error = go.call(&mut store, ()).unwrap_err();
    assert!(error.summary().contains("cannot enter component instance"), "{error}");
    store.data_mut().clear();
    assert!(go.call(&mut store, ()).is_err(), "it has trapped");
    let go = second.get_typed_func::<(), ()>(&mut store, "go")?;
    go.call(&mut store, ())?;
    Ok(())
}

#[test]
fn an_owner_is_given_once() -> Result<()> {
    let text = r#"(component
        (import "thing" (type $T (sub resource)))
        (core func $drop (canon resource.drop $T))
        (core module $M
            (import "" "drop" (func $drop (param i32)))
            (func (export "take") (param i32) (call $drop (local.get 0)))
            (func (export "both") (param i32 i32)
                (call $drop (local.get 0)) (call $drop (local.get 1))))
        (core instance $m (instantiate $M (with "" (instance (export "drop" (func $drop))))))
        (func (export "take") (param "t" (own $T)) (canon lift (core func $m "take")))
        (func (export "both") (param "a" (borrow $T)) (param "b" (own $T))
            (canon lift (core func $m "both"))))"#;
    let (mut store, instance) = start(text)?;
    let take = instance.get_typed_func::<(&Resource<Thing>,), ()>(&mut store, "take")?;
    let thing = Resource::new_own(1);
    take.call(&mut store, (&thing,))?;
    let error = take.call(&mut store, (&thing,)).unwrap_err();
    assert!(error.summary().contains("already consumed"), "{error}");
    let error = take.call(&mut store, (&Resource::new_borrow(1),)).unwrap_err();
    assert!(error.summary().contains("cannot lower a `borrow`"), "{error}");
    assert_eq!(store.data()[..], [1]);

    // Lent and given at once.
    let any = Resource::<Thing>::new_own(2).try_into_resource_any(&mut store)?;
    let both = instance.get_typed_func::<(ResourceAny, ResourceAny), ()>(&mut store, "both")?;
    let error = both.call(&mut store, (any, any)).unwrap_err();
    assert!(error.summary().contains("cannot remove owned resource while borrowed"), "{error}");
    any.resource_drop(&mut store)?;
    assert_eq!(store.data()[..], [1, 2]);
    Ok(())
}

#[test]
fn what_the_host_borrows_is_its_for_the_call() -> Result<()> {
    let engine = Engine::default();
    let component = Component::new(
        &engine,
        r#"(component
            (type $R (resource (rep i32)))
            (core func $new (canon resource.new $R))
            (core func $drop (canon resource.drop $R))
            (export $R' "r" (type $R))
            (core module $M
                (import "" "new" (func $new (param i32) (result i32)))
                (func (export "make") (result i32) (call $new (i32.const 77)))
                (func (export "rep") (param i32) (result i32) (local.get 0)))
            (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
            (func (export "make") (result (own $R')) (canon lift (core func $m "make")))
            (func (export "rep") (param "r" (borrow $R')) (result u32)
                (canon lift (core func $m "rep"))))"#,
    )?;
    // A guest that lends the other's resource to the host.
    let user = Component::new(
        &engine,
        r#"(component
            (import "r" (type $R (sub resource)))
            (import "look" (func $look (param "r" (borrow $R))))
            (core func $look' (canon lower (func $look)))
            (core func $drop (canon resource.drop $R))
            (core module $M
                (import "" "look" (func $look (param i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "run") (param i32)
                    (call $look (local.get 0)) (call $drop (local.get 0))))
            (core instance $m (instantiate $M (with "" (instance
                (export "look" (func $look')) (export "drop" (func $drop))))))
            (func (export "run") (param "r" (own $R)) (canon lift (core func $m "run"))))"#,
    )?;
    let mut store = Store::new(&engine, Vec::<ResourceAny>::new());
    let maker = Linker::new(&engine).instantiate(&mut store, &component)?;
    let ty = maker.get_resource(&mut store, "r").unwrap();
    let rep = maker.get_typed_func::<(ResourceAny,), (u32,)>(&mut store, "rep")?;
    let mut linker = Linker::<Vec<ResourceAny>>::new(&engine);
    linker.root().resource("r", ty, |_, _| Ok(()))?;
    linker.root().func_wrap("look", move |mut store, (lent,): (ResourceAny,)| {
        assert!(!lent.owned());
        // It may be lent on.
        assert_eq!(rep.call(store.as_context_mut(), (lent,))?, (77,));
        store.data_mut().push(lent);
        Ok(())
    })?;
    let user = linker.instantiate(&mut store, &user)?;
    let make = maker.get_typed_func::<(), (ResourceAny,)>(&mut store, "make")?;
    let run = user.get_typed_func::<(ResourceAny,), ()>(&mut store, "run")?;
    let (owner,) = make.call(&mut store, ())?;
    assert_eq!(owner.ty(), ty);
    run.call(&mut store, (owner,))?;
    let lent = store.data()[0];
    let error = rep.call(&mut store, (lent,)).unwrap_err();
    assert!(error.summary().contains("the call that lent the handle has ended"), "{error}");
    let error = rep.call(&mut store, (owner,)).unwrap_err();
    assert!(error.summary().contains("dropped or given away before"), "{error}");
    Ok(())
}
