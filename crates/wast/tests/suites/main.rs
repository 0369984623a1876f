//! The suites of others, where they are present, and what the runner makes of right and
//! wrong scripts.

mod common;
mod components;
mod fuel;
mod mutate;
mod official;
mod runner;
mod strict;
mod wasi;
