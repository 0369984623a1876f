//! Selects x86-64 instructions for ops, a file for each kind.

mod atomic;
mod float;
mod integer;
#[cfg(feature = "simd")]
mod vector;
#[cfg(feature = "simd")]
mod vector_memory;
#[cfg(feature = "simd")]
mod vector_ops;
#[cfg(feature = "simd")]
mod vector_shuffle;
mod wide;

super::select::select_by_methods!(crate::isa::x64::Assembler);
