//! Validation of function bodies, in parallel when the module is large.
//!
//! Bodies are independent once the sections before them are known. They are
//! dealt out in contiguous runs of about equal size, one per thread; the error
//! reported is the one with the lowest offset, whichever thread finds it first.
//!
//! A call of two bytes may leave a thousand operands, so that a small function could
//! have the validator remember billions of them. Those beyond what instructions with
//! one result each can leave in the largest function are too many.

use std::ops::Range;

use wasmparser::{
    BinaryReader, BinaryReaderError, FuncToValidate, FuncValidator, FuncValidatorAllocations,
    FunctionBody, ValidatorResources,
};

use crate::error::{Error, ErrorKind, Result};
use crate::tuning;

/// The bodies of a module, and what it takes to validate them. The parser's own records of
/// them would take four times as much memory, at the time when loading takes most.
pub(super) struct Bodies<'a> {
    bytes: &'a [u8],
    /// The first of the parser's records.
    first: Option<FuncToValidate<ValidatorResources>>,
    all: Vec<Body>,
}

/// What differs from body to body.
struct Body {
    func: u32,
    ty: u32,
    range: Range<u32>,
}

impl<'a> Bodies<'a> {
    /// No bodies of a module yet, which has fewer than 4 GiB.
    pub(super) fn new(bytes: &'a [u8]) -> Bodies<'a> {
        Bodies { bytes, first: None, all: Vec::new() }
    }

    /// Adds a body that the parser has found.
    pub(super) fn push(&mut self, func: FuncToValidate<ValidatorResources>, range: Range<u64>) {
        let range = range.start as u32..range.end as u32;
        self.all.push(Body { func: func.index, ty: func.ty, range });
        self.first.get_or_insert(func);
    }

    /// Where they are.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<u32>> {
        self.all.iter().map(|body| body.range.clone())
    }
}

/// Whether to give up; asked on several threads.
pub(super) type Stop<'a> = dyn Fn() -> bool + Sync + 'a;

/// What giving up gives.
pub(super) fn stopped() -> Error {
    Error::of_kind(ErrorKind::Interrupted, "loading the module was interrupted")
}

/// Validates all bodies.
pub(super) fn bodies(bodies: &Bodies<'_>, stop: &Stop<'_>) -> Result<()> {
    let all = &bodies.all;
    let total: u64 = all.iter().map(size).sum();
    let threads = if total < tuning::PARALLEL_VALIDATION_BYTES as u64 {
        1
    } else {
        std::thread::available_parallelism().map_or(1, usize::from).min(all.len().max(1))
    };
    let share = total / threads as u64 + 1;
    let (mut runs, mut rest) = (Vec::new(), &all[..]);
    while !rest.is_empty() {
        let mut filled = 0;
        let fits = |body: &&Body| {
            let fits = filled < share;
            filled += size(body);
            fits
        };
        let (run, others) = rest.split_at(rest.iter().take_while(fits).count());
        runs.push(run);
        rest = others;
    }
    let mut runs = runs.into_iter();
    let own = runs.next().unwrap_or_default();
    std::thread::scope(|scope| {
        // A run whose thread cannot be started is done here.
        let mut left = Vec::new();
        let mut started = Vec::new();
        for run in runs {
            let work = move || sequential(bodies, run, stop);
            match std::thread::Builder::new().spawn_scoped(scope, work) {
                Ok(handle) => started.push(handle),
                Err(_) => left.push(run),
            }
        }
        let mut outcomes = vec![sequential(bodies, own, stop)];
        outcomes.extend(left.into_iter().map(|run| sequential(bodies, run, stop)));
        outcomes.extend(
            started.into_iter().map(|handle| {
                handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }),
        );
        let first = outcomes.into_iter().filter_map(Result::err).min_by_key(|fault| fault.at);
        first.map_or(Ok(()), |fault| Err(report(fault)))
    })
}

fn size(body: &Body) -> u64 {
    u64::from(body.range.end - body.range.start)
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
fn sequential(bodies: &Bodies<'_>, run: &[Body], stop: &Stop<'_>) -> Result<(), Fault> {
    let Some(first) = &bodies.first else { return Ok(()) };
    let mut allocations = FuncValidatorAllocations::default();
    for Body { func, ty, range } in run {
        let resources = first.resources.clone();
        let func = FuncToValidate { resources, index: *func, ty: *ty, features: first.features };
        let bytes = &bodies.bytes[range.start as usize..range.end as usize];
        let start = u64::from(range.start);
        let body = FunctionBody::new(BinaryReader::new_features(bytes, start, first.features));
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
