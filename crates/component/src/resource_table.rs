//! Where a host keeps what its resources stand for.

use crate::Resource;

/// Values by number, some of them children of others.
#[derive(Default)]
pub struct ResourceTable {}

/// Why a table refused.
#[derive(Debug, PartialEq, Eq)]
pub enum ResourceTableError {
    /// As many entries as there may be.
    Full,
    /// There is no such entry.
    NotPresent,
    /// The entry is of another type.
    WrongType,
    /// Others still depend on it.
    HasChildren,
}

impl std::fmt::Display for ResourceTableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full => "the table of resources is full",
            Self::NotPresent => "there is no such resource",
            Self::WrongType => "the resource is of another type",
            Self::HasChildren => "the resource has children",
        })
    }
}

impl std::error::Error for ResourceTableError {}

impl ResourceTable {
    /// An empty table.
    pub fn new() -> ResourceTable {
        ResourceTable::default()
    }

    /// Adds a value.
    ///
    /// # Errors
    ///
    /// If the table is full.
    pub fn push<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>, ResourceTableError> {
        let _ = value;
        todo!()
    }

    /// Adds a value that depends on another, which cannot be deleted before it.
    ///
    /// # Errors
    ///
    /// If the table is full or has no such parent.
    pub fn push_child<T: Send + 'static, U: 'static>(
        &mut self,
        value: T,
        parent: &Resource<U>,
    ) -> Result<Resource<T>, ResourceTableError> {
        let _ = (value, parent);
        todo!()
    }

    /// A value.
    ///
    /// # Errors
    ///
    /// If there is none of this type.
    pub fn get<T: 'static>(&self, key: &Resource<T>) -> Result<&T, ResourceTableError> {
        let _ = key;
        todo!()
    }

    /// A value, to be changed.
    ///
    /// # Errors
    ///
    /// If there is none of this type.
    pub fn get_mut<T: 'static>(&mut self, key: &Resource<T>) -> Result<&mut T, ResourceTableError> {
        let _ = key;
        todo!()
    }

    /// Takes a value out.
    ///
    /// # Errors
    ///
    /// If there is none of this type, or others depend on it.
    pub fn delete<T: 'static>(&mut self, resource: Resource<T>) -> Result<T, ResourceTableError> {
        let _ = resource;
        todo!()
    }
}
