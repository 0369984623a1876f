//! `zwasm validate`: checks a module without running it.

use std::path::Path;

use zwasm::Engine;

use crate::failure::Failure;
use crate::module;

/// Validates the module in a file; returns the line that says so.
///
/// # Errors
/// When the file cannot be read or the module is invalid.
pub fn validate(path: &Path) -> Result<String, Failure> {
    module::load(&Engine::default(), path)?;
    Ok(format!("{}: valid\n", path.display()))
}
