//! What a newer inventory changes of a resource that exists, field by field. Decides; knows no file and no database.
//!
//! The author of the inventory knows what a resource is called, costs and is set to. This host knows what became of it:
//! its stage, and how long it is paid for. So an expiry moves forward only, and what is older than what is here is kept.

use std::collections::BTreeMap;

use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::resource_fields::Changes;

/// Which plain fields of a resource a file gives: what it leaves out stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenFields(u32);

impl GivenFields {
    /// Those for whose names `is_given` says so.
    pub fn new(is_given: impl Fn(&str) -> bool) -> GivenFields {
        let given = Resource::FIELDS.iter().enumerate().filter(|(_, field)| is_given(field.name));
        GivenFields(given.fold(0, |bits, (place, _)| bits | 1 << place))
    }

    fn contains(self, name: &str) -> bool {
        let place = Resource::FIELDS.iter().position(|field| field.name == name);
        place.is_some_and(|place| self.0 & 1 << place != 0)
    }
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
    /// The value in the inventory.
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
    /// Gives a plain field the value that it has there.
    fn change(&mut self, field: &str, there: &Resource) {
        if self.after.field(field) != there.field(field) {
            let (from, to) = (self.after.field(field).to_text(), there.field(field).to_text());
            self.after.copy_field(field, there);
            self.changes.push(FieldChange { field: field.to_owned(), from, to });
        }
    }

    /// Keeps the value of a plain field.
    fn keep(&mut self, field: &str, there: &Resource, reason: &str) {
        let (here, there) = (self.after.field(field).to_text(), there.field(field).to_text());
        self.keep_text(field, here, there, reason);
    }

    fn keep_text(&mut self, field: &str, here: Option<String>, there: Option<String>, reason: &str) {
        if here != there {
            self.kept.push(KeptField { field: field.to_owned(), here, there, reason: reason.to_owned() });
        }
    }

    pub(crate) fn take_named(
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

/// What makes the resource that is `here` another one: every plain field that differs.
pub(crate) fn between(here: &Resource, after: Resource) -> ResourceDiff {
    let mut diff = ResourceDiff { after: here.clone(), changes: Vec::new(), kept: Vec::new() };
    Resource::FIELDS.iter().for_each(|field| diff.change(field.name, &after));
    diff
}

/// What an inventory that says `there` changes of the resource that is `here`; days are `offset_minutes` ahead of UTC.
///
/// Attributes and tags that the inventory does not name stay. What the resource is attached to is the caller's to compare.
pub fn diff(here: &Resource, there: &Resource, given: GivenFields, offset_minutes: i16) -> ResourceDiff {
    let mut diff = ResourceDiff { after: here.clone(), changes: Vec::new(), kept: Vec::new() };
    keep_identity(&mut diff, here, there);
    if here.stage.is_final() {
        if !there.stage.is_final() {
            diff.keep("stage", there, "it has come to its end here");
        }
    } else {
        let is_live = here.charging == there.charging && here.is_live();
        for field in Resource::FIELDS.iter().filter(|field| field.changes != Changes::Never) {
            let is_of_period = field.is_optional || ["stage", "on_expiry"].contains(&field.name);
            if is_live || !is_of_period {
                change_field(&mut diff, here, there, field.name, given, offset_minutes);
            }
        }
        diff.take_named("attributes", &there.attributes, |it| &mut it.attributes);
    }
    diff.take_named("tags", &there.tags, |it| &mut it.tags);
    diff
}

/// What an import never changes of a resource that exists.
fn keep_identity(diff: &mut ResourceDiff, here: &Resource, there: &Resource) {
    const NEVER: &str = "an import does not change it";
    for field in Resource::FIELDS.iter().filter(|field| field.changes == Changes::Never) {
        diff.keep(field.name, there, NEVER);
    }
    diff.keep("charging", there, "a change of billing mode is a command");
    if let (Some(here), Some(there)) = (&here.package, &there.package) {
        diff.keep_text("quota", shown(here.quota), shown(there.quota), NEVER);
        diff.keep_text("used", shown(here.used), shown(there.used), "use is recorded, not imported");
        diff.keep_text("unit", shown(&here.unit), shown(&there.unit), NEVER);
        diff.keep_text("resource_type", shown(&here.resource_type), shown(&there.resource_type), NEVER);
    }
}

/// Changes or keeps a plain field: one that is given changes, but for what this host knows better.
fn change_field(
    diff: &mut ResourceDiff,
    here: &Resource,
    there: &Resource,
    field: &str,
    given: GivenFields,
    offset_minutes: i16,
) {
    let is_given = given.contains(field);
    let (is_older, is_newer) = (there.expires_at < here.expires_at, there.expires_at > here.expires_at);
    match field {
        "charging" => {}
        "stage" if is_newer && (!is_given || there.stage == Stage::Active) => {
            // Renewed elsewhere: it is paid for again.
            diff.change(field, &Resource { stage: Stage::Active, ..there.clone() });
        }
        "stage" if is_given && !is_older => diff.keep(field, there, "the clock finds out by itself"),
        "expires_at" if is_older => {
            diff.keep(field, there, "an import moves no expiry back: it may have been renewed here since");
        }
        "renewals_left" if is_given && is_older => {
            diff.keep(field, there, "it goes with the expiry, which stays");
        }
        "on_expiry" if is_given && there.on_expiry == OnExpiry::Renew => {
            let takes_count = given.contains("renewals_left") && !is_older;
            let left = if takes_count { there.renewals_left } else { here.renewals_left };
            match left {
                Some(0) => diff.keep(field, there, "no automatic renewal is left of those that were allowed"),
                Some(_) | None => diff.change(field, there),
            }
        }
        "stage" | "anchor_day" | "term" if is_older => {}
        "anchor_day" if !is_given => {
            let still_fits = here.anchor_day.zip(there.expires_at);
            if !still_fits.is_some_and(|(day, expires_at)| expires_at.is_anchored_to(day, offset_minutes)) {
                diff.change(field, there);
            }
        }
        _ if is_given => diff.change(field, there),
        _ => {}
    }
}

fn shown(value: impl std::fmt::Display) -> Option<String> {
    Some(value.to_string())
}

#[cfg(test)]
mod tests;
