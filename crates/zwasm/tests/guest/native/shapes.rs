//! Values of all types made of one number and folded into one again, so that whatever
//! gets lost on the way from function to function shows in a number.

use std::fmt::Write as _;

/// A type of values that are passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    I32,
    I64,
    F32,
    F64,
    V128,
    /// A small integer as a reference.
    I31,
    /// A structure on the heap.
    Cell,
}

pub use Ty::*;

/// What [`Cell`] is in the text.
pub const CELL: &str = "(type $cell (struct (field (mut i64)) (field i64)))";

impl Ty {
    pub fn text(self) -> &'static str {
        match self {
            I32 => "i32",
            I64 => "i64",
            F32 => "f32",
            F64 => "f64",
            V128 => "v128",
            I31 => "i31ref",
            Cell => "(ref null $cell)",
        }
    }

    /// Code that makes a value of a number and the value's place among others.
    fn make(self, number: &str, place: usize) -> String {
        let x = format!("(i64.add {number} (i64.const {}))", salt(place));
        match self {
            I32 => format!("(i32.wrap_i64 {x})"),
            I64 => x,
            F32 => format!("(f32.convert_i64_s (i64.and {x} (i64.const 0xff_ffff)))"),
            F64 => format!("(f64.convert_i64_s (i64.and {x} (i64.const 0xff_ffff_ffff)))"),
            V128 => format!("(i64x2.replace_lane 1 (i64x2.splat {x}) (i64.const {place}))"),
            I31 => format!("(ref.i31 (i32.wrap_i64 {x}))"),
            Cell => format!("(struct.new $cell {x} (i64.const {place}))"),
        }
    }

    /// Code that makes a number of the value in a local.
    fn number(self, local: &str) -> String {
        let get = format!("(local.get {local})");
        match self {
            I32 => format!("(i64.extend_i32_s {get})"),
            I64 => get,
            F32 => format!("(i64.trunc_f32_s {get})"),
            F64 => format!("(i64.trunc_f64_s {get})"),
            V128 => format!("(i64.xor (i64x2.extract_lane 0 {get}) (i64x2.extract_lane 1 {get}))"),
            I31 => format!("(i64.extend_i32_s (i31.get_s {get}))"),
            Cell => format!("(i64.xor (struct.get $cell 0 {get}) (struct.get $cell 1 {get}))"),
        }
    }

    /// What comes of a number that way.
    fn pass(self, number: i64, place: usize) -> i64 {
        let x = number.wrapping_add(salt(place));
        match self {
            I32 => i64::from(x as i32),
            I64 => x,
            F32 => x & 0xff_ffff,
            F64 => x & 0xff_ffff_ffff,
            V128 | Cell => x ^ place as i64,
            I31 => i64::from((x as i32) << 1 >> 1),
        }
    }
}

fn salt(place: usize) -> i64 {
    (place as i64 + 1) * 0x1_0000_4321
}

/// The types as they stand in a signature.
pub fn list(tys: &[Ty]) -> String {
    tys.iter().map(|ty| ty.text()).collect::<Vec<_>>().join(" ")
}

/// Code that makes all values of the number in the local `number`.
pub fn spread(tys: &[Ty], number: &str) -> String {
    let number = format!("(local.get {number})");
    tys.iter().enumerate().fold(String::new(), |mut all, (place, ty)| {
        let _ = writeln!(all, "    {}", ty.make(&number, place));
        all
    })
}

/// Declarations of locals or parameters, `keyword` being which, with names that begin
/// with `prefix`.
pub fn declare(keyword: &str, tys: &[Ty], prefix: &str) -> String {
    let each = |(place, ty): (usize, &Ty)| format!("({keyword} ${prefix}{place} {})", ty.text());
    tys.iter().enumerate().map(each).collect::<Vec<_>>().join(" ")
}

/// Takes what lies on the stack into such locals.
pub fn take(tys: &[Ty], prefix: &str) -> String {
    (0..tys.len()).rev().map(|place| format!("(local.set ${prefix}{place})\n")).collect()
}

/// Adds the values in such locals to the number in the local `number`.
pub fn fold(tys: &[Ty], prefix: &str, number: &str) -> String {
    tys.iter().enumerate().fold(String::new(), |mut all, (place, ty)| {
        let value = ty.number(&format!("${prefix}{place}"));
        let mixed = format!("(i64.mul (local.get {number}) (i64.const 31))");
        let _ = writeln!(all, "    (local.set {number} (i64.add {mixed} {value}))");
        all
    })
}

/// What [`fold`] makes of a number and values that [`spread`] made of another.
pub fn folded(tys: &[Ty], number: i64, of: i64) -> i64 {
    tys.iter().enumerate().fold(number, |number, (place, ty)| {
        number.wrapping_mul(31).wrapping_add(ty.pass(of, place))
    })
}

/// Lists of parameters: few, more integers than registers, more floats, vectors, all of
/// them in turns, references.
pub fn parameters() -> Vec<Vec<Ty>> {
    vec![
        vec![],
        vec![I32; 10],
        [vec![F64; 12], vec![F32; 3]].concat(),
        vec![I32, F64, V128, I64, F32, I31, F64, V128, I32, F32, I64, F64, F32, V128, I32, I64],
        vec![V128; 9],
        [[Cell, I31].repeat(4), vec![F32, I32]].concat(),
        vec![I64, Cell, F32],
    ]
}

/// Lists of results: one, none but integers, more than registers of each kind.
pub fn results() -> Vec<Vec<Ty>> {
    vec![
        vec![I64],
        vec![],
        vec![I32, I64, I32, I64, I32, I64, I32],
        vec![F32, F64, V128, F32, F64, V128, I64],
        vec![Cell, I31, Cell, V128, I64, Cell, F64, I31, Cell],
    ]
}
