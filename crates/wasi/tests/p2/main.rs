//! WASI 0.2 as components see it.

mod arguments;
#[cfg(feature = "async")]
mod futures;
mod guest;
mod http;
mod sockets;
mod works;

#[cfg(unix)]
mod attacks;
#[cfg(unix)]
#[path = "../attacks/ground.rs"]
mod ground;
