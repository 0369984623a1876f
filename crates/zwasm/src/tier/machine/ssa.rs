//! SSA as text, for whoever looks at what the optimizing compiler does.

#[cfg(optimizer)]
use super::environment::ModuleEnvironment;
#[cfg(optimizer)]
use super::host;
#[cfg(optimizer)]
use crate::code::translate::translate_with;
use crate::error::{Error, ErrorKind, Result};
use crate::module::Inner;
#[cfg(optimizer)]
use zwasm_compiler::optimize::{self, Entry};
#[cfg(optimizer)]
use zwasm_compiler::ssa::Func;
#[cfg(optimizer)]
use zwasm_regir::Inlining;

/// The form of a function that machine code is made from; or after the last run of a pass,
/// or as it was built if that is `build`.
///
/// # Errors
///
/// Those of [`translate_with`], and if it cannot be built or there is no such pass.
#[cfg(optimizer)]
pub(crate) fn ssa(module: &Inner, defined: u32, pass: Option<&str>) -> Result<String> {
    let cannot = |what: &str| Error::new(ErrorKind::Unsupported, what);
    let never = &|| false;
    let function = translate_with(module, defined, Inlining::Large, never)?;
    let config = module.engine.config();
    let target = host::target(config.code.oldest_processor);
    let env = ModuleEnvironment::new(module, &function, config.guard_pages, target, never);
    let refused = |_| cannot("the function cannot be optimized");
    if pass == Some("build") {
        let func = optimize::build(&function, &env, Entry::Start).map_err(refused)?;
        return Ok(func.to_string());
    }
    let mut text = None;
    let mut observe = |done: &str, func: &Func| {
        if Some(done) == pass {
            text = Some(func.to_string());
        }
    };
    let func = optimize::optimize(&function, &env, Entry::Start, &mut observe).map_err(refused)?;
    match pass {
        None => Ok(func.to_string()),
        Some(_) => text.ok_or_else(|| cannot("there is no such pass")),
    }
}

/// There is no optimizing compiler for this processor in this build.
#[cfg(not(optimizer))]
pub(crate) fn ssa(_: &Inner, _: u32, _: Option<&str>) -> Result<String> {
    Err(Error::new(
        ErrorKind::Unsupported,
        "this build has no optimizing compiler for this processor",
    ))
}
