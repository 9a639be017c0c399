//! `/calendar`: a heat map of what expires on which day and what it costs; a day leads to its list.

use std::collections::BTreeMap;

use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;
use perennial_formats::language::Text;

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
use crate::console::texts::calendar as c;
use crate::console::visit::Visit;

const DAY: i64 = 86_400;

/// The days of a week, as weeks begin, each with its short name.
const WEEKDAYS: [(Text, Text); 7] = [
    (c::MONDAY, c::MONDAY_SHORT),
    (c::TUESDAY, c::TUESDAY_SHORT),
    (c::WEDNESDAY, c::WEDNESDAY_SHORT),
    (c::THURSDAY, c::THURSDAY_SHORT),
    (c::FRIDAY, c::FRIDAY_SHORT),
    (c::SATURDAY, c::SATURDAY_SHORT),
    (c::SUNDAY, c::SUNDAY_SHORT),
];

/// What is paid, by currency.
type Costs = BTreeMap<String, Micros>;

/// What expires on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct DayLoad {
    /// How many resources, by the currency of their account.
    counts: BTreeMap<String, usize>,
    costs: Costs,
}

impl DayLoad {
    fn count(&self) -> usize {
        self.counts.values().sum()
    }
}

/// What gives a day its colour, with what the fullest day has of it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shade {
    /// How many resources expire on it.
    Count(usize),
    /// What one term of each costs, in the currency in which the day is the fullest.
    Cost(Costs),
}

impl Shade {
    /// How strong the colour of a day is, from 1 to 5.
    fn level(&self, day: &DayLoad) -> i64 {
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        match self {
            Shade::Count(most) => level(whole(day.count()), whole(*most)),
            Shade::Cost(most) => {
                let most_of = |currency: &String| most.get(currency).map_or(0, |most| most.as_micros());
                let levels =
                    day.costs.iter().map(|(currency, cost)| level(cost.as_micros(), most_of(currency)));
                levels.max().unwrap_or(1)
            }
        }
    }

    /// What stands in the cell of a day: how many, or how much of each currency without the fraction.
    fn said(&self, day: &DayLoad) -> String {
        let Shade::Cost(most) = self else { return format!("×{}", day.count()) };
        let whole = |cost: &Micros| cost.as_micros() / 1_000_000;
        let said = day.costs.iter().map(|(currency, cost)| match most.len() {
            1 => whole(cost).to_string(),
            _ => format!("{} {currency}", whole(cost)),
        });
        said.collect::<Vec<_>>().join(" ")
    }
}

/// `GET /calendar`: the months from the present one on, by account, provider and tag.
pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let first = frame.now.month_start(0);
    let months = query.get("months").and_then(|months| months.parse().ok()).unwrap_or(6_usize).clamp(1, 12);
    let months = month_starts(first, months);
    let until = months.last().map_or(first, |(_, end)| *end);
    let days = load(&visit, first, until).await?;
    let most = most_costs(&days);
    let by_cost = query.get("by") == Some("cost");
    let shade = match by_cost {
        true => Shade::Cost(most.clone()),
        false => Shade::Count(days.values().map(DayLoad::count).max().unwrap_or_default()),
    };
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
                    option value="" selected[!by_cost] { (frame.say(t::RESOURCES)) }
                    option value="cost" selected[by_cost] { (frame.say(t::COST)) }
                }
            }
            button type="submit" { (frame.say(t::FILTER)) }
        }
        p.note { (frame.say(if by_cost { c::COST_LEAD } else { c::LEAD })) }
        @if by_cost && most.len() > 1 { p.note { (frame.say(c::MANY_CURRENCIES)) } }
        div.months {
            @for (start, end) in &months { (month(&visit, (*start, *end), &days, &shade)) }
        }
        @for currency in most.keys() { (day_table(frame, &days, currency)) }
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

/// What expires on each day, by the first instant of the day.
async fn load(
    visit: &Visit,
    from: Timestamp,
    until: Timestamp,
) -> Result<BTreeMap<Timestamp, DayLoad>, Failure> {
    let address = Address::new("/v1/expiries", &[]).with_each(&visit.query, &["account", "provider", "tag"]);
    let address = address.with("expires_from", Some(from)).with("expires_before", Some(until));
    let page = visit.get(&address.text()).await?;
    let mut days = BTreeMap::<Timestamp, DayLoad>::new();
    for item in items(&page, "items") {
        let Ok(day) = plain(item, "day").parse::<Timestamp>() else { continue };
        let load = days.entry(day).or_default();
        let currency = plain(item, "currency");
        *load.counts.entry(currency.to_owned()).or_default() +=
            item["resources"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
        *load.costs.entry(currency.to_owned()).or_default() +=
            parts::micros(&item["price"]).unwrap_or_default();
    }
    Ok(days)
}

/// What the most expensive day of each currency costs in it.
fn most_costs(days: &BTreeMap<Timestamp, DayLoad>) -> Costs {
    let mut most = Costs::new();
    for (currency, cost) in days.values().flat_map(|day| &day.costs) {
        let known = most.entry(currency.clone()).or_default();
        *known = (*known).max(*cost);
    }
    most
}

/// Amounts as they are shown, each with its currency.
fn costs_text(costs: &Costs) -> String {
    let said = costs.iter().map(|(currency, cost)| format!("{} {currency}", dates::amount(*cost)));
    said.collect::<Vec<_>>().join(", ")
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
    shade: &Shade,
) -> Markup {
    let frame = &visit.frame;
    let count = usize::try_from((end - start) / DAY).unwrap_or_default();
    // 1 January 1970 was a Thursday; weeks begin on Monday.
    let blank = usize::try_from((start.as_second().div_euclid(DAY) + 3).rem_euclid(7)).unwrap_or_default();
    let name = date(start).get(..7).unwrap_or_default().to_owned();
    html! {
        section.month aria-label=(name) {
            h2 { (name) }
            div.weekdays { @for (name, short) in WEEKDAYS { abbr title=(frame.say(name)) { (frame.say(short)) } } }
            ol {
                @for _ in 0..blank { li.blank aria-hidden="true" {} }
                @for (number, day) in (0..count).map(|number| (number + 1, start + i64::try_from(number).unwrap_or_default() * DAY)) {
                    @match days.get(&day) {
                        None => li { span { (number) } },
                        Some(load) => li class={ "level-" (shade.level(load)) } {
                            @let said = frame.fill(c::DAY_LOAD, &[&load.count().to_string(), &costs_text(&load.costs)]);
                            a href=(day_address(visit, day)) title=(said) {
                                b { (number) } span { (shade.said(load)) } span.hidden { (said) }
                            }
                        },
                    }
                }
            }
        }
    }
}

/// How strong the colour of a day is that weighs so much of the heaviest one's `most`, from 1 to 5.
fn level(weight: i64, most: i64) -> i64 {
    let (weight, most) = (i128::from(weight.max(0)), i128::from(most.max(1)));
    i64::try_from((weight * 5 + most - 1) / most).unwrap_or(5).clamp(1, 5)
}

/// The days that cost the most in one currency.
fn day_table(frame: &Frame, days: &BTreeMap<Timestamp, DayLoad>, currency: &str) -> Markup {
    let mut heaviest = days
        .iter()
        .filter_map(|(day, load)| Some((day, load, load.costs.get(currency)?)))
        .collect::<Vec<_>>();
    heaviest.sort_by_key(|(day, _, cost)| (std::cmp::Reverse(**cost), **day));
    let rows = heaviest.into_iter().take(12).map(|(day, load, cost)| {
        vec![
            html! { time datetime=(date(*day)) { (date(*day)) } " UTC" },
            html! { (load.counts.get(currency).copied().unwrap_or_default()) },
            html! { span.amount { (dates::amount(*cost)) } " " (currency) },
        ]
    });
    let columns = [Column::Words(t::DAY), Column::Figures(t::RESOURCES), Column::Figures(t::COST)];
    parts::table(frame, &frame.fill(c::HEAVIEST_DAYS, &[currency]), &columns, rows.collect())
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
    fn a_day_is_as_full_as_in_the_currency_in_which_it_is_fullest() {
        let day = |costs: &[(&str, i64)]| DayLoad {
            counts: BTreeMap::new(),
            costs: costs.iter().map(|(name, cost)| ((*name).to_owned(), Micros::new(*cost))).collect(),
        };
        let days = [day(&[("CNY", 100), ("USD", 1)]), day(&[("USD", 10)]), day(&[("CNY", 20)])];
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let days = (0..).map(|number| start + number * DAY).zip(days).collect::<BTreeMap<_, _>>();
        let shade = Shade::Cost(most_costs(&days));
        assert_eq!(days.values().map(|day| shade.level(day)).collect::<Vec<_>>(), [5, 5, 1]);
    }

    #[test]
    fn a_day_has_as_much_colour_as_it_is_full() {
        assert_eq!([1, 2, 9, 10].map(|count| level(count, 10)), [1, 1, 5, 5]);
        assert_eq!([level(1, 1), level(0, 0), level(i64::MAX, i64::MAX)], [5, 1, 5]);
    }
}
