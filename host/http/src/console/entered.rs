//! What somebody entered in a form that was not carried out: it stands below what is wrong with it, to be put right and sent
//! again. Knows the names of fields; not what they mean.

use axum::http::Method;
use maud::Markup;
use maud::html;
use perennial_formats::language::Text;

use crate::console::frame::Frame;
use crate::console::submission::SETTING;
use crate::console::submission::Submission;
use crate::console::texts as t;
use crate::console::texts::forms as of_forms;

/// The most bytes of a form that stand below what is wrong with it; a longer one is lost.
const ENTERED_MAX: usize = 16 << 10;
/// The fields that a reader types in, each with its label. What is in no such field stays as it was sent.
const TYPED: [(&str, Text); 27] = [
    ("account", t::ACCOUNT),
    ("accounts", t::ACCOUNTS_LIST),
    ("amount", t::AMOUNT),
    ("approval_above", t::APPROVAL_ABOVE),
    ("approves", t::APPROVES_LIST),
    ("budget", t::BUDGET),
    ("description", t::DESCRIPTION),
    ("digest_at", t::DIGEST_AT),
    ("expires_at", t::EXPIRES),
    ("expires_before", t::EXPIRES_BEFORE),
    ("expires_from", t::EXPIRES_FROM),
    ("kind", t::KIND),
    ("name", t::NAME),
    ("own_zone", t::ZONE_NAME),
    ("provider", t::PROVIDER),
    ("quiet_from", t::QUIET_FROM),
    ("quiet_until", t::QUIET_UNTIL),
    ("reason", t::REASON),
    ("resource", t::RESOURCE),
    ("since", t::SINCE),
    ("tag", t::TAG),
    ("tags", t::TAGS_LINES),
    ("time_zone", t::READERS_ZONE),
    ("to", of_forms::TO),
    ("type", t::EVENT_TYPES),
    ("until", of_forms::UNTIL),
    ("url", of_forms::URL),
];
/// What is never shown again.
const SECRETS: [&str; 2] = ["secret", "token"];
/// What a form has of itself, and what its page makes anew.
const OWN: [&str; 3] = ["proof", "once", "done"];

/// The form with what was entered; nothing where nothing was typed.
pub(super) fn form(frame: &Frame, submission: &Submission) -> Markup {
    let fields = submission.fields.pairs().filter(|(name, _)| !OWN.contains(name)).collect::<Vec<_>>();
    let label = |name: &str| {
        let typed =
            TYPED.iter().find(|(known, _)| *known == name).map(|(_, label)| frame.say(*label).to_owned());
        typed.or_else(|| name.strip_prefix(SETTING).map(str::to_owned))
    };
    let length = fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    if length > ENTERED_MAX || !fields.iter().any(|(name, _)| label(name).is_some()) {
        return html! {};
    }
    let is_sent = submission.method == Method::POST;
    html! {
        form.act method=(if is_sent { "post" } else { "get" }) action=(submission.path) {
            h2 { (frame.say(of_forms::ENTERED)) }
            @if is_sent { (frame.proof()) }
            @for (name, value) in fields {
                @match label(name) {
                    _ if SECRETS.contains(&name) => label { span { (frame.say(t::SECRET)) } input name=(name) autocomplete="off"; },
                    None => input type="hidden" name=(name) value=(value);,
                    Some(label) => label {
                        span { (label) }
                        @if name == "tags" { textarea name=(name) rows="3" { (value) } }
                        @else { input name=(name) value=(value) autocomplete="off" spellcheck="false"; }
                    },
                }
            }
            button type="submit" { (frame.say(t::SEND_AGAIN)) }
        }
    }
}
