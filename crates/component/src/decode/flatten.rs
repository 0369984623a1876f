//! The second pass: definitions are followed, and what there is to do at instantiation
//! becomes steps.
//!
//! Instantiating a nested component is following its definitions in a scope of its own,
//! with its arguments in place of its imports. As one component may be instantiated many
//! times, and components that do so nested, the work is counted and bounded. Where only
//! the type of a component matters, the same is done without arguments, and the steps
//! are dropped.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExport, ComponentExternalKind,
    ComponentInstance, ExternalKind, Instance, ModuleTypeDeclaration,
};
use zwasm::{Error, Module, Result};

use super::inconsistent;
use super::read::{Body, Definition, Parts};
use super::scope::{
    ComponentDef, CoreInstanceDef, Item, ModuleDef, Names, Scope, ScopeId, TypeDef,
};
use super::types::{Path, Source};
use crate::ResourceType;
use crate::abi::StringEncoding;
use crate::plan::{
    CanonicalOptions, CoreDef, CoreExport, Export, ExportEntry, Exports, FuncDef, Given, Import,
    ModuleUse, Origin, Plan, Step, Tasks,
};
use crate::resource::Kind;
use crate::tuning::{
    FLATTENING_WORK, FLATTENING_WORK_PER_BYTE, MAX_FLATTENING_WORK, MAX_NESTING,
    NAME_BYTES_PER_WORK,
};
use crate::types::items::{ComponentItems, ItemType};
use crate::types::{ResourceIndex, Types};

pub(super) fn flatten(parts: &Parts<'_>, size: usize) -> Result<Plan> {
    let work = size.saturating_mul(FLATTENING_WORK_PER_BYTE).saturating_add(FLATTENING_WORK);
    let mut flattener = Flattener {
        parts,
        types: Types::default(),
        imports: Vec::new(),
        again: Vec::new(),
        resources: Vec::new(),
        instances: vec![None],
        tasks: vec![Tasks::default()],
        steps: Vec::new(),
        made: Made::default(),
        names: HashMap::new(),
        scopes: Vec::new(),
        work: work.min(MAX_FLATTENING_WORK),
        depth: 0,
        dry: false,
    };
    let root = parts.bodies.first().ok_or_else(|| inconsistent("the component"))?;
    let [imports, exports] = flattener.follow(root, None, 0, Args::Host)?;
    let items = flattener.component_items(&imports, &exports)?;
    let mut levels = Vec::new();
    flattener.exports(&exports, &mut levels)?;
    let types = Arc::new(flattener.types.sealed());
    let component = Arc::as_ptr(&types) as usize;
    let uninstantiated = (0..flattener.resources.len() as u32)
        .map(|index| ResourceType(Kind::Uninstantiated { component, index }));
    Ok(Plan {
        uninstantiated: uninstantiated.collect(),
        types,
        items: Arc::new(items),
        modules: parts.modules.clone(),
        imports: flattener.imports,
        again: flattener.again,
        resources: flattener.resources,
        instances: flattener.instances,
        tasks: flattener.tasks,
        steps: flattener.steps,
        exports: levels,
    })
}

/// How many of each kind the steps so far make.
#[derive(Default)]
struct Made {
    core_funcs: u32,
    lifted: u32,
    core_instances: u32,
}

/// What a component's imports are.
enum Args<'s, 'a> {
    /// Imports of the plan.
    Host,
    Given(&'s Names<'a, Item<'a>>),
    /// Only their types.
    Abstract,
}

pub(super) struct Flattener<'a> {
    pub(super) parts: &'a Parts<'a>,
    pub(super) types: Types,
    pub(super) imports: Vec<Import>,
    pub(super) again: Vec<Import>,
    pub(super) resources: Vec<Origin>,
    instances: Vec<Option<u32>>,
    tasks: Vec<Tasks>,
    steps: Vec<Step>,
    made: Made,
    /// Names that stay in the plan, each once.
    names: HashMap<&'a str, Arc<str>>,
    pub(super) scopes: Vec<Scope<'a>>,
    /// What is left.
    work: usize,
    pub(super) depth: usize,
    /// Whether what is followed is for its types only.
    pub(super) dry: bool,
}

impl<'a> Flattener<'a> {
    pub(super) fn spend(&mut self, work: usize) -> Result<()> {
        self.work = self.work.checked_sub(work).ok_or_else(|| {
            Error::limit(
                "the component takes too much work to instantiate: the components in it are \
                 instantiated too many times, or their types are too large",
            )
        })?;
        Ok(())
    }

    /// What it takes to go through names.
    pub(super) fn spend_names<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> Result<()> {
        self.spend(names.map(|name| 1 + name.len() / NAME_BYTES_PER_WORK).sum())
    }

    /// A name that stays.
    pub(super) fn name(&mut self, name: &'a str) -> Arc<str> {
        self.names.entry(name).or_insert_with(|| name.into()).clone()
    }

    pub(super) fn too_deep(&self) -> Error {
        Error::limit(format_args!(
            "components are instantiated within each other, or types nested, deeper than \
             {MAX_NESTING}"
        ))
    }

    /// Follows the definitions of a component, and tells what it imports and exports.
    fn follow(
        &mut self,
        body: &'a Body<'a>,
        outer: Option<ScopeId>,
        instance: u32,
        args: Args<'_, 'a>,
    ) -> Result<[Names<'a, Item<'a>>; 2]> {
        let scope = self.open(outer, instance)?;
        let mut imports = Names::default();
        let mut exports = Names::default();
        for definition in &body.definitions {
            self.spend(1)?;
            match definition {
                Definition::Import(import) => {
                    let name = import.name.name;
                    let host_name = self.name(name);
                    let implements = import.name.implements.map(|name| self.name(name));
                    let implements = implements.as_ref();
                    let path = Path { outer: None, name: &host_name, implements };
                    let source = match args {
                        Args::Host => Source::Host(&path),
                        Args::Given(args) => self.argument(Some(args), name)?,
                        Args::Abstract => Source::Abstract,
                    };
                    let item = self.take(scope, import.ty, source)?;
                    self.scopes[scope].push(item.clone());
                    imports.insert(name, item);
                }
                Definition::CoreType(ty) => self.define_core_type(scope, ty)?,
                Definition::Type(ty) => self.define_type(scope, ty)?,
                Definition::Alias(alias) => self.alias(scope, alias)?,
                Definition::Module(module) => {
                    self.scopes[scope].modules.push(ModuleDef::Static(*module));
                }
                Definition::Component(body) => {
                    let body = &self.parts.bodies[*body as usize];
                    self.scopes[scope].components.push(ComponentDef::Body(body, scope));
                }
                Definition::CoreInstance(instance) => self.core_instance(scope, instance)?,
                Definition::Instance(instance) => self.instance(scope, instance)?,
                Definition::Canonical(func) => self.canonical(scope, func)?,
                Definition::Export(export) => {
                    let item = self.export(scope, export)?;
                    exports.insert(export.name.name, item);
                }
            }
        }
        self.close();
        Ok([imports, exports])
    }

    fn step(&mut self, step: Step) {
        if !self.dry {
            self.steps.push(step);
        }
    }

    /// A step that makes a core function, which gets the next index.
    fn make_func(&mut self, scope: ScopeId, step: Step) {
        self.scopes[scope].core_funcs.push(CoreDef::Func(self.made.core_funcs));
        self.made.core_funcs += u32::from(!self.dry);
        self.step(step);
    }

    fn alias(&mut self, scope: ScopeId, alias: &'a ComponentAlias<'a>) -> Result<()> {
        match *alias {
            ComponentAlias::InstanceExport { instance_index, name, .. } => {
                self.alias_export(scope, instance_index, name)
            }
            ComponentAlias::Outer { kind, count, index } => {
                self.alias_outer(scope, kind, count, index)
            }
            ComponentAlias::CoreInstanceExport { kind, instance_index, name } => {
                let def = self.core_export(scope, instance_index, name)?;
                self.core_space(scope, kind).push(def);
                Ok(())
            }
        }
    }

    fn core_space(&mut self, scope: ScopeId, kind: ExternalKind) -> &mut Vec<CoreDef> {
        let scope = &mut self.scopes[scope];
        match kind {
            ExternalKind::Func | ExternalKind::FuncExact => &mut scope.core_funcs,
            ExternalKind::Table => &mut scope.core_tables,
            ExternalKind::Memory => &mut scope.core_memories,
            ExternalKind::Global => &mut scope.core_globals,
            ExternalKind::Tag => &mut scope.core_tags,
        }
    }

    pub(super) fn core_item(
        &mut self,
        scope: ScopeId,
        kind: ExternalKind,
        index: u32,
    ) -> Result<CoreDef> {
        let def = self.core_space(scope, kind).get(index as usize).cloned();
        def.ok_or_else(|| inconsistent("the index of a core item"))
    }

    /// What a core instance exports under a name.
    fn core_export(&mut self, scope: ScopeId, instance: u32, name: &'a str) -> Result<CoreDef> {
        match self.scopes[scope].core_instances.get(instance as usize) {
            Some(&CoreInstanceDef::Real(instance, module)) => {
                let module = module.map(|module| &self.parts.modules[module as usize]);
                let number = module.and_then(|module| module.get_export_index(name));
                Ok(CoreDef::Export(instance, CoreExport { name: self.name(name), number }))
            }
            Some(CoreInstanceDef::Bag(names)) => {
                let def = names.get(name).cloned();
                def.ok_or_else(|| inconsistent("what a core instance exports"))
            }
            None => Err(inconsistent("the index of a core instance")),
        }
    }

    fn core_instance(&mut self, scope: ScopeId, instance: &'a Instance<'a>) -> Result<()> {
        let def = match instance {
            Instance::FromExports(exports) => {
                self.spend(exports.len())?;
                let mut names = Names::default();
                for export in exports {
                    names.insert(export.name, self.core_item(scope, export.kind, export.index)?);
                }
                CoreInstanceDef::Bag(Rc::new(names))
            }
            Instance::Instantiate { module_index, args } => {
                self.spend(args.len())?;
                let mut given = Names::default();
                for arg in args {
                    given.insert(arg.name, arg.index);
                }
                let module = self.scopes[scope].modules.get(*module_index as usize).copied();
                let module = module.ok_or_else(|| inconsistent("the index of a module"))?;
                let own = match module {
                    ModuleDef::Static(index) => Some(index),
                    ModuleDef::Import(..) | ModuleDef::Abstract(..) => None,
                };
                let module = match module {
                    ModuleDef::Static(index) => {
                        let module: &'a Module = &self.parts.modules[index as usize];
                        let mut imports = Vec::new();
                        for import in module.imports() {
                            let (from, name) = (import.module(), import.name());
                            imports.push(self.core_argument(scope, &given, from, name)?);
                        }
                        ModuleUse::Static(index, imports.into())
                    }
                    ModuleDef::Import(index, declarations, _) => {
                        let mut imports = Vec::new();
                        for declaration in declarations {
                            let ModuleTypeDeclaration::Import(import) = declaration else {
                                continue;
                            };
                            let (from, name) = (import.module, import.name);
                            let def = self.core_argument(scope, &given, from, name)?;
                            let (module, name) = (self.name(from), self.name(name));
                            imports.push(Given { module, name, def });
                        }
                        ModuleUse::Import(index, imports.into())
                    }
                    ModuleDef::Abstract(..) => ModuleUse::Static(0, Box::new([])),
                };
                self.step(Step::Instantiate(module));
                let number = self.made.core_instances;
                self.made.core_instances += u32::from(!self.dry);
                CoreInstanceDef::Real(number, own)
            }
        };
        self.scopes[scope].core_instances.push(def);
        Ok(())
    }

    /// What a core module gets for an import.
    fn core_argument(
        &mut self,
        scope: ScopeId,
        given: &Names<'a, u32>,
        module: &str,
        name: &'a str,
    ) -> Result<CoreDef> {
        self.spend_names([module, name].into_iter())?;
        let instance = given.get(module).ok_or_else(|| inconsistent("an argument"))?;
        self.core_export(scope, *instance, name)
    }

    fn item(&self, scope: ScopeId, kind: ComponentExternalKind, index: u32) -> Result<Item<'a>> {
        let scope = &self.scopes[scope];
        let index = index as usize;
        let item = match kind {
            ComponentExternalKind::Func => {
                scope.funcs.get(index).map(|&(func, ty)| Item::Func(func, ty))
            }
            ComponentExternalKind::Module => scope.modules.get(index).copied().map(Item::Module),
            ComponentExternalKind::Type => scope.types.get(index).copied().map(Item::Type),
            ComponentExternalKind::Instance => {
                scope.instances.get(index).cloned().map(Item::Instance)
            }
            ComponentExternalKind::Component => {
                scope.components.get(index).copied().map(Item::Component)
            }
            ComponentExternalKind::Value => None,
        };
        item.ok_or_else(|| inconsistent("the index of an item"))
    }

    fn instance(&mut self, scope: ScopeId, instance: &'a ComponentInstance<'a>) -> Result<()> {
        let exports = match instance {
            ComponentInstance::FromExports(exports) => {
                self.spend(exports.len())?;
                let mut names = Names::default();
                for export in exports {
                    let item = self.item(scope, export.kind, export.index)?;
                    names.insert(export.name.name, item);
                }
                names
            }
            ComponentInstance::Instantiate { component_index, args } => {
                self.spend(args.len())?;
                let mut given = Names::default();
                for arg in args {
                    given.insert(arg.name, self.item(scope, arg.kind, arg.index)?);
                }
                let component = self.scopes[scope].components.get(*component_index as usize);
                match component.copied().ok_or_else(|| inconsistent("a component's index"))? {
                    ComponentDef::Body(body, outer) => {
                        let outer_instance = self.scopes[scope].instance;
                        let instance = self.instances.len() as u32;
                        if !self.dry {
                            self.instances.push(Some(outer_instance));
                            self.tasks.push(Tasks::default());
                        }
                        let args = Args::Given(&given);
                        let [_, exports] = self.follow(body, Some(outer), instance, args)?;
                        exports
                    }
                    ComponentDef::Declared(declarations, outer) => {
                        let [_, exports] = self.declared(declarations, outer, Some(&given))?;
                        exports
                    }
                }
            }
        };
        self.scopes[scope].instances.push(Rc::new(exports));
        Ok(())
    }

    /// An export, which is also the next item of its kind.
    fn export(&mut self, scope: ScopeId, export: &ComponentExport<'a>) -> Result<Item<'a>> {
        let item = self.item(scope, export.kind, export.index)?;
        let item = match export.ty {
            Some(ty) => self.take(scope, ty, Source::Item(item))?,
            None => item,
        };
        self.scopes[scope].push(item.clone());
        Ok(item)
    }

    fn canonical(&mut self, scope: ScopeId, func: &CanonicalFunction) -> Result<()> {
        let instance = self.scopes[scope].instance;
        match func {
            CanonicalFunction::Lift { core_func_index, type_index, options } => {
                let core = self.core_item(scope, ExternalKind::Func, *core_func_index)?;
                let ty = self.func_type_at(scope, *type_index)?;
                let (options, post_return) = self.options(scope, options)?;
                self.step(Step::Lift { core, ty, post_return, options });
                let func = match self.dry {
                    true => FuncDef::Abstract,
                    false => FuncDef::Lifted(self.made.lifted),
                };
                self.made.lifted += u32::from(!self.dry);
                self.scopes[scope].funcs.push((func, ty));
            }
            CanonicalFunction::Lower { func_index, options } => {
                let func = self.scopes[scope].funcs.get(*func_index as usize).copied();
                let (func, ty) = func.ok_or_else(|| inconsistent("the index of a function"))?;
                let (options, _) = self.options(scope, options)?;
                if options.asynchronous || self.types[ty].asynchronous {
                    self.has_tasks(instance, !options.asynchronous);
                }
                self.make_func(scope, Step::Lower { func, ty, options });
            }
            CanonicalFunction::ResourceNew { resource } => {
                let resource = self.resource_at(scope, *resource)?;
                self.make_func(scope, Step::ResourceNew { resource, instance });
            }
            CanonicalFunction::ResourceRep { resource } => {
                let resource = self.resource_at(scope, *resource)?;
                self.make_func(scope, Step::ResourceRep { resource, instance });
            }
            CanonicalFunction::ResourceDrop { resource } => {
                let resource = self.resource_at(scope, *resource)?;
                self.make_func(scope, Step::ResourceDrop { resource, instance });
            }
            built_in => {
                let built_in = self.built_in(scope, built_in)?;
                self.has_tasks(instance, built_in.waits());
                self.make_func(scope, Step::BuiltIn { built_in, instance });
            }
        }
        Ok(())
    }

    /// An instance has a function that only tasks can call.
    fn has_tasks(&mut self, instance: u32, waits: bool) {
        if let Some(tasks) = self.tasks.get_mut(instance as usize).filter(|_| !self.dry) {
            tasks.any = true;
            tasks.wait |= waits;
        }
    }

    pub(super) fn options(
        &mut self,
        scope: ScopeId,
        options: &[CanonicalOption],
    ) -> Result<(CanonicalOptions, Option<CoreDef>)> {
        let mut found = CanonicalOptions {
            instance: self.scopes[scope].instance,
            memory: None,
            realloc: None,
            encoding: StringEncoding::Utf8,
            asynchronous: false,
            callback: None,
        };
        let mut post_return = None;
        for option in options {
            match *option {
                CanonicalOption::UTF8 => found.encoding = StringEncoding::Utf8,
                CanonicalOption::UTF16 => found.encoding = StringEncoding::Utf16,
                CanonicalOption::CompactUTF16 => found.encoding = StringEncoding::CompactUtf16,
                CanonicalOption::Memory(index) => {
                    found.memory = Some(self.core_item(scope, ExternalKind::Memory, index)?);
                }
                CanonicalOption::Realloc(index) => {
                    found.realloc = Some(self.core_item(scope, ExternalKind::Func, index)?);
                }
                CanonicalOption::PostReturn(index) => {
                    post_return = Some(self.core_item(scope, ExternalKind::Func, index)?);
                }
                CanonicalOption::Async => found.asynchronous = true,
                CanonicalOption::Callback(index) => {
                    found.callback = Some(self.core_item(scope, ExternalKind::Func, index)?);
                }
                CanonicalOption::CoreType(_) | CanonicalOption::Gc => {
                    return Err(inconsistent("a canonical option"));
                }
            }
        }
        Ok((found, post_return))
    }

    /// The function that is called when the owner of a resource is dropped.
    pub(super) fn destructor(
        &mut self,
        scope: ScopeId,
        resource: ResourceIndex,
        index: u32,
    ) -> Result<()> {
        let destructor = self.core_item(scope, ExternalKind::Func, index)?;
        self.step(Step::Destructor { resource, destructor });
        Ok(())
    }

    /// What imports and exports of a component are of.
    fn component_items(
        &mut self,
        imports: &Names<'a, Item<'a>>,
        exports: &Names<'a, Item<'a>>,
    ) -> Result<ComponentItems> {
        Ok(ComponentItems { imports: self.items(imports)?, exports: self.items(exports)? })
    }

    fn items(&mut self, names: &Names<'a, Item<'a>>) -> Result<Vec<(Arc<str>, ItemType)>> {
        let mut items = Vec::new();
        for (name, item) in names.iter() {
            self.spend(1)?;
            let name = self.name(name);
            items.extend(self.item_type(item)?.map(|ty| (name, ty)));
        }
        Ok(items)
    }

    /// The type of an item. There is none for types of functions, instances and
    /// components, which are nothing to whoever has no part in their definition.
    fn item_type(&mut self, item: &Item<'a>) -> Result<Option<ItemType>> {
        Ok(Some(match *item {
            Item::Func(_, ty) => ItemType::Func(ty),
            Item::Instance(ref names) => ItemType::Instance(self.items(names)?.into()),
            Item::Component(component) => ItemType::Component(self.component_type(component)?),
            Item::Type(TypeDef::Value(ty)) => ItemType::Value(ty),
            Item::Type(TypeDef::Resource(resource)) => ItemType::Resource(resource),
            Item::Type(TypeDef::Func(_) | TypeDef::Instance(..) | TypeDef::Component(..)) => {
                return Ok(None);
            }
            Item::Module(ModuleDef::Static(index)) => {
                ItemType::Module(self.static_module_type(&self.parts.modules[index as usize])?)
            }
            Item::Module(
                ModuleDef::Import(_, declarations, scope)
                | ModuleDef::Abstract(declarations, scope),
            ) => ItemType::Module(self.module_type(declarations, scope)?),
        }))
    }

    /// The type of a component that is not instantiated.
    pub(super) fn component_type(
        &mut self,
        component: ComponentDef<'a>,
    ) -> Result<Arc<ComponentItems>> {
        let dry = std::mem::replace(&mut self.dry, true);
        let [imports, exports] = match component {
            ComponentDef::Body(body, outer) => {
                let instance = self.scopes[outer].instance;
                self.follow(body, Some(outer), instance, Args::Abstract)?
            }
            ComponentDef::Declared(declarations, outer) => {
                self.declared(declarations, outer, None)?
            }
        };
        let items = self.component_items(&imports, &exports)?;
        self.dry = dry;
        Ok(Arc::new(items))
    }

    /// What is behind the names that the component exports, and behind those of the
    /// instances among them: each level has a place among all.
    fn exports(&mut self, names: &Names<'a, Item<'a>>, levels: &mut Vec<Exports>) -> Result<u32> {
        let level = levels.len();
        levels.push(Exports::default());
        let mut entries = Vec::new();
        for (name, item) in names.iter() {
            self.spend(1)?;
            let export = match *item {
                Item::Func(func, _) => Export::Func(func),
                Item::Module(ModuleDef::Static(index)) => Export::Module(index),
                Item::Module(ModuleDef::Import(index, ..)) => Export::ImportedModule(index),
                Item::Instance(ref names) => Export::Instance(self.exports(names, levels)?),
                Item::Type(TypeDef::Resource(resource)) => Export::Resource(resource),
                Item::Module(ModuleDef::Abstract(..)) | Item::Component(_) | Item::Type(_) => {
                    Export::Type
                }
            };
            let ty = self.item_type(item)?;
            entries.push(ExportEntry { name: self.name(name), export, ty });
        }
        levels[level] = Exports::new(entries);
        Ok(level as u32)
    }
}
