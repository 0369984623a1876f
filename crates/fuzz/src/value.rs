//! Values and types as all engines can tell them, and where the values come from.

use zwasm_wast::mutate::Rng;

/// The tops of the hierarchies of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Top {
    Func,
    Extern,
    Any,
    Exn,
}

/// The type of a value that the host passes or gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    I32,
    I64,
    F32,
    F64,
    V128,
    /// A reference; whether it may be null, and whether it may be an `i31`.
    Ref {
        top: Top,
        nullable: bool,
        i31: bool,
    },
}

/// A value: of a number the bits, of a reference only what every engine tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(u128),
    Null(Top),
    I31(u32),
    Reference(Top),
}

/// Integers at which something changes.
const EDGES: [u64; 26] = [
    0,
    1,
    2,
    3,
    7,
    8,
    31,
    32,
    33,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
];

/// Floats at which something changes.
const FLOATS: [f64; 20] = [
    0.0,
    0.5,
    1.0,
    1.5,
    2.5,
    127.5,
    65_536.0,
    16_777_217.0,
    2_147_483_647.0,
    2_147_483_648.0,
    4_294_967_295.0,
    4_294_967_296.0,
    9_223_372_036_854_775_807.0,
    18_446_744_073_709_551_615.0,
    1e-310,
    1e-40,
    1e38,
    1e308,
    f64::INFINITY,
    f64::NAN,
];

/// An integer, likely one at which something changes or small.
pub fn integer(rng: &mut Rng) -> u64 {
    let value = match rng.below(8) {
        0..=3 => EDGES[rng.below(EDGES.len())],
        4 => 1 << rng.below(64),
        5 | 6 => rng.below(20) as u64,
        _ => rng.bits(),
    };
    match rng.below(6) {
        0 => value.wrapping_neg(),
        1 => !value,
        _ => value,
    }
}

/// The bits of a 32-bit float, of a NaN any.
pub fn float32(rng: &mut Rng) -> u32 {
    match rng.below(16) {
        0..=2 => rng.bits() as u32,
        3 => rng.bits() as u32 | 0x7f80_0000,
        _ => (float(rng) as f32).to_bits(),
    }
}

/// The bits of a 64-bit float, of a NaN any.
pub fn float64(rng: &mut Rng) -> u64 {
    match rng.below(16) {
        0..=2 => rng.bits(),
        3 => rng.bits() | 0x7ff0_0000_0000_0000,
        _ => float(rng).to_bits(),
    }
}

fn float(rng: &mut Rng) -> f64 {
    let value = match rng.below(3) {
        0 => rng.below(100) as f64 - 50.0,
        _ => FLOATS[rng.below(FLOATS.len())],
    };
    if rng.below(3) == 0 { -value } else { value }
}

/// Any vector.
pub fn vector(rng: &mut Rng) -> u128 {
    let lanes = |rng: &mut Rng, bits: u32, lane: fn(&mut Rng) -> u64| {
        (0..128 / bits).fold(0, |vector, at| {
            let mask = u128::MAX >> (128 - bits);
            vector | (u128::from(lane(rng)) & mask) << (at * bits)
        })
    };
    match rng.below(5) {
        0 => lanes(rng, 8, integer),
        1 => lanes(rng, 16, integer),
        2 => lanes(rng, 64, integer),
        3 => lanes(rng, 32, |rng| u64::from(float32(rng))),
        _ => lanes(rng, 64, float64),
    }
}

impl Kind {
    /// A value of the type, if the host can make one.
    pub fn draw(self, rng: &mut Rng) -> Option<Value> {
        Some(match self {
            Kind::I32 => Value::I32(integer(rng) as i32),
            Kind::I64 => Value::I64(integer(rng) as i64),
            Kind::F32 => Value::F32(float32(rng)),
            Kind::F64 => Value::F64(float64(rng)),
            Kind::V128 => Value::V128(vector(rng)),
            Kind::Ref { i31: true, nullable, .. } if !nullable || rng.below(2) == 0 => {
                Value::I31(integer(rng) as u32 & 0x7fff_ffff)
            }
            Kind::Ref { top, nullable: true, .. } => Value::Null(top),
            Kind::Ref { .. } => return None,
        })
    }
}

impl Value {
    /// The value with all NaNs of scalars made one.
    pub fn canonical(self) -> Self {
        match self {
            Value::F32(bits) => Value::F32(canonical32(bits)),
            Value::F64(bits) => Value::F64(canonical64(bits)),
            other => other,
        }
    }

    /// Whether the values are the same but for the bits of a NaN.
    pub fn alike(self, other: Self) -> bool {
        self.canonical() == other.canonical()
    }
}

/// All NaNs made one.
fn canonical32(bits: u32) -> u32 {
    if f32::from_bits(bits).is_nan() { 0x7fc0_0000 } else { bits }
}

/// All NaNs made one.
fn canonical64(bits: u64) -> u64 {
    if f64::from_bits(bits).is_nan() { 0x7ff8_0000_0000_0000 } else { bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_values_have_their_type_and_many_nans() {
        let mut rng = Rng::for_case(1, 1);
        let (mut singles, mut doubles) = (0, 0);
        for _ in 0..2000 {
            assert!(matches!(Kind::I32.draw(&mut rng), Some(Value::I32(_))));
            let (single, double) = (float32(&mut rng), float64(&mut rng));
            singles += u32::from(single != canonical32(single));
            doubles += u32::from(double != canonical64(double));
        }
        assert!(singles > 50 && doubles > 50, "{singles} {doubles}");
    }

    #[test]
    fn the_bits_of_nans_alone_are_alike() {
        let nan = Value::F32(0x7fc0_0000);
        assert!(nan.alike(Value::F32(0xff80_0001)) && !nan.alike(Value::F32(0x7f80_0000)));
        assert!(!nan.alike(Value::I32(0x7fc0_0000)));
        let nan = Value::F64(0x7ff8 << 48);
        assert!(nan.alike(Value::F64(u64::MAX)) && !nan.alike(Value::F64(0x7ff0 << 48)));
    }

    #[test]
    fn what_the_host_cannot_make_is_not_drawn() {
        let mut rng = Rng::for_case(1, 1);
        let nothing = Kind::Ref { top: Top::Func, nullable: false, i31: false };
        assert_eq!(nothing.draw(&mut rng), None);
    }
}
