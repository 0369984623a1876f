//! The layers of the crate, as `docs/architecture.md` has them: no file names one that
//! lies above it.

use std::path::{Path, PathBuf};

/// The uppermost layer: what of it is named at the crate's root is it, too.
const TOP: &str = "api";

/// Files that are in no layer: the root, which says what is public, and programs.
const OUTSIDE: &[&str] = &["lib.rs", "soundness.rs"];

/// The lowest layer, and all that its files may name of the crate.
const BOTTOM: &str = "sys";
const BELOW: &[&str] = &["sys", "tuning"];

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("the sources are there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file, without comments and without the tests at its end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = |line: &str| line.starts_with("#[cfg(test") || line.starts_with("#[cfg(all(test");
    let lines = text.lines().enumerate().take_while(move |(_, line)| !tests(line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// What code names of the crate: the first names of paths from its root.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|path| {
        let end = path.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        &path[..end.unwrap_or(path.len())]
    })
}

/// Why a file may not name something, if it may not.
fn fault(file: &str, name: &str) -> Option<&'static str> {
    if OUTSIDE.contains(&file) || file.starts_with(TOP) {
        return None;
    }
    if file.starts_with(BOTTOM) && !BELOW.contains(&name) {
        return Some("it is in the lowest layer");
    }
    // What is public is named at the root for the embedder; the crate names its home.
    let public = name.starts_with(|c: char| c.is_uppercase());
    (name == TOP || public).then_some("it is below the interface")
}

#[test]
fn no_file_names_a_layer_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    assert!(found.iter().any(|path| path.starts_with(root.join(TOP))), "there is no {TOP}");
    let mut faults = Vec::new();
    for path in &found {
        let file = path.strip_prefix(&root).expect("it is below").to_str().expect("it is UTF-8");
        let text = std::fs::read_to_string(path).expect("it can be read");
        for (line, code) in code(&text) {
            for name in named(code) {
                if let Some(why) = fault(file, name) {
                    faults.push(format!("{file}:{}: names crate::{name}, but {why}", line + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn faults_are_found() {
    let all = |file, line| named(line).filter_map(|name| fault(file, name)).count();
    assert_eq!(all("store/mod.rs", "use crate::api::func::Caller;"), 1);
    assert_eq!(all("store/mod.rs", "fn f(_: crate::Caller<'_, T>, _: crate::error::Error) {}"), 1);
    assert_eq!(all("api/func.rs", "use crate::api::func::Caller;"), 0);
    assert_eq!(all("sys/unix.rs", "use crate::store::Store; use crate::tuning::N;"), 1);
    let text = "// crate::api\nuse crate::error;\n#[cfg(test)]\nuse crate::api;\n";
    assert_eq!(code(text).collect::<Vec<_>>(), [(1, "use crate::error;")]);
}
