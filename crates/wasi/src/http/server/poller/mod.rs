//! Waiting for many sockets at once, in several threads: each event wakes one of them.
//!
//! An event says that something has changed since the last one, and not that there is
//! something. So a connection costs no call of the system but those that receive and send,
//! where the system can do that.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(test, not(any(target_os = "linux", target_os = "android"))))]
mod others;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use linux::Poller;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use others::Poller;

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Happened {
    pub token: u64,
}

/// The token of the event that wakes all threads.
pub(super) const WAKE: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::sys::OwnedFd;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;

    /// The same for each kind of poller.
    macro_rules! check {
        ($name:ident, $poller:ty) => {
            #[test]
            fn $name() {
                let poller = <$poller>::new().unwrap();
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                let server = Arc::new(OwnedFd::from(listener.accept().unwrap().0));
                poller.add(&server, 7).unwrap();
                let bytes = std::thread::scope(|scope| {
                    // That it can be written to, or that there is something to read.
                    client.write_all(b"x").unwrap();
                    assert_eq!(poller.wait().unwrap().token, 7);
                    poller.resume(7, false);
                    let waiting = scope.spawn(|| {
                        loop {
                            let Happened { token } = poller.wait().unwrap();
                            let mut buffer = [0; 9];
                            let mut slices = [std::io::IoSliceMut::new(&mut buffer)];
                            let fd = crate::host::sys::AsFd::as_fd(&*server);
                            let got = crate::host::sys::receive(fd, &mut slices, false);
                            if let Ok(len @ 2..) = got {
                                break len;
                            }
                            poller.resume(token, false);
                        }
                    });
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    client.write_all(b"more").unwrap();
                    waiting.join().unwrap()
                });
                assert!(bytes >= 2);
                poller.wake();
                assert_eq!(poller.wait().unwrap().token, WAKE);
                assert_eq!(poller.wait().unwrap().token, WAKE);
                poller.sleep();
                poller.remove(&server, 7);
            }
        };
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    check!(changes_are_told_by_epoll, linux::Poller);
    check!(changes_are_told_by_poll, others::Poller);
}
