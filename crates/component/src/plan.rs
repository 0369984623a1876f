//! A component as a flat list of steps: nested components are in place of their
//! instantiations, aliases followed, arguments found.

use std::sync::Arc;

use crate::types::Types;

/// What instantiating a component does, in order.
pub(crate) struct Plan {
    pub(crate) types: Arc<Types>,
}
