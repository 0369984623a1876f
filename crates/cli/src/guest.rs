//! What a store knows of the guest that it is for.

#[cfg(feature = "component")]
use zwasm_component::ResourceTable;
use zwasm_wasi::WasiCtx;
#[cfg(feature = "component")]
use zwasm_wasi::p2::{WasiCtxView, WasiView};

/// The data of a store, whether modules are in it or components: so there is one kind of
/// store.
pub struct Guest {
    pub wasi: WasiCtx,
    /// What components have open. Modules have theirs in the context.
    #[cfg(feature = "component")]
    table: ResourceTable,
}

impl Guest {
    pub fn new(wasi: WasiCtx) -> Self {
        Self {
            wasi,
            #[cfg(feature = "component")]
            table: ResourceTable::new(),
        }
    }
}

/// The guest in another thread of a module.
impl Clone for Guest {
    fn clone(&self) -> Self {
        Self::new(self.wasi.clone())
    }
}

#[cfg(feature = "component")]
impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
