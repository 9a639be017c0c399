//! The manifest: names and labels of the kinds, settings and notices.

use plugin_sdk::Idempotency;
use plugin_sdk::Manifest;
use plugin_sdk::Notice;
use plugin_sdk::PolicyRefusal;
use plugin_sdk::Setting;

use crate::following::LEFT_OUT;
use crate::kinds::Kind;
use crate::members::DEDICATED;
use crate::members::DELETION_PROTECTION;
use crate::members::MONTHLY_PRICE;
use crate::members::RELATED_RELEASE;
use crate::members::RENEW_CDS;
use crate::members::RENEW_EIP;
use crate::members::STATUS;
use crate::options::CLIENT_TOKEN;
use crate::options::CLIENT_TOKEN_SECONDS;
use crate::refusals::Code;
use crate::settings::POLICY_DEFERRED_CODE;
use crate::settings::POLICY_DENIED_CODE;
use crate::settings::SETTINGS;
use crate::settings::SettingDescription;
use crate::settings::UTC_OFFSET_MINUTES;

/// The manifest's notices, in its order.
pub mod notices {
    /// The expiry is near.
    pub(crate) const EXPIRES_SOON: u32 = 0;
    /// The data is deleted a day from now.
    pub(crate) const RELEASED_SOON: u32 = 1;
    /// The data is deleted now.
    pub(crate) const RELEASED: u32 = 2;
}

/// The attributes that the rules read.
const READS: [&str; 8] =
    [STATUS, DEDICATED, RENEW_CDS, RENEW_EIP, DELETION_PROTECTION, RELATED_RELEASE, MONTHLY_PRICE, LEFT_OUT];

/// The plugin's manifest: kinds, settings and notices.
pub fn manifest() -> Manifest {
    Manifest {
        id: "baidu".to_owned(),
        name: "Baidu AI Cloud".to_owned(),
        kinds: Kind::ALL.into_iter().map(kind).collect(),
        settings: SETTINGS.iter().map(setting).collect(),
        notices: vec![
            notice("expires-soon", "the resource expires in some days, or today"),
            notice("released-soon", "the resource and its data are deleted tomorrow"),
            notice("released", "the resource and its data are deleted"),
        ],
        reads: READS.map(str::to_owned).to_vec(),
        utc_offset_minutes: UTC_OFFSET_MINUTES,
        insufficient_balance: Code::OperationDenied
            .because("the balance does not suffice; top the account up before the next try or renew again"),
        unknown_resource: Code::NoSuchObject.because("there is no such resource"),
        unknown_resource_of: Vec::new(),
        policy_denied: PolicyRefusal {
            refusal: Code::AccessDenied.because("access denied"),
            code_setting: Some(POLICY_DENIED_CODE.to_owned()),
        },
        policy_deferred: PolicyRefusal {
            refusal: Code::OperationDenied.because("the operation is denied for now"),
            code_setting: Some(POLICY_DEFERRED_CODE.to_owned()),
        },
        idempotency: Some(Idempotency {
            option_name: CLIENT_TOKEN.to_owned(),
            valid_seconds: CLIENT_TOKEN_SECONDS,
            mismatch: Code::IdempotentParameterMismatch.because(
                "this clientToken was sent with other parameters less than 24 hours ago; take a new one",
            ),
        }),
    }
}

fn kind(kind: Kind) -> plugin_sdk::Kind {
    plugin_sdk::Kind {
        name: kind.name().to_owned(),
        label: kind.label().to_owned(),
        attaches_to: if kind.attaches() { vec![Kind::Bcc.name().to_owned()] } else { Vec::new() },
        terms: kind.terms(),
        package: false,
    }
}

fn setting(setting: &SettingDescription) -> Setting {
    Setting {
        name: setting.name.to_owned(),
        label: setting.label.to_owned(),
        default: setting.default.map(str::to_owned),
    }
}

fn notice(name: &str, label: &str) -> Notice {
    Notice { name: name.to_owned(), label: label.to_owned() }
}
