//! The macros of `zwasm-component`: derives of its traits, `flags!` and `bindgen!`.
//!
//! They are documented where they are re-exported, in the way in which they are used.

use proc_macro::TokenStream;
use proc_macro2::Span;
use syn::{DeriveInput, Error, Ident, Path, parse_macro_input};

mod bindgen;
mod derive;
mod flags;

/// The crate that expansions refer to unless another path is given.
fn default_crate() -> Path {
    Ident::new("zwasm_component", Span::call_site()).into()
}

fn derive(input: TokenStream, derived: derive::Trait) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive::expand(&input, derived).unwrap_or_else(Error::into_compile_error).into()
}

/// Implements `ComponentType`: checks that a component type is what the Rust type says.
#[proc_macro_derive(ComponentType, attributes(component))]
pub fn component_type(input: TokenStream) -> TokenStream {
    derive(input, derive::Trait::ComponentType)
}

/// Implements `Lift`: reads a value from a guest.
#[proc_macro_derive(Lift, attributes(component))]
pub fn lift(input: TokenStream) -> TokenStream {
    derive(input, derive::Trait::Lift)
}

/// Implements `Lower`: gives a value to a guest.
#[proc_macro_derive(Lower, attributes(component))]
pub fn lower(input: TokenStream) -> TokenStream {
    derive(input, derive::Trait::Lower)
}

/// Defines a type for a `flags` of the component model.
#[proc_macro]
pub fn flags(input: TokenStream) -> TokenStream {
    flags::expand(parse_macro_input!(input as flags::Flags)).into()
}

/// Makes Rust types and functions of a world in WIT.
#[proc_macro]
pub fn bindgen(input: TokenStream) -> TokenStream {
    let options = parse_macro_input!(input as bindgen::Options);
    bindgen::expand(options).unwrap_or_else(Error::into_compile_error).into()
}
