//! Commands with a client token: what came before under it, and what is remembered now.

use perennial_domain::manifest::Idempotency;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use perennial_store::change::Change;
use perennial_store::client_tokens::StoredOutcome;
use perennial_store::keys::AccountKey;

use crate::persist::Changes;

/// A command that carries a token, and what came under that token before.
pub(super) struct ClientTokenUse {
    pub(super) policy: Idempotency,
    pub(super) token: String,
    pub(super) fingerprint: String,
    pub(super) previous: Option<StoredOutcome>,
}

impl ClientTokenUse {
    /// What became of the same command under this token, if it came before.
    pub(super) fn first_result(&self) -> Option<&StoredOutcome> {
        self.previous.as_ref().filter(|previous| previous.fingerprint == self.fingerprint)
    }

    /// Until when the token is remembered when it comes at `at`.
    pub(super) fn valid_until(&self, at: Timestamp) -> Timestamp {
        valid_until(&self.policy, at)
    }

    /// What the same token again is answered: the same if it is the same command, else the provider's word for it.
    pub(super) fn replayed_refusal(self) -> Option<Refusal> {
        match self.first_result() {
            Some(previous) => previous.refusal.clone(),
            None => Some(self.policy.mismatch),
        }
    }
}

/// What is remembered about a command with a client token.
pub(super) struct TokenResult {
    token: String,
    outcome: StoredOutcome,
    policy: Idempotency,
    /// Whether the command's first answer names the orders that it makes.
    names_orders: bool,
}

/// Until when a token that comes at `at` is remembered.
fn valid_until(policy: &Idempotency, at: Timestamp) -> Timestamp {
    at + i64::from(policy.valid_seconds)
}

impl TokenResult {
    /// The result of a command that was applied or refused now, and whether its answer leaves its orders out.
    pub(super) fn of(token_use: ClientTokenUse, refusal: Option<Refusal>, omits_orders: bool) -> TokenResult {
        let ClientTokenUse { token, fingerprint, policy, .. } = token_use;
        let outcome = StoredOutcome { fingerprint, refusal, orders: Vec::new() };
        TokenResult { token, outcome, policy, names_orders: !omits_orders }
    }

    /// The result of a command that waited for approval: its first answer was that it waits, and named no order.
    pub(super) fn approved(token_use: ClientTokenUse) -> TokenResult {
        TokenResult::of(token_use, None, true)
    }

    /// The change that writes it down for `account`, after `changes`, whose orders made at `at` are the command's.
    pub(super) fn change(mut self, changes: &Changes, account: AccountKey, at: Timestamp) -> Change {
        if self.names_orders {
            self.outcome.orders = changes.orders_made(at);
        }
        let valid_until = valid_until(&self.policy, at);
        Change::RecordClientToken { account, token: self.token, outcome: self.outcome, at, valid_until }
    }
}
