//! Handles to resources, as the host has them.

use std::any::TypeId;
use std::marker::PhantomData;

use zwasm::{AsContextMut, Result};

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

    /// The resource that a number stands for.
    pub fn host_dynamic(payload: u32) -> ResourceType {
        ResourceType(Kind::HostDynamic(payload))
    }
}

/// A handle to one of the host's resources, of which the number is the host's to choose.
pub struct Resource<T> {
    pub(crate) rep: u32,
    pub(crate) owned: bool,
    marker: PhantomData<fn() -> T>,
}

impl<T: 'static> Resource<T> {
    /// A handle that the guest is to own.
    pub fn new_own(rep: u32) -> Resource<T> {
        Resource { rep, owned: true, marker: PhantomData }
    }

    /// A handle that the guest borrows.
    pub fn new_borrow(rep: u32) -> Resource<T> {
        Resource { rep, owned: false, marker: PhantomData }
    }

    /// The number.
    pub fn rep(&self) -> u32 {
        self.rep
    }

    /// Whether the handle is its resource's owner.
    pub fn owned(&self) -> bool {
        self.owned
    }
}

/// A handle to a resource of whichever type, a guest's or the host's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResourceAny {
    pub(crate) ty: ResourceType,
    pub(crate) index: u32,
    pub(crate) owned: bool,
}

impl ResourceAny {
    /// Which resource it is a handle of.
    pub fn ty(&self) -> ResourceType {
        self.ty
    }

    /// Whether the handle is its resource's owner.
    pub fn owned(&self) -> bool {
        self.owned
    }

    /// Drops the handle, and the resource with it if it is the owner.
    ///
    /// # Errors
    ///
    /// If the handle was dropped before, is lent, or the destructor fails.
    pub fn resource_drop(self, store: impl AsContextMut) -> Result<()> {
        let _ = store;
        todo!()
    }
}
