//! The text format.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::attempt;
use crate::vec::CVec;

/// Writes the binary form of a module given as text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_wat2wasm(
    text: *const c_char,
    out: &mut MaybeUninit<CVec<u8>>,
) -> bool {
    // SAFETY: see the crate's header.
    let binary = attempt(|| assemble(unsafe { crate::string(text) }?));
    let done = binary.is_some();
    out.write(binary.unwrap_or_default());
    done
}

/// The binary form of a module given as text.
#[cfg(feature = "wat")]
pub fn assemble(text: &str) -> runtime::Result<CVec<u8>> {
    Ok(wat::parse_str(text)?.into())
}

/// An error: the build has no text format.
#[cfg(not(feature = "wat"))]
pub fn assemble(_: &str) -> runtime::Result<CVec<u8>> {
    Err(runtime::Error::msg("this build reads no text modules"))
}
