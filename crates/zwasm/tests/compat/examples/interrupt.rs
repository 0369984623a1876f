//! A guest without end, which another thread stops.

use engine::{Config, Engine, Func, Instance, Module, Result, Store, Trap};
use std::sync::mpsc;
use std::thread;

#[test]
fn interrupt() -> Result<()> {
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(1);
    let module = Module::new(
        &engine,
        r#"(module
            (import "" "started" (func $started))
            (func (export "run") (call $started) (loop (br 0))))"#,
    )?;
    let (started, wait) = mpsc::sync_channel(1);
    let started = Func::wrap(&mut store, move || started.send(()).expect("the thread waits"));
    let instance = Instance::new(&mut store, &module, &[started.into()])?;
    let stopper = thread::spawn(move || {
        wait.recv().expect("the guest starts");
        engine.increment_epoch();
    });
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    let error = run.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast::<Trap>()?, Trap::Interrupt);
    stopper.join().expect("it does not panic");
    Ok(())
}
