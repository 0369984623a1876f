//! `--dump-regir`, `--trace` and `--profile`: looking at the guest at work.
//!
//! All of it goes to standard error, so that the output of the guest stays what
//! it is.

use std::fmt::Write as _;

use zwasm::{Config, Module, Profile, Trace};

use crate::args::Run;
use crate::failure::{Failure, say};

/// Lines of a table of the profile.
const MAX_LINES: usize = 20;

/// Makes an engine observe what the options ask for.
pub fn configure(config: &mut Config, options: &Run) {
    if options.trace != Trace::default() {
        config.trace(options.trace, |line| say(&format!("{line}\n")));
    }
    if options.profile {
        config.profile(true);
    }
}

/// Prints the register IR and machine code of the functions asked for.
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
    for &func in &options.dump_jit {
        tell("--dump-jit", func, module.machine_code(func))?;
    }
    Ok(())
}

/// Prints what the modules have executed.
pub fn profile<'a>(modules: impl Iterator<Item = &'a Module>) {
    for module in modules {
        say(&text(module.name().as_deref(), &module.profile()));
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
