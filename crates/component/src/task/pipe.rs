//! Streams and futures: a pipe with a readable and a writable end.
//!
//! The side that comes first leaves its buffer in the pipe and waits. The other side then
//! copies at once, as much as both have room for, and is done; the one that waits is told
//! when its event is delivered, and until then more may be copied into or out of its
//! buffer. A copy without elements (of length zero) tells that the other side is there: a
//! read completes no write of length zero, but is completed by the next write, so that two
//! sides that both only ask do not keep each other busy.
//!
//! A future is a pipe through which one value goes. The ends of a pipe are guests' or the
//! host's; guests' are waitables.
//!
//! Specification: Canonical ABI, "Stream State", "Future State", `canon stream.new` and
//! what follows.

use std::any::Any;
use std::sync::Arc;
use std::task::Waker;

use zwasm::{Error, Result};

use super::waitable::{CopyResult, Event, Item, Kind, Waitable, wrong};
use super::{Key, lost};
use crate::ResourceType;
use crate::abi::{AnyStore, LiftContext, LowerContext, Side, Transfer, TypeContext, cost};
use crate::state::{Components, Options, RuntimeInstance};
use crate::tuning::{COST_PER_VALUE, MAX_HANDLES};
use crate::types::{Defined, InterfaceType, TypeIndex, Types};

/// The most elements of one copy.
const MAX_LENGTH: u32 = (1 << 28) - 1;

/// What a guest gets for a copy that is under way.
pub(super) const BLOCKED: u32 = u32::MAX;

/// A guest's end of a pipe.
pub(crate) struct End {
    pub(super) pipe: Key,
    reads: bool,
    state: CopyState,
    /// The address of the table that the type of the stream or future is in, as the guest
    /// knows it.
    types: usize,
    ty: TypeIndex,
    /// How many elements the copy has moved whose event is not delivered.
    progress: u32,
}

#[cfg(test)]
impl End {
    /// An end of no pipe that is there.
    pub(super) fn idle() -> End {
        let pipe = Key::from_bits(0);
        let (types, ty) = (0, TypeIndex(0));
        End { pipe, reads: true, state: CopyState::Idle, types, ty, progress: 0 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum CopyState {
    Idle,
    Copying {
        waits: bool,
    },
    Cancelling,
    /// Nothing more will come or go.
    Done,
}

/// A stream or a future.
pub(crate) struct Pipe {
    is_future: bool,
    /// Whose the readable and the writable end are.
    ends: [Owner; 2],
    /// The side that waits for the other.
    pending: Option<Pending>,
    /// Whether an end was dropped.
    dropped: bool,
    /// What the host's sides have copied and nobody has looked at.
    copied: [Option<(Box<dyn HostSide>, CopyResult)>; 2],
}

/// Whose an end is.
#[derive(Clone, Debug)]
enum Owner {
    /// A guest's: a waitable.
    Guest(Key),
    /// The host's, and who is told when something has happened.
    Host(Option<Waker>),
    /// It is between two owners.
    Moving,
    Gone,
}

struct Pending {
    reads: bool,
    buffer: Buffer,
}

/// Where values come from or go to.
pub(super) enum Buffer {
    Guest(GuestBuffer),
    Host(Box<dyn HostSide>),
}

/// Elements in a guest's memory.
pub(super) struct GuestBuffer {
    types: Arc<Types>,
    resources: Arc<[ResourceType]>,
    element: Option<InterfaceType>,
    options: Options,
    address: usize,
    length: u32,
    progress: u32,
}

/// Elements that the host gives or has room for.
pub(crate) trait HostSide: Send + Sync {
    /// How many more it has, or has room for.
    fn remaining(&self) -> usize;
    /// Writes the first of them into a guest's memory.
    fn lower(
        &mut self,
        cx: &mut LowerContext<'_>,
        element: Option<InterfaceType>,
        address: usize,
        count: usize,
    ) -> Result<()>;
    /// Reads more from a guest's memory.
    fn lift(
        &mut self,
        cx: &mut LiftContext<'_>,
        element: Option<InterfaceType>,
        address: usize,
        count: usize,
    ) -> Result<()>;
    /// Takes the first of them for another side of the host.
    fn take(&mut self, count: usize) -> Box<dyn Any>;
    /// Gets what another side of the host took.
    fn put(&mut self, values: Box<dyn Any>) -> Result<()>;
    /// What it is.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl Buffer {
    fn remaining(&self) -> u32 {
        match self {
            Buffer::Guest(buffer) => buffer.length - buffer.progress,
            Buffer::Host(side) => side.remaining().min(MAX_LENGTH as usize) as u32,
        }
    }

    /// Whether it is not at its end: one without elements is not before it is told.
    fn may_go_on(&self) -> bool {
        self.remaining() > 0 || self.is_empty()
    }

    fn is_empty(&self) -> bool {
        match self {
            Buffer::Guest(buffer) => buffer.length == 0,
            Buffer::Host(_) => false,
        }
    }

    fn progress(&self) -> u32 {
        match self {
            Buffer::Guest(buffer) => buffer.progress,
            Buffer::Host(_) => 0,
        }
    }
}

impl GuestBuffer {
    fn cx(&self) -> TypeContext<'_> {
        TypeContext { types: &self.types, resources: &self.resources }
    }

    /// Where the next element lies.
    fn at(&self) -> usize {
        let size = self.element.map_or(0, |ty| self.types.shape(ty).size);
        self.address + self.progress as usize * size as usize
    }

    /// What it costs to move so many elements to or from the host, in bytes.
    fn cost(&self, count: u32) -> u64 {
        let Some(element) = self.element else { return COST_PER_VALUE };
        let shape = self.types.shape(element);
        match shape.numbers {
            true => COST_PER_VALUE + u64::from(count) * u64::from(shape.size),
            false => cost(shape, count as usize),
        }
    }

    /// What moves within one instance: numbers, whose lifting and lowering nobody sees.
    fn is_number(&self) -> bool {
        use InterfaceType as T;
        match self.element {
            None => true,
            Some(
                T::S8
                | T::U8
                | T::S16
                | T::U16
                | T::S32
                | T::U32
                | T::S64
                | T::U64
                | T::F32
                | T::F64,
            ) => true,
            Some(
                T::Bool
                | T::Char
                | T::String
                | T::Own(_)
                | T::Borrow(_)
                | T::ErrorContext
                | T::Defined(_),
            ) => false,
        }
    }
}

/// Moves elements from one buffer to the other.
fn copy(store: &mut dyn AnyStore, from: &mut Buffer, to: &mut Buffer, count: u32) -> Result<()> {
    match (from, to) {
        (Buffer::Guest(from), Buffer::Guest(to)) => {
            if let (Some(given), Some(taken)) = (from.element, to.element) {
                let (source, target) = (from.at(), to.at());
                let sides = [from as &GuestBuffer, to]
                    .map(|side| Side { cx: side.cx(), options: side.options });
                let mut transfer = Transfer::new(store, (sides[0], &[]), (sides[1], &mut []));
                transfer.streamed((given, taken), source, target, count as usize)?;
            }
            from.progress += count;
            to.progress += count;
        }
        (Buffer::Host(from), Buffer::Guest(to)) => {
            store.pay(to.cost(count))?;
            let cx = TypeContext { types: &to.types, resources: &to.resources };
            store.unsuspendable(&mut |store| {
                let mut cx = LowerContext { cx, options: to.options, slots: &mut [], store };
                from.lower(&mut cx, to.element, to.at(), count as usize)
            })?;
            to.progress += count;
        }
        (Buffer::Guest(from), Buffer::Host(to)) => {
            store.pay(from.cost(count))?;
            let memory = store.split(from.options.memory);
            let mut cx = LiftContext::new(from.cx(), from.options, &[], memory);
            to.lift(&mut cx, from.element, from.at(), count as usize)?;
            from.progress += count;
        }
        (Buffer::Host(from), Buffer::Host(to)) => {
            // What the values are is not known here.
            store.pay(COST_PER_VALUE + u64::from(count))?;
            to.put(from.take(count as usize))?;
        }
    }
    Ok(())
}

/// How a copy begins.
pub(super) enum Begun {
    Done(CopyResult, Buffer),
    Waits,
}

/// Begins a copy at one end of a pipe.
pub(super) fn begin(
    store: &mut dyn AnyStore,
    key: Key,
    reads: bool,
    mut buffer: Buffer,
) -> Result<Begun> {
    let pipe = store.state().pipe(key)?;
    if pipe.dropped {
        return Ok(Begun::Done(CopyResult::Dropped, buffer));
    }
    let Some(mut pending) = pipe.pending.take() else {
        pipe.pending = Some(Pending { reads, buffer });
        return Ok(Begun::Waits);
    };
    let is_future = pipe.is_future;
    if let (Buffer::Guest(one), Buffer::Guest(other)) = (&buffer, &pending.buffer)
        && one.options.instance == other.options.instance
        && !one.is_number()
    {
        let what = name(is_future);
        return Err(Error::trap_msg(format_args!(
            "cannot read from and write to intra-component {what}"
        )));
    }
    let there = pending.buffer.remaining();
    let count = there.min(buffer.remaining());
    if there > 0 {
        if count > 0 {
            let (from, to) = match reads {
                true => (&mut pending.buffer, &mut buffer),
                false => (&mut buffer, &mut pending.buffer),
            };
            if let Err(error) = copy(store, from, to, count) {
                // It may be that the fuel is used up, and whoever has the other end goes on.
                store.state().pipe(key)?.pending = Some(pending);
                return Err(error);
            }
            let ended = is_future || matches!(pending.buffer, Buffer::Host(_));
            store.state().notify(key, pending, CopyResult::Completed, !ended)?;
        } else {
            store.state().pipe(key)?.pending = Some(pending);
        }
        return Ok(Begun::Done(CopyResult::Completed, buffer));
    }
    if !reads && buffer.is_empty() && pending.buffer.is_empty() {
        store.state().pipe(key)?.pending = Some(pending);
        return Ok(Begun::Done(CopyResult::Completed, buffer));
    }
    let state = store.state();
    state.notify(key, pending, CopyResult::Completed, false)?;
    state.pipe(key)?.pending = Some(Pending { reads, buffer });
    Ok(Begun::Waits)
}

/// What tells tables of types apart: they live as long as the instances that use them.
fn address(types: &Types) -> usize {
    std::ptr::from_ref(types) as usize
}

fn name(is_future: bool) -> &'static str {
    if is_future { "future" } else { "stream" }
}

impl Components {
    fn pipe(&mut self, key: Key) -> Result<&mut Pipe> {
        self.tasks.pipes.get_mut(key).ok_or_else(|| lost("the stream or future"))
    }

    fn end(&mut self, waitable: Key) -> Result<&mut End> {
        match self.tasks.waitables.get_mut(waitable).map(|waitable| &mut waitable.kind) {
            Some(Kind::End(end)) => Ok(end),
            Some(Kind::Subtask(_)) | None => Err(lost("the end")),
        }
    }

    /// Tells the side that waits. Its buffer goes on being there until the event is
    /// delivered if it `stays`.
    fn notify(
        &mut self,
        key: Key,
        pending: Pending,
        result: CopyResult,
        stays: bool,
    ) -> Result<()> {
        let pipe = self.pipe(key)?;
        let side = usize::from(!pending.reads);
        match &mut pipe.ends[side] {
            Owner::Guest(waitable) => {
                let waitable = *waitable;
                let progress = pending.buffer.progress();
                if stays {
                    pipe.pending = Some(pending);
                }
                self.end(waitable)?.progress = progress;
                self.tasks.set_event(waitable, Event::Copied(result));
            }
            Owner::Host(waker) => {
                let waker = waker.take();
                if let Buffer::Host(buffer) = pending.buffer {
                    pipe.copied[side] = Some((buffer, result));
                }
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Owner::Moving | Owner::Gone => {}
        }
        Ok(())
    }

    /// A copy's event is delivered: the code of the event and how it went.
    pub(super) fn finish_copy(&mut self, key: Key, result: CopyResult) -> Result<(u32, u32)> {
        let &mut End { pipe, reads, .. } = self.end(key)?;
        let found = self.pipe(pipe)?;
        let is_future = found.is_future;
        let mut progress = None;
        if found.pending.as_ref().is_some_and(|pending| pending.reads == reads) {
            progress = found.pending.take().map(|pending| pending.buffer.progress());
        }
        let end = self.end(key)?;
        let progress = progress.unwrap_or(end.progress);
        end.progress = 0;
        let done = match result {
            CopyResult::Dropped => true,
            CopyResult::Completed => is_future,
            CopyResult::Cancelled => false,
        };
        end.state = if done { CopyState::Done } else { CopyState::Idle };
        let code = 2 + 2 * u32::from(is_future) + u32::from(!reads);
        let payload = match is_future {
            true => result as u32,
            false => result as u32 | progress << 4,
        };
        Ok((code, payload))
    }

    /// A new pipe, with both ends of a guest: the numbers of their handles.
    pub(super) fn new_pipe(
        &mut self,
        instance: RuntimeInstance,
        types: &Arc<Types>,
        ty: TypeIndex,
    ) -> Result<(u32, u32)> {
        let pipe = self.add_pipe(matches!(types[ty], Defined::Future(_)))?;
        let reader = self.lower_end_of(pipe, true, instance, types, ty)?;
        let writer = self.lower_end_of(pipe, false, instance, types, ty)?;
        Ok((reader, writer))
    }

    pub(super) fn add_pipe(&mut self, is_future: bool) -> Result<Key> {
        if self.tasks.pipes.len() >= MAX_HANDLES {
            return Err(Error::limit(format_args!("more than {MAX_HANDLES} streams and futures")));
        }
        let ends = [Owner::Moving, Owner::Moving];
        Ok(self.tasks.pipes.insert(Pipe {
            is_future,
            ends,
            pending: None,
            dropped: false,
            copied: [None, None],
        }))
    }

    /// Gives an end to the host.
    pub(super) fn give_to_host(&mut self, pipe: Key, reads: bool) -> Result<()> {
        self.pipe(pipe)?.ends[usize::from(!reads)] = Owner::Host(None);
        Ok(())
    }

    /// Whether the host has an end.
    pub(super) fn host_has(&mut self, pipe: Key, reads: bool) -> bool {
        let end = self.pipe(pipe).ok().map(|pipe| &pipe.ends[usize::from(!reads)]);
        matches!(end, Some(Owner::Host(_)))
    }

    /// Whether nobody has an end any more.
    pub(super) fn is_gone(&mut self, pipe: Key, reads: bool) -> bool {
        let end = self.pipe(pipe).ok().map(|pipe| &pipe.ends[usize::from(!reads)]);
        matches!(end, None | Some(Owner::Gone))
    }

    /// The host's copy at an end is not wanted any more.
    pub(super) fn forget_copy(&mut self, pipe: Key, reads: bool) {
        if let Ok(pipe) = self.pipe(pipe) {
            pipe.pending.take_if(|pending| pending.reads == reads);
            pipe.copied[usize::from(!reads)] = None;
        }
    }

    /// Who is told when the host's copy is done.
    pub(super) fn set_waker(&mut self, pipe: Key, reads: bool, waker: &Waker) {
        if let Ok(pipe) = self.pipe(pipe)
            && let Owner::Host(place) = &mut pipe.ends[usize::from(!reads)]
        {
            *place = Some(waker.clone());
        }
    }

    /// Takes the host's side back, if it waits, and what it has copied.
    pub(super) fn take_copied(
        &mut self,
        pipe: Key,
        reads: bool,
    ) -> Option<(Box<dyn HostSide>, CopyResult)> {
        self.pipe(pipe).ok()?.copied[usize::from(!reads)].take()
    }

    /// Whether a side waits.
    pub(super) fn is_pending(&mut self, pipe: Key, reads: bool) -> bool {
        let found = self.pipe(pipe).ok().and_then(|pipe| pipe.pending.as_ref());
        found.is_some_and(|pending| pending.reads == reads)
    }

    fn lower_end_of(
        &mut self,
        pipe: Key,
        reads: bool,
        instance: RuntimeInstance,
        types: &Types,
        ty: TypeIndex,
    ) -> Result<u32> {
        let types = address(types);
        let end = End { pipe, reads, state: CopyState::Idle, types, ty, progress: 0 };
        let waitable = self.tasks.waitables.insert(Waitable {
            kind: Kind::End(end),
            instance,
            handle: 0,
            event: None,
            set: None,
            number: 0,
            waiter: None,
        });
        match self.insert_item(instance, Item::Waitable(waitable)) {
            Ok(handle) => {
                if let Some(found) = self.tasks.waitables.get_mut(waitable) {
                    found.handle = handle;
                }
                self.pipe(pipe)?.ends[usize::from(!reads)] = Owner::Guest(waitable);
                Ok(handle)
            }
            Err(error) => {
                self.tasks.waitables.remove(waitable);
                Err(error)
            }
        }
    }

    /// The end that an instance has under a handle.
    fn end_at(
        &mut self,
        instance: RuntimeInstance,
        index: u32,
        types: &Arc<Types>,
        ty: TypeIndex,
        reads: bool,
    ) -> Result<Key> {
        let expected = || {
            let side = if reads { "readable" } else { "writable" };
            format!("the {side} end of a {}", name(matches!(types[ty], Defined::Future(_))))
        };
        let Item::Waitable(key) = self.item(instance, index)? else {
            return Err(wrong(index, &expected()));
        };
        match self.tasks.waitables.get(key).map(|waitable| &waitable.kind) {
            Some(Kind::End(end))
                if end.reads == reads && end.types == address(types) && end.ty == ty =>
            {
                Ok(key)
            }
            _ => Err(wrong(index, &expected())),
        }
    }

    /// Drops an end that an instance has.
    pub(super) fn drop_end(
        &mut self,
        instance: RuntimeInstance,
        index: u32,
        (types, ty): (&Arc<Types>, TypeIndex),
        reads: bool,
    ) -> Result<()> {
        let key = self.end_at(instance, index, types, ty, reads)?;
        let &mut End { pipe, state, .. } = self.end(key)?;
        let is_future = self.pipe(pipe)?.is_future;
        let what = name(is_future);
        match state {
            CopyState::Copying { .. } | CopyState::Cancelling => {
                let verb = if reads { "remove" } else { "drop" };
                return Err(Error::trap_msg(format_args!("cannot {verb} busy {what}")));
            }
            CopyState::Idle if is_future && !reads => {
                return Err(Error::trap_msg(
                    "cannot drop future write end without first writing a value",
                ));
            }
            CopyState::Idle | CopyState::Done => {}
        }
        self.remove_item(instance, index)?;
        self.tasks.join(key, None);
        self.tasks.waitables.remove(key);
        self.drop_side(pipe, reads)
    }

    /// One end of a pipe is there no more.
    pub(super) fn drop_side(&mut self, key: Key, reads: bool) -> Result<()> {
        let pipe = self.pipe(key)?;
        pipe.ends[usize::from(!reads)] = Owner::Gone;
        let gone = pipe.ends.iter().all(|end| matches!(end, Owner::Gone));
        if !std::mem::replace(&mut pipe.dropped, true) {
            match (pipe.pending.take(), &mut pipe.ends[usize::from(reads)]) {
                (Some(pending), _) => self.notify(key, pending, CopyResult::Dropped, false)?,
                // It copies nothing now, but may want to know.
                (None, Owner::Host(waker)) => {
                    if let Some(waker) = waker.take() {
                        waker.wake();
                    }
                }
                (None, Owner::Guest(_) | Owner::Moving | Owner::Gone) => {}
            }
        }
        if gone {
            self.tasks.pipes.remove(key);
        }
        Ok(())
    }

    /// Checks that a copy may begin at an end.
    fn check_idle(&mut self, key: Key) -> Result<()> {
        let &mut End { pipe, reads, state, .. } = self.end(key)?;
        let is_future = self.pipe(pipe)?.is_future;
        Err(Error::trap_msg(match (state, is_future, reads) {
            (CopyState::Idle, ..) => return Ok(()),
            (CopyState::Done, false, true) => {
                "cannot read from stream after being notified that the writable end dropped"
            }
            (CopyState::Done, false, false) => {
                "cannot write to stream after being notified that the readable end dropped"
            }
            (CopyState::Done, true, true) => {
                "cannot read from future after previous read succeeded"
            }
            (CopyState::Done, true, false) => {
                "cannot write to future after previous write succeeded or readable end dropped"
            }
            (CopyState::Copying { .. } | CopyState::Cancelling, ..) => {
                "cannot have concurrent operations active on a future/stream"
            }
        }))
    }
}

/// What a guest copies at an end.
pub(super) struct Request<'a> {
    pub(super) types: &'a Arc<Types>,
    pub(super) resources: &'a Arc<[ResourceType]>,
    pub(super) ty: TypeIndex,
    pub(super) options: Options,
    pub(super) asynchronous: bool,
    pub(super) reads: bool,
}

/// `stream.read`, `stream.write` and the same of futures, which have no `length`.
pub(super) fn guest_copy(
    store: &mut dyn AnyStore,
    request: &Request<'_>,
    index: u32,
    address: u32,
    length: Option<u32>,
) -> Result<u32> {
    let &Request { types, resources, ty, options, asynchronous, reads } = request;
    let instance = options.instance;
    let state = store.state();
    let thread = match asynchronous {
        true => None,
        false => Some(state.check_block(instance)?),
    };
    let key = state.end_at(instance, index, types, ty, reads)?;
    state.check_idle(key)?;
    if thread.is_some() {
        state.check_alone(key)?;
    }
    let (Defined::Stream(element) | Defined::Future(element)) = types[ty] else {
        return Err(lost("the type"));
    };
    let length = length.unwrap_or(1);
    let address = address as usize;
    if length > MAX_LENGTH {
        return Err(Error::trap_msg(format_args!("stream read/write count too large: {length}")));
    }
    if let Some(element) = element
        && length > 0
    {
        let memory = store.split(options.memory).0;
        let shape = types.shape(element);
        crate::abi::check_range(memory, address, length as usize, shape, "buffer")?;
    }
    let buffer = Buffer::Guest(GuestBuffer {
        types: types.clone(),
        resources: resources.clone(),
        element,
        options,
        address,
        length,
        progress: 0,
    });
    let pipe = store.state().end(key)?.pipe;
    match begin(store, pipe, reads, buffer)? {
        Begun::Done(result, buffer) => {
            let state = store.state();
            state.end(key)?.progress = buffer.progress();
            Ok(state.finish_copy(key, result)?.1)
        }
        Begun::Waits => {
            let state = store.state();
            state.end(key)?.state = CopyState::Copying { waits: thread.is_some() };
            match thread {
                None => Ok(BLOCKED),
                Some(thread) => {
                    super::run::wait_for(store, thread, key)?;
                    let [.., payload] = store.state().deliver(key)?;
                    Ok(payload)
                }
            }
        }
    }
}

/// `stream.cancel-read` and its like. As buffers are given back at once, it never waits.
pub(super) fn guest_cancel(
    store: &mut dyn AnyStore,
    request: &Request<'_>,
    index: u32,
) -> Result<u32> {
    let &Request { types, ty, options, asynchronous, reads, .. } = request;
    let instance = options.instance;
    let state = store.state();
    if !asynchronous {
        state.check_block(instance)?;
    }
    let key = state.end_at(instance, index, types, ty, reads)?;
    if !asynchronous {
        state.check_alone(key)?;
    }
    if state.end(key)?.state != (CopyState::Copying { waits: false }) {
        return Err(Error::trap_msg("there is no copy under way that could be cancelled"));
    }
    state.end(key)?.state = CopyState::Cancelling;
    // A copy that has got somewhere but not to its end is cancelled as well.
    let pipe = state.end(key)?.pipe;
    let mine = |pending: &mut Pending| pending.reads == reads && pending.buffer.may_go_on();
    if let Some(pending) = state.pipe(pipe)?.pending.take_if(mine) {
        state.notify(pipe, pending, CopyResult::Cancelled, false)?;
    }
    let [.., payload] = state.deliver(key)?;
    Ok(payload)
}

/// Takes the readable end that an instance has under a handle.
///
/// # Errors
///
/// If there is none, or it is in use.
pub(crate) fn lift_end(
    state: &mut Components,
    instance: RuntimeInstance,
    index: u32,
    types: &Types,
    ty: InterfaceType,
) -> Result<Key> {
    let InterfaceType::Defined(ty) = ty else { return Err(lost("the type")) };
    let is_future = matches!(types[ty], Defined::Future(_));
    let what = name(is_future);
    let expected = || wrong(index, &format!("the readable end of a {what}"));
    let Item::Waitable(key) = state.item(instance, index)? else { return Err(expected()) };
    let Some(waitable) = state.tasks.waitables.get(key) else { return Err(expected()) };
    let Kind::End(end) = &waitable.kind else { return Err(expected()) };
    if !end.reads || end.types != address(types) || end.ty != ty {
        return Err(expected());
    }
    let (pipe, in_set) = (end.pipe, waitable.set.is_some());
    match end.state {
        CopyState::Idle => {}
        CopyState::Done => {
            let why = match is_future {
                true => "previous read succeeded",
                false => "being notified that the writable end dropped",
            };
            return Err(Error::trap_msg(format_args!("cannot lift {what} after {why}")));
        }
        CopyState::Copying { .. } | CopyState::Cancelling => {
            return Err(Error::trap_msg(format_args!("cannot remove busy {what}")));
        }
    }
    if in_set {
        return Err(Error::trap_msg(format_args!(
            "cannot lift {what} while it's in a waitable set"
        )));
    }
    state.remove_item(instance, index)?;
    state.tasks.waitables.remove(key);
    state.pipe(pipe)?.ends[0] = Owner::Moving;
    Ok(pipe)
}

/// Gives a readable end to an instance: its handle.
///
/// # Errors
///
/// If there are too many handles.
pub(crate) fn lower_end(
    state: &mut Components,
    pipe: Key,
    instance: RuntimeInstance,
    types: &Types,
    ty: InterfaceType,
) -> Result<u32> {
    let InterfaceType::Defined(ty) = ty else { return Err(lost("the type")) };
    state.lower_end_of(pipe, true, instance, types, ty)
}
