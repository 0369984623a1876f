//! The command itself: a short campaign, a saved case, and what it says to bad input.

use std::process::{Command, Output};
use std::{env, fs, process};

fn fuzz(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_zwasm-fuzz"))
        .args(arguments)
        .args(["--corpus", concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/wat")])
        .output()
        .expect("the command starts");
    let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    (output, text)
}

#[test]
fn a_short_campaign_finds_nothing() {
    let (output, text) = fuzz(&["--seed", "1", "--cases", "60", "--jobs", "2"]);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.lines().last(), Some("60 cases, 0 differences"));
    let counts: Vec<u64> = text
        .split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .collect();
    let (compared, returned, called) = (counts[0], counts[2], counts[3]);
    assert!(compared > 20, "hardly a case was compared with another engine: {text}");
    assert!(returned > called / 4, "hardly a call returned: {text}");
}

#[test]
fn outcomes_are_told_for_every_case_and_the_same_again() {
    let told = |modes: &str, jobs: &str| {
        let name = format!("zwasm-fuzz-outcomes-{}-{jobs}.txt", process::id());
        let path = env::temp_dir().join(name);
        let file = path.to_str().expect("the path is text");
        let words = ["--seed", "3", "--cases", "40", "--oracle", "none", "--modes", modes];
        let (output, text) = fuzz(&[&words[..], &["--outcomes", file, "--jobs", jobs]].concat());
        assert!(output.status.success(), "{text}");
        let outcomes = fs::read_to_string(&path).expect("it is written");
        let _ = fs::remove_file(path);
        outcomes
    };
    let outcomes = told("interp", "1");
    let numbers = outcomes.lines().map(|line| line.split(' ').next().unwrap_or_default());
    assert!(numbers.eq((0..40).map(|number| number.to_string())), "{outcomes}");
    let mut hashes: Vec<&str> =
        outcomes.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert!(hashes.len() > 20, "{outcomes}");
    assert_eq!(told("mixed:2", "2"), outcomes);
}

#[cfg(feature = "wasmtime-oracle")]
#[test]
fn wasmtime_accepts_every_case() {
    let (output, text) = fuzz(&["--seed", "1", "--cases", "60", "--oracle", "wasmtime"]);
    assert!(output.status.success(), "{text}");
    assert!(text.starts_with("60 compared with wasmtime"), "{text}");
}

#[test]
fn a_saved_case_runs_again() {
    let path = env::temp_dir().join(format!("zwasm-fuzz-test-{}.wat", process::id()));
    let module = r#"(module (func (export "f0") (param i32) (result i32) (local.get 0)))"#;
    fs::write(&path, format!(";; zwasm-fuzz: calls 7\n{module}")).expect("it is written");
    let (output, text) = fuzz(&["--replay", path.to_str().expect("the path is text")]);
    assert!(output.status.success(), "{text}");
    assert_eq!(text, "no difference\n");
    fs::write(&path, module).expect("it is written");
    let (output, text) = fuzz(&["--replay", path.to_str().expect("the path is text")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("expected a first line"), "{text}");
    let _ = fs::remove_file(path);
}

#[test]
fn senseless_words_are_refused() {
    for (words, told) in [
        (&["--seed", "1"][..], "expected --seed and --cases"),
        (&["--seed", "1", "--cases", "1", "--modes", "no-such"], "unknown mode"),
        (&["--seed", "1", "--cases", "1", "--oracle", "no-such"], "unknown oracle"),
        (&["--replay", "/nowhere.wat"], "/nowhere.wat: "),
    ] {
        let (output, text) = fuzz(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(text.contains(told), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn values_of_components_come_back() {
    let (output, text) = fuzz(&["components", "--seed", "1", "--cases", "200", "--jobs", "2"]);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.lines().last(), Some("200 cases, 0 differences"));
    let mut counts = text
        .split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|word| word.parse::<u64>().ok());
    let (returned, called) = (counts.next().unwrap_or(0), counts.next().unwrap_or(0));
    assert!(called > 1000 && returned > called / 2, "hardly a call returned: {text}");
}

#[test]
fn schedules_go_as_the_specification_says() {
    let (output, text) = fuzz(&["schedules", "--seed", "1", "--cases", "300", "--jobs", "2"]);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.lines().last(), Some("300 cases, 0 differences"));
    let told = text.lines().find_map(|line| line.split_once(" operations, "));
    let operations: u64 = told.and_then(|(count, _)| count.parse().ok()).unwrap_or(0);
    assert!(operations > 10_000, "hardly anything was done: {text}");
    assert!(text.contains("traps: unknown handle index"), "{text}");
}

#[test]
fn a_saved_schedule_runs_again() {
    let path = env::temp_dir().join(format!("zwasm-fuzz-test-{}.txt", process::id()));
    let name = path.to_str().expect("the path is text");
    let replay = |program: &str| {
        fs::write(&path, program).expect("it is written");
        fuzz(&["schedules", "--replay", name])
    };
    let (output, text) = replay(
        "; A task writes to itself, and the host lets go on what another waits for.
host: start t0 a cb none
t0: new p0 1
t0: copy p0 write async 8 5
t0: copy p0 read async 64 3
t0: call t1 cb async none
t1: answer later none
t0: set-new s0
t0: join s0 t1
t0: exit-wait s0
host: quiet
host: finish t1
t0: subtask-drop t1
t0: drop p0 read
",
    );
    assert!(output.status.success(), "{text}");
    assert_eq!(text, "no difference\n");
    let (output, text) = replay("t0: copy p0 read async 64\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("t0: copy p0 read async 64: a word is missing"), "{text}");
    let _ = fs::remove_file(path);
}
