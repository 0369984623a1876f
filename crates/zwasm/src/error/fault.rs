//! Which access it was that left a memory.

use std::fmt::{self, Display, Formatter};

/// An access that left its memory: the context of errors with
/// [`Trap::MemoryOutOfBounds`](super::Trap::MemoryOutOfBounds), where the address is known. It
/// is not if adding the instruction's offset gives more than 64 bits, and for reading a data
/// segment beyond its end.
///
/// ```
/// use zwasm::{Engine, Instance, MemoryFault, Module, Store};
/// let engine = Engine::default();
/// let text = r#"(module (memory 1) (func (export "f") (drop (i64.load (i32.const 65532)))))"#;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &Module::new(&engine, text)?, &[])?;
/// let error = instance.get_typed_func::<(), ()>(&mut store, "f")?.call(&mut store, ());
/// let error = error.unwrap_err();
/// let fault = error.downcast_ref::<MemoryFault>().expect("the address is known");
/// assert_eq!((fault.memory(), fault.address(), fault.size()), (0, 0x10000, 0x10000));
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryFault {
    pub(crate) memory: u32,
    pub(crate) address: u64,
    pub(crate) size: u64,
}

impl MemoryFault {
    /// The memory's index in the module of the innermost frame.
    pub fn memory(&self) -> u32 {
        self.memory
    }

    /// The address of the first byte that was to be accessed and is not there.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// The size that the memory had, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// In wasmtime's words, and with the memory's index where it is not the first.
impl Display for MemoryFault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let MemoryFault { memory, address, size } = self;
        write!(f, "memory fault at wasm address {address:#x} in linear memory of size {size:#x}")?;
        match memory {
            0 => Ok(()),
            memory => write!(f, " (memory {memory})"),
        }
    }
}
