//! Compiles all functions of a module on one thread and says how fast.
//!
//!     cargo run --release -p zwasm --example compile_speed -- FILE...

use std::time::Instant;
use zwasm::{Config, Engine, Module, Result, Strategy};

fn main() -> Result<()> {
    for file in std::env::args().skip(1) {
        let mut config = Config::new();
        config.strategy(Strategy::Baseline);
        let engine = Engine::new(&config)?;
        let module = Module::from_file(&engine, &file)?;
        let code: usize = module.code_size();
        let start = Instant::now();
        let machine_code = module.compile_all();
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{file}: {code} bytes of code section in {:.1} ms, {:.1} MB/s; {machine_code} bytes of machine code, {:.2} times as many",
            seconds * 1e3,
            code as f64 / seconds / 1e6,
            machine_code as f64 / code as f64,
        );
    }
    Ok(())
}
