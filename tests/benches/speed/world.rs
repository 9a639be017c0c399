//! Made-up accounts and bundles of both providers. Knows kinds and dates; measures nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Resource;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::rules::Providers;
use perennial_engine::rules::Rules;
use perennial_formats::package_manifest;
use perennial_sandbox::Grants;
use perennial_sandbox::Limits;
use perennial_sandbox::Options;
use perennial_sandbox::Plugins;
use perennial_sandbox::Trust;

/// Bundles of one account: a broker has many customers.
const BUNDLES_PER_ACCOUNT: u32 = 100;

/// 2026-01-01T00:00:00Z, when every inventory is taken in.
pub const START: Timestamp = Timestamp::from_second(1_767_225_600);

/// 2026-01-20T15:59:59Z, when what is due at once expires: the end of a day in UTC+8.
pub const EXPIRY: Timestamp = Timestamp::from_second(1_768_924_799);

/// The teams that bundles belong to, in turn.
const TEAMS: [&str; 3] = ["checkout", "search", "billing"];

/// The tag that a third of the bundles have.
pub const THIRD: &str = "team=checkout";

/// A provider, with what a server, its disk and its address are called there.
#[derive(Clone, Copy, Debug)]
pub struct Provider {
    /// Its plugin's id.
    pub id: &'static str,
    kinds: [&'static str; 3],
}

/// Huawei Cloud, with its kinds.
pub const HUAWEI: Provider = Provider { id: "huawei", kinds: ["ecs", "evs", "eip"] };
/// Baidu AI Cloud.
pub const BAIDU: Provider = Provider { id: "baidu", kinds: ["bcc", "cds", "eip"] };

/// The bundled plugins, their compiled code kept in `cache`.
pub fn plugins(cache: &Path) -> anyhow::Result<Plugins> {
    let options = Options {
        files: Vec::new(),
        cache_dir: Some(cache.to_owned()),
        limits: Limits::DEFAULT,
        trust: Trust::default(),
        grants: Grants::new(package_manifest::limits),
    };
    Ok(Plugins::load(&options)?)
}

/// Their rules, for an engine.
pub fn providers(plugins: &Plugins) -> Providers {
    plugins
        .iter()
        .map(|plugin| (plugin.manifest().id.clone(), Arc::clone(plugin) as Arc<dyn Rules>))
        .collect()
}

/// Accounts for so many bundles, rich enough for years; `provider_of` tells a bundle's provider.
pub fn accounts(bundles: u32, provider_of: impl Fn(u32) -> Provider) -> Vec<Account> {
    let account = |number: u32| Account {
        id: account_id(number),
        provider: provider_of(number * BUNDLES_PER_ACCOUNT).id.to_owned(),
        mode: Mode::Managed,
        currency: "CNY".to_owned(),
        balance: Balance::new(Micros::new(1_000_000_000_000_000), Micros::ZERO),
        settings: BTreeMap::new(),
        approval_above: None,
        budget: None,
    };
    (0..bundles.div_ceil(BUNDLES_PER_ACCOUNT)).map(account).collect()
}

fn account_id(number: u32) -> String {
    format!("customer-{number:05}")
}

/// The id of the account that bundle `number` belongs to.
pub fn account_of(number: u32) -> String {
    account_id(number / BUNDLES_PER_ACCOUNT)
}

/// The provider of bundle `number` where both are to be there: accounts take turns.
pub fn provider_of(number: u32) -> Provider {
    if (number / BUNDLES_PER_ACCOUNT).is_multiple_of(2) { HUAWEI } else { BAIDU }
}

/// Bundle `number`: a server that was bought for a month, with a disk and an address as far as there are `members`.
pub fn bundle(
    provider: Provider,
    number: u32,
    members: u32,
    expires_at: Timestamp,
    on_expiry: OnExpiry,
) -> Bundle {
    let term = Term::new(1, TermUnit::Month).expect("one is some");
    let member = |place: usize| Resource {
        id: format!("{}-{number:07}", provider.kinds[place]),
        kind: provider.kinds[place].to_owned(),
        region: "cn-north-4".to_owned(),
        attached_to: (place > 0).then_some(MemberIndex::new(0)),
        started_at: expires_at.minus(term, expires_at.day_of_month(480), 480),
        expires_at: Some(expires_at),
        anchor_day: Some(expires_at.day_of_month(480)),
        term: Some(term),
        price: Some(Micros::new(12_340_000)),
        on_expiry,
        attributes: [("flavor", "c7.large.2")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        tags: [("team", TEAMS[number as usize % TEAMS.len()])]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Resource::default()
    };
    Bundle { members: (0..provider.kinds.len()).take(members as usize).map(member).collect() }
}
