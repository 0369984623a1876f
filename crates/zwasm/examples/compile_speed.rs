//! Compiles all functions of a module on one thread and says how fast, in the
//! thread's own processor time (which Linux tells): by the baseline compiler, or by the
//! optimizing one. `--trace` says what becomes of each function.
//!
//!     cargo run --release -p zwasm --example compile_speed -- [--optimize] [--trace] FILE...

use zwasm::{Config, Engine, Module, Result, Strategy};

fn main() -> Result<()> {
    let (words, files): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let optimizes = words.iter().any(|word| word == "--optimize");
    for file in files {
        let mut config = Config::new();
        config.strategy(if optimizes { Strategy::Optimizing } else { Strategy::Baseline });
        #[cfg(feature = "trace")]
        if words.iter().any(|word| word == "--trace") {
            config.trace(zwasm::Trace::JIT, |line| println!("{line}"));
        }
        let engine = Engine::new(&config)?;
        let module = Module::from_file(&engine, &file)?;
        let code: usize = module.code_size();
        let start = processor_time();
        let machine_code = module.compile_all();
        let seconds = processor_time() - start;
        println!(
            "{file}: {code} bytes of code section in {:.1} ms, {:.2} MB/s; {machine_code} bytes of machine code, {:.2} times as many",
            seconds * 1e3,
            code as f64 / seconds / 1e6,
            machine_code as f64 / code as f64,
        );
    }
    Ok(())
}

/// Seconds of processor time that this thread has used.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: f64 =
        stat.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0);
    nanoseconds / 1e9
}
