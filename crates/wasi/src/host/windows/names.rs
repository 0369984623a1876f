//! Names in paths that Windows takes for something else.
//!
//! A path of a guest is names with slashes between them. Windows reads more into it: a
//! backslash is a slash too, `C:` is a drive, `file:stream` is a part of a file with
//! other contents, and `NUL` or `COM1.txt` is a device wherever it stands. Dots and
//! spaces at the end of a name are dropped, so that it is another name. A guest can not
//! mean any of this, and what it means does not exist here: such names are refused,
//! before any call of the system sees them.

use std::io;

/// Characters that no name can have.
const NEVER: [char; 8] = ['\\', ':', '<', '>', '"', '|', '?', '*'];

/// Checks that the names of a path are names for Windows too.
pub(crate) fn check_name(path: &str) -> io::Result<()> {
    match path.split('/').all(is_plain) {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "no name for Windows")),
    }
}

fn is_plain(name: &str) -> bool {
    if matches!(name, "" | "." | "..") {
        return true;
    }
    let odd = |c: char| c < ' ' || NEVER.contains(&c);
    !name.contains(odd) && !name.ends_with(['.', ' ']) && !is_device(name)
}

/// Whether this is the name of a device, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ').to_ascii_uppercase();
    let numbered = |prefix: &str| {
        let number = stem.strip_prefix(prefix);
        number.is_some_and(|number| {
            let mut digits = number.chars();
            let digit = digits.next().is_some_and(|c| c.is_ascii_digit() || "¹²³".contains(c));
            digit && digits.next().is_none()
        })
    };
    matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$")
        || numbered("COM")
        || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names() {
        for path in [
            "",
            "/",
            ".",
            "..",
            "a/../b/",
            "a.b.c",
            ".hidden",
            "näme",
            "日本",
            "console",
            "nul1",
            "com",
            "com10",
            "lpt",
            "auxiliary.txt",
            "a b",
            " a",
            "a'b",
            "comma",
            "con-1",
        ] {
            assert!(check_name(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn what_windows_reads_more_into_is_refused() {
        for path in [
            "a\\b",
            "..\\x",
            "\\\\?\\C:\\",
            "C:",
            "C:/x",
            "c:x",
            "file:stream",
            "file::$DATA",
            "nul",
            "NUL",
            "NuL.txt",
            "nul .txt",
            "dir/con",
            "con/file",
            "COM1",
            "com0",
            "COM¹",
            "com².a.b",
            "lpt9",
            "LPT³",
            "conin$",
            "CONOUT$",
            "aux",
            "prn.",
            "clock$",
            "a.",
            "a ",
            "a. .",
            "...",
            ".. ",
            "x/... /y",
            "a*",
            "a?",
            "a<b",
            "a|b",
            "a\"",
            "a\n",
            "a\u{1}",
        ] {
            let error = check_name(path).map_err(|error| error.kind());
            assert_eq!(error, Err(io::ErrorKind::InvalidInput), "{path}");
        }
    }
}
