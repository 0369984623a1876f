//! The command line: what the words mean, before anything is opened or run.
//!
//! Commands and options stand in the tables of `options`; this file gives them
//! their meaning. Parsing is by hand: the grammar has one unusual rule (negative
//! numbers are words, not flags) and otherwise needs less code than the glue to
//! a library would.
//!
//! Grammar: flags and words mix freely. The first word is the file. With
//! `--invoke` the further words are the function's arguments, without it the
//! program's. Words after `--` are the program's in either case.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zwasm::{Feature, Strategy};

use crate::completions::Shell;
use crate::grants::Grants;
use crate::json::Format;
use crate::number;
use crate::options::{
    COMMANDS, CommandInfo, Flag, Id, command, command_names, feature_names, find, flag_names,
};
use crate::suggest::did_you_mean;

/// What the user asked for.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Execute a module or component.
    Run(Box<Run>),
    /// Show what a file imports and exports.
    Inspect(Check),
    /// Check a file without executing it.
    Validate(Check),
    /// List the features of WebAssembly.
    Features(Format),
    /// Print a completion script.
    Completions(Shell),
    /// Print the manual page.
    Man,
    /// Print the version.
    Version,
    /// Print the usage, of one command or of all.
    Help(Option<&'static CommandInfo>),
}

/// What `zwasm inspect FILE` and `zwasm validate FILE` take.
#[derive(Debug, Default, PartialEq)]
pub struct Check {
    /// The module's file.
    pub file: PathBuf,
    /// The features of WebAssembly that the module may not use.
    pub disabled: Vec<Feature>,
    /// How to print it.
    pub json: Format,
}

/// Everything that `zwasm FILE` and `zwasm run FILE` take.
#[derive(Debug, Default, PartialEq)]
pub struct Run {
    /// The module's file.
    pub file: PathBuf,
    /// The export to call instead of `_start`.
    pub invoke: Option<String>,
    /// The arguments of the invoked function, as text; empty without `invoke`.
    pub call_args: Vec<String>,
    /// Whether to read calls from standard input.
    pub batch: bool,
    /// The modules to take imports from.
    pub links: Vec<Link>,
    /// How to print results.
    pub json: Format,
    /// The guest's arguments after `argv[0]`.
    pub program_args: Vec<String>,
    /// The directories the guest may reach.
    pub dirs: Vec<Preopen>,
    /// The addresses the guest may accept connections on.
    pub listen: Vec<String>,
    /// Environment variables for the guest, in the order given; of one given
    /// twice, the last.
    pub env: Vec<(String, String)>,
    /// The capabilities granted.
    pub grants: Grants,
    /// Whether to grant nothing but by further flags, and to limit the rest.
    pub sandbox: bool,
    /// Whether to report each call of WASI.
    pub trace_wasi: bool,
    /// Instructions the guest may execute.
    pub fuel: Option<u64>,
    /// The time that all of it may take.
    pub timeout: Option<Duration>,
    /// Ceiling of a linear memory, in bytes.
    pub max_memory: Option<u64>,
    /// Ceiling of the guest's call stack, in bytes.
    pub max_stack: Option<u64>,
    /// Ceiling of the heap of objects, in bytes.
    pub max_gc_heap: Option<u64>,
    /// Bytes of machine code.
    pub max_code: Option<u64>,
    /// Bytes of memories, tables, objects and exceptions together.
    pub max_total: Option<u64>,
    /// The features of WebAssembly that the module may not use.
    pub disabled: Vec<Feature>,
    /// What to tell of what was executed.
    #[cfg(feature = "trace")]
    pub profile: Option<crate::observe::Profiling>,
    /// What to report.
    #[cfg(feature = "trace")]
    pub trace: zwasm::Trace,
    /// The functions whose register IR to print.
    #[cfg(feature = "trace")]
    pub dump_regir: Vec<u32>,
    /// The functions whose SSA form to print, and after which pass.
    #[cfg(all(feature = "optimize", feature = "trace"))]
    pub dump_ssa: Vec<(u32, Option<String>)>,
    /// The passes of the optimizing compiler to leave out.
    #[cfg(all(feature = "optimize", feature = "trace"))]
    pub without_passes: Vec<String>,
    /// The functions whose machine code to print.
    #[cfg(feature = "trace")]
    pub dump_jit: Vec<u32>,
    /// Whether every NaN that is computed is the canonical one.
    pub deterministic: bool,
    /// Whether to tell `perf` where compiled functions are.
    pub perf_map: bool,
    /// What runs the module's code.
    pub engine: Option<Strategy>,
}

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

/// A module to take imports from.
#[derive(Debug, PartialEq)]
pub struct Link {
    /// The name that imports use.
    pub name: String,
    /// The module's file.
    pub file: PathBuf,
}

/// What other runtimes call options of ours.
const ELSEWHERE: [(&str, &str); 7] = [
    ("--map", "'--dir HOST::GUEST'"),
    ("--mapdir", "'--dir HOST::GUEST'"),
    ("--map-dir", "'--dir HOST::GUEST'"),
    ("--volume", "'--dir HOST::GUEST'"),
    ("--preload", "'--link NAME=FILE'"),
    ("--tcplisten", "'--listen HOST:PORT'"),
    ("--entrypoint", "'--invoke NAME'"),
];

const NO_FILE: &str = "no file given ('zwasm help' shows the usage)";

/// Parses the words of the command line after the program's own name.
///
/// # Errors
/// One line that names the offending word.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut words = words.into_iter().peekable();
    let Some(first) = words.peek() else { return Err(NO_FILE.into()) };
    let named = first.to_str().and_then(command);
    if named.is_some() {
        words.next();
    }
    let command = named.unwrap_or(&COMMANDS[0]);
    let mut words = Words { command, named, words: &mut words };
    match command.name {
        "inspect" => parse_check(&mut words, Command::Inspect),
        "validate" => parse_check(&mut words, Command::Validate),
        "features" => parse_features(&mut words),
        "completions" => parse_completions(&mut words),
        "man" => parse_nothing(&mut words, Command::Man),
        "version" => parse_nothing(&mut words, Command::Version),
        "help" => parse_help(&mut words),
        _ => parse_run(&mut words),
    }
}

/// A part of the command line.
enum Part {
    /// An option, the name it was called by, and its value.
    Option(&'static Flag, String, Option<String>),
    Word(OsString),
}

/// The words of a command, read one part at a time.
struct Words<'a> {
    command: &'static CommandInfo,
    /// The command, unless its word was left out.
    named: Option<&'static CommandInfo>,
    words: &'a mut dyn Iterator<Item = OsString>,
}

impl Words<'_> {
    /// The next part; none at the end or at `--`, behind which `words` goes on.
    fn next(&mut self) -> Result<Option<Part>, String> {
        let Some(word) = self.words.next().filter(|word| word != "--") else { return Ok(None) };
        if !is_option(&word) {
            return Ok(Some(Part::Word(word)));
        }
        let word = text(word)?;
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let flag = self.find(name)?;
        match flag.value {
            "" if value.is_some() => return Err(format!("option '{name}' takes no value")),
            "" => {}
            _ if value.is_none() && !flag.optional => {
                value = match self.words.next() {
                    Some(next) if !next.as_encoded_bytes().starts_with(b"--") => Some(text(next)?),
                    _ => return Err(format!("option '{name}' needs a value: {}", flag.value)),
                };
            }
            _ => {}
        }
        Ok(Some(Part::Option(flag, name.to_owned(), value)))
    }

    fn find(&self, name: &str) -> Result<&'static Flag, String> {
        let command = self.command;
        match find(name) {
            Some(flag) if flag.applies_to(command) => Ok(flag),
            Some(flag) => Err(format!(
                "'{}' takes no option '{name}' (it is for 'zwasm {}')",
                command.name, flag.commands[0]
            )),
            None => {
                let hint = match ELSEWHERE.iter().find(|(other, _)| *other == name) {
                    Some((_, ours)) if command.name == "run" => format!(" (here it is {ours})"),
                    _ => did_you_mean(name, &flag_names(command)),
                };
                let next = match command.name {
                    _ if !hint.is_empty() => "",
                    "run" => " (words for the program go after '--')",
                    _ => " ('zwasm help' shows the usage)",
                };
                Err(format!("unknown option '{name}'{hint}{next}"))
            }
        }
    }

    /// The meaning of an option that any command takes.
    fn common(&self, id: Id) -> Command {
        match id {
            Id::Version => Command::Version,
            _ => Command::Help(self.named),
        }
    }
}

fn parse_run(words: &mut Words<'_>) -> Result<Command, String> {
    let mut run = Run::default();
    let mut file = None;
    let mut bare = Vec::new();
    while let Some(part) = words.next()? {
        let (flag, name, value) = match part {
            Part::Option(flag, name, value) => (flag, name, value),
            Part::Word(word) => {
                match file {
                    None => file = Some(PathBuf::from(word)),
                    Some(_) => bare.push(text(word)?),
                }
                continue;
            }
        };
        let optional = value.clone();
        let value = value.unwrap_or_default();
        let name = name.as_str();
        match flag.id {
            Id::Invoke => once(&mut run.invoke, value, name)?,
            Id::Deterministic => run.deterministic = true,
            Id::Batch => run.batch = true,
            Id::Link => {
                let link = link(&value, &|file| file.exists())?;
                if run.links.iter().any(|other| other.name == link.name) {
                    return Err(format!("option '--link' gives the name '{}' twice", link.name));
                }
                run.links.push(link);
            }
            Id::Json => run.json = json(optional.as_deref())?,
            Id::Engine => once(&mut run.engine, engine(&value)?, name)?,
            Id::Dir => run.dirs.push(preopen(value)?),
            Id::Env => {
                let (key, value) = variable(&value)?;
                run.env.retain(|(other, _)| *other != key);
                run.env.push((key, value));
            }
            Id::Allow(grants) => run.grants.insert(grants),
            Id::Sandbox => run.sandbox = true,
            Id::Listen => run.listen.push(value),
            Id::Fuel => {
                once(&mut run.fuel, number(&value, "a number of instructions", name)?, name)?;
            }
            Id::Timeout => {
                let time = Duration::from_millis(number(&value, "milliseconds", name)?);
                once(&mut run.timeout, time, name)?;
            }
            Id::MaxGcHeap => once(&mut run.max_gc_heap, size(&value, name)?, name)?,
            Id::MaxCode => once(&mut run.max_code, size(&value, name)?, name)?,
            Id::MaxTotal => once(&mut run.max_total, size(&value, name)?, name)?,
            Id::MaxMemory => once(&mut run.max_memory, size(&value, name)?, name)?,
            Id::MaxStack => once(&mut run.max_stack, size(&value, name)?, name)?,
            Id::Disable => run.disabled.push(feature(&value)?),
            #[cfg(feature = "trace")]
            Id::Profile => {
                let profiling = crate::observe::Profiling::parse(optional.as_ref())?;
                once(&mut run.profile, profiling, name)?;
            }
            Id::Trace => trace(&value, &mut run)?,
            #[cfg(feature = "trace")]
            Id::DumpRegir => run.dump_regir.push(func(&value, name)?),
            #[cfg(all(feature = "optimize", feature = "trace"))]
            Id::DumpSsa => {
                let (index, pass) = match value.split_once('=') {
                    Some((index, pass)) => (index, Some(pass.to_owned())),
                    None => (&*value, None),
                };
                run.dump_ssa.push((func(index, name)?, pass));
            }
            #[cfg(all(feature = "optimize", feature = "trace"))]
            Id::WithoutPass => run.without_passes.push(value),
            #[cfg(feature = "trace")]
            Id::DumpJit => run.dump_jit.push(func(&value, name)?),
            Id::PerfMap => run.perf_map = true,
            Id::Help | Id::Version => return Ok(words.common(flag.id)),
        }
    }
    // What is left stands after `--`.
    run.file = match file.or_else(|| words.words.next().map(PathBuf::from)) {
        Some(file) => file,
        None => return Err(NO_FILE.into()),
    };
    match run.invoke {
        Some(_) => run.call_args = bare,
        None => run.program_args = bare,
    }
    if let (true, Some(word)) = (run.batch, run.call_args.first()) {
        return Err(format!(
            "with '--batch' calls come from standard input, not as words: '{word}'"
        ));
    }
    let files = run.links.iter().map(|link| &link.file).chain([&run.file]);
    match files.filter(|file| file.as_os_str() == "-").count() {
        1.. if run.batch => {
            return Err("'--batch' and the module '-' cannot both read standard input".into());
        }
        2.. => return Err("two modules '-' cannot both be read from standard input".into()),
        _ => {}
    }
    for word in &mut *words.words {
        run.program_args.push(text(word)?);
    }
    Ok(Command::Run(Box::new(run)))
}

fn parse_check(words: &mut Words<'_>, make: fn(Check) -> Command) -> Result<Command, String> {
    let mut check = Check::default();
    let mut files = Vec::new();
    while let Some(part) = words.next()? {
        match part {
            Part::Word(word) => files.push(word),
            Part::Option(flag, _, value) => match flag.id {
                Id::Disable => check.disabled.push(feature(&value.unwrap_or_default())?),
                Id::Json => check.json = json(value.as_deref())?,
                id => return Ok(words.common(id)),
            },
        }
    }
    files.extend(&mut *words.words);
    let name = words.command.name;
    if files.len() > 1 {
        let second = files[1].to_string_lossy();
        return Err(format!("'{name}' takes one file, got '{second}' as well"));
    }
    match files.pop() {
        Some(file) => check.file = file.into(),
        None => return Err(format!("'{name}' needs a file ('zwasm help {name}' shows the usage)")),
    }
    Ok(make(check))
}

fn parse_features(words: &mut Words<'_>) -> Result<Command, String> {
    let mut format = Format::default();
    while let Some(part) = words.next()? {
        match part {
            Part::Option(Flag { id: Id::Json, .. }, _, value) => format = json(value.as_deref())?,
            Part::Option(flag, ..) => return Ok(words.common(flag.id)),
            Part::Word(word) => return Err(unwanted(words.command, &word)),
        }
    }
    Ok(Command::Features(format))
}

fn parse_completions(words: &mut Words<'_>) -> Result<Command, String> {
    let mut shell = None;
    while let Some(part) = words.next()? {
        match part {
            Part::Option(flag, ..) => return Ok(words.common(flag.id)),
            Part::Word(word) if shell.is_some() => return Err(unwanted(words.command, &word)),
            Part::Word(word) => shell = Some(Shell::named(&text(word)?)?),
        }
    }
    let missing = || "'completions' needs the name of a shell: bash, zsh or fish".into();
    shell.map(Command::Completions).ok_or_else(missing)
}

fn parse_help(words: &mut Words<'_>) -> Result<Command, String> {
    let mut about = None;
    while let Some(part) = words.next()? {
        match part {
            Part::Option(flag, ..) => return Ok(words.common(flag.id)),
            Part::Word(word) if about.is_some() => return Err(unwanted(words.command, &word)),
            Part::Word(word) => {
                let name = text(word)?;
                let hint = || did_you_mean(&name, &command_names());
                let found = command(&name);
                about = Some(found.ok_or_else(|| format!("no command '{name}'{}", hint()))?);
            }
        }
    }
    Ok(Command::Help(about))
}

fn parse_nothing(words: &mut Words<'_>, meaning: Command) -> Result<Command, String> {
    match words.next()? {
        None => Ok(meaning),
        Some(Part::Option(flag, ..)) => Ok(words.common(flag.id)),
        Some(Part::Word(word)) => Err(unwanted(words.command, &word)),
    }
}

fn unwanted(command: &CommandInfo, word: &OsString) -> String {
    let (name, word) = (command.name, word.to_string_lossy());
    format!("'{name}' does not take '{word}' ('zwasm help {name}' shows the usage)")
}

fn feature(name: &str) -> Result<Feature, String> {
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

fn engine(name: &str) -> Result<Strategy, String> {
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

/// Whether a word is a flag rather than a file, a number or a plain word.
fn is_option(word: &OsString) -> bool {
    match word.as_encoded_bytes() {
        [] | [b'-'] => false,
        [b'-', rest @ ..] => {
            let number = rest[0].is_ascii_digit() || rest[0] == b'.';
            !number && !word.to_str().is_some_and(number::is_named)
        }
        _ => false,
    }
}

fn text(word: OsString) -> Result<String, String> {
    word.into_string().map_err(|word| format!("'{}' is not valid UTF-8", word.to_string_lossy()))
}

fn once<T>(slot: &mut Option<T>, value: T, name: &str) -> Result<(), String> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("option '{name}' is given twice")),
    }
}

fn preopen(value: String) -> Result<Preopen, String> {
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

/// Adds the categories of `--trace`, separated by commas.
fn trace(value: &str, run: &mut Run) -> Result<(), String> {
    #[cfg(feature = "trace")]
    let engine = zwasm::Trace::ALL;
    #[cfg(not(feature = "trace"))]
    let engine: &[(&str, ())] = &[];
    for name in value.split(',') {
        if name == "wasi" {
            run.trace_wasi = true;
            continue;
        }
        match engine.iter().find(|(known, _)| *known == name) {
            #[cfg(feature = "trace")]
            Some((_, category)) => run.trace.insert(*category),
            #[cfg(not(feature = "trace"))]
            Some(_) => {}
            None => {
                let mut names: Vec<_> = engine.iter().map(|(name, _)| *name).collect();
                names.push("wasi");
                let hint = did_you_mean(name, &names);
                let names = names.join(", ");
                return Err(format!("option '--trace' knows {names}, got '{name}'{hint}"));
            }
        }
    }
    Ok(())
}

fn variable(value: &str) -> Result<(String, String), String> {
    match value.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) => Err(format!("option '--env' expects KEY=VALUE, got '{value}' without a key")),
        None => {
            let hint = match value.split_once(':') {
                Some((key, value)) if !key.is_empty() => format!("did you mean '{key}={value}'?"),
                _ => "'--allow-env' passes on all variables of the host".into(),
            };
            Err(format!("option '--env' expects KEY=VALUE, got '{value}' ({hint})"))
        }
    }
}

/// The name may be empty, as a module's may that imports name. Where there are
/// several `=`, the first one divides behind which there is a file.
fn link(value: &str, exists: &dyn Fn(&Path) -> bool) -> Result<Link, String> {
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

/// What `--json` may be told beside that it is there.
fn json(value: Option<&str>) -> Result<Format, String> {
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
fn func(value: &str, name: &str) -> Result<u32, String> {
    value
        .parse()
        .map_err(|_| format!("option '{name}' expects the index of a function, got '{value}'"))
}

/// A number in decimal digits.
fn number(value: &str, what: &str, name: &str) -> Result<u64, String> {
    let digits = value.bytes().all(|b| b.is_ascii_digit()).then_some(value);
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| format!("option '{name}' expects {what}, got '{value}'"))
}

/// A number of bytes: decimal digits, then `K`, `M` or `G` for powers of 1024.
fn size(value: &str, name: &str) -> Result<u64, String> {
    let (digits, shift) = match value.as_bytes().last().map(u8::to_ascii_uppercase) {
        Some(b'K') => (&value[..value.len() - 1], 10),
        Some(b'M') => (&value[..value.len() - 1], 20),
        Some(b'G') => (&value[..value.len() - 1], 30),
        _ => (value, 0),
    };
    let digits = digits.bytes().all(|b| b.is_ascii_digit()).then_some(digits);
    digits
        .and_then(|digits| digits.parse::<u64>().ok())
        .and_then(|count| count.checked_mul(1 << shift))
        .ok_or_else(|| format!("option '{name}' expects a number of bytes, got '{value}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn run(line: &str) -> Run {
        match words(line) {
            Ok(Command::Run(run)) => *run,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn error(line: &str) -> String {
        words(line).expect_err(line)
    }

    fn validate(file: &str, disabled: &[Feature]) -> Result<Command, String> {
        let disabled = disabled.to_vec();
        Ok(Command::Validate(Check { file: file.into(), disabled, json: Format::Words }))
    }

    #[test]
    fn commands() {
        assert_eq!(run("a.wasm"), run("run a.wasm"));
        assert_eq!(run("./run").file, PathBuf::from("./run"));
        assert_eq!(run("run run").file, PathBuf::from("run"));
        assert_eq!(words("validate a.wasm"), validate("a.wasm", &[]));
        assert_eq!(words("validate -- -a"), validate("-a", &[]));
        let disabled = [Feature::Simd, Feature::Threads];
        assert_eq!(words("validate --disable=simd a --disable threads"), validate("a", &disabled));
        assert_eq!(run("a --disable=simd --disable threads").disabled, disabled);
        assert_eq!(words("features"), Ok(Command::Features(Format::Words)));
        assert_eq!(words("features --json"), Ok(Command::Features(Format::Json)));
        for line in ["help", "--help", "-h", "a.wasm -h"] {
            assert_eq!(words(line), Ok(Command::Help(None)), "{line}");
        }
        for line in ["run --help", "help run", "run a.wasm -h"] {
            assert_eq!(words(line), Ok(Command::Help(Some(&COMMANDS[0]))), "{line}");
        }
        for line in ["validate -h", "help validate", "validate a --help"] {
            assert_eq!(words(line), Ok(Command::Help(command("validate"))), "{line}");
        }
        let inspect = Check { file: "a".into(), json: Format::Json, ..Check::default() };
        assert_eq!(words("inspect --json a"), Ok(Command::Inspect(inspect)));
        assert_eq!(words("completions fish"), Ok(Command::Completions(Shell::Fish)));
        assert_eq!(words("man"), Ok(Command::Man));
        for line in ["version", "--version", "-V", "a.wasm -V"] {
            assert_eq!(words(line), Ok(Command::Version), "{line}");
        }
    }

    #[test]
    fn words_belong_to_the_function_or_the_program() {
        let r = run("a.wasm --invoke add 2 3");
        assert_eq!((r.invoke.as_deref(), r.call_args.len()), (Some("add"), 2));
        assert!(r.program_args.is_empty());
        assert_eq!(run("--invoke add a.wasm 2 3"), r);
        assert_eq!(run("a.wasm 2 --invoke=add 3"), r);
        let r = run("a.wasm one --allow-all two -- --three");
        assert_eq!(r.program_args, ["one", "two", "--three"]);
        let r = run("a.wasm --invoke f 1 -- x -- y");
        assert_eq!(r.call_args, ["1"]);
        assert_eq!(r.program_args, ["x", "--", "y"]);
        assert_eq!(run("-- --odd.wasm x").file, PathBuf::from("--odd.wasm"));
        assert_eq!(run("-- --odd.wasm x").program_args, ["x"]);
    }

    #[test]
    fn negative_numbers_are_words() {
        let numbers = "-5 -6.28 -.5 -inf -NaN -nan:0x1 -nan:canonical -0x1p-3 -0x10 -1e9 -";
        let r = run(&format!("a --invoke f {numbers} --dir ."));
        assert_eq!(r.call_args.join(" "), numbers);
        assert_eq!(r.dirs.len(), 1);
        assert!(error("a --invoke f -x").contains("'-x'"));
        assert!(error("a --invoke f -info").contains("'-info'"));
    }

    #[test]
    fn values() {
        let r = run("a --dir . --dir /host::/guest --env A=1 --env=B=x=y --env C=");
        let dirs: Vec<_> = r.dirs.iter().map(|d| (d.host.as_str(), d.guest.as_str())).collect();
        assert_eq!(dirs, [(".", "."), ("/host", "/guest")]);
        let dirs = run("a --dir x:ro --dir y::/z:ro --dir y::z").dirs;
        let ro: Vec<_> = dirs.iter().map(|d| (d.guest.as_str(), d.read_only)).collect();
        assert_eq!(ro, [("x", true), ("/z", true), ("z", false)]);
        let env: Vec<_> = r.env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(env, [("A", "1"), ("B", "x=y"), ("C", "")]);
        assert_eq!(run("a --env A=1 --env A=2").env, [("A".into(), "2".into())]);
        let r = run("a --max-memory 16777216 --max-stack 64k");
        assert_eq!((r.max_memory, r.max_stack), (Some(16 << 20), Some(64 << 10)));
        assert_eq!(run("a").engine, None);
        assert_eq!(run("a --engine interp").engine, Some(Strategy::Interpreter));
        assert_eq!(run("a --engine=baseline").engine, Some(Strategy::Baseline));
        assert_eq!(run("a --engine auto").engine, Some(Strategy::Auto));
        assert_eq!(run("a --engine mixed:7").engine, Some(Strategy::Mixed(7)));
        assert_eq!(run("a --max-memory 4G").max_memory, Some(4 << 30));
        assert_eq!(run("a --max-total 1G").max_total, Some(1 << 30));
        assert_eq!(run("a --max-code 1M").max_code, Some(1 << 20));
        let r = run("a --sandbox --fuel 1000 --timeout=250 --max-gc-heap 1M");
        assert_eq!((r.sandbox, r.fuel, r.max_gc_heap), (true, Some(1000), Some(1 << 20)));
        assert_eq!(r.timeout, Some(Duration::from_millis(250)));
    }

    #[test]
    fn batches_and_links() {
        let r = run("a.wasm --batch --invoke f --link m=m.wasm --link=n=x=y.wat -- w");
        assert!(r.batch && r.call_args.is_empty());
        assert_eq!(r.program_args, ["w"]);
        let link = |name: &str, file: &str| Link { name: name.into(), file: file.into() };
        assert_eq!(r.links, [link("m", "m.wasm"), link("n", "x=y.wat")]);
        assert_eq!(run("a --link =m.wasm").links, [link("", "m.wasm")]);
        assert_eq!(run("a --link==m.wasm").links, [link("", "m.wasm")]);
    }

    #[test]
    fn a_link_is_divided_where_a_file_follows() {
        let divided = |value: &str, files: &[&str]| {
            let exists = |path: &Path| files.iter().any(|file| path == Path::new(file));
            super::link(value, &exists).map(|link| (link.name, link.file))
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

    #[test]
    fn json_of_two_kinds() {
        assert_eq!(run("a").json, Format::Words);
        assert_eq!(run("a --json").json, Format::Json);
        assert_eq!(run("a --json safe").program_args, ["safe"]);
        assert_eq!(run("a --json=safe").json, Format::SafeJson);
        assert_eq!(words("features --json=safe"), Ok(Command::Features(Format::SafeJson)));
        assert!(error("validate --json=save a").ends_with("got 'save' (did you mean 'safe'?)"));
    }

    #[cfg(all(feature = "optimize", feature = "trace"))]
    #[test]
    fn functions_and_passes() {
        let r = run("a --dump-ssa=3 --dump-ssa 4=gvn");
        assert_eq!(r.dump_ssa, [(3, None), (4, Some("gvn".into()))]);
        assert!(error("a --dump-ssa gvn=1").contains("index of a function, got 'gvn'"));
    }

    #[cfg(feature = "trace")]
    #[test]
    fn observing() {
        use crate::observe::{Format, Profiling};
        let r = run("a --dump-regir=3 --dump-regir 4 --trace=call,mem --trace exec,wasi --profile");
        assert_eq!((r.dump_regir, r.profile), (vec![3, 4], Some(Profiling::Counts)));
        let svg = Profiling::File("p.svg".into(), Format::Svg);
        assert_eq!(run("a --profile=p.svg").profile, Some(svg));
        assert!(error("a --profile=p.png").contains("ends in .svg or .json, got 'p.png'"));
        assert!(error("a --profile --profile").contains("'--profile' is given twice"));
        assert!(
            r.trace_wasi
                && r.trace.contains(zwasm::Trace::EXEC)
                && r.trace.contains(zwasm::Trace::CALL)
        );
        assert!(error("a --dump-regir x").contains("index of a function, got 'x'"));
        assert!(error("a --trace=cal").contains("'call'?"));
    }

    #[test]
    fn grants_add_up() {
        let r = run("a --allow-read --allow-env");
        assert!(r.grants.contains(Grants::READ) && r.grants.contains(Grants::ENV));
        assert!(!r.grants.contains(Grants::WRITE));
        let all = "a --allow-read --allow-write --allow-env --allow-path --allow-clock \
                   --allow-random --allow-proc --allow-net --allow-http";
        assert_eq!(run(all), run("a --allow-all"));
        assert_eq!(run("a --sandbox").grants, Grants::default());
        let r = run("a --sandbox --allow-read --trace=wasi --listen=[::1]:80");
        assert!(r.sandbox && r.trace_wasi && r.grants.contains(Grants::READ));
        assert_eq!(r.listen, ["[::1]:80"]);
    }

    #[test]
    fn errors_name_the_word() {
        for (line, part) in [
            ("", "no file"),
            ("--allow-all", "no file"),
            ("run", "no file"),
            ("--", "no file"),
            ("a --invok f", "unknown option '--invok' (did you mean '--invoke'?)"),
            ("a --std t.js", "unknown option '--std' (words for the program go after '--')"),
            ("--frob a", "unknown option '--frob'"),
            ("validate a --jsno", "unknown option '--jsno' (did you mean '--json'?)"),
            ("features --frob", "unknown option '--frob' ('zwasm help' shows the usage)"),
            ("a --link m", "'--link' expects NAME=FILE, got 'm'"),
            ("a --link m=", "'--link' expects NAME=FILE, got 'm='"),
            ("a --link m=a --link m=b", "'--link' gives the name 'm' twice"),
            ("a --batch --invoke f 1", "not as words: '1'"),
            ("- --batch", "cannot both read standard input"),
            ("completions", "bash, zsh or fish"),
            ("completions csh", "'csh'"),
            ("completions bash zsh", "does not take 'zsh'"),
            ("help inspct", "no command 'inspct' (did you mean 'inspect'?)"),
            ("version a", "'version' does not take 'a'"),
            ("a -x=3", "unknown option '-x'"),
            ("a --invoke", "'--invoke' needs a value: NAME"),
            ("a --invoke --dir .", "'--invoke' needs a value: NAME"),
            ("a --allow-all=yes", "'--allow-all' takes no value"),
            ("a --invoke f --invoke g", "'--invoke' is given twice"),
            ("a --env A", "KEY=VALUE, got 'A' ('--allow-env' passes on all variables of the host)"),
            ("a --env A:b:c", "KEY=VALUE, got 'A:b:c' (did you mean 'A=b:c'?)"),
            ("a --env =A", "KEY=VALUE, got '=A' without a key"),
            ("a --mapdir x", "unknown option '--mapdir' (here it is '--dir HOST::GUEST')"),
            ("a --preload m=x", "(here it is '--link NAME=FILE')"),
            ("a --dir x::y:rw", "option '--dir' knows ':ro' only: 'x::y' is writable anyway"),
            ("- --link m=-", "two modules '-'"),
            ("a --link m=- --batch", "cannot both read standard input"),
            ("a --dir ::x", "HOST::GUEST, got '::x'"),
            ("a --dir x::", "HOST::GUEST, got 'x::'"),
            ("a --dir :ro", "HOST::GUEST, got ':ro'"),
            ("a --trace wasi,wsi", "wasi, got 'wsi' (did you mean 'wasi'?)"),
            ("a --max-memory 1.5", "'--max-memory' expects a number of bytes, got '1.5'"),
            ("a --max-memory -1", "got '-1'"),
            ("a --max-memory +1", "got '+1'"),
            ("a --max-memory K", "got 'K'"),
            ("a --max-stack 99999999999999999999", "'--max-stack' expects"),
            ("a --max-stack 99999999999999G", "'--max-stack' expects"),
            ("a --fuel 1M", "'--fuel' expects a number of instructions, got '1M'"),
            ("a --fuel 99999999999999999999", "'--fuel' expects"),
            ("a --timeout 1.5", "'--timeout' expects milliseconds, got '1.5'"),
            ("a --timeout -1", "got '-1'"),
            ("a --timeout 1 --timeout 2", "'--timeout' is given twice"),
            ("a --engine basline", "unknown engine 'basline' (did you mean 'baseline'?)"),
            ("a --engine turbofan", "unknown engine 'turbofan' (interp, baseline, jit or auto)"),
            ("a --engine", "'--engine' needs a value: NAME"),
            ("a --engine auto --engine auto", "'--engine' is given twice"),
            ("a --disable smid", "unknown feature 'smid' (did you mean 'simd'?)"),
            ("a --disable", "'--disable' needs a value: FEATURE"),
            ("features a", "'features' does not take 'a'"),
            ("validate --disable", "'--disable' needs a value: FEATURE"),
            ("validate", "needs a file"),
            ("validate a b", "one file"),
            (
                "validate a --invoke f",
                "'validate' takes no option '--invoke' (it is for 'zwasm run')",
            ),
        ] {
            let message = error(line);
            assert!(message.contains(part), "{line}: {message}");
            assert!(!message.contains('\n'), "{line}: {message}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn words_need_not_be_utf8_to_be_files() {
        use std::os::unix::ffi::OsStringExt;
        let odd = || OsString::from_vec(vec![0xff, b'x']);
        let Ok(Command::Run(r)) = parse([odd()]) else { panic!() };
        assert_eq!(r.file.as_os_str(), odd());
        assert!(parse(["a".into(), odd()]).unwrap_err().contains("UTF-8"));
    }
}
