//! The official WASI tests, which are looked for beside the repository; without
//! them there is nothing to test.

use std::path::Path;

use zwasm_wast::Mode;
use zwasm_wast::wasi::{check, programs};

/// Programs that make symbolic links.
const LINKING: [&str; 9] = [
    "dangling_symlink",
    "nofollow_errors",
    "path_exists",
    "path_link",
    "path_symlink_trailing_slashes",
    "readlink",
    "symlink_create",
    "symlink_filestat",
    "symlink_loop",
];

/// Whether this process can make symbolic links: on Windows that takes a privilege, and
/// wine only says that it made one.
fn can_link() -> bool {
    #[cfg(windows)]
    {
        let link = std::env::temp_dir().join(format!("zwasm-link-{}", std::process::id()));
        let made = std::os::windows::fs::symlink_file("to", &link).is_ok();
        let can = made && link.read_link().is_ok();
        let _ = std::fs::remove_file(link);
        can
    }
    #[cfg(not(windows))]
    true
}

/// All programs of these folders must hold, and there must be so many.
fn all_hold(folders: &[&str], expected: usize) {
    chosen_hold(folders, expected, |_| true);
}

/// The same for the programs whose names are chosen.
fn chosen_hold(folders: &[&str], expected: usize, chosen: impl Fn(&str) -> bool) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    if !root.is_dir() {
        println!("passed over: there is no {}", root.display());
        return;
    }
    let links = can_link();
    let (mut count, mut failures) = (0, Vec::new());
    for folder in folders {
        for program in programs(&root.join(folder)).unwrap() {
            let name = program.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if !chosen(name) {
                continue;
            }
            count += 1;
            if !links && LINKING.contains(&name) {
                println!("passed over: {name}, which makes symbolic links");
                continue;
            }
            for mode in [Mode::Interp, Mode::Auto] {
                if let Err(failure) = check(&program, mode) {
                    failures.push(format!("{} [{mode}]: {failure}", program.display()));
                }
            }
        }
    }
    assert_eq!(count, expected, "programs");
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn preview_1() {
    let folders = ["assemblyscript", "c", "rust"]
        .map(|suite| format!("wasi-testsuite/{suite}/wasm32-wasip1"));
    all_hold(&folders.each_ref().map(String::as_str), 72);
}

#[test]
fn threads() {
    all_hold(&["wasi-testsuite/proposals/wasi-threads"], 15);
}

/// The same programs as components, by the adapter of the component tools.
#[test]
fn preview_1_over_0_2() {
    let folders = ["assemblyscript", "c", "rust"];
    let folders = folders.map(|suite| format!("p2-components/from-p1-wasi-testsuite/{suite}"));
    all_hold(&folders.each_ref().map(String::as_str), 68);
}

#[test]
fn wasi_0_3() {
    all_hold(&["wasi-testsuite/rust/wasm32-wasip3"], 55);
}
