//! Calls across the boundary, whichever way.

use zwasm::Result;

use super::{Access, ComponentNamedList, Lift, Lower};

/// A call that the guest makes of a host function: its arguments, and where its result
/// goes. It knows nothing of the store's data, so that tables of host functions are code
/// once for all of them.
pub struct RawCall<'a> {
    slots: &'a mut [u64],
}

impl RawCall<'_> {
    /// The arguments. To be called once, before anything else.
    ///
    /// # Errors
    ///
    /// If they are no values of their types.
    pub fn args<A: ComponentNamedList + Lift>(&mut self, store: &mut dyn Access) -> Result<A> {
        let _ = (&self.slots, store);
        todo!()
    }

    /// Gives the guest the result. To be called once, after all else.
    ///
    /// # Errors
    ///
    /// If it cannot be lowered.
    pub fn finish<R: ComponentNamedList + Lower>(
        &mut self,
        store: &mut dyn Access,
        result: &R,
    ) -> Result<()> {
        let _ = (store, result);
        todo!()
    }
}
