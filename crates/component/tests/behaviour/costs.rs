//! What guests do through the host costs them what it would if they did it themselves.

use zwasm::{Config, Engine, ErrorKind, Result, Store};
use zwasm_component::{Component, Linker, Val};

/// `run(n, x)` fills a list of `n` elements with bytes or words `x` and gives it to another
/// instance, which gives the sum of what it gets.
fn copies(element: &str, store: &str, size: u32, load: &str) -> String {
    format!(
        r#"(component
  (component $B
    (core module $m
      (memory (export "mem") 100)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
      (func (export "f") (param $at i32) (param $n i32) (result i32)
        (local $sum i32)
        (loop $each
          (local.set $sum (i32.add (local.get $sum) ({load} (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const {size})))
          (br_if $each (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "x" (list {element})) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "mem"))
        (realloc (core func $i "realloc")))))
  (component $A
    (import "f" (func $f (param "x" (list {element})) (result u32)))
    (core module $mm (memory (export "mem") 100))
    (core instance $mi (instantiate $mm))
    (core func $f' (canon lower (func $f) (memory (core memory $mi "mem"))))
    (core module $m
      (import "" "f" (func $f (param i32 i32) (result i32)))
      (import "" "mem" (memory 100))
      (func (export "run") (param $n i32) (param $x i32) (result i32)
        (local $left i32)
        (local.set $left (local.get $n))
        (loop $each
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          ({store} (i32.add (i32.const 16) (i32.mul (local.get $left) (i32.const {size})))
            (local.get $x))
          (br_if $each (local.get $left)))
        (call $f (i32.const 16) (local.get $n))))
    (core instance $i (instantiate $m
      (with "" (instance (export "f" (func $f')) (export "mem" (memory $mi "mem"))))))
    (func (export "run") (param "n" u32) (param "x" u32) (result u32)
      (canon lift (core func $i "run"))))
  (instance $b (instantiate $B))
  (instance $a (instantiate $A (with "f" (func $b "f"))))
  (export "run" (func $a "run")))"#
    )
}

/// What `run(n, x)` gives, and the fuel that it uses.
fn metered(text: &str, args: (u32, u32)) -> Result<(u32, u64)> {
    const FUEL: u64 = 1 << 40;
    let engine = Engine::new(Config::new().consume_fuel(true))?;
    let component = Component::new(&engine, text)?;
    let mut store = Store::new(&engine, ());
    store.set_fuel(FUEL)?;
    let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
    let run = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, "run")?;
    let before = store.get_fuel()?;
    let (result,) = run.call(&mut store, args)?;
    Ok((result, before - store.get_fuel()?))
}

#[test]
fn lists_between_guests_are_paid_for() -> Result<()> {
    const N: u32 = 64_000;
    let numbers = copies("u8", "i32.store8", 1, "i32.load8_u");
    let bools = copies("bool", "i32.store8", 1, "i32.load8_u");
    let chars = copies("char", "i32.store", 4, "i32.load");
    let options = copies("(option bool)", "i32.store16", 2, "i32.load16_u");
    let of_numbers = metered(&numbers, (N, 3))?;
    assert_eq!(of_numbers.0, 3 * N);
    // What is true is 1 for who gets it.
    let of_bools = metered(&bools, (N, 3))?;
    assert_eq!(of_bools.0, N);
    let of_chars = metered(&chars, (N, 3))?;
    assert_eq!(of_chars.0, 3 * N);
    let of_options = metered(&options, (N, 0x301))?;
    assert_eq!(of_options.0, 0x101 * N);
    // The guests' own instructions are as many; what is moved is not less, but for what
    // code that moves it costs at its beginning and end.
    assert!(of_bools.1 + 200 >= of_numbers.1, "{of_bools:?} {of_numbers:?}");
    assert!(of_chars.1 >= of_bools.1 + 3 * u64::from(N) / 8, "{of_chars:?} {of_bools:?}");
    assert!(of_options.1 >= of_bools.1 + 8 * u64::from(N), "{of_options:?} {of_bools:?}");
    // Each is looked at.
    let error = format!("{:?}", metered(&chars, (N, 0xd800)).unwrap_err());
    assert!(error.contains("char"), "{error}");
    Ok(())
}

#[test]
fn what_streams_copy_is_paid_for() -> Result<()> {
    let text = r#"(component
      (type $s (stream u8))
      (core module $mm (memory (export "mem") 20))
      (core instance $mi (instantiate $mm))
      (core func $new (canon stream.new $s))
      (core func $read (canon stream.read $s async (memory (core memory $mi "mem"))))
      (core func $write (canon stream.write $s async (memory (core memory $mi "mem"))))
      (core module $m
        (import "" "new" (func $new (result i64)))
        (import "" "read" (func $read (param i32 i32 i32) (result i32)))
        (import "" "write" (func $write (param i32 i32 i32) (result i32)))
        (func (export "run") (param $n i32) (param i32) (result i32)
          (local $ends i64)
          (local.set $ends (call $new))
          (drop (call $read (i32.wrap_i64 (local.get $ends)) (i32.const 0) (local.get $n)))
          (call $write (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32)))
            (i32.const 640000) (local.get $n))))
      (core instance $i (instantiate $m (with "" (instance
        (export "new" (func $new)) (export "read" (func $read)) (export "write" (func $write))))))
      (func (export "run") (param "n" u32) (param "x" u32) (result u32)
        (canon lift (core func $i "run"))))"#;
    let (few, many) = (metered(text, (8, 0))?, metered(text, (640_000, 0))?);
    assert_eq!((few.0, many.0), (8 << 4, 640_000 << 4));
    assert!(many.1 >= few.1 + 79_999, "{few:?} {many:?}");
    Ok(())
}

/// A value whose parts lie on each other takes little of a guest and much of the host.
#[test]
fn what_the_host_makes_of_values_is_limited_with_all_that_it_takes() -> Result<()> {
    let text = |ty: &str, n: u32| {
        format!(
            r#"(component
              (core module $m
                (memory (export "mem") 250)
                (func (export "run") (result i32)
                  (local $at i32)
                  (i32.store (i32.const 0) (i32.const 16))
                  (i32.store (i32.const 4) (i32.const {n}))
                  (local.set $at (i32.const 16))
                  (loop $each
                    (i32.store offset=4 (local.get $at) (i32.const 1))
                    (local.set $at (i32.add (local.get $at) (i32.const 8)))
                    (br_if $each (i32.lt_u (local.get $at) (i32.const {n}0))))
                  (i32.const 0)))
              (core instance $i (instantiate $m))
              (type $t {ty})
              (export $te "t" (type $t))
              (func (export "run") (result (list $te))
                (canon lift (core func $i "run") (memory (core memory $i "mem")))))"#
        )
    };
    let run = |ty: &str, n: u32| {
        let engine = Engine::default();
        let component = Component::new(&engine, text(ty, n))?;
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
        let run = instance.get_func(&mut store, "run").unwrap();
        let mut results = [Val::Bool(false)];
        run.call(&mut store, &[], &mut results)
    };
    // Half of what is too much is not.
    run("(map u8 u8)", 300_000)?;
    run("(tuple (tuple (tuple u8)))", 300_000)?;
    for (ty, n) in [("(map u8 u8)", 1_500_000), ("(tuple (tuple (tuple u8)))", 1_500_000)] {
        let error = run(ty, n).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{ty}: {error}");
    }
    Ok(())
}
