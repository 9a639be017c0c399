//! The same rules compiled natively, and their input: what the sandbox is compared with.

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::manifest::Manifest;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use plugin_sdk as sdk;
use plugin_sdk::commands::Guest as Commands;
use plugin_sdk::lifecycle::Guest as Lifecycle;

type Accounts = Vec<sdk::Account>;

/// A provider's two questions, as plain functions.
#[derive(Clone, Copy)]
pub struct Native {
    /// The contract's function `timeline`.
    pub timeline: fn(Accounts, Vec<sdk::TimelineRequest>) -> Vec<Vec<sdk::Occurrence>>,
    /// The contract's function `make-plans`.
    pub make_plans: fn(Accounts, Vec<sdk::PlanRequest>) -> Vec<Result<sdk::Plan, sdk::Refusal>>,
}

/// Huawei's rules without the sandbox.
pub const HUAWEI: Native = Native {
    timeline: <plugin_huawei::Huawei as Lifecycle>::timeline,
    make_plans: <plugin_huawei::Huawei as Commands>::make_plans,
};

/// Baidu's rules without the sandbox.
pub const BAIDU: Native = Native {
    timeline: <plugin_baidu::Baidu as Lifecycle>::timeline,
    make_plans: <plugin_baidu::Baidu as Commands>::make_plans,
};

/// An account as a plugin gets it.
pub fn account(account: &Account) -> sdk::Account {
    sdk::Account { id: account.id.clone(), settings: account.settings.clone().into_iter().collect() }
}

/// What is asked about a bundle's future.
pub fn outlook(bundle: &Bundle, manifest: &Manifest, after: Timestamp) -> sdk::TimelineRequest {
    sdk::TimelineRequest { after: after.as_second(), account: 0, bundle: members(bundle, manifest) }
}

/// What is asked when an automatic renewal of the primary is due.
pub fn question(bundle: &Bundle, manifest: &Manifest, at: Timestamp) -> sdk::PlanRequest {
    let renewal = sdk::Renewal { term: None, automatic: true, options: Vec::new() };
    sdk::PlanRequest {
        at: at.as_second(),
        account: 0,
        command: sdk::Command::Renew(renewal),
        member: 0,
        bundle: members(bundle, manifest),
        orders: Vec::new(),
    }
}

fn members(bundle: &Bundle, manifest: &Manifest) -> Vec<sdk::Resource> {
    bundle.members.iter().map(|member| resource(member, manifest)).collect()
}

/// With the attributes that the rules read, as in the sandbox.
fn resource(resource: &Resource, manifest: &Manifest) -> sdk::Resource {
    let attribute = |name: &String| Some((name.clone(), resource.attributes.get(name)?.clone()));
    sdk::Resource {
        id: resource.id.clone(),
        kind: resource.kind.clone(),
        attached_to: resource.attached_to.map(|place| u32::try_from(place.get()).expect("bundles are small")),
        charging: match resource.charging {
            Charging::Prepaid => sdk::Charging::Prepaid,
            Charging::Postpaid => sdk::Charging::Postpaid,
        },
        stage: match resource.stage {
            Stage::Active => sdk::Stage::Active,
            Stage::Grace => sdk::Stage::Grace,
            Stage::Retention => sdk::Stage::Retention,
            Stage::Released => sdk::Stage::Released,
            Stage::Unsubscribed => sdk::Stage::Unsubscribed,
            Stage::Converted => sdk::Stage::Converted,
        },
        started_at: resource.started_at.as_second(),
        expires_at: resource.expires_at.map(Timestamp::as_second),
        anchor_day: resource.anchor_day,
        term: resource.term.map(term),
        on_expiry: match resource.on_expiry {
            OnExpiry::Lapse => sdk::OnExpiry::Lapse,
            OnExpiry::Renew => sdk::OnExpiry::Renew,
            OnExpiry::Convert => sdk::OnExpiry::Convert,
            OnExpiry::Release => sdk::OnExpiry::Release,
        },
        renewals_left: resource.renewals_left,
        renewal_term: resource.renewal_term.map(term),
        has_unpaid_order: resource.has_unpaid_order,
        attributes: manifest.reads.iter().filter_map(attribute).collect(),
    }
}

fn term(term: Term) -> sdk::Term {
    let unit = match term.unit {
        TermUnit::Day => sdk::TermUnit::Day,
        TermUnit::Month => sdk::TermUnit::Month,
        TermUnit::Year => sdk::TermUnit::Year,
    };
    sdk::Term { count: term.count.get(), unit }
}
