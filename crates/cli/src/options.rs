//! The commands and their options, each declared once.
//!
//! Parsing, the help texts, the completions of the shells, the manual page and
//! the suggestions for mistyped words all read these tables. An option is of the
//! command `run` unless it says otherwise.

use zwasm::Feature;
use zwasm_wasi::Capabilities;

/// A command: the word that comes first on the line.
#[derive(Debug, PartialEq)]
pub struct CommandInfo {
    /// The word.
    pub name: &'static str,
    /// What may follow it, as in a usage line.
    pub words: &'static str,
    /// What it does, on one line.
    pub summary: &'static str,
    /// What else there is to know; lines for a terminal.
    pub about: &'static str,
}

/// One option, as parsed and as shown.
pub struct Flag {
    /// Its name, with the leading dashes.
    pub name: &'static str,
    /// The name of its value; empty when it takes none.
    pub value: &'static str,
    /// Its line in the help text.
    pub help: &'static str,
    /// Whether the value may be left out; else it may stand in the next word.
    pub optional: bool,
    /// The names of the commands that take it.
    pub commands: &'static [&'static str],
    /// Whether a default for it may stand in the configuration.
    pub has_default: bool,
    /// What it sets.
    pub id: Id,
}

/// Options that belong together in the help text.
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// The options, in the order shown.
    pub flags: &'static [Flag],
}

/// What an option sets.
#[derive(Clone, Copy)]
pub enum Id {
    Invoke,
    Argv0,
    Engine,
    Deterministic,
    Batch,
    Link,
    UnknownImports,
    Json,
    Dir,
    Env,
    Allow(Capabilities),
    Deny(Capabilities),
    Sandbox,
    Listen,
    Trace,
    Fuel,
    Timeout,
    MaxMemory,
    MaxGcHeap,
    MaxCode,
    MaxTotal,
    MaxStack,
    Disable,
    Enable,
    #[cfg(feature = "trace")]
    Profile,
    #[cfg(feature = "trace")]
    DumpRegir,
    #[cfg(all(feature = "optimize", feature = "trace"))]
    DumpSsa,
    #[cfg(all(feature = "optimize", feature = "trace"))]
    WithoutPass,
    #[cfg(feature = "trace")]
    DumpJit,
    PerfMap,
    #[cfg(feature = "gdb")]
    DebugInfo,
    CoreDump,
    Overwrite,
    #[cfg(feature = "serve")]
    Addr,
    #[cfg(feature = "serve")]
    Threads,
    #[cfg(feature = "serve")]
    Log,
    #[cfg(feature = "serve")]
    MaxConnections,
    #[cfg(feature = "serve")]
    MaxRequests,
    #[cfg(feature = "serve")]
    MaxHead,
    #[cfg(feature = "serve")]
    MaxBody,
    #[cfg(feature = "serve")]
    HeadTimeout,
    #[cfg(feature = "serve")]
    IdleTimeout,
    NoConfig,
    Help,
    Version,
}

/// The commands that run programs.
const GUESTS: &[&str] = if cfg!(feature = "serve") { &["run", "serve"] } else { &["run"] };

/// The commands that take the features of WebAssembly to use.
const WITH_FEATURES: &[&str] = if cfg!(feature = "serve") {
    &["run", "serve", "inspect", "validate", "wast"]
} else {
    &["run", "inspect", "validate", "wast"]
};

const fn flag(name: &'static str, value: &'static str, help: &'static str, id: Id) -> Flag {
    Flag { name, value, help, optional: false, commands: &["run"], has_default: false, id }
}

#[cfg(feature = "serve")]
const fn serving(name: &'static str, value: &'static str, help: &'static str, id: Id) -> Flag {
    flag(name, value, help, id).on(&["serve"])
}

const fn grant(name: &'static str, help: &'static str, id: Id) -> Flag {
    flag(name, "", help, id).on(GUESTS).with_default()
}

const fn limit(name: &'static str, value: &'static str, help: &'static str, id: Id) -> Flag {
    flag(name, value, help, id).on(GUESTS).with_default()
}

impl Flag {
    const fn on(mut self, commands: &'static [&'static str]) -> Flag {
        self.commands = commands;
        self
    }

    const fn optional(mut self) -> Flag {
        self.optional = true;
        self
    }

    const fn with_default(mut self) -> Flag {
        self.has_default = true;
        self
    }

    /// Whether a command takes the option.
    pub fn applies_to(&self, command: &CommandInfo) -> bool {
        self.commands.is_empty() || self.commands.contains(&command.name)
    }

    /// The option with its value, as the help text shows it.
    pub fn call(&self) -> String {
        match (self.value, self.optional) {
            ("", _) => self.name.into(),
            (value, false) => format!("{} {value}", self.name),
            (value, true) => format!("{}[={value}]", self.name),
        }
    }
}

/// The short names of options.
pub const SHORT: &[(&str, &str)] = &[("-h", "--help"), ("-V", "--version")];

/// All commands, the one that needs no word first.
pub const COMMANDS: &[CommandInfo] = &[
    CommandInfo {
        name: "run",
        words: "FILE [OPTIONS] [ARGS...] [-- ARGS...]",
        summary: "Run a module or component; the word 'run' may be left out",
        about: "\
FILE is a WebAssembly module or component, binary or text, or '-' for standard
input. Its export '_start', or 'wasi:cli/run', is called unless --invoke names
another. ARGS go to the function named by --invoke, else to the program, with
the options behind FILE that are not zwasm's; -h, --help, -V and --version are
the program's there. All that follows '--' goes to the program. Numbers are
written as in the text format: 42, -0x2a, 1_000, 2.5, 0x1.4p1, inf, nan:0x1;
vectors as one 128-bit integer, null references as 'null'.

Functions of components are called in WAVE, and answer in it:
--invoke 'greet(\"Bo\", {age: 3, tags: [red, blue]})'. One of an interface is
named as clearly as it takes: f, iface.f, ns:pkg/iface@1.0.0#f.

With --batch each line of standard input is a call: the name of an exported
function and its arguments, or {\"invoke\": NAME, \"args\": [...]}, which is
answered in JSON. All lines call the same instance, and a line that fails does
not end the batch.

A program has the standard streams, clocks and random numbers. It reaches no
files but those below the directories given with --dir, which it may read and
write, unless --allow-read, --allow-write or --allow-path say what for. All else
takes a flag. What is denied stays denied. In a sandbox nothing counts but the
flags beside it.

A number of bytes N may end in K, M or G, also as in 1.5GiB; a COUNT likewise,
by thousands, or be like 1e9; a TIME has a unit as in 250ms, 1.5s, 2m, 1h.

Defaults for options stand in ~/.config/zwasm/config, each on a line as in
'timeout = 10s', and in variables as in ZWASM_TIMEOUT=10s. ZWASM_CONFIG names
another file.
",
    },
    #[cfg(feature = "serve")]
    CommandInfo {
        name: "serve",
        words: "[OPTIONS] FILE",
        summary: "Answer HTTP requests by a component",
        about: "\
FILE is a component that exports 'wasi:http/incoming-handler' of WASI 0.2. Each
request is answered by an instance of its own, which is given what the options
say, as 'zwasm run' would give it, and no standard input. A request whose
instance traps, or gives no response, is answered by the status 500 and told on
standard error.

The server speaks HTTP/1.1. It answers until it gets SIGINT or SIGTERM; then it
finishes the requests it has got, and ends with the exit code 0. A second signal
ends it at once.

With --log there is a line for each request, in FILE if one is named (a line is
added to what it has) and else on standard error: the client, the time, the
request, the status, the bytes of the body, and the seconds that it took.
",
    },
    CommandInfo {
        name: "inspect",
        words: "[OPTIONS] FILE",
        summary: "Show imports, exports and contents of a file",
        about: "\
Of a module these are its sections with their sizes, the memories it declares,
the features of WebAssembly it needs, and the tools it was made by. Of a
component it is WIT.
",
    },
    CommandInfo {
        name: "validate",
        words: "[OPTIONS] FILE",
        summary: "Check a file without running it",
        about: "",
    },
    #[cfg(feature = "wast")]
    CommandInfo {
        name: "wast",
        words: "[OPTIONS] FILE...",
        summary: "Run scripts of the test suite's format",
        about: "\
A script is made of modules and of what is to come of them, as in
(assert_return (invoke \"add\" (i32.const 1) (i32.const 2)) (i32.const 3)). What
comes otherwise is told by file and line, and then how much passed; the exit
code is 1 if something did not.
",
    },
    CommandInfo {
        name: "features",
        words: "[--json]",
        summary: "List the features of WebAssembly",
        about: "\
Each line has a feature's name, its status, and whether this build runs it, or
does with --enable. The names are those that --enable and --disable take.
",
    },
    CommandInfo {
        name: "completions",
        words: "bash|zsh|fish",
        summary: "Print a completion script for a shell",
        about: "\
bash: source <(zwasm completions bash)
zsh:  zwasm completions zsh > \"${fpath[1]}/_zwasm\"
fish: zwasm completions fish > ~/.config/fish/completions/zwasm.fish
",
    },
    CommandInfo {
        name: "man",
        words: "",
        summary: "Print the manual page",
        about: "\
To read it: zwasm man | man -l -
",
    },
    CommandInfo { name: "version", words: "", summary: "Print the version", about: "" },
    CommandInfo {
        name: "help",
        words: "[COMMAND]",
        summary: "Print this text, or all about a command",
        about: "",
    },
];

/// Words that are commands elsewhere, and what there is here in their place.
pub const FOREIGN: &[(&str, &str)] = &[
    ("compile", "code is compiled while it runs, and no file is made of it: run the module itself"),
    #[cfg(not(feature = "serve"))]
    (
        "serve",
        "there is no server for HTTP; a component that listens by itself runs with '--allow-net'",
    ),
    #[cfg(not(feature = "wast"))]
    ("wast", "this build runs no scripts: it was built without the feature 'wast'"),
    (
        "explore",
        "'--dump-regir N' and '--dump-jit N' print what becomes of a function, and \
         '--profile=FILE.svg' draws where the time goes",
    ),
    (
        "objdump",
        "'--dump-jit N' prints the machine code of a function, and 'zwasm inspect FILE' what \
         is in a module",
    ),
    ("config", "defaults stand in a file, see 'zwasm help run'; there is no cache to configure"),
    ("settings", "the compilers have no settings; '--engine' chooses among them"),
    ("exec", "it is 'zwasm run FILE', of which 'run' may be left out"),
    ("info", "it is 'zwasm inspect FILE'"),
    ("wat2wasm", "modules in the text format run as they are: 'zwasm FILE.wat'"),
];

/// What there is in place of a command of another runtime.
pub fn foreign(name: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|(known, _)| *known == name).map(|(_, answer)| *answer)
}

/// What a failure means to a script.
pub const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "Success"),
    ("1", "Trap, missing import or other failure at run time; wrong usage"),
    ("2", "Invalid module or component"),
    ("126", "File not found or not readable"),
];

/// All options.
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
            flag("--argv0", "NAME", "What the program is called, to itself", Id::Argv0),
            flag(
                "--engine",
                "NAME",
                "What runs the code: interp, baseline, jit or auto",
                Id::Engine,
            )
            .on(if cfg!(feature = "serve") { &["run", "serve", "wast"] } else { &["run", "wast"] })
            .with_default(),
            flag(
                "--deterministic",
                "",
                "Compute the same NaN on every processor",
                Id::Deterministic,
            )
            .on(GUESTS)
            .with_default(),
            flag("--batch", "", "Call the functions that standard input names", Id::Batch),
            flag("--link", "NAME=FILE", "Instantiate FILE for imports from NAME", Id::Link),
            flag(
                "--unknown-imports",
                "HOW",
                "Run without them: trap when called, or default values",
                Id::UnknownImports,
            )
            .on(GUESTS)
            .with_default(),
            flag("--json", "safe", "Print JSON; safe: integers above 2^53 as strings", Id::Json)
                .optional()
                .on(&["run", "inspect", "validate", "features"]),
        ],
    },
    Section {
        title: "WebAssembly",
        flags: &[
            flag(
                "--disable",
                "FEATURE",
                "Refuse modules that use it (see 'zwasm features')",
                Id::Disable,
            )
            .on(WITH_FEATURES)
            .with_default(),
            flag(
                "--enable",
                "FEATURE",
                "Take modules that use it, if they are not anyway",
                Id::Enable,
            )
            .on(WITH_FEATURES)
            .with_default(),
        ],
    },
    Section {
        title: "WASI",
        flags: &[
            flag("--dir", "PATH", "Let the program use a directory (HOST::GUEST:ro)", Id::Dir)
                .on(GUESTS)
                .with_default(),
            flag("--listen", "ADDR", "Let the program accept connections on HOST:PORT", Id::Listen)
                .with_default(),
            flag("--env", "KEY[=VALUE]", "Set a variable of the program, or pass it on", Id::Env)
                .on(GUESTS)
                .with_default(),
            grant("--allow-all", "Grant every capability below", Id::Allow(Capabilities::ALL)),
            grant("--allow-read", "Reading files", Id::Allow(Capabilities::READ)),
            grant("--allow-write", "Writing files", Id::Allow(Capabilities::WRITE)),
            grant("--allow-env", "The host's variables", Id::Allow(Capabilities::ENV)),
            grant("--allow-path", "Operations on paths", Id::Allow(Capabilities::PATH)),
            grant("--allow-clock", "Clocks", Id::Allow(Capabilities::CLOCK)),
            grant("--allow-random", "Random numbers", Id::Allow(Capabilities::RANDOM)),
            grant("--allow-proc", "Signals and threads", Id::Allow(Capabilities::PROC)),
            grant("--allow-net", "Sockets, names, --listen", Id::Allow(Capabilities::NET)),
            grant("--allow-http", "Sending HTTP requests", Id::Allow(Capabilities::HTTP)),
            grant("--deny-read", "Refuse reading files", Id::Deny(Capabilities::READ)),
            grant("--deny-write", "Refuse writing files", Id::Deny(Capabilities::WRITE)),
            grant("--deny-env", "Refuse the host's variables", Id::Deny(Capabilities::ENV)),
            grant("--deny-path", "Refuse operations on paths", Id::Deny(Capabilities::PATH)),
            grant("--deny-clock", "Refuse clocks", Id::Deny(Capabilities::CLOCK)),
            grant("--deny-random", "Refuse random numbers", Id::Deny(Capabilities::RANDOM)),
            grant("--deny-proc", "Refuse signals and threads", Id::Deny(Capabilities::PROC)),
            grant("--deny-net", "Refuse sockets and names", Id::Deny(Capabilities::NET)),
            grant("--deny-http", "Refuse HTTP requests", Id::Deny(Capabilities::HTTP)),
        ],
    },
    Section {
        title: "Limits",
        flags: &[
            limit("--fuel", "COUNT", "Instructions to execute at most", Id::Fuel),
            limit(
                "--timeout",
                "TIME",
                "Time that all, or a request, may take; in ms, or as 10s",
                Id::Timeout,
            ),
            limit("--max-memory", "N", "Bytes a linear memory may grow to", Id::MaxMemory),
            limit("--max-stack", "N", "Bytes of call stack", Id::MaxStack),
            limit("--max-gc-heap", "N", "Bytes of garbage-collected objects", Id::MaxGcHeap),
            limit("--max-code", "N", "Bytes of machine code; more is interpreted", Id::MaxCode),
            limit("--max-total", "N", "Bytes of memories, tables, objects together", Id::MaxTotal),
            limit(
                "--sandbox",
                "",
                "Only what flags grant; 10^9 fuel, 256 MB of memory",
                Id::Sandbox,
            ),
        ],
    },
    #[cfg(feature = "serve")]
    Section {
        title: "Serving",
        flags: &[
            serving("--addr", "ADDR", "Listen at HOST:PORT; 127.0.0.1:8080", Id::Addr),
            serving("--threads", "COUNT", "Threads that compute; one a processor", Id::Threads),
            serving("--log", "FILE", "Write a line for each request", Id::Log).optional(),
            serving(
                "--max-connections",
                "COUNT",
                "Connections at once; 10,000",
                Id::MaxConnections,
            ),
            serving(
                "--max-requests",
                "COUNT",
                "Requests answered at once, also waiting; 256",
                Id::MaxRequests,
            ),
            serving("--max-head", "N", "Bytes of the head of a request; 64K", Id::MaxHead),
            serving("--max-body", "N", "Bytes of the body of a request", Id::MaxBody),
            serving("--head-timeout", "TIME", "Time for a head to come; 10s", Id::HeadTimeout),
            serving(
                "--idle-timeout",
                "TIME",
                "Time without a byte either way; 60s",
                Id::IdleTimeout,
            ),
        ],
    },
    Section {
        title: "Debugging",
        flags: &[
            #[cfg(feature = "trace")]
            flag("--trace", "CATS", "Report any of jit,regir,exec,mem,call,wasi", Id::Trace),
            #[cfg(not(feature = "trace"))]
            flag("--trace", "CATS", "Report: wasi", Id::Trace),
            #[cfg(feature = "trace")]
            flag("--profile", "FILE", "Counts, or where time goes, as .svg or .json", Id::Profile)
                .optional(),
            #[cfg(feature = "trace")]
            flag("--dump-regir", "N", "Print the register IR of function N", Id::DumpRegir),
            #[cfg(all(feature = "optimize", feature = "trace"))]
            flag("--dump-ssa", "N[=PASS]", "Print the SSA form of function N", Id::DumpSsa),
            #[cfg(all(feature = "optimize", feature = "trace"))]
            flag("--without-pass", "NAME", "Leave out a pass of the optimizer", Id::WithoutPass),
            #[cfg(feature = "trace")]
            flag("--dump-jit", "N", "Print the machine code of function N", Id::DumpJit),
            flag("--perf-map", "", "Name compiled functions for the profiler perf", Id::PerfMap)
                .on(GUESTS),
            #[cfg(feature = "gdb")]
            flag("--debug-info", "", "Name compiled functions for GDB and LLDB", Id::DebugInfo)
                .on(GUESTS),
            flag("--coredump", "FILE", "Write what a program that is stopped leaves", Id::CoreDump),
            flag("--overwrite", "", "Let FILE replace one that exists", Id::Overwrite),
        ],
    },
    Section {
        title: "Information",
        flags: &[
            flag("--no-config", "", "Pass over the configuration and variables", Id::NoConfig)
                .on(GUESTS),
            flag("--help", "", "Print help (also -h)", Id::Help).on(&[]),
            flag("--version", "", "Print the version (also -V)", Id::Version).on(&[]),
        ],
    },
];

/// The options of a command, or all, in order.
pub fn flags(command: Option<&CommandInfo>) -> Vec<&'static Flag> {
    let mut flags = Vec::new();
    for flag in SECTIONS.iter().flat_map(|section| section.flags) {
        if command.is_none_or(|command| flag.applies_to(command)) {
            flags.push(flag);
        }
    }
    flags
}

/// The option with a name, long or short.
pub fn find(name: &str) -> Option<&'static Flag> {
    let long = SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, long)| long);
    flags(None).into_iter().find(|flag| flag.name == long)
}

/// The names of the options of a command.
pub fn flag_names(command: &CommandInfo) -> Vec<&'static str> {
    flags(Some(command)).iter().map(|flag| flag.name).collect()
}

/// The names of the commands.
pub fn command_names() -> Vec<&'static str> {
    COMMANDS.iter().map(|command| command.name).collect()
}

/// The names of the features of WebAssembly.
pub fn feature_names() -> Vec<&'static str> {
    Feature::ALL.iter().map(|feature| feature.name()).collect()
}

/// The command with a name.
pub fn command(name: &str) -> Option<&'static CommandInfo> {
    COMMANDS.iter().find(|command| command.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_known_and_documented() {
        for flag in flags(None) {
            assert!(std::ptr::eq(find(flag.name).unwrap(), flag), "{} twice", flag.name);
            assert!(!flag.help.is_empty());
            assert!(flag.commands.iter().all(|name| command(name).is_some()), "{}", flag.name);
        }
        assert!(SHORT.iter().all(|(short, _)| find(short).is_some()));
    }
}
