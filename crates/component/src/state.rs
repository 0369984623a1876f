//! What a store knows of the components in it.
//!
//! It is an attachment of the store. Nested components are instances of their own here,
//! each with its table of handles and its flags; a number names one for the life of the
//! store.
//!
//! Calls keep three things here. *Entered*: the host enters a component (the root and all
//! within) once at a time, and never again after it trapped; guests within enter each
//! other without a check, as a call between parent and child always traps and all other
//! calls follow the order of instantiation. *May leave*: while `realloc` or `post-return`
//! run, no import may be called. *Scopes*: a call that lends handles has one, in which it
//! stands what was lent by whom and how many of these loans the callee still holds. A
//! thread has the scopes of the calls it is in.
//!
//! Specification: Canonical ABI, "Component Instance State", "Resource State".

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zwasm::{
    AsContextMut, Error, Global, GlobalType, Memory, Mutability, Result, SlotFunc, StoreContextMut,
    Val, ValType,
};

use crate::abi::signature::Signature;
use crate::abi::{AnyStore, StringEncoding};
use crate::handles::{HandleTable, HostHandle};
use crate::resource::Kind;
use crate::task::{InstanceTasks, Key, Slab, Tasks};
use crate::types::{FuncIndex, Types};
use crate::{Func, ResourceType};

/// A component instance of a store, nested ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct RuntimeInstance(pub(crate) u32);

/// The canonical options of a lifted or lowered function, found when it is made.
#[derive(Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) instance: RuntimeInstance,
    pub(crate) memory: Option<Memory>,
    pub(crate) realloc: Option<SlotFunc>,
    pub(crate) encoding: StringEncoding,
}

impl Options {
    /// Whether values are read in the same way, as far as they lie in memory.
    pub(crate) fn lifts_like(&self, other: &Options) -> bool {
        self.encoding == other.encoding && (self.memory.is_none() || self.memory == other.memory)
    }
}

/// A core function as a component function.
#[derive(Clone)]
pub(crate) struct Lifted {
    pub(crate) core: SlotFunc,
    pub(crate) post_return: Option<SlotFunc>,
    pub(crate) asynchronous: bool,
    /// What is called with each event that a task waited for.
    pub(crate) callback: Option<SlotFunc>,
    pub(crate) types: Arc<Types>,
    pub(crate) ty: FuncIndex,
    /// What the resources of the type are, by their places in the plan.
    pub(crate) resources: Arc<[ResourceType]>,
    pub(crate) options: Options,
}

/// A function that the host calls, with how its type is passed.
pub(crate) struct Export {
    pub(crate) lifted: Lifted,
    pub(crate) signature: Signature,
}

impl Export {
    pub(crate) fn new(lifted: Lifted) -> Export {
        let signature = match lifted.asynchronous {
            true => Signature::lifted_async(&lifted.types, lifted.ty),
            false => Signature::new(&lifted.types, lifted.ty),
        };
        Export { lifted, signature }
    }

    /// Whether calls may wait.
    pub(crate) fn asynchronous(&self) -> bool {
        self.lifted.types[self.lifted.ty].asynchronous
    }
}

/// The components of a store.
pub struct Components {
    /// Tells handles of this store from those of others.
    id: u64,
    instances: Vec<InstanceState>,
    /// The resources that guests define.
    resources: Vec<GuestResource>,
    host_destructors: HashMap<ResourceType, SlotFunc, Mixed>,
    funcs: Vec<Arc<Export>>,
    /// Calls that lend handles.
    scopes: Slab<Scope>,
    /// Those that the thread that runs is in, the innermost last.
    pub(crate) open: Vec<u64>,
    /// The owners that the host holds, by a number that is never given again.
    pub(crate) held: HashMap<u64, HostHandle, Mixed>,
    pub(crate) next_held: u64,
    /// Handles and loans there are.
    pub(crate) live: usize,
    /// What adapters call to trap, once there are some.
    pub(crate) trap: Option<zwasm::Func>,
    pub(crate) tasks: Tasks,
}

/// How keys are hashed that nobody can choose so that they collide: numbers of types, and
/// those that a store counts. Each instance of a component enters dozens.
pub(crate) type Mixed = BuildHasherDefault<Mix>;

/// Multiplies, and takes the middle of the product.
#[derive(Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        // An odd number with as many ones as zeros, as far from any regular pattern as can
        // be: the fraction of the golden ratio.
        let product = u128::from(self.0.rotate_left(5) ^ number) * 0x9e37_79b9_7f4a_7c15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What changes about an instance as it runs.
struct InstanceState {
    parent: Option<RuntimeInstance>,
    /// The instance that has no parent.
    root: RuntimeInstance,
    may_leave: Flag,
    /// Of a root: whether the host has called it and waits.
    entered: bool,
    /// Of a root: whether it trapped.
    poisoned: bool,
    handles: HandleTable,
    tasks: InstanceTasks,
}

/// Whether an instance's core code may call imports: not while its `realloc` and
/// `post-return` run.
#[derive(Clone, Copy)]
enum Flag {
    Own(bool),
    /// It is adapters' too, which know it as a variable.
    Shared(Global),
}

struct GuestResource {
    instance: RuntimeInstance,
    destructor: Option<SlotFunc>,
}

/// What a call borrows.
#[derive(Default)]
struct Scope {
    /// Handles in the callee's table that it has to drop before it returns.
    borrows: usize,
    lenders: Vec<Lender>,
}

/// Whose handle it is.
#[derive(Clone, Copy)]
pub(crate) enum Lender {
    Guest(RuntimeInstance, u32),
    Host(u64),
}

/// What is called when an owner is dropped, and where it belongs.
#[derive(Clone, Copy)]
pub(crate) struct Destructor {
    pub(crate) func: Option<SlotFunc>,
    /// The instance that defines the resource, if a guest does.
    pub(crate) instance: Option<RuntimeInstance>,
}

impl Default for Components {
    fn default() -> Components {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Components {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            instances: Vec::new(),
            resources: Vec::new(),
            host_destructors: HashMap::default(),
            funcs: Vec::new(),
            scopes: Slab::default(),
            open: Vec::new(),
            held: HashMap::default(),
            next_held: 0,
            live: 0,
            trap: None,
            tasks: Tasks::default(),
        }
    }
}

impl Components {
    /// The number of this store's components.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// A new instance, within another if it is not that of the root.
    pub(crate) fn add_instance(&mut self, parent: Option<RuntimeInstance>) -> RuntimeInstance {
        let instance = RuntimeInstance(self.instances.len() as u32);
        let root = parent.map_or(instance, |parent| self.state(parent).root);
        self.instances.push(InstanceState {
            parent,
            root,
            may_leave: Flag::Own(true),
            entered: false,
            poisoned: false,
            handles: HandleTable::default(),
            tasks: InstanceTasks::default(),
        });
        instance
    }

    /// A new resource type, defined by an instance.
    pub(crate) fn add_resource(&mut self, instance: RuntimeInstance) -> ResourceType {
        let index = self.resources.len() as u32;
        self.resources.push(GuestResource { instance, destructor: None });
        ResourceType(Kind::Guest { store: self.id, index })
    }

    /// What is called with the representation when the owner of a resource is dropped: a
    /// function of the instance that defines it, or, for the host's resources, one made of
    /// a closure.
    pub(crate) fn set_destructor(&mut self, resource: ResourceType, destructor: SlotFunc) {
        match self.guest_resource(resource) {
            Some(index) => self.resources[index].destructor = Some(destructor),
            None => {
                self.host_destructors.insert(resource, destructor);
            }
        }
    }

    /// Makes room for the destructors of so many of the host's resources.
    pub(crate) fn reserve_destructors(&mut self, count: usize) {
        self.host_destructors.reserve(count);
    }

    /// Which of the resources that guests of this store define it is.
    fn guest_resource(&self, resource: ResourceType) -> Option<usize> {
        match resource.0 {
            Kind::Guest { store, index } => (store == self.id).then_some(index as usize),
            Kind::Host(_) | Kind::HostDynamic(_) | Kind::Uninstantiated { .. } => None,
        }
    }

    pub(crate) fn destructor(&self, resource: ResourceType) -> Destructor {
        match self.guest_resource(resource) {
            Some(index) => {
                let GuestResource { instance, destructor } = self.resources[index];
                Destructor { func: destructor, instance: Some(instance) }
            }
            None => {
                Destructor { func: self.host_destructors.get(&resource).copied(), instance: None }
            }
        }
    }

    /// Whether an instance is the one that defines a resource.
    pub(crate) fn defines(&self, instance: RuntimeInstance, resource: ResourceType) -> bool {
        self.guest_resource(resource)
            .is_some_and(|index| self.resources[index].instance == instance)
    }

    /// Keeps a function for the host to call.
    pub(crate) fn add_func(&mut self, lifted: Lifted) -> Func {
        self.funcs.push(Arc::new(Export::new(lifted)));
        Func { store: self.id, index: self.funcs.len() as u32 - 1 }
    }

    /// A function that was kept.
    ///
    /// # Errors
    ///
    /// If it is of another store.
    pub(crate) fn func(&self, func: Func) -> Result<&Arc<Export>> {
        let found = self.funcs.get(func.index as usize).filter(|_| func.store == self.id);
        found.ok_or_else(|| Error::msg("the function is of another store"))
    }

    fn state(&self, instance: RuntimeInstance) -> &InstanceState {
        &self.instances[instance.0 as usize]
    }

    fn state_mut(&mut self, instance: RuntimeInstance) -> &mut InstanceState {
        &mut self.instances[instance.0 as usize]
    }

    /// The table of handles of an instance.
    pub(crate) fn handles(&mut self, instance: RuntimeInstance) -> &mut HandleTable {
        &mut self.state_mut(instance).handles
    }

    /// The instance that holds all of the component that an instance is in.
    pub(crate) fn root(&self, instance: RuntimeInstance) -> RuntimeInstance {
        self.state(instance).root
    }

    /// Whether one of two instances is the other or is within it.
    pub(crate) fn nested(&self, a: RuntimeInstance, b: RuntimeInstance) -> bool {
        let within = |inner: RuntimeInstance, outer: RuntimeInstance| {
            std::iter::successors(Some(inner), |&at| self.state(at).parent).any(|at| at == outer)
        };
        within(a, b) || within(b, a)
    }

    /// Enters a component from outside of it.
    ///
    /// # Errors
    ///
    /// If it is entered already, or has trapped.
    pub(crate) fn enter(&mut self, instance: RuntimeInstance) -> Result<()> {
        let root = self.root(instance);
        let root = self.state_mut(root);
        if root.entered || root.poisoned {
            return Err(Error::trap_msg("cannot enter component instance"));
        }
        root.entered = true;
        Ok(())
    }

    /// Checks that a component may be entered from outside of it.
    ///
    /// # Errors
    ///
    /// As [`Components::enter`].
    pub(crate) fn check_enter(&mut self, instance: RuntimeInstance) -> Result<()> {
        self.enter(instance)?;
        self.exit(instance);
        Ok(())
    }

    /// Undoes [`Components::enter`].
    pub(crate) fn exit(&mut self, instance: RuntimeInstance) {
        self.set_entered(instance, false);
    }

    /// Lets nobody enter the component again.
    pub(crate) fn poison(&mut self, instance: RuntimeInstance) {
        let root = self.root(instance);
        self.state_mut(root).poisoned = true;
        self.tasks.unpurged = true;
    }

    /// How many calls that lend handles are under way on this thread.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// A call that lends handles, which this thread is not in yet.
    pub(crate) fn new_scope(&mut self) -> u64 {
        self.scopes.insert(Scope::default()).bits()
    }

    /// Begins a call that lends handles.
    pub(crate) fn open_scope(&mut self) {
        let scope = self.new_scope();
        self.open.push(scope);
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// If what it lent was not given back.
    pub(crate) fn close_scope(&mut self) -> Result<()> {
        if let Some(&scope) = self.open.last() {
            self.check_scope(scope)?;
        }
        self.unwind(self.depth().saturating_sub(1));
        Ok(())
    }

    /// Checks that a call has given back what it was lent.
    ///
    /// # Errors
    ///
    /// If not.
    pub(crate) fn check_scope(&self, scope: u64) -> Result<()> {
        match self.scopes.get(Key::from_bits(scope)).is_some_and(|scope| scope.borrows > 0) {
            true => Err(Error::trap_msg("borrow handles still remain at the end of the call")),
            false => Ok(()),
        }
    }

    /// Ends all calls of this thread but so many, whatever happened to what they lent.
    pub(crate) fn unwind(&mut self, depth: usize) {
        while self.open.len() > depth {
            if let Some(scope) = self.open.pop() {
                self.end_scope(scope);
            }
        }
    }

    /// Ends a call: its lenders have what they lent.
    pub(crate) fn end_scope(&mut self, scope: u64) {
        let scope = self.scopes.remove(Key::from_bits(scope));
        for lender in scope.map(|scope| scope.lenders).into_iter().flatten() {
            self.live -= 1;
            self.give_back(lender);
        }
    }

    /// The innermost call goes on when this thread is not in it any more.
    pub(crate) fn keep_scope(&mut self) -> Option<u64> {
        self.open.pop()
    }

    /// Number of the innermost call that lends handles, and what it lent.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn scope(&mut self) -> Result<(u64, &mut Vec<Lender>, &mut usize)> {
        let id = self.open.last().copied();
        let scope = id.and_then(|id| self.scopes.get_mut(Key::from_bits(id)));
        let (Some(id), Some(Scope { borrows, lenders })) = (id, scope) else {
            return Err(Error::msg(
                "a handle can be borrowed only in the parameters of a function",
            ));
        };
        Ok((id, lenders, borrows))
    }

    /// Whether a call that lends handles is still under way.
    pub(crate) fn scope_is_open(&self, id: u64) -> bool {
        self.scopes.get(Key::from_bits(id)).is_some()
    }

    /// A handle that a call lent was dropped by the callee.
    pub(crate) fn returned(&mut self, id: u64) {
        if let Some(scope) = self.scopes.get_mut(Key::from_bits(id)) {
            scope.borrows -= 1;
        }
    }

    /// Whether calls of a function are tasks.
    pub(crate) fn is_task(&self, export: &Export) -> bool {
        export.asynchronous() || self.instance_tasks_ref(export.lifted.options.instance).kind.any
    }

    /// What an instance has of tasks.
    pub(crate) fn instance_tasks(&mut self, instance: RuntimeInstance) -> &mut InstanceTasks {
        &mut self.state_mut(instance).tasks
    }

    pub(crate) fn instance_tasks_ref(&self, instance: RuntimeInstance) -> &InstanceTasks {
        &self.state(instance).tasks
    }

    /// Says whether code of the component that an instance is in is on the stack, and tells
    /// whether it was.
    pub(crate) fn set_entered(&mut self, instance: RuntimeInstance, entered: bool) -> bool {
        let root = self.root(instance);
        let before = std::mem::replace(&mut self.state_mut(root).entered, entered);
        #[cfg(feature = "async")]
        if !entered && self.tasks.has_put_off() {
            self.resume_put_off();
        }
        before
    }

    /// Whether it is.
    #[cfg(feature = "async")]
    pub(crate) fn is_entered(&self, instance: RuntimeInstance) -> bool {
        self.state(self.root(instance)).entered
    }

    /// Whether the component that an instance is in has trapped.
    pub(crate) fn is_poisoned(&self, instance: RuntimeInstance) -> bool {
        self.state(self.root(instance)).poisoned
    }
}

/// Checks that an instance may call out.
///
/// # Errors
///
/// If it may not.
pub(crate) fn check_leave(store: &mut dyn AnyStore, instance: RuntimeInstance) -> Result<()> {
    let may = match store.state().state(instance).may_leave {
        Flag::Own(may) => may,
        Flag::Shared(global) => store.variable(global),
    };
    match may {
        true => Ok(()),
        false => Err(Error::trap_msg("cannot leave component instance")),
    }
}

/// Says whether an instance may call out.
///
/// # Errors
///
/// None, for the variable is one.
pub(crate) fn set_may_leave(
    store: &mut dyn AnyStore,
    instance: RuntimeInstance,
    may: bool,
) -> Result<()> {
    match &mut store.state().state_mut(instance).may_leave {
        Flag::Own(flag) => *flag = may,
        Flag::Shared(global) => {
            let global = *global;
            store.set_variable(global, may)?;
        }
    }
    Ok(())
}

/// The variable that says whether an instance may call out.
///
/// # Errors
///
/// If it cannot be made.
pub(crate) fn shared_flag<T>(
    store: &mut StoreContextMut<'_, T>,
    instance: RuntimeInstance,
) -> Result<Global> {
    let may = match store.attachment::<Components>().state(instance).may_leave {
        Flag::Own(may) => may,
        Flag::Shared(global) => return Ok(global),
    };
    let ty = GlobalType::new(ValType::I32, Mutability::Var);
    let global = Global::new(store.as_context_mut(), ty, Val::I32(may.into()))?;
    store.attachment::<Components>().state_mut(instance).may_leave = Flag::Shared(global);
    Ok(global)
}
