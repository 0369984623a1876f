//! Runs WebAssembly test scripts (`.wast`) against the engine.
//!
//! The scripts are those of the official suites, of modules and of components, and of
//! their relatives. Every directive counts, definitions included, and there is no list of
//! directives to skip: a feature the engine lacks shows as failures. Only what is behind
//! a gate of the component model ([`Gates`]) that is closed is not run. `manifest`
//! measures over a fixed set of files, `mutate` checks that damaged modules
//! are refused in an orderly way, `compile` compiles all functions of real modules. `wasi`
//! runs the official tests of WASI.

#![forbid(unsafe_code)]

pub mod compile;
mod decode;
mod gates;
pub mod manifest;
pub mod mutate;
pub mod panics;
mod runner;
mod script;
mod spectest;
mod values;
pub mod wasi;
mod wording;

pub use gates::Gates;
use runner::{Dialect, Mismatch, Runner, Sort};
use std::collections::HashMap;
use std::fmt::{self, Display};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;
use std::{fs, io};
use wasmparser::WasmFeatures;
use wast::parser::ParseBuffer;
use wast::{QuoteWat, WastDirective, WastExecute, WastInvoke, WastThread};
use zwasm::{Config, Feature, Strategy};

/// A time that something may take, on a machine whose processor is emulated as many times
/// as long as the script that runs it there says.
#[must_use]
pub fn patience(time: Duration) -> Duration {
    let factor = std::env::var("ZWASM_SLOWNESS").ok().and_then(|text| text.parse().ok());
    time * factor.unwrap_or(1)
}

/// How the engine runs the code of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything in the interpreter.
    Interp,
    /// Everything compiled by the baseline compiler.
    Baseline,
    /// The same, for a processor with nothing beyond SSE4.1.
    BaselineSse4,
    /// Everything compiled by the optimizing compiler.
    Jit,
    /// The same with memories that move, whose bounds are checked.
    JitNoGuards,
    /// The same, collecting garbage at every allocation.
    JitGcStress,
    /// As the engine does unless told otherwise.
    Auto,
    /// Each function in a tier, and promoted at a time, drawn from this seed.
    Mixed(u64),
    /// What is interpreted is promoted as early as can be, in the middle of loops.
    TierStress,
    /// The same, from where baseline code is when it is asked at one of so many checks.
    Asked(u32),
    /// Everything compiled, and memories without guard pages.
    NoGuards,
    /// All tiers, collecting garbage at every allocation.
    GcStress,
    /// Everything in the interpreter, which checks what it remembers of slots.
    CheckHeld,
    /// Everything in the interpreter, with all locals and operands far off.
    FarFrames,
}

impl Mode {
    /// The names of all modes, in the order of the help text.
    pub const NAMES: [&str; 14] = [
        "interp",
        "baseline",
        "baseline-sse4",
        "jit",
        "jit-no-guards",
        "jit-gc-stress",
        "auto",
        "mixed[:SEED]",
        "tier-stress",
        "asked[:EVERY]",
        "no-guards",
        "gc-stress",
        "check-held",
        "far-frames",
    ];

    /// The engine configuration that forces this mode.
    #[must_use]
    pub fn config(self) -> Config {
        let mut config = Config::new();
        config.strategy(match self {
            Self::Interp | Self::CheckHeld | Self::FarFrames => Strategy::Interpreter,
            Self::Baseline | Self::BaselineSse4 | Self::NoGuards => Strategy::Baseline,
            Self::Jit | Self::JitNoGuards | Self::JitGcStress => Strategy::Optimizing,
            Self::Auto => Strategy::Auto,
            Self::Mixed(seed) => Strategy::Mixed(seed),
            Self::TierStress => Strategy::Stress,
            Self::Asked(every) => Strategy::Asked(every),
            Self::GcStress => Strategy::Mixed(1),
        });
        config.guard_pages(!matches!(self, Self::NoGuards | Self::JitNoGuards));
        config.oldest_processor(self == Self::BaselineSse4);
        config.gc_stress(matches!(self, Self::GcStress | Self::JitGcStress));
        config.check_held(self == Self::CheckHeld);
        config.far_frames(self == Self::FarFrames);
        // Calls between tiers are to be calls.
        config.inlining(!matches!(self, Self::Mixed(_) | Self::GcStress));
        config
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let unknown = || format!("unknown mode '{name}' (known: {})", Self::NAMES.join(", "));
        Ok(match name.split_once(':').unwrap_or((name, "")) {
            ("mixed", "") => Self::Mixed(u64::from(RandomState::new().hash_one(0) as u32)),
            ("mixed", seed) => Self::Mixed(
                seed.parse().map_err(|_| format!("'{seed}' is no seed: a number is wanted"))?,
            ),
            ("asked", "") => Self::Asked(1),
            ("asked", every) => {
                Self::Asked(every.parse().map_err(|_| format!("'{every}' is no number of checks"))?)
            }
            _ => match name {
                "interp" => Self::Interp,
                "baseline" => Self::Baseline,
                "baseline-sse4" => Self::BaselineSse4,
                "jit" => Self::Jit,
                "jit-no-guards" => Self::JitNoGuards,
                "jit-gc-stress" => Self::JitGcStress,
                "auto" => Self::Auto,
                "tier-stress" => Self::TierStress,
                "no-guards" => Self::NoGuards,
                "gc-stress" => Self::GcStress,
                "check-held" => Self::CheckHeld,
                "far-frames" => Self::FarFrames,
                _ => return Err(unknown()),
            },
        })
    }
}

/// The name on the command line, with the seed if there is one.
impl Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interp => "interp",
            Self::Baseline => "baseline",
            Self::BaselineSse4 => "baseline-sse4",
            Self::Jit => "jit",
            Self::JitNoGuards => "jit-no-guards",
            Self::JitGcStress => "jit-gc-stress",
            Self::Auto => "auto",
            Self::Mixed(seed) => return write!(f, "mixed:{seed}"),
            Self::TierStress => "tier-stress",
            Self::Asked(every) => return write!(f, "asked:{every}"),
            Self::NoGuards => "no-guards",
            Self::GcStress => "gc-stress",
            Self::CheckHeld => "check-held",
            Self::FarFrames => "far-frames",
        })
    }
}

/// How many directives held and how many did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Directives that did what they say.
    pub passed: usize,
    /// Directives that did not.
    pub failed: usize,
}

impl Tally {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    fn count(&mut self, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// A directive that did not do what it says. Displayed as the line
/// `file:line: what, expected X, got Y`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The script.
    pub file: String,
    /// The line where the directive begins, counted from one.
    pub line: usize,
    /// The directive in a few words.
    pub what: String,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub got: String,
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, what, expected, got } = self;
        write!(f, "{file}:{line}: {what}, expected {expected}, got {got}")
    }
}

/// The result of one script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// All directives.
    pub directives: Tally,
    /// Only those that assert something.
    pub assertions: Tally,
    /// The failures in the order of the script.
    pub failures: Vec<Failure>,
    /// The closed gates that the script needs; with one, nothing of it was run.
    pub closed: Vec<&'static str>,
}

/// Runs the script in the file at `path`, with the default gates open. A file that cannot
/// be read counts as one failed directive.
#[must_use]
pub fn run_file(path: &Path, mode: Mode) -> Outcome {
    run_file_with(path, mode, Gates::default())
}

/// As [`run_file`], with these gates open.
#[must_use]
pub fn run_file_with(path: &Path, mode: Mode, gates: Gates) -> Outcome {
    let name = path.display().to_string();
    match read(path) {
        Ok(text) => run_source_with(&name, &text, mode, gates),
        Err(error) => {
            let failure = mismatch_at(name, 1, "file", "a readable script", error);
            Outcome {
                directives: Tally { passed: 0, failed: 1 },
                failures: vec![failure],
                ..Outcome::default()
            }
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    String::from_utf8(bytes).map_err(|error| {
        let what = match error.as_bytes() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16, where a script is UTF-8",
            _ => "not UTF-8",
        };
        io::Error::new(io::ErrorKind::InvalidData, what)
    })
}

/// Runs the script `text`, which failures call `name`, with the default gates open.
#[must_use]
pub fn run_source(name: &str, text: &str, mode: Mode) -> Outcome {
    run_source_with(name, text, mode, Gates::default())
}

/// As [`run_source`], with these gates open.
#[must_use]
pub fn run_source_with(name: &str, text: &str, mode: Mode, gates: Gates) -> Outcome {
    let text = script::without_preamble(text);
    let lines = script::Lines::new(text);
    let (forms, broken) = script::split(text);
    let buffers: Vec<_> = forms.iter().map(|form| script::buffer(form.text)).collect();
    let whole = name.to_string();
    let (config, dialect) = language(name, mode, gates);
    let closed = gates.needed(&forms, dialect.grammar);
    if !closed.is_empty() {
        return Outcome { closed, ..Outcome::default() };
    }
    let runner = panics::catch(move || whole.clone(), || Runner::new(&config, dialect));
    // Threads of the script may outlive the directive that starts them, but not
    // the script.
    let mut outcome = thread::scope(|scope| {
        let mut run = Run::new(name, &lines, scope);
        match runner {
            Ok(Ok(mut runner)) => {
                for (form, buffer) in forms.iter().zip(&buffers) {
                    run.form(&mut runner, form, buffer);
                }
            }
            Ok(Err(error)) => run.record(0, "script", Err(unstarted(error))),
            Err(message) => run.record(0, "script", Err(unstarted(message))),
        }
        run.finish()
    });
    if let Some((offset, message)) = broken {
        let mismatch = Mismatch { expected: "a directive".into(), got: message };
        outcome.record(name, lines.line(offset), "script", Err(mismatch));
    } else if forms.is_empty() {
        let mismatch = Mismatch { expected: "a directive".into(), got: "none".into() };
        outcome.record(name, 1, "script", Err(mismatch));
    }
    outcome
}

/// Folders and scripts for a version of the specification before some feature,
/// whose absence they assert.
const BEFORE: [(&str, Feature, WasmFeatures); 3] = [
    ("proposals/threads/", Feature::MultiMemory, WasmFeatures::MULTI_MEMORY),
    ("proposals/threads/", Feature::Memory64, WasmFeatures::MEMORY64),
    ("proposals/threads/imports.wast", Feature::ReferenceTypes, WasmFeatures::REFERENCE_TYPES),
];

/// What the folders of wasmtime's scripts are called.
const WASMTIME: [&str; 2] = ["wasmtime", "misc_testsuite"];

/// How the engine runs a script, and what the script's words mean.
fn language(name: &str, mode: Mode, gates: Gates) -> (Config, Dialect) {
    let mut config = mode.config();
    gates.configure(&mut config);
    let mut grammar = WasmFeatures::WASM3
        | WasmFeatures::THREADS
        | WasmFeatures::WIDE_ARITHMETIC
        | WasmFeatures::CUSTOM_PAGE_SIZES
        | WasmFeatures::COMPACT_IMPORTS;
    for (_, feature, flag) in BEFORE.iter().filter(|(folder, ..)| name.contains(folder)) {
        config.wasm_feature(*feature, false);
        grammar.remove(*flag);
    }
    let wasmtime = WASMTIME.iter().any(|folder| name.contains(folder));
    (config, Dialect { grammar, gates, wasmtime })
}

fn unstarted(reason: impl Display) -> Mismatch {
    Mismatch { expected: "an engine".into(), got: reason.to_string() }
}

fn unstarted_thread(id: &str) -> Mismatch {
    Mismatch { expected: "to run".into(), got: format!("thread ${id} did not start") }
}

fn mismatch_at(
    file: String,
    line: usize,
    what: &str,
    expected: &str,
    got: impl Display,
) -> Failure {
    let (expected, got) = (expected.into(), got.to_string());
    Failure { file, line, what: what.into(), expected, got }
}

impl Outcome {
    fn record(&mut self, file: &str, line: usize, what: &str, result: Result<(), Mismatch>) {
        self.directives.count(result.is_ok());
        if what.starts_with("assert_") {
            self.assertions.count(result.is_ok());
        }
        if let Err(Mismatch { expected, got }) = result {
            self.failures.push(mismatch_at(file.into(), line, what, &expected, got));
        }
    }

    fn add(&mut self, other: Outcome) {
        self.directives.add(other.directives);
        self.assertions.add(other.assertions);
        self.failures.extend(other.failures);
    }
}

/// A script, or a thread of one, being run.
struct Run<'scope, 'env> {
    name: &'env str,
    lines: &'env script::Lines,
    scope: &'scope Scope<'scope, 'env>,
    threads: HashMap<String, ScopedJoinHandle<'scope, Outcome>>,
    outcome: Outcome,
}

impl<'scope, 'env> Run<'scope, 'env> {
    fn new(
        name: &'env str,
        lines: &'env script::Lines,
        scope: &'scope Scope<'scope, 'env>,
    ) -> Self {
        Run { name, lines, scope, threads: HashMap::new(), outcome: Outcome::default() }
    }

    fn form(
        &mut self,
        runner: &mut Runner,
        form: &script::Form<'env>,
        buffer: &'env Result<ParseBuffer<'env>, wast::Error>,
    ) {
        let parsed = match buffer {
            Ok(buffer) => script::directive(buffer, form),
            Err(error) => Err(wast::Error::new(error.span(), error.message())),
        };
        match parsed {
            Ok(directive) => self.directive(runner, directive, form.offset),
            Err(error) => {
                let mismatch = Mismatch {
                    expected: "a directive".into(),
                    got: format!("unparsable text: {}", error.message()),
                };
                let what = if form.keyword.is_empty() { "module" } else { form.keyword };
                self.record(form.offset, what, Err(mismatch));
            }
        }
    }

    fn directive(&mut self, runner: &mut Runner, directive: WastDirective<'env>, base: usize) {
        let offset = base + directive.span().offset();
        let what = describe(&directive);
        let place = format!("{}:{}: {what}", self.name, self.lines.line(offset));
        let result = panics::catch(
            move || place.clone(),
            || match directive {
                WastDirective::Thread(thread) => self.start(runner, thread, base),
                WastDirective::Wait { thread, .. } => self.wait(thread.name()),
                directive => perform(runner, directive),
            },
        );
        let result = result
            .unwrap_or_else(|message| Err(Mismatch { expected: "no panic".into(), got: message }));
        self.record(offset, &what, result);
    }

    /// `(thread …)`: starts a thread with a store of its own.
    fn start(
        &mut self,
        runner: &mut Runner,
        thread: WastThread<'env>,
        base: usize,
    ) -> Result<(), Mismatch> {
        let parts = match runner.share(thread.shared_module) {
            Ok(parts) => parts,
            Err(mismatch) => {
                for inner in &thread.directives {
                    let lost = unstarted_thread(thread.name.name());
                    self.record(base + inner.span().offset(), &describe(inner), Err(lost));
                }
                return Err(mismatch);
            }
        };
        let (file, lines, id) = (self.name, self.lines, thread.name.name());
        if self.threads.contains_key(id) {
            return Err(Mismatch {
                expected: "a new name".into(),
                got: format!("a thread ${id} that was not waited for"),
            });
        }
        let body = move || run_thread(file, lines, parts, thread.directives, base);
        let started = thread::Builder::new().spawn_scoped(self.scope, body);
        let started = started
            .map_err(|error| Mismatch { expected: "a thread".into(), got: error.to_string() })?;
        self.threads.insert(id.into(), started);
        Ok(())
    }

    /// `(wait $thread)`.
    fn wait(&mut self, id: &str) -> Result<(), Mismatch> {
        let thread = self.threads.remove(id);
        let thread = thread.ok_or_else(|| Mismatch {
            expected: "a thread to wait for".into(),
            got: format!("no thread ${id}"),
        })?;
        self.join(thread)
    }

    fn join(&mut self, thread: ScopedJoinHandle<'scope, Outcome>) -> Result<(), Mismatch> {
        let outcome = thread.join();
        let outcome = outcome.map_err(|_| Mismatch {
            expected: "the thread's end".into(),
            got: "a panic of the runner".into(),
        })?;
        self.outcome.add(outcome);
        Ok(())
    }

    fn record(&mut self, offset: usize, what: &str, result: Result<(), Mismatch>) {
        self.outcome.record(self.name, self.lines.line(offset), what, result);
    }

    /// The outcome, with that of all threads.
    fn finish(mut self) -> Outcome {
        for (id, thread) in std::mem::take(&mut self.threads) {
            if let Err(mismatch) = self.join(thread) {
                self.record(0, &format!("thread ${id}"), Err(mismatch));
            }
        }
        self.outcome
    }
}

/// Runs the directives of a thread.
fn run_thread(
    name: &str,
    lines: &script::Lines,
    parts: runner::Parts,
    directives: Vec<WastDirective<'_>>,
    base: usize,
) -> Outcome {
    thread::scope(|scope| {
        let mut run = Run::new(name, lines, scope);
        match Runner::with(parts) {
            Ok(mut runner) => {
                for directive in directives {
                    run.directive(&mut runner, directive, base);
                }
            }
            Err(error) => run.record(base, "thread", Err(unstarted(error))),
        }
        run.finish()
    })
}

fn perform(runner: &mut Runner, directive: WastDirective<'_>) -> Result<(), Mismatch> {
    match directive {
        WastDirective::Module(wat) => runner.module(wat),
        WastDirective::ModuleDefinition(wat) => runner.define(wat),
        WastDirective::ModuleInstance { instance, module, .. } => {
            runner.instantiate(instance, module)
        }
        WastDirective::Register { name, module, .. } => runner.register(name, module),
        WastDirective::Invoke(invoke) => runner.invoke(&invoke),
        WastDirective::AssertReturn { exec, results, .. } => runner.assert_return(exec, &results),
        WastDirective::AssertTrap { exec, message, .. } => runner.assert_trap(exec, message),
        WastDirective::AssertExhaustion { call, message, .. } => {
            runner.assert_exhaustion(&call, message)
        }
        WastDirective::AssertException { exec, .. } => runner.assert_exception(exec),
        WastDirective::AssertMalformed { module, message, .. } => {
            runner.assert_malformed(module, message)
        }
        WastDirective::AssertMalformedCustom { module, message, .. } => {
            runner.assert_malformed_custom(module, message)
        }
        WastDirective::AssertInvalid { module, message, .. } => {
            runner.assert_invalid(module, message)
        }
        WastDirective::AssertInvalidCustom { module, message, .. } => {
            runner.assert_invalid_custom(module, message)
        }
        WastDirective::AssertUnlinkable { module, message, .. } => {
            runner.assert_unlinkable(module, message)
        }
        WastDirective::AssertSuspension { .. } => Err(unsupported("suspension")),
        // What threads are made of is the script's, not a runner's.
        WastDirective::Thread(_) | WastDirective::Wait { .. } => Err(unsupported("threads here")),
    }
}

fn unsupported(feature: &str) -> Mismatch {
    Mismatch { expected: "to run".into(), got: format!("unsupported: {feature}") }
}

/// The directive in a few words: its keyword and what it is about.
fn describe(directive: &WastDirective<'_>) -> String {
    let named = |keyword: &str, id: Option<wast::token::Id<'_>>| match id {
        Some(id) => format!("{keyword} ${}", id.name()),
        None => keyword.into(),
    };
    let sort = |wat: &QuoteWat<'_>| Sort::of_quoted(wat).to_string();
    match directive {
        WastDirective::Module(wat) => named(&sort(wat), wat.name()),
        WastDirective::ModuleDefinition(wat) => {
            named(&format!("{} definition", sort(wat)), wat.name())
        }
        WastDirective::ModuleInstance { instance, .. } => named("instance", *instance),
        WastDirective::Register { name, .. } => format!("register {name:?}"),
        WastDirective::Invoke(invoke) => describe_invoke(invoke),
        WastDirective::AssertReturn { exec, .. } => describe_action("assert_return", exec),
        WastDirective::AssertTrap { exec, .. } => describe_action("assert_trap", exec),
        WastDirective::AssertException { exec, .. } => describe_action("assert_exception", exec),
        WastDirective::AssertSuspension { exec, .. } => describe_action("assert_suspension", exec),
        WastDirective::AssertExhaustion { call, .. } => {
            format!("assert_exhaustion {}", describe_invoke(call))
        }
        WastDirective::AssertMalformed { .. } => "assert_malformed".into(),
        WastDirective::AssertMalformedCustom { .. } => "assert_malformed_custom".into(),
        WastDirective::AssertInvalid { .. } => "assert_invalid".into(),
        WastDirective::AssertInvalidCustom { .. } => "assert_invalid_custom".into(),
        WastDirective::AssertUnlinkable { .. } => "assert_unlinkable".into(),
        WastDirective::Thread(thread) => named("thread", Some(thread.name)),
        WastDirective::Wait { thread, .. } => named("wait", Some(*thread)),
    }
}

fn describe_action(keyword: &str, action: &WastExecute<'_>) -> String {
    match action {
        WastExecute::Invoke(invoke) => format!("{keyword} {}", describe_invoke(invoke)),
        WastExecute::Wat(wat) => format!("{keyword} {}", Sort::of(wat)),
        WastExecute::Get { global, .. } => format!("{keyword} get {global:?}"),
    }
}

fn describe_invoke(invoke: &WastInvoke<'_>) -> String {
    match invoke.module {
        Some(module) => format!("invoke ${} {:?}", module.name(), invoke.name),
        None => format!("invoke {:?}", invoke.name),
    }
}

/// The scripts at `path`: itself when it is a file, else every `.wast` file
/// below it, in the order of their paths.
///
/// # Errors
/// When `path` or a folder below it cannot be read.
pub fn scripts(path: &Path) -> io::Result<Vec<PathBuf>> {
    files_below(path, &["wast"])
}

/// The file at `path`, or the files below it with one of the extensions.
fn files_below(path: &Path, extensions: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if fs::metadata(path)?.is_file() {
        found.push(path.into());
        return Ok(found);
    }
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|found| extensions.iter().any(|&wanted| found == wanted))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
