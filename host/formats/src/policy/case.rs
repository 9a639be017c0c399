//! The tests of a policy: plans, and what the policy is to rule on them. Reads them and compares; runs nothing.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::manifest::Manifest;
use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::Ruling;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;

use super::super::Problems;
use super::super::diagnostics::Diagnostics;
use super::super::diagnostics::Path;
use super::super::fields::Fields;
use super::super::json_cursor::JsonCursor;
use super::super::json_tree;
use super::super::json_tree::Json;
use super::super::toml_text;
use super::plan;
use super::plan::SamplePlan;
use super::rulings::ruling_text;

/// One test of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The name: what the script promises.
    pub name: String,
    /// The plan that the policy is asked about.
    pub plan: SamplePlan,
    expected: ExpectedRuling,
    /// `None` when the notes do not matter.
    notes: Option<Vec<String>>,
}

/// The ruling that a case expects. What it leaves out does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ExpectedRuling {
    Approve,
    Deny(String),
    RequireApproval { reason: String, by: Option<String>, expires_at: Option<Timestamp> },
    Defer { until: Timestamp, reason: Option<String> },
    Amend { term: Option<Term>, options: Option<BTreeMap<String, String>>, reason: Option<String> },
    Fail(String),
}

/// Reads a file of tests, in TOML.
///
/// # Errors
///
/// Every problem of it, each with its path.
pub fn read(text: &str, manifests: &BTreeMap<String, &Manifest>) -> Result<Vec<Case>, Problems> {
    let json = toml_text::to_json(text)?;
    let problems = Diagnostics::default();
    let root = json_tree::parse(&json, &problems)?;
    let cursor = JsonCursor { node: &root, path: Path::Root, diagnostics: &problems };
    let cases = cursor.object(&["case"]).and_then(|fields| {
        let mut names = BTreeSet::new();
        fields.required("case", |list| list.list(|_, cursor| case(cursor, manifests, &mut names)))
    });
    problems.finish(cases)
}

fn case(
    cursor: JsonCursor<'_, '_>,
    manifests: &BTreeMap<String, &Manifest>,
    names: &mut BTreeSet<String>,
) -> Option<Case> {
    let fields = cursor.object(&["name", "plan", "ruling", "notes"])?;
    let name = fields.required("name", |cursor| {
        let name = cursor.name()?;
        if !names.insert(name.to_owned()) {
            cursor.report("another case has this name; a failure would not say which of them it is");
            return None;
        }
        Some(name.to_owned())
    });
    let plan = match fields.get("plan") {
        Some(cursor) => plan::read_table(cursor, manifests),
        None => plan::default(manifests),
    };
    let expected = fields.required("ruling", expected);
    let notes = fields.optional("notes", |cursor| cursor.list(|_, cursor| cursor.text().map(str::to_owned)));
    Some(Case { name: name?, plan: plan?, expected: expected?, notes: notes.option()? })
}

fn expected(cursor: JsonCursor<'_, '_>) -> Option<ExpectedRuling> {
    const FORMS: &str = "\"approve\", or a table whose first field is `deny`, `require_approval`, `defer`, `amend` or `failed`";
    if let Json::Text(text) = &cursor.node.json {
        return match text.as_ref() {
            "approve" => Some(ExpectedRuling::Approve),
            _ => cursor.report_type(FORMS),
        };
    }
    let fields = cursor.any_object()?;
    let text = |name| fields.required(name, |cursor| cursor.text().map(str::to_owned));
    let reason = |fields: &Fields<'_, '_>| {
        fields.optional("reason", |cursor| cursor.text().map(str::to_owned)).option()
    };
    if fields.get("deny").is_some() {
        fields.allow(&["deny"]);
        Some(ExpectedRuling::Deny(text("deny")?))
    } else if fields.get("require_approval").is_some() {
        fields.allow(&["require_approval", "by", "expires_at"]);
        let by = fields.optional("by", |cursor| cursor.name().map(str::to_owned)).option();
        let expires_at = fields.optional("expires_at", |cursor| cursor.instant()).option();
        Some(ExpectedRuling::RequireApproval {
            reason: text("require_approval")?,
            by: by?,
            expires_at: expires_at?,
        })
    } else if fields.get("defer").is_some() {
        fields.allow(&["defer", "reason"]);
        let until = fields.required("defer", |cursor| cursor.instant());
        Some(ExpectedRuling::Defer { until: until?, reason: reason(&fields)? })
    } else if fields.get("amend").is_some() {
        fields.allow(&["amend", "reason"]);
        let amendment = fields.required("amend", |cursor| {
            let fields = cursor.object(&["term", "options"])?;
            let term = fields.optional("term", |cursor| cursor.given_term()).option();
            let options = fields.optional("options", |cursor| cursor.options()).option();
            Some((term?, options?))
        });
        let (term, options) = amendment?;
        Some(ExpectedRuling::Amend { term, options, reason: reason(&fields)? })
    } else if fields.get("failed").is_some() {
        fields.allow(&["failed"]);
        Some(ExpectedRuling::Fail(text("failed")?))
    } else {
        cursor.report_type(FORMS)
    }
}

impl Case {
    /// Whether the answer is the expected one; otherwise what was expected and what came, for people.
    ///
    /// # Errors
    ///
    /// The difference.
    pub fn check(&self, answer: &PolicyAnswer) -> Result<(), String> {
        if !self.expected.is_met_by(&answer.ruling) {
            return Err(format!("expected {}, got {}", self.expected, ruling_text(&answer.ruling)));
        }
        match &self.notes {
            Some(notes) if *notes != answer.notes => {
                Err(format!("expected the notes {notes:?}, got {:?}", answer.notes))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl ExpectedRuling {
    fn is_met_by(&self, ruling: &Ruling) -> bool {
        match (self, ruling) {
            (ExpectedRuling::Approve, Ruling::Approve) => true,
            (ExpectedRuling::Deny(expected), Ruling::Deny { reason }) => expected == reason,
            (
                ExpectedRuling::RequireApproval { reason: expected, by: label, expires_at: expiry },
                Ruling::RequireApproval { reason, by, expires_at },
            ) => expected == reason && meets(label, by) && meets(expiry, expires_at),
            (ExpectedRuling::Defer { until: at, reason: expected }, Ruling::Defer { until, reason }) => {
                at == until && expected.as_ref().is_none_or(|expected| expected == reason)
            }
            (
                ExpectedRuling::Amend { term, options, reason: expected },
                Ruling::Amend { amendment, reason },
            ) => {
                meets(term, &amendment.term)
                    && meets(options, &amendment.options)
                    && expected.as_ref().is_none_or(|expected| expected == reason)
            }
            (ExpectedRuling::Fail(part), Ruling::Fail(failure)) => {
                failure.to_string().contains(part.as_str())
            }
            (
                ExpectedRuling::Approve
                | ExpectedRuling::Deny(_)
                | ExpectedRuling::RequireApproval { .. }
                | ExpectedRuling::Defer { .. }
                | ExpectedRuling::Amend { .. }
                | ExpectedRuling::Fail(_),
                _,
            ) => false,
        }
    }
}

fn meets<T: PartialEq>(expected: &Option<T>, found: &Option<T>) -> bool {
    expected.is_none() || expected == found
}

impl std::fmt::Display for ExpectedRuling {
    /// As the ruling itself would be shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reason = |reason: &Option<String>| reason.clone().unwrap_or_else(|| "…".to_owned());
        let ruling = match self.clone() {
            ExpectedRuling::Approve => Ruling::Approve,
            ExpectedRuling::Deny(reason) => Ruling::Deny { reason },
            ExpectedRuling::RequireApproval { reason, by, expires_at } => {
                Ruling::RequireApproval { reason, by, expires_at }
            }
            ExpectedRuling::Defer { until, reason: expected } => {
                Ruling::Defer { until, reason: reason(&expected) }
            }
            ExpectedRuling::Amend { term, options, reason: expected } => Ruling::Amend {
                amendment: perennial_domain::policy::Amendment { term, options },
                reason: reason(&expected),
            },
            ExpectedRuling::Fail(part) => return write!(f, "a failure that says `{part}`"),
        };
        f.write_str(&ruling_text(&ruling))
    }
}
