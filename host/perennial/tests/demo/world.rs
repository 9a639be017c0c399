//! What the host itself does in the demo: each in words, and the events that show it.

use serde_json::json;

use crate::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        (
            "the host tells from when to when it was down",
            vec![
                json!({"at": "2026-06-16T10:00:00Z", "type": "host_resumed", "down_since": "2026-06-08T01:00:00Z"}),
            ],
        ),
        (
            "money paid in during the outage counts when the host is back",
            vec![
                json!({"at": "2026-06-16T10:00:00Z", "type": "balance_changed", "reason": "top_up", "amount": "3000.00", "account": "tidepool-games"}),
            ],
        ),
        (
            "the tries missed in an outage become one, before anything is lost",
            vec![
                json!({"at": "2026-06-16T10:00:00Z", "resource": "tide-scores", "type": "renewal_settled", "cause": "auto", "expires_before": "2026-06-15T15:59:59Z", "expires_at": "2026-09-15T15:59:59Z"}),
            ],
        ),
        (
            "use is covered by nothing when no package has anything left",
            vec![
                json!({"at": "2026-04-28", "type": "usage_uncovered", "amount": "130.00", "resource_type": "cci", "account": "meridian-labs"}),
            ],
        ),
    ]
}
