//! Operations on paths below an open directory.

use std::sync::Arc;

use zwasm_component::Resource;

use super::file::File;
use super::types::{
    DescriptorFlags, DescriptorStat, ErrorCode, MetadataHashValue, NewTimestamp, OpenFlags,
    PathFlags,
};
use super::{Descriptor, OpenDir, find, hash, place};
use crate::host::Failure;
use crate::host::fs::dir::OpenHow;
use crate::host::fs::{FileKind, Flags, file};
use crate::host::sys::AsFd;
use crate::p1::Errno;
use crate::p2::WasiCtxView;
use crate::p2::table::{Answer, Failed};

pub(crate) fn create_directory_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    path: String,
) -> Answer<(), ErrorCode> {
    Ok(find(cx, &this)?.dir()?.create_dir(&cx.ctx.0.host, &path)?)
}

pub(crate) fn remove_directory_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    path: String,
) -> Answer<(), ErrorCode> {
    Ok(find(cx, &this)?.dir()?.remove_dir(&cx.ctx.0.host, &path)?)
}

pub(crate) fn unlink_file_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    path: String,
) -> Answer<(), ErrorCode> {
    Ok(find(cx, &this)?.dir()?.unlink(&cx.ctx.0.host, &path)?)
}

pub(crate) fn stat_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    flags: PathFlags,
    path: String,
) -> Answer<DescriptorStat, ErrorCode> {
    let dir = find(cx, &this)?.dir()?;
    Ok(dir.stat(&cx.ctx.0.host, &path, flags.follow())?.into())
}

pub(crate) fn metadata_hash_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    flags: PathFlags,
    path: String,
) -> Answer<MetadataHashValue, ErrorCode> {
    let stat = find(cx, &this)?.dir()?.stat(&cx.ctx.0.host, &path, flags.follow())?;
    Ok(hash(&cx.ctx.0, &stat))
}

pub(crate) fn set_times_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    flags: PathFlags,
    path: String,
    accessed: NewTimestamp,
    modified: NewTimestamp,
) -> Answer<(), ErrorCode> {
    let dir = find(cx, &this)?.dir()?;
    let accessed = accessed.set_time().map_err(Failed::With)?;
    let modified = modified.set_time().map_err(Failed::With)?;
    Ok(dir.set_times(&cx.ctx.0.host, &path, flags.follow(), accessed, modified)?)
}

/// Links always name the link, never what it leads to: see preview 1's `path_link`.
pub(crate) fn link_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    flags: PathFlags,
    from: String,
    to_dir: Resource<Descriptor>,
    to: String,
) -> Answer<(), ErrorCode> {
    let (from_dir, to_dir) = (find(cx, &this)?.dir()?, find(cx, &to_dir)?.dir()?);
    if flags.follow() {
        return Err(Failed::With(ErrorCode::Invalid));
    }
    Ok(from_dir.hard_link(&cx.ctx.0.host, &from, to_dir, &to)?)
}

pub(crate) fn rename_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    from: String,
    to_dir: Resource<Descriptor>,
    to: String,
) -> Answer<(), ErrorCode> {
    let (from_dir, to_dir) = (find(cx, &this)?.dir()?, find(cx, &to_dir)?.dir()?);
    Ok(from_dir.rename(&cx.ctx.0.host, &from, to_dir, &to)?)
}

pub(crate) fn symlink_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    target: String,
    path: String,
) -> Answer<(), ErrorCode> {
    Ok(find(cx, &this)?.dir()?.symlink(&cx.ctx.0.host, &target, &path)?)
}

pub(crate) fn readlink_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    path: String,
) -> Answer<String, ErrorCode> {
    let target = find(cx, &this)?.dir()?.read_link(&cx.ctx.0.host, &path)?;
    String::from_utf8(target).or(Err(Failed::With(ErrorCode::IllegalByteSequence)))
}

/// Whether directories may be changed is settled by the one the guest was given, as in
/// other engines: programs ask for less than they use.
pub(crate) fn open_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    path_flags: PathFlags,
    path: String,
    open_flags: OpenFlags,
    flags: DescriptorFlags,
) -> Answer<Resource<Descriptor>, ErrorCode> {
    let dir = find(cx, &this)?.dir()?;
    let host = &cx.ctx.0.host;
    let [create, directory, exclusive, truncate] =
        [OpenFlags::CREATE, OpenFlags::DIRECTORY, OpenFlags::EXCLUSIVE, OpenFlags::TRUNCATE]
            .map(|flag| open_flags.contains(flag));
    if directory && (create || exclusive || truncate) {
        return Err(Failed::With(ErrorCode::Invalid));
    }
    if dir.read_only() && flags.contains(DescriptorFlags::MUTATE_DIRECTORY) {
        return Err(Failed::With(ErrorCode::ReadOnly));
    }
    let read = flags.contains(DescriptorFlags::READ);
    let write = flags.contains(DescriptorFlags::WRITE);
    let how = OpenHow {
        read,
        // Hosts truncate only what they open for writing.
        write: write || truncate,
        create,
        exclusive,
        truncate,
        directory,
        follow: path_flags.follow(),
        flags: Flags {
            append: false,
            nonblock: false,
            dsync: flags.contains(DescriptorFlags::DATA_INTEGRITY_SYNC),
            sync: flags.contains(DescriptorFlags::FILE_INTEGRITY_SYNC)
                || flags.contains(DescriptorFlags::REQUESTED_WRITE_SYNC),
        },
    };
    let place = place(&cx.ctx.0)?;
    let fd = match dir.open(host, &path, how) {
        Err(Failure::System(error)) => {
            let errno = Errno::from(error);
            if errno.is_limit() {
                host.reach_files();
            }
            return Err(Failed::With(errno.into()));
        }
        opened => opened?,
    };
    let kind = file::kind(fd.as_fd())?;
    let opened = match kind {
        FileKind::Directory => {
            let mutable = flags.contains(DescriptorFlags::MUTATE_DIRECTORY);
            Descriptor::Dir(OpenDir { dir: Arc::new(dir.below(fd)?), mutable, _place: Some(place) })
        }
        _ => {
            let read_only = dir.read_only();
            Descriptor::File(Arc::new(File { fd, kind, read_only, read, write, _place: place }))
        }
    };
    Ok(cx.push(opened)?)
}
