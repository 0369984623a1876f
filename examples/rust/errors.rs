//! Everything that can go wrong, as a kind to match on.
//!
//! run: cargo run -p zwasm-examples --bin errors
//! expect: Invalid at byte 10: invalid module: unexpected end-of-file (at byte offset 0xa)
//! expect: Link: unknown import "host"."now": func (result i64)
//! expect: Trap (integer divide by zero) in divide, called by run
//! expect: Exception: uncaught exception with i32 7
//! expect: Host: quota exceeded by 3 (a QuotaExceeded)

use std::fmt;

use zwasm::{Engine, ErrorKind, Instance, Linker, Module, Result, Store, Trap};

const TEXT: &str = r#"(module
    (import "host" "store" (func $store (param i32)))
    (tag $e (param i32))
    (func $divide (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
    (func $run (export "divide") (drop (call $divide (i32.const 1) (i32.const 0))))
    (func (export "throw") (throw $e (i32.const 7)))
    (func (export "store") (call $store (i32.const 13))))"#;

/// An error of the host's own.
#[derive(Debug)]
struct QuotaExceeded(i32);

impl fmt::Display for QuotaExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "quota exceeded by {}", self.0)
    }
}

impl std::error::Error for QuotaExceeded {}

fn report(error: &zwasm::Error) {
    match error.kind() {
        ErrorKind::Invalid => {
            println!("Invalid at byte {}: {error}", error.offset().unwrap_or(0));
        }
        ErrorKind::Trap => {
            // The trap itself, and where the guest was.
            let trap: Option<Trap> = error.trap();
            let message = trap.map_or("", Trap::message);
            let frames = error.backtrace().map_or(&[][..], |trace| trace.frames());
            let names: Vec<&str> =
                frames.iter().map(|frame| frame.func_name().unwrap_or("?")).collect();
            println!("Trap ({message}) in {}", names.join(", called by "));
        }
        // A host function's error arrives as it was.
        kind => match error.downcast_ref::<QuotaExceeded>() {
            Some(_) => println!("{kind:?}: {} (a QuotaExceeded)", error.summary()),
            None => println!("{kind:?}: {}", error.summary()),
        },
    }
}

fn main() -> Result<()> {
    let engine = Engine::default();
    report(&Module::from_binary(&engine, b"\0asm\x01\0\0\0\x01\x05").expect_err("it is cut off"));

    let needy = Module::new(&engine, r#"(module (import "host" "now" (func (result i64))))"#)?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "store", |bytes: i32| -> Result<()> {
        if bytes > 10 { Err(QuotaExceeded(bytes - 10).into()) } else { Ok(()) }
    })?;
    let mut store = Store::new(&engine, ());
    report(&linker.instantiate(&mut store, &needy).expect_err("an import is missing"));

    let module = Module::new(&engine, TEXT)?;
    let instance: Instance = linker.instantiate(&mut store, &module)?;
    for name in ["divide", "throw", "store"] {
        let func = instance.get_typed_func::<(), ()>(&mut store, name)?;
        report(&func.call(&mut store, ()).expect_err("each of them fails"));
    }
    Ok(())
}
