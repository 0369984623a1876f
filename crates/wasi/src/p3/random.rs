//! `wasi:random`: the functions of 0.2.

use zwasm::Result;
use zwasm_component::Linker;

use super::table::interface;
use crate::WasiView;
use crate::p2::random::{get_bytes, get_u64, insecure_seed};

/// Defines all interfaces of the package.
pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    define_random(linker)?;
    define_insecure(linker)?;
    define_insecure_seed(linker)
}

interface! {
    fn define_random = "wasi:random/random@0.3.0" {
        "get-random-bytes" = get_bytes(len);
        "get-random-u64" = get_u64();
    }
}

interface! {
    fn define_insecure = "wasi:random/insecure@0.3.0" {
        "get-insecure-random-bytes" = get_bytes(len);
        "get-insecure-random-u64" = get_u64();
    }
}

interface! {
    fn define_insecure_seed = "wasi:random/insecure-seed@0.3.0" {
        "get-insecure-seed" = insecure_seed();
    }
}
