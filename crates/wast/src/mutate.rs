//! Feeds damaged modules and components to the engine, which must refuse or accept each
//! one in an orderly way: no panic, no case over a second, bounded memory.
//!
//! Seed and case number determine a mutant, so that a finding can be made
//! again. A mutant that is valid is instantiated when that runs no code of its
//! own, and its functions are compiled but not run, since nothing would end an
//! endless loop. A component is run, with fuel (`components`).

mod components;
mod corpus;
mod frames;
mod mutant;
mod probe;
mod rng;

pub use corpus::Corpus;
pub use frames::is_component;
pub use mutant::mutant;
pub use rng::Rng;

use crate::panics;
use std::collections::HashMap;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, process, thread};
use zwasm::{Config, Engine, Error, ErrorKind, Instance, Module, Store, Strategy};
use zwasm_component::Component;

/// Processor time one case may take.
const SLOW: Duration = Duration::from_secs(1);
/// Time by the wall after which a case is taken to hang.
const HUNG: Duration = Duration::from_secs(60);
/// Findings told and saved of those that begin with the same characters: one
/// cause may show in thousands of cases.
const SAMPLES: usize = 3;
/// How many characters that is.
const ALIKE: usize = 60;
/// Resident memory the whole process may reach.
const MEMORY: u64 = 512 << 20;
/// Bytes each memory of a mutant may take.
const GUEST_MEMORY: u64 = 16 << 20;
/// Elements each table of a mutant may have.
const GUEST_ELEMENTS: u64 = 1 << 20;

/// Which mutants to make, and where to put those that are findings.
pub struct Campaign {
    /// Determines all mutants.
    pub seed: u64,
    /// How many.
    pub cases: u64,
    /// The folder that findings are saved in.
    pub folder: PathBuf,
}

/// What a campaign saw.
#[derive(Debug, Default)]
pub struct Report {
    /// Mutants made.
    pub cases: u64,
    /// Mutants that the engine accepted.
    pub valid: u64,
    /// Mutants that it refused.
    pub invalid: u64,
    /// Valid mutants that were instantiated.
    pub instantiated: u64,
    /// Functions of valid mutants that were compiled, or called.
    pub functions: u64,
    /// Mutants that made it panic.
    pub panics: u64,
    /// What must not be, one line each, a few of those that read alike.
    pub findings: Vec<String>,
    /// Further findings like these, neither told nor saved.
    pub more: u64,
    /// How often a finding that begins so was told.
    kinds: HashMap<String, usize>,
    /// The longest processor time of a case.
    pub slowest: Duration,
    /// The most memory the process ever had resident, in bytes.
    pub peak_memory: u64,
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, valid, invalid, panics, .. } = self;
        write!(f, "{cases} cases, {valid} valid, {invalid} invalid, {panics} panics")
    }
}

/// The case being run, for those who must tell of it from outside.
static CURRENT: Mutex<Option<Current>> = Mutex::new(None);

struct Current {
    since: Instant,
    path: PathBuf,
    bytes: Vec<u8>,
}

fn current() -> MutexGuard<'static, Option<Current>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Saves the mutant being run and says where.
fn save_current() -> String {
    match current().as_ref() {
        Some(current) => save(&current.path, &current.bytes),
        None => "no case".into(),
    }
}

fn save(path: &Path, bytes: &[u8]) -> String {
    match fs::write(path, bytes) {
        Ok(()) => path.display().to_string(),
        Err(error) => format!("{} (not saved: {error})", path.display()),
    }
}

/// Runs a campaign. A case that hangs ends the process with exit code 1 once
/// it is saved.
///
/// # Errors
/// When the engine cannot be set up.
pub fn run(campaign: &Campaign, corpus: &Corpus) -> zwasm::Result<Report> {
    let mut config = Config::new();
    config.max_memory(GUEST_MEMORY).max_table_elements(GUEST_ELEMENTS);
    config.strategy(Strategy::Mixed(campaign.seed));
    let engines =
        Engines { modules: Engine::new(&config)?, components: components::engine(campaign.seed)? };
    let mut report = Report::default();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watchdog = scope.spawn(|| watch(&done));
        for case in 0..campaign.cases {
            let bytes = mutant(corpus, &mut Rng::for_case(campaign.seed, case));
            let path = campaign.folder.join(format!("mutate-{}-{case}.wasm", campaign.seed));
            *current() = Some(Current { since: Instant::now(), path, bytes: bytes.clone() });
            run_case(&engines, &bytes, &mut report);
        }
        *current() = None;
        done.store(true, Ordering::Relaxed);
        watchdog.thread().unpark();
    });
    report.peak_memory = peak_memory();
    if report.peak_memory > MEMORY {
        let (peak, limit) = (report.peak_memory >> 20, MEMORY >> 20);
        report.findings.push(format!("peak memory {peak} MB, limit {limit} MB"));
    }
    Ok(report)
}

fn watch(done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        let hung = current()
            .as_ref()
            .is_some_and(|current| current.since.elapsed() > crate::patience(HUNG));
        if hung {
            eprintln!("{}: no end after {} s", save_current(), HUNG.as_secs());
            process::exit(1);
        }
        thread::park_timeout(Duration::from_secs(1));
    }
}

fn run_case(engines: &Engines, bytes: &[u8], report: &mut Report) {
    report.cases += 1;
    let start = processor_time();
    let result = panics::catch(save_current, || load(engines, bytes));
    let took = processor_time().saturating_sub(start);
    report.slowest = report.slowest.max(took);
    let finding = match result {
        Ok(Loaded::Refused(None)) => {
            report.invalid += 1;
            None
        }
        Ok(Loaded::Refused(Some(wrong))) => {
            report.invalid += 1;
            Some(wrong)
        }
        Ok(Loaded::Accepted { instantiated, probed }) => {
            report.valid += 1;
            report.instantiated += u64::from(instantiated);
            report.functions += *probed.as_ref().unwrap_or(&0) as u64;
            probed.err()
        }
        Err(message) => {
            report.panics += 1;
            Some(message)
        }
    };
    let slow = (took > crate::patience(SLOW)).then(|| format!("took {} ms", took.as_millis()));
    for finding in finding.into_iter().chain(slow) {
        let kind: String = finding.chars().take(ALIKE).collect();
        let seen = report.kinds.entry(kind).or_insert(0);
        if *seen < SAMPLES {
            *seen += 1;
            report.findings.push(format!("{}: {finding}", save_current()));
        } else {
            report.more += 1;
        }
    }
}

enum Loaded {
    /// Refused, with what is wrong about the way it was.
    Refused(Option<String>),
    /// Accepted, with the number of functions compiled or what went wrong.
    Accepted { instantiated: bool, probed: Result<usize, String> },
}

/// What mutants are given to.
struct Engines {
    modules: Engine,
    components: Engine,
}

fn load(engines: &Engines, bytes: &[u8]) -> Loaded {
    if Component::is_component(bytes) {
        return match Component::new(&engines.components, bytes) {
            Ok(component) => {
                let (instantiated, probed) = components::probe(&engines.components, &component);
                Loaded::Accepted { instantiated, probed }
            }
            Err(error) => Loaded::Refused(disorderly(&error)),
        };
    }
    let engine = &engines.modules;
    let module = match Module::new(engine, bytes) {
        Ok(module) => module,
        Err(error) => return Loaded::Refused(disorderly(&error)),
    };
    let sections = frames::sections(bytes);
    let passive = !sections.iter().any(|section| section.id == frames::id::START);
    let instantiated = module.imports().next().is_none()
        && !sections.is_empty()
        && passive
        && Instance::new(Store::new(engine, ()), &module, &[]).is_ok();
    Loaded::Accepted { instantiated, probed: probe::probe(engine, &module, bytes) }
}

/// What is wrong about the way something was refused.
fn disorderly(error: &Error) -> Option<String> {
    let text = error.summary();
    let orderly =
        matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported | ErrorKind::Limit);
    if !orderly {
        Some(format!("refused with a {:?} error: {text}", error.kind()))
    } else if text.is_empty() || text.contains('\n') {
        Some(format!("error is not one line: {text:?}"))
    } else {
        None
    }
}

#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.max(0) as u64, time.tv_nsec.clamp(0, 999_999_999) as u32)
}

#[cfg(windows)]
fn processor_time() -> Duration {
    Duration::from_nanos(zwasm_win32::process_time())
}

/// The most memory the process ever had resident, in bytes; 0 where the
/// system does not tell.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) << 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_line_has_its_form() {
        let report = Report { cases: 3, valid: 1, invalid: 2, ..Report::default() };
        assert_eq!(report.to_string(), "3 cases, 1 valid, 2 invalid, 0 panics");
    }

    #[test]
    fn peak_memory_is_known_here() {
        assert!(peak_memory() > 1 << 20 || !Path::new("/proc/self/status").exists());
    }
}
