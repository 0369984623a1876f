//! Threaded code of functions, made when a function is first called.

use super::catches::CatchTable;
use super::encode;
use crate::error::{Error, ErrorKind, Result};
use crate::module::Inner;
use zwasm_regir::{TranslateError, Translator};

/// The threaded code of one function; shared by all instances of its module.
pub(crate) struct Code {
    /// The frame's size in bytes, then the instructions.
    pub(crate) words: Box<[u64]>,
    /// Which of the functions that the module defines it is.
    pub(crate) defined: u32,
    /// The slot of the frame's header.
    pub(crate) header: u32,
    /// Where exceptions are caught.
    pub(crate) catches: CatchTable,
}

impl Code {
    /// Whether an address is in this code.
    pub(crate) fn contains(&self, ip: *const u64) -> bool {
        self.words.as_ptr_range().contains(&ip)
    }
}

/// Slots a frame may have: operands name slots with 16 bits.
const MAX_SLOTS: u32 = u16::MAX as u32 - encode::SCRATCH_SLOTS;

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

/// The code of a defined function.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] if it uses what the interpreter does not run, and
/// [`ErrorKind::Limit`] if its frame is too large.
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

/// The module offset of the Wasm instruction that word `position` came from.
///
/// Translating once more costs less than keeping a map for every function.
pub(crate) fn wasm_offset(module: &Inner, defined: u32, position: usize) -> Option<usize> {
    let function = translate(module, defined).ok()?;
    let mut found = None;
    encode::encode(module, defined, &function, |word, inst| {
        if word <= position {
            found = Some(inst);
        }
    });
    function.offsets.get(found?).map(|&offset| offset as usize)
}
