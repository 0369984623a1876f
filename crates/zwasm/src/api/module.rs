//! What modules tell of themselves: imports, exports, sizes.

use std::ops::Range;

use super::types::ExternType;
use crate::module::{Entity, Module};
use crate::types::MemoryType;

impl Module {
    /// The imports in order.
    pub fn imports<'module>(
        &'module self,
    ) -> impl ExactSizeIterator<Item = ImportType<'module>> + 'module {
        self.inner().imports.iter().map(|import| ImportType {
            module: &import.module,
            name: &import.name,
            ty: self.entity_type(import.entity),
        })
    }

    /// The exports in order.
    pub fn exports<'module>(
        &'module self,
    ) -> impl ExactSizeIterator<Item = ExportType<'module>> + 'module {
        self.inner()
            .exports
            .iter()
            .map(|export| ExportType { name: &export.name, ty: self.entity_type(export.entity) })
    }

    /// The type of the export with this name.
    pub fn get_export(&self, name: &str) -> Option<ExternType> {
        self.inner().export(name).map(|entity| self.entity_type(entity))
    }

    /// The number of the export with this name, which finds it in instances of the module
    /// without a look at names.
    pub fn get_export_index(&self, name: &str) -> Option<ModuleExport> {
        Some(ModuleExport { entity: self.inner().export(name)?, module: self.clone() })
    }

    fn entity_type(&self, entity: Entity) -> ExternType {
        ExternType::of(self.engine(), self.inner().entity_type(entity))
    }

    /// What an instance of the module takes of memories and tables.
    pub fn resources_required(&self) -> ResourcesRequired {
        let inner = self.inner();
        let memories = &inner.memories[inner.imported_memories as usize..];
        let tables = &inner.tables[inner.imported_tables as usize..];
        ResourcesRequired {
            num_memories: memories.len() as u32,
            max_initial_memory_size: memories.iter().map(MemoryType::minimum).max(),
            num_tables: tables.len() as u32,
            max_initial_table_size: tables.iter().map(|ty| ty.minimum()).max(),
        }
    }

    /// Where the module's bytes are in memory. Machine code is elsewhere, and made when it is
    /// worth it.
    pub fn image_range(&self) -> Range<*const u8> {
        self.binary().as_ptr_range()
    }

    /// The module in its binary form.
    pub fn debug_bytecode(&self) -> Option<&[u8]> {
        Some(self.binary())
    }

    /// Prepares initial memories for fast instantiation: there is nothing to prepare.
    ///
    /// # Errors
    ///
    /// None.
    pub fn initialize_copy_on_write_image(&self) -> crate::Result<()> {
        Ok(())
    }
}

/// An import of a module.
#[derive(Clone, Debug)]
pub struct ImportType<'module> {
    module: &'module str,
    name: &'module str,
    ty: ExternType,
}

impl<'module> ImportType<'module> {
    /// The name of the module imported from.
    pub fn module(&self) -> &'module str {
        self.module
    }

    /// The name of what is imported.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// Its type.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

/// An export of a module.
#[derive(Clone, Debug)]
pub struct ExportType<'module> {
    name: &'module str,
    ty: ExternType,
}

impl<'module> ExportType<'module> {
    /// The export's name.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// Its type.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

/// An export of a module, by number; see [`Module::get_export_index`].
#[derive(Clone, Debug)]
pub struct ModuleExport {
    module: Module,
    entity: Entity,
}

impl ModuleExport {
    /// What is exported, if it is this module that exports it.
    pub(super) fn of(&self, module: &Module) -> Option<Entity> {
        Module::same(&self.module, module).then_some(self.entity)
    }
}

/// What an instance takes, see [`Module::resources_required`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourcesRequired {
    /// How many memories are made.
    pub num_memories: u32,
    /// Pages of the one that is largest at first.
    pub max_initial_memory_size: Option<u64>,
    /// How many tables are made.
    pub num_tables: u32,
    /// Elements of the one that is largest at first.
    pub max_initial_table_size: Option<u64>,
}
