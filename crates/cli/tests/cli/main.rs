//! Tests of the command as users meet it: the real binary, its output and its
//! exit codes.

mod bad_input;
mod contract;
mod examples;
mod install;
mod limits;
mod programs;
mod support;
mod wasi;
