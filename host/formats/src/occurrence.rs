//! What lies ahead of a resource, as clients receive it: in timelines and in explanations.

use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Stage;
use perennial_domain::manifest::Manifest;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::language::Language;
use crate::language::Text;

/// Something that will happen to a resource if nobody does anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Occurrence)]
pub struct OccurrenceView {
    /// When it is due.
    #[schema(format = DateTime)]
    pub at: String,
    /// The ID of the resource.
    pub resource: String,
    /// `try_renewal`, `enter`, `convert`, `set_attribute`, `refill` or `notice`.
    pub action: &'static str,
    /// The stage that it enters; null unless it enters one.
    pub stage: Option<&'static str>,
    /// The attribute that gets a value, or the notice that is given; null for other actions.
    pub name: Option<String>,
    /// The value that the attribute gets; null for other actions.
    pub value: Option<String>,
    /// What happens, in words.
    pub text: String,
}

impl OccurrenceView {
    /// An occurrence of a bundle, in the words of the plugin that foresees it.
    pub fn new(occurrence: &Occurrence, bundle: &Bundle, manifest: &Manifest) -> OccurrenceView {
        let (stage, name, value) = match &occurrence.action {
            Action::Enter(stage) => (Some(stage.name()), None, None),
            Action::SetAttribute(name, value) => (None, Some(name.clone()), Some(value.clone())),
            Action::Notice(notice) => {
                (None, manifest.notices.get(notice.get()).map(|notice| notice.name.clone()), None)
            }
            Action::TryRenewal | Action::Convert | Action::Refill => (None, None, None),
        };
        OccurrenceView {
            at: occurrence.at.to_string(),
            resource: bundle[occurrence.member].id.clone(),
            action: action_name(&occurrence.action),
            stage,
            name,
            value,
            text: words(&occurrence.action, manifest, Language::English),
        }
    }
}

/// What a resource has ahead of it, as a client reads it back from the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcoming {
    /// The instant at which it is due.
    pub at: Timestamp,
    /// The id of the resource.
    pub resource: String,
    /// What happens then.
    pub action: UpcomingAction,
    /// What happens then, in words.
    pub text: String,
}

/// What happens to a resource if nobody does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpcomingAction {
    /// The provider tries to renew it.
    TryRenewal,
    /// It enters a stage.
    Enter(Stage),
    /// It becomes pay-per-use.
    Convert,
    /// One of its attributes gets a value.
    SetAttribute,
    /// The quota of a package begins again.
    Refill,
    /// Its owner is told something.
    Notice,
}

impl Upcoming {
    /// Reads back what an [`OccurrenceView`] shows, in words of a language; `None` for what only a newer host knows.
    pub fn read(view: &Value, language: Language) -> Option<Upcoming> {
        let text = |name: &str| view[name].as_str().unwrap_or_default();
        let (action, words) = match text("action") {
            "try_renewal" => (UpcomingAction::TryRenewal, TRY.of(language).to_owned()),
            "enter" => {
                let stage = Stage::ALL.into_iter().find(|stage| stage.name() == text("stage"))?;
                (UpcomingAction::Enter(stage), entered(stage).of(language).to_owned())
            }
            "convert" => (UpcomingAction::Convert, CONVERT.of(language).to_owned()),
            "set_attribute" => {
                (UpcomingAction::SetAttribute, SET_ATTRIBUTE.fill(language, &[text("name"), text("value")]))
            }
            "refill" => (UpcomingAction::Refill, REFILL.of(language).to_owned()),
            "notice" => {
                let label = text("text").strip_prefix(NOTICE.english.trim_end_matches("{0}"));
                (UpcomingAction::Notice, NOTICE.fill(language, &[label.unwrap_or(SOME_NOTICE.of(language))]))
            }
            _ => return None,
        };
        let at = text("at").parse().ok()?;
        Some(Upcoming { at, resource: text("resource").to_owned(), action, text: words })
    }
}

/// The word for an action in every format.
const fn action_name(action: &Action) -> &'static str {
    match action {
        Action::TryRenewal => "try_renewal",
        Action::Enter(_) => "enter",
        Action::Convert => "convert",
        Action::SetAttribute(..) => "set_attribute",
        Action::Refill => "refill",
        Action::Notice(_) => "notice",
    }
}

/// What happens, for people, without the instant and the resource. What a plugin calls its notices stays in its words.
pub fn words(action: &Action, manifest: &Manifest, language: Language) -> String {
    match action {
        Action::TryRenewal => TRY.of(language).to_owned(),
        Action::Enter(stage) => entered(*stage).of(language).to_owned(),
        Action::Convert => CONVERT.of(language).to_owned(),
        Action::SetAttribute(name, value) => SET_ATTRIBUTE.fill(language, &[name, value]),
        Action::Refill => REFILL.of(language).to_owned(),
        Action::Notice(notice) => {
            let label = manifest.notices.get(notice.get()).map(|notice| notice.label.as_str());
            NOTICE.fill(language, &[label.unwrap_or(SOME_NOTICE.of(language))])
        }
    }
}

const TRY: Text = Text { english: "its renewal is tried", chinese: "尝试续费" };
const CONVERT: Text = Text { english: "it becomes pay-per-use", chinese: "转为按需计费" };
const SET_ATTRIBUTE: Text =
    Text { english: "its attribute `{0}` becomes `{1}`", chinese: "属性 `{0}` 变为 `{1}`" };
const REFILL: Text = Text { english: "its quota begins again", chinese: "额度重新开始" };
const NOTICE: Text = Text { english: "its owner is told: {0}", chinese: "通知所有者：{0}" };
const SOME_NOTICE: Text = Text { english: "a notice", chinese: "一条通知" };

/// Entering a stage, in words.
const fn entered(stage: Stage) -> Text {
    match stage {
        Stage::Grace => Text {
            english: "it expires and goes on serving: grace begins",
            chinese: "到期，仍可使用：进入宽限期",
        },
        Stage::Retention => Text {
            english: "it is stopped or frozen, with its data kept: retention begins",
            chinese: "停机或冻结，数据保留：进入保留期",
        },
        Stage::Released => {
            Text { english: "it is released, with whatever it holds", chinese: "连同其内容一起释放" }
        }
        Stage::Active => Text { english: "it becomes active", chinese: "恢复使用" },
        Stage::Unsubscribed => Text { english: "it becomes unsubscribed", chinese: "变为已退订" },
        Stage::Converted => Text { english: "it becomes converted", chinese: "变为已转按需" },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_lies_ahead_is_read_back_in_both_languages() {
        let view = |action: &str, stage: Option<&str>, text: &str| {
            json!({ "at": "2026-03-01T00:00:00Z", "resource": "ecs-1", "action": action, "stage": stage, "name": "color",
                "value": "blue", "text": text })
        };
        for (view, action, english, chinese) in [
            (view("try_renewal", None, ""), UpcomingAction::TryRenewal, "its renewal is tried", "尝试续费"),
            (
                view("enter", Some("active"), ""),
                UpcomingAction::Enter(Stage::Active),
                "it becomes active",
                "恢复使用",
            ),
            (view("convert", None, ""), UpcomingAction::Convert, "it becomes pay-per-use", "转为按需计费"),
            (
                view("set_attribute", None, ""),
                UpcomingAction::SetAttribute,
                "its attribute `color` becomes `blue`",
                "属性 `color` 变为 `blue`",
            ),
            (view("refill", None, ""), UpcomingAction::Refill, "its quota begins again", "额度重新开始"),
            (
                view("notice", None, "its owner is told: seven days are left"),
                UpcomingAction::Notice,
                "its owner is told: seven days are left",
                "通知所有者：seven days are left",
            ),
        ] {
            let read = |language| Upcoming::read(&view, language).unwrap();
            assert_eq!(
                (read(Language::English).action, read(Language::English).text.as_str()),
                (action, english)
            );
            assert_eq!(read(Language::Chinese).text, chinese);
        }
        assert_eq!(Upcoming::read(&view("of_tomorrow", None, ""), Language::English), None);
    }
}
