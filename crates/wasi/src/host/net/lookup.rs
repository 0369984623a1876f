//! Looking up the addresses of names.
//!
//! The system's resolver waits, where neither interruptions nor timeouts reach it. So it
//! is asked by threads, a few for each guest, and whoever wants the answer waits for an
//! event. A question that nobody waits for any more is not asked.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::domain::HostName;
use super::socket::Purpose;
use crate::host::sys::Event;
use crate::host::{Host, Result};

/// The threads that look names up for a guest at once, at most.
const THREADS: usize = 4;

/// Asks for the addresses of names.
#[derive(Default)]
pub(crate) struct Resolver(Arc<Mutex<Questions>>);

#[derive(Default)]
struct Questions {
    waiting: VecDeque<Weak<Question>>,
    threads: usize,
}

/// A question, and its answer when it is known.
struct Question {
    name: String,
    answer: OnceLock<io::Result<Vec<IpAddr>>>,
    answered: Event,
}

/// What is being looked up.
#[derive(Clone)]
pub(crate) struct Lookup(State);

#[derive(Clone)]
enum State {
    Known(Vec<IpAddr>),
    Asked(Arc<Question>),
}

fn lock(questions: &Mutex<Questions>) -> MutexGuard<'_, Questions> {
    questions.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Resolver {
    /// Asks for the addresses of a name.
    pub(crate) fn look_up(&self, host: &Host, name: &HostName, purpose: Purpose) -> Result<Lookup> {
        host.require(purpose.capability())?;
        let name = match name {
            HostName::Address(address) => return Ok(Lookup(State::Known(vec![*address]))),
            HostName::Domain(name) => name.clone(),
        };
        let answered = Event::new()?;
        let question = Arc::new(Question { name, answer: OnceLock::new(), answered });
        let mut questions = lock(&self.0);
        questions.waiting.retain(|question| question.strong_count() > 0);
        if questions.threads < THREADS {
            let all = self.0.clone();
            let thread = std::thread::Builder::new().name(String::from("lookup"));
            match thread.spawn(move || answer(&all)) {
                Ok(_) => questions.threads += 1,
                // Those that there are will do.
                Err(_) if questions.threads > 0 => {}
                Err(error) => return Err(error.into()),
            }
        }
        questions.waiting.push_back(Arc::downgrade(&question));
        Ok(Lookup(State::Asked(question)))
    }
}

/// Answers questions until there are none.
fn answer(all: &Mutex<Questions>) {
    loop {
        let question = {
            let mut questions = lock(all);
            let Some(question) = questions.waiting.pop_front() else {
                questions.threads -= 1;
                return;
            };
            question.upgrade()
        };
        let Some(question) = question else { continue };
        let _ = question.answer.set(addresses(&question.name));
        question.answered.set();
    }
}

fn addresses(name: &str) -> io::Result<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    for address in (name, 0).to_socket_addrs()? {
        let ip = address.ip().to_canonical();
        if !addresses.contains(&ip) {
            addresses.push(ip);
        }
    }
    Ok(addresses)
}

impl Lookup {
    /// The addresses, in the order in which they should be tried; none while they are
    /// not known yet.
    pub(crate) fn addresses(&self) -> Option<io::Result<&[IpAddr]>> {
        match &self.0 {
            State::Known(addresses) => Some(Ok(addresses)),
            State::Asked(question) => question.answer.get().map(|answer| match answer {
                Ok(addresses) => Ok(&addresses[..]),
                Err(error) => Err(copy(error)),
            }),
        }
    }

    /// What is set when the addresses are known, if they are not known from the start.
    pub(crate) fn event(&self) -> Option<&Event> {
        match &self.0 {
            State::Known(_) => None,
            State::Asked(question) => Some(&question.answered),
        }
    }
}

/// An error like another.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capabilities;
    use crate::host::Failure;
    use crate::host::poll::Waiter;

    fn wait(host: &Host, lookup: &Lookup) {
        let mut waiter = Waiter::new(host);
        if let Some(event) = lookup.event() {
            let index = waiter.add_event(event);
            while waiter.ready(index).is_none() {
                waiter.wait(Some(10_000_000_000)).unwrap();
            }
        }
    }

    fn look_up(host: &Host, resolver: &Resolver, name: &str) -> Lookup {
        resolver.look_up(host, &HostName::parse(name).unwrap(), Purpose::Guest).unwrap()
    }

    #[test]
    fn names_are_looked_up_by_threads() {
        let host = Host::new(Capabilities::NET);
        let resolver = Resolver::default();
        let known = look_up(&host, &resolver, "10.1.2.3");
        assert_eq!(known.addresses().unwrap().unwrap(), ["10.1.2.3".parse::<IpAddr>().unwrap()]);
        let lookups: Vec<_> = (0..40).map(|_| look_up(&host, &resolver, "localhost")).collect();
        assert!(lock(&resolver.0).threads <= THREADS);
        for lookup in &lookups {
            wait(&host, lookup);
            let addresses = lookup.addresses().unwrap().unwrap();
            assert!(!addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback));
        }
    }

    #[test]
    fn a_name_of_nobody_is_an_error() {
        let host = Host::new(Capabilities::NET);
        let resolver = Resolver::default();
        let lookup = look_up(&host, &resolver, "no-such-host.invalid");
        wait(&host, &lookup);
        assert!(lookup.addresses().unwrap().is_err());
    }

    #[test]
    fn looking_up_takes_a_capability() {
        let host = Host::new(Capabilities::HTTP);
        let name = HostName::parse("127.0.0.1").unwrap();
        let resolver = Resolver::default();
        let refused = resolver.look_up(&host, &name, Purpose::Guest);
        assert!(matches!(refused, Err(Failure::Refused)));
        assert!(resolver.look_up(&host, &name, Purpose::Http).is_ok());
    }
}
