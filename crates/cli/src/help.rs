//! The usage texts, written out from the tables of commands and options.
//!
//! Headings are bold where the text goes to a terminal.

use std::fmt::Write;

use crate::options::{COMMANDS, CommandInfo, EXIT_CODES, SECTIONS};

/// The version line: the program's name and version.
pub const VERSION: &str = concat!("zwasm ", env!("CARGO_PKG_VERSION"));

/// The usage text of one command, or of all.
pub fn text(command: Option<&CommandInfo>, colours: bool) -> String {
    let mut help = Help { text: String::new(), colours };
    match command {
        Some(command) => help.one(command),
        None => help.all(),
    }
    help.text
}

struct Help {
    text: String,
    colours: bool,
}

impl Help {
    fn all(&mut self) {
        let run = &COMMANDS[0];
        self.add(format_args!("{VERSION}\n"));
        self.heading("Usage");
        self.add(format_args!("  zwasm [run] {}\n", run.words));
        for command in &COMMANDS[1..] {
            let call = format!("{} {}", command.name, command.words);
            self.add(format_args!("  zwasm {call:<26} {}\n", command.summary));
        }
        self.add(format_args!("\n{}", run.about));
        self.options(run);
        self.exit_codes();
    }

    fn one(&mut self, command: &CommandInfo) {
        self.add(format_args!("{}\n", command.summary));
        self.heading("Usage");
        let usage = format!("zwasm {} {}", command.name, command.words);
        self.add(format_args!("  {}\n", usage.trim_end()));
        if !command.about.is_empty() {
            self.add(format_args!("\n{}", command.about));
        }
        self.options(command);
        if command.words.contains("FILE") {
            self.exit_codes();
        }
    }

    fn options(&mut self, command: &CommandInfo) {
        for section in SECTIONS {
            let mut flags = section.flags.iter().filter(|flag| flag.applies_to(command)).peekable();
            if flags.peek().is_some() {
                self.heading(section.title);
            }
            for flag in flags {
                self.add(format_args!("  {:<18}  {}\n", flag.call(), flag.help));
            }
        }
    }

    fn exit_codes(&mut self) {
        self.heading("Exit codes");
        for (code, meaning) in EXIT_CODES {
            self.add(format_args!("  {code:<4} {meaning}\n"));
        }
        self.add(format_args!("A program that exits with a code of its own passes it on.\n"));
    }

    fn heading(&mut self, title: &str) {
        match self.colours {
            true => self.add(format_args!("\n\x1b[1m{title}:\x1b[0m\n")),
            false => self.add(format_args!("\n{title}:\n")),
        }
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::flags;

    #[test]
    fn every_flag_and_command_is_listed() {
        let all = text(None, false);
        for flag in flags(Some(&COMMANDS[0])) {
            assert!(all.contains(&format!("\n  {} ", flag.call())), "{}", flag.name);
            assert!(all.contains(flag.help));
        }
        for command in COMMANDS {
            assert!(all.contains(command.name));
            let one = text(Some(command), false);
            assert!(one.starts_with(command.summary) && one.contains(command.about));
            for flag in flags(None) {
                let listed = one.contains(&format!("\n  {} ", flag.call()));
                assert_eq!(listed, flag.applies_to(command), "{} {}", command.name, flag.name);
            }
        }
    }

    #[test]
    fn lines_fit_a_terminal() {
        let texts = COMMANDS.iter().map(|command| text(Some(command), false));
        for text in texts.chain([text(None, false)]) {
            for line in text.lines() {
                assert!(line.len() <= 80, "{line}");
                assert_eq!(line.trim_end(), line);
            }
        }
    }

    #[test]
    fn headings_are_bold_on_a_terminal() {
        assert!(text(None, true).contains("\n\x1b[1mUsage:\x1b[0m\n"));
        assert!(!text(None, false).contains('\x1b'));
    }
}
