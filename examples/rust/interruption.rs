//! Stopping a guest that computes for ever, from another thread.
//!
//! run: cargo run -p zwasm-examples --bin interruption
//! expect: interrupted: Interrupted
//! expect: and it can be used again: 7
//! expect: at its deadline: Interrupted
//! expect: asked at each tick, and stopped at the third: that was long enough

use std::thread;
use std::time::Duration;

use zwasm::{Config, Engine, Error, Instance, Module, Result, Store, UpdateDeadline};

const TEXT: &str = r#"(module
    (func (export "spin") (loop $again (br $again)))
    (func (export "seven") (result i32) (i32.const 7)))"#;

/// Counts epochs while `work` runs.
fn ticking<R>(engine: &Engine, work: impl FnOnce() -> R) -> R {
    let (done, finished) = std::sync::mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            while finished
                .recv_timeout(Duration::from_millis(10))
                .is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                engine.increment_epoch();
            }
        });
        let result = work();
        drop(done);
        result
    })
}

fn main() -> Result<()> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, TEXT)?;
    let mut store = Store::new(&engine, 0u32);
    let instance = Instance::new(&mut store, &module, &[])?;
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin")?;

    // A handle stops one store.
    let handle = store.interrupt_handle();
    let other = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        handle.interrupt();
    });
    let error = spin.call(&mut store, ()).expect_err("it is interrupted");
    println!("interrupted: {:?}", error.kind());
    other.join().expect("the thread ends");
    store.clear_interrupt();
    let seven = instance.get_typed_func::<(), i32>(&mut store, "seven")?;
    println!("and it can be used again: {}", seven.call(&mut store, ())?);

    // Epochs are the engine's; each store has its own deadline.
    store.set_epoch_deadline(2);
    let error = ticking(&engine, || spin.call(&mut store, ())).expect_err("the deadline comes");
    println!("at its deadline: {:?}", error.kind());

    store.epoch_deadline_callback(|mut store| {
        *store.data_mut() += 1;
        match store.data() {
            3 => Err(Error::msg("that was long enough")),
            _ => Ok(UpdateDeadline::Continue(1)),
        }
    });
    store.set_epoch_deadline(1);
    let error = ticking(&engine, || spin.call(&mut store, ())).expect_err("the callback fails");
    println!("asked at each tick, and stopped at the third: {}", error.summary());
    Ok(())
}
