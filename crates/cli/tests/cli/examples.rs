//! The examples, each run as its header says.
//!
//! A header line `;; run: zwasm …` is a command, run in the repository's root;
//! the lines `;; expect: …` after it are what it prints.

use std::path::Path;

use crate::support::zwasm;

#[test]
fn examples_print_what_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("examples/wat");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).expect("there is a folder of examples") {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "wat") {
            let text = std::fs::read_to_string(&path).unwrap();
            let commands = commands(&text);
            assert!(!commands.is_empty(), "no ';; run:' in {}", path.display());
            for (words, expected) in commands {
                zwasm(words).dir(&root).run().prints(&expected);
            }
            seen += 1;
        }
    }
    assert!(seen > 0, "no examples in {}", folder.display());
}

/// The commands of a header, without the leading `zwasm`, and their output.
fn commands(text: &str) -> Vec<(Vec<&str>, String)> {
    let mut commands: Vec<(Vec<&str>, String)> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix(";; run:") {
            let mut words = command.split_whitespace();
            assert_eq!(words.next(), Some("zwasm"), "{line}");
            commands.push((words.collect(), String::new()));
        } else if let Some(output) = line.strip_prefix(";; expect:") {
            let (_, expected) = commands.last_mut().expect("a command before its output");
            expected.push_str(output.strip_prefix(' ').unwrap_or(output));
            expected.push('\n');
        }
    }
    commands
}
