//! How many bytes of large bodies are in memory at once: those that are on their way, and those that are being read.
//!
//! A body that its limit allows may be large, and a person may send many at once, slowly. Knows bytes and people, and no body.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;

/// The bytes of all large bodies that are held, and of those by person. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct BodyBudget {
    bytes_max: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_person: BTreeMap<Arc<str>, usize>,
}

/// The bytes that one body holds; they are free again when it is dropped.
#[derive(Debug)]
pub(crate) struct BodyShare {
    budget: BodyBudget,
    person: Arc<str>,
    bytes: usize,
}

impl BodyBudget {
    /// Room for `bytes_max` bytes, of which a person has half.
    pub(crate) fn new(bytes_max: usize) -> BodyBudget {
        BodyBudget { bytes_max, taken: Arc::default() }
    }

    /// The share of a body of `person`, which holds nothing yet.
    pub(crate) fn share(&self, person: &Arc<str>) -> BodyShare {
        BodyShare { budget: self.clone(), person: Arc::clone(person), bytes: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().expect("nobody panics while counting bytes")
    }
}

impl BodyShare {
    /// Has the share hold so many bytes in all; returns whether there is room for them.
    #[must_use]
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let mut taken = self.budget.lock();
        let of_person = taken.by_person.get(&self.person).copied().unwrap_or_default();
        // One body alone has all the room that its own limit gives it.
        let is_alone = taken.all == self.bytes;
        let is_too_much =
            taken.all + more > self.budget.bytes_max || of_person + more > self.budget.bytes_max / 2;
        if is_too_much && !is_alone {
            return false;
        }
        taken.all += more;
        taken.by_person.insert(Arc::clone(&self.person), of_person + more);
        self.bytes += more;
        true
    }
}

impl Drop for BodyShare {
    fn drop(&mut self) {
        let mut taken = self.budget.lock();
        taken.all -= self.bytes;
        if let Some(of_person) = taken.by_person.get_mut(&self.person) {
            *of_person -= self.bytes;
            if *of_person == 0 {
                taken.by_person.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_holds_half_of_the_room_and_gives_it_back() {
        let budget = BodyBudget::new(100);
        let (alice, bob) = (Arc::from("alice"), Arc::from("bob"));
        let (mut one, mut two) = (budget.share(&alice), budget.share(&alice));
        assert!(one.grow(30) && one.grow(40));
        assert!(!two.grow(11) && two.grow(10));
        let (mut three, mut four) = (budget.share(&bob), budget.share(&Arc::from("carol")));
        assert!(three.grow(50));
        assert!(!four.grow(1));
        drop(one);
        assert!(four.grow(40) && !four.grow(41) && two.grow(10));
        drop((three, four));
        assert!(two.grow(1_000), "one that is alone is as long as it may be");
        drop(two);
        assert!(budget.lock().by_person.is_empty() && budget.lock().all == 0);
    }
}
