//! Components: decoded, validated and ready to be instantiated.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use zwasm::source::{self, Kind};
use zwasm::{Engine, Result};

use crate::decode;
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
        let binary = source::to_binary(Kind::Component, bytes.as_ref().into(), None)?;
        Component::from_vec(engine, binary.into_owned())
    }

    /// The same from a file.
    ///
    /// # Errors
    ///
    /// As [`Component::new`], and if the file cannot be read.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Component> {
        let path = path.as_ref();
        let bytes = source::read_file(path)?;
        let binary = source::to_binary(Kind::Component, bytes.into(), Some(path))?;
        Component::from_vec(engine, binary.into_owned())
    }

    /// The same from a stream, which errors call by a name; one that ends in `.wat` says
    /// that it is text.
    ///
    /// # Errors
    ///
    /// As [`Component::from_file`].
    pub fn from_reader(
        engine: &Engine,
        reader: &mut dyn Read,
        name: impl AsRef<Path>,
    ) -> Result<Component> {
        let name = name.as_ref();
        let bytes = source::read(reader, name)?;
        let binary = source::to_binary(Kind::Component, bytes.into(), Some(name))?;
        Component::from_vec(engine, binary.into_owned())
    }

    /// The same from binary only.
    ///
    /// # Errors
    ///
    /// As [`Component::new`].
    pub fn from_binary(engine: &Engine, bytes: &[u8]) -> Result<Component> {
        Component::from_vec(engine, bytes.to_vec())
    }

    /// The same, keeping the bytes: the core modules within are parts of them.
    ///
    /// # Errors
    ///
    /// As [`Component::new`].
    pub fn from_vec(engine: &Engine, bytes: Vec<u8>) -> Result<Component> {
        let plan = decode::decode(engine, &Arc::new(bytes))?;
        Ok(Component(Arc::new(Inner { engine: engine.clone(), plan })))
    }

    /// Whether bytes are a component, binary or text, as far as their beginning tells.
    pub fn is_component(bytes: &[u8]) -> bool {
        source::is_component(bytes)
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// What the component imports and exports.
    pub fn component_type(&self) -> types::Component {
        let plan = &self.0.plan;
        types::Component::new(&plan.types, &plan.uninstantiated, &plan.items)
    }

    /// The core modules in the component, in their order in its bytes.
    pub fn modules(&self) -> impl ExactSizeIterator<Item = &zwasm::Module> {
        self.0.plan.modules.iter()
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component").finish_non_exhaustive()
    }
}
