//! `wasi:random`. What may be insecure is as random as the rest.

use zwasm::{Error, Result};
use zwasm_component::Linker;

use super::table::{interface, stop};
use super::{WasiCtxView, WasiView};
use crate::ctx::State;
use crate::host::random;

/// The most bytes that one call gives.
const MAX_BYTES: u64 = 64 << 20;

/// Defines all interfaces of the package.
pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    define_random(linker)?;
    define_insecure(linker)?;
    define_insecure_seed(linker)
}

interface! {
    fn define_random = "wasi:random/random@0.2.12" {
        "get-random-bytes" = get_bytes(len);
        "get-random-u64" = get_u64();
    }
}

interface! {
    fn define_insecure = "wasi:random/insecure@0.2.12" {
        "get-insecure-random-bytes" = get_bytes(len);
        "get-insecure-random-u64" = get_u64();
    }
}

interface! {
    fn define_insecure_seed = "wasi:random/insecure-seed@0.2.12" {
        "insecure-seed" = insecure_seed();
    }
}

fn fill(state: &State, bytes: &mut [u8]) -> Result<()> {
    random::fill(&state.host, bytes).map_err(|failure| stop(failure, "have random numbers"))
}

fn number(state: &State) -> Result<u64> {
    let mut bytes = [0; 8];
    fill(state, &mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

pub(crate) fn get_bytes(cx: &mut WasiCtxView<'_>, len: u64) -> Result<(Vec<u8>,)> {
    if len > MAX_BYTES {
        return Err(Error::limit(format_args!(
            "the program wants {len} random bytes at once (the fixed limit is {MAX_BYTES})"
        )));
    }
    let mut bytes = vec![0; len as usize];
    fill(&cx.ctx.0, &mut bytes)?;
    Ok((bytes,))
}

pub(crate) fn get_u64(cx: &mut WasiCtxView<'_>) -> Result<(u64,)> {
    Ok((number(&cx.ctx.0)?,))
}

pub(crate) fn insecure_seed(cx: &mut WasiCtxView<'_>) -> Result<((u64, u64),)> {
    let state = &*cx.ctx.0;
    let new = (number(state)?, number(state)?);
    // However often a guest asks, it gets what it got first.
    Ok((*state.seed.get_or_init(|| new),))
}
