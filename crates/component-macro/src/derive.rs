//! `#[derive(ComponentType, Lift, Lower)]`.
//!
//! What is derived is thin: the parts of the Rust type are named in order, and methods of
//! the contexts check them against the component type and find where each lies. So no
//! sizes or offsets are computed here, and one implementation serves values among core
//! values and in memory.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, LitStr, Path, Result, Token};

use crate::default_crate;

/// Which trait is derived.
#[derive(Clone, Copy)]
pub(crate) enum Trait {
    ComponentType,
    Lift,
    Lower,
}

mod keyword {
    syn::custom_keyword!(record);
    syn::custom_keyword!(variant);
    syn::custom_keyword!(flags);
    syn::custom_keyword!(name);
    syn::custom_keyword!(component_crate);
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    Record,
    Variant,
    Enum,
}

/// What stands in a `#[component(…)]` of a type.
enum TypeAttribute {
    Style(Style),
    Crate(Path),
}

impl Parse for TypeAttribute {
    fn parse(input: ParseStream<'_>) -> Result<TypeAttribute> {
        let next = input.lookahead1();
        Ok(if next.peek(keyword::record) {
            input.parse::<keyword::record>()?;
            TypeAttribute::Style(Style::Record)
        } else if next.peek(keyword::variant) {
            input.parse::<keyword::variant>()?;
            TypeAttribute::Style(Style::Variant)
        } else if next.peek(Token![enum]) {
            input.parse::<Token![enum]>()?;
            TypeAttribute::Style(Style::Enum)
        } else if next.peek(keyword::component_crate) {
            input.parse::<keyword::component_crate>()?;
            input.parse::<Token![=]>()?;
            TypeAttribute::Crate(input.call(Path::parse_mod_style)?)
        } else if input.peek(keyword::flags) {
            return Err(input.error("flags are defined by the macro `flags!`, not derived"));
        } else {
            return Err(next.error());
        })
    }
}

/// The crate that `#[component(component_crate = …)]` among attributes names.
pub(crate) fn crate_of(attributes: &[Attribute]) -> Result<Path> {
    let mut path = default_crate();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("component")) {
        if let TypeAttribute::Crate(given) = attribute.parse_args()? {
            path = given;
        }
    }
    Ok(path)
}

fn style_of(input: &DeriveInput) -> Result<Style> {
    let mut style = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("component")) {
        if let TypeAttribute::Style(given) = attribute.parse_args()?
            && style.replace(given).is_some()
        {
            return Err(Error::new_spanned(attribute, "the type has two kinds"));
        }
    }
    style.ok_or_else(|| {
        Error::new_spanned(
            &input.ident,
            "the kind of component type is missing: `#[component(record)]`, \
             `#[component(variant)]` or `#[component(enum)]`",
        )
    })
}

/// The name in the component type: that of `#[component(name = "…")]`, or else the one in
/// Rust.
pub(crate) fn name_of(attributes: &[Attribute], ident: &Ident) -> Result<LitStr> {
    let mut name = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("component")) {
        let given = attribute.parse_args_with(|input: ParseStream<'_>| {
            input.parse::<keyword::name>()?;
            input.parse::<Token![=]>()?;
            input.parse::<LitStr>()
        })?;
        if name.replace(given).is_some() {
            return Err(Error::new_spanned(attribute, "the name is given twice"));
        }
    }
    Ok(name.unwrap_or_else(|| {
        let ident = ident.to_string();
        LitStr::new(ident.strip_prefix("r#").unwrap_or(&ident), Span::call_site())
    }))
}

/// A field of a struct or a case of an enum.
struct Item<'a> {
    ident: &'a Ident,
    name: LitStr,
    ty: Option<&'a syn::Type>,
}

fn items<'a>(input: &'a DeriveInput, style: Style) -> Result<Vec<Item<'a>>> {
    let wrong = |what: &str| Err(Error::new_spanned(&input.ident, what));
    match (style, &input.data) {
        (Style::Record, Data::Struct(data)) => {
            let Fields::Named(fields) = &data.fields else {
                return wrong("a record is a `struct` whose fields have names");
            };
            let item = |field: &'a syn::Field| {
                let ident = field.ident.as_ref().expect("the fields have names");
                Ok(Item { ident, name: name_of(&field.attrs, ident)?, ty: Some(&field.ty) })
            };
            fields.named.iter().map(item).collect()
        }
        (Style::Record, _) => wrong("a record is a `struct`"),
        (Style::Variant | Style::Enum, Data::Enum(data)) => {
            if data.variants.is_empty() {
                return wrong("a type without cases is no component type");
            }
            let item = |case: &'a syn::Variant| {
                let ty = match &case.fields {
                    Fields::Unit => None,
                    Fields::Unnamed(fields)
                        if fields.unnamed.len() == 1 && style == Style::Variant =>
                    {
                        Some(&fields.unnamed[0].ty)
                    }
                    fields => {
                        let what = match style {
                            Style::Enum => "a case of an `enum` has no fields",
                            _ => "a case of a `variant` has at most one field, without a name",
                        };
                        return Err(Error::new_spanned(fields, what));
                    }
                };
                Ok(Item { ident: &case.ident, name: name_of(&case.attrs, &case.ident)?, ty })
            };
            data.variants.iter().map(item).collect()
        }
        (Style::Variant | Style::Enum, _) => wrong("a variant or an enum is an `enum`"),
    }
}

/// The implementation of one of the traits.
pub(crate) fn expand(input: &DeriveInput, derived: Trait) -> Result<TokenStream> {
    let krate = crate_of(&input.attrs)?;
    let style = style_of(input)?;
    let items = items(input, style)?;
    let (trait_name, body) = match derived {
        Trait::ComponentType => (quote!(ComponentType), typecheck(&krate, style, &items)),
        Trait::Lift => (quote!(Lift), lift(&krate, style, &items)),
        Trait::Lower => (quote!(Lower), lower(&krate, style, &items)),
    };
    let name = &input.ident;
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(syn::parse_quote!(#krate::#trait_name));
    }
    let (parameters, arguments, bounds) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #parameters #krate::#trait_name for #name #arguments #bounds { #body }
    })
}

fn typecheck(krate: &Path, style: Style, items: &[Item<'_>]) -> TokenStream {
    let names = items.iter().map(|item| &item.name);
    let check = |ty: &syn::Type| quote!(<#ty as #krate::ComponentType>::typecheck);
    let call = match style {
        Style::Record => {
            let checks = items.iter().filter_map(|item| item.ty).map(check);
            quote!(cx.check_record(ty, &[#((#names, #checks)),*]))
        }
        Style::Variant => {
            let checks = items.iter().map(|item| match item.ty.map(check) {
                Some(check) => quote!(::core::option::Option::Some(#check)),
                None => quote!(::core::option::Option::None),
            });
            quote!(cx.check_variant(ty, &[#((#names, #checks)),*]))
        }
        Style::Enum => quote!(cx.check_enum(ty, &[#(#names),*])),
    };
    quote! {
        fn typecheck(
            ty: #krate::InterfaceType,
            cx: &#krate::TypeContext<'_>,
        ) -> #krate::__private::Result<()> {
            #call
        }
    }
}

fn lift(krate: &Path, style: Style, items: &[Item<'_>]) -> TokenStream {
    let ok = quote!(::core::result::Result::Ok);
    let part = |(at, ty): (usize, &syn::Type)| quote!(cx.lift_part::<#ty>(ty, at, #at)?);
    let body = match style {
        Style::Record => {
            let idents = items.iter().map(|item| item.ident);
            let parts = items.iter().filter_map(|item| item.ty).enumerate().map(part);
            quote!(#ok(Self { #(#idents: #parts),* }))
        }
        Style::Variant | Style::Enum => {
            let cases = items.iter().enumerate().map(|(at, Item { ident, ty, .. })| {
                let payload = ty.map(|ty| part((at, ty))).map(|value| quote!((#value)));
                quote!(#at => #ok(Self::#ident #payload))
            });
            quote! {
                match cx.case(ty, at)? {
                    #(#cases,)*
                    case => #krate::__private::no_case(case),
                }
            }
        }
    };
    quote! {
        fn lift(
            cx: &mut #krate::LiftContext<'_>,
            ty: #krate::InterfaceType,
            at: #krate::Place,
        ) -> #krate::__private::Result<Self> {
            let _ = (&cx, ty, at);
            #body
        }
    }
}

fn lower(krate: &Path, style: Style, items: &[Item<'_>]) -> TokenStream {
    let part = |at: usize, value: TokenStream| quote!(cx.lower_part(ty, at, #at, #value)?;);
    let body = match style {
        Style::Record => {
            let parts = items
                .iter()
                .enumerate()
                .map(|(at, Item { ident, .. })| part(at, quote!(&self.#ident)));
            quote!(#(#parts)*)
        }
        Style::Variant | Style::Enum => {
            let cases = items.iter().enumerate().map(|(at, Item { ident, ty, .. })| {
                let case = quote!(cx.set_case(ty, at, #at)?;);
                match ty {
                    Some(_) => {
                        let payload = part(at, quote!(value));
                        quote!(Self::#ident(value) => { #case #payload })
                    }
                    None => quote!(Self::#ident => { #case }),
                }
            });
            quote!(match self { #(#cases)* })
        }
    };
    quote! {
        fn lower(
            &self,
            cx: &mut #krate::LowerContext<'_>,
            ty: #krate::InterfaceType,
            at: #krate::Place,
        ) -> #krate::__private::Result<()> {
            let _ = (&cx, ty, at);
            #body
            ::core::result::Result::Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(input: &str) -> String {
        let input = syn::parse_str(input).expect("a type");
        match expand(&input, Trait::Lift) {
            Ok(_) => panic!("was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_no_component_type_is_refused() {
        for (input, expected) in [
            ("struct A { a: u8 }", "the kind of component type is missing"),
            ("#[component(record)] #[component(enum)] struct A {}", "two kinds"),
            ("#[component(list)] struct A {}", "expected one of"),
            ("#[component(flags)] struct A {}", "`flags!`"),
            ("#[component(record)] struct A(u8);", "whose fields have names"),
            ("#[component(record)] enum A { B }", "a record is a `struct`"),
            ("#[component(variant)] struct A {}", "is an `enum`"),
            ("#[component(variant)] enum A {}", "without cases"),
            ("#[component(variant)] enum A { B(u8, u8) }", "at most one field"),
            ("#[component(variant)] enum A { B { c: u8 } }", "without a name"),
            ("#[component(enum)] enum A { B(u8) }", "has no fields"),
            (
                "#[component(enum)] enum A { #[component(name = \"a\")] #[component(name = \"b\")] B }",
                "the name is given twice",
            ),
        ] {
            let error = refused(input);
            assert!(error.contains(expected), "{input}: {error}");
        }
    }

    #[test]
    fn flags_have_names_of_their_own() {
        let input = "A { const B; #[component(name = \"B\")] const C; }";
        let error = syn::parse_str::<crate::flags::Flags>(input).err().expect("an error");
        assert!(error.to_string().contains("two flags of that name"));
    }
}
