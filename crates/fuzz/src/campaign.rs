//! Cases in processes of their own, so that a crash of the engine is the finding of
//! one case: a worker says which case it begins, and the campaign starts another
//! worker behind the case that one ended in.

use crate::cases::{case, prepare};
use crate::judge::Judge;
use crate::reduce::reduce;
use crate::{Arguments, corpus};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};
use zwasm_wast::patience;

/// Time by the wall after which a case is taken to hang.
const HUNG: Duration = Duration::from_secs(20);
/// The same for one case alone.
const HUNG_ALONE: Duration = Duration::from_secs(4);
/// Time that a finding may take to be made smaller.
const REDUCTION: Duration = Duration::from_secs(60);
/// Findings made smaller and saved; of more, only the number is told.
const SAVED: usize = 20;

/// What a campaign saw.
#[derive(Default)]
pub struct Report {
    pub cases: u64,
    pub compared: u64,
    pub crashed: u64,
    pub called: u64,
    pub returned: u64,
    /// The numbers of the cases that differ or crash, and how.
    pub findings: Vec<(u64, String)>,
    /// What the outcome of each case hashes to, by its number.
    outcomes: BTreeMap<u64, String>,
}

/// Says that a case begins, that it differs, what its outcome hashes to, and what was
/// counted.
const BEGINS: char = '@';
const DIFFERS: char = '!';
const HASHES: char = '#';
const COUNTS: char = '=';

/// Runs each `step`th case from `first`, in this process.
///
/// # Errors
/// When the corpus cannot be read, or an engine be set up.
pub fn work(arguments: &Arguments, first: u64, step: u64) -> Result<(), String> {
    let corpus = corpus(arguments)?;
    let tells = arguments.outcomes.is_some();
    let mut judge = Judge::new(&arguments.modes, arguments.oracle, tells);
    let beat = &*Box::leak(Box::new(AtomicU64::new(first)));
    thread::spawn(|| watch(beat, patience(HUNG)));
    let mut out = io::stdout().lock();
    let mut say = |text: String| out.write_all(text.as_bytes()).map_err(|error| error.to_string());
    let mut number = first;
    while number < arguments.end() {
        beat.store(number, Ordering::Relaxed);
        say(format!("{BEGINS}{number}\n"))?;
        let made = case(&corpus, arguments.seed, number);
        if let Some(text) = judge.judge(&made.bytes, made.calls)? {
            say(format!("{DIFFERS}{number} {text}\n"))?;
        }
        if let Some(outcome) = judge.outcome {
            say(format!("{HASHES}{number} {outcome:016x}\n"))?;
        }
        number += step;
        // A crash loses what was counted since.
        if number % 64 < step || number >= arguments.end() {
            let Judge { compared, crashed, called, returned, .. } = judge;
            say(format!("{COUNTS}{compared} {crashed} {called} {returned}\n"))?;
            (judge.compared, judge.crashed) = (0, 0);
            (judge.called, judge.returned) = (0, 0);
        }
    }
    Ok(())
}

/// Ends the process when a case does not end.
fn watch(beat: &AtomicU64, hung: Duration) {
    loop {
        let before = beat.load(Ordering::Relaxed);
        thread::sleep(hung);
        if beat.load(Ordering::Relaxed) == before {
            eprintln!("no end after {} s", hung.as_secs());
            process::exit(3);
        }
    }
}

/// Runs all cases in as many workers as are asked for.
///
/// # Errors
/// When workers cannot be started or fail on their own account.
pub fn run(arguments: &Arguments) -> Result<Report, String> {
    let report = Mutex::new(Report { cases: arguments.cases, ..Report::default() });
    thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.jobs)
            .map(|first| {
                scope.spawn({
                    let report = &report;
                    move || follow(arguments, first, report)
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().map_err(|_| "a worker could not be followed".to_owned())?
        })
    })?;
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.findings.sort();
    if let Some(path) = &arguments.outcomes {
        let line = |(number, hash): (&u64, &String)| format!("{number} {hash}\n");
        let text: String = report.outcomes.iter().map(line).collect();
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(report)
}

/// Does so many cases from `first` in this process, in so many threads.
pub fn each(first: u64, cases: u64, jobs: u64, case: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(first);
    let end = first.saturating_add(cases);
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        break;
                    }
                    case(number);
                }
            });
        }
    });
}

/// Starts workers for each `jobs`th case from `first`, until all are done.
fn follow(arguments: &Arguments, first: u64, report: &Mutex<Report>) -> Result<(), String> {
    let mut next = arguments.first + first;
    while next < arguments.end() {
        let mut command = arguments.command()?;
        command.arg("--worker").arg(format!("{next}:{}", arguments.jobs));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err("a worker has no output".into());
        };
        let mut current = None;
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(|error| error.to_string())?;
            let Some(kind) = line.chars().next() else { continue };
            let rest = &line[kind.len_utf8()..];
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            match kind {
                BEGINS => current = rest.parse().ok(),
                DIFFERS => {
                    let (number, text) = rest.split_once(' ').unwrap_or((rest, ""));
                    found(&mut report, number.parse().unwrap_or(0), text.to_owned());
                }
                HASHES => {
                    let (number, hash) = rest.split_once(' ').unwrap_or((rest, ""));
                    report.outcomes.insert(number.parse().unwrap_or(0), hash.to_owned());
                }
                COUNTS => {
                    let mut counts = rest.split(' ').map(|count| count.parse::<u64>().unwrap_or(0));
                    let mut count = || counts.next().unwrap_or(0);
                    report.compared += count();
                    report.crashed += count();
                    report.called += count();
                    report.returned += count();
                }
                _ => return Err(format!("a worker said '{line}'")),
            }
        }
        let mut last_words = String::new();
        let _ = stderr.read_to_string(&mut last_words);
        let status = child.wait().map_err(|error| error.to_string())?;
        if status.success() {
            return Ok(());
        }
        let Some(number) = current else {
            return Err(format!("a worker ended with {status}: {}", last_words.trim()));
        };
        let text = format!("{status}: {}", last_words.trim().replace('\n', " "));
        found(&mut report.lock().unwrap_or_else(PoisonError::into_inner), number, text);
        next = number + arguments.jobs;
    }
    Ok(())
}

/// Takes a finding down, and tells of it at once.
fn found(report: &mut Report, number: u64, text: String) {
    eprintln!("case {number}: {text}");
    report.findings.push((number, text));
}

/// Makes the findings smaller and saves them; a line for each.
///
/// # Errors
/// When the corpus cannot be read or a file not written.
pub fn save(arguments: &Arguments, findings: &[(u64, String)]) -> Result<Vec<String>, String> {
    if findings.is_empty() {
        return Ok(Vec::new());
    }
    fs::create_dir_all(&arguments.out).map_err(|error| error.to_string())?;
    let mut corpus = corpus(arguments)?;
    prepare(&mut corpus);
    let mut lines = Vec::new();
    for (number, text) in findings.iter().take(SAVED) {
        let made = case(&corpus, arguments.seed, *number);
        let candidate = env::temp_dir().join(format!("zwasm-fuzz-{}.wasm", process::id()));
        let run = |bytes: &[u8]| match fs::write(&candidate, bytes) {
            Ok(()) => failure(arguments, &candidate, made.calls),
            Err(_) => None,
        };
        // A difference stays a difference, a crash that crash. What cannot be seen
        // again alone is saved as it is.
        let small = match run(&made.bytes) {
            None => made.bytes,
            whole => {
                let deadline = Instant::now() + REDUCTION;
                reduce(&made.bytes, deadline, &mut |bytes| run(bytes) == whole)
            }
        };
        let _ = fs::remove_file(&candidate);
        let modes: Vec<String> = arguments.modes.iter().map(ToString::to_string).collect();
        let printed = wasmprinter::print_bytes(&small).unwrap_or_default();
        let path = arguments.out.join(format!("fuzz-{}-{number}.wat", arguments.seed));
        let content = format!(
            "{CALLS}{}\n;; --seed {} case {number}, --modes {} --oracle {}\n;; {text}\n{printed}",
            made.calls,
            arguments.seed,
            modes.join(","),
            arguments.oracle.name(),
        );
        fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
        lines.push(format!("{}: {text}", path.display()));
    }
    if findings.len() > SAVED {
        lines.push(format!("and {} more that were not saved", findings.len() - SAVED));
    }
    Ok(lines)
}

/// How the seed of the calls is said in a saved case.
const CALLS: &str = ";; zwasm-fuzz: calls ";

/// How a module differs or crashes, run alone in a process; none if it does not.
fn failure(arguments: &Arguments, module: &Path, calls: u64) -> Option<ExitStatus> {
    let mut command = arguments.command().ok()?;
    command.arg("--replay").arg(module).arg("--calls").arg(calls.to_string());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    // Exit code 2 is a complaint of this program's own.
    (!status.success() && status.code() != Some(2)).then_some(status)
}

/// Runs a saved module; what differs about it.
///
/// # Errors
/// When it cannot be read, or does not say how it is to be called.
pub fn replay(arguments: &Arguments, path: &PathBuf) -> Result<Option<String>, String> {
    let told = |error: io::Error| format!("{}: {error}", path.display());
    let content = fs::read(path).map_err(told)?;
    let beat = &*Box::leak(Box::new(AtomicU64::new(0)));
    thread::spawn(|| watch(beat, patience(HUNG_ALONE)));
    let said = str::from_utf8(&content)
        .ok()
        .and_then(|text| text.strip_prefix(CALLS)?.lines().next()?.trim().parse().ok());
    let Some(calls) = arguments.calls.or(said) else {
        return Err(format!("{}: expected a first line '{CALLS}N', or --calls N", path.display()));
    };
    let bytes = wat::parse_bytes(&content).map_err(|error| error.to_string())?;
    Judge::new(&arguments.modes, arguments.oracle, false).judge(&bytes, calls)
}

impl Arguments {
    /// This program again, with what all processes of a campaign share.
    fn command(&self) -> Result<Command, String> {
        let mut command = Command::new(env::current_exe().map_err(|error| error.to_string())?);
        let modes: Vec<String> = self.modes.iter().map(ToString::to_string).collect();
        command.arg("--seed").arg(self.seed.to_string());
        command.arg("--cases").arg(self.cases.to_string());
        command.arg("--first").arg(self.first.to_string());
        command.arg("--modes").arg(modes.join(","));
        command.arg("--oracle").arg(self.oracle.name());
        command.arg("--corpus").arg(&self.corpus);
        if let Some(path) = &self.outcomes {
            command.arg("--outcomes").arg(path);
        }
        Ok(command)
    }
}
