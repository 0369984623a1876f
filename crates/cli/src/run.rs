//! `zwasm FILE`: links a module, runs it, prints what it returns.
//!
//! The function to call and its arguments are checked against the module
//! before anything of the guest runs, so that a slip on the command line has
//! no side effects. WASI is set up only for modules that import it: a plain
//! module pays for nothing but itself.

use std::io::Write;
use std::net::TcpListener;
use std::time::Instant;

use zwasm::{Config, Engine, Error, ExternType, FuncType, Instance, Linker, Module, Store, Val};
#[cfg(feature = "threads")]
use zwasm_wasi::Threads;
use zwasm_wasi::{I32Exit, WasiCtx};

use crate::args::Run;
use crate::failure::{Failure, one_line};
use crate::grants::refusal;
use crate::suggest::did_you_mean;
use crate::{limits, module, values};

/// The module names under which programs import WASI; the last is for threads.
const WASI: [&str; 3] = ["wasi_snapshot_preview1", "wasi_unstable", "wasi"];

/// What a WASI command exports to be run.
const START: &str = "_start";

/// What a WASI reactor exports to be called before anything else.
const INITIALIZE: &str = "_initialize";

/// Exported functions are listed in an error message up to this many.
const MAX_LISTED: usize = 12;

/// Runs a module and returns the exit code: the guest's own if it set one.
///
/// # Errors
/// When the module cannot be read, is invalid, lacks the function asked for,
/// cannot be linked, or traps.
pub fn run(options: &Run) -> Result<i32, Failure> {
    let start = Instant::now();
    let engine = Engine::new(&config(options))?;
    let module = module::load(&engine, &options.file)?;
    let call = Call::prepare(&module, options)?;

    let mut linker = Linker::new(&engine);
    let context = if module.imports().any(|import| WASI.contains(&import.module())) {
        zwasm_wasi::add_to_linker(&mut linker, |context| context)?;
        wasi_context(options)?
    } else {
        WasiCtx::builder().build()
    };
    let mut store = Store::new(&engine, context);
    let _watchdog = limits::impose(options, &mut store, start)?;
    #[cfg(feature = "threads")]
    let outcome = match Threads::<WasiCtx>::wanted_by(&module) {
        true => execute_with_threads(&mut store, linker, &module, call),
        false => execute(&mut store, &linker, &module, call),
    };
    #[cfg(not(feature = "threads"))]
    let outcome = execute(&mut store, &linker, &module, call);
    finish(store.data(), outcome)
}

/// The exit code of a guest that is done, after what there is to print.
///
/// # Errors
/// What the guest was stopped by, or that its output cannot be written.
fn finish(context: &WasiCtx, outcome: Result<Vec<Val>, Error>) -> Result<i32, Failure> {
    // What the guest wrote comes before what is written about it.
    let flushed = context.flush();
    let refused = refusal(context.refused());
    let (code, results) = match outcome {
        Ok(results) => (0, results),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => (exit.0, Vec::new()),
            None => return Err(Failure::from(error).with_note(refused)),
        },
    };
    if code != 0 && !refused.is_empty() {
        note(&refused);
    }
    flushed.and_then(|()| print(&results)).map_err(|error| Failure::output(&error))?;
    Ok(code)
}

/// Tells the user something that is no error.
fn note(text: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = std::io::stderr().write_all(one_line(text).as_bytes());
}

fn config(options: &Run) -> Config {
    let mut config = Config::new();
    limits::configure(options, &mut config);
    for &feature in &options.disabled {
        config.wasm_feature(feature, false);
    }
    if let Some(strategy) = options.engine {
        config.strategy(strategy);
    }
    config
}

fn wasi_context(options: &Run) -> Result<WasiCtx, Failure> {
    let mut builder = WasiCtx::builder();
    builder.inherit_stdio();
    builder.arg(options.file.file_name().unwrap_or_default().as_encoded_bytes());
    builder.args(&options.program_args);
    builder.caps(options.grants.capabilities()).inherit_env();
    for (key, value) in &options.env {
        builder.env(key, value);
    }
    for dir in &options.dirs {
        let preopened = match dir.read_only {
            true => builder.preopen_dir_read_only(&dir.host, dir.guest.as_str()),
            false => builder.preopen_dir(&dir.host, dir.guest.as_str()),
        };
        preopened.map_err(|error| {
            Failure::runtime(format!("cannot open directory '{}': {error}", dir.host))
        })?;
    }
    for address in &options.listen {
        let listener = TcpListener::bind(address)
            .map_err(|error| Failure::runtime(format!("cannot listen on '{address}': {error}")))?;
        // Which port the system chose can be known only from here.
        if let Ok(bound) = listener.local_addr()
            && address.ends_with(":0")
        {
            note(&format!("note: listening on {bound}"));
        }
        builder.listener(listener);
    }
    if options.trace_wasi {
        builder.trace(|line| note(&format!("wasi: {line}")));
    }
    Ok(builder.build())
}

/// The call that runs the module.
struct Call<'a> {
    name: &'a str,
    args: Vec<Val>,
}

impl<'a> Call<'a> {
    /// The call that the options ask for; none when they name no function and
    /// the module exports no `_start`, so that instantiating it is all.
    fn prepare(module: &Module, options: &'a Run) -> Result<Option<Self>, Failure> {
        let name = options.invoke.as_deref().unwrap_or(START);
        let ty = match module.get_export(name) {
            Some(ExternType::Func(ty)) => ty,
            None if options.invoke.is_none() => {
                note_uncalled(module);
                return Ok(None);
            }
            None => return Err(Failure::runtime(no_function(module, name))),
            Some(other) => {
                return Err(Failure::runtime(format!("'{name}' is no function but a {other}")));
            }
        };
        let args = arguments(name, &ty, options).map_err(Failure::runtime)?;
        Ok(Some(Self { name, args }))
    }
}

fn arguments(name: &str, ty: &FuncType, options: &Run) -> Result<Vec<Val>, String> {
    let words = &options.call_args;
    let expected = ty.params().count();
    if words.len() != expected {
        let plural = if expected == 1 { "" } else { "s" };
        let hint = match options.program_args.is_empty() || options.invoke.is_none() {
            true => "",
            false => " (words after '--' go to the program)",
        };
        let given = words.len();
        return Err(format!("'{name}' expects {expected} argument{plural}, got {given}{hint}"));
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
        note(&format!("note: no export '{START}' to call; '--invoke {first}' would call that"));
    }
}

fn exported_functions(module: &Module) -> impl Iterator<Item = &str> {
    module
        .exports()
        .filter(|export| matches!(export.ty(), ExternType::Func(_)))
        .map(|export| export.name())
}

fn execute(
    store: &mut Store<WasiCtx>,
    linker: &Linker<WasiCtx>,
    module: &Module,
    call: Option<Call<'_>>,
) -> Result<Vec<Val>, Error> {
    let instance = linker.instantiate(&mut *store, module)?;
    execute_instance(store, instance, call)
}

/// The same for a module that starts threads. One of them may end the program
/// while the first still computes, and then ends the process, too.
#[cfg(feature = "threads")]
fn execute_with_threads(
    store: &mut Store<WasiCtx>,
    linker: Linker<WasiCtx>,
    module: &Module,
    call: Option<Call<'_>>,
) -> Result<Vec<Val>, Error> {
    let threads = Threads::new(store, linker, module, |context| context)?;
    let context = store.data().clone();
    threads.on_end(move |error| crate::end(finish(&context, Err(error))));
    threads.run(store, |store, instance| execute_instance(store, instance, call))
}

fn execute_instance(
    store: &mut Store<WasiCtx>,
    instance: Instance,
    call: Option<Call<'_>>,
) -> Result<Vec<Val>, Error> {
    if let Some(initialize) = instance.get_func(&mut *store, INITIALIZE)
        && call.as_ref().is_none_or(|call| call.name != INITIALIZE)
    {
        initialize.call(&mut *store, &[], &mut [])?;
    }
    let mut results = Vec::new();
    if let Some(call) = call
        && let Some(func) = instance.get_func(&mut *store, call.name)
    {
        results.extend(func.ty(&*store).results().map(|_| Val::I32(0)));
        func.call(&mut *store, &call.args, &mut results)?;
    }
    Ok(results)
}

fn print(results: &[Val]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    for value in results {
        writeln!(stdout, "{}", values::show(value))?;
    }
    stdout.flush()
}
