//! Ends of streams and futures that the host has.
//!
//! An end is a name, as a handle is: one that was dropped or given away gives an error. To
//! read or write is to be asked again when the waker that was given is woken. A readable
//! end is given to a guest by lowering it, and taken by lifting it.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use zwasm::{AsContextMut, Error, Result};

use super::Key;
use super::pipe::{self, Begun, Buffer, HostSide, lift_end, lower_end};
use super::waitable::CopyResult;
use crate::abi::{AnyStore, mismatch};
use crate::state::Components;
use crate::types::{Defined, InterfaceType};
use crate::{ComponentType, Lift, LiftContext, Lower, LowerContext, Place, TypeContext};

/// The readable end of a stream or future, whatever comes out of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReaderAny {
    /// The number of the store's components.
    store: u64,
    pipe: Key,
}

impl ReaderAny {
    /// Drops the end: whoever writes is told.
    ///
    /// # Errors
    ///
    /// If it was dropped or given away before, or is of another store.
    pub fn close(self, mut store: impl AsContextMut) -> Result<()> {
        self.close_in(&mut store.as_context_mut())
    }

    /// The same in a store whose data is of any type.
    ///
    /// # Errors
    ///
    /// As [`ReaderAny::close`].
    pub fn close_in(self, store: &mut dyn AnyStore) -> Result<()> {
        close(store, self.store, self.pipe, true)
    }

    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<ReaderAny> {
        let index = u32::lift(cx, InterfaceType::U32, at)?;
        let pipe = lift_end(cx.state, cx.options.instance, index, cx.cx.types, ty)?;
        cx.state.give_to_host(pipe, true)?;
        Ok(ReaderAny { store: cx.state.id(), pipe })
    }

    fn lower(self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        let (types, instance) = (cx.cx.types, cx.options.instance);
        let state = cx.state();
        check(state, self.store, self.pipe, true)?;
        let index = lower_end(state, self.pipe, instance, types, ty)?;
        index.lower(cx, InterfaceType::U32, at)
    }
}

impl ComponentType for ReaderAny {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        match element(cx, ty) {
            Some(_) => Ok(()),
            None => Err(mismatch("stream` or `future", ty, cx)),
        }
    }
}

impl Lift for ReaderAny {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        ReaderAny::lift(cx, ty, at)
    }
}

impl Lower for ReaderAny {
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        ReaderAny::lower(*self, cx, ty, at)
    }
}

/// Whether a type is a future's, and of what.
fn element(cx: &TypeContext<'_>, ty: InterfaceType) -> Option<(bool, Option<InterfaceType>)> {
    match ty {
        InterfaceType::Defined(index) => match cx.types[index] {
            Defined::Stream(ty) => Some((false, ty)),
            Defined::Future(ty) => Some((true, ty)),
            _ => None,
        },
        _ => None,
    }
}

/// Checks that a type is that of a stream or of a future of values of a Rust type.
fn check_element<T: ComponentType>(
    cx: &TypeContext<'_>,
    ty: InterfaceType,
    is_future: bool,
) -> Result<()> {
    match element(cx, ty) {
        Some((found, of)) if found == is_future => match of {
            Some(of) => T::typecheck(of, cx),
            None if T::IS_UNIT => Ok(()),
            None => Err(Error::msg("type mismatch: expected values, found none")),
        },
        _ => Err(mismatch(if is_future { "future" } else { "stream" }, ty, cx)),
    }
}

/// Checks that the host has an end.
fn check(state: &mut Components, store: u64, pipe: Key, reads: bool) -> Result<()> {
    if store != state.id() {
        return Err(Error::msg("the stream or future is of another store"));
    }
    if !state.host_has(pipe, reads) {
        return Err(Error::msg("the end of the stream or future was dropped or given away"));
    }
    if state.is_pending(pipe, reads) {
        return Err(Error::msg("the end of the stream or future is in use"));
    }
    Ok(())
}

fn close(store: &mut dyn AnyStore, number: u64, pipe: Key, reads: bool) -> Result<()> {
    let state = store.state();
    if number != state.id() || !state.host_has(pipe, reads) {
        return check(state, number, pipe, reads);
    }
    state.forget_copy(pipe, reads);
    state.drop_side(pipe, reads)
}

/// Values that the host writes, or has room for.
struct Values<T> {
    values: VecDeque<T>,
    /// How many it reads; nothing if it writes.
    room: Option<usize>,
}

impl<T: Lift + Lower + 'static> HostSide for Values<T> {
    fn remaining(&self) -> usize {
        match self.room {
            Some(room) => room - self.values.len(),
            None => self.values.len(),
        }
    }

    fn lower(
        &mut self,
        cx: &mut LowerContext<'_>,
        element: Option<InterfaceType>,
        address: usize,
        count: usize,
    ) -> Result<()> {
        if let Some(element) = element {
            let values = self.values.make_contiguous();
            let values = values.get(..count).unwrap_or_default();
            T::lower_list(values, cx, element, address)?;
        }
        self.values.drain(..count.min(self.values.len()));
        Ok(())
    }

    fn lift(
        &mut self,
        cx: &mut LiftContext<'_>,
        element: Option<InterfaceType>,
        address: usize,
        count: usize,
    ) -> Result<()> {
        match element {
            Some(element) => self.values.extend(T::lift_list(cx, element, address, count)?),
            None => {
                for _ in 0..count {
                    // It is a type that stands for that there is no value.
                    self.values.push_back(T::lift(cx, InterfaceType::Bool, Place::Flat(0))?);
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Box<dyn Any> {
        let values: Vec<T> = self.values.drain(..count.min(self.values.len())).collect();
        Box::new(values)
    }

    fn put(&mut self, values: Box<dyn Any>) -> Result<()> {
        match values.downcast::<Vec<T>>() {
            Ok(values) => {
                self.values.extend(*values);
                Ok(())
            }
            Err(_) => Err(Error::msg("the stream or future is of another type at its other end")),
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Goes on with the copy at an end that the host has, or begins one.
fn poll_copy<T: Lift + Lower + 'static>(
    store: &mut dyn AnyStore,
    (number, pipe, reads): (u64, Key, bool),
    values: impl FnOnce() -> Values<T>,
    cx: &mut Context<'_>,
) -> Poll<Result<(Values<T>, CopyResult)>> {
    let state = store.state();
    if number != state.id() || !state.host_has(pipe, reads) {
        return Poll::Ready(Err(Error::msg(
            "the end of the stream or future was dropped or given away, or is of another store",
        )));
    }
    let (side, result) = match state.take_copied(pipe, reads) {
        Some(copied) => copied,
        None if state.is_pending(pipe, reads) => {
            state.set_waker(pipe, reads, cx.waker());
            return Poll::Pending;
        }
        None => match pipe::begin(store, pipe, reads, Buffer::Host(Box::new(values())))? {
            Begun::Done(result, Buffer::Host(side)) => (side, result),
            Begun::Done(_, Buffer::Guest(_)) => {
                return Poll::Ready(Err(Error::msg("the copy is a guest's")));
            }
            Begun::Waits => {
                store.state().set_waker(pipe, reads, cx.waker());
                return Poll::Pending;
            }
        },
    };
    Poll::Ready(match side.into_any().downcast::<Values<T>>() {
        Ok(values) => Ok((*values, result)),
        Err(_) => Err(Error::msg("the end was used with values of another type before")),
    })
}

macro_rules! readers {
    ($($(#[$doc:meta])* $name:ident $is_future:literal)*) => {$(
        $(#[$doc])*
        pub struct $name<T> {
            end: ReaderAny,
            values: PhantomData<fn() -> T>,
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $name<T> {}

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.end).finish()
            }
        }

        impl<T> $name<T> {
            fn of(end: ReaderAny) -> Self {
                Self { end, values: PhantomData }
            }

            /// The end without its type.
            pub fn any(self) -> ReaderAny {
                self.end
            }

            /// Drops the end: whoever writes is told.
            ///
            /// # Errors
            ///
            /// If it was dropped or given away before, or is of another store.
            pub fn close(self, store: impl AsContextMut) -> Result<()> {
                self.end.close(store)
            }
        }

        impl<T: ComponentType> ComponentType for $name<T> {
            fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
                check_element::<T>(cx, ty, $is_future)
            }
        }

        impl<T: ComponentType> Lift for $name<T> {
            fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
                ReaderAny::lift(cx, ty, at).map(Self::of)
            }
        }

        impl<T: ComponentType> Lower for $name<T> {
            fn lower(
                &self,
                cx: &mut LowerContext<'_>,
                ty: InterfaceType,
                at: Place,
            ) -> Result<()> {
                self.end.lower(cx, ty, at)
            }
        }
    )*};
}

readers! {
    /// The readable end of a stream.
    StreamReader false
    /// The readable end of a future.
    FutureReader true
}

macro_rules! writers {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        pub struct $name<T> {
            store: u64,
            pipe: Key,
            values: PhantomData<fn(T)>,
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $name<T> {}

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.pipe).finish()
            }
        }

        impl<T> $name<T> {
            /// Drops the end: whoever reads is told.
            ///
            /// # Errors
            ///
            /// If it was dropped before, or is of another store.
            pub fn close(self, mut store: impl AsContextMut) -> Result<()> {
                self.close_in(&mut store.as_context_mut())
            }

            /// The same in a store whose data is of any type.
            ///
            /// # Errors
            ///
            /// As `close`.
            pub fn close_in(self, store: &mut dyn AnyStore) -> Result<()> {
                close(store, self.store, self.pipe, false)
            }

            /// Whether the reader is gone, so that writing is in vain.
            ///
            /// # Errors
            ///
            /// If the end was dropped before, or is of another store.
            pub fn is_closed_in(&self, store: &mut dyn AnyStore) -> Result<bool> {
                let state = store.state();
                if self.store != state.id() || !state.host_has(self.pipe, false) {
                    check(state, self.store, self.pipe, false)?;
                }
                Ok(state.is_gone(self.pipe, true))
            }

            /// Waits until the reader is gone, while nothing is written.
            pub fn poll_closed_in(
                &self,
                store: &mut dyn AnyStore,
                cx: &mut Context<'_>,
            ) -> Poll<Result<()>> {
                match self.is_closed_in(store) {
                    Ok(false) => {
                        store.state().set_waker(self.pipe, false, cx.waker());
                        Poll::Pending
                    }
                    closed => Poll::Ready(closed.map(drop)),
                }
            }
        }
    )*};
}

writers! {
    /// The writable end of a stream.
    StreamWriter
    /// The writable end of a future.
    FutureWriter
}

impl<T: Lift + Lower + 'static> StreamReader<T> {
    /// Reads up to so many values, as soon as there are some, to the end of `into`. Tells
    /// whether there may be more. Once it was asked, it is to be asked until it is ready.
    pub fn poll_read(
        &self,
        mut store: impl AsContextMut,
        cx: &mut Context<'_>,
        into: &mut Vec<T>,
        most: usize,
    ) -> Poll<Result<bool>> {
        self.poll_read_in(&mut store.as_context_mut(), cx, into, most)
    }

    /// The same in a store whose data is of any type.
    pub fn poll_read_in(
        &self,
        store: &mut dyn AnyStore,
        cx: &mut Context<'_>,
        into: &mut Vec<T>,
        most: usize,
    ) -> Poll<Result<bool>> {
        let end = (self.end.store, self.end.pipe, true);
        let room = || Values { values: VecDeque::new(), room: Some(most) };
        poll_copy(store, end, room, cx).map_ok(|(values, result)| {
            into.extend(values.values);
            result != CopyResult::Dropped
        })
    }
}

impl<T: Lift + Lower + 'static> FutureReader<T> {
    /// Reads the value, as soon as it is there; nothing if there will be none. Once it was
    /// asked, it is to be asked until it is ready.
    pub fn poll_read(
        &self,
        mut store: impl AsContextMut,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<T>>> {
        self.poll_read_in(&mut store.as_context_mut(), cx)
    }

    /// The same in a store whose data is of any type.
    pub fn poll_read_in(
        &self,
        store: &mut dyn AnyStore,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<T>>> {
        let end = (self.end.store, self.end.pipe, true);
        let room = || Values { values: VecDeque::new(), room: Some(1) };
        let copied = poll_copy(store, end, room, cx);
        copied.map_ok(|(mut values, _)| values.values.pop_front())
    }
}

impl<T: Lift + Lower + 'static> StreamWriter<T> {
    /// Writes values, as many as the reader takes at once, which are taken out of `from`
    /// then. Tells whether there is a reader still. While it waits the values are not in
    /// `from`. Once it was asked, it is to be asked until it is ready.
    pub fn poll_write(
        &self,
        mut store: impl AsContextMut,
        cx: &mut Context<'_>,
        from: &mut VecDeque<T>,
    ) -> Poll<Result<bool>> {
        self.poll_write_in(&mut store.as_context_mut(), cx, from)
    }

    /// The same in a store whose data is of any type.
    pub fn poll_write_in(
        &self,
        store: &mut dyn AnyStore,
        cx: &mut Context<'_>,
        from: &mut VecDeque<T>,
    ) -> Poll<Result<bool>> {
        let end = (self.store, self.pipe, false);
        let values = || Values { values: std::mem::take(from), room: None };
        poll_copy(store, end, values, cx).map_ok(|(mut values, result)| {
            // What was not taken comes before what was added meanwhile.
            values.values.append(from);
            *from = values.values;
            result != CopyResult::Dropped
        })
    }
}

impl<T: Lift + Lower + 'static> FutureWriter<T> {
    /// Writes the value, which is taken out of `from`. Tells whether it was read; if not, it
    /// is in `from` again. Once it was asked, it is to be asked until it is ready.
    pub fn poll_write(
        &self,
        mut store: impl AsContextMut,
        cx: &mut Context<'_>,
        from: &mut Option<T>,
    ) -> Poll<Result<bool>> {
        self.poll_write_in(&mut store.as_context_mut(), cx, from)
    }

    /// The same in a store whose data is of any type.
    pub fn poll_write_in(
        &self,
        store: &mut dyn AnyStore,
        cx: &mut Context<'_>,
        from: &mut Option<T>,
    ) -> Poll<Result<bool>> {
        let end = (self.store, self.pipe, false);
        let value = || Values { values: from.take().into_iter().collect(), room: None };
        let copied = poll_copy(store, end, value, cx);
        copied.map_ok(|(mut values, result)| {
            *from = values.values.pop_front();
            result == CopyResult::Completed
        })
    }
}

fn new(store: &mut dyn AnyStore, is_future: bool) -> Result<(u64, Key)> {
    let state = store.state();
    let pipe = state.add_pipe(is_future)?;
    state.give_to_host(pipe, true)?;
    state.give_to_host(pipe, false)?;
    Ok((state.id(), pipe))
}

/// A stream, of which the host has both ends.
///
/// # Errors
///
/// If there are too many.
pub fn stream<T>(mut store: impl AsContextMut) -> Result<(StreamWriter<T>, StreamReader<T>)> {
    stream_in(&mut store.as_context_mut())
}

/// The same in a store whose data is of any type.
///
/// # Errors
///
/// As [`stream`].
pub fn stream_in<T>(store: &mut dyn AnyStore) -> Result<(StreamWriter<T>, StreamReader<T>)> {
    let (store, pipe) = new(store, false)?;
    let reader = StreamReader::of(ReaderAny { store, pipe });
    Ok((StreamWriter { store, pipe, values: PhantomData }, reader))
}

/// A future, of which the host has both ends.
///
/// # Errors
///
/// If there are too many.
pub fn future<T>(mut store: impl AsContextMut) -> Result<(FutureWriter<T>, FutureReader<T>)> {
    future_in(&mut store.as_context_mut())
}

/// The same in a store whose data is of any type.
///
/// # Errors
///
/// As [`future`].
pub fn future_in<T>(store: &mut dyn AnyStore) -> Result<(FutureWriter<T>, FutureReader<T>)> {
    let (store, pipe) = new(store, true)?;
    let reader = FutureReader::of(ReaderAny { store, pipe });
    Ok((FutureWriter { store, pipe, values: PhantomData }, reader))
}
