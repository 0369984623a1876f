//! What a host provides: traits to implement, and functions that put an implementation
//! into a linker.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Error, Ident, Result};
use wit_parser::{
    Function, FunctionKind, InterfaceId, Result_, Type, TypeDefKind, TypeId, TypeOwner, WorldKey,
};

use super::names::{affixed_type, prefixed_value, type_ident, value_ident};
use super::options::Flags;
use super::types::{Mode, docs};
use super::unstable::{gated, link_options, parameter};
use super::{Generator, Scope, Side};

/// The name of the trait's method for a function.
fn method_ident(func: &Function) -> Ident {
    match func.kind {
        FunctionKind::Constructor(_) => format_ident!("new"),
        _ => value_ident(func.item_name()),
    }
}

/// The traits of an interface or of a world, and what puts them into a linker.
pub(super) struct Imports {
    pub(super) traits: TokenStream,
    /// Statements over `inst`, a `LinkerInstance`, `host_getter` and, where something is
    /// unstable, `options`.
    pub(super) definitions: TokenStream,
    /// Traits of other interfaces that convert errors for this one.
    pub(super) conversions: Vec<TokenStream>,
}

/// A function that fails with an error of the host's own.
struct TrappableError<'a> {
    result: &'a Result_,
    id: TypeId,
    /// The error's type.
    ident: &'a Ident,
}

impl Generator<'_> {
    /// The module of an imported interface.
    pub(super) fn import(&mut self, key: &WorldKey, id: InterfaceId) -> Result<()> {
        let path = self.imported[&self.original(id)].clone();
        let scope = Scope { side: Side::Import, interface: Some(id), depth: path.len() };
        if let Some(replacement) = self.replacement(key) {
            let root = scope.root();
            self.modules.add(
                &path,
                quote! {
                    #[allow(unused_imports, reason = "all of what stands for the interface")]
                    pub use #root #replacement::*;
                },
            );
            return Ok(());
        }
        let krate = self.krate;
        let interface = &self.resolve.interfaces[id];
        let types: TokenStream =
            interface.types.values().map(|ty| self.define(scope, Some(key), *ty)).collect();
        let funcs: Vec<_> = interface.functions.values().collect();
        let resources: Vec<_> = interface
            .types
            .values()
            .copied()
            .filter(|ty| matches!(self.resolve.types[*ty].kind, TypeDefKind::Resource))
            .collect();
        let host = format_ident!("Host");
        let converted: Vec<_> = interface
            .types
            .values()
            .copied()
            .filter(|ty| self.trappable_errors.contains_key(ty))
            .collect();
        let Imports { traits, definitions, conversions } =
            self.host_traits(scope, Some(key), &host, &funcs, &resources, &converted)?;
        let name = self.resolve.name_world_key(key);
        let send = self.send();
        let features = self.interface_features(interface);
        let (parameter, options) = parameter(&features);
        let link_options = link_options(&features);
        let definitions = gated(&interface.stability, definitions);
        self.modules.add(
            &path,
            quote! {
                #link_options
                #types
                #traits

                #[doc = "Defines the interface in an instance of a linker."]
                pub fn add_to_linker_instance<_T, _D>(
                    inst: &mut #krate::LinkerInstance<'_, _T>,
                    #parameter
                    host_getter: fn(&mut _T) -> _D::Data<'_>,
                ) -> #krate::__private::Result<()>
                where
                    _D: #krate::HasData,
                    for<'a> _D::Data<'a>: Host #(+ #conversions)*,
                    _T: 'static #send,
                {
                    let _ = (&inst, host_getter);
                    #definitions
                    ::core::result::Result::Ok(())
                }

                #[doc = "Defines the interface in a linker."]
                pub fn add_to_linker<_T, _D>(
                    linker: &mut #krate::Linker<_T>,
                    #parameter
                    host_getter: fn(&mut _T) -> _D::Data<'_>,
                ) -> #krate::__private::Result<()>
                where
                    _D: #krate::HasData,
                    for<'a> _D::Data<'a>: Host #(+ #conversions)*,
                    _T: 'static #send,
                {
                    let mut inst = linker.instance(#name)?;
                    add_to_linker_instance::<_T, _D>(&mut inst, #options host_getter)
                }
            },
        );
        Ok(())
    }

    pub(super) fn send(&self) -> Option<TokenStream> {
        let send = self.options.require_send || self.options.imports.any_asynchronous();
        send.then(|| quote!(+ ::core::marker::Send))
    }

    /// The traits of functions and resources: one per resource, and one for the rest that
    /// has those as its supertraits.
    pub(super) fn host_traits(
        &self,
        scope: Scope,
        key: Option<&WorldKey>,
        host: &Ident,
        funcs: &[&Function],
        resources: &[TypeId],
        converted: &[TypeId],
    ) -> Result<Imports> {
        let krate = self.krate;
        let mut imports = Imports {
            traits: TokenStream::new(),
            definitions: TokenStream::new(),
            conversions: Vec::new(),
        };
        let mut supertraits = Vec::new();
        for &resource in resources {
            let name = self.resolve.types[resource].name.as_deref().unwrap_or_default();
            let (ident, trait_) = (type_ident(name), affixed_type("Host", name, ""));
            let methods: Vec<_> = funcs
                .iter()
                .copied()
                .filter(|func| func.kind.resource() == Some(resource))
                .collect();
            let asynchronous = self.flags(key, &format!("[drop]{name}")).asynchronous;
            let result = future(asynchronous, quote!(#krate::__private::Result<()>));
            let drop = Method {
                signature: quote! {
                    #[doc = "Drops the resource: its owner, the guest, has no use for it."]
                    fn drop(&mut self, rep: #krate::Resource<#ident>) -> #result
                },
                ident: format_ident!("drop"),
                arguments: vec![format_ident!("rep")],
                asynchronous,
            };
            imports.traits.extend(self.host_trait(scope, key, &trait_, &[], &methods, vec![drop]));
            let definition = match asynchronous {
                false => quote! {
                    inst.resource(
                        #name,
                        #krate::ResourceType::host::<#ident>(),
                        move |mut store, rep| {
                            let resource = #krate::Resource::new_own(rep);
                            #trait_::drop(&mut host_getter(store.data_mut()), resource)
                        },
                    )?;
                },
                true => quote! {
                    inst.resource_async(
                        #name,
                        #krate::ResourceType::host::<#ident>(),
                        move |mut store: #krate::__private::StoreContextMut<'_, _T>, rep| {
                            #krate::__private::Box::new(async move {
                                let resource = #krate::Resource::new_own(rep);
                                let host = &mut host_getter(store.data_mut());
                                #trait_::drop(host, resource).await
                            })
                        },
                    )?;
                },
            };
            let stability = &self.resolve.types[resource].stability;
            imports.definitions.extend(gated(stability, definition));
            supertraits.push(trait_);
        }
        let free: Vec<_> =
            funcs.iter().copied().filter(|func| func.kind.resource().is_none()).collect();
        let converts = converted
            .iter()
            .map(|id| {
                let name = self.resolve.types[*id].name.as_deref().unwrap_or_default();
                let (ident, method) = (type_ident(name), prefixed_value("convert", name));
                let (root, error) = (scope.root(), &self.trappable_errors[id]);
                Method {
                    signature: quote! {
                        #[doc = "What the guest is told of an error, or the error that stops it."]
                        fn #method(
                            &mut self,
                            err: #root #error,
                        ) -> #krate::__private::Result<#ident>
                    },
                    ident: method,
                    arguments: vec![format_ident!("err")],
                    asynchronous: false,
                }
            })
            .collect();
        imports.traits.extend(self.host_trait(scope, key, host, &supertraits, &free, converts));
        for func in funcs {
            let trait_ = match func.kind.resource() {
                Some(resource) => {
                    let name = self.resolve.types[resource].name.as_deref().unwrap_or_default();
                    affixed_type("Host", name, "")
                }
                None => host.clone(),
            };
            let definition = self.definition_of(scope, key, func, &trait_, &mut imports)?;
            imports.definitions.extend(gated(&func.stability, definition));
        }
        Ok(imports)
    }

    /// A trait, and its implementation for references to what implements it.
    fn host_trait(
        &self,
        scope: Scope,
        key: Option<&WorldKey>,
        ident: &Ident,
        supertraits: &[Ident],
        funcs: &[&Function],
        others: Vec<Method>,
    ) -> TokenStream {
        let methods = funcs.iter().map(|func| self.method(scope, key, func)).chain(others);
        let methods: Vec<_> = methods.collect();
        let signatures = methods.iter().map(|method| &method.signature);
        let send = methods.iter().any(|method| method.asynchronous);
        let send = send.then(|| quote!(::core::marker::Send));
        let supertraits: Vec<_> =
            send.into_iter().chain(supertraits.iter().map(ToTokens::to_token_stream)).collect();
        let supertraits = (!supertraits.is_empty()).then(|| quote!(: #(#supertraits)+*));
        let forwarding = (!self.options.skip_forwarding).then(|| {
            let methods = methods.iter().map(|Method { signature, ident: method, arguments, .. }| {
                quote!(#signature { #ident::#method(*self, #(#arguments),*) })
            });
            quote! {
                impl<_T: #ident + ?::core::marker::Sized> #ident for &mut _T { #(#methods)* }
            }
        });
        let allow = scope.allow();
        quote! {
            #[doc = "What a host implements."]
            #allow
            pub trait #ident #supertraits { #(#signatures;)* }
            #forwarding
        }
    }

    fn method(&self, scope: Scope, key: Option<&WorldKey>, func: &Function) -> Method {
        let krate = self.krate;
        let ident = method_ident(func);
        let doc = docs(&func.docs);
        let arguments: Vec<_> = func.params.iter().map(|p| value_ident(&p.name)).collect();
        let types = func.params.iter().map(|param| self.ty(scope, &param.ty, Mode::Owned));
        let result = match &func.result {
            Some(ty) => self.ty(scope, ty, Mode::Owned),
            None => quote!(()),
        };
        let Flags { trappable, asynchronous, .. } = self.flags(key, &func.name);
        let result = match (trappable, self.trappable_error(func)) {
            (false, _) => result,
            (true, None) => quote!(#krate::__private::Result<#result>),
            (true, Some(TrappableError { result, ident, .. })) => {
                let root = scope.root();
                let ok = match &result.ok {
                    Some(ty) => self.ty(scope, ty, Mode::Owned),
                    None => quote!(()),
                };
                quote!(::core::result::Result<#ok, #root #ident>)
            }
        };
        let result = future(asynchronous, result);
        let signature = quote!(#doc fn #ident(&mut self, #(#arguments: #types),*) -> #result);
        Method { signature, ident, arguments, asynchronous }
    }

    /// How a function that is imported is generated, or the drop of a resource.
    fn flags(&self, key: Option<&WorldKey>, name: &str) -> Flags {
        let (own, within) = self.keys(key, name);
        self.options.imports.flags(&own, &within)
    }

    fn trappable_error(&self, func: &Function) -> Option<TrappableError<'_>> {
        let id = self.error_of(func)?;
        let ident = self.trappable_errors.get(&id)?;
        let Some(Type::Id(result)) = func.result else { return None };
        let TypeDefKind::Result(result) = &self.resolve.types[result].kind else { return None };
        Some(TrappableError { result, id, ident })
    }

    /// The statement that defines a function in a linker.
    fn definition_of(
        &self,
        scope: Scope,
        key: Option<&WorldKey>,
        func: &Function,
        trait_: &Ident,
        imports: &mut Imports,
    ) -> Result<TokenStream> {
        let krate = self.krate;
        let ok = quote!(::core::result::Result::Ok);
        let Flags { trappable, asynchronous, .. } = self.flags(key, &func.name);
        let result = match (trappable, self.trappable_error(func)) {
            (false, _) if func.result.is_some() => quote!(#ok((result,))),
            (false, _) => quote!(#ok(result)),
            (true, None) if func.result.is_some() => quote!(#ok((result?,))),
            (true, None) => quote!(result),
            (true, Some(TrappableError { id, .. })) => {
                let error = &self.resolve.types[id];
                let convert = prefixed_value("convert", error.name.as_deref().unwrap_or_default());
                let TypeOwner::Interface(owner) = error.owner else {
                    return Err(Error::new(
                        proc_macro2::Span::call_site(),
                        "a trappable error has to be a type of an interface",
                    ));
                };
                let host = match scope.interface == Some(owner) {
                    true => quote!(Host),
                    false => {
                        let module = self.module_from(scope, owner);
                        let host = quote!(#module::Host);
                        let known = imports.conversions.iter();
                        if !known.map(ToString::to_string).any(|known| known == host.to_string()) {
                            imports.conversions.push(host.clone());
                        }
                        host
                    }
                };
                quote! {
                    #ok((match result {
                        ::core::result::Result::Ok(value) => ::core::result::Result::Ok(value),
                        ::core::result::Result::Err(error) => {
                            ::core::result::Result::Err(#host::#convert(host, error)?)
                        }
                    },))
                }
            }
        };
        let name = &func.name;
        let arguments: Vec<_> = (0..func.params.len()).map(|at| format_ident!("arg{at}")).collect();
        let (params, _) = self.signature(scope, func, Mode::Owned);
        let method = method_ident(func);
        if asynchronous {
            return Ok(quote! {
                inst.func_wrap_async(
                    #name,
                    move |mut caller: #krate::__private::StoreContextMut<'_, _T>,
                          (#(#arguments,)*): #params| {
                        #krate::__private::Box::new(async move {
                            let host = &mut host_getter(caller.data_mut());
                            let result = #trait_::#method(host, #(#arguments),*).await;
                            let result: #krate::__private::Result<_> = #result;
                            result
                        })
                    },
                )?;
            });
        }
        Ok(quote! {
            inst.func_wrap(
                #name,
                move |mut caller: #krate::__private::StoreContextMut<'_, _T>,
                      (#(#arguments,)*): #params| {
                    let host = &mut host_getter(caller.data_mut());
                    let result = #trait_::#method(host, #(#arguments),*);
                    #result
                },
            )?;
        })
    }
}

/// A method of a trait.
struct Method {
    signature: TokenStream,
    ident: Ident,
    arguments: Vec<Ident>,
    asynchronous: bool,
}

/// What a method returns: a result, or a future of it.
fn future(asynchronous: bool, result: TokenStream) -> TokenStream {
    match asynchronous {
        false => result,
        true => quote! {
            impl ::core::future::Future<Output = #result> + ::core::marker::Send
        },
    }
}
