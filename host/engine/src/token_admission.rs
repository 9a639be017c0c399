//! Whether a command with a client token that nobody knows yet may be carried out. Knows nothing of what the command does.

use perennial_domain::timestamp::Timestamp;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::keys::AccountKey;

use crate::Engine;
use crate::client_token::ClientTokenUse;
use crate::error::EngineError;
use crate::planner::CommandEvaluation;

impl<S: EngineStore> Engine<S> {
    /// Checks that one more token may be remembered, and has its command looked at by a person if it may have been carried out
    /// before the database was set back: what came in the lost time is not known here, and its client may send it again for as
    /// long as the token counts.
    pub(super) fn admit_token(
        &self,
        at: Timestamp,
        account: AccountKey,
        evaluation: &mut CommandEvaluation,
        token_use: &ClientTokenUse,
    ) -> Result<(), EngineError> {
        let most = self.record_limits.client_tokens_max;
        if self.reads().client_tokens(account)? >= most {
            let account = evaluation.batch.accounts[0].account.id.clone();
            return Err(EngineError::ClientTokens { account, most });
        }
        let may_have_come_since = at - i64::from(token_use.policy.valid_seconds);
        if self.review_until.is_some_and(|until| may_have_come_since <= until) {
            evaluation.batch.entries[0].needs_review = true;
        }
        Ok(())
    }
}
