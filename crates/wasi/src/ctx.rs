//! What a guest is given: its arguments, environment, streams, directories,
//! sockets, and what it may do with them.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use crate::Capabilities;
use crate::host::fs::dir::Dir;
use crate::host::interrupt::InterruptHandle;
use crate::host::stdio::{Input, Output, Stdio};
use crate::host::sys::{self, StreamFd};
use crate::host::{Failure, Host};
use crate::p1::Strings;
use crate::p1::fds::Table;

/// The WASI state of one guest. It lives in the store's data; see
/// [`add_to_linker`](crate::add_to_linker).
///
/// A clone is another handle to the same state, for the store of another thread
/// of the same guest: arguments, streams and descriptors are shared.
#[derive(Clone)]
pub struct WasiCtx(pub(crate) Arc<State>);

/// What the handles share.
pub(crate) struct State {
    pub(crate) args: Strings,
    pub(crate) env: Strings,
    pub(crate) host: Host,
    pub(crate) stdio: Arc<Stdio>,
    pub(crate) fds: Table,
    /// The directories that are there from the start, whatever became of their
    /// descriptors.
    pub(crate) preopens: Vec<(Arc<Dir>, Box<str>)>,
    /// Makes of what the host knows files by what guests do.
    #[cfg(feature = "component")]
    pub(crate) hasher: std::hash::RandomState,
    /// What the guest was told to seed its own numbers with, if it asked.
    #[cfg(feature = "component")]
    pub(crate) seed: std::sync::OnceLock<(u64, u64)>,
    /// What is waited for while no guest can go on.
    #[cfg(feature = "component")]
    pub(crate) reactor: Arc<crate::p3::reactor::Reactor>,
    /// What streams may hold.
    #[cfg(feature = "component")]
    pub(crate) pumps: crate::host::budget::Budget,
    /// The sockets that take connections for streams.
    #[cfg(feature = "component")]
    pub(crate) listeners: crate::p3::sockets::Listeners,
    pub(crate) trace: Option<Trace>,
}

/// Where a line for each call goes.
pub(crate) type Trace = Arc<dyn Fn(&str) + Send + Sync>;

impl WasiCtx {
    /// Starts describing a guest that is given nothing yet: no arguments, no
    /// environment, no files, an empty standard input, and a standard output
    /// and error that swallow what they get. Its capabilities are
    /// [the default ones](Capabilities#impl-Default-for-Capabilities).
    pub fn builder() -> WasiCtxBuilder {
        WasiCtxBuilder::default()
    }

    /// Writes out what is still buffered of the guest's standard output.
    ///
    /// Call it when the guest is done, also after a trap, and before writing
    /// to the same place oneself. Dropping the last handle does the same, but
    /// can not report that it failed.
    ///
    /// # Errors
    ///
    /// When standard output can not be written: its reader is gone, its disk
    /// is full. What was not written is kept, so that another call tries again.
    pub fn flush(&self) -> io::Result<()> {
        self.0.stdio.flush(&self.0.host).map_err(|failure| match failure {
            Failure::System(error) => error,
            Failure::Refused => io::ErrorKind::PermissionDenied.into(),
            Failure::Interrupted => io::ErrorKind::Interrupted.into(),
        })
    }

    /// The capabilities that would have allowed what the guest was refused so
    /// far. Where one of several would have done, the one that fits best.
    pub fn refused(&self) -> Capabilities {
        self.0.host.refused()
    }

    /// What the guest was refused because it had as much of it as a guest may have:
    /// open descriptors, threads. A phrase with the limit, of the first such thing.
    pub fn limit_reached(&self) -> Option<String> {
        self.0.host.reached().map(str::to_owned)
    }

    /// A context for another guest that is given the same: arguments, environment,
    /// directories and capabilities, and the streams, which both share. It has opened
    /// nothing, and gets no listeners.
    pub fn another(&self) -> WasiCtx {
        let State { args, env, host, stdio, trace, .. } = &*self.0;
        let fds = Table::new(stdio);
        for (dir, name) in &self.0.preopens {
            fds.preopen(dir.clone(), name.clone());
        }
        WasiCtx(Arc::new(State {
            args: args.clone(),
            env: env.clone(),
            host: Host::new(host.capabilities()),
            stdio: stdio.clone(),
            fds,
            preopens: self.0.preopens.clone(),
            #[cfg(feature = "component")]
            hasher: std::hash::RandomState::new(),
            #[cfg(feature = "component")]
            seed: std::sync::OnceLock::new(),
            #[cfg(feature = "component")]
            reactor: Arc::default(),
            #[cfg(feature = "component")]
            pumps: crate::host::budget::Budget::new(crate::p3::pump::BUDGET),
            #[cfg(feature = "component")]
            listeners: crate::p3::sockets::Listeners::default(),
            trace: trace.clone(),
        }))
    }

    /// What stops the guest while it waits in one of its calls. Ask for it
    /// before the guest runs.
    ///
    /// A guest that computes is stopped by other means: see the engine's epochs
    /// and fuel. Streams of the embedder's are not interrupted either.
    ///
    /// # Errors
    ///
    /// When the process has no descriptor left.
    pub fn interrupt_handle(&self) -> io::Result<InterruptHandle> {
        self.0.host.interrupt.arm()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _ = self.stdio.flush(&self.host);
    }
}

/// Builds a [`WasiCtx`].
#[derive(Default)]
pub struct WasiCtxBuilder {
    caps: Capabilities,
    args: Strings,
    env: Vec<(Vec<u8>, Vec<u8>)>,
    inherit_env: bool,
    stdin: Option<Input>,
    stdout: Option<Output>,
    stderr: Option<Output>,
    preopens: Vec<(Dir, Box<str>)>,
    listeners: Vec<TcpListener>,
    trace: Option<Trace>,
}

/// What a guest may do below a directory it was given; see
/// [`WasiCtxBuilder::preopened_dir`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FsPerms {
    /// Looking at what is there.
    ReadOnly,
    /// Changing it, too.
    ReadWrite,
}

/// From the permissions that wasmtime had before: if one of [`DirPerms::MUTATE`] and
/// [`FilePerms::WRITE`] is missing, nothing can be changed.
impl From<(DirPerms, FilePerms)> for FsPerms {
    fn from((dirs, files): (DirPerms, FilePerms)) -> FsPerms {
        match dirs.contains(DirPerms::MUTATE) && files.contains(FilePerms::WRITE) {
            true => FsPerms::ReadWrite,
            false => FsPerms::ReadOnly,
        }
    }
}

/// What a guest may do with directories, one by one; see [`FsPerms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirPerms(u8);

/// What a guest may do with files below a directory it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePerms(u8);

macro_rules! permissions {
    ($($ty:ident $change:ident $what:literal;)*) => {$(
        impl $ty {
            /// Looking at them.
            pub const READ: $ty = $ty(1);
            #[doc = $what]
            pub const $change: $ty = $ty(2);

            /// Everything.
            pub const fn all() -> $ty {
                $ty(3)
            }

            /// Nothing.
            pub const fn empty() -> $ty {
                $ty(0)
            }

            /// Whether all of the other are in these.
            pub const fn contains(self, other: $ty) -> bool {
                self.0 & other.0 == other.0
            }
        }

        impl std::ops::BitOr for $ty {
            type Output = $ty;
            fn bitor(self, other: $ty) -> $ty {
                $ty(self.0 | other.0)
            }
        }
    )*};
}

permissions! {
    DirPerms MUTATE "Creating, removing and renaming what is in them.";
    FilePerms WRITE "Changing their contents.";
}

impl WasiCtxBuilder {
    /// Starts describing a guest, as [`WasiCtx::builder`].
    pub fn new() -> WasiCtxBuilder {
        WasiCtxBuilder::default()
    }

    /// Gives the guest the directory `host_path`, with everything below it, under the name
    /// `guest_path`, and the capabilities that the permissions need.
    ///
    /// ```
    /// use zwasm_wasi::{DirPerms, FilePerms, FsPerms, WasiCtxBuilder};
    /// let mut wasi = WasiCtxBuilder::new();
    /// wasi.preopened_dir(".", "/data", FsPerms::ReadOnly)?;
    /// wasi.preopened_dir(".", "/work", (DirPerms::all(), FilePerms::all()))?;
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the directory can not be opened.
    pub fn preopened_dir(
        &mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl AsRef<str>,
        perms: impl Into<FsPerms>,
    ) -> zwasm::Result<&mut Self> {
        let guest = guest_path.as_ref();
        self.allow(Capabilities::READ | Capabilities::PATH);
        match perms.into() {
            FsPerms::ReadOnly => self.preopen_dir_read_only(host_path, guest)?,
            FsPerms::ReadWrite => self.allow(Capabilities::WRITE).preopen_dir(host_path, guest)?,
        };
        Ok(self)
    }

    /// Adds the arguments of this process.
    pub fn inherit_args(&mut self) -> &mut Self {
        self.args(std::env::args_os().map(std::ffi::OsString::into_encoded_bytes))
    }

    /// Lets the guest use the network of this machine: [`Capabilities::NET`].
    pub fn inherit_network(&mut self) -> &mut Self {
        self.allow(Capabilities::NET)
    }

    /// Has no effect: calls of a guest block the thread that calls it.
    pub fn allow_blocking_current_thread(&mut self, enable: bool) -> &mut Self {
        let _ = enable;
        self
    }

    /// Gives the guest the standard input of this process.
    pub fn inherit_stdin(&mut self) -> &mut Self {
        self.stdin = Some(Input::inherit());
        self
    }

    /// Gives the guest the standard output of this process; see
    /// [`inherit_stdio`](Self::inherit_stdio).
    pub fn inherit_stdout(&mut self) -> &mut Self {
        self.stdout = Some(Output::inherit_stdout());
        self
    }

    /// Gives the guest the standard error of this process.
    pub fn inherit_stderr(&mut self) -> &mut Self {
        self.stderr = Some(Output::inherit_stderr());
        self
    }

    /// As [`build`](Self::build), for [`p1`](crate::p1).
    pub fn build_p1(&mut self) -> WasiCtx {
        self.build()
    }

    /// Sets what the guest may do, in place of the default.
    pub fn caps(&mut self, caps: Capabilities) -> &mut Self {
        self.caps = caps;
        self
    }

    /// Adds to what the guest may do.
    pub fn allow(&mut self, caps: Capabilities) -> &mut Self {
        self.caps.insert(caps);
        self
    }

    /// Adds an argument; the first is the program's name. It ends at its first
    /// NUL, if it has one.
    pub fn arg(&mut self, arg: impl AsRef<[u8]>) -> &mut Self {
        self.args.push(&[arg.as_ref()]);
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<[u8]>>(&mut self, args: impl IntoIterator<Item = A>) -> &mut Self {
        for arg in args {
            self.arg(arg);
        }
        self
    }

    /// Adds an environment variable. The guest sees it whatever its
    /// capabilities.
    pub fn env(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        self.env.push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Adds environment variables.
    pub fn envs<K: AsRef<[u8]>, V: AsRef<[u8]>>(&mut self, variables: &[(K, V)]) -> &mut Self {
        for (name, value) in variables {
            self.env(name, value);
        }
        self
    }

    /// Lets the guest see the environment variables of this process that are not added by
    /// [`env`](Self::env): [`Capabilities::ENV`].
    pub fn inherit_env(&mut self) -> &mut Self {
        self.allow(Capabilities::ENV).inherit_env_if_allowed()
    }

    /// The same if the guest has that capability.
    pub fn inherit_env_if_allowed(&mut self) -> &mut Self {
        self.inherit_env = true;
        self
    }

    /// Gives the guest the directory `host_path`, with everything below it,
    /// under the name `guest_path`. What it may do there depends on its
    /// capabilities: without [`Capabilities::READ`] and the like, nothing.
    ///
    /// # Errors
    ///
    /// When the directory can not be opened.
    pub fn preopen_dir(
        &mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl Into<String>,
    ) -> io::Result<&mut Self> {
        let dir = Dir::preopen(host_path.as_ref(), false)?;
        self.preopens.push((dir, guest_path.into().into()));
        Ok(self)
    }

    /// The same for a directory in which the guest can change nothing, whatever
    /// its capabilities: trying fails with the error number `ROFS`.
    ///
    /// # Errors
    ///
    /// As [`preopen_dir`](Self::preopen_dir).
    pub fn preopen_dir_read_only(
        &mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl Into<String>,
    ) -> io::Result<&mut Self> {
        let dir = Dir::preopen(host_path.as_ref(), true)?;
        self.preopens.push((dir, guest_path.into().into()));
        Ok(self)
    }

    /// Gives the guest a socket to accept connections on, if it has
    /// [`Capabilities::NET`]. Its descriptors come after those of the
    /// directories.
    pub fn listener(&mut self, listener: TcpListener) -> &mut Self {
        self.listeners.push(listener);
        self
    }

    /// Gives the guest this standard input. It is asked only when the guest
    /// reads, and counts as ready whenever the guest polls it. For input from
    /// memory there is [`io::Cursor`].
    pub fn stdin(&mut self, stdin: impl Read + Send + 'static) -> &mut Self {
        self.stdin = Some(Input::custom(Box::new(stdin)));
        self
    }

    /// Gives the guest a file, a pipe or a socket of the host as standard input.
    /// Polls see when there is something to read, and waiting for that can be
    /// interrupted.
    pub fn stdin_from(&mut self, stdin: impl Into<StreamFd>) -> &mut Self {
        self.stdin = Some(Input::Owned(sys::opened(stdin.into())));
        self
    }

    /// Gives the guest this standard output. Everything the guest writes is
    /// handed on at once, unbuffered. For output to memory there is
    /// [`MemoryPipe`](crate::MemoryPipe).
    pub fn stdout(&mut self, stdout: impl Write + Send + 'static) -> &mut Self {
        self.stdout = Some(Output::custom(Box::new(stdout)));
        self
    }

    /// Gives the guest this standard error.
    pub fn stderr(&mut self, stderr: impl Write + Send + 'static) -> &mut Self {
        self.stderr = Some(Output::custom(Box::new(stderr)));
        self
    }

    /// Gives the guest the standard streams of this process.
    ///
    /// Unless it is a terminal, standard output is buffered while the guest
    /// writes it fast; see [`WasiCtx::flush`].
    pub fn inherit_stdio(&mut self) -> &mut Self {
        self.inherit_stdin().inherit_stdout().inherit_stderr()
    }

    /// Has a line written about each call of the guest's: name, arguments and
    /// what came of it.
    pub fn trace(&mut self, sink: impl Fn(&str) + Send + Sync + 'static) -> &mut Self {
        self.trace = Some(Arc::new(sink));
        self
    }

    /// Makes the context, and leaves the builder as it was when it was new.
    pub fn build(&mut self) -> WasiCtx {
        let new = std::mem::take(self);
        let mut env = Strings::default();
        if new.inherit_env && new.caps.contains(Capabilities::ENV) {
            for (name, value) in std::env::vars_os() {
                let (name, value) = (name.into_encoded_bytes(), value.into_encoded_bytes());
                if !new.env.iter().any(|(own, _)| *own == name) {
                    env.push(&[&name, b"=", &value]);
                }
            }
        }
        for (name, value) in &new.env {
            env.push(&[name, b"=", value]);
        }
        let stdio = Stdio::new(
            new.stdin.unwrap_or_else(|| Input::custom(Box::new(io::empty()))),
            new.stdout.unwrap_or_else(|| Output::custom(Box::new(io::sink()))),
            new.stderr.unwrap_or_else(|| Output::custom(Box::new(io::sink()))),
        );
        let stdio = Arc::new(stdio);
        let fds = Table::new(&stdio);
        let preopens: Vec<_> =
            new.preopens.into_iter().map(|(dir, name)| (Arc::new(dir), name)).collect();
        for (dir, name) in &preopens {
            fds.preopen(dir.clone(), name.clone());
        }
        for listener in new.listeners {
            fds.listener(listener);
        }
        let (args, trace, host) = (new.args, new.trace, Host::new(new.caps));
        WasiCtx(Arc::new(State {
            args,
            env,
            host,
            stdio,
            fds,
            preopens,
            #[cfg(feature = "component")]
            hasher: std::hash::RandomState::new(),
            #[cfg(feature = "component")]
            seed: std::sync::OnceLock::new(),
            #[cfg(feature = "component")]
            reactor: Arc::default(),
            #[cfg(feature = "component")]
            pumps: crate::host::budget::Budget::new(crate::p3::pump::BUDGET),
            #[cfg(feature = "component")]
            listeners: crate::p3::sockets::Listeners::default(),
            trace,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryPipe;

    #[test]
    fn a_context_can_move_to_another_thread() {
        fn assert_send<T: Send + Sync>(_: &T) {}
        assert_send(&WasiCtx::builder().inherit_env().build());
    }

    #[test]
    fn building_leaves_the_builder_new() {
        let pipe = MemoryPipe::new();
        let mut builder = WasiCtx::builder();
        builder.arg("a").stdout(Box::new(pipe.clone()));
        builder.preopen_dir(std::env::temp_dir(), "/tmp").unwrap();
        assert!(builder.build().0.fds.any(3).is_ok());
        assert!(builder.build().0.fds.any(3).is_err());
    }

    #[test]
    fn what_is_no_directory_can_not_be_preopened() {
        let program = std::env::current_exe().unwrap();
        let error = WasiCtx::builder().preopen_dir(&program, "/").map(drop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
        let error = WasiCtx::builder().preopen_dir(program.join("x"), "/").map(drop);
        assert!(error.is_err());
    }
}
