//! Where instructions come from, also those of inlined functions.

use crate::tuning::INLINE_IN_LOOP;

/// Where in the module an instruction of the slot form came from: a byte offset,
/// which belongs to the function translated, or a place in a function inlined
/// into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceLoc(u32);

/// A call that was inlined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlined {
    /// The module offset of the body's first byte.
    pub body: u32,
    /// Where the call is.
    pub call: SourceLoc,
}

/// Set in the locations that have the index of an inlined call, and below it the
/// offset in its body.
const INLINED: u32 = 1 << 31;
const OFFSET_BITS: u32 = 8;
const _: () = assert!(INLINE_IN_LOOP < 1 << OFFSET_BITS);

impl SourceLoc {
    /// The first byte of the body translated.
    pub(crate) fn of_body(offset: u32) -> SourceLoc {
        SourceLoc(offset)
    }

    /// The first byte of an inlined body; none if that cannot be told from other
    /// places. `end` is where in the module the last body ends that is involved.
    pub(crate) fn of_inlined(index: usize, end: usize) -> Option<SourceLoc> {
        let index = u32::try_from(index).ok().filter(|index| *index < INLINED >> OFFSET_BITS)?;
        (end < INLINED as usize).then_some(SourceLoc(INLINED | index << OFFSET_BITS))
    }

    /// A byte behind the first of a body.
    pub(crate) fn at(self, offset: usize) -> SourceLoc {
        SourceLoc(self.0.wrapping_add(offset as u32))
    }

    /// Whether it is in an inlined function.
    pub fn is_inlined(self) -> bool {
        self.0 >= INLINED
    }

    /// The module offsets of the instruction and of the calls around it that were
    /// inlined, innermost first; the last is in the function translated. `calls` are
    /// those of that function.
    pub fn offsets(self, calls: &[Inlined]) -> impl Iterator<Item = u32> {
        let outwards = move |inner: &SourceLoc| inner.inlined(calls).map(|(call, _)| call.call);
        core::iter::successors(Some(self), outwards).map(|each| each.offset(calls))
    }

    /// The module offset of the instruction itself.
    pub fn offset(self, calls: &[Inlined]) -> u32 {
        self.inlined(calls).map_or(self.0, |(call, offset)| call.body + offset)
    }

    /// The call that the place was inlined for, and the offset in the body.
    fn inlined(self, calls: &[Inlined]) -> Option<(Inlined, u32)> {
        let place = self.0.checked_sub(INLINED)?;
        let call = calls.get((place >> OFFSET_BITS) as usize)?;
        Some((*call, place & ((1 << OFFSET_BITS) - 1)))
    }
}
