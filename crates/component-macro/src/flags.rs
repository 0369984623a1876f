//! `flags!`: a set of named flags as a Rust type.
//!
//! The type is the words of the component type, and every operation keeps the bits that
//! no flag has at zero.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Ident, LitStr, Path, Result, Token, braced};

use crate::derive::{crate_of, name_of};

/// `Name { #[component(name = "a")] const A; … }`, with attributes before.
pub(crate) struct Flags {
    krate: Path,
    attributes: Vec<Attribute>,
    name: Ident,
    flags: Vec<Flag>,
}

struct Flag {
    attributes: Vec<Attribute>,
    ident: Ident,
    name: LitStr,
}

fn but_component(attributes: Vec<Attribute>) -> Vec<Attribute> {
    attributes.into_iter().filter(|attribute| !attribute.path().is_ident("component")).collect()
}

impl Parse for Flags {
    fn parse(input: ParseStream<'_>) -> Result<Flags> {
        let attributes = input.call(Attribute::parse_outer)?;
        let krate = crate_of(&attributes)?;
        let name = input.parse()?;
        let content;
        braced!(content in input);
        let mut flags = Vec::<Flag>::new();
        while !content.is_empty() {
            let attributes = content.call(Attribute::parse_outer)?;
            content.parse::<Token![const]>()?;
            let ident: Ident = content.parse()?;
            content.parse::<Token![;]>()?;
            let name = name_of(&attributes, &ident)?;
            if flags.iter().any(|flag| flag.name.value() == name.value()) {
                return Err(Error::new_spanned(ident, "there are two flags of that name"));
            }
            flags.push(Flag { attributes: but_component(attributes), ident, name });
        }
        Ok(Flags { krate, attributes: but_component(attributes), name, flags })
    }
}

/// The type, its constants, operators and implementations.
pub(crate) fn expand(input: Flags) -> TokenStream {
    let Flags { krate, attributes, name, flags } = input;
    let words = flags.len().div_ceil(32);
    let bits = |count: usize, at: usize| match count.saturating_sub(32 * at) {
        0 => 0,
        left @ 1..32 => (1u32 << left) - 1,
        _ => u32::MAX,
    };
    let word = (0..words).collect::<Vec<_>>();
    let all = (0..words).map(|at| bits(flags.len(), at));
    let constants = flags.iter().enumerate().map(|(at, flag)| {
        let Flag { attributes, ident, .. } = flag;
        let set = (0..words).map(|word| if at / 32 == word { 1u32 << (at % 32) } else { 0 });
        quote! {
            #(#attributes)*
            pub const #ident: Self = Self { __words: [#(#set),*] };
        }
    });
    let shown = flags.iter().map(|flag| flag.ident.to_string());
    let names = flags.iter().map(|flag| &flag.name);
    let operators = [
        (quote!(BitOr), quote!(bitor), quote!(BitOrAssign), quote!(bitor_assign), quote!(|=)),
        (quote!(BitAnd), quote!(bitand), quote!(BitAndAssign), quote!(bitand_assign), quote!(&=)),
        (quote!(BitXor), quote!(bitxor), quote!(BitXorAssign), quote!(bitxor_assign), quote!(^=)),
    ];
    let operators = operators.into_iter().map(|(op, function, assign, in_place, symbol)| {
        quote! {
            impl ::core::ops::#op for #name {
                type Output = Self;
                fn #function(mut self, other: Self) -> Self {
                    ::core::ops::#assign::#in_place(&mut self, other);
                    self
                }
            }
            impl ::core::ops::#assign for #name {
                fn #in_place(&mut self, other: Self) {
                    for (word, other) in self.__words.iter_mut().zip(other.__words) {
                        *word #symbol other;
                    }
                }
            }
        }
    });
    quote! {
        #(#attributes)*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct #name { #[doc(hidden)] __words: [u32; #words] }

        #[allow(dead_code, missing_docs, reason = "of a generated type")]
        impl #name {
            #(#constants)*

            /// The bits, first flag first.
            pub const fn as_array(&self) -> [u32; #words] { self.__words }
            /// No flags.
            pub const fn empty() -> Self { Self { __words: [0; #words] } }
            /// All flags.
            pub const fn all() -> Self { Self { __words: [#(#all),*] } }
            /// Whether all flags of another set are in this one.
            pub fn contains(&self, other: Self) -> bool { *self & other == other }
            /// Whether any flag of another set is in this one.
            pub fn intersects(&self, other: Self) -> bool { *self & other != Self::empty() }
        }

        impl ::core::ops::Not for #name {
            type Output = Self;
            fn not(self) -> Self { self ^ Self::all() }
        }

        #(#operators)*

        impl ::core::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #krate::__private::format_flags(f, &self.__words, &[#(#shown),*])
            }
        }

        impl #krate::ComponentType for #name {
            fn typecheck(
                ty: #krate::InterfaceType,
                cx: &#krate::TypeContext<'_>,
            ) -> #krate::__private::Result<()> {
                cx.check_flags(ty, &[#(#names),*])
            }
        }

        impl #krate::Lift for #name {
            fn lift(
                cx: &mut #krate::LiftContext<'_>,
                ty: #krate::InterfaceType,
                at: #krate::Place,
            ) -> #krate::__private::Result<Self> {
                let _ = (&cx, ty, at);
                ::core::result::Result::Ok(Self { __words: [#(cx.flags(ty, at, #word)?),*] })
            }
        }

        impl #krate::Lower for #name {
            fn lower(
                &self,
                cx: &mut #krate::LowerContext<'_>,
                ty: #krate::InterfaceType,
                at: #krate::Place,
            ) -> #krate::__private::Result<()> {
                let _ = (&cx, ty, at);
                #(cx.set_flags(ty, at, #word, self.__words[#word])?;)*
                ::core::result::Result::Ok(())
            }
        }
    }
}
