//! What is attached to what: whether an inventory's resources form bundles, and which.
//!
//! Knows ids, accounts and the kinds that may be attached to one another; nothing else of a resource.

use std::collections::BTreeMap;

use perennial_domain::bundle::Bundle;

use super::ImportedBundle;
use super::Known;
use super::resource::Draft;
use crate::problems::Collector;
use crate::problems::Path;
use crate::words;

/// Notes ids that are used twice and attachments that make no sense.
///
/// Gives, for each resource, the place among `drafts` of the one it is attached to.
pub(super) fn check(drafts: &[Draft<'_, '_>], known: &dyn Known, problems: &Collector) -> Vec<Option<usize>> {
    let places = places(drafts, known, problems);
    let parents =
        drafts.iter().map(|draft| parent(draft, drafts, &places, known, problems)).collect::<Vec<_>>();
    note_cycles(drafts, &parents, problems);
    parents
}

/// Where each id is, in `drafts`.
fn places<'n>(drafts: &[Draft<'_, 'n>], known: &dyn Known, problems: &Collector) -> BTreeMap<&'n str, usize> {
    let mut places = BTreeMap::new();
    for (place, draft) in drafts.iter().enumerate() {
        let Some(id) = draft.id else { continue };
        let note = |message| note(draft, "id", draft.id_place, message, problems);
        if let Some(first) = places.get(id) {
            let first: &Draft<'_, '_> = &drafts[*first];
            let id = words::shown(id);
            note(format!("{id} is already the id of `resources[{}]`; an id is used once", first.index));
            continue;
        }
        places.insert(id, place);
        if known.has_resource(id) {
            note(format!("a resource {} exists already; an id is used once", words::shown(id)));
        }
    }
    places
}

fn parent(
    draft: &Draft<'_, '_>,
    drafts: &[Draft<'_, '_>],
    places: &BTreeMap<&str, usize>,
    known: &dyn Known,
    problems: &Collector,
) -> Option<usize> {
    let target = draft.attached_to?;
    let note = |message| note(draft, "attached_to", draft.attached_place, message, problems);
    let shown = words::shown(target);
    let Some(place) = places.get(target).copied() else {
        if known.shows_resource(target) {
            note(format!("{shown} was imported before; a resource is attached only to one of the same file"));
        } else {
            let meant = words::did_you_mean(target, places.keys().copied());
            note(format!("there is no resource {shown}{meant}"));
        }
        return None;
    };
    let parent = &drafts[place];
    if let (Some(account), Some(of_parent)) = (draft.account, parent.account)
        && account != of_parent
    {
        let (account, of_parent) = (words::shown(account), words::shown(of_parent));
        note(format!("{shown} belongs to account {of_parent}, not to {account}; a bundle has one account"));
    } else if let (Some((name, kind)), Some((of_parent, _))) = (draft.kind, parent.kind)
        && !kind.attaches_to.iter().any(|other| other == of_parent)
    {
        let may = match kind.attaches_to.as_slice() {
            [] => "it is always a primary".to_owned(),
            kinds => format!("it can be attached to {}", words::listed(kinds.iter().map(String::as_str))),
        };
        note(format!("{shown} is of kind `{of_parent}`, and `{name}` cannot be attached to that; {may}"));
    }
    Some(place)
}

/// Notes every circle once, at the first of its resources in the file.
fn note_cycles(drafts: &[Draft<'_, '_>], parents: &[Option<usize>], problems: &Collector) {
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
            note_cycle(drafts, parents, at, problems);
        }
    }
}

fn note_cycle(drafts: &[Draft<'_, '_>], parents: &[Option<usize>], on_it: usize, problems: &Collector) {
    let next = |at: usize| parents[at].expect("every resource of a circle is attached to the next");
    let circle = std::iter::successors(Some(on_it), |at| Some(next(*at)).filter(|next| *next != on_it));
    let circle = circle.collect::<Vec<_>>();
    let first = *circle.iter().min().expect("a circle has a resource");
    let from_first = circle.iter().cycle().skip_while(|at| **at != first).take(circle.len() + 1);
    let ids = from_first.filter_map(|at| drafts[*at].id.map(words::shown)).collect::<Vec<_>>();
    let message = match circle.len() {
        1 => "the resource is attached to itself".to_owned(),
        _ => format!("resources are attached in a circle: {}", ids.join(" to ")),
    };
    note(&drafts[first], "attached_to", drafts[first].attached_place, message, problems);
}

fn note(draft: &Draft<'_, '_>, name: &str, place: u32, message: String, problems: &Collector) {
    let list = Path::Member(&Path::Root, "resources");
    let item = Path::Item(&list, draft.index);
    problems.add(place, Path::Member(&item, name), message);
}

/// The bundles that the resources form, when nothing is wrong with them.
pub(super) fn bundles(drafts: Vec<Draft<'_, '_>>, parents: &[Option<usize>]) -> Vec<ImportedBundle> {
    let roots = roots(parents);
    let mut groups = BTreeMap::<(&str, &str), Vec<usize>>::new();
    for place in 0..drafts.len() {
        let primary = &drafts[roots[place]];
        let key = (primary.account, primary.id);
        let (Some(account), Some(id)) = key else { unreachable!("nothing is wrong with the file") };
        groups.entry((account, id)).or_default().push(place);
    }
    for members in groups.values_mut() {
        members.sort_by_key(|place| (parents[*place].is_some(), drafts[*place].id));
    }
    let groups = groups.into_iter().map(|((account, _), members)| (account.to_owned(), members));
    let groups = groups.collect::<Vec<_>>();
    let mut resources = drafts.into_iter().map(|draft| draft.resource).collect::<Vec<_>>();
    let mut within = vec![0; resources.len()];
    let bundle = |(account, places): (String, Vec<usize>)| {
        for (position, place) in places.iter().enumerate() {
            within[*place] = position;
        }
        let members = places.iter().map(|place| {
            let mut resource = resources[*place].take().expect("a resource is in one bundle");
            resource.attached_to = parents[*place].map(|parent| within[parent]);
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
