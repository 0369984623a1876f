//! What fibers cost: a switch between a resumer and the guest that waits, by the number of
//! instances in the store, and memory of those that wait.
//!
//!     cargo run --release -p zwasm --example fibers

use std::task::Poll;
use std::time::Duration;

use zwasm::fiber::{self, Fiber};
use zwasm::{Caller, Engine, Linker, Module, Result, Store};

const GUEST: &str = r#"(module
    (import "host" "wait" (func $wait))
    (func (export "spin") (param $n i32)
        (loop $more
            (call $wait)
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $more (local.get $n)))))"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("host", "wait", |mut caller: Caller<'_, ()>| {
        // SAFETY: what lies between is the guest.
        unsafe { fiber::suspend(&mut caller) }
    })?;
    let module = Module::new(&engine, GUEST)?;
    for instances in [1, 4, 16, 64, 256] {
        let mut store = Store::new(&engine, ());
        let mut last = linker.instantiate(&mut store, &module)?;
        for _ in 1..instances {
            last = linker.instantiate(&mut store, &module)?;
        }
        let spin = last.get_typed_func::<i32, ()>(&mut store, "spin")?;
        let turns = 2_000_000 / instances;
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let mut fiber = Fiber::new(&mut store, move |mut store| spin.call(&mut store, turns))?;
            let start = time();
            while fiber.resume(&mut store)? == Poll::Pending {}
            // There and back.
            best = best.min((time() - start).as_nanos() as f64 / f64::from(2 * turns));
        }
        println!("switch\t{instances} instances\t{best:.1} ns");
    }
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module)?;
    let spin = instance.get_typed_func::<i32, ()>(&mut store, "spin")?;
    let (count, before, start) = (10_000, resident(), time());
    let mut fibers = Vec::new();
    for _ in 0..count {
        let mut fiber = Fiber::new(&mut store, move |mut store| spin.call(&mut store, 1))?;
        assert!(fiber.resume(&mut store)?.is_pending());
        fibers.push(fiber);
    }
    let each = (resident() - before) / count;
    let nanos = (time() - start).as_nanos() as usize / count;
    println!("waiting\t{count} fibers\t{each} bytes, {nanos} ns each");
    for fiber in &mut fibers {
        assert!(fiber.resume(&mut store)?.is_ready());
    }
    println!("left\t{} bytes", resident().saturating_sub(before));
    Ok(())
}

/// The processor's time of this thread, or else the time.
fn time() -> Duration {
    #[cfg(unix)]
    {
        // SAFETY: zeros are a time, and the call writes one.
        let now = unsafe {
            let mut now: libc::timespec = std::mem::zeroed();
            libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut now);
            now
        };
        Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
    }
    #[cfg(not(unix))]
    {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed()
    }
}

/// Bytes of the process in memory, where the system tells.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = status.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    pages * 4096
}
