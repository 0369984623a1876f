//! The core functions that all instances of a component have alike: what the host gives
//! them, and what makes and gives up handles.
//!
//! A server makes an instance for each request, with dozens of such functions, most of which
//! no request calls. So they are made once, for the component with its imports found: one
//! closure does what a function's number says ([`SlotFuncs`]), with what differs from
//! instance to instance ([`Bound`]).

use std::sync::{Arc, OnceLock};

use zwasm::{AsContextMut, Caller, FuncType, Result, SlotFuncs, StoreContextMut, ValType};

use crate::abi::call::{HostFunc, Lowering, Passing, call_host};
use crate::abi::stack;
use crate::handles::{resource_drop, resource_new, resource_rep};
use crate::instantiate::missing;
use crate::linker::HostDestructor;
use crate::plan::{FuncDef, Step};
use crate::state::{Options, RuntimeInstance};
use crate::types::ResourceIndex;
use crate::types::matching::Provided;
use crate::{Component, ResourceType};

/// What is an instance's own.
pub(crate) struct Bound {
    pub(crate) resources: Arc<[ResourceType]>,
    pub(crate) instances: Box<[RuntimeInstance]>,
    /// The options of the host's functions, by their numbers: found one by one, as the memories
    /// are that they name.
    options: Box<[OnceLock<Options>]>,
}

/// What a function does.
enum Work<T: 'static> {
    /// Gives up one of the host's resources.
    Destroy(HostDestructor<T>),
    Host(HostFunc<T>, Arc<Lowering>),
    /// Something with a handle to a resource in an instance.
    Handle(Operation, ResourceIndex, u32),
}

/// What is done with a handle.
#[derive(Clone, Copy)]
enum Operation {
    New,
    Rep,
    Drop,
}

/// The functions of a component with its imports found: first the destructors of imported
/// resources, then those of the steps that make one each.
pub(crate) struct Prepared<T: 'static> {
    pub(crate) funcs: SlotFuncs<T, Bound>,
    /// How many there are.
    len: usize,
    /// How the functions are passed that are imported, in the order of their steps.
    lowerings: Vec<Arc<Lowering>>,
}

impl<T: 'static> Prepared<T> {
    pub(crate) fn new(component: &Component, imports: &[Provided<T>]) -> Result<Prepared<T>> {
        let (engine, plan) = (component.engine(), &component.0.plan);
        let handle = |results| {
            FuncType::new(engine, [ValType::I32], std::iter::repeat_n(ValType::I32, results))
        };
        let (gives_up, gives) = (handle(0), handle(1));
        let (mut works, mut types, mut lowerings) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |work, ty: &FuncType| {
            works.push(work);
            types.push(ty.clone());
        };
        for destructor in imports.iter().filter_map(destructor) {
            add(Work::Destroy(destructor.1.clone()), &gives_up);
        }
        for step in &plan.steps {
            match step {
                Step::Lower { func, ty, options } => {
                    let waits = options.asynchronous;
                    let lowering = Arc::new(Lowering::new(engine, &plan.types, *ty, waits));
                    if let FuncDef::Import(index) = func {
                        let Provided::Func(func) = &imports[*index as usize] else {
                            return Err(missing("function"));
                        };
                        add(Work::Host(func.clone(), lowering.clone()), &lowering.core);
                    }
                    lowerings.push(lowering);
                }
                Step::ResourceNew { resource, instance } => {
                    add(Work::Handle(Operation::New, *resource, *instance), &gives);
                }
                Step::ResourceRep { resource, instance } => {
                    add(Work::Handle(Operation::Rep, *resource, *instance), &gives);
                }
                Step::ResourceDrop { resource, instance } => {
                    add(Work::Handle(Operation::Drop, *resource, *instance), &gives_up);
                }
                Step::Destructor { .. }
                | Step::Instantiate(_)
                | Step::Lift { .. }
                | Step::BuiltIn { .. } => {}
            }
        }
        let len = works.len();
        let work = move |caller: Caller<'_, T>, bound: &Bound, number: usize, slots: &mut [u64]| {
            works[number].run(caller.into(), bound, number, slots)
        };
        Ok(Prepared { funcs: SlotFuncs::new(engine, types, work)?, len, lowerings })
    }

    /// What an instance has of its own, before there are functions.
    pub(crate) fn bind(
        &self,
        resources: Arc<[ResourceType]>,
        instances: &[RuntimeInstance],
    ) -> Arc<Bound> {
        let options = std::iter::repeat_with(OnceLock::new).take(self.len).collect();
        Arc::new(Bound { resources, instances: instances.into(), options })
    }

    /// How the function is passed of the step with this number among those that lower one.
    pub(crate) fn lowering(&self, index: usize) -> Result<&Arc<Lowering>> {
        self.lowerings.get(index).ok_or_else(|| missing("function"))
    }

    /// One of the host's functions, by its number.
    pub(crate) fn host(
        &self,
        store: impl AsContextMut<Data = T>,
        bound: &Arc<Bound>,
        number: usize,
        options: Options,
    ) -> Result<zwasm::Func> {
        let place = bound.options.get(number).ok_or_else(|| missing("function"))?;
        let _ = place.set(options);
        self.funcs.func(store, bound, number)
    }
}

impl<T: 'static> Work<T> {
    fn run(
        &self,
        store: StoreContextMut<'_, T>,
        bound: &Bound,
        number: usize,
        slots: &mut [u64],
    ) -> Result<()> {
        let argument = slots.first().map_or(0, |slot| *slot as u32);
        match self {
            Work::Destroy(destructor) => destructor(store, argument),
            Work::Host(func, lowering) => {
                let options = bound.options[number].get().ok_or_else(|| missing("function"))?;
                let passing = Passing { lowering, resources: &bound.resources, options };
                call_host(store, func, passing, slots)
            }
            Work::Handle(operation, resource, instance) => {
                let resource = bound.resources[resource.0 as usize];
                let instance = bound.instances[*instance as usize];
                let result = stack::pass(store, |mut store| match operation {
                    Operation::New => resource_new(&mut store, resource, instance, argument),
                    Operation::Rep => resource_rep(&mut store, resource, instance, argument),
                    Operation::Drop => {
                        resource_drop(&mut store, resource, instance, argument).map(|()| 0)
                    }
                })?;
                slots[0] = result.into();
                Ok(())
            }
        }
    }
}

/// One of the host's resource types, and its destructor. A guest's resource that is passed on
/// keeps the one that the guest gave.
pub(crate) fn destructor<T: 'static>(
    import: &Provided<T>,
) -> Option<(ResourceType, &HostDestructor<T>)> {
    match import {
        Provided::Resource(ty, destructor) if !ty.is_guest() => Some((*ty, destructor)),
        Provided::Resource(..) | Provided::Func(_) | Provided::Module(_) => None,
    }
}
