//! What a guest may ask of the machine.
//!
//! One function per operation, in terms of the host (`std::io::Error`, borrowed
//! descriptors, nanoseconds), so that a capability is checked in one place and
//! several ABIs can stand on the same layer. What is particular to Unix is
//! confined to this directory.

pub(crate) mod clocks;
pub(crate) mod fs;
pub(crate) mod poll;
pub(crate) mod random;
pub(crate) mod stdio;
