//! Which texts are good for a new id or name: two that look the same are two rows, and both are paid for.
//!
//! Knows characters, and not what an id is for.

use crate::wording;

/// Characters that show nothing, or change how their neighbours are shown: those of Unicode's category `Cf`, and the others
/// that its property `Default_Ignorable_Code_Point` has.
const INVISIBLE: [(char, char); 32] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e007f}'),
    ('\u{e0080}', '\u{e00ff}'),
    ('\u{e0100}', '\u{e01ef}'),
    ('\u{e01f0}', '\u{e0fff}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{0}', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
];

/// What is wrong with a new id or name, such as ``the id `a ` has U+0020 at its end; …``; `None` when people can see all of
/// it. White space stands between other characters only, and is U+0020.
pub fn fault(what: &str, id: &str) -> Option<String> {
    let count = id.chars().count();
    let (place, character) = id.chars().enumerate().find(|(place, character)| {
        let is_at_an_end = *place == 0 || place + 1 == count;
        (character.is_whitespace() && (is_at_an_end || *character != ' ')) || is_invisible(*character)
    })?;
    let place = match place {
        0 => "at its beginning".to_owned(),
        place if place + 1 == count => "at its end".to_owned(),
        place => format!("as character {}", place + 1),
    };
    let code = u32::from(character);
    let id = wording::quote(id);
    Some(format!(
        "the {what} {id} has U+{code:04X} {place}, which nobody can see: another one would look the same; leave it out"
    ))
}

fn is_invisible(character: char) -> bool {
    INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_see_is_named_with_its_place() {
        let told = |id: &str| fault("id", id).unwrap().split(", which").next().unwrap().to_owned();
        assert_eq!(told("a1 "), "the id `a1 ` has U+0020 at its end");
        assert_eq!(told(" a1"), "the id ` a1` has U+0020 at its beginning");
        assert_eq!(told(" "), "the id ` ` has U+0020 at its beginning");
        assert_eq!(told("a\u{200b}1"), "the id `a\u{200b}1` has U+200B as character 2");
        assert_eq!(told("a\u{a0}1"), "the id `a\u{a0}1` has U+00A0 as character 2");
        assert_eq!(told("\u{feff}a1"), "the id `\u{feff}a1` has U+FEFF at its beginning");
    }

    #[test]
    fn every_invisible_character_is_refused_wherever_it_stands() {
        let ranges = INVISIBLE.iter().flat_map(|(first, last)| *first..=*last);
        let spaces = (0..=0x10_ffff).filter_map(char::from_u32).filter(|character| character.is_whitespace());
        for character in ranges.chain(spaces).filter(|character| *character != ' ') {
            for id in [format!("{character}a"), format!("a{character}"), format!("a{character}b")] {
                assert!(fault("id", &id).is_some(), "{id:?}");
            }
        }
    }

    #[test]
    fn what_can_be_seen_is_no_fault() {
        for id in ["ecs-1", "服务器", "a b", "é", "e\u{301}", "server (old)", "🖥"] {
            assert_eq!(fault("id", id), None, "{id:?}");
        }
    }
}
