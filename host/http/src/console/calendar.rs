//! `/calendar`: a heat map of what expires on which day and what it costs; a day leads to its list.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;

use crate::console::address::Address;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::visit::Visit;

const DAY: i64 = 86_400;

/// What expires on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct DayLoad {
    count: usize,
    cost: Micros,
}

/// What makes a day dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shade {
    /// How many resources expire on it.
    Count,
    /// What one term of each costs.
    Cost,
}

impl Shade {
    fn weight(self, day: DayLoad) -> i64 {
        match self {
            Shade::Count => i64::try_from(day.count).unwrap_or(i64::MAX),
            Shade::Cost => day.cost.as_micros(),
        }
    }

    /// What stands in the cell of a day: how many, or how much without the fraction.
    fn said(self, day: DayLoad) -> String {
        match self {
            Shade::Count => format!("×{}", day.count),
            Shade::Cost => (day.cost.as_micros() / 1_000_000).to_string(),
        }
    }
}

/// `GET /calendar`: the months from the present one on, by account, provider and tag.
pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let first = frame.now.month_start(0);
    let months = query.get("months").and_then(|months| months.parse().ok()).unwrap_or(6_usize).clamp(1, 12);
    let months = month_starts(first, months);
    let until = months.last().map_or(first, |(_, end)| *end);
    let (days, currencies) = load(&visit, first, until).await?;
    let shade = if query.get("by") == Some("cost") { Shade::Cost } else { Shade::Count };
    let most = days.values().map(|day| shade.weight(*day)).max().unwrap_or_default();
    let get = |name: &str| query.get(name).unwrap_or_default();
    let content = html! {
        form.filter method="get" action="/calendar" role="search" {
            (parts::field(frame, t::ACCOUNT, "account", get("account")))
            (parts::field(frame, t::PROVIDER, "provider", get("provider")))
            (parts::field(frame, t::TAG, "tag", get("tag")))
            label {
                span { (frame.say(t::MONTHS_AHEAD)) }
                select name="months" {
                    @for count in ["3", "6", "12"] { option value=(count) selected[count == months.len().to_string()] { (count) } }
                }
            }
            label {
                span { (frame.say(t::SHADE_BY)) }
                select name="by" {
                    option value="" selected[shade == Shade::Count] { (frame.say(t::RESOURCES)) }
                    option value="cost" selected[shade == Shade::Cost] { (frame.say(t::COST)) }
                }
            }
            button type="submit" { (frame.say(t::FILTER)) }
        }
        p.note { (frame.say(if shade == Shade::Cost { t::CALENDAR_COST_LEAD } else { t::CALENDAR_LEAD })) }
        @if currencies > 1 { p.note { (frame.say(t::MANY_CURRENCIES)) } }
        div.months {
            @for (start, end) in &months { (month(&visit, (*start, *end), &days, (shade, most))) }
        }
        (day_table(frame, &days))
    };
    Ok(layout::page(frame, Section::Calendar, frame.say(t::CALENDAR), content))
}

/// Each month with its first instant and that of the next one.
fn month_starts(first: Timestamp, count: usize) -> Vec<(Timestamp, Timestamp)> {
    let mut months = Vec::new();
    let mut start = first;
    for _ in 0..count {
        let end = (start + 32 * DAY).month_start(0);
        months.push((start, end));
        start = end;
    }
    months
}

/// What expires on each day, by the first instant of the day; and in how many currencies.
async fn load(
    visit: &Visit,
    from: Timestamp,
    until: Timestamp,
) -> Result<(BTreeMap<Timestamp, DayLoad>, usize), Failure> {
    let address = Address::new("/v1/expiries", &[]).with_each(&visit.query, &["account", "provider", "tag"]);
    let address = address.with("expires_from", Some(from)).with("expires_before", Some(until));
    let page = visit.get(&address.text()).await?;
    let mut days = BTreeMap::<Timestamp, DayLoad>::new();
    let mut currencies = BTreeSet::new();
    for item in items(&page, "items") {
        let Ok(day) = plain(item, "day").parse::<Timestamp>() else { continue };
        let load = days.entry(day).or_default();
        load.count +=
            item["resources"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
        load.cost += parts::micros(&item["price"]).unwrap_or_default();
        currencies.insert(plain(item, "currency"));
    }
    Ok((days, currencies.len()))
}

/// The date of a day, such as `2026-01-31`.
fn date(day: Timestamp) -> String {
    day.to_string().split('T').next().unwrap_or_default().to_owned()
}

/// The list of a day, with what narrows the map.
fn day_address(visit: &Visit, day: Timestamp) -> String {
    let address = Address::new("/resources", &[]).with_each(&visit.query, &["account", "provider", "tag"]);
    address.with("expires_from", Some(day)).with("expires_before", Some(day + DAY)).text()
}

fn month(
    visit: &Visit,
    (start, end): (Timestamp, Timestamp),
    days: &BTreeMap<Timestamp, DayLoad>,
    (shade, most): (Shade, i64),
) -> Markup {
    let frame = &visit.frame;
    let count = usize::try_from((end - start) / DAY).unwrap_or_default();
    // 1 January 1970 was a Thursday; weeks begin on Monday.
    let blank = usize::try_from((start.as_second().div_euclid(DAY) + 3).rem_euclid(7)).unwrap_or_default();
    let name = date(start).get(..7).unwrap_or_default().to_owned();
    html! {
        section.month aria-label=(name) {
            h2 { (name) }
            ol {
                @for _ in 0..blank { li.blank aria-hidden="true" {} }
                @for (number, day) in (0..count).map(|number| (number + 1, start + i64::try_from(number).unwrap_or_default() * DAY)) {
                    @match days.get(&day) {
                        None => li { span { (number) } },
                        Some(load) => li class={ "level-" (level(shade.weight(*load), most)) } {
                            @let said = frame.fill(t::DAY_LOAD, &[&load.count.to_string(), &dates::amount(load.cost)]);
                            a href=(day_address(visit, day)) title=(said) {
                                b { (number) } span { (shade.said(*load)) } span.hidden { (said) }
                            }
                        },
                    }
                }
            }
        }
    }
}

/// How dark a day is that weighs so much of the heaviest one's `most`, from 1 to 5.
fn level(weight: i64, most: i64) -> i64 {
    let (weight, most) = (i128::from(weight.max(0)), i128::from(most.max(1)));
    i64::try_from((weight * 5 + most - 1) / most).unwrap_or(5).clamp(1, 5)
}

fn day_table(frame: &Frame, days: &BTreeMap<Timestamp, DayLoad>) -> Markup {
    let mut heaviest = days.iter().collect::<Vec<_>>();
    heaviest.sort_by_key(|(day, load)| (std::cmp::Reverse(load.cost), **day));
    let rows = heaviest.into_iter().take(12).map(|(day, load)| {
        vec![
            html! { time datetime=(date(*day)) { (date(*day)) } " UTC" },
            html! { (load.count) },
            html! { span.amount { (dates::amount(load.cost)) } },
        ]
    });
    let columns = [Column::Words(t::DAY), Column::Figures(t::RESOURCES), Column::Figures(t::COST)];
    parts::table(frame, frame.say(t::HEAVIEST_DAYS), &columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other_over_the_end_of_a_year() {
        let first: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let names = month_starts(first, 4).into_iter().map(|(start, _)| date(start)).collect::<Vec<_>>();
        assert_eq!(names, ["2026-11-01", "2026-12-01", "2027-01-01", "2027-02-01"]);
    }

    #[test]
    fn a_day_is_as_dark_as_it_is_full() {
        assert_eq!([1, 2, 9, 10].map(|count| level(count, 10)), [1, 1, 5, 5]);
        assert_eq!([level(1, 1), level(0, 0), level(i64::MAX, i64::MAX)], [5, 1, 5]);
    }
}
