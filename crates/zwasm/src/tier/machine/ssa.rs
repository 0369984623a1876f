//! SSA as text, for whoever looks at what the optimizing compiler does.

use super::environment::ModuleEnvironment;
use super::host;
use crate::code::translate::{translate, translate_with};
use crate::error::{Error, ErrorKind, Result};
use crate::module::Inner;
use zwasm_compiler::optimize::{self, Entry};
use zwasm_compiler::ssa::Func;
use zwasm_compiler::{CompileError, Environment};
use zwasm_regir::{Function, Inlining, Inst};

/// The form of a function that machine code is made from; or after the last run of a pass,
/// or as it was built if that is `build`.
///
/// # Errors
///
/// Those of [`translate_with`], and if it cannot be built or there is no such pass.
pub(crate) fn ssa(module: &Inner, defined: u32, pass: Option<&str>) -> Result<String> {
    with(module, defined, |function, env| {
        let mut text = None;
        let mut observe = |done: &str, func: &Func| {
            if Some(done) == pass {
                text = Some(func.to_string());
            }
        };
        let func = match pass {
            Some("build") => return Ok(optimize::build(function, env, Entry::Start)?.to_string()),
            _ => optimize::optimize(function, env, Entry::Start, &mut observe)?,
        };
        Ok(match pass {
            None => func.to_string(),
            Some(_) => text.unwrap_or_default(),
        })
    })
    .and_then(|text| match text.is_empty() {
        true => Err(Error::msg("there is no such pass")),
        false => Ok(text),
    })
}

/// Builds the form of a function from the headers of its first `loops` loops on. How many
/// of them could be.
///
/// # Errors
///
/// Those of [`translate_with`].
pub(crate) fn ssa_of_loops(module: &Inner, defined: u32, loops: u32) -> Result<u32> {
    let frame = translate(module, defined, &|| false)?.frame;
    with(module, defined, |function, env| {
        let headers = function.insts.iter().filter_map(|inst| match *inst {
            Inst::Label { label, loop_header: true } => Some(label),
            _ => None,
        });
        let built = headers.take(loops as usize).filter(|label| {
            optimize::build(function, env, Entry::Loop { label: *label, frame }).is_ok()
        });
        Ok(built.count() as u32)
    })
}

/// Translates a function as the optimizing compiler wants it, and does something with it.
fn with<T>(
    module: &Inner,
    defined: u32,
    then: impl FnOnce(&Function, &dyn Environment) -> core::result::Result<T, CompileError>,
) -> Result<T> {
    let never = &|| false;
    let function = translate_with(module, defined, Inlining::Large, never)?;
    let config = module.engine.config();
    let target = host::target(config.code.oldest_processor);
    let env = ModuleEnvironment::new(module, &function, config.guard_pages, target, never);
    then(&function, &env).map_err(|_| cannot("the function cannot be optimized"))
}

fn cannot(what: &str) -> Error {
    Error::of_kind(ErrorKind::Unsupported, what)
}
