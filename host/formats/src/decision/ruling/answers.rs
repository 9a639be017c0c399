//! What policies ruled, as it is kept. Reads and writes it; says nothing of what it comes to.

use perennial_domain::policy::Amendment;
use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::Ruling;
use perennial_domain::policy::ScriptFailure;
use perennial_domain::policy::figures::Figures;

use crate::Problems;
use crate::diagnostics::Diagnostics;
use crate::diagnostics::Path;
use crate::fields::Fields;
use crate::json_cursor::JsonCursor;
use crate::json_tree;
use crate::json_value;
use crate::json_value::JsonValue;
use crate::wording;

/// The answers as they are kept, with the money that the plan was shown.
pub fn answers<'a>(figures: Figures, answers: &'a [PolicyAnswer]) -> JsonValue<'a> {
    let answer = |answer: &'a PolicyAnswer| {
        let notes = answer.notes.iter().map(JsonValue::from).collect();
        json_value::object([("ruling", ruling(&answer.ruling)), ("notes", notes)])
    };
    json_value::object([
        ("balance", figures.balance.into()),
        ("spent", figures.spent.into()),
        ("answers", answers.iter().map(answer).collect()),
    ])
}

fn ruling(ruling: &Ruling) -> JsonValue<'_> {
    let (name, fields) = match ruling {
        Ruling::Approve => ("approve", Vec::new()),
        Ruling::Deny { reason } => ("deny", vec![("reason", reason.into())]),
        Ruling::RequireApproval { reason, by, expires_at } => (
            "require_approval",
            vec![("reason", reason.into()), ("by", by.as_ref().into()), ("expires_at", (*expires_at).into())],
        ),
        Ruling::Defer { until, reason } => {
            ("defer", vec![("until", (*until).into()), ("reason", reason.into())])
        }
        Ruling::Amend { amendment, reason } => (
            "amend",
            vec![
                ("term", amendment.term.into()),
                ("options", amendment.options.as_ref().into()),
                ("reason", reason.into()),
            ],
        ),
        Ruling::Fail(failure) => (
            "fail",
            vec![
                ("message", (&failure.message).into()),
                ("function", (&failure.function).into()),
                ("line", failure.line.into()),
                ("column", failure.column.into()),
                ("text", (&failure.text).into()),
            ],
        ),
    };
    json_value::object([(name, JsonValue::Object(fields))])
}

/// Reads back the answers of what [`answers()`] gives, as JSON.
///
/// # Errors
///
/// Every problem of the text, each with its path.
pub fn read_answers(text: &str) -> Result<Vec<PolicyAnswer>, Problems> {
    let problems = Diagnostics::default();
    let root = json_tree::parse(text, &problems)?;
    let answers = read_root(JsonCursor { node: &root, path: Path::Root, diagnostics: &problems });
    problems.finish(answers)
}

fn read_root(root: JsonCursor<'_, '_>) -> Option<Vec<PolicyAnswer>> {
    let fields = root.object(&["balance", "spent", "answers"])?;
    let answer = |_, cursor: JsonCursor<'_, '_>| {
        let fields = cursor.object(&["ruling", "notes"])?;
        Some(PolicyAnswer {
            ruling: fields.required("ruling", |cursor| cursor.only_field("a ruling", read_ruling))?,
            notes: fields
                .required("notes", |cursor| cursor.list(|_, note| note.text().map(str::to_owned)))?,
        })
    };
    fields.required("answers", |cursor| cursor.list(answer))
}

fn read_ruling(name: &str, body: JsonCursor<'_, '_>) -> Option<Ruling> {
    let text = |fields: &Fields<'_, '_>, name: &'static str| {
        fields.required(name, |cursor| cursor.text()).map(str::to_owned)
    };
    match name {
        "approve" => body.object(&[]).map(|_| Ruling::Approve),
        "deny" => {
            let fields = body.object(&["reason"])?;
            Some(Ruling::Deny { reason: text(&fields, "reason")? })
        }
        "require_approval" => {
            let fields = body.object(&["reason", "by", "expires_at"])?;
            Some(Ruling::RequireApproval {
                reason: text(&fields, "reason")?,
                by: fields.optional("by", |cursor| cursor.text()).option()?.map(str::to_owned),
                expires_at: fields.optional("expires_at", |cursor| cursor.instant()).option()?,
            })
        }
        "defer" => {
            let fields = body.object(&["until", "reason"])?;
            let until = fields.required("until", |cursor| cursor.instant())?;
            Some(Ruling::Defer { until, reason: text(&fields, "reason")? })
        }
        "amend" => {
            let fields = body.object(&["term", "options", "reason"])?;
            let amendment = Amendment {
                term: fields.optional("term", |cursor| cursor.term()).option()?,
                options: fields.optional("options", |cursor| cursor.texts()).option()?,
            };
            Some(Ruling::Amend { amendment, reason: text(&fields, "reason")? })
        }
        "fail" => read_failure(body).map(Ruling::Fail),
        name => {
            body.report(format!("there is no ruling {}", wording::quote(name)));
            None
        }
    }
}

fn read_failure(body: JsonCursor<'_, '_>) -> Option<ScriptFailure> {
    let fields = body.object(&["message", "function", "line", "column", "text"])?;
    let text = |name: &'static str| fields.required(name, |cursor| cursor.text()).map(str::to_owned);
    let count = |name: &'static str| fields.required(name, |cursor| cursor.count());
    Some(ScriptFailure {
        message: text("message")?,
        function: text("function")?,
        line: count("line")?,
        column: count("column")?,
        text: text("text")?,
    })
}
