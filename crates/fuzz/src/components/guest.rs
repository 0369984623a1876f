//! Guests that echo: core code that takes parameters of any types, as core values or in
//! memory, and returns them in memory or as the one core value that they are.
//!
//! The guest that ends a chain writes its parameters into memory as their layouts say,
//! one core value after the other. The guests between call the next one with what they
//! got, as the canonical ABI gives and takes the same.

use super::ty::{Core, Ty, up};
use std::fmt::Write;
use zwasm_wast::mutate::Rng;

/// The most core values of parameters that are passed as such.
const MAX_FLAT_PARAMS: usize = 16;

/// How a guest finds room for what it is given.
#[derive(Clone, Copy, Debug)]
pub enum Room {
    /// Upwards, growing memory to what is needed.
    Up,
    /// Downwards from the end of memory, so that what comes first ends where memory does.
    Down,
}

/// What a guest does wrong.
#[derive(Clone, Copy, Debug)]
pub enum Wrong {
    /// The allocation with this number is answered with this address.
    Room { at: u32, address: u32 },
    /// The result is moved by this many bytes.
    Moved(u32),
    /// A byte of the result is changed, so many from its start.
    Byte { offset: u32, bits: u32 },
    /// An integer among the core values of the parameters is changed, before they are
    /// passed on.
    Param { at: u32, bits: u32 },
}

/// A guest.
#[derive(Clone, Debug)]
pub struct Guest {
    /// `utf8`, `utf16` or `latin1+utf16`.
    pub encoding: &'static str,
    pub room: Room,
    /// Whether it forgets all that it was given once its results are read.
    pub forgets: bool,
    pub wrong: Option<Wrong>,
}

/// Types of parameters, and what follows for core code.
pub struct Signature<'a> {
    pub params: &'a [Ty],
    pub result: Ty,
    /// The core values of parameters, or the one that is their address.
    flat: Vec<Core>,
    /// Whether that is so.
    spilled: bool,
    /// The core values that the result would be.
    results: Vec<Core>,
}

impl<'a> Signature<'a> {
    pub fn new(params: &'a [Ty]) -> Self {
        let result = match params {
            [one] => one.clone(),
            many => Ty::Tuple(many.to_vec()),
        };
        let flat: Vec<Core> = params.iter().flat_map(Ty::flat).collect();
        let spilled = flat.len() > MAX_FLAT_PARAMS;
        let flat = if spilled { vec![Core::I32] } else { flat };
        Self { params, flat, spilled, results: result.flat(), result }
    }

    /// Whether the result lies in memory.
    fn indirect(&self) -> bool {
        self.results.len() > 1
    }

    /// The type of the core function that is lifted.
    fn lifted(&self) -> String {
        let result = if self.indirect() { Core::I32 } else { self.results[0] };
        format!("{} (result {})", self.core_params(""), result.name())
    }

    /// The type of the core function that lowering makes.
    fn lowered(&self) -> String {
        match self.indirect() {
            true => self.core_params(" i32"),
            false => format!("{} (result {})", self.core_params(""), self.results[0].name()),
        }
    }

    fn core_params(&self, more: &str) -> String {
        let names: Vec<&str> = self.flat.iter().map(|core| core.name()).collect();
        format!("(param {}{more})", names.join(" "))
    }
}

impl Guest {
    pub fn draw(rng: &mut Rng, wrong: bool, signature: &Signature<'_>) -> Self {
        let encoding = ["utf8", "utf16", "latin1+utf16"][rng.below(3)];
        let room = if rng.below(2) == 0 { Room::Up } else { Room::Down };
        let wrong = wrong.then(|| match rng.below(5) {
            0 | 1 => {
                let address = [1, 2, 3, 4, 0xffff, 0xffff_fff0, 0x8000_0000, rng.bits() as u32];
                Wrong::Room { at: rng.below(4) as u32, address: address[rng.below(8)] }
            }
            2 => {
                let bytes = [1, 2, 4, 8, 0xffff_fff8, 0x7fff_0000, 1 << 20];
                Wrong::Moved(bytes[rng.below(7)])
            }
            3 => Wrong::Byte {
                offset: rng.below(signature.result.size() as usize) as u32,
                bits: 1 + rng.below(255) as u32,
            },
            _ => Wrong::Param {
                at: rng.below(signature.flat.len()) as u32,
                bits: [1, 2, 3, 0xff, 0x100, 0x8000_0000, u32::MAX, rng.bits() as u32]
                    [rng.below(8)],
            },
        });
        Self { encoding, room, forgets: rng.below(2) == 0, wrong }
    }

    /// The canonical options over a core instance.
    pub fn options(&self, instance: &str, of_lift: bool) -> String {
        let mut options = format!(
            "string-encoding={} (memory (core memory {instance} \"m\")) \
             (realloc (core func {instance} \"realloc\"))",
            self.encoding
        );
        if self.forgets && of_lift {
            let _ = write!(options, " (post-return (core func {instance} \"post\"))");
        }
        options
    }

    /// A module with memory that exports `realloc`, and `post` for a function that returns
    /// as `signature` says.
    pub fn library(&self, signature: &Signature<'_>) -> String {
        const PAGES: u32 = 64;
        let take = match self.room {
            Room::Up => {
                "(local.set $r (i32.and (i32.add (global.get $at) (i32.sub (local.get $align) (i32.const 1)))
                   (i32.sub (i32.const 0) (local.get $align))))
                 (global.set $at (i32.add (local.get $r) (local.get $new)))
                 (local.set $pages (i32.sub
                   (i32.shr_u (i32.add (global.get $at) (i32.const 65535)) (i32.const 16))
                   (memory.size)))
                 (if (i32.gt_s (local.get $pages) (i32.const 0)) (then
                   (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then unreachable))))"
            }
            Room::Down => {
                "(if (i32.gt_u (local.get $new) (global.get $at)) (then unreachable))
                 (local.set $r (i32.and (i32.sub (global.get $at) (local.get $new))
                   (i32.sub (i32.const 0) (local.get $align))))
                 (global.set $at (local.get $r))"
            }
        };
        let (pages, start) = match self.room {
            Room::Up => (1, 64),
            Room::Down => (PAGES, PAGES << 16),
        };
        let wrong = match self.wrong {
            Some(Wrong::Room { at, address }) => format!(
                "(global.set $count (i32.add (global.get $count) (i32.const 1)))
                 (if (i32.eq (global.get $count) (i32.const {}))
                   (then (return (i32.const {}))))",
                at + 1,
                address as i32
            ),
            _ => String::new(),
        };
        let returned = if signature.indirect() { Core::I32 } else { signature.results[0] };
        format!(
            "(memory (export \"m\") {pages} {PAGES})
             (global $at (mut i32) (i32.const {start}))
             (global $count (mut i32) (i32.const 0))
             (func $realloc (export \"realloc\")
               (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
               (local $r i32) (local $pages i32)
               {wrong}
               (if (i32.and (i32.ne (local.get $size) (i32.const 0))
                     (i32.le_u (local.get $new) (local.get $size)))
                 (then (return (local.get $old))))
               {take}
               (memory.copy (local.get $r) (local.get $old) (local.get $size))
               (local.get $r))
             (func (export \"post\") (param {}) (global.set $at (i32.const {start})))",
            returned.name()
        )
    }

    /// A module whose `f` returns its parameters.
    pub fn ends(&self, signature: &Signature<'_>) -> String {
        let Signature { params, spilled, flat, .. } = signature;
        let mut body = self.changed_params(flat);
        let mut result = "(local.get 0)".to_string();
        if signature.indirect() && !spilled {
            let result_ty = &signature.result;
            let (size, align) = (result_ty.size(), result_ty.align());
            let at = flat.len();
            let _ = writeln!(
                body,
                "(local.set {at} (call $realloc (i32.const 0) (i32.const 0) (i32.const {align}) (i32.const {size})))"
            );
            let mut next = 0..;
            let mut offset = 0;
            for ty in *params {
                offset = up(offset, ty.align());
                let values = (&mut next).take(ty.flat().len());
                let values: Vec<String> =
                    values.map(|local| format!("(local.get {local})")).collect();
                store(&mut body, ty, at, offset, &values);
                offset += ty.size();
            }
            result = format!("(local.get {at})");
        }
        format!(
            "(module {} (func (export \"f\") {} (local i32) {body} {}))",
            self.library(signature),
            signature.lifted(),
            self.changed_result(signature, &result)
        )
    }

    /// A module whose `f` calls what it imports with its parameters.
    pub fn passes_on(&self, signature: &Signature<'_>) -> String {
        let flat = &signature.flat;
        let mut body = self.changed_params(flat);
        let arguments: String =
            (0..flat.len()).map(|local| format!(" (local.get {local})")).collect();
        let result = match signature.indirect() {
            false => format!("(call $next{arguments})"),
            true => {
                let (size, align) = (signature.result.size(), signature.result.align());
                let at = flat.len();
                let _ = writeln!(
                    body,
                    "(local.set {at} (call $realloc (i32.const 0) (i32.const 0) (i32.const {align}) (i32.const {size})))
                     (call $next{arguments} (local.get {at}))"
                );
                format!("(local.get {at})")
            }
        };
        format!(
            "(module (import \"\" \"next\" (func $next {}))
               (import \"\" \"m\" (memory 0)) (import \"\" \"realloc\"
                 (func $realloc (param i32 i32 i32 i32) (result i32)))
               (func (export \"f\") {} (local i32) {body} {}))",
            signature.lowered(),
            signature.lifted(),
            self.changed_result(signature, &result)
        )
    }

    fn changed_params(&self, flat: &[Core]) -> String {
        match self.wrong {
            Some(Wrong::Param { at, bits }) if flat.get(at as usize) == Some(&Core::I32) => {
                format!("(local.set {at} (i32.xor (local.get {at}) (i32.const {})))", bits as i32)
            }
            _ => String::new(),
        }
    }

    fn changed_result(&self, signature: &Signature<'_>, result: &str) -> String {
        let at = signature.flat.len();
        match self.wrong {
            Some(Wrong::Moved(bytes)) if signature.indirect() => {
                format!("(i32.add {result} (i32.const {}))", bytes as i32)
            }
            Some(Wrong::Byte { offset, bits }) if signature.indirect() => format!(
                "(local.set {at} {result})
                 (i32.store8 offset={offset} (local.get {at})
                   (i32.xor (i32.load8_u offset={offset} (local.get {at})) (i32.const {bits})))
                 (local.get {at})"
            ),
            Some(Wrong::Byte { bits, .. }) if signature.results[0] == Core::I32 => {
                format!("(i32.xor {result} (i32.const {bits}))")
            }
            _ => result.into(),
        }
    }
}

/// Writes the code that puts a value's core values into memory, from the address in a
/// local on.
fn store(code: &mut String, ty: &Ty, local: usize, offset: u32, values: &[String]) {
    if let Some(cases) = ty.cases() {
        let discriminant = &values[0];
        let width = match Ty::discriminant(cases.len()) {
            1 => "8",
            2 => "16",
            _ => "",
        };
        let _ =
            writeln!(code, "(i32.store{width} offset={offset} (local.get {local}) {discriminant})");
        let joined = ty.flat();
        for (at, payload) in cases.iter().enumerate() {
            let Some(payload) = payload else { continue };
            let own = payload.flat();
            let own = own.iter().zip(&joined[1..]).zip(&values[1..]);
            let own: Vec<String> =
                own.map(|((core, joined), value)| narrowed(value, *joined, *core)).collect();
            let _ = writeln!(code, "(if (i32.eq {discriminant} (i32.const {at})) (then");
            store(code, payload, local, offset + Ty::payload(&cases), &own);
            let _ = writeln!(code, "))");
        }
        return;
    }
    if let Some(fields) = ty.fields() {
        let (mut at, mut next) = (0, 0);
        for field in fields {
            at = up(at, field.align());
            let count = field.flat().len();
            store(code, field, local, offset + at, &values[next..next + count]);
            at += field.size();
            next += count;
        }
        return;
    }
    let instruction = match (ty, ty.size()) {
        (Ty::F32, _) => "f32.store",
        (Ty::F64, _) => "f64.store",
        (Ty::S64 | Ty::U64, _) => "i64.store",
        (_, 1) => "i32.store8",
        (_, 2) => "i32.store16",
        _ => "i32.store",
    };
    for (at, value) in values.iter().enumerate() {
        let offset = offset + 4 * at as u32;
        let _ = writeln!(code, "({instruction} offset={offset} (local.get {local}) {value})");
    }
}

/// A core value that was widened to hold others as well.
fn narrowed(value: &str, joined: Core, own: Core) -> String {
    match (joined, own) {
        (Core::I32, Core::F32) => format!("(f32.reinterpret_i32 {value})"),
        (Core::I64, Core::I32) => format!("(i32.wrap_i64 {value})"),
        (Core::I64, Core::F32) => format!("(f32.reinterpret_i32 (i32.wrap_i64 {value}))"),
        (Core::I64, Core::F64) => format!("(f64.reinterpret_i64 {value})"),
        _ => value.into(),
    }
}
