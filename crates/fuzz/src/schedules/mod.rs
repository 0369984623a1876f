//! `zwasm-fuzz schedules`: random schedules of streams, futures and tasks against a plain
//! model of the specification.
//!
//! A case is a program ([`program`]): what tasks of two component instances do, and what the
//! host does between their turns. It is drawn as it runs in the first mode ([`draw`]), by what
//! the model says there is, and runs again as it was in the others. Guests tell every
//! result, every event and what their memory comes to ([`guest`]); the model ([`model`])
//! says of each whether it may be, and so of who goes on, who waits, and what traps.

mod draw;
mod ends;
mod guest;
mod model;
mod program;
mod run;

use crate::campaign::each;
use draw::Draw;
use program::{Line, Program, parse};
use run::{Outcome, Runner, Source};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use zwasm_wast::mutate::Rng;
use zwasm_wast::{Mode, panics};

/// Findings that are saved; of more, only the number is told.
const SAVED: usize = 20;
/// Time that a finding may take to be made smaller.
const REDUCTION: Duration = Duration::from_secs(20);

/// Which cases to run, and how.
pub struct Campaign {
    pub seed: u64,
    pub first: u64,
    pub cases: u64,
    pub modes: Vec<Mode>,
    pub jobs: u64,
    /// Where findings are saved.
    pub out: PathBuf,
}

/// What a campaign saw.
#[derive(Default)]
struct Report {
    /// Operations of guests and of the host, and what guests told.
    operations: u64,
    told: u64,
    /// Cases that ended in a trap, by what it says.
    traps: BTreeMap<&'static str, u64>,
    found: u64,
    findings: Vec<String>,
}

/// The component in each mode.
struct Runners(Vec<Runner>);

impl Runners {
    fn new(modes: &[Mode]) -> Result<Self, String> {
        let text = guest::component();
        let bytes = wat::parse_str(&text).map_err(|error| format!("no component: {error}"))?;
        let runner = |mode: &Mode| Runner::new(*mode, &bytes).map_err(|e| format!("[{mode}] {e}"));
        modes.iter().map(runner).collect::<Result<_, _>>().map(Self)
    }

    /// Runs a case in all modes: how it went in the first, with what is wrong in any.
    fn judge(&self, source: Source) -> Outcome {
        let mut source = Some(source);
        let mut first: Option<Outcome> = None;
        for runner in &self.0 {
            let lines = first.as_ref().map_or(&[][..], |first| &first.lines);
            let source = source.take().unwrap_or_else(|| Source::Program(Program::new(lines)));
            let mode = runner.mode;
            let mut outcome = runner.run(source);
            outcome.wrong = outcome.wrong.map(|wrong| format!("[{mode}] {wrong}"));
            match &mut first {
                None => first = Some(outcome),
                Some(first) if outcome.wrong.is_some() => first.wrong = outcome.wrong,
                Some(first) if first.hash != outcome.hash => {
                    first.wrong = Some(format!("[{mode}] guests tell something else"));
                }
                Some(_) => continue,
            }
            if first.as_ref().is_some_and(|first| first.wrong.is_some()) {
                break;
            }
        }
        first.unwrap_or_else(|| Outcome {
            lines: Vec::new(),
            hash: 0,
            told: 0,
            trap: None,
            wrong: Some("there is no mode".into()),
        })
    }

    /// What is wrong about a program, a panic being so.
    fn wrong(&self, lines: &[Line]) -> Option<String> {
        let text = text(lines);
        let run = || self.judge(Source::Program(Program::new(lines))).wrong;
        panics::catch(move || format!("schedules\n{text}"), run).unwrap_or_else(Some)
    }

    /// Leaves out lines as long as something is wrong.
    fn reduce(&self, mut lines: Vec<Line>) -> Vec<Line> {
        let until = Instant::now() + REDUCTION;
        let mut size = lines.len();
        while size > 0 && Instant::now() < until {
            let mut end = lines.len();
            let mut shorter = false;
            while end > 0 && Instant::now() < until {
                let begin = end.saturating_sub(size);
                let mut left = lines.clone();
                left.drain(begin..end);
                if self.wrong(&left).is_some() {
                    lines = left;
                    shorter = true;
                }
                end = begin;
            }
            if !(size == 1 && shorter) {
                size /= 2;
            }
        }
        lines
    }
}

fn text(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{line}");
    }
    text
}

/// Runs a campaign, and says whether nothing was found.
///
/// # Errors
/// When an engine cannot be set up.
pub fn run(campaign: &Campaign) -> Result<bool, String> {
    let report = Mutex::new(Report::default());
    let start = Instant::now();
    let runners = Runners::new(&campaign.modes)?;
    each(campaign.first, campaign.cases, campaign.jobs, |number| {
        one(campaign, &runners, number, &report);
    });
    let report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    for finding in &report.findings {
        println!("{finding}");
    }
    let Report { operations, told, traps, found, .. } = report;
    for (trap, count) in &traps {
        println!("{count} traps: {trap}");
    }
    let rate = campaign.cases as f64 / start.elapsed().as_secs_f64();
    println!("{operations} operations, {told} results, {rate:.0} cases/s");
    println!("{} cases, {found} differences", campaign.cases);
    Ok(found == 0)
}

fn one(campaign: &Campaign, runners: &Runners, number: u64, report: &Mutex<Report>) {
    let seed = campaign.seed;
    let last_words = move || format!("schedules, seed {seed}, case {number}");
    let draw = || Source::Draw(Box::new(Draw::new(Rng::for_case(seed, number))));
    let ended = panics::catch(last_words, || runners.judge(draw()));
    let (wrong, lines) = {
        let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
        match ended {
            Ok(outcome) => {
                report.operations += outcome.lines.len() as u64;
                report.told += outcome.told;
                if let Some(trap) = outcome.trap {
                    *report.traps.entry(trap).or_default() += 1;
                }
                (outcome.wrong, outcome.lines)
            }
            Err(panic) => (Some(panic), Vec::new()),
        }
    };
    let Some(wrong) = wrong else { return };
    {
        let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
        report.found += 1;
        if report.found > SAVED as u64 {
            return;
        }
    }
    let lines = runners.reduce(lines);
    let wrong = runners.wrong(&lines).unwrap_or(wrong);
    let path = campaign.out.join(format!("schedules-{seed}-{number}.txt"));
    let place = match fs::write(&path, format!("; {wrong}\n{}", text(&lines))) {
        Ok(()) => path.display().to_string(),
        Err(error) => format!("case {number} (not saved: {error})"),
    };
    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
    report.findings.push(format!("{place}: {wrong}"));
}

/// Runs a saved program again: what is wrong about it.
///
/// # Errors
/// When it cannot be read, or an engine be set up.
pub fn replay(path: &Path, modes: &[Mode]) -> Result<Option<String>, String> {
    let named = |error: String| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
    let lines = parse(&text).map_err(named)?;
    Ok(Runners::new(modes)?.wrong(&lines))
}
