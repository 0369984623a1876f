//! Validation of function bodies, in parallel when the module is large.
//!
//! Bodies are independent once the sections before them are known. They are
//! dealt out in contiguous runs of about equal size, one per thread; the error
//! reported is the one with the lowest offset, whichever thread finds it first.
//!
//! A call of two bytes may leave a thousand operands, so that a small function could
//! have the validator remember billions of them. Those beyond what instructions with
//! one result each can leave in the largest function are too many.

use wasmparser::{
    BinaryReaderError, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody,
    ValidatorResources,
};

use crate::error::{Error, ErrorKind, Result};
use crate::tuning;

/// A body, and what it takes to validate it.
pub(super) type Job<'a> = (FuncToValidate<ValidatorResources>, FunctionBody<'a>);

/// Whether to give up; asked on several threads.
pub(super) type Stop<'a> = dyn Fn() -> bool + Sync + 'a;

/// What giving up gives.
pub(super) fn stopped() -> Error {
    Error::of_kind(ErrorKind::Interrupted, "loading the module was interrupted")
}

/// Validates all bodies.
pub(super) fn bodies(jobs: Vec<Job<'_>>, stop: &Stop<'_>) -> Result<()> {
    let total: u64 = jobs.iter().map(size).sum();
    let threads = if total < tuning::PARALLEL_VALIDATION_BYTES as u64 {
        1
    } else {
        std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len().max(1))
    };
    if threads == 1 {
        return sequential(jobs, stop).map_err(report);
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
            let work = move || take(&theirs).map_or(Ok(()), |run| sequential(run, stop));
            match std::thread::Builder::new().spawn_scoped(scope, work) {
                Ok(handle) => started.push(handle),
                Err(_) => left.extend(take(&run)),
            }
        }
        let mut outcomes = vec![sequential(own, stop)];
        outcomes.extend(left.into_iter().map(|run| sequential(run, stop)));
        outcomes.extend(
            started.into_iter().map(|handle| {
                handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }),
        );
        let first = outcomes.into_iter().filter_map(Result::err).min_by_key(|fault| fault.at);
        first.map_or(Ok(()), |fault| Err(report(fault)))
    })
}

fn take<'a>(run: &std::sync::Mutex<Option<Vec<Job<'a>>>>) -> Option<Vec<Job<'a>>> {
    run.lock().ok().and_then(|mut run| run.take())
}

fn size(job: &Job<'_>) -> u64 {
    let range = job.1.range();
    range.end - range.start
}

/// Why a body is refused, and where.
struct Fault {
    why: Why,
    func: u32,
    at: u64,
}

enum Why {
    Invalid(BinaryReaderError),
    TooManyOperands(u64),
    Stopped,
}

impl From<BinaryReaderError> for Why {
    fn from(error: BinaryReaderError) -> Why {
        Why::Invalid(error)
    }
}

/// Validates bodies one after the other.
fn sequential(jobs: Vec<Job<'_>>, stop: &Stop<'_>) -> Result<(), Fault> {
    let mut allocations = FuncValidatorAllocations::default();
    for (func, body) in jobs {
        let mut validator = func.into_validator(allocations);
        if let Err(why) = validate(&mut validator, &body, stop) {
            let at = match &why {
                Why::Invalid(error) => error.offset(),
                Why::TooManyOperands(at) => *at,
                // Before any other, of which perhaps not all are known.
                Why::Stopped => 0,
            };
            return Err(Fault { why, func: validator.index(), at });
        }
        allocations = validator.into_allocations();
    }
    Ok(())
}

/// Validates a body.
fn validate(
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
    stop: &Stop<'_>,
) -> Result<(), Why> {
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    reader.set_features(*validator.features());
    let mut ask = reader.original_position();
    while !reader.eof() {
        let at = reader.original_position();
        if at >= ask {
            if stop() {
                return Err(Why::Stopped);
            }
            ask = at + tuning::VALIDATION_PIECE;
        }
        reader.visit_operator(&mut validator.visitor(at))??;
        if validator.operand_stack_height() > tuning::MAX_OPERANDS {
            return Err(Why::TooManyOperands(at));
        }
    }
    Ok(reader.finish_expression(&validator.visitor(reader.original_position()))?)
}

fn report(Fault { why, func, at }: Fault) -> Error {
    let error = match why {
        Why::Invalid(error) => error,
        Why::Stopped => return stopped(),
        Why::TooManyOperands(_) => {
            let limit = tuning::MAX_OPERANDS;
            let message = format!(
                "function {func} leaves more than {limit} operands on its stack (at byte offset {at:#x})"
            );
            return Error::of_kind(ErrorKind::Limit, message);
        }
    };
    let message = match error.message() {
        message if message.starts_with("legacy_exceptions") => LEGACY_EXCEPTIONS,
        message => message,
    };
    Error::invalid_in(message, at as usize, func)
}

const LEGACY_EXCEPTIONS: &str =
    "this is the exception handling of before WebAssembly 3.0; compile for `try_table` instead";
