//! Code that debuggers know about.

use engine::{Config, Engine, Instance, Module, OptLevel, Result, Store};

#[test]
fn fib_debug() -> Result<()> {
    let mut config = Config::new();
    config.debug_info(true).cranelift_opt_level(OptLevel::None);
    let engine = Engine::new(&config)?;
    let mut store = Store::new(&engine, ());
    let module = Module::new(
        &engine,
        r#"(module
            (func $fib (export "fib") (param $n i32) (result i32) (local $a i32) (local $b i32)
                (local.set $b (i32.const 1))
                (block $done
                    (loop $next
                        (br_if $done (i32.eqz (local.get $n)))
                        (local.get $b)
                        (local.set $b (i32.add (local.get $a) (local.get $b)))
                        (local.set $a)
                        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                        (br $next)))
                (local.get $a)))"#,
    )?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let fib = instance.get_typed_func::<i32, i32>(&mut store, "fib")?;
    assert_eq!(fib.call(&mut store, 6)?, 8);
    assert_eq!(fib.call(&mut store, 40)?, 102_334_155);
    Ok(())
}
