//! A component as a flat list of steps: nested components are in place of their
//! instantiations, aliases followed, arguments found.
//!
//! Nothing in it depends on a store or on what is imported, and no step looks anything
//! up but exports of core instances. What a step makes is named by its number among
//! those of its kind.

use std::sync::Arc;

use zwasm::{Module, ModuleExport};

use crate::ResourceType;
use crate::abi::StringEncoding;
use crate::types::items::{ComponentItems, ItemType};
use crate::types::versions;
use crate::types::{FuncIndex, InterfaceType, ResourceIndex, TypeIndex, Types};

/// What instantiating a component does, in order.
pub(crate) struct Plan {
    pub(crate) types: Arc<Types>,
    /// The resource types, as long as the component is not instantiated.
    pub(crate) uninstantiated: Arc<[ResourceType]>,
    /// The types of what the component imports and exports.
    pub(crate) items: Arc<ComponentItems>,
    pub(crate) modules: Vec<Module>,
    /// What is to be provided.
    pub(crate) imports: Vec<Import>,
    /// Imported names of resources that have another one before. Nothing needs to be
    /// provided for them; what is has to be the same.
    pub(crate) again: Vec<Import>,
    /// Where each resource type comes from.
    pub(crate) resources: Vec<Origin>,
    /// Of each component instance, that of the root first, the one it is nested in.
    pub(crate) instances: Vec<Option<u32>>,
    /// Of each of them, how its functions run.
    pub(crate) tasks: Vec<Tasks>,
    pub(crate) steps: Vec<Step>,
    /// What the component exports, and what the instances among that export.
    pub(crate) exports: Vec<Exports>,
}

/// Something that whoever instantiates the component provides: what is in imported
/// instances has a path.
pub(crate) struct Import {
    pub(crate) path: Box<[Arc<str>]>,
    /// The interface that the first name of the path stands for, if it says so.
    pub(crate) implements: Option<Arc<str>>,
    pub(crate) ty: ItemType,
}

/// Where a resource type comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// By its place among the imports.
    Import(u32),
    /// By the instance that defines it.
    Defined(u32),
    /// From nowhere: it is part of the type of a component.
    Abstract,
}

/// A component function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FuncDef {
    /// By its place among the imports.
    Import(u32),
    /// By its number among the lifted ones.
    Lifted(u32),
    /// One of which only the type matters.
    Abstract,
}

/// Something of a core module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CoreDef {
    /// A function that a step made, by its number among these.
    Func(u32),
    /// What an instance exports.
    Export(u32, CoreExport),
}

/// An export of a core instance.
#[derive(Clone, Debug)]
pub(crate) struct CoreExport {
    pub(crate) name: Arc<str>,
    /// The same by number, if the instance's module is the component's own.
    pub(crate) number: Option<ModuleExport>,
}

impl PartialEq for CoreExport {
    fn eq(&self, other: &CoreExport) -> bool {
        self.name == other.name
    }
}

impl Eq for CoreExport {}

/// The canonical options of a function.
#[derive(Clone, Debug)]
pub(crate) struct CanonicalOptions {
    pub(crate) instance: u32,
    pub(crate) memory: Option<CoreDef>,
    pub(crate) realloc: Option<CoreDef>,
    pub(crate) encoding: StringEncoding,
    pub(crate) asynchronous: bool,
    /// What is called with each event that an asynchronous task waited for.
    pub(crate) callback: Option<CoreDef>,
}

/// A core module to instantiate, and what it is given.
#[derive(Debug)]
pub(crate) enum ModuleUse {
    /// One of the component's, and what it imports in order.
    Static(u32, Box<[CoreDef]>),
    /// An imported one, and what there is for it by names.
    Import(u32, Box<[Given]>),
}

/// What there is for an import of a module.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) module: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) def: CoreDef,
}

/// What an instance has of the functions for tasks.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tasks {
    /// Whether it has any, so that its own functions run as tasks.
    pub(crate) any: bool,
    /// Whether it has one that waits before it returns, so that its code needs a stack to
    /// wait on. Others are done at once, and what waits for them returns first.
    pub(crate) wait: bool,
}

/// A function of the canonical ABI for tasks, what they wait for, streams and futures.
///
/// Specification: Canonical ABI, `canon task.return` and what follows it.
#[derive(Debug)]
pub(crate) enum BuiltIn {
    /// Reads a number that each thread has of its own, of 64 bits if `wide`.
    ContextGet {
        slot: u32,
        wide: bool,
    },
    ContextSet {
        slot: u32,
        wide: bool,
    },
    BackpressureInc,
    BackpressureDec,
    TaskReturn {
        result: Option<InterfaceType>,
        results: TypeIndex,
        options: CanonicalOptions,
    },
    TaskCancel,
    SubtaskCancel {
        asynchronous: bool,
    },
    SubtaskDrop,
    SetNew,
    SetWait {
        memory: CoreDef,
    },
    SetPoll {
        memory: CoreDef,
    },
    SetDrop,
    Join,
    /// What streams or futures of a type have.
    Pipe {
        ty: TypeIndex,
        operation: PipeOperation,
    },
    ErrorNew(CanonicalOptions),
    ErrorMessage(CanonicalOptions),
    ErrorDrop,
    ThreadIndex,
    ThreadNew {
        table: CoreDef,
    },
    ThreadResumeLater,
    ThreadSuspend,
    ThreadYield,
    /// Goes on with another thread: one that is suspended, or if `promotes` one that is
    /// ready; this one is suspended, or ready if it `yields`.
    ThreadSwitch {
        yields: bool,
        promotes: bool,
    },
}

impl BuiltIn {
    /// Whether it may wait before it returns.
    pub(crate) fn waits(&self) -> bool {
        match self {
            BuiltIn::SetWait { .. }
            | BuiltIn::SubtaskCancel { asynchronous: false }
            | BuiltIn::ThreadSuspend
            | BuiltIn::ThreadYield
            | BuiltIn::ThreadSwitch { .. } => true,
            BuiltIn::Pipe { operation: PipeOperation::Copy { options, .. }, .. } => {
                !options.asynchronous
            }
            // No copy goes on once it is cancelled.
            BuiltIn::Pipe {
                operation:
                    PipeOperation::New | PipeOperation::Cancel { .. } | PipeOperation::Drop { .. },
                ..
            }
            | BuiltIn::ContextGet { .. }
            | BuiltIn::ContextSet { .. }
            | BuiltIn::BackpressureInc
            | BuiltIn::BackpressureDec
            | BuiltIn::TaskReturn { .. }
            | BuiltIn::TaskCancel
            | BuiltIn::SubtaskCancel { asynchronous: true }
            | BuiltIn::SubtaskDrop
            | BuiltIn::SetNew
            | BuiltIn::SetPoll { .. }
            | BuiltIn::SetDrop
            | BuiltIn::Join
            | BuiltIn::ErrorNew(_)
            | BuiltIn::ErrorMessage(_)
            | BuiltIn::ErrorDrop
            | BuiltIn::ThreadIndex
            | BuiltIn::ThreadNew { .. }
            | BuiltIn::ThreadResumeLater => false,
        }
    }
}

/// What is done with the end of a stream or a future.
#[derive(Debug)]
pub(crate) enum PipeOperation {
    New,
    Copy { reads: bool, options: CanonicalOptions },
    Cancel { reads: bool, asynchronous: bool },
    Drop { reads: bool },
}

/// A part of instantiating a component.
#[derive(Debug)]
pub(crate) enum Step {
    /// Sets what is called when the owner of a resource is dropped.
    Destructor {
        resource: ResourceIndex,
        destructor: CoreDef,
    },
    /// Makes a core instance.
    Instantiate(ModuleUse),
    /// Makes a component function.
    Lift {
        core: CoreDef,
        ty: FuncIndex,
        post_return: Option<CoreDef>,
        options: CanonicalOptions,
    },
    /// Makes a core function, as the next ones do.
    Lower {
        func: FuncDef,
        ty: FuncIndex,
        options: CanonicalOptions,
    },
    ResourceNew {
        resource: ResourceIndex,
        instance: u32,
    },
    ResourceRep {
        resource: ResourceIndex,
        instance: u32,
    },
    ResourceDrop {
        resource: ResourceIndex,
        instance: u32,
    },
    /// One of the functions of tasks, streams and futures.
    BuiltIn {
        built_in: BuiltIn,
        instance: u32,
    },
}

/// What an instance exports.
#[derive(Default)]
pub(crate) struct Exports {
    pub(crate) entries: Vec<ExportEntry>,
    /// Places of the entries in the order of their names.
    by_name: Vec<u32>,
}

pub(crate) struct ExportEntry {
    pub(crate) name: Arc<str>,
    pub(crate) export: Export,
    pub(crate) ty: Option<ItemType>,
}

/// What is behind an exported name at run time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Export {
    Func(FuncDef),
    /// One of the component's modules.
    Module(u32),
    /// An imported module.
    ImportedModule(u32),
    /// By its place among the levels of exports.
    Instance(u32),
    Resource(ResourceIndex),
    /// What is there for its type only.
    Type,
}

impl Exports {
    pub(crate) fn new(entries: Vec<ExportEntry>) -> Exports {
        let mut by_name: Vec<u32> = (0..entries.len() as u32).collect();
        by_name.sort_unstable_by_key(|&place| &*entries[place as usize].name);
        Exports { entries, by_name }
    }

    /// The place of what has this name or that of a compatible version, the newest of
    /// these.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let name_at = |&place: &u32| &*self.entries[place as usize].name;
        match self.by_name.binary_search_by(|place| name_at(place).cmp(name)) {
            Ok(found) => Some(self.by_name[found] as usize),
            Err(_) => {
                versions::newest_compatible(name, self.entries.iter().map(|entry| &*entry.name))
            }
        }
    }
}
