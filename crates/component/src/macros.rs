//! The macros, documented where they are used.

pub use zwasm_component_macro::{ComponentType, Lift, Lower, bindgen, flags};
