//! `wasi:filesystem`: the descriptors of 0.2, whose contents are streams of components.

mod types;

use std::sync::Arc;
use std::task::{Poll, ready};

use zwasm::Result;
use zwasm_component::{FutureReader, Linker, Resource, StreamReader, future_in, stream_in};

use super::pump::{Ending, consume, produce, resolve};
use super::table::{Store, interface};
use crate::p2::filesystem::dir::{
    self, create_directory_at, link_at, metadata_hash_at, readlink_at, remove_directory_at,
    rename_at, symlink_at, unlink_file_at,
};
use crate::p2::filesystem::entries::DirectoryEntryStream;
use crate::p2::filesystem::file::{
    self, advise, is_same_object, metadata_hash, set_size, sync, sync_data,
};
use crate::p2::filesystem::streams::{FileInput, FileOutput};
use crate::p2::filesystem::types::{DescriptorFlags, ErrorCode as OldCode, OpenFlags, PathFlags};
use crate::p2::filesystem::{Descriptor, find, get_directories};
use crate::p2::io::streams::{Input, Output};
use crate::p2::table::{Answer, Failed};
use crate::{WasiCtxView, WasiView};
use types::{DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, NewTimestamp};

/// Defines all interfaces of the package.
pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    define_types(linker)?;
    define_preopens(linker)
}

interface! {
    fn define_types = "wasi:filesystem/types@0.3.0" {
        resource "descriptor": Descriptor;
        "[method]descriptor.read-via-stream" as over = read_via_stream(this, offset);
        "[method]descriptor.write-via-stream" as over = write_via_stream(this, data, offset);
        "[method]descriptor.append-via-stream" as over = append_via_stream(this, data);
        "[method]descriptor.advise" as adapted = advise(this, offset, len, advice);
        "[method]descriptor.sync-data" as adapted = sync_data(this);
        "[method]descriptor.get-flags" as adapted = get_flags(this);
        "[method]descriptor.get-type" as adapted = get_type(this);
        "[method]descriptor.set-size" as adapted = set_size(this, size);
        "[method]descriptor.set-times" = set_times(this, accessed, modified);
        "[method]descriptor.read-directory" as over = read_directory(this);
        "[method]descriptor.sync" as adapted = sync(this);
        "[method]descriptor.create-directory-at" as adapted = create_directory_at(this, path);
        "[method]descriptor.stat" as adapted = stat(this);
        "[method]descriptor.stat-at" as adapted = stat_at(this, flags, path);
        "[method]descriptor.set-times-at" = set_times_at(this, flags, path, accessed, modified);
        "[method]descriptor.link-at" as adapted = link_at(this, flags, from, to_dir, to);
        "[method]descriptor.open-at" as adapted
            = open_at(this, path_flags, path, open_flags, flags);
        "[method]descriptor.readlink-at" as adapted = readlink_at(this, path);
        "[method]descriptor.remove-directory-at" as adapted = remove_directory_at(this, path);
        "[method]descriptor.rename-at" as adapted = rename_at(this, from, to_dir, to);
        "[method]descriptor.symlink-at" as adapted = symlink_at(this, target, path);
        "[method]descriptor.unlink-file-at" as adapted = unlink_file_at(this, path);
        "[method]descriptor.is-same-object" = is_same_object(this, other);
        "[method]descriptor.metadata-hash" as adapted = metadata_hash(this);
        "[method]descriptor.metadata-hash-at" as adapted = metadata_hash_at(this, flags, path);
    }
}

interface! {
    fn define_preopens = "wasi:filesystem/preopens@0.3.0" {
        "get-directories" = get_directories();
    }
}

/// What a function of 0.2 answers, with the errors of 0.3.
fn adapt<T>(answer: Answer<T, OldCode>) -> Answer<T, ErrorCode> {
    Ok(answer?)
}

/// What is opened for nothing is opened for reading, and what may be created for writing.
fn open_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    path_flags: PathFlags,
    path: String,
    open_flags: OpenFlags,
    mut flags: DescriptorFlags,
) -> Answer<Resource<Descriptor>, OldCode> {
    let [read, write] = [DescriptorFlags::READ, DescriptorFlags::WRITE];
    let is_neither = !flags.contains(read) && !flags.contains(write);
    flags.set(read, is_neither);
    flags.set(write, open_flags.contains(OpenFlags::CREATE));
    dir::open_at(cx, this, path_flags, path, open_flags, flags)
}

/// A directory is said to be open for what it was opened for, whatever may be done in it.
fn get_flags(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
) -> Answer<DescriptorFlags, OldCode> {
    let is_fixed = find(cx, &this)?.is_fixed();
    let mut flags = file::get_flags(cx, this)?;
    flags.clear(DescriptorFlags::MUTATE_DIRECTORY, is_fixed);
    Ok(flags)
}

fn get_type(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
) -> Answer<DescriptorType, OldCode> {
    Ok(file::get_type(cx, this)?.into())
}

fn stat(cx: &mut WasiCtxView<'_>, this: Resource<Descriptor>) -> Answer<DescriptorStat, OldCode> {
    Ok(file::stat(cx, this)?.into())
}

fn stat_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    flags: PathFlags,
    path: String,
) -> Answer<DescriptorStat, OldCode> {
    Ok(dir::stat_at(cx, this, flags, path)?.into())
}

fn set_times(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    accessed: NewTimestamp,
    modified: NewTimestamp,
) -> Answer<(), ErrorCode> {
    adapt(file::set_times(cx, this, accessed.old()?, modified.old()?))
}

fn set_times_at(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    flags: PathFlags,
    path: String,
    accessed: NewTimestamp,
    modified: NewTimestamp,
) -> Answer<(), ErrorCode> {
    adapt(dir::set_times_at(cx, this, flags, path, accessed.old()?, modified.old()?))
}

/// What is to be had of a descriptor, or the error that a future resolves to.
fn settle<T>(answer: Answer<T, OldCode>) -> Result<std::result::Result<T, ErrorCode>> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(Failed::With(error)) => Ok(Err(error.into())),
        Err(Failed::Stop(error)) => Err(error),
    }
}

/// What a file contains, and how reading it ended.
type Reading = (StreamReader<u8>, FutureReader<Ending<ErrorCode>>);

fn read_via_stream(
    store: &mut dyn Store,
    this: Resource<Descriptor>,
    offset: u64,
) -> Result<(Reading,)> {
    let file = find(&store.view(), &this).and_then(|descriptor| match descriptor {
        Descriptor::File(file) => file.readable(),
        Descriptor::Dir(_) => Err(Failed::With(OldCode::IsDirectory)),
    });
    let input = settle(file)?.map(|file| Arc::new(FileInput::new(file, offset)) as Arc<dyn Input>);
    Ok((produce(store, input)?,))
}

fn write_via_stream(
    store: &mut dyn Store,
    this: Resource<Descriptor>,
    data: StreamReader<u8>,
    offset: u64,
) -> Result<(FutureReader<Ending<ErrorCode>>,)> {
    let file = find(&store.view(), &this).and_then(|descriptor| descriptor.file()?.writable());
    let output =
        settle(file)?.map(|file| Arc::new(FileOutput::at(file, offset)) as Arc<dyn Output>);
    Ok((consume(store, data, output)?,))
}

fn append_via_stream(
    store: &mut dyn Store,
    this: Resource<Descriptor>,
    data: StreamReader<u8>,
) -> Result<(FutureReader<Ending<ErrorCode>>,)> {
    let file = find(&store.view(), &this).and_then(|descriptor| descriptor.file()?.writable());
    let output = settle(file)?.map(|file| Arc::new(FileOutput::at_end(file)) as Arc<dyn Output>);
    Ok((consume(store, data, output)?,))
}

/// The names in a directory, and how reading them ended.
type Listing = (StreamReader<DirectoryEntry>, FutureReader<Ending<ErrorCode>>);

fn read_directory(store: &mut dyn Store, this: Resource<Descriptor>) -> Result<(Listing,)> {
    let (writer, stream) = stream_in::<DirectoryEntry>(store.access())?;
    let (future, ending) = future_in::<Ending<ErrorCode>>(store.access())?;
    let entries = {
        let view = store.view();
        find(&view, &this).and_then(|descriptor| {
            DirectoryEntryStream::open(&view.ctx.0, descriptor.dir()?.clone())
        })
    };
    let mut entries = match settle(entries)? {
        Ok(entries) => entries,
        Err(error) => {
            writer.close_in(store.access())?;
            resolve(store, future, Err(error))?;
            return Ok(((stream, ending),));
        }
    };
    let mut found = std::collections::VecDeque::new();
    let mut failed = Ok(());
    store.spawn(Box::new(move |store, cx| {
        loop {
            // It is offered nothing at first, which is taken when somebody reads.
            let reads = ready!(writer.poll_write_in(store.access(), cx, &mut found))?;
            if reads && found.is_empty() && failed.is_ok() {
                let state = store.view().ctx.0.clone();
                match entries.next(&state) {
                    Ok(Some(entry)) => {
                        found.push_back(entry.into());
                        continue;
                    }
                    Ok(None) => {}
                    Err(Failed::With(error)) => failed = Err(ErrorCode::from(error)),
                    Err(Failed::Stop(error)) => return Poll::Ready(Err(error)),
                }
            } else if reads && !found.is_empty() {
                continue;
            }
            writer.close_in(store.access())?;
            resolve(store, future, std::mem::replace(&mut failed, Ok(())))?;
            return Poll::Ready(Ok(()));
        }
    }))?;
    Ok(((stream, ending),))
}
