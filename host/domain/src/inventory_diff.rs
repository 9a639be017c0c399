//! What a newer inventory changes of a resource that exists, field by field. Decides; knows no file and no database.
//!
//! The author of the inventory knows what a resource is called, costs and is set to. This host knows what became of it:
//! its stage, and how long it is paid for. So an expiry moves forward only, and what is older than what is here is kept.

use std::collections::BTreeMap;

use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::timestamp::Timestamp;

/// Which fields of a resource a file gives, of those that have a default: what is left out stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The region.
    pub region: bool,
    /// The stage.
    pub stage: bool,
    /// The anchor day.
    pub anchor_day: bool,
    /// What happens on expiry.
    pub on_expiry: bool,
    /// How many automatic renewals are left.
    pub renewals_left: bool,
    /// The term of an automatic renewal.
    pub renewal_term: bool,
}

/// A field that gets another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name in an inventory; `tags.env` is the tag `env`.
    pub field: String,
    /// Its value so far; `None` when it has none.
    pub from: Option<String>,
    /// Its new value.
    pub to: Option<String>,
}

/// A field that keeps its value although the inventory has another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptField {
    /// Its name in an inventory.
    pub field: String,
    /// Its value here.
    pub here: Option<String>,
    /// The inventory's.
    pub there: Option<String>,
    /// Why it is kept, in words.
    pub reason: String,
}

/// What becomes of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceDiff {
    /// The resource afterwards.
    pub after: Resource,
    /// What is another then, in the order of the fields.
    pub changes: Vec<FieldChange>,
    /// What is not, although the inventory says so.
    pub kept: Vec<KeptField>,
}

impl ResourceDiff {
    fn change<T: PartialEq>(
        &mut self,
        field: &str,
        value: T,
        get: impl Fn(&mut Resource) -> &mut T,
        show: impl Fn(&T) -> Option<String>,
    ) {
        let place = get(&mut self.after);
        if *place != value {
            let (from, to) = (show(place), show(&value));
            *place = value;
            self.changes.push(FieldChange { field: field.to_owned(), from, to });
        }
    }

    fn keep(&mut self, field: &str, here: Option<String>, there: Option<String>, reason: &str) {
        if here != there {
            self.kept.push(KeptField { field: field.to_owned(), here, there, reason: reason.to_owned() });
        }
    }

    fn change_named(
        &mut self,
        group: &str,
        named: &BTreeMap<String, String>,
        get: impl Fn(&mut Resource) -> &mut BTreeMap<String, String>,
    ) {
        for (name, value) in named {
            let before = get(&mut self.after).insert(name.clone(), value.clone());
            if before.as_ref() != Some(value) {
                let field = format!("{group}.{name}");
                self.changes.push(FieldChange { field, from: before, to: Some(value.clone()) });
            }
        }
    }
}

/// What an inventory that says `there` changes of the resource that is `here`; days are `offset_minutes` ahead of UTC.
///
/// Attributes and tags that the inventory does not name stay. What it is attached to is not looked at.
pub fn diff(here: &Resource, there: &Resource, given: Given, offset_minutes: i16) -> ResourceDiff {
    let mut diff = ResourceDiff { after: here.clone(), changes: Vec::new(), kept: Vec::new() };
    keep_identity(&mut diff, here, there);
    if here.stage.is_final() {
        if there.stage != here.stage && !there.stage.is_final() {
            let (here, there) = (text(here.stage.name()), text(there.stage.name()));
            diff.keep("stage", here, there, "it has come to its end here");
        }
    } else {
        if given.region {
            diff.change("region", there.region.clone(), |it| &mut it.region, |region| Some(region.clone()));
        }
        if here.charging == there.charging && here.is_live() {
            change_period(&mut diff, here, there, given, offset_minutes);
        }
        diff.change_named("attributes", &there.attributes, |it| &mut it.attributes);
    }
    diff.change_named("tags", &there.tags, |it| &mut it.tags);
    diff
}

/// What an import never changes of a resource that exists.
fn keep_identity(diff: &mut ResourceDiff, here: &Resource, there: &Resource) {
    const NEVER: &str = "an import does not change it";
    diff.keep("kind", Some(here.kind.clone()), Some(there.kind.clone()), NEVER);
    let charging = (text(here.charging.name()), text(there.charging.name()));
    diff.keep("charging", charging.0, charging.1, "a change of billing mode is a command");
    diff.keep("started_at", shown(Some(here.started_at)), shown(Some(there.started_at)), NEVER);
    if let (Some(here), Some(there)) = (&here.package, &there.package) {
        diff.keep("quota", shown(Some(here.quota)), shown(Some(there.quota)), NEVER);
        diff.keep("used", shown(Some(here.used)), shown(Some(there.used)), "use is recorded, not imported");
        diff.keep("unit", Some(here.unit.clone()), Some(there.unit.clone()), NEVER);
        let types = (Some(here.resource_type.clone()), Some(there.resource_type.clone()));
        diff.keep("resource_type", types.0, types.1, NEVER);
    }
}

/// What was paid for, and what happens when it ends.
fn change_period(diff: &mut ResourceDiff, here: &Resource, there: &Resource, given: Given, offset: i16) {
    let is_older = there.expires_at < here.expires_at;
    let is_newer = there.expires_at > here.expires_at;
    if is_older {
        const OLDER: &str = "an import moves no expiry back: it may have been renewed here since";
        diff.keep("expires_at", shown(here.expires_at), shown(there.expires_at), OLDER);
        if given.renewals_left {
            let left = (shown(here.renewals_left), shown(there.renewals_left));
            diff.keep("renewals_left", left.0, left.1, "it goes with the expiry, which stays");
        }
    } else {
        if is_newer && (!given.stage || there.stage == Stage::Active) {
            // Renewed elsewhere: it is paid for again.
            diff.change("stage", Stage::Active, |it| &mut it.stage, |stage| text(stage.name()));
        } else if given.stage {
            let stages = (text(here.stage.name()), text(there.stage.name()));
            diff.keep("stage", stages.0, stages.1, "the clock finds out by itself");
        }
        diff.change("expires_at", there.expires_at, |it| &mut it.expires_at, |at| shown(*at));
        let anchor_day = match (here.anchor_day, there.expires_at) {
            (Some(day), Some(expires_at)) if !given.anchor_day && fits(day, expires_at, offset) => Some(day),
            (Some(_) | None, _) => there.anchor_day,
        };
        diff.change("anchor_day", anchor_day, |it| &mut it.anchor_day, |day| shown(*day));
        diff.change("term", there.term, |it| &mut it.term, |term| shown(*term));
        if given.renewals_left {
            diff.change(
                "renewals_left",
                there.renewals_left,
                |it| &mut it.renewals_left,
                |left| shown(*left),
            );
        }
    }
    diff.change("price", there.price, |it| &mut it.price, |price| shown(*price));
    if given.on_expiry {
        diff.change("on_expiry", there.on_expiry, |it| &mut it.on_expiry, |choice| text(choice.name()));
    }
    if given.renewal_term {
        diff.change("renewal_term", there.renewal_term, |it| &mut it.renewal_term, |term| shown(*term));
    }
}

/// Whether periods that are counted from this day of the month can end at `expires_at`.
fn fits(anchor_day: u8, expires_at: Timestamp, offset_minutes: i16) -> bool {
    let day = expires_at.day_of_month(offset_minutes);
    let is_last = (expires_at + 86_400).day_of_month(offset_minutes) == 1;
    day == anchor_day || (is_last && day < anchor_day)
}

fn shown(value: Option<impl std::fmt::Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn text(word: &str) -> Option<String> {
    Some(word.to_owned())
}

#[cfg(test)]
mod tests;
