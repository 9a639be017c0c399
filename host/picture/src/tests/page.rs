//! The page: everything is on it, nothing of it comes from elsewhere, and no text becomes markup.

use std::collections::BTreeSet;

use perennial_domain::event::EventKind;
use perennial_formats::language::Language;

use crate::Detail;
use crate::event_category::EventCategory;
use crate::event_category::MarkerRow;
use crate::history::Frame;
use crate::history::History;
use crate::html;
use crate::sample;
use crate::sample::Sample;

fn page_of(sample: &Sample, lanes_max: usize) -> String {
    let mut out = Vec::new();
    html::write(&sample.history(Detail::Picture, lanes_max), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn page() -> String {
    page_of(&sample::year(), 5_000)
}

/// The elements of a page in order, as `<name`, `</name` or `<name/`; its style and script are passed over.
fn tags(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        let mut quoted = false;
        let end = rest
            .char_indices()
            .find(|(_, sign)| {
                quoted ^= *sign == '"';
                *sign == '>' && !quoted
            })
            .expect("every element is closed")
            .0;
        let inside = &rest[1..end];
        let name = inside.split(|sign: char| sign.is_whitespace() || sign == '>').next().unwrap();
        let is_empty = inside.ends_with('/');
        tags.push(format!("<{}{}", name.trim_end_matches('/'), if is_empty { "/" } else { "" }));
        rest = &rest[end..];
        if name == "style" || name == "script" {
            rest = &rest[rest.find(&format!("</{name}>")).expect("it ends")..];
        }
    }
    tags
}

#[test]
fn every_element_is_closed_in_turn() {
    let mut open = Vec::new();
    for tag in tags(&page()).iter().skip(1) {
        let name = tag.trim_start_matches(['<', '/']);
        match name {
            "meta" | "input" => {}
            name if name.ends_with('/') => {}
            name if tag.starts_with("</") => assert_eq!(open.pop().as_deref(), Some(name)),
            name => open.push(name.to_owned()),
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let page = page();
    for word in ["http:", "https:", "@import", "src=", "<link", "fetch(", "url(//", "XMLHttpRequest"] {
        assert!(!page.contains(word), "the page contains {word}");
    }
    let ids = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect::<Vec<_>>();
    let unique = ids.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(ids.len(), unique.len(), "an id is there twice");
    let inside = page.split("url(#").skip(1).map(|rest| rest.split(')').next().unwrap());
    let used = page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    for id in inside.chain(used) {
        assert!(unique.contains(id), "nothing has the id {id}");
    }
}

#[test]
fn text_never_becomes_markup() {
    let page = page();
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
    assert!(page.contains("not for this kind &amp; &lt;term&gt;"));
}

#[test]
fn there_is_a_lane_for_every_resource_and_for_every_package_bought() {
    let sample = sample::year();
    let page = page_of(&sample, 5_000);
    let resources = sample.bundles.iter().map(|(_, bundle)| bundle.members.len()).sum::<usize>();
    assert_eq!(page.matches("<li class=\"row lane\"").count(), resources + 1);
    let place = |id: &str| page.find(&format!("title=\"{id}\"")).unwrap();
    assert!(place("pkg-cci") < place("pkg-cci-2"));
    assert!(place("ecs-104-ip") < place("ecs-104-bandwidth"));
}

#[test]
fn every_happening_has_its_mark_and_its_words() {
    let sample = sample::year();
    let page = page_of(&sample, 5_000);
    let drawn = page.split_once("<main ").unwrap().1;
    let topics = sample
        .events
        .iter()
        .filter_map(|(_, event)| EventCategory::for_event(&event.what))
        .collect::<BTreeSet<_>>();
    assert_eq!(topics, EventCategory::ALL.into_iter().collect(), "the year leaves a topic out");
    for topic in topics.into_iter().filter(|topic| topic.marker_row() != MarkerRow::Elsewhere) {
        // An unsubscription or conversion that ends a life is told by the block at its end.
        let is_there =
            drawn.contains(&format!("class=\"mark {}\"", topic.slug())) || topic == EventCategory::Converted;
        assert!(is_there, "no mark for {topic:?}");
        assert!(page.contains(&format!("body:has(#show-{}:not(:checked))", topic.slug())));
        assert!(page.contains(&format!("<g id=\"{}\">", topic.slug())), "no shape for {topic:?}");
    }
    for words in [
        "41.30 CNY refunded of order CS-ecs-107",
        "converted to pay-per-use",
        "released",
        "grace from 2026-06-21 15:59 UTC to 2026-07-06 15:59 UTC",
        "retention from 2026-07-06 15:59 UTC to 2026-07-21 15:59 UTC",
        "from 2026-05-20 06:00 UTC to 2026-05-26 06:00 UTC",
        "CBC.99003162 insufficient balance; next try 2026-04-11 10:59 UTC",
        "notice: it expires within seven days",
        "no reply proves whether it was done, so the host only queries it; attempt ecs-108",
        "purchase -260.00",
    ] {
        assert!(drawn.contains(words), "nothing says {words:?}");
    }
}

#[test]
fn as_many_marks_are_told_as_events_happened() {
    let sample = sample::year();
    let page = page_of(&sample, 5_000);
    let renewals =
        sample.events.iter().filter(|(_, event)| matches!(event.what, EventKind::RenewalSettled { .. }));
    let declines =
        sample.events.iter().filter(|(_, event)| matches!(event.what, EventKind::RenewalDeclined { .. }));
    assert_eq!(page.matches(": renewed ").count(), renewals.count());
    assert_eq!(page.matches(": renewal declined ").count(), declines.count());
}

#[test]
fn the_same_history_gives_the_same_bytes() {
    assert_eq!(page(), page());
}

#[test]
fn what_there_is_no_room_for_is_counted_and_said() {
    let sample = sample::year();
    let page = page_of(&sample, 8);
    let (drawn, all) = (page.matches("<li class=\"row lane\"").count(), 55);
    assert!((5..=8).contains(&drawn), "{drawn} lanes were drawn");
    let said = format!("{} resources not drawn: the page shows the {drawn} that come first", all - drawn);
    assert!(page.contains(&said));
    let (whole, limited) = (page_of(&sample, 5_000), page.as_str());
    let closing = |page: &str| {
        let parts = page.split("<dt>closing</dt>").skip(1);
        parts.map(|part| part[..40].to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(closing(&whole), closing(limited));
}

/// The lanes of a page: each with its attributes.
fn lanes(page: &str) -> Vec<&str> {
    page.split("<li class=\"row lane\" ").skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
}

#[test]
fn beyond_the_limit_the_worst_is_drawn_and_not_the_first() {
    let sample = sample::year();
    let totals = sample.history(Detail::Totals, 5_000);
    assert_eq!(totals.worst(5_000), None, "there is room for all");
    let worst = totals.worst(8).unwrap();
    let mut out = Vec::new();
    html::write(&sample.history_of(Detail::Picture, 8, Some(&worst)), &mut out).unwrap();
    let page = String::from_utf8(out).unwrap();
    let (whole, drawn) = (page_of(&sample, 5_000), lanes(&page));
    assert!((4..=8).contains(&drawn.len()), "{} lanes were drawn", drawn.len());
    let released =
        |lanes: &[&str]| lanes.iter().filter(|lane| lane.contains("data-stage=\"released\"")).count();
    assert!(released(&drawn) > 0 && released(&drawn) == released(&lanes(&whole)).min(8));
    assert!(page.contains(&format!("the page shows the {} that fared worst", drawn.len())));
}

#[test]
fn a_lane_says_what_the_filters_ask_for() {
    let sample = sample::year();
    let page = page_of(&sample, 5_000);
    let lanes = lanes(&page);
    let with = |part: &str| lanes.iter().filter(|lane| lane.contains(part)).count();
    for (id, what) in [("stage", "stage at the end"), ("outcome", "outcome")] {
        let select =
            page.split_once(&format!("<select id=\"{id}\"")).unwrap().1.split("</select>").next().unwrap();
        let options = select.split("<option value=\"").skip(2).collect::<Vec<_>>();
        assert!(options.len() > 3, "{what}: {options:?}");
        for option in options {
            let (value, rest) = option.split_once("\">").unwrap();
            let count = rest.rsplit_once('(').unwrap().1.split(')').next().unwrap();
            let of_stage = |lane: &&&str| lane.contains(&format!("data-stage=\"{value}\""));
            let met = |lane: &&&str| {
                let met = lane.split_once("data-met=\"").unwrap().1.split('"').next().unwrap();
                met.split(' ').any(|slug| slug == value)
            };
            let found = if id == "stage" {
                lanes.iter().filter(of_stage).count()
            } else {
                lanes.iter().filter(met).count()
            };
            assert_eq!(found.to_string(), count, "{id} {value}");
        }
    }
    let troubled = with(" data-trouble");
    assert!(page.contains(&format!("only trouble <span class=\"tally\">{troubled}</span>")));
    let badges = page.split("<span class=\"troubled\">").skip(1);
    let badges =
        badges.map(|badge| badge.split(' ').next().unwrap().parse::<usize>().unwrap()).sum::<usize>();
    assert_eq!(badges, troubled, "what the accounts say in all");
    assert!(troubled > 5 && troubled < lanes.len(), "{troubled}");
}

#[test]
fn accounts_in_trouble_come_first_and_of_many_only_those_are_open() {
    let mut sample = sample::year();
    for number in 0..20 {
        sample.accounts.insert(0, sample::account(&format!("quiet-{number}"), "huawei", "1.00"));
    }
    let page = page_of(&sample, 5_000);
    let sections = page.split("<section ").skip(1).collect::<Vec<_>>();
    let (troubled, quiet) = sections.split_at(2);
    assert!(
        troubled.iter().all(|section| section.contains("<details open>") && section.contains("in trouble"))
    );
    assert!(quiet.iter().all(|section| section.contains("<details>") && section.contains(">quiet-")));
    assert_eq!(quiet.len(), 20);
}

#[test]
fn a_page_of_two_thousand_lanes_stays_small_enough_to_open() {
    let mut sample = sample::year();
    let (bundles, events) = (sample.bundles.clone(), sample.events.clone());
    for copy in 1..37 {
        for (account, bundle) in &bundles {
            let mut bundle = bundle.clone();
            for member in &mut bundle.members {
                member.id = format!("{}-{copy}", member.id);
            }
            sample.bundles.push((account.clone(), bundle));
        }
        for (account, event) in &events {
            let mut event = event.clone();
            event.resource = event.resource.map(|id| format!("{id}-{copy}"));
            sample.events.push((account.clone(), event));
        }
    }
    let page = page_of(&sample, 5_000);
    assert!(page.matches("<li class=\"row lane\"").count() >= 1_998);
    assert!(page.len() < 20_000_000, "{} bytes", page.len());
}

#[test]
fn an_empty_history_is_a_page_too() {
    let mut sample = sample::year();
    sample.bundles.clear();
    sample.events.clear();
    sample.until = sample.from;
    let page = page_of(&sample, 5_000);
    assert!(page.contains("0 resources") && page.ends_with("</html>\n"));
    assert!(!page.contains("NaN"));
}

#[test]
fn a_cluster_says_where_each_of_its_marks_stands_and_what_it_is() {
    let page = page();
    let mut clusters = 0;
    for cluster in page.split("<g class=\"mark ").skip(1).filter_map(|mark| mark.split_once(" data-x=\"")) {
        let (positions, after) = cluster.1.split_once("\" data-rest=\"").unwrap();
        let (rest, after) = after.split_once("\"><title>").unwrap();
        let told = after.split_once("</title>").unwrap().0;
        let positions = positions.split(' ').map(|x| x.parse::<f64>().unwrap()).collect::<Vec<_>>();
        assert!(positions.len() > 1 && positions.is_sorted(), "{positions:?}");
        let hidden = rest.lines().count();
        assert_eq!(told.ends_with(&format!("and {hidden} more")), hidden > 0, "{told}");
        assert_eq!(told.lines().count() + hidden - usize::from(hidden > 0), positions.len(), "{told}");
        clusters += 1;
    }
    assert!(clusters > 3, "the year has only {clusters} clusters");
}

#[test]
fn the_page_is_in_chinese_where_that_is_asked_for() {
    let sample = sample::year();
    let bundles = sample.bundles.iter().map(|(account, bundle)| (account.as_str(), bundle));
    let (from, until) = (sample.from, sample.until);
    let frame = Frame { from, until, detail: Detail::Picture, tracks_max: 5_000, drawn: None };
    let mut history = History::new(frame, &sample.accounts, bundles, [&sample.manifest]);
    history.set_language(Language::Chinese);
    for (account, event) in &sample.events {
        history.record(account, event);
    }
    let mut out = Vec::new();
    html::write(&history, &mut out).unwrap();
    let page = String::from_utf8(out).unwrap();
    for words in [
        "<html lang=\"zh-CN\">",
        "<h1>续费 <span>2026-01-01 至 2027-01-01</span></h1>",
        "2 个账户 &#183; 55 个资源",
        "图例与开关",
        "使用中，2026-",
        ": 续费失败（余额不足）",
        "data-more=\"另有 {0} 条\"",
        "最低 ",
        "所有时间均为 UTC。",
    ] {
        assert!(page.contains(words), "nothing says {words}");
    }
    let body = page.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
    for words in ["renewal", "balance of", "at the end", "host down", "Legend", " from "] {
        let text = body.replace("class=\"row balance\"", "");
        assert!(!text.contains(words), "{words} is left in English");
    }
}
