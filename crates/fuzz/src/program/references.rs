//! References: where they come from, what is asked of them, and the objects behind.
//!
//! All may be null. Most reads make sure that it is not, for a program that traps
//! at once shows little.

use super::body::Body;
use super::code::*;
use super::objects::{MOST_OPERANDS, about_border};
use super::{Layout, Signature};
use crate::opcodes::objects::*;
use crate::ty::{Heap, Ty};

/// That the types before and behind a cast may be null.
const BOTH_NULLABLE: u8 = 3;

impl Layout {
    /// The references among the types.
    fn heaps(&self) -> Vec<Heap> {
        let heap = |ty: &Ty| if let Ty::Ref(heap) = *ty { Some(heap) } else { None };
        self.tys.iter().filter_map(heap).collect()
    }

    fn is_object(&self, heap: Heap, array: bool) -> bool {
        let Heap::Type(index) = heap else { return false };
        self.objects.get(index as usize).is_some_and(|object| object.is_array == array)
    }

    /// The top of the hierarchy.
    fn top(&self, heap: Heap) -> Heap {
        match heap {
            Heap::Func | Heap::NoFunc => Heap::Func,
            Heap::Extern | Heap::NoExtern => Heap::Extern,
            Heap::Exn => Heap::Exn,
            Heap::Type(index) if index as usize >= self.objects.len() => Heap::Func,
            Heap::Any
            | Heap::Eq
            | Heap::I31
            | Heap::Struct
            | Heap::Array
            | Heap::None
            | Heap::Type(_) => Heap::Any,
        }
    }

    /// Whether each `sub` is a `sup`.
    pub fn is_sub(&self, sub: Heap, sup: Heap) -> bool {
        let none = sub == Heap::None;
        let top = self.top(sub);
        sub == sup
            || match sup {
                Heap::Any | Heap::Func | Heap::Extern => top == sup,
                Heap::Eq => top == Heap::Any && sub != Heap::Any,
                Heap::Struct => none || self.is_object(sub, false),
                Heap::Array => none || self.is_object(sub, true),
                Heap::I31 => none,
                Heap::Type(_) if self.top(sup) == Heap::Func => sub == Heap::NoFunc,
                Heap::Type(_) if none => true,
                Heap::Type(_) => match sub {
                    Heap::Type(index) => self
                        .objects
                        .get(index as usize)
                        .and_then(|object| object.parent)
                        .is_some_and(|parent| self.is_sub(Heap::Type(parent), sup)),
                    _ => false,
                },
                Heap::None | Heap::NoFunc | Heap::NoExtern | Heap::Exn => false,
            }
    }
}

impl Body<'_> {
    fn on_objects(&mut self, code: u8, index: u32) {
        self.code.0.extend([OBJECTS, code]);
        self.code.number(index);
    }

    /// A reference.
    pub fn reference(&mut self, heap: Heap, depth: u32) {
        let ty = Ty::Ref(heap);
        match self.rng.below(12) {
            0 | 1 => self.leaf(ty),
            2..=4 => self.fresh(heap, depth),
            5 | 6 if self.read(ty, depth) => {}
            7 | 8 => self.cast(heap, depth),
            9 => self.failed_cast(heap, depth),
            _ => {
                let heaps = self.layout.heaps();
                let sub = |each: &Heap| self.layout.is_sub(*each, heap);
                let all: Vec<Heap> = heaps.into_iter().filter(sub).collect();
                match self.rng.pick(&all) {
                    Some(&sub) => self.value(Ty::Ref(sub), depth),
                    None => self.leaf(ty),
                }
            }
        }
    }

    /// A reference that is not null, if that can be.
    pub fn fresh(&mut self, heap: Heap, depth: u32) {
        let objects = self.layout.objects.len();
        match heap {
            Heap::Type(index) if (index as usize) < objects => self.new_object(index, depth),
            Heap::Type(_) | Heap::Func => {
                let fits = |at: &u32| {
                    let ty = self.layout.functions[*at as usize];
                    heap == Heap::Func || heap == Heap::Type(ty)
                };
                let all: Vec<u32> = (0..self.layout.functions.len() as u32).filter(fits).collect();
                match self.rng.pick(&all) {
                    Some(&function) => self.code.with(REF_FUNC, function),
                    None => self.null(heap),
                }
            }
            Heap::I31 => {
                self.value(Ty::I32, depth);
                self.code.0.extend([OBJECTS, REF_I31]);
            }
            Heap::Any | Heap::Eq | Heap::Struct | Heap::Array => {
                let fits = |at: &u32| self.layout.is_sub(Heap::Type(*at), heap);
                let all: Vec<u32> = (0..objects as u32).filter(fits).collect();
                let i31 = matches!(heap, Heap::Any | Heap::Eq) && self.once_in(3);
                match self.rng.pick(&all) {
                    Some(&index) if !i31 => self.new_object(index, depth),
                    _ if i31 => self.fresh(Heap::I31, depth),
                    _ => self.null(heap),
                }
            }
            Heap::Extern if objects > 0 => {
                self.fresh(Heap::Any, depth);
                self.code.0.extend([OBJECTS, EXTERN_CONVERT_ANY]);
            }
            Heap::Exn => self.caught_exception(),
            Heap::Extern | Heap::NoExtern | Heap::NoFunc | Heap::None => self.null(heap),
        }
    }

    /// The null of a type.
    pub fn null(&mut self, heap: Heap) {
        self.code.op(REF_NULL);
        heap.push(&mut self.code.0);
    }

    /// An exception that was thrown for it.
    fn caught_exception(&mut self) {
        if self.layout.tags.is_empty() {
            return self.null(Heap::Exn);
        }
        self.code.block(BLOCK, Some(Ty::Ref(Heap::Exn)));
        self.within(Some(vec![Ty::Ref(Heap::Exn)]), |body| {
            body.code.block(TRY_TABLE, None);
            // All of them, with the reference.
            body.code.0.extend([1, 3, 0]);
            body.within(Some(vec![]), |body| body.throw(0));
            body.null(Heap::Exn);
        });
    }

    /// An object of a type.
    fn new_object(&mut self, index: u32, depth: u32) {
        // What loops shall not be spent on objects alone.
        let kept = self.local(Ty::Ref(Heap::Type(index)), false);
        if let Some(local) = kept
            && self.loops() > 0
            && !self.once_in(4)
        {
            let heap = Heap::Type(index);
            self.code.0.extend([BLOCK, NON_NULL]);
            heap.push(&mut self.code.0);
            self.code.with(LOCAL_GET, local);
            self.code.with(BR_ON_NON_NULL, 0);
            self.default_object(index);
            return self.code.op(END);
        }
        let object = self.layout.objects[index as usize].clone();
        let fields: Vec<Ty> = object.fields.iter().map(|field| field.ty()).collect();
        if object.is_array {
            return self.new_array(index, depth);
        }
        let many = fields.len() > 16;
        let by_values = if many {
            // At times only, in one place of the program.
            fields.len() <= MOST_OPERANDS && self.layout.huge > 0 && self.once_in(4)
        } else {
            !self.once_in(3)
        };
        if by_values {
            self.layout.huge -= u32::from(fields.len() > 100);
            for ty in fields {
                if many || depth == 0 { self.plain(ty) } else { self.value(ty, depth - 1) }
            }
            self.on_objects(STRUCT_NEW, index);
        } else {
            self.on_objects(STRUCT_NEW_DEFAULT, index);
        }
    }

    /// A value of one instruction.
    fn plain(&mut self, ty: Ty) {
        match (self.local(ty, true), ty) {
            (Some(local), _) if self.once_in(2) => self.code.with(LOCAL_GET, local),
            (_, Ty::I32) => self.code.i32_const(3),
            (_, Ty::I64) => self.code.i64_const(3),
            (_, Ty::Ref(heap)) => self.null(heap),
            _ => self.constant(ty),
        }
    }

    fn default_object(&mut self, index: u32) {
        if self.layout.objects[index as usize].is_array {
            self.code.i32_const(4);
            self.on_objects(ARRAY_NEW_DEFAULT, index);
        } else {
            self.on_objects(STRUCT_NEW_DEFAULT, index);
        }
    }

    fn new_array(&mut self, index: u32, depth: u32) {
        let storage = self.layout.objects[index as usize].fields[0];
        let length = match self.rng.below(16) {
            0 => self.rng.below(3),
            1 | 2 => about_border(storage, self.rng),
            _ => 4 + self.rng.below(8),
        };
        match self.rng.below(3) {
            0 if length < 16 => {
                for _ in 0..length {
                    self.plain(storage.ty());
                }
                self.on_objects(ARRAY_NEW_FIXED, index);
                self.code.number(length as u32);
            }
            1 => {
                if depth == 0 {
                    self.plain(storage.ty())
                } else {
                    self.value(storage.ty(), depth - 1)
                }
                self.code.i32_const(length as i32);
                self.on_objects(ARRAY_NEW, index);
            }
            _ => {
                self.code.i32_const(length as i32);
                self.on_objects(ARRAY_NEW_DEFAULT, index);
            }
        }
    }

    /// An object of a type, made or taken if it is not null.
    fn present(&mut self, index: u32, depth: u32) {
        let heap = Heap::Type(index);
        match self.rng.below(32) {
            0..=11 => self.new_object(index, depth),
            12..=30 => self.or_else(heap, depth, |body| body.new_object(index, 0)),
            _ => {
                self.value(Ty::Ref(heap), depth);
                if self.once_in(2) {
                    self.code.op(REF_AS_NON_NULL);
                }
            }
        }
    }

    /// A reference, or something else if that is null.
    fn or_else(&mut self, heap: Heap, depth: u32, other: impl FnOnce(&mut Self)) {
        self.code.0.extend([BLOCK, NON_NULL]);
        heap.push(&mut self.code.0);
        // What else branches may carry null.
        self.within(None, |body| {
            body.value(Ty::Ref(heap), depth);
            body.code.with(BR_ON_NON_NULL, 0);
            other(body);
        });
    }

    /// A type in the same hierarchy, to cast from or test for.
    fn related(&mut self, heap: Heap) -> Heap {
        let top = self.layout.top(heap);
        let mut all = self.layout.heaps();
        all.extend((0..self.layout.objects.len() as u32).map(Heap::Type));
        all.retain(|each| self.layout.top(*each) == top);
        *self.rng.pick(&all).unwrap_or(&heap)
    }

    /// A reference that is cast if it is of the type.
    fn cast(&mut self, heap: Heap, depth: u32) {
        let above = self.related(heap);
        if !self.layout.is_sub(heap, above) || above == Heap::Exn || self.layout.objects.is_empty()
        {
            return self.leaf(Ty::Ref(heap));
        }
        if self.once_in(16) {
            self.value(Ty::Ref(above), depth);
            // At times of what may be null.
            self.code.0.extend([OBJECTS, REF_CAST + self.rng.below(2) as u8]);
            return heap.push(&mut self.code.0);
        }
        self.code.block(BLOCK, Some(Ty::Ref(heap)));
        self.within(Some(vec![Ty::Ref(heap)]), |body| {
            body.value(Ty::Ref(above), depth);
            body.code.0.extend([OBJECTS, BR_ON_CAST, BOTH_NULLABLE, 0]);
            above.push(&mut body.code.0);
            heap.push(&mut body.code.0);
            body.show(Ty::Ref(above));
            body.leaf(Ty::Ref(heap));
        });
    }

    /// A reference that is not of a lower type, or another.
    fn failed_cast(&mut self, heap: Heap, depth: u32) {
        let below = self.related(heap);
        if !self.layout.is_sub(below, heap) || below == Heap::Exn || self.layout.objects.is_empty()
        {
            return self.leaf(Ty::Ref(heap));
        }
        self.code.block(BLOCK, Some(Ty::Ref(heap)));
        self.within(Some(vec![Ty::Ref(heap)]), |body| {
            body.value(Ty::Ref(heap), depth);
            body.code.0.extend([OBJECTS, BR_ON_CAST_FAIL, BOTH_NULLABLE, 0]);
            heap.push(&mut body.code.0);
            below.push(&mut body.code.0);
            body.show(Ty::Ref(below));
            body.leaf(Ty::Ref(heap));
        });
    }

    /// A number that a reference or an object has; false if none has such.
    pub fn observe(&mut self, ty: Ty, depth: u32) -> bool {
        if ty == Ty::I32 && self.once_in(2) {
            return self.test(depth);
        }
        self.read(ty, depth)
    }

    /// Something that is asked of a reference.
    fn test(&mut self, depth: u32) -> bool {
        let heaps = self.layout.heaps();
        let Some(&heap) = self.rng.pick(&heaps) else { return false };
        let other = self.related(heap);
        let comparable = [heap, other].iter().all(|each| self.layout.is_sub(*each, Heap::Eq));
        match self.rng.below(4) {
            0 if comparable => {
                self.value(Ty::Ref(heap), depth);
                self.value(Ty::Ref(other), depth);
                self.code.op(REF_EQ);
            }
            1 if !self.layout.objects.is_empty() => {
                self.or_else(Heap::I31, depth, |body| body.fresh(Heap::I31, 0));
                let unsigned = self.rng.below(2) as u8;
                self.code.0.extend([OBJECTS, I31_GET_S + unsigned]);
            }
            _ => {
                self.value(Ty::Ref(heap), depth);
                self.number_of(heap);
            }
        }
        true
    }

    /// Makes a number of the reference on the stack; of which type.
    pub fn number_of(&mut self, heap: Heap) -> Ty {
        let castable = !self.layout.objects.is_empty() && self.layout.top(heap) != Heap::Exn;
        if castable && self.once_in(2) {
            let other = self.related(heap);
            self.code.0.extend([OBJECTS, REF_TEST + self.rng.below(2) as u8]);
            other.push(&mut self.code.0);
        } else {
            self.code.op(REF_IS_NULL);
        }
        Ty::I32
    }

    /// A value that a field or an element has; false if none has such.
    fn read(&mut self, ty: Ty, depth: u32) -> bool {
        let Some((index, field)) = self.place_of(ty) else { return false };
        let object = self.layout.objects[index as usize].clone();
        let packed = object.fields[field as usize].is_packed();
        let unsigned = self.rng.below(2) as u8;
        self.present(index, depth);
        if object.is_array {
            self.place_in(index, depth);
            self.on_objects(if packed { ARRAY_GET_S + unsigned } else { ARRAY_GET }, index);
        } else {
            self.on_objects(if packed { STRUCT_GET_S + unsigned } else { STRUCT_GET }, index);
            self.code.number(field);
        }
        true
    }

    /// A type with a field of this type, and which.
    fn place_of(&mut self, ty: Ty) -> Option<(u32, u32)> {
        let mut all = Vec::new();
        for (index, object) in self.layout.objects.iter().enumerate() {
            let count = object.fields.len();
            // Of many, some are enough.
            let step = (count / 8).max(1);
            let fields = (0..count).step_by(step).chain(count.checked_sub(1));
            let fields = fields.filter(|field| object.fields[*field].ty() == ty);
            all.extend(fields.map(|field| (index as u32, field as u32)));
        }
        self.rng.pick(&all).copied()
    }

    /// The index of an element of the array on the stack, which stays below it.
    fn place_in(&mut self, index: u32, depth: u32) {
        let ty = Ty::Ref(Heap::Type(index));
        match (self.rng.below(32), self.local(ty, false)) {
            (0, _) => self.value(Ty::I32, depth),
            (1..=10, Some(local)) => {
                self.code.with(LOCAL_TEE, local);
                self.code.with(LOCAL_GET, local);
                self.code.0.extend([OBJECTS, ARRAY_LEN]);
                self.code.i32_const(1);
                self.code.op(I32_SUB);
            }
            _ => {
                let at = self.rng.below(4) as i32;
                self.code.i32_const(at);
            }
        }
    }

    /// Writes a field, an element or several.
    pub fn set_object(&mut self) {
        let ty = self.any_ty();
        let Some((index, field)) = self.place_of(ty) else { return };
        let is_array = self.layout.objects[index as usize].is_array;
        self.present(index, 2);
        if !is_array {
            self.value(ty, 2);
            self.on_objects(STRUCT_SET, index);
            return self.code.number(field);
        }
        match self.rng.below(4) {
            0 => {
                self.place_in(index, 0);
                self.value(ty, 2);
                self.short();
                self.on_objects(ARRAY_FILL, index);
            }
            1 => {
                self.place_in(index, 0);
                self.present(index, 1);
                self.place_in(index, 0);
                self.short();
                self.on_objects(ARRAY_COPY, index);
                self.code.number(index);
            }
            _ => {
                self.place_in(index, 1);
                self.value(ty, 2);
                self.on_objects(ARRAY_SET, index);
            }
        }
    }

    /// A length that mostly fits.
    fn short(&mut self) {
        let most = [2, 2, 2, 6][self.rng.below(4)];
        let length = self.rng.below(most) as i32;
        self.code.i32_const(length);
    }

    /// A branch that looks at a reference, with values to carry; the reference is
    /// live across a call.
    pub fn branch_on_null(&mut self) {
        let heaps = self.layout.heaps();
        let Some(&heap) = self.rng.pick(&heaps) else { return };
        if !self.layout.references {
            return;
        }
        let carried: Vec<Ty> = (0..self.rng.below(3)).map(|_| self.any_ty()).collect();
        let signature = Signature { params: vec![], results: carried.clone() };
        let ty = self.layout.signature(signature);
        self.code.typed_block(BLOCK, ty);
        self.within(Some(carried.clone()), |body| {
            body.values(&carried, 1);
            body.value(Ty::Ref(heap), 2);
            if body.once_in(2) {
                body.call(1);
            }
            body.code.with(BR_ON_NULL, 0);
            body.show(Ty::Ref(heap));
        });
        self.keep_or_drop(&carried);
    }

    /// Throws an exception again that was caught, if a condition holds.
    pub fn throw_again(&mut self) {
        if self.layout.tags.is_empty() || !self.layout.tys.contains(&Ty::Ref(Heap::Exn)) {
            return;
        }
        self.condition(1);
        self.code.block(IF, None);
        self.within(Some(vec![]), |body| {
            body.or_else(Heap::Exn, 1, |body| {
                body.code.op(UNREACHABLE);
            });
            body.code.op(THROW_REF);
        });
    }

    /// What converts between the hierarchies of the host and of the guest.
    pub fn converted(&mut self, heap: Heap, depth: u32) -> bool {
        let (from, code) = match heap {
            Heap::Any => (Heap::Extern, ANY_CONVERT_EXTERN),
            Heap::Extern => (Heap::Any, EXTERN_CONVERT_ANY),
            _ => return false,
        };
        if self.layout.objects.is_empty() {
            return false;
        }
        self.value(Ty::Ref(from), depth);
        self.code.0.extend([OBJECTS, code]);
        true
    }
}
