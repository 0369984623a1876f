//! How values lie in linear memory, and which core values they become.
//!
//! Specification: Canonical ABI, "Alignment", "Element Size", "Flattening".

use super::{Defined, Flat, InterfaceType, Layout, MANY_FLAT, Part, Types};

/// The size, alignment and number of core values of a type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) size: u32,
    pub(crate) align: u32,
    pub(crate) flat: u32,
    pub(crate) numbers: bool,
    pub(crate) borrows: bool,
}

impl Shape {
    const fn number(size: u32) -> Shape {
        Shape { size, align: size, flat: 1, numbers: true, borrows: false }
    }

    /// A number of which not every pattern of bytes is one.
    const fn checked(size: u32) -> Shape {
        Shape { size, align: size, flat: 1, numbers: false, borrows: false }
    }

    const NONE: Shape = Shape { size: 0, align: 1, flat: 0, numbers: true, borrows: false };
}

fn align_to(at: u32, align: u32) -> u32 {
    // Validation keeps sizes below 2^28, and what is larger is refused before.
    at.checked_next_multiple_of(align).unwrap_or(u32::MAX)
}

/// The bytes of a discriminant of so many cases.
pub(crate) fn discriminant_size(cases: usize) -> u32 {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// The type that holds either of two core types.
///
/// Specification: Canonical ABI, `join`.
fn join(a: Flat, b: Flat) -> Flat {
    match (a, b) {
        _ if a == b => a,
        (Flat::I32, Flat::F32) | (Flat::F32, Flat::I32) => Flat::I32,
        _ => Flat::I64,
    }
}

impl Types {
    /// Size, alignment and number of core values.
    pub(crate) fn shape(&self, ty: InterfaceType) -> Shape {
        use InterfaceType as T;
        match ty {
            T::S8 | T::U8 => Shape::number(1),
            T::S16 | T::U16 => Shape::number(2),
            T::S32 | T::U32 | T::F32 => Shape::number(4),
            T::S64 | T::U64 | T::F64 => Shape::number(8),
            T::Bool => Shape::checked(1),
            T::Char | T::Own(_) | T::ErrorContext => Shape::checked(4),
            T::Borrow(_) => Shape { borrows: true, ..Shape::checked(4) },
            T::String => Shape { size: 8, align: 4, flat: 2, numbers: false, borrows: false },
            T::Defined(index) => {
                let Layout { size, align, flat, numbers, borrows, .. } = *self.layout(index);
                Shape { size, align, flat, numbers, borrows }
            }
        }
    }

    /// How the pairs of a map lie in its list, with where the value is in each.
    pub(crate) fn pair(&self, key: InterfaceType, value: InterfaceType) -> (Shape, Part) {
        let Layout { size, align, flat, numbers, borrows, parts, .. } = self.product([key, value]);
        (Shape { size, align, flat, numbers, borrows }, parts[1])
    }

    pub(super) fn layout_of(&self, ty: &Defined) -> Layout {
        let mut layout = self.places_of(ty);
        if layout.flat < MANY_FLAT {
            layout.kinds = self.kinds(ty, layout.flat);
        }
        layout
    }

    fn places_of(&self, ty: &Defined) -> Layout {
        match ty {
            Defined::Record(fields) => self.product(fields.iter().map(|(_, ty)| *ty)),
            Defined::Tuple(types) => self.product(types.iter().copied()),
            Defined::Variant(cases) => self.sum(cases.iter().map(|(_, ty)| *ty)),
            Defined::Enum(names) => self.sum(names.iter().map(|_| None)),
            Defined::Option(ty) => self.sum([None, Some(*ty)]),
            Defined::Result { ok, err } => self.sum([*ok, *err]),
            Defined::Flags(names) => {
                let (size, align) = match names.len() {
                    0 => (0, 1),
                    1..=8 => (1, 1),
                    9..=16 => (2, 2),
                    more => (4 * more.div_ceil(32) as u32, 4),
                };
                let flat = names.len().div_ceil(32).min(MANY_FLAT as usize) as u32;
                Layout { size, align, flat, discriminant: align, ..Layout::default() }
            }
            Defined::List(ty) => self.pointed([*ty]),
            Defined::Map(key, value) => self.pointed([*key, *value]),
            // What moves through it lends nothing.
            Defined::Stream(_) | Defined::Future(_) => {
                Layout { size: 4, align: 4, flat: 1, ..Layout::default() }
            }
            Defined::FixedList(element, length) => {
                let Shape { size, align, flat, numbers, borrows } = self.shape(*element);
                Layout {
                    borrows,
                    size: size.saturating_mul(*length),
                    align,
                    flat: flat.saturating_mul(*length).min(MANY_FLAT),
                    parts: Box::new([Part::default()]),
                    numbers,
                    ..Layout::default()
                }
            }
        }
    }

    /// An address and a length.
    fn pointed<const N: usize>(&self, types: [InterfaceType; N]) -> Layout {
        let Shape { size, align, flat, numbers, .. } = self.shape(InterfaceType::String);
        let borrows = types.into_iter().any(|ty| self.shape(ty).borrows);
        Layout { size, align, flat, numbers, borrows, ..Layout::default() }
    }

    fn product(&self, types: impl IntoIterator<Item = InterfaceType>) -> Layout {
        let mut layout = Layout { align: 1, numbers: true, ..Layout::default() };
        let mut parts = Vec::new();
        for ty in types {
            let Shape { size, align, flat, numbers, borrows } = self.shape(ty);
            let offset = align_to(layout.size, align);
            parts.push(Part { offset, flat: layout.flat });
            // Bytes between fields are not the value's, and are not copied with it.
            layout.numbers &= numbers && offset == layout.size;
            layout.size = offset.saturating_add(size);
            layout.align = layout.align.max(align);
            layout.flat = (layout.flat + flat).min(MANY_FLAT);
            layout.borrows |= borrows;
        }
        let size = align_to(layout.size, layout.align);
        layout.numbers &= size == layout.size;
        layout.size = size;
        layout.parts = parts.into();
        layout
    }

    fn sum(&self, cases: impl IntoIterator<Item = Option<InterfaceType>>) -> Layout {
        let shape = |case: Option<_>| case.map_or(Shape::NONE, |ty| self.shape(ty));
        let shapes: Vec<_> = cases.into_iter().map(shape).collect();
        let discriminant = discriminant_size(shapes.len());
        let align = shapes.iter().map(|shape| shape.align).max().unwrap_or(1);
        let payload = align_to(discriminant, align);
        let size = shapes.iter().map(|shape| shape.size).max().unwrap_or(0);
        let align = align.max(discriminant);
        Layout {
            size: align_to(payload.saturating_add(size), align),
            align,
            flat: (1 + shapes.iter().map(|shape| shape.flat).max().unwrap_or(0)).min(MANY_FLAT),
            parts: shapes.iter().map(|_| Part { offset: payload, flat: 1 }).collect(),
            discriminant,
            numbers: false,
            borrows: shapes.iter().any(|shape| shape.borrows),
            kinds: Box::default(),
        }
    }

    /// Appends the core types that a type becomes, unless there are more than `limit` in
    /// all, and tells whether there are not.
    pub(crate) fn flatten(&self, ty: InterfaceType, limit: usize, into: &mut Vec<Flat>) -> bool {
        use InterfaceType as T;
        if into.len() + self.shape(ty).flat as usize > limit {
            return false;
        }
        match ty {
            T::Bool | T::S8 | T::U8 | T::S16 | T::U16 | T::S32 | T::U32 => into.push(Flat::I32),
            T::Char | T::Own(_) | T::Borrow(_) | T::ErrorContext => into.push(Flat::I32),
            T::S64 | T::U64 => into.push(Flat::I64),
            T::F32 => into.push(Flat::F32),
            T::F64 => into.push(Flat::F64),
            T::String => into.extend([Flat::I32, Flat::I32]),
            T::Defined(index) => into.extend(&self.layout(index).kinds),
        }
        true
    }

    /// The core types that so many core values of a type have. They are found from those
    /// of its parts once: a type may be a part of others often, and they of others.
    fn kinds(&self, ty: &Defined, count: u32) -> Box<[Flat]> {
        let count = count as usize;
        let mut kinds = Vec::with_capacity(count);
        let mut all = |types: &mut dyn Iterator<Item = InterfaceType>| {
            for ty in types {
                self.flatten(ty, count, &mut kinds);
            }
        };
        match ty {
            Defined::Record(fields) => all(&mut fields.iter().map(|(_, ty)| *ty)),
            Defined::Tuple(types) => all(&mut types.iter().copied()),
            Defined::FixedList(ty, length) => all(&mut (0..*length).map(|_| *ty)),
            Defined::List(_)
            | Defined::Map(..)
            | Defined::Flags(_)
            | Defined::Enum(_)
            | Defined::Stream(_)
            | Defined::Future(_) => {
                kinds.resize(count, Flat::I32);
            }
            Defined::Variant(cases) => {
                self.join_cases(cases.iter().map(|(_, ty)| *ty), count, &mut kinds);
            }
            Defined::Option(ty) => self.join_cases([Some(*ty)], count, &mut kinds),
            Defined::Result { ok, err } => self.join_cases([*ok, *err], count, &mut kinds),
        }
        kinds.into()
    }

    fn join_cases(
        &self,
        cases: impl IntoIterator<Item = Option<InterfaceType>>,
        count: usize,
        into: &mut Vec<Flat>,
    ) {
        into.push(Flat::I32);
        let mut case = Vec::new();
        for ty in cases.into_iter().flatten() {
            case.clear();
            self.flatten(ty, count, &mut case);
            for (at, &flat) in case.iter().enumerate() {
                match into.get_mut(1 + at) {
                    Some(joined) => *joined = join(*joined, flat),
                    None => into.push(flat),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use InterfaceType as T;

    #[test]
    fn values_lie_as_the_canonical_abi_says() {
        let mut types = Types::default();
        let variant = types.intern(Defined::Variant(Box::new([
            ("a".into(), Some(T::U8)),
            ("b".into(), Some(T::F32)),
            ("c".into(), Some(T::S64)),
            ("d".into(), None),
        ])));
        let layout = types.layout(variant);
        assert_eq!((layout.size, layout.align, layout.flat), (16, 8, 2));
        assert_eq!(layout.parts[1], Part { offset: 8, flat: 1 });
        let record = types.intern(Defined::Record(Box::new([
            ("x".into(), T::Bool),
            ("v".into(), T::Defined(variant)),
            ("s".into(), T::String),
        ])));
        let layout = types.layout(record);
        assert_eq!((layout.size, layout.align, layout.flat), (32, 8, 5));
        assert_eq!(layout.parts[2], Part { offset: 24, flat: 3 });
        let mut flat = Vec::new();
        assert!(types.flatten(T::Defined(record), 16, &mut flat));
        assert_eq!(flat, [Flat::I32, Flat::I32, Flat::I64, Flat::I32, Flat::I32]);
        flat.clear();
        assert!(!types.flatten(T::Defined(record), 4, &mut flat));
        let flags = |count: usize| {
            let mut types = Types::default();
            let names = (0..count).map(|at| format!("f{at}").into()).collect();
            let index = types.intern(Defined::Flags(names));
            let Layout { size, align, flat, .. } = *types.layout(index);
            (size, align, flat)
        };
        assert_eq!(flags(8), (1, 1, 1));
        assert_eq!(flags(9), (2, 2, 1));
        assert_eq!(flags(33), (8, 4, 2));
        assert_eq!(discriminant_size(256), 1);
        assert_eq!(discriminant_size(257), 2);
    }

    #[test]
    fn types_that_are_parts_of_each_other_often_cost_little() {
        let mut types = Types::default();
        let mut ty = T::U64;
        for _ in 0..15 {
            let cases = (0..1000).map(|at| (format!("c{at}").into(), Some(ty))).collect();
            ty = T::Defined(types.intern(Defined::Variant(cases)));
        }
        let mut flat = Vec::new();
        assert!(types.flatten(ty, 16, &mut flat));
        assert_eq!(flat[..15], [Flat::I32; 15]);
        assert_eq!(flat[15..], [Flat::I64]);
    }

    #[test]
    fn equal_types_are_one() {
        let mut types = Types::default();
        let a = types.intern(Defined::List(T::U8));
        assert_eq!(a, types.intern(Defined::List(T::U8)));
        assert_ne!(a, types.intern(Defined::List(T::S8)));
    }
}
