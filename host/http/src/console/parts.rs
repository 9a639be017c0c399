//! What pages are put together of: tables, amounts, links and filters. Knows how they look, and nothing of what they hold.

use maud::Markup;
use maud::html;
use perennial_formats::dates;
use serde_json::Value;

use crate::console::address;
use crate::console::address::Address;
use crate::console::address::Parameters;
use crate::console::frame::Frame;
use crate::console::texts as t;
use perennial_formats::language::Text;

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Words, links and badges.
    Words(Text),
    /// Figures, which stand below each other.
    Figures(Text),
    /// Boxes and buttons, whose heading only screen readers say.
    Controls(Text),
}

impl Column {
    const fn text(self) -> Text {
        match self {
            Column::Words(text) | Column::Figures(text) | Column::Controls(text) => text,
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Column::Words(_) => "words",
            Column::Figures(_) => "figures",
            Column::Controls(_) => "controls",
        }
    }
}

/// A table; `rows` have a cell for each column. On a narrow screen each row is a card, in which cells say their headings.
pub(super) fn table(frame: &Frame, caption: &str, columns: &[Column], rows: Vec<Vec<Markup>>) -> Markup {
    if rows.is_empty() {
        // A caption that counts has nothing to count.
        let counts = caption.starts_with('0');
        return html! { p.empty { @if !counts { (caption) ": " } (frame.say(t::NOTHING)) } };
    }
    html! {
        table role="table" {
            caption { (caption) }
            thead role="rowgroup" {
                tr role="row" {
                    @for column in columns {
                        th scope="col" role="columnheader" class=(column.class()) { (frame.say(column.text())) }
                    }
                }
            }
            tbody role="rowgroup" {
                @for row in rows {
                    tr role="row" {
                        @for (column, cell) in columns.iter().zip(row) {
                            td role="cell" class=(column.class()) data-label=(frame.say(column.text())) { div { (cell) } }
                        }
                    }
                }
            }
        }
    }
}

/// A text of the API's; a dash for null.
pub(super) fn text(value: &Value) -> Markup {
    match value {
        Value::Null => html! { "–" },
        Value::String(text) => html! { (text) },
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            html! { (value.to_string()) }
        }
    }
}

/// A sentence of the API's, in which what stands between backticks is code.
pub(super) fn quoting(sentence: &str) -> Markup {
    let pieces = sentence.split('`').collect::<Vec<_>>();
    // What is not closed is no quotation.
    let is_whole = pieces.len() % 2 == 1;
    html! {
        @if is_whole {
            @for (place, piece) in pieces.into_iter().enumerate() {
                @if place % 2 == 1 { code { (piece) } } @else { (piece) }
            }
        } @else { (sentence) }
    }
}

/// The text of a field, or nothing.
pub(super) fn plain<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

/// The objects of a list, such as a page of the API.
pub(super) fn items<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// An amount with its currency; a dash for null.
pub(super) fn amount(amount: &Value, currency: &Value) -> Markup {
    match amount.as_str() {
        None => html! { "–" },
        Some(plain) => html! {
            span.amount { (micros(amount).map_or_else(|| plain.to_owned(), dates::amount)) } " "
            (currency.as_str().unwrap_or_default())
        },
    }
}

/// A link to a resource.
pub(super) fn resource(id: &Value) -> Markup {
    link("/resources/{}", id)
}

/// A link to an account.
pub(super) fn account(id: &Value) -> Markup {
    link("/accounts/{}", id)
}

/// A link to what has an ID, at `path`; a dash for null.
pub(super) fn link(path: &str, id: &Value) -> Markup {
    match id.as_str() {
        None => html! { "–" },
        Some(id) => html! { a.id href=(address::to(path, &[id])) { (id) } },
    }
}

/// A word of the API's as a badge, whose shape as well as its colour says how bad it is.
pub(super) fn badge(frame: &Frame, word: &str) -> Markup {
    let class = match word {
        "active" | "paid" | "settled" | "approved" | "applied" | "done" | "delivered" => "badge good",
        "grace" | "pending" | "declined" | "awaiting_approval" | "awaiting_payment" | "lapse" | "refused"
        | "planned" | "pending_approval" | "pending_call" | "plan_changed" | "shadow" | "half_open" => {
            "badge late"
        }
        "retention" | "in_doubt" | "failed" | "released" | "open" => "badge bad",
        _ => "badge",
    };
    html! { span class=(class) { (frame.word(word)) } }
}

/// The most tags of a row; the rest are on the page of the resource.
const TAGS_MAX: usize = 4;

/// The first few tags, each a link to the resources that have it.
pub(super) fn few_tags(tags: &Value) -> Markup {
    let count = tags.as_object().map_or(0, serde_json::Map::len);
    html! {
        (some_tags(tags, TAGS_MAX))
        @if count > TAGS_MAX { "+" (count - TAGS_MAX) }
    }
}

/// Tags, each a link to the resources that have it.
pub(super) fn tags(tags: &Value) -> Markup {
    some_tags(tags, usize::MAX)
}

fn some_tags(tags: &Value, most: usize) -> Markup {
    let tags = tags.as_object();
    html! {
        @for (name, value) in tags.into_iter().flatten().take(most) {
            @let tag = format!("{name}={}", value.as_str().unwrap_or_default());
            a.tag href=(Address::new("/resources", &[]).with("tag", Some(&tag)).text()) { (tag) } " "
        }
    }
}

/// A link to the next page of a list, if there is one; `names` are the parameters that go with it.
pub(super) fn more(frame: &Frame, path: &str, list: &Value, query: &Parameters, names: &[&str]) -> Markup {
    html! {
        @if let Some(next) = list["next_cursor"].as_str() {
            @let address = Address::new(path, &[]).with_each(query, names).with("cursor", Some(next));
            p.more { a href=(address.text()) rel="next" { (frame.say(t::MORE)) } }
        }
    }
}

/// A field of a filter or a form, with its label.
pub(super) fn field(frame: &Frame, label: Text, name: &str, value: &str) -> Markup {
    html! {
        label {
            span { (frame.say(label)) }
            input name=(name) value=(value) autocomplete="off" spellcheck="false";
        }
    }
}

/// A field for an instant: a date, or an instant of RFC 3339.
pub(super) fn instant_field(frame: &Frame, label: Text, name: &str, value: &str) -> Markup {
    html! {
        label {
            span { (frame.say(label)) }
            input name=(name) value=(value) placeholder="2026-01-31T16:00:00Z" autocomplete="off" spellcheck="false";
        }
    }
}

/// A choice of one of a few words of the API's; nothing chosen is every one.
pub(super) fn choice(frame: &Frame, label: Text, name: &str, words: &[&str], chosen: &str) -> Markup {
    html! {
        label {
            span { (frame.say(label)) }
            select name=(name) {
                option value="" { (frame.say(t::ALL)) }
                @for word in words {
                    option value=(word) selected[*word == chosen] { (frame.word(word)) }
                }
            }
        }
    }
}

/// The choice of a term: how many days, months or years; nothing chosen leaves it to `nothing`.
pub(super) fn term_choice(frame: &Frame, label: Text, nothing: Text) -> Markup {
    html! {
        label {
            span { (frame.say(label)) }
            select name="term" {
                option value="" { (frame.say(nothing)) }
                @for (value, unit, count) in
                    [("1 month", t::MONTHS, "1"), ("2 month", t::MONTHS, "2"), ("3 month", t::MONTHS, "3"),
                     ("6 month", t::MONTHS, "6"), ("9 month", t::MONTHS, "9"), ("1 year", t::YEARS, "1"),
                     ("2 year", t::YEARS, "2"), ("3 year", t::YEARS, "3")]
                {
                    option value=(value) { (frame.fill(unit, &[count])) }
                }
            }
        }
    }
}

/// A picture with its caption. It is whole as it stands; the script has it looked at from nearer by, and marks chosen.
pub(super) fn picture(frame: &Frame, class: &str, drawing: Markup, caption: Markup) -> Markup {
    html! {
        figure class={ "picture " (class) } data-nearer=(frame.say(t::NEARER)) data-farther=(frame.say(t::FARTHER)) data-whole=(frame.say(t::WHOLE)) {
            div.view { div.drawing { (drawing) } }
            figcaption { (caption) }
        }
    }
}

/// A description list of names and values.
pub(super) fn facts(rows: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in rows {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// The sums of `amounts` by currency, each with its currency: `120.00 CNY`.
pub(super) fn sums<'a>(amounts: impl Iterator<Item = (&'a Value, &'a Value)>) -> String {
    let mut sums = std::collections::BTreeMap::<&str, perennial_domain::micros::Micros>::new();
    for (amount, currency) in amounts {
        if let (Some(amount), Some(currency)) = (micros(amount), currency.as_str()) {
            *sums.entry(currency).or_default() += amount;
        }
    }
    sums.iter()
        .map(|(currency, sum)| format!("{} {currency}", dates::amount(*sum)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// An amount of the API's.
pub(super) fn micros(amount: &Value) -> Option<perennial_domain::micros::Micros> {
    amount.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::quoting;

    #[test]
    fn what_stands_between_backticks_is_code() {
        let said = |sentence| quoting(sentence).into_string();
        assert_eq!(said("`a<b` is `x`: so"), "<code>a&lt;b</code> is <code>x</code>: so");
        assert_eq!(said("plain"), "plain");
        assert_eq!(said("a ` alone"), "a ` alone");
    }
}
