//! The vectors of `wasm.h`: a size, and elements on this library's heap.

use std::mem::{ManuallyDrop, MaybeUninit};
use std::{ptr, slice};

use crate::object::Object;
use crate::trap::Frame;
use crate::types::{ExportType, ExternType, ImportType, ValType};
use crate::value::Val;

/// A vector that owns its elements. One that C has made of an array of its own is
/// only ever borrowed.
#[repr(C)]
pub struct CVec<T> {
    size: usize,
    data: *mut T,
}

/// An element that is a pointer, null where nothing has been written.
pub type Ptr<T> = Option<Box<T>>;

impl<T> CVec<T> {
    pub const EMPTY: CVec<T> = CVec { size: 0, data: ptr::null_mut() };

    pub fn as_slice(&self) -> &[T] {
        if self.size == 0 || self.data.is_null() {
            return &[];
        }
        // SAFETY: `data` holds `size` elements; see the crate's header.
        unsafe { slice::from_raw_parts(self.data, self.size) }
    }

    /// The places of the elements, whose old values are not looked at.
    pub fn places(&mut self) -> &mut [MaybeUninit<T>] {
        if self.size == 0 || self.data.is_null() {
            return &mut [];
        }
        // SAFETY: as above.
        unsafe { slice::from_raw_parts_mut(self.data.cast(), self.size) }
    }

    /// Takes the elements and leaves the vector empty.
    pub fn take(&mut self) -> Vec<T> {
        let taken = ManuallyDrop::new(std::mem::replace(self, CVec::EMPTY));
        let (size, data) = (taken.size, taken.data);
        if size == 0 || data.is_null() {
            return Vec::new();
        }
        // SAFETY: an owned vector's elements are a boxed slice of this library's.
        unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(data, size)) }.into_vec()
    }
}

impl<T> Default for CVec<T> {
    fn default() -> CVec<T> {
        CVec::EMPTY
    }
}

impl<T> From<Vec<T>> for CVec<T> {
    fn from(elements: Vec<T>) -> CVec<T> {
        if elements.is_empty() {
            return CVec::EMPTY;
        }
        let size = elements.len();
        CVec { size, data: Box::into_raw(elements.into_boxed_slice()).cast() }
    }
}

impl<T> FromIterator<T> for CVec<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> CVec<T> {
        elements.into_iter().collect::<Vec<T>>().into()
    }
}

impl<T: Clone> Clone for CVec<T> {
    fn clone(&self) -> CVec<T> {
        self.as_slice().iter().cloned().collect()
    }
}

impl<T> Drop for CVec<T> {
    fn drop(&mut self) {
        if self.size > 0 {
            self.take();
        }
    }
}

impl CVec<u8> {
    /// A name, or another string that is to be UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.as_slice()).into_owned()
    }
}

/// `size` elements that say they are nothing; an empty vector if memory is short.
fn unwritten<T: Default>(size: usize) -> CVec<T> {
    let mut elements = Vec::new();
    if elements.try_reserve_exact(size).is_err() {
        crate::set_last_error("out of memory for a vector");
        return CVec::EMPTY;
    }
    elements.resize_with(size, T::default);
    elements.into()
}

/// The five functions of a kind of vector.
macro_rules! vectors {
    ($($name:literal $element:ty;)*) => {$(
        const _: () = {
            type Vector = CVec<$element>;
            type Out<'a> = &'a mut MaybeUninit<Vector>;

            #[unsafe(export_name = concat!($name, "_vec_new_empty"))]
            pub extern "C" fn new_empty(out: Out<'_>) {
                out.write(CVec::EMPTY);
            }

            #[unsafe(export_name = concat!($name, "_vec_new_uninitialized"))]
            pub extern "C" fn new_uninitialized(out: Out<'_>, size: usize) {
                out.write(crate::guard(|| unwritten(size)));
            }

            #[unsafe(export_name = concat!($name, "_vec_new"))]
            pub unsafe extern "C" fn new(out: Out<'_>, size: usize, data: *const $element) {
                // The elements change their owner.
                out.write(crate::guard(|| {
                    let moved = |index| {
                        // SAFETY: `data` holds `size` elements; see the crate's header.
                        unsafe { data.add(index).read() }
                    };
                    if data.is_null() { unwritten(size) } else { (0..size).map(moved).collect() }
                }));
            }

            #[unsafe(export_name = concat!($name, "_vec_copy"))]
            pub extern "C" fn copy(out: Out<'_>, from: &Vector) {
                out.write(crate::guard(|| from.clone()));
            }

            #[unsafe(export_name = concat!($name, "_vec_delete"))]
            pub extern "C" fn delete(vector: Option<&mut Vector>) {
                crate::guard(|| drop(vector.map(CVec::take)));
            }
        };
    )*};
}

vectors! {
    "wasm_byte" u8;
    "wasm_valtype" Ptr<ValType>;
    "wasm_functype" Ptr<ExternType>;
    "wasm_globaltype" Ptr<ExternType>;
    "wasm_tabletype" Ptr<ExternType>;
    "wasm_memorytype" Ptr<ExternType>;
    "wasm_tagtype" Ptr<ExternType>;
    "wasm_externtype" Ptr<ExternType>;
    "wasm_importtype" Ptr<ImportType>;
    "wasm_exporttype" Ptr<ExportType>;
    "wasm_val" Val;
    "wasm_frame" Ptr<Frame>;
    "wasm_extern" Ptr<Object>;
}

#[cfg(feature = "component")]
vectors! {
    "zwasm_component_val" crate::component::Val;
    "zwasm_component_field" crate::component::Field;
    "zwasm_component_name" CVec<u8>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_gives_its_elements_once() {
        let mut vector: CVec<Ptr<String>> = vec![Some(Box::new("a".to_owned())), None].into();
        let copy = vector.clone();
        assert_eq!(vector.take().len(), 2);
        assert!(vector.take().is_empty());
        assert_eq!(copy.as_slice()[0].as_deref().map(String::as_str), Some("a"));
    }

    #[test]
    fn too_large_a_vector_is_empty() {
        assert!(unwritten::<u64>(usize::MAX).as_slice().is_empty());
        assert_eq!(unwritten::<u64>(3).as_slice(), [0, 0, 0]);
    }
}
