//! What instances cost: time, how many can be alive, and whether their memory comes back.
//! Times are medians of five rounds: of one thread its processor time, which Linux tells, of
//! several that of the clock.
//!
//!     cargo run --release -p zwasm --example instances -- time [--pooling]
//!     cargo run --release -p zwasm --example instances -- alive COUNT [--no-guards]
//!     cargo run --release -p zwasm --example instances -- load FILE
//!     cargo run --release -p zwasm --example instances -- soak store|module|engine SECONDS THREADS

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use zwasm::{
    Config, Engine, Error, InstanceAllocationStrategy, InstancePre, Linker, Module, Result, Store,
};

/// A module with a bit of everything.
fn text(salt: u64) -> String {
    let mut text = String::from(
        r#"(module
        (import "env" "add" (func $add (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (table 8 funcref)
        (elem (i32.const 1) $run $f0 $f1)
        (global $calls (mut i32) (i32.const 0))
        (data (i32.const 1024) "what the module brings along")
        (func $run (export "run") (param i32) (result i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (i32.store (i32.const 2048) (local.get 0))
            (call $add (i32.load (i32.const 2048)) (global.get $calls)))"#,
    );
    for index in 0..20 {
        let _ = write!(text, "(func $f{index} (result i64) (i64.const {}))", salt + index);
    }
    text + ")"
}

fn prepare(engine: &Engine, salt: u64) -> Result<InstancePre<u64>> {
    let mut linker: Linker<u64> = Linker::new(engine);
    linker.func_wrap("env", "add", |a: i32, b: i32| a.wrapping_add(b))?;
    linker.instantiate_pre(&Module::new(engine, text(salt))?)
}

fn call(store: &mut Store<u64>, pre: &InstancePre<u64>) -> Result<()> {
    let instance = pre.instantiate(&mut *store)?;
    let run = instance.get_typed_func::<i32, i32>(&mut *store, "run")?;
    match run.call(&mut *store, 41)? {
        42 => Ok(()),
        other => Err(Error::msg(format!("an instance has seen another's memory: {other}"))),
    }
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match *words {
        ["time"] => time(&mut Config::new()),
        ["time", "--pooling"] => {
            time(Config::new().allocation_strategy(InstanceAllocationStrategy::pooling()))
        }
        ["alive", count] => alive(&Config::new(), number(count)?),
        ["alive", count, "--no-guards"] => alive(Config::new().guard_pages(false), number(count)?),
        ["load", file] => load(file),
        ["soak", what, seconds, threads] => soak(what, number(seconds)?, number(threads)?),
        _ => Err(Error::msg("see the head of the example's source")),
    }
}

fn number(word: &str) -> Result<u64> {
    word.parse().map_err(|_| Error::msg(format!("'{word}' is no number")))
}

fn time(config: &mut Config) -> Result<()> {
    let engine = Engine::new(config)?;
    let pre = prepare(&engine, 0)?;
    let rows: [(&str, &(dyn Fn() -> Result<()> + Sync)); 3] = [
        ("a store made and dropped", &|| {
            Store::new(&engine, 0_u64);
            Ok(())
        }),
        ("with an instance", &|| pre.instantiate(&mut Store::new(&engine, 0)).map(|_| ())),
        ("with an instance and a call", &|| call(&mut Store::new(&engine, 0), &pre)),
    ];
    for (name, work) in rows {
        let [one, two] = [clock(1, work)?, clock(2, work)?];
        let took = processor(20_000, work)?;
        println!("{name}: {took:.0} ns; two threads do {:.2} times as many", one / two);
    }
    with_data(config)
}

/// An instance of a module with four megabytes of data, with and without an image of it.
fn with_data(config: &mut Config) -> Result<()> {
    for shares in [true, false] {
        let engine = Engine::new(config.memory_init_cow(shares))?;
        let data = "0123456789abcdef".repeat(4 << 16);
        let text = format!("(module (memory 100) (data (i32.const 65536) \"{data}\"))");
        let module = Module::new(&engine, text)?;
        let pre = Linker::new(&engine).instantiate_pre(&module)?;
        let work = || pre.instantiate(&mut Store::new(&engine, 0)).map(|_| ());
        let each = processor(if shares { 5000 } else { 20 }, &work)?;
        let how = if shares { "shared" } else { "copied" };
        println!("with an instance that has 4 MB of data, {how}: {each:.0} ns");
    }
    Ok(())
}

/// Nanoseconds of processor time for each of many times.
fn processor(times: u32, work: &dyn Fn() -> Result<()>) -> Result<f64> {
    median(|| {
        let start = processor_time();
        (0..times).try_for_each(|_| work())?;
        Ok((processor_time() - start) / f64::from(times))
    })
}

/// Nanoseconds of the clock for each of many times, done by some threads.
fn clock(threads: u32, work: &(dyn Fn() -> Result<()> + Sync)) -> Result<f64> {
    const TIMES: u32 = 20_000;
    median(|| {
        let start = Instant::now();
        std::thread::scope(|scope| {
            let workers: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| (0..TIMES).try_for_each(|_| work()))).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("no panic"))
        })?;
        Ok(start.elapsed().as_nanos() as f64 / f64::from(TIMES) / f64::from(threads))
    })
}

fn median(mut round: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut rounds = (0..5).map(|_| round()).collect::<Result<Vec<f64>>>()?;
    rounds.sort_unstable_by(f64::total_cmp);
    Ok(rounds[2])
}

/// Nanoseconds that this thread has run.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

fn alive(config: &Config, count: u64) -> Result<()> {
    let engine = Engine::new(config)?;
    let pre = prepare(&engine, 0)?;
    let mut stores = Vec::new();
    let before = resident();
    for made in 0..count {
        let mut store = Store::new(&engine, 0);
        if let Err(error) = call(&mut store, &pre) {
            return Err(Error::msg(format!("after {made} instances: {error}")));
        }
        stores.push(store);
    }
    let each = (resident() - before) as f64 / count as f64 / 1024.0;
    println!("{count} instances are alive, {each:.1} KiB resident each");
    Ok(())
}

/// Loads a module and drops it.
fn load(file: &str) -> Result<()> {
    let engine = Engine::default();
    let before = resident() >> 10;
    let module = Module::from_file(&engine, file)?;
    let (size, loaded) = (module.binary().len() >> 10, resident() >> 10);
    drop(module);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let (peak, after) = (peak.trim(), resident() >> 10);
    println!(
        "{file}: {size} KiB; resident {before} KiB before, {loaded} KiB loaded, {after} KiB dropped; {peak} at the peak"
    );
    Ok(())
}

fn soak(what: &str, seconds: u64, threads: u64) -> Result<()> {
    let (engine, done) = (Engine::default(), AtomicU64::new(0));
    let pre = prepare(&engine, 0)?;
    let one = |salt: u64| match what {
        "store" => call(&mut Store::new(&engine, 0), &pre),
        "module" => call(&mut Store::new(&engine, 0), &prepare(&engine, salt)?),
        "engine" => {
            let engine = Engine::default();
            call(&mut Store::new(&engine, 0), &prepare(&engine, salt)?)
        }
        _ => Err(Error::msg("what is made and dropped is a store, module or engine")),
    };
    let end = Instant::now() + Duration::from_secs(seconds);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    while Instant::now() < end {
                        one(done.fetch_add(1, Ordering::Relaxed))?;
                    }
                    Ok(())
                })
            })
            .collect();
        while Instant::now() < end {
            std::thread::sleep(Duration::from_secs(1.max(seconds / 10)));
            let (done, resident) = (done.load(Ordering::Relaxed), resident() >> 10);
            println!("{done:>10} made, {resident:>8} KiB resident");
        }
        workers.into_iter().try_for_each(|worker| worker.join().expect("no panic"))
    })
}

/// Bytes of memory that the process has.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0_u64) * 4096
}
