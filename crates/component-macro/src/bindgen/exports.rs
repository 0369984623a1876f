//! What a guest provides: `Guest`, which calls the functions of an exported interface.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Result};
use wit_parser::{Function, FunctionKind, InterfaceId, TypeId, WorldKey};

use super::names::{affixed_type, prefixed_value, snake, value_ident};
use super::options::Flags;
use super::types::{Mode, docs};
use super::{Generator, Scope, Side};

impl Generator<'_> {
    /// The field that holds a function.
    pub(super) fn field(&self, func: &Function) -> Ident {
        let resource = func.kind.resource();
        let resource = resource.and_then(|id| self.resolve.types[id].name.as_deref());
        let prefix = match func.kind {
            FunctionKind::Constructor(_) => "constructor",
            FunctionKind::Method(_) => "method",
            _ => "static",
        };
        match resource {
            Some(resource) => {
                let name = format!("{}_{}", snake(resource), snake(func.item_name()));
                prefixed_value(prefix, &name)
            }
            None => prefixed_value("func", &func.name),
        }
    }

    /// `func_…` and `call_…` of a function that lies in a field of a place.
    pub(super) fn calls(
        &self,
        scope: Scope,
        key: Option<&WorldKey>,
        func: &Function,
        of: &TokenStream,
    ) -> TokenStream {
        let krate = self.krate;
        let field = self.field(func);
        let name = match func.kind {
            FunctionKind::Constructor(_) => "constructor",
            _ => func.item_name(),
        };
        let (getter, caller) = (prefixed_value("func", name), prefixed_value("call", name));
        let (params, results) = self.signature(scope, func, Mode::Borrowed);
        let doc = docs(&func.docs);
        let arguments: Vec<_> = (0..func.params.len()).map(|at| format_ident!("arg{at}")).collect();
        let types = func.params.iter().map(|param| self.ty(scope, &param.ty, Mode::Borrowed));
        let (pattern, value, result) = match &func.result {
            Some(ty) => (quote!((value,)), quote!(value), self.ty(scope, ty, Mode::Owned)),
            None => (quote!(()), quote!(()), quote!(())),
        };
        let store = quote!(#krate::__private::AsContextMut);
        let getter = quote! {
            #[doc = "The function with its types."]
            pub fn #getter(&self) -> #krate::TypedFunc<#params, #results> {
                #krate::__private::typed(#of.#field)
            }
        };
        let flags = self.export_flags(key, func);
        if flags.asynchronous && flags.store {
            let types = func.params.iter().map(|param| self.ty(scope, &param.ty, Mode::Owned));
            let (params, _) = self.signature(scope, func, Mode::Owned);
            return quote! {
                #getter
                #doc
                pub async fn #caller<_S: #krate::AsAccessor>(
                    &self,
                    accessor: _S,
                    #(#arguments: #types),*
                ) -> #krate::__private::Result<#result> {
                    let func = #krate::__private::typed::<#params, #results>(#of.#field);
                    let #pattern = func.call_concurrent(accessor, (#(#arguments,)*)).await?;
                    ::core::result::Result::Ok(#value)
                }
            };
        }
        let (wait, call, end, store) = match flags.asynchronous {
            false => (None, quote!(call), None, store),
            true => {
                let store = quote!(#store<Data: ::core::marker::Send>);
                (Some(quote!(async)), quote!(call_async), Some(quote!(.await)), store)
            }
        };
        let name = prefixed_value("func", name);
        quote! {
            #getter
            #doc
            pub #wait fn #caller<_S: #store>(
                &self,
                mut store: _S,
                #(#arguments: #types),*
            ) -> #krate::__private::Result<#result> {
                let #pattern =
                    self.#name().#call(store.as_context_mut(), (#(#arguments,)*)) #end?;
                ::core::result::Result::Ok(#value)
            }
        }
    }

    /// How a function that is exported is generated.
    pub(super) fn export_flags(&self, key: Option<&WorldKey>, func: &Function) -> Flags {
        let (own, within) = self.keys(key, &func.name);
        self.options.exports.flags(&own, &within).of(func)
    }

    /// An expression that finds a function, with its types checked.
    pub(super) fn lookup(&self, scope: Scope, interface: &str, func: &Function) -> TokenStream {
        let krate = self.krate;
        let (params, results) = self.signature(scope, func, Mode::Borrowed);
        let name = match interface {
            "" => func.name.clone(),
            _ => format!("{interface}#{}", func.name),
        };
        quote! {
            #krate::__private::find::<#params, #results>(&mut store, instance, #name)?
        }
    }

    /// The module of an exported interface.
    pub(super) fn export(&mut self, key: &WorldKey, id: InterfaceId) -> Result<()> {
        let krate = self.krate;
        let path = self.exported[&id].clone();
        let scope = Scope { side: Side::Export, interface: Some(id), depth: path.len() };
        let interface = &self.resolve.interfaces[id];
        let types: TokenStream =
            interface.types.values().map(|ty| self.define(scope, Some(key), *ty)).collect();
        let name = self.resolve.name_world_key(key);
        let fields: Vec<_> = interface.functions.values().map(|func| self.field(func)).collect();
        let lookups = interface.functions.values().map(|func| self.lookup(scope, &name, func));
        let names = interface.functions.keys();
        let mut free = TokenStream::new();
        let mut resources: Vec<(TypeId, TokenStream)> = Vec::new();
        for func in interface.functions.values() {
            let Some(resource) = func.kind.resource() else {
                free.extend(self.calls(scope, Some(key), func, &quote!(self)));
                continue;
            };
            let calls = self.calls(scope, Some(key), func, &quote!(self.funcs));
            match resources.iter_mut().find(|(id, _)| *id == resource) {
                Some((_, methods)) => methods.extend(calls),
                None => resources.push((resource, calls)),
            }
        }
        let resources = resources.into_iter().map(|(id, methods)| {
            let name = self.resolve.types[id].name.as_deref().unwrap_or_default();
            let (ident, guest) = (value_ident(name), affixed_type("Guest", name, ""));
            quote! {
                impl Guest {
                    #[doc = "The functions of the resource."]
                    pub fn #ident(&self) -> #guest<'_> { #guest { funcs: self } }
                }
                impl #guest<'_> { #methods }
            }
        });
        let resources: TokenStream = resources.collect();
        self.modules.add(
            &path,
            quote! {
                #types

                #[doc = "The functions of the interface, in an instance of a component."]
                #[derive(Clone)]
                pub struct Guest { #(#fields: #krate::Func),* }

                #[doc = "What finds the functions: known to be exported."]
                #[derive(Clone)]
                pub struct GuestIndices(());

                impl GuestIndices {
                    #[doc = "Checks that a component exports the functions."]
                    #[doc = ""]
                    #[doc = "# Errors"]
                    #[doc = ""]
                    #[doc = "If it does not."]
                    pub fn new<_T: 'static>(
                        instance_pre: &#krate::InstancePre<_T>,
                    ) -> #krate::__private::Result<GuestIndices> {
                        let component = instance_pre.component();
                        #krate::__private::check_instance(component, #name, &[#(#names),*])?;
                        ::core::result::Result::Ok(GuestIndices(()))
                    }

                    #[doc(hidden)]
                    pub fn unchecked() -> GuestIndices { GuestIndices(()) }

                    #[doc = "Finds the functions in an instance."]
                    #[doc = ""]
                    #[doc = "# Errors"]
                    #[doc = ""]
                    #[doc = "If one is not there, or has other types."]
                    pub fn load(
                        &self,
                        mut store: impl #krate::__private::AsContextMut,
                        instance: &#krate::Instance,
                    ) -> #krate::__private::Result<Guest> {
                        let _ = (&mut store, instance);
                        ::core::result::Result::Ok(Guest { #(#fields: #lookups),* })
                    }
                }

                impl Guest {
                    #free
                }

                #resources
            },
        );
        Ok(())
    }
}
