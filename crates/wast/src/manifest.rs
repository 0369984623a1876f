//! Measures over a fixed set of scripts: every file is named with the number
//! of its assertions and the hash of its content, so that the figures of two
//! systems have one denominator.
//!
//! Only `assert_…` directives count. A file that is missing or differs fails
//! with all its assertions.

use crate::{Mode, Outcome, Tally, mismatch_at, run_source};
use std::fs;
use std::path::{Path, PathBuf};

/// One file of a manifest.
pub struct Entry {
    /// The name it goes by.
    pub name: String,
    /// How many `assert_…` directives it holds.
    pub assertions: usize,
    /// The first 16 hexadecimal digits of its SHA-256.
    pub hash: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Reads the manifest at `path`: lines of name, assertions, hash and path,
/// separated by tabs, paths being relative to the folder above the manifest's
/// own. Lines that begin with `#` are comments.
///
/// # Errors
/// When it cannot be read or a line has another form; the text says which.
pub fn read(path: &Path) -> Result<Vec<Entry>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new("")).join("..");
    parse(&text, &folder)
        .map_err(|line| format!("{}:{line}: expected name, assertions, hash, path", path.display()))
}

fn parse(text: &str, folder: &Path) -> Result<Vec<Entry>, usize> {
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let columns: Vec<&str> = line.split('\t').collect();
        let &[name, assertions, hash, file] = columns.as_slice() else {
            return Err(index + 1);
        };
        let assertions = assertions.parse().map_err(|_| index + 1)?;
        let path = folder.join(file);
        entries.push(Entry { name: name.into(), assertions, hash: hash.into(), path });
    }
    Ok(entries)
}

/// Runs the entry's file. The assertions counted are exactly those the
/// manifest promises.
#[must_use]
pub fn run(entry: &Entry, mode: Mode) -> Outcome {
    let name = entry.path.display().to_string();
    let lost = |expected: &str, got: String| Outcome {
        directives: Tally { passed: 0, failed: entry.assertions },
        assertions: Tally { passed: 0, failed: entry.assertions },
        failures: vec![mismatch_at(name.clone(), 1, "file", expected, got)],
        closed: Vec::new(),
    };
    let bytes = match fs::read(&entry.path) {
        Ok(bytes) => bytes,
        Err(error) => return lost("a readable script", error.to_string()),
    };
    let hash = sha256_hex(&bytes);
    if !hash.starts_with(&entry.hash) {
        return lost(&format!("SHA-256 {}…", entry.hash), format!("{}…", &hash[..16]));
    }
    let Ok(text) = String::from_utf8(bytes) else {
        return lost("a readable script", "text that is not UTF-8".into());
    };
    let mut outcome = run_source(&name, &text, mode);
    let counted = outcome.assertions.passed + outcome.assertions.failed;
    if counted != entry.assertions {
        let (expected, got) = (format!("{} assertions", entry.assertions), counted.to_string());
        outcome.failures.push(mismatch_at(name, 1, "file", &expected, got));
        outcome.assertions.passed = outcome.assertions.passed.min(entry.assertions);
        outcome.assertions.failed = entry.assertions - outcome.assertions.passed;
    }
    outcome
}

/// The SHA-256 digest of `bytes` in lower-case hexadecimal.
fn sha256_hex(bytes: &[u8]) -> String {
    hmac_sha256::Hash::hash(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_and_other_lines_refused() {
        let entries = parse("#name\n\na.wast\t3\tab12\tcore/a.wast\n", Path::new("base")).unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].name.as_str(), entries[0].assertions), ("a.wast", 3));
        assert_eq!(entries[0].path, Path::new("base/core/a.wast"));
        assert_eq!(parse("a.wast\tmany\tab12\tcore/a.wast", Path::new("")).err(), Some(1));
        assert_eq!(parse("#x\na.wast 3", Path::new("")).err(), Some(2));
    }
}
