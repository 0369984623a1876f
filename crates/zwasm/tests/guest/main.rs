//! What guests do: the same in every tier, and what the specification says. One program,
//! for linking takes longer than most of the tests; `RUST_TEST_THREADS` and a name before
//! `::` choose among them.

mod arrays;
mod atomics;
mod exceptions;
mod faults;
mod gc;
mod held;
mod inlining;
mod large;
mod left_behind;
mod loads;
mod nan;
mod native;
mod objects;
mod promotion;
mod scalar;
mod simd;
mod stack;
mod stores;
mod tiers;
mod trap_sites;
