//! `zwasm validate`: checks a module or component without running it.

use zwasm::{Engine, ErrorKind};

use crate::args::Check;
use crate::failure::Failure;
use crate::json::quote;
use crate::module;

/// Validates what is in a file; returns the line that says so, and the exit
/// code.
///
/// # Errors
/// When the file cannot be read or what is in it is invalid. With JSON, that it is
/// invalid is a line as well.
pub fn validate(options: &Check) -> Result<(String, i32), Failure> {
    let engine = Engine::new(&module::config(&options.features))?;
    let file = options.file.to_string_lossy();
    let outcome = module::read(&engine, &options.file);
    match outcome {
        Ok(_) if options.json.is_json() => {
            Ok((format!("{{\"file\": {}, \"valid\": true}}\n", quote(&file)), 0))
        }
        Err(error)
            if options.json.is_json()
                && matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported) =>
        {
            let offset =
                error.offset().map_or("null".into(), |offset| options.json.number(offset as u64));
            let (file, message) = (quote(&file), quote(&error.to_string()));
            let line = format!(
                "{{\"file\": {file}, \"valid\": false, \"error\": {message}, \"offset\": {offset}}}\n"
            );
            Ok((line, 2))
        }
        Ok(_) => Ok((format!("{}: valid\n", file.escape_debug()), 0)),
        Err(error) => Err(module::failure(error, &options.file)),
    }
}
