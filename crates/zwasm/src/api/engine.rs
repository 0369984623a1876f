//! What engines tell of themselves and of compiled modules.

use std::hash::Hash;
use std::path::Path;

use super::serialize;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::module::Module;

/// What bytes were made of, see [`Engine::detect_precompiled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precompiled {
    /// A module.
    Module,
    /// A component.
    Component,
}

impl Engine {
    /// Whether the engine interprets Pulley's bytecode: it does not.
    pub fn is_pulley(&self) -> bool {
        false
    }

    /// What [`Module::serialize`] made bytes of, if it did.
    pub fn detect_precompiled(bytes: &[u8]) -> Option<Precompiled> {
        serialize::is_serialized(bytes).then_some(Precompiled::Module)
    }

    /// The same of a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if it cannot be read.
    pub fn detect_precompiled_file(path: impl AsRef<Path>) -> Result<Option<Precompiled>> {
        use std::io::Read;
        let failed = |error| Error::converted(ErrorKind::Io, error);
        let mut start = Vec::new();
        let file = std::fs::File::open(path.as_ref()).map_err(failed)?;
        file.take(serialize::MAGIC.len() as u64).read_to_end(&mut start).map_err(failed)?;
        Ok(Engine::detect_precompiled(&start))
    }

    /// A module, binary or text, as [`Module::serialize`] gives it.
    ///
    /// # Errors
    ///
    /// As [`Module::new`].
    pub fn precompile_module(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        Module::new(self, bytes)?.serialize()
    }

    /// What two engines have in common of which one can load what the other has serialized.
    pub fn precompile_compatibility_hash(&self) -> impl Hash + '_ {
        (serialize::MAGIC, self.config().module_version.text())
    }

    /// Prepares the thread for running code: there is nothing to prepare.
    pub fn tls_eager_initialize() {}
}
