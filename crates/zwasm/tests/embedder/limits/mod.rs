//! Fuel, epochs, interruption, limiters: what stops a guest, and where exactly.
#![cfg(feature = "wat")]

pub mod fuel;
mod growth;
mod time;
mod total;

use zwasm::{Config, Engine, Instance, Linker, Module, Result, Store, Strategy};

/// An engine for each way to run code that this build has.
pub fn engines(configure: impl Fn(&mut Config)) -> Vec<Engine> {
    let mut engines = Vec::new();
    let fixed = [Strategy::Interpreter, Strategy::Baseline, Strategy::Auto, Strategy::Stress];
    for strategy in fixed.into_iter().chain((0..4).map(Strategy::Mixed)) {
        let mut config = Config::new();
        configure(&mut config);
        engines.extend(Engine::new(config.strategy(strategy)));
    }
    assert!(engines.len() >= 3);
    engines
}

/// Engines whose guests pay fuel.
pub fn fueled() -> Vec<Engine> {
    engines(|config| {
        config.consume_fuel(true);
    })
}

/// Engines whose guests have deadlines.
pub fn timed() -> Vec<Engine> {
    engines(|config| {
        config.epoch_interruption(true);
    })
}

/// A store with this data, and an instance of the text in it.
pub fn instance<T: 'static>(engine: &Engine, data: T, wat: &str) -> (Store<T>, Instance) {
    let mut store = Store::new(engine, data);
    let module = Module::new(engine, wat).unwrap();
    let instance = Linker::new(engine).instantiate(&mut store, &module).unwrap();
    (store, instance)
}

/// Calls a function of one `i32` parameter and result.
pub fn call<T>(store: &mut Store<T>, instance: Instance, name: &str, arg: i32) -> Result<i32> {
    instance.get_typed_func::<i32, i32>(&mut *store, name)?.call(&mut *store, arg)
}
