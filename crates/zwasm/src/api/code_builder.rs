//! Compiling step by step: what to compile first, how then.

use std::borrow::Cow;
use std::path::Path;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::module::Module;
use crate::module::source::{self, Kind};

/// What bytes are, see [`CodeBuilder::hint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodeHint {
    /// A module.
    Module,
    /// A component.
    Component,
}

/// Compiles a module from bytes or files.
///
/// ```
/// use zwasm::{CodeBuilder, Engine};
/// let engine = Engine::default();
/// let module = CodeBuilder::new(&engine)
///     .wasm_binary_or_text(b"(module)", None)?
///     .compile_module()?;
/// assert_eq!(module.exports().len(), 0);
/// # Ok::<(), zwasm::Error>(())
/// ```
pub struct CodeBuilder<'a> {
    engine: &'a Engine,
    binary: Option<Cow<'a, [u8]>>,
}

impl<'a> CodeBuilder<'a> {
    /// A builder for modules of an engine.
    pub fn new(engine: &'a Engine) -> CodeBuilder<'a> {
        CodeBuilder { engine, binary: None }
    }

    /// Compiles these bytes, which are in binary form. The path would name them.
    ///
    /// # Errors
    ///
    /// If there are bytes already; likewise below.
    pub fn wasm_binary(
        &mut self,
        wasm_bytes: impl Into<Cow<'a, [u8]>>,
        wasm_path: Option<&'a Path>,
    ) -> Result<&mut Self> {
        let _ = wasm_path;
        if self.binary.is_some() {
            return Err(Error::msg("cannot configure wasm bytes twice"));
        }
        self.binary = Some(wasm_bytes.into());
        Ok(self)
    }

    /// Compiles these bytes, in binary or text form. Error messages call text by the path.
    ///
    /// # Errors
    ///
    /// If the text is malformed, too; likewise below.
    pub fn wasm_binary_or_text(
        &mut self,
        wasm_bytes: &'a [u8],
        wasm_path: Option<&'a Path>,
    ) -> Result<&mut Self> {
        let binary = source::to_binary(Kind::Module, wasm_bytes.into(), wasm_path)?;
        self.wasm_binary(binary, wasm_path)
    }

    /// Compiles a file in binary form.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be read, too; likewise below.
    pub fn wasm_binary_file(&mut self, file: &'a Path) -> Result<&mut Self> {
        let bytes = source::read_file(file)?;
        self.wasm_binary(bytes, Some(file))
    }

    /// Compiles a file in binary or text form.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn wasm_binary_or_text_file(&mut self, file: &'a Path) -> Result<&mut Self> {
        let bytes = source::read_file(file)?;
        let binary = source::to_binary(Kind::Module, bytes.into(), Some(file))?.into_owned();
        self.wasm_binary(binary, Some(file))
    }

    /// What the bytes are, as far as their head tells.
    pub fn hint(&self) -> Option<CodeHint> {
        let version = self.binary.as_ref()?.strip_prefix(b"\0asm")?.get(..4)?;
        match version {
            [1, 0, 0, 0] => Some(CodeHint::Module),
            [_, 0, 1, 0] => Some(CodeHint::Component),
            _ => None,
        }
    }

    fn bytes(&self) -> Result<&[u8]> {
        self.binary.as_deref().ok_or_else(|| Error::msg("no wasm bytes have been configured"))
    }

    /// The module.
    ///
    /// # Errors
    ///
    /// As [`Module::new`], and if no bytes were given.
    pub fn compile_module(&self) -> Result<Module> {
        Module::from_binary(self.engine, self.bytes()?)
    }

    /// The module as [`Module::serialize`] gives it.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn compile_module_serialized(&self) -> Result<Vec<u8>> {
        self.compile_module()?.serialize()
    }
}
