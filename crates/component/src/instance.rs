//! Instances of components, and what they export.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zwasm::{AsContext, Error, Module, Result, StoreContextMut};

use crate::plan::{Export, ExportEntry, FuncDef, Plan};
use crate::types::ComponentItem;
use crate::{Component, ComponentNamedList, Func, Lift, Lower, ResourceType, TypedFunc};

/// An instance of a component in a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    /// The number of the store's instances.
    store: u64,
    index: u32,
}

/// What is kept of an instance for whoever looks at it from outside.
pub(crate) struct Root {
    pub(crate) component: Component,
    /// What the resource types of the plan are here.
    pub(crate) resources: Arc<[ResourceType]>,
    /// Of the lifted functions, those that are exported.
    pub(crate) funcs: Vec<Option<Func>>,
    /// Of what is imported, the modules.
    pub(crate) modules: Vec<Option<Module>>,
}

/// The instances of a store.
struct Roots {
    /// Tells instances of this store from those of others.
    id: u64,
    roots: Vec<Arc<Root>>,
}

impl Default for Roots {
    fn default() -> Roots {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Roots { id: NEXT.fetch_add(1, Ordering::Relaxed), roots: Vec::new() }
    }
}

/// The place of something that a component exports, found once for many look-ups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComponentExportIndex {
    /// The address of the component's plan.
    component: usize,
    /// Which of the levels of exports.
    level: u32,
    /// Which entry there.
    entry: u32,
}

/// How an export can be named: by a string, or a place found before.
pub trait InstanceExportLookup {
    /// The place in a component, if it has such an export.
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex>;
}

impl InstanceExportLookup for str {
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex> {
        component.get_export_index(None, self)
    }
}

impl InstanceExportLookup for String {
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex> {
        component.get_export_index(None, self)
    }
}

impl InstanceExportLookup for ComponentExportIndex {
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex> {
        (self.component == component.address()).then_some(*self)
    }
}

impl<L: InstanceExportLookup + ?Sized> InstanceExportLookup for &L {
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex> {
        (**self).lookup(component)
    }
}

impl Component {
    fn address(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// The place of an export, or of one within an exported instance. The name of one
    /// within may have the path before it: `namespace:package/interface@version#name`.
    pub fn get_export_index(
        &self,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<ComponentExportIndex> {
        let plan = &self.0.plan;
        let level = match instance {
            None => 0,
            Some(instance) => level_of(plan, instance.lookup(self)?)?,
        };
        let exports = plan.exports.get(level as usize)?;
        if let Some(entry) = exports.find(name) {
            let component = self.address();
            return Some(ComponentExportIndex { component, level, entry: entry as u32 });
        }
        let (outer, name) = name.split_once('#')?;
        let entry = exports.find(outer)? as u32;
        let outer = ComponentExportIndex { component: self.address(), level, entry };
        self.get_export_index(Some(&outer), name)
    }

    /// The type of an export and its place; as [`Component::get_export_index`].
    pub fn get_export(
        &self,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<(ComponentItem, ComponentExportIndex)> {
        let index = self.get_export_index(instance, name)?;
        let plan = &self.0.plan;
        let ty = entry(plan, index)?.ty.as_ref()?;
        Some((ComponentItem::new(&plan.types, &plan.uninstantiated, ty), index))
    }
}

/// What is at a place; the component that it was found in may be gone, and another have
/// its address.
fn entry(plan: &Plan, index: ComponentExportIndex) -> Option<&ExportEntry> {
    plan.exports.get(index.level as usize)?.entries.get(index.entry as usize)
}

/// The level of exports of an exported instance.
fn level_of(plan: &Plan, index: ComponentExportIndex) -> Option<u32> {
    match entry(plan, index)?.export {
        Export::Instance(level) => Some(level),
        Export::Func(_)
        | Export::Module(_)
        | Export::ImportedModule(_)
        | Export::Resource(_)
        | Export::Type => None,
    }
}

impl Instance {
    pub(crate) fn add<T: 'static>(store: &mut StoreContextMut<'_, T>, root: Root) -> Instance {
        let roots: &mut Roots = store.attachment();
        roots.roots.push(Arc::new(root));
        Instance { store: roots.id, index: roots.roots.len() as u32 - 1 }
    }

    /// What is known of the instance, if it is one of this store.
    fn root(&self, store: impl AsContext) -> Result<Arc<Root>> {
        let store = store.as_context();
        let roots = store.attachment::<Roots>().filter(|roots| roots.id == self.store);
        let root = roots.and_then(|roots| roots.roots.get(self.index as usize));
        root.cloned().ok_or_else(|| Error::msg("the instance belongs to another store"))
    }

    /// An export, with what is known of the instance.
    fn find(
        &self,
        store: impl AsContext,
        name: impl InstanceExportLookup,
    ) -> Option<(Arc<Root>, Export)> {
        let root = self.root(store).ok()?;
        let index = name.lookup(&root.component)?;
        let export = entry(&root.component.0.plan, index)?.export;
        Some((root, export))
    }

    /// The place of an export, or of one within an exported instance; as
    /// [`Component::get_export_index`].
    pub fn get_export_index(
        &self,
        store: impl AsContext,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<ComponentExportIndex> {
        self.root(store).ok()?.component.get_export_index(instance, name)
    }

    /// The type of an export and its place; as [`Component::get_export_index`].
    pub fn get_export(
        &self,
        store: impl AsContext,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<(ComponentItem, ComponentExportIndex)> {
        let root = self.root(store).ok()?;
        let index = root.component.get_export_index(instance, name)?;
        let plan = &root.component.0.plan;
        let ty = entry(plan, index)?.ty.as_ref()?;
        Some((ComponentItem::new(&plan.types, &root.resources, ty), index))
    }

    /// An exported function. The name may be one within an exported instance:
    /// `namespace:package/interface@version#name`, or a place found before.
    pub fn get_func(&self, store: impl AsContext, name: impl InstanceExportLookup) -> Option<Func> {
        match self.find(store, name)? {
            (root, Export::Func(FuncDef::Lifted(index))) => root.funcs[index as usize],
            _ => None,
        }
    }

    /// An exported function with its types.
    ///
    /// # Errors
    ///
    /// If there is none, or it has other types.
    pub fn get_typed_func<Params, Return>(
        &self,
        store: impl AsContext,
        name: impl InstanceExportLookup,
    ) -> Result<TypedFunc<Params, Return>>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift + 'static,
    {
        let func = self.get_func(&store, name);
        let func = func.ok_or_else(|| Error::msg("the component exports no such function"))?;
        func.typed(store)
    }

    /// An exported core module.
    pub fn get_module(
        &self,
        store: impl AsContext,
        name: impl InstanceExportLookup,
    ) -> Option<Module> {
        match self.find(store, name)? {
            (root, Export::Module(index)) => {
                root.component.0.plan.modules.get(index as usize).cloned()
            }
            (root, Export::ImportedModule(index)) => {
                root.modules.get(index as usize).cloned().flatten()
            }
            _ => None,
        }
    }

    /// An exported resource type.
    pub fn get_resource(
        &self,
        store: impl AsContext,
        name: impl InstanceExportLookup,
    ) -> Option<ResourceType> {
        match self.find(store, name)? {
            (root, Export::Resource(index)) => root.resources.get(index.0 as usize).copied(),
            _ => None,
        }
    }

    /// All exports with their types; those of instances are within.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn exports(&self, store: impl AsContext) -> Vec<(String, ComponentItem)> {
        let root = match self.root(store) {
            Ok(root) => root,
            Err(error) => panic!("{error}"),
        };
        let plan = &root.component.0.plan;
        let exports = plan.items.exports.iter();
        let item = |ty| ComponentItem::new(&plan.types, &root.resources, ty);
        exports.map(|(name, ty)| (name.to_string(), item(ty))).collect()
    }

    /// The component.
    ///
    /// # Errors
    ///
    /// If the store is another one than its own.
    pub fn component(&self, store: impl AsContext) -> Result<Component> {
        Ok(self.root(store)?.component.clone())
    }
}
