//! Completions and the manual page.

use crate::support::{Dir, line};

#[test]
fn completions_and_manual() {
    let dir = Dir::new();
    for (words, part) in [
        ("completions bash", "complete -o filenames -F _zwasm zwasm"),
        ("completions zsh", "#compdef zwasm"),
        ("completions fish", "complete -c zwasm"),
        ("man", ".TH ZWASM 1"),
    ] {
        let outcome = line(&dir, words);
        outcome.prints(&outcome.text());
        assert!(outcome.text().contains(part), "{words}");
    }
    line(&dir, "completions tcsh").fails_saying(1, &["'tcsh'", "fish"]);
}

/// The script for bash, asked in bash.
#[test]
fn completions_complete() {
    let dir = Dir::new();
    dir.write("zwasm.bash", line(&dir, "completions bash").stdout);
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    let complete = |words: &str| {
        let count = words.split(' ').count() - 1;
        let script = format!(
            "source ./zwasm.bash; COMP_WORDS=({words}); COMP_CWORD={count}; \
             COMP_WORDS[$COMP_CWORD]=\"${{COMP_WORDS[$COMP_CWORD]-}}\"; _zwasm; \
             echo \"${{COMPREPLY[*]}}\""
        );
        let mut bash = std::process::Command::new("bash");
        let bash = bash.args(["-c", &script]).current_dir(dir.path()).output();
        bash.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(first) = complete("zwasm insp") else {
        println!("passed over: there is no bash");
        return;
    };
    assert_eq!(first, "inspect");
    assert_eq!(complete("zwasm a.wasm --inv").unwrap(), "--invoke");
    assert_eq!(complete("zwasm validate --j").unwrap(), "--json");
    assert_eq!(complete("zwasm a.wasm --dir f").unwrap(), "folder");
    assert_eq!(complete("zwasm a.wasm --disable sim").unwrap(), "simd");
    assert_eq!(complete("zwasm completions f").unwrap(), "fish");
}
