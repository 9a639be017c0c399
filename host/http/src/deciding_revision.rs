//! What clients see of the revision that decides for an account: which one it is, and why.

use perennial_engine::rules::DecidingRevision;
use perennial_engine::rules::Providers;
use perennial_service::admin_tokens::Caller;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// The revision of a provider's plugin that decides for an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DecidingRevision)]
pub(crate) struct DecidingRevisionView {
    #[serde(flatten)]
    decides: AskedRevisionView,
    /// Whether it can be loaded; where not, nothing is decided for the account until another one is bound.
    is_usable: bool,
    /// The revision that is asked beside it, of whose answers nothing is followed; null where there is none.
    shadow: Option<AskedRevisionView>,
}

/// A revision of a provider's plugin that is asked about an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AskedRevision)]
struct AskedRevisionView {
    /// The digest that names it.
    digest: String,
    /// The provider's name, for people; null where the revision cannot be loaded.
    name: Option<String>,
    /// The version that its package says it has; null where it says none.
    version: Option<String>,
    /// Why it is this one: `bundled` (it is part of the program, and followed), `loaded` (a file of the configuration or of
    /// `--plugin`, followed), or bound by an operator to `all_accounts`, a `pattern` of them, or this `account`.
    reason: &'static str,
    /// The account or the pattern that it is bound to; null where nothing is bound, and for a token that is bound to accounts.
    accounts: Option<String>,
}

impl DecidingRevisionView {
    /// The view of what decides for an account of a provider, for `caller`; `providers` are those that are bound. `None` where the
    /// provider has no plugin.
    pub(crate) fn read(
        db: &ReadTx,
        caller: &Caller,
        providers: &Providers,
        (account, provider): (&str, &str),
    ) -> Result<Option<DecidingRevisionView>, StoreError> {
        let Some(decides) = providers.deciding(account, provider) else { return Ok(None) };
        let view = |revision| AskedRevisionView::read(db, caller, providers, revision);
        let shadow = providers.asked_beside(account, provider).map(view).transpose()?;
        Ok(Some(DecidingRevisionView { decides: view(decides)?, is_usable: decides.rules.is_some(), shadow }))
    }
}

impl AskedRevisionView {
    fn read(
        db: &ReadTx,
        caller: &Caller,
        providers: &Providers,
        revision: DecidingRevision<'_>,
    ) -> Result<AskedRevisionView, StoreError> {
        // A pattern may tell of accounts that the token does not see.
        let binding = revision.binding.filter(|_| caller.can_access_all());
        Ok(AskedRevisionView {
            digest: revision.digest.to_owned(),
            name: revision.rules.map(|rules| rules.manifest().name.clone()),
            version: revision.rules.and_then(|rules| providers.version_of(rules)),
            reason: revision.reason(db)?.name(),
            accounts: binding.map(|binding| binding.subject.accounts.clone()),
        })
    }
}
