//! Components: decoded, validated and ready to be instantiated.

use std::path::Path;
use std::sync::Arc;

use zwasm::{Engine, Result};

use crate::plan::Plan;
use crate::types;

/// A component. Cheap to clone, shared between threads and instantiated in any number of
/// stores.
#[derive(Clone)]
pub struct Component(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) plan: Plan,
}

impl Component {
    /// Decodes and validates a component in binary or, with the feature `wat`, in text.
    ///
    /// # Errors
    ///
    /// If it is none, or uses what is switched off.
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Component> {
        let _ = (engine, bytes);
        todo!()
    }

    /// The same from a file.
    ///
    /// # Errors
    ///
    /// As [`Component::new`], and if the file cannot be read.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Component> {
        let _ = (engine, path);
        todo!()
    }

    /// The same from binary only.
    ///
    /// # Errors
    ///
    /// As [`Component::new`].
    pub fn from_binary(engine: &Engine, bytes: &[u8]) -> Result<Component> {
        let _ = (engine, bytes);
        todo!()
    }

    /// Whether bytes are a component, binary or text, as far as their beginning tells.
    pub fn is_component(bytes: &[u8]) -> bool {
        let _ = bytes;
        todo!()
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// What the component imports and exports.
    pub fn component_type(&self) -> types::Component {
        todo!()
    }
}
