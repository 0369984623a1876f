//! `zwasm wast`: runs scripts of the test suite's format.
//!
//! Each file has a store of its own. What fails is told by file and line, and then how
//! many directives of the file passed.

mod reader;
mod runner;
mod values;

use std::fmt::Write as _;

use zwasm::{Config, Engine};

use crate::args::Scripts;
use crate::failure::{Failure, one_line};
use crate::module;
use reader::Reader;
use runner::Runner;

/// Runs the scripts, printing about each as soon as it has ended; the exit code.
///
/// # Errors
/// When a file cannot be read, or nothing can be printed.
pub fn run(
    scripts: &Scripts,
    print: impl Fn(&str) -> Result<i32, Failure>,
) -> Result<i32, Failure> {
    let mut config: Config = module::config(&scripts.features);
    if let Some(strategy) = scripts.engine {
        config.strategy(strategy);
    }
    let engine = Engine::new(&config)?;
    let mut code = 0;
    for file in &scripts.files {
        let name = file.to_string_lossy();
        let bytes = zwasm::source::read_file(file)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::runtime(format!("'{}' is no text", name.escape_debug())))?;
        let text = without_preamble(&text);
        let mut runner = Runner::new(&engine)?;
        let mut report = match runner::is_bare(text) {
            true => runner.bare(text),
            false => {
                let mut reader = Reader::new(text);
                std::thread::scope(|scope| runner.run(&mut reader, scope))
            }
        };
        report.failures.sort_by_key(|(at, _)| *at);
        let (mut lines, mut line, mut counted) = (String::new(), 1, 0);
        for (at, message) in &report.failures {
            line += text[counted..*at].matches('\n').count();
            counted = *at;
            let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
            lines += &one_line(&format!("{}:{line}: {message}", name.escape_debug()));
        }
        let (passed, failed) = (report.passed, report.failures.len());
        let _ = writeln!(lines, "{}: {passed} passed, {failed} failed", name.escape_debug());
        print(&lines)?;
        code |= i32::from(failed > 0);
    }
    Ok(code)
}

/// The script without a byte order mark and a first line `#!…`, whose line break stays for
/// the sake of line numbers.
fn without_preamble(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.starts_with("#!") {
        true => &text[text.find('\n').unwrap_or(text.len())..],
        false => text,
    }
}
