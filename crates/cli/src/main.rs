//! The `zwasm` command. This file only dispatches and reports; what a word of
//! the command line means is in `args`, what it does in a module of its name.

#![forbid(unsafe_code)]

mod args;
mod batch;
mod completions;
#[cfg(feature = "component")]
mod component;
#[cfg(feature = "component")]
mod compose;
mod config;
mod core_dump;
mod demangle;
mod failure;
mod features;
#[cfg(feature = "trace")]
mod flame;
mod grants;
mod guest;
mod help;
mod imports;
mod inspect;
mod json;
mod json_reader;
mod limits;
mod link;
mod man;
mod module;
mod number;
#[cfg(feature = "trace")]
mod observe;
mod operands;
mod options;
mod output;
mod progress;
mod run;
mod rust_names;
#[cfg(feature = "trace")]
mod sample;
mod sections;
#[cfg(feature = "serve")]
mod serve;
mod suggest;
mod units;
mod validate;
mod values;
#[cfg(feature = "wast")]
mod wast;

use std::io::Write;

// For its allocator, in static builds.
use zwasm_musl as _;

use crate::args::Command;
use crate::failure::Failure;

fn main() {
    end(dispatch())
}

/// Ends the process, telling what went wrong.
fn end(outcome: Result<i32, Failure>) -> ! {
    let code = outcome.unwrap_or_else(|failure| {
        failure::write_error(&failure);
        failure.code().into()
    });
    std::process::exit(code)
}

fn dispatch() -> Result<i32, Failure> {
    let words = std::env::args_os().skip(1);
    match args::parse(words, config::read).map_err(Failure::runtime)? {
        Command::Run(options) => run::run(&options),
        #[cfg(feature = "serve")]
        Command::Serve(options) => serve::serve(*options),
        Command::Inspect(options) => print(&inspect::inspect(&options)?),
        Command::Validate(options) => {
            let (text, code) = validate::validate(&options)?;
            print(&text).map(|_| code)
        }
        #[cfg(feature = "wast")]
        Command::Wast(scripts) => wast::run(&scripts, print),
        Command::Features(format) => print(&features::list(format.is_json())),
        Command::Completions(shell) => print(&completions::script(shell)),
        Command::Man => print(&man::page()),
        Command::Version => print(&format!("{}\n", help::VERSION)),
        Command::Help(command) => print(&help::text(command, failure::colours(&std::io::stdout()))),
    }
}

fn print(text: &str) -> Result<i32, Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(0),
        Err(error) => Err(Failure::output(&error)),
    }
}
