//! What an embedder can do wrong in safe Rust ends in an error or, where nothing can be
//! returned instead, in a panic that the documentation tells of; never in the guest's
//! reach beyond itself.
#![cfg(feature = "wat")]

mod contexts;
mod foreign;
mod reentry;
mod sizes;
mod slots;
mod stale;

use std::panic::{AssertUnwindSafe, catch_unwind};

use zwasm::{Config, Engine, Strategy};

const STRATEGIES: [Strategy; 4] =
    [Strategy::Interpreter, Strategy::Baseline, Strategy::Auto, Strategy::Mixed(1)];

fn engines() -> impl Iterator<Item = Engine> {
    STRATEGIES.into_iter().filter_map(|strategy| {
        let mut config = Config::new();
        config.strategy(strategy);
        Engine::new(&config).ok()
    })
}

/// The message of the panic that is documented.
fn panics<R>(work: impl FnOnce() -> R) -> String {
    let payload = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(_) => panic!("it should have panicked"),
        Err(payload) => payload,
    };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast_ref::<&str>().unwrap()).to_owned(),
    }
}
