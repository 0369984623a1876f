//! Limits, and numbers that were chosen by measuring.

/// How deep components may be nested, and their instantiations within each other.
pub(crate) const MAX_NESTING: usize = 100;

/// How much flattening a component may take: definitions followed, each as often as what
/// it stands in is instantiated. What tools make takes less than one for 8 bytes of the
/// component; in a small one with nested instantiations it may be more.
pub(crate) const FLATTENING_WORK: usize = 200_000;

/// So much more for each byte of the component.
pub(crate) const FLATTENING_WORK_PER_BYTE: usize = 1;

/// And no more than this in all.
pub(crate) const MAX_FLATTENING_WORK: usize = 4_000_000;
