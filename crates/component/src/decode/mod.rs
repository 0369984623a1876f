//! From bytes to a plan.
//!
//! In two passes: `read` validates a component with those nested in it and takes their
//! definitions down as they stand, each component once, when `weigh` has found that
//! validating them does not cost too much; `flatten` then follows them in
//! order, as instantiation would, with components in place of their instantiations and
//! what is given to them in place of their imports. Types are values in this: a nested
//! component's types are those of the arguments that it is instantiated with (`types`).

mod built_in;
mod flatten;
mod modules;
mod read;
mod scope;
#[cfg(test)]
mod tests;
mod types;
mod weigh;

use std::sync::Arc;

use zwasm::source::{self, Kind};
use zwasm::{Engine, Error, ErrorKind, Result};

use crate::plan::Plan;

/// Decodes and validates a component in binary.
pub(crate) fn decode(engine: &Engine, bytes: &Arc<Vec<u8>>) -> Result<Plan> {
    source::check_binary(Kind::Component, bytes)?;
    if !engine.component_features().component_model() {
        let message = "invalid component: the feature 'component-model' is disabled";
        return Err(Error::of_kind(ErrorKind::Invalid, message));
    }
    let parts = read::read(engine, bytes)?;
    flatten::flatten(&parts, bytes.len())
}

/// The error for what validation is to rule out, so that a mistake there is no panic here.
fn inconsistent(what: &str) -> Error {
    Error::of_kind(ErrorKind::Invalid, format!("invalid component: {what} is not as validated"))
}

/// The error for what validates and no component uses yet.
fn unsupported(what: &str) -> Error {
    Error::of_kind(
        ErrorKind::Unsupported,
        format!("the component uses {what}, which is not supported"),
    )
}
