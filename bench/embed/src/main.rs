//! What embedding costs: calls between host and guest, beside other runtimes.
//!
//! Rows are written once, against the interface that runtimes have in common, and compiled
//! for each of them (`rows/`, `runtimes/`). A row is a function that returns the nanoseconds
//! of one operation. Each measurement is a process of its own, this program called again,
//! and runtimes take turns row by row, so that a machine which slows down slows all of them.

mod measure;
mod runtimes;

use std::collections::BTreeMap;
use std::env;
use std::process::{Command, ExitCode};

use measure::Row;

const USAGE: &str = "\
Measures what calls between host and guest cost, beside other runtimes.

Usage: cargo run --profile embed -p zwasm-embed --features wasmtime,wasmi -- [OPTIONS]

Options:
    --rows PREFIX[,PREFIX]      only rows whose names begin so
    --runtimes NAME[,NAME]      only these runtimes
    --runs N                    medians of N runs (default 5)
    --limit ROW=RATIO           fails if the ratio to wasmtime is higher; may be repeated
    --list                      names the rows

Printed are nanoseconds of processor time for one operation, and the ratio of zwasm's to
those of the others: below 1, zwasm takes less.

Exit code: 0; 1 if a row takes more than its limit allows; 2 for bad usage.";

struct Options {
    rows: Vec<String>,
    runtimes: Vec<String>,
    runs: usize,
    limits: BTreeMap<String, f64>,
    list: bool,
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        rows: Vec::new(),
        runtimes: Vec::new(),
        runs: 5,
        limits: BTreeMap::new(),
        list: false,
    };
    let words = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    while let Some(option) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{option} needs a value"));
        match &*option {
            "--rows" => options.rows = words(value()?),
            "--runtimes" => options.runtimes = words(value()?),
            "--runs" => {
                let runs = value()?.parse().ok().filter(|runs| *runs > 0);
                options.runs = runs.ok_or("--runs takes a number above 0")?;
            }
            "--limit" => {
                let value = value()?;
                let limit = value
                    .split_once('=')
                    .and_then(|(row, ratio)| Some((row.to_owned(), ratio.parse().ok()?)));
                options.limits.extend([limit.ok_or("--limit takes ROW=RATIO")?]);
            }
            "--list" => options.list = true,
            _ => return Err(format!("there is no option {option}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let mut args = env::args().skip(1).peekable();
    if args.next_if(|first| first == "--row").is_some() {
        return measure_one(args.next(), args.next());
    }
    if args.next_if(|first| first == "--help").is_some() {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match options(args).and_then(|options| compare(&options)) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("{message}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Measures a row of a runtime and prints it: what this program calls itself for.
fn measure_one(runtime: Option<String>, row: Option<String>) -> ExitCode {
    let all = runtimes::all();
    let runtime = all.iter().find(|(name, _)| Some(*name) == runtime.as_deref());
    let row =
        runtime.and_then(|(_, rows)| rows.iter().find(|(name, _)| Some(*name) == row.as_deref()));
    match row {
        Some((_, measured)) => {
            println!("{}", measured());
            ExitCode::SUCCESS
        }
        None => ExitCode::from(2),
    }
}

/// The nanoseconds that a row of a runtime takes in a process of its own; none if it failed.
fn measured(runtime: &str, row: &str) -> Option<f64> {
    let program = env::current_exe().ok()?;
    let output = Command::new(program).args(["--row", runtime, row]).output().ok()?;
    if !output.status.success() {
        eprintln!("{runtime} {row}: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn compare(options: &Options) -> Result<ExitCode, String> {
    let all = runtimes::all();
    let chosen =
        |name: &str| options.runtimes.is_empty() || options.runtimes.iter().any(|one| one == name);
    let runtimes: Vec<&(&str, Vec<Row>)> = all.iter().filter(|(name, _)| chosen(name)).collect();
    let wanted = |name: &str| {
        options.rows.is_empty() || options.rows.iter().any(|row| name.starts_with(&**row))
    };
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in runtimes.iter().flat_map(|(_, rows)| rows).filter(|(name, _)| wanted(name)) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return Err("there is no such row".to_owned());
    }
    if let Some(row) = options.limits.keys().find(|row| !names.contains(&&***row)) {
        return Err(format!("there is no row {row} to limit"));
    }
    if options.list {
        names.iter().for_each(|name| println!("{name}"));
        return Ok(ExitCode::SUCCESS);
    }
    print!("{:24}", "ns");
    runtimes.iter().for_each(|(name, _)| print!("{name:>10}"));
    runtimes.iter().skip(1).for_each(|(name, _)| print!("{:>12}", format!("/{name}")));
    println!();
    let mut failed = false;
    for name in names {
        let has = |rows: &[Row]| rows.iter().any(|(row, _)| *row == name);
        let mut times: Vec<Vec<f64>> = vec![Vec::new(); runtimes.len()];
        for _ in 0..options.runs {
            for (times, (runtime, rows)) in times.iter_mut().zip(&runtimes) {
                if has(rows) {
                    times.extend(measured(runtime, name));
                }
            }
        }
        let medians: Vec<Option<f64>> = times.into_iter().map(median).collect();
        print!("{name:24}");
        for median in &medians {
            print!("{:>10}", median.map_or("-".to_owned(), |nanos| format!("{nanos:.2}")));
        }
        for other in &medians[1..] {
            let ratio = medians[0].zip(*other).map(|(ours, other)| ours / other);
            print!("{:>12}", ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")));
        }
        let limit = options.limits.get(name);
        let peer = runtimes.iter().position(|(name, _)| *name == "wasmtime");
        let ratio = peer.and_then(|at| Some(medians[0]? / medians[at]?));
        // What could not be measured keeps no limit.
        let over = limit.is_some_and(|limit| ratio.is_none_or(|ratio| ratio > *limit));
        failed |= over;
        println!("{}", if over { "  MORE THAN ALLOWED" } else { "" });
    }
    Ok(ExitCode::from(u8::from(failed)))
}
