//! Components from all sides: decoded, linked, called, bound by macros, and wrong ones.

mod bindgen;
mod bindgen_shapes;
mod decode;
mod derive;
mod link;
mod tasks;
mod traps;
mod values;
mod wit;
