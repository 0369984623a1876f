//! Compiles all functions of modules by the optimizing compiler, for what goes wrong on the
//! way: in builds with debug assertions its verifier looks at the form between passes, and
//! the checker of the allocator of registers at what that has made.

use crate::files_below;
use std::fmt::{self, Display};
use std::ops::AddAssign;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, io};
use wasmparser::{Parser, Payload};
use zwasm::{Config, Engine, Module, Strategy};

/// What became of functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compiled {
    /// How many modules there were, each compiled with and without guard pages.
    pub modules: usize,
    /// How many functions they define, counted as often.
    pub functions: usize,
    /// How many of them got optimized code. The others are too large.
    pub optimized: usize,
    /// Bytes of their bodies.
    pub body: usize,
    /// Bytes of machine code.
    pub code: usize,
    /// How long it took.
    pub time: Duration,
}

impl AddAssign for Compiled {
    fn add_assign(&mut self, other: Compiled) {
        self.modules += other.modules;
        self.functions += other.functions;
        self.optimized += other.optimized;
        self.body += other.body;
        self.code += other.code;
        self.time += other.time;
    }
}

impl Display for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Compiled { modules, functions, optimized, body, code, time } = self;
        let seconds = time.as_secs_f64();
        write!(
            f,
            "{modules} modules, {optimized} of {functions} functions optimized, {:.2} bytes for \
             each of {body}, in {seconds:.1} s",
            *code as f64 / (*body).max(1) as f64,
        )
    }
}

/// Compiles the modules of the `.wasm` files at or below `path`, in components too, and
/// shows `each` what became of the functions of a file.
///
/// # Errors
///
/// If a file cannot be read.
pub fn compile(path: &Path, each: &mut dyn FnMut(&Path, Compiled)) -> io::Result<()> {
    for file in files_below(path, &["wasm"])? {
        let bytes = fs::read(&file)?;
        let mut sum = Compiled::default();
        for module in modules(&bytes) {
            for guards in [true, false] {
                sum += compiled(module, guards);
            }
        }
        each(&file, sum);
    }
    Ok(())
}

/// The modules in a file: itself, or those in a component.
fn modules(bytes: &[u8]) -> Vec<&[u8]> {
    if !crate::mutate::is_component(bytes) {
        return vec![bytes];
    }
    // What is cut off has no more of them.
    let payloads = Parser::new(0).parse_all(bytes).map_while(Result::ok);
    let within = payloads.filter_map(|payload| match payload {
        Payload::ModuleSection { unchecked_range, .. } => {
            bytes.get(unchecked_range.start as usize..unchecked_range.end as usize)
        }
        _ => None,
    });
    within.collect()
}

/// Compiles a module; nothing if it is not valid, or uses what the engine does not know.
fn compiled(bytes: &[u8], guards: bool) -> Compiled {
    let mut config = Config::new();
    config.strategy(Strategy::Optimizing).guard_pages(guards).max_code(u64::MAX);
    let Some(module) = Engine::new(&config).and_then(|engine| Module::new(&engine, bytes)).ok()
    else {
        return Compiled::default();
    };
    let start = Instant::now();
    let code = module.compile_all();
    let time = start.elapsed();
    let (optimized, functions) = module.optimized_functions();
    Compiled { modules: 1, functions, optimized, body: module.code_size(), code, time }
}
