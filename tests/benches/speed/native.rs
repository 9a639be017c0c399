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
use plugin_sdk::Rules;

/// A bundle whose future is asked for, as rules see it.
#[derive(Clone)]
pub struct Outlook {
    after: sdk::Timestamp,
    bundle: Vec<sdk::Resource>,
}

/// An account's settings as the operator gave them.
type Settings = Vec<(String, String)>;

/// A provider's two questions, as plain functions that read the account's settings once for a call.
#[derive(Clone, Copy)]
pub struct Native {
    /// The contract's function `timeline`.
    pub timeline: fn(Settings, Vec<Outlook>) -> Vec<Vec<sdk::Occurrence>>,
    /// The contract's function `make-plans`.
    pub make_plans: fn(Settings, Vec<sdk::PlanRequest>) -> Vec<Result<sdk::Plan, sdk::Refusal>>,
}

impl Native {
    const fn of<R: Rules>() -> Native {
        Native { timeline: timelines::<R>, make_plans: plans::<R> }
    }
}

/// Huawei's rules without the sandbox.
pub const HUAWEI: Native = Native::of::<plugin_huawei::Huawei>();

/// Baidu's rules without the sandbox.
pub const BAIDU: Native = Native::of::<plugin_baidu::Baidu>();

fn timelines<R: Rules>(settings: Settings, outlooks: Vec<Outlook>) -> Vec<Vec<sdk::Occurrence>> {
    let settings = R::settings(&settings);
    outlooks.iter().map(|outlook| R::timeline(&settings, outlook.after, &outlook.bundle)).collect()
}

fn plans<R: Rules>(
    settings: Settings,
    requests: Vec<sdk::PlanRequest>,
) -> Vec<Result<sdk::Plan, sdk::Refusal>> {
    let settings = R::settings(&settings);
    requests.iter().map(|request| R::plan(&settings, request)).collect()
}

/// An account's settings as rules get them.
pub fn settings(account: &Account) -> Settings {
    account.settings.clone().into_iter().collect()
}

/// What is asked about a bundle's future.
pub fn outlook(bundle: &Bundle, manifest: &Manifest, after: Timestamp) -> Outlook {
    Outlook { after: after.as_second(), bundle: members(bundle, manifest) }
}

/// What is asked when an automatic renewal of the primary is due.
pub fn question(bundle: &Bundle, manifest: &Manifest, at: Timestamp) -> sdk::PlanRequest {
    let renewal = sdk::Renewal { term: None, automatic: true, options: Vec::new() };
    sdk::PlanRequest {
        at: at.as_second(),
        command: sdk::Command::Renew(renewal),
        member: 0,
        bundle: members(bundle, manifest),
        orders: Vec::new(),
    }
}

fn members(bundle: &Bundle, manifest: &Manifest) -> Vec<sdk::Resource> {
    bundle.members.iter().map(|member| resource(member, manifest)).collect()
}

/// With the attributes that the rules read, as in the sandbox. Its texts are its own, so that a copy copies them.
fn resource(resource: &Resource, manifest: &Manifest) -> sdk::Resource {
    let attribute =
        |name: &String| Some((name.clone().into(), resource.attributes.get(name)?.clone().into()));
    sdk::Resource {
        id: resource.id.clone().into(),
        kind: resource.kind.clone().into(),
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
