//! Types of WIT in Rust: references to them and definitions.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Ident;
use wit_parser::{
    Case, Docs, EnumCase, Field, Function, Handle, Type, TypeDefKind, TypeId, TypeOwner, WorldKey,
};

use super::names::{affixed_type, constant_ident, type_ident, value_ident};
use super::{Generator, Scope};

/// Whether a value is given, or only shown for a call.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mode {
    Owned,
    /// Strings and lists at the top, and named types with such within, are by reference.
    Borrowed,
}

/// Documentation as attributes.
pub(super) fn docs(docs: &Docs) -> TokenStream {
    let lines = docs.contents.iter().flat_map(|text| text.trim().lines());
    let lines = lines.map(|line| format!(" {line}"));
    quote!(#(#[doc = #lines])*)
}

impl Generator<'_> {
    pub(super) fn ty(&self, scope: Scope, ty: &Type, mode: Mode) -> TokenStream {
        let krate = self.krate;
        match ty {
            Type::Bool => quote!(bool),
            Type::U8 => quote!(u8),
            Type::U16 => quote!(u16),
            Type::U32 => quote!(u32),
            Type::U64 => quote!(u64),
            Type::S8 => quote!(i8),
            Type::S16 => quote!(i16),
            Type::S32 => quote!(i32),
            Type::S64 => quote!(i64),
            Type::F32 => quote!(f32),
            Type::F64 => quote!(f64),
            Type::Char => quote!(char),
            Type::String if mode == Mode::Borrowed => quote!(&str),
            Type::String => quote!(#krate::__private::String),
            Type::ErrorContext => unreachable!("refused before"),
            Type::Id(id) => self.type_id(scope, *id, mode),
        }
    }

    fn type_id(&self, scope: Scope, id: TypeId, mode: Mode) -> TokenStream {
        let ty = &self.resolve.types[id];
        let Some(name) = &ty.name else { return self.structure(scope, &ty.kind, mode) };
        let list = self.infos.borrow_mut().of(self.resolve, &Type::Id(id)).list;
        let reference = (list && mode == Mode::Borrowed).then(|| quote!(&));
        let path = self.named(scope, ty.owner, type_ident(name));
        quote!(#reference #path)
    }

    /// The path of a type by its name.
    pub(super) fn named(&self, scope: Scope, owner: TypeOwner, name: Ident) -> TokenStream {
        match owner {
            TypeOwner::Interface(id) if scope.interface == Some(id) => quote!(#name),
            TypeOwner::Interface(id) => {
                let module = self.module_from(scope, id);
                quote!(#module::#name)
            }
            TypeOwner::World(_) | TypeOwner::None => {
                let root = scope.root();
                quote!(#root #name)
            }
        }
    }

    fn optional(&self, scope: Scope, ty: Option<&Type>, mode: Mode) -> TokenStream {
        match ty {
            Some(ty) => self.ty(scope, ty, mode),
            None => quote!(()),
        }
    }

    /// A type that is written out.
    fn structure(&self, scope: Scope, kind: &TypeDefKind, mode: Mode) -> TokenStream {
        let krate = self.krate;
        match kind {
            TypeDefKind::List(ty) => {
                let ty = self.ty(scope, ty, Mode::Owned);
                match mode {
                    Mode::Owned => quote!(#krate::__private::Vec<#ty>),
                    Mode::Borrowed => quote!(&[#ty]),
                }
            }
            TypeDefKind::FixedLengthList(ty, length) => {
                let ty = self.ty(scope, ty, mode);
                let length = *length as usize;
                quote!([#ty; #length])
            }
            TypeDefKind::Map(key, value) => {
                let key = self.ty(scope, key, Mode::Owned);
                let value = self.ty(scope, value, Mode::Owned);
                let reference = (mode == Mode::Borrowed).then(|| quote!(&));
                quote!(#reference #krate::__private::HashMap<#key, #value>)
            }
            TypeDefKind::Option(ty) => {
                let ty = self.ty(scope, ty, mode);
                quote!(::core::option::Option<#ty>)
            }
            TypeDefKind::Result(result) => {
                let ok = self.optional(scope, result.ok.as_ref(), mode);
                let err = self.optional(scope, result.err.as_ref(), mode);
                quote!(::core::result::Result<#ok, #err>)
            }
            TypeDefKind::Tuple(tuple) => {
                let types = tuple.types.iter().map(|ty| self.ty(scope, ty, mode));
                quote!((#(#types,)*))
            }
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => self.handle(scope, *id),
            TypeDefKind::Type(ty) => self.ty(scope, ty, mode),
            TypeDefKind::Record(_)
            | TypeDefKind::Variant(_)
            | TypeDefKind::Enum(_)
            | TypeDefKind::Flags(_)
            | TypeDefKind::Resource => unreachable!("these types have names"),
            TypeDefKind::Future(ty) => {
                let ty = self.optional(scope, ty.as_ref(), Mode::Owned);
                quote!(#krate::FutureReader<#ty>)
            }
            TypeDefKind::Stream(ty) => {
                let ty = self.optional(scope, ty.as_ref(), Mode::Owned);
                quote!(#krate::StreamReader<#ty>)
            }
            TypeDefKind::Unknown => unreachable!("packages are resolved"),
        }
    }

    /// A handle: its type tells a resource of the host, but not one of a guest.
    fn handle(&self, scope: Scope, id: TypeId) -> TokenStream {
        let krate = self.krate;
        let definition = &self.resolve.types[self.definition(id)];
        if let TypeOwner::Interface(interface) = definition.owner
            && self.is_exported(scope, interface)
        {
            return quote!(#krate::ResourceAny);
        }
        let ty = &self.resolve.types[id];
        let name = type_ident(ty.name.as_deref().unwrap_or_default());
        let path = self.named(scope, ty.owner, name);
        quote!(#krate::Resource<#path>)
    }

    /// The definition of a named type.
    pub(super) fn define(&self, scope: Scope, key: Option<&WorldKey>, id: TypeId) -> TokenStream {
        let ty = &self.resolve.types[id];
        let name = ty.name.as_deref().unwrap_or_default();
        let ident = type_ident(name);
        let (doc, allow) = (docs(&ty.docs), scope.allow());
        let doc = quote!(#doc #allow);
        match &ty.kind {
            TypeDefKind::Record(record) => self.record(scope, id, &doc, &ident, &record.fields),
            TypeDefKind::Variant(variant) => self.variant(scope, id, &doc, &ident, &variant.cases),
            TypeDefKind::Enum(cases) => self.enumeration(id, &doc, &ident, &cases.cases),
            TypeDefKind::Flags(flags) => {
                let krate = self.krate;
                let consts = flags.flags.iter().map(|flag| {
                    let (doc, name) = (docs(&flag.docs), &flag.name);
                    let ident = constant_ident(name);
                    quote!(#doc #[component(name = #name)] const #ident;)
                });
                quote! {
                    #krate::flags! {
                        #[component(component_crate = #krate)]
                        #doc
                        #ident { #(#consts)* }
                    }
                }
            }
            TypeDefKind::Resource => self.resource(scope, key, name, &doc),
            TypeDefKind::Type(Type::Id(of)) if self.is_resource(*of) => {
                let of = &self.resolve.types[*of];
                let name = type_ident(of.name.as_deref().unwrap_or_default());
                let path = self.named(scope, of.owner, name);
                quote!(#doc pub type #ident = #path;)
            }
            kind => {
                let ty = self.structure(scope, kind, Mode::Owned);
                quote!(#doc pub type #ident = #ty;)
            }
        }
    }

    fn is_resource(&self, id: TypeId) -> bool {
        matches!(self.resolve.types[self.definition(id)].kind, TypeDefKind::Resource)
    }

    fn resource(
        &self,
        scope: Scope,
        key: Option<&WorldKey>,
        name: &str,
        doc: &TokenStream,
    ) -> TokenStream {
        let krate = self.krate;
        let ident = type_ident(name);
        match scope.side {
            super::Side::Import => match self.resource_replacement(key, name) {
                Some(with) => {
                    let root = scope.root();
                    quote!(#doc pub use #root #with as #ident;)
                }
                None => quote!(#doc pub enum #ident {}),
            },
            super::Side::Export => {
                let guest = affixed_type("Guest", name, "");
                quote! {
                    #doc
                    pub type #ident = #krate::ResourceAny;
                    #[doc = "The functions of the resource."]
                    pub struct #guest<'a> { funcs: &'a Guest }
                }
            }
        }
    }

    /// The derives of a type: those that are always there and those that were asked for.
    fn derives(&self, own: &[&str]) -> TokenStream {
        let krate = self.krate;
        let mut seen: BTreeSet<String> = own.iter().map(|name| (*name).into()).collect();
        let own = own.iter().map(|name| syn::parse_str::<Ident>(name).expect("an identifier"));
        let mut derives: Vec<_> = own.map(|name| quote!(#name)).collect();
        for derive in &self.options.derives {
            if seen.insert(derive.to_token_stream().to_string()) {
                derives.push(quote!(#derive));
            }
        }
        quote! {
            #[derive(#krate::ComponentType, #krate::Lift, #krate::Lower)]
            #[component(component_crate = #krate)]
            #[derive(#(#derives),*)]
        }
    }

    fn clone_derives(&self, id: TypeId) -> &'static [&'static str] {
        let info = self.infos.borrow_mut().of(self.resolve, &Type::Id(id));
        match (info.handle, info.list) {
            (true, _) => &[],
            (false, true) => &["Clone"],
            (false, false) => &["Clone", "Copy"],
        }
    }

    fn record(
        &self,
        scope: Scope,
        id: TypeId,
        doc: &TokenStream,
        ident: &Ident,
        fields: &[Field],
    ) -> TokenStream {
        let derives = self.derives(self.clone_derives(id));
        let idents: Vec<_> = fields.iter().map(|field| value_ident(&field.name)).collect();
        let definitions = fields.iter().zip(&idents).map(|(field, ident)| {
            let (doc, name) = (docs(&field.docs), &field.name);
            let ty = self.ty(scope, &field.ty, Mode::Owned);
            quote!(#doc #[component(name = #name)] pub #ident: #ty)
        });
        let names = fields.iter().map(|field| field.name.replace('-', "_"));
        let shown = ident.to_string();
        let error = self.plain_error(id, ident);
        quote! {
            #doc
            #derives
            #[component(record)]
            pub struct #ident { #(#definitions),* }
            impl ::core::fmt::Debug for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.debug_struct(#shown)#(.field(#names, &self.#idents))*.finish()
                }
            }
            #error
        }
    }

    fn variant(
        &self,
        scope: Scope,
        id: TypeId,
        doc: &TokenStream,
        ident: &Ident,
        cases: &[Case],
    ) -> TokenStream {
        let derives = self.derives(self.clone_derives(id));
        let definitions = cases.iter().map(|case| {
            let (doc, name) = (docs(&case.docs), &case.name);
            let ident = type_ident(name);
            let payload = case.ty.map(|ty| self.ty(scope, &ty, Mode::Owned));
            let payload = payload.map(|ty| quote!((#ty)));
            quote!(#doc #[component(name = #name)] #ident #payload)
        });
        let arms = cases.iter().map(|case| {
            let case_ident = type_ident(&case.name);
            let shown = format!("{ident}::{case_ident}");
            match case.ty {
                Some(_) => quote! {
                    Self::#case_ident(value) => f.debug_tuple(#shown).field(value).finish()
                },
                None => quote!(Self::#case_ident => f.write_str(#shown)),
            }
        });
        let error = self.plain_error(id, ident);
        quote! {
            #doc
            #derives
            #[component(variant)]
            pub enum #ident { #(#definitions),* }
            impl ::core::fmt::Debug for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    match self { #(#arms,)* }
                }
            }
            #error
        }
    }

    fn enumeration(
        &self,
        id: TypeId,
        doc: &TokenStream,
        ident: &Ident,
        cases: &[EnumCase],
    ) -> TokenStream {
        let derives = self.derives(&["Clone", "Copy", "PartialEq", "Eq"]);
        let idents: Vec<_> = cases.iter().map(|case| type_ident(&case.name)).collect();
        let names: Vec<_> = cases.iter().map(|case| &case.name).collect();
        let case_docs = cases.iter().map(|case| docs(&case.docs));
        let extra = if self.infos.borrow().is_error(id) {
            let messages =
                cases.iter().map(|case| case.docs.contents.as_deref().unwrap_or_default().trim());
            let shown = ident.to_string();
            quote! {
                impl #ident {
                    #[doc = "The name of the case."]
                    pub fn name(&self) -> &'static str {
                        match self { #(Self::#idents => #names,)* }
                    }
                    #[doc = "The documentation of the case."]
                    pub fn message(&self) -> &'static str {
                        match self { #(Self::#idents => #messages,)* }
                    }
                }
                impl ::core::fmt::Debug for #ident {
                    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        f.debug_struct(#shown)
                            .field("code", &(*self as i32))
                            .field("name", &self.name())
                            .field("message", &self.message())
                            .finish()
                    }
                }
                impl ::core::fmt::Display for #ident {
                    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        ::core::write!(f, "{} (error {})", self.name(), *self as i32)
                    }
                }
                impl ::core::error::Error for #ident {}
            }
        } else {
            let shown = idents.iter().map(|case| format!("{ident}::{case}"));
            quote! {
                impl ::core::fmt::Debug for #ident {
                    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        f.write_str(match self { #(Self::#idents => #shown,)* })
                    }
                }
            }
        };
        quote! {
            #doc
            #derives
            #[component(enum)]
            pub enum #ident { #(#case_docs #[component(name = #names)] #idents),* }
            #extra
        }
    }

    /// An error is shown as it is.
    fn plain_error(&self, id: TypeId, ident: &Ident) -> Option<TokenStream> {
        self.infos.borrow().is_error(id).then(|| {
            quote! {
                impl ::core::fmt::Display for #ident {
                    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        ::core::write!(f, "{self:?}")
                    }
                }
                impl ::core::error::Error for #ident {}
            }
        })
    }

    /// The types of parameters and result, as tuples.
    pub(super) fn signature(
        &self,
        scope: Scope,
        func: &Function,
        mode: Mode,
    ) -> (TokenStream, TokenStream) {
        let params = func.params.iter().map(|param| self.ty(scope, &param.ty, mode));
        let result = func.result.iter().map(|ty| self.ty(scope, ty, Mode::Owned));
        (quote!((#(#params,)*)), quote!((#(#result,)*)))
    }
}
