//! `zwasm man`: the manual page, in the language of `man`.

use std::fmt::Write;

use crate::options::{COMMANDS, EXIT_CODES, SECTIONS};

/// The manual page.
pub fn page() -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text);
    text
}

fn write(text: &mut String) -> std::fmt::Result {
    let version = env!("CARGO_PKG_VERSION");
    writeln!(text, ".TH ZWASM 1 \"\" \"zwasm {version}\" \"User Commands\"")?;
    writeln!(text, ".SH NAME\nzwasm \\- run WebAssembly modules\n.SH SYNOPSIS")?;
    let run = &COMMANDS[0];
    writeln!(text, ".B zwasm\n{}", escape(&format!("[run] {}", run.words)))?;
    for command in &COMMANDS[1..] {
        writeln!(text, ".br\n.B zwasm {}", command.name)?;
        if !command.words.is_empty() {
            writeln!(text, "{}", escape(command.words))?;
        }
    }
    writeln!(text, ".SH DESCRIPTION\n{}", paragraphs(run.about))?;
    writeln!(text, ".SH COMMANDS")?;
    for command in COMMANDS {
        writeln!(text, ".TP\n.B {}\n{}.", command.name, escape(command.summary))?;
        if command.name != run.name && !command.about.is_empty() {
            writeln!(text, ".nf\n{}.fi", escape(command.about))?;
        }
    }
    writeln!(text, ".SH OPTIONS")?;
    for section in SECTIONS {
        writeln!(text, ".SS {}", section.title)?;
        for flag in section.flags {
            writeln!(text, ".TP\n.B {}\n{}.", escape(&flag.call()), escape(flag.help))?;
            if !flag.commands.is_empty() && flag.commands != [run.name] {
                writeln!(text, "For {}.", flag.commands.join(", "))?;
            }
        }
    }
    writeln!(text, ".SH \"EXIT STATUS\"")?;
    for (code, meaning) in EXIT_CODES {
        writeln!(text, ".TP\n.B {code}\n{}.", escape(meaning))?;
    }
    writeln!(text, ".PP\nA program that exits with a code of its own passes it on.")?;
    writeln!(text, ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nWhen set, nothing is coloured.")
}

/// Paragraphs separated by blank lines, filled anew.
fn paragraphs(about: &str) -> String {
    escape(about.trim_end()).replace("\n\n", "\n.PP\n")
}

/// Text that the formatter takes as it is: a backslash starts an escape, a bare
/// `-` is a hyphen, and a line that begins with a period or a quote a request.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            escaped.push('\n');
        }
        if line.starts_with(['.', '\'']) {
            escaped.push_str("\\&");
        }
        for c in line.chars() {
            match c {
                '\\' => escaped.push_str("\\e"),
                '-' => escaped.push_str("\\-"),
                c => escaped.push(c),
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::flags;

    #[test]
    fn every_option_and_command_has_its_entry() {
        let page = page();
        for flag in flags(None) {
            let entry = format!(".TP\n.B {}\n{}.\n", escape(&flag.call()), escape(flag.help));
            assert!(page.contains(&entry), "{entry}");
        }
        for command in COMMANDS {
            let entry = format!(".TP\n.B {}\n{}.\n", command.name, escape(command.summary));
            assert!(page.contains(&entry), "{entry}");
        }
    }

    #[test]
    fn text_cannot_become_requests() {
        assert_eq!(escape(".x\n'y\n--a \\"), "\\&.x\n\\&'y\n\\-\\-a \\e");
    }
}
