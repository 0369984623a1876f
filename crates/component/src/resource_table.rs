//! Where a host keeps what its resources stand for.
//!
//! A vector whose free entries are a list within it. An entry that depends on another is
//! its child; a parent is deleted only after its children, so that a child finds it by
//! number for as long as it lives.

use std::any::{Any, TypeId};
use std::collections::BTreeSet;

use crate::Resource;
use crate::tuning::MAX_TABLE_ENTRIES;

/// Values by number, some of them children of others.
///
/// ```
/// use zwasm_component::ResourceTable;
/// let mut table = ResourceTable::new();
/// let parent = table.push("directory")?;
/// let child = table.push_child(1, &parent)?;
/// assert_eq!(*table.get(&child)?, 1);
/// table.delete(child)?;
/// assert_eq!(table.delete(parent)?, "directory");
/// # Ok::<(), zwasm_component::ResourceTableError>(())
/// ```
pub struct ResourceTable {
    entries: Vec<Entry>,
    /// The first free entry, or as many as there are.
    free: usize,
    max: usize,
}

enum Entry {
    /// The next free one.
    Free(usize),
    Used(Used),
}

struct Used {
    value: Box<dyn Any + Send>,
    parent: Option<u32>,
    children: BTreeSet<u32>,
}

/// Why a table refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

use ResourceTableError::{Full, HasChildren, NotPresent, WrongType};

impl std::fmt::Display for ResourceTableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Full => "the table of resources is full",
            NotPresent => "there is no such resource",
            WrongType => "the resource is of another type",
            HasChildren => "the resource has children",
        })
    }
}

impl std::error::Error for ResourceTableError {}

impl Default for ResourceTable {
    fn default() -> ResourceTable {
        ResourceTable { entries: Vec::new(), free: 0, max: MAX_TABLE_ENTRIES }
    }
}

impl std::fmt::Debug for ResourceTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let used = self.entries.iter().enumerate();
        let used = used.filter(|(_, entry)| matches!(entry, Entry::Used(_)));
        f.debug_list().entries(used.map(|(index, _)| index)).finish()
    }
}

impl ResourceTable {
    /// An empty table.
    pub fn new() -> ResourceTable {
        ResourceTable::default()
    }

    /// An empty table with room for so many entries.
    pub fn with_capacity(capacity: usize) -> ResourceTable {
        ResourceTable { entries: Vec::with_capacity(capacity), ..ResourceTable::default() }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.iter().all(|entry| matches!(entry, Entry::Free(_)))
    }

    /// How many entries there may be.
    pub fn max_capacity(&self) -> usize {
        self.max
    }

    /// Says how many entries there may be. Those that there are stay.
    pub fn set_max_capacity(&mut self, max: usize) {
        self.max = max;
    }

    fn used(&self, key: u32) -> Result<&Used, ResourceTableError> {
        match self.entries.get(key as usize) {
            Some(Entry::Used(used)) => Ok(used),
            Some(Entry::Free(_)) | None => Err(NotPresent),
        }
    }

    fn used_mut(&mut self, key: u32) -> Result<&mut Used, ResourceTableError> {
        match self.entries.get_mut(key as usize) {
            Some(Entry::Used(used)) => Ok(used),
            Some(Entry::Free(_)) | None => Err(NotPresent),
        }
    }

    fn insert(
        &mut self,
        value: Box<dyn Any + Send>,
        parent: Option<u32>,
    ) -> Result<u32, ResourceTableError> {
        let entry = Entry::Used(Used { value, parent, children: BTreeSet::new() });
        let at = self.free;
        let key = u32::try_from(at).map_err(|_| Full)?;
        match self.entries.get_mut(at) {
            Some(free) => {
                if let Entry::Free(next) = std::mem::replace(free, entry) {
                    self.free = next;
                }
            }
            None if at >= self.max => return Err(Full),
            None => {
                self.entries.push(entry);
                self.free = at + 1;
            }
        }
        Ok(key)
    }

    /// Adds a value.
    ///
    /// # Errors
    ///
    /// If the table is full.
    pub fn push<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>, ResourceTableError> {
        self.insert(Box::new(value), None).map(Resource::new_own)
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
        self.insert_child(Box::new(value), parent.rep()).map(Resource::new_own)
    }

    fn insert_child(
        &mut self,
        value: Box<dyn Any + Send>,
        parent: u32,
    ) -> Result<u32, ResourceTableError> {
        self.used(parent)?;
        let child = self.insert(value, Some(parent))?;
        self.used_mut(parent)?.children.insert(child);
        Ok(child)
    }

    /// Makes an entry depend on another.
    ///
    /// # Errors
    ///
    /// If there is no such entry, or the child has a parent, which is told as
    /// [`ResourceTableError::HasChildren`].
    pub fn add_child<T: 'static, U: 'static>(
        &mut self,
        child: Resource<T>,
        parent: Resource<U>,
    ) -> Result<(), ResourceTableError> {
        self.used(parent.rep())?;
        let entry = self.used_mut(child.rep())?;
        if entry.parent.is_some() {
            return Err(HasChildren);
        }
        entry.parent = Some(parent.rep());
        self.used_mut(parent.rep())?.children.insert(child.rep());
        Ok(())
    }

    /// Makes an entry depend on its parent no more. It stays in the table.
    ///
    /// # Errors
    ///
    /// If there is no such entry, or it is no child of this parent.
    pub fn remove_child<T: 'static, U: 'static>(
        &mut self,
        child: Resource<T>,
        parent: Resource<U>,
    ) -> Result<(), ResourceTableError> {
        let entry = self.used_mut(child.rep())?;
        if entry.parent != Some(parent.rep()) {
            return Err(NotPresent);
        }
        entry.parent = None;
        self.used_mut(parent.rep())?.children.remove(&child.rep());
        Ok(())
    }

    /// A value.
    ///
    /// # Errors
    ///
    /// If there is none of this type.
    pub fn get<T: 'static>(&self, key: &Resource<T>) -> Result<&T, ResourceTableError> {
        self.used(key.rep())?.value.downcast_ref().ok_or(WrongType)
    }

    /// A value, to be changed.
    ///
    /// # Errors
    ///
    /// If there is none of this type.
    pub fn get_mut<T: 'static>(&mut self, key: &Resource<T>) -> Result<&mut T, ResourceTableError> {
        self.used_mut(key.rep())?.value.downcast_mut().ok_or(WrongType)
    }

    /// A value of whichever type by its number, to be changed.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn get_any_mut(&mut self, key: u32) -> Result<&mut dyn Any, ResourceTableError> {
        Ok(&mut *self.used_mut(key)?.value)
    }

    /// Takes a value out.
    ///
    /// # Errors
    ///
    /// If there is none of this type, or others depend on it; it stays then.
    pub fn delete<T: 'static>(&mut self, resource: Resource<T>) -> Result<T, ResourceTableError> {
        let value = self.take(resource.rep(), TypeId::of::<T>())?;
        value.downcast().map(|value| *value).map_err(|_| WrongType)
    }

    /// Takes a value of a type out.
    fn take(&mut self, key: u32, ty: TypeId) -> Result<Box<dyn Any>, ResourceTableError> {
        let used = self.used(key)?;
        if (*used.value).type_id() != ty {
            return Err(WrongType);
        }
        if !used.children.is_empty() {
            return Err(HasChildren);
        }
        let free = Entry::Free(self.free);
        let Entry::Used(used) = std::mem::replace(&mut self.entries[key as usize], free) else {
            return Err(NotPresent);
        };
        self.free = key as usize;
        if let Some(parent) = used.parent {
            self.used_mut(parent)?.children.remove(&key);
        }
        Ok(used.value)
    }

    /// The values that depend on another.
    ///
    /// # Errors
    ///
    /// If there is no such parent.
    pub fn iter_children<T: 'static>(
        &self,
        parent: &Resource<T>,
    ) -> Result<impl Iterator<Item = &(dyn Any + Send)> + use<'_, T>, ResourceTableError> {
        let children = self.used(parent.rep())?.children.iter();
        Ok(children.filter_map(|&child| self.used(child).ok().map(|used| &*used.value)))
    }

    /// All values, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut (dyn Any + Send)> {
        self.entries.iter_mut().filter_map(|entry| match entry {
            Entry::Used(used) => Some(&mut *used.value),
            Entry::Free(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again_and_kinds_kept_apart() {
        let mut table = ResourceTable::new();
        let a = table.push("a").unwrap();
        let b = table.push(2_u8).unwrap();
        let forged = Resource::<u8>::new_own(a.rep());
        assert_eq!(table.get(&forged), Err(WrongType));
        assert_eq!(table.delete(forged), Err(WrongType));
        assert_eq!(table.get(&a), Ok(&"a"));
        *table.get_mut(&b).unwrap() = 3;
        let number = a.rep();
        assert_eq!(table.delete(a), Ok("a"));
        assert_eq!(table.get(&Resource::<&str>::new_own(number)), Err(NotPresent));
        assert_eq!(table.push('c').unwrap().rep(), number);
        assert_eq!(table.delete(b), Ok(3));
        assert_eq!(table.get(&Resource::<u8>::new_own(u32::MAX)), Err(NotPresent));
    }

    #[test]
    fn children_go_before_parents() {
        let mut table = ResourceTable::new();
        let own = |resource: &Resource<u8>| Resource::<u8>::new_own(resource.rep());
        let parent = table.push(0_u8).unwrap();
        let child = table.push_child(1_u8, &parent).unwrap();
        assert_eq!(table.iter_children(&parent).unwrap().count(), 1);
        assert_eq!(table.delete(own(&parent)), Err(HasChildren));
        table.remove_child(own(&child), own(&parent)).unwrap();
        assert_eq!(table.remove_child(own(&child), own(&parent)), Err(NotPresent));
        table.add_child(own(&child), own(&parent)).unwrap();
        assert_eq!(table.add_child(own(&child), own(&parent)), Err(HasChildren));
        assert_eq!(table.delete(child), Ok(1));
        assert_eq!(table.delete(own(&parent)), Ok(0));
        assert_eq!(table.push_child(1_u8, &parent).map(|_| ()), Err(NotPresent));
        assert!(table.is_empty());
    }

    #[test]
    fn a_table_has_an_end() {
        let mut table = ResourceTable::new();
        table.set_max_capacity(2);
        let a = table.push(1).unwrap();
        table.push(2).unwrap();
        assert_eq!(table.push(3).map(|_| ()), Err(Full));
        table.delete(a).unwrap();
        table.push(3).unwrap();
        assert_eq!(table.iter_mut().count(), 2);
    }
}
