//! Instantiating a component: its plan, step by step, in a store.

use std::collections::HashMap;
use std::mem::take;
use std::sync::Arc;

use zwasm::{
    AsContextMut, Engine, Error, ErrorKind, Extern, Memory, Result, SlotFunc, StoreContextMut,
};

use crate::abi::call::lower_guest;
use crate::instance::Root;
use crate::plan::{
    BuiltIn, CanonicalOptions, CoreDef, Export, FuncDef, ModuleUse, Origin, PipeOperation, Plan,
    Step,
};
use crate::prepared::{self, Bound, Prepared};
use crate::state::{Components, Lifted, Options, RuntimeInstance};
use crate::task::built_in::{self, BuiltIn as Made, Home, Operation};
use crate::types::ResourceIndex;
use crate::types::matching::{Match, Provided};
use crate::{Component, Func, Instance, ResourceType};

/// A component with its imports found.
pub struct InstancePre<T: 'static> {
    component: Component,
    imports: Arc<[Provided<T>]>,
    /// The imported resource types, at their places among all.
    resources: Arc<[ResourceType]>,
    prepared: Arc<Prepared<T>>,
}

impl<T: 'static> Clone for InstancePre<T> {
    fn clone(&self) -> Self {
        InstancePre {
            component: self.component.clone(),
            imports: self.imports.clone(),
            resources: self.resources.clone(),
            prepared: self.prepared.clone(),
        }
    }
}

impl<T: 'static> InstancePre<T> {
    pub(crate) fn new(component: Component, found: Match<T>) -> Result<InstancePre<T>> {
        let exports = component.0.plan.exports.iter().flat_map(|level| &level.entries);
        for entry in exports {
            if let Export::Func(FuncDef::Import(_)) = entry.export {
                return Err(Error::of_kind(
                    ErrorKind::Unsupported,
                    format!(
                        "the component exports '{}', a function that it imports itself, which is \
                         not supported",
                        entry.name
                    ),
                ));
            }
        }
        let Match { imports, resources } = found;
        let prepared = Arc::new(Prepared::new(&component, &imports)?);
        Ok(InstancePre { component, imports, resources, prepared })
    }

    /// The component.
    pub fn component(&self) -> &Component {
        &self.component
    }

    /// Instantiates the component.
    ///
    /// # Errors
    ///
    /// What stopped a start function.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        let mut store = store.as_context_mut();
        if !Engine::same(self.component.engine(), store.engine()) {
            return Err(Error::msg(
                "cross-`Engine` instantiation is not supported: the component is of another engine \
                 than the store",
            ));
        }
        let plan = &self.component.0.plan;
        let mut run = Run::start(store.as_context_mut(), self)?;
        for step in &plan.steps {
            run.step(store.as_context_mut(), self, step)?;
        }
        let root = run.finish(store.attachment(), self);
        Ok(Instance::add(&mut store, root))
    }
}

/// What there is of an instance while it is made.
struct Run {
    bound: Arc<Bound>,
    core_instances: Vec<zwasm::Instance>,
    core_funcs: Vec<zwasm::Func>,
    lifted: Vec<Lifted>,
    /// How many functions that are imported were made.
    lowered: usize,
    /// How many of those that were prepared.
    made: usize,
    /// What options have named: the same few memories and functions, again and again.
    memories: Vec<(CoreDef, Memory)>,
    reallocs: Vec<(CoreDef, SlotFunc)>,
}

/// What was found for a definition, or is found now.
fn once<V: Copy>(
    known: &mut Vec<(CoreDef, V)>,
    def: &CoreDef,
    find: impl FnOnce() -> Result<V>,
) -> Result<V> {
    if let Some((_, value)) = known.iter().find(|(known, _)| known == def) {
        return Ok(*value);
    }
    let value = find()?;
    known.push((def.clone(), value));
    Ok(value)
}

impl Run {
    /// Makes component instances and resource types, which steps refer to before it is
    /// their turn.
    fn start<T: 'static>(mut store: StoreContextMut<'_, T>, pre: &InstancePre<T>) -> Result<Run> {
        let plan = &pre.component.0.plan;
        let components: &mut Components = store.attachment();
        let mut instances: Vec<RuntimeInstance> = Vec::with_capacity(plan.instances.len());
        for (parent, tasks) in plan.instances.iter().zip(&plan.tasks) {
            let parent = parent.map(|parent| instances[parent as usize]);
            let instance = components.add_instance(parent);
            components.instance_tasks(instance).kind = *tasks;
            instances.push(instance);
        }
        // Until all of it has started, nobody may come in from outside.
        if let Some(root) = instances.first() {
            components.enter(*root)?;
        }
        let mut resources = pre.resources.to_vec();
        for (resource, origin) in resources.iter_mut().zip(&plan.resources) {
            if let Origin::Defined(instance) = origin {
                *resource = components.add_resource(instances[*instance as usize]);
            }
        }
        let bound = pre.prepared.bind(resources.into(), &instances);
        let destructors = pre.imports.iter().filter_map(prepared::destructor);
        components.reserve_destructors(destructors.clone().count());
        let mut made = 0;
        for (ty, _) in destructors {
            let destructor = pre.prepared.funcs.slot_func(store.as_context_mut(), &bound, made)?;
            store.attachment::<Components>().set_destructor(ty, destructor);
            made += 1;
        }
        Ok(Run {
            bound,
            core_instances: Vec::new(),
            core_funcs: Vec::new(),
            lifted: Vec::new(),
            lowered: 0,
            made,
            memories: Vec::new(),
            reallocs: Vec::new(),
        })
    }

    fn step<T: 'static>(
        &mut self,
        mut store: StoreContextMut<'_, T>,
        pre: &InstancePre<T>,
        step: &Step,
    ) -> Result<()> {
        let plan = &pre.component.0.plan;
        match step {
            Step::Destructor { resource, destructor } => {
                let destructor = self.slots(&mut store, destructor)?;
                let resource = self.resource(*resource);
                store.attachment::<Components>().set_destructor(resource, destructor);
            }
            Step::Instantiate(module) => {
                let (module, imports) = match module {
                    ModuleUse::Static(index, imports) => {
                        let imports = imports.iter().map(|def| self.core(&mut store, def));
                        (&plan.modules[*index as usize], imports.collect::<Result<Vec<_>>>()?)
                    }
                    ModuleUse::Import(index, given) => {
                        let module = imported_module(pre, *index)?;
                        let given =
                            given.iter().map(|given| ((&*given.module, &*given.name), given));
                        let given: HashMap<_, _> = given.collect();
                        let imports = module.imports().map(|import| {
                            let name = (import.module(), import.name());
                            // What the module imports was compared with what it gets.
                            let given = given.get(&name).ok_or_else(|| missing(name.1))?;
                            self.core(&mut store, &given.def)
                        });
                        (module, imports.collect::<Result<Vec<_>>>()?)
                    }
                };
                let instance = zwasm::Instance::new(&mut store, module, &imports)?;
                self.core_instances.push(instance);
            }
            Step::Lift { core, ty, post_return, options } => {
                let (post_return, callback) = (post_return.as_ref(), options.callback.as_ref());
                let lifted = Lifted {
                    core: self.slots(&mut store, core)?,
                    post_return: post_return.map(|def| self.slots(&mut store, def)).transpose()?,
                    types: plan.types.clone(),
                    ty: *ty,
                    resources: self.bound.resources.clone(),
                    asynchronous: options.asynchronous,
                    callback: callback.map(|def| self.slots(&mut store, def)).transpose()?,
                    options: self.options(&mut store, options)?,
                };
                self.lifted.push(lifted);
            }
            Step::Lower { func, options, .. } => {
                let lowering = pre.prepared.lowering(self.lowered)?;
                self.lowered += 1;
                let options = self.options(&mut store, options)?;
                let resources = &self.bound.resources;
                let func = match func {
                    FuncDef::Import(_) => {
                        let (number, bound) = (self.made, &self.bound);
                        self.made += 1;
                        pre.prepared.host(&mut store, bound, number, options)?
                    }
                    FuncDef::Lifted(index) => {
                        let callee = self.lifted[*index as usize].clone();
                        lower_guest(&mut store, callee, lowering, resources, options)?
                    }
                    FuncDef::Abstract => return Err(missing("")),
                };
                self.core_funcs.push(func);
            }
            Step::ResourceNew { .. } | Step::ResourceRep { .. } | Step::ResourceDrop { .. } => {
                self.core_funcs.push(pre.prepared.funcs.func(
                    &mut store,
                    &self.bound,
                    self.made,
                )?);
                self.made += 1;
            }
            Step::BuiltIn { built_in, instance } => {
                let built_in = self.built_in(&mut store, built_in)?;
                let home = Home {
                    instance: self.bound.instances[*instance as usize],
                    types: plan.types.clone(),
                    resources: self.bound.resources.clone(),
                };
                self.core_funcs.push(built_in::make(store.as_context_mut(), home, built_in)?);
            }
        }
        Ok(())
    }

    fn resource(&self, index: ResourceIndex) -> ResourceType {
        self.bound.resources[index.0 as usize]
    }

    fn core(&self, store: impl AsContextMut, def: &CoreDef) -> Result<Extern> {
        match def {
            CoreDef::Func(index) => Ok(Extern::Func(self.core_funcs[*index as usize])),
            CoreDef::Export(instance, export) => {
                let instance = self.core_instances[*instance as usize];
                let found = match &export.number {
                    Some(number) => instance.get_module_export(store, number),
                    None => instance.get_export(store, &export.name),
                };
                found.ok_or_else(|| missing(&export.name))
            }
        }
    }

    fn slots(&self, mut store: impl AsContextMut, def: &CoreDef) -> Result<SlotFunc> {
        let func = self.core(&mut store, def)?.into_func().ok_or_else(|| missing("function"))?;
        func.slots(store.as_context_mut())
    }

    fn options(
        &mut self,
        mut store: impl AsContextMut,
        options: &CanonicalOptions,
    ) -> Result<Options> {
        let (mut memories, mut reallocs) = (take(&mut self.memories), take(&mut self.reallocs));
        let memory = options
            .memory
            .as_ref()
            .map(|def| once(&mut memories, def, || unshared(self.core(&mut store, def)?)));
        let realloc = options
            .realloc
            .as_ref()
            .map(|def| once(&mut reallocs, def, || self.slots(&mut store, def)));
        (self.memories, self.reallocs) = (memories, reallocs);
        Ok(Options {
            instance: self.bound.instances[options.instance as usize],
            memory: memory.transpose()?,
            realloc: realloc.transpose()?,
            encoding: options.encoding,
        })
    }

    fn memory(&self, mut store: impl AsContextMut, def: &CoreDef) -> Result<Memory> {
        unshared(self.core(&mut store, def)?)
    }

    /// A function for tasks, streams or futures with what it refers to found.
    fn built_in(&mut self, mut store: impl AsContextMut, built_in: &BuiltIn) -> Result<Made> {
        Ok(match built_in {
            BuiltIn::ContextGet { slot, wide } => Made::ContextGet { slot: *slot, wide: *wide },
            BuiltIn::ContextSet { slot, wide } => Made::ContextSet { slot: *slot, wide: *wide },
            BuiltIn::BackpressureInc => Made::BackpressureInc,
            BuiltIn::BackpressureDec => Made::BackpressureDec,
            BuiltIn::TaskReturn { result, results, options } => Made::TaskReturn {
                result: *result,
                results: *results,
                options: self.options(store, options)?,
            },
            BuiltIn::TaskCancel => Made::TaskCancel,
            BuiltIn::SubtaskCancel { asynchronous } => {
                Made::SubtaskCancel { asynchronous: *asynchronous }
            }
            BuiltIn::SubtaskDrop => Made::SubtaskDrop,
            BuiltIn::SetNew => Made::SetNew,
            BuiltIn::SetWait { memory } => Made::SetWait(self.memory(store, memory)?),
            BuiltIn::SetPoll { memory } => Made::SetPoll(self.memory(store, memory)?),
            BuiltIn::SetDrop => Made::SetDrop,
            BuiltIn::Join => Made::Join,
            BuiltIn::Pipe { ty, operation } => {
                let operation = match operation {
                    PipeOperation::New => Operation::New,
                    PipeOperation::Copy { reads, options } => Operation::Copy {
                        reads: *reads,
                        asynchronous: options.asynchronous,
                        options: self.options(store, options)?,
                    },
                    PipeOperation::Cancel { reads, asynchronous } => {
                        Operation::Cancel { reads: *reads, asynchronous: *asynchronous }
                    }
                    PipeOperation::Drop { reads } => Operation::Drop { reads: *reads },
                };
                Made::Pipe { ty: *ty, operation }
            }
            BuiltIn::ErrorNew(options) => Made::ErrorNew(self.options(store, options)?),
            BuiltIn::ErrorMessage(options) => Made::ErrorMessage(self.options(store, options)?),
            BuiltIn::ErrorDrop => Made::ErrorDrop,
            BuiltIn::ThreadIndex => Made::ThreadIndex,
            BuiltIn::ThreadNew { table } => {
                let table = self.core(&mut store, table)?.into_table();
                Made::ThreadNew(table.ok_or_else(|| missing("table"))?)
            }
            BuiltIn::ThreadResumeLater => Made::ThreadResumeLater,
            BuiltIn::ThreadSuspend => Made::ThreadSuspend,
            BuiltIn::ThreadYield => Made::ThreadYield,
            BuiltIn::ThreadSwitch { yields, promotes } => {
                Made::ThreadSwitch { yields: *yields, promotes: *promotes }
            }
        })
    }

    /// What is kept: only functions that are exported are called from outside.
    fn finish<T: 'static>(self, components: &mut Components, pre: &InstancePre<T>) -> Root {
        let plan: &Plan = &pre.component.0.plan;
        let mut funcs: Vec<Option<Func>> = vec![None; self.lifted.len()];
        for entry in plan.exports.iter().flat_map(|level| &level.entries) {
            if let Export::Func(FuncDef::Lifted(index)) = entry.export {
                let index = index as usize;
                funcs[index].get_or_insert_with(|| components.add_func(self.lifted[index].clone()));
            }
        }
        if let Some(root) = self.bound.instances.first() {
            components.exit(*root);
        }
        let modules = pre.imports.iter().map(|import| match import {
            Provided::Module(module) => Some(module.clone()),
            Provided::Func(_) | Provided::Resource(..) => None,
        });
        Root {
            component: pre.component.clone(),
            resources: self.bound.resources.clone(),
            funcs,
            modules: modules.collect(),
        }
    }
}

/// The error for what validation and comparison are to rule out.
pub(crate) fn missing(what: &str) -> Error {
    Error::of_kind(ErrorKind::Link, format!("what the component needs is not there: {what}"))
}

fn imported_module<T: 'static>(pre: &InstancePre<T>, index: u32) -> Result<&zwasm::Module> {
    match &pre.imports[index as usize] {
        Provided::Module(module) => Ok(module),
        Provided::Func(_) | Provided::Resource(..) => Err(missing("module")),
    }
}

fn unshared(memory: Extern) -> Result<Memory> {
    memory.into_memory().ok_or_else(|| {
        Error::of_kind(
            ErrorKind::Unsupported,
            "the component passes values through a memory that threads share, which is not \
             supported",
        )
    })
}
