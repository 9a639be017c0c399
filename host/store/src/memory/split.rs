//! Dividing a store in memory into stores of some of its accounts each, which share nothing.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::keys::AccountKey;
use crate::memory::MemoryStore;

impl MemoryStore {
    /// At most `parts` stores, at least one, that together hold what this one does: each account whole in one of them, and
    /// about as many bundles in each. Everything keeps its key.
    ///
    /// What is added later to one of them is not known to the others: a package that is bought may have an id there that
    /// another has already.
    pub fn split(self, parts: usize) -> Vec<MemoryStore> {
        let mut sizes = self.accounts.keys().map(|key| (*key, 0_usize)).collect::<HashMap<_, _>>();
        for stored in self.bundles.values() {
            *sizes.entry(stored.account).or_default() += 1;
        }
        let mut by_size = sizes.into_iter().collect::<Vec<_>>();
        by_size.sort_by_key(|(account, size)| (Reverse(*size), *account));
        let count = parts.min(by_size.len()).max(1);
        let mut loads = vec![0_usize; count];
        let mut part_of = HashMap::new();
        for (account, size) in by_size {
            let lightest = (0..count).min_by_key(|part| loads[*part]).unwrap_or_default();
            loads[lightest] += size;
            part_of.insert(account, lightest);
        }
        self.divide(count, &part_of)
    }

    fn divide(self, count: usize, part_of: &HashMap<AccountKey, usize>) -> Vec<MemoryStore> {
        let mut parts = (0..count).map(|_| self.empty_part()).collect::<Vec<_>>();
        for (account, stored) in self.accounts {
            parts[part_of[&account]].insert_account(stored);
        }
        let mut part_of_resource = HashMap::new();
        // In the order of keys, in which packages are listed.
        let mut bundles = self.bundles.into_iter().collect::<Vec<_>>();
        bundles.sort_unstable_by_key(|(key, _)| *key);
        for (_, stored) in bundles {
            let part = part_of[&stored.account];
            part_of_resource.extend(stored.rows.iter().map(|(_, resource)| (resource, part)));
            parts[part].insert_stored(stored);
        }
        for (resource, attempts) in self.attempts {
            parts[part_of_resource[&resource]].attempts.insert(resource, attempts);
        }
        for (key, purchase) in self.deferred {
            parts[part_of_resource[&purchase.resource]].deferred.insert(key, purchase);
        }
        for (key, failing) in self.failing {
            parts[part_of_resource[&key.primary()]].failing.insert(key, failing);
        }
        for (resource, deferral) in self.deferrals {
            parts[part_of_resource[&resource]].deferrals.insert(resource, deferral);
        }
        for call in self.calls.into_all() {
            let calls = &mut parts[part_of[&call.account]].calls;
            calls.record(call).expect("calls that did not lock each other out do not in a part");
        }
        for (account, spending) in self.spending {
            parts[part_of[&account]].spending.insert(account, spending);
        }
        for (_, stored) in self.approvals {
            parts[part_of_resource[&stored.resource]].insert_stored_approval(stored);
        }
        for ((account, token), used) in self.client_tokens {
            parts[part_of[&account]].client_tokens.insert((account, token), used);
        }
        for (part, books) in self.books.split(count, &part_of_resource).into_iter().enumerate() {
            parts[part].books = books;
        }
        parts
    }

    /// A part that holds no account yet, under the same policies, and with breakers of its own.
    fn empty_part(&self) -> MemoryStore {
        let (policies, breakers) = (self.policies.clone(), self.breakers.clone());
        MemoryStore { policies, breakers, ..MemoryStore::default() }
    }

    /// Whether packages wait to be paid.
    pub fn has_deferred_purchases(&self) -> bool {
        !self.deferred.is_empty()
    }
}
