//! A table of things by keys that are never given again while anyone may still have one:
//! each place counts how often it was filled.

/// Names something in a [`Slab`], as long as it is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    place: u32,
    /// How often the place had been filled.
    filled: u32,
}

impl Key {
    /// As a number.
    pub(crate) fn bits(self) -> u64 {
        u64::from(self.place) | u64::from(self.filled) << 32
    }

    /// Where it is in its table, which nothing else that is there now is.
    pub(crate) fn place(self) -> usize {
        self.place as usize
    }

    pub(crate) fn from_bits(bits: u64) -> Key {
        Key { place: bits as u32, filled: (bits >> 32) as u32 }
    }
}

#[derive(Debug)]
enum Place<T> {
    /// The next free place.
    Free(u32),
    Full(T),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<(u32, Place<T>)>,
    /// The first free place, or how many there are.
    free: u32,
    count: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab { places: Vec::new(), free: 0, count: 0 }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, value: T) -> Key {
        self.insert_with(|_| value)
    }

    /// Adds what is made with its key.
    pub(crate) fn insert_with(&mut self, make: impl FnOnce(Key) -> T) -> Key {
        self.count += 1;
        let at = self.free;
        match self.places.get_mut(at as usize) {
            Some((filled, place)) => {
                let key = Key { place: at, filled: filled.wrapping_add(1) };
                if let Place::Free(next) = std::mem::replace(place, Place::Full(make(key))) {
                    self.free = next;
                }
                *filled = key.filled;
                key
            }
            None => {
                let key = Key { place: at, filled: 0 };
                self.places.push((0, Place::Full(make(key))));
                self.free = at + 1;
                key
            }
        }
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        match self.places.get(key.place as usize) {
            Some((filled, Place::Full(value))) if *filled == key.filled => Some(value),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.places.get_mut(key.place as usize) {
            Some((filled, Place::Full(value))) if *filled == key.filled => Some(value),
            _ => None,
        }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        let place = &mut self.places[key.place as usize].1;
        match std::mem::replace(place, Place::Free(self.free)) {
            Place::Full(value) => {
                self.free = key.place;
                self.count -= 1;
                Some(value)
            }
            Place::Free(_) => None,
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.places.iter().enumerate().filter_map(|(at, (filled, place))| match place {
            Place::Full(value) => Some((Key { place: at as u32, filled: *filled }, value)),
            Place::Free(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_one_value() {
        let mut slab = Slab::default();
        let one = slab.insert(1);
        let two = slab.insert(2);
        assert_eq!(slab.remove(one), Some(1));
        assert_eq!(slab.remove(one), None);
        let three = slab.insert(3);
        assert_eq!(slab.get(one), None);
        assert_eq!((slab.get(two), slab.get(three), slab.len()), (Some(&2), Some(&3), 2));
        assert_eq!(slab.iter().count(), 2);
    }
}
