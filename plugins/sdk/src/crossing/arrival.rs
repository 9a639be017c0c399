//! Reads the flat lists of a call: bundles, settings and uses, one after another.
//!
//! Knows that a sandbox lives for one call, and is discarded with all its memory: so texts stay where they are for good.

use std::vec::IntoIter;

use crate::Consumption;
use crate::Package;
use crate::Resource;
use crate::Rules;
use crate::Text;
use crate::bindings::exports::perennial::provider::types::Accounts;
use crate::bindings::exports::perennial::provider::types::Bundles;
use crate::bindings::exports::perennial::provider::types::Member;
use crate::bindings::exports::perennial::provider::types::Pair;
use crate::bindings::exports::perennial::provider::usage;

/// The words of a call.
#[derive(Clone, Copy)]
pub struct Words(&'static [String]);

impl Words {
    /// Keeps the words for as long as there is memory.
    pub fn keep(words: Vec<String>) -> Words {
        Words(words.leak())
    }

    fn get(self, word: u32) -> &'static str {
        &self.0[word as usize]
    }

    fn text(self, word: u32) -> Text {
        Text::Borrowed(self.get(word))
    }
}

/// The settings of each account of a call, as the rules use them.
pub fn settings<R: Rules>(words: Words, accounts: Accounts) -> Vec<R::Settings> {
    let mut pairs = accounts.settings.into_iter();
    let own = |count: u32| {
        let own = pairs.by_ref().take(count as usize);
        let own = own.map(|pair| (words.get(pair.name).to_owned(), words.get(pair.value).to_owned()));
        R::settings(&own.collect::<Vec<_>>())
    };
    accounts.counts.into_iter().map(own).collect()
}

/// The bundles of a call, from the first to the last.
pub struct BundleReader {
    words: Words,
    counts: IntoIter<u32>,
    members: IntoIter<Member>,
    attributes: IntoIter<Pair>,
    /// The ids of the members that were not read yet.
    ids: &'static str,
}

impl BundleReader {
    /// Starts before the first bundle.
    pub fn of(words: Words, bundles: Bundles) -> BundleReader {
        BundleReader {
            words,
            counts: bundles.counts.into_iter(),
            members: bundles.members.into_iter(),
            attributes: bundles.attributes.into_iter(),
            ids: bundles.ids.leak(),
        }
    }

    /// Puts the members of the next bundle in the place of those in `bundle`.
    pub fn read(&mut self, bundle: &mut Vec<Resource>) {
        bundle.clear();
        let count = self.counts.next().expect("the host sends a bundle for each request");
        for _ in 0..count {
            let member = self.members.next().expect("the host counts the members that it sends");
            let resource = self.resource(member);
            bundle.push(resource);
        }
    }

    fn resource(&mut self, member: Member) -> Resource {
        let (id, ids) = self.ids.split_at(member.id_bytes as usize);
        self.ids = ids;
        let words = self.words;
        let attributes = self.attributes.by_ref().take(member.attributes as usize);
        Resource {
            id: Text::Borrowed(id),
            kind: words.text(member.kind),
            attached_to: member.attached_to,
            charging: member.charging,
            stage: member.stage,
            started_at: member.started_at,
            expires_at: member.expires_at,
            anchor_day: member.anchor_day,
            term: member.term,
            on_expiry: member.on_expiry,
            renewals_left: member.renewals_left,
            renewal_term: member.renewal_term,
            has_unpaid_order: member.has_unpaid_order,
            attributes: attributes.map(|pair| (words.text(pair.name), words.text(pair.value))).collect(),
        }
    }
}

/// A use, with its packages, which are the next of `packages`.
pub fn consumption(
    words: Words,
    consumption: usage::Consumption,
    packages: &mut IntoIter<Package>,
) -> Consumption {
    Consumption {
        at: consumption.at,
        resource_type: words.text(consumption.resource_type),
        amount: consumption.amount,
        packages: packages.take(consumption.packages as usize).collect(),
    }
}
