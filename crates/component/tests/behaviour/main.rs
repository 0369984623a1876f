//! Components from all sides: decoded, linked, called, bound by macros, and wrong ones.

#[cfg(feature = "async")]
mod asynchronous;
mod bindgen;
#[cfg(feature = "async")]
mod bindgen_async;
#[cfg(feature = "async")]
mod bindgen_concurrent;
mod bindgen_shapes;
#[cfg(feature = "async")]
mod concurrent;
mod costs;
mod decode;
mod derive;
mod link;
mod tasks;
mod traps;
mod values;
mod wit;
