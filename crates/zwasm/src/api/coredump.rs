//! Core dumps: what the memories and globals of a guest held when it was stopped, and where
//! it was, in the form of the [tool conventions], which tools for such files open.
//!
//! The file is a module. Custom sections tell of instances and frames; memories and globals
//! stand where a module has them, with their contents as data and initial values, so that
//! whoever reads modules reads these as well.
//!
//! It is written when something went wrong, by code that is kept small: what appends bytes is
//! never inlined.
//!
//! Of frames there is the place, and the locals where they are known: of frames of the
//! interpreter, and of baseline code that waits for another function of the guest. They are kept when the guest is
//! stopped, if core dumps are asked for by then. What is on the operand stack is not told.
//!
//! [tool conventions]: https://github.com/WebAssembly/tool-conventions/blob/main/Coredump.md
//!
//! # Safety
//!
//! An instance of a store has pointers to memories and globals, which the store owns. They
//! are followed while the store is borrowed, so that none goes away or is written to.

mod locals;

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Debug, Display, Formatter};
use std::hash::Hash;
use std::io::{self, Write};
use std::ptr::NonNull;

use super::externs::{Extern, Global, Memory};
use super::instance::Instance;
use super::store::{AsContext, StoreContext, expect};
use crate::error::{Error, FrameInfo, WasmBacktrace};
use crate::module::Module;
use crate::store::GlobalInst;
use crate::store::instance::{InstanceData, Item};
use crate::store::stored::Stored;
use crate::store::{MemoryInst, StoreCore};
use crate::tuning::DUMPED_CHUNK;
use crate::types::{Mutability, ValType};

/// Where a guest was stopped, and a way to write down what it left behind: the payload of a
/// trap's error, if the engine has [`Config::coredump_on_trap`](crate::Config::coredump_on_trap).
///
/// ```
/// use zwasm::{Config, Engine, Instance, Module, Store, WasmCoreDump};
/// let mut config = Config::new();
/// config.coredump_on_trap(true);
/// let engine = Engine::new(&config)?;
/// let module = Module::new(&engine, r#"(module (memory 1) (func (export "f") unreachable))"#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let f = instance.get_typed_func::<(), ()>(&mut store, "f")?;
/// let error = f.call(&mut store, ()).unwrap_err();
/// let dump = error.downcast_ref::<WasmCoreDump>().expect("it was asked for");
/// assert_eq!((dump.frames().len(), dump.memories().len()), (1, 1));
/// let bytes = dump.serialize(&mut store, "f");
/// assert_eq!(Module::new(&engine, bytes)?.imports().len(), 0);
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone)]
pub struct WasmCoreDump {
    trace: WasmBacktrace,
    modules: Vec<Module>,
    instances: Vec<Instance>,
    globals: Vec<Global>,
    memories: Vec<Memory>,
}

impl WasmCoreDump {
    /// The dump of what an error stopped, if it stopped a guest. One that is not the error's
    /// payload knows of the instances that frames are of, and lists no globals and memories;
    /// what is written is the same.
    pub fn of(error: &Error) -> Option<WasmCoreDump> {
        if let Some(dump) = error.downcast_ref::<WasmCoreDump>() {
            return Some(dump.clone());
        }
        let trace = error.backtrace().filter(|trace| !trace.frames().is_empty())?.clone();
        let (mut modules, mut instances) = (Vec::<Module>::new(), Vec::new());
        for frame in trace.frames() {
            if !instances.contains(&frame.instance()) {
                instances.push(frame.instance());
                let module = frame.module();
                if !modules.iter().any(|known| Module::same(known, module)) {
                    modules.push(module.clone());
                }
            }
        }
        let (globals, memories) = (Vec::new(), Vec::new());
        Some(WasmCoreDump { trace, modules, instances, globals, memories })
    }

    /// What a store has.
    ///
    /// # Safety
    ///
    /// `core` is valid and ours alone.
    pub(super) unsafe fn of_store(core: *mut StoreCore, trace: WasmBacktrace) -> WasmCoreDump {
        let (mut modules, mut instances) = (Vec::new(), Vec::new());
        let (mut globals, mut memories) = (Vec::new(), Vec::new());
        let mut known_modules = HashSet::new();
        // SAFETY: by the contract; what the store owns lives as long.
        unsafe {
            for &instance in (*core).all_instances() {
                let module = &instance.as_ref().module;
                if known_modules.insert(std::ptr::from_ref(module.inner())) {
                    modules.push(module.clone());
                }
                instances.push(Instance(Stored::new(core, instance)));
            }
            // Those that an instance defines are its own.
            let mut known = HashSet::new();
            let of_instances = (*core).all_instances().iter().flat_map(|instance| {
                let globals = instance.as_ref().globals.iter();
                globals.filter_map(|global| NonNull::new(*global))
            });
            for global in (*core).all_globals().iter().copied().chain(of_instances) {
                if known.insert(global) {
                    globals.push(Global(Stored::new(core, global)));
                }
            }
            for &memory in (*core).all_memories() {
                if let Extern::Memory(memory) = Extern::from_item(core, Item::Memory(memory)) {
                    memories.push(memory);
                }
            }
        }
        WasmCoreDump { trace, modules, instances, globals, memories }
    }

    /// The guest's frames, innermost first.
    pub fn frames(&self) -> &[FrameInfo] {
        self.trace.frames()
    }

    /// The modules of the instances.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// All instances of the store.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// All globals, those that are not exported included.
    pub fn globals(&self) -> &[Global] {
        &self.globals
    }

    /// All memories that are not shared, those that are not exported included.
    pub fn memories(&self) -> &[Memory] {
        &self.memories
    }

    /// The dump as bytes, from the store in which the guest ran and which has not been used
    /// since; `name` is what the program is called. See [`WasmCoreDump::write`].
    ///
    /// # Panics
    ///
    /// If the store is another one than the guest's.
    #[track_caller]
    pub fn serialize(&self, store: impl AsContext, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(store, name, &mut bytes).expect("a vector takes all bytes");
        bytes
    }

    /// Writes the dump. Instances that no frame is of are not in it, nor are the contents of
    /// memories that other threads may be writing, nor what references refer to.
    ///
    /// # Errors
    ///
    /// What the writer reports.
    ///
    /// # Panics
    ///
    /// If the store is another one than the guest's.
    #[track_caller]
    pub fn write(&self, store: impl AsContext, name: &str, to: &mut dyn Write) -> io::Result<()> {
        let mut dump = Dump::default();
        dump.collect(&self.trace, store.as_context());
        dump.write(name, to)
    }
}

impl Display for WasmCoreDump {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("wasm coredump generated while executing:\nmodules:")?;
        for module in &self.modules {
            write!(f, "\n  {}", module.name().unwrap_or("<module>"))?;
        }
        write!(
            f,
            "\ninstances: {}, globals: {}, memories: {}\n{}",
            self.instances.len(),
            self.globals.len(),
            self.memories.len(),
            self.trace
        )
    }
}

impl Debug for WasmCoreDump {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmCoreDump")
            .field("frames", &self.frames().len())
            .field("modules", &self.modules.len())
            .field("instances", &self.instances.len())
            .field("globals", &self.globals.len())
            .field("memories", &self.memories.len())
            .finish_non_exhaustive()
    }
}

/// Appends an unsigned number in LEB128.
#[inline(never)]
fn number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Appends a signed number in LEB128.
#[inline(never)]
fn signed(bytes: &mut Vec<u8>, mut number: i64) {
    while !(-0x40..0x40).contains(&number) {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8 & 0x7f);
}

#[inline(never)]
fn text(bytes: &mut Vec<u8>, text: &str) {
    number(bytes, text.len() as u64);
    bytes.extend(text.as_bytes());
}

/// Writes a section.
#[inline(never)]
fn section(to: &mut dyn Write, id: u8, contents: &[u8]) -> io::Result<()> {
    let mut head = vec![id];
    number(&mut head, contents.len() as u64);
    to.write_all(&head)?;
    to.write_all(contents)
}

/// The number of something in the order in which things came, and whether it is new.
fn position<T: Eq + Hash>(known: &mut HashMap<T, u64>, item: T) -> (u64, bool) {
    let next = known.len() as u64;
    let number = *known.entry(item).or_insert(next);
    (number, number == next)
}

/// What is found, as parts of sections.
#[derive(Default)]
struct Dump<'a> {
    modules: Vec<String>,
    instances: Vec<u8>,
    frames: Vec<u8>,
    frame_count: u64,
    instance_count: u64,
    memories: Vec<u8>,
    memory_count: u64,
    globals: Vec<u8>,
    global_count: u64,
    /// Stretches of memories that are not all zeros: the head of each segment and its bytes.
    data: Vec<(Vec<u8>, &'a [u8])>,
}

impl<'a> Dump<'a> {
    #[track_caller]
    fn collect<T>(&mut self, trace: &WasmBacktrace, store: StoreContext<'a, T>) {
        let mut instances: HashMap<Stored<InstanceData>, u64> = HashMap::new();
        let mut modules: HashMap<*const (), u64> = HashMap::new();
        let (mut memories, mut globals) = (HashMap::new(), HashMap::new());
        for frame in trace.frames() {
            let (index, is_new) = position(&mut instances, frame.instance);
            if is_new {
                let instance = expect(frame.instance.of(&store));
                let module = &instance.module;
                let (number_of_module, is_new) =
                    position(&mut modules, std::ptr::from_ref(module.inner()).cast());
                if is_new {
                    self.modules.push(module.name().unwrap_or_default().to_owned());
                }
                self.instances.push(0);
                number(&mut self.instances, number_of_module);
                number(&mut self.instances, instance.memories.len() as u64);
                for memory in &instance.memories {
                    let (index, is_new) = position(&mut memories, *memory);
                    if is_new {
                        // SAFETY: the memory is of the store, which is borrowed.
                        self.memory(unsafe { &**memory });
                    }
                    number(&mut self.instances, index);
                }
                number(&mut self.instances, instance.globals.len() as u64);
                for global in &instance.globals {
                    let (index, is_new) = position(&mut globals, *global);
                    if is_new {
                        // SAFETY: as above.
                        self.global(unsafe { &**global });
                    }
                    number(&mut self.instances, index);
                }
            }
            self.frame_count += 1;
            self.frames.push(0);
            number(&mut self.frames, index);
            number(&mut self.frames, frame.func_index().into());
            number(&mut self.frames, frame.func_offset().unwrap_or(0) as u64);
            locals::write(frame, &mut self.frames);
            // Nothing of the stack.
            self.frames.push(0);
        }
        self.instance_count = instances.len() as u64;
    }

    fn memory(&mut self, memory: &'a MemoryInst) {
        let (ty, index) = (memory.ty, self.memory_count);
        self.memory_count += 1;
        let own_pages = ty.page_size() != 65536;
        self.memories.push(u8::from(ty.is_64()) << 2 | u8::from(own_pages) << 3);
        number(&mut self.memories, memory.pages());
        if own_pages {
            number(&mut self.memories, ty.page_size().trailing_zeros().into());
        }
        if ty.is_shared() {
            return;
        }
        // SAFETY: it is not shared, and the store is borrowed.
        let bytes = unsafe { memory.bytes() };
        for (at, chunk) in bytes.chunks(DUMPED_CHUNK).enumerate() {
            if chunk.iter().all(|byte| *byte == 0) {
                continue;
            }
            let mut head = vec![2];
            number(&mut head, index);
            head.push(if ty.is_64() { 0x42 } else { 0x41 });
            let start = (at * DUMPED_CHUNK) as u64;
            // An address of 32 bits is written as if it had a sign.
            signed(&mut head, if ty.is_64() { start as i64 } else { (start as u32 as i32).into() });
            head.push(0x0b);
            number(&mut head, chunk.len() as u64);
            self.data.push((head, chunk));
        }
    }

    fn global(&mut self, global: &GlobalInst) {
        self.global_count += 1;
        let mutable = u8::from(global.ty.mutability() == Mutability::Var);
        let bytes = global.value.to_le_bytes();
        let (ty, value) = match global.ty.content() {
            ValType::I32 => (0x7f, Some(i64::from(global.value as i32))),
            ValType::I64 => (0x7e, Some(global.value as i64)),
            ValType::F32 => (0x7d, None),
            ValType::F64 => (0x7c, None),
            ValType::V128 => (0x7b, None),
            // Whatever it refers to is not here: a null reference to anything outside.
            ValType::Ref(_) => (0x6f, None),
        };
        self.globals.extend([ty, mutable]);
        match (ty, value) {
            (0x7f, Some(value)) => {
                self.globals.push(0x41);
                signed(&mut self.globals, value);
            }
            (_, Some(value)) => {
                self.globals.push(0x42);
                signed(&mut self.globals, value);
            }
            (0x7d, None) => {
                self.globals.push(0x43);
                self.globals.extend(&bytes[..4]);
            }
            (0x7c, None) => {
                self.globals.push(0x44);
                self.globals.extend(&bytes[..8]);
            }
            (0x7b, None) => {
                self.globals.extend([0xfd, 0x0c]);
                self.globals.extend(bytes);
            }
            (_, None) => self.globals.extend([0xd0, 0x6f]),
        }
        self.globals.push(0x0b);
    }

    fn write(&self, name: &str, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(b"\0asm\x01\0\0\0")?;
        let custom = |to: &mut dyn Write, title: &str, count: Option<u64>, contents: &[u8]| {
            let mut bytes = Vec::new();
            text(&mut bytes, title);
            if let Some(count) = count {
                number(&mut bytes, count);
            }
            bytes.extend(contents);
            section(to, 0, &bytes)
        };
        let mut process = vec![0];
        text(&mut process, name);
        custom(to, "core", None, &process)?;
        let mut modules = Vec::new();
        for module in &self.modules {
            modules.push(0);
            text(&mut modules, module);
        }
        custom(to, "coremodules", Some(self.modules.len() as u64), &modules)?;
        custom(to, "coreinstances", Some(self.instance_count), &self.instances)?;
        let mut stack = vec![0];
        text(&mut stack, "main");
        number(&mut stack, self.frame_count);
        stack.extend(&self.frames);
        custom(to, "corestack", None, &stack)?;
        for (id, count, contents) in
            [(5, self.memory_count, &self.memories), (6, self.global_count, &self.globals)]
        {
            let mut list = Vec::new();
            number(&mut list, count);
            list.extend(contents);
            section(to, id, &list)?;
        }
        let mut head = Vec::new();
        number(&mut head, self.data.len() as u64);
        let parts = self.data.iter().map(|(head, bytes)| head.len() + bytes.len());
        let size = head.len() + parts.sum::<usize>();
        let mut start = vec![11];
        number(&mut start, size as u64);
        to.write_all(&start)?;
        to.write_all(&head)?;
        for (head, bytes) in &self.data {
            to.write_all(head)?;
            to.write_all(bytes)?;
        }
        to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (value, expected) in [
            (0, &[0][..]),
            (63, &[63]),
            (64, &[0xc0, 0]),
            (-1, &[0x7f]),
            (-64, &[0x40]),
            (-65, &[0xbf, 0x7f]),
            (i64::MIN, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]),
        ] {
            let mut bytes = Vec::new();
            signed(&mut bytes, value);
            assert_eq!(bytes, expected, "{value}");
        }
        let mut bytes = Vec::new();
        number(&mut bytes, 300);
        assert_eq!(bytes, [0xac, 2]);
    }
}
