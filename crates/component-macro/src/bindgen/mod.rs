//! `bindgen!`: Rust types, traits and functions of a world in WIT, in wasmtime's shape.
//!
//! A world becomes a tree of modules: one per imported interface at
//! `namespace::package::interface`, one per exported interface at the same path within
//! `exports`. An imported interface has types, traits `Host` and `Host…` per resource,
//! and `add_to_linker`; an exported one has types and `Guest`, which calls its functions.
//! Imported functions that have the store are in traits of their own, `…WithStore`, which
//! are implemented for what names the host's data and not for the data itself.
//! Code within a module names other modules from the root of the tree, where the macro
//! was invoked, as that is the one place that both ends know.

mod exports;
mod imports;
mod info;
mod names;
mod options;
#[cfg(test)]
mod tests;
mod types;
mod unstable;
mod world;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, Ident, Result};
use wit_parser::{
    Function, InterfaceId, PackageId, Resolve, Type, TypeDefKind, TypeId, WorldId, WorldItem,
    WorldKey,
};

pub(crate) use options::Options;

use info::Infos;
use names::value_ident;

/// The code for a world.
pub(crate) fn expand(options: Options) -> Result<TokenStream> {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    let mut files = Vec::new();
    let world = parse(&options, &mut resolve, &mut files)?;
    let mut generator = Generator::new(&resolve, world, &options)?;
    let code = generator.world()?;
    // The compiler has to know which files the code is made from.
    let files = files.iter().map(|file| file.to_string_lossy().into_owned());
    Ok(quote! {
        #code
        #(const _: &[u8] = ::core::include_bytes!(#files);)*
    })
}

/// Reads the packages and finds the world.
fn parse(options: &Options, resolve: &mut Resolve, files: &mut Vec<PathBuf>) -> Result<WorldId> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut packages = Vec::new();
    let mut push = |path: &Path, span: Span, resolve: &mut Resolve| match resolve.push_path(path) {
        Ok((package, sources)) => {
            files.extend(sources.paths().map(Path::to_owned));
            Ok(package)
        }
        Err(error) => {
            let error = resolve.render_error(&error);
            Err(Error::new(span, format!("{}: {error}", path.display())))
        }
    };
    for path in &options.paths {
        packages.push(push(&root.join(path.value()), path.span(), resolve)?);
    }
    let default = root.join("wit");
    if options.paths.is_empty() && (options.inline.is_none() || default.exists()) {
        packages.push(push(&default, Span::call_site(), resolve)?);
    }
    if let Some(inline) = &options.inline {
        let package = resolve.push_str("inline", &inline.value());
        packages =
            vec![package.map_err(|error| Error::new(inline.span(), resolve.render_error(&error)))?];
    }
    let (span, name) = match &options.world {
        Some(world) => (world.span(), Some(world.value())),
        None => (Span::call_site(), None),
    };
    resolve
        .select_world(&packages, name.as_deref())
        .map_err(|error| Error::new(span, format!("{error:#}")))
}

/// Which side of the border an interface is on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Import,
    Export,
}

/// Where code is generated.
#[derive(Clone, Copy)]
struct Scope {
    side: Side,
    /// None at the root.
    interface: Option<InterfaceId>,
    /// Modules around the code.
    depth: usize,
}

impl Scope {
    const ROOT: Scope = Scope { side: Side::Import, interface: None, depth: 0 };

    /// Lints that code of the root is spared; modules are spared them as a whole.
    fn allow(&self) -> Option<TokenStream> {
        let reason = quote!(reason = "of generated code");
        (self.depth == 0).then(|| quote!(#[allow(clippy::all, missing_docs, dead_code, #reason)]))
    }

    /// The path of the root.
    fn root(&self) -> TokenStream {
        let up = (0..self.depth).map(|_| quote!(super::));
        quote!(#(#up)*)
    }
}

/// Modules to be written.
#[derive(Default)]
struct Module {
    code: TokenStream,
    children: BTreeMap<Ident, Module>,
}

impl Module {
    fn add(&mut self, path: &[Ident], code: TokenStream) {
        match path {
            [] => self.code.extend(code),
            [name, rest @ ..] => self.children.entry(name.clone()).or_default().add(rest, code),
        }
    }

    fn write(self) -> TokenStream {
        let Module { code, children } = self;
        let children = children.into_iter().map(|(name, module)| {
            let module = module.write();
            quote! {
                #[allow(clippy::all, missing_docs, dead_code, reason = "of generated code")]
                pub mod #name { #module }
            }
        });
        quote!(#code #(#children)*)
    }
}

struct Generator<'a> {
    resolve: &'a Resolve,
    world: WorldId,
    options: &'a Options,
    krate: &'a syn::Path,
    infos: RefCell<Infos>,
    /// The modules of interfaces.
    imported: HashMap<InterfaceId, Vec<Ident>>,
    exported: HashMap<InterfaceId, Vec<Ident>>,
    /// Types of errors that an implementation gives instead of those of WIT: names at the
    /// root.
    trappable_errors: HashMap<TypeId, Ident>,
    modules: Module,
}

impl<'a> Generator<'a> {
    fn new(resolve: &'a Resolve, world: WorldId, options: &'a Options) -> Result<Generator<'a>> {
        let mut generator = Generator {
            resolve,
            world,
            options,
            krate: &options.krate,
            infos: RefCell::default(),
            imported: HashMap::new(),
            exported: HashMap::new(),
            trappable_errors: HashMap::new(),
            modules: Module::default(),
        };
        generator.check_supported()?;
        let world = &resolve.worlds[world];
        for (key, item) in &world.imports {
            if let WorldItem::Interface { id, .. } = item {
                let path = generator.module_path(key, *id, Side::Import);
                generator.imported.entry(generator.original(*id)).or_insert(path);
            }
        }
        for (key, item) in &world.exports {
            if let WorldItem::Interface { id, .. } = item {
                let path = generator.module_path(key, *id, Side::Export);
                generator.exported.insert(*id, path);
            }
        }
        generator.find_trappable_errors()?;
        generator.mark_errors();
        Ok(generator)
    }

    /// Refuses what there is no Rust type for.
    fn check_supported(&self) -> Result<()> {
        let world = &self.resolve.worlds[self.world];
        let mut infos = self.infos.borrow_mut();
        for (key, item) in world.imports.iter().chain(&world.exports) {
            let mut types: Vec<Type> = match item {
                WorldItem::Function(_) => vec![],
                WorldItem::Type { id, .. } => vec![Type::Id(*id)],
                WorldItem::Interface { id, .. } => {
                    self.resolve.interfaces[*id].types.values().map(|id| Type::Id(*id)).collect()
                }
            };
            for func in self.functions(item) {
                types.extend(func.params.iter().map(|param| param.ty).chain(func.result));
            }
            if types.iter().any(|ty| infos.of(self.resolve, ty).error_context) {
                let key = self.resolve.name_world_key(key);
                let message = format!("`{key}` uses error contexts, which are not supported");
                return Err(Error::new(Span::call_site(), message));
            }
        }
        Ok(())
    }

    /// The functions of an item of the world.
    fn functions(&self, item: &'a WorldItem) -> Vec<&'a Function> {
        match item {
            WorldItem::Function(func) => vec![func],
            WorldItem::Interface { id, .. } => {
                self.resolve.interfaces[*id].functions.values().collect()
            }
            WorldItem::Type { .. } => vec![],
        }
    }

    /// Whether any function of the imports, or of the exports, is a future.
    fn has_futures(&self, side: Side) -> bool {
        let world = &self.resolve.worlds[self.world];
        let (items, options) = match side {
            Side::Import => (&world.imports, &self.options.imports),
            Side::Export => (&world.exports, &self.options.exports),
        };
        let mut functions = items.values().flat_map(|item| self.functions(item));
        options.any_asynchronous() || functions.any(|func| func.kind.is_async())
    }

    /// The interface of which this one is a copy under another name.
    fn original(&self, interface: InterfaceId) -> InterfaceId {
        self.resolve.interfaces[interface].clone_of.unwrap_or(interface)
    }

    /// The name of the module of a package: with its version where there are several.
    fn package_name(&self, package: PackageId) -> String {
        let name = &self.resolve.packages[package].name;
        let others = self.resolve.packages.iter().filter(|(_, other)| {
            other.name.namespace == name.namespace && other.name.name == name.name
        });
        match &name.version {
            Some(version) if others.count() > 1 => format!("{}{version}", name.name),
            _ => name.name.clone(),
        }
    }

    fn module_path(&self, key: &WorldKey, id: InterfaceId, side: Side) -> Vec<Ident> {
        let interface = &self.resolve.interfaces[id];
        let mut path = match side {
            Side::Import => vec![],
            Side::Export => vec![format_ident!("exports")],
        };
        match (key, side, &interface.name, interface.package) {
            // An interface that is imported under other names has one module for all.
            (WorldKey::Interface(_), _, Some(name), Some(package))
            | (WorldKey::Name(_), Side::Import, Some(name), Some(package)) => {
                path.push(value_ident(&self.resolve.packages[package].name.namespace));
                path.push(value_ident(&self.package_name(package)));
                path.push(value_ident(name));
            }
            (key, ..) => path.push(value_ident(&self.resolve.name_world_key(key))),
        }
        path
    }

    /// The path of the module of an interface, as seen from code.
    fn module_from(&self, scope: Scope, interface: InterfaceId) -> TokenStream {
        let exported = self.exported.get(&interface).filter(|_| scope.side == Side::Export);
        let path = exported.or_else(|| self.imported.get(&self.original(interface)));
        let path = path.expect("a world imports what its interfaces use");
        let root = scope.root();
        quote!(#root #(#path)::*)
    }

    /// Whether the types of an interface are a guest's, for code of a scope.
    fn is_exported(&self, scope: Scope, interface: InterfaceId) -> bool {
        scope.side == Side::Export && self.exported.contains_key(&interface)
    }

    /// The names of a part of an interface, and those of what the interface is a part of:
    /// each with its version first.
    fn keys(&self, interface: Option<&WorldKey>, item: &str) -> (Vec<String>, Vec<String>) {
        let mut within = Vec::new();
        match interface {
            None => return (vec![item.into()], within),
            Some(WorldKey::Name(name)) => within.push(name.clone()),
            Some(WorldKey::Interface(id)) => {
                let interface = &self.resolve.interfaces[*id];
                if let (Some(name), Some(package)) = (&interface.name, interface.package) {
                    let package = &self.resolve.packages[package].name;
                    let unversioned = format!("{}:{}", package.namespace, package.name);
                    let version = package.version.as_ref().map(|version| format!("@{version}"));
                    for of in [format!("{unversioned}/{name}"), unversioned] {
                        within.extend(version.as_ref().map(|version| format!("{of}{version}")));
                        within.push(of);
                    }
                    within.push(package.namespace.clone());
                }
            }
        }
        let interface = within
            .iter()
            .take_while(|name| matches!(interface, Some(WorldKey::Name(_))) || name.contains('/'));
        let own = interface.map(|name| format!("{name}.{item}")).collect();
        (own, within)
    }

    /// The names of an interface, versioned first.
    fn interface_names(&self, id: InterfaceId) -> Vec<String> {
        let (_, names) = self.keys(Some(&WorldKey::Interface(id)), "");
        names.into_iter().filter(|name| name.contains('/')).collect()
    }

    /// What stands for an interface instead of generated code: the module's path from the
    /// root.
    fn replacement(&self, key: &WorldKey) -> Option<TokenStream> {
        let (_, names) = self.keys(Some(key), "");
        let path = match key {
            WorldKey::Name(_) => vec![],
            WorldKey::Interface(id) => self.module_path(key, *id, Side::Import),
        };
        names.iter().find_map(|name| {
            let at = self.options.with.iter().position(|with| with.name.value() == *name)?;
            self.options.with[at].used.set(true);
            let with = format_ident!("__with_name{at}");
            // The modules within what is replaced.
            let rest = match (name.contains('/'), name.contains(':')) {
                (true, _) => path.get(3..),
                (false, true) => path.get(2..),
                (false, false) => path.get(1..),
            };
            let rest = rest.unwrap_or_default();
            Some(quote!(#with #(::#rest)*))
        })
    }

    /// The path of the Rust type that stands for a resource, from the root.
    fn resource_replacement(&self, key: Option<&WorldKey>, name: &str) -> Option<Ident> {
        let (names, _) = self.keys(key, name);
        let at = self.options.with.iter().position(|with| names.contains(&with.name.value()))?;
        self.options.with[at].used.set(true);
        Some(format_ident!("__with_name{at}"))
    }

    fn find_trappable_errors(&mut self) -> Result<()> {
        for (at, (name, _)) in self.options.trappable_errors.iter().enumerate() {
            let wanted = name.value();
            let found = self.resolve.interfaces.iter().find_map(|(id, interface)| {
                self.interface_names(id).into_iter().find_map(|name| {
                    let ty = wanted.strip_prefix(&name)?.strip_prefix('.')?;
                    interface.types.get(ty).copied()
                })
            });
            let id = found.ok_or_else(|| {
                Error::new(name.span(), "there is no such type: `namespace:package/interface.type`")
            })?;
            let ident = format_ident!("__TrappableError{at}");
            self.trappable_errors.insert(self.definition(id), ident);
        }
        Ok(())
    }

    /// The type that a name by `use` or `type` stands for.
    fn definition(&self, mut id: TypeId) -> TypeId {
        while let TypeDefKind::Type(Type::Id(of)) = self.resolve.types[id].kind {
            id = of;
        }
        id
    }

    /// Finds which types are errors of functions: they implement `Error`.
    fn mark_errors(&self) {
        let world = &self.resolve.worlds[self.world];
        let mut infos = self.infos.borrow_mut();
        for item in world.imports.values().chain(world.exports.values()) {
            for func in self.functions(item) {
                infos.mark_error(self.error_of(func));
            }
        }
    }

    /// The definition of the error that a function gives.
    fn error_of(&self, func: &Function) -> Option<TypeId> {
        let Some(Type::Id(result)) = func.result else { return None };
        match &self.resolve.types[result].kind {
            TypeDefKind::Result(wit_parser::Result_ { err: Some(Type::Id(err)), .. }) => {
                Some(self.definition(*err))
            }
            _ => None,
        }
    }
}
