//! Tests of the command as users meet it: the real binary, its output and its
//! exit codes.

mod bad_input;
mod cases;
#[cfg(feature = "component")]
mod component_guests;
#[cfg(feature = "component")]
mod component_programs;
#[cfg(feature = "component")]
mod components;
mod contract;
mod debugging;
mod documented;
mod examples;
mod guests;
#[cfg(unix)]
mod install;
#[cfg(feature = "component")]
#[path = "../../src/json_reader.rs"]
mod json_reader;
mod limits;
mod link;
#[cfg(feature = "trace")]
mod observe;
mod person;
mod programs;
mod scripting;
#[cfg(feature = "wast")]
mod scripts;
#[cfg(feature = "serve")]
mod serve;
mod shells;
mod sources;
mod support;
mod values;
mod wasi;
