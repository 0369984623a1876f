//! A build that leaves the text format out says so, and runs binaries.

#![cfg(not(feature = "wat"))]

use std::path::Path;
use std::process::{Command, Output};

fn zwasm(name: &str, content: impl AsRef<[u8]>) -> Output {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_zwasm")).arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    output
}

#[test]
fn text_is_refused_by_name_and_by_content() {
    for name in ["no_text.wat", "no_text"] {
        let output = zwasm(name, "(module)");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains("text"), "{stderr}");
    }
}

#[test]
fn binaries_run() {
    let output = zwasm("no_text.wasm", wat::parse_str("(module)").unwrap());
    assert_eq!(output.status.code(), Some(0));
}
