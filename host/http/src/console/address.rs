//! Addresses: paths with their parameters, written and read. Knows escapes; not what the parameters mean.

use crate::views;

/// The parameters of an address or a form, in their order; a name may come more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads `a=1&b=2`. What is no UTF-8 is read as far as it can be.
    pub(super) fn read(text: &str) -> Parameters {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescaped(name), unescaped(value))
        });
        Parameters(pairs.collect())
    }

    /// The first value of a name, without blanks around it; `None` when it is empty or not there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
        value.filter(|value| !value.is_empty())
    }

    /// The first value of a name as it was sent, with its blanks and line ends.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Every value of a name that is not empty.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a name as an instant: a date alone is midnight UTC, as on the command line.
    pub(super) fn instant(&self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        let is_date = value.len() == 10 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        Some(if is_date { format!("{value}T00:00:00Z") } else { value.to_owned() })
    }

    /// The same with another value of a name.
    pub(super) fn with(mut self, name: &str, value: &str) -> Parameters {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Every name and value, in their order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        match (escaped, first) {
            (Some(byte), _) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (None, b'+') => bytes.push(b' '),
            (None, byte) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// An address that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address(String);

impl Address {
    /// The address of a path; `names` take the places of `{}` in it, escaped.
    pub(super) fn new(path: &str, names: &[&str]) -> Address {
        let mut names = names.iter();
        let mut written = String::new();
        for (number, part) in path.split("{}").enumerate() {
            if number > 0 {
                written += &names.next().map(|name| views::path_segment(name)).unwrap_or_default();
            }
            written += part;
        }
        Address(written)
    }

    /// The same with a parameter, if it has a value.
    pub(super) fn with(mut self, name: &str, value: Option<impl std::fmt::Display>) -> Address {
        if let Some(value) = value {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0 += &views::path_segment(name);
            self.0.push('=');
            self.0 += &views::path_segment(&value.to_string());
        }
        self
    }

    /// The same with those of `parameters` that `names` has; dates alone are instants.
    pub(super) fn with_each(self, parameters: &Parameters, names: &[&str]) -> Address {
        names.iter().fold(self, |address, name| match *name {
            "expires_from" | "expires_before" | "since" => address.with(name, parameters.instant(name)),
            name => address.with(name, parameters.get(name)),
        })
    }

    /// The text of the address.
    pub(super) fn text(self) -> String {
        self.0
    }
}

/// The address of `path`, in which `names` take the places of `{}`.
pub(super) fn to(path: &str, names: &[&str]) -> String {
    Address::new(path, names).text()
}

/// An address of this console, from what a browser sent; elsewhere leads nobody.
pub(super) fn local(address: Option<&str>) -> String {
    let is_plain = |address: &&str| {
        address.starts_with('/')
            && !address.starts_with("//")
            && address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    address.filter(is_plain).unwrap_or("/").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_they_were_written() {
        let address = Address::new("/a/{}:b", &["x/y:z ü"]).with("tag", Some("env=prod&x +%"));
        let text = address.clone().with("none", None::<&str>).text();
        assert_eq!(text, "/a/x%2Fy%3Az%20%C3%BC:b?tag=env%3Dprod%26x%20%2B%25");
        let (_, query) = text.split_once('?').unwrap();
        assert_eq!(Parameters::read(query).get("tag"), Some("env=prod&x +%"));
    }

    #[test]
    fn a_broken_escape_is_taken_as_it_stands() {
        let read = Parameters::read("a=%&b=%4&c=%zz&d=1+2&d=%ff&&e");
        assert_eq!(read.get("a"), Some("%"));
        assert_eq!(read.get("b"), Some("%4"));
        assert_eq!(read.get("c"), Some("%zz"));
        assert_eq!(read.all("d").collect::<Vec<_>>(), ["1 2", "\u{fffd}"]);
        assert_eq!(read.get("e"), None);
    }

    #[test]
    fn a_date_alone_is_midnight_utc() {
        let read = Parameters::read("since=2026-01-31&until=2026-01-31T08:00:00%2B08:00&to=tomorrow!!");
        assert_eq!(
            Address::new("/e", &[]).with_each(&read, &["since"]).text(),
            "/e?since=2026-01-31T00%3A00%3A00Z"
        );
        assert_eq!(read.instant("until").as_deref(), Some("2026-01-31T08:00:00+08:00"));
        assert_eq!(read.instant("to").as_deref(), Some("tomorrow!!"));
    }

    #[test]
    fn nobody_is_led_elsewhere() {
        for hostile in ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb: c", "evil", ""]
        {
            assert_eq!(local(Some(hostile)), "/", "{hostile:?}");
        }
        assert_eq!(local(Some("/resources?tag=env%3Dprod")), "/resources?tag=env%3Dprod");
        assert_eq!(local(None), "/");
    }
}
