//! The ops that x86-64 does better with instructions chosen by hand.
//!
//! A level is a module of ops under their names; it takes the ops of the level
//! below and puts its own in the place of some: those where the compiler does not
//! find the instruction in the reference definition. Each is compared with that
//! definition in the tests.

#[path = "portable.rs"]
mod portable;

pub(super) use portable::baseline;

/// SSE4.2 and what came before it. Only handlers compiled for it may use these.
pub(super) mod sse4 {
    use super::portable::baseline;
    pub use super::portable::baseline::*;

    use std::arch::asm;
    use std::arch::x86_64::*;
    use zwasm_regir::lanes::U8x16;
    use zwasm_regir::round::{double, single};
    use zwasm_regir::simd_ops::{Binary, Shift, Ternary, Test, Unary};

    /// A vector in the machine's view of it, or back.
    #[inline(always)]
    fn cast<A: Copy, B: Copy>(a: A) -> B {
        const { assert!(size_of::<A>() == 16 && size_of::<B>() == 16) }
        // SAFETY: both are 16 bytes of numbers: arrays of lanes or registers.
        unsafe { std::mem::transmute_copy(&a) }
    }

    /// Declares ops whose expressions see their operands as registers.
    macro_rules! ops {
        ($($trait:ident $name:ident = |$($x:ident),*: $register:ty| -> $r:ty $body:block)*) => {$(
            pub struct $name;

            impl $trait for $name {
                type A = <baseline::$name as $trait>::A;
                ops!(@ $trait $name);
                #[inline(always)]
                fn eval($($x: Self::A),*) -> $r {
                    $(let $x: $register = cast($x);)*
                    // SAFETY: the handlers of this level, which alone evaluate its
                    // ops, run on machines that have these instructions.
                    unsafe { $body }
                }
            }
        )*};
        (@ Test $name:ident) => {};
        (@ $trait:ident $name:ident) => { type R = <baseline::$name as $trait>::R; };
    }

    ops! {
        Binary I8x16Swizzle = |a, b: __m128i| -> Self::R {
            cast(_mm_shuffle_epi8(a, clear_beyond(b)))
        }
        Binary I8x16NarrowI16x8S = |a, b: __m128i| -> Self::R { cast(_mm_packs_epi16(a, b)) }
        Binary I8x16NarrowI16x8U = |a, b: __m128i| -> Self::R { cast(_mm_packus_epi16(a, b)) }
        Binary I16x8NarrowI32x4S = |a, b: __m128i| -> Self::R { cast(_mm_packs_epi32(a, b)) }
        Binary I16x8NarrowI32x4U = |a, b: __m128i| -> Self::R { cast(_mm_packus_epi32(a, b)) }
        Binary I16x8Q15mulrSatS = |a, b: __m128i| -> Self::R {
            // Only the product of the two least numbers is wrong, by its sign.
            let product = _mm_mulhrs_epi16(a, b);
            let wrong = _mm_cmpeq_epi16(product, _mm_set1_epi16(i16::MIN));
            cast(_mm_xor_si128(product, wrong))
        }
        Binary I32x4DotI16x8S = |a, b: __m128i| -> Self::R { cast(_mm_madd_epi16(a, b)) }
        Binary I16x8RelaxedDotI8x16I7x16S = |a, b: __m128i| -> Self::R {
            let low = _mm_madd_epi16(_mm_cvtepi8_epi16(a), _mm_cvtepi8_epi16(b));
            let (a, b) = (_mm_srli_si128::<8>(a), _mm_srli_si128::<8>(b));
            let high = _mm_madd_epi16(_mm_cvtepi8_epi16(a), _mm_cvtepi8_epi16(b));
            cast(_mm_packs_epi32(low, high))
        }
        // In both orders, because the machine prefers the second of two zeros.
        Binary F32x4Min = |a, b: __m128| -> Self::R {
            let least = _mm_or_ps(_mm_min_ps(a, b), _mm_min_ps(b, a));
            cast(_mm_blendv_ps(least, _mm_set1_ps(single::DEFAULT_NAN), _mm_cmpunord_ps(a, b)))
        }
        Binary F32x4Max = |a, b: __m128| -> Self::R {
            let most = _mm_and_ps(_mm_max_ps(a, b), _mm_max_ps(b, a));
            cast(_mm_blendv_ps(most, _mm_set1_ps(single::DEFAULT_NAN), _mm_cmpunord_ps(a, b)))
        }
        Binary F64x2Min = |a, b: __m128d| -> Self::R {
            let least = _mm_or_pd(_mm_min_pd(a, b), _mm_min_pd(b, a));
            cast(_mm_blendv_pd(least, _mm_set1_pd(double::DEFAULT_NAN), _mm_cmpunord_pd(a, b)))
        }
        Binary F64x2Max = |a, b: __m128d| -> Self::R {
            let most = _mm_and_pd(_mm_max_pd(a, b), _mm_max_pd(b, a));
            cast(_mm_blendv_pd(most, _mm_set1_pd(double::DEFAULT_NAN), _mm_cmpunord_pd(a, b)))
        }
        // Lanes of 64 bits would be computed in general registers, and stored as two
        // halves for whose merging the next read has to wait.
        Binary I64x2Mul = |a, b: __m128i| -> Self::R {
            let (a_high, b_high) = (_mm_srli_epi64::<32>(a), _mm_srli_epi64::<32>(b));
            let cross = _mm_add_epi64(_mm_mul_epu32(a_high, b), _mm_mul_epu32(a, b_high));
            cast(_mm_add_epi64(_mm_mul_epu32(a, b), _mm_slli_epi64::<32>(cross)))
        }
        Binary I64x2ExtmulLowI32x4S = |a, b: __m128i| -> Self::R {
            cast(_mm_mul_epi32(_mm_unpacklo_epi32(a, a), _mm_unpacklo_epi32(b, b)))
        }
        Binary I64x2ExtmulHighI32x4S = |a, b: __m128i| -> Self::R {
            cast(_mm_mul_epi32(_mm_unpackhi_epi32(a, a), _mm_unpackhi_epi32(b, b)))
        }
        Binary I64x2ExtmulLowI32x4U = |a, b: __m128i| -> Self::R {
            cast(_mm_mul_epu32(_mm_unpacklo_epi32(a, a), _mm_unpacklo_epi32(b, b)))
        }
        Binary I64x2ExtmulHighI32x4U = |a, b: __m128i| -> Self::R {
            cast(_mm_mul_epu32(_mm_unpackhi_epi32(a, a), _mm_unpackhi_epi32(b, b)))
        }
        Unary I8x16Popcnt = |a: __m128i| -> Self::R {
            let counts = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
            let nibble = _mm_set1_epi8(15);
            let low = _mm_shuffle_epi8(counts, _mm_and_si128(a, nibble));
            let high = _mm_shuffle_epi8(counts, _mm_and_si128(_mm_srli_epi16::<4>(a), nibble));
            cast(_mm_add_epi8(low, high))
        }
        Unary I16x8ExtaddPairwiseI8x16S = |a: __m128i| -> Self::R {
            cast(_mm_maddubs_epi16(_mm_set1_epi8(1), a))
        }
        Unary I16x8ExtaddPairwiseI8x16U = |a: __m128i| -> Self::R {
            cast(_mm_maddubs_epi16(a, _mm_set1_epi8(1)))
        }
        Unary I32x4ExtaddPairwiseI16x8S = |a: __m128i| -> Self::R {
            cast(_mm_madd_epi16(a, _mm_set1_epi16(1)))
        }
        Unary I32x4ExtaddPairwiseI16x8U = |a: __m128i| -> Self::R {
            let even = _mm_and_si128(a, _mm_set1_epi32(0xFFFF));
            cast(_mm_add_epi32(even, _mm_srli_epi32::<16>(a)))
        }
        Unary F32x4Ceil = |a: __m128| -> Self::R { cast(_mm_ceil_ps(a)) }
        Unary F32x4Floor = |a: __m128| -> Self::R { cast(_mm_floor_ps(a)) }
        Unary F32x4Trunc = |a: __m128| -> Self::R { cast(_mm_round_ps::<TOWARDS_ZERO>(a)) }
        Unary F32x4Nearest = |a: __m128| -> Self::R { cast(_mm_round_ps::<TO_NEAREST>(a)) }
        Unary F64x2Ceil = |a: __m128d| -> Self::R { cast(_mm_ceil_pd(a)) }
        Unary F64x2Floor = |a: __m128d| -> Self::R { cast(_mm_floor_pd(a)) }
        Unary F64x2Trunc = |a: __m128d| -> Self::R { cast(_mm_round_pd::<TOWARDS_ZERO>(a)) }
        Unary F64x2Nearest = |a: __m128d| -> Self::R { cast(_mm_round_pd::<TO_NEAREST>(a)) }
        // The machine answers 2^31 where it cannot convert.
        Unary I32x4TruncSatF32x4S = |a: __m128| -> Self::R {
            let a = _mm_and_ps(a, _mm_cmpord_ps(a, a));
            let above = _mm_castps_si128(_mm_cmpge_ps(a, _mm_set1_ps(TWO_31)));
            cast(_mm_xor_si128(_mm_cvttps_epi32(a), above))
        }
        Unary I32x4TruncSatF32x4U = |a: __m128| -> Self::R {
            // Converts what is below 2^31, and adds what is above it.
            let a = _mm_max_ps(a, _mm_setzero_ps());
            let rest = _mm_sub_ps(a, _mm_set1_ps(TWO_31));
            let above = _mm_castps_si128(_mm_cmpge_ps(rest, _mm_set1_ps(TWO_31)));
            let rest = _mm_xor_si128(_mm_cvttps_epi32(rest), above);
            let rest = _mm_max_epi32(rest, _mm_setzero_si128());
            cast(_mm_add_epi32(_mm_cvttps_epi32(a), rest))
        }
        Unary I32x4TruncSatF64x2SZero = |a: __m128d| -> Self::R {
            let a = _mm_and_pd(a, _mm_cmpord_pd(a, a));
            cast(_mm_cvttpd_epi32(_mm_min_pd(a, _mm_set1_pd(f64::from(i32::MAX)))))
        }
        Unary I32x4TruncSatF64x2UZero = |a: __m128d| -> Self::R {
            // Adding 2^52 leaves the integer in the low bits.
            let a = _mm_max_pd(a, _mm_setzero_pd());
            let a = _mm_min_pd(a, _mm_set1_pd(f64::from(u32::MAX)));
            let a = _mm_add_pd(_mm_round_pd::<TOWARDS_ZERO>(a), _mm_set1_pd(TWO_52));
            cast(_mm_shuffle_ps::<0b1000_1000>(_mm_castpd_ps(a), _mm_setzero_ps()))
        }
        Test V128AnyTrue = |a: __m128i| -> u32 { u32::from(_mm_testz_si128(a, a) == 0) }
        Test I8x16AllTrue = |a: __m128i| -> u32 {
            none(_mm_cmpeq_epi8(a, _mm_setzero_si128()))
        }
        Test I16x8AllTrue = |a: __m128i| -> u32 {
            none(_mm_cmpeq_epi16(a, _mm_setzero_si128()))
        }
        Test I32x4AllTrue = |a: __m128i| -> u32 {
            none(_mm_cmpeq_epi32(a, _mm_setzero_si128()))
        }
        Test I64x2AllTrue = |a: __m128i| -> u32 {
            none(_mm_cmpeq_epi64(a, _mm_setzero_si128()))
        }
        Test I8x16Bitmask = |a: __m128i| -> u32 { _mm_movemask_epi8(a) as u32 }
        Test I16x8Bitmask = |a: __m128i| -> u32 {
            _mm_movemask_epi8(_mm_packs_epi16(a, _mm_setzero_si128())) as u32
        }
        Test I32x4Bitmask = |a: __m128| -> u32 { _mm_movemask_ps(a) as u32 }
        Test I64x2Bitmask = |a: __m128d| -> u32 { _mm_movemask_pd(a) as u32 }
    }

    /// Declares ops on floats as instructions, in which the order of the operands
    /// decides which NaN is the result; the compiler would exchange them. The first
    /// operand of the last instruction is the result.
    macro_rules! ordered {
        ($($name:ident: $register:ty = $inst:literal;)*) => {$(
            pub struct $name;

            impl Binary for $name {
                type A = <baseline::$name as Binary>::A;
                type R = <baseline::$name as Binary>::R;
                #[inline(always)]
                fn eval(a: Self::A, b: Self::A) -> Self::R {
                    let (mut a, b): ($register, $register) = (cast(a), cast(b));
                    // SAFETY: every machine has the instruction, which reads and
                    // writes these registers only.
                    unsafe {
                        asm!(
                            concat!($inst, " {a}, {b}"),
                            a = inout(xmm_reg) a,
                            b = in(xmm_reg) b,
                            options(pure, nomem, nostack)
                        );
                    }
                    cast(a)
                }
            }
        )*};
        ($($name:ident: $register:ty = $first:literal, $last:literal;)*) => {$(
            pub struct $name;

            impl Ternary for $name {
                type A = <baseline::$name as Ternary>::A;
                type C = <baseline::$name as Ternary>::C;
                #[inline(always)]
                fn eval(a: Self::A, b: Self::A, c: Self::C) -> Self::C {
                    let (a, b): ($register, $register) = (cast(a), cast(b));
                    let mut c: $register = cast(c);
                    // SAFETY: every machine has the instructions, which read and
                    // write these registers only.
                    unsafe {
                        asm!(
                            concat!($first, " {a}, {b}"),
                            concat!($last, " {c}, {a}"),
                            a = inout(xmm_reg) a => _,
                            b = in(xmm_reg) b,
                            c = inout(xmm_reg) c,
                            options(pure, nomem, nostack)
                        );
                    }
                    cast(c)
                }
            }
        )*};
    }

    ordered! {
        F32x4Add: __m128 = "addps";
        F32x4Mul: __m128 = "mulps";
        F64x2Add: __m128d = "addpd";
        F64x2Mul: __m128d = "mulpd";
    }

    ordered! {
        F32x4RelaxedMadd: __m128 = "mulps", "addps";
        F32x4RelaxedNmadd: __m128 = "mulps", "subps";
        F64x2RelaxedMadd: __m128d = "mulpd", "addpd";
        F64x2RelaxedNmadd: __m128d = "mulpd", "subpd";
    }

    /// Declares shifts, whose second operand is a count below the lane's width.
    macro_rules! shifts {
        ($($name:ident = |$x:ident, $n:ident| $body:expr;)*) => {$(
            pub struct $name;

            impl Shift for $name {
                type A = <baseline::$name as Shift>::A;
                #[inline(always)]
                fn eval($x: Self::A, $n: u32) -> Self::A {
                    let $x: __m128i = cast($x);
                    // SAFETY: as for the other ops.
                    unsafe {
                        let $n = _mm_cvtsi32_si128(($n % 64) as i32);
                        cast($body)
                    }
                }
            }
        )*};
    }

    shifts! {
        I64x2Shl = |a, n| _mm_sll_epi64(a, n);
        I64x2ShrU = |a, n| _mm_srl_epi64(a, n);
        // The sign bit is shifted as well, and extended from where it comes to lie.
        I64x2ShrS = |a, n| {
            let sign = _mm_srl_epi64(_mm_set1_epi64x(i64::MIN), n);
            _mm_sub_epi64(_mm_xor_si128(_mm_srl_epi64(a, n), sign), sign)
        };
    }

    const TOWARDS_ZERO: i32 = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;
    const TO_NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    const TWO_31: f32 = 2147483648.0;
    const TWO_52: f64 = 4503599627370496.0;

    /// Whether no bit is set.
    #[inline(always)]
    unsafe fn none(a: __m128i) -> u32 {
        // SAFETY: the caller's.
        unsafe { _mm_testz_si128(a, a) as u32 }
    }

    /// Lane numbers for the machine's shuffle, which gives zero where the top bit
    /// is set: here from 16 on.
    #[inline(always)]
    unsafe fn clear_beyond(lanes: __m128i) -> __m128i {
        // SAFETY: the caller's.
        unsafe { _mm_adds_epu8(lanes, _mm_set1_epi8(0x70)) }
    }

    /// The chosen lanes of two vectors in memory, all below 32.
    #[inline(always)]
    pub unsafe fn shuffle(a: *const u64, b: *const u64, lanes: U8x16) -> U8x16 {
        // SAFETY: each points at a vector; see above for the instructions.
        unsafe {
            let (a, b) = (_mm_loadu_si128(a.cast()), _mm_loadu_si128(b.cast()));
            let lanes: __m128i = cast(lanes);
            let of_a = _mm_shuffle_epi8(a, clear_beyond(lanes));
            let of_b = _mm_shuffle_epi8(b, _mm_sub_epi8(lanes, _mm_set1_epi8(16)));
            cast(_mm_or_si128(of_a, of_b))
        }
    }
}
