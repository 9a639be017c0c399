//! Calendar feeds in the format of RFC 5545: each entry has one instant.
//!
//! Knows how lines are escaped, folded and ended; not what is in a feed.

use std::fmt::Write;

use perennial_domain::timestamp::Timestamp;

/// The longest line in octets, without its end: RFC 5545, section 3.1.
const LINE_MAX: usize = 75;

/// An entry of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The same as long as it is the same entry.
    pub uid: String,
    /// Grows when the entry changes.
    pub sequence: u32,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// The instant of the entry.
    pub starts_at: Timestamp,
    /// In a few words.
    pub summary: String,
    /// What happens, in more words.
    pub description: String,
    /// Of what sort it is, in a word.
    pub category: String,
    /// Whether it will not come true.
    pub is_cancelled: bool,
}

/// A feed of the name `name`, which clients read again after so many hours.
pub fn feed(name: &str, refresh_hours: u32, entries: &[Entry]) -> String {
    let mut text = String::with_capacity(256 + 512 * entries.len());
    let name = escaped(name);
    line(&mut text, "BEGIN:VCALENDAR");
    line(&mut text, "VERSION:2.0");
    line(&mut text, "PRODID:-//Perennial//Perennial//EN");
    line(&mut text, "CALSCALE:GREGORIAN");
    // The first of each pair is RFC 7986; the other is what calendars took before there was that.
    line(&mut text, &format!("NAME:{name}"));
    line(&mut text, &format!("X-WR-CALNAME:{name}"));
    line(&mut text, &format!("REFRESH-INTERVAL;VALUE=DURATION:PT{refresh_hours}H"));
    line(&mut text, &format!("X-PUBLISHED-TTL:PT{refresh_hours}H"));
    if entries.is_empty() {
        // A calendar has at least one component: RFC 5545, section 3.6.
        for fixed in ["BEGIN:VTIMEZONE", "TZID:Etc/UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000"] {
            line(&mut text, fixed);
        }
        for fixed in ["TZOFFSETFROM:+0000", "TZOFFSETTO:+0000", "END:STANDARD", "END:VTIMEZONE"] {
            line(&mut text, fixed);
        }
    }
    entries.iter().for_each(|entry| event(&mut text, entry));
    line(&mut text, "END:VCALENDAR");
    text
}

fn event(text: &mut String, entry: &Entry) {
    let status = if entry.is_cancelled { "CANCELLED" } else { "CONFIRMED" };
    let modified_at = instant(entry.modified_at);
    line(text, "BEGIN:VEVENT");
    line(text, &format!("UID:{}", escaped(&entry.uid)));
    line(text, &format!("SEQUENCE:{}", entry.sequence));
    // Without a method, both say when the entry last changed: RFC 5545, section 3.8.7.2.
    line(text, &format!("DTSTAMP:{modified_at}"));
    line(text, &format!("LAST-MODIFIED:{modified_at}"));
    line(text, &format!("DTSTART:{}", instant(entry.starts_at)));
    line(text, &format!("SUMMARY:{}", escaped(&entry.summary)));
    line(text, &format!("DESCRIPTION:{}", escaped(&entry.description)));
    line(text, &format!("CATEGORIES:{}", escaped(&entry.category)));
    line(text, &format!("STATUS:{status}"));
    line(text, "TRANSP:TRANSPARENT");
    line(text, "END:VEVENT");
}

/// An instant in UTC, such as `20260228T155959Z`.
fn instant(at: Timestamp) -> String {
    at.to_string().chars().filter(|character| !matches!(character, '-' | ':')).collect()
}

/// Text as a value: RFC 5545, section 3.3.11. What no value can have becomes a space.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' => escaped.push_str("\\n"),
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

/// Adds a line, folded where it is too long but never within a character.
fn line(text: &mut String, line: &str) {
    let mut rest = line;
    let mut room = LINE_MAX;
    while rest.len() > room {
        let (this, next) = rest.split_at(rest.floor_char_boundary(room));
        write!(text, "{this}\r\n ").expect("writing to text never fails");
        rest = next;
        // The space in front counts.
        room = LINE_MAX - 1;
    }
    write!(text, "{rest}\r\n").expect("writing to text never fails");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(content: &str) -> String {
        let mut text = String::new();
        line(&mut text, content);
        text
    }

    #[test]
    fn a_line_is_folded_at_75_octets_and_not_before() {
        assert_eq!(folded(&"a".repeat(75)), format!("{}\r\n", "a".repeat(75)));
        assert_eq!(folded(&"a".repeat(76)), format!("{}\r\n a\r\n", "a".repeat(75)));
        let three = format!("{}\r\n {}\r\n a\r\n", "a".repeat(75), "a".repeat(74));
        assert_eq!(folded(&"a".repeat(150)), three);
        assert_eq!(folded(""), "\r\n");
    }

    #[test]
    fn a_line_is_never_folded_within_a_character() {
        // Of three octets each: the 25th ends at the 75th octet, and the 26th would begin there.
        assert_eq!(folded(&"续".repeat(26)), format!("{}\r\n 续\r\n", "续".repeat(25)));
        assert_eq!(folded(&format!("a{}", "续".repeat(25))), format!("a{}\r\n 续\r\n", "续".repeat(24)));
        let four = format!("{}{}", "a".repeat(73), "🗓".repeat(2));
        assert_eq!(folded(&four), format!("{}\r\n 🗓🗓\r\n", "a".repeat(73)));
    }

    #[test]
    fn text_is_escaped_where_a_value_would_end() {
        assert_eq!(escaped("a,b;c\\d\ne:\"f\"\r\u{7}"), "a\\,b\\;c\\\\d\\ne:\"f\"  ");
    }

    #[test]
    fn a_feed_without_entries_still_has_a_component() {
        let feed = feed("n", 1, &[]);
        assert!(feed.contains("\r\nBEGIN:VTIMEZONE\r\n"), "{feed}");
    }

    proptest! {
        #[test]
        fn folding_loses_nothing_and_no_line_is_too_long(content in "[ -~é续🗓]{0,300}") {
            let text = folded(&content);
            prop_assert!(text.split("\r\n").all(|line| line.len() <= LINE_MAX));
            prop_assert_eq!(text.strip_suffix("\r\n").unwrap().replace("\r\n ", ""), content);
        }
    }
}
