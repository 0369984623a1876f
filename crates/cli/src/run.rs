//! `zwasm FILE`: links a module, runs it, prints what it returns. Components go their own
//! way (`component`), with what both have in common from here.
//!
//! The function to call and its arguments are checked against the module
//! before anything of the guest runs, so that a slip on the command line has
//! no side effects. WASI is set up only for modules that import it: a plain
//! module pays for nothing but itself.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Component, Path};

use zwasm::{
    Config, Engine, Error, ErrorKind, ExternType, FuncType, Instance, Linker, Module, Refusals,
    RootScope, Store, Val,
};
#[cfg(feature = "threads")]
use zwasm_wasi::Threads;
use zwasm_wasi::WasiCtx;

use crate::args::Run;
use crate::batch::{Batch, Callee, Request};
use crate::failure::{Failure, note, one_line, say};
use crate::grants::Grants;
use crate::guest::Guest;
use crate::json::Format;
use crate::limits::Limits;
use crate::link::Linked;
use crate::module::Program;
use crate::operands::Preopen;
use crate::suggest::did_you_mean;
use crate::values::Shown;
use crate::{core_dump, imports, json, module, number, values};

/// The module names under which programs import WASI; the last is for threads.
pub const WASI: [&str; 3] = ["wasi_snapshot_preview1", "wasi_unstable", "wasi"];

/// What a WASI command exports to be run.
const START: &str = "_start";

/// What a WASI reactor exports to be called before anything else.
pub const INITIALIZE: &str = "_initialize";

/// Exported functions are listed in an error message up to this many.
const MAX_LISTED: usize = 12;

/// Runs a module or component and returns the exit code: the guest's own if it set one.
///
/// # Errors
/// When a file cannot be read, is invalid, lacks the function asked for, cannot be
/// linked, or traps.
pub fn run(options: &Run) -> Result<i32, Failure> {
    core_dump::check(options)?;
    let limits = Limits::of(options);
    let watchdog = limits.watch_time()?;
    let engine = Engine::new(&config(options, &limits))?;
    let module = match module::load(&engine, &options.file)? {
        Program::Module(module) => module,
        #[cfg(feature = "component")]
        Program::Component(component) => {
            return crate::component::run(&component, options, limits, &watchdog);
        }
    };
    let linked = Linked::load(&engine, &options.links)?;
    let call = chosen(&module, options)?;
    #[cfg(feature = "trace")]
    crate::observe::dump(&module, options)?;

    let mut linker = Linker::new(&engine);
    let imports_wasi =
        |module: &Module| module.imports().any(|import| WASI.contains(&import.module()));
    let context = if linked.modules().chain([&module]).any(imports_wasi) {
        zwasm_wasi::add_to_linker(&mut linker, |guest: &mut Guest| &mut guest.wasi)?;
        wasi_context(options)?
    } else {
        WasiCtx::builder().build()
    };
    let mut store = Store::new(&engine, Guest::new(context));
    limits.impose(&mut store, &watchdog)?;
    #[cfg(feature = "trace")]
    let profiler = crate::observe::Profiler::start(options, &mut store)?;
    let ending = Ending::of(&store, limits, options);
    let unknown = options.unknown_imports;
    let mut outcome = linked.define(&mut store, &mut linker, unknown).and_then(|()| {
        if let Some(how) = unknown {
            imports::stand_in(how, &mut linker, &mut store, &module)?;
        }
        let main = |store: &mut Store<Guest>, instance| {
            perform(store, &module, instance, call, options, limits)
        };
        start(&mut store, &linker, &module, &ending, main).map_err(|error| {
            let mut failure = Failure::from(error);
            if failure.kind() == Some(ErrorKind::Link) {
                explain(&mut failure, &linker, &mut store, &module);
            }
            failure
        })
    });
    core_dump::write(options, &store, &mut outcome);
    let code = ending.finish(outcome);
    #[cfg(feature = "trace")]
    if let Some(profiler) = profiler {
        profiler.finish([&module].into_iter().chain(linked.modules()))?;
    }
    code
}

/// Tells of imports that nothing provides what there is to know.
fn explain(
    failure: &mut Failure,
    linker: &Linker<Guest>,
    store: &mut Store<Guest>,
    module: &Module,
) {
    if let Some(message) = imports::summary(linker, store, module) {
        failure.replace(message);
    }
    if let Some(tells) = imports::made_for(module) {
        failure.note(tells.into());
    }
}

/// How a guest ended that was not stopped.
pub enum Done {
    /// With what the one call returned: a value a line or, for JSON, an array.
    Results(String),
    /// With an exit code: that of a batch, or of a program.
    Code(i32),
}

/// Instantiates the module and has `main` use the instance. A module that starts
/// threads may end in one of them while the first still computes, and then ends
/// the process, too.
fn start(
    store: &mut Store<Guest>,
    linker: &Linker<Guest>,
    module: &Module,
    ending: &Ending,
    main: impl FnOnce(&mut Store<Guest>, Instance) -> Result<Done, Error>,
) -> Result<Done, Error> {
    #[cfg(feature = "threads")]
    if Threads::<Guest>::wanted_by(module) {
        let threads = Threads::new(store, linker.clone(), module, |guest| &mut guest.wasi)?;
        let ending = ending.clone();
        threads.on_end(move |error| crate::end(ending.finish(Err(error.into()))));
        return threads.run(store, main);
    }
    #[cfg(not(feature = "threads"))]
    let _ = ending;
    let instance = linker.instantiate(&mut *store, module)?;
    main(store, instance)
}

/// Does with an instance what the options ask for.
fn perform(
    store: &mut Store<Guest>,
    module: &Module,
    instance: Instance,
    call: Option<Call<'_>>,
    options: &Run,
    limits: Limits,
) -> Result<Done, Error> {
    if let Some(initialize) = instance.get_func(&mut *store, INITIALIZE)
        && call.as_ref().is_none_or(|call| call.name != INITIALIZE)
    {
        initialize.call(&mut *store, &[], &mut [])?;
    }
    if options.batch {
        let default = options.invoke.as_deref();
        let callee = Lines { store, module, instance, default };
        let code = Batch { callee, format: options.json, limits }.run();
        return code.map(Done::Code).map_err(|failure| Error::msg(failure.message().to_owned()));
    }
    Ok(Done::Results(match &call {
        Some(call) => self::call(store, &instance, call, options.json)?,
        None => results(&[], options.json),
    }))
}

/// The module whose functions lines of a batch call.
struct Lines<'a> {
    store: &'a mut Store<Guest>,
    module: &'a Module,
    instance: Instance,
    /// The function for lines that begin with a number.
    default: Option<&'a str>,
}

impl Lines<'_> {
    fn is_function(&self, name: &str) -> bool {
        matches!(self.module.get_export(name), Some(ExternType::Func(_)))
    }
}

impl Callee for Lines<'_> {
    /// A line of words: a function and its arguments, or only these if they begin
    /// with a number and there is a function to call by default.
    fn words(&self, text: &str) -> Request {
        let mut words = text.split_whitespace().map(str::to_owned);
        let first = words.next().unwrap_or_default();
        let number = number::is_named(&first)
            || first.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
        match self.default {
            Some(default) if number && !self.is_function(&first) => Request {
                function: default.to_owned(),
                args: std::iter::once(first).chain(words).collect(),
                id: None,
            },
            _ => Request { function: first, args: words.collect(), id: None },
        }
    }

    fn call(&mut self, request: &Request, format: Format) -> Result<String, Failure> {
        let call = Call::prepare(self.module, &request.function, &request.args)?;
        Ok(self::call(self.store, &self.instance, &call, format)?)
    }

    fn flush(&self) -> std::io::Result<()> {
        self.store.data().wasi.flush()
    }
}

/// What tells how a guest ended, in whichever thread it does.
#[derive(Clone)]
pub struct Ending {
    context: WasiCtx,
    refusals: Refusals,
    limits: Limits,
    grants: Grants,
    format: Format,
    /// The words for a program that has no directory.
    told: Vec<String>,
}

impl Ending {
    /// What tells about the guest of a store.
    pub fn of(store: &Store<Guest>, limits: Limits, options: &Run) -> Self {
        Self {
            context: store.data().wasi.clone(),
            refusals: store.refusals(),
            limits,
            grants: options.grants,
            format: options.json,
            told: if options.dirs.is_empty() { options.program_args.clone() } else { Vec::new() },
        }
    }

    /// The exit code of a guest that is done, after what there is to print.
    ///
    /// # Errors
    /// What the guest was stopped by, or that its output cannot be written.
    pub fn finish(&self, outcome: Result<Done, Failure>) -> Result<i32, Failure> {
        // What the guest wrote comes before what is written about it.
        let flushed = self.context.flush().map_err(|error| Failure::output(&error));
        let (code, results) = match outcome {
            Ok(Done::Results(results)) => (0, Some(results)),
            Ok(Done::Code(code)) => (code, None),
            Err(mut failure) => match failure.exit() {
                Some(code) => (code, None),
                None => {
                    self.limits.explain(&mut failure);
                    if failure.kind() == Some(ErrorKind::Link) && !failure.has_notes() {
                        failure.add(
                            " ('--link NAME=FILE' provides imports; with '--unknown-imports \
                             trap' it runs until it calls one)",
                        );
                    }
                    self.notes().into_iter().for_each(|note| failure.note(note));
                    return Err(failure);
                }
            },
        };
        if code != 0 {
            self.notes().iter().for_each(|text| note(text));
        }
        flushed?;
        if let Some(results) = results {
            print(&results, self.format)?;
        }
        Ok(code)
    }

    /// What the guest was refused, which may be why it failed.
    fn notes(&self) -> Vec<String> {
        let reached = self.context.limit_reached();
        let reached = reached.map(|what| format!("the program was refused {what}"));
        let growth = self.refusals.growth().map(|why| {
            let flag = self.limits.flag(&why);
            format!("the program was refused something: {why}{flag}")
        });
        let refused = self.grants.refusal(self.context.refused());
        let file = self.told.iter().find(|word| refused.is_none() && is_file_below(word));
        let unreachable = file.map(|file| {
            format!("the program was given no directory; '--dir .' lets it reach '{file}'")
        });
        [refused, reached, growth, unreachable].into_iter().flatten().collect()
    }
}

/// The configuration of the engine that the options ask for.
pub fn config(options: &Run, limits: &Limits) -> Config {
    let mut config = module::config(&options.features);
    limits.configure(&mut config);
    if let Some(strategy) = options.engine {
        config.strategy(strategy);
    }
    if options.stays_baseline {
        config.promotion(zwasm::Promotion::Never);
    }
    config.perf_map(options.perf_map).deterministic(options.deterministic);
    config.coredump_on_trap(options.core_dump.is_some());
    #[cfg(feature = "gdb")]
    config.debug_info(options.debug_info);
    #[cfg(all(feature = "optimize", feature = "trace"))]
    for pass in &options.without_passes {
        config.without_pass(pass);
    }
    #[cfg(feature = "trace")]
    crate::observe::configure(&mut config, options);
    config
}

/// Whether a word names a file below the working directory.
fn is_file_below(word: &str) -> bool {
    let path = Path::new(word);
    let below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    path.components().all(below) && path.is_file()
}

/// What the options give a guest.
///
/// # Errors
/// When a directory cannot be opened or an address not be listened on.
pub fn wasi_context(options: &Run) -> Result<WasiCtx, Failure> {
    let capabilities = options.grants.capabilities(options.sandbox, !options.dirs.is_empty());
    let mut builder = WasiCtx::builder();
    builder.inherit_stdio();
    if options.batch {
        // It has the calls.
        builder.stdin(Box::new(std::io::empty()));
    }
    match &options.argv0 {
        Some(name) => builder.arg(name),
        None => builder.arg(options.file.file_name().unwrap_or_default().as_encoded_bytes()),
    };
    builder.args(&options.program_args);
    builder.caps(capabilities).inherit_env_if_allowed();
    for (key, value) in &options.env {
        match value {
            Some(value) => builder.env(key, value),
            None => match std::env::var_os(key) {
                Some(value) => builder.env(key, value.as_encoded_bytes()),
                None => &mut builder,
            },
        };
    }
    for dir in &options.dirs {
        let preopened = match dir.read_only {
            true => builder.preopen_dir_read_only(&dir.host, dir.guest.as_str()),
            false => builder.preopen_dir(&dir.host, dir.guest.as_str()),
        };
        preopened.map_err(|error| {
            let hint = separator(dir);
            Failure::runtime(format!("cannot open directory '{}': {error}{hint}", dir.host))
        })?;
    }
    for address in &options.listen {
        let listener = TcpListener::bind(address).map_err(|error| {
            let hint = if address.contains(':') { "" } else { " (an address is HOST:PORT)" };
            Failure::runtime(format!("cannot listen on '{address}': {error}{hint}"))
        })?;
        // Which port the system chose can be known only from here.
        if let Ok(bound) = listener.local_addr()
            && address.ends_with(":0")
        {
            note(&format!("listening on {bound}"));
        }
        builder.listener(listener);
    }
    if options.trace_wasi {
        builder.trace(|line| say(&one_line(&format!("[wasi] {line}"))));
    }
    Ok(builder.build())
}

/// What a directory that cannot be opened may have been meant as: with one colon, two
/// directories as other commands divide them.
fn separator(dir: &Preopen) -> String {
    match dir.host.split_once(':') {
        Some((host, guest)) if dir.host == dir.guest && !host.is_empty() && !guest.is_empty() => {
            let end = if dir.read_only { ":ro" } else { "" };
            format!(" (two colons divide HOST and GUEST; did you mean '{host}::{guest}{end}'?)")
        }
        _ => String::new(),
    }
}

/// A call of an exported function.
struct Call<'a> {
    name: &'a str,
    args: Vec<Val>,
}

impl<'a> Call<'a> {
    /// A call with arguments given as words.
    ///
    /// # Errors
    /// When there is no such function, or the words do not fit its type.
    fn prepare(module: &Module, name: &'a str, words: &[String]) -> Result<Self, Failure> {
        let ty = match module.get_export(name) {
            Some(ExternType::Func(ty)) => ty,
            None => {
                let functions: Vec<_> = exported_functions(module).collect();
                return Err(Failure::runtime(no_function(name, &functions, &functions)));
            }
            Some(other) => {
                return Err(Failure::runtime(format!("'{name}' is no function but a {other}")));
            }
        };
        let args = arguments(name, &ty, words).map_err(Failure::runtime)?;
        Ok(Self { name, args })
    }
}

/// The call that the options ask for; none when lines ask for calls, or when the
/// options name no function and the module exports no `_start`, so that
/// instantiating it is all.
fn chosen<'a>(module: &Module, options: &'a Run) -> Result<Option<Call<'a>>, Failure> {
    let name = options.invoke.as_deref().unwrap_or(START);
    let is_function = matches!(module.get_export(name), Some(ExternType::Func(_)));
    if options.batch && (is_function || options.invoke.is_none()) {
        return Ok(None);
    }
    if options.invoke.is_none() && module.get_export(name).is_none() {
        return uncalled(module, options).map(|()| None);
    }
    Call::prepare(module, name, &options.call_args).map(Some).map_err(|mut failure| {
        if is_function && options.invoke.is_some() && !options.program_args.is_empty() {
            failure.add(" (words after '--' go to the program)");
        }
        failure
    })
}

fn arguments(name: &str, ty: &FuncType, words: &[String]) -> Result<Vec<Val>, String> {
    let expected = ty.params().count();
    if words.len() != expected {
        let plural = if expected == 1 { "" } else { "s" };
        let given = words.len();
        return Err(format!("'{name}' expects {expected} argument{plural}, got {given}"));
    }
    ty.params()
        .zip(words)
        .enumerate()
        .map(|(index, (ty, word))| {
            values::parse(word, &ty)
                .map_err(|wrong| format!("argument {} of '{name}': '{word}' {wrong}", index + 1))
        })
        .collect()
}

/// The message for a missing export, with what there is instead; `names` are what it may
/// have been meant as.
pub fn no_function(name: &str, names: &[&str], functions: &[&str]) -> String {
    let mut message = format!("no exported function '{name}'");
    message += &did_you_mean(name, names);
    match functions.len() {
        0 => message += "; the file exports no functions",
        1..=MAX_LISTED => message += &format!("; exported: {}", functions.join(", ")),
        _ => {}
    }
    message
}

/// Tells someone who runs a library as if it were a program how to call it. Running it
/// that way is no error, since instantiating it may have been the point; giving it words
/// is, which nothing takes.
fn uncalled(module: &Module, options: &Run) -> Result<(), Failure> {
    let functions: Vec<_> = exported_functions(module).collect();
    let has_initialize = module.get_export(INITIALIZE).is_some();
    match (options.program_args.as_slice(), functions.first()) {
        ([name, args @ ..], _) if functions.contains(&name.as_str()) => {
            let words: String = args.iter().map(|word| format!(" {word}")).collect();
            Err(Failure::runtime(format!(
                "'{name}' is a function of the module, which is called by '--invoke {name}{words}'"
            )))
        }
        _ if has_initialize => Ok(()),
        ([word, ..], Some(first)) => {
            let hint = did_you_mean(word, &functions);
            Err(Failure::runtime(format!(
                "no export '{START}' to take '{word}'{hint}; '--invoke {first}' would call that"
            )))
        }
        ([word, ..], None) => {
            let message = format!("the module exports no functions, and none to take '{word}'");
            Err(Failure::runtime(message))
        }
        ([], Some(first)) => {
            note(&format!("no export '{START}' to call; '--invoke {first}' would call that"));
            Ok(())
        }
        ([], None) => Ok(()),
    }
}

fn exported_functions(module: &Module) -> impl Iterator<Item = &str> {
    module
        .exports()
        .filter(|export| matches!(export.ty(), ExternType::Func(_)))
        .map(|export| export.name())
}

/// Calls a function of an instance; what it returned, as it is printed.
fn call(
    store: &mut Store<Guest>,
    instance: &Instance,
    call: &Call<'_>,
    format: Format,
) -> Result<String, Error> {
    let Some(func) = instance.get_func(&mut *store, call.name) else {
        return Ok(results(&[], format));
    };
    let mut scope = RootScope::new(store);
    let mut values: Vec<_> = func.ty(&scope).results().map(|_| Val::I32(0)).collect();
    func.call(&mut scope, &call.args, &mut values)?;
    let shown: Vec<_> = values.iter().map(|value| values::show(&scope, value)).collect();
    Ok(results(&shown, format))
}

/// Values a line each or, for JSON, an array.
fn results(values: &[Shown], format: Format) -> String {
    match format.is_json() {
        true => json::results(values, format),
        false => values.iter().map(|value| format!("{value}\n")).collect(),
    }
}

/// Prints what a call returned.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(results: &str, format: Format) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = match format.is_json() {
        true => writeln!(stdout, "{{\"results\": {results}}}"),
        false => stdout.write_all(results.as_bytes()),
    };
    written.and_then(|()| stdout.flush()).map_err(|error| Failure::output(&error))
}
