//! Attachments: forms the bundles of an inventory, and reports resources that form none.
//!
//! Knows ids, accounts and the kinds that may be attached to one another; nothing else of a resource.

use std::collections::BTreeMap;

use perennial_domain::bundle::Bundle;
use perennial_domain::index::MemberIndex;

use super::ExistingRecords;
use super::ImportedBundle;
use super::resource::Draft;
use crate::diagnostics::Diagnostics;
use crate::diagnostics::Path;
use crate::visible_id;
use crate::wording;

/// Notes ids that are used twice and attachments that make no sense.
///
/// Gives, for each resource, the place among `drafts` of the one it is attached to.
pub(super) fn check(
    drafts: &[Draft<'_, '_>],
    existing: &dyn ExistingRecords,
    is_update: bool,
    problems: &Diagnostics,
) -> Vec<Option<usize>> {
    let indexes = indexes_by_id(drafts, existing, is_update, problems);
    let parents =
        drafts.iter().map(|draft| parent(draft, drafts, &indexes, existing, problems)).collect::<Vec<_>>();
    report_cycles(drafts, &parents, problems);
    parents
}

/// Where each id is, in `drafts`.
fn indexes_by_id<'n>(
    drafts: &[Draft<'_, 'n>],
    existing: &dyn ExistingRecords,
    is_update: bool,
    problems: &Diagnostics,
) -> BTreeMap<&'n str, usize> {
    let mut indexes = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        let Some(id) = draft.id else { continue };
        let note = |message| report_field(draft, "id", draft.id_place, message, problems);
        if let Some(first) = indexes.get(id) {
            let first: &Draft<'_, '_> = &drafts[*first];
            let id = wording::quote(id);
            note(format!("{id} is already the id of `resources[{}]`; an id is used once", first.index));
            continue;
        }
        indexes.insert(id, index);
        if !existing.has_resource(id) {
            if let Some(fault) = visible_id::fault("id", id) {
                note(fault);
            }
            continue;
        }
        let shown = wording::quote(id);
        match existing.account_of(id).filter(|_| is_update) {
            None => note(format!("a resource {shown} exists already; an id is used once")),
            Some(account) if draft.account.is_some_and(|named| named != account) => {
                let account = wording::quote(&account);
                note(format!("the resource {shown} belongs to the account {account} here"));
            }
            Some(_) => {}
        }
    }
    indexes
}

fn parent(
    draft: &Draft<'_, '_>,
    drafts: &[Draft<'_, '_>],
    indexes: &BTreeMap<&str, usize>,
    existing: &dyn ExistingRecords,
    problems: &Diagnostics,
) -> Option<usize> {
    let target = draft.attached_to?;
    let note = |message| report_field(draft, "attached_to", draft.attached_place, message, problems);
    let shown = wording::quote(target);
    let Some(index) = indexes.get(target).copied() else {
        if existing.can_show_resource(target) {
            note(format!("{shown} was imported before; a resource is attached only to one of the same file"));
        } else {
            let meant = wording::did_you_mean(target, indexes.keys().copied());
            note(format!("there is no resource {shown}{meant}"));
        }
        return None;
    };
    let parent = &drafts[index];
    if let (Some(account), Some(of_parent)) = (draft.account, parent.account)
        && account != of_parent
    {
        let (account, of_parent) = (wording::quote(account), wording::quote(of_parent));
        note(format!("{shown} belongs to account {of_parent}, not to {account}; a bundle has one account"));
    } else if let (Some((name, kind)), Some((of_parent, _))) = (draft.kind, parent.kind)
        && !kind.attaches_to.iter().any(|other| other == of_parent)
    {
        let may = match kind.attaches_to.as_slice() {
            [] => "it is always a primary".to_owned(),
            kinds => {
                format!("it can be attached to {}", wording::list_names(kinds.iter().map(String::as_str)))
            }
        };
        note(format!("{shown} is of kind `{of_parent}`, and `{name}` cannot be attached to that; {may}"));
    }
    Some(index)
}

/// Notes every circle once, at the first of its resources in the file.
fn report_cycles(drafts: &[Draft<'_, '_>], parents: &[Option<usize>], problems: &Diagnostics) {
    // Which walk came by first; every walk is named after the resource it starts from.
    let mut walks = vec![None; drafts.len()];
    for start in 0..drafts.len() {
        let mut at = start;
        while walks[at].is_none() {
            walks[at] = Some(start);
            match parents[at] {
                Some(parent) => at = parent,
                None => break,
            }
        }
        if walks[at] == Some(start) && parents[at].is_some() {
            report_cycle(drafts, parents, at, problems);
        }
    }
}

fn report_cycle(drafts: &[Draft<'_, '_>], parents: &[Option<usize>], on_it: usize, problems: &Diagnostics) {
    let next = |at: usize| parents[at].expect("every resource of a circle is attached to the next");
    let circle = std::iter::successors(Some(on_it), |at| Some(next(*at)).filter(|next| *next != on_it));
    let circle = circle.collect::<Vec<_>>();
    let first = *circle.iter().min().expect("a circle has a resource");
    let from_first = circle.iter().cycle().skip_while(|at| **at != first).take(circle.len() + 1);
    let ids = from_first.filter_map(|at| drafts[*at].id.map(wording::quote)).collect::<Vec<_>>();
    let message = match circle.len() {
        1 => "the resource is attached to itself".to_owned(),
        _ => format!("resources are attached in a circle: {}", ids.join(" to ")),
    };
    report_field(&drafts[first], "attached_to", drafts[first].attached_place, message, problems);
}

fn report_field(draft: &Draft<'_, '_>, name: &str, index: u32, message: String, problems: &Diagnostics) {
    let list = Path::Member(&Path::Root, "resources");
    let item = Path::Item(&list, draft.index);
    problems.add(index, Path::Member(&item, name), message);
}

/// The bundles that the resources form, when nothing is wrong with them.
pub(super) fn bundles(drafts: Vec<Draft<'_, '_>>, parents: &[Option<usize>]) -> Vec<ImportedBundle> {
    let roots = roots(parents);
    let mut groups = BTreeMap::<(&str, &str), Vec<usize>>::new();
    for index in 0..drafts.len() {
        let primary = &drafts[roots[index]];
        let key = (primary.account, primary.id);
        let (Some(account), Some(id)) = key else { unreachable!("nothing is wrong with the file") };
        groups.entry((account, id)).or_default().push(index);
    }
    for members in groups.values_mut() {
        members.sort_by_key(|index| (parents[*index].is_some(), drafts[*index].id));
    }
    let groups = groups.into_iter().map(|((account, _), members)| (account.to_owned(), members));
    let groups = groups.collect::<Vec<_>>();
    let mut resources = drafts.into_iter().map(|draft| draft.resource).collect::<Vec<_>>();
    let mut within = vec![0; resources.len()];
    let bundle = |(account, indexes): (String, Vec<usize>)| {
        for (position, index) in indexes.iter().enumerate() {
            within[*index] = position;
        }
        let members = indexes.iter().map(|index| {
            let mut resource = resources[*index].take().expect("a resource is in one bundle");
            resource.attached_to = parents[*index].map(|parent| MemberIndex::new(within[parent]));
            resource
        });
        ImportedBundle { account, bundle: Bundle { members: members.collect() } }
    };
    groups.into_iter().map(bundle).collect()
}

/// The primary that each resource is attached to, directly or through others; there are no circles.
fn roots(parents: &[Option<usize>]) -> Vec<usize> {
    let mut roots = vec![None; parents.len()];
    for start in 0..parents.len() {
        let mut way = Vec::new();
        let mut at = start;
        let root = loop {
            match (roots[at], parents[at]) {
                (Some(root), _) => break root,
                (None, None) => break at,
                (None, Some(parent)) => {
                    way.push(at);
                    at = parent;
                }
            }
        };
        roots[at] = Some(root);
        way.into_iter().for_each(|passed| roots[passed] = Some(root));
    }
    roots.into_iter().map(|root| root.expect("each was walked from")).collect()
}
