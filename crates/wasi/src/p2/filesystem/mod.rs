//! `wasi:filesystem`: files and directories below those the guest was given.
//!
//! A descriptor is a file or a directory, counted, so that a stream of a file outlives
//! the guest's handle to it. Files have no position of their own: streams have.

pub(crate) mod dir;
pub(crate) mod entries;
pub(crate) mod file;
pub(crate) mod streams;
pub(crate) mod types;

use std::sync::Arc;

use zwasm::Result;
use zwasm_component::{Linker, Resource};

use super::io::IoError;
use super::io::streams::{InputStream, OutputStream};
use super::table::{Answer, Failed, interface};
use super::{WasiCtxView, WasiView};
use crate::ctx::State;
use crate::host::fs::Stat;
use crate::host::fs::dir::Dir;
use crate::host::fs::file::Handle;
use crate::host::fs::room::Place;

use dir::{
    create_directory_at, link_at, metadata_hash_at, open_at, readlink_at, remove_directory_at,
    rename_at, set_times_at, stat_at, symlink_at, unlink_file_at,
};
use entries::{DirectoryEntryStream, read_directory, read_directory_entry};
use file::{
    File, advise, get_flags, get_type, is_same_object, metadata_hash, read, set_size, set_times,
    stat, sync, sync_data, write,
};
use types::{ErrorCode, MetadataHashValue};

/// What a guest has open.
pub(crate) enum Descriptor {
    File(Arc<File>),
    Dir(OpenDir),
}

/// An open directory.
pub(crate) struct OpenDir {
    dir: Arc<Dir>,
    /// Whether it was opened for being changed, which 0.3 tells.
    mutable: bool,
    /// Its place among what is open, if it was not there from the start.
    _place: Option<Place>,
}

impl Descriptor {
    pub(crate) fn handle(&self) -> Handle<'_> {
        match self {
            Descriptor::File(file) => file.handle(),
            Descriptor::Dir(open) => open.dir.handle(),
        }
    }

    pub(crate) fn file(&self) -> Answer<&Arc<File>, ErrorCode> {
        match self {
            Descriptor::File(file) => Ok(file),
            Descriptor::Dir(_) => Err(Failed::With(ErrorCode::BadDescriptor)),
        }
    }

    /// Whether it is a directory that was not opened for being changed.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self, Descriptor::Dir(open) if !open.mutable)
    }

    pub(crate) fn dir(&self) -> Answer<&Arc<Dir>, ErrorCode> {
        match self {
            Descriptor::Dir(open) => Ok(&open.dir),
            Descriptor::File(_) => Err(Failed::With(ErrorCode::NotDirectory)),
        }
    }
}

/// Defines all interfaces of the package.
pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    define_types(linker)?;
    define_preopens(linker)
}

interface! {
    fn define_types = "wasi:filesystem/types@0.2.12" {
        resource "descriptor": Descriptor;
        resource "directory-entry-stream": DirectoryEntryStream;
        "[method]descriptor.read-via-stream" = read_via_stream(this, offset);
        "[method]descriptor.write-via-stream" = write_via_stream(this, offset);
        "[method]descriptor.append-via-stream" = append_via_stream(this);
        "[method]descriptor.advise" = advise(this, offset, len, advice);
        "[method]descriptor.sync-data" = sync_data(this);
        "[method]descriptor.get-flags" = get_flags(this);
        "[method]descriptor.get-type" = get_type(this);
        "[method]descriptor.set-size" = set_size(this, size);
        "[method]descriptor.set-times" = set_times(this, accessed, modified);
        "[method]descriptor.read" = read(this, len, offset);
        "[method]descriptor.write" = write(this, bytes, offset);
        "[method]descriptor.read-directory" = read_directory(this);
        "[method]descriptor.sync" = sync(this);
        "[method]descriptor.create-directory-at" = create_directory_at(this, path);
        "[method]descriptor.stat" = stat(this);
        "[method]descriptor.stat-at" = stat_at(this, flags, path);
        "[method]descriptor.set-times-at" = set_times_at(this, flags, path, accessed, modified);
        "[method]descriptor.link-at" = link_at(this, flags, from, to_dir, to);
        "[method]descriptor.open-at" = open_at(this, path_flags, path, open_flags, flags);
        "[method]descriptor.readlink-at" = readlink_at(this, path);
        "[method]descriptor.remove-directory-at" = remove_directory_at(this, path);
        "[method]descriptor.rename-at" = rename_at(this, from, to_dir, to);
        "[method]descriptor.symlink-at" = symlink_at(this, target, path);
        "[method]descriptor.unlink-file-at" = unlink_file_at(this, path);
        "[method]descriptor.is-same-object" = is_same_object(this, other);
        "[method]descriptor.metadata-hash" = metadata_hash(this);
        "[method]descriptor.metadata-hash-at" = metadata_hash_at(this, flags, path);
        "[method]directory-entry-stream.read-directory-entry" = read_directory_entry(stream);
        "filesystem-error-code" = filesystem_error_code(error);
    }
}

interface! {
    fn define_preopens = "wasi:filesystem/preopens@0.2.12" {
        "get-directories" = get_directories();
    }
}

/// What a resource of the guest's stands for.
pub(crate) fn find<'a>(
    cx: &'a WasiCtxView<'_>,
    descriptor: &Resource<Descriptor>,
) -> Answer<&'a Descriptor, ErrorCode> {
    Ok(cx.table.get(descriptor)?)
}

/// The place for one more thing that is open.
fn place(state: &State) -> Answer<Place, ErrorCode> {
    state.host.place().ok_or(Failed::With(ErrorCode::Io))
}

/// A directory that is there from the start, and its name.
type Preopen = (Resource<Descriptor>, String);

pub(crate) fn get_directories(cx: &mut WasiCtxView<'_>) -> Result<(Vec<Preopen>,)> {
    let state = cx.ctx.0.clone();
    let preopens = state.preopens.iter().map(|(dir, name)| {
        let open = OpenDir { dir: dir.clone(), mutable: !dir.read_only(), _place: None };
        Ok((cx.push(Descriptor::Dir(open))?, String::from(&**name)))
    });
    Ok((preopens.collect::<Result<_>>()?,))
}

fn read_via_stream(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    offset: u64,
) -> Answer<Resource<InputStream>, ErrorCode> {
    let file = match find(cx, &this)? {
        Descriptor::File(file) => file,
        Descriptor::Dir(_) => return Err(Failed::With(ErrorCode::IsDirectory)),
    };
    let stream = streams::FileInput::new(file.readable()?, offset);
    Ok(cx.push(InputStream(Arc::new(stream)))?)
}

fn write_via_stream(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
    offset: u64,
) -> Answer<Resource<OutputStream>, ErrorCode> {
    let file = find(cx, &this)?.file()?.writable()?;
    let stream = streams::FileOutput::at(file, offset);
    Ok(cx.push(OutputStream(Arc::new(stream)))?)
}

fn append_via_stream(
    cx: &mut WasiCtxView<'_>,
    this: Resource<Descriptor>,
) -> Answer<Resource<OutputStream>, ErrorCode> {
    let file = find(cx, &this)?.file()?.writable()?;
    let stream = streams::FileOutput::at_end(file);
    Ok(cx.push(OutputStream(Arc::new(stream)))?)
}

fn filesystem_error_code(
    cx: &mut WasiCtxView<'_>,
    error: Resource<IoError>,
) -> Result<(Option<ErrorCode>,)> {
    Ok((streams::code_of(&cx.table.get(&error)?.0),))
}

/// A number that is as good as the file's own, and tells the guest neither it nor on
/// which of the host's devices it is: the same for the same file in every call of one
/// guest, and another in another. C libraries take it for the number of an inode, so
/// that it does not change when the file's contents do.
fn hash(state: &State, stat: &Stat) -> MetadataHashValue {
    use std::hash::BuildHasher;
    let hash = |part: u8| state.hasher.hash_one((part, stat.dev, stat.ino));
    MetadataHashValue { lower: hash(0), upper: hash(1) }
}
