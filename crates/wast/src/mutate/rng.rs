//! SplitMix64: eight lines that give the same numbers on every machine.

/// A sequence of numbers that its seed determines.
pub struct Rng(u64);

impl Rng {
    /// The sequence of one case of a campaign, independent of its neighbours.
    pub fn for_case(seed: u64, case: u64) -> Self {
        let mut outer = Self(seed);
        let start = outer.bits();
        Self(start ^ case.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// One of `items`.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// A range within `0..length`, short ones being likelier.
    pub fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length);
        let longest = [4, 16, 256, length][self.below(4)];
        let end = start + 1 + self.below(longest);
        start..end.min(length)
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_sequence_is_the_published_one() {
        let mut rng = Rng(1_234_567);
        assert_eq!(rng.bits(), 6_457_827_717_110_365_317);
        assert_eq!(rng.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn bounds_hold() {
        let mut rng = Rng::for_case(1, 2);
        for length in 0..200 {
            assert!(length == 0 || rng.below(length) < length);
            let range = rng.range(length);
            assert!(range.end <= length && range.start <= length);
        }
    }
}
