//! The command: its lines and exit codes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_zwasm-wast"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the command starts");
    let Output { status, stdout, stderr } = output;
    let text = |bytes| String::from_utf8(bytes).expect("the output is text");
    (status.code(), text(stdout), text(stderr))
}

/// An empty folder for the test called `name`.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("b/legacy")).expect("a folder");
    folder
}

const GOOD: &str = r#"(module (func (export "f"))) (assert_return (invoke "f"))"#;
const BAD: &str = r#"(assert_malformed (module quote "(func)") "x")"#;

#[test]
fn folders_are_run_in_order_and_counted() {
    let folder = folder("folders");
    fs::write(folder.join("b/legacy/one.wast"), BAD).unwrap();
    fs::write(folder.join("b/two.wast"), GOOD).unwrap();
    fs::write(folder.join("a.wast"), GOOD).unwrap();
    fs::write(folder.join("notes.txt"), "not a script").unwrap();
    let failure = "b/legacy/one.wast:1: assert_malformed, expected malformed module \"x\", \
                   got a valid module\n";
    assert_eq!(
        run(&folder, &["b", "a.wast"]),
        (Some(1), format!("{failure}4 passed, 1 failed\n"), String::new())
    );
    assert_eq!(
        run(&folder, &["-v", "a.wast", "b/two.wast"]),
        (
            Some(0),
            "a.wast: 2 passed, 0 failed\nb/two.wast: 2 passed, 0 failed\n4 passed, 0 failed\n"
                .into(),
            String::new()
        )
    );
}

#[test]
fn a_manifest_counts_assertions_of_exactly_its_files() {
    let folder = folder("manifest");
    fs::write(folder.join("a.wast"), GOOD).unwrap();
    let hash = "9f86d081884c7d65";
    let line = |assertions: usize, hash: &str| format!("a.wast\t{assertions}\t{hash}\ta.wast\n");
    let manifest = folder.join("b/MANIFEST.tsv");
    fs::write(&manifest, line(3, hash)).unwrap();
    let (code, stdout, _) = run(&folder, &["--manifest", "b/MANIFEST.tsv"]);
    assert_eq!(code, Some(1));
    assert!(stdout.starts_with("b/../a.wast:1: file, expected SHA-256 9f86d081884c7d65…, got "));
    assert!(stdout.ends_with("…\n0 passed, 3 failed\n"), "{stdout}");
    let real = stdout.split("got ").nth(1).unwrap().split('…').next().unwrap().to_string();
    fs::write(&manifest, line(1, &real)).unwrap();
    assert_eq!(
        run(&folder, &["--manifest", "b/MANIFEST.tsv"]),
        (Some(0), "1 passed, 0 failed\n".into(), String::new())
    );
    fs::write(&manifest, line(2, &real)).unwrap();
    assert_eq!(
        run(&folder, &["--manifest", "b/MANIFEST.tsv"]),
        (
            Some(1),
            "b/../a.wast:1: file, expected 2 assertions, got 1\n1 passed, 1 failed\n".into(),
            String::new()
        )
    );
}

#[test]
fn what_is_not_counted_fails_the_run_as_well() {
    let folder = folder("uncounted");
    fs::write(folder.join("empty.wast"), "(; nothing ;)").unwrap();
    let failure = "empty.wast:1: script, expected a directive, got none\n";
    assert_eq!(
        run(&folder, &["empty.wast"]),
        (Some(1), format!("{failure}0 passed, 1 failed\n"), String::new())
    );
    // A manifest counts assertions, and an action is none.
    let script = format!("{GOOD} (invoke \"none\")");
    fs::write(folder.join("a.wast"), script).unwrap();
    let manifest = folder.join("b/MANIFEST.tsv");
    fs::write(&manifest, "a.wast\t1\tbd0d7ac1\ta.wast\n").unwrap();
    let (_, stdout, _) = run(&folder, &["--manifest", "b/MANIFEST.tsv"]);
    let hash = stdout.split("got ").nth(1).unwrap().split('…').next().unwrap();
    fs::write(&manifest, format!("a.wast\t1\t{hash}\ta.wast\n")).unwrap();
    let failure = "b/../a.wast:1: invoke \"none\", expected a return, \
                   got no exported function \"none\"\n";
    assert_eq!(
        run(&folder, &["--manifest", "b/MANIFEST.tsv"]),
        (Some(1), format!("{failure}1 passed, 0 failed\n"), String::new())
    );
}

#[test]
fn wrong_arguments_are_one_line() {
    let folder = folder("arguments");
    let (code, stdout, stderr) = run(&folder, &["--mode", "fast", "a.wast"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert_eq!(
        stderr,
        "zwasm-wast: unknown mode 'fast' (known: interp, baseline, baseline-sse4, jit, \
         jit-no-guards, jit-gc-stress, auto, mixed[:SEED], tier-stress, asked[:EVERY], no-guards, gc-stress, check-held, far-frames)\n"
    );
    for wrong in [&[][..], &["--what"], &["none.wast"], &["b"], &["--manifest", "none.tsv"]] {
        let (code, stdout, stderr) = run(&folder, wrong);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{wrong:?}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    let (code, stdout, _) = run(&folder, &["--help"]);
    assert!(code == Some(0) && stdout.contains("Usage: zwasm-wast"));
}

#[test]
fn a_file_that_needs_a_closed_gate_is_named_and_counted() {
    let folder = folder("gates");
    fs::write(folder.join("a.wast"), "(component (type (map u8 u8)))").unwrap();
    fs::write(folder.join("b.wast"), GOOD).unwrap();
    let run = |gates: &str| run(&folder, &["--gates", gates, "a.wast", "b.wast"]);
    assert_eq!(run("map"), (Some(0), "3 passed, 0 failed\n".into(), String::new()));
    let told = "a.wast: not run: it needs the gate map\n2 passed, 0 failed, 1 file not run\n";
    assert_eq!(run("implements"), (Some(0), told.into(), String::new()));
    let (code, _, stderr) = run("maps");
    assert_eq!(code, Some(2));
    assert!(stderr.starts_with("zwasm-wast: unknown gate 'maps' (known: async, "), "{stderr}");
}
