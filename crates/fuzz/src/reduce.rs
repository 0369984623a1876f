//! Makes a failing module smaller while it still fails: functions become
//! `unreachable`, exports, start and data go, then stretches of instructions go or
//! become a constant, as long as the module stays valid.

use crate::opcodes::{
    BLOCK, DROP, END, F32_CONST, F64_CONST, I32_CONST, I64_CONST, IF, LOOP, TRY_TABLE, UNREACHABLE,
};
use crate::plan::validate;
use std::ops::Range;
use std::time::Instant;
use wasm_encoder::{CodeSection, ExportKind, ExportSection, Module, RawSection};
use wasmparser::{ExternalKind, FunctionBody, Parser, Payload};

const START: u8 = 8;
const DATA_SECTION: u8 = 11;
const EXPORTS: u8 = 7;
const CODE: u8 = 10;

/// The opcodes that begin a block.
const BLOCKS: [u8; 4] = [BLOCK, LOOP, IF, TRY_TABLE];

/// Longest stretch of instructions that is tried at every place.
const STRETCH: usize = 10;

/// What a stretch of instructions is replaced by.
const REPLACEMENTS: [&[u8]; 6] = [
    &[],
    &[I32_CONST, 0],
    &[I64_CONST, 0],
    &[F32_CONST, 0, 0, 0, 0],
    &[F64_CONST, 0, 0, 0, 0, 0, 0, 0, 0],
    &[DROP],
];

/// A module in parts that can be left out.
#[derive(Clone)]
struct Parts {
    /// Identifier and content; those of exports and code are made anew.
    sections: Vec<(u8, Vec<u8>)>,
    exports: Vec<(String, ExportKind, u32)>,
    functions: Vec<Body>,
}

/// The declarations of locals, and the instructions.
#[derive(Clone)]
struct Body {
    locals: Vec<u8>,
    code: Vec<Vec<u8>>,
}

impl Parts {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (mut sections, mut exports, mut functions) = (Vec::new(), Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.ok()?;
            match &payload {
                Payload::ExportSection(section) => {
                    for export in section.clone() {
                        let export = export.ok()?;
                        let kind = match export.kind {
                            ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
                            ExternalKind::Table => ExportKind::Table,
                            ExternalKind::Memory => ExportKind::Memory,
                            ExternalKind::Global => ExportKind::Global,
                            ExternalKind::Tag => ExportKind::Tag,
                        };
                        exports.push((export.name.to_owned(), kind, export.index));
                    }
                }
                Payload::CodeSectionEntry(body) => functions.push(Body::read(body)?),
                _ => {}
            }
            if let Some((id, range)) = payload.as_section() {
                let body = if matches!(id, EXPORTS | CODE) {
                    Vec::new()
                } else {
                    bytes.get(range.start as usize..range.end as usize)?.to_vec()
                };
                sections.push((id, body));
            }
        }
        Some(Self { sections, exports, functions })
    }

    fn write(&self) -> Vec<u8> {
        let mut module = Module::new();
        for (id, data) in &self.sections {
            match *id {
                EXPORTS => {
                    let mut exports = ExportSection::new();
                    for (name, kind, index) in &self.exports {
                        exports.export(name, *kind, *index);
                    }
                    module.section(&exports);
                }
                CODE => {
                    let mut code = CodeSection::new();
                    for function in &self.functions {
                        code.raw(&[function.locals.clone(), function.code.concat()].concat());
                    }
                    module.section(&code);
                }
                id => {
                    module.section(&RawSection { id, data });
                }
            }
        }
        module.finish()
    }
}

impl Body {
    fn read(body: &FunctionBody<'_>) -> Option<Self> {
        let (bytes, base) = (body.as_bytes(), body.range().start);
        let mut reader = body.get_operators_reader().ok()?;
        let locals = bytes[..(reader.original_position() - base) as usize].to_vec();
        let mut code = Vec::new();
        while !reader.eof() {
            let start = reader.original_position();
            reader.read().ok()?;
            code.push(
                bytes[(start - base) as usize..(reader.original_position() - base) as usize]
                    .to_vec(),
            );
        }
        Some(Self { locals, code })
    }
}

/// The smallest module found before `deadline` for which `fails` holds, as it must
/// for `bytes`.
pub fn reduce(bytes: &[u8], deadline: Instant, fails: &mut dyn FnMut(&[u8]) -> bool) -> Vec<u8> {
    let Some(parts) = Parts::read(bytes) else {
        return bytes.to_vec();
    };
    let mut reduction = Reduction { parts, deadline, fails };
    reduction.empty_functions();
    reduction.drop_exports();
    for id in [START, DATA_SECTION] {
        reduction.attempt(|parts| parts.sections.retain(|(each, _)| *each != id));
    }
    let mut length = usize::MAX;
    // What one stretch gives way to may make room for another.
    while reduction.length() < length && Instant::now() < deadline {
        length = reduction.length();
        for function in 0..reduction.parts.functions.len() {
            reduction.unwrap_blocks(function);
            reduction.shorten(function);
        }
        reduction.drop_exports();
    }
    reduction.parts.write()
}

struct Reduction<'f> {
    parts: Parts,
    deadline: Instant,
    fails: &'f mut dyn FnMut(&[u8]) -> bool,
}

impl Reduction<'_> {
    /// Changes the module, if it still fails then.
    fn attempt(&mut self, change: impl FnOnce(&mut Parts)) -> bool {
        if Instant::now() >= self.deadline {
            return false;
        }
        let mut parts = self.parts.clone();
        change(&mut parts);
        let bytes = parts.write();
        let holds = validate(&bytes).is_some() && (self.fails)(&bytes);
        if holds {
            self.parts = parts;
        }
        holds
    }

    fn length(&self) -> usize {
        self.parts.functions.iter().map(|function| function.code.len()).sum()
    }

    fn empty_functions(&mut self) {
        let empty = vec![vec![UNREACHABLE], vec![END]];
        halves(self.parts.functions.len(), &mut |range| {
            self.attempt(|parts| {
                for function in &mut parts.functions[range] {
                    function.code.clone_from(&empty);
                }
            });
        });
    }

    fn drop_exports(&mut self) {
        // From the end, so that what is left keeps its place.
        halves(self.parts.exports.len(), &mut |range| {
            let end = range.end.min(self.parts.exports.len());
            if range.start < end {
                self.attempt(|parts| drop(parts.exports.drain(range.start..end)));
            }
        });
    }

    /// Removes blocks whole, or only where they begin and end.
    fn unwrap_blocks(&mut self, function: usize) {
        let next = |this: &Self, from: usize| {
            let code = &this.parts.functions[function].code;
            (from..code.len()).find(|at| BLOCKS.contains(&code[*at][0]))
        };
        let mut at = 0;
        while let Some(start) = next(self, at)
            && let Some(end) = block_end(&self.parts.functions[function].code, start)
        {
            at = start;
            let is_if = self.parts.functions[function].code[at][0] == IF;
            let gone = REPLACEMENTS.iter().any(|replacement| {
                self.attempt(|parts| {
                    let new = (!replacement.is_empty()).then(|| replacement.to_vec());
                    parts.functions[function].code.splice(at..=end, new);
                })
            });
            let unwrapped = !gone
                && self.attempt(|parts| {
                    let code = &mut parts.functions[function].code;
                    code.remove(end);
                    code.splice(at..=at, is_if.then(|| vec![DROP]));
                });
            if !gone && !unwrapped {
                at += 1;
            }
        }
    }

    fn shorten(&mut self, function: usize) {
        // The last instruction ends the body.
        let count = |this: &Self| this.parts.functions[function].code.len() - 1;
        let mut stretch = count(self) / 2;
        while stretch > 0 {
            let mut at = 0;
            while at + stretch <= count(self) {
                let replaced = REPLACEMENTS.iter().any(|replacement| {
                    let shorter = stretch > 1 || replacement.is_empty();
                    let here = &self.parts.functions[function].code[at..at + stretch];
                    let new = here.concat() != **replacement;
                    shorter
                        && new
                        && self.attempt(|parts| {
                            let new = (!replacement.is_empty()).then(|| replacement.to_vec());
                            parts.functions[function].code.splice(at..at + stretch, new);
                        })
                });
                if !replaced {
                    at += 1 + stretch / (2 * STRETCH);
                }
            }
            stretch = if stretch > STRETCH { (stretch / 2).max(STRETCH) } else { stretch - 1 };
        }
    }
}

/// Where the block ends that begins here.
fn block_end(code: &[Vec<u8>], start: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, op) in code.iter().enumerate().skip(start) {
        match op[0] {
            op if BLOCKS.contains(&op) => depth += 1,
            END if depth == 1 => return Some(at),
            END => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Calls with everything, halves, quarters and so on, from the end.
fn halves(count: usize, attempt: &mut dyn FnMut(Range<usize>)) {
    let mut size = count;
    while size > 0 {
        let mut end = count;
        while end > 0 {
            attempt(end.saturating_sub(size)..end);
            end = end.saturating_sub(size);
        }
        size /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_does_not_matter_goes() {
        let text = r#"(module (memory 1) (data (i32.const 0) "x")
            (func (export "a") (result i32) (i32.add (i32.const 1) (i32.const 2)))
            (func (export "b") (param i32) (result i64)
              (if (local.get 0) (then (drop (i32.popcnt (local.get 0))))
                (else (memory.fill (i32.const 1) (i32.const 2) (i32.const 3))))
              (i64.ctz (i64.const 77))))"#;
        let bytes = wat::parse_str(text).unwrap();
        // It fails while a memory.fill is in it.
        let mut fails = |bytes: &[u8]| bytes.windows(2).any(|pair| pair == [0xfc, 0x0b]);
        let small = reduce(&bytes, Instant::now() + Duration::from_secs(20), &mut fails);
        let parts = Parts::read(&small).unwrap();
        let lengths: Vec<usize> = parts.functions.iter().map(|each| each.code.len()).collect();
        assert_eq!(lengths[0], 2);
        assert!(lengths[1] <= 6, "{:x?}", parts.functions[1].code);
        assert!(parts.exports.is_empty());
        assert!(parts.sections.iter().all(|(id, _)| *id != DATA_SECTION));
    }
}
