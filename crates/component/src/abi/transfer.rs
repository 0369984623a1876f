//! Values from guest to guest: from the memory and slots of one straight to the other's.
//!
//! Both sides have the same type but for its place in their tables and what its resources
//! are there, so the two are walked side by side. What needs a check (characters, cases)
//! gets it, what is narrower than its slot is made so; lists of numbers are copied whole.
//! What is moved is paid for in fuel, as it would be if the guests moved it.
//!
//! Specification: Canonical ABI, `lift_flat_values` followed by `lower_flat_values`.

use zwasm::{Error, Memory, Result};

use super::lift::{character, check_range, no_case};
use super::lower::realloc;
use super::strings::{self, Header, Source};
use super::{AnyStore, Budget, Place, TypeContext, unexpected};
use crate::state::Options;
use crate::task::{lift_end, lower_end};
use crate::tuning::{COST_PER_BYTE, COST_PER_VALUE, MAX_TRANSFERRED_TWICE, VALUES_AT_ONCE};
use crate::types::{Defined, InterfaceType, Shape};

/// One of two guests.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) cx: TypeContext<'a>,
    pub(crate) options: Options,
}

/// Values on their way.
pub(crate) struct Transfer<'a> {
    store: &'a mut dyn AnyStore,
    from: Side<'a>,
    to: Side<'a>,
    source: &'a [u64],
    target: &'a mut [u64],
    budget: Budget,
}

impl<'a> Transfer<'a> {
    pub(crate) fn new(
        store: &'a mut dyn AnyStore,
        (from, source): (Side<'a>, &'a [u64]),
        (to, target): (Side<'a>, &'a mut [u64]),
    ) -> Transfer<'a> {
        let size = store.split(from.options.memory).0.len();
        let budget = Budget::new(size.saturating_add(MAX_TRANSFERRED_TWICE));
        Transfer { store, from, to, source, target, budget }
    }

    /// The low bytes of what lies at a place of the source.
    fn get<const N: usize>(&mut self, at: Place) -> Result<[u8; N]> {
        match at {
            Place::Flat(slot) => {
                let bytes = self.source.get(slot).ok_or_else(unexpected)?.to_le_bytes();
                Ok(*bytes.first_chunk().ok_or_else(unexpected)?)
            }
            Place::Memory(address) => {
                let memory = &*self.store.split(self.from.options.memory).0;
                let bytes = memory.get(address..).and_then(|bytes| bytes.first_chunk());
                Ok(*bytes.ok_or_else(unexpected)?)
            }
        }
    }

    /// Writes a number to a place of the target: a whole slot, or bytes.
    fn put<const N: usize>(&mut self, at: Place, slot: u64, bytes: [u8; N]) -> Result<()> {
        match at {
            Place::Flat(index) => *self.target.get_mut(index).ok_or_else(unexpected)? = slot,
            Place::Memory(address) => {
                let memory = self.store.split(self.to.options.memory).0.get_mut(address..);
                let place = memory.and_then(|memory| memory.first_chunk_mut());
                *place.ok_or_else(unexpected)? = bytes;
            }
        }
        Ok(())
    }

    fn get_u32(&mut self, at: Place) -> Result<u32> {
        self.get(at).map(u32::from_le_bytes)
    }

    fn put_u32(&mut self, at: Place, number: u32) -> Result<()> {
        self.put(at, number.into(), number.to_le_bytes())
    }

    fn get_pair(&mut self, at: Place) -> Result<(usize, usize)> {
        let first = self.get_u32(at)?;
        let second = self.get_u32(second(at))?;
        Ok((first as usize, second as usize))
    }

    fn put_pair(&mut self, at: Place, address: usize, length: usize) -> Result<()> {
        self.put_u32(at, address as u32)?;
        self.put_u32(second(at), length as u32)
    }

    /// A number of so many bytes, as words of flags and discriminants are.
    fn get_word(&mut self, at: Place, size: u32) -> Result<u32> {
        if let Place::Flat(_) = at {
            return self.get_u32(at);
        }
        Ok(match size {
            1 => u8::from_le_bytes(self.get(at)?).into(),
            2 => u16::from_le_bytes(self.get(at)?).into(),
            _ => self.get_u32(at)?,
        })
    }

    fn put_word(&mut self, at: Place, size: u32, word: u32) -> Result<()> {
        match size {
            1 => self.put(at, word.into(), [word as u8]),
            2 => self.put(at, word.into(), (word as u16).to_le_bytes()),
            _ => self.put_u32(at, word),
        }
    }

    /// Moves a value of a type, which is `ty.0` in the source's table and `ty.1` in the
    /// target's.
    pub(crate) fn value(
        &mut self,
        ty: (InterfaceType, InterfaceType),
        from: Place,
        to: Place,
    ) -> Result<()> {
        use InterfaceType as T;
        match ty.0 {
            T::Bool => {
                let truth = self.get_word(from, 1)? != 0;
                self.put(to, truth.into(), [truth.into()])
            }
            T::U8 => {
                let bytes = self.get::<1>(from)?;
                self.put(to, bytes[0].into(), bytes)
            }
            T::U16 => {
                let bytes = self.get(from)?;
                self.put(to, u16::from_le_bytes(bytes).into(), bytes)
            }
            T::S8 => {
                let bytes = self.get(from)?;
                self.put(to, u64::from(i32::from(i8::from_le_bytes(bytes)) as u32), bytes)
            }
            T::S16 => {
                let bytes = self.get(from)?;
                self.put(to, u64::from(i32::from(i16::from_le_bytes(bytes)) as u32), bytes)
            }
            T::S32 | T::U32 | T::F32 => {
                let number = self.get_u32(from)?;
                self.put_u32(to, number)
            }
            T::S64 | T::U64 | T::F64 => {
                let bytes = self.get(from)?;
                self.put(to, u64::from_le_bytes(bytes), bytes)
            }
            T::Char => {
                let number = character(self.get_u32(from)?)?.into();
                self.put_u32(to, number)
            }
            T::String => self.string(from, to),
            T::Own(_) | T::Borrow(_) => self.handle(ty, from, to),
            T::ErrorContext => {
                let index = self.get_u32(from)?;
                let (giver, taker) = (self.from.options.instance, self.to.options.instance);
                let state = self.store.state();
                let error = state.error_at(giver, index)?;
                let index = state.new_error(taker, error)?;
                self.put_u32(to, index)
            }
            T::Defined(index) => {
                let types = self.from.cx.types;
                self.defined(&types[index], ty, from, to)
            }
        }
    }

    fn handle(&mut self, ty: (InterfaceType, InterfaceType), from: Place, to: Place) -> Result<()> {
        let index = self.get_u32(from)?;
        let (giver, taker) = (self.from.options.instance, self.to.options.instance);
        let given = self.from.cx.resource(ty.0).ok_or_else(unexpected)?;
        let taken = self.to.cx.resource(ty.1).ok_or_else(unexpected)?;
        let state = self.store.state();
        let index = match (given, taken) {
            ((given, true), (taken, true)) => {
                let rep = state.lift_own(giver, given, index)?;
                state.lower_own(taker, taken, rep)?
            }
            ((given, false), (taken, false)) => {
                let rep = state.lift_borrow(giver, given, index)?;
                state.lower_borrow(taker, taken, rep)?
            }
            _ => return Err(unexpected()),
        };
        self.put_u32(to, index)
    }

    /// Moves a part of a value.
    fn part(
        &mut self,
        ty: (InterfaceType, InterfaceType),
        from: Place,
        to: Place,
        index: usize,
    ) -> Result<()> {
        let (source, from) = self.from.cx.part(ty.0, from, index)?;
        let (target, to) = self.to.cx.part(ty.1, to, index)?;
        self.value((source, target), from, to)
    }

    fn defined(
        &mut self,
        defined: &Defined,
        ty: (InterfaceType, InterfaceType),
        from: Place,
        to: Place,
    ) -> Result<()> {
        let layout = self.from.cx.layout(ty.0)?;
        if let (true, Place::Memory(source), Place::Memory(target)) = (layout.numbers, from, to) {
            return self.copy(source, target, layout.size as usize);
        }
        match defined {
            Defined::Record(fields) => {
                (0..fields.len()).try_for_each(|index| self.part(ty, from, to, index))
            }
            Defined::Tuple(types) => {
                (0..types.len()).try_for_each(|index| self.part(ty, from, to, index))
            }
            Defined::Variant(cases) => {
                self.case(ty, from, to, cases.len(), |case| cases[case].1.is_some())
            }
            Defined::Enum(names) => self.case(ty, from, to, names.len(), |_| false),
            Defined::Option(_) => self.case(ty, from, to, 2, |case| case == 1),
            Defined::Result { ok, err } => {
                let payloads = [ok.is_some(), err.is_some()];
                self.case(ty, from, to, 2, |case| payloads[case])
            }
            Defined::Flags(names) => {
                for word in 0..names.len().div_ceil(32) {
                    let (from, size, mask) = self.from.cx.flag_word(ty.0, from, word)?;
                    let (to, ..) = self.to.cx.flag_word(ty.1, to, word)?;
                    let bits = self.get_word(from, size as u32)? & mask;
                    self.put_word(to, size as u32, bits)?;
                }
                Ok(())
            }
            Defined::List(element) => {
                let shape = self.from.cx.types.shape(*element);
                let target = self.to.cx.element(ty.1)?;
                self.list(shape, from, to, |transfer, source, target_at, length| {
                    transfer.elements((*element, target), shape, source, target_at, length)
                })
            }
            Defined::Map(key, value) => {
                let (shape, part) = self.from.cx.types.pair(*key, *value);
                let target = self.to.cx.map(ty.1)?;
                self.list(shape, from, to, |transfer, source, target_at, length| {
                    if shape.numbers {
                        return transfer.copy(source, target_at, length * shape.size as usize);
                    }
                    let (from, to) = (Place::Memory(source), Place::Memory(target_at));
                    transfer.each(shape, from, to, length, |transfer, from, to| {
                        transfer.value((*key, target.0), from, to)?;
                        transfer.value((*value, target.1), from.part(part), to.part(part))
                    })
                })
            }
            Defined::Stream(_) | Defined::Future(_) => {
                let index = self.get_u32(from)?;
                let (giver, taker) = (self.from.options.instance, self.to.options.instance);
                let state = self.store.state();
                let end = lift_end(state, giver, index, self.from.cx.types, ty.0)?;
                let index = lower_end(state, end, taker, self.to.cx.types, ty.1)?;
                self.put_u32(to, index)
            }
            Defined::FixedList(element, length) => {
                let shape = self.from.cx.types.shape(*element);
                let Some(Defined::FixedList(target, _)) = self.to.cx.defined(ty.1) else {
                    return Err(unexpected());
                };
                let target = *target;
                self.each(shape, from, to, *length as usize, |transfer, from, to| {
                    transfer.value((*element, target), from, to)
                })
            }
        }
    }

    /// Moves a variant, or what is like one.
    fn case(
        &mut self,
        ty: (InterfaceType, InterfaceType),
        from: Place,
        to: Place,
        cases: usize,
        has_payload: impl FnOnce(usize) -> bool,
    ) -> Result<()> {
        let layout = self.from.cx.layout(ty.0)?;
        let (size, flat) = (layout.discriminant, layout.flat as usize);
        let case = self.get_word(from, size)?;
        if case as usize >= cases {
            return Err(no_case(case, cases as u32));
        }
        if let Place::Flat(slot) = to {
            // Another case may have more core values than this one.
            self.target.get_mut(slot..slot + flat).ok_or_else(unexpected)?.fill(0);
        }
        self.put_word(to, size, case)?;
        match has_payload(case as usize) {
            true => self.part(ty, from, to, case as usize),
            false => Ok(()),
        }
    }

    /// Moves a list of elements of a shape as `elements` does, which is told where they
    /// lie, where they go, and how many they are.
    fn list(
        &mut self,
        shape: Shape,
        from: Place,
        to: Place,
        elements: impl FnOnce(&mut Self, usize, usize, usize) -> Result<()>,
    ) -> Result<()> {
        let (source, length) = self.get_pair(from)?;
        let memory = &*self.store.split(self.from.options.memory).0;
        check_range(memory, source, length, shape, "list")?;
        let size = length * shape.size as usize;
        self.budget.take(1, size)?;
        let args = [0, 0, shape.align as usize, size];
        let target = realloc(self.store, &self.to.options, "list", args)?;
        elements(self, source, target, length)?;
        self.put_pair(to, target, length)
    }

    /// Moves values of a shape that lie behind each other, each as `value` does.
    fn each(
        &mut self,
        shape: Shape,
        from: Place,
        to: Place,
        length: usize,
        mut value: impl FnMut(&mut Self, Place, Place) -> Result<()>,
    ) -> Result<()> {
        for start in (0..length).step_by(VALUES_AT_ONCE) {
            let end = length.min(start + VALUES_AT_ONCE);
            self.store.pay(cost(shape, end - start))?;
            for index in start..end {
                value(self, from.element(shape, index), to.element(shape, index))?;
            }
        }
        Ok(())
    }

    /// Moves what comes out of a stream.
    pub(crate) fn streamed(
        &mut self,
        ty: (InterfaceType, InterfaceType),
        source: usize,
        target: usize,
        length: usize,
    ) -> Result<()> {
        let shape = self.from.cx.types.shape(ty.0);
        self.budget.take(length, shape.size as usize)?;
        self.elements(ty, shape, source, target, length)
    }

    /// Moves elements of a shape that lie in memory.
    fn elements(
        &mut self,
        ty: (InterfaceType, InterfaceType),
        shape: Shape,
        source: usize,
        target: usize,
        length: usize,
    ) -> Result<()> {
        let size = length * shape.size as usize;
        if shape.numbers {
            return self.copy(source, target, size);
        }
        match ty.0 {
            InterfaceType::Bool => {
                self.copy(source, target, size)?;
                let memory = self.store.split(self.to.options.memory).0;
                let bytes = memory.get_mut(target..target + size).ok_or_else(unexpected)?;
                bytes.iter_mut().for_each(|byte| *byte = (*byte != 0).into());
                Ok(())
            }
            InterfaceType::Char => {
                let memory = &*self.store.split(self.from.options.memory).0;
                let bytes = memory.get(source..source + size).ok_or_else(unexpected)?;
                for bytes in bytes.as_chunks().0 {
                    character(u32::from_le_bytes(*bytes))?;
                }
                self.copy(source, target, size)
            }
            _ => {
                let (from, to) = (Place::Memory(source), Place::Memory(target));
                self.each(shape, from, to, length, |transfer, from, to| {
                    transfer.value(ty, from, to)
                })
            }
        }
    }

    fn string(&mut self, from: Place, to: Place) -> Result<()> {
        let (source, length) = self.get_pair(from)?;
        let encoding = self.from.options.encoding;
        let header = Header::new(encoding, length);
        let size = header.size();
        let memory = &*self.store.split(self.from.options.memory).0;
        check_range(memory, source, header.length, header.shape(), "string")?;
        header.check_length()?;
        let bytes = memory.get(source..).and_then(|memory| memory.get(..size));
        let bytes = bytes.ok_or_else(unexpected)?;
        self.budget.take(size, 1)?;
        let stays = encoding == self.to.options.encoding && !header.is_wide_compact();
        let (target, length) = if stays {
            strings::validate(header.form, bytes)?;
            let args = [0, 0, header.shape().align as usize, size];
            let target = realloc(self.store, &self.to.options, "string", args)?;
            self.copy(source, target, size)?;
            (target, length)
        } else {
            self.store.pay(size as u64)?;
            let memory = self.from.options.memory;
            let bytes = Source::Guest { memory, address: source, size };
            strings::store(self.store, &self.to.options, header, bytes)?
        };
        self.put_pair(to, target, length)
    }

    /// Copies bytes from memory to memory.
    fn copy(&mut self, source: usize, target: usize, size: usize) -> Result<()> {
        let (Some(from), Some(to)) = (self.from.options.memory, self.to.options.memory) else {
            return Err(unexpected());
        };
        self.store.pay(size as u64)?;
        copy(self.store, (from, source), (to, target), size)
    }
}

/// What moving so many values of a shape costs that are not copied whole, in bytes.
pub(crate) fn cost(shape: Shape, count: usize) -> u64 {
    (count as u64).saturating_mul(COST_PER_VALUE + COST_PER_BYTE * u64::from(shape.size))
}

fn copy(
    store: &mut dyn AnyStore,
    (from, source): (Memory, usize),
    (to, target): (Memory, usize),
    size: usize,
) -> Result<()> {
    let outside = || Error::trap_msg("content out-of-bounds");
    match store.two(from, to) {
        Some((from, to)) => {
            let from = from.get(source..).and_then(|from| from.get(..size)).ok_or_else(outside)?;
            let to = to.get_mut(target..).and_then(|to| to.get_mut(..size)).ok_or_else(outside)?;
            to.copy_from_slice(from);
        }
        None => {
            let memory = store.split(Some(to)).0;
            if source.max(target).checked_add(size).is_none_or(|end| end > memory.len()) {
                return Err(outside());
            }
            memory.copy_within(source..source + size, target);
        }
    }
    Ok(())
}

/// Where the second of two numbers lies.
fn second(at: Place) -> Place {
    match at {
        Place::Flat(slot) => Place::Flat(slot + 1),
        Place::Memory(address) => Place::Memory(address + 4),
    }
}
