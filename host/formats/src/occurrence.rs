//! What lies ahead of a resource, as clients receive it: in timelines and in explanations.

use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Stage;
use perennial_domain::manifest::Manifest;
use perennial_domain::timeline::Action;
use perennial_domain::timeline::Occurrence;
use serde::Serialize;
use utoipa::ToSchema;

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
            text: words(&occurrence.action, manifest),
        }
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

/// What happens, for people, without the instant and the resource.
pub fn words(action: &Action, manifest: &Manifest) -> String {
    match action {
        Action::TryRenewal => "its renewal is tried".to_owned(),
        Action::Enter(Stage::Grace) => "it expires and goes on serving: grace begins".to_owned(),
        Action::Enter(Stage::Retention) => {
            "it is stopped or frozen, with its data kept: retention begins".to_owned()
        }
        Action::Enter(Stage::Released) => "it is released, with whatever it holds".to_owned(),
        Action::Enter(stage @ (Stage::Active | Stage::Unsubscribed | Stage::Converted)) => {
            format!("it becomes {}", stage.name())
        }
        Action::Convert => "it becomes pay-per-use".to_owned(),
        Action::SetAttribute(name, value) => format!("its attribute `{name}` becomes `{value}`"),
        Action::Refill => "its quota begins again".to_owned(),
        Action::Notice(notice) => {
            let label = manifest.notices.get(notice.get()).map(|notice| notice.label.as_str());
            format!("its owner is told: {}", label.unwrap_or("a notice"))
        }
    }
}
