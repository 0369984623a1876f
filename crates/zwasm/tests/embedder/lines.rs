//! Lines of source from debugging information, written here and by compilers.

#![cfg(feature = "addr2line")]

use std::path::Path;

use zwasm::{Engine, Instance, Module, SourceLine, Store};

/// The address of the instruction of the guest's first function, behind the number of
/// bodies, the size of the body and the number of its locals.
const ADDRESS: u32 = 3;

/// A module that traps in its one function, and where that is.
fn trapping() -> (Vec<u8>, usize) {
    let binary = wat::parse_str(r#"(module (func (export "f") unreachable))"#).unwrap();
    let engine = Engine::default();
    let module = Module::new(&engine, &binary).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let f = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    let error = f.call(&mut store, ()).unwrap_err();
    let offset = error.backtrace().unwrap().frames()[0].module_offset().unwrap();
    (binary, offset)
}

fn custom(name: &str, contents: &[u8]) -> Vec<u8> {
    let mut bytes = vec![name.len() as u8];
    bytes.extend(name.as_bytes());
    bytes.extend(contents);
    let mut section = vec![0];
    let mut size = bytes.len();
    while size >= 0x80 {
        section.push(size as u8 | 0x80);
        size >>= 7;
    }
    section.push(size as u8);
    section.extend(bytes);
    section
}

fn lines(sections: &[(&str, &[u8])]) -> Option<SourceLine> {
    let (mut binary, offset) = trapping();
    for (name, contents) in sections {
        binary.extend(custom(name, contents));
    }
    let module = Module::new(&Engine::default(), binary).unwrap();
    module.source_lines(&[offset]).pop().unwrap()
}

/// A unit: its version, tables and program behind a header like that of compilers.
fn unit(version: u16, tables: &[u8], program: &[u8]) -> Vec<u8> {
    let mut header = vec![1];
    if version >= 4 {
        header.push(1);
    }
    // Statements, line base -5, line range 14, opcode base 13.
    header.extend([1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]);
    header.extend(tables);
    let mut unit = version.to_le_bytes().to_vec();
    if version >= 5 {
        unit.extend([4, 0]);
    }
    unit.extend((header.len() as u32).to_le_bytes());
    unit.extend(header);
    unit.extend(program);
    let mut whole = (unit.len() as u32).to_le_bytes().to_vec();
    whole.extend(unit);
    whole
}

/// A program: at an address, so many lines on, the column, and the end a byte behind.
fn program(address: u32, lines: u8, file: u8) -> Vec<u8> {
    let mut program = vec![0, 5, 2];
    program.extend(address.to_le_bytes());
    // set_file, set_column, advance_line, copy, advance_pc, end_sequence.
    program.extend([4, file, 5, 7, 3, lines, 1, 2, 1, 0, 1, 1]);
    program
}

const OLD: &[u8] = b"src\0/usr/include\0\0a.c\0\x01\0\0b.h\0\x02\0\0c.c\0\0\0\0\0";

/// Directories and files as texts of a section of their own.
fn new_tables() -> (Vec<u8>, &'static [u8]) {
    let mut tables = vec![1, 1, 0x1f, 2];
    tables.extend(0_u32.to_le_bytes());
    tables.extend(6_u32.to_le_bytes());
    // Name, directory, checksum.
    tables.extend([3, 1, 0x1f, 2, 0x0b, 5, 0x1e, 2]);
    for (name, directory) in [(10_u32, 0_u8), (14, 1)] {
        tables.extend(name.to_le_bytes());
        tables.push(directory);
        tables.extend([0; 16]);
    }
    (tables, b"/home\0src\0a.c\0b.c\0")
}

#[test]
fn versions_of_the_format() {
    let at = |file: &str| Some(SourceLine { file: file.into(), line: 42, column: 7 });
    for version in [2, 3, 4] {
        for (file, name) in [(1, "src/a.c"), (2, "/usr/include/b.h"), (3, "c.c")] {
            let section = unit(version, OLD, &program(ADDRESS, 41, file));
            assert_eq!(lines(&[(".debug_line", &section)]), at(name), "{version}");
        }
    }
    let (tables, texts) = new_tables();
    for (file, name) in [(0, "/home/a.c"), (1, "/home/src/b.c")] {
        let section = unit(5, &tables, &program(ADDRESS, 41, file));
        let sections = [(".debug_line", &section[..]), (".debug_line_str", texts)];
        assert_eq!(lines(&sections), at(name));
    }
    // The special opcode that is 4 lines and 2 bytes on.
    let mut special = vec![0, 5, 2];
    special.extend((ADDRESS - 2).to_le_bytes());
    special.extend([13 + 2 * 14 + 9, 2, 1, 0, 1, 1]);
    let found = lines(&[(".debug_line", &unit(4, OLD, &special))]).unwrap();
    assert_eq!((found.file.as_str(), found.line, found.column), ("src/a.c", 5, 0));
}

#[test]
fn what_belongs_to_no_line() {
    assert_eq!(lines(&[]), None);
    for address in [ADDRESS + 1, ADDRESS - 1, u32::MAX] {
        let section = unit(4, OLD, &program(address, 41, 1));
        assert_eq!(lines(&[(".debug_line", &section)]), None);
    }
    // Code that the linker left out is said to be at 0.
    let mut left_out = vec![0, 5, 2, 0, 0, 0, 0];
    left_out.extend([1, 2, 200, 1, 0, 1, 1]);
    let mut section = unit(4, OLD, &left_out);
    assert_eq!(lines(&[(".debug_line", &section)]), None);
    // What follows is found all the same.
    section.extend(unit(1, OLD, &program(ADDRESS, 1, 1)));
    section.extend(unit(4, OLD, &program(ADDRESS, 41, 1)));
    assert_eq!(lines(&[(".debug_line", &section)]).unwrap().line, 42);
}

/// The section is the guest's: whatever is in it, an answer comes soon.
#[test]
fn nonsense() {
    let (tables, texts) = new_tables();
    let good = [unit(4, OLD, &program(ADDRESS, 41, 1)), unit(5, &tables, &program(ADDRESS, 41, 1))];
    for section in &good {
        for end in 0..section.len() {
            lines(&[(".debug_line", &section[..end]), (".debug_line_str", texts)]);
        }
        for at in 0..section.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut section = section.clone();
                section[at] = byte;
                lines(&[(".debug_line", &section), (".debug_line_str", texts)]);
            }
        }
    }
    // A table without end of entries without contents.
    let endless = [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    lines(&[(".debug_line", &unit(5, &endless, &program(ADDRESS, 41, 1)))]);
    // All bytes of the section say that everything belongs to them.
    let mut all = vec![0, 5, 2, 1, 0, 0, 0];
    for _ in 0..200_000 {
        all.extend([1, 9, 0xff, 0xff, 9, 1, 0]);
    }
    let (mut binary, offset) = trapping();
    binary.extend(custom(".debug_line", &unit(4, OLD, &all)));
    let module = Module::new(&Engine::default(), binary).unwrap();
    let found = module.source_lines(&vec![offset; 10_000]);
    assert!(found.iter().flatten().count() > 0);
}

/// Programs of real compilers: most of their code has lines.
#[test]
fn real_programs() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/realworld/wasm");
    if !folder.is_dir() {
        println!("passed over: there is no {}", folder.display());
        return;
    }
    for (name, source) in
        [("c_string_processing", ".c"), ("cpp_map_ops", ".cpp"), ("tinygo_sort", ".go")]
    {
        let binary = std::fs::read(folder.join(format!("{name}.wasm"))).unwrap();
        let module = Module::new(&Engine::default(), &binary).unwrap();
        let offsets: Vec<usize> = (0..binary.len()).step_by(7).collect();
        let found: Vec<_> = module.source_lines(&offsets).into_iter().flatten().collect();
        assert!(found.len() > 100, "{name}: {}", found.len());
        assert!(found.iter().any(|line| line.file.ends_with(source) && line.line > 0), "{name}");
        assert!(found.iter().all(|line| !line.file.is_empty()), "{name}");
    }
}
