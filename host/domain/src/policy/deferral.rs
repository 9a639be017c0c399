//! Renewals that a policy put off, and the tries of a timeline as the host makes them then.

use std::borrow::Cow;

use crate::bundle::Bundle;
use crate::bundle::OnExpiry;
use crate::index::MemberIndex;
use crate::timeline::Action;
use crate::timeline::Occurrence;
use crate::timestamp::Timestamp;

/// A renewal that a policy put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deferral {
    /// The member that is to be renewed.
    pub member: MemberIndex,
    /// Its expiry when the renewal was put off.
    pub expires_before: Option<Timestamp>,
    /// The instant of the next try.
    pub until: Timestamp,
    /// The policy that put it off.
    pub policy: String,
    /// The policy's reason, for people.
    pub reason: String,
}

impl Deferral {
    /// Whether it still holds: the member has the expiry that it had then, and renews itself.
    pub fn holds(&self, bundle: &Bundle) -> bool {
        let member = &bundle[self.member];
        member.is_live() && member.on_expiry == OnExpiry::Renew && member.expires_at == self.expires_before
    }
}

/// The timeline as the host walks along it: instead of the provider's tries before a deferral ends there is one at its end,
/// and one at each instant of `extra`. A try stands before whatever else happens at its instant.
pub fn tries_as_made<'t>(
    timeline: &'t [Occurrence],
    bundle: &Bundle,
    deferrals: &[Deferral],
    extra: &[(MemberIndex, Timestamp)],
) -> Cow<'t, [Occurrence]> {
    let deferrals = deferrals.iter().filter(|deferral| deferral.holds(bundle)).collect::<Vec<_>>();
    if deferrals.is_empty() && extra.is_empty() {
        return Cow::Borrowed(timeline);
    }
    let is_put_off = |next: &Occurrence| {
        next.action == Action::TryRenewal
            && deferrals.iter().any(|deferral| deferral.member == next.member && next.at < deferral.until)
    };
    let mut made = timeline.iter().filter(|next| !is_put_off(next)).cloned().collect::<Vec<_>>();
    let ends = deferrals.iter().map(|deferral| (deferral.member, deferral.until));
    for (member, at) in ends.chain(extra.iter().copied()) {
        let extra = Occurrence { at, member, action: Action::TryRenewal };
        if !made.contains(&extra) {
            let place = made.partition_point(|next| next.at < at);
            made.insert(place, extra);
        }
    }
    Cow::Owned(made)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::bundle::Resource;
    use crate::bundle::Stage;
    use crate::sample::at;
    use crate::sample::resource;

    fn bundle(on_expiry: OnExpiry) -> Bundle {
        let expires_at = Some(at("2026-03-10"));
        Bundle { members: vec![Resource { on_expiry, expires_at, ..resource("a") }] }
    }

    fn deferral(until: &str) -> Deferral {
        Deferral {
            member: MemberIndex::PRIMARY,
            expires_before: Some(at("2026-03-10")),
            until: at(until),
            policy: "p".to_owned(),
            reason: String::new(),
        }
    }

    fn made(bundle: &Bundle, deferrals: &[Deferral], extra: &[&str]) -> String {
        let next = |day: &str, action| Occurrence { at: at(day), member: MemberIndex::PRIMARY, action };
        let timeline = [
            next("2026-03-03", Action::TryRenewal),
            next("2026-03-05", Action::TryRenewal),
            next("2026-03-07", Action::TryRenewal),
            next("2026-03-10", Action::Enter(Stage::Grace)),
        ];
        let extra = extra.iter().map(|day| (MemberIndex::PRIMARY, at(day))).collect::<Vec<_>>();
        let made = tries_as_made(&timeline, bundle, deferrals, &extra);
        let day = |next: &Occurrence| {
            let mark = if next.action == Action::TryRenewal { "try" } else { "grace" };
            format!("{mark} {}", &next.at.to_string()[8..10])
        };
        made.iter().map(day).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_deferral_is_one_try_in_place_of_those_before_it() {
        let renewing = bundle(OnExpiry::Renew);
        let table = [
            made(&renewing, &[], &[]),
            made(&renewing, &[deferral("2026-03-06")], &[]),
            made(&renewing, &[deferral("2026-03-07")], &[]),
            made(&renewing, &[], &["2026-03-04", "2026-03-05", "2026-03-10"]),
            made(&bundle(OnExpiry::Lapse), &[deferral("2026-03-06")], &[]),
            made(&renewing, &[Deferral { expires_before: None, ..deferral("2026-03-06") }], &[]),
        ];
        expect![[r#"
            try 03, try 05, try 07, grace 10
            try 06, try 07, grace 10
            try 07, grace 10
            try 03, try 04, try 05, try 07, try 10, grace 10
            try 03, try 05, try 07, grace 10
            try 03, try 05, try 07, grace 10
        "#]]
        .assert_eq(&(table.join("\n") + "\n"));
    }
}
