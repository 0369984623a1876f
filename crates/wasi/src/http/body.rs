//! The body of a message that a guest writes, on its way to a connection.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::BODY_BUFFER;
use super::fields::Fields;
use super::flow::Flow;
use crate::host::budget::{Budget, Share};

/// A body. The guest writes to one end, and a flow, once there is one, takes from
/// the other.
pub(crate) struct Outlet {
    inner: Mutex<Inner>,
    /// The length that the head says, if it does.
    length: Option<u64>,
    /// Whether there is a body for certain, be it of no bytes.
    promised: bool,
    flow: OnceLock<Weak<dyn Flow>>,
}

struct Inner {
    buffer: Vec<u8>,
    written: u64,
    end: End,
    _share: Share,
}

/// How a body stands behind what is in its buffer.
pub(crate) enum End {
    /// More may come.
    Open,
    /// Nothing comes but perhaps trailers.
    Finished(Option<Fields>),
    /// It will never be whole.
    Aborted,
    /// Nobody takes it any more.
    Gone,
}

/// That a body is not as long as was said. It is so long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongLength(pub u64);

impl Outlet {
    /// A body of which nothing is written; none if there is no room for it.
    pub(crate) fn new(budget: &Budget, length: Option<u64>) -> Option<Arc<Outlet>> {
        Outlet::make(budget, length, false)
    }

    /// The same for a message that has a body for certain.
    pub(crate) fn promised(budget: &Budget, length: Option<u64>) -> Option<Arc<Outlet>> {
        Outlet::make(budget, length, true)
    }

    fn make(budget: &Budget, length: Option<u64>, promised: bool) -> Option<Arc<Outlet>> {
        let share = budget.take(BODY_BUFFER)?;
        let inner = Inner { buffer: Vec::new(), written: 0, end: End::Open, _share: share };
        let (inner, flow) = (Mutex::new(inner), OnceLock::new());
        Some(Arc::new(Outlet { inner, length, promised, flow }))
    }

    /// Whether there is a body for certain.
    pub(super) fn is_promised(&self) -> bool {
        self.promised
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The length that the head says.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Says who takes the body.
    pub(super) fn connect(&self, flow: Weak<dyn Flow>) {
        let _ = self.flow.set(flow);
    }

    /// Who takes the body, if somebody does by now.
    pub(crate) fn flow(&self) -> Option<Arc<dyn Flow>> {
        self.flow.get().and_then(Weak::upgrade)
    }

    /// How much can be written at once; none if nobody takes it any more.
    pub(crate) fn room(&self) -> Option<usize> {
        let inner = self.lock();
        matches!(inner.end, End::Open).then(|| BODY_BUFFER - inner.buffer.len())
    }

    /// Writes bytes, no more than there is room for. What is more than was said is not
    /// taken.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), WrongLength> {
        let mut inner = self.lock();
        inner.written = inner.written.saturating_add(bytes.len() as u64);
        if self.length.is_some_and(|length| inner.written > length) {
            return Err(WrongLength(inner.written));
        }
        inner.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Says that the body is whole.
    pub(crate) fn finish(&self, trailers: Option<Fields>) -> Result<(), WrongLength> {
        let mut inner = self.lock();
        let good = self.length.is_none_or(|length| inner.written == length);
        if matches!(inner.end, End::Open) {
            inner.end = if good { End::Finished(trailers) } else { End::Aborted };
        }
        if good { Ok(()) } else { Err(WrongLength(inner.written)) }
    }

    /// Says that the body will not be whole, unless it is.
    pub(crate) fn abort(&self) {
        let mut inner = self.lock();
        if matches!(inner.end, End::Open) {
            inner.end = End::Aborted;
        }
    }

    /// Says that nobody takes the body any more.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.buffer = Vec::new();
        inner.end = End::Gone;
    }

    /// How many bytes there are to be taken, and how it stands behind them.
    pub(super) fn look<T>(&self, look: impl FnOnce(usize, &End) -> T) -> T {
        let inner = self.lock();
        look(inner.buffer.len(), &inner.end)
    }

    /// Takes what there is.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlet(length: Option<u64>) -> Arc<Outlet> {
        Outlet::new(&Budget::new(crate::http::BUDGET), length).unwrap()
    }

    #[test]
    fn a_body_is_as_long_as_was_said() {
        let body = outlet(Some(5));
        body.write(b"hel").unwrap();
        body.write(b"lo").unwrap();
        assert_eq!(body.finish(None), Ok(()));
        let long = outlet(Some(5));
        assert_eq!(long.write(b"hello!"), Err(WrongLength(6)));
        assert_eq!(long.finish(None), Err(WrongLength(6)));
        assert_eq!(long.take(), b"");
        let short = outlet(Some(5));
        short.write(b"hell").unwrap();
        assert_eq!(short.finish(None), Err(WrongLength(4)));
        assert!(short.look(|_, end| matches!(end, End::Aborted)));
    }

    #[test]
    fn room_comes_with_what_is_taken_and_goes_with_who_takes_it() {
        let body = outlet(None);
        assert_eq!(body.room(), Some(BODY_BUFFER));
        body.write(&[0; 1000]).unwrap();
        assert_eq!(body.room(), Some(BODY_BUFFER - 1000));
        assert_eq!(body.take().len(), 1000);
        assert_eq!(body.room(), Some(BODY_BUFFER));
        body.close();
        assert_eq!(body.room(), None);
        assert_eq!(body.finish(None), Ok(()));
        body.abort();
        assert!(body.look(|len, end| len == 0 && matches!(end, End::Gone)));
    }

    #[test]
    fn a_guest_has_only_so_many() {
        let budget = Budget::new(crate::http::BUDGET);
        let all: Vec<_> = std::iter::from_fn(|| Outlet::new(&budget, None)).take(100_000).collect();
        assert!(all.len() >= 100 && all.len() < 100_000);
    }
}
