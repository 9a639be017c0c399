//! Reads events from lines that [`super::line`] wrote.

use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Scope;
use perennial_domain::timestamp::Timestamp;

use crate::Problems;
use crate::command::CAUSES;
use crate::diagnostics::Diagnostics;
use crate::diagnostics::Path;
use crate::fields::Fields;
use crate::json_cursor::JsonCursor;
use crate::json_tree;
use crate::wording;

/// What every line has.
const COMMON_FIELDS: [&str; 4] = ["at", "account", "resource", "type"];

/// Reads a line: the account that the event is about, if any, and the event.
///
/// # Errors
///
/// Every problem of the line, each with its path.
pub fn read(line: &str) -> Result<(Option<String>, Event), Problems> {
    let problems = Diagnostics::default();
    let root = json_tree::parse(line, &problems)?;
    let found = read_line(JsonCursor { node: &root, path: Path::Root, diagnostics: &problems });
    problems.finish(found)
}

fn read_line(root: JsonCursor<'_, '_>) -> Option<(Option<String>, Event)> {
    let fields = root.any_object()?;
    let at = fields.required("at", |cursor| cursor.instant());
    let account = fields.required("account", |_| Some(())).and_then(|()| text_or_none(&fields, "account"));
    let resource = fields.required("resource", |_| Some(())).and_then(|()| text_or_none(&fields, "resource"));
    let what = fields.required("type", |cursor| Some((cursor.text()?, cursor)));
    let what = what.and_then(|(name, cursor)| read_kind(name, cursor, &fields, &COMMON_FIELDS));
    Some((account?, Event { at: at?, resource: resource?, what: what? }))
}

/// Reads back what [`super::body`] gives, `body` being the fields as JSON.
///
/// # Errors
///
/// Every problem of the body, each with its path.
pub fn read_body(name: &str, body: &str) -> Result<EventKind, Problems> {
    let problems = Diagnostics::default();
    let root = json_tree::parse(body, &problems)?;
    let root = JsonCursor { node: &root, path: Path::Root, diagnostics: &problems };
    let what = root.any_object().and_then(|fields| read_kind(name, root, &fields, &[]));
    problems.finish(what)
}

fn text(fields: &Fields<'_, '_>, name: &str) -> Option<String> {
    fields.required(name, |cursor| cursor.text()).map(str::to_owned)
}

fn text_or_none(fields: &Fields<'_, '_>, name: &str) -> Option<Option<String>> {
    fields.optional(name, |cursor| cursor.text().map(str::to_owned)).option()
}

fn instant(fields: &Fields<'_, '_>, name: &str) -> Option<Timestamp> {
    fields.required(name, |cursor| cursor.instant())
}

fn amount(fields: &Fields<'_, '_>, name: &str) -> Option<Micros> {
    fields.required(name, |cursor| cursor.stored_amount())
}

fn stage(fields: &Fields<'_, '_>, name: &str) -> Option<Stage> {
    fields.required(name, |cursor| cursor.one_of(&Stage::ALL, Stage::name))
}

/// Reads what happened; `spot` is where its name stands, and `about` what stands beside its fields.
fn read_kind(
    name: &str,
    cursor: JsonCursor<'_, '_>,
    fields: &Fields<'_, '_>,
    about: &[&str],
) -> Option<EventKind> {
    let what = match name {
        "stage_changed" => EventKind::StageChanged { from: stage(fields, "from")?, to: stage(fields, "to")? },
        "renewal_settled" => EventKind::RenewalSettled {
            cost: amount(fields, "cost")?,
            expires_before: instant(fields, "expires_before")?,
            expires_at: instant(fields, "expires_at")?,
            term: fields.required("term", |cursor| cursor.term())?,
            extra_days: fields.required("extra_days", |cursor| cursor.count())?,
            cause: fields.required("cause", |cursor| cursor.one_of(&CAUSES, Cause::name))?,
            primary: text_or_none(fields, "primary")?,
            attempt: text(fields, "attempt")?,
        },
        "renewal_declined" => EventKind::RenewalDeclined {
            code: text(fields, "code")?,
            message: text(fields, "message")?,
            class: fields
                .required("class", |cursor| cursor.one_of(&DeclineClass::ALL, DeclineClass::name))?,
            next_try_at: fields.optional("next_try_at", |cursor| cursor.instant()).option()?,
        },
        "renewal_in_doubt" => {
            EventKind::RenewalInDoubt { attempt: text(fields, "attempt")?, code: text(fields, "code")? }
        }
        "approval_requested" | "approval_decided" | "approval_expired" => approval(name, fields)?,
        "command_refused" => EventKind::CommandRefused {
            command: text(fields, "command")?,
            code: text(fields, "code")?,
            message: text(fields, "message")?,
        },
        "setting_changed" => EventKind::SettingChanged {
            setting: text(fields, "setting")?,
            value: text_or_none(fields, "value")?,
        },
        "unsubscribed" => EventKind::Unsubscribed {
            scope: fields.required("scope", |cursor| cursor.one_of(&Scope::ALL, Scope::name))?,
            expires_at: fields.optional("expires_at", |cursor| cursor.instant()).option()?,
            refund: amount(fields, "refund")?,
            original_order: text_or_none(fields, "original_order")?,
            refunds: fields.required("refunds", |cursor| cursor.list(|_, refund| refunded(refund)))?,
        },
        "converted" => EventKind::Converted,
        "order_created" | "order_paid" | "order_cancelled" | "order_expired" => order(name, fields)?,
        "balance_changed" => EventKind::BalanceChanged {
            amount: amount(fields, "amount")?,
            balance: amount(fields, "balance")?,
            reason: fields.required("reason", |cursor| cursor.one_of(&Reason::ALL, Reason::name))?,
        },
        "usage_uncovered" => EventKind::UsageUncovered {
            amount: amount(fields, "amount")?,
            resource_type: text(fields, "resource_type")?,
        },
        "notice" => EventKind::Notice { notice: text(fields, "notice")? },
        "plugin_failed" => EventKind::PluginFailed {
            message: text(fields, "message")?,
            next_try_at: instant(fields, "next_try_at")?,
        },
        "host_resumed" => EventKind::HostResumed { down_since: instant(fields, "down_since")? },
        name => package(name, cursor, fields)?,
    };
    let (_, known) = super::parts(&what);
    for (name, field) in fields.all() {
        if !about.contains(&name) && !known.iter().any(|(known, _)| *known == name) {
            field.report(format!("an event of this type has no field {}", wording::quote(name)));
        }
    }
    Some(what)
}

fn approval(name: &str, fields: &Fields<'_, '_>) -> Option<EventKind> {
    let approval = text(fields, "approval")?;
    Some(match name {
        "approval_requested" => EventKind::ApprovalRequested {
            approval,
            command: text(fields, "command")?,
            cause: fields.required("cause", |cursor| cursor.one_of(&CAUSES, Cause::name))?,
            requested_by: text_or_none(fields, "requested_by")?,
            cost: amount(fields, "cost")?,
            expires_at: instant(fields, "expires_at")?,
            attempt: text_or_none(fields, "attempt")?,
        },
        "approval_decided" => EventKind::ApprovalDecided {
            approval,
            decision: fields.required("decision", |cursor| cursor.one_of(&State::ALL, State::name))?,
            decided_by: text(fields, "decided_by")?,
            reason: text_or_none(fields, "reason")?,
            will_retry: fields.required("will_retry", |cursor| cursor.flag())?,
        },
        _ => EventKind::ApprovalExpired {
            approval,
            reason: fields
                .required("reason", |cursor| cursor.one_of(&ExpiryReason::ALL, ExpiryReason::name))?,
            will_retry: fields.required("will_retry", |cursor| cursor.flag())?,
        },
    })
}

fn order(name: &str, fields: &Fields<'_, '_>) -> Option<EventKind> {
    let order = text(fields, "order")?;
    let kind = fields.required("kind", |cursor| cursor.one_of(&OrderKind::ALL, OrderKind::name))?;
    let cost = amount(fields, "cost")?;
    Some(match name {
        "order_created" => {
            let pay_until = fields.optional("pay_until", |cursor| cursor.instant()).option()?;
            EventKind::OrderCreated { order, kind, cost, pay_until }
        }
        "order_paid" => {
            let refunds = fields.required("refunds", |cursor| cursor.list(|_, refund| refunded(refund)))?;
            EventKind::OrderPaid { order, kind, cost, refunds }
        }
        "order_cancelled" => EventKind::OrderCancelled { order, kind, cost },
        _ => EventKind::OrderExpired { order, kind, cost },
    })
}

fn package(name: &str, cursor: JsonCursor<'_, '_>, fields: &Fields<'_, '_>) -> Option<EventKind> {
    let what = match name {
        "package_ordered" => EventKind::PackageOrdered {
            pay_at: instant(fields, "pay_at")?,
            effective_at: instant(fields, "effective_at")?,
        },
        "package_bought" => EventKind::PackageBought {
            effective_at: instant(fields, "effective_at")?,
            expires_at: instant(fields, "expires_at")?,
            quota: amount(fields, "quota")?,
            cost: amount(fields, "cost")?,
            like: text(fields, "like")?,
        },
        "package_used" => {
            EventKind::PackageUsed { amount: amount(fields, "amount")?, left: amount(fields, "left")? }
        }
        "package_refilled" => EventKind::PackageRefilled { left: amount(fields, "left")? },
        "package_low" => EventKind::PackageLow { left: amount(fields, "left")? },
        "package_depleted" => EventKind::PackageDepleted { left: amount(fields, "left")? },
        name => {
            cursor.report(format!("there is no event of type {}", wording::quote(name)));
            return None;
        }
    };
    Some(what)
}

fn refunded(cursor: JsonCursor<'_, '_>) -> Option<(String, Micros)> {
    let fields = cursor.object(&["order", "amount"])?;
    Some((text(&fields, "order")?, amount(&fields, "amount")?))
}
