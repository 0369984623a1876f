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
    /// The trait of functions that have the store, if there are any.
    pub(super) with_store: Option<Ident>,
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
        let resources = self.resources(id);
        let host = format_ident!("Host");
        let converted: Vec<_> = interface
            .types
            .values()
            .copied()
            .filter(|ty| self.trappable_errors.contains_key(ty))
            .collect();
        let Imports { traits, definitions, conversions, with_store } =
            self.host_traits(scope, Some(key), &host, &funcs, &resources, &converted)?;
        let with_store = self.has_data(with_store.as_ref());
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
                    _D: #with_store,
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
                    _D: #with_store,
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
        let send = self.options.require_send || self.has_futures(Side::Import);
        send.then(|| quote!(+ ::core::marker::Send))
    }

    /// The resources that an interface defines.
    pub(super) fn resources(&self, interface: InterfaceId) -> Vec<TypeId> {
        let types = self.resolve.interfaces[interface].types.values().copied();
        types.filter(|id| matches!(self.resolve.types[*id].kind, TypeDefKind::Resource)).collect()
    }

    /// What names the host's data has to implement.
    pub(super) fn has_data(&self, with_store: Option<&Ident>) -> TokenStream {
        let krate = self.krate;
        match with_store {
            Some(ident) => ident.to_token_stream(),
            None => quote!(#krate::HasData),
        }
    }

    /// Whether any of the functions, or the drop of a resource, has the store.
    pub(super) fn has_store<'f>(
        &self,
        key: Option<&WorldKey>,
        funcs: impl IntoIterator<Item = &'f Function>,
        resources: &[TypeId],
    ) -> bool {
        let drops = resources.iter().map(|id| {
            let name = self.resolve.types[*id].name.as_deref().unwrap_or_default();
            self.flags(key, &format!("[drop]{name}"))
        });
        // All are looked at: their rules are in use.
        let funcs = funcs.into_iter().map(|func| self.func_flags(key, func));
        drops.chain(funcs).fold(false, |any, flags| any | flags.store)
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
            with_store: None,
        };
        let (mut supertraits, mut stores) = (Vec::new(), Vec::new());
        for &resource in resources {
            let name = self.resolve.types[resource].name.as_deref().unwrap_or_default();
            let (ident, trait_) = (type_ident(name), affixed_type("Host", name, ""));
            let methods: Vec<_> = funcs
                .iter()
                .copied()
                .filter(|func| func.kind.resource() == Some(resource))
                .collect();
            let flags = self.flags(key, &format!("[drop]{name}"));
            let result = future(flags.asynchronous, quote!(#krate::__private::Result<()>));
            let (generics, first) = self.receiver(flags);
            let drop = Method {
                signature: quote! {
                    #[doc = "Drops the resource: its owner, the guest, has no use for it."]
                    fn drop #generics (#first, rep: #krate::Resource<#ident>) -> #result
                },
                ident: format_ident!("drop"),
                arguments: vec![format_ident!("rep")],
                flags,
            };
            let methods = methods.into_iter().map(|func| self.method(scope, key, func));
            let methods: Vec<_> = methods.chain([drop]).collect();
            imports.traits.extend(self.host_trait(scope, &trait_, &[], &methods));
            let with_store = with_store_ident(&trait_);
            if let Some(code) = self.store_trait(scope, &with_store, &[], &methods) {
                imports.traits.extend(code);
                stores.push(with_store.clone());
            }
            let definition = self.drop_definition(name, &ident, &trait_, flags);
            let stability = &self.resolve.types[resource].stability;
            imports.definitions.extend(gated(stability, definition));
            supertraits.push(trait_);
        }
        let free: Vec<_> =
            funcs.iter().copied().filter(|func| func.kind.resource().is_none()).collect();
        let converts = converted.iter().map(|id| {
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
                flags: Flags::default(),
            }
        });
        let methods = free.into_iter().map(|func| self.method(scope, key, func));
        let methods: Vec<_> = methods.chain(converts).collect();
        imports.traits.extend(self.host_trait(scope, host, &supertraits, &methods));
        let with_store = with_store_ident(host);
        if let Some(code) = self.store_trait(scope, &with_store, &stores, &methods) {
            imports.traits.extend(code);
            imports.with_store = Some(with_store);
        }
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

    /// The statement that defines a resource in a linker.
    fn drop_definition(
        &self,
        name: &str,
        ident: &Ident,
        trait_: &Ident,
        flags: Flags,
    ) -> TokenStream {
        let krate = self.krate;
        let with_store = with_store_ident(trait_);
        let resource = quote!(#krate::Resource::new_own(rep));
        match (flags.asynchronous, flags.store) {
            (false, false) => quote! {
                inst.resource(
                    #name,
                    #krate::ResourceType::host::<#ident>(),
                    move |mut store, rep| {
                        #trait_::drop(&mut host_getter(store.data_mut()), #resource)
                    },
                )?;
            },
            (false, true) => quote! {
                inst.resource(
                    #name,
                    #krate::ResourceType::host::<#ident>(),
                    move |store: #krate::__private::StoreContextMut<'_, _T>, rep| {
                        let host = #krate::Access::<'_, _T, _D>::new(store, host_getter);
                        <_D as #with_store>::drop(host, #resource)
                    },
                )?;
            },
            (true, false) => quote! {
                inst.resource_async(
                    #name,
                    #krate::ResourceType::host::<#ident>(),
                    move |mut store: #krate::__private::StoreContextMut<'_, _T>, rep| {
                        #krate::__private::Box::new(async move {
                            let host = &mut host_getter(store.data_mut());
                            #trait_::drop(host, #resource).await
                        })
                    },
                )?;
            },
            (true, true) => quote! {
                inst.resource_concurrent(
                    #name,
                    #krate::ResourceType::host::<#ident>(),
                    move |accessor: &#krate::Accessor<_T>, rep| {
                        let accessor = accessor.with_getter::<_D>(host_getter);
                        #krate::__private::Box::pin(async move {
                            <_D as #with_store>::drop(&accessor, #resource).await
                        })
                    },
                )?;
            },
        }
    }

    /// A trait of those of the methods that have no store, and its implementation for
    /// references to what implements it.
    fn host_trait(
        &self,
        scope: Scope,
        ident: &Ident,
        supertraits: &[Ident],
        methods: &[Method],
    ) -> TokenStream {
        let methods: Vec<_> = methods.iter().filter(|method| !method.flags.store).collect();
        let signatures = methods.iter().map(|method| &method.signature);
        let send = methods.iter().any(|method| method.flags.asynchronous);
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

    /// A trait of those of the methods that have the store, if there are any, or traits
    /// like it of resources.
    fn store_trait(
        &self,
        scope: Scope,
        ident: &Ident,
        supertraits: &[Ident],
        methods: &[Method],
    ) -> Option<TokenStream> {
        let krate = self.krate;
        let methods: Vec<_> = methods.iter().filter(|method| method.flags.store).collect();
        if methods.is_empty() && supertraits.is_empty() {
            return None;
        }
        let signatures = methods.iter().map(|method| &method.signature);
        let allow = scope.allow();
        Some(quote! {
            #[doc = "What a host implements, for what names its data, of functions that have \
                the store."]
            #allow
            pub trait #ident: #krate::HasData #(+ #supertraits)* { #(#signatures;)* }
        })
    }

    /// What methods are generic over, and their first parameter.
    fn receiver(&self, flags: Flags) -> (Option<TokenStream>, TokenStream) {
        let krate = self.krate;
        let generics = flags.store.then(|| quote!(<_T: 'static>));
        let receiver = match (flags.store, flags.asynchronous) {
            (false, _) => quote!(&mut self),
            (true, false) => quote!(host: #krate::Access<'_, _T, Self>),
            (true, true) => quote!(accessor: &#krate::Accessor<_T, Self>),
        };
        (generics, receiver)
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
        let flags = self.func_flags(key, func);
        let result = match (flags.trappable, self.trappable_error(func)) {
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
        let result = future(flags.asynchronous, result);
        let (generics, first) = self.receiver(flags);
        let signature =
            quote!(#doc fn #ident #generics (#first, #(#arguments: #types),*) -> #result);
        Method { signature, ident, arguments, flags }
    }

    /// How a function that is imported is generated.
    fn func_flags(&self, key: Option<&WorldKey>, func: &Function) -> Flags {
        self.flags(key, &func.name).of(func)
    }

    /// How what is imported under a name is generated: a function, or the drop of a resource.
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
        let Flags { trappable, asynchronous, store, .. } = self.func_flags(key, func);
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
                let converted = match (store, asynchronous) {
                    (false, _) => quote!(#host::#convert(host, error)?),
                    (true, false) => quote! {
                        #host::#convert(&mut host_getter(caller.data_mut()), error)?
                    },
                    (true, true) => quote! {
                        accessor.with(|mut access| #host::#convert(&mut access.get(), error))?
                    },
                };
                quote! {
                    #ok((match result {
                        ::core::result::Result::Ok(value) => ::core::result::Result::Ok(value),
                        ::core::result::Result::Err(error) => {
                            ::core::result::Result::Err(#converted)
                        }
                    },))
                }
            }
        };
        let name = &func.name;
        let arguments: Vec<_> = (0..func.params.len()).map(|at| format_ident!("arg{at}")).collect();
        let (params, _) = self.signature(scope, func, Mode::Owned);
        let method = method_ident(func);
        let with_store = with_store_ident(trait_);
        Ok(match (asynchronous, store) {
            (false, false) => quote! {
                inst.func_wrap(
                    #name,
                    move |mut caller: #krate::__private::StoreContextMut<'_, _T>,
                          (#(#arguments,)*): #params| {
                        let host = &mut host_getter(caller.data_mut());
                        let result = #trait_::#method(host, #(#arguments),*);
                        #result
                    },
                )?;
            },
            (false, true) => quote! {
                inst.func_wrap(
                    #name,
                    move |mut caller: #krate::__private::StoreContextMut<'_, _T>,
                          (#(#arguments,)*): #params| {
                        let store = #krate::__private::AsContextMut::as_context_mut(&mut caller);
                        let host = #krate::Access::<'_, _T, _D>::new(store, host_getter);
                        let result = <_D as #with_store>::#method(host, #(#arguments),*);
                        #result
                    },
                )?;
            },
            (true, false) => quote! {
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
            },
            (true, true) => quote! {
                inst.func_wrap_concurrent(
                    #name,
                    move |accessor: &#krate::Accessor<_T>, (#(#arguments,)*): #params| {
                        let accessor = accessor.with_getter::<_D>(host_getter);
                        #krate::__private::Box::pin(async move {
                            let call = <_D as #with_store>::#method(&accessor, #(#arguments),*);
                            let result = call.await;
                            let result: #krate::__private::Result<_> = #result;
                            result
                        })
                    },
                )?;
            },
        })
    }
}

/// A method of a trait.
struct Method {
    signature: TokenStream,
    ident: Ident,
    arguments: Vec<Ident>,
    flags: Flags,
}

/// The name of the trait of functions that have the store, beside another.
fn with_store_ident(host: &Ident) -> Ident {
    format_ident!("{host}WithStore")
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
