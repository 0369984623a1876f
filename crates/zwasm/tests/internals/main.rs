//! What is inside: the code that is made of small modules, the forms it is made from, and
//! the layers of the sources.

mod filetests;
mod layers;
mod ssa;
