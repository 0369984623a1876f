//! Names of compiled functions, for tools outside: profilers and debuggers.

use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;

use super::code_memory::Chunk;
use crate::module::Inner;
#[cfg(all(feature = "gdb", feature = "addr2line", target_os = "linux"))]
use crate::module::lines::table::LineTable;
use zwasm_regir::{Inlined, SourceLoc};

/// A compiled function, as far as others are told of it.
#[cfg_attr(
    not(all(feature = "gdb", feature = "addr2line", target_os = "linux")),
    expect(dead_code, reason = "only debuggers are told of lines")
)]
pub(super) struct Told<'a> {
    /// Its number among those that the module defines.
    pub(super) defined: u32,
    /// Where in the chunk its instructions are; the first is where it is entered: a debugger
    /// writes a breakpoint there.
    pub(super) range: Range<usize>,
    /// Where in the chunk the offsets count from that `sources` has.
    pub(super) start: usize,
    /// The offsets from which on code belongs to another Wasm instruction; ascending.
    pub(super) sources: &'a [(u32, SourceLoc)],
    /// What is inlined in it.
    pub(super) inlined: &'a [Inlined],
}

/// Tells whoever is configured to know of the functions in a chunk. `tier` is put behind
/// the names that profilers see.
pub(super) fn tell<'a>(
    module: &Inner,
    chunk: &mut Chunk,
    tier: &str,
    members: impl Iterator<Item = Told<'a>>,
) {
    let config = &module.engine.config().code;
    if !config.perf_map && !config.debug_info {
        return;
    }
    let members: Vec<_> = members.collect();
    let name = |member: &Told<'_>| {
        let func = module.func_index(member.defined);
        let name = module.function_name(func).unwrap_or_else(|| format!("f{func}"));
        name.replace('\n', " ")
    };
    if config.perf_map {
        tell_perf(chunk, tier, members.iter().map(|member| (name(member), member.range.clone())));
    }
    #[cfg(all(feature = "gdb", target_os = "linux"))]
    if config.debug_info {
        let (lines, files) = lines(module, &members);
        let functions = members.iter().zip(lines).map(|(member, lines)| super::dwarf::Function {
            name: name(member),
            range: member.range.clone(),
            lines,
        });
        chunk.tell_debuggers(&functions.collect::<Vec<_>>(), &files);
    }
}

/// From where on in the chunk a function is of which line.
#[cfg(all(feature = "gdb", target_os = "linux"))]
type Lines = Vec<(usize, super::dwarf::Line)>;

/// From where on in the chunk functions are of which lines, and the files that these are in.
#[cfg(all(feature = "gdb", feature = "addr2line", target_os = "linux"))]
fn lines<'a>(module: &'a Inner, members: &[Told<'_>]) -> (Vec<Lines>, Vec<&'a str>) {
    use super::dwarf::Line;
    let table = module.lines.get_or_init(|| LineTable::new(&module.bytes));
    let mut files = Vec::new();
    if table.is_empty() {
        return (members.iter().map(|_| Vec::new()).collect(), files);
    }
    let mut numbers = std::collections::HashMap::new();
    let mut of = |member: &Told<'_>| {
        let line = |&(from, source): &(u32, SourceLoc)| {
            let row = table.find(source.offset(member.inlined) as usize);
            let line = row.map(|row| {
                let file = *numbers.entry(row.file).or_insert_with(|| {
                    files.push(table.file(row));
                    files.len() as u32 - 1
                });
                Line { file, line: row.line, column: row.column }
            });
            (member.start + from as usize, line.unwrap_or_default())
        };
        member.sources.iter().map(line).collect()
    };
    (members.iter().map(&mut of).collect(), files)
}

#[cfg(all(feature = "gdb", not(feature = "addr2line"), target_os = "linux"))]
fn lines<'a>(_: &'a Inner, members: &[Told<'_>]) -> (Vec<Lines>, Vec<&'a str>) {
    (members.iter().map(|_| Vec::new()).collect(), Vec::new())
}

/// Appends a line for each function to the file in which `perf` looks up code that was
/// made at run time.
#[cold]
fn tell_perf(chunk: &Chunk, tier: &str, functions: impl Iterator<Item = (String, Range<usize>)>) {
    let mut lines = String::new();
    for (name, range) in functions {
        let start = chunk.start() as usize + range.start;
        lines.push_str(&format!("{start:x} {:x} wasm:{name}{tier}\n", range.len()));
    }
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    // A link by that name is somebody's who wants another file written to.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NOFOLLOW);
    // Profiling is a favour: a file that cannot be written stops nobody.
    let _ = options.open(path).and_then(|mut file| file.write_all(lines.as_bytes()));
}

#[cfg(unix)]
const NOFOLLOW: i32 = libc::O_NOFOLLOW;
