//! Components: running them as programs, and calling their functions in WAVE.
//!
//! A component is a program if it exports `wasi:cli/run`, whose function is called; the
//! functions of others are called by `--invoke`. What is called, and with what, is known
//! before anything of the guest runs.

use zwasm::{Error, Store};
use zwasm_component::types::{self, ComponentFunc};
use zwasm_component::wave::{self, Export, NotFound};
use zwasm_component::{Component, Instance, Linker, Val};
use zwasm_wasi::WasiCtx;

use crate::args::Run;
use crate::batch::{Batch, Callee, Request};
use crate::compose::Linked;
use crate::core_dump;
use crate::failure::Failure;
use crate::guest::Guest;
use crate::json::{self, Format, quote};
use crate::limits::{Limits, Watchdog};
use crate::operands::Unknown;
use crate::run::{Done, Ending, no_function, wasi_context};
use crate::values::float;

/// The interfaces whose `run` makes a component a program, without the last part of their
/// versions. Of a component that has both, the newer is its program: what the older calls
/// may be there only because tools make one of every program.
const PROGRAMS: [&str; 2] = ["wasi:cli/run@0.3.", "wasi:cli/run@0.2."];

/// What all of WASI's interfaces begin with.
const WASI: &str = "wasi:";

/// Runs a component and returns the exit code.
///
/// # Errors
/// When it lacks the function asked for or cannot be linked, and when it traps.
pub fn run(
    component: &Component,
    options: &Run,
    limits: Limits,
    watchdog: &Watchdog,
) -> Result<i32, Failure> {
    refuse_for_modules(options)?;
    let ty = component.component_type();
    let exports = wave::exports(&ty);
    let call = Call::chosen(&exports, options)?;
    let linked = Linked::load(component.engine(), &options.links)?;
    let mut linker = Linker::new(component.engine());
    let imports_wasi = |ty: &types::Component| ty.imports().any(|(name, _)| name.starts_with(WASI));
    let all = || [component].into_iter().chain(linked.components());
    let context = if all().any(|component| imports_wasi(&component.component_type())) {
        zwasm_wasi::p2::add_to_linker_sync(&mut linker)?;
        zwasm_wasi::p3::add_to_linker(&mut linker)?;
        wasi_context(options)?
    } else {
        WasiCtx::builder().build()
    };
    let mut store = Store::new(component.engine(), Guest::new(context));
    limits.impose(&mut store, watchdog)?;
    #[cfg(feature = "trace")]
    let profiler = crate::observe::Profiler::start(options, &mut store)?;
    let ending = Ending::of(&store, limits, options);
    let mut outcome = linked.define(&mut store, &mut linker, component).and_then(|()| {
        match options.unknown_imports {
            Some(Unknown::Trap) => linker.define_unknown_imports_as_traps(component)?,
            Some(Unknown::Default) | None => {}
        }
        let instance = linker.instantiate(&mut store, component)?;
        match call {
            Some(call) => perform(&mut store, &instance, call, options.json),
            None => {
                let default = options.invoke.as_deref();
                let callee = Lines { store: &mut store, instance, exports: &exports, default };
                Batch { callee, format: options.json, limits }.run().map(Done::Code)
            }
        }
    });
    core_dump::write(options, &store, &mut outcome);
    let code = ending.finish(outcome);
    #[cfg(feature = "trace")]
    if let Some(profiler) = profiler {
        profiler.finish(all().flat_map(Component::modules))?;
    }
    code
}

/// Options that are about one module, or about what components do otherwise.
fn refuse_for_modules(options: &Run) -> Result<(), Failure> {
    let refuse = |option: &str, instead: &str| {
        Err(Failure::runtime(format!(
            "option '{option}' is for modules; this is a component{instead}"
        )))
    };
    if options.unknown_imports == Some(Unknown::Default) {
        return refuse("--unknown-imports default", ", whose imports can be made to trap");
    }
    if !options.listen.is_empty() {
        return refuse("--listen", ", which with '--allow-net' listens by itself");
    }
    #[cfg(all(feature = "optimize", feature = "trace"))]
    if !options.dump_ssa.is_empty() {
        return refuse("--dump-ssa", " that may have many ('wasm-tools component unbundle')");
    }
    #[cfg(feature = "trace")]
    for (option, functions) in
        [("--dump-regir", &options.dump_regir), ("--dump-jit", &options.dump_jit)]
    {
        if !functions.is_empty() {
            return refuse(option, " that may have many ('wasm-tools component unbundle')");
        }
    }
    Ok(())
}

/// A call that is to be made.
struct Call<'a> {
    export: &'a Export,
    args: Vec<Val>,
    /// Whether it is the program, whose result is an exit code.
    is_program: bool,
}

impl<'a> Call<'a> {
    /// The call that the options ask for; none if lines ask for calls.
    fn chosen(exports: &'a [Export], options: &Run) -> Result<Option<Call<'a>>, Failure> {
        if options.batch {
            return Ok(None);
        }
        let Some(text) = &options.invoke else {
            let program = PROGRAMS.iter().find_map(|name| {
                exports.iter().find(|export| {
                    let path = export.path();
                    path.starts_with(name) && path.ends_with("#run")
                })
            });
            let Some(export) = program else { return Err(no_program(exports, options)) };
            return Ok(Some(Call { export, args: Vec::new(), is_program: true }));
        };
        let call = Call::prepare(exports, text, &options.call_args);
        call.map(Some).map_err(|mut failure| {
            failure.put_before("option '--invoke': ");
            failure
        })
    }

    /// The call that a text stands for, the arguments in it or as words behind it.
    fn prepare(exports: &'a [Export], text: &str, words: &[String]) -> Result<Self, Failure> {
        let call = wave::Call::parse(text).map_err(misread)?;
        let name = call.name();
        let export = call.find(exports).map_err(|error| {
            Failure::runtime(match error {
                NotFound::Unknown => unknown(name, exports),
                NotFound::Ambiguous(exports) => {
                    let paths: Vec<_> = exports.iter().map(|export| export.path()).collect();
                    format!("'{name}' may be any of '{}': say which", paths.join("', '"))
                }
            })
        })?;
        if !export.is_writable() {
            return Err(Failure::runtime(format!(
                "'{name}' returns what no text can be written of, a resource or something nested \
                 too deeply: {}",
                export.ty()
            )));
        }
        let args = match words {
            [] => call.args(export.ty()).map_err(misread)?,
            [first, ..] if call.has_args() => {
                return Err(Failure::runtime(format!(
                    "'{name}' has its arguments in parentheses, and '{first}' as well (words for \
                     the program go after '--')"
                )));
            }
            words => arguments(name, export.ty(), words)?,
        };
        Ok(Call { export, args, is_program: false })
    }
}

/// The message for a name that no function has.
fn unknown(name: &str, exports: &[Export]) -> String {
    let paths: Vec<_> = exports.iter().map(Export::path).collect();
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    // It may be a slip in the whole name, or in the function's own.
    let names: Vec<_> = paths.iter().copied().chain(exports.iter().map(Export::name)).collect();
    no_function(name, &names, &paths)
}

/// Arguments that are words of their own.
fn arguments(name: &str, ty: &ComponentFunc, words: &[String]) -> Result<Vec<Val>, Failure> {
    let mut args = Vec::new();
    for (at, ((_, ty), word)) in ty.params().zip(words).enumerate() {
        args.push(wave::read(&ty, word).map_err(|error| {
            Failure::runtime(format!("argument {} of '{name}', at {error}", at + 1))
        })?);
    }
    let expected = ty.params().len();
    if words.len() > expected || !wave::complete(ty, &mut args) {
        let plural = if expected == 1 { "" } else { "s" };
        let given = words.len();
        let message = format!("'{name}' expects {expected} argument{plural}, got {given}");
        return Err(Failure::runtime(message));
    }
    Ok(args)
}

/// Why a text is no call, or no value.
fn misread(error: wave::Error) -> Failure {
    Failure::runtime(format!("at {error}"))
}

fn no_program(exports: &[Export], options: &Run) -> Failure {
    if let Some(name) = options.program_args.first()
        && exports.iter().any(|export| [export.name(), &export.path()].contains(&name.as_str()))
    {
        return Failure::runtime(format!(
            "'{name}' is a function of the component, which is called by '--invoke {name}'"
        ));
    }
    let names: Vec<_> = exports.iter().map(Export::path).collect();
    let advice = match names.as_slice() {
        [] => "and no functions".into(),
        names => {
            let first = names.iter().take(MAX_LISTED).map(String::as_str).collect::<Vec<_>>();
            let more = if names.len() > MAX_LISTED { ", ..." } else { "" };
            format!("'--invoke' calls its functions: {}{more}", first.join(", "))
        }
    };
    Failure::runtime(format!(
        "this component is no program: it exports no 'wasi:cli/run'; {advice}"
    ))
}

/// Functions are listed in a message up to this many.
const MAX_LISTED: usize = 12;

/// Makes the one call there is.
fn perform(
    store: &mut Store<Guest>,
    instance: &Instance,
    call: Call<'_>,
    format: Format,
) -> Result<Done, Failure> {
    let path = call.export.path();
    let Some(func) = instance.get_func(&mut *store, &path) else {
        return Err(Failure::runtime(format!("the instance has no function '{path}'")));
    };
    let mut results: Vec<_> = call.export.ty().results().map(|_| Val::Bool(false)).collect();
    func.call(&mut *store, &call.args, &mut results)?;
    Ok(match results.pop() {
        Some(Val::Result(result)) if call.is_program => Done::Code(result.is_err().into()),
        result => Done::Results(text(result.as_ref(), format)?),
    })
}

/// What a call returned, as it is printed.
fn text(result: Option<&Val>, format: Format) -> Result<String, Error> {
    Ok(match (result, format.is_json()) {
        (Some(value), false) => wave::write(value)? + "\n",
        (None, false) => "()\n".into(),
        (result, true) => json::array(result.map(|value| to_json(value, format))),
    })
}

/// A value as JSON. It has no options: `none` is null and `some(x)` is x, or, where x may
/// be null itself, an object.
fn to_json(value: &Val, format: Format) -> String {
    let all = |values: &[Val]| json::array(values.iter().map(|value| to_json(value, format)));
    let named = |name: &str, payload: &Option<Box<Val>>| {
        let payload = payload.as_ref().map_or("null".into(), |value| to_json(value, format));
        format!("{{{}: {payload}}}", quote(name))
    };
    match value {
        Val::Bool(value) => value.to_string(),
        Val::S8(value) => format.number(*value),
        Val::U8(value) => format.number(*value),
        Val::S16(value) => format.number(*value),
        Val::U16(value) => format.number(*value),
        Val::S32(value) => format.number(*value),
        Val::U32(value) => format.number(*value),
        Val::S64(value) => format.number(*value),
        Val::U64(value) => format.number(*value),
        Val::Float32(value) => json::shown(&float(*value, (*value).into()), format),
        Val::Float64(value) => json::shown(&float(*value, *value), format),
        Val::Char(value) => quote(&value.to_string()),
        Val::String(value) => quote(value),
        Val::List(values) | Val::FixedLengthList(values) | Val::Tuple(values) => all(values),
        Val::Map(pairs) => json::array(
            pairs
                .iter()
                .map(|(key, value)| json::array([to_json(key, format), to_json(value, format)])),
        ),
        Val::Record(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", quote(name), to_json(value, format)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        Val::Variant(name, None) | Val::Enum(name) => quote(name),
        Val::Variant(name, payload) => named(name, payload),
        Val::Option(None) => "null".into(),
        Val::Option(Some(value)) => match **value {
            Val::Option(_) => format!("{{\"some\": {}}}", to_json(value, format)),
            _ => to_json(value, format),
        },
        Val::Result(Ok(payload)) => named("ok", payload),
        Val::Result(Err(payload)) => named("err", payload),
        Val::Flags(names) => json::array(names.iter().map(|name| quote(name))),
        // The types were looked at before the call: there is none.
        Val::Resource(_) | Val::Stream(_) | Val::Future(_) | Val::ErrorContext(_) => "null".into(),
    }
}

/// The component whose functions lines of a batch call.
struct Lines<'a> {
    store: &'a mut Store<Guest>,
    instance: Instance,
    exports: &'a [Export],
    /// The function for lines that are arguments alone.
    default: Option<&'a str>,
}

impl Callee for Lines<'_> {
    /// The whole line is a call: `name(arguments)`.
    fn words(&self, text: &str) -> Request {
        let name = self.default.filter(|_| text.starts_with('('));
        Request { function: name.unwrap_or_default().to_owned() + text, ..Request::default() }
    }

    fn call(&mut self, request: &Request, format: Format) -> Result<String, Failure> {
        let call = Call::prepare(self.exports, &request.function, &request.args)?;
        match perform(self.store, &self.instance, call, format)? {
            Done::Results(results) => Ok(results),
            Done::Code(_) => Ok(String::new()),
        }
    }

    fn flush(&self) -> std::io::Result<()> {
        self.store.data().wasi.flush()
    }
}
