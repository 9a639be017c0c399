//! Audit records of the command line's changes.

use perennial_domain::timestamp::Timestamp;

use perennial_store::audit::Record;

/// What the audit log calls the command line, which has no token.
pub(super) const CLI: &str = perennial_service::admin_tokens::COMMAND_LINE;

/// The command line did `operation` about `account`, if it is about one.
pub(super) fn audit_record(at: Timestamp, operation: &str, account: Option<&str>) -> Record {
    Record {
        at,
        token: CLI.to_owned(),
        name: CLI.to_owned(),
        request: String::new(),
        account: account.map(str::to_owned),
        resource: None,
        operation: format!("perennial {operation}"),
        reason: None,
        status: 0,
        outcome: "done".to_owned(),
        revision: None,
    }
}
