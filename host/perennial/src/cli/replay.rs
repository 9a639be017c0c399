//! `perennial replay`: asks plugins again what they decided, and compares the answers bit for bit.

use std::io::Write;

use clap::ValueEnum;
use perennial_engine::replay;
use perennial_engine::replay::Replay;
use perennial_engine::replay::Tally;
use perennial_formats::dates;
use perennial_formats::decision::ruling;
use perennial_formats::time_zone::TimeZone;
use perennial_store::ReadTx;
use perennial_store::decisions;
use perennial_store::decisions::Decision;
use perennial_store::keys::DecisionKey;
use perennial_store::keys::RowKey;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::cli::output::Output;
use crate::report::text::printable;

/// The most decisions that are shown of those that are answered differently; all are counted.
const SHOWN_MAX: usize = 100;

/// Asks plugins again what they decided, and compares the answers bit for bit; also while `perennial run` works on the
/// database. Changes nothing.
///
/// It ends with 1 if an answer is another one than was kept, or what was kept is damaged. What was decided by another
/// revision of a plugin, or under another contract, is counted and cannot be asked here: load that revision with
/// `--plugin FILE`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial replay 4711
  perennial replay --all
  perennial --plugin acme-1.2.wasm replay --all --format json")]
pub(super) struct Arguments {
    /// The decision's number, as `perennial explain` and the admin API show it.
    #[arg(value_name = "DECISION", conflicts_with = "all", value_parser = input::whole::<i64>(1..))]
    decision: Option<i64>,
    /// Every decision that is kept.
    #[arg(long)]
    all: bool,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How the outcome is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Sentences for people.
    Text,
    /// A JSON object.
    Json,
}

/// Decisions are not answered as they were: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error(
    "{decisions} answered otherwise than is kept: either what is kept was changed, in which case `perennial db restore` puts a \
     backup in its place, or {who} not answer the same question the same way; tell its author",
    decisions = dates::counted(usize::try_from(*.count).unwrap_or(usize::MAX), "decision"),
    who = if *.of_scripts { "the script of a policy does" } else { "the plugin does" }
)]
struct DecisionsDiffer {
    count: u64,
    /// Whether scripts of policies made all of those that are shown.
    of_scripts: bool,
}

/// A decision that is not answered as it was.
struct UnequalDecision {
    decision: Decision,
    replay: Replay,
}

pub(super) fn replay(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    context.refuse_host_of_environment()?;
    if arguments.decision.is_none() && !arguments.all {
        let message = "say which: the number of a decision, or `--all` that are kept";
        return Err(UserError::Argument(message.to_owned()).into());
    }
    let db = ReadTx::open(&context.db)?;
    let one = arguments.decision.map(|number| find(&db, number)).transpose()?;
    let providers = context.providers_with_policies()?;
    let mut found = Vec::new();
    let mut observe = |decision: &Decision, replay: &Replay| {
        let is_wrong = matches!(replay, Replay::Differs { .. } | Replay::Damaged { .. });
        if is_wrong && found.len() < SHOWN_MAX {
            found.push(UnequalDecision { decision: decision.clone(), replay: replay.clone() });
        }
        Ok::<(), anyhow::Error>(())
    };
    let tally = match one {
        Some(decision) => replay::replay_one(&db, &providers, decision, &mut observe)?,
        None => replay::replay_all(&db, &providers, &mut observe)?,
    };
    match arguments.format {
        Format::Text => write_text(&tally, &found)?,
        Format::Json => write_json(&tally, &found)?,
    }
    let of_scripts = found.iter().all(|one| one.decision.contract == ruling::CONTRACT);
    match tally.different {
        0 => Ok(()),
        count => Err(DecisionsDiffer { count, of_scripts }.into()),
    }
}

fn find(db: &ReadTx, number: i64) -> anyhow::Result<Decision> {
    if let Some(decision) = decisions::get(db, DecisionKey::from_number(number))? {
        return Ok(decision);
    }
    let first = decisions::list(db, DecisionKey::before_all(), 1)?.pop();
    let there = match first {
        None => "none is kept yet".to_owned(),
        Some(first) => format!(
            "the oldest that is kept is {}; older ones are deleted after `limits.decision_days` days",
            first.row
        ),
    };
    Err(UserError::Argument(format!("there is no decision {number}; {there}")).into())
}

fn write_text(tally: &Tally, found: &[UnequalDecision]) -> anyhow::Result<()> {
    let mut out = Output::standard();
    let not_replayable = tally.not_replayable.values().sum::<u64>();
    writeln!(
        out,
        "{}: {} answered the same, {} otherwise, {not_replayable} not replayable",
        counted(tally.total()),
        tally.matching,
        tally.different
    )?;
    for (why, count) in &tally.not_replayable {
        writeln!(out, "not replayable: {}: {}", counted(*count), printable(&why.to_string()))?;
    }
    for UnequalDecision { decision, replay } in found {
        let Decision { row, at, resource, plugin, .. } = decision;
        let at = TimeZone::UTC.minute(*at);
        writeln!(out, "decision {row} of {} on {}, {at}:", printable(plugin), printable(resource))?;
        match replay {
            Replay::Differs { kept, answer } => {
                writeln!(out, "  kept    {}", printable(kept))?;
                writeln!(out, "  answer  {}", printable(answer))?;
            }
            Replay::Damaged { why } => writeln!(out, "  {}", printable(why))?,
            Replay::Matches { .. } | Replay::NotReplayable(_) => {}
        }
    }
    let more = tally.different.saturating_sub(u64::try_from(found.len())?);
    if more > 0 {
        writeln!(out, "and {} more", counted(more))?;
    }
    Ok(out.finish()?)
}

fn counted(count: u64) -> String {
    dates::counted(usize::try_from(count).unwrap_or(usize::MAX), "decision")
}

fn write_json(tally: &Tally, found: &[UnequalDecision]) -> anyhow::Result<()> {
    let found = found.iter().map(|UnequalDecision { decision, replay }| {
        let (kept, answer, damage) = match replay {
            Replay::Differs { kept, answer } => (Some(kept), Some(answer), None),
            Replay::Damaged { why } => (None, None, Some(why)),
            Replay::Matches { .. } | Replay::NotReplayable(_) => (None, None, None),
        };
        json!({
            "decision": decision.row.to_string(),
            "at": decision.at.to_string(),
            "account": decision.account,
            "resource": decision.resource,
            "plugin": decision.plugin,
            "revision": decision.digest,
            "kept": kept,
            "answer": answer,
            "damage": damage,
        })
    });
    let not_replayable = tally.not_replayable.iter();
    let not_replayable =
        not_replayable.map(|(why, count)| json!({ "reason": why.to_string(), "decisions": count }));
    let whole = json!({
        "decisions": tally.total(),
        "matching": tally.matching,
        "different": tally.different,
        "not_replayable": tally.not_replayable.values().sum::<u64>(),
        "differences": found.collect::<Vec<_>>(),
        "not_replayable_reasons": not_replayable.collect::<Vec<_>>(),
    });
    let mut out = Output::standard();
    writeln!(out, "{whole:#}")?;
    Ok(out.finish()?)
}
