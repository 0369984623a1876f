//! The greatest common divisor, by a function that the host calls.

use engine::{Instance, Module, Result, Store};

const GCD: &str = r#"(module
    (func $gcd (param i32 i32) (result i32)
        (local i32)
        (block $done
            (loop $again
                (br_if $done (i32.eqz (local.get 1)))
                (local.set 2 (i32.rem_u (local.get 0) (local.get 1)))
                (local.set 0 (local.get 1))
                (local.set 1 (local.get 2))
                (br $again)))
        (local.get 0))
    (export "gcd" (func $gcd)))"#;

#[test]
fn gcd() -> Result<()> {
    let mut store = Store::<()>::default();
    let module = Module::new(store.engine(), GCD)?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let gcd = instance.get_typed_func::<(i32, i32), i32>(&mut store, "gcd")?;
    for (a, b, divisor) in [(6, 27, 3), (7, 9, 1), (0, 5, 5), (1071, 462, 21)] {
        assert_eq!(gcd.call(&mut store, (a, b))?, divisor);
    }
    Ok(())
}
