//! `--coredump FILE`: what a program that was stopped left behind.

use std::io::BufWriter;
use std::path::Path;

use zwasm::Store;

use crate::args::Run;
use crate::failure::Failure;
use crate::guest::Guest;
use crate::output::{create, refuse_existing, unwritable};

const OPTION: &str = "--coredump";

/// Refuses, before anything runs, to write where there is a file.
///
/// # Errors
/// When there is one.
pub fn check(options: &Run) -> Result<(), Failure> {
    match &options.core_dump {
        Some(path) => refuse_existing(Path::new(path), options.overwrite, OPTION),
        None => Ok(()),
    }
}

/// Writes the dump, if it is wanted and a guest of the store was stopped.
pub fn write<T>(options: &Run, store: &Store<Guest>, outcome: &mut Result<T, Failure>) {
    let (Some(path), Err(failure)) = (&options.core_dump, outcome) else { return };
    let Some(dump) = failure.core_dump() else { return };
    let name = options.file.to_string_lossy();
    let path = Path::new(path);
    let written = create(path, options.overwrite, OPTION).and_then(|file| {
        let written = dump.write(store, &name, &mut BufWriter::new(file));
        written.map_err(|error| unwritable(path, OPTION, &error))
    });
    // What is reported is why the guest was stopped.
    if let Err(unwritten) = written {
        failure.note(unwritten.message().to_owned());
    }
}
