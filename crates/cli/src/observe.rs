//! `--dump-regir`, `--trace` and `--profile`: looking at the guest at work.
//!
//! All of it goes to standard error, or to a file, so that the output of the guest
//! stays what it is.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use zwasm::{Config, Module, Profile, Store, Trace};

use crate::args::Run;
use crate::failure::{Failure, say};
use crate::flame;
use crate::guest::Guest;
use crate::output::{create, unwritable};
use crate::sample::Sampler;

/// Lines of a table of the profile.
const MAX_LINES: usize = 20;

/// What `--profile` asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Profiling {
    /// What was executed how often, printed.
    Counts,
    /// Where the time went, in a file.
    File(PathBuf, Format),
}

/// The form of a profile in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Format {
    /// A flame graph.
    Svg,
    /// For programs.
    Json,
}

impl Profiling {
    /// What the value of the option means, if there is one.
    ///
    /// # Errors
    /// One line, when the file's name does not tell its format.
    pub fn parse(value: Option<&String>) -> Result<Self, String> {
        let Some(value) = value else { return Ok(Self::Counts) };
        let path = PathBuf::from(value);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => Ok(Self::File(path, Format::Svg)),
            Some("json") => Ok(Self::File(path, Format::Json)),
            _ => Err(format!(
                "option '--profile' expects a file that ends in .svg or .json, got '{value}'"
            )),
        }
    }
}

/// Makes an engine observe what the options ask for.
pub fn configure(config: &mut Config, options: &Run) {
    if options.trace != Trace::default() {
        config.trace(options.trace, |line| say(&format!("{line}\n")));
    }
    match options.profile {
        Some(Profiling::Counts) => config.profile(true),
        Some(Profiling::File(..)) => config.epoch_interruption(true),
        None => config,
    };
}

/// Prints the register IR, SSA form and machine code of the functions asked for.
///
/// # Errors
/// When the module does not define one of them, or it cannot be compiled.
pub fn dump(module: &Module, options: &Run) -> Result<(), Failure> {
    let tell = |option: &str, func: u32, text: zwasm::Result<String>| -> Result<(), Failure> {
        let text = text.map_err(|error| {
            let mut failure = Failure::from(error);
            failure.put_before(&format!("option '{option}={func}': "));
            failure
        })?;
        say(&text);
        Ok(())
    };
    for &func in &options.dump_regir {
        tell("--dump-regir", func, module.regir(func))?;
    }
    #[cfg(feature = "optimize")]
    for (func, pass) in &options.dump_ssa {
        tell("--dump-ssa", *func, module.ssa(*func, pass.as_deref()))?;
    }
    for &func in &options.dump_jit {
        tell("--dump-jit", func, module.machine_code(func))?;
    }
    Ok(())
}

/// A profile being made.
pub enum Profiler {
    Counts,
    Samples { sampler: Sampler, file: File, path: PathBuf, format: Format },
}

impl Profiler {
    /// Begins what the options ask for.
    ///
    /// # Errors
    /// When the file cannot be written or the time not be watched.
    pub fn start(options: &Run, store: &mut Store<Guest>) -> Result<Option<Self>, Failure> {
        let (path, format) = match &options.profile {
            None => return Ok(None),
            Some(Profiling::Counts) => return Ok(Some(Self::Counts)),
            Some(Profiling::File(path, format)) => (path.clone(), *format),
        };
        let file = create(&path, options.overwrite, "--profile")?;
        let sampler = Sampler::start(store)
            .map_err(|error| Failure::runtime(format!("cannot watch the time: {error}")))?;
        Ok(Some(Self::Samples { sampler, file, path, format }))
    }

    /// Ends the profile and writes it; the modules are those that ran.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish<'a>(self, modules: impl Iterator<Item = &'a Module>) -> Result<(), Failure> {
        match self {
            Self::Counts => {
                for module in modules {
                    say(&text(module.name(), &module.profile()));
                }
                Ok(())
            }
            Self::Samples { sampler, mut file, path, format } => {
                let samples = sampler.finish();
                let text = match format {
                    Format::Svg => flame::graph(&samples),
                    Format::Json => samples.json(),
                };
                let written = file.write_all(text.as_bytes());
                written.map_err(|error| unwritable(&path, "--profile", &error))
            }
        }
    }
}

fn text(module: Option<&str>, profile: &Profile) -> String {
    let total: u64 = profile.opcodes.iter().map(|(_, count)| count).sum();
    let of = module.map_or(String::new(), |name| format!(" of {}", name.escape_debug()));
    let mut text = format!("profile{of}: {total} instructions of the register IR\n");
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n{:>14} {:>6}  opcode", "executed", "%");
    for (name, count) in profile.opcodes.iter().take(MAX_LINES) {
        let _ = writeln!(text, "{count:>14} {:>6}  {name}", percent(*count, total));
    }
    more(&mut text, profile.opcodes.len());
    let _ = writeln!(text, "\n{:>14} {:>6} {:>12}  function", "executed", "%", "calls");
    for function in profile.functions.iter().take(MAX_LINES) {
        let name = function.name.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "{:>14} {:>6} {:>12}  {} {}",
            function.instructions,
            percent(function.instructions, total),
            function.calls,
            function.func,
            name.escape_debug()
        );
    }
    more(&mut text, profile.functions.len());
    text
}

fn percent(part: u64, total: u64) -> String {
    format!("{:.1}", part as f64 * 100.0 / total.max(1) as f64)
}

fn more(text: &mut String, lines: usize) {
    if lines > MAX_LINES {
        let _ = writeln!(text, "  ... and {} more", lines - MAX_LINES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_cut() {
        let opcodes = (0..30).map(|n| (format!("op{n}"), 100)).collect();
        let text = text(Some("m"), &Profile { functions: Vec::new(), opcodes });
        assert!(text.starts_with("profile of m: 3000 instructions"), "{text}");
        assert!(text.contains("           100    3.3  op19\n  ... and 10 more\n"), "{text}");
    }
}
