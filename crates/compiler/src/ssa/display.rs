//! SSA as text, for listings and filetests.

use super::Func;
use std::fmt::{self, Display, Formatter};

impl Display for Func {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let _ = f;
        todo!()
    }
}
