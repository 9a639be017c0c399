//! What is known of a revision before it decides: how it was asked in shadow and what that took, what it answered otherwise by
//! kind and in money, and examples. A part of the pages of plugins.

use maud::Markup;
use maud::html;
use serde_json::Value;

use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::texts::plugins as of_plugins;

/// The beginning of a digest, which is enough to tell revisions apart.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// A revision as a link to its page; a dash for none.
pub(super) fn revision(digest: &Value) -> Markup {
    html! {
        @match digest.as_str() {
            Some(digest) => a.id href=(crate::console::address::to("/plugins/revisions/{}", &[digest])) { (short(digest)) },
            None => "–",
        }
    }
}

/// What a revision did in shadow, as `record` of the API has it.
pub(super) fn show(frame: &Frame, record: &Value) -> Markup {
    html! {
        @if items(record, "trials").is_empty() && items(record, "totals").is_empty() {
            p.note { (frame.say(of_plugins::NEVER_TRIED)) }
        } @else {
            (trial_table(frame, items(record, "trials")))
            (total_table(frame, items(record, "totals")))
            (question_table(frame, t::EXAMPLES, items(record, "examples")))
        }
    }
}

/// How often it was asked beside each revision that was followed, and what that took of its limits.
fn trial_table(frame: &Frame, trials: &[Value]) -> Markup {
    let rows = trials.iter().map(|trial| {
        let share = |name: &str| {
            let (whole, asked) = (trial[name].as_u64().unwrap_or_default(), trial["asked"].as_u64());
            whole / asked.unwrap_or_default().max(1)
        };
        vec![
            revision(&trial["followed"]),
            parts::text(&trial["asked"]),
            parts::text(&trial["differed"]),
            parts::text(&trial["failed"]),
            html! { (share("fuel")) " / " (share("followed_fuel")) },
            html! { (share("micros")) " / " (share("followed_micros")) " µs" },
            frame.time(&trial["last_at"], None),
        ]
    });
    let columns = [
        Column::Words(of_plugins::ASKED_BESIDE),
        Column::Figures(of_plugins::ASKED),
        Column::Figures(of_plugins::DIFFERED),
        Column::Figures(t::FAILURES),
        Column::Figures(of_plugins::FUEL),
        Column::Figures(of_plugins::TIME),
        Column::Words(t::WHEN),
    ];
    parts::table(frame, frame.say(of_plugins::TRIALS), &columns, rows.collect())
}

fn total_table(frame: &Frame, totals: &[Value]) -> Markup {
    let rows = totals.iter().map(|total| {
        vec![
            html! { (frame.word(plain(total, "kind"))) },
            parts::text(&total["questions"]),
            parts::amount(&total["followed_cost"], &total["currency"]),
            parts::amount(&total["cost"], &total["currency"]),
        ]
    });
    let columns = [
        Column::Words(t::DIFFERENCE),
        Column::Figures(t::QUESTIONS),
        Column::Figures(t::FOLLOWED),
        Column::Figures(t::SHADOW),
    ];
    parts::table(frame, frame.say(t::DIFFERENCES_IN_MONEY), &columns, rows.collect())
}

/// Questions with both answers, which are in the words of plugins.
pub(super) fn question_table(
    frame: &Frame,
    caption: perennial_formats::language::Text,
    questions: &[Value],
) -> Markup {
    let rows = questions.iter().map(|one| {
        vec![
            parts::resource(&one["resource"]),
            html! { (frame.word(plain(one, "question"))) },
            html! { (frame.word(plain(one, "kind"))) },
            html! { code.answer lang="en" { (plain(one, "followed_answer")) } },
            html! { code.answer lang="en" { (plain(one, "answer")) } },
        ]
    });
    let columns = [
        Column::Words(t::RESOURCE),
        Column::Words(t::QUESTION),
        Column::Words(t::DIFFERENCE),
        Column::Words(t::FOLLOWED),
        Column::Words(t::SHADOW),
    ];
    parts::table(frame, frame.say(caption), &columns, rows.collect())
}
