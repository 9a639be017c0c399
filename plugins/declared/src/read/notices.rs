//! The sections `[[notices]]`: what owners are told ahead of time.

use plugin_sdk::Stage;

use crate::read::section::Findings;
use crate::read::section::Section;
use crate::table::Notice;
use crate::table::NoticeTime;
use crate::words;

/// The most notices of a table, and the most days of all of them together: with tries and stages they fit a timeline.
const NOTICES_MAX: usize = 20;
const DAYS_MAX: usize = 60;

pub(crate) fn read(file: &mut Section<'_>, findings: &Findings) -> Vec<Notice> {
    let sections = file.sections("notices");
    let mut notices = Vec::<Notice>::new();
    let mut days = 0;
    for mut section in sections {
        let at = section.at();
        let name = section.required_name("name").map(|name| name.text.to_owned());
        let label = section.required_text("label").map(|label| label.text.to_owned());
        let when = when(&mut section, findings);
        section.finish();
        days += when.as_ref().map_or(0, days_of);
        let (Some(name), Some(label), Some(when)) = (name, label, when) else { continue };
        if notices.iter().any(|notice| notice.name == name) {
            findings.say(at, format!("the notice `{name}` is there twice"));
        }
        notices.push(Notice { name, label, when });
        if notices.len() == NOTICES_MAX + 1 {
            findings.say(at, format!("more than {NOTICES_MAX} notices"));
        }
    }
    if days > DAYS_MAX {
        findings
            .say(0, format!("the notices are made on {days} days; {DAYS_MAX} are possible for a resource"));
    }
    notices
}

fn days_of(when: &NoticeTime) -> usize {
    match when {
        NoticeTime::BeforeExpiry { days, .. } | NoticeTime::BeforeRelease { days, .. } => days.len(),
        NoticeTime::Entering(_) => 1,
    }
}

fn when(section: &mut Section<'_>, findings: &Findings) -> Option<NoticeTime> {
    let check = |days: &[i64]| match days.iter().any(|day| *day < 0) {
        true => Err("a notice is made on the day or before it, so no day is negative".to_owned()),
        false => words::check_days(days),
    };
    let before_expiry = section.wholes("days_before_expiry", check);
    let before_release = section.wholes("days_before_release", check);
    let stages = [("grace", Stage::Grace), ("retention", Stage::Retention), ("released", Stage::Released)];
    let entering = section.choice("entering", &stages);
    let hour = section.whole("hour", 0..=23).and_then(|hour| u8::try_from(hour).ok());
    match (before_expiry, before_release, entering) {
        (Some(days), None, None) => Some(NoticeTime::BeforeExpiry { days, hour }),
        (None, Some(days), None) => Some(NoticeTime::BeforeRelease { days, hour }),
        (None, None, Some(stage)) => Some(NoticeTime::Entering(stage)),
        _ => {
            let message = "a notice has one of `days_before_expiry`, `days_before_release` and `entering`";
            findings.say(section.at(), message);
            None
        }
    }
}
