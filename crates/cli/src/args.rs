//! The command line: what the words mean, before anything is opened or run.
//!
//! Commands and options stand in the tables of `options`; this file gives them
//! their meaning. Parsing is by hand: the grammar has one unusual rule (negative
//! numbers are words, not flags) and otherwise needs less code than the glue to
//! a library would.
//!
//! Grammar: flags and words mix freely. The first word is the file. With
//! `--invoke` the further words are the function's arguments, without it the
//! program's; so are then the options behind the file that no table has, unless they
//! look like a slip in one that it would be bad to lose. Words after `--` are the
//! program's in either case.
//!
//! Options come in layers, of which the command line is the last: defaults stand in a
//! file and in variables (`config`).

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zwasm::{Feature, Strategy};

use crate::completions::Shell;
use crate::grants::Grants;
use crate::json::Format;
use crate::number;
#[cfg(feature = "trace")]
use crate::operands::func;
use crate::operands::{
    Link, Preopen, Unknown, engine, feature, json, link, preopen, unknown, variable,
};
use crate::options::{
    COMMANDS, CommandInfo, Flag, Id, command, command_names, find, flag_names, foreign,
};
use crate::suggest::{did_you_mean, slip};
use crate::units;

/// What the user asked for.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Execute a module or component.
    Run(Box<Run>),
    /// Show what a file imports and exports.
    Inspect(Check),
    /// Check a file without executing it.
    Validate(Check),
    /// Run scripts of the test suite's format.
    #[cfg(feature = "wast")]
    Wast(Scripts),
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

/// What `zwasm wast FILE...` takes.
#[cfg(feature = "wast")]
#[derive(Debug, Default, PartialEq)]
pub struct Scripts {
    /// The scripts' files.
    pub files: Vec<PathBuf>,
    /// The features of WebAssembly that their modules may not use.
    pub disabled: Vec<Feature>,
    /// What runs the modules' code.
    pub engine: Option<Strategy>,
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
    /// What the guest is called, if not by its file's name.
    pub argv0: Option<String>,
    /// The modules to take imports from.
    pub links: Vec<Link>,
    /// What stands for imports that nothing provides.
    pub unknown_imports: Option<Unknown>,
    /// How to print results.
    pub json: Format,
    /// The guest's arguments after `argv[0]`.
    pub program_args: Vec<String>,
    /// The directories the guest may reach.
    pub dirs: Vec<Preopen>,
    /// The addresses the guest may accept connections on.
    pub listen: Vec<String>,
    /// Environment variables for the guest, in the order given; of one given
    /// twice, the last. One without a value has the host's.
    pub env: Vec<(String, Option<String>)>,
    /// The capabilities granted and denied.
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
    /// Whether to tell debuggers where compiled functions are.
    #[cfg(feature = "gdb")]
    pub debug_info: bool,
    /// Where to write what a guest that is stopped left behind.
    pub core_dump: Option<String>,
    /// Whether what is written may replace files.
    pub overwrite: bool,
    /// What runs the module's code.
    pub engine: Option<Strategy>,
    /// Whether it is never optimized while it runs.
    pub stays_baseline: bool,
}

/// An option as it was given.
pub struct Setting {
    pub flag: &'static Flag,
    /// The name that it was called by.
    pub name: String,
    pub value: Option<String>,
    /// What begins messages about it.
    pub origin: String,
}

/// Options that were given in one place.
pub type Layer = Vec<Setting>;

/// What other runtimes call options of ours.
const ELSEWHERE: [(&str, &str); 12] = [
    ("--map", "'--dir HOST::GUEST'"),
    ("--mapdir", "'--dir HOST::GUEST'"),
    ("--map-dir", "'--dir HOST::GUEST'"),
    ("--volume", "'--dir HOST::GUEST'"),
    ("--preload", "'--link NAME=FILE'"),
    ("--tcplisten", "'--listen HOST:PORT'"),
    ("--entrypoint", "'--invoke NAME'"),
    ("--net", "'--allow-net'"),
    ("--forward-host-env", "'--allow-env'"),
    ("--inherit-env", "'--allow-env'"),
    ("--stack-size", "'--max-stack N'"),
    ("--wasm-features", "'--disable FEATURE'; the rest is on"),
];

const NO_FILE: &str = "no file given ('zwasm help' shows the usage)";

/// Parses the words of the command line after the program's own name; `defaults` is asked
/// for the layers of options below it.
///
/// # Errors
/// One line that names the offending word.
pub fn parse(
    words: impl IntoIterator<Item = OsString>,
    defaults: impl FnOnce() -> Result<Vec<Layer>, String>,
) -> Result<Command, String> {
    let mut all: VecDeque<_> = words.into_iter().collect();
    let Some(first) = all.front() else { return Err(NO_FILE.into()) };
    let named = first.to_str().and_then(command);
    if let Some(answer) = first.to_str().and_then(foreign)
        && !Path::new(first).is_file()
    {
        return Err(format!("there is no command '{}': {answer}", first.to_string_lossy()));
    }
    if named.is_some() {
        all.pop_front();
    }
    let command = named.unwrap_or(&COMMANDS[0]);
    let mut words = Words { command, named, words: all, calls: false, to_program: false };
    match command.name {
        "inspect" => parse_check(&mut words, Command::Inspect),
        "validate" => parse_check(&mut words, Command::Validate),
        #[cfg(feature = "wast")]
        "wast" => parse_scripts(&mut words),
        "features" => parse_features(&mut words),
        "completions" => parse_completions(&mut words),
        "man" => parse_nothing(&mut words, Command::Man),
        "version" => parse_nothing(&mut words, Command::Version),
        "help" => parse_help(&mut words),
        _ => parse_run(&mut words, defaults),
    }
}

/// A part of the command line.
enum Part {
    Option(Setting),
    Word(OsString),
}

/// The words of a command, read one part at a time.
struct Words {
    command: &'static CommandInfo,
    /// The command, unless its word was left out.
    named: Option<&'static CommandInfo>,
    words: VecDeque<OsString>,
    /// Whether words are for a function, or there is none for the program.
    calls: bool,
    /// Whether options that are not known are words for the program.
    to_program: bool,
}

impl Words {
    /// The next part; none at the end or at `--`, behind which `words` goes on.
    fn next(&mut self) -> Result<Option<Part>, String> {
        let Some(word) = self.words.pop_front().filter(|word| word != "--") else {
            return Ok(None);
        };
        if !is_option(&word) {
            return Ok(Some(Part::Word(word)));
        }
        let word = text(word)?;
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        if self.to_program && self.is_the_programs(name) {
            return Ok(Some(Part::Word(word.into())));
        }
        let flag = self.find(name)?;
        match flag.value {
            "" if value.is_some() => return Err(format!("option '{name}' takes no value")),
            "" => {}
            _ if value.is_none() && !flag.optional => {
                value = match self.words.pop_front() {
                    Some(next) if !next.as_encoded_bytes().starts_with(b"--") => Some(text(next)?),
                    _ => return Err(format!("option '{name}' needs a value: {}", flag.value)),
                };
            }
            _ => {}
        }
        Ok(Some(Part::Option(Setting { flag, name: name.into(), value, origin: String::new() })))
    }

    /// Whether an option behind the file is for the program in it, which has no function
    /// called. A slip in the name of an option of ours is not: the program would run
    /// without the limit that was meant.
    fn is_the_programs(&self, name: &str) -> bool {
        match find(name) {
            Some(flag) => matches!(flag.id, Id::Help | Id::Version | Id::Json),
            None => !name.starts_with("--") || slip(name, &flag_names(self.command)).is_none(),
        }
    }

    /// Whether one of some options is among the words, before `--`.
    fn has(&self, names: &[&str]) -> bool {
        let words = self.words.iter().take_while(|word| *word != "--");
        words.filter_map(|word| word.to_str()).any(|word| {
            names.iter().any(|name| {
                word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
            })
        })
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
                    "run" if self.to_program => "; words for the program go after '--'",
                    _ if !hint.is_empty() => "",
                    "run" if self.calls => " (words for the program go after '--')",
                    "run" => " (the program's own options go behind its file)",
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

fn parse_run(
    words: &mut Words,
    defaults: impl FnOnce() -> Result<Vec<Layer>, String>,
) -> Result<Command, String> {
    let (mut line, mut file, mut bare) = (Layer::new(), None, Vec::new());
    words.calls = words.has(&["--invoke", "--batch"]);
    while let Some(part) = words.next()? {
        match part {
            Part::Option(setting) => match setting.flag.id {
                id @ (Id::Help | Id::Version) => return Ok(words.common(id)),
                _ => line.push(setting),
            },
            Part::Word(word) if file.is_none() => {
                file = Some(PathBuf::from(word));
                words.to_program = !words.calls;
            }
            Part::Word(word) => bare.push(text(word)?),
        }
    }
    let mut layers = match line.iter().any(|setting| matches!(setting.flag.id, Id::NoConfig)) {
        true => Vec::new(),
        false => defaults()?,
    };
    layers.push(line);
    let mut run = Run::default();
    for layer in layers {
        run.take(layer)?;
    }
    // What is left stands after `--`.
    run.file = match file.or_else(|| words.words.pop_front().map(PathBuf::from)) {
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
    for word in words.words.drain(..) {
        run.program_args.push(text(word)?);
    }
    Ok(Command::Run(Box::new(run)))
}

impl Run {
    /// Takes over the options of a layer, which count before those of layers below it.
    /// One with a sandbox in it takes back what these granted, and their limits, which
    /// might be wider than the sandbox's own; but the time.
    fn take(&mut self, layer: Layer) -> Result<(), String> {
        if layer.iter().any(|setting| matches!(setting.flag.id, Id::Sandbox)) {
            let below = std::mem::take(self);
            *self = Run {
                grants: Grants { denied: below.grants.denied, ..Grants::default() },
                timeout: below.timeout,
                deterministic: below.deterministic,
                engine: below.engine,
                disabled: below.disabled,
                unknown_imports: below.unknown_imports,
                ..Run::default()
            };
        }
        let mut given = Vec::new();
        for setting in layer {
            let again = given.contains(&setting.flag.name);
            given.push(setting.flag.name);
            let Setting { flag, name, value, origin } = setting;
            self.set(flag, &name, value, again).map_err(|message| origin + &message)?;
        }
        Ok(())
    }

    fn set(
        &mut self,
        flag: &Flag,
        name: &str,
        value: Option<String>,
        again: bool,
    ) -> Result<(), String> {
        let optional = value.clone();
        let value = value.unwrap_or_default();
        let once = || if again { Err(format!("option '{name}' is given twice")) } else { Ok(()) };
        let size = || {
            once()?;
            let bytes = units::bytes(&value);
            expected(bytes, name, "a number of bytes", &value).map(Some)
        };
        match flag.id {
            Id::Invoke => {
                once()?;
                self.invoke = Some(value);
            }
            Id::Argv0 => {
                once()?;
                self.argv0 = Some(value);
            }
            Id::Deterministic => self.deterministic = true,
            Id::Batch => self.batch = true,
            Id::Link => {
                let link = link(&value, &|file| file.exists())?;
                if self.links.iter().any(|other| other.name == link.name) {
                    return Err(format!("option '--link' gives the name '{}' twice", link.name));
                }
                self.links.push(link);
            }
            Id::UnknownImports => {
                once()?;
                self.unknown_imports = Some(unknown(&value)?);
            }
            Id::Json => self.json = json(optional.as_deref())?,
            Id::Engine => {
                once()?;
                // For measuring: what the optimizing compiler costs and gains.
                self.stays_baseline = value == "auto:baseline";
                let name = if self.stays_baseline { "auto" } else { &value };
                self.engine = Some(engine(name)?);
            }
            Id::Dir => self.dirs.push(preopen(value)?),
            Id::Env => {
                let (key, value) = variable(&value)?;
                self.env.retain(|(other, _)| *other != key);
                self.env.push((key, value));
            }
            Id::Allow(capabilities) => self.grants.allowed.insert(capabilities),
            Id::Deny(capabilities) => self.grants.denied.insert(capabilities),
            Id::Sandbox => self.sandbox = true,
            Id::Listen => self.listen.push(value),
            Id::Fuel => {
                once()?;
                let count = units::count(&value);
                self.fuel = Some(expected(count, name, "a number of instructions", &value)?);
            }
            Id::Timeout => {
                once()?;
                let time = units::time(&value);
                let what = "milliseconds or a time like 1.5s";
                self.timeout = Some(expected(time, name, what, &value)?);
            }
            Id::MaxGcHeap => self.max_gc_heap = size()?,
            Id::MaxCode => self.max_code = size()?,
            Id::MaxTotal => self.max_total = size()?,
            Id::MaxMemory => self.max_memory = size()?,
            Id::MaxStack => self.max_stack = size()?,
            Id::Disable => self.disabled.push(feature(&value)?),
            #[cfg(feature = "trace")]
            Id::Profile => {
                once()?;
                self.profile = Some(crate::observe::Profiling::parse(optional.as_ref())?);
            }
            Id::Trace => trace(&value, self)?,
            #[cfg(feature = "trace")]
            Id::DumpRegir => self.dump_regir.push(func(&value, name)?),
            #[cfg(all(feature = "optimize", feature = "trace"))]
            Id::DumpSsa => {
                let (index, pass) = match value.split_once('=') {
                    Some((index, pass)) => (index, Some(pass.to_owned())),
                    None => (&*value, None),
                };
                self.dump_ssa.push((func(index, name)?, pass));
            }
            #[cfg(all(feature = "optimize", feature = "trace"))]
            Id::WithoutPass => self.without_passes.push(value),
            #[cfg(feature = "trace")]
            Id::DumpJit => self.dump_jit.push(func(&value, name)?),
            Id::PerfMap => self.perf_map = true,
            #[cfg(feature = "gdb")]
            Id::DebugInfo => self.debug_info = true,
            Id::CoreDump => {
                once()?;
                self.core_dump = Some(value);
            }
            Id::Overwrite => self.overwrite = true,
            // These are not about the run.
            Id::NoConfig | Id::Help | Id::Version => {}
        }
        Ok(())
    }
}

fn parse_check(words: &mut Words, make: fn(Check) -> Command) -> Result<Command, String> {
    let mut check = Check::default();
    let mut files = Vec::new();
    while let Some(part) = words.next()? {
        match part {
            Part::Word(word) => files.push(word),
            Part::Option(Setting { flag, value, .. }) => match flag.id {
                Id::Disable => check.disabled.push(feature(&value.unwrap_or_default())?),
                Id::Json => check.json = json(value.as_deref())?,
                id => return Ok(words.common(id)),
            },
        }
    }
    files.extend(words.words.drain(..));
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

#[cfg(feature = "wast")]
fn parse_scripts(words: &mut Words) -> Result<Command, String> {
    let mut scripts = Scripts::default();
    while let Some(part) = words.next()? {
        match part {
            Part::Word(word) => scripts.files.push(word.into()),
            Part::Option(Setting { flag, value, .. }) => match flag.id {
                Id::Disable => scripts.disabled.push(feature(&value.unwrap_or_default())?),
                Id::Engine => scripts.engine = Some(engine(&value.unwrap_or_default())?),
                id => return Ok(words.common(id)),
            },
        }
    }
    scripts.files.extend(words.words.drain(..).map(PathBuf::from));
    if scripts.files.is_empty() {
        return Err("'wast' needs a file ('zwasm help wast' shows the usage)".into());
    }
    Ok(Command::Wast(scripts))
}

fn parse_features(words: &mut Words) -> Result<Command, String> {
    let mut format = Format::default();
    while let Some(part) = words.next()? {
        match part {
            Part::Option(Setting { flag, value, .. }) => match flag.id {
                Id::Json => format = json(value.as_deref())?,
                id => return Ok(words.common(id)),
            },
            Part::Word(word) => return Err(unwanted(words.command, &word)),
        }
    }
    Ok(Command::Features(format))
}

fn parse_completions(words: &mut Words) -> Result<Command, String> {
    let mut shell = None;
    while let Some(part) = words.next()? {
        match part {
            Part::Option(setting) => return Ok(words.common(setting.flag.id)),
            Part::Word(word) if shell.is_some() => return Err(unwanted(words.command, &word)),
            Part::Word(word) => shell = Some(Shell::named(&text(word)?)?),
        }
    }
    let missing = || "'completions' needs the name of a shell: bash, zsh or fish".into();
    shell.map(Command::Completions).ok_or_else(missing)
}

fn parse_help(words: &mut Words) -> Result<Command, String> {
    let mut about = None;
    while let Some(part) = words.next()? {
        match part {
            Part::Option(setting) => return Ok(words.common(setting.flag.id)),
            Part::Word(word) if about.is_some() => return Err(unwanted(words.command, &word)),
            Part::Word(word) => {
                let name = text(word)?;
                let hint = || did_you_mean(&name, &command_names());
                let found = command(&name);
                about = Some(found.ok_or_else(|| match foreign(&name) {
                    Some(answer) => format!("there is no command '{name}': {answer}"),
                    None => format!("no command '{name}'{}", hint()),
                })?);
            }
        }
    }
    Ok(Command::Help(about))
}

fn parse_nothing(words: &mut Words, meaning: Command) -> Result<Command, String> {
    match words.next()? {
        None => Ok(meaning),
        Some(Part::Option(setting)) => Ok(words.common(setting.flag.id)),
        Some(Part::Word(word)) => Err(unwanted(words.command, &word)),
    }
}

fn unwanted(command: &CommandInfo, word: &OsString) -> String {
    let (name, word) = (command.name, word.to_string_lossy());
    format!("'{name}' does not take '{word}' ('zwasm help {name}' shows the usage)")
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

fn expected<T>(found: Option<T>, name: &str, what: &str, value: &str) -> Result<T, String> {
    found.ok_or_else(|| format!("option '{name}' expects {what}, got '{value}'"))
}

#[cfg(test)]
mod tests {
    use zwasm_wasi::Capabilities;

    use super::*;

    fn words(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from), || Ok(Vec::new()))
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
        for line in ["help", "--help", "-h", "-h a.wasm", "a.wasm --invoke f -h"] {
            assert_eq!(words(line), Ok(Command::Help(None)), "{line}");
        }
        for line in ["run --help", "help run", "run -h a.wasm"] {
            assert_eq!(words(line), Ok(Command::Help(Some(&COMMANDS[0]))), "{line}");
        }
        for line in ["validate -h", "help validate", "validate a --help"] {
            assert_eq!(words(line), Ok(Command::Help(command("validate"))), "{line}");
        }
        let inspect = Check { file: "a".into(), json: Format::Json, ..Check::default() };
        assert_eq!(words("inspect --json a"), Ok(Command::Inspect(inspect)));
        assert_eq!(words("completions fish"), Ok(Command::Completions(Shell::Fish)));
        assert_eq!(words("man"), Ok(Command::Man));
        for line in ["version", "--version", "-V", "-V a.wasm"] {
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
        let env: Vec<_> = r.env.iter().map(|(k, v)| (k.as_str(), v.as_deref())).collect();
        assert_eq!(env, [("A", Some("1")), ("B", Some("x=y")), ("C", Some(""))]);
        assert_eq!(run("a --env A=1 --env A=2").env, [("A".into(), Some("2".into()))]);
        assert_eq!(run("a --env A=1 --env A").env, [("A".into(), None)]);
        let r = run("a --max-memory 16777216 --max-stack 64k");
        assert_eq!((r.max_memory, r.max_stack), (Some(16 << 20), Some(64 << 10)));
        assert_eq!(run("a").engine, None);
        assert_eq!(run("a --engine interp").engine, Some(Strategy::Interpreter));
        assert_eq!(run("a --engine=baseline").engine, Some(Strategy::Baseline));
        assert_eq!(run("a --engine auto").engine, Some(Strategy::Auto));
        assert_eq!(run("a --engine mixed:7").engine, Some(Strategy::Mixed(7)));
        assert!(run("a --engine auto:baseline").stays_baseline && !run("a").stays_baseline);
        assert_eq!(run("a --max-memory 4G").max_memory, Some(4 << 30));
        assert_eq!(run("a --max-total 1G").max_total, Some(1 << 30));
        assert_eq!(run("a --max-code 1M").max_code, Some(1 << 20));
        let r = run("a --sandbox --fuel 1000 --timeout=250 --max-gc-heap 1M");
        assert_eq!((r.sandbox, r.fuel, r.max_gc_heap), (true, Some(1000), Some(1 << 20)));
        assert_eq!(r.timeout, Some(Duration::from_millis(250)));
        let r = run("a --timeout 1.5s --fuel 2M --max-memory 1.5MiB --argv0 b");
        assert_eq!((r.timeout, r.fuel), (Some(Duration::from_millis(1500)), Some(2_000_000)));
        assert_eq!((r.max_memory, r.argv0.as_deref()), (Some(3 << 19), Some("b")));
        assert_eq!(run("a --unknown-imports trap").unknown_imports, Some(Unknown::Trap));
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
    fn options_of_the_program() {
        let r = run("cc1.wasm -quiet x.c --std=c11 --dir . -o x.s --end");
        assert_eq!(r.program_args, ["-quiet", "x.c", "--std=c11", "-o", "x.s", "--end"]);
        assert_eq!(r.dirs.len(), 1);
        assert_eq!(run("a -h --version --json --help").program_args.len(), 4);
        assert_eq!(run("--json a").json, Format::Json);
        // A function has none, nor have lines.
        assert!(error("a --invoke f -quiet").contains("'-quiet'"));
        assert!(error("a -quiet --batch").contains("'-quiet'"));
        assert_eq!(run("a -- --invoke f").program_args, ["--invoke", "f"]);
        // What would be lost is not passed on.
        let message = "unknown option '--sandbx' (did you mean '--sandbox'?); words for the program \
                       go after '--'";
        assert_eq!(error("a --sandbx"), message);
        assert_eq!(run("a -- --sandbx").program_args, ["--sandbx"]);
        assert!(error("a --allow-al").contains("'--allow-all'"));
        assert!(error("--quiet a").contains("the program's own options go behind its file"));
    }

    #[test]
    fn layers() {
        let layered = |below: &str, line: &str| {
            let words = |line: &str| line.split_whitespace().map(OsString::from).collect();
            let mut layer = Layer::new();
            let mut all = Words {
                command: &COMMANDS[0],
                named: None,
                words: words(below),
                calls: false,
                to_program: false,
            };
            while let Some(Part::Option(setting)) = all.next().unwrap() {
                layer.push(Setting { origin: "here: ".into(), ..setting });
            }
            let words: VecDeque<OsString> = words(line);
            match parse(words, || Ok(vec![layer])) {
                Ok(Command::Run(run)) => Ok(*run),
                Err(message) => Err(message),
                Ok(other) => panic!("{other:?}"),
            }
        };
        let r = layered("--timeout 1s --dir x --engine jit", "a --timeout 2s --dir y").unwrap();
        assert_eq!(r.timeout, Some(Duration::from_secs(2)));
        assert_eq!((r.dirs.len(), r.engine), (2, Some(Strategy::Optimizing)));
        assert_eq!(layered("--dir x", "a --no-config").unwrap(), run("a"));
        assert_eq!(
            layered("--fuel x", "a").unwrap_err(),
            "here: option '--fuel' expects a number of instructions, got 'x'"
        );
        assert!(layered("--fuel 1 --fuel 2", "a").unwrap_err().contains("twice"));
        // In a sandbox nothing counts that would open it.
        let below = "--allow-all --deny-net --dir x --env A=1 --listen b:1 --max-memory 8G --fuel 99 \
                     --max-total 9G --max-code 9G --max-gc-heap 9G --max-stack 9G --timeout 1s";
        let r = layered(below, "a --sandbox --allow-read").unwrap();
        let mut expected = run("a --sandbox --allow-read --timeout 1s");
        expected.grants.denied = Capabilities::NET;
        assert_eq!(r, expected);
        // One that stands below has what stands beside it.
        assert!(layered("--sandbox --dir x", "a").unwrap().dirs.len() == 1);
    }

    #[test]
    fn json_of_two_kinds() {
        assert_eq!(run("a").json, Format::Words);
        assert_eq!(run("--json a").json, Format::Json);
        assert_eq!(run("a --json --invoke f").json, Format::Json);
        assert_eq!(run("--json a safe").program_args, ["safe"]);
        assert_eq!(run("--json=safe a").json, Format::SafeJson);
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
        use Capabilities as C;
        let r = run("a --allow-read --allow-env --deny-clock");
        assert_eq!((r.grants.allowed, r.grants.denied), (C::READ | C::ENV, C::CLOCK));
        let names = || C::ALL.names().filter(|name| !["stdio", "exit"].contains(name));
        let all: String = names().map(|name| format!(" --allow-{name} --deny-{name}")).collect();
        let grants = run(&format!("a{all}")).grants;
        assert_eq!(grants.allowed, grants.denied);
        assert_eq!(grants.allowed | C::STDIO | C::EXIT, run("a --allow-all").grants.allowed);
        assert_eq!(run("a --sandbox").grants, Grants::default());
        let r = run("a --sandbox --allow-read --trace=wasi --listen=[::1]:80");
        assert!(r.sandbox && r.trace_wasi && r.grants.allowed.contains(C::READ));
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
            ("a --invoke f --std", "unknown option '--std' (words for the program go after '--')"),
            ("compile a", "there is no command 'compile': code is compiled while it runs"),
            ("serve --addr x a", "there is no command 'serve'"),
            ("help explore", "there is no command 'explore': '--dump-regir N'"),
            ("objdump a", "there is no command 'objdump'"),
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
            ("-x=3 a", "unknown option '-x'"),
            ("a --invoke", "'--invoke' needs a value: NAME"),
            ("a --invoke --dir .", "'--invoke' needs a value: NAME"),
            ("a --allow-all=yes", "'--allow-all' takes no value"),
            ("a --invoke f --invoke g", "'--invoke' is given twice"),
            ("a --env A:b:c", "KEY=VALUE or KEY, got 'A:b:c' (did you mean 'A=b:c'?)"),
            ("a --env =A", "KEY=VALUE or KEY, got '=A' without a key"),
            ("a --unknown-imports tarp", "trap or default, got 'tarp' (did you mean 'trap'?)"),
            ("--mapdir x a", "unknown option '--mapdir' (here it is '--dir HOST::GUEST')"),
            ("--preload m=x a", "(here it is '--link NAME=FILE')"),
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
            ("a --fuel 1.5", "'--fuel' expects a number of instructions, got '1.5'"),
            ("a --fuel 99999999999999999999", "'--fuel' expects"),
            ("a --timeout 1.5", "'--timeout' expects milliseconds or a time like 1.5s, got '1.5'"),
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
        let none = || Ok(Vec::new());
        let Ok(Command::Run(r)) = parse([odd()], none) else { panic!() };
        assert_eq!(r.file.as_os_str(), odd());
        assert!(parse(["a".into(), odd()], none).unwrap_err().contains("UTF-8"));
    }
}
