//! Defaults for options of `run`: a file of the user's, and variables of the environment.
//!
//! Both are of whoever runs the command. A file in the working directory would be of
//! whoever made that directory, who could so grant their programs something.
//!
//! A line of the file is an option without its dashes, `name` or `name = value`; empty
//! lines and those that begin with `#` are passed over. The variable of `--max-memory` is
//! `ZWASM_MAX_MEMORY`. Variables count before the file, and the command line before both.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::args::{Layer, Setting};
use crate::options::{COMMANDS, Flag, flags};
use crate::suggest::did_you_mean;

/// What the names of variables begin with.
const PREFIX: &str = "ZWASM_";

/// The variable that names the file; without a value there is none.
const FILE: &str = "ZWASM_CONFIG";

/// The most bytes of the file.
const MAX_SIZE: u64 = 1 << 20;

/// The defaults that there are, those that count least first.
///
/// # Errors
/// One line that names the place, when something in it is no default, or the file cannot
/// be read.
pub fn read() -> Result<Vec<Layer>, String> {
    let file = match env::var_os(FILE) {
        Some(name) if name.is_empty() => Layer::new(),
        Some(name) => file(Path::new(&name), true)?,
        None => place().map_or(Ok(Layer::new()), |path| file(&path, false))?,
    };
    Ok(vec![file, variables(env::vars_os())?])
}

/// Where the file is by the system's custom.
fn place() -> Option<PathBuf> {
    let dir = |name: &str| env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let base = match cfg!(windows) {
        true => dir("APPDATA"),
        false => dir("XDG_CONFIG_HOME").or_else(|| dir("HOME").map(|home| home.join(".config"))),
    };
    base.map(|base| base.join("zwasm").join("config"))
}

fn file(path: &Path, must_exist: bool) -> Result<Layer, String> {
    let mut text = String::new();
    let read = |file: File| file.take(MAX_SIZE + 1).read_to_string(&mut text);
    match File::open(path).and_then(read) {
        Ok(_) if text.len() as u64 <= MAX_SIZE => {}
        Ok(_) => {
            let path = path.display();
            return Err(format!("the configuration '{path}' is larger than {MAX_SIZE} bytes"));
        }
        Err(error)
            if !must_exist
                && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
        {
            return Ok(Layer::new());
        }
        Err(error) => {
            return Err(format!("cannot read the configuration '{}': {error}", path.display()));
        }
    }
    lines(&text, &path.display().to_string())
}

fn lines(text: &str, path: &str) -> Result<Layer, String> {
    let mut layer = Layer::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
            None => (line, None),
        };
        let origin = format!("'{path}', line {}: ", number + 1);
        let name = format!("--{}", name.trim_start_matches("--"));
        let known = defaults();
        let flag = known.iter().find(|flag| flag.name == name).ok_or_else(|| {
            let names: Vec<_> = known.iter().map(|flag| flag.name).collect();
            let hint = did_you_mean(&name, &names);
            format!("{origin}there is no default for an option '{name}'{hint}")
        })?;
        layer.extend(setting(flag, value, origin)?);
    }
    Ok(layer)
}

/// Names that are of no option are passed over: they may be of other programs.
fn variables(all: impl Iterator<Item = (OsString, OsString)>) -> Result<Layer, String> {
    let mut layer = Layer::new();
    for (variable, value) in all {
        let Some(variable) = variable.to_str() else { continue };
        let Some(name) = variable.strip_prefix(PREFIX) else { continue };
        let known = defaults();
        let is_named = |flag: &&&Flag| {
            let own = flag.name.trim_start_matches('-').bytes();
            own.map(|byte| if byte == b'-' { b'_' } else { byte.to_ascii_uppercase() })
                .eq(name.bytes())
        };
        let Some(flag) = known.iter().find(is_named) else { continue };
        let origin = format!("variable '{variable}': ");
        let Some(value) = value.to_str() else {
            return Err(format!("{origin}its value is not valid UTF-8"));
        };
        // As is custom, one without a value counts as not set.
        if !value.is_empty() {
            layer.extend(setting(flag, Some(value), origin)?);
        }
    }
    Ok(layer)
}

fn defaults() -> Vec<&'static Flag> {
    let mut all = flags(Some(&COMMANDS[0]));
    all.retain(|flag| flag.has_default);
    all
}

/// A default; none if it says that a flag is not given.
fn setting(
    flag: &'static Flag,
    value: Option<&str>,
    origin: String,
) -> Result<Option<Setting>, String> {
    let name = flag.name.to_owned();
    let value = match (flag.value, value) {
        ("", None | Some("1" | "true" | "yes" | "on")) => None,
        ("", Some("0" | "false" | "no" | "off")) => return Ok(None),
        ("", Some(other)) => {
            return Err(format!("{origin}'{name}' is given by 1 and not by 0, got '{other}'"));
        }
        (what, None | Some("")) => return Err(format!("{origin}'{name}' needs a value: {what}")),
        (_, Some(value)) => Some(value.to_owned()),
    };
    Ok(Some(Setting { flag, name, value, origin }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(layer: &Layer) -> Vec<(&str, Option<&str>)> {
        layer.iter().map(|one| (one.name.as_str(), one.value.as_deref())).collect()
    }

    #[test]
    fn a_file() {
        let text = "\u{feff}# mine\n\n timeout = 10s \r\nallow-env\n--dir=a = b\nsandbox = no\n";
        let layer = lines(text, "f").unwrap();
        let expected =
            [("--timeout", Some("10s")), ("--allow-env", None), ("--dir", Some("a = b"))];
        assert_eq!(shown(&layer), expected);
        assert_eq!(layer[2].origin, "'f', line 5: ");
        for (line, message) in [
            ("timeot = 1", "no default for an option '--timeot' (did you mean '--timeout'?)"),
            ("invoke = f", "no default for an option '--invoke'"),
            ("timeout", "'--timeout' needs a value: TIME"),
            ("timeout =", "'--timeout' needs a value: TIME"),
            ("sandbox = maybe", "given by 1 and not by 0, got 'maybe'"),
        ] {
            let error = lines(&format!("#\n{line}"), "f").err().unwrap();
            assert!(error.starts_with("'f', line 2: ") && error.contains(message), "{error}");
        }
    }

    #[test]
    fn the_environment() {
        let all = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> =
                pairs.iter().map(|(name, value)| (name.into(), value.into())).collect();
            variables(pairs.into_iter())
        };
        let layer = all(&[
            ("ZWASM_MAX_MEMORY", "1M"),
            ("ZWASM_SANDBOX", "1"),
            ("ZWASM_ALLOW_ENV", "0"),
            ("ZWASM_ENGINE", ""),
            ("ZWASM_INVOKE", "f"),
            ("zwasm_fuel", "1"),
            ("HOME", "/"),
        ]);
        let expected = [("--max-memory", Some("1M")), ("--sandbox", None)];
        assert_eq!(shown(&layer.unwrap()), expected);
        let error = all(&[("ZWASM_SANDBOX", "x")]).err().unwrap();
        assert!(error.starts_with("variable 'ZWASM_SANDBOX': "), "{error}");
    }
}
