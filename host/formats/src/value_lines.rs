//! The line on which each value of a JSON text begins. Looked up only when something is wrong with a file.
//!
//! Knows as much of JSON as it takes to tell values from names; the text was read before, so it is JSON.

/// The lines of all values, counting from 1, in the order in which `json_tree` numbers the values.
pub(super) fn of(text: &str) -> Vec<u32> {
    let bytes = text.strip_prefix('\u{feff}').unwrap_or(text).as_bytes();
    let mut lines = Vec::new();
    let (mut line, mut next) = (1, 0);
    while let Some(byte) = bytes.get(next) {
        next = match byte {
            b'\n' => {
                line += 1;
                next + 1
            }
            b' ' | b'\t' | b'\r' | b',' | b':' | b'}' | b']' => next + 1,
            b'{' | b'[' => {
                lines.push(line);
                next + 1
            }
            b'"' => {
                let end = end_of_string(bytes, next);
                if !is_name(bytes, end) {
                    lines.push(line);
                }
                end
            }
            _ => {
                lines.push(line);
                end_of_word(bytes, next)
            }
        };
    }
    lines
}

/// The line of the value of this number; that of the last one for what is behind it.
pub(super) fn line(lines: &[u32], position: u32) -> u32 {
    let position = usize::try_from(position).unwrap_or(usize::MAX);
    lines.get(position).or(lines.last()).copied().unwrap_or(1)
}

/// The place behind the string that begins at `start`. There is no line break in a string.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut next = start + 1;
    while let Some(byte) = bytes.get(next) {
        match byte {
            b'\\' => next += 2,
            b'"' => return next + 1,
            _ => next += 1,
        }
    }
    bytes.len()
}

/// Whether the string that ends before `end` is the name of a field.
fn is_name(bytes: &[u8], end: usize) -> bool {
    bytes[end..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// The place behind the number or word that begins at `start`.
fn end_of_word(bytes: &[u8], start: usize) -> usize {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b",:}]".contains(byte);
    bytes[start..].iter().position(is_end).map_or(bytes.len(), |length| start + length)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn values_are_numbered_as_they_are_read_and_names_are_none() {
        let text = "{\n \"a\\\"b\" :\n [1,\n  \"x:y\", {\"c\":\nnull}],\n\"d\"\n: -1.5e3 }";
        // The object, the list, 1, the text, the inner object, null, the number.
        assert_eq!(of(text), [1, 3, 3, 4, 4, 5, 7]);
        assert_eq!(of("\u{feff}\n true"), [2]);
    }
}
