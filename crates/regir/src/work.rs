//! Work, counted for tests of how cost grows with size.
//!
//! What goes through something that a module's author can make large says here how
//! many steps it took: instructions translated, entries looked through, words
//! emitted. Only builds with debug assertions count; the others do nothing. Each
//! thread counts its own, so that tests do not disturb each other.

#[cfg(debug_assertions)]
thread_local! {
    static STEPS: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
}

/// So many steps were taken.
#[inline(always)]
pub fn count(steps: usize) {
    #[cfg(debug_assertions)]
    STEPS.set(STEPS.get() + steps as u64);
    #[cfg(not(debug_assertions))]
    let _ = steps;
}

/// The steps of this thread so far.
pub fn steps() -> u64 {
    #[cfg(debug_assertions)]
    return STEPS.get();
    #[cfg(not(debug_assertions))]
    return 0;
}
