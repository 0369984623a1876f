//! Ends of pipes that the host has, of all types of elements.

use super::model::{Copied, Value};
use super::program::{Element, PIPES};
use std::collections::VecDeque;
use std::task::{Context, Poll};
use zwasm::{AsContextMut, Result};
use zwasm_component::{
    ComponentType, FutureReader, FutureWriter, Lift, Lower, Resource, StreamReader, StreamWriter,
    future, stream,
};

/// What represents resources that the host makes by itself begins here.
const OF_HOST: u32 = 1000;

/// What the host has resources of.
#[derive(Debug)]
pub struct Thing;

/// A readable end as functions get and give it.
#[derive(Clone, Copy, Debug, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum End {
    #[component(name = "nothing")]
    Nothing,
    #[component(name = "p0")]
    P0(StreamReader<()>),
    #[component(name = "p1")]
    P1(StreamReader<u8>),
    #[component(name = "p2")]
    P2(StreamReader<u32>),
    #[component(name = "p3")]
    P3(StreamReader<String>),
    #[component(name = "p4")]
    P4(FutureReader<()>),
    #[component(name = "p5")]
    P5(FutureReader<u8>),
    #[component(name = "p6")]
    P6(FutureReader<u32>),
    #[component(name = "p7")]
    P7(FutureReader<String>),
    #[component(name = "p8")]
    P8(StreamReader<Resource<Thing>>),
    #[component(name = "p9")]
    P9(FutureReader<Resource<Thing>>),
}

/// A writable end.
#[derive(Clone, Copy, Debug)]
pub enum Writer {
    P0(StreamWriter<()>),
    P1(StreamWriter<u8>),
    P2(StreamWriter<u32>),
    P3(StreamWriter<String>),
    P4(FutureWriter<()>),
    P5(FutureWriter<u8>),
    P6(FutureWriter<u32>),
    P7(FutureWriter<String>),
    P8(StreamWriter<Resource<Thing>>),
    P9(FutureWriter<Resource<Thing>>),
}

/// An element as a Rust type.
trait Item: Lift + Lower + Sized + 'static {
    fn of(value: &Value) -> Self;
    fn value(self) -> Value;
}

impl Item for () {
    fn of(_: &Value) {}
    fn value(self) -> Value {
        Value::Nothing
    }
}

impl Item for u8 {
    fn of(value: &Value) -> u8 {
        if let Value::U8(value) = value { *value } else { 0 }
    }
    fn value(self) -> Value {
        Value::U8(self)
    }
}

impl Item for u32 {
    fn of(value: &Value) -> u32 {
        if let Value::U32(value) = value { *value } else { 0 }
    }
    fn value(self) -> Value {
        Value::U32(self)
    }
}

impl Item for String {
    fn of(value: &Value) -> String {
        if let Value::String(value) = value { value.clone() } else { String::new() }
    }
    fn value(self) -> Value {
        Value::String(self)
    }
}

impl Item for Resource<Thing> {
    fn of(value: &Value) -> Self {
        Resource::new_own(if let Value::Own(rep) = value { *rep } else { 0 })
    }
    fn value(self) -> Value {
        Value::Own(self.rep())
    }
}

/// The element with a number that the host writes.
pub fn value(ty: usize, number: u32) -> Value {
    match PIPES[ty].element {
        Element::None => Value::Nothing,
        Element::U8 => Value::U8(number as u8 | 0x80),
        Element::U32 => Value::U32(number.wrapping_mul(0x0101_0203)),
        Element::String => Value::String(format!("h{number}")),
        Element::Own => Value::Own(OF_HOST + number),
    }
}

fn copied(ready: Poll<Result<(bool, Vec<Value>, usize)>>) -> Result<Copied> {
    Ok(match ready {
        Poll::Pending => Copied::Pending,
        Poll::Ready(ready) => {
            let (there, values, left) = ready?;
            Copied::Ready { there, values, left }
        }
    })
}

fn read_stream<T: Item>(
    store: impl AsContextMut,
    cx: &mut Context<'_>,
    end: StreamReader<T>,
    length: usize,
) -> Result<Copied> {
    let mut into: Vec<T> = Vec::new();
    let ready = end.poll_read(store, cx, &mut into, length);
    copied(ready.map_ok(|there| (there, into.into_iter().map(Item::value).collect(), 0)))
}

fn read_future<T: Item>(
    store: impl AsContextMut,
    cx: &mut Context<'_>,
    end: FutureReader<T>,
) -> Result<Copied> {
    let ready = end.poll_read(store, cx);
    copied(ready.map_ok(|value| {
        let values: Vec<Value> = value.into_iter().map(Item::value).collect();
        (!values.is_empty(), values, 0)
    }))
}

fn write_stream<T: Item>(
    store: impl AsContextMut,
    cx: &mut Context<'_>,
    end: StreamWriter<T>,
    values: &[Value],
) -> Result<Copied> {
    let mut from: VecDeque<T> = values.iter().map(Item::of).collect();
    let ready = end.poll_write(store, cx, &mut from);
    copied(ready.map_ok(|there| (there, Vec::new(), from.len())))
}

fn write_future<T: Item>(
    store: impl AsContextMut,
    cx: &mut Context<'_>,
    end: FutureWriter<T>,
    values: &[Value],
) -> Result<Copied> {
    let mut from: Option<T> = values.first().map(Item::of);
    let ready = end.poll_write(store, cx, &mut from);
    copied(ready.map_ok(|there| (there, Vec::new(), 0)))
}

impl End {
    /// Of which type of pipes it is, and one more.
    pub fn case(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::P0(_) => 1,
            Self::P1(_) => 2,
            Self::P2(_) => 3,
            Self::P3(_) => 4,
            Self::P4(_) => 5,
            Self::P5(_) => 6,
            Self::P6(_) => 7,
            Self::P7(_) => 8,
            Self::P8(_) => 9,
            Self::P9(_) => 10,
        }
    }

    /// Reads so many elements, or asks for what was begun.
    ///
    /// # Errors
    /// What the library says.
    pub fn read(
        self,
        store: impl AsContextMut,
        cx: &mut Context<'_>,
        length: usize,
    ) -> Result<Copied> {
        match self {
            Self::Nothing => Ok(Copied::Pending),
            Self::P0(end) => read_stream(store, cx, end, length),
            Self::P1(end) => read_stream(store, cx, end, length),
            Self::P2(end) => read_stream(store, cx, end, length),
            Self::P3(end) => read_stream(store, cx, end, length),
            Self::P4(end) => read_future(store, cx, end),
            Self::P5(end) => read_future(store, cx, end),
            Self::P6(end) => read_future(store, cx, end),
            Self::P7(end) => read_future(store, cx, end),
            Self::P8(end) => read_stream(store, cx, end, length),
            Self::P9(end) => read_future(store, cx, end),
        }
    }

    /// Drops the end.
    ///
    /// # Errors
    /// What the library says.
    pub fn close(self, store: impl AsContextMut) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::P0(end) => end.close(store),
            Self::P1(end) => end.close(store),
            Self::P2(end) => end.close(store),
            Self::P3(end) => end.close(store),
            Self::P4(end) => end.close(store),
            Self::P5(end) => end.close(store),
            Self::P6(end) => end.close(store),
            Self::P7(end) => end.close(store),
            Self::P8(end) => end.close(store),
            Self::P9(end) => end.close(store),
        }
    }
}

impl Writer {
    /// Writes elements, or asks for what was begun.
    ///
    /// # Errors
    /// What the library says.
    pub fn write(
        self,
        store: impl AsContextMut,
        cx: &mut Context<'_>,
        values: &[Value],
    ) -> Result<Copied> {
        match self {
            Self::P0(end) => write_stream(store, cx, end, values),
            Self::P1(end) => write_stream(store, cx, end, values),
            Self::P2(end) => write_stream(store, cx, end, values),
            Self::P3(end) => write_stream(store, cx, end, values),
            Self::P4(end) => write_future(store, cx, end, values),
            Self::P5(end) => write_future(store, cx, end, values),
            Self::P6(end) => write_future(store, cx, end, values),
            Self::P7(end) => write_future(store, cx, end, values),
            Self::P8(end) => write_stream(store, cx, end, values),
            Self::P9(end) => write_future(store, cx, end, values),
        }
    }

    /// Drops the end.
    ///
    /// # Errors
    /// What the library says.
    pub fn close(self, store: impl AsContextMut) -> Result<()> {
        match self {
            Self::P0(end) => end.close(store),
            Self::P1(end) => end.close(store),
            Self::P2(end) => end.close(store),
            Self::P3(end) => end.close(store),
            Self::P4(end) => end.close(store),
            Self::P5(end) => end.close(store),
            Self::P6(end) => end.close(store),
            Self::P7(end) => end.close(store),
            Self::P8(end) => end.close(store),
            Self::P9(end) => end.close(store),
        }
    }
}

/// A pipe of a type, both ends of which the host has.
///
/// # Errors
/// What the library says.
pub fn pipe(store: impl AsContextMut, ty: usize) -> Result<(Writer, End)> {
    Ok(match ty {
        0 => stream(store).map(|(writer, reader)| (Writer::P0(writer), End::P0(reader)))?,
        1 => stream(store).map(|(writer, reader)| (Writer::P1(writer), End::P1(reader)))?,
        2 => stream(store).map(|(writer, reader)| (Writer::P2(writer), End::P2(reader)))?,
        3 => stream(store).map(|(writer, reader)| (Writer::P3(writer), End::P3(reader)))?,
        4 => future(store).map(|(writer, reader)| (Writer::P4(writer), End::P4(reader)))?,
        5 => future(store).map(|(writer, reader)| (Writer::P5(writer), End::P5(reader)))?,
        6 => future(store).map(|(writer, reader)| (Writer::P6(writer), End::P6(reader)))?,
        7 => future(store).map(|(writer, reader)| (Writer::P7(writer), End::P7(reader)))?,
        8 => stream(store).map(|(writer, reader)| (Writer::P8(writer), End::P8(reader)))?,
        _ => future(store).map(|(writer, reader)| (Writer::P9(writer), End::P9(reader)))?,
    })
}
