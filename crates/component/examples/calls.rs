//! What a call across the boundary costs: the guest's loop calls a function so many
//! times; printed is the time for one call.
//!
//! ```text
//! cargo run --release -p zwasm-component --example calls [CALLS]
//! ```

use std::time::Instant;

/// Time that this thread has run: where other processes want the processor too, the
/// clock on the wall says little.
struct Clock(Instant);

impl Clock {
    fn new() -> Clock {
        Clock(Instant::now())
    }

    fn nanos(&self) -> f64 {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let ran = text.split(' ').next().and_then(|number| number.parse().ok());
        ran.unwrap_or_else(|| self.0.elapsed().as_nanos() as f64)
    }
}

use zwasm::{Engine, Result, Store};
use zwasm_component::{Component, Linker};

/// Two guests: `$Callee` has functions over a scalar, a string and a list, `$Caller`
/// calls them, and the host's, in loops.
const COMPONENT: &str = r#"(component
    (import "scalar" (func $host-scalar (param "a" u32) (result u32)))
    (import "list" (func $host-list (param "a" (list u8)) (result u32)))
    (import "string" (func $host-string (param "a" string) (result u32)))

    (component $Callee
        (core module $M
            (memory (export "mem") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
            (func (export "scalar") (param i32) (result i32)
                (i32.add (local.get 0) (i32.const 1)))
            (func (export "pointed") (param i32 i32) (result i32) (local.get 1)))
        (core instance $m (instantiate $M))
        (func (export "scalar") (param "a" u32) (result u32)
            (canon lift (core func $m "scalar")))
        (func (export "list") (param "a" (list u8)) (result u32)
            (canon lift (core func $m "pointed") (memory (core memory $m "mem"))
                (realloc (core func $m "realloc"))))
        (func (export "string") (param "a" string) (result u32)
            (canon lift (core func $m "pointed") (memory (core memory $m "mem"))
                (realloc (core func $m "realloc")))))

    (component $Caller
        (import "host-scalar" (func $host-scalar (param "a" u32) (result u32)))
        (import "host-list" (func $host-list (param "a" (list u8)) (result u32)))
        (import "host-string" (func $host-string (param "a" string) (result u32)))
        (import "scalar" (func $scalar (param "a" u32) (result u32)))
        (import "list" (func $list (param "a" (list u8)) (result u32)))
        (import "string" (func $string (param "a" string) (result u32)))
        (core module $Libc
            (memory (export "mem") 1)
            (data (i32.const 16) "sixteen letters!"))
        (core instance $libc (instantiate $Libc))
        (core func $host-scalar' (canon lower (func $host-scalar)))
        (core func $host-list' (canon lower (func $host-list) (memory (core memory $libc "mem"))))
        (core func $host-string'
            (canon lower (func $host-string) (memory (core memory $libc "mem"))))
        (core func $scalar' (canon lower (func $scalar)))
        (core func $list' (canon lower (func $list) (memory (core memory $libc "mem"))))
        (core func $string' (canon lower (func $string) (memory (core memory $libc "mem"))))
        (core module $M
            (import "" "host-scalar" (func $host-scalar (param i32) (result i32)))
            (import "" "host-list" (func $host-list (param i32 i32) (result i32)))
            (import "" "host-string" (func $host-string (param i32 i32) (result i32)))
            (import "" "scalar" (func $scalar (param i32) (result i32)))
            (import "" "list" (func $list (param i32 i32) (result i32)))
            (import "" "string" (func $string (param i32 i32) (result i32)))
            (func $own (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
            (table funcref (elem $own))
            (func (export "nothing") (param $n i32) (result i32)
                (local $sum i32)
                (loop $again
                    (local.set $sum (i32.add (local.get $sum)
                        (call_indirect (param i32) (result i32)
                            (local.get $n) (i32.const 0))))
                    (br_if $again
                        (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $sum))
            (func (export "host-scalar") (param $n i32) (result i32)
                (local $sum i32)
                (loop $again
                    (local.set $sum (i32.add (local.get $sum) (call $host-scalar (local.get $n))))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $sum))
            (func (export "host-list") (param $n i32) (result i32)
                (local $sum i32)
                (loop $again
                    (local.set $sum (i32.add (local.get $sum)
                        (call $host-list (i32.const 16) (i32.const 16))))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $sum))
            (func (export "host-string") (param $n i32) (result i32)
                (local $sum i32)
                (loop $again
                    (local.set $sum (i32.add (local.get $sum)
                        (call $host-string (i32.const 16) (i32.const 16))))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $sum))
            (func (export "guest-scalar") (param $n i32) (result i32)
                (local $sum i32)
                (loop $again
                    (local.set $sum (i32.add (local.get $sum) (call $scalar (local.get $n))))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $sum))
            (func (export "guest-list") (param $n i32) (result i32)
                (local $sum i32)
                (loop $again
                    (local.set $sum (i32.add (local.get $sum)
                        (call $list (i32.const 16) (i32.const 16))))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $sum))
            (func (export "guest-string") (param $n i32) (result i32)
                (local $sum i32)
                (loop $again
                    (local.set $sum (i32.add (local.get $sum)
                        (call $string (i32.const 16) (i32.const 16))))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $sum)))
        (core instance $m (instantiate $M (with "" (instance
            (export "host-scalar" (func $host-scalar'))
            (export "host-list" (func $host-list'))
            (export "host-string" (func $host-string'))
            (export "scalar" (func $scalar'))
            (export "list" (func $list'))
            (export "string" (func $string'))))))
        (func (export "nothing") (param "n" u32) (result u32)
            (canon lift (core func $m "nothing")))
        (func (export "host-scalar") (param "n" u32) (result u32)
            (canon lift (core func $m "host-scalar")))
        (func (export "host-list") (param "n" u32) (result u32)
            (canon lift (core func $m "host-list")))
        (func (export "host-string") (param "n" u32) (result u32)
            (canon lift (core func $m "host-string")))
        (func (export "guest-scalar") (param "n" u32) (result u32)
            (canon lift (core func $m "guest-scalar")))
        (func (export "guest-list") (param "n" u32) (result u32)
            (canon lift (core func $m "guest-list")))
        (func (export "guest-string") (param "n" u32) (result u32)
            (canon lift (core func $m "guest-string"))))

    (instance $callee (instantiate $Callee))
    (instance $caller (instantiate $Caller
        (with "host-scalar" (func $host-scalar))
        (with "host-list" (func $host-list))
        (with "host-string" (func $host-string))
        (with "scalar" (func $callee "scalar"))
        (with "list" (func $callee "list"))
        (with "string" (func $callee "string"))))
    (export "nothing" (func $caller "nothing"))
    (export "host-scalar" (func $caller "host-scalar"))
    (export "host-list" (func $caller "host-list"))
    (export "host-string" (func $caller "host-string"))
    (export "guest-scalar" (func $caller "guest-scalar"))
    (export "guest-list" (func $caller "guest-list"))
    (export "guest-string" (func $caller "guest-string")))"#;

fn main() -> Result<()> {
    let calls: u32 = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 2_000_000,
    };
    let clock = Clock::new();
    let engine = Engine::default();
    let component = Component::new(&engine, COMPONENT)?;
    let mut linker = Linker::<()>::new(&engine);
    linker.root().func_wrap("scalar", |_, (a,): (u32,)| Ok((a + 1,)))?;
    linker.root().func_wrap("list", |_, (a,): (Vec<u8>,)| Ok((a.len() as u32,)))?;
    linker.root().func_wrap("string", |_, (a,): (String,)| Ok((a.len() as u32,)))?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component)?;
    let mut measure = |name: &str, calls: u32| -> Result<()> {
        let func = instance.get_typed_func::<(u32,), (u32,)>(&mut store, name)?;
        func.call(&mut store, (1 + calls / 10,))?;
        let start = clock.nanos();
        func.call(&mut store, (calls,))?;
        let nanos = (clock.nanos() - start) / f64::from(calls);
        println!("{name:14} {nanos:8.1} ns");
        Ok(())
    };
    measure("nothing", calls.saturating_mul(10))?;
    for name in
        ["host-scalar", "host-list", "host-string", "guest-scalar", "guest-list", "guest-string"]
    {
        measure(name, calls)?;
    }
    // The host calls the guest, which does next to nothing.
    let func = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "nothing")?;
    let start = clock.nanos();
    for _ in 0..calls {
        func.call(&mut store, (1,))?;
    }
    let nanos = (clock.nanos() - start) / f64::from(calls);
    println!("{:14} {nanos:8.1} ns", "export-scalar");
    Ok(())
}
