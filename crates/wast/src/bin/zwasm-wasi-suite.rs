//! `zwasm-wasi-suite`: runs the official WASI tests and counts what holds.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use zwasm_wast::Mode;
use zwasm_wast::wasi::{check, programs};

const HELP: &str = "\
Runs the official WASI tests: preview 1, and threads.

Usage: zwasm-wasi-suite [--mode M[,M...]] FOLDER...

A FOLDER holds programs (.wasm), each with a .json that says how to run it. A
line is printed for every program that fails, and the totals last. The exit code
is 1 when anything failed, 2 when the arguments are wrong.

The modes are those of zwasm-wast; interp is the default.
";

fn main() -> ExitCode {
    match run(lexopt::Parser::from_env()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("zwasm-wasi-suite: {error}");
            ExitCode::from(2)
        }
    }
}

/// Does what the arguments say; how many programs failed.
fn run(mut parser: lexopt::Parser) -> Result<usize, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut modes, mut folders) = (vec![Mode::Interp], Vec::<PathBuf>::new());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("mode") => {
                let list = parser.value()?.string()?;
                let parse = |name: &str| name.parse().map_err(|error: String| error.into());
                modes = list.split(',').map(parse).collect::<Result<_, lexopt::Error>>()?;
            }
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(0);
            }
            Value(folder) => folders.push(folder.into()),
            other => return Err(other.unexpected()),
        }
    }
    if folders.is_empty() {
        return Err("no folder given (see --help)".into());
    }
    let (mut count, mut failed) = (0, 0);
    for folder in folders {
        let programs =
            programs(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for program in programs {
            for &mode in &modes {
                count += 1;
                if let Err(failure) = check(&program, mode) {
                    failed += 1;
                    println!("{} [{mode}]: {failure}", program.display());
                }
            }
        }
    }
    println!("{} of {count} hold", count - failed);
    Ok(failed)
}
