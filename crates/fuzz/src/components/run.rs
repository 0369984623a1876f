//! Runs a case in every mode and compares.

use super::case::{Case, EXPORTS, IMPORT};
use super::handles::Handles;
use super::value::same;
use zwasm::{Config, Engine, ErrorKind, Store};
use zwasm_component::{Component, Instance, Linker, Val};
use zwasm_wast::Mode;

/// Bytes that all memories of a case may take together.
const MEMORY: u64 = 256 << 20;

/// What is said of a case.
#[derive(Default)]
pub struct Verdict {
    /// Calls in the first mode, and how many of them returned.
    pub called: u64,
    pub returned: u64,
    /// Whether a guest had no room.
    pub full: bool,
    /// What must not be.
    pub wrong: Option<String>,
}

/// An engine for each mode.
pub struct Judge {
    engines: Vec<(Mode, Engine)>,
}

/// What the host was given, in the order of calls.
type Seen = Vec<Vec<Val>>;

/// How a call ended.
type Ended = Result<Val, (ErrorKind, String)>;

/// What happened in one mode.
struct Outcome {
    calls: Vec<Ended>,
    seen: Seen,
}

impl Judge {
    /// # Errors
    /// When an engine cannot be set up.
    pub fn new(modes: &[Mode]) -> Result<Self, String> {
        let engine = |mode: &Mode| {
            let mut config: Config = mode.config();
            config.max_total(MEMORY);
            Engine::new(&config).map(|engine| (*mode, engine)).map_err(|error| error.to_string())
        };
        Ok(Self { engines: modes.iter().map(engine).collect::<Result<_, _>>()? })
    }

    pub fn judge(&self, case: &Case) -> Verdict {
        let mut verdict = Verdict::default();
        let bytes = match wat::parse_str(&case.text) {
            Ok(bytes) => bytes,
            Err(error) => {
                verdict.wrong = Some(format!("no component: {error}"));
                return verdict;
            }
        };
        let mut first: Option<Outcome> = None;
        for (mode, engine) in &self.engines {
            let outcome = match run(engine, &bytes, case) {
                Ok(outcome) => outcome,
                Err(error) => {
                    verdict.wrong = Some(format!("[{mode}] not made: {error}"));
                    return verdict;
                }
            };
            let wrong = match &first {
                None => check(case, &outcome, &mut verdict),
                Some(first) => compare(first, &outcome),
            };
            if let Some(wrong) = wrong {
                verdict.wrong = Some(format!("[{mode}] {wrong}"));
                return verdict;
            }
            first.get_or_insert(outcome);
        }
        verdict
    }

    pub fn judge_handles(&self, handles: &Handles) -> Verdict {
        let mut verdict = Verdict { called: 1, ..Verdict::default() };
        let bytes = match wat::parse_str(&handles.text) {
            Ok(bytes) => bytes,
            Err(error) => {
                verdict.wrong = Some(format!("no component: {error}"));
                return verdict;
            }
        };
        for (mode, engine) in &self.engines {
            let got = run_handles(engine, &bytes);
            let right = match (&handles.expected, &got) {
                (Ok(expected), Ok(Val::U32(got))) => expected == got,
                (Err(expected), Err(error)) => {
                    error.kind() == ErrorKind::Trap && error.summary().contains(expected)
                }
                _ => false,
            };
            verdict.returned = u64::from(got.is_ok());
            if !right {
                let expected = &handles.expected;
                verdict.wrong = Some(format!("[{mode}] {expected:?} was expected, not {got:?}"));
                return verdict;
            }
        }
        verdict
    }
}

/// Runs a program of operations on handles.
fn run_handles(engine: &Engine, bytes: &[u8]) -> zwasm::Result<Val> {
    let component = Component::from_binary(engine, bytes)?;
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, &component)?;
    let func = instance.get_func(&mut store, "run");
    let func = func.ok_or_else(|| zwasm::Error::msg("no function run"))?;
    let mut results = [Val::Bool(false)];
    func.call(&mut store, &[], &mut results)?;
    let [result] = results;
    Ok(result)
}

/// Makes all calls, each on an instance that no call stopped before.
fn run(engine: &Engine, bytes: &[u8], case: &Case) -> zwasm::Result<Outcome> {
    let component = Component::from_binary(engine, bytes)?;
    let mut linker: Linker<Seen> = Linker::new(engine);
    linker.instance(IMPORT)?.func_new("echo", |mut store, _, arguments, results| {
        store.data_mut().push(arguments.to_vec());
        results[0] = Case::expected(arguments);
        Ok(())
    })?;
    let mut outcome = Outcome { calls: Vec::new(), seen: Seen::new() };
    let mut made: Option<(Store<Seen>, Instance)> = None;
    for export in EXPORTS {
        for arguments in &case.calls {
            let (store, instance) = match &mut made {
                Some((store, instance)) => (store, *instance),
                none => {
                    let mut store = Store::new(engine, Seen::new());
                    let instance = linker.instantiate(&mut store, &component)?;
                    let (store, instance) = none.insert((store, instance));
                    (store, *instance)
                }
            };
            let name = format!("{export}#echo");
            let Some(func) = instance.get_func(&mut *store, &name) else {
                return Err(zwasm::Error::msg(format!("no function {name}")));
            };
            let mut results = [Val::Bool(false)];
            let ended = func.call(&mut *store, arguments, &mut results);
            outcome.seen.append(store.data_mut());
            let [result] = results;
            outcome.calls.push(match ended {
                Ok(()) => Ok(result),
                Err(error) => {
                    made = None;
                    Err((error.kind(), error.summary()))
                }
            });
        }
    }
    Ok(outcome)
}

/// What is wrong about the outcome by itself.
fn check(case: &Case, outcome: &Outcome, verdict: &mut Verdict) -> Option<String> {
    verdict.called = outcome.calls.len() as u64;
    verdict.returned = outcome.calls.iter().filter(|ended| ended.is_ok()).count() as u64;
    if let Some(text) = outcome.calls.iter().find_map(|ended| match ended {
        Err((_, text)) if text.is_empty() || text.contains('\n') => Some(text),
        _ => None,
    }) {
        return Some(format!("an error is not one line: {text:?}"));
    }
    if !case.right {
        return None;
    }
    let calls = EXPORTS.iter().flat_map(|export| case.calls.iter().map(move |call| (export, call)));
    for ((export, arguments), ended) in calls.zip(&outcome.calls) {
        let expected = Case::expected(arguments);
        match ended {
            Ok(got) if same(got, &expected) => {}
            Ok(got) => return Some(format!("{export}: given {expected:?}, returned {got:?}")),
            Err((ErrorKind::Trap, text)) if text.ends_with("unreachable") => verdict.full = true,
            Err((_, text)) => return Some(format!("{export}: given {expected:?}: {text}")),
        }
    }
    let given = outcome.seen.iter().zip(&case.calls);
    for (seen, arguments) in given.filter(|_| !verdict.full) {
        if !same(&Case::expected(seen), &Case::expected(arguments)) {
            return Some(format!("the host was given {seen:?} of {arguments:?}"));
        }
    }
    None
}

/// How the outcomes of two modes differ.
fn compare(first: &Outcome, other: &Outcome) -> Option<String> {
    let wrong = first.calls.iter().zip(&other.calls).find_map(|(one, other)| {
        let alike = match (one, other) {
            (Ok(one), Ok(other)) => same(one, other),
            (Err(one), Err(other)) => one == other,
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        };
        (!alike).then(|| format!("{one:?} in the first mode, {other:?} here"))
    });
    let alike = first.seen.len() == other.seen.len()
        && first
            .seen
            .iter()
            .zip(&other.seen)
            .all(|(one, other)| same(&Case::expected(one), &Case::expected(other)));
    wrong.or_else(|| (!alike).then(|| "the host was given other values".into()))
}
