//! From a path to a module or component.

use std::path::Path;

use zwasm::source::{self, Kind};
use zwasm::{Config, Engine, Error, ErrorKind, Module};
#[cfg(feature = "component")]
use zwasm_component::Component;

use crate::args::Switch;
use crate::failure::Failure;
use crate::options::command_names;
use crate::progress::Progress;
use crate::suggest::did_you_mean;

/// The path that means standard input.
const STDIN: &str = "-";

/// A configuration with some features of WebAssembly, or without.
pub fn config(features: &[Switch]) -> Config {
    let mut config = Config::new();
    for &(feature, on) in features {
        config.wasm_feature(feature, on);
    }
    config
}

/// What a file has in it.
pub enum Program {
    /// A core module.
    Module(Module),
    /// A component.
    #[cfg(feature = "component")]
    Component(Component),
}

/// Reads the module or component in a file, binary or text, and validates all of it.
///
/// # Errors
/// When the file cannot be read or has neither in it.
pub fn read(engine: &Engine, path: &Path) -> Result<Program, Error> {
    let (bytes, name) = match path.as_os_str() == STDIN {
        true => {
            let name = Path::new("standard input");
            (source::read(&mut std::io::stdin().lock(), name)?, name)
        }
        false => (source::read_file(path)?, path),
    };
    #[cfg(feature = "component")]
    if source::is_component(&bytes) {
        let binary = source::to_binary(Kind::Component, bytes.into(), Some(name))?;
        return Component::from_vec(engine, binary.into_owned()).map(Program::Component);
    }
    let binary = source::to_binary(Kind::Module, bytes.into(), Some(name))?;
    Module::from_vec(engine, binary.into_owned()).map(Program::Module)
}

/// As [`read`], with the error as the command reports it.
///
/// # Errors
/// As [`read`].
pub fn load(engine: &Engine, path: &Path) -> Result<Program, Failure> {
    let progress = Progress::loading(path);
    let program = read(engine, path);
    drop(progress);
    program.map_err(|error| failure(error, path))
}

/// Why what is in a file cannot be used.
pub fn failure(error: Error, path: &Path) -> Failure {
    let unreadable = error.kind() == ErrorKind::Io;
    let mut failure = Failure::from(error);
    if unreadable && path.is_dir() {
        failure.add("; a module is one file, binary (.wasm) or text (.wat)");
    }
    if failure.message().contains("unexpected end-of-file") {
        failure.add(" (was the file cut short?)");
    }
    // A lone word that is no file was probably meant as a command.
    let word = path.to_str().filter(|word| !word.contains(['.', '/', '\\']));
    if let (true, Some(word)) = (unreadable, word) {
        failure.add(&did_you_mean(word, &command_names()));
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(path: &str) -> Failure {
        load(&Engine::default(), Path::new(path)).err().unwrap()
    }

    #[test]
    fn unreadable_files() {
        let missing = failure("does-not-exist.wasm");
        assert_eq!(missing.code(), 126);
        let report = missing.report(false);
        assert!(report.contains("does-not-exist.wasm"), "{report}");
        assert_eq!(failure("src").code(), 126);
    }

    #[test]
    fn mistyped_commands() {
        let typo = failure("valdiate").report(false);
        assert!(typo.contains("did you mean 'validate'?"), "{typo}");
        assert!(!failure("valdiate.wasm").report(false).contains("did you mean"));
    }
}
