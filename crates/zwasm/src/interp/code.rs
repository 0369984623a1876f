//! Threaded code of functions, made when a function is first called.

use super::encode;
use crate::code::Code;
use crate::error::{Error, ErrorKind, Result};
use crate::module::Inner;
use zwasm_regir::{TranslateError, Translator};

/// Slots a frame may have: operands name slots with 16 bits.
const MAX_SLOTS: u32 = u16::MAX as u32 - encode::SCRATCH_SLOTS;

/// The slot form of a defined function.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] if it uses what no tier runs, and
/// [`ErrorKind::Limit`] if its frame is too large.
pub(crate) fn translate(module: &Inner, defined: u32) -> Result<zwasm_regir::Function> {
    let func = module.imported_funcs + defined;
    let ty = module.funcs[func as usize];
    let start = module.bodies[defined as usize].start;
    let function = Translator::translate(module, ty, module.body(defined), start);
    let function = function.map_err(|error| match error {
        TranslateError::Unsupported { feature, offset } => Error::new(
            ErrorKind::Unsupported,
            format!(
                "unsupported: function {func} uses {feature} (at byte offset {:#x})",
                start as usize + offset
            ),
        ),
        TranslateError::Malformed { offset } => {
            Error::invalid_in("malformed function body", start as usize + offset, func)
        }
    })?;
    if function.frame.size > MAX_SLOTS {
        return Err(Error::new(
            ErrorKind::Limit,
            format!(
                "function {func} needs a frame of {} slots (the limit is {MAX_SLOTS})",
                function.frame.size
            ),
        ));
    }
    Ok(function)
}

/// The threaded code of a defined function.
///
/// # Errors
///
/// Those of [`translate`].
pub(crate) fn code(module: &Inner, defined: u32) -> Result<&Code> {
    let cell = &module.codes[defined as usize];
    if cell.get().is_none() {
        let function = translate(module, defined)?;
        #[cfg(feature = "trace")]
        crate::observe::report_translated(module, defined, &function);
        let code = encode::encode(module, defined, &function, |_, _| {});
        // If another thread was faster, its code is as good.
        let _ = cell.set(Box::new(code));
    }
    cell.get()
        .map(|code| &**code)
        .ok_or_else(|| Error::new(ErrorKind::Limit, "code of a function is missing"))
}

/// The module offset of the Wasm instruction that a word of threaded code came from.
///
/// Translating once more costs less than keeping a map for every function.
pub(crate) fn wasm_offset(module: &Inner, defined: u32, word: usize) -> Option<usize> {
    let function = translate(module, defined).ok()?;
    let mut found = None;
    encode::encode(module, defined, &function, |start, inst| {
        if start <= word {
            found = Some(inst);
        }
    });
    function.offsets.get(found?).map(|&offset| offset as usize)
}
