//! `zwasm completions`: scripts that teach a shell the commands and options.
//!
//! The scripts hold the tables of `options` spelled out, so that completing a
//! word starts no process.

use std::fmt::Write;

use crate::options::{
    COMMANDS, CommandInfo, Flag, command_names, feature_names, flag_names, flags,
};
use crate::suggest::did_you_mean;

/// A shell that has a completion script.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

const SHELLS: [(&str, Shell); 3] =
    [("bash", Shell::Bash), ("zsh", Shell::Zsh), ("fish", Shell::Fish)];

impl Shell {
    /// The shell with a name.
    ///
    /// # Errors
    /// One line, when there is no script for such a shell.
    pub fn named(name: &str) -> Result<Self, String> {
        let found = SHELLS.iter().find(|(known, _)| *known == name).map(|(_, shell)| *shell);
        found.ok_or_else(|| {
            let hint = did_you_mean(name, &SHELLS.map(|(known, _)| known));
            format!("no completions for '{name}'{hint}: only for bash, zsh and fish")
        })
    }
}

/// The completion script for a shell.
pub fn script(shell: Shell) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match shell {
        Shell::Bash => bash(&mut text),
        Shell::Zsh => zsh(&mut text),
        Shell::Fish => fish(&mut text),
    };
    text
}

/// What the value of an option may be, judged by its name.
enum Value {
    Directory,
    Word(String),
    /// Anything, files included.
    Any,
}

fn value(flag: &Flag) -> Value {
    match flag.value {
        "PATH" => Value::Directory,
        "FEATURE" => Value::Word(feature_names().join(" ")),
        "HOW" => Value::Word("trap default".into()),
        _ => Value::Any,
    }
}

/// The words that may follow a command, if they are few.
fn operands(command: &CommandInfo) -> Option<String> {
    match command.name {
        "completions" => Some(SHELLS.map(|(name, _)| name).join(" ")),
        "help" => Some(command_names().join(" ")),
        _ => None,
    }
}

fn takes_file(command: &CommandInfo) -> bool {
    command.words.contains("FILE")
}

fn bash(text: &mut String) -> std::fmt::Result {
    text.push_str(
        "_zwasm() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local command=${COMP_WORDS[1]} words= files=
    COMPREPLY=()
    case $before in
",
    );
    for flag in flags(None) {
        if flag.value.is_empty() || flag.optional {
            continue;
        }
        let reply = match value(flag) {
            Value::Directory => "-d".into(),
            Value::Word(words) => format!("-W '{words}'"),
            Value::Any => "-f".into(),
        };
        let name = flag.name;
        writeln!(text, "    {name}) COMPREPLY=($(compgen {reply} -- \"$word\")); return ;;")?;
    }
    text.push_str("    esac\n    case $command in\n");
    for command in &COMMANDS[1..] {
        let options = flag_names(command).join(" ");
        let operands = operands(command).unwrap_or_default();
        let files = if takes_file(command) { " files=yes" } else { "" };
        writeln!(text, "    {}) words='{operands} {options}'{files} ;;", command.name)?;
    }
    let (run, all) = (flag_names(&COMMANDS[0]).join(" "), command_names().join(" "));
    writeln!(text, "    *) words='{run}' files=yes ;;\n    esac")?;
    writeln!(
        text,
        "    if [[ $COMP_CWORD -eq 1 ]]; then words=\"{all} $words\"; fi
    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))
    if [[ $files && $word != -* ]]; then COMPREPLY+=($(compgen -f -- \"$word\")); fi
}}
complete -o filenames -F _zwasm zwasm"
    )
}

fn zsh(text: &mut String) -> std::fmt::Result {
    text.push_str("#compdef zwasm\n\n_zwasm() {\n    local -a commands\n    commands=(\n");
    for command in COMMANDS {
        writeln!(text, "        {}", quoted(&format!("{}:{}", command.name, command.summary)))?;
    }
    text.push_str(
        "    )
    if (( CURRENT == 2 )); then
        _describe command commands
    fi
    case $words[2] in
",
    );
    for command in COMMANDS[1..].iter().chain(&COMMANDS[..1]) {
        let pattern = if command.name == "run" { "*" } else { command.name };
        writeln!(text, "    {pattern})\n        _arguments \\")?;
        for flag in flags(Some(command)) {
            let equals = if flag.value.is_empty() { "" } else { "=" };
            let action = match value(flag) {
                _ if flag.value.is_empty() => String::new(),
                Value::Directory => format!(":{}:_files -/", flag.value),
                Value::Word(words) => format!(":{}:({words})", flag.value),
                Value::Any => format!(":{}:_files", flag.value),
            };
            let help = flag.help.replace(':', "\\:");
            let spec = format!("*{}{equals}[{help}]{action}", flag.name);
            writeln!(text, "            {} \\", quoted(&spec))?;
        }
        let operands = match operands(command) {
            Some(words) => format!("*:word:({words})"),
            None if takes_file(command) => "*:file:_files".into(),
            None => "*:: :".into(),
        };
        writeln!(text, "            {}\n        ;;", quoted(&operands))?;
    }
    text.push_str("    esac\n}\n\n_zwasm \"$@\"\n");
    Ok(())
}

fn fish(text: &mut String) -> std::fmt::Result {
    for command in COMMANDS {
        writeln!(
            text,
            "complete -c zwasm -n __fish_use_subcommand -a {} -d {}",
            command.name,
            quoted(command.summary)
        )?;
        if let Some(words) = operands(command) {
            let seen = format!("'__fish_seen_subcommand_from {}'", command.name);
            writeln!(text, "complete -c zwasm -n {seen} -f -a {}", quoted(&words))?;
        }
    }
    for flag in flags(None) {
        let condition = match flag.commands {
            [] => String::new(),
            // Its word may be left out, so it is the absence of others that tells.
            commands if commands.contains(&"run") => {
                let mut others = command_names();
                others.retain(|name| !commands.contains(name));
                let others = others.join(" ");
                format!(" -n 'not __fish_seen_subcommand_from {others}'")
            }
            commands => format!(" -n '__fish_seen_subcommand_from {}'", commands.join(" ")),
        };
        let argument = match value(flag) {
            _ if flag.value.is_empty() => String::new(),
            Value::Directory => " -x -a '(__fish_complete_directories)'".into(),
            Value::Word(words) => format!(" -x -a {}", quoted(&words)),
            Value::Any => " -r".into(),
        };
        let name = flag.name.trim_start_matches('-');
        writeln!(
            text,
            "complete -c zwasm{condition} -l {name}{argument} -d {}",
            quoted(flag.help)
        )?;
    }
    Ok(())
}

/// A word in single quotes, as all three shells read them.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use zwasm::Feature;

    use super::*;

    #[test]
    fn every_option_and_command_is_in_every_script() {
        for (name, shell) in SHELLS {
            let script = script(shell);
            for flag in flags(None) {
                let long = match shell {
                    Shell::Fish => format!(" -l {} ", flag.name.trim_start_matches('-')),
                    _ => flag.name.to_owned(),
                };
                assert!(script.contains(&long), "{name}: {long}");
            }
            for command in COMMANDS {
                assert!(script.contains(command.name), "{name}: {}", command.name);
            }
            for feature in Feature::ALL {
                assert!(script.contains(feature.name()), "{name}: {}", feature.name());
            }
        }
    }

    #[test]
    fn quotes() {
        assert_eq!(quoted("the host's"), r"'the host'\''s'");
        assert!(Shell::named("bsh").unwrap_err().contains("'bash'"));
    }
}
