//! The plan of a command, as people see it before they agree: its steps, what it costs and gives back, and who has to
//! approve of it.

use std::io;
use std::io::Write;

use perennial_domain::micros::Micros;
use perennial_formats::dates;
use perennial_formats::time_zone::TimeZone;
use serde_json::Value;

use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::items::ItemZones;
use crate::report::Style;
use crate::report::columns;
use crate::report::listing::ListFormat;
use crate::report::listing::Listing;
use crate::report::style::Tone;
use crate::report::text::printable;

const STEPS: [Field; 10] = [
    Field::text("resource", "resource"),
    Field::text("operation", "step"),
    Field::amount("cost", "cost", "/currency"),
    Field::amount("refund", "refund", "/currency"),
    Field::term("term", "term"),
    Field::instant("expires_before", "expires"),
    Field::instant("expires_at", "expires then"),
    Field::json("details", "details"),
    Field::json("attributes", "attributes"),
    Field::number("extra_days", ""),
];

/// Writes a plan for people.
///
/// # Errors
///
/// Whatever `out` says.
pub(super) fn write(plan: &Value, zones: &ItemZones, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let text = |name: &str| plan[name].as_str().unwrap_or_default();
    let zone = zones.of(plan);
    let at = items::instant(&plan["at"]).map(|at| zone.minute(at)).unwrap_or_default();
    let command = text("command").replace('_', " ");
    let heading = printable(&format!("{command} {}", text("resource")));
    columns::heading(&heading, &format!("{}, as of {at}", printable(text("account"))), style, out)?;
    let mut facts = Vec::new();
    if plan["steps"].as_array().is_some_and(|steps| !steps.is_empty()) {
        table(plan, zones, style, out)?;
        facts.extend(money(plan));
        facts.extend(without_limit(plan).map(|fact| ("renewals", fact, Tone::Plain)));
    }
    if let Some(until) = items::instant(&plan["pay_until"]) {
        facts.push((
            "payment",
            format!("its order waits to be paid until {}", zone.minute(until)),
            Tone::Warning,
        ));
    }
    for skipped in plan["skipped"].as_array().into_iter().flatten() {
        let (resource, reason) =
            (skipped["resource"].as_str().unwrap_or_default(), reason(&skipped["reason"]));
        facts.push(("left alone", format!("{resource}: {reason}"), Tone::Warning));
    }
    let rulings = plan["rulings"].as_array().into_iter().flatten();
    facts.extend(rulings.map(|ruling| ("policy", ruled(plan, ruling, zone), Tone::Warning)));
    if plan["needs_approval"] == true {
        let required = plan["required"].as_array().into_iter().flatten().map(approval).collect::<Vec<_>>();
        let required = if required.is_empty() { String::new() } else { format!(": {}", required.join(", ")) };
        let fact = format!("it waits until somebody else approves of it{required}");
        facts.push(("approval", fact, Tone::Warning));
    }
    if !plan["refusal"].is_null() {
        let refusal = reason(&plan["refusal"]);
        facts.push(match plan["needs_approval"] == true {
            true => {
                ("at present", format!("it would be refused once it is approved: {refusal}"), Tone::Warning)
            }
            false => ("refused", refusal, Tone::Bad),
        });
    }
    for (name, fact, tone) in facts {
        columns::paragraph(
            &printable(&fact),
            (&format!("  {name:<10}  "), &" ".repeat(14)),
            tone,
            style,
            out,
        )?;
    }
    Ok(())
}

/// What a policy did to a plan, such as: amended by `longer`: three months are cheaper.
fn ruled(plan: &Value, ruling: &Value, zone: TimeZone) -> String {
    let text = |name: &str| ruling[name].as_str().unwrap_or_default();
    let (policy, reason) = (text("policy"), text("reason"));
    match (text("ruling"), items::instant(&ruling["until"])) {
        ("amended", _) => format!("amended by `{policy}`: {reason}"),
        ("deferred", Some(until)) => format!("not before {} by `{policy}`: {reason}", zone.minute(until)),
        ("failed", _) => {
            let mut required = plan["required"].as_array().into_iter().flatten();
            let takes_approval = required.any(|one| one["policy"] == ruling["policy"]);
            let counts_as = match takes_approval {
                true => ", so somebody has to look",
                false if plan["refusal"].is_null() => ", counts as approved",
                false => "",
            };
            format!("`{policy}` failed{counts_as}: {reason}")
        }
        (other, _) => format!("{other} by `{policy}`: {reason}"),
    }
}

/// Says for which resources a plan allows any number of automatic renewals.
fn without_limit(plan: &Value) -> Option<String> {
    let steps = plan["steps"].as_array().into_iter().flatten();
    let is_free =
        |step: &&Value| step["operation"] == "set_auto_renew" && step["details"]["renewals"].is_null();
    let free = steps.filter(is_free).filter_map(|step| step["resource"].as_str()).collect::<Vec<_>>();
    (!free.is_empty()).then(|| format!("without limit: {}", free.join(", ")))
}

/// What a plan costs, gives back, and leaves.
fn money(plan: &Value) -> Vec<(&'static str, String, Tone)> {
    let currency = plan["currency"].as_str().unwrap_or_default();
    let amount = |name: &str| items::amount(&plan[name]);
    let shown = |name: &str| format!("{} {currency}", amount(name).map(dates::amount).unwrap_or_default());
    let mut facts = vec![("costs", shown("cost"), Tone::Plain)];
    if amount("refund").is_some_and(|refund| refund > Micros::ZERO) {
        facts.push(("gives back", shown("refund"), Tone::Plain));
    }
    facts.push((
        "balance",
        format!("{}, then {}", shown("balance_before"), shown("balance_after")),
        Tone::Plain,
    ));
    facts
}

/// The steps of a plan as CSV.
///
/// # Errors
///
/// Whatever `out` says.
pub(super) fn write_csv(plan: &Value, zones: &ItemZones, out: &mut dyn Write) -> io::Result<()> {
    let columns = items::columns(&STEPS);
    let listing = Listing { columns: &columns, rows: items::rows(&STEPS, &whole_steps(plan), zones) };
    listing.write(ListFormat::Csv, "", Style::PLAIN, out)
}

/// The steps with what a step does not say of its own: the account and the currency of its plan.
fn whole_steps(plan: &Value) -> Vec<Value> {
    let steps = plan["steps"].as_array().into_iter().flatten().cloned();
    let whole = steps.map(|mut step| {
        (step["account"], step["currency"]) = (plan["account"].clone(), plan["currency"].clone());
        step
    });
    whole.collect()
}

/// Whether a step says something in this field that people want to know.
fn says(step: &Value, name: &str) -> bool {
    match &step[name] {
        Value::Null => false,
        Value::Object(fields) => fields.values().any(|value| !value.is_null()),
        amount @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            name != "refund" || items::amount(amount) != Some(Micros::ZERO)
        }
    }
}

/// The steps for people: without the columns in which no step says anything.
fn table(plan: &Value, zones: &ItemZones, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut steps = whole_steps(plan);
    for step in &mut steps {
        step["operation"] = step["operation"].as_str().unwrap_or_default().replace('_', " ").into();
    }
    let is_said = |field: &Field| steps.iter().any(|step| says(step, field.name()));
    let fields = STEPS.into_iter().filter(is_said).collect::<Vec<_>>();
    let columns = items::columns(&fields);
    Listing { columns: &columns, rows: items::rows(&fields, &steps, zones) }.table("  ", style, out)
}

/// A refusal, with its code.
pub(super) fn reason(refusal: &Value) -> String {
    let text = |name: &str| refusal[name].as_str().unwrap_or_default();
    format!("{}: {}", text("code"), text("message"))
}

/// Which policy requires an approval, of whom, and why.
fn approval(required: &Value) -> String {
    let text = |name: &str| required[name].as_str().filter(|text| !text.is_empty());
    let by = text("by").map(|by| format!(" of {by}")).unwrap_or_default();
    let why = text("reason").map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} requires that{by}{why}", text("policy").unwrap_or_default())
}
