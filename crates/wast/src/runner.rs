//! Runs the directives of one script against one store.
//!
//! A directive either does what it says or yields a [`Mismatch`]: what was
//! expected and what came instead. Nothing is skipped; a directive that needs
//! what another one failed to provide fails as well and says so.

use crate::{script, spectest, values};
use std::collections::{HashMap, HashSet};
use wast::token::Id;
use wast::{QuoteWat, QuoteWatTest, WastExecute, WastInvoke, WastRet, Wat};
use zwasm::{Config, Engine, Error, ErrorKind, Instance, Linker, Module, SharedMemory, Store, Val};

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
type Ended = Result<Vec<Val>, Error>;

/// Why a module could not be made.
enum Rejected {
    /// The text does not parse.
    Text(wast::Error),
    /// The engine refused the binary.
    Engine(Error),
}

impl Rejected {
    fn show(&self) -> String {
        match self {
            Self::Text(error) => format!("malformed text: {}", error.message()),
            Self::Engine(error) => show_error(error),
        }
    }

    /// Whether the module itself is at fault, not this engine or its limits.
    fn blames_module(&self) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Engine(error) => error.kind() == ErrorKind::Invalid,
        }
    }
}

/// A named thing of the script, or why it is not there.
type Slot<T> = Result<T, String>;

/// The shared memories that instances export, by the instance's name.
pub(crate) type Shared = HashMap<String, Vec<(String, SharedMemory)>>;

/// The state of one script, or of one of its threads.
pub(crate) struct Runner {
    engine: Engine,
    store: Store<()>,
    linker: Linker<()>,
    definitions: HashMap<String, Slot<Module>>,
    last_definition: Slot<Module>,
    instances: HashMap<String, Slot<Instance>>,
    registered: HashSet<String>,
    /// What the parent's thread shares, by the name of its instance.
    shared: Shared,
    current: Slot<Instance>,
}

impl Runner {
    /// A store with nothing in it but `spectest`.
    ///
    /// # Errors
    /// When the engine cannot be set up like this.
    pub(crate) fn new(config: &Config) -> zwasm::Result<Self> {
        Self::with(Engine::new(config)?, Shared::new())
    }

    /// As [`Runner::new`], for a thread: of another runner's state it has only
    /// what is shared with it.
    pub(crate) fn with(engine: Engine, shared: Shared) -> zwasm::Result<Self> {
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.allow_shadowing(true);
        spectest::define(&mut store, &mut linker)?;
        Ok(Self {
            engine,
            store,
            linker,
            definitions: HashMap::new(),
            last_definition: Err("no module definition before this".into()),
            instances: HashMap::new(),
            registered: HashSet::from(["spectest".into(), "wasmtime".into()]),
            shared,
            current: Err("no module before this".into()),
        })
    }

    /// `(module …)`: compiles, instantiates and makes it the current module.
    pub(crate) fn module(&mut self, mut wat: QuoteWat<'_>) -> Check {
        let name = wat.name();
        let result = self.compile_quoted(&mut wat).map_err(|rejected| rejected.show());
        let result = result.and_then(|module| self.start(&module));
        self.remember(name, result)
    }

    /// `(module definition …)`: compiles only.
    pub(crate) fn define(&mut self, mut wat: QuoteWat<'_>) -> Check {
        let name = wat.name();
        let module = self.compile_quoted(&mut wat).map_err(|rejected| rejected.show());
        let check = check_made("a valid module", &module);
        let kept = module.map_err(|got| format!("its definition failed: {got}"));
        if let Some(name) = name {
            self.definitions.insert(name.name().into(), kept.clone());
        }
        self.last_definition = kept;
        check
    }

    /// `(module instance $instance $definition)`.
    pub(crate) fn instantiate(
        &mut self,
        instance: Option<Id<'_>>,
        definition: Option<Id<'_>>,
    ) -> Check {
        let module = match definition {
            Some(id) => find(&self.definitions, id),
            None => self.last_definition.clone(),
        };
        let result = module.and_then(|module| self.start(&module));
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
        match self.linker.instance(&mut self.store, name, instance) {
            Ok(_) => Ok(()),
            Err(error) => Err(mismatch(expected, show_error(&error))),
        }
    }

    /// The engine, and what a thread shares with this runner.
    ///
    /// # Errors
    /// When there is no such instance.
    pub(crate) fn share(&mut self, id: Option<Id<'_>>) -> Result<(Engine, Shared), Mismatch> {
        let mut shared = Shared::new();
        if let Some(id) = id {
            let exports = match self.shared.get(id.name()) {
                Some(exports) => exports.clone(),
                None => {
                    let instance = find(&self.instances, id);
                    let instance = instance.map_err(|reason| mismatch("to run", reason))?;
                    let exports = instance.exports(&mut self.store).into_iter();
                    exports
                        .filter_map(|(name, item)| Some((name, item.into_shared_memory()?)))
                        .collect()
                }
            };
            shared.insert(id.name().into(), exports);
        }
        Ok((self.engine.clone(), shared))
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
        let got = match self.execute(action) {
            Ok(Ok(values)) if values::all_match(&self.store, &values, results) => return Ok(()),
            Ok(Ok(values)) => values::show(&self.store, &values, results),
            Ok(Err(error)) => show_error(&error),
            Err(reason) => reason,
        };
        Err(mismatch(values::show_patterns(results), got))
    }

    /// `assert_trap` and `assert_exhaustion`: a trap of the expected kind.
    pub(crate) fn assert_trap(&mut self, action: WastExecute<'_>, message: &str) -> Check {
        let got = match self.execute(action) {
            Ok(Ok(values)) => values::show(&self.store, &values, &[]),
            Ok(Err(error)) => match error.trap() {
                Some(trap) if is_wording_of(message, &trap.to_string()) => return Ok(()),
                _ => show_error(&error),
            },
            Err(reason) => reason,
        };
        Err(mismatch(format!("trap \"{message}\""), got))
    }

    pub(crate) fn assert_exception(&mut self, action: WastExecute<'_>) -> Check {
        let got = match self.execute(action) {
            Ok(Ok(values)) => values::show(&self.store, &values, &[]),
            Ok(Err(error)) if error.kind() == ErrorKind::Exception => return Ok(()),
            Ok(Err(error)) => show_error(&error),
            Err(reason) => reason,
        };
        Err(mismatch("an exception", got))
    }

    /// `assert_invalid_custom`: the module is valid, its branch hints are not.
    pub(crate) fn assert_custom_rejected(&mut self, mut wat: QuoteWat<'_>, message: &str) -> Check {
        let got = match self.compile_quoted(&mut wat) {
            Ok(module) if module.check_branch_hints().is_err() => return Ok(()),
            Ok(_) => "valid branch hints".into(),
            Err(rejected) => rejected.show(),
        };
        Err(mismatch(format!("invalid custom section \"{message}\""), got))
    }

    /// `assert_malformed`, `assert_invalid` and the former's variant for custom
    /// sections: the module is at fault.
    pub(crate) fn assert_rejected(
        &mut self,
        mut wat: QuoteWat<'_>,
        class: &str,
        message: &str,
    ) -> Check {
        let got = match self.compile_quoted(&mut wat) {
            Ok(_) => "a valid module".into(),
            Err(rejected) if rejected.blames_module() => return Ok(()),
            Err(rejected) => rejected.show(),
        };
        Err(mismatch(format!("{class} module \"{message}\""), got))
    }

    /// A valid module whose imports do not fit.
    pub(crate) fn assert_unlinkable(&mut self, mut wat: Wat<'_>, message: &str) -> Check {
        let got = match self.compile(&mut wat) {
            Ok(module) => match self.linker.instantiate(&mut self.store, &module) {
                Ok(_) => "an instance".into(),
                Err(error) if error.kind() == ErrorKind::Link => return Ok(()),
                Err(error) => show_error(&error),
            },
            Err(rejected) => rejected.show(),
        };
        Err(mismatch(format!("unlinkable module \"{message}\""), got))
    }

    fn execute(&mut self, action: WastExecute<'_>) -> Result<Ended, String> {
        match action {
            WastExecute::Invoke(invoke) => self.call(&invoke),
            WastExecute::Wat(mut wat) => {
                let module = self.compile(&mut wat).map_err(|rejected| rejected.show())?;
                let instance = self.linker.instantiate(&mut self.store, &module);
                Ok(instance.map(|_| Vec::new()))
            }
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module)?;
                match instance.get_global(&mut self.store, global) {
                    Some(found) => Ok(Ok(vec![found.get(&mut self.store)])),
                    None => Err(format!("no exported global \"{global}\"")),
                }
            }
        }
    }

    fn call(&mut self, invoke: &WastInvoke<'_>) -> Result<Ended, String> {
        let instance = self.instance(invoke.module)?;
        let Some(function) = instance.get_func(&mut self.store, invoke.name) else {
            return Err(format!("no exported function \"{}\"", invoke.name));
        };
        let mut arguments = Vec::with_capacity(invoke.args.len());
        for argument in &invoke.args {
            arguments.push(values::argument(&mut self.store, argument)?);
        }
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let ended = function.call(&mut self.store, &arguments, &mut results);
        Ok(ended.map(|()| results))
    }

    fn instance(&self, id: Option<Id<'_>>) -> Slot<Instance> {
        match id {
            Some(id) => find(&self.instances, id),
            None => self.current.clone(),
        }
    }

    fn start(&mut self, module: &Module) -> Slot<Instance> {
        self.linker.instantiate(&mut self.store, module).map_err(|error| show_error(&error))
    }

    /// Makes `result` the current instance, under `name` too when it has one.
    fn remember(&mut self, name: Option<Id<'_>>, result: Slot<Instance>) -> Check {
        let check = check_made("an instance", &result);
        let kept = result.map_err(|got| format!("its module failed: {got}"));
        if let Some(name) = name {
            // Scripts of wasmtime import from an instance by its name without
            // registering it; a registered name goes before.
            if let Ok(instance) = kept
                && !self.registered.contains(name.name())
                && let Err(error) = self.linker.instance(&mut self.store, name.name(), instance)
            {
                return Err(mismatch("a name to import from", show_error(&error)));
            }
            self.instances.insert(name.name().into(), kept.clone());
        }
        self.current = kept;
        check
    }

    fn compile(&self, wat: &mut Wat<'_>) -> Result<Module, Rejected> {
        let bytes = wat.encode().map_err(Rejected::Text)?;
        Module::from_binary(&self.engine, &bytes).map_err(Rejected::Engine)
    }

    fn compile_quoted(&self, wat: &mut QuoteWat<'_>) -> Result<Module, Rejected> {
        let bytes = match wat.to_test().map_err(Rejected::Text)? {
            QuoteWatTest::Binary(bytes) => bytes,
            QuoteWatTest::Text(text) => encode_text(wat, &text).map_err(Rejected::Text)?,
        };
        Module::from_binary(&self.engine, &bytes).map_err(Rejected::Engine)
    }
}

fn encode_text(wat: &QuoteWat<'_>, text: &[u8]) -> Result<Vec<u8>, wast::Error> {
    let text = std::str::from_utf8(text)
        .map_err(|_| wast::Error::new(wat.span(), "malformed UTF-8 encoding".into()))?;
    let buffer = script::buffer(text)?;
    wast::parser::parse::<Wat<'_>>(&buffer)?.encode()
}

fn find<T: Clone>(named: &HashMap<String, Slot<T>>, id: Id<'_>) -> Slot<T> {
    match named.get(id.name()) {
        Some(slot) => slot.clone(),
        None => Err(format!("no module ${}", id.name())),
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
    match (error.trap(), error.kind()) {
        (Some(trap), _) => format!("trap \"{trap}\""),
        (None, ErrorKind::Invalid | ErrorKind::Unsupported) => error.to_string(),
        (None, kind) => format!("{kind:?} error: {error}"),
    }
}

/// How wasmtime's scripts word a kind of trap, and the official wording. None
/// of theirs occurs in the official suite, whose checks are as strict as ever.
const OTHER_WORDINGS: [(&str, &str); 3] = [
    ("call type mismatch", "indirect call type mismatch"),
    ("out of bounds", "undefined element"),
    ("wasm `unreachable` instruction executed", "unreachable"),
];

/// Whether a trap worded `got` is of the kind that a script calls `expected`.
///
/// The reference interpreter accepts any message that begins with the expected
/// text. Some scripts name, after the kind, the index concerned, which is a
/// detail of that interpreter's messages.
fn is_wording_of(expected: &str, got: &str) -> bool {
    if got.starts_with(expected) || OTHER_WORDINGS.contains(&(expected, got)) {
        return true;
    }
    expected
        .strip_prefix(got)
        .and_then(|rest| rest.strip_prefix(' '))
        .is_some_and(|index| !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::is_wording_of;

    #[test]
    fn trap_kinds_are_compared_by_prefix() {
        assert!(is_wording_of("uninitialized element", "uninitialized element 7"));
        assert!(is_wording_of("uninitialized element 2", "uninitialized element"));
        assert!(is_wording_of("integer overflow", "integer overflow"));
        assert!(!is_wording_of("uninitialized element", "undefined element"));
        assert!(!is_wording_of("uninitialized element 2", "uninitialized element 3"));
        assert!(is_wording_of("out of bounds", "out of bounds memory access"));
        assert!(is_wording_of("out of bounds", "undefined element"));
        assert!(!is_wording_of("out of bounds table access", "undefined element"));
        assert!(!is_wording_of("integer overflow", "integer"));
        assert!(!is_wording_of("integer overflow", ""));
    }
}
