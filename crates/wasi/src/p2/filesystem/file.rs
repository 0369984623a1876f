//! Operations on what is open.

use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::sync::Arc;

use zwasm::Result;
use zwasm_component::Resource;

use super::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, MetadataHashValue,
    NewTimestamp,
};
use super::{Descriptor, find, hash};
use crate::host::Failure;
use crate::host::fs::FileKind;
use crate::host::fs::file::{self, Handle, Origin};
use crate::host::fs::room::Place;
use crate::host::sys::{AsFd, OwnedFd};
use crate::p2::WasiCtxView;
use crate::p2::io::streams::CHUNK;
use crate::p2::table::{Answer, Failed, stop};

/// An open file: anything opened by path that is no directory.
pub(crate) struct File {
    pub(crate) fd: OwnedFd,
    pub(crate) kind: FileKind,
    /// Below a directory in which nothing may be changed.
    pub(crate) read_only: bool,
    /// What it was opened for.
    pub(crate) read: bool,
    pub(crate) write: bool,
    /// Its place among what is open.
    pub(crate) _place: Place,
}

impl File {
    pub(crate) fn handle(&self) -> Handle<'_> {
        let (kind, read_only) = (self.kind, self.read_only);
        Handle { fd: self.fd.as_fd(), origin: Origin::Path { kind, read_only, nonblock: false } }
    }

    /// Whether it has positions.
    pub(crate) fn has_positions(&self) -> bool {
        matches!(self.kind, FileKind::RegularFile | FileKind::BlockDevice)
    }

    /// Checks that it was opened for reading.
    pub(crate) fn readable(self: &Arc<File>) -> Answer<Arc<File>, ErrorCode> {
        match self.read {
            true => Ok(self.clone()),
            false => Err(Failed::With(ErrorCode::BadDescriptor)),
        }
    }

    /// Checks that it was opened for writing.
    pub(crate) fn writable(self: &Arc<File>) -> Answer<Arc<File>, ErrorCode> {
        match self.write {
            true => Ok(self.clone()),
            false if self.read_only => Err(Failed::With(ErrorCode::ReadOnly)),
            false => Err(Failed::With(ErrorCode::BadDescriptor)),
        }
    }
}

/// Does something until no signal comes in between.
pub(crate) fn retry<R>(
    mut attempt: impl FnMut() -> crate::host::Result<R>,
) -> crate::host::Result<R> {
    loop {
        match attempt() {
            Err(Failure::System(error)) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

pub(crate) fn advise(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    offset: u64,
    len: u64,
    advice: Advice,
) -> Answer<(), ErrorCode> {
    let file = find(cx, &this)?.file()?;
    Ok(file::advise(&cx.ctx.0.host, file.handle(), offset, len, advice.into())?)
}

pub(crate) fn sync_data(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
) -> Answer<(), ErrorCode> {
    let descriptor = find(cx, &this)?;
    Ok(file::sync_data(&cx.ctx.0.host, descriptor.handle())?)
}

pub(crate) fn sync(cx: &mut WasiCtxView<'_>, this: Resource<Descriptor>) -> Answer<(), ErrorCode> {
    let descriptor = find(cx, &this)?;
    Ok(file::sync(&cx.ctx.0.host, descriptor.handle())?)
}

pub(crate) fn get_flags(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
) -> Answer<DescriptorFlags, ErrorCode> {
    let descriptor = find(cx, &this)?;
    let host = file::flags(descriptor.handle().fd)?;
    let mut flags = DescriptorFlags::default();
    match descriptor {
        Descriptor::File(file) => {
            flags.set(DescriptorFlags::READ, file.read);
            flags.set(DescriptorFlags::WRITE, file.write);
        }
        Descriptor::Dir(open) => {
            flags.set(DescriptorFlags::READ, true);
            flags.set(DescriptorFlags::MUTATE_DIRECTORY, !open.dir.read_only());
        }
    }
    flags.set(DescriptorFlags::FILE_INTEGRITY_SYNC, host.sync);
    flags.set(DescriptorFlags::DATA_INTEGRITY_SYNC, host.dsync);
    Ok(flags)
}

pub(crate) fn get_type(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
) -> Answer<DescriptorType, ErrorCode> {
    Ok(match find(cx, &this)? {
        Descriptor::File(file) => file.kind.into(),
        Descriptor::Dir(_) => DescriptorType::Directory,
    })
}

pub(crate) fn set_size(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    size: u64,
) -> Answer<(), ErrorCode> {
    let file = find(cx, &this)?.file()?.writable()?;
    Ok(file::set_size(&cx.ctx.0.host, file.handle(), size)?)
}

pub(crate) fn set_times(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    accessed: NewTimestamp,
    modified: NewTimestamp,
) -> Answer<(), ErrorCode> {
    let descriptor = find(cx, &this)?;
    let accessed = accessed.set_time().map_err(Failed::With)?;
    let modified = modified.set_time().map_err(Failed::With)?;
    Ok(file::set_times(&cx.ctx.0.host, descriptor.handle(), accessed, modified)?)
}

/// Reads as much as one call may; whether it is the end shows when nothing is read.
pub(crate) fn read(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    len: u64,
    offset: u64,
) -> Answer<(Vec<u8>, bool), ErrorCode> {
    let file = find(cx, &this)?.file()?.readable()?;
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(CHUNK).min(CHUNK)];
    let buffers = &mut [IoSliceMut::new(&mut bytes)];
    let read = retry(|| file::read_at(&cx.ctx.0.host, file.handle(), buffers, offset))?;
    bytes.truncate(read);
    Ok((bytes, read == 0))
}

pub(crate) fn write(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    bytes: Vec<u8>,
    offset: u64,
) -> Answer<u64, ErrorCode> {
    let file = find(cx, &this)?.file()?.writable()?;
    let buffers = &[IoSlice::new(&bytes)];
    let written = retry(|| file::write_at(&cx.ctx.0.host, file.handle(), buffers, offset, false))?;
    Ok(written as u64)
}

pub(crate) fn stat(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
) -> Answer<DescriptorStat, ErrorCode> {
    let descriptor = find(cx, &this)?;
    Ok(file::stat(&cx.ctx.0.host, descriptor.handle())?.into())
}

pub(crate) fn is_same_object(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    other: Resource<Descriptor>,
) -> Result<(bool,)> {
    let host = &cx.ctx.0.host;
    let identity = |descriptor: &Descriptor| -> Result<(u64, u64)> {
        let stat = file::stat(host, descriptor.handle());
        let stat = stat.map_err(|failure| stop(failure, "look at files"))?;
        Ok((stat.dev, stat.ino))
    };
    Ok((identity(cx.table.get(&this)?)? == identity(cx.table.get(&other)?)?,))
}

pub(crate) fn metadata_hash(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
) -> Answer<MetadataHashValue, ErrorCode> {
    let stat = file::stat(&cx.ctx.0.host, find(cx, &this)?.handle())?;
    Ok(hash(&cx.ctx.0, &stat))
}
