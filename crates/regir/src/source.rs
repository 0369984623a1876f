//! Where instructions come from, also those of inlined functions.

/// Where in the module an instruction of the slot form came from: a byte offset,
/// which belongs to the function translated, or a place in a function inlined
/// into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceLoc(u32);

/// A place in an inlined function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlined {
    /// The module offset of the Wasm instruction.
    pub offset: u32,
    /// The call that the function was inlined for.
    pub call: SourceLoc,
}

/// Set in the locations that are indices of [`Inlined`] places.
const INLINED: u32 = 1 << 31;

impl SourceLoc {
    /// The instruction at a module offset, which is below 2³¹ where anything is
    /// inlined.
    pub fn at(offset: u32) -> SourceLoc {
        SourceLoc(offset)
    }

    /// The inlined place with this index.
    pub(crate) fn inlined(index: usize) -> SourceLoc {
        SourceLoc(INLINED | index as u32)
    }

    /// Whether it is in an inlined function.
    pub fn is_inlined(self) -> bool {
        self.0 >= INLINED
    }

    /// Whether offsets up to `end` can be told from indices.
    pub(crate) fn can_inline(end: usize) -> bool {
        end < INLINED as usize
    }

    /// The module offsets of the instruction and of the calls around it that were
    /// inlined, innermost first; the last is in the function translated. `places`
    /// are those of that function.
    pub fn offsets(self, places: &[Inlined]) -> impl Iterator<Item = u32> {
        let outwards = move |inner: &SourceLoc| inner.place(places).map(|place| place.call);
        core::iter::successors(Some(self), outwards).map(|each| each.offset(places))
    }

    /// The module offset of the instruction itself.
    pub fn offset(self, places: &[Inlined]) -> u32 {
        self.place(places).map_or(self.0, |place| place.offset)
    }

    fn place(self, places: &[Inlined]) -> Option<Inlined> {
        let index = self.0.checked_sub(INLINED)?;
        places.get(index as usize).copied()
    }
}
