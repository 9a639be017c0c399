//! `perennial policy list`, `show` and `history`: the policies that hold for a database. Reads only, also while a host runs.

use std::io::Write;

use perennial_formats::policy::binding;
use perennial_formats::policy::binding::PolicyBinding;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use perennial_store::keys::RowKey;
use perennial_store::policies;
use perennial_store::policies::StoredPolicy;
use perennial_store::policy_changes;
use perennial_store::policy_changes::PolicyChange;
use perennial_store::policy_changes::Subject;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::list::ListArguments;
use crate::cli::output::Output;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::ListFormat;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;

const COLUMNS: [Column; 13] = [
    Column::number("order", "order"),
    Column::new("name", "name"),
    Column::new("mode", "mode"),
    Column::new("accounts", "accounts"),
    Column::new("providers", ""),
    Column::new("kinds", "kinds"),
    Column::new("tags", "tags"),
    Column::new("commands", "commands"),
    Column::new("on_failure", ""),
    Column::new("script", ""),
    Column::new("digest", ""),
    Column::new("installed_at", "installed"),
    Column::new("installed_by", "by"),
];

const CHANGES: [Column; 6] = [
    Column::new("at", "at"),
    Column::new("changed_by", "by"),
    Column::new("reason", "reason"),
    Column::new("confirmed_at", "confirmed"),
    Column::new("confirmed_by", "confirmed by"),
    Column::new("script_difference", "difference"),
];

/// The policies that hold, in the order in which they are asked.
pub(super) fn list(context: &Context, arguments: &ListArguments) -> anyhow::Result<()> {
    let held = policies::list(&ReadTx::open(&context.db)?)?;
    let zone = context.zones(arguments.zone.time_zone)?.of(None);
    let row = |stored: StoredPolicy| {
        let binding = PolicyBinding::of(&stored.policy, &stored.digest);
        let all = |texts: Vec<String>| Cell::new(Value::Texts(texts)).or("all");
        let lists = binding.selector;
        let cells: [Cell; COLUMNS.len()] = [
            Cell::new(Value::Json(binding.rank.into())),
            Cell::new(stored.policy.name),
            Cell::new(binding.mode),
            all(lists.accounts),
            all(lists.providers),
            all(lists.kinds),
            Cell::new(Value::Texts(lists.tags)),
            all(lists.commands),
            Cell::new(binding.on_failure),
            Cell::new(binding.script),
            Cell::new(binding.digest),
            Cell::new(stored.installed_at),
            Cell::new(stored.installed_by),
        ];
        Row { zone, cells: cells.into() }
    };
    let rows = held.into_iter().map(row).collect();
    let nothing = "no policy holds; install some with `perennial policy install policies.toml`";
    context.write_list(&Listing { columns: &COLUMNS, rows }, arguments.format, nothing)
}

/// How a policy is bound, and its script.
pub(super) fn show(context: &Context, name: &str) -> anyhow::Result<()> {
    let db = ReadTx::open(&context.db)?;
    let stored = policies::get(&db, name)?.ok_or_else(|| no_policy(name))?;
    let binding = PolicyBinding::of(&stored.policy, &stored.digest);
    let mut out = Output::standard();
    writeln!(out, "{name}: order {}, {}, `{}`", binding.rank, binding.mode, binding.script)?;
    writeln!(out, "version {}", binding.digest)?;
    writeln!(out, "installed {} by {}", stored.installed_at, stored.installed_by)?;
    let lists = binding.selector;
    let named = [
        ("accounts", lists.accounts),
        ("providers", lists.providers),
        ("kinds", lists.kinds),
        ("tags", lists.tags),
        ("commands", lists.commands),
    ];
    for (what, list) in named.into_iter().filter(|(_, list)| !list.is_empty()) {
        writeln!(out, "{what}: {}", list.join(", "))?;
    }
    writeln!(out, "on failure: {}", binding.on_failure)?;
    writeln!(out, "\n{}", stored.policy.text.trim_end())?;
    Ok(out.finish()?)
}

/// Who changed a policy when, with the lines that differ: below each change for people, as a field of it for programs.
pub(super) fn history(context: &Context, name: &str, list: &ListArguments) -> anyhow::Result<()> {
    let db = ReadTx::open(&context.db)?;
    let changes = policy_changes::list(&db, Subject::Policy, name, RowKey::before_all(), u32::MAX)?;
    if changes.is_empty() {
        return Err(no_policy(name).into());
    }
    if list.format != ListFormat::Table {
        let zone = context.zones(list.zone.time_zone)?.of(None);
        let row = |change: PolicyChange| {
            let difference = differing_lines(&db, &change)?;
            let (confirmed_at, confirmed_by) = change.confirmed.unzip();
            let cells: [Cell; CHANGES.len()] = [
                Cell::new(change.change.at),
                Cell::new(change.change.changed_by),
                Cell::new(change.change.reason),
                Cell::new(confirmed_at),
                Cell::new(confirmed_by),
                Cell::new(difference),
            ];
            Ok(Row { zone, cells: cells.into() })
        };
        let rows = changes.into_iter().map(row).collect::<Result<_, StoreError>>()?;
        return context.write_list(&Listing { columns: &CHANGES, rows }, list.format, "");
    }
    let mut out = Output::standard();
    for change in changes {
        writeln!(out, "{}", change_words(&change))?;
        for line in differing_lines(&db, &change)?.lines() {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(out.finish()?)
}

fn change_words(change: &PolicyChange) -> String {
    let made = &change.change;
    let what = match (&made.before, &made.after) {
        (_, None) => "removed",
        (None, Some(_)) => "added",
        (Some(_), Some(_)) => "replaced",
    };
    let why = made.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    let confirmed = change.confirmed.as_ref();
    let confirmed = confirmed.map_or(String::new(), |(at, by)| format!("; confirmed {at} by {by}"));
    format!("{}  {what} by {}{why}{confirmed}", made.at, made.changed_by)
}

/// The lines of the binding and of the script that differ.
fn differing_lines(db: &ReadTx, change: &PolicyChange) -> Result<String, StoreError> {
    let read = |text: &Option<String>| text.as_deref().and_then(PolicyBinding::read);
    let (before, after) = (read(&change.change.before), read(&change.change.after));
    let source = |bound: &Option<PolicyBinding>| match bound {
        Some(bound) => policies::script(db, &bound.digest).map(Option::unwrap_or_default),
        None => Ok(String::new()),
    };
    let bound = |bound: &Option<PolicyBinding>| bound.as_ref().map(binding::lines).unwrap_or_default();
    let bindings = binding::line_difference(&bound(&before), &bound(&after));
    Ok(bindings + &binding::line_difference(&source(&before)?, &source(&after)?))
}

fn no_policy(name: &str) -> UserError {
    UserError::Argument(format!("there is no policy `{name}`; see `perennial policy list`"))
}
