//! What a store knows of the components in it.
//!
//! It is an attachment of the store. Nested components are instances of their own here,
//! each with its table of handles and its flags; a number names one for the life of the
//! store.

use zwasm::{Memory, SlotFunc};

use crate::abi::StringEncoding;

/// A component instance of a store, nested ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct RuntimeInstance(pub(crate) u32);

/// The canonical options of a lifted or lowered function, found when it is made.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    pub(crate) instance: RuntimeInstance,
    pub(crate) memory: Option<Memory>,
    pub(crate) realloc: Option<SlotFunc>,
    pub(crate) encoding: StringEncoding,
}

/// The components of a store.
#[derive(Default)]
pub struct Components {
    pub(crate) instances: Vec<InstanceState>,
}

/// What changes about an instance as it runs.
#[derive(Default)]
pub(crate) struct InstanceState {
    /// Whether its core code may call imports: not while its `realloc` and `post-return`
    /// run.
    pub(crate) may_leave: bool,
}
