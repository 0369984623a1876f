//! From a path to a module.

use std::path::Path;

use zwasm::{Engine, ErrorKind, Module};

use crate::args::COMMANDS;
use crate::failure::Failure;
use crate::suggest::did_you_mean;

/// Loads the module in a file, binary or text, and validates all of it.
///
/// # Errors
/// When the file cannot be read or is no valid module.
pub fn load(engine: &Engine, path: &Path) -> Result<Module, Failure> {
    Module::from_file(engine, path).map_err(|error| {
        let unreadable = error.kind() == ErrorKind::Io;
        let mut failure = Failure::from(error);
        // A lone word that is no file was probably meant as a command.
        let word = path.to_str().filter(|word| !word.contains(['.', '/', '\\']));
        if let (true, Some(word)) = (unreadable, word) {
            failure.add(&did_you_mean(word, COMMANDS.iter().copied()));
        }
        failure
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(path: &str) -> Failure {
        load(&Engine::default(), Path::new(path)).unwrap_err()
    }

    #[test]
    fn unreadable_files() {
        let missing = failure("does-not-exist.wasm");
        assert_eq!(missing.code(), 126);
        assert!(missing.report().contains("does-not-exist.wasm"), "{}", missing.report());
        assert_eq!(failure("src").code(), 126);
    }

    #[test]
    fn mistyped_commands() {
        let typo = failure("valdiate").report();
        assert!(typo.contains("did you mean 'validate'?"), "{typo}");
        assert!(!failure("valdiate.wasm").report().contains("did you mean"));
    }
}
