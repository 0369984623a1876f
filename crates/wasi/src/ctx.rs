//! What a guest is given: its arguments, environment, streams, directories.

use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use crate::host::fs::dir::Dir;
use crate::host::stdio::{Input, Output, Stdio};
use crate::p1::Strings;
use crate::p1::fds::Table;

/// The WASI state of one guest. It lives in the store's data; see
/// [`add_to_linker`](crate::add_to_linker).
pub struct WasiCtx {
    pub(crate) args: Strings,
    pub(crate) env: Strings,
    pub(crate) stdio: Stdio,
    pub(crate) fds: Table,
}

impl WasiCtx {
    /// Starts describing a guest that is given nothing yet: no arguments, no
    /// environment, no files, an empty standard input, and a standard output
    /// and error that swallow what they get.
    pub fn builder() -> WasiCtxBuilder {
        WasiCtxBuilder::default()
    }

    /// Writes out what is still buffered of the guest's standard output.
    ///
    /// Call it when the guest is done, also after a trap, and before writing
    /// to the same place oneself. Dropping the context does the same, but can
    /// not report that it failed.
    ///
    /// # Errors
    ///
    /// When standard output can not be written: its reader is gone, its disk
    /// is full. What was not written is kept, so that another call tries again.
    pub fn flush(&mut self) -> io::Result<()> {
        self.stdio.flush()
    }
}

impl Drop for WasiCtx {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// Builds a [`WasiCtx`].
#[derive(Default)]
pub struct WasiCtxBuilder {
    args: Strings,
    env: Strings,
    stdin: Option<Input>,
    stdout: Option<Output>,
    stderr: Option<Output>,
    preopens: Vec<(Dir, Box<str>)>,
}

impl WasiCtxBuilder {
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

    /// Adds an environment variable.
    pub fn env(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        self.env.push(&[name.as_ref(), b"=", value.as_ref()]);
        self
    }

    /// Adds environment variables.
    pub fn envs<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> &mut Self {
        for (name, value) in variables {
            self.env(name, value);
        }
        self
    }

    /// Adds all environment variables of this process.
    pub fn inherit_env(&mut self) -> &mut Self {
        for (name, value) in std::env::vars_os() {
            self.env(name.into_vec(), value.into_vec());
        }
        self
    }

    /// Gives the guest the directory `host_path`, with everything below it,
    /// under the name `guest_path`.
    ///
    /// # Errors
    ///
    /// When the directory can not be opened.
    pub fn preopen_dir(
        &mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl Into<String>,
    ) -> io::Result<&mut Self> {
        let dir = Dir::preopen(host_path.as_ref())?;
        self.preopens.push((dir, guest_path.into().into()));
        Ok(self)
    }

    /// Gives the guest this standard input. It is asked only when the guest
    /// reads, and counts as ready whenever the guest polls it.
    pub fn stdin(&mut self, stdin: Box<dyn Read + Send>) -> &mut Self {
        self.stdin = Some(Input::Custom(stdin));
        self
    }

    /// Gives the guest this standard output. Everything the guest writes is
    /// handed on at once, unbuffered.
    pub fn stdout(&mut self, stdout: Box<dyn Write + Send>) -> &mut Self {
        self.stdout = Some(Output::custom(stdout));
        self
    }

    /// Gives the guest this standard error.
    pub fn stderr(&mut self, stderr: Box<dyn Write + Send>) -> &mut Self {
        self.stderr = Some(Output::custom(stderr));
        self
    }

    /// Gives the guest the standard streams of this process.
    ///
    /// Unless it is a terminal, standard output is buffered while the guest
    /// writes it fast; see [`WasiCtx::flush`].
    pub fn inherit_stdio(&mut self) -> &mut Self {
        self.stdin = Some(Input::inherit());
        self.stdout = Some(Output::inherit_stdout());
        self.stderr = Some(Output::inherit_stderr());
        self
    }

    /// Makes the context, and leaves the builder as it was when it was new.
    pub fn build(&mut self) -> WasiCtx {
        let new = std::mem::take(self);
        let stdio = Stdio {
            stdin: new.stdin.unwrap_or_else(|| Input::Custom(Box::new(io::empty()))),
            stdout: new.stdout.unwrap_or_else(|| Output::custom(Box::new(io::sink()))),
            stderr: new.stderr.unwrap_or_else(|| Output::custom(Box::new(io::sink()))),
        };
        let mut fds = Table::new(&stdio);
        for (dir, name) in new.preopens {
            fds.preopen(dir, name);
        }
        WasiCtx { args: new.args, env: new.env, stdio, fds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryPipe;

    #[test]
    fn a_context_can_move_to_another_thread() {
        fn assert_send<T: Send>(_: &T) {}
        assert_send(&WasiCtx::builder().inherit_env().build());
    }

    #[test]
    fn building_leaves_the_builder_new() {
        let pipe = MemoryPipe::new();
        let mut builder = WasiCtx::builder();
        builder.arg("a").stdout(Box::new(pipe.clone()));
        builder.preopen_dir(std::env::temp_dir(), "/tmp").unwrap();
        assert!(builder.build().fds.any(3).is_ok());
        assert!(builder.build().fds.any(3).is_err());
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
