//! From a path to a module: reading the file and telling text from binary.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use zwasm::{Engine, Module};

use crate::args::COMMANDS;
use crate::failure::Failure;
use crate::suggest::did_you_mean;

/// The largest module read, in bytes; the limit that browsers set.
const MAX_BYTES: u64 = 1 << 30;

/// Reads the file of a module.
///
/// # Errors
/// When the file does not exist, is a directory, or cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| {
        // One allocation of the right size, where the size is known.
        let size = file.metadata().map_or(0, |meta| meta.len()).min(MAX_BYTES);
        bytes.reserve_exact(size as usize + 1);
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)
    }) {
        Ok(_) if bytes.len() as u64 > MAX_BYTES => {
            Err(Failure::unreadable(format!("{}: larger than 1 GiB", path.display())))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::unreadable(unreadable(path, &error))),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    let reason = match error.kind() {
        ErrorKind::NotFound => "no such file",
        ErrorKind::IsADirectory => "is a directory",
        ErrorKind::PermissionDenied => "permission denied",
        _ => return format!("cannot read '{}': {error}", path.display()),
    };
    // A lone word that is no file was probably meant as a command.
    let word = path.to_str().filter(|word| !word.contains(['.', '/', '\\']));
    let hint = word.map_or_else(String::new, |word| did_you_mean(word, COMMANDS.iter().copied()));
    format!("cannot read '{}': {reason}{hint}", path.display())
}

/// Compiles the module in `bytes`, which may be text if `path` or the bytes
/// themselves say so.
///
/// # Errors
/// When the module is invalid; of text, the message tells line and column.
pub fn load(engine: &Engine, path: &Path, bytes: &[u8]) -> Result<Module, Failure> {
    let module = if is_text(path, bytes) {
        text(engine, path, bytes)?
    } else {
        Module::from_binary(engine, bytes)?
    };
    Ok(module)
}

#[cfg(feature = "wat")]
fn text(engine: &Engine, path: &Path, bytes: &[u8]) -> Result<Module, Failure> {
    Module::new(engine, bytes)
        .map_err(|error| Failure::invalid(format!("{}:{error}", path.display())))
}

#[cfg(not(feature = "wat"))]
fn text(_: &Engine, path: &Path, _: &[u8]) -> Result<Module, Failure> {
    let path = path.display();
    Err(Failure::invalid(format!("'{path}' is in the text format, which this build leaves out")))
}

/// Whether a file holds the text format: by its name, or because its first
/// character that counts opens a parenthesis or a comment.
///
/// An empty file is text only by its name: the text format reads it as an
/// empty module, but a file that lost its content should not pass.
fn is_text(path: &Path, bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    !bytes.starts_with(b"\0asm")
        && (path.extension().is_some_and(|ext| ext == "wat") || matches!(first, Some(b'(' | b';')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_by_name_or_content() {
        let text = |path: &str, bytes: &[u8]| is_text(Path::new(path), bytes);
        assert!(text("a.wat", b"(module)"));
        assert!(text("a.wat", b""));
        assert!(text("a.wasm", b"(module)"));
        assert!(text("a", b" \n;; comment\n(module)"));
        assert!(text("a", b"(; comment ;)"));
        assert!(!text("a.wat", b"\0asm\x01\0\0\0"));
        assert!(!text("a.wasm", b""));
        assert!(!text("a.wasm", b"\x7fELF"));
        assert!(!text("a.wasm", b"hello"));
    }

    #[test]
    fn unreadable_files() {
        let missing = read(Path::new("does-not-exist.wasm")).unwrap_err();
        assert_eq!(missing.code(), 126);
        assert_eq!(missing.report(), "error: cannot read 'does-not-exist.wasm': no such file\n");
        let typo = read(Path::new("valdiate")).unwrap_err();
        assert!(typo.report().contains("did you mean 'validate'?"), "{}", typo.report());
        assert_eq!(read(Path::new("src")).unwrap_err().code(), 126);
    }
}
