//! The manifest that a table comes to.

use plugin_sdk::Idempotency;
use plugin_sdk::Kind;
use plugin_sdk::Manifest;
use plugin_sdk::Notice;
use plugin_sdk::PolicyRefusal;
use plugin_sdk::Setting;

use crate::refusals::Situation;
use crate::table::Table;

/// The manifest of a table.
pub(crate) fn manifest(table: &Table) -> Manifest {
    let refusal = |situation, message: &str| table.refusals.because(situation, message);
    let policy =
        |situation, message: &str| PolicyRefusal { refusal: refusal(situation, message), code_setting: None };
    Manifest {
        id: table.id.clone(),
        name: table.name.clone(),
        kinds: table.kinds.iter().map(kind).collect(),
        settings: table
            .settings
            .iter()
            .map(|(name, label)| Setting {
                name: name.name().to_owned(),
                label: label.clone(),
                default: Some(table.values.text(*name)),
            })
            .collect(),
        notices: table
            .notices
            .iter()
            .map(|notice| Notice { name: notice.name.clone(), label: notice.label.clone() })
            .collect(),
        reads: Vec::new(),
        utc_offset_minutes: table.utc_offset_minutes,
        insufficient_balance: refusal(
            Situation::InsufficientBalance,
            "the balance does not suffice; top the account up before the next try or renew again",
        ),
        unknown_resource: refusal(Situation::UnknownResource, "there is no such resource"),
        unknown_resource_of: Vec::new(),
        policy_denied: policy(Situation::PolicyDenied, "the command is denied"),
        policy_deferred: policy(Situation::PolicyDeferred, "the command is denied for now"),
        idempotency: table.idempotency.as_ref().map(|idempotency| Idempotency {
            option_name: idempotency.option.clone(),
            valid_seconds: idempotency.valid_seconds,
            mismatch: idempotency.mismatch.clone(),
        }),
    }
}

fn kind(kind: &crate::table::Kind) -> Kind {
    Kind {
        name: kind.name.clone(),
        label: kind.label.clone(),
        attaches_to: kind.attaches_to.clone(),
        terms: kind.terms.clone(),
        package: false,
    }
}
