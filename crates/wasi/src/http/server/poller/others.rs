//! Over `poll`, which all systems have.
//!
//! One thread polls for all, and the others wait for it. What has happened to a socket is
//! told once; then the socket is left out until it is said to be waited for again. What
//! changes while a thread polls wakes that, by a message to a socket of its own.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::{Happened, WAKE};
use crate::host::sys::{self, AsFd, OwnedFd};

/// Sockets that are waited for.
pub(crate) struct Poller {
    /// Whose turn it is to poll.
    turn: Mutex<()>,
    state: Mutex<State>,
    /// Connected to itself.
    bell: Arc<OwnedFd>,
}

#[derive(Default)]
struct State {
    sockets: BTreeMap<u64, Watched>,
    happened: VecDeque<u64>,
    /// Whether all threads are woken.
    awake: bool,
}

struct Watched {
    socket: Arc<OwnedFd>,
    /// What is waited for; nothing once it has happened.
    flags: PollFlags,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Poller {
    pub(crate) fn new() -> io::Result<Poller> {
        let bell = UdpSocket::bind("127.0.0.1:0")?;
        bell.connect(bell.local_addr()?)?;
        bell.set_nonblocking(true)?;
        let bell = Arc::new(OwnedFd::from(bell));
        Ok(Poller { turn: Mutex::default(), state: Mutex::default(), bell })
    }

    /// Waits for a socket from now on.
    pub(crate) fn add(&self, socket: &Arc<OwnedFd>, token: u64) -> io::Result<()> {
        let watched = Watched { socket: socket.clone(), flags: PollFlags::IN };
        lock(&self.state).sockets.insert(token, watched);
        self.ring();
        Ok(())
    }

    /// Waits for it again after something has happened; also until it can be written to.
    pub(crate) fn resume(&self, token: u64, write: bool) {
        if let Some(watched) = lock(&self.state).sockets.get_mut(&token) {
            watched.flags = PollFlags::IN;
            watched.flags.set(PollFlags::OUT, write);
        }
        self.ring();
    }

    /// Waits for a socket no longer.
    pub(crate) fn remove(&self, _: &Arc<OwnedFd>, token: u64) {
        lock(&self.state).sockets.remove(&token);
        self.ring();
    }

    /// Has whoever polls look at the sockets again. That it can not be told so means that
    /// it has been often enough.
    fn ring(&self) {
        let _ = sys::send(self.bell.as_fd(), &[io::IoSlice::new(&[1])]);
    }

    /// Waits until something happens.
    pub(crate) fn wait(&self) -> io::Result<Happened> {
        let _turn = lock(&self.turn);
        loop {
            let watched: Vec<_> = {
                let mut state = lock(&self.state);
                if state.awake {
                    return Ok(Happened { token: WAKE });
                }
                if let Some(token) = state.happened.pop_front() {
                    return Ok(Happened { token });
                }
                let armed = state.sockets.iter().filter(|(_, one)| !one.flags.is_empty());
                armed.map(|(token, one)| (*token, one.socket.clone(), one.flags)).collect()
            };
            let mut fds =
                vec![PollFd::from_borrowed_fd(sys::as_socket(self.bell.as_fd())?, PollFlags::IN)];
            for (_, socket, flags) in &watched {
                fds.push(PollFd::from_borrowed_fd(sys::as_socket(socket.as_fd())?, *flags));
            }
            match poll(&mut fds, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            if !fds[0].revents().is_empty() {
                let mut buffer = [0; 16];
                let mut slices = [io::IoSliceMut::new(&mut buffer)];
                while sys::receive(self.bell.as_fd(), &mut slices, false).is_ok() {}
            }
            let mut state = lock(&self.state);
            for ((token, ..), fd) in watched.iter().zip(&fds[1..]) {
                if !fd.revents().is_empty()
                    && let Some(watched) = state.sockets.get_mut(token)
                {
                    watched.flags = PollFlags::empty();
                    state.happened.push_back(*token);
                }
            }
        }
    }

    /// Wakes all threads that wait, and that will, with the token [`WAKE`].
    pub(crate) fn wake(&self) {
        lock(&self.state).awake = true;
        self.ring();
    }

    /// Wakes them no longer.
    pub(crate) fn sleep(&self) {
        lock(&self.state).awake = false;
    }
}
