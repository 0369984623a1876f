//! `zwasm FILE`: links a module, runs it, prints what it returns.
//!
//! The function to call and its arguments are checked against the module
//! before anything of the guest runs, so that a slip on the command line has
//! no side effects. WASI is set up only for modules that import it: a plain
//! module pays for nothing but itself.

use std::ffi::OsStr;
use std::io::Write;

use zwasm::{
    Config, Engine, ErrorKind, ExternType, FuncType, Instance, Linker, Module, Store, Val,
};
use zwasm_wasi::WasiCtx;

use crate::args::Run;
use crate::batch::Batch;
use crate::failure::{Failure, note};
use crate::grants::Grants;
use crate::link::Linked;
use crate::suggest::did_you_mean;
use crate::{json, module, values};

/// The module names under which programs import WASI, newest first.
pub const WASI: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];

/// What a WASI command exports to be run.
const START: &str = "_start";

/// What a WASI reactor exports to be called before anything else.
pub const INITIALIZE: &str = "_initialize";

/// Exported functions are listed in an error message up to this many.
const MAX_LISTED: usize = 12;

/// Runs a module and returns the exit code: the guest's own if it set one.
///
/// # Errors
/// When a module cannot be read, is invalid, lacks the function asked for,
/// cannot be linked, or traps.
pub fn run(options: &Run) -> Result<i32, Failure> {
    let engine = Engine::new(&config(options))?;
    let module = module::load(&engine, &options.file)?;
    let linked = Linked::load(&engine, &options.links)?;
    let call = chosen(&module, options)?;
    #[cfg(feature = "trace")]
    crate::observe::dump(&module, options)?;

    let mut linker = Linker::new(&engine);
    let imports_wasi =
        |module: &Module| module.imports().any(|import| WASI.contains(&import.module()));
    let context = if linked.modules().chain([&module]).any(imports_wasi) {
        zwasm_wasi::add_to_linker(&mut linker, |context| context)?;
        wasi_context(options)?
    } else {
        WasiCtx::builder().build()
    };
    let mut store = Store::new(&engine, context);
    let outcome = linked
        .define(&mut store, &mut linker)
        .and_then(|()| instantiate(&mut store, &linker, &module, call.as_ref()))
        .and_then(|instance| match (options.batch, &call) {
            (true, _) => Ok(Outcome::Instance(instance)),
            (false, None) => Ok(Outcome::Values(Vec::new())),
            (false, Some(call)) => Ok(Outcome::Values(self::call(&mut store, &instance, call)?)),
        });
    // What the guest wrote comes before what is written about it.
    let flushed = flush(&mut store);
    let code = match outcome {
        Ok(Outcome::Instance(instance)) => {
            let default = options.invoke.as_deref();
            let json = options.json;
            Batch { store: &mut store, module: &module, instance, default, json }.run()
        }
        Ok(Outcome::Values(results)) => {
            flushed.and_then(|()| print(&results, options.json)).map(|()| 0)
        }
        Err(failure) => match failure.exit() {
            Some(code) => flushed.map(|()| code),
            None => Err(failure),
        },
    };
    #[cfg(feature = "trace")]
    if options.profile {
        crate::observe::profile([&module].into_iter().chain(linked.modules()));
    }
    code
}

enum Outcome {
    /// An instance for calls to come.
    Instance(Instance),
    /// What the one call returned.
    Values(Vec<Val>),
}

fn config(options: &Run) -> Config {
    let mut config = module::config(&options.disabled);
    if let Some(bytes) = options.max_memory {
        config.max_memory(bytes);
    }
    if let Some(bytes) = options.max_stack {
        config.max_stack(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    if let Some(strategy) = options.engine {
        config.strategy(strategy);
    }
    #[cfg(feature = "trace")]
    crate::observe::configure(&mut config, options);
    config
}

fn wasi_context(options: &Run) -> Result<WasiCtx, Failure> {
    let mut builder = WasiCtx::builder();
    builder.inherit_stdio();
    if options.batch {
        // It has the calls.
        builder.stdin(Box::new(std::io::empty()));
    }
    builder.arg(options.file.file_name().unwrap_or_default().as_encoded_bytes());
    builder.args(&options.program_args);
    if options.grants.contains(Grants::ENV) {
        let set = |name: &OsStr| options.env.iter().any(|(key, _)| name == key.as_str());
        for (name, value) in std::env::vars_os().filter(|(name, _)| !set(name)) {
            builder.env(name.as_encoded_bytes(), value.as_encoded_bytes());
        }
    }
    for (key, value) in &options.env {
        builder.env(key, value);
    }
    for dir in &options.dirs {
        builder.preopen_dir(&dir.host, dir.guest.as_str()).map_err(|error| {
            Failure::runtime(format!("cannot open directory '{}': {error}", dir.host))
        })?;
    }
    Ok(builder.build())
}

/// A call of an exported function.
pub struct Call<'a> {
    name: &'a str,
    args: Vec<Val>,
}

impl<'a> Call<'a> {
    /// A call with arguments given as words.
    ///
    /// # Errors
    /// When there is no such function, or the words do not fit its type.
    pub fn prepare(module: &Module, name: &'a str, words: &[String]) -> Result<Self, Failure> {
        let ty = match module.get_export(name) {
            Some(ExternType::Func(ty)) => ty,
            None => return Err(Failure::runtime(no_function(module, name))),
            Some(other) => {
                return Err(Failure::runtime(format!("'{name}' is no function but a {other}")));
            }
        };
        let args = arguments(module.engine(), name, &ty, words).map_err(Failure::runtime)?;
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
        note_uncalled(module);
        return Ok(None);
    }
    Call::prepare(module, name, &options.call_args).map(Some).map_err(|mut failure| {
        if is_function && options.invoke.is_some() && !options.program_args.is_empty() {
            failure.add(" (words after '--' go to the program)");
        }
        failure
    })
}

fn arguments(
    engine: &Engine,
    name: &str,
    ty: &FuncType,
    words: &[String],
) -> Result<Vec<Val>, String> {
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
            values::parse(engine, word, ty)
                .map_err(|wrong| format!("argument {} of '{name}': '{word}' {wrong}", index + 1))
        })
        .collect()
}

/// The message for a missing export, with what there is instead.
fn no_function(module: &Module, name: &str) -> String {
    let functions: Vec<_> = exported_functions(module).collect();
    let mut message = format!("no exported function '{name}'");
    message += &did_you_mean(name, functions.iter().copied());
    match functions.len() {
        0 => message += "; the module exports no functions",
        1..=MAX_LISTED => message += &format!("; exported: {}", functions.join(", ")),
        _ => {}
    }
    message
}

/// Tells someone who runs a library as if it were a program how to call it;
/// running it that way is no error, since instantiating it may have been the
/// point.
fn note_uncalled(module: &Module) {
    let mut functions = exported_functions(module);
    if module.get_export(INITIALIZE).is_none()
        && let Some(first) = functions.next()
    {
        note(&format!("no export '{START}' to call; '--invoke {first}' would call that"));
    }
}

fn exported_functions(module: &Module) -> impl Iterator<Item = &str> {
    module
        .exports()
        .filter(|export| matches!(export.ty(), ExternType::Func(_)))
        .map(|export| export.name())
}

/// Instantiates the module and, unless that is the call to come, initialises it.
fn instantiate(
    store: &mut Store<WasiCtx>,
    linker: &Linker<WasiCtx>,
    module: &Module,
    call: Option<&Call<'_>>,
) -> Result<Instance, Failure> {
    let instance = linker.instantiate(&mut *store, module).map_err(|error| {
        let unlinked = error.kind() == ErrorKind::Link;
        let mut failure = Failure::from(error);
        if unlinked {
            failure.add(" (modules that provide imports are given by '--link NAME=FILE')");
        }
        failure
    })?;
    if let Some(initialize) = instance.get_func(&mut *store, INITIALIZE)
        && call.is_none_or(|call| call.name != INITIALIZE)
    {
        initialize.call(&mut *store, &[], &mut [])?;
    }
    Ok(instance)
}

/// Calls a function of an instance.
///
/// # Errors
/// When the guest is stopped; [`Failure::exit`] tells if by itself.
pub fn call(
    store: &mut Store<WasiCtx>,
    instance: &Instance,
    call: &Call<'_>,
) -> Result<Vec<Val>, Failure> {
    let mut results = Vec::new();
    if let Some(func) = instance.get_func(&mut *store, call.name) {
        results.extend(func.ty(&*store).results().map(|_| Val::I32(0)));
        func.call(&mut *store, &call.args, &mut results)?;
    }
    Ok(results)
}

/// Writes out what the guest has printed.
///
/// # Errors
/// When standard output cannot be written.
pub fn flush(store: &mut Store<WasiCtx>) -> Result<(), Failure> {
    store.data_mut().flush().map_err(|error| Failure::output(&error))
}

/// Prints what a call returned: a value a line or, as JSON, all on one.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(results: &[Val], as_json: bool) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let mut write = || {
        if as_json {
            writeln!(stdout, "{{\"results\": {}}}", json::results(results))?;
        } else {
            for value in results {
                writeln!(stdout, "{}", values::show(value))?;
            }
        }
        stdout.flush()
    };
    write().map_err(|error| Failure::output(&error))
}
