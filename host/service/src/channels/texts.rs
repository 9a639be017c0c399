//! The words around events in messages to people, in both languages. Knows no channel.

use perennial_domain::severity::Severity;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;
use perennial_formats::language::Language;
use perennial_formats::language::Text;
use perennial_formats::time_zone::TimeZone;

const INFO: Text = Text { english: "info", chinese: "信息" };
const WARNING: Text = Text { english: "warning", chinese: "警告" };
const CRITICAL: Text = Text { english: "critical", chinese: "严重" };
const TEST_TITLE: Text = Text { english: "Perennial: a test", chinese: "Perennial：测试" };
const TEST_BODY: Text = Text {
    english: "Somebody asked for this message to see whether the channel works. It reports nothing.",
    chinese: "有人发送此消息以确认渠道可用。它不报告任何事件。",
};
const ALARM_TITLE: Text =
    Text { english: "Perennial: another channel fails", chinese: "Perennial：另一渠道无法送达" };

/// How many events of each severity a message reports, and whether it is a digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) critical: usize,
    pub(crate) warning: usize,
    pub(crate) info: usize,
    pub(crate) is_digest: bool,
}

impl Counts {
    /// Counts one more event.
    pub(crate) fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Critical => self.critical += 1,
            Severity::Warning => self.warning += 1,
            Severity::Info => self.info += 1,
        }
    }

    /// How many events there are.
    pub(crate) fn total(&self) -> usize {
        self.critical + self.warning + self.info
    }
}

/// The title of a message: what it reports, the worst first.
pub(crate) fn title(language: Language, counts: &Counts) -> String {
    let parts = [
        (counts.critical, Severity::Critical),
        (counts.warning, Severity::Warning),
        (counts.info, Severity::Info),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    match language {
        Language::English => {
            let word = |(count, severity)| match severity {
                Severity::Critical => dates::counted(count, "critical event"),
                Severity::Warning => dates::counted(count, "warning"),
                Severity::Info => dates::counted(count, "other event"),
            };
            let what = if counts.is_digest { "digest" } else { "now" };
            format!("Perennial, {what}: {}", parts.map(word).collect::<Vec<_>>().join(", "))
        }
        Language::Chinese => {
            let word = |(count, severity)| match severity {
                Severity::Critical => format!("{count} 条严重事件"),
                Severity::Warning => format!("{count} 条警告"),
                Severity::Info => format!("{count} 条记录"),
            };
            let what = if counts.is_digest { "摘要" } else { "即时" };
            format!("Perennial {what}：{}", parts.map(word).collect::<Vec<_>>().join("，"))
        }
    }
}

/// One event in a line: how bad it is, when, of what, and what happened.
pub(crate) fn line(
    language: Language,
    severity: Severity,
    at: &str,
    (account, resource): (Option<&str>, Option<&str>),
    words: &str,
) -> String {
    let severity = match severity {
        Severity::Info => INFO,
        Severity::Warning => WARNING,
        Severity::Critical => CRITICAL,
    };
    let severity = severity.of(language);
    match language {
        Language::English => {
            let about = match (account, resource) {
                (Some(account), Some(resource)) => format!("{resource} of {account}"),
                (Some(account), None) => account.to_owned(),
                (None, _) => "the host".to_owned(),
            };
            format!("[{severity}] {at} {about}: {words}")
        }
        Language::Chinese => {
            let about = match (account, resource) {
                (Some(account), Some(resource)) => format!("{account} 的 {resource}"),
                (Some(account), None) => account.to_owned(),
                (None, _) => "主机".to_owned(),
            };
            format!("【{severity}】{at} {about}：{words}")
        }
    }
}

/// The last line of a message that does not show every event.
pub(crate) fn more(language: Language, count: usize) -> String {
    match language {
        Language::English => format!("and {count} more; the events of the host have all"),
        Language::Chinese => format!("另有 {count} 条；主机的事件列表中有全部内容"),
    }
}

/// The title and the text of a test.
pub(crate) fn test(language: Language) -> (String, String) {
    (TEST_TITLE.of(language).to_owned(), TEST_BODY.of(language).to_owned())
}

/// The title and the text that say of another channel that it delivers nothing.
pub(crate) fn alarm(
    language: Language,
    zone: TimeZone,
    (channel, kind, address): (&str, &str, &str),
    since: Timestamp,
    why: &str,
) -> (String, String) {
    let since = zone.minute(since);
    let text = match language {
        Language::English => format!(
            "The channel {channel} ({kind}, {address}) has delivered nothing since {since}: {why}. \
             Its readers are not told of what happens; mend it, then test it."
        ),
        Language::Chinese => format!(
            "渠道 {channel}（{kind}，{address}）自 {since} 起没有送达任何消息：{why}。\
             其读者收不到通知；请修复后发送测试消息。"
        ),
    };
    (ALARM_TITLE.of(language).to_owned(), text)
}
