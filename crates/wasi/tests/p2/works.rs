//! What works, over all of the interfaces.
