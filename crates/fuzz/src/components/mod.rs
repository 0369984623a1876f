//! `zwasm-fuzz components`: values of random types through random guests.
//!
//! A case is a component whose functions all return what they are given: one by itself,
//! one by calling that, one by calling the host, one through two guests. Guests differ in
//! the encoding of strings and in where they find room, right at the end of memory for
//! one. A quarter of the cases has a guest that is wrong, and some values are of other
//! types: then calls may fail in any way but a panic, and the same in all modes.
//!
//! Every fourth case is a program of operations on handles instead ([`handles`]).

mod case;
mod defs;
mod guest;
mod handles;
mod run;
mod ty;
mod value;

use crate::campaign::each;
use case::Case;
use handles::Handles;
use run::{Judge, Verdict};
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;
use zwasm_wast::{Mode, panics};

/// Findings that are saved; of more, only the number is told.
const SAVED: usize = 20;

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
    /// Calls, and how many of them returned.
    called: u64,
    returned: u64,
    /// Cases in which there was no room for the values.
    full: u64,
    found: u64,
    findings: Vec<String>,
}

/// Runs a campaign, and says whether nothing was found.
///
/// # Errors
/// When an engine cannot be set up.
pub fn run(campaign: &Campaign) -> Result<bool, String> {
    let report = Mutex::new(Report::default());
    let start = Instant::now();
    let judge = Judge::new(&campaign.modes)?;
    each(campaign.first, campaign.cases, campaign.jobs, |number| {
        one(campaign, &judge, number, &report);
    });
    let report = report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for finding in &report.findings {
        println!("{finding}");
    }
    let Report { called, returned, full, found, .. } = report;
    let rate = campaign.cases as f64 / start.elapsed().as_secs_f64();
    println!("{returned} of {called} calls returned, no room in {full} cases, {rate:.0} cases/s");
    println!("{} cases, {found} differences", campaign.cases);
    Ok(found == 0)
}

fn one(campaign: &Campaign, judge: &Judge, number: u64, report: &Mutex<Report>) {
    let seed = campaign.seed;
    let last_words = move || format!("components, seed {seed}, case {number}");
    let ended = panics::catch(last_words, || {
        if number % 4 == 3 {
            let handles = Handles::draw(seed, number);
            let verdict = judge.judge_handles(&handles);
            return (handles.text, verdict);
        }
        let case = Case::draw(seed, number);
        let verdict = judge.judge(&case);
        (case.text, verdict)
    });
    let mut report = report.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (text, wrong) = match ended {
        Ok((text, Verdict { called, returned, full, wrong })) => {
            report.called += called;
            report.returned += returned;
            report.full += u64::from(full);
            (text, wrong)
        }
        Err(panic) if number % 4 == 3 => (Handles::draw(seed, number).text, Some(panic)),
        Err(panic) => (Case::draw(seed, number).text, Some(panic)),
    };
    let Some(wrong) = wrong else { return };
    report.found += 1;
    if report.findings.len() < SAVED {
        let path = campaign.out.join(format!("components-{seed}-{number}.wat"));
        let place = match fs::write(&path, format!(";; {}\n{text}", wrong.replace('\n', " "))) {
            Ok(()) => path.display().to_string(),
            Err(error) => format!("case {number} (not saved: {error})"),
        };
        report.findings.push(format!("{place}: {wrong}"));
    }
}
