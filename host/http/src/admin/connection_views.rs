//! Connections as clients see them: what is granted, how far a sync has come, and what will lapse. Never a secret.

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::connector::Capabilities;
use perennial_domain::connector::SyncScope;
use perennial_store::ReadTx;
use perennial_store::calls::gates;
use perennial_store::connections;
use perennial_store::connections::KnownResource;
use perennial_store::connections::StoredConnection;
use perennial_store::connections::drifts::StoredDrift;
use perennial_store::error::StoreError;
use perennial_store::syncs;
use perennial_store::syncs::Sync;
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::to_text;

/// The most resources of a list in a connection.
const LISTED_MAX: usize = 100;

/// An account that its provider keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Connection)]
pub(super) struct ConnectionView {
    /// The account's ID.
    account: String,
    /// Who drives: `watch` only looks, so nothing is sent that changes anything; `host` renews.
    driver: &'static str,
    /// The URL that is called instead of the provider's own hosts.
    endpoint: Option<String>,
    /// The access key.
    access_key: String,
    /// Where its secret is: `sealed`, `env`, `file` or `command`.
    secret_source: &'static str,
    /// The variable, path or command.
    secret_name: Option<String>,
    /// When the account was connected.
    created_at: String,
    /// The ID of the token that connected it.
    created_by: String,
    /// When its key was last replaced.
    rotated_at: Option<String>,
    /// What the provider says can be spent, a decimal; null when it was not asked.
    balance: Option<String>,
    /// When it said so.
    balance_at: Option<String>,
    /// The most that calls within an hour may cost, a decimal; null for no ceiling.
    spending_per_hour: Option<String>,
    /// Since when nothing is sent for it; null while calls are sent.
    paused_at: Option<String>,
    /// Since when nothing is sent for any account; null while calls are sent.
    all_paused_at: Option<String>,
    /// The calls that read, and whether each is granted.
    reads: Vec<ReadView>,
    /// The mutations that the plugin translates. Whether the key may make them is unknown until one is first sent.
    mutations: Vec<&'static str>,
    /// The newest reading of the inventory; null before the first.
    sync: Option<SyncView>,
    /// What there is.
    summary: SummaryView,
}

/// A call that reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ConnectionRead)]
pub(super) struct ReadView {
    /// The name, by which it is granted.
    name: String,
    /// What it reads.
    label: String,
    /// The HTTP method.
    method: String,
    /// The path; a segment in braces stands for any.
    path: String,
    /// Whether it is granted.
    granted: bool,
}

/// A reading of a provider's inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Sync)]
pub(super) struct SyncView {
    /// `listing`, `checking`, `quoting`, `done`, or `suspicious`: so much was missing that nothing was taken over.
    state: &'static str,
    /// How much it reads: `full` for everything, `incremental` for what can have changed. What an incremental one does not find
    /// proves nothing.
    scope: &'static str,
    /// Of an incremental one: what was ordered since then was read; null when the provider, or the key, does not say that.
    changes_since: Option<String>,
    /// Of an incremental one: what expires by then was read.
    expires_until: Option<String>,
    /// How many requests it took so far, without those for prices.
    requests: u32,
    /// How many resources were listed.
    listed: u32,
    /// How many there are, as the provider says.
    total: Option<u32>,
    /// Why the last step failed, or what is suspicious.
    problem: Option<String>,
    /// When it began.
    started_at: String,
    /// When the last step was made.
    changed_at: String,
    /// What the rules have no kind for.
    unknown: Vec<UnknownView>,
}

/// Something of an account that the rules have no kind for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = UnknownResource)]
pub(super) struct UnknownView {
    /// The provider's ID.
    id: String,
    /// The provider's word for its kind.
    kind: String,
}

/// What a connected account has, and what will become of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ConnectionSummary)]
pub(super) struct SummaryView {
    /// How many resources there are.
    resources: usize,
    /// How many of them renew themselves, or are renewed with their primary.
    renewing: usize,
    /// How many are prepaid and have no price that anybody knows.
    without_price: usize,
    /// How many have no renewal path: they lapse, become pay-per-use or are released.
    unprotected: usize,
    /// The first of them by expiry, at most 100; `GET /v1/resources?risk=unprotected&sort=expires_at` has all.
    lapsing: Vec<LapsingView>,
    /// How many are attached, and expire before their primary.
    orphans: usize,
    /// The first of them by expiry, at most 100; `GET /v1/resources?risk=orphaned&sort=expires_at` has all.
    orphaned: Vec<LapsingView>,
}

/// A resource that will lapse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LapsingResource)]
pub(super) struct LapsingView {
    /// The resource's ID.
    resource: String,
    /// The resource's kind.
    kind: String,
    /// When what was paid for ends.
    expires_at: Option<String>,
    /// What happens then: `lapse`, `convert`, `release`, or `renew` for one that expires before its primary.
    on_expiry: &'static str,
}

impl LapsingView {
    fn of(known: &KnownResource) -> LapsingView {
        LapsingView {
            resource: known.id.clone(),
            kind: known.kind.clone(),
            expires_at: to_text(known.expires_at),
            on_expiry: known.on_expiry.name(),
        }
    }
}

impl SummaryView {
    fn of(known: &[KnownResource]) -> SummaryView {
        let is_prepaid = |it: &&KnownResource| it.charging == Charging::Prepaid;
        // What is attached goes with its primary, unless it expires before that does.
        let is_early = |it: &KnownResource| it.primary.is_some() && it.expires_at < it.primary_expires_at;
        let renews = |it: &&KnownResource| {
            it.on_expiry == OnExpiry::Renew
                || (it.primary.is_some() && !is_early(it) && it.primary_on_expiry == OnExpiry::Renew)
        };
        let prepaid = || known.iter().filter(is_prepaid);
        let unprotected = prepaid().filter(|it| !renews(it)).collect::<Vec<_>>();
        let orphans = prepaid().filter(|it| is_early(it)).collect::<Vec<_>>();
        let listed =
            |of: &[&KnownResource]| of.iter().take(LISTED_MAX).map(|it| LapsingView::of(it)).collect();
        SummaryView {
            resources: known.len(),
            renewing: prepaid().filter(renews).count(),
            without_price: prepaid().filter(|it| !it.has_price && it.primary.is_none()).count(),
            lapsing: listed(&unprotected),
            unprotected: unprotected.len(),
            orphaned: listed(&orphans),
            orphans: orphans.len(),
        }
    }
}

impl From<Sync> for SyncView {
    fn from(sync: Sync) -> SyncView {
        let unknown = sync.unknown.into_iter().map(|(id, kind)| UnknownView { id, kind });
        let (changes_since, expires_until) = match sync.scope {
            SyncScope::Full => (None, None),
            SyncScope::Incremental { changes_since, expires_until } => (changes_since, Some(expires_until)),
        };
        SyncView {
            state: sync.state.name(),
            scope: sync.scope.name(),
            changes_since: to_text(changes_since),
            expires_until: to_text(expires_until),
            requests: sync.requests,
            listed: sync.listed,
            total: sync.total,
            problem: sync.problem,
            started_at: sync.started_at.to_string(),
            changed_at: sync.changed_at.to_string(),
            unknown: unknown.collect(),
        }
    }
}

impl ConnectionView {
    /// A connection with everything that there is to see of it; `capabilities` are its plugin's.
    pub(super) fn of(
        db: &ReadTx,
        stored: StoredConnection,
        capabilities: Option<&Capabilities>,
    ) -> Result<ConnectionView, StoreError> {
        let grants = connections::grants(db, stored.account)?;
        let reads = capabilities.iter().flat_map(|it| &it.reads).map(|read| ReadView {
            name: read.name.clone(),
            label: read.label.clone(),
            method: read.method.clone(),
            path: read.path.clone(),
            granted: grants.contains(&read.name),
        });
        let mutations = capabilities.iter().flat_map(|it| &it.mutations).map(|it| it.mutation.name());
        let known = connections::resources(db, stored.account)?;
        let sync = syncs::newest(db, stored.account)?.map(|(_, sync)| SyncView::from(sync));
        let connection = stored.connection;
        Ok(ConnectionView {
            account: stored.id,
            driver: connection.driver.name(),
            endpoint: connection.endpoint,
            access_key: connection.access_key,
            secret_source: connection.secret.name(),
            secret_name: connection.secret.named().map(str::to_owned),
            created_at: connection.created_at.to_string(),
            created_by: connection.created_by,
            rotated_at: to_text(stored.rotated_at),
            balance: to_text(stored.balance.as_ref().map(|(balance, _)| balance.available)),
            balance_at: to_text(stored.balance.map(|(_, at)| at)),
            spending_per_hour: to_text(stored.spending_per_hour),
            paused_at: to_text(stored.paused.map(|(at, _)| at)),
            all_paused_at: to_text(gates::paused(db)?.map(|(at, _)| at)),
            reads: reads.collect(),
            mutations: mutations.collect(),
            sync,
            summary: SummaryView::of(&known),
        })
    }
}

/// A difference between what this host knew and what a provider said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Drift)]
pub(super) struct DriftView {
    /// The account's ID.
    account: String,
    /// The resource's ID.
    resource: String,
    /// What kind of difference it is: `renewed`, `renewed_by_provider`, `shortened`, `auto_renew_on`, `auto_renew_off`,
    /// `on_expiry_changed`, `converted`, `primary_changed`, `stage_changed`, `gone` or `new`.
    kind: &'static str,
    /// What this host knew; null for nothing.
    here: Option<String>,
    /// What the provider says.
    there: Option<String>,
    /// When it was found.
    found_at: String,
}

impl From<StoredDrift> for DriftView {
    fn from(stored: StoredDrift) -> DriftView {
        DriftView {
            account: stored.account,
            resource: stored.resource,
            kind: stored.drift.kind.name(),
            here: stored.drift.here,
            there: stored.drift.there,
            found_at: stored.found_at.to_string(),
        }
    }
}
