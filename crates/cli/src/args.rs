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
    /// Answer requests by a component.
    #[cfg(feature = "serve")]
    Serve(Box<Run>),
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

/// A feature of WebAssembly, and whether programs may use it.
pub type Switch = (Feature, bool);

/// What `zwasm inspect FILE` and `zwasm validate FILE` take.
#[derive(Debug, Default, PartialEq)]
pub struct Check {
    /// The module's file.
    pub file: PathBuf,
    /// The features of WebAssembly that the module may use or not, others than by default.
    pub features: Vec<Switch>,
    /// How to print it.
    pub json: Format,
}

/// What `zwasm wast FILE...` takes.
#[cfg(feature = "wast")]
#[derive(Debug, Default, PartialEq)]
pub struct Scripts {
    /// The scripts' files.
    pub files: Vec<PathBuf>,
    /// The features of WebAssembly that their modules may use or not, others than by
    /// default.
    pub features: Vec<Switch>,
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
    /// The features of WebAssembly that the module may use or not, others than by default.
    pub features: Vec<Switch>,
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
    /// What is about answering requests.
    #[cfg(feature = "serve")]
    pub serving: crate::serve::Options,
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
    ("--wasm-features", "'--enable FEATURE' and '--disable FEATURE'"),
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
                words.to_program = !words.calls && words.command.name == "run";
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
    #[cfg(feature = "serve")]
    if words.command.name == "serve" {
        let more = bare.into_iter().next().map(OsString::from).or_else(|| words.words.pop_front());
        return match more {
            Some(word) => {
                Err(format!("'serve' takes one file, got '{}' as well", word.to_string_lossy()))
            }
            None => Ok(Command::Serve(Box::new(run))),
        };
    }
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
                features: below.features,
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
            Id::Disable | Id::Enable => self.features.push(switch(flag.id, &value)?),
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
            #[cfg(feature = "serve")]
            Id::Addr
            | Id::Threads
            | Id::Log
            | Id::MaxConnections
            | Id::MaxRequests
            | Id::MaxHead
            | Id::MaxBody
            | Id::HeadTimeout
            | Id::IdleTimeout => {
                once()?;
                self.serving.set(flag.id, name, optional)?;
            }
            // These are not about the run.
            Id::NoConfig | Id::Help | Id::Version => {}
        }
        Ok(())
    }
}

fn switch(id: Id, name: &str) -> Result<Switch, String> {
    Ok((feature(name)?, matches!(id, Id::Enable)))
}

fn parse_check(words: &mut Words, make: fn(Check) -> Command) -> Result<Command, String> {
    let mut check = Check::default();
    let mut files = Vec::new();
    while let Some(part) = words.next()? {
        match part {
            Part::Word(word) => files.push(word),
            Part::Option(Setting { flag, value, .. }) => match flag.id {
                Id::Disable | Id::Enable => {
                    check.features.push(switch(flag.id, &value.unwrap_or_default())?);
                }
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
                Id::Disable | Id::Enable => {
                    scripts.features.push(switch(flag.id, &value.unwrap_or_default())?);
                }
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

pub fn expected<T>(found: Option<T>, name: &str, what: &str, value: &str) -> Result<T, String> {
    found.ok_or_else(|| format!("option '{name}' expects {what}, got '{value}'"))
}

#[cfg(test)]
mod tests;
