//! Files that the command writes beside what it prints. None is replaced unless
//! `--overwrite` says so.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use crate::failure::Failure;

/// Opens a file that `option` names to be written. What is no file, a pipe or a terminal
/// say, can be written to without being lost.
///
/// # Errors
/// When there is such a file already, or it cannot be written.
pub fn create(path: &Path, overwrite: bool, option: &str) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    match overwrite {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    let outcome = options.open(path).or_else(|error| match path.metadata() {
        Ok(there) if error.kind() == ErrorKind::AlreadyExists && !there.is_file() => {
            OpenOptions::new().write(true).open(path)
        }
        _ => Err(error),
    });
    outcome.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path, option),
        _ => unwritable(path, option, &error),
    })
}

/// Refuses to write later where there is a file now.
///
/// # Errors
/// When there is one.
pub fn refuse_existing(path: &Path, overwrite: bool, option: &str) -> Result<(), Failure> {
    if path.is_file() && !overwrite { Err(exists(path, option)) } else { Ok(()) }
}

fn exists(path: &Path, option: &str) -> Failure {
    Failure::runtime(format!(
        "option '{option}': there is a file '{}', which only '--overwrite' replaces",
        path.display()
    ))
}

/// That a file cannot be written.
pub fn unwritable(path: &Path, option: &str, error: &std::io::Error) -> Failure {
    Failure::runtime(format!("option '{option}': cannot write '{}': {error}", path.display()))
}
