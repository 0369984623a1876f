//! Values of every type through guests and back: a component whose functions return
//! what they are given, through host functions and exports.

use zwasm::{Engine, Result, Store};
use zwasm_component::{Component, Linker, Val};

/// Core code for a guest that copies: its memory and an allocator that only goes on.
const LIBC: &str = r#"
    (core module $Libc
        (memory (export "mem") 1)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param $old i32) (param $size i32) (param $align i32)
            (param $new i32) (result i32)
            (local $r i32)
            (local.set $r (i32.and
                (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
            (global.set $next (i32.add (local.get $r) (local.get $new)))
            (loop $grow
                (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
                    (then
                        (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1))
                            (then unreachable))
                        (br $grow))))
            (memory.copy (local.get $r) (local.get $old)
                (select (local.get $size) (local.get $new)
                    (i32.lt_u (local.get $size) (local.get $new))))
            (local.get $r)))
    (core instance $libc (instantiate $Libc))
"#;

#[test]
fn a_string_goes_through_the_guest() -> Result<()> {
    let engine = Engine::default();
    let text = format!(
        r#"(component {LIBC}
            (import "f" (func $f (param "a" string) (param "b" u32) (result string)))
            (core func $f' (canon lower (func $f)
                (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
            (core module $M
                (import "" "f" (func $f (param i32 i32 i32 i32)))
                (import "" "mem" (memory 1))
                (func (export "run") (param i32 i32 i32) (result i32)
                    (call $f (local.get 0) (local.get 1) (local.get 2) (i32.const 16))
                    (i32.const 16)))
            (core instance $m (instantiate $M (with "" (instance
                (export "f" (func $f')) (export "mem" (memory $libc "mem"))))))
            (func (export "run") (param "a" string) (param "b" u32) (result string)
                (canon lift (core func $m "run")
                    (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
        )"#
    );
    let component = Component::new(&engine, text)?;
    let mut linker = Linker::<u32>::new(&engine);
    linker.root().func_wrap("f", |mut store, (a, b): (String, u32)| {
        *store.data_mut() += b;
        Ok((format!("<{a}>"),))
    })?;
    let mut store = Store::new(&engine, 1);
    let instance = linker.instantiate(&mut store, &component)?;
    let run = instance.get_typed_func::<(&str, u32), (String,)>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, ("gr\u{fc}n", 2))?, ("<gr\u{fc}n>".into(),));
    assert_eq!(*store.data(), 3);
    let run = instance.get_func(&mut store, "run").unwrap();
    let mut results = [Val::Bool(false)];
    run.call(&mut store, &[Val::String("x".into()), Val::U32(4)], &mut results)?;
    assert_eq!(results[0], Val::String("<x>".into()));
    Ok(())
}
