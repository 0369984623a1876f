//! Modules as bytes that are loaded again.
//!
//! The form holds the module, in the binary format, behind a head: [`MAGIC`], which names
//! the form's version; the length of a version, a byte, and the version, which
//! [`Config::module_version`](crate::Config::module_version) chooses; a checksum of the
//! module, eight bytes, which finds files that were cut or damaged. Machine code is not in
//! it. What is loaded is validated like any module, so that wrong bytes are an error at
//! worst.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::engine::{Engine, ModuleVersionStrategy};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::module::{Module, source};

/// How serialized modules begin, with the number of the form.
pub(super) const MAGIC: [u8; 8] = *b"\0zwmod\0\x01";

pub(super) fn is_serialized(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// The sum that finds damage: FNV-1a over words of eight bytes.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x0000_0100_0000_01B3);
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    words.fold(step(0xCBF2_9CE4_8422_2325, bytes.len() as u64), step)
}

impl Module {
    /// The module in a form that [`Module::deserialize`] loads: the module, and a head that
    /// tells versions apart. Machine code is not part of it.
    ///
    /// ```
    /// use zwasm::{Engine, Module};
    /// let engine = Engine::default();
    /// let bytes = Module::new(&engine, r#"(module (func (export "f")))"#)?.serialize()?;
    /// let module = Module::deserialize(&engine, bytes)?;
    /// assert!(module.get_export("f").is_some());
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None; where others have some.
    pub fn serialize(&self) -> Result<Vec<u8>> {
        let version = self.engine().config().module_version.text();
        let binary = self.binary();
        let mut bytes = Vec::with_capacity(MAGIC.len() + 9 + version.len() + binary.len());
        bytes.extend(MAGIC);
        bytes.push(version.len() as u8);
        bytes.extend(version.as_bytes());
        bytes.extend(checksum(binary).to_le_bytes());
        bytes.extend(binary);
        Ok(bytes)
    }

    /// Loads what [`Module::serialize`] gave. Other bytes are an error, also if somebody
    /// made them to look alike: the module is validated.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the bytes are none of this form
    /// or damaged, or have another version; as [`Module::new`] if the engine does not have
    /// what the module uses.
    pub fn deserialize(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        let bytes = bytes.as_ref();
        let invalid = |message: &str| Error::of_kind(ErrorKind::Invalid, message);
        let rest = bytes.strip_prefix(&MAGIC);
        let rest = rest.ok_or_else(|| invalid("the bytes are no serialized module"))?;
        let cut = || invalid("the serialized module is cut off");
        let (&length, rest) = rest.split_first().ok_or_else(cut)?;
        let (version, rest) = rest.split_at_checked(length.into()).ok_or_else(cut)?;
        let (sum, binary) = rest.split_at_checked(8).ok_or_else(cut)?;
        let strategy = &engine.config().module_version;
        if *strategy != ModuleVersionStrategy::None && version != strategy.text().as_bytes() {
            let version = String::from_utf8_lossy(version);
            return Err(invalid(&format!(
                "Module was compiled with incompatible version '{version}'"
            )));
        }
        if checksum(binary).to_le_bytes() != sum {
            return Err(invalid("the serialized module is damaged: its checksum is another"));
        }
        Module::of_serialized(engine, binary.to_vec())
    }

    /// The same from a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be read, else as
    /// [`Module::deserialize`].
    pub fn deserialize_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Module> {
        let path = path.as_ref();
        Module::deserialize(engine, source::read_file(path)?)
            .with_context(|| format!("cannot load '{}'", path.display()))
    }

    /// The same from an open file, which is read from where it is.
    ///
    /// # Errors
    ///
    /// As [`Module::deserialize_file`].
    pub fn deserialize_open_file(engine: &Engine, mut file: File) -> Result<Module> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| Error::converted(ErrorKind::Io, error))?;
        Module::deserialize(engine, bytes)
    }
}
