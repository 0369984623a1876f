//! Names of compiled functions, for tools outside: profilers and debuggers.

use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;

use super::code_memory::Chunk;
use crate::module::Inner;

/// Tells whoever is configured to know of the functions in a chunk, each by its number
/// among those that the module defines and the range of its instructions, of which the
/// first is where it is entered: a debugger writes a breakpoint there. `tier` is put behind
/// the names that profilers see.
pub(super) fn tell(
    module: &Inner,
    chunk: &mut Chunk,
    tier: &str,
    members: impl Iterator<Item = (u32, Range<usize>)>,
) {
    let config = &module.engine.config().code;
    if !config.perf_map && !config.debug_info {
        return;
    }
    let functions: Vec<_> = members
        .map(|(defined, range)| {
            let func = module.func_index(defined);
            let name = module.function_name(func).unwrap_or_else(|| format!("f{func}"));
            (name.replace('\n', " "), range)
        })
        .collect();
    if config.perf_map {
        tell_perf(chunk, tier, &functions);
    }
    #[cfg(all(feature = "gdb", target_os = "linux"))]
    if config.debug_info {
        chunk.tell_debuggers(&functions);
    }
}

/// Appends a line for each function to the file in which `perf` looks up code that was
/// made at run time.
#[cold]
fn tell_perf(chunk: &Chunk, tier: &str, functions: &[(String, Range<usize>)]) {
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
