//! Commands in scenarios and stored decisions. Reads and writes every command; carries out none.

use std::collections::BTreeMap;

use perennial_domain::micros::Micros;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Change;
use perennial_domain::plan::Command;
use perennial_domain::plan::Purchase;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use perennial_domain::plan::Subscribe;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;

use super::json_cursor::JsonCursor;
use super::json_tree::Json;
use super::json_value;
use super::json_value::JsonValue;
use super::wording;

/// Commands that are written as one word.
const BARE: [&str; 4] = ["cancel_auto_renew", "convert_on_expiry", "cancel_conversion", "convert_now"];

/// Commands that are written as an object with one field.
const WITH_FIELDS: [&str; 8] = [
    "renew",
    "set_auto_renew",
    "unsubscribe",
    "buy_again",
    "change",
    "subscribe",
    "pay_order",
    "cancel_order",
];

/// The names of all commands.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    WITH_FIELDS.into_iter().chain(BARE)
}

/// Who wrote a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// Somebody outside, who cannot ask in the clock's name.
    Outside,
    /// This host, which also keeps what the clock asked.
    Host,
}

/// Reads a command.
pub(super) fn read(cursor: JsonCursor<'_, '_>, writer: Writer) -> Option<Command> {
    match &cursor.node.json {
        Json::Text(name) => bare(name, cursor),
        Json::Object(_) => cursor.only_field("a command", |name, body| with_fields(name, body, writer)),
        Json::Null | Json::Flag(_) | Json::Number(_) | Json::List(_) => cursor.report_type(
            "a command such as \"cancel_auto_renew\" or {\"unsubscribe\": {\"scope\": \"all\"}}",
        ),
    }
}

fn bare(name: &str, cursor: JsonCursor<'_, '_>) -> Option<Command> {
    match name {
        "cancel_auto_renew" => Some(Command::CancelAutoRenew),
        "convert_on_expiry" => Some(Command::ConvertOnExpiry),
        "cancel_conversion" => Some(Command::CancelConversion),
        "convert_now" => Some(Command::ConvertNow),
        name if WITH_FIELDS.contains(&name) => {
            cursor.report(format!("write `{name}` as an object: {{\"{name}\": {{…}}}}"));
            None
        }
        name => unknown(name, cursor),
    }
}

fn with_fields(name: &str, body: JsonCursor<'_, '_>, writer: Writer) -> Option<Command> {
    match name {
        "renew" => renewal(body, writer).map(Command::Renew),
        "set_auto_renew" => auto_renewal(body, writer).map(Command::SetAutoRenew),
        "unsubscribe" => {
            let fields = body.object(&["scope"])?;
            let scope = fields.required("scope", |cursor| cursor.one_of(&Scope::ALL, Scope::name));
            scope.map(Command::Unsubscribe)
        }
        "buy_again" => purchase(body, writer).map(Command::BuyAgain),
        "change" => change(body, writer).map(Command::Change),
        "subscribe" => subscribe(body, writer).map(Command::Subscribe),
        "pay_order" => order(body).map(Command::PayOrder),
        "cancel_order" => order(body).map(Command::CancelOrder),
        name if BARE.contains(&name) => {
            body.report(format!("`{name}` has no fields; write it as text: \"{name}\""));
            None
        }
        name => unknown(name, body),
    }
}

fn unknown(name: &str, cursor: JsonCursor<'_, '_>) -> Option<Command> {
    let meant = wording::did_you_mean(name, names());
    let there = wording::list_names(names());
    cursor.report(format!("there is no command {}{meant}; expected {there}", wording::quote(name)));
    None
}

fn renewal(body: JsonCursor<'_, '_>, writer: Writer) -> Option<Renewal> {
    let fields = match writer {
        Writer::Outside => body.object(&["term", "options"])?,
        Writer::Host => body.object(&["term", "options", "cause"])?,
    };
    let term = fields.optional("term", |cursor| term(cursor, writer)).option();
    let options = fields.optional("options", |cursor| cursor.options()).or(BTreeMap::new());
    let cause = match writer {
        Writer::Outside => Some(Cause::Command),
        Writer::Host => fields.required("cause", |cursor| cursor.one_of(&Cause::ALL, Cause::name)),
    };
    Some(Renewal { term: term?, cause: cause?, options: options? })
}

/// Reads how a resource renews itself.
pub(super) fn auto_renewal(body: JsonCursor<'_, '_>, writer: Writer) -> Option<AutoRenewal> {
    let fields = body.object(&["term", "renewals"])?;
    let term = fields.optional("term", |cursor| term(cursor, writer)).option();
    let renewals = fields.optional("renewals", |cursor| cursor.count()).option();
    Some(AutoRenewal { term: term?, renewals: renewals? })
}

fn purchase(body: JsonCursor<'_, '_>, writer: Writer) -> Option<Purchase> {
    let fields = body.object(&["pay_at", "effective_at"])?;
    let pay_at = fields.optional("pay_at", |cursor| instant(cursor, writer)).option();
    let effective_at = fields.optional("effective_at", |cursor| instant(cursor, writer)).option();
    Some(Purchase { pay_at: pay_at?, effective_at: effective_at? })
}

fn change(body: JsonCursor<'_, '_>, writer: Writer) -> Option<Change> {
    let fields = body.object(&["attributes", "price", "options"])?;
    let attributes = match writer {
        Writer::Outside => fields.optional("attributes", |cursor| cursor.named_texts()),
        Writer::Host => fields.optional("attributes", |cursor| cursor.texts()),
    };
    let attributes = attributes.or(BTreeMap::new());
    let price = fields.required("price", |cursor| price(cursor, writer));
    let options = fields.optional("options", |cursor| cursor.options()).or(BTreeMap::new());
    Some(Change { attributes: attributes?, price: price?, options: options? })
}

/// What was kept is what somebody could ask for when it was.
fn term(cursor: JsonCursor<'_, '_>, writer: Writer) -> Option<Term> {
    match writer {
        Writer::Outside => cursor.given_term(),
        Writer::Host => cursor.term(),
    }
}

fn instant(cursor: JsonCursor<'_, '_>, writer: Writer) -> Option<Timestamp> {
    match writer {
        Writer::Outside => cursor.given_instant(),
        Writer::Host => cursor.instant(),
    }
}

fn price(cursor: JsonCursor<'_, '_>, writer: Writer) -> Option<Micros> {
    match writer {
        Writer::Outside => cursor.amount(),
        Writer::Host => cursor.stored_amount(),
    }
}

fn subscribe(body: JsonCursor<'_, '_>, writer: Writer) -> Option<Subscribe> {
    let fields = body.object(&["term", "price", "options"])?;
    let term = fields.optional("term", |cursor| term(cursor, writer)).option();
    let price = fields.optional("price", |cursor| price(cursor, writer)).option();
    let options = fields.optional("options", |cursor| cursor.options()).or(BTreeMap::new());
    Some(Subscribe { term: term?, price: price?, options: options? })
}

fn order(body: JsonCursor<'_, '_>) -> Option<String> {
    let fields = body.object(&["order"])?;
    fields.required("order", |cursor| cursor.name()).map(str::to_owned)
}

/// A command as this host keeps it.
pub(super) fn value(command: &Command) -> JsonValue<'_> {
    match command {
        Command::Renew(renewal) => json_value::object([(
            command.name(),
            json_value::object([
                ("term", renewal.term.into()),
                ("options", (&renewal.options).into()),
                ("cause", renewal.cause.name().into()),
            ]),
        )]),
        Command::SetAutoRenew(auto_renewal) => {
            json_value::object([(command.name(), auto_renewal_value(*auto_renewal))])
        }
        Command::Unsubscribe(scope) => {
            json_value::object([(command.name(), json_value::object([("scope", scope.name().into())]))])
        }
        Command::BuyAgain(purchase) => json_value::object([(
            command.name(),
            json_value::object([
                ("pay_at", purchase.pay_at.into()),
                ("effective_at", purchase.effective_at.into()),
            ]),
        )]),
        Command::Change(change) => json_value::object([(
            command.name(),
            json_value::object([
                ("attributes", (&change.attributes).into()),
                ("price", change.price.into()),
                ("options", (&change.options).into()),
            ]),
        )]),
        Command::Subscribe(subscribe) => json_value::object([(
            command.name(),
            json_value::object([
                ("term", subscribe.term.into()),
                ("price", subscribe.price.into()),
                ("options", (&subscribe.options).into()),
            ]),
        )]),
        Command::PayOrder(order) | Command::CancelOrder(order) => {
            json_value::object([(command.name(), json_value::object([("order", order.into())]))])
        }
        Command::CancelAutoRenew
        | Command::ConvertOnExpiry
        | Command::CancelConversion
        | Command::ConvertNow => command.name().into(),
    }
}

/// How a resource renews itself, as this host keeps it.
pub(super) fn auto_renewal_value(auto_renewal: AutoRenewal) -> JsonValue<'static> {
    json_value::object([("term", auto_renewal.term.into()), ("renewals", auto_renewal.renewals.into())])
}
