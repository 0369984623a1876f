//! What WIT marks as unstable is put into a linker only if it is asked for.
//!
//! Where there is such, functions that fill a linker take `LinkOptions`, which has a flag
//! for each feature. Those of a world have the flags of all its interfaces.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;
use wit_parser::{Interface, Stability};

use super::Generator;
use super::names::value_ident;

/// Names of features.
pub(super) type Features = BTreeSet<String>;

/// The feature that something needs.
fn feature(stability: &Stability) -> Option<&String> {
    match stability {
        Stability::Unstable { feature, .. } => Some(feature),
        Stability::Stable { .. } | Stability::Unknown => None,
    }
}

pub(super) fn features<'a>(of: impl IntoIterator<Item = &'a Stability>) -> Features {
    of.into_iter().filter_map(feature).cloned().collect()
}

/// Statements that are for a feature, if for any.
pub(super) fn gated(stability: &Stability, code: TokenStream) -> TokenStream {
    match feature(stability) {
        Some(feature) => {
            let flag = value_ident(feature);
            quote!(if options.#flag { #code })
        }
        None => code,
    }
}

/// The parameter for options and its argument, where there are features.
pub(super) fn parameter(features: &Features) -> (Option<TokenStream>, Option<TokenStream>) {
    match features.is_empty() {
        true => (None, None),
        false => (Some(quote!(options: &LinkOptions,)), Some(quote!(options,))),
    }
}

/// The type of the options, where there are features.
pub(super) fn link_options(features: &Features) -> Option<TokenStream> {
    if features.is_empty() {
        return None;
    }
    let flags: Vec<_> = features.iter().map(|feature| value_ident(feature)).collect();
    let docs = features.iter().map(|feature| format!("Adds what is unstable of `{feature}`."));
    Some(quote! {
        #[doc = "What of the unstable is put into a linker: nothing unless asked for."]
        #[derive(Clone, Debug, Default)]
        pub struct LinkOptions { #(#flags: bool),* }

        impl LinkOptions {
            #(
                #[doc = #docs]
                pub fn #flags(&mut self, enabled: bool) -> &mut Self {
                    self.#flags = enabled;
                    self
                }
            )*
        }
    })
}

/// How options of the world become those of an interface within it.
pub(super) fn conversion(module: &TokenStream, features: &Features) -> Option<TokenStream> {
    if features.is_empty() {
        return None;
    }
    let flags: Vec<_> = features.iter().map(|feature| value_ident(feature)).collect();
    Some(quote! {
        impl ::core::convert::From<&LinkOptions> for #module::LinkOptions {
            fn from(world: &LinkOptions) -> Self {
                let mut options = Self::default();
                #(options.#flags(world.#flags);)*
                options
            }
        }
    })
}

impl Generator<'_> {
    /// The features of what is in an interface.
    pub(super) fn interface_features(&self, interface: &Interface) -> Features {
        let types = interface.types.values().map(|id| &self.resolve.types[*id].stability);
        let functions = interface.functions.values().map(|func| &func.stability);
        features(types.chain(functions).chain([&interface.stability]))
    }
}
