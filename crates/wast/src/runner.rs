//! Runs the directives of one script against one store.
//!
//! A directive either does what it says or yields a [`Mismatch`]: what was
//! expected and what came instead. Nothing is skipped; a directive that needs
//! what another one failed to provide fails as well and says so.
//!
//! What is particular to components is in `components`.

mod components;

use crate::decode::{Malformed, decode};
use crate::gates::Gates;
use crate::wording::{self, agree};
use crate::{script, spectest, values};
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Display, Formatter};
use wasmparser::WasmFeatures;
use wast::token::Id;
use wast::{QuoteWat, QuoteWatTest, WastExecute, WastInvoke, WastRet, Wat};
use zwasm::{Config, Engine, Error, ErrorKind, Instance, Linker, Module, SharedMemory, Store, Val};
use zwasm_component::{self as component, Component};

/// What a directive expected, and what came instead.
pub(crate) struct Mismatch {
    pub expected: String,
    pub got: String,
}

type Check = Result<(), Mismatch>;

fn mismatch(expected: impl Into<String>, got: impl Into<String>) -> Mismatch {
    Mismatch { expected: expected.into(), got: got.into() }
}

/// How an action ended that could be started.
type Ended = Result<Returned, Error>;

/// What an action returned.
enum Returned {
    Core(Vec<Val>),
    Component(Vec<component::Val>),
}

/// What can be instantiated.
#[derive(Clone)]
enum Definition {
    Module(Module),
    Component(Component),
}

/// What that makes.
#[derive(Clone, Copy)]
enum Made {
    Module(Instance),
    Component(component::Instance),
}

impl Made {
    /// An instance of a module.
    fn module(self) -> Slot<Instance> {
        match self {
            Made::Module(instance) => Ok(instance),
            Made::Component(_) => Err("an instance of a component".into()),
        }
    }
}

/// Why a module could not be made.
enum Rejected {
    /// It is no text of a module or component.
    Text(String),
    /// It is no binary of one.
    Binary(String),
    /// It is one, but not a valid one.
    Invalid(Error),
    /// This engine or its limits are at fault.
    Engine(Error),
}

impl Rejected {
    fn show(&self) -> String {
        match self {
            Self::Text(message) => format!("malformed text: {message}"),
            Self::Binary(message) => format!("malformed binary: {message}"),
            Self::Invalid(error) | Self::Engine(error) => show_error(error),
        }
    }
}

/// A named thing of the script, or why it is not there.
type Slot<T> = Result<T, String>;

/// The shared memories that instances export, by the instance's name.
pub(crate) type Shared = HashMap<String, Vec<(String, SharedMemory)>>;

/// What scripts of different origin mean by the same words.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    /// The grammar of binaries.
    pub grammar: WasmFeatures,
    /// What components may use beside.
    pub gates: Gates,
    /// Whether it is wasmtime's: messages are worded as its own, and a module can be
    /// imported by the name of its definition.
    pub wasmtime: bool,
}

/// What a thread of a script gets from the one that starts it.
pub(crate) struct Parts {
    engine: Engine,
    dialect: Dialect,
    shared: Shared,
}

/// The state of one script, or of one of its threads.
pub(crate) struct Runner {
    engine: Engine,
    dialect: Dialect,
    store: Store<()>,
    linker: Linker<()>,
    component_linker: component::Linker<()>,
    definitions: HashMap<String, Slot<Definition>>,
    last_definition: Slot<Definition>,
    instances: HashMap<String, Slot<Made>>,
    registered: HashSet<String>,
    /// What the parent's thread shares, by the name of its instance.
    shared: Shared,
    current: Slot<Made>,
}

impl Runner {
    /// A store with nothing in it but `spectest`.
    ///
    /// # Errors
    /// When the engine cannot be set up like this.
    pub(crate) fn new(config: &Config, dialect: Dialect) -> zwasm::Result<Self> {
        Self::with(Parts { engine: Engine::new(config)?, dialect, shared: Shared::new() })
    }

    /// As [`Runner::new`], for a thread: of another runner's state it has only
    /// what is shared with it.
    pub(crate) fn with(parts: Parts) -> zwasm::Result<Self> {
        let Parts { engine, dialect, shared } = parts;
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.allow_shadowing(true);
        spectest::define(&mut store, &mut linker)?;
        let mut component_linker = component::Linker::new(&engine);
        component_linker.allow_shadowing(true);
        spectest::define_for_components(&mut component_linker)?;
        Ok(Self {
            engine,
            dialect,
            store,
            linker,
            component_linker,
            definitions: HashMap::new(),
            last_definition: Err("no module definition before this".into()),
            instances: HashMap::new(),
            registered: HashSet::from(["spectest".into(), "wasmtime".into()]),
            shared,
            current: Err("no module before this".into()),
        })
    }

    /// `(module …)` or `(component …)`: compiles, instantiates and makes it the current module.
    pub(crate) fn module(&mut self, mut wat: QuoteWat<'_>) -> Check {
        let name = wat.name();
        let result = self.compile_quoted(&mut wat).map_err(|rejected| rejected.show());
        let result = result.and_then(|definition| self.start(&definition));
        self.remember(name, result)
    }

    /// `(module definition …)` or `(component definition …)`: compiles only.
    pub(crate) fn define(&mut self, mut wat: QuoteWat<'_>) -> Check {
        let name = wat.name();
        let expected = format!("a valid {}", Sort::of_quoted(&wat));
        let definition = self.compile_quoted(&mut wat).map_err(|rejected| rejected.show());
        let check = check_made(&expected, &definition);
        let kept = definition.map_err(|got| format!("its definition failed: {got}"));
        if let Some(name) = name {
            self.definitions.insert(name.name().into(), kept.clone());
        }
        self.last_definition = kept;
        check
    }

    /// `(module instance $instance $definition)`, or the same of a component.
    pub(crate) fn instantiate(
        &mut self,
        instance: Option<Id<'_>>,
        definition: Option<Id<'_>>,
    ) -> Check {
        let definition = match definition {
            Some(id) => find(&self.definitions, id),
            None => self.last_definition.clone(),
        };
        let result = definition.and_then(|definition| self.start(&definition));
        self.remember(instance, result)
    }

    /// `(register "name" $instance)`.
    pub(crate) fn register(&mut self, name: &str, id: Option<Id<'_>>) -> Check {
        let expected = "an instance to register";
        if let Some(exports) = id.and_then(|id| self.shared.get(id.name())) {
            for (export, memory) in exports {
                let defined = self.linker.define(&self.store, name, export, memory.clone());
                defined.map_err(|error| mismatch(expected, show_error(&error)))?;
            }
            return Ok(());
        }
        let instance = self.instance(id).map_err(|reason| mismatch(expected, reason))?;
        self.registered.insert(name.into());
        self.name(name, instance).map_err(|error| mismatch(expected, show_error(&error)))
    }

    /// Makes what an instance exports importable under a name.
    fn name(&mut self, name: &str, instance: Made) -> zwasm::Result<()> {
        match instance {
            Made::Module(instance) => {
                self.linker.instance(&mut self.store, name, instance).map(|_| ())
            }
            Made::Component(instance) => self.name_component(name, instance),
        }
    }

    /// What a thread has in common with this runner.
    ///
    /// # Errors
    /// When there is no such instance.
    pub(crate) fn share(&mut self, id: Option<Id<'_>>) -> Result<Parts, Mismatch> {
        let mut shared = Shared::new();
        if let Some(id) = id {
            let exports = match self.shared.get(id.name()) {
                Some(exports) => exports.clone(),
                None => {
                    let instance = find(&self.instances, id).and_then(Made::module);
                    let instance = instance.map_err(|reason| mismatch("to run", reason))?;
                    let exports = instance.exports(&mut self.store);
                    exports
                        .filter_map(|export| {
                            let name = export.name().to_owned();
                            Some((name, export.into_shared_memory()?))
                        })
                        .collect()
                }
            };
            shared.insert(id.name().into(), exports);
        }
        Ok(Parts { engine: self.engine.clone(), dialect: self.dialect, shared })
    }

    /// An action whose results nobody looks at.
    pub(crate) fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Check {
        let expected = "a return";
        match self.call(invoke) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(mismatch(expected, show_error(&error))),
            Err(reason) => Err(mismatch(expected, reason)),
        }
    }

    pub(crate) fn assert_return(
        &mut self,
        action: WastExecute<'_>,
        results: &[WastRet<'_>],
    ) -> Check {
        let instance = match &action {
            WastExecute::Invoke(WastInvoke { module, .. }) | WastExecute::Get { module, .. } => {
                self.instance(*module).and_then(Made::module).ok()
            }
            WastExecute::Wat(_) => None,
        };
        let got = match self.execute(action) {
            Ok(Ok(returned)) => {
                let all_match = match &returned {
                    Returned::Core(values) => {
                        values::all_match(&mut self.store, instance, values, results)
                    }
                    Returned::Component(values) => values::component::all_match(values, results),
                };
                if all_match {
                    return Ok(());
                }
                self.show(&returned, results)
            }
            Ok(Err(error)) => show_error(&error),
            Err(reason) => reason,
        };
        Err(mismatch(values::show_patterns(results), got))
    }

    /// A trap of the expected kind, of a function or of a module's instantiation.
    pub(crate) fn assert_trap(&mut self, action: WastExecute<'_>, message: &str) -> Check {
        let of_component = self.is_of_component(&action);
        let ended = self.execute(action);
        match of_component {
            true => self.check_component_trap(ended, message),
            false => self.check_stopped(ended, ErrorKind::Trap, message),
        }
    }

    /// The stack overflows. That is no trap: it depends on the engine.
    pub(crate) fn assert_exhaustion(&mut self, call: &WastInvoke<'_>, message: &str) -> Check {
        let ended = self.call(call);
        self.check_stopped(ended, ErrorKind::StackOverflow, message)
    }

    fn show(&self, returned: &Returned, patterns: &[WastRet<'_>]) -> String {
        match returned {
            Returned::Core(values) => values::show(&self.store, values, patterns),
            Returned::Component(values) => values::component::show(values),
        }
    }

    fn check_stopped(&self, ended: Result<Ended, String>, kind: ErrorKind, message: &str) -> Check {
        let got = match ended {
            Ok(Ok(returned)) => self.show(&returned, &[]),
            Ok(Err(error)) => match error.trap_message() {
                Some(got) if error.kind() == kind && is_trap(message, got, self.words()) => {
                    return Ok(());
                }
                _ => show_error(&error),
            },
            Err(reason) => reason,
        };
        let what = if kind == ErrorKind::Trap { "trap" } else { "exhaustion" };
        Err(mismatch(format!("{what} \"{message}\""), got))
    }

    pub(crate) fn assert_exception(&mut self, action: WastExecute<'_>) -> Check {
        let got = match self.execute(action) {
            Ok(Ok(returned)) => self.show(&returned, &[]),
            Ok(Err(error)) if error.kind() == ErrorKind::Exception => return Ok(()),
            Ok(Err(error)) => show_error(&error),
            Err(reason) => reason,
        };
        Err(mismatch("an exception", got))
    }

    /// The grammar has no such module. A quoted one that our parser of text lets pass
    /// may be encoded to a binary that is malformed.
    pub(crate) fn assert_malformed(&mut self, mut wat: QuoteWat<'_>, message: &str) -> Check {
        if Sort::of_quoted(&wat) == Sort::Component {
            return self.assert_component_malformed(wat, message);
        }
        let quoted = matches!(wat, QuoteWat::QuoteModule(..));
        let got = match self.compile_quoted(&mut wat) {
            Ok(_) => "a valid module".into(),
            Err(rejected) => {
                let agrees = match &rejected {
                    Rejected::Text(got) => agree(message, got, &[wording::TEXT]),
                    Rejected::Binary(got) if quoted => agree(message, got, &[wording::QUOTED]),
                    Rejected::Binary(got) => agree(message, got, &[wording::MALFORMED]),
                    Rejected::Invalid(_) | Rejected::Engine(_) => false,
                };
                if agrees {
                    return Ok(());
                }
                rejected.show()
            }
        };
        Err(mismatch(format!("malformed module \"{message}\""), got))
    }

    /// The module's text has annotations, of custom sections, that are malformed.
    pub(crate) fn assert_malformed_custom(
        &mut self,
        mut wat: QuoteWat<'_>,
        message: &str,
    ) -> Check {
        let got = match self.compile_quoted(&mut wat) {
            Err(Rejected::Text(got)) if agree(message, &got, &[wording::TEXT]) => return Ok(()),
            Ok(_) => "a valid module".into(),
            Err(rejected) => rejected.show(),
        };
        Err(mismatch(format!("malformed custom section \"{message}\""), got))
    }

    /// The module can be read, but is not valid.
    pub(crate) fn assert_invalid(&mut self, mut wat: QuoteWat<'_>, message: &str) -> Check {
        if Sort::of_quoted(&wat) == Sort::Component {
            return self.assert_component_invalid(wat, message);
        }
        let got = match self.compile_quoted(&mut wat) {
            Err(Rejected::Invalid(error))
                if agree(message, words(&error.summary()), &[wording::INVALID]) =>
            {
                return Ok(());
            }
            Ok(_) => "a valid module".into(),
            Err(rejected) => rejected.show(),
        };
        Err(mismatch(format!("invalid module \"{message}\""), got))
    }

    /// The module is valid, its branch hints are not.
    pub(crate) fn assert_invalid_custom(&mut self, mut wat: QuoteWat<'_>, message: &str) -> Check {
        let checked = self.compile_quoted(&mut wat).map(|definition| match definition {
            Definition::Module(module) => module.check_branch_hints(),
            Definition::Component(_) => Ok(()),
        });
        let got = match checked {
            Ok(Err(error)) if agree(message, words(&error.summary()), &[wording::CUSTOM]) => {
                return Ok(());
            }
            Ok(Err(error)) => show_error(&error),
            Ok(Ok(())) => "valid branch hints".into(),
            Err(rejected) => rejected.show(),
        };
        Err(mismatch(format!("invalid custom section \"{message}\""), got))
    }

    /// A valid module whose imports do not fit.
    pub(crate) fn assert_unlinkable(&mut self, mut wat: Wat<'_>, message: &str) -> Check {
        if let Wat::Component(_) = wat {
            return self.assert_component_unlinkable(wat, message);
        }
        let got = match self.compile(&mut wat).map(|definition| self.make(&definition)) {
            Ok(Ok(_)) => "an instance".into(),
            Ok(Err(error))
                if error.kind() == ErrorKind::Link
                    && agree(message, &error.summary(), self.words()) =>
            {
                return Ok(());
            }
            Ok(Err(error)) => show_error(&error),
            Err(rejected) => rejected.show(),
        };
        Err(mismatch(format!("unlinkable module \"{message}\""), got))
    }

    fn execute(&mut self, action: WastExecute<'_>) -> Result<Ended, String> {
        match action {
            WastExecute::Invoke(invoke) => self.call(&invoke),
            WastExecute::Wat(mut wat) => {
                let definition = self.compile(&mut wat).map_err(|rejected| rejected.show())?;
                Ok(self.make(&definition).map(|_| Returned::Core(Vec::new())))
            }
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module)?.module()?;
                match instance.get_global(&mut self.store, global) {
                    Some(found) => Ok(Ok(Returned::Core(vec![found.get(&mut self.store)]))),
                    None => Err(format!("no exported global \"{global}\"")),
                }
            }
        }
    }

    fn call(&mut self, invoke: &WastInvoke<'_>) -> Result<Ended, String> {
        let instance = match self.instance(invoke.module)? {
            Made::Module(instance) => instance,
            Made::Component(instance) => return self.call_component(instance, invoke),
        };
        let Some(function) = instance.get_func(&mut self.store, invoke.name) else {
            return Err(format!("no exported function \"{}\"", invoke.name));
        };
        let mut arguments = Vec::with_capacity(invoke.args.len());
        for argument in &invoke.args {
            arguments.push(values::argument(&mut self.store, argument)?);
        }
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let ended = function.call(&mut self.store, &arguments, &mut results);
        Ok(ended.map(|()| Returned::Core(results)))
    }

    /// The tables of what the script may call a trap or an import that does not fit.
    fn words(&self) -> &'static [wording::Table] {
        match self.dialect.wasmtime {
            true => &[wording::UNLINKABLE, wording::WASMTIME],
            false => &[wording::UNLINKABLE],
        }
    }

    fn instance(&self, id: Option<Id<'_>>) -> Slot<Made> {
        match id {
            Some(id) => find(&self.instances, id),
            None => self.current.clone(),
        }
    }

    fn make(&mut self, definition: &Definition) -> zwasm::Result<Made> {
        match definition {
            Definition::Module(module) => {
                self.linker.instantiate(&mut self.store, module).map(Made::Module)
            }
            Definition::Component(component) => {
                let instance = self.component_linker.instantiate(&mut self.store, component);
                instance.map(Made::Component)
            }
        }
    }

    fn start(&mut self, definition: &Definition) -> Slot<Made> {
        self.make(definition).map_err(|error| show_error(&error))
    }

    /// Makes `result` the current instance, under `name` too when it has one.
    fn remember(&mut self, name: Option<Id<'_>>, result: Slot<Made>) -> Check {
        let check = check_made("an instance", &result);
        let kept = result.map_err(|got| format!("it was not made: {got}"));
        if let Some(name) = name {
            // A registered name goes before.
            if let Ok(instance) = kept
                && self.dialect.wasmtime
                && !self.registered.contains(name.name())
                && let Err(error) = self.name(name.name(), instance)
            {
                return Err(mismatch("a name to import from", show_error(&error)));
            }
            self.instances.insert(name.name().into(), kept.clone());
        }
        self.current = kept;
        check
    }

    fn compile(&self, wat: &mut Wat<'_>) -> Result<Definition, Rejected> {
        let bytes = wat.encode().map_err(|error| Rejected::Text(error.message()))?;
        self.compile_bytes(Sort::of(wat), &bytes)
    }

    fn compile_quoted(&self, wat: &mut QuoteWat<'_>) -> Result<Definition, Rejected> {
        let sort = Sort::of_quoted(wat);
        let bytes = match wat.to_test().map_err(|error| Rejected::Text(error.message()))? {
            QuoteWatTest::Binary(bytes) => bytes,
            QuoteWatTest::Text(text) => encode_text(&text).map_err(Rejected::Text)?,
        };
        self.compile_bytes(sort, &bytes)
    }

    fn compile_bytes(&self, sort: Sort, bytes: &[u8]) -> Result<Definition, Rejected> {
        match sort {
            Sort::Module => self.compile_binary(bytes).map(Definition::Module),
            Sort::Component => self.compile_component(bytes).map(Definition::Component),
        }
    }

    fn compile_binary(&self, bytes: &[u8]) -> Result<Module, Rejected> {
        Module::from_binary(&self.engine, bytes).map_err(|error| {
            if error.kind() != ErrorKind::Invalid {
                return Rejected::Engine(error);
            }
            match decode(bytes, self.dialect.grammar) {
                Err(Malformed { message, offset }) => {
                    Rejected::Binary(format!("{message} (at byte offset {offset:#x})"))
                }
                Ok(()) if needs_proposal(&error) => {
                    Rejected::Binary(words(&error.summary()).into())
                }
                Ok(()) => Rejected::Invalid(error),
            }
        })
    }
}

fn encode_text(text: &[u8]) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "malformed UTF-8 encoding")?;
    let encode = || {
        let buffer = script::buffer(text)?;
        wast::parser::parse::<Wat<'_>>(&buffer)?.encode()
    };
    encode().map_err(|error: wast::Error| wording::of_text(&error, text))
}

/// Whether a module is refused for what only a proposal that is not enabled has. Our
/// reader knows proposals; to the grammar, there is nothing of the kind.
fn needs_proposal(error: &Error) -> bool {
    let message = error.summary();
    NOT_ENABLED.iter().any(|phrase| message.contains(phrase))
}

const NOT_ENABLED: [&str; 6] = [
    " not enabled",
    "must be enabled",
    "the shared-everything-threads proposal",
    "custom descriptors required for",
    "without the stack switching feature",
    "when stack switching is disabled",
];

/// What a definition is of.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Sort {
    Module,
    Component,
}

impl Sort {
    pub(crate) fn of(wat: &Wat<'_>) -> Self {
        match wat {
            Wat::Module(_) => Self::Module,
            Wat::Component(_) => Self::Component,
        }
    }

    pub(crate) fn of_quoted(wat: &QuoteWat<'_>) -> Self {
        match wat {
            QuoteWat::Wat(wat) => Self::of(wat),
            QuoteWat::QuoteModule(..) => Self::Module,
            QuoteWat::QuoteComponent(..) => Self::Component,
        }
    }
}

impl Display for Sort {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Module => "module",
            Self::Component => "component",
        })
    }
}

/// The message of an invalid module without what every such message begins with.
fn words(message: &str) -> &str {
    message.strip_prefix("invalid module: ").unwrap_or(message)
}

fn find<T: Clone>(named: &HashMap<String, Slot<T>>, id: Id<'_>) -> Slot<T> {
    match named.get(id.name()) {
        Some(slot) => slot.clone(),
        None => Err(format!("nothing is called ${}", id.name())),
    }
}

fn check_made<T>(expected: &str, slot: &Slot<T>) -> Check {
    match slot {
        Ok(_) => Ok(()),
        Err(got) => Err(mismatch(expected, got)),
    }
}

/// An error with its class, on one line.
fn show_error(error: &Error) -> String {
    match (error.trap_message(), error.kind()) {
        (Some(message), _) => format!("trap \"{message}\""),
        (None, ErrorKind::Invalid | ErrorKind::Unsupported) => error.summary(),
        (None, kind) => format!("{kind:?} error: {}", error.summary()),
    }
}

/// Whether a trap that says `got` is one that a script calls `expected`.
///
/// Some scripts name, after the kind, the index concerned, which is a detail of the
/// reference interpreter's messages.
fn is_trap(expected: &str, got: &str, tables: &[wording::Table]) -> bool {
    let index = expected.strip_prefix(got).and_then(|rest| rest.strip_prefix(' '));
    let is_index = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    index.is_some_and(is_index) || agree(expected, got, tables)
}

#[cfg(test)]
mod tests {
    use super::wording::WASMTIME;

    #[test]
    fn trap_kinds_are_compared_by_prefix() {
        let is_trap = |expected, got| super::is_trap(expected, got, &[]);
        assert!(is_trap("uninitialized element", "uninitialized element 7"));
        assert!(is_trap("uninitialized element 2", "uninitialized element"));
        assert!(is_trap("integer overflow", "integer overflow"));
        assert!(is_trap("out of bounds", "out of bounds memory access"));
        assert!(!is_trap("uninitialized element", "undefined element"));
        assert!(!is_trap("uninitialized element 2", "uninitialized element 3"));
        assert!(!is_trap("uninitialized element ", "uninitialized element"));
        assert!(!is_trap("out of bounds table access", "undefined element"));
        assert!(!is_trap("integer overflow", "integer"));
        assert!(!is_trap("integer overflow", ""));
        assert!(!is_trap("", "integer overflow"));
        assert!(!is_trap("int", "integer overflow"));
    }

    #[test]
    fn wasmtime_words_some_kinds_otherwise() {
        for (theirs, ours) in [
            ("out of bounds", "undefined element"),
            ("call type mismatch", "indirect call type mismatch"),
            ("wasm `unreachable` instruction executed", "unreachable"),
        ] {
            assert!(super::is_trap(theirs, ours, &[WASMTIME]), "{theirs}");
            assert!(!super::is_trap(theirs, ours, &[]), "{theirs}");
        }
        assert!(!super::is_trap("out of bounds table access", "undefined element", &[WASMTIME]));
    }
}
