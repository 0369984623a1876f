//! Types of component values: drawn at random, and what the specification says of how
//! their values lie in memory and among core values.
//!
//! Layout and flattening are computed here once more, from the text of the
//! specification, so that guests made with them disagree with an engine that is wrong.
//!
//! Specification: Canonical ABI, "Alignment", "Element Size", "Flattening".

use zwasm_wast::mutate::Rng;

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Ty {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    List(Box<Ty>),
    Fixed(Box<Ty>, u32),
    Map(Box<Ty>, Box<Ty>),
    Record(Vec<Ty>),
    Tuple(Vec<Ty>),
    Variant(Vec<Option<Ty>>),
    Enum(u32),
    Option(Box<Ty>),
    Result(Option<Box<Ty>>, Option<Box<Ty>>),
    Flags(u32),
}

/// The type of a core value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    I32,
    I64,
    F32,
    F64,
}

impl Core {
    /// Its name in text.
    pub fn name(self) -> &'static str {
        match self {
            Core::I32 => "i32",
            Core::I64 => "i64",
            Core::F32 => "f32",
            Core::F64 => "f64",
        }
    }

    /// The type that holds values of either.
    pub fn join(self, other: Core) -> Core {
        match (self, other) {
            _ if self == other => self,
            (Core::I32, Core::F32) | (Core::F32, Core::I32) => Core::I32,
            _ => Core::I64,
        }
    }
}

/// Types without parts.
const PLAIN: [Ty; 13] = [
    Ty::Bool,
    Ty::S8,
    Ty::U8,
    Ty::S16,
    Ty::U16,
    Ty::S32,
    Ty::U32,
    Ty::S64,
    Ty::U64,
    Ty::F32,
    Ty::F64,
    Ty::Char,
    Ty::String,
];

/// The index of the first type that is no key of a map, floats left out.
fn key(rng: &mut Rng) -> Ty {
    loop {
        match &PLAIN[rng.below(PLAIN.len())] {
            Ty::F32 | Ty::F64 => {}
            ty => return ty.clone(),
        }
    }
}

/// How many of something there are: few, and at times as many as change the size of a
/// discriminant.
fn count(rng: &mut Rng) -> u32 {
    match rng.below(40) {
        0 => [255, 256, 257, 300][rng.below(4)],
        1 => 9 + rng.below(30) as u32,
        _ => 1 + rng.below(6) as u32,
    }
}

impl Ty {
    /// A type whose parts nest at most `depth` deep.
    pub fn draw(rng: &mut Rng, depth: u32) -> Ty {
        if depth == 0 || rng.below(4) == 0 {
            return PLAIN[rng.below(PLAIN.len())].clone();
        }
        let part = |rng: &mut Rng| Ty::draw(rng, depth - 1);
        let some = |rng: &mut Rng| match rng.below(3) {
            0 => None,
            _ => Some(Ty::draw(rng, depth - 1)),
        };
        match rng.below(14) {
            0 | 1 => Ty::List(Box::new(part(rng))),
            2 => Ty::Fixed(Box::new(part(rng)), 1 + rng.below(4) as u32),
            3 => Ty::Map(Box::new(key(rng)), Box::new(part(rng))),
            4 | 5 => Ty::Record((0..1 + rng.below(5)).map(|_| part(rng)).collect()),
            6 => Ty::Tuple((0..1 + rng.below(5)).map(|_| part(rng)).collect()),
            7 | 8 => {
                let count = count(rng);
                // Few of many have a payload, so that types do not grow without end.
                let mut left = 4;
                let case = |_| match left > 0 && rng.below(1 + count as usize / 8) == 0 {
                    true => {
                        left -= 1;
                        some(rng)
                    }
                    false => None,
                };
                Ty::Variant((0..count).map(case).collect())
            }
            9 => Ty::Enum(count(rng)),
            10 => Ty::Option(Box::new(part(rng))),
            11 => Ty::Result(some(rng).map(Box::new), some(rng).map(Box::new)),
            12 => Ty::Flags(1 + rng.below(32) as u32),
            // As deep as one kind of part after the other goes.
            _ => (0..rng.below(12)).fold(part(rng), |ty, _| match rng.below(4) {
                0 => Ty::Option(Box::new(ty)),
                1 => Ty::Tuple(vec![ty]),
                2 => Ty::Result(None, Some(Box::new(ty))),
                _ => Ty::List(Box::new(ty)),
            }),
        }
    }

    /// The parts of a type that is a variant, whatever it is called: how many cases, and
    /// their payloads.
    pub fn cases(&self) -> Option<Vec<Option<&Ty>>> {
        match self {
            Ty::Variant(cases) => Some(cases.iter().map(Option::as_ref).collect()),
            Ty::Enum(count) => Some(vec![None; *count as usize]),
            Ty::Option(ty) => Some(vec![None, Some(ty)]),
            Ty::Result(ok, err) => Some(vec![ok.as_deref(), err.as_deref()]),
            _ => None,
        }
    }

    /// The parts of a type that lie one after the other.
    pub fn fields(&self) -> Option<Vec<&Ty>> {
        match self {
            Ty::Record(fields) | Ty::Tuple(fields) => Some(fields.iter().collect()),
            Ty::Fixed(ty, length) => Some(vec![ty; *length as usize]),
            _ => None,
        }
    }

    /// Bytes of the discriminant of a variant with so many cases.
    pub fn discriminant(cases: usize) -> u32 {
        match cases {
            ..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 4,
        }
    }

    pub fn align(&self) -> u32 {
        if let Some(cases) = self.cases() {
            let payloads = cases.iter().flatten().map(|ty| ty.align()).max();
            return payloads.unwrap_or(1).max(Ty::discriminant(cases.len()));
        }
        if let Some(fields) = self.fields() {
            return fields.iter().map(|ty| ty.align()).max().unwrap_or(1);
        }
        match self {
            Ty::Bool | Ty::S8 | Ty::U8 | Ty::Flags(..=8) => 1,
            Ty::S16 | Ty::U16 | Ty::Flags(..=16) => 2,
            Ty::S64 | Ty::U64 | Ty::F64 => 8,
            _ => 4,
        }
    }

    pub fn size(&self) -> u32 {
        if let Some(cases) = self.cases() {
            let payloads = cases.iter().flatten().map(|ty| ty.size()).max();
            return up(Ty::payload(&cases) + payloads.unwrap_or(0), self.align());
        }
        if let Some(fields) = self.fields() {
            let end = fields.iter().fold(0, |end, ty| up(end, ty.align()) + ty.size());
            return up(end, self.align());
        }
        match self {
            Ty::String | Ty::List(_) | Ty::Map(..) => 8,
            _ => self.align(),
        }
    }

    /// Where the payloads of a variant are.
    pub fn payload(cases: &[Option<&Ty>]) -> u32 {
        let align = cases.iter().flatten().map(|ty| ty.align()).max();
        up(Ty::discriminant(cases.len()), align.unwrap_or(1))
    }

    /// The core values that a value is.
    pub fn flat(&self) -> Vec<Core> {
        if let Some(cases) = self.cases() {
            let mut joined: Vec<Core> = Vec::new();
            for ty in cases.into_iter().flatten() {
                for (at, core) in ty.flat().into_iter().enumerate() {
                    match joined.get_mut(at) {
                        Some(before) => *before = before.join(core),
                        None => joined.push(core),
                    }
                }
            }
            joined.insert(0, Core::I32);
            return joined;
        }
        if let Some(fields) = self.fields() {
            return fields.iter().flat_map(|ty| ty.flat()).collect();
        }
        match self {
            Ty::S64 | Ty::U64 => vec![Core::I64],
            Ty::F32 => vec![Core::F32],
            Ty::F64 => vec![Core::F64],
            Ty::String | Ty::List(_) | Ty::Map(..) => vec![Core::I32, Core::I32],
            _ => vec![Core::I32],
        }
    }

    /// How many values there are in a value at least, and how many types in the type:
    /// what grows too large is not tried.
    pub fn weight(&self) -> u64 {
        if let Some(cases) = self.cases() {
            return cases.into_iter().flatten().fold(1, |sum, ty| sum + ty.weight());
        }
        match self {
            Ty::Record(fields) | Ty::Tuple(fields) => {
                fields.iter().fold(1, |sum, ty| sum + ty.weight())
            }
            Ty::Fixed(ty, length) => 1 + ty.weight() * u64::from(*length),
            Ty::List(ty) => 1 + 2 * ty.weight(),
            Ty::Map(key, value) => 1 + 2 * (key.weight() + value.weight()),
            _ => 1,
        }
    }
}

/// The next multiple of a power of two.
pub fn up(value: u32, align: u32) -> u32 {
    value.next_multiple_of(align)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_those_of_the_specification() {
        let variant = Ty::Variant(vec![Some(Ty::F32), Some(Ty::U64), None]);
        assert_eq!((variant.size(), variant.align()), (16, 8));
        assert_eq!(variant.flat(), [Core::I32, Core::I64]);
        let record = Ty::Record(vec![Ty::U8, Ty::String, Ty::Bool]);
        assert_eq!((record.size(), record.align()), (16, 4));
        assert_eq!(record.flat(), [Core::I32; 4]);
        assert_eq!((Ty::Enum(257).size(), Ty::Enum(256).size()), (2, 1));
        assert_eq!((Ty::Flags(9).size(), Ty::Flags(17).size()), (2, 4));
        let mixed = Ty::Result(Some(Box::new(Ty::F32)), Some(Box::new(Ty::S32)));
        assert_eq!(mixed.flat(), [Core::I32, Core::I32]);
        let fixed = Ty::Fixed(Box::new(Ty::Tuple(vec![Ty::U16, Ty::U8])), 3);
        assert_eq!((fixed.size(), fixed.align(), fixed.flat().len()), (12, 2, 6));
    }

    #[test]
    fn every_kind_of_type_is_drawn() {
        let mut kinds = std::collections::HashSet::new();
        fn note(ty: &Ty, kinds: &mut std::collections::HashSet<std::mem::Discriminant<Ty>>) {
            kinds.insert(std::mem::discriminant(ty));
            let parts = ty.cases().map(|cases| cases.into_iter().flatten().collect());
            for part in parts.or(ty.fields()).unwrap_or_default() {
                note(part, kinds);
            }
        }
        for case in 0..500 {
            note(&Ty::draw(&mut Rng::for_case(1, case), 4), &mut kinds);
        }
        assert_eq!(kinds.len(), 23);
    }
}
