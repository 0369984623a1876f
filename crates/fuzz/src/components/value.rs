//! Values of components: drawn at random for a type, compared bit by bit.

use super::ty::Ty;
use zwasm_component::Val;
use zwasm_wast::mutate::Rng;

/// How many elements or characters all values of a case may have together.
pub struct Budget(pub usize);

impl Budget {
    fn take(&mut self, wanted: usize) -> usize {
        let given = wanted.min(self.0);
        self.0 -= given;
        given
    }
}

/// An integer, small or at an edge of its type.
fn integer(rng: &mut Rng) -> u64 {
    match rng.below(4) {
        0 => rng.bits() & 0xf,
        1 => (1_u64 << rng.below(64)).wrapping_sub(rng.bits() & 1),
        2 => u64::MAX - (rng.bits() & 3),
        _ => rng.bits(),
    }
}

/// A character of any length in any encoding.
fn letter(rng: &mut Rng) -> char {
    let code = match rng.below(6) {
        0 => 0x20 + rng.below(0x5f) as u32,
        1 => rng.below(0x100) as u32,
        2 => {
            [0, 0x7f, 0x80, 0xff, 0x100, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x1_0000, 0x10_ffff]
                [rng.below(12)]
        }
        3 => rng.below(0x1_0000) as u32,
        4 => 0x1_0000 + rng.below(0x10_0000) as u32,
        _ => 0x61,
    };
    char::from_u32(code).unwrap_or('\u{fffd}')
}

/// A string, most of them of letters of one kind only, as encodings with two forms tell
/// them apart.
fn string(rng: &mut Rng, budget: &mut Budget) -> String {
    let wanted = match rng.below(12) {
        0 => 0,
        1 => rng.below(3000),
        _ => rng.below(12),
    };
    let length = budget.take(wanted);
    let kind = rng.below(4);
    let mut text: String = (0..length)
        .map(|_| match kind {
            0 => char::from(b' ' + rng.below(0x5f) as u8),
            1 => char::from(rng.below(0x100) as u8),
            _ => letter(rng),
        })
        .collect();
    // The one letter that changes the form may be the last.
    if kind < 2 && rng.below(3) == 0 {
        text.push(letter(rng));
    }
    text
}

fn length(rng: &mut Rng, budget: &mut Budget, element: &Ty) -> usize {
    let wanted = match rng.below(10) {
        0 => 0,
        1 if element.weight() == 1 => rng.below(9000),
        2 => rng.below(40),
        _ => rng.below(4),
    };
    budget.take(wanted)
}

/// A value of the type.
pub fn draw(ty: &Ty, rng: &mut Rng, budget: &mut Budget) -> Val {
    let mut boxed = |ty: &Ty, rng: &mut Rng| Box::new(draw(ty, rng, budget));
    match ty {
        Ty::Bool => Val::Bool(rng.bits() & 1 == 1),
        Ty::S8 => Val::S8(integer(rng) as i8),
        Ty::U8 => Val::U8(integer(rng) as u8),
        Ty::S16 => Val::S16(integer(rng) as i16),
        Ty::U16 => Val::U16(integer(rng) as u16),
        Ty::S32 => Val::S32(integer(rng) as i32),
        Ty::U32 => Val::U32(integer(rng) as u32),
        Ty::S64 => Val::S64(integer(rng) as i64),
        Ty::U64 => Val::U64(integer(rng)),
        Ty::F32 => Val::Float32(f32::from_bits(float(rng, 0x7f80_0000) as u32)),
        Ty::F64 => Val::Float64(f64::from_bits(float(rng, 0x7ff0_0000_0000_0000))),
        Ty::Char => Val::Char(letter(rng)),
        Ty::String => Val::String(string(rng, budget)),
        Ty::List(element) => {
            let length = length(rng, budget, element);
            Val::List((0..length).map(|_| draw(element, rng, budget)).collect())
        }
        Ty::Fixed(element, length) => {
            Val::FixedLengthList((0..*length).map(|_| draw(element, rng, budget)).collect())
        }
        Ty::Map(key, value) => {
            let mut entries: Vec<(Val, Val)> = Vec::new();
            for _ in 0..budget.take(rng.below(5)) {
                let entry = draw(key, rng, budget);
                if !entries.iter().any(|(before, _)| *before == entry) {
                    entries.push((entry, draw(value, rng, budget)));
                }
            }
            Val::Map(entries)
        }
        Ty::Record(fields) => {
            let fields = fields.iter().enumerate();
            Val::Record(fields.map(|(at, ty)| (format!("f{at}"), draw(ty, rng, budget))).collect())
        }
        Ty::Tuple(fields) => Val::Tuple(fields.iter().map(|ty| draw(ty, rng, budget)).collect()),
        Ty::Variant(cases) => {
            // One with a payload is rare among many.
            let full: Vec<usize> = (0..cases.len()).filter(|at| cases[*at].is_some()).collect();
            let at = match rng.pick(&full) {
                Some(at) if rng.below(2) == 0 => *at,
                _ => rng.below(cases.len()),
            };
            Val::Variant(format!("c{at}"), cases[at].as_ref().map(|ty| boxed(ty, rng)))
        }
        Ty::Enum(count) => Val::Enum(format!("c{}", rng.below(*count as usize))),
        Ty::Option(ty) => Val::Option((rng.below(4) != 0).then(|| boxed(ty, rng))),
        Ty::Result(ok, err) => Val::Result(match rng.below(2) {
            0 => Ok(ok.as_ref().map(|ty| boxed(ty, rng))),
            _ => Err(err.as_ref().map(|ty| boxed(ty, rng))),
        }),
        Ty::Flags(count) => {
            let density = rng.below(4);
            let set = (0..*count).filter(|_| rng.below(4) < density);
            Val::Flags(set.map(|at| format!("b{at}")).collect())
        }
    }
}

/// The bits of a number with a point, of those whose exponent is all ones a third.
fn float(rng: &mut Rng, ones: u64) -> u64 {
    let bits = match ones > u64::from(u32::MAX) {
        true => rng.bits(),
        false => rng.bits() & u64::from(u32::MAX),
    };
    match rng.below(6) {
        0 => bits | ones,
        1 => ones,
        2 => bits & !ones,
        _ => bits,
    }
}

/// Whether two values are the same to a guest: all NaNs are one, the zeros are two.
pub fn same(one: &Val, other: &Val) -> bool {
    let all = |ones: &[Val], others: &[Val]| {
        ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| same(one, other))
    };
    let boxed = |one: &Option<Box<Val>>, other: &Option<Box<Val>>| match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => same(one, other),
        (None, Some(_)) | (Some(_), None) => false,
    };
    match (one, other) {
        (Val::Float32(one), Val::Float32(other)) => {
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        }
        (Val::Float64(one), Val::Float64(other)) => {
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        }
        (Val::List(one), Val::List(other))
        | (Val::FixedLengthList(one), Val::FixedLengthList(other))
        | (Val::Tuple(one), Val::Tuple(other)) => all(one, other),
        (Val::Map(one), Val::Map(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| same(&one.0, &other.0) && same(&one.1, &other.1))
        }
        (Val::Record(one), Val::Record(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| one.0 == other.0 && same(&one.1, &other.1))
        }
        (Val::Variant(one, payload), Val::Variant(other, another)) => {
            one == other && boxed(payload, another)
        }
        (Val::Option(one), Val::Option(other)) => boxed(one, other),
        (Val::Result(Ok(one)), Val::Result(Ok(other)))
        | (Val::Result(Err(one)), Val::Result(Err(other))) => boxed(one, other),
        // What is left has no numbers with a point within.
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_two_and_nans_one() {
        assert!(!same(&Val::Float32(0.0), &Val::Float32(-0.0)));
        let nan = |bits| Val::Tuple(vec![Val::Float64(f64::from_bits(bits))]);
        assert!(same(&nan(0x7ff8 << 48), &nan(0xfff0_0000_0000_0001)));
        assert!(!same(&Val::List(Vec::new()), &Val::Tuple(Vec::new())));
    }

    #[test]
    fn a_budget_ends_growth() {
        let ty = Ty::List(Box::new(Ty::List(Box::new(Ty::String))));
        for case in 0..200 {
            let mut budget = Budget(10);
            let value = draw(&ty, &mut Rng::for_case(1, case), &mut budget);
            assert!(format!("{value:?}").len() < 2000);
        }
    }
}
