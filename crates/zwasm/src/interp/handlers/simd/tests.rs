//! Holds each level's ops against the reference definitions, on edge values.

use super::level::sse4;
use zwasm_regir::simd_ops::{Binary, Shift, Test, Unary, meaning};

/// A vector by its bits.
trait Bits: Copy {
    fn of(bits: u128) -> Self;
    fn bits(self) -> u128;
}

macro_rules! bits {
    ($($lane:ident $lanes:literal)*) => {$(
        impl Bits for [$lane; $lanes] {
            fn of(bits: u128) -> Self {
                // SAFETY: both are 16 bytes of numbers.
                unsafe { std::mem::transmute_copy(&bits) }
            }
            fn bits(self) -> u128 {
                // SAFETY: both are 16 bytes of numbers.
                unsafe { std::mem::transmute_copy(&self) }
            }
        }
    )*};
}
bits! {
    i8 16
    u8 16
    i16 8
    u16 8
    i32 4
    u32 4
    i64 2
    u64 2
    f32 4
    f64 2
}

/// Vectors of edge values: of each lane width, of floats, and mixtures.
fn edges() -> Vec<u128> {
    let mut edges = Vec::new();
    let bytes = [0u8, 1, 2, 0x0F, 0x10, 0x1F, 0x70, 0x7F, 0x80, 0x81, 0xF0, 0xFE, 0xFF];
    edges.extend(bytes.map(|byte| u128::from_le_bytes([byte; 16])));
    for half in [1u16, 0x3FFF, 0x4000, 0x7FFF, 0x8000, 0x8001, 0xFF7F, 0x00FF, 0x0100, 0xFF80] {
        edges.push([half; 8].iter().fold(0, |bits, half| bits << 16 | u128::from(*half)));
    }
    let singles = [
        0.0f32,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        0.49999997,
        8388607.5,
        8388609.0,
        1e-45,
        2147483520.0,
        2147483648.0,
        -2147483648.0,
        -2147483904.0,
        4294967040.0,
        4294967296.0,
        -0.99,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        -f32::NAN,
        f32::from_bits(0x7F80_0001),
        f32::from_bits(0xFFA0_0002),
        f32::from_bits(0xFFC0_0003),
        f32::MAX,
    ];
    for window in singles.windows(4) {
        edges.push(Bits::bits([window[0], window[1], window[2], window[3]]));
    }
    let doubles = [
        0.0f64,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        0.49999999999999994,
        4503599627370495.5,
        2147483647.0,
        2147483647.9,
        2147483648.0,
        -2147483648.9,
        -2147483649.0,
        4294967295.0,
        4294967295.9,
        4294967296.0,
        -0.99,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        f64::from_bits(0x7FF0_0000_0000_0001),
        f64::from_bits(0xFFF4_0000_0000_0002),
        f64::from_bits(0xFFF8_0000_0000_0003),
        f64::MAX,
    ];
    for window in doubles.windows(2) {
        edges.push(Bits::bits([window[0], window[1]]));
    }
    // Lanes that differ from all of their neighbours.
    let mut state = 0x9E37_79B9_7F4A_7C15_u128;
    for _ in 0..40 {
        state = state.wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645).wrapping_add(1);
        edges.push(state ^ state >> 64);
    }
    edges
}

fn has_level() -> bool {
    is_x86_feature_detected!("sse4.2")
}

macro_rules! unary {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        #[test]
        fn ops_on_one_vector() {
            for a in edges().into_iter().filter(|_| has_level()) {
                $(
                    let reference = meaning::$name::eval(Bits::of(a)).bits();
                    let ours = sse4::$name::eval(Bits::of(a)).bits();
                    assert_eq!(ours, reference, "{} {a:#034x}", stringify!($name));
                )*
            }
        }
    };
}
zwasm_regir::for_each_simd_unary!(unary);

macro_rules! test {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        #[test]
        fn ops_to_an_integer() {
            for a in edges().into_iter().filter(|_| has_level()) {
                $(
                    let reference = meaning::$name::eval(Bits::of(a));
                    assert_eq!(sse4::$name::eval(Bits::of(a)), reference, "{} {a:#034x}", stringify!($name));
                )*
            }
        }
    };
}
zwasm_regir::for_each_simd_test!(test);

macro_rules! binary {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        #[test]
        fn ops_on_two_vectors() {
            let edges = edges();
            for (&a, &b) in edges.iter().flat_map(|a| edges.iter().map(move |b| (a, b))) {
                if !has_level() {
                    break;
                }
                $(
                    let reference = meaning::$name::eval(Bits::of(a), Bits::of(b)).bits();
                    let ours = sse4::$name::eval(Bits::of(a), Bits::of(b)).bits();
                    assert_eq!(ours, reference, "{} {a:#034x} {b:#034x}", stringify!($name));
                )*
            }
        }
    };
}
zwasm_regir::for_each_simd_binary!(binary);

macro_rules! shift {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        #[test]
        fn shifts() {
            for a in edges().into_iter().filter(|_| has_level()) {
                for count in [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 65, u32::MAX] {
                    $(
                        let reference = meaning::$name::eval(Bits::of(a), count).bits();
                        let ours = sse4::$name::eval(Bits::of(a), count).bits();
                        assert_eq!(ours, reference, "{} {a:#034x} {count}", stringify!($name));
                    )*
                }
            }
        }
    };
}
zwasm_regir::for_each_simd_shift!(shift);

#[test]
fn shuffles() {
    let edges = edges();
    let a: [u64; 2] = [0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908];
    let b = a.map(|half| half + 0x1010_1010_1010_1010);
    for lanes in edges {
        let lanes = lanes.to_le_bytes().map(|lane| lane % 32);
        // SAFETY: both are vectors, and the lanes are below 32.
        unsafe {
            assert_eq!(super::level::baseline::shuffle(a.as_ptr(), b.as_ptr(), lanes), lanes);
            if has_level() {
                assert_eq!(sse4::shuffle(a.as_ptr(), b.as_ptr(), lanes), lanes);
            }
        }
    }
}
