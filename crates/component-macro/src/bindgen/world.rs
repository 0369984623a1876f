//! The world: a type that instantiates components and gives access to what they export.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Error, Ident, Result};
use wit_parser::{Function, InterfaceId, Stability, TypeDefKind, WorldItem, WorldKey};

use super::imports::Imports;
use super::names::world_name;
use super::unstable::{Features, conversion, features, gated, link_options, parameter};
use super::{Generator, Scope, Side};

/// Imported interfaces, as the world's functions that fill a linker see them.
#[derive(Default)]
struct Imported {
    /// Traits that have to be implemented by the host's data.
    hosts: Vec<TokenStream>,
    /// And those by what names it.
    stores: Vec<TokenStream>,
    /// Statements that add the interfaces.
    added: TokenStream,
    /// Features of the world, of its interfaces, and whatever is in them.
    features: Features,
    /// Conversions from the world's `LinkOptions`.
    conversions: TokenStream,
}

/// An exported interface: where the world holds it and how it is reached.
struct Exported {
    field: Ident,
    accessor: Ident,
    module: TokenStream,
}

impl Generator<'_> {
    /// All code.
    pub(super) fn world(&mut self) -> Result<TokenStream> {
        let resolve = self.resolve;
        let world = &resolve.worlds[self.world];
        let mut types = TokenStream::new();
        let mut resources = Vec::new();
        let mut functions = Vec::new();
        let mut imported =
            Imported { features: features([&world.stability]), ..Imported::default() };
        let mut generated = Vec::new();
        for (key, item) in &world.imports {
            match item {
                WorldItem::Interface { id, stability, .. } => {
                    let first = !generated.contains(&self.original(*id));
                    if first {
                        generated.push(self.original(*id));
                        self.import(&self.option_key(key, *id), *id)?;
                    }
                    self.add_interface(&mut imported, key, *id, stability, first);
                }
                WorldItem::Type { id, .. } if !self.options.only_interfaces => {
                    types.extend(self.define(Scope::ROOT, None, *id));
                    if matches!(resolve.types[*id].kind, TypeDefKind::Resource) {
                        resources.push(*id);
                    }
                }
                WorldItem::Function(func) if !self.options.only_interfaces => functions.push(func),
                WorldItem::Type { .. } | WorldItem::Function(_) => {}
            }
        }
        let mut interfaces = Vec::new();
        let mut exported_functions = Vec::new();
        for (key, item) in &world.exports {
            match item {
                WorldItem::Interface { id, .. } => {
                    self.export(key, *id)?;
                    interfaces.push(self.exported_interface(interfaces.len(), *id));
                }
                WorldItem::Function(func) => exported_functions.push(func),
                WorldItem::Type { .. } => {}
            }
        }
        let world = match self.options.only_interfaces {
            true => TokenStream::new(),
            false => {
                let name = world_name(&world.name);
                let imports_trait = format_ident!("{name}Imports");
                let root = match functions.is_empty() && resources.is_empty() {
                    true => None,
                    false => Some(self.host_traits(
                        Scope::ROOT,
                        None,
                        &imports_trait,
                        &functions,
                        &resources,
                        &[],
                    )?),
                };
                let types = resources.iter().map(|id| &resolve.types[*id].stability);
                let own = features(types.chain(functions.iter().map(|func| &func.stability)));
                imported.features.extend(own);
                let adding = self.adding(&imports_trait, root.as_ref(), &imported);
                let traits = root.map(|root| root.traits);
                let structs = self.structs(&name, &interfaces, &exported_functions, &adding);
                let options = link_options(&imported.features);
                let conversions = imported.conversions;
                quote!(#options #conversions #traits #structs)
            }
        };
        self.check_used()?;
        let with = self.options.with.iter().enumerate().map(|(at, with)| {
            let (path, ident) = (&with.path, format_ident!("__with_name{at}"));
            quote!(#[doc(hidden)] pub use #path as #ident;)
        });
        let errors = self.options.trappable_errors.iter().enumerate().map(|(at, (_, path))| {
            let ident = format_ident!("__TrappableError{at}");
            quote!(#[allow(dead_code, reason = "of an interface that the world may not have")]
                type #ident = #path;)
        });
        let modules = std::mem::take(&mut self.modules).write();
        Ok(quote!(#(#with)* #(#errors)* #types #world #modules))
    }

    /// The key of an interface in options: an interface that is imported under a name has
    /// its own name there.
    fn option_key(&self, key: &WorldKey, id: InterfaceId) -> WorldKey {
        match self.resolve.interfaces[id].name {
            Some(_) => WorldKey::Interface(self.original(id)),
            None => key.clone(),
        }
    }

    /// Has the world's `add_to_linker` add an imported interface.
    fn add_interface(
        &self,
        imported: &mut Imported,
        key: &WorldKey,
        id: InterfaceId,
        stability: &Stability,
        first: bool,
    ) {
        let path = &self.imported[&self.original(id)];
        let module = quote!(#(#path)::*);
        let interface = &self.resolve.interfaces[id];
        // What stands for an interface adds what it adds.
        let replaced = self.replacement(&self.option_key(key, id)).is_some();
        let own = if replaced { Features::new() } else { self.interface_features(interface) };
        let options = (!own.is_empty()).then(|| quote!(&options.into(),));
        let add = match (key, &interface.name) {
            (WorldKey::Name(name), Some(_)) => quote! {
                #module::add_to_linker_instance::<_T, _D>(
                    &mut linker.instance(#name)?,
                    #options
                    host_getter,
                )?;
            },
            _ => quote!(#module::add_to_linker::<_T, _D>(linker, #options host_getter)?;),
        };
        imported.added.extend(gated(stability, add));
        if first {
            imported.hosts.push(quote!(#module::Host));
            let (key, funcs) = (self.option_key(key, id), interface.functions.values());
            if self.has_store(Some(&key), funcs, &self.resources(id)) {
                imported.stores.push(quote!(#module::HostWithStore));
            }
            imported.conversions.extend(conversion(&module, &own));
        }
        imported.features.extend(own);
        imported.features.extend(features([stability]));
    }

    fn exported_interface(&self, at: usize, id: InterfaceId) -> Exported {
        let path = &self.exported[&id];
        let names = path.iter().skip(1).map(Ident::to_string).collect::<Vec<_>>();
        Exported {
            field: format_ident!("interface{at}"),
            accessor: format_ident!("{}", names.join("_")),
            module: quote!(#(#path)::*),
        }
    }

    /// `add_to_linker`, if there is something to add.
    fn adding(
        &self,
        imports_trait: &Ident,
        root: Option<&Imports>,
        Imported { hosts, stores, added, features, .. }: &Imported,
    ) -> TokenStream {
        let krate = self.krate;
        let send = self.send();
        let stability = &self.resolve.worlds[self.world].stability;
        let (parameter, options) = parameter(features);
        let (mut bounds, mut stores) = (hosts.clone(), stores.clone());
        let root = root.map(|root| {
            let Imports { definitions, conversions, with_store, .. } = root;
            bounds.push(imports_trait.to_token_stream());
            stores.extend(with_store.as_ref().map(ToTokens::to_token_stream));
            let with_store = self.has_data(with_store.as_ref());
            let definitions = gated(stability, definitions.clone());
            let code = quote! {
                #[doc = "Defines the functions and resources that the world itself imports."]
                #[doc = ""]
                #[doc = "# Errors"]
                #[doc = ""]
                #[doc = "If a name is defined."]
                pub fn add_to_linker_imports<_T, _D>(
                    linker: &mut #krate::Linker<_T>,
                    #parameter
                    host_getter: fn(&mut _T) -> _D::Data<'_>,
                ) -> #krate::__private::Result<()>
                where
                    _D: #with_store,
                    for<'a> _D::Data<'a>: #imports_trait #(+ #conversions)*,
                    _T: 'static #send,
                {
                    let mut inst = linker.root();
                    #definitions
                    ::core::result::Result::Ok(())
                }
            };
            (code, quote!(Self::add_to_linker_imports::<_T, _D>(linker, #options host_getter)?;))
        });
        if bounds.is_empty() {
            return TokenStream::new();
        }
        let (imports, add_imports) = root.unzip();
        let added = gated(stability, quote!(#add_imports #added));
        quote! {
            #imports

            #[doc = "Defines all that the world imports."]
            #[doc = ""]
            #[doc = "# Errors"]
            #[doc = ""]
            #[doc = "If a name is defined."]
            pub fn add_to_linker<_T, _D>(
                linker: &mut #krate::Linker<_T>,
                #parameter
                host_getter: fn(&mut _T) -> _D::Data<'_>,
            ) -> #krate::__private::Result<()>
            where
                _D: #krate::HasData #(+ #stores)*,
                for<'a> _D::Data<'a>: #(#bounds)+*,
                _T: 'static #send,
            {
                #added
                ::core::result::Result::Ok(())
            }
        }
    }

    /// The type of the world, and that of a component whose imports are found.
    fn structs(
        &self,
        name: &str,
        interfaces: &[Exported],
        functions: &[&Function],
        adding: &TokenStream,
    ) -> TokenStream {
        let krate = self.krate;
        let scope = Scope::ROOT;
        let ident = format_ident!("{name}");
        let (pre, indices) = (format_ident!("{name}Pre"), format_ident!("{name}Indices"));
        let doc = super::types::docs(&self.resolve.worlds[self.world].docs);
        let (fields, modules): (Vec<_>, Vec<_>) =
            interfaces.iter().map(|exported| (&exported.field, &exported.module)).unzip();
        let accessors = interfaces.iter().map(|Exported { field, accessor, module }| {
            quote! {
                #[doc = "An exported interface."]
                pub fn #accessor(&self) -> &#module::Guest { &self.#field }
            }
        });
        let func_fields: Vec<_> = functions.iter().map(|func| self.field(func)).collect();
        let lookups = functions.iter().map(|func| self.lookup(scope, "", func));
        let calls = functions.iter().map(|func| self.calls(scope, None, func, &quote!(self)));
        let names = functions.iter().map(|func| &func.name);
        let allow = scope.allow();
        let instantiated = format!("A component that implements the world `{name}`, instantiated.");
        let found = format!("A component that implements the world `{name}`, its imports found.");
        let known = format!("What finds the exports of the world `{name}`: known to be there.");
        let waits = self.has_futures(Side::Import) || self.has_futures(Side::Export);
        let pre_async = waits.then(|| {
            quote! {
                impl<_T: ::core::marker::Send + 'static> #pre<_T> {
                    #[doc = "As [`Self::instantiate`], where start functions may wait."]
                    #[doc = ""]
                    #[doc = "# Errors"]
                    #[doc = ""]
                    #[doc = "Likewise."]
                    pub async fn instantiate_async(
                        &self,
                        mut store: impl #krate::__private::AsContextMut<Data = _T>,
                    ) -> #krate::__private::Result<#ident> {
                        let mut store = store.as_context_mut();
                        let instance = self.instance_pre.instantiate_async(&mut store).await?;
                        self.indices.load(&mut store, &instance)
                    }
                }
            }
        });
        let instantiate_async = waits.then(|| {
            quote! {
                #[doc = "As [`Self::instantiate`], where start functions may wait."]
                #[doc = ""]
                #[doc = "# Errors"]
                #[doc = ""]
                #[doc = "Likewise."]
                pub async fn instantiate_async<_T: ::core::marker::Send + 'static>(
                    store: impl #krate::__private::AsContextMut<Data = _T>,
                    component: &#krate::Component,
                    linker: &#krate::Linker<_T>,
                ) -> #krate::__private::Result<#ident> {
                    #pre::new(linker.instantiate_pre(component)?)?.instantiate_async(store).await
                }
            }
        });
        quote! {
            #[doc = #instantiated]
            #[doc = ""]
            #doc
            pub struct #ident { #(#fields: #modules::Guest,)* #(#func_fields: #krate::Func,)* }

            #[doc = #found]
            pub struct #pre<_T: 'static> {
                instance_pre: #krate::InstancePre<_T>,
                indices: #indices,
            }

            #[doc = #known]
            #[derive(Clone)]
            pub struct #indices { #(#fields: #modules::GuestIndices),* }

            impl<_T: 'static> ::core::clone::Clone for #pre<_T> {
                fn clone(&self) -> Self {
                    let (instance_pre, indices) = (self.instance_pre.clone(), self.indices.clone());
                    Self { instance_pre, indices }
                }
            }

            #allow
            const _: () = {
                impl<_T: 'static> #pre<_T> {
                    #[doc = "Checks that the component exports what the world does."]
                    #[doc = ""]
                    #[doc = "# Errors"]
                    #[doc = ""]
                    #[doc = "If it does not."]
                    pub fn new(
                        instance_pre: #krate::InstancePre<_T>,
                    ) -> #krate::__private::Result<Self> {
                        let indices = #indices::new(&instance_pre)?;
                        ::core::result::Result::Ok(Self { instance_pre, indices })
                    }

                    #[doc = "The engine."]
                    pub fn engine(&self) -> &#krate::__private::Engine {
                        self.instance_pre.component().engine()
                    }

                    #[doc = "The component with its imports."]
                    pub fn instance_pre(&self) -> &#krate::InstancePre<_T> { &self.instance_pre }

                    #[doc = "Instantiates the component."]
                    #[doc = ""]
                    #[doc = "# Errors"]
                    #[doc = ""]
                    #[doc = "What stopped it, or an export of another type."]
                    pub fn instantiate(
                        &self,
                        mut store: impl #krate::__private::AsContextMut<Data = _T>,
                    ) -> #krate::__private::Result<#ident> {
                        let mut store = store.as_context_mut();
                        let instance = self.instance_pre.instantiate(&mut store)?;
                        self.indices.load(&mut store, &instance)
                    }
                }

                #pre_async

                impl #indices {
                    #[doc = "Checks that a component exports what the world does."]
                    #[doc = ""]
                    #[doc = "# Errors"]
                    #[doc = ""]
                    #[doc = "If it does not."]
                    pub fn new<_T: 'static>(
                        instance_pre: &#krate::InstancePre<_T>,
                    ) -> #krate::__private::Result<Self> {
                        let component = instance_pre.component();
                        #krate::__private::check_functions(component, &[#(#names),*])?;
                        ::core::result::Result::Ok(Self {
                            #(#fields: #modules::GuestIndices::new(instance_pre)?),*
                        })
                    }

                    #[doc = "Finds the exports of an instance."]
                    #[doc = ""]
                    #[doc = "# Errors"]
                    #[doc = ""]
                    #[doc = "If one is missing or of another type."]
                    pub fn load(
                        &self,
                        mut store: impl #krate::__private::AsContextMut,
                        instance: &#krate::Instance,
                    ) -> #krate::__private::Result<#ident> {
                        let _ = (&mut store, instance);
                        ::core::result::Result::Ok(#ident {
                            #(#fields: self.#fields.load(&mut store, instance)?,)*
                            #(#func_fields: #lookups,)*
                        })
                    }
                }

                impl #ident {
                    #[doc = "Instantiates a component with the imports that a linker has."]
                    #[doc = ""]
                    #[doc = "# Errors"]
                    #[doc = ""]
                    #[doc = "Missing imports, what stopped the component, or an export that \
                        is missing or of another type."]
                    pub fn instantiate<_T: 'static>(
                        store: impl #krate::__private::AsContextMut<Data = _T>,
                        component: &#krate::Component,
                        linker: &#krate::Linker<_T>,
                    ) -> #krate::__private::Result<#ident> {
                        #pre::new(linker.instantiate_pre(component)?)?.instantiate(store)
                    }

                    #instantiate_async

                    #[doc = "Finds the exports of an instance."]
                    #[doc = ""]
                    #[doc = "# Errors"]
                    #[doc = ""]
                    #[doc = "If one is missing or of another type."]
                    pub fn new(
                        store: impl #krate::__private::AsContextMut,
                        instance: &#krate::Instance,
                    ) -> #krate::__private::Result<#ident> {
                        #indices { #(#fields: #modules::GuestIndices::unchecked()),* }
                            .load(store, instance)
                    }

                    #adding
                    #(#accessors)*
                    #(#calls)*
                }
            };
        }
    }

    /// Refuses options for what the world does not have.
    fn check_used(&self) -> Result<()> {
        self.options.imports.check_used()?;
        // Of interfaces alone the world's functions are not generated; that they exist is
        // checked.
        let world = &self.resolve.worlds[self.world];
        for (key, item) in &world.exports {
            match item {
                WorldItem::Function(func) => {
                    let _ = self.export_flags(None, func);
                }
                WorldItem::Interface { id, .. } => {
                    for func in self.resolve.interfaces[*id].functions.values() {
                        let _ = self.export_flags(Some(key), func);
                    }
                }
                WorldItem::Type { .. } => {}
            }
        }
        self.options.exports.check_used()?;
        match self.options.with.iter().find(|with| !with.used.get()) {
            None => Ok(()),
            Some(with) => Err(Error::new(
                with.name.span(),
                "the world imports no interface or resource of this name",
            )),
        }
    }
}
