//! The examples, each run as its header says.
//!
//! A header line `;; run: zwasm …` is a command; the lines `;; expect: …` after
//! it are what it prints. `echo WORDS |` or `printf 'TEXT' |` before the command
//! is its standard input. Commands run in a folder that has nothing but the
//! examples, where they may leave files.

use std::path::Path;

use crate::support::{Dir, zwasm};

/// A command of a header, and what it should print.
struct Command<'a> {
    words: Vec<&'a str>,
    stdin: String,
    expected: String,
}

#[test]
fn examples_print_what_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/wat");
    let dir = Dir::new();
    std::fs::create_dir_all(dir.path().join("examples/wat")).unwrap();
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("there is a folder of examples") {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let text = std::fs::read_to_string(folder.join(&name)).unwrap();
        dir.write(&format!("examples/wat/{name}"), &text);
        let commands = commands(&text);
        assert!(!commands.is_empty(), "no ';; run:' in {name}");
        for command in commands {
            assert!(command.words[0].ends_with(&name), "{name} runs {:?}", command.words);
            zwasm(command.words)
                .stdin(command.stdin)
                .dir(dir.path())
                .run()
                .prints(&command.expected);
        }
        numbers.push(name[..2].parse::<usize>().expect("names start with a number"));
    }
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(1..=numbers.len()), "numbers are missing: {numbers:?}");
    assert!(numbers.len() >= 40);
}

fn commands(text: &str) -> Vec<Command<'_>> {
    let mut commands: Vec<Command> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix(";; run: ") {
            let (input, command) = command.split_once(" | ").unwrap_or(("", command));
            let words = command.strip_prefix("zwasm ").expect(line).split_whitespace().collect();
            commands.push(Command { words, stdin: stdin(input), expected: String::new() });
        } else if let Some(output) = line.strip_prefix(";; expect:") {
            let command = commands.last_mut().expect("a command before its output");
            command.expected.push_str(output.strip_prefix(' ').unwrap_or(output));
            command.expected.push('\n');
        }
    }
    commands
}

/// What the shell would make of the command before the pipe.
fn stdin(input: &str) -> String {
    if let Some(words) = input.strip_prefix("echo ") {
        return format!("{words}\n");
    }
    let Some(text) = input.strip_prefix("printf ") else {
        assert!(input.is_empty(), "only 'echo' and 'printf' feed examples: {input}");
        return String::new();
    };
    text.trim_matches('\'').replace("\\n", "\n")
}
