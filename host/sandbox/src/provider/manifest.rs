//! Decodes and checks a plugin's manifest.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::manifest::Idempotency;
use perennial_domain::manifest::Kind;
use perennial_domain::manifest::Manifest;
use perennial_domain::manifest::Notice;
use perennial_domain::manifest::PolicyRefusal;
use perennial_domain::manifest::Setting;
use perennial_domain::plan::Refusal;

use crate::provider::bindings::profile as wit;
use crate::provider::decode;

/// The most items a list of the manifest may have.
const ITEMS_MAX: usize = 256;

/// The longest text of the manifest, in bytes.
const TEXT_MAX_BYTES: usize = 2_000;

/// The longest name, in bytes.
const NAME_MAX_BYTES: usize = 64;

/// The manifest, or every problem it has, in words.
pub fn receive(manifest: wit::Manifest) -> Result<Manifest, Vec<String>> {
    let mut check = Check { problems: Vec::new() };
    check.id(&manifest.id);
    check.text("its name", &manifest.name);
    check.kinds(&manifest.kinds);
    check.names("setting", manifest.settings.iter().map(|setting| setting.name.as_str()));
    check.names("notice", manifest.notices.iter().map(|notice| notice.name.as_str()));
    check.names("attribute it reads", manifest.reads.iter().map(String::as_str));
    for setting in &manifest.settings {
        check.text("the label of a setting", &setting.label);
        check.text("the default of a setting", setting.default.as_deref().unwrap_or("-"));
    }
    for notice in &manifest.notices {
        check.text("the label of a notice", &notice.label);
    }
    if !(-720..=840).contains(&manifest.utc_offset_minutes) {
        let minutes = manifest.utc_offset_minutes;
        check.say(format!("its days are {minutes} minutes ahead of UTC; from -720 to 840 are possible"));
    }
    check.text("the code of `insufficient-balance`", &manifest.insufficient_balance.code);
    check.text("the code of `unknown-resource`", &manifest.unknown_resource.code);
    check.policy_refusal("policy-denied", &manifest.policy_denied, &manifest.settings);
    check.policy_refusal("policy-deferred", &manifest.policy_deferred, &manifest.settings);
    for one in &manifest.unknown_resource_of {
        check.text("a code of `unknown-resource-of`", &one.refusal.code);
    }
    check.names(
        "command of `unknown-resource-of`",
        manifest.unknown_resource_of.iter().map(|one| command_name(one.command)),
    );
    if let Some(idempotency) = &manifest.idempotency {
        check.text("the option of `idempotency`", &idempotency.option_name);
        check.text("the code of `idempotency`", &idempotency.mismatch.code);
        if idempotency.valid_seconds == 0 {
            check.say("its tokens are valid for 0 seconds".to_owned());
        }
    }
    let kinds = check.converted(manifest.kinds);
    match check.problems.is_empty() {
        true => Ok(Manifest {
            id: manifest.id,
            name: manifest.name,
            kinds,
            settings: manifest.settings.into_iter().map(setting).collect(),
            notices: manifest.notices.into_iter().map(notice).collect(),
            reads: manifest.reads,
            utc_offset_minutes: manifest.utc_offset_minutes,
            insufficient_balance: decode::refusal(manifest.insufficient_balance),
            unknown_resource: decode::refusal(manifest.unknown_resource),
            unknown_resource_of: manifest.unknown_resource_of.into_iter().map(command_refusal).collect(),
            policy_denied: policy_refusal(manifest.policy_denied),
            policy_deferred: policy_refusal(manifest.policy_deferred),
            idempotency: manifest.idempotency.map(idempotency),
        }),
        false => Err(check.problems),
    }
}

fn command_refusal(one: wit::CommandRefusal) -> (&'static str, Refusal) {
    (command_name(one.command), decode::refusal(one.refusal))
}

/// The name of a command in every format, as [`Command::name`](perennial_domain::plan::Command::name) has it.
fn command_name(command: wit::CommandName) -> &'static str {
    match command {
        wit::CommandName::Renew => "renew",
        wit::CommandName::SetAutoRenew => "set_auto_renew",
        wit::CommandName::CancelAutoRenew => "cancel_auto_renew",
        wit::CommandName::Unsubscribe => "unsubscribe",
        wit::CommandName::ConvertOnExpiry => "convert_on_expiry",
        wit::CommandName::CancelConversion => "cancel_conversion",
        wit::CommandName::ConvertNow => "convert_now",
        wit::CommandName::BuyAgain => "buy_again",
        wit::CommandName::Change => "change",
        wit::CommandName::Subscribe => "subscribe",
        wit::CommandName::PayOrder => "pay_order",
        wit::CommandName::CancelOrder => "cancel_order",
    }
}

fn setting(setting: wit::Setting) -> Setting {
    Setting { name: setting.name, label: setting.label, default: setting.default }
}

fn notice(notice: wit::Notice) -> Notice {
    Notice { name: notice.name, label: notice.label }
}

fn policy_refusal(refusal: wit::PolicyRefusal) -> PolicyRefusal {
    PolicyRefusal { refusal: decode::refusal(refusal.refusal), code_setting: refusal.code_setting }
}

fn idempotency(idempotency: wit::Idempotency) -> Idempotency {
    Idempotency {
        option_name: idempotency.option_name,
        valid_seconds: idempotency.valid_seconds,
        mismatch: decode::refusal(idempotency.mismatch),
    }
}

struct Check {
    problems: Vec<String>,
}

impl Check {
    fn say(&mut self, problem: String) {
        self.problems.push(problem);
    }

    fn id(&mut self, id: &str) {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if id.is_empty() || id.len() > NAME_MAX_BYTES || !id.bytes().all(fits) {
            self.say(format!(
                "its id is `{}`; one has 1 to {NAME_MAX_BYTES} lower case letters, digits and dashes",
                shortened(id)
            ));
        }
    }

    fn text(&mut self, what: &str, text: &str) {
        if text.is_empty() || text.len() > TEXT_MAX_BYTES {
            self.say(format!("{what} has {} bytes; 1 to {TEXT_MAX_BYTES} are accepted", text.len()));
        }
    }

    fn policy_refusal(&mut self, what: &str, refusal: &wit::PolicyRefusal, settings: &[wit::Setting]) {
        self.text(&format!("the code of `{what}`"), &refusal.refusal.code);
        if let Some(name) = &refusal.code_setting
            && !settings.iter().any(|setting| setting.name == *name)
        {
            self.say(format!(
                "the code of `{what}` is that of the setting `{}`, which it does not have",
                shortened(name)
            ));
        }
    }

    fn names<'a>(&mut self, what: &str, names: impl ExactSizeIterator<Item = &'a str>) {
        if names.len() > ITEMS_MAX {
            self.say(format!(
                "it has {} of the list `{what}`; at most {ITEMS_MAX} are accepted",
                names.len()
            ));
        }
        let mut seen = BTreeSet::new();
        for name in names {
            if name.is_empty() || name.len() > NAME_MAX_BYTES {
                self.say(format!(
                    "a {what} is called `{}`; a name has 1 to {NAME_MAX_BYTES} bytes",
                    shortened(name)
                ));
            } else if !seen.insert(name) {
                self.say(format!("the {what} `{name}` is listed twice"));
            }
        }
    }

    fn kinds(&mut self, kinds: &[wit::Kind]) {
        self.names("kind", kinds.iter().map(|kind| kind.name.as_str()));
        if kinds.is_empty() {
            self.say("it has no kinds, so there is nothing that it has rules for".to_owned());
        }
        for kind in kinds {
            self.text("the label of a kind", &kind.label);
            let unknown = kind.attaches_to.iter().filter(|to| !kinds.iter().any(|kind| kind.name == **to));
            for to in unknown {
                self.say(format!("`{}` attaches to `{}`, which is no kind", kind.name, shortened(to)));
            }
        }
    }

    fn converted(&mut self, kinds: Vec<wit::Kind>) -> BTreeMap<String, Kind> {
        let mut converted = BTreeMap::new();
        for kind in kinds {
            let terms = kind.terms.into_iter().map(decode::term).collect::<Result<Vec<_>, _>>();
            let terms = terms.unwrap_or_else(|problem| {
                self.say(format!("`{}`: {problem}", kind.name));
                Vec::new()
            });
            let converted_kind =
                Kind { label: kind.label, attaches_to: kind.attaches_to, terms, is_package: kind.package };
            converted.insert(kind.name, converted_kind);
        }
        converted
    }
}

/// Enough of a text to recognise it by.
fn shortened(text: &str) -> String {
    text.chars().take(NAME_MAX_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use perennial_domain::plan::Cause;
    use perennial_domain::plan::Command;
    use perennial_domain::plan::Renewal;

    use super::*;
    use crate::provider::bindings::types as wit_types;

    fn sensible() -> wit::Manifest {
        let refusal = |code: &str| wit_types::Refusal { code: code.to_owned(), message: String::new() };
        wit::Manifest {
            id: "acme-2".to_owned(),
            name: "Acme".to_owned(),
            kinds: vec![wit::Kind {
                name: "server".to_owned(),
                label: "A server".to_owned(),
                attaches_to: vec!["server".to_owned()],
                terms: vec![wit_types::Term { count: 1, unit: wit_types::TermUnit::Month }],
                package: false,
            }],
            settings: vec![wit::Setting {
                name: "site".to_owned(),
                label: "Where".to_owned(),
                default: None,
            }],
            notices: vec![wit::Notice { name: "soon".to_owned(), label: "Soon".to_owned() }],
            reads: vec!["size".to_owned()],
            utc_offset_minutes: 840,
            insufficient_balance: refusal("Poor"),
            unknown_resource: refusal("Unknown"),
            unknown_resource_of: vec![wit::CommandRefusal {
                command: wit::CommandName::Renew,
                refusal: refusal("Gone"),
            }],
            policy_denied: wit::PolicyRefusal {
                refusal: refusal("Denied"),
                code_setting: Some("site".to_owned()),
            },
            policy_deferred: wit::PolicyRefusal { refusal: refusal("Later"), code_setting: None },
            idempotency: Some(wit::Idempotency {
                option_name: "token".to_owned(),
                valid_seconds: 1,
                mismatch: refusal("Other"),
            }),
        }
    }

    #[test]
    fn a_sensible_manifest_is_taken_as_it_is() {
        let manifest = receive(sensible()).unwrap();
        assert_eq!(manifest.id, "acme-2");
        assert_eq!(manifest.kinds["server"].attaches_to, ["server"]);
        assert_eq!(manifest.idempotency.as_ref().unwrap().mismatch.code, "Other");
        let denied = &manifest.policy_denied;
        let settings = BTreeMap::from([("site".to_owned(), "Set".to_owned())]);
        assert_eq!(
            (denied.of(&BTreeMap::new(), "why").code, denied.of(&settings, "why").code),
            ("Denied".to_owned(), "Set".to_owned())
        );
        let unknown = |command: &Command| manifest.unknown_resource_for(command).code.clone();
        let renewal = Renewal { term: None, cause: Cause::Command, options: BTreeMap::new() };
        assert_eq!(unknown(&Command::Renew(renewal)), "Gone");
        assert_eq!(unknown(&Command::CancelAutoRenew), "Unknown");
    }

    #[test]
    fn every_problem_of_a_manifest_is_listed() {
        let mut manifest = sensible();
        manifest.id = "Acme!".to_owned();
        manifest.name = String::new();
        manifest.kinds.push(manifest.kinds[0].clone());
        manifest.kinds[0].attaches_to.push("rack".to_owned());
        manifest.kinds[0].terms[0].count = 0;
        manifest.settings.push(wit::Setting { name: "x".repeat(65), label: String::new(), default: None });
        manifest.notices = (0..257)
            .map(|place| wit::Notice { name: format!("n{place}"), label: "x".repeat(2001) })
            .take(257)
            .collect();
        manifest.notices.iter_mut().skip(1).for_each(|notice| notice.label = "fine".to_owned());
        manifest.reads.push("size".to_owned());
        manifest.utc_offset_minutes = 841;
        manifest.unknown_resource.code = String::new();
        manifest.unknown_resource_of.push(manifest.unknown_resource_of[0].clone());
        manifest.unknown_resource_of[0].refusal.code = String::new();
        manifest.policy_denied.code_setting = Some("no_such".to_owned());
        manifest.policy_deferred.refusal.code = String::new();
        manifest.idempotency.as_mut().unwrap().valid_seconds = 0;
        let problems = receive(manifest).unwrap_err();
        expect![[r#"
            its id is `Acme!`; one has 1 to 64 lower case letters, digits and dashes
            its name has 0 bytes; 1 to 2000 are accepted
            the kind `server` is listed twice
            `server` attaches to `rack`, which is no kind
            a setting is called `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`; a name has 1 to 64 bytes
            it has 257 of the list `notice`; at most 256 are accepted
            the attribute it reads `size` is listed twice
            the label of a setting has 0 bytes; 1 to 2000 are accepted
            the label of a notice has 2001 bytes; 1 to 2000 are accepted
            its days are 841 minutes ahead of UTC; from -720 to 840 are possible
            the code of `unknown-resource` has 0 bytes; 1 to 2000 are accepted
            the code of `policy-denied` is that of the setting `no_such`, which it does not have
            the code of `policy-deferred` has 0 bytes; 1 to 2000 are accepted
            a code of `unknown-resource-of` has 0 bytes; 1 to 2000 are accepted
            the command of `unknown-resource-of` `renew` is listed twice
            its tokens are valid for 0 seconds
            `server`: a term of 0 months is no time at all"#]].assert_eq(&problems.join("\n"));
    }
}
