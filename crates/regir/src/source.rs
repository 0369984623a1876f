//! Where instructions come from, also those of inlined functions.

/// Where in the module an instruction of the slot form came from: a byte offset,
/// which belongs to the function translated, or a place in a function inlined
/// into it.
///
/// The bodies inlined into a function are numbered through, byte by byte, in the order
/// in which they are met: such a place is the number of its byte. So it has no limit but
/// that of all bodies together, and which body it is in is found by halving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceLoc(u32);

/// A call that was inlined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlined {
    /// The number of the body's first byte.
    pub start: u32,
    /// The module offset of the body's first byte.
    pub body: u32,
    /// Where the call is.
    pub call: SourceLoc,
}

/// Set in the locations that have the number of a byte of an inlined body.
const INLINED: u32 = 1 << 31;

impl SourceLoc {
    /// The first byte of the body translated.
    pub(crate) fn of_body(offset: u32) -> SourceLoc {
        SourceLoc(offset)
    }

    /// The first byte of an inlined body, which gets the number `start` and ends before
    /// `end`; none if such numbers, or the module offsets of bodies, which end before
    /// `module_end`, cannot be told apart.
    pub(crate) fn of_inlined(start: u32, end: usize, module_end: usize) -> Option<SourceLoc> {
        let fits = end <= INLINED as usize && module_end <= INLINED as usize;
        fits.then_some(SourceLoc(INLINED | start))
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
        let number = self.0.checked_sub(INLINED)?;
        let after = calls.partition_point(|call| call.start <= number);
        let call = calls.get(after.checked_sub(1)?)?;
        Some((*call, number - call.start))
    }
}
