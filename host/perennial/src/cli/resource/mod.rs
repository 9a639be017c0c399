//! `perennial resource`: one resource: what is known of it, and every command on it.

mod look;
mod planned;
mod settings;

pub(super) use look::ORDERS;

use clap::Subcommand;

use crate::cli::Context;
use crate::cli::act::PlanArguments;
use crate::cli::confirm::EndArguments;
use crate::cli::input;
use crate::cli::list::ListArguments;
use crate::cli::target::TargetArguments;
use perennial_domain::plan::Scope;
use perennial_domain::timestamp::Timestamp;
use serde_json::Value;

use crate::cli::choice::Choice;

/// What an unsubscription ends.
const SCOPE: Choice<Scope> = Choice { what: "scope", all: &Scope::ALL, name: Scope::name };

/// Shows one resource, and renews, changes or ends it.
///
/// A command shows its plan, with every step and what it costs, and asks. What is carried out is that plan and no other, once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial resource show ecs-1
  perennial resource renew ecs-1 --dry-run
  perennial resource renew ecs-1 --term 1year --reason 'ticket 4711'
  perennial resource auto-renew ecs-1 --term 1month --renewals 12
  perennial resource auto-renew ecs-1 --off
  perennial resource unsubscribe evs-1 --scope future --yes
  perennial resource convert ecs-1 --on-expiry
  perennial resource tag ecs-1 env=prod team=shop --remove owner
  perennial resource renew ecs-1 --server http://127.0.0.1:8420 --token-file token

Without `--server`, a command works on the database itself, as the command line; while `perennial serve` works on it, what
changes something goes through that.

Exit codes: 0 done, 1 could not, 2 wrong input or a no, 3 a dry run found something to do.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Shows what is known of it.
    Show(Look),
    /// Shows when to renew it (RFC 9773).
    Window(Look),
    /// Lists everything that will happen to it and to what is attached to it if nobody does anything.
    Timeline(Look),
    /// Lists its orders.
    Orders(Look),
    /// Lists what was decided about it: what plugins and policies were asked, and what they answered.
    Decisions(Look),
    /// Renews it, at the provider's price.
    Renew(Renew),
    /// Turns automatic renewal on or off, or changes its term.
    AutoRenew(AutoRenew),
    /// Cancels it for a refund, or only the periods that have not begun.
    Unsubscribe(Unsubscribe),
    /// Converts it to pay-per-use, at once or when it expires.
    Convert(Convert),
    /// Buys a package like it.
    BuyAgain(BuyAgain),
    /// Changes its specification for the rest of its term.
    Change(Change),
    /// Pays a pay-per-use resource ahead for a term: it is prepaid from then on.
    Subscribe(Subscribe),
    /// Pays an order of it that waits to be paid.
    PayOrder(Order),
    /// Cancels an order of it that waits to be paid.
    CancelOrder(Order),
    /// Sets and removes tags.
    Tag(Tags),
    /// Sets attributes, which the provider's rules may read.
    Attribute(Attributes),
}

#[derive(Debug, clap::Args)]
struct Look {
    /// The ID of the resource.
    id: String,
    /// At most so many, of what is a list.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = input::whole::<u32>(1..))]
    limit: u32,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, clap::Args)]
struct Renew {
    /// The ID of the resource.
    id: String,
    /// For how long, such as `1month`; without it, as an automatic renewal.
    #[arg(long, value_name = "TERM", value_parser = input::term)]
    term: Option<Value>,
    /// An option of the provider's own, its value being JSON or else a text; may be given again.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = input::pair)]
    options: Vec<(String, String)>,
    #[command(flatten)]
    plan: PlanArguments,
}

#[derive(Debug, clap::Args)]
struct AutoRenew {
    /// The ID of the resource.
    id: String,
    /// Turn it off.
    #[arg(long, conflicts_with_all = ["term", "renewals"])]
    off: bool,
    /// The term of each renewal, such as `1month`; without it, the one that it was bought for.
    #[arg(long, value_name = "TERM", value_parser = input::term)]
    term: Option<Value>,
    /// The most renewals, at least 1; without it, there is no limit, or, on Huawei Cloud, the one that is there stays until
    /// automatic renewal is turned off.
    #[arg(long, value_name = "N", value_parser = renewals)]
    renewals: Option<u32>,
    #[command(flatten)]
    plan: PlanArguments,
}

/// How many renewals are allowed at most. None at all is what one provider takes for no limit, and another for no automatic
/// renewal.
fn renewals(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(0) => Err("none at all is `--off`; leave the option out for no limit".to_owned()),
        Ok(renewals) => Ok(renewals),
        Err(_) => Err(format!("`{text}` is no number of renewals; write how many, such as `12`")),
    }
}

#[derive(Debug, clap::Args)]
struct Unsubscribe {
    /// The ID of the resource.
    id: String,
    /// `all`: the resource and every period that is paid for; `future`: only the periods that have not begun.
    #[arg(long, value_parser = SCOPE)]
    scope: Scope,
    #[command(flatten)]
    plan: PlanArguments,
}

#[derive(Debug, clap::Args)]
#[group(id = "moment", required = true, multiple = false, args = ["now", "on_expiry", "cancel"])]
struct Convert {
    /// The ID of the resource.
    id: String,
    /// Convert it at once.
    #[arg(long)]
    now: bool,
    /// Convert it when it expires.
    #[arg(long)]
    on_expiry: bool,
    /// Cancel a planned conversion: the resource stays prepaid.
    #[arg(long)]
    cancel: bool,
    #[command(flatten)]
    plan: PlanArguments,
}

#[derive(Debug, clap::Args)]
struct BuyAgain {
    /// The ID of the package.
    id: String,
    /// When to pay for it, in RFC 3339; a date alone is midnight UTC. Without it, now.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    pay_at: Option<Timestamp>,
    /// When it takes effect; without it, when it is paid.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    effective_at: Option<Timestamp>,
    #[command(flatten)]
    plan: PlanArguments,
}

#[derive(Debug, clap::Args)]
struct Change {
    /// The ID of the resource.
    id: String,
    /// What one of its terms costs from then on.
    #[arg(long, value_name = "AMOUNT", value_parser = input::amount)]
    price: String,
    /// An attribute that gets another value; may be given again.
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = input::pair)]
    attributes: Vec<(String, String)>,
    /// An option of the provider's own, its value being JSON or else a text; may be given again.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = input::pair)]
    options: Vec<(String, String)>,
    #[command(flatten)]
    plan: PlanArguments,
}

#[derive(Debug, clap::Args)]
struct Subscribe {
    /// The ID of the resource.
    id: String,
    /// For how long, such as `1month`; without it, as the provider's rules have it.
    #[arg(long, value_name = "TERM", value_parser = input::term)]
    term: Option<Value>,
    /// What that term costs; without it, what the provider's rules say.
    #[arg(long, value_name = "AMOUNT", value_parser = input::amount)]
    price: Option<String>,
    /// An option of the provider's own, its value being JSON or else a text; may be given again.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = input::pair)]
    options: Vec<(String, String)>,
    #[command(flatten)]
    plan: PlanArguments,
}

#[derive(Debug, clap::Args)]
struct Order {
    /// The ID of the resource.
    id: String,
    /// The order, as `perennial resource orders` shows it.
    order: String,
    #[command(flatten)]
    plan: PlanArguments,
}

#[derive(Debug, clap::Args)]
struct Tags {
    /// The ID of the resource.
    id: String,
    /// Tags to set.
    #[arg(value_name = "NAME=VALUE", value_parser = input::pair, required_unless_present = "remove")]
    tags: Vec<(String, String)>,
    /// A tag to remove; may be given again.
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    end: EndArguments,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, clap::Args)]
struct Attributes {
    /// The ID of the resource.
    id: String,
    /// Attributes to set.
    #[arg(value_name = "NAME=VALUE", value_parser = input::pair, required = true)]
    attributes: Vec<(String, String)>,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    end: EndArguments,
    #[command(flatten)]
    list: ListArguments,
}

pub(super) fn resource(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let target = &arguments.target;
    match &arguments.action {
        Action::Show(look) => look::show(context, target, look),
        Action::Window(look) => look::window(context, target, look),
        Action::Timeline(look) => look::timeline(context, target, look),
        Action::Orders(look) => look::orders(context, target, look),
        Action::Decisions(look) => look::decisions(context, target, look),
        Action::Renew(action) => planned::renew(context, target, action),
        Action::AutoRenew(action) => planned::auto_renew(context, target, action),
        Action::Unsubscribe(action) => planned::unsubscribe(context, target, action),
        Action::Convert(action) => planned::convert(context, target, action),
        Action::BuyAgain(action) => planned::buy_again(context, target, action),
        Action::Change(action) => planned::change(context, target, action),
        Action::Subscribe(action) => planned::subscribe(context, target, action),
        Action::PayOrder(action) => planned::pay_order(context, target, action),
        Action::CancelOrder(action) => planned::cancel_order(context, target, action),
        Action::Tag(tags) => settings::tag(context, target, tags),
        Action::Attribute(attributes) => settings::attribute(context, target, attributes),
    }
}
