//! What the data segments of a module make of its memory, for instances to share.
//!
//! Writing megabytes of data to each new memory takes longer than all else that an instance
//! takes. So a module with one memory and much data, whose places are known, gets an image
//! of it the second time that it is instantiated; memories begin with that, and take pages of
//! their own as they write. Whether segments fit is known then, so that none of them traps;
//! if something before them does, the memory is made blank again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::{Inner, SegmentMode};
use crate::store::MemoryInst;
use crate::sys::Image;
use crate::tuning::{IMAGE_SHARE, MAX_IMAGES, MIN_IMAGE};

/// An image and where it begins in the memory; both in units of any system's pages.
pub(crate) struct MemoryImage {
    pub(crate) image: Image,
    pub(crate) start: usize,
}

/// How many there are in the process.
static IMAGES: AtomicUsize = AtomicUsize::new(0);

impl MemoryImage {
    fn new(bytes: &[u8], start: usize) -> Option<MemoryImage> {
        let one_more = |images: usize| (images < MAX_IMAGES).then_some(images + 1);
        IMAGES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        let image = Image::new(bytes).ok();
        if image.is_none() {
            IMAGES.fetch_sub(1, Ordering::Relaxed);
        }
        Some(MemoryImage { image: image?, start })
    }
}

impl Drop for MemoryImage {
    fn drop(&mut self) {
        IMAGES.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sizes of all systems' pages divide this, and this the sizes of 32-bit memories.
const UNIT: usize = 64 << 10;

/// The image of a module, once it is worth one.
#[derive(Default)]
pub(crate) struct MadeImage {
    instantiated: AtomicBool,
    image: OnceLock<Option<Arc<MemoryImage>>>,
}

impl Inner {
    /// The image for the module's memory, if it has one.
    pub(crate) fn image(&self) -> Option<&Arc<MemoryImage>> {
        if !self.image.instantiated.load(Ordering::Relaxed) {
            self.image.instantiated.store(true, Ordering::Relaxed);
            return None;
        }
        self.image.image.get_or_init(|| self.make_image().map(Arc::new)).as_ref()
    }

    fn make_image(&self) -> Option<MemoryImage> {
        let config = self.engine.config();
        let [ty] = self.memories[..] else { return None };
        let fits = self.imported_memories == 0 && !ty.shared && MemoryInst::can_be_guarded(ty);
        if !fits || !config.guard_pages || !config.memory_init_cow {
            return None;
        }
        let room = usize::try_from(ty.minimum).ok()?.checked_mul(UNIT)?;
        let (mut first, mut last, mut total) = (room, 0, 0);
        let mut places = Vec::new();
        for segment in &self.data {
            let SegmentMode::Active { offset, .. } = &segment.mode else { continue };
            let start = usize::try_from(offset.constant()?).ok()?;
            let end = start.checked_add(segment.range.len()).filter(|end| *end <= room)?;
            (first, last, total) = (first.min(start), last.max(end), total + segment.range.len());
            places.push((start, segment.range.clone()));
        }
        let (start, end) = (first / UNIT * UNIT, last.next_multiple_of(UNIT));
        let span = end.checked_sub(start)?;
        if total < MIN_IMAGE || span / IMAGE_SHARE > total {
            return None;
        }
        let mut bytes = vec![0; span];
        for (place, range) in places {
            let place = place - start;
            bytes[place..place + range.len()].copy_from_slice(&self.bytes[range]);
        }
        MemoryImage::new(&bytes, start)
    }
}
