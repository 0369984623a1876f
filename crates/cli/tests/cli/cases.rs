//! Small inputs that once failed, from `../shared/cases` beside the project: what each
//! prints in every strategy. Where that folder is absent, the tests say so.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Dir, Outcome, zwasm};

const ENGINES: [&str; 4] = ["interp", "baseline", "auto", "mixed:1"];

/// The folder with the inputs, if there is one.
fn cases() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("passed over: there is no {}", folder.display());
    None
}

/// What a case says in an engine: it takes the file's name and the other words.
fn run(folder: &Path, engine: &str, file: &str, words: &str) -> Outcome {
    let mut args = vec![file, "--engine", engine];
    args.extend(words.split_whitespace());
    zwasm(args).dir(folder).run()
}

/// A module that the folder's generator prints.
fn made(folder: &Path, shape: &str, count: u32) -> Dir {
    let made = Command::new("python3")
        .arg(folder.join("make.py"))
        .args([shape, &count.to_string()])
        .output()
        .expect("python3 runs");
    assert!(made.status.success(), "{made:?}");
    Dir::with(&[("made.wat", std::str::from_utf8(&made.stdout).unwrap())])
}

#[cfg_attr(windows, ignore = "wine has no Python")]
#[test]
fn no_stale_number_becomes_a_reference() {
    let Some(folder) = cases() else { return };
    for engine in ENGINES {
        run(&folder, engine, "escape-zero.wat", "--invoke zero 7").prints("0\n");
        run(&folder, engine, "escape-zero.wat", "--invoke null 7").prints("1\n");
        for call in ["leak", "read 2415919120", "write 2415919120 1"] {
            let outcome =
                run(&folder, engine, "escape-zero-gc.wat", &format!("--sandbox --invoke {call}"));
            outcome.fails_saying(1, &["null structure reference"]);
        }
        let large = made(&folder, "bigstruct", 3000);
        run(large.path(), engine, "made.wat", "--invoke run").prints("0\n");
    }
}

#[test]
fn answers_do_not_depend_on_the_engine() {
    let Some(folder) = cases() else { return };
    for engine in ENGINES {
        run(&folder, engine, "nan-flip.wat", "--invoke flip 1000000").prints("-1\n");
        run(&folder, engine, "hint-not-a-branch.wat", "--invoke f").prints("42\n");
        let outcome = run(&folder, engine, "trap-offset.wat", "--invoke main 1e30");
        outcome.fails_saying(1, &["integer overflow"]);
        let frames = &outcome.stderr;
        assert!(frames.contains("callee") && frames.contains("0x26"), "{engine}: {frames}");
        assert!(frames.contains("0x2e"), "{engine}: {frames}");
    }
}

#[cfg_attr(windows, ignore = "wine has no Python")]
#[test]
fn a_sandbox_bounds_everything_together() {
    let Some(folder) = cases() else { return };
    for (shape, limit) in [("tables", "--max-total"), ("memories", "--max-total")] {
        let bomb = made(&folder, shape, 100);
        run(bomb.path(), "auto", "made.wat", "--sandbox").fails_saying(1, &[limit]);
    }
    let heap = run(&folder, "auto", "sandbox-heap.wat", "--sandbox");
    assert!(heap.code == Some(1) && heap.stderr.contains("see --max-total"), "{heap:?}");
    run(&folder, "auto", "constant-arrays.wat", "--sandbox --fuel 10")
        .fails_saying(1, &["fuel exhausted"]);
    run(&folder, "auto", "constant-arrays.wat", "--timeout 500").fails_saying(1, &["interrupted"]);
}
