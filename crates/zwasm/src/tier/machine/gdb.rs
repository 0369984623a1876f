//! Names of compiled functions for debuggers: the interface of GDB for code that is made
//! at run time, which LLDB knows as well.
//!
//! A debugger has a breakpoint at the function `__jit_debug_register_code`, and reads the
//! list that begins in `__jit_debug_descriptor` when it is reached. What is in the list are
//! object files in memory. Ours have no code in them, only where it is, the symbols in it,
//! and debugging information where the guest has some.
//!
//! # Safety
//!
//! Entries are boxed, in the list from their registration to its drop, and changed only with
//! the lock held, as is the descriptor. Nobody in the process reads them; the debugger does
//! so while all threads stand still at the function, in which the lock is held.

use std::arch::global_asm;
use std::hint::black_box;
use std::ptr::{self, NonNull, null_mut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::dwarf::{self, Dwarf, Function};

/// An object file, as debuggers read it.
#[repr(C)]
struct Entry {
    next: *mut Entry,
    previous: *mut Entry,
    file: *const u8,
    size: u64,
}

#[repr(C)]
struct Descriptor {
    version: u32,
    action: u32,
    relevant: *mut Entry,
    first: *mut Entry,
}

const REGISTER: u32 = 1;
const UNREGISTER: u32 = 2;

// Defined in assembly, whose names optimization across crates leaves as they are.
global_asm!(
    ".pushsection .text.__jit_debug_register_code, \"ax\", @progbits",
    ".globl __jit_debug_register_code",
    ".type __jit_debug_register_code, @function",
    "__jit_debug_register_code:",
    "ret",
    ".size __jit_debug_register_code, . - __jit_debug_register_code",
    ".popsection",
    ".pushsection .data.__jit_debug_descriptor, \"aw\", @progbits",
    ".globl __jit_debug_descriptor",
    ".type __jit_debug_descriptor, @object",
    ".balign 8",
    "__jit_debug_descriptor:",
    ".long 1",
    ".long 0",
    ".quad 0",
    ".quad 0",
    ".size __jit_debug_descriptor, 24",
    ".popsection",
);

unsafe extern "C" {
    /// Where a debugger stops.
    fn __jit_debug_register_code();
    static mut __jit_debug_descriptor: Descriptor;
}

static LOCK: Mutex<()> = Mutex::new(());

fn lock() -> MutexGuard<'static, ()> {
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Code that debuggers know of until this is dropped.
pub(super) struct Registration {
    entry: NonNull<Entry>,
    file: Box<[u8]>,
}

// SAFETY: the entry is only used with the lock held.
unsafe impl Send for Registration {}
// SAFETY: as above.
unsafe impl Sync for Registration {}

impl Registration {
    /// Tells debuggers of code from `start` on, and of the functions in it.
    /// The lines of functions name these files.
    pub(super) fn new(start: u64, len: usize, functions: &[Function], files: &[&str]) -> Self {
        let file = image(start, len as u64, functions, files).into_boxed_slice();
        let _lock = lock();
        let descriptor = &raw mut __jit_debug_descriptor;
        // SAFETY: the lock is held.
        unsafe {
            let next = (*descriptor).first;
            let size = file.len() as u64;
            let entry = Box::new(Entry { next, previous: null_mut(), file: file.as_ptr(), size });
            let entry = NonNull::from(Box::leak(entry));
            if let Some(mut next) = NonNull::new(next) {
                next.as_mut().previous = entry.as_ptr();
            }
            (*descriptor).first = entry.as_ptr();
            notify(REGISTER, entry);
            Self { entry, file }
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let _lock = lock();
        let descriptor = &raw mut __jit_debug_descriptor;
        // SAFETY: the lock is held, and the entry is in the list, which it leaves before it
        // is freed.
        unsafe {
            let Entry { next, previous, .. } = *self.entry.as_ptr();
            match NonNull::new(previous) {
                Some(mut previous) => previous.as_mut().next = next,
                None => (*descriptor).first = next,
            }
            if let Some(mut next) = NonNull::new(next) {
                next.as_mut().previous = previous;
            }
            notify(UNREGISTER, self.entry);
            drop(Box::from_raw(self.entry.as_ptr()));
        }
        // Until here the debugger may have read it.
        black_box(&self.file);
    }
}

/// # Safety
///
/// The lock is held.
unsafe fn notify(action: u32, entry: NonNull<Entry>) {
    // SAFETY: by the contract.
    unsafe {
        let descriptor = &raw mut __jit_debug_descriptor;
        ptr::write(&raw mut (*descriptor).action, action);
        ptr::write(&raw mut (*descriptor).relevant, entry.as_ptr());
        __jit_debug_register_code();
    }
}

/// A section of an object file, without its name's offset.
struct Section {
    name: &'static str,
    kind: u32,
    flags: u64,
    address: u64,
    size: u64,
    contents: Vec<u8>,
    /// The section with its strings, and the first symbol that is not local.
    links: (u32, u32),
    entry: u64,
}

const PROGBITS: u32 = 1;
const NOBITS: u32 = 8;
const SYMTAB: u32 = 2;
const STRTAB: u32 = 3;
/// There while the program runs, with instructions in it.
const CODE: u64 = 2 | 4;
/// A global symbol of a function.
const GLOBAL_FUNCTION: u8 = 0x12;
const HEADER: usize = 64;
const MACHINE: u16 = if cfg!(target_arch = "x86_64") { 62 } else { 183 };

/// An object file (ELF) for code that is elsewhere.
fn image(start: u64, len: u64, functions: &[Function], files: &[&str]) -> Vec<u8> {
    let (mut names, mut symbols) = (vec![0], vec![0; 24]);
    for Function { name, range, .. } in functions {
        symbols.extend((names.len() as u32).to_le_bytes());
        // The symbol is in the first section.
        symbols.extend([GLOBAL_FUNCTION, 0, 1, 0]);
        symbols.extend((range.start as u64).to_le_bytes());
        symbols.extend((range.len() as u64).to_le_bytes());
        names.extend(name.bytes().filter(|byte| *byte != 0));
        names.push(0);
    }
    let section = |name, kind, contents: Vec<u8>| Section {
        name,
        kind,
        flags: 0,
        address: 0,
        size: contents.len() as u64,
        contents,
        links: (0, 0),
        entry: 0,
    };
    let mut sections = vec![
        section("", 0, Vec::new()),
        Section { flags: CODE, address: start, size: len, ..section(".text", NOBITS, Vec::new()) },
        Section { links: (3, 1), entry: 24, ..section(".symtab", SYMTAB, symbols) },
        section(".strtab", STRTAB, names),
    ];
    if !files.is_empty() {
        let Dwarf { info, abbreviations, lines } = dwarf::sections(start, len, functions, files);
        sections.push(section(".debug_info", PROGBITS, info));
        sections.push(section(".debug_abbrev", PROGBITS, abbreviations));
        sections.push(section(".debug_line", PROGBITS, lines));
    }
    sections.push(section(".shstrtab", STRTAB, Vec::new()));
    let mut titles = Vec::new();
    let mut title_offsets = Vec::new();
    for section in &sections {
        title_offsets.push(titles.len() as u32);
        titles.extend(section.name.bytes());
        titles.push(0);
    }
    if let Some(last) = sections.last_mut() {
        last.size = titles.len() as u64;
        last.contents = titles;
    }
    let mut body = Vec::new();
    let mut table = Vec::new();
    for (section, title) in sections.iter().zip(title_offsets) {
        body.resize(body.len().next_multiple_of(8), 0);
        table.extend(title.to_le_bytes());
        table.extend(section.kind.to_le_bytes());
        for word in [section.flags, section.address, (HEADER + body.len()) as u64, section.size] {
            table.extend(word.to_le_bytes());
        }
        table.extend(section.links.0.to_le_bytes());
        table.extend(section.links.1.to_le_bytes());
        // The alignment, and the size of an entry.
        table.extend(8_u64.to_le_bytes());
        table.extend(section.entry.to_le_bytes());
        body.extend(&section.contents);
    }
    body.resize(body.len().next_multiple_of(8), 0);
    // 64 bits, little-endian, version 1.
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // A relocatable file.
    file.extend(1_u16.to_le_bytes());
    file.extend(MACHINE.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    file.extend([0; 16]);
    file.extend(((HEADER + body.len()) as u64).to_le_bytes());
    file.extend([0; 4]);
    // Sizes of the header, of program headers and their number, the same of sections, and
    // which section has the names of sections.
    for half in [HEADER as u16, 0, 0, 64, sections.len() as u16, sections.len() as u16 - 1] {
        file.extend(half.to_le_bytes());
    }
    file.extend(body);
    file.extend(table);
    file
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use object::{Object, ObjectSection, ObjectSymbol};

    use super::*;

    fn function(name: &str, range: Range<usize>) -> Function {
        Function { name: name.to_owned(), range, lines: Vec::new() }
    }

    #[test]
    fn an_object_file() {
        let file = image(0x7000_0000, 40, &[function("a", 0..16), function("b::c", 16..40)], &[]);
        let object = object::File::parse(&*file).unwrap();
        let text = object.section_by_name(".text").unwrap();
        assert_eq!((text.address(), text.size()), (0x7000_0000, 40));
        let symbols: Vec<_> = object
            .symbols()
            .map(|symbol| (symbol.name().unwrap().to_owned(), symbol.size()))
            .collect();
        assert_eq!(symbols, [("a".to_owned(), 16), ("b::c".to_owned(), 24)]);
    }

    #[test]
    fn the_list() {
        let registered = |at: u64| Registration::new(at, 8, &[function("f", 0..8)], &[]);
        let mut all: Vec<_> = (0..4).map(|at| registered(at << 12)).collect();
        let listed = || {
            let _lock = lock();
            let mut entries = Vec::new();
            // SAFETY: the lock is held.
            unsafe {
                let mut entry = (&raw const __jit_debug_descriptor).read().first;
                while let Some(there) = NonNull::new(entry) {
                    entries.push(there);
                    entry = there.as_ref().next;
                }
            }
            entries
        };
        let is_listed = |one: &Registration| listed().contains(&one.entry);
        assert!(all.iter().all(is_listed));
        for at in [1, 0, 1, 0] {
            let gone = all.remove(at);
            let entry = gone.entry;
            drop(gone);
            assert!(!listed().contains(&entry) && all.iter().all(is_listed));
        }
    }
}
