//! The usage text, written out from the table of flags.

use std::fmt::Write;

use crate::args::SECTIONS;

/// The version line: the program's name and version.
pub const VERSION: &str = concat!("zwasm ", env!("CARGO_PKG_VERSION"));

const USAGE: &str = "
Usage:
  zwasm [run] FILE [OPTIONS] [ARGS...] [-- ARGS...]
  zwasm validate FILE    Check a module without running it
  zwasm features         List the features of WebAssembly (--json: as JSON)
  zwasm version          Print the version
  zwasm help             Print this text

FILE is a WebAssembly module, binary or text. Its export '_start' is called
unless --invoke names another. ARGS go to the function named by --invoke, else
to the program; what follows '--' always goes to the program.
";

const NOTES: &str = "
A number of bytes N may end in K, M or G. A program reaches no files but those
below the directories given with --dir.

Exit codes:
  0    Success
  1    Trap, missing import or other failure at run time; wrong usage
  2    Invalid module
  126  File not found or not readable
A program that exits with a code of its own passes it on.
";

/// The whole usage text.
pub fn text() -> String {
    let mut text = format!("{VERSION}\n{USAGE}");
    for section in SECTIONS {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n{}:", section.title);
        for flag in section.flags {
            let call = format!("{} {}", flag.name, flag.value);
            let _ = writeln!(text, "  {call:<18}  {}", flag.help);
        }
    }
    text + NOTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::COMMANDS;

    #[test]
    fn every_flag_and_command_is_listed() {
        let text = text();
        for flag in SECTIONS.iter().flat_map(|section| section.flags) {
            assert!(text.contains(&format!("\n  {} ", flag.name)), "{}", flag.name);
            assert!(text.contains(flag.help));
        }
        for command in COMMANDS {
            assert!(text.contains(command));
        }
    }

    #[test]
    fn lines_fit_a_terminal() {
        for line in text().lines() {
            assert!(line.len() <= 80, "{line}");
            assert_eq!(line.trim_end(), line);
        }
    }
}
