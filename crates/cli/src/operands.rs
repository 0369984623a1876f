//! What the values of options mean: directories, modules, variables, names out of a table.

use std::path::{Path, PathBuf};

use zwasm::{Feature, Strategy};

use crate::json::Format;
use crate::options::feature_names;
use crate::suggest::did_you_mean;

/// A host directory and the name under which the guest finds it.
#[derive(Debug, PartialEq)]
pub struct Preopen {
    /// Path on the host.
    pub host: String,
    /// Name in the guest.
    pub guest: String,
    /// Whether the guest can change nothing in it.
    pub read_only: bool,
}

pub fn preopen(value: String) -> Result<Preopen, String> {
    let stripped = value.strip_suffix(":ro");
    let (names, read_only) = (stripped.unwrap_or(&value), stripped.is_some());
    let (host, guest) = names.split_once("::").unwrap_or((names, names));
    if guest.ends_with(":rw") {
        let rest = value.trim_end_matches(":rw");
        return Err(format!("option '--dir' knows ':ro' only: '{rest}' is writable anyway"));
    }
    if host.is_empty() || guest.is_empty() {
        return Err(format!("option '--dir' expects PATH or HOST::GUEST, got '{value}'"));
    }
    Ok(Preopen { host: host.to_owned(), guest: guest.to_owned(), read_only })
}

/// A module to take imports from.
#[derive(Debug, PartialEq)]
pub struct Link {
    /// The name that imports use.
    pub name: String,
    /// The module's file.
    pub file: PathBuf,
}

/// The name may be empty, as a module's may that imports name. Where there are
/// several `=`, the first one divides behind which there is a file.
pub fn link(value: &str, exists: &dyn Fn(&Path) -> bool) -> Result<Link, String> {
    let mut divided = value.match_indices('=').map(|(at, _)| (&value[..at], &value[at + 1..]));
    let first = divided.clone().next();
    let found = divided.find(|(_, file)| *file == "-" || exists(Path::new(file))).or(first);
    match found {
        Some((name, file)) if !file.is_empty() => {
            Ok(Link { name: name.to_owned(), file: file.into() })
        }
        Some(_) => Err(format!("option '--link' expects NAME=FILE, got '{value}' without a file")),
        None => {
            let hint = match value.split_once(':') {
                Some((name, file)) if !file.is_empty() => {
                    format!(" (did you mean '{name}={file}'?)")
                }
                _ => match Path::new(value).file_stem().and_then(|stem| stem.to_str()) {
                    Some(stem) if exists(Path::new(value)) => {
                        format!(" (did you mean '{stem}={value}'?)")
                    }
                    _ => " (NAME is the module that imports name)".into(),
                },
            };
            Err(format!("option '--link' expects NAME=FILE, got '{value}'{hint}"))
        }
    }
}

/// What stands for an import that nothing provides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unknown {
    /// A function that traps.
    Trap,
    /// A function that returns zeros, and empty things.
    Default,
}

pub fn unknown(value: &str) -> Result<Unknown, String> {
    match value {
        "trap" => Ok(Unknown::Trap),
        "default" => Ok(Unknown::Default),
        _ => {
            let hint = did_you_mean(value, &["trap", "default"]);
            Err(format!("option '--unknown-imports' expects trap or default, got '{value}'{hint}"))
        }
    }
}

pub fn variable(value: &str) -> Result<(String, Option<String>), String> {
    let wrong =
        |how: &str| Err(format!("option '--env' expects KEY=VALUE or KEY, got '{value}'{how}"));
    match value.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), Some(value.to_owned()))),
        Some(_) => wrong(" without a key"),
        None => match value.split_once(':') {
            Some((key, value)) if !key.is_empty() => {
                wrong(&format!(" (did you mean '{key}={value}'?)"))
            }
            _ if value.is_empty() => wrong(""),
            _ => Ok((value.to_owned(), None)),
        },
    }
}

pub fn feature(name: &str) -> Result<Feature, String> {
    name.parse().map_err(|_| {
        let hint = did_you_mean(name, &feature_names());
        format!("unknown feature '{name}'{hint}")
    })
}

/// The engines by name.
const ENGINES: [(&str, Strategy); 4] = [
    ("interp", Strategy::Interpreter),
    ("baseline", Strategy::Baseline),
    ("jit", Strategy::Optimizing),
    ("auto", Strategy::Auto),
];

pub fn engine(name: &str) -> Result<Strategy, String> {
    // For tests: each function is interpreted or compiled, as the number decides.
    if let Some(seed) = name.strip_prefix("mixed:").and_then(|seed| seed.parse().ok()) {
        return Ok(Strategy::Mixed(seed));
    }
    let found = ENGINES.iter().find(|(known, _)| *known == name);
    found.map(|(_, strategy)| *strategy).ok_or_else(|| {
        let hint = did_you_mean(name, &ENGINES.map(|(known, _)| known));
        let hint = if hint.is_empty() { " (interp, baseline, jit or auto)" } else { &hint };
        format!("unknown engine '{name}'{hint}")
    })
}

/// What `--json` may be told beside that it is there.
pub fn json(value: Option<&str>) -> Result<Format, String> {
    match value {
        None => Ok(Format::Json),
        Some("safe") => Ok(Format::SafeJson),
        Some(other) => {
            let hint = did_you_mean(other, &["safe"]);
            Err(format!("option '--json' may be given as '--json=safe', got '{other}'{hint}"))
        }
    }
}

#[cfg(feature = "trace")]
pub fn func(value: &str, name: &str) -> Result<u32, String> {
    value
        .parse()
        .map_err(|_| format!("option '{name}' expects the index of a function, got '{value}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_divided_where_a_file_follows() {
        let divided = |value: &str, files: &[&str]| {
            let exists = |path: &Path| files.iter().any(|file| path == Path::new(file));
            link(value, &exists).map(|link| (link.name, link.file))
        };
        for (value, files, name, file) in [
            ("a=b=c", &["c"][..], "a=b", "c"),
            ("a=b=c", &["b=c"], "a", "b=c"),
            ("a=b=c", &["c", "b=c"], "a", "b=c"),
            ("a=b=c", &[], "a", "b=c"),
            ("a=b=-", &[], "a=b", "-"),
            ("==c", &["c"], "=", "c"),
            ("=c", &[], "", "c"),
            ("a==", &[], "a", "="),
        ] {
            assert_eq!(divided(value, files), Ok((name.into(), file.into())), "{value} {files:?}");
        }
        for (value, part) in [
            ("m", "got 'm' (NAME is the module that imports name)"),
            ("d/m.wasm", "(did you mean 'm=d/m.wasm'?)"),
            ("m:x.wasm", "(did you mean 'm=x.wasm'?)"),
            ("m=", "got 'm=' without a file"),
            ("=", "got '=' without a file"),
        ] {
            let message = divided(value, &["d/m.wasm"]).unwrap_err();
            assert!(message.starts_with("option '--link' expects NAME=FILE, got "), "{message}");
            assert!(message.ends_with(part), "{message}");
        }
    }
}
