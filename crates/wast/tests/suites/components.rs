//! Components: a few scripts of our own, and the official suite and wasmtime's scripts
//! where they are present, in the modes that differ for components.

use super::common::Verdict;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use zwasm::Strategy;
use zwasm_wast::{Gates, Mode, run_file, run_file_with, run_source, scripts};

fn modes() -> Vec<Mode> {
    let mut modes = vec![Mode::Interp, Mode::Auto, Mode::GcStress];
    if Strategy::Baseline.is_available() {
        modes.extend([Mode::Baseline, Mode::Mixed(1), Mode::TierStress]);
    }
    modes
}

fn shared(folder: &str) -> Option<PathBuf> {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let folder = corpora.join(folder);
    if !folder.is_dir() {
        println!("passed over: no folder {}", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn our_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/components");
    let mut verdict = Verdict::default();
    let files = scripts(&folder).expect("the folder can be read");
    assert_eq!(files.len(), 4);
    for path in files {
        for mode in modes() {
            let outcome = run_file(&path, mode);
            assert_eq!(outcome.closed, [""; 0], "{}", path.display());
            verdict.add(&path.display().to_string(), mode, &outcome);
        }
    }
    verdict.conclude();
}

/// What the list of gates says of a file: how many assertions it has, whether it passes
/// with all gates open, and whether it needs one that is not released.
struct Listed {
    assertions: usize,
    passes: bool,
    gated: bool,
}

/// Reads the list, of which each value stands on a line of its own.
fn listed(text: &str) -> BTreeMap<String, Listed> {
    let mut files = BTreeMap::new();
    for object in text.split("\"file\": \"./").skip(1) {
        let value = |name: &str| {
            let rest = object.split(&format!("\"{name}\": ")).nth(1)?;
            rest.split([',', '\n']).next()
        };
        let file = object.split('"').next().expect("a name").to_owned();
        let assertions = value("total").and_then(|total| total.parse().ok()).expect("a number");
        let passes = value("all") == Some("0");
        let needs = object.split("\"need\": [").nth(1).and_then(|rest| rest.split(']').next());
        let needs = needs.unwrap_or_default();
        let gated = needs.split('"').filter(|name| name.starts_with(char::is_lowercase));
        let gated = gated.into_iter().any(|name| !["map", "implements"].contains(&name));
        files.insert(file, Listed { assertions, passes, gated });
    }
    files
}

/// Scripts with what the formats have no more, or have now, and how many of their assertions
/// fail for that: the option `cancellable`, and its byte in the binary format, where new
/// functions have come.
const OBSOLETE: [(&str, usize); 2] = [("async/cancellable.wast", 1), ("binary/binary.wast", 5)];

/// Runs the files of the official suite: how many of them there are that need no gate
/// beyond those that are open, and how many assertions these have.
fn run_official(gates: Gates, modes: &[Mode]) -> Option<(usize, usize, Vec<String>)> {
    let folder = shared("component-model")?;
    let list = fs::read_to_string(folder.join("gates.json")).expect("the list can be read");
    let list = listed(&list);
    let mut verdict = Verdict::default();
    let (mut files, mut assertions, mut not_run) = (0, 0, Vec::new());
    for path in scripts(&folder.join("test")).expect("the folder can be read") {
        let name = path.strip_prefix(folder.join("test")).expect("it is within");
        let name = name.display().to_string().replace('\\', "/");
        let listed = &list[&name];
        if !listed.passes || (listed.gated && gates == Gates::default()) {
            not_run.push(name);
            continue;
        }
        let obsolete = OBSOLETE.iter().find(|(file, _)| *file == name).map_or(0, |found| found.1);
        let mut ran = true;
        for &mode in modes {
            let outcome = run_file_with(&path, mode, gates);
            if !outcome.closed.is_empty() {
                not_run.push(format!("{name} ({})", outcome.closed.join(", ")));
                ran = false;
                break;
            }
            let counted = outcome.assertions;
            let expected = listed.assertions - obsolete;
            assert_eq!(counted.passed, expected, "{name} [{mode}]: {:?}", outcome.failures);
            if obsolete == 0 {
                verdict.add(&path.display().to_string(), mode, &outcome);
            }
        }
        if ran {
            files += 1;
            assertions += listed.assertions - obsolete;
        }
    }
    verdict.conclude();
    Some((files, assertions, not_run))
}

#[test]
fn official() {
    let Some((files, assertions, not_run)) = run_official(Gates::default(), &modes()) else {
        return;
    };
    println!("{files} files, {assertions} assertions; not run: {}", not_run.join(", "));
    assert_eq!((files, assertions, not_run.len()), (47, 741, 16));
}

#[test]
fn official_with_all_gates_open() {
    let all = "async,async-stackful,error-context,fixed-length-lists,implements,map,\
               more-async-builtins,threading";
    let gates: Gates = all.parse().expect("gates");
    let Some((files, assertions, not_run)) = run_official(gates, &modes()) else { return };
    println!("{files} files, {assertions} assertions; not run: {}", not_run.join(", "));
    assert_eq!((files, assertions), (59, 953));
    // What the specification has before anyone passes it.
    assert_eq!(not_run.len(), 4);
}

#[test]
fn official_limits_of_values() {
    let Some(folder) = shared("component-model") else { return };
    // It defines types of asynchronous functions, and uses none.
    let gates: Gates = "async,map,fixed-length-lists".parse().expect("gates");
    let path = folder.join("test/validation/max-value-size.wast");
    let outcome = run_file_with(&path, Mode::Interp, gates);
    assert_eq!(outcome.failures, []);
    assert_eq!(outcome.assertions.passed, 7);
}

#[test]
fn wasmtimes() {
    let Some(folder) = shared("wasmtime-misc/component-model") else { return };
    let mut verdict = Verdict::default();
    let mut not_run = 0;
    for path in scripts(&folder).expect("the folder can be read") {
        if path.ends_with("big-strings.wast") && cfg!(debug_assertions) {
            println!("passed over: {}, whose strings have gigabytes", path.display());
            continue;
        }
        // They import functions of wasmtime's own host, or name an error otherwise.
        if path.ends_with("cancel-host.wast") || path.ends_with("stream-cancel-finished-op.wast") {
            continue;
        }
        for mode in modes() {
            let outcome = run_file(&path, mode);
            if !outcome.closed.is_empty() {
                assert!(path.parent().is_some_and(|parent| parent.ends_with("async")));
                not_run += 1;
                break;
            }
            verdict.add(&path.display().to_string(), mode, &outcome);
        }
    }
    assert_eq!(not_run, 2);
    assert!(verdict.conclude().passed > 60 * modes().len());
}

/// Words of assertions, and others that would be there if anything passed.
const EXCHANGED: &[(&str, &str)] = &[
    ("(assert_invalid", "(assert_malformed"),
    ("(assert_malformed", "(assert_invalid"),
    ("(assert_unlinkable", "(assert_invalid"),
    ("(assert_trap", "(assert_exhaustion"),
    ("\"unknown handle index", "\"cannot leave component instance"),
    ("\"mismatched resource types\"", "\"unknown import\""),
    ("\"conflicts with previous name\"", "\"is not in kebab case\""),
    ("\"unreachable\"", "\"integer overflow\""),
    ("(u32.const 5)", "(u32.const 6)"),
    ("(enum.const \"c\")", "(enum.const \"b\")"),
    ("\"expected `)`\"", "\"unknown operator\""),
];

#[test]
fn nothing_passes_for_another_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/components");
    for (from, to) in EXCHANGED {
        let mut tried = 0;
        for path in scripts(&folder).expect("the folder can be read") {
            let text = fs::read_to_string(&path).expect("it can be read");
            let mut from_here = 0;
            while let Some(at) = text[from_here..].find(from) {
                let at = from_here + at;
                from_here = at + from.len();
                let text = format!("{}{to}{}", &text[..at], &text[from_here..]);
                let outcome = run_source("t", &text, Mode::Interp);
                assert!(!outcome.failures.is_empty(), "{}: {from} at {at}", path.display());
                tried += 1;
            }
        }
        assert!(tried > 0, "there is no {from}");
    }
}

#[test]
fn what_needs_a_closed_gate_is_named() {
    let text = "(component (type (map u8 u8))) (component (core func (canon thread.index)))";
    let outcome = run_source("t", text, Mode::Interp);
    assert_eq!(outcome.closed, ["threading"]);
    assert_eq!(outcome.directives.passed + outcome.directives.failed, 0);
    // What is refused with all gates open is run, and fails.
    let outcome = run_source("t", "(component (type (flags)))", Mode::Interp);
    assert_eq!((outcome.closed.len(), outcome.directives.failed), (0, 1));
}
