//! Handles to resources, as the host has them.
//!
//! [`Resource`] is one of the host's own resources: a number that means something to the
//! host. [`ResourceAny`] is one of whichever type: an owner is kept in the store under a
//! number that is never given twice, so that a handle that was dropped or given away is
//! known to be; one that was borrowed is good until the call that lent it ends.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

use zwasm::{AsContextMut, Error, Result};

use crate::abi::{
    ComponentType, Lift, LiftContext, Lower, LowerContext, Place, TypeContext, mismatch,
};
use crate::handles::destroy;
use crate::state::Components;
use crate::types::InterfaceType;

/// Which resource a handle is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ResourceType(pub(crate) Kind);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    /// The host's, told apart by a Rust type.
    Host(TypeId),
    /// The host's, told apart by a number.
    HostDynamic(u32),
    /// A guest's: the number of the store's state and that of the resource in it.
    Guest { store: u64, index: u32 },
    /// One of a component that is not instantiated: the address of its types and the
    /// place in its plan.
    Uninstantiated { component: usize, index: u32 },
}

impl ResourceType {
    /// The resource that a Rust type stands for.
    pub fn host<T: 'static>() -> ResourceType {
        ResourceType(Kind::Host(TypeId::of::<T>()))
    }

    /// Whether a guest defines it.
    pub(crate) fn is_guest(&self) -> bool {
        matches!(self.0, Kind::Guest { .. })
    }

    /// The resource that a number stands for.
    pub fn host_dynamic(payload: u32) -> ResourceType {
        ResourceType(Kind::HostDynamic(payload))
    }
}

/// A handle to one of the host's resources, of which the number is the host's to choose.
///
/// An owner that was given to a guest is the guest's: giving it again is an error.
pub struct Resource<T> {
    handle: Handle,
    marker: PhantomData<fn() -> T>,
}

/// What is the same whatever it is a handle to.
struct Handle {
    rep: u32,
    owned: bool,
    /// Whether it was given to a guest that owns it now.
    taken: AtomicBool,
}

impl Handle {
    fn new(rep: u32, owned: bool) -> Handle {
        Handle { rep, owned, taken: AtomicBool::new(false) }
    }

    /// Makes the number a guest's.
    fn take(&self) -> Result<u32> {
        if !self.owned {
            return Err(Error::msg("cannot lower a `borrow` resource into an `own`"));
        }
        match self.taken.swap(true, Ordering::Relaxed) {
            false => Ok(self.rep),
            true => Err(Error::msg("host resource already consumed")),
        }
    }
}

impl<T: 'static> Resource<T> {
    fn of(handle: Handle) -> Resource<T> {
        Resource { handle, marker: PhantomData }
    }

    /// A handle that the guest is to own.
    pub fn new_own(rep: u32) -> Resource<T> {
        Resource::of(Handle::new(rep, true))
    }

    /// A handle that the guest borrows.
    pub fn new_borrow(rep: u32) -> Resource<T> {
        Resource::of(Handle::new(rep, false))
    }

    /// The number.
    pub fn rep(&self) -> u32 {
        self.handle.rep
    }

    /// Whether the handle is its resource's owner.
    pub fn owned(&self) -> bool {
        self.handle.owned
    }

    /// The handle of a type that is told apart at run time.
    ///
    /// # Errors
    ///
    /// If it was given to a guest, or there are too many handles.
    pub fn try_into_resource_any(self, mut store: impl AsContextMut) -> Result<ResourceAny> {
        let mut store = store.as_context_mut();
        let state: &mut Components = store.attachment();
        let ty = ResourceType::host::<T>();
        let held = match self.owned() {
            true => Held::Own(state.hold(ty, self.handle.take()?)?),
            false => Held::Rep(self.rep()),
        };
        Ok(ResourceAny { ty, store: state.id(), held })
    }

    /// The same the other way round.
    ///
    /// # Errors
    ///
    /// If the handle is of another type, was dropped or given away, or is lent.
    pub fn try_from_resource_any(
        resource: ResourceAny,
        store: impl AsContextMut,
    ) -> Result<Resource<T>> {
        resource.try_into_resource(store)
    }
}

impl<T> fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Handle { rep, owned, .. } = &self.handle;
        f.debug_struct("Resource").field("rep", rep).field("owned", owned).finish()
    }
}

/// Resource and kind of a handle's type.
fn handle(cx: &TypeContext<'_>, ty: InterfaceType) -> Result<(ResourceType, bool)> {
    cx.resource(ty).ok_or_else(|| mismatch("own` or `borrow", ty, cx))
}

#[cold]
fn another_resource() -> Error {
    Error::msg("resource type mismatch: the handle is of another resource")
}

/// Whether handles of a type are owners. They must be of the resource.
fn is_owned(cx: &TypeContext<'_>, ty: InterfaceType, resource: ResourceType) -> Result<bool> {
    match handle(cx, ty)? {
        (actual, owned) if actual == resource => Ok(owned),
        _ => Err(another_resource()),
    }
}

impl<T: 'static> ComponentType for Resource<T> {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        is_owned(cx, ty, ResourceType::host::<T>()).map(|_| ())
    }
}

impl<T: 'static> Lower for Resource<T> {
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        self.handle.lower(cx, ty, at, ResourceType::host::<T>())
    }
}

impl Handle {
    fn lower(
        &self,
        cx: &mut LowerContext<'_>,
        ty: InterfaceType,
        at: Place,
        resource: ResourceType,
    ) -> Result<()> {
        let instance = cx.options.instance;
        let index = if is_owned(&cx.cx, ty, resource)? {
            let rep = self.take()?;
            cx.state().lower_own(instance, resource, rep)?
        } else if self.taken.load(Ordering::Relaxed) {
            return Err(Error::msg("host resource already consumed"));
        } else {
            cx.state().lower_borrow(instance, resource, self.rep)?
        };
        index.lower(cx, InterfaceType::U32, at)
    }

    fn lift(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        at: Place,
        resource: ResourceType,
    ) -> Result<Handle> {
        let owned = is_owned(&cx.cx, ty, resource)?;
        let index = u32::lift(cx, InterfaceType::U32, at)?;
        let instance = cx.options.instance;
        let rep = match owned {
            true => cx.state.lift_own(instance, resource, index)?,
            false => cx.state.lift_borrow(instance, resource, index)?,
        };
        Ok(Handle::new(rep, owned))
    }
}

impl<T: 'static> Lift for Resource<T> {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        Handle::lift(cx, ty, at, ResourceType::host::<T>()).map(Resource::of)
    }
}

/// A handle to a resource of whichever type, a guest's or the host's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResourceAny {
    ty: ResourceType,
    /// The number of the store's components.
    store: u64,
    held: Held,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Held {
    /// An owner, by its number in the store.
    Own(u64),
    /// What a call with this number lent.
    Borrow { rep: u32, scope: u64 },
    /// What the host itself lends.
    Rep(u32),
}

impl ResourceAny {
    /// Which resource it is a handle of.
    pub fn ty(&self) -> ResourceType {
        self.ty
    }

    /// Whether the handle is its resource's owner.
    pub fn owned(&self) -> bool {
        matches!(self.held, Held::Own(_))
    }

    fn check(&self, state: &Components) -> Result<()> {
        match self.store == state.id() {
            true => Ok(()),
            false => Err(Error::msg("the handle is of another store")),
        }
    }

    /// What is behind a handle that is not its resource's owner.
    fn borrowed(&self, state: &mut Components) -> Result<u32> {
        match self.held {
            Held::Own(number) => state.lend_held(number),
            Held::Rep(rep) => Ok(rep),
            Held::Borrow { rep, scope } => match state.scope_is_open(scope) {
                true => Ok(rep),
                false => Err(Error::msg("the call that lent the handle has ended")),
            },
        }
    }

    fn owner(&self) -> Result<u64> {
        match self.held {
            Held::Own(number) => Ok(number),
            Held::Borrow { .. } | Held::Rep(_) => {
                Err(Error::msg("cannot lower a `borrow` resource into an `own`"))
            }
        }
    }

    /// Drops the handle, and the resource with it if it is the owner.
    ///
    /// # Errors
    ///
    /// If the handle was dropped before, is lent, or the destructor fails.
    pub fn resource_drop(self, mut store: impl AsContextMut) -> Result<()> {
        let mut store = store.as_context_mut();
        let state: &mut Components = store.attachment();
        self.check(state)?;
        match self.held {
            Held::Own(number) => {
                let (ty, rep) = state.take_held(number)?;
                destroy(&mut store, ty, rep, None)
            }
            Held::Borrow { .. } | Held::Rep(_) => Ok(()),
        }
    }

    /// The handle as one of the host's resource that a Rust type stands for.
    ///
    /// # Errors
    ///
    /// If it is of another resource, was dropped or given away, or is lent.
    pub fn try_into_resource<T: 'static>(
        self,
        mut store: impl AsContextMut,
    ) -> Result<Resource<T>> {
        let mut store = store.as_context_mut();
        let state: &mut Components = store.attachment();
        self.check(state)?;
        if self.ty != ResourceType::host::<T>() {
            return Err(another_resource());
        }
        Ok(match self.held {
            Held::Own(number) => Resource::new_own(state.take_held(number)?.1),
            Held::Borrow { .. } | Held::Rep(_) => Resource::new_borrow(self.borrowed(state)?),
        })
    }

    /// As [`Resource::try_into_resource_any`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_from_resource<T: 'static>(
        resource: Resource<T>,
        store: impl AsContextMut,
    ) -> Result<ResourceAny> {
        resource.try_into_resource_any(store)
    }
}

impl ComponentType for ResourceAny {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        handle(cx, ty).map(|_| ())
    }
}

impl Lower for ResourceAny {
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        let (resource, owned) = handle(&cx.cx, ty)?;
        if resource != self.ty {
            return Err(another_resource());
        }
        let instance = cx.options.instance;
        let state = cx.state();
        self.check(state)?;
        let index = if owned {
            let (_, rep) = state.take_held(self.owner()?)?;
            state.lower_own(instance, resource, rep)?
        } else {
            let rep = self.borrowed(state)?;
            state.lower_borrow(instance, resource, rep)?
        };
        index.lower(cx, InterfaceType::U32, at)
    }
}

impl Lift for ResourceAny {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        let (ty, owned) = handle(&cx.cx, ty)?;
        let index = u32::lift(cx, InterfaceType::U32, at)?;
        let (instance, state) = (cx.options.instance, &mut *cx.state);
        let held = if owned {
            let rep = state.lift_own(instance, ty, index)?;
            Held::Own(state.hold(ty, rep)?)
        } else {
            let rep = state.lift_borrow(instance, ty, index)?;
            Held::Borrow { rep, scope: state.scope()?.0 }
        };
        Ok(ResourceAny { ty, store: state.id(), held })
    }
}
