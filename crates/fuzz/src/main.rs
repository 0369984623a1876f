//! `zwasm-fuzz`: runs generated modules in every mode of the engine and in another
//! engine, and compares all that can be seen of them.
//!
//! Half of the cases are programs made for what has been wrong or could be
//! ([`program`]); in three of four all NaNs are canonical ([`plan`]), and other
//! engines, which may choose theirs, get a copy that hides which it was ([`hide`]).

#![forbid(unsafe_code)]

mod between;
mod campaign;
mod cases;
mod components;
mod engines;
mod hide;
mod judge;
mod mutate;
mod opcodes;
mod ops;
mod outcome;
mod plan;
mod program;
mod reduce;
mod schedules;
mod tame;
mod ty;
mod value;

use judge::OracleKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use std::{env, thread};
use zwasm::Strategy;
use zwasm_wast::Mode;
use zwasm_wast::mutate::Corpus;

const HELP: &str = "\
Runs generated WebAssembly modules in every mode of zwasm and compares.

Usage: zwasm-fuzz --seed S --cases N [OPTIONS]
       zwasm-fuzz components --seed S --cases N [OPTIONS]
       zwasm-fuzz schedules --seed S --cases N [OPTIONS]
       zwasm-fuzz [schedules] --replay FILE [OPTIONS]

Half of the modules are programs made for the purpose, the others are by
wasm-smith or mutants of those in the corpus. Compared are the results and traps
of the exported functions, where in the guest they trap, the calls of imported
ones, and at the end memories, globals and tables; between the modes with the bits
of every NaN, in three cases of four with canonical ones. What differs or crashes is made smaller and saved as
fuzz-S-CASE.wat. The same seed, number and corpus give the same cases. The exit
code is 1 when there was a difference.

With `components`, values of random types go from the host through guests that
echo them, and back; of the options, first, modes, out and jobs are for it, and the
modes are interp and mixed:1 unless others are asked for.

With `schedules`, guests and the host read, write, cancel, drop and call as random
programs say, and a plain model of the specification says of all that they are told
whether it may be. What differs is made smaller and saved as schedules-S-CASE.txt, which
is text; the modes are interp, baseline and auto unless others are asked for.

Options:
      --seed S        determines all cases
      --cases N       how many
      --first F       the number of the first (default: 0)
      --modes M[,M]   the modes, compared with the first of them (default:
                      interp,baseline,mixed:1,tier-stress,no-guards,gc-stress,
                      check-held,far-frames, and jit,jit-no-guards,jit-gc-stress,
                      asked:3 where there is an optimizing compiler)
      --oracle O      the other engine: wasmi (the default), wasmtime, none
      --out DIR       where findings are saved (default: the current directory)
      --corpus DIR    where real modules come from (default: ../shared/corpora, or
                      examples/wat where that is absent)
      --outcomes FILE also writes a line for each case with what its outcome in the
                      first mode hashes to, the same on every machine
      --jobs J        processes at a time (default: one per processor)
      --replay FILE   runs a saved finding again
      --calls S       with --replay, determines the arguments of calls
  -h, --help          print this help
";

/// The modes that are run unless others are asked for.
const MODES: &str = "interp,baseline,mixed:1,tier-stress,no-guards,gc-stress,check-held,far-frames";

/// And these, where there is an optimizing compiler.
const OPTIMIZED: &str = "jit,jit-no-guards,jit-gc-stress,asked:3";

/// The same for values of components.
const COMPONENT_MODES: &str = "interp,mixed:1";

/// The same for schedules.
const SCHEDULE_MODES: &str = "interp,baseline,auto";

/// What is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Modules,
    /// Values that go through components.
    Components,
    /// Streams, futures and tasks of components.
    Schedules,
}

/// What was asked for.
pub struct Arguments {
    seed: u64,
    cases: u64,
    first: u64,
    modes: Vec<Mode>,
    oracle: OracleKind,
    out: PathBuf,
    corpus: PathBuf,
    outcomes: Option<PathBuf>,
    jobs: u64,
    replay: Option<PathBuf>,
    calls: Option<u64>,
    subject: Subject,
    /// The first case and the distance to the next, in a worker.
    worker: Option<(u64, u64)>,
}

impl Arguments {
    /// The number behind that of the last case.
    fn end(&self) -> u64 {
        self.first.saturating_add(self.cases)
    }
}

fn main() -> ExitCode {
    let result = match parse(lexopt::Parser::from_env()) {
        Ok(Some(arguments)) => fuzz(&arguments),
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => Err(error.to_string()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("zwasm-fuzz: {message}");
            ExitCode::from(2)
        }
    }
}

/// The arguments, or none when help was asked for.
fn parse(mut parser: lexopt::Parser) -> Result<Option<Arguments>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut seed, mut cases) = (None, None);
    let mut arguments = Arguments {
        seed: 0,
        cases: 0,
        first: 0,
        modes: Vec::new(),
        oracle: OracleKind::Wasmi,
        out: PathBuf::from("."),
        corpus: default_corpus(),
        outcomes: None,
        jobs: thread::available_parallelism().map_or(1, |count| count.get() as u64),
        replay: None,
        calls: None,
        subject: Subject::Modules,
        worker: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seed") => seed = Some(parser.value()?.parse()?),
            Long("cases") => cases = Some(parser.value()?.parse()?),
            Long("first") => arguments.first = parser.value()?.parse()?,
            Long("modes") => arguments.modes = modes(&parser.value()?.string()?)?,
            Long("oracle") => arguments.oracle = OracleKind::parse(&parser.value()?.string()?)?,
            Long("out") => arguments.out = parser.value()?.into(),
            Long("corpus") => arguments.corpus = parser.value()?.into(),
            Long("outcomes") => arguments.outcomes = Some(parser.value()?.into()),
            Long("jobs") => arguments.jobs = parser.value()?.parse::<u64>()?.max(1),
            Long("replay") => arguments.replay = Some(parser.value()?.into()),
            Long("calls") => arguments.calls = Some(parser.value()?.parse()?),
            Long("worker") => {
                let value = parser.value()?.string()?;
                let (first, step) = value.split_once(':').unwrap_or((&value, "1"));
                let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
                arguments.worker = Some((number(first)?, number(step)?.max(1)));
            }
            Value(word) if word == "components" => arguments.subject = Subject::Components,
            Value(word) if word == "schedules" => arguments.subject = Subject::Schedules,
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    if arguments.modes.is_empty() {
        arguments.modes = modes(match arguments.subject {
            Subject::Modules => MODES,
            Subject::Components => COMPONENT_MODES,
            Subject::Schedules => SCHEDULE_MODES,
        })?;
        if arguments.subject == Subject::Modules && Strategy::Optimizing.is_available() {
            arguments.modes.extend(modes(OPTIMIZED)?);
        }
    }
    match (seed, cases, &arguments.replay) {
        (Some(seed), Some(cases), _) => (arguments.seed, arguments.cases) = (seed, cases),
        (.., Some(_)) => {}
        _ => return Err("expected --seed and --cases, or --replay (see --help)".into()),
    }
    Ok(Some(arguments))
}

fn modes(list: &str) -> Result<Vec<Mode>, String> {
    list.split(',').map(str::parse).collect()
}

fn default_corpus() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = root.join("../shared/corpora");
    if shared.is_dir() { shared } else { root.join("examples/wat") }
}

/// The modules that mutants are made of.
fn corpus(arguments: &Arguments) -> Result<Corpus, String> {
    let folder = arguments.corpus.display();
    let mut corpus =
        Corpus::read(&arguments.corpus).map_err(|error| format!("{folder}: {error}"))?;
    cases::prepare(&mut corpus);
    Ok(corpus)
}

/// Whether nothing was found.
fn fuzz(arguments: &Arguments) -> Result<bool, String> {
    let Arguments { seed, first, cases, jobs, .. } = *arguments;
    let (modes, out) = (|| arguments.modes.clone(), || arguments.out.clone());
    match (arguments.subject, &arguments.replay) {
        (Subject::Modules, _) => {}
        (Subject::Components, _) => {
            let (modes, out) = (modes(), out());
            return components::run(&components::Campaign { seed, first, cases, modes, jobs, out });
        }
        (Subject::Schedules, Some(path)) => {
            let difference = schedules::replay(path, &arguments.modes)?;
            println!("{}", difference.as_deref().unwrap_or("no difference"));
            return Ok(difference.is_none());
        }
        (Subject::Schedules, None) => {
            let (modes, out) = (modes(), out());
            return schedules::run(&schedules::Campaign { seed, first, cases, modes, jobs, out });
        }
    }
    if let Some(path) = &arguments.replay {
        let difference = campaign::replay(arguments, path)?;
        println!("{}", difference.as_deref().unwrap_or("no difference"));
        return Ok(difference.is_none());
    }
    if let Some((first, step)) = arguments.worker {
        campaign::work(arguments, first, step)?;
        return Ok(true);
    }
    let start = Instant::now();
    let report = campaign::run(arguments)?;
    let rate = report.cases as f64 / start.elapsed().as_secs_f64();
    for line in campaign::save(arguments, &report.findings)? {
        println!("{line}");
    }
    println!(
        "{} compared with {}, which panicked in {}; {} of {} calls returned, {rate:.0} cases/s",
        report.compared,
        arguments.oracle.name(),
        report.crashed,
        report.returned,
        report.called,
    );
    println!("{} cases, {} differences", report.cases, report.findings.len());
    Ok(report.findings.is_empty())
}
