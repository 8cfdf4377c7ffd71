//! Types and tenants of a page: each name once, and small numbers for it.

use hashbrown::HashMap;

/// Names remembered at most; a log may have any number of tenants.
const MOST_REMEMBERED: usize = 50_000;

/// The names met so far, and where each stands in the page's list.
#[derive(Default)]
pub(super) struct Slots {
    met: HashMap<Box<str>, Slot>,
    page: u64,
    /// The name before: most events have the type or tenant of a neighbour.
    last: (String, u32),
}

struct Slot {
    /// The page that the place is good for.
    page: u64,
    place: u32,
}

impl Slots {
    /// Begins a page, with an empty list.
    pub(super) fn begin_page(&mut self) {
        self.page += 1;
        self.last = (String::new(), u32::MAX);
        if self.met.len() > MOST_REMEMBERED {
            self.met.clear();
        }
    }

    /// The place of a name in the page's list, where it is put if it is new.
    #[inline]
    pub(super) fn place(&mut self, name: &str, list: &mut Vec<String>) -> u32 {
        if self.last.1 != u32::MAX && self.last.0 == name {
            return self.last.1;
        }
        let place = self.find(name, list);
        self.last.0.clear();
        self.last.0.push_str(name);
        self.last.1 = place;
        place
    }

    fn find(&mut self, name: &str, list: &mut Vec<String>) -> u32 {
        let next = list.len() as u32;
        let slot = match self.met.get_mut(name) {
            Some(slot) if slot.page == self.page => return slot.place,
            Some(slot) => slot,
            None => self
                .met
                .entry(name.into())
                .insert(Slot { page: 0, place: 0 })
                .into_mut(),
        };
        *slot = Slot {
            page: self.page,
            place: next,
        };
        list.push(name.to_owned());
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_in_each_pages_list() {
        let mut slots = Slots::default();
        for _ in 0..2 {
            let mut list = Vec::new();
            slots.begin_page();
            let places: Vec<u32> = ["b", "b", "", "b", "a"]
                .iter()
                .map(|name| slots.place(name, &mut list))
                .collect();
            assert_eq!(places, [0, 0, 1, 0, 2]);
            assert_eq!(list, ["b", "", "a"]);
        }
    }
}
