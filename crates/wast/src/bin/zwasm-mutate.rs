//! `zwasm-mutate`: damages modules and components and checks that the engine copes.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use zwasm_wast::mutate::{Campaign, Corpus, is_component, run};

const HELP: &str = "\
Damages WebAssembly modules and components and checks that loading each ends in an
orderly way, and calling the functions of a component as well.

Usage: zwasm-mutate --seed S --cases N [--corpus DIR] [--components]

They are those of the .wasm, .wat and .wast files below DIR, by default
../shared/corpora, or examples/wat where that is absent. The same seed, number
and corpus give the same cases. A case that panics, takes over a second or is
refused in a disorderly way is saved as mutate-S-CASE.wasm in the current
directory, at most three of those alike. The exit code is 1 when there was one or when memory exceeded 512 MB.

Options:
      --seed S      determines all cases
      --cases N     how many
      --corpus DIR  where the modules and components come from
      --components  only components
  -h, --help        print this help
";

struct Arguments {
    seed: u64,
    cases: u64,
    corpus: PathBuf,
    components: bool,
}

fn main() -> ExitCode {
    let result = match parse(lexopt::Parser::from_env()) {
        Ok(Some(arguments)) => attack(&arguments),
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
            eprintln!("zwasm-mutate: {message}");
            ExitCode::from(2)
        }
    }
}

/// The arguments, or none when help was asked for.
fn parse(mut parser: lexopt::Parser) -> Result<Option<Arguments>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut seed, mut cases, mut corpus, mut components) = (None, None, None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seed") => seed = Some(parser.value()?.parse()?),
            Long("cases") => cases = Some(parser.value()?.parse()?),
            Long("corpus") => corpus = Some(parser.value()?.into()),
            Long("components") => components = true,
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let (Some(seed), Some(cases)) = (seed, cases) else {
        return Err("expected --seed and --cases (see --help)".into());
    };
    let corpus = corpus.unwrap_or_else(default_corpus);
    Ok(Some(Arguments { seed, cases, corpus, components }))
}

fn default_corpus() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = root.join("../shared/corpora");
    if shared.is_dir() { shared } else { root.join("examples/wat") }
}

/// Whether nothing was found.
fn attack(arguments: &Arguments) -> Result<bool, String> {
    let folder = arguments.corpus.display();
    let mut corpus =
        Corpus::read(&arguments.corpus).map_err(|error| format!("{folder}: {error}"))?;
    if arguments.components {
        corpus.retain(is_component);
    }
    if corpus.is_empty() {
        return Err(format!("{folder}: no module of the kind in this folder"));
    }
    let Arguments { seed, cases, .. } = *arguments;
    let campaign = Campaign { seed, cases, folder: PathBuf::new() };
    let report = run(&campaign, &corpus).map_err(|error| error.to_string())?;
    let mut out = io::stdout().lock();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    for finding in &report.findings {
        line(finding.clone());
    }
    if report.more > 0 {
        line(format!("and {} more findings like these", report.more));
    }
    line(format!(
        "{} in the corpus, {} mutants instantiated, {} functions compiled or called",
        corpus.len(),
        report.instantiated,
        report.functions,
    ));
    line(format!(
        "slowest case {} ms, peak memory {} MB",
        report.slowest.as_millis(),
        report.peak_memory >> 20,
    ));
    line(report.to_string());
    Ok(report.findings.is_empty())
}
