//! The command line: what the words mean, before anything is opened or run.
//!
//! Every flag stands once, in [`SECTIONS`]; parsing, the help text and the
//! suggestions for mistyped flags all read that table. Parsing is by hand: the
//! grammar has one unusual rule (negative numbers are words, not flags) and
//! otherwise needs less code than the glue to a library would.
//!
//! Grammar: flags and words mix freely. The first word is the file. With
//! `--invoke` the further words are the function's arguments, without it the
//! program's. Words after `--` are the program's in either case.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use zwasm::{Feature, Strategy};

use crate::grants::Grants;
use crate::suggest::did_you_mean;

/// What the user asked for.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Execute a module.
    Run(Box<Run>),
    /// Check a module without executing it.
    Validate(Validate),
    /// List the features of WebAssembly; as JSON if told so.
    Features(bool),
    /// Print the version.
    Version,
    /// Print the usage.
    Help,
}

/// The words that are commands when they come first.
pub const COMMANDS: &[&str] = &["run", "validate", "features", "version", "help"];

/// What `zwasm validate FILE` takes.
#[derive(Debug, Default, PartialEq)]
pub struct Validate {
    /// The module's file.
    pub file: PathBuf,
    /// The features of WebAssembly that the module may not use.
    pub disabled: Vec<Feature>,
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
    /// Whether to write a line about each WASI call.
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
    /// The features of WebAssembly that the module may not use.
    pub disabled: Vec<Feature>,
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

/// One flag, as parsed and as shown in the help text.
pub struct Flag {
    /// Its name, with the leading dashes.
    pub name: &'static str,
    /// The name of its value; empty when it takes none.
    pub value: &'static str,
    /// Its line in the help text.
    pub help: &'static str,
    id: Id,
}

/// Flags that belong together in the help text.
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// The flags, in the order shown.
    pub flags: &'static [Flag],
}

#[derive(Clone, Copy)]
enum Id {
    Invoke,
    Engine,
    Dir,
    Env,
    Allow(Grants),
    Sandbox,
    Listen,
    Trace,
    Fuel,
    Timeout,
    MaxMemory,
    MaxStack,
    MaxGcHeap,
    Disable,
    Help,
    Version,
}

const fn flag(name: &'static str, value: &'static str, help: &'static str, id: Id) -> Flag {
    Flag { name, value, help, id }
}

/// All flags.
pub const SECTIONS: &[Section] = &[
    Section {
        title: "Execution",
        flags: &[
            flag(
                "--invoke",
                "NAME",
                "Call the exported function NAME with the words given",
                Id::Invoke,
            ),
            flag("--engine", "NAME", "What runs the code: interp, baseline or auto", Id::Engine),
        ],
    },
    Section {
        title: "WebAssembly",
        flags: &[flag(
            "--disable",
            "NAME",
            "Refuse modules that use a feature (see 'zwasm features')",
            Id::Disable,
        )],
    },
    Section {
        title: "WASI",
        flags: &[
            flag("--dir", "PATH", "Let the program reach a directory (HOST::GUEST:ro)", Id::Dir),
            flag("--listen", "ADDR", "Let the program accept connections on HOST:PORT", Id::Listen),
            flag("--env", "KEY=VALUE", "Set an environment variable of the program", Id::Env),
            flag("--allow-all", "", "Grant every capability below", Id::Allow(Grants::ALL)),
            flag("--allow-read", "", "Reading files", Id::Allow(Grants::READ)),
            flag("--allow-write", "", "Writing files", Id::Allow(Grants::WRITE)),
            flag("--allow-env", "", "The host's environment variables", Id::Allow(Grants::ENV)),
            flag("--allow-path", "", "Operations on paths", Id::Allow(Grants::PATH)),
            flag("--allow-clock", "", "Clocks", Id::Allow(Grants::CLOCK)),
            flag("--allow-random", "", "Random numbers", Id::Allow(Grants::RANDOM)),
            flag("--allow-proc", "", "Signals and threads", Id::Allow(Grants::PROC)),
            flag("--allow-net", "", "Connections accepted by --listen", Id::Allow(Grants::NET)),
        ],
    },
    Section {
        title: "Limits",
        flags: &[
            flag("--fuel", "COUNT", "Instructions to execute at most", Id::Fuel),
            flag("--timeout", "MS", "Milliseconds that all of it may take", Id::Timeout),
            flag("--max-memory", "N", "Bytes a linear memory may grow to", Id::MaxMemory),
            flag("--max-stack", "N", "Bytes of call stack", Id::MaxStack),
            flag("--max-gc-heap", "N", "Bytes of garbage-collected objects", Id::MaxGcHeap),
            flag(
                "--sandbox",
                "",
                "Only what flags grant; 10^9 fuel, 256 MB of memory",
                Id::Sandbox,
            ),
        ],
    },
    Section {
        title: "Debugging",
        flags: &[flag("--trace", "CATS", "Write a line about each event: wasi", Id::Trace)],
    },
    Section {
        title: "Information",
        flags: &[
            flag("--help", "", "Print this text (also -h)", Id::Help),
            flag("--version", "", "Print the version (also -V)", Id::Version),
        ],
    },
];

/// Parses the words of the command line after the program's own name.
///
/// # Errors
/// One line that names the offending word.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut words = words.into_iter();
    let Some(first) = words.next() else {
        return Err("no file given ('zwasm help' shows the usage)".into());
    };
    match first.to_str() {
        Some("run") => parse_run(&mut words),
        Some("validate") => parse_validate(&mut words),
        Some("features") => parse_features(&mut words),
        Some("version") => Ok(Command::Version),
        Some("help") => Ok(Command::Help),
        _ => parse_run(&mut std::iter::once(first).chain(words)),
    }
}

fn parse_run(words: &mut dyn Iterator<Item = OsString>) -> Result<Command, String> {
    let mut run = Run::default();
    let mut file = None;
    let mut bare = Vec::new();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        if !is_option(&word) {
            match file {
                None => file = Some(PathBuf::from(word)),
                Some(_) => bare.push(text(word)?),
            }
            continue;
        }
        let word = text(word)?;
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let flag = find(name).ok_or_else(|| unknown(name, file.is_some()))?;
        if flag.value.is_empty() && value.is_some() {
            return Err(format!("option '{name}' takes no value"));
        }
        if !flag.value.is_empty() && value.is_none() {
            value = match words.next() {
                Some(next) if !next.as_encoded_bytes().starts_with(b"--") => Some(text(next)?),
                _ => return Err(format!("option '{name}' needs a value: {}", flag.value)),
            };
        }
        let value = value.unwrap_or_default();
        match flag.id {
            Id::Invoke => once(&mut run.invoke, value, name)?,
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
            Id::Trace => trace(&value, &mut run)?,
            Id::Fuel => {
                once(&mut run.fuel, number(&value, "a number of instructions", name)?, name)?
            }
            Id::Timeout => {
                let time = Duration::from_millis(number(&value, "milliseconds", name)?);
                once(&mut run.timeout, time, name)?;
            }
            Id::MaxGcHeap => once(&mut run.max_gc_heap, size(&value, name)?, name)?,
            Id::MaxMemory => once(&mut run.max_memory, size(&value, name)?, name)?,
            Id::MaxStack => once(&mut run.max_stack, size(&value, name)?, name)?,
            Id::Disable => run.disabled.push(feature(&value)?),
            Id::Help => return Ok(Command::Help),
            Id::Version => return Ok(Command::Version),
        }
    }
    // What is left stands after `--`.
    run.file = match file.or_else(|| words.next().map(PathBuf::from)) {
        Some(file) => file,
        None => return Err("no file given ('zwasm help' shows the usage)".into()),
    };
    match run.invoke {
        Some(_) => run.call_args = bare,
        None => run.program_args = bare,
    }
    for word in words {
        run.program_args.push(text(word)?);
    }
    Ok(Command::Run(Box::new(run)))
}

fn parse_validate(words: &mut dyn Iterator<Item = OsString>) -> Result<Command, String> {
    let mut file = None;
    let mut disabled = Vec::new();
    let mut options = true;
    while let Some(word) = words.next() {
        if options && word == "--" {
            options = false;
        } else if options && is_option(&word) {
            let word = text(word)?;
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            match find(name).map(|flag| flag.id) {
                Some(Id::Help) => return Ok(Command::Help),
                Some(Id::Disable) => {
                    let value = match value {
                        Some(value) => value,
                        None => text(words.next().unwrap_or_default())?,
                    };
                    disabled.push(feature(&value)?);
                }
                _ => return Err(format!("'validate' takes no option '{word}'")),
            }
        } else if file.is_none() {
            file = Some(PathBuf::from(word));
        } else {
            return Err("'validate' takes one file".into());
        }
    }
    let file = file.ok_or_else(|| String::from("'validate' needs a file"))?;
    Ok(Command::Validate(Validate { file, disabled }))
}

fn parse_features(words: &mut dyn Iterator<Item = OsString>) -> Result<Command, String> {
    let mut json = false;
    for word in words {
        match word.to_str() {
            Some("--json") => json = true,
            Some("--help" | "-h") => return Ok(Command::Help),
            _ => {
                let word = word.to_string_lossy();
                return Err(format!("'features' takes nothing but '--json', got '{word}'"));
            }
        }
    }
    Ok(Command::Features(json))
}

fn feature(name: &str) -> Result<Feature, String> {
    name.parse().map_err(|_| {
        let hint = did_you_mean(name, Feature::ALL.iter().map(|feature| feature.name()));
        format!("unknown feature '{name}'{hint}")
    })
}

/// The engines by name.
const ENGINES: [(&str, Strategy); 3] =
    [("interp", Strategy::Interpreter), ("baseline", Strategy::Baseline), ("auto", Strategy::Auto)];

fn engine(name: &str) -> Result<Strategy, String> {
    let found = ENGINES.iter().find(|(known, _)| *known == name);
    found.map(|(_, strategy)| *strategy).ok_or_else(|| {
        let hint = did_you_mean(name, ENGINES.iter().map(|(known, _)| *known));
        let hint = if hint.is_empty() { " (interp, baseline or auto)" } else { &hint };
        format!("unknown engine '{name}'{hint}")
    })
}

/// Whether a word is a flag rather than a file, a number or a plain word.
fn is_option(word: &OsString) -> bool {
    match word.as_encoded_bytes() {
        [] | [b'-'] => false,
        [b'-', rest @ ..] => {
            let number = rest[0].is_ascii_digit() || rest[0] == b'.';
            let named =
                ["inf", "infinity", "nan"].iter().any(|n| rest.eq_ignore_ascii_case(n.as_bytes()));
            !number && !named
        }
        _ => false,
    }
}

fn find(name: &str) -> Option<&'static Flag> {
    let name = match name {
        "-h" => "--help",
        "-V" => "--version",
        name => name,
    };
    flags().find(|flag| flag.name == name)
}

fn flags() -> impl Iterator<Item = &'static Flag> {
    SECTIONS.iter().flat_map(|section| section.flags)
}

fn unknown(name: &str, after_file: bool) -> String {
    let mut hint = did_you_mean(name, flags().map(|flag| flag.name));
    if hint.is_empty() && after_file {
        hint = " (words for the program go after '--')".into();
    }
    format!("unknown option '{name}'{hint}")
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
    if host.is_empty() || guest.is_empty() {
        return Err(format!("option '--dir' expects PATH or HOST::GUEST, got '{value}'"));
    }
    Ok(Preopen { host: host.to_owned(), guest: guest.to_owned(), read_only })
}

fn trace(categories: &str, run: &mut Run) -> Result<(), String> {
    for category in categories.split(',') {
        match category {
            "wasi" => run.trace_wasi = true,
            _ => return Err(format!("option '--trace' knows 'wasi', got '{category}'")),
        }
    }
    Ok(())
}

fn variable(value: &str) -> Result<(String, String), String> {
    match value.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("option '--env' expects KEY=VALUE, got '{value}'")),
    }
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
        Ok(Command::Validate(Validate { file: file.into(), disabled: disabled.to_vec() }))
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
        assert_eq!(words("features"), Ok(Command::Features(false)));
        assert_eq!(words("features --json"), Ok(Command::Features(true)));
        for line in ["help", "--help", "-h", "a.wasm -h", "run --help", "validate -h", "help run"] {
            assert_eq!(words(line), Ok(Command::Help), "{line}");
        }
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
        let r = run("a --invoke f -5 -6.28 -.5 -inf -NaN -0x10 -1e9 - --dir .");
        assert_eq!(r.call_args, ["-5", "-6.28", "-.5", "-inf", "-NaN", "-0x10", "-1e9", "-"]);
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
        assert_eq!(run("a --max-memory 4G").max_memory, Some(4 << 30));
        let r = run("a --sandbox --fuel 1000 --timeout=250 --max-gc-heap 1M");
        assert_eq!((r.sandbox, r.fuel, r.max_gc_heap), (true, Some(1000), Some(1 << 20)));
        assert_eq!(r.timeout, Some(Duration::from_millis(250)));
    }

    #[test]
    fn grants_add_up() {
        let r = run("a --allow-read --allow-env");
        assert!(r.grants.contains(Grants::READ) && r.grants.contains(Grants::ENV));
        assert!(!r.grants.contains(Grants::WRITE));
        let all = "a --allow-read --allow-write --allow-env --allow-path --allow-clock \
                   --allow-random --allow-proc --allow-net";
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
            ("a -x=3", "unknown option '-x'"),
            ("a --invoke", "'--invoke' needs a value: NAME"),
            ("a --invoke --dir .", "'--invoke' needs a value: NAME"),
            ("a --allow-all=yes", "'--allow-all' takes no value"),
            ("a --invoke f --invoke g", "'--invoke' is given twice"),
            ("a --env A", "KEY=VALUE, got 'A'"),
            ("a --env =A", "KEY=VALUE, got '=A'"),
            ("a --dir ::x", "HOST::GUEST, got '::x'"),
            ("a --dir x::", "HOST::GUEST, got 'x::'"),
            ("a --dir :ro", "HOST::GUEST, got ':ro'"),
            ("a --trace wasi,x", "'--trace' knows 'wasi', got 'x'"),
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
            ("a --engine turbofan", "unknown engine 'turbofan' (interp, baseline or auto)"),
            ("a --engine", "'--engine' needs a value: NAME"),
            ("a --engine auto --engine auto", "'--engine' is given twice"),
            ("a --disable smid", "unknown feature 'smid' (did you mean 'simd'?)"),
            ("a --disable", "'--disable' needs a value: NAME"),
            ("features a", "'features' takes nothing but '--json', got 'a'"),
            ("validate --disable", "unknown feature ''"),
            ("validate", "needs a file"),
            ("validate a b", "one file"),
            ("validate a --invoke f", "'validate' takes no option '--invoke'"),
        ] {
            let message = error(line);
            assert!(message.contains(part), "{line}: {message}");
            assert!(!message.contains('\n'), "{line}: {message}");
        }
    }

    #[test]
    fn every_flag_is_known_and_documented() {
        for flag in flags() {
            assert!(std::ptr::eq(find(flag.name).unwrap(), flag), "{} twice", flag.name);
            assert!(!flag.help.is_empty());
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
