//! The ops of machines without definitions of their own.

/// What every machine has.
pub mod baseline {
    pub use zwasm_regir::simd_ops::meaning::*;

    use zwasm_regir::lanes::U8x16;

    /// The chosen lanes of two vectors in memory, all below 32.
    #[inline(always)]
    pub unsafe fn shuffle(a: *const u64, b: *const u64, lanes: U8x16) -> U8x16 {
        let mut chosen = [0; 16];
        for (i, byte) in chosen.iter_mut().enumerate() {
            let lane = usize::from(lanes[i]);
            let from = if lane < 16 { a.cast::<u8>() } else { b.cast::<u8>().wrapping_sub(16) };
            // SAFETY: the lane is one of the vector's sixteen bytes.
            *byte = unsafe { from.wrapping_add(lane).read() };
        }
        chosen
    }
}
