//! Runs the directives of a script against one store.
//!
//! A directive does what it says or is a failure with what was expected and what came.
//! None is passed over: one that needs what another did not provide fails as well, and
//! so does one that is not known.

use std::collections::HashMap;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use zwasm::{Engine, Error, ErrorKind, Extern, Instance, Linker, Module, Store, Val};

use super::reader::Reader;
use super::values;
use crate::values::show;

/// What became of a script.
#[derive(Default)]
pub struct Report {
    /// How many directives did what they say.
    pub passed: usize,
    /// Where others begin, and what came of them.
    pub failures: Vec<(usize, String)>,
}

type Check = Result<(), String>;

/// What a script has under a name; nothing where making it failed.
#[derive(Default)]
struct Named {
    definition: Option<Module>,
    instance: Option<Instance>,
    /// What a thread has of an instance of whoever started it.
    shared: Option<Vec<(String, Extern)>>,
}

/// The state of a script, or of one of its threads.
pub struct Runner {
    store: Store<()>,
    linker: Linker<()>,
    names: HashMap<String, Named>,
    latest: Option<Module>,
    current: Option<Instance>,
    /// Whether it is that of a thread, which starts no others.
    is_thread: bool,
}

/// Whether a script begins with something else than a directive: then it is a module.
pub fn is_bare(text: &str) -> bool {
    let mut reader = Reader::new(text);
    let keyword = reader.open().and_then(|open| if open { reader.word() } else { Ok(None) });
    keyword.is_ok_and(|keyword| {
        keyword.is_some_and(|keyword| {
            !keyword.starts_with("assert_") && !DIRECTIVES.contains(&keyword)
        })
    })
}

/// What directives begin with that assert nothing.
const DIRECTIVES: [&str; 7] =
    ["module", "component", "register", "invoke", "get", "thread", "wait"];

/// The threads of a script that are not waited for yet, by their names. There are few.
type Threads<'scope> = Vec<(String, ScopedJoinHandle<'scope, Report>)>;

const NOTHING: &str = "there is no such instance";

impl Runner {
    /// A store with nothing in it but `spectest`.
    ///
    /// # Errors
    /// If the engine cannot make that.
    pub fn new(engine: &Engine) -> zwasm::Result<Runner> {
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new(engine);
        linker.allow_shadowing(true);
        define_spectest(&mut store, &mut linker)?;
        Ok(Runner {
            store,
            linker,
            names: HashMap::new(),
            latest: None,
            current: None,
            is_thread: false,
        })
    }

    /// Runs a script that is one module without its parentheses.
    pub fn bare(&mut self, text: &str) -> Report {
        let module = Module::new(self.store.engine(), text);
        let made = module.and_then(|module| self.linker.instantiate(&mut self.store, &module));
        match made {
            Ok(_) => Report { passed: 1, failures: Vec::new() },
            Err(error) => Report { passed: 0, failures: vec![(0, error.summary())] },
        }
    }

    /// Runs the directives from a place on, up to the end or to a closing parenthesis.
    pub fn run<'scope, 'text: 'scope>(
        &mut self,
        reader: &mut Reader<'text>,
        scope: &'scope Scope<'scope, '_>,
    ) -> Report {
        let (mut report, mut threads) = (Report::default(), Threads::new());
        loop {
            let next = reader.peek();
            let start = reader.at();
            match next {
                Ok(None | Some(b')')) => break,
                Ok(Some(_)) => {}
                Err(message) => {
                    report.failures.push((start, message));
                    break;
                }
            }
            // A directive that cannot be read to its end is passed over by its parentheses.
            let mut behind = reader.clone();
            let end = behind.form();
            match self.directive(reader, scope, &mut threads, &mut report) {
                Ok(()) => report.passed += 1,
                Err(message) => report.failures.push((start, message)),
            }
            match end {
                Ok(_) => *reader = behind,
                Err(message) => {
                    report.failures.push((start, message));
                    break;
                }
            }
        }
        for (_, thread) in threads {
            report.add(thread.join());
        }
        report
    }

    fn directive<'scope, 'text: 'scope>(
        &mut self,
        reader: &mut Reader<'text>,
        scope: &'scope Scope<'scope, '_>,
        threads: &mut Threads<'scope>,
        report: &mut Report,
    ) -> Check {
        let form = reader.clone();
        if !reader.open()? {
            return Err("expected `(`".into());
        }
        match reader.expect_word()? {
            "module" => self.module(&form, reader),
            "register" => {
                let name = reader.name()?;
                let id = reader.id()?;
                self.register(&name, id.as_deref())
            }
            "invoke" | "get" => {
                let ended = self.action(&form)?;
                ended.map(drop).map_err(|error| unexpected("a return", &error))
            }
            "assert_return" => self.assert_return(reader),
            "assert_trap" => self.assert_stopped(reader, ErrorKind::Trap),
            "assert_exhaustion" => self.assert_stopped(reader, ErrorKind::StackOverflow),
            "assert_exception" => match self.action_of(reader)? {
                Err(error) if error.kind() == ErrorKind::Exception => Ok(()),
                Err(error) => Err(unexpected("an exception", &error)),
                Ok(values) => Err(self.returned("an exception", &values)),
            },
            "assert_malformed" | "assert_malformed_custom" => {
                self.assert_refused(reader, "a malformed")
            }
            "assert_invalid" => self.assert_refused(reader, "an invalid"),
            "assert_invalid_custom" => {
                let module = self.compile(reader).map_err(|error| error.summary())?;
                match module.check_branch_hints() {
                    Ok(()) => Err("expected an invalid custom section, got a valid one".into()),
                    Err(_) => Ok(()),
                }
            }
            "assert_unlinkable" => {
                let module = self.compile(reader).map_err(|error| error.summary())?;
                match self.linker.instantiate(&mut self.store, &module) {
                    Err(error) if error.kind() == ErrorKind::Link => Ok(()),
                    Err(error) => Err(unexpected("a failure to link", &error)),
                    Ok(_) => Err("expected a failure to link, got an instance".into()),
                }
            }
            "thread" => self.thread(reader, scope, threads),
            "wait" => {
                let name = reader.id()?.ok_or("expected the name of a thread")?;
                let at = threads.iter().position(|(known, _)| *known == name);
                let (_, thread) = threads.swap_remove(at.ok_or("there is no such thread")?);
                report.add(thread.join());
                Ok(())
            }
            keyword => Err(format!("unknown directive '{keyword}'")),
        }
    }

    /// `(module …)`, `(module definition …)` and `(module instance $instance $definition)`.
    fn module(&mut self, form: &Reader<'_>, reader: &mut Reader<'_>) -> Check {
        let mut word = reader.clone();
        match word.word()? {
            Some("definition") => {
                let id = word.id()?;
                let module = self.compile(&mut form.clone());
                let (module, check) = kept(module);
                self.latest = module.clone();
                if let Some(id) = id {
                    self.names.entry(id.into()).or_default().definition = module;
                }
                check
            }
            Some("instance") => {
                let (instance, definition) = (word.id()?, word.id()?);
                let module = match definition {
                    Some(id) => self.names.get(&*id).and_then(|named| named.definition.clone()),
                    None => self.latest.clone(),
                };
                let module = module.ok_or("there is no such definition")?;
                let made = self.linker.instantiate(&mut self.store, &module);
                self.remember(instance.as_deref(), made)
            }
            _ => {
                let id = reader.id()?;
                let module = self.compile(&mut form.clone());
                let made = module.and_then(|module| {
                    self.latest = Some(module.clone());
                    self.linker.instantiate(&mut self.store, &module)
                });
                self.remember(id.as_deref(), made)
            }
        }
    }

    fn remember(&mut self, id: Option<&str>, made: zwasm::Result<Instance>) -> Check {
        let (instance, check) = kept(made);
        self.current = instance;
        if let Some(id) = id {
            self.names.entry(id.into()).or_default().instance = instance;
        }
        check
    }

    /// Takes a module and compiles it.
    fn compile(&self, reader: &mut Reader<'_>) -> zwasm::Result<Module> {
        let text = module_text(reader).map_err(Error::msg)?;
        Module::new(self.store.engine(), text)
    }

    fn instance(&self, id: Option<&str>) -> Result<Instance, String> {
        let found = match id {
            Some(id) => self.names.get(id).and_then(|named| named.instance),
            None => self.current,
        };
        found.ok_or_else(|| NOTHING.into())
    }

    fn shared(&self, id: &str) -> Option<Vec<(String, Extern)>> {
        self.names.get(id)?.shared.clone()
    }

    fn register(&mut self, name: &str, id: Option<&str>) -> Check {
        if let Some(items) = id.and_then(|id| self.shared(id)) {
            for (export, item) in items {
                let defined = self.linker.define(&self.store, name, &export, item);
                defined.map_err(|error| error.summary())?;
            }
            return Ok(());
        }
        let instance = self.instance(id)?;
        let defined = self.linker.instance(&mut self.store, name, instance);
        defined.map(drop).map_err(|error| error.summary())
    }

    /// Takes an action and does it.
    fn action_of(&mut self, reader: &mut Reader<'_>) -> Result<Result<Vec<Val>, Error>, String> {
        reader.peek()?;
        let place = reader.clone();
        reader.form()?;
        self.action(&place)
    }

    /// An action: a call, a global that is read, or a module that is instantiated.
    fn action(&mut self, place: &Reader<'_>) -> Result<Result<Vec<Val>, Error>, String> {
        let mut reader = place.clone();
        reader.open()?;
        let keyword = reader.expect_word()?;
        if keyword == "module" {
            let module = self.compile(&mut place.clone()).map_err(|error| error.summary())?;
            let made = self.linker.instantiate(&mut self.store, &module);
            return Ok(made.map(|_| Vec::new()));
        }
        let id = reader.id()?;
        let name = reader.name()?;
        let instance = self.instance(id.as_deref())?;
        let missing = || format!("nothing is exported as \"{}\"", name.escape_debug());
        match keyword {
            "get" => {
                let global = instance.get_global(&mut self.store, &name).ok_or_else(missing)?;
                Ok(Ok(vec![global.get(&mut self.store)]))
            }
            "invoke" => {
                let func = instance.get_func(&mut self.store, &name).ok_or_else(missing)?;
                let mut arguments = Vec::new();
                while reader.peek()? == Some(b'(') {
                    arguments.push(values::argument(&mut self.store, &mut reader)?);
                }
                let count = func.ty(&self.store).results().len();
                let mut results = vec![Val::I32(0); count];
                let called = func.call(&mut self.store, &arguments, &mut results);
                Ok(called.map(|()| results))
            }
            _ => Err(format!("'{keyword}' is no action")),
        }
    }

    fn assert_return(&mut self, reader: &mut Reader<'_>) -> Check {
        let ended = self.action_of(reader)?;
        reader.peek()?;
        let start = reader.clone();
        let got = ended.map_err(|error| unexpected("a return", &error))?;
        let (mut count, mut all) = (0, true);
        while reader.peek()? == Some(b'(') {
            all &= match got.get(count) {
                Some(value) => values::matches(&mut self.store, reader, value)?,
                None => {
                    reader.form()?;
                    false
                }
            };
            count += 1;
        }
        if all && count == got.len() {
            return Ok(());
        }
        let (mut wanted, mut patterns) = (Vec::new(), start);
        while patterns.peek()? == Some(b'(') {
            wanted.push(patterns.form()?);
        }
        let wanted = if wanted.is_empty() { "nothing".into() } else { wanted.join(" ") };
        Err(self.returned(&wanted, &got))
    }

    /// A message about results that were not to be.
    fn returned(&self, wanted: &str, values: &[Val]) -> String {
        let shown: Vec<_> =
            values.iter().map(|value| show(&self.store, value).to_string()).collect();
        let got = if shown.is_empty() { "nothing".into() } else { shown.join(" ") };
        format!("expected {wanted}, got {got}")
    }

    fn assert_stopped(&mut self, reader: &mut Reader<'_>, kind: ErrorKind) -> Check {
        let ended = self.action_of(reader)?;
        let message = reader.name()?;
        let wanted = format!("a trap \"{message}\"");
        let error = match ended {
            Ok(values) => return Err(self.returned(&wanted, &values)),
            Err(error) => error,
        };
        // Some scripts name an index behind the kind of trap, or a part of its name.
        let got = error.trap_message().filter(|_| error.kind() == kind);
        match got.is_some_and(|got| message.starts_with(got) || got.starts_with(&*message)) {
            true => Ok(()),
            false => Err(unexpected(&wanted, &error)),
        }
    }

    /// A module that cannot be made. What is said of why is another engine's words.
    fn assert_refused(&mut self, reader: &mut Reader<'_>, how: &str) -> Check {
        match self.compile(reader) {
            Ok(_) => Err(format!("expected {how} module, got a valid one")),
            Err(error) if error.kind() == ErrorKind::Limit => Err(error.summary()),
            Err(_) => Ok(()),
        }
    }

    /// `(thread $name (shared (module $instance)) …)`: runs directives on a thread, which
    /// has the shared memories of the instance.
    fn thread<'scope, 'text: 'scope>(
        &mut self,
        reader: &mut Reader<'text>,
        scope: &'scope Scope<'scope, '_>,
        threads: &mut Threads<'scope>,
    ) -> Check {
        if self.is_thread {
            return Err("a thread starts no others".into());
        }
        let name = reader.id()?.ok_or("expected the name of the thread")?;
        let mut runner = Runner::new(self.store.engine()).map_err(|error| error.summary())?;
        let mut ahead = reader.clone();
        if ahead.open()? && ahead.word()? == Some("shared") {
            ahead.open()?;
            ahead.expect_word()?;
            let id = ahead.id()?.ok_or("expected the name of an instance")?;
            let items = match self.shared(&id) {
                Some(items) => items,
                None => {
                    let instance = self.instance(Some(&id))?;
                    let exports = instance.exports(&mut self.store);
                    exports.filter_map(shared).collect()
                }
            };
            runner.names.entry(id.into()).or_default().shared = Some(items);
            ahead.close()?;
            ahead.close()?;
            *reader = ahead;
        }
        runner.is_thread = true;
        let mut inside = reader.clone();
        let spawned = Builder::new().spawn_scoped(scope, move || runner.run(&mut inside, scope));
        threads.push((name.into(), spawned.map_err(|error| error.to_string())?));
        Ok(())
    }
}

impl Report {
    /// Adds what a thread did.
    fn add(&mut self, joined: std::thread::Result<Report>) {
        match joined {
            Ok(other) => {
                self.passed += other.passed;
                self.failures.extend(other.failures);
            }
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// An export that threads can share.
#[cfg(feature = "threads")]
fn shared(export: zwasm::Export<'_>) -> Option<(String, Extern)> {
    let name = export.name().to_owned();
    Some((name, export.into_shared_memory()?.into()))
}

#[cfg(not(feature = "threads"))]
fn shared(_: zwasm::Export<'_>) -> Option<(String, Extern)> {
    None
}

/// What was made, if it was, and the message if not.
fn kept<T>(made: zwasm::Result<T>) -> (Option<T>, Check) {
    match made {
        Ok(made) => (Some(made), Ok(())),
        Err(error) => (None, Err(error.summary())),
    }
}

fn unexpected(wanted: &str, error: &Error) -> String {
    format!("expected {wanted}, got: {}", error.summary())
}

/// Takes a module: its text, with the letters escaped that the parser of text holds for an
/// attempt to deceive the reader, and what is only a script's left out.
fn module_text(reader: &mut Reader<'_>) -> Result<Vec<u8>, String> {
    reader.peek()?;
    let form = reader.form()?;
    let mut inside = Reader::new(form);
    inside.open()?;
    match inside.expect_word()? {
        "module" => {}
        other => return Err(format!("a {other} is no module")),
    }
    let mut after = inside.clone();
    let text = match after.word()? {
        Some("definition") => format!("(module{}", &form[after.at()..]),
        _ => form.to_owned(),
    };
    // The same again, behind the word that was left out.
    let mut inside = Reader::new(&text);
    inside.open()?;
    inside.expect_word()?;
    inside.id()?;
    if inside.word()? == Some("quote") {
        let mut quoted = Vec::new();
        while let Some(part) = inside.string()? {
            quoted.extend(part);
            quoted.push(b' ');
        }
        // Fields may stand without their module, but nothing is no module.
        return Ok(match quoted.iter().all(u8::is_ascii_whitespace) {
            true => b"(module)".to_vec(),
            false => quoted,
        });
    }
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\u{200E}'..='\u{206F}' => escaped += &format!("\\u{{{:x}}}", u32::from(letter)),
            _ => escaped.push(letter),
        }
    }
    Ok(escaped.into_bytes())
}

/// What scripts import from their host: the module `spectest`. Its functions print in the
/// reference interpreter; here they do nothing, and so it is a module like any other.
const SPECTEST: &str = r#"(module
    (func (export "print"))
    (func (export "print_i32") (param i32))
    (func (export "print_i64") (param i64))
    (func (export "print_f32") (param f32))
    (func (export "print_f64") (param f64))
    (func (export "print_i32_f32") (param i32 f32))
    (func (export "print_f64_f64") (param f64 f64))
    (global (export "global_i32") i32 (i32.const 666))
    (global (export "global_i64") i64 (i64.const 666))
    (global (export "global_f32") f32 (f32.const 666.6))
    (global (export "global_f64") f64 (f64.const 666.6))
    (table (export "table") 10 20 funcref)
    (memory (export "memory") 1 2))"#;

/// What is there if the engine has it.
const SPECTEST_MORE: [&str; 2] = [
    r#"(table (export "table64") i64 10 20 funcref)"#,
    r#"(memory (export "shared_memory") 1 2 shared)"#,
];

fn define_spectest(store: &mut Store<()>, linker: &mut Linker<()>) -> zwasm::Result<()> {
    let mut modules = vec![Module::new(linker.engine(), SPECTEST)?];
    modules.extend(SPECTEST_MORE.iter().flat_map(|text| Module::new(linker.engine(), text)));
    for module in modules {
        let instance = linker.instantiate(&mut *store, &module)?;
        linker.instance(&mut *store, "spectest", instance)?;
    }
    Ok(())
}
