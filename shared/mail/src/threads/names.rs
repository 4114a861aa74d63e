//! Which ids count, and names of people that many messages share.

use std::{collections::HashSet, rc::Rc};

/// Who wrote: each is held once, for as long as there is a message of theirs.
#[derive(Debug, Default)]
pub(super) struct People {
    labels: HashSet<Rc<str>>,
}

impl People {
    pub(super) fn share(&mut self, label: &str) -> Rc<str> {
        if let Some(known) = self.labels.get(label) {
            return Rc::clone(known);
        }
        let label: Rc<str> = label.into();
        self.labels.insert(Rc::clone(&label));
        label
    }

    /// Takes one back; the last that is taken back is forgotten.
    pub(super) fn release(&mut self, label: Rc<str>) {
        // It, and the one that is held here.
        if Rc::strong_count(&label) <= 2 {
            self.labels.remove(&label);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }
}

/// Whether an id can be that of one message. What has no "@" between two parts, such as the `null`
/// of a program that had none, is named by strangers as well.
pub(super) fn is_plausible(id: &str) -> bool {
    let mut parts = id.split('@');
    let has_two = parts.next().is_some_and(|part| !part.is_empty())
        && parts.next_back().is_some_and(|part| !part.is_empty());
    has_two && !id.contains(|own: char| own.is_whitespace() || own.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_something_on_both_sides_of_its_at_sign() {
        for id in ["a@b", "1.2$x@[10.0.0.1]", "a@b@c", "\u{e9}@b"] {
            assert!(is_plausible(id), "{id}");
        }
        for id in ["", "null", "@", "a@", "@b", "a b@c", "a@b\t", "12345.example.org"] {
            assert!(!is_plausible(id), "{id}");
        }
    }

    #[test]
    fn who_writes_no_more_is_forgotten() {
        let mut people = People::default();
        let (one, other) = (people.share("Ada"), people.share("Ada"));
        assert!(Rc::ptr_eq(&one, &other));
        people.release(one);
        assert_eq!(people.len(), 1);
        people.release(other);
        assert_eq!(people.len(), 0);
    }
}
