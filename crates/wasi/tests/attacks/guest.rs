//! Guests that attack: programs generated in the text format from tables of
//! calls, so that a case is a few lines and needs no toolchain.

use std::fmt::Write;

use zwasm::{Engine, Instance, Linker, Memory, Module, Store, TypedFunc};
use zwasm_wasi::{WasiCtx, WasiCtxBuilder};

/// An argument of a call.
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    I(u32),
    L(u64),
    /// A string: becomes its address and its length.
    S(&'static [u8]),
    /// The number that the last call stored: a descriptor, mostly.
    Last,
    /// Where that number goes.
    Out,
    /// The address of one buffer of this many bytes, and the count 1.
    Buffer(u32),
}

/// What a call may answer.
pub type Expected = &'static [u16];

/// One call of a guest's.
pub type Call = (&'static str, &'static [Arg], Expected);

/// Where the guest's things lie.
const OUT: u32 = 16;
const IOVEC: u32 = 32;
/// Where its one buffer is.
pub const BUFFER: u32 = 0x8000;
const STRINGS: u32 = 0x400;

/// The functions and their parameters.
pub const SIGNATURES: [(&str, &str); 46] = [
    ("args_get", "i32 i32"),
    ("args_sizes_get", "i32 i32"),
    ("environ_get", "i32 i32"),
    ("environ_sizes_get", "i32 i32"),
    ("clock_res_get", "i32 i32"),
    ("clock_time_get", "i32 i64 i32"),
    ("fd_advise", "i32 i64 i64 i32"),
    ("fd_allocate", "i32 i64 i64"),
    ("fd_close", "i32"),
    ("fd_datasync", "i32"),
    ("fd_fdstat_get", "i32 i32"),
    ("fd_fdstat_set_flags", "i32 i32"),
    ("fd_fdstat_set_rights", "i32 i64 i64"),
    ("fd_filestat_get", "i32 i32"),
    ("fd_filestat_set_size", "i32 i64"),
    ("fd_filestat_set_times", "i32 i64 i64 i32"),
    ("fd_pread", "i32 i32 i32 i64 i32"),
    ("fd_prestat_get", "i32 i32"),
    ("fd_prestat_dir_name", "i32 i32 i32"),
    ("fd_pwrite", "i32 i32 i32 i64 i32"),
    ("fd_read", "i32 i32 i32 i32"),
    ("fd_readdir", "i32 i32 i32 i64 i32"),
    ("fd_renumber", "i32 i32"),
    ("fd_seek", "i32 i64 i32 i32"),
    ("fd_sync", "i32"),
    ("fd_tell", "i32 i32"),
    ("fd_write", "i32 i32 i32 i32"),
    ("path_create_directory", "i32 i32 i32"),
    ("path_filestat_get", "i32 i32 i32 i32 i32"),
    ("path_filestat_set_times", "i32 i32 i32 i32 i64 i64 i32"),
    ("path_link", "i32 i32 i32 i32 i32 i32 i32"),
    ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32"),
    ("path_readlink", "i32 i32 i32 i32 i32 i32"),
    ("path_remove_directory", "i32 i32 i32"),
    ("path_rename", "i32 i32 i32 i32 i32 i32"),
    ("path_symlink", "i32 i32 i32 i32 i32"),
    ("path_unlink_file", "i32 i32 i32"),
    ("poll_oneoff", "i32 i32 i32 i32"),
    ("proc_exit", "i32"),
    ("proc_raise", "i32"),
    ("sched_yield", ""),
    ("random_get", "i32 i32"),
    ("sock_accept", "i32 i32 i32"),
    ("sock_recv", "i32 i32 i32 i32 i32 i32"),
    ("sock_send", "i32 i32 i32 i32 i32"),
    ("sock_shutdown", "i32 i32"),
];

/// A module that imports all functions of WASI and exports each again through a
/// function of its own, and one that makes `calls` and stores what each answers
/// at 0x4000, four bytes a call.
pub fn program(calls: &[Call]) -> String {
    let mut text = String::from("(module\n");
    for (name, params) in SIGNATURES {
        let result = if name == "proc_exit" { "" } else { "(result i32)" };
        let _ = writeln!(
            text,
            "(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} (param {params}) {result}))"
        );
    }
    text += "(memory (export \"memory\") 2)\n";
    for (name, params) in SIGNATURES {
        let result = if name == "proc_exit" { "" } else { "(result i32)" };
        let gets: String =
            (0..params.split_whitespace().count()).map(|i| format!("(local.get {i})")).collect();
        let _ = writeln!(
            text,
            "(func (export \"{name}\") (param {params}) {result} (call ${name} {gets}))"
        );
    }
    let mut data = String::new();
    let mut at = STRINGS;
    let mut body = String::new();
    for (index, (name, args, _)) in calls.iter().enumerate() {
        let (_, params) = SIGNATURES.iter().find(|known| known.0 == *name).expect("a function");
        let mut words = String::new();
        let mut count = 0;
        let mut size = None;
        for arg in *args {
            count += 1;
            let _ = match arg {
                Arg::I(value) => write!(words, "(i32.const {})", *value as i32),
                Arg::L(value) => write!(words, "(i64.const {})", *value as i64),
                Arg::Last => write!(words, "(i32.load (i32.const {OUT}))"),
                Arg::Out => write!(words, "(i32.const {OUT})"),
                Arg::Buffer(len) => {
                    count += 1;
                    size = Some(*len);
                    write!(words, "(i32.const {IOVEC}) (i32.const 1)")
                }
                Arg::S(string) => {
                    count += 1;
                    let (start, len) = (at, string.len() as u32);
                    if len < 0x3000 {
                        let escaped: String =
                            string.iter().map(|byte| format!("\\{byte:02x}")).collect();
                        let _ = writeln!(data, "(data (i32.const {start}) \"{escaped}\")");
                        at += len;
                    }
                    write!(words, "(i32.const {start}) (i32.const {len})")
                }
            };
        }
        assert_eq!(count, params.split_whitespace().count(), "arguments of {name}");
        if let Some(size) = size {
            let _ = write!(
                body,
                "(i32.store (i32.const {IOVEC}) (i32.const {BUFFER}))
                 (i32.store (i32.const {}) (i32.const {size}))",
                IOVEC + 4
            );
        }
        let _ =
            writeln!(body, "(i32.store (i32.const {}) (call ${name} {words}))", 0x4000 + 4 * index);
    }
    let _ = write!(text, "{data}(func (export \"attack\") {body}))");
    text
}

/// A guest that has been instantiated.
pub struct Guest {
    pub store: Store<WasiCtx>,
    pub instance: Instance,
    pub memory: Memory,
}

impl Guest {
    /// A guest with this program.
    pub fn new(builder: &mut WasiCtxBuilder, text: &str) -> Guest {
        let engine = Engine::default();
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut linker = Linker::new(&engine);
        zwasm_wasi::add_to_linker(&mut linker, |ctx| ctx).unwrap();
        let mut store = Store::new(&engine, builder.build());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Guest { store, instance, memory }
    }

    /// Makes the calls of its program and returns what each answered.
    pub fn attack(&mut self, calls: usize) -> Vec<u16> {
        let attack: TypedFunc<(), ()> =
            self.instance.get_typed_func(&mut self.store, "attack").unwrap();
        attack.call(&mut self.store, ()).unwrap();
        let answers = &self.memory.data(&self.store)[0x4000..][..4 * calls];
        answers.chunks_exact(4).map(|four| u16::from_le_bytes([four[0], four[1]])).collect()
    }

    /// Whether a text is anywhere in its memory, other than where its own strings
    /// are.
    pub fn knows(&self, text: &[u8]) -> bool {
        let memory = &self.memory.data(&self.store)[BUFFER as usize..];
        memory.windows(text.len()).any(|window| window == text)
    }
}
