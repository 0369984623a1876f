//! Rounding to integral floats without calls into a maths library, and which NaN
//! floats compute.
//!
//! Adding and subtracting 2^52 (2^23 for `f32`) rounds to nearest-even in the
//! default rounding mode; the directed roundings correct that by one. It is a
//! handful of SSE2 or NEON instructions everywhere, where a library call would
//! cost the interpreter its register-only calling convention.
//!
//! Of two operands that are NaN, the first is the result, made quiet. That is what
//! the instructions of x86-64 do, but the compiler takes sums and products to
//! commute, so here it is written out. Handlers use instructions where there are some,
//! and have their processor's rule; which NaN it is depends on the processor anyway, as
//! the sign of one that comes from numbers does. `min` and `max` of vectors give one NaN
//! whatever the operands are, because that takes fewer instructions.

macro_rules! rounding {
    ($module:ident, $float:ident, $bits:ident, $limit:expr) => {
        /// Rounding for one float width.
        pub mod $module {
            const LIMIT: $float = $limit;

            /// The bit that makes a NaN quiet.
            const QUIET: $bits = 1 << ($float::MANTISSA_DIGITS - 2);

            /// What vectors' `min` and `max` give if an operand is NaN.
            pub const DEFAULT_NAN: $float =
                $float::from_bits($float::INFINITY.to_bits() | QUIET | (1 << ($bits::BITS - 1)));

            /// The NaN that every NaN becomes where results must not depend on the
            /// processor.
            const CANONICAL_NAN: $float = $float::from_bits($float::INFINITY.to_bits() | QUIET);

            /// A result that is the same on every processor.
            #[inline(always)]
            pub fn canonical(x: $float) -> $float {
                if x.is_nan() { CANONICAL_NAN } else { x }
            }

            /// The result of an op on `a` and `b`, given that it may be `result` if
            /// neither is NaN.
            #[inline(always)]
            fn or_nan(a: $float, b: $float, result: $float) -> $float {
                let signalling = |x: $float| x.is_nan() && x.to_bits() & QUIET == 0;
                if cfg!(target_arch = "aarch64") && !signalling(a) && signalling(b) {
                    quiet(b)
                } else if a.is_nan() {
                    quiet(a)
                } else if b.is_nan() {
                    quiet(b)
                } else {
                    result
                }
            }

            /// The sum.
            #[inline(always)]
            pub fn add(a: $float, b: $float) -> $float {
                or_nan(a, b, a + b)
            }

            /// The product.
            #[inline(always)]
            pub fn mul(a: $float, b: $float) -> $float {
                or_nan(a, b, a * b)
            }

            /// Makes a NaN quiet. By its bits, because the compiler takes the
            /// arithmetic that would do it for the identity.
            #[inline(always)]
            fn quiet(x: $float) -> $float {
                if x.is_nan() { $float::from_bits(x.to_bits() | QUIET) } else { x }
            }

            /// Rounds to the nearest integral value, ties to even.
            #[inline(always)]
            pub fn nearest(x: $float) -> $float {
                let magnitude = x.abs();
                if magnitude < LIMIT {
                    ((magnitude + LIMIT) - LIMIT).copysign(x)
                } else {
                    // Already integral, infinite or NaN.
                    quiet(x)
                }
            }

            /// Rounds towards positive infinity.
            #[inline(always)]
            pub fn ceil(x: $float) -> $float {
                let near = nearest(x);
                let up = if near < x { near + 1.0 } else { near };
                if x.is_nan() { near } else { up.copysign(x) }
            }

            /// Rounds towards negative infinity.
            #[inline(always)]
            pub fn floor(x: $float) -> $float {
                let near = nearest(x);
                let down = if near > x { near - 1.0 } else { near };
                if x.is_nan() { near } else { down.copysign(x) }
            }

            /// Rounds towards zero.
            #[inline(always)]
            pub fn trunc(x: $float) -> $float {
                let near = nearest(x.abs());
                let down = if near > x.abs() { near - 1.0 } else { near };
                if x.is_nan() { quiet(x) } else { down.copysign(x) }
            }

            /// The specification's `min`: NaN wins, and -0 is less than +0.
            #[inline(always)]
            pub fn min(a: $float, b: $float) -> $float {
                if a < b {
                    a
                } else if b < a {
                    b
                } else if a == b {
                    $float::from_bits(a.to_bits() | b.to_bits())
                } else {
                    or_nan(a, b, b)
                }
            }

            /// The specification's `max`: NaN wins, and +0 is more than -0.
            #[inline(always)]
            pub fn max(a: $float, b: $float) -> $float {
                if a > b {
                    a
                } else if b > a {
                    b
                } else if a == b {
                    $float::from_bits(a.to_bits() & b.to_bits())
                } else {
                    or_nan(a, b, b)
                }
            }

            /// `min` of a lane.
            #[inline(always)]
            pub fn lane_min(a: $float, b: $float) -> $float {
                let one = cfg!(not(target_arch = "aarch64")) && (a.is_nan() || b.is_nan());
                if one { DEFAULT_NAN } else { min(a, b) }
            }

            /// `max` of a lane.
            #[inline(always)]
            pub fn lane_max(a: $float, b: $float) -> $float {
                let one = cfg!(not(target_arch = "aarch64")) && (a.is_nan() || b.is_nan());
                if one { DEFAULT_NAN } else { max(a, b) }
            }
        }
    };
}

rounding!(single, f32, u32, 8_388_608.0);
rounding!(double, f64, u64, 4_503_599_627_370_496.0);

#[cfg(test)]
mod tests {
    use super::{double, single};

    const EDGES: [f64; 22] = [
        0.0,
        -0.0,
        0.5,
        -0.5,
        0.49999999999999994,
        -0.49999999999999994,
        1.5,
        -1.5,
        2.5,
        -2.5,
        0.9999999999999999,
        4503599627370495.5,
        -4503599627370495.5,
        4503599627370497.0,
        8388607.5,
        -8388607.5,
        1e300,
        -1e300,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MIN_POSITIVE,
        -f64::MIN_POSITIVE,
    ];

    #[test]
    fn rounding_matches_the_standard_library() {
        for x in EDGES {
            assert_eq!(double::ceil(x).to_bits(), x.ceil().to_bits(), "ceil {x}");
            assert_eq!(double::floor(x).to_bits(), x.floor().to_bits(), "floor {x}");
            assert_eq!(double::trunc(x).to_bits(), x.trunc().to_bits(), "trunc {x}");
            assert_eq!(double::nearest(x).to_bits(), x.round_ties_even().to_bits(), "nearest {x}");
            let y = x as f32;
            assert_eq!(single::ceil(y).to_bits(), y.ceil().to_bits(), "ceil {y}");
            assert_eq!(single::floor(y).to_bits(), y.floor().to_bits(), "floor {y}");
            assert_eq!(single::trunc(y).to_bits(), y.trunc().to_bits(), "trunc {y}");
            assert_eq!(single::nearest(y).to_bits(), y.round_ties_even().to_bits(), "nearest {y}");
        }
    }

    #[test]
    fn signalling_nans_become_quiet() {
        let signalling = f64::from_bits(0x7FF0_0000_0000_0001);
        for op in [double::ceil, double::floor, double::trunc, double::nearest] {
            assert_eq!(op(signalling).to_bits(), 0x7FF8_0000_0000_0001);
        }
        assert_eq!(single::trunc(f32::from_bits(0xFF80_0001)).to_bits(), 0xFFC0_0001);
    }

    #[test]
    fn the_first_nan_wins() {
        const AARCH64: bool = cfg!(target_arch = "aarch64");
        let (a, b) = (f64::from_bits(0x7FF0_0000_0000_0001), f64::from_bits(0xFFF8_0000_0000_0002));
        let quiet = 0x7FF8_0000_0000_0001;
        for op in [double::add, double::mul, double::min, double::max] {
            assert_eq!(op(a, b).to_bits(), quiet);
            assert_eq!(op(b, a).to_bits(), if AARCH64 { quiet } else { b.to_bits() });
            assert_eq!(op(1.0, a).to_bits(), quiet);
            assert_eq!(op(b, -b).to_bits(), b.to_bits());
        }
        let (one, first) = if AARCH64 { (0x7FC0_0000, quiet) } else { (0xFFC0_0000, 0xFFF8 << 48) };
        assert_eq!(single::lane_min(1.0, f32::NAN).to_bits(), one);
        assert_eq!(double::lane_max(a, b).to_bits(), first);
        assert_eq!(single::canonical(f32::from_bits(0xFF80_0001)).to_bits(), 0x7FC0_0000);
        assert_eq!(double::canonical(-0.0).to_bits(), (-0.0f64).to_bits());
    }

    #[test]
    fn min_and_max_order_zeros_and_keep_nans() {
        assert!(double::min(0.0, -0.0).is_sign_negative());
        assert!(double::max(-0.0, 0.0).is_sign_positive());
        assert!(double::min(f64::NAN, 1.0).is_nan());
        assert!(single::max(1.0, f32::NAN).is_nan());
    }
}
