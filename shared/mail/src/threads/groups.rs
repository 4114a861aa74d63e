//! Things that are joined, and can be taken apart again: disjoint sets, each of which is also a
//! ring of its things.

/// Numbered things in groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    things: Vec<Thing>,
}

#[derive(Clone, Copy, Debug)]
struct Thing {
    /// What it hangs from; itself at the top.
    above: u32,
    /// At the top, how many are in the group.
    size: u32,
    /// The next one of the group; the last one's is the first.
    next: u32,
}

impl Groups {
    /// A new thing, in a group of its own.
    pub(super) fn add(&mut self) -> u32 {
        let number = u32::try_from(self.things.len()).unwrap_or(u32::MAX);
        self.things.push(Thing::alone(number));
        number
    }

    /// The thing that stands for a group.
    pub(super) fn top(&self, mut thing: u32) -> u32 {
        // Smaller groups hang from larger ones, so that this takes few steps.
        loop {
            let above = self.thing(thing).above;
            if above == thing {
                return thing;
            }
            thing = above;
        }
    }

    /// Makes two groups one.
    pub(super) fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.top(one), self.top(other));
        if one == other {
            return;
        }
        let is_larger = self.thing(one).size >= self.thing(other).size;
        let (top, below) = if is_larger { (one, other) } else { (other, one) };
        let (first, second) = (self.thing(top).next, self.thing(below).next);
        let size = self.thing(top).size + self.thing(below).size;
        *self.thing_mut(top) = Thing { above: top, size, next: second };
        *self.thing_mut(below) = Thing { above: top, size: 0, next: first };
    }

    /// All of a thing's group, itself first.
    pub(super) fn group(&self, thing: u32) -> impl Iterator<Item = u32> {
        let ring = std::iter::successors(Some(thing), |at| Some(self.thing(*at).next));
        std::iter::once(thing).chain(ring.skip(1).take_while(move |at| *at != thing))
    }

    /// Takes things apart; all of each of their groups must be among them.
    pub(super) fn part(&mut self, things: &[u32]) {
        for thing in things {
            *self.thing_mut(*thing) = Thing::alone(*thing);
        }
    }

    fn thing(&self, number: u32) -> &Thing {
        &self.things[number as usize]
    }

    fn thing_mut(&mut self, number: u32) -> &mut Thing {
        &mut self.things[number as usize]
    }
}

impl Thing {
    fn alone(number: u32) -> Self {
        Self { above: number, size: 1, next: number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(groups: &Groups, thing: u32) -> Vec<u32> {
        let mut group: Vec<u32> = groups.group(thing).collect();
        assert_eq!(group[0], thing);
        group.sort_unstable();
        group
    }

    #[test]
    fn what_is_joined_is_one_group_until_it_is_taken_apart() {
        let mut groups = Groups::default();
        let things: Vec<u32> = (0..6).map(|_| groups.add()).collect();
        assert_eq!(group(&groups, 3), [3]);
        groups.join(0, 1);
        groups.join(2, 3);
        groups.join(1, 3);
        groups.join(0, 2);
        groups.join(5, 5);
        for thing in 0..4 {
            assert_eq!(group(&groups, thing), [0, 1, 2, 3]);
            assert_eq!(groups.top(thing), groups.top(0));
        }
        assert_eq!((group(&groups, 4), group(&groups, 5)), (vec![4], vec![5]));
        groups.part(&things[..4]);
        groups.join(1, 4);
        assert_eq!((group(&groups, 0), group(&groups, 4)), (vec![0], vec![1, 4]));
    }
}
