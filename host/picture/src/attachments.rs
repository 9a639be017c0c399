//! The order in which the resources of a bundle are drawn. Knows places only.

/// The places of some resources in the order in which they are drawn: each comes after the one that it is attached to, and those
/// of one parent in the order of their places. `parents` has the parent's place of each.
///
/// Beside each are its branches, from its primary down: whether the ancestor there, and last the resource itself, is the last one
/// of its parent.
pub fn in_order(parents: &[Option<usize>]) -> Vec<(usize, Vec<bool>)> {
    let children = |of: Option<usize>| (0..parents.len()).filter(move |place| parents[*place] == of);
    // They are taken from the end.
    let mut open = children(None).map(|place| (place, Vec::new())).rev().collect::<Vec<(usize, Vec<bool>)>>();
    let mut ordered = Vec::new();
    while let Some((place, branches)) = open.pop() {
        for (nth, child) in children(Some(place)).rev().enumerate() {
            open.push((child, branches.iter().copied().chain([nth == 0]).collect()));
        }
        ordered.push((place, branches));
    }
    ordered
}
