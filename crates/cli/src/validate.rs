//! `zwasm validate`: checks a module without running it.

use zwasm::{Config, Engine};

use crate::args::Validate;
use crate::failure::Failure;
use crate::module;

/// Validates the module in a file; returns the line that says so.
///
/// # Errors
/// When the file cannot be read or the module is invalid.
pub fn validate(options: &Validate) -> Result<String, Failure> {
    let mut config = Config::new();
    for &feature in &options.disabled {
        config.wasm_feature(feature, false);
    }
    module::load(&Engine::new(&config)?, &options.file)?;
    Ok(format!("{}: valid\n", options.file.display()))
}
