//! Vectors as arrays of lanes, and the few ways in which ops walk over them.
//!
//! Everything is a loop over arrays of known length, which compilers unroll and
//! turn into vector instructions again. They do not for the combinators of the
//! standard library (`map`, `from_fn`), which call their closure for each lane.

/// Sixteen signed 8-bit lanes.
pub type I8x16 = [i8; 16];
/// Sixteen unsigned 8-bit lanes.
pub type U8x16 = [u8; 16];
/// Eight signed 16-bit lanes.
pub type I16x8 = [i16; 8];
/// Eight unsigned 16-bit lanes.
pub type U16x8 = [u16; 8];
/// Four signed 32-bit lanes.
pub type I32x4 = [i32; 4];
/// Four unsigned 32-bit lanes.
pub type U32x4 = [u32; 4];
/// Two signed 64-bit lanes.
pub type I64x2 = [i64; 2];
/// Two unsigned 64-bit lanes.
pub type U64x2 = [u64; 2];
/// Four 32-bit floats.
pub type F32x4 = [f32; 4];
/// Two 64-bit floats.
pub type F64x2 = [f64; 2];

/// One of the ten types above.
pub trait Lanes: Copy + sealed::Sealed {
    /// Bytes of a lane.
    const LANE_BYTES: usize;
    /// The vector with these bytes, little-endian.
    fn from_bytes(bytes: [u8; 16]) -> Self;
    /// The bytes of the vector, little-endian.
    fn to_bytes(self) -> [u8; 16];
}

mod sealed {
    /// Only arrays of numbers that fill 16 bytes: any bits are a value.
    pub trait Sealed {}
}

macro_rules! lanes {
    ($($ty:ident [$lane:ident])*) => {$(
        impl sealed::Sealed for $ty {}
        impl Lanes for $ty {
            const LANE_BYTES: usize = size_of::<$lane>();

            fn from_bytes(bytes: [u8; 16]) -> $ty {
                fill(|i| {
                    let lane = fill(|at| bytes[i * size_of::<$lane>() + at]);
                    $lane::from_le_bytes(lane)
                })
            }

            fn to_bytes(self) -> [u8; 16] {
                fill(|i| {
                    let lane = self[i / size_of::<$lane>()].to_le_bytes();
                    lane[i % size_of::<$lane>()]
                })
            }
        }
    )*};
}
lanes! {
    I8x16[i8] U8x16[u8] I16x8[i16] U16x8[u16] I32x4[i32] U32x4[u32] I64x2[i64] U64x2[u64]
    F32x4[f32] F64x2[f64]
}

/// The array of what `f` gives for each index.
#[inline(always)]
fn fill<R: Copy + Default, const N: usize>(f: impl Fn(usize) -> R) -> [R; N] {
    let mut lanes = [R::default(); N];
    for (i, lane) in lanes.iter_mut().enumerate() {
        *lane = f(i);
    }
    lanes
}

/// Applies `f` to each lane.
#[inline(always)]
pub(crate) fn each<A: Copy, R: Copy + Default, const N: usize>(
    a: [A; N],
    f: impl Fn(A) -> R,
) -> [R; N] {
    fill(
        #[inline(always)]
        |i| f(a[i]),
    )
}

/// Applies `f` to each lane of two vectors.
#[inline(always)]
pub(crate) fn both<A: Copy, B: Copy, R: Copy + Default, const N: usize>(
    a: [A; N],
    b: [B; N],
    f: impl Fn(A, B) -> R,
) -> [R; N] {
    fill(
        #[inline(always)]
        |i| f(a[i], b[i]),
    )
}

/// Applies `f` to each two neighbouring lanes; `M` is half of `N`.
#[inline(always)]
pub(crate) fn pairs<A: Copy, R: Copy + Default, const N: usize, const M: usize>(
    a: [A; N],
    f: impl Fn(A, A) -> R,
) -> [R; M] {
    const { assert!(N == 2 * M) }
    fill(
        #[inline(always)]
        |i| f(a[2 * i], a[2 * i + 1]),
    )
}

/// Applies `f` to the lanes of one vector and then of the other.
#[inline(always)]
pub(crate) fn join<A: Copy, R: Copy + Default, const N: usize, const M: usize>(
    a: [A; N],
    b: [A; N],
    f: impl Fn(A) -> R,
) -> [R; M] {
    const { assert!(M == 2 * N) }
    fill(
        #[inline(always)]
        |i| f(if i < N { a[i] } else { b[i - N] }),
    )
}

/// The lower half of the lanes.
#[inline(always)]
pub(crate) fn low<A: Copy + Default, const N: usize, const M: usize>(a: [A; N]) -> [A; M] {
    const { assert!(N == 2 * M) }
    fill(
        #[inline(always)]
        |i| a[i],
    )
}

/// The upper half of the lanes.
#[inline(always)]
pub(crate) fn high<A: Copy + Default, const N: usize, const M: usize>(a: [A; N]) -> [A; M] {
    const { assert!(N == 2 * M) }
    fill(
        #[inline(always)]
        |i| a[M + i],
    )
}

/// One bit for each lane, the first lane's lowest: whether it is negative.
#[inline(always)]
pub(crate) fn bitmask<A: Copy + Default + PartialOrd, const N: usize>(a: [A; N]) -> u32 {
    let mut mask = 0;
    for (i, lane) in a.iter().enumerate() {
        mask |= u32::from(*lane < A::default()) << i;
    }
    mask
}

/// Whether no lane is zero.
#[inline(always)]
pub(crate) fn all_true<A: Copy + Default + PartialEq, const N: usize>(a: [A; N]) -> u32 {
    let mut all = true;
    for lane in &a {
        all &= *lane != A::default();
    }
    u32::from(all)
}

/// The product of two numbers in `[-1, 1)` with 15 fractional bits, rounded and
/// saturated.
#[inline(always)]
pub(crate) fn q15_mul(a: i16, b: i16) -> i16 {
    let product = (i32::from(a) * i32::from(b) + 0x4000) >> 15;
    product.min(i32::from(i16::MAX)) as i16
}

/// The sums of products of neighbouring lanes, saturated.
#[inline(always)]
pub(crate) fn dot_i8(a: I8x16, b: I8x16) -> I16x8 {
    let products = both(a, b, |a, b| i32::from(a) * i32::from(b));
    // The least sum is greater than -2^15.
    pairs(products, |a: i32, b| (a + b).min(i32::from(i16::MAX)) as i16)
}
