//! Listing directories.
//!
//! A stream of entries remembers where it is and reads ahead a little; where it is
//! means the same for all streams of a directory, so that they do not disturb each
//! other. What it holds is bounded, however large the directory.

use std::collections::VecDeque;
use std::sync::Arc;

use zwasm_component::Resource;

use super::types::{DirectoryEntry, ErrorCode};
use super::{Descriptor, find, place};
use crate::ctx::State;
use crate::host;
use crate::host::fs::dir::Dir;
use crate::host::fs::room::Place;
use crate::p2::WasiCtxView;
use crate::p2::table::{Answer, Failed};

/// How many entries are read ahead: what they take, a guest can have taken as often as it
/// can open something.
const AHEAD: usize = 16;

/// What those take, as the host counts it, if their names are no longer than most.
const AHEAD_BYTES: usize = 1024;

/// The names in a directory, one after the other.
pub(crate) struct DirectoryEntryStream {
    dir: Arc<Dir>,
    /// Where the first entry is that was not read.
    next: u64,
    /// Entries that were, and names that are no text.
    ahead: VecDeque<Result<DirectoryEntry, ErrorCode>>,
    ended: bool,
    /// Its place among what is open.
    _place: Place,
}

impl DirectoryEntryStream {
    /// The names in a directory, from the first on.
    pub(crate) fn open(state: &State, dir: Arc<Dir>) -> Answer<DirectoryEntryStream, ErrorCode> {
        let (ahead, _place) = (VecDeque::new(), place(state)?);
        let mut stream = DirectoryEntryStream { dir, next: 0, ahead, ended: false, _place };
        stream.read_ahead(state)?;
        Ok(stream)
    }

    /// The next name, if there is one.
    pub(crate) fn next(&mut self, state: &State) -> Answer<Option<DirectoryEntry>, ErrorCode> {
        if self.ahead.is_empty() && !self.ended {
            self.read_ahead(state)?;
        }
        self.ahead.pop_front().transpose().map_err(Failed::With)
    }

    fn read_ahead(&mut self, state: &State) -> host::Result {
        let DirectoryEntryStream { dir, next, ahead, ended, .. } = self;
        *ended = true;
        dir.read_dir(&state.host, *next, AHEAD_BYTES, &mut |entry| {
            *next = entry.next;
            if !matches!(entry.name, b"." | b"..") {
                ahead.push_back(match std::str::from_utf8(entry.name) {
                    Ok(name) => Ok(DirectoryEntry { kind: entry.kind.into(), name: name.into() }),
                    Err(_) => Err(ErrorCode::IllegalByteSequence),
                });
            }
            *ended = ahead.len() < AHEAD;
            *ended
        })
    }
}

pub(crate) fn read_directory(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
) -> Answer<Resource<DirectoryEntryStream>, ErrorCode> {
    let dir = find(cx, &this)?.dir()?.clone();
    let stream = DirectoryEntryStream::open(&cx.ctx.0, dir)?;
    Ok(cx.push(stream)?)
}

pub(crate) fn read_directory_entry(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<DirectoryEntryStream>,
) -> Answer<Option<DirectoryEntry>, ErrorCode> {
    cx.table.get_mut(&stream)?.next(&cx.ctx.0)
}
