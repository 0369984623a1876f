//! Validation of function bodies, in parallel when the module is large.
//!
//! Bodies are independent once the sections before them are known. They are
//! dealt out in contiguous runs of about equal size, one per thread; the error
//! reported is the one with the lowest offset, whichever thread finds it first.

use wasmparser::{
    BinaryReaderError, FuncToValidate, FuncValidatorAllocations, FunctionBody, ValidatorResources,
};

use crate::error::{Error, Result};
use crate::tuning;

/// A body, and what it takes to validate it.
pub(super) type Job<'a> = (FuncToValidate<ValidatorResources>, FunctionBody<'a>);

/// Validates all bodies.
pub(super) fn bodies(jobs: Vec<Job<'_>>) -> Result<()> {
    let total: u64 = jobs.iter().map(size).sum();
    let threads = if total < tuning::PARALLEL_VALIDATION_BYTES as u64 {
        1
    } else {
        std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len().max(1))
    };
    if threads == 1 {
        return sequential(jobs).map_err(report);
    }
    let share = total / threads as u64 + 1;
    let mut runs: Vec<Vec<Job<'_>>> = vec![Vec::new()];
    let mut filled = 0;
    for job in jobs {
        if filled >= share {
            runs.push(Vec::new());
            filled = 0;
        }
        filled += size(&job);
        if let Some(run) = runs.last_mut() {
            run.push(job);
        }
    }
    let mut runs = runs.into_iter();
    let own = runs.next().unwrap_or_default();
    std::thread::scope(|scope| {
        // A run whose thread cannot be started is done here.
        let mut left = Vec::new();
        let mut started = Vec::new();
        for run in runs {
            let run = std::sync::Arc::new(std::sync::Mutex::new(Some(run)));
            let theirs = run.clone();
            let work = move || take(&theirs).map_or(Ok(()), sequential);
            match std::thread::Builder::new().spawn_scoped(scope, work) {
                Ok(handle) => started.push(handle),
                Err(_) => left.extend(take(&run)),
            }
        }
        let mut outcomes = vec![sequential(own)];
        outcomes.extend(left.into_iter().map(sequential));
        outcomes.extend(
            started.into_iter().map(|handle| {
                handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }),
        );
        let first = outcomes.into_iter().filter_map(Result::err).min_by_key(|(_, at)| *at);
        first.map_or(Ok(()), |error| Err(report(error)))
    })
}

fn take<'a>(run: &std::sync::Mutex<Option<Vec<Job<'a>>>>) -> Option<Vec<Job<'a>>> {
    run.lock().ok().and_then(|mut run| run.take())
}

fn size(job: &Job<'_>) -> u64 {
    let range = job.1.range();
    range.end - range.start
}

/// Validates bodies one after the other; the error's function and offset.
fn sequential(jobs: Vec<Job<'_>>) -> Result<(), ((BinaryReaderError, u32), u64)> {
    let mut allocations = FuncValidatorAllocations::default();
    for (func, body) in jobs {
        let mut validator = func.into_validator(allocations);
        if let Err(error) = validator.validate(&body) {
            let offset = error.offset();
            return Err(((error, validator.index()), offset));
        }
        allocations = validator.into_allocations();
    }
    Ok(())
}

fn report(((error, func), _): ((BinaryReaderError, u32), u64)) -> Error {
    let message = match error.message() {
        message if message.starts_with("legacy_exceptions") => LEGACY_EXCEPTIONS,
        message => message,
    };
    Error::invalid_in(message, error.offset() as usize, func)
}

const LEGACY_EXCEPTIONS: &str =
    "this is the exception handling of before WebAssembly 3.0; compile for `try_table` instead";
