//! What embedders do, right and wrong, and what they are promised. What asks something of
//! the whole process has a program of its own beside this one.

mod async_api;
mod async_limits;
mod callers;
mod coredump;
mod custom;
mod fuel_turns;
mod gc_new;
mod host_calls;
mod limits;
mod lines;
mod linking;
mod misuse;
mod pool;
mod proportion;
mod slot_funcs;
mod threads;
mod types;
