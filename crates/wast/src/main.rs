//! `zwasm-wast`: runs test scripts and counts what holds.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use zwasm_wast::compile::{Compiled, compile};
use zwasm_wast::{Gates, Mode, Outcome, Tally, manifest, run_file_with, scripts};

const HELP: &str = "\
Runs WebAssembly test scripts and counts the directives that hold.

Usage: zwasm-wast [OPTIONS] PATH...
       zwasm-wast [OPTIONS] --manifest MANIFEST.tsv
       zwasm-wast [OPTIONS] --compile PATH...

A PATH is a .wast file or a folder, whose .wast files are run recursively.
A line is printed for every directive that fails and for every file that is not run
for want of a gate, and the totals last.
The exit code is 1 when anything failed, 2 when the arguments are wrong.

Options:
      --mode M[,M...]   how the engine runs the code: interp (the default),
                        baseline, baseline-sse4, jit, jit-no-guards,
                        jit-gc-stress, auto, mixed[:SEED], tier-stress,
                        asked[:EVERY], no-guards, gc-stress, check-held or
                        far-frames
      --gates G[,G...]  the gated features of components that scripts may use
                        (default: fixed-length-lists,implements,map); a file that
                        needs another is not run
      --manifest FILE   run the files listed there, checking the hash of each,
                        and count only their assertions
      --compile         compile all functions of the modules and components at or
                        below each PATH by the optimizing compiler instead; a build
                        with debug assertions checks what it does
  -v, --verbose         print the counts of every file
  -h, --help            print this help
";

struct Arguments {
    modes: Vec<Mode>,
    gates: Gates,
    manifest: Option<PathBuf>,
    paths: Vec<PathBuf>,
    compile: bool,
    verbose: bool,
}

fn main() -> ExitCode {
    let result = match parse(lexopt::Parser::from_env()) {
        Ok(Some(arguments)) => run(&arguments),
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
            eprintln!("zwasm-wast: {message}");
            ExitCode::from(2)
        }
    }
}

/// The arguments, or none when help was asked for.
fn parse(mut parser: lexopt::Parser) -> Result<Option<Arguments>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut arguments = Arguments {
        modes: vec![Mode::Interp],
        gates: Gates::default(),
        manifest: None,
        paths: Vec::new(),
        compile: false,
        verbose: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("mode") => arguments.modes = modes(parser.value()?)?,
            Long("gates") => arguments.gates = parser.value()?.string()?.parse()?,
            Long("manifest") => arguments.manifest = Some(parser.value()?.into()),
            Long("compile") => arguments.compile = true,
            Short('v') | Long("verbose") => arguments.verbose = true,
            Short('h') | Long("help") => return Ok(None),
            Value(path) => arguments.paths.push(path.into()),
            other => return Err(other.unexpected()),
        }
    }
    if arguments.manifest.is_some() != arguments.paths.is_empty() {
        return Err("expected either files and folders or one manifest (see --help)".into());
    }
    Ok(Some(arguments))
}

fn modes(list: OsString) -> Result<Vec<Mode>, lexopt::Error> {
    let list = list.into_string()?;
    list.split(',').map(|name| name.parse().map_err(|error: String| error.into())).collect()
}

/// Runs everything, and says whether nothing failed.
fn run(arguments: &Arguments) -> Result<bool, String> {
    if arguments.compile {
        return compile_all(arguments);
    }
    let mut report = Report { arguments, total: Tally::default(), clean: true, closed: 0 };
    if let Some(path) = &arguments.manifest {
        for entry in manifest::read(path)? {
            for &mode in &arguments.modes {
                let outcome = manifest::run(&entry, mode);
                report.add(&entry.name, mode, outcome.assertions, &outcome);
            }
        }
    }
    for path in &arguments.paths {
        let files = scripts(path).map_err(|error| format!("{}: {error}", path.display()))?;
        if files.is_empty() {
            return Err(format!("{}: no .wast file in this folder", path.display()));
        }
        for file in files {
            for &mode in &arguments.modes {
                let outcome = run_file_with(&file, mode, arguments.gates);
                if !outcome.closed.is_empty() {
                    report.not_run(&file, &outcome.closed);
                    break;
                }
                report.add(&file.display().to_string(), mode, outcome.directives, &outcome);
            }
        }
    }
    line(&match report.closed {
        0 => report.total.to_string(),
        1 => format!("{}, 1 file not run", report.total),
        closed => format!("{}, {closed} files not run", report.total),
    });
    Ok(report.clean)
}

/// Compiles everything, and says whether there was something.
fn compile_all(arguments: &Arguments) -> Result<bool, String> {
    let mut sum = Compiled::default();
    let mut each = |file: &Path, compiled: Compiled| {
        if arguments.verbose {
            line(&format!("{}: {compiled}", file.display()));
        }
        sum += compiled;
    };
    for path in &arguments.paths {
        compile(path, &mut each).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    line(&sum.to_string());
    Ok(sum.optimized > 0)
}

/// Prints a line; a reader that went away does not stop the run.
fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

struct Report<'a> {
    arguments: &'a Arguments,
    total: Tally,
    /// Whether nothing failed, of what a manifest does not count either.
    clean: bool,
    /// How many files were not run.
    closed: usize,
}

impl Report<'_> {
    fn not_run(&mut self, file: &Path, closed: &[&str]) {
        let gates = if closed.len() == 1 { "gate" } else { "gates" };
        let closed = closed.join(", ");
        line(&format!("{}: not run: it needs the {gates} {closed}", file.display()));
        self.closed += 1;
    }

    fn add(&mut self, name: &str, mode: Mode, tally: Tally, outcome: &Outcome) {
        let mode = match (self.arguments.modes.len(), mode) {
            // A seed is needed to see the same again.
            (1, mode) if !matches!(mode, Mode::Mixed(_)) => String::new(),
            _ => format!(" [{mode}]"),
        };
        for failure in &outcome.failures {
            line(&format!("{failure}{mode}"));
        }
        if self.arguments.verbose {
            line(&format!("{name}{mode}: {tally}"));
        }
        self.total.add(tally);
        self.clean &= outcome.failures.is_empty() && tally.failed == 0;
    }
}
