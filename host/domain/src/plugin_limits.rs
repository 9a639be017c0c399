//! What a package of a plugin asks for beyond what every plugin has, and what an operator grants it.
//!
//! Both are written alike, everywhere: `fuel-per-item=300000,memory=64MiB,size=32MiB,wasi`. Knows no sandbox.

use std::fmt;

/// Limits of one plugin; what is absent is as for every plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PluginLimits {
    /// Fuel that each item of a request adds to that of its call.
    pub fuel_per_item: Option<u64>,
    /// The memory of one call, in bytes.
    pub memory_bytes: Option<u64>,
    /// The size of the component, in bytes.
    pub file_bytes: Option<u64>,
    /// Whether it may import WASI, which is answered by stubs without an effect.
    pub wasi: bool,
}

/// The names of the limits that are numbers.
const FUEL: &str = "fuel-per-item";
const MEMORY: &str = "memory";
const SIZE: &str = "size";
/// The one that is granted or not.
const WASI: &str = "wasi";

/// Suffixes of bytes, the largest first.
const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl PluginLimits {
    /// Nothing beyond what every plugin has.
    pub const NONE: PluginLimits =
        PluginLimits { fuel_per_item: None, memory_bytes: None, file_bytes: None, wasi: false };

    /// Whether it is nothing beyond what every plugin has.
    pub fn is_none(&self) -> bool {
        *self == PluginLimits::NONE
    }

    /// Reads limits as they are written.
    ///
    /// # Errors
    ///
    /// Every problem in words, one each.
    pub fn read(text: &str) -> Result<PluginLimits, Vec<String>> {
        let (mut limits, mut problems) = (PluginLimits::NONE, Vec::new());
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if let Err(problem) = limits.take(part) {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(limits) } else { Err(problems) }
    }

    fn take(&mut self, part: &str) -> Result<(), String> {
        let (name, value) = part.split_once('=').map_or((part, None), |(name, value)| (name, Some(value)));
        let place = match name {
            WASI if value.is_some() => return Err(format!("`{part}`: write `{WASI}` alone")),
            WASI if self.wasi => return Err(format!("`{WASI}` is there twice")),
            WASI => {
                self.wasi = true;
                return Ok(());
            }
            FUEL => &mut self.fuel_per_item,
            MEMORY => &mut self.memory_bytes,
            SIZE => &mut self.file_bytes,
            _ => {
                return Err(format!(
                    "`{name}` is no limit that can be granted: there are `{FUEL}`, `{MEMORY}`, `{SIZE}` and `{WASI}`"
                ));
            }
        };
        let number = value.and_then(|value| if name == FUEL { value.parse().ok() } else { bytes(value) });
        let number = number.filter(|number| *number > 0).ok_or_else(|| match name {
            FUEL => format!("`{part}`: write a whole number above 0, such as `{FUEL}=300000`"),
            _ => format!("`{part}`: write a number of bytes above 0, such as `{name}=64MiB`"),
        })?;
        match place.replace(number) {
            None => Ok(()),
            Some(_) => Err(format!("`{name}` is there twice")),
        }
    }

    /// What of this is neither in `granted` nor in what every plugin has, `standard`: each with what is allowed instead, in
    /// words.
    pub fn missing(self, granted: PluginLimits, standard: PluginLimits) -> Vec<String> {
        let mut missing = Vec::new();
        for (number, granted, standard) in self.numbers(granted, standard) {
            let allowed = granted.unwrap_or(0).max(standard.unwrap_or(0));
            if let Some(asked) = number.value.filter(|asked| *asked > allowed) {
                missing.push(format!(
                    "{} of {} where {} is allowed",
                    number.name,
                    (number.write)(asked),
                    (number.write)(allowed)
                ));
            }
        }
        if self.wasi && !granted.wasi {
            missing.push(format!("{WASI}, which is answered by stubs without an effect"));
        }
        missing
    }

    /// What of this is above `most`, in words; a number that `most` leaves out has no bound.
    pub fn above(self, most: PluginLimits) -> Vec<String> {
        let numbers = self.numbers(most, PluginLimits::NONE).into_iter();
        let above = numbers.filter_map(|(number, most, _)| {
            let (value, most) = (number.value?, most?);
            let write = number.write;
            (value > most).then(|| {
                format!("{} of {}, and at most {} may be granted", number.name, write(value), write(most))
            })
        });
        let wasi = (self.wasi && !most.wasi).then(|| format!("{WASI}, which may not be granted"));
        above.chain(wasi).collect()
    }

    /// This, but nothing above `most`.
    #[must_use]
    pub fn at_most(self, most: PluginLimits) -> PluginLimits {
        let least =
            |one: Option<u64>, most: Option<u64>| one.map(|one| most.map_or(one, |most| one.min(most)));
        PluginLimits {
            fuel_per_item: least(self.fuel_per_item, most.fuel_per_item),
            memory_bytes: least(self.memory_bytes, most.memory_bytes),
            file_bytes: least(self.file_bytes, most.file_bytes),
            wasi: self.wasi && most.wasi,
        }
    }

    /// What is greater than in `standard`: all that has to be granted.
    #[must_use]
    pub fn beyond(self, standard: PluginLimits) -> PluginLimits {
        let beyond = |one: Option<u64>, standard: Option<u64>| one.filter(|one| *one > standard.unwrap_or(0));
        PluginLimits {
            fuel_per_item: beyond(self.fuel_per_item, standard.fuel_per_item),
            memory_bytes: beyond(self.memory_bytes, standard.memory_bytes),
            file_bytes: beyond(self.file_bytes, standard.file_bytes),
            wasi: self.wasi,
        }
    }

    fn numbers(self, one: PluginLimits, other: PluginLimits) -> [(Number, Option<u64>, Option<u64>); 3] {
        let number = |name, value, write| Number { name, value, write };
        [
            (number(FUEL, self.fuel_per_item, plain), one.fuel_per_item, other.fuel_per_item),
            (number(MEMORY, self.memory_bytes, written), one.memory_bytes, other.memory_bytes),
            (number(SIZE, self.file_bytes, written), one.file_bytes, other.file_bytes),
        ]
    }
}

/// A limit that is a number, with how it is written.
struct Number {
    name: &'static str,
    value: Option<u64>,
    write: fn(u64) -> String,
}

impl fmt::Display for PluginLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = self.numbers(PluginLimits::NONE, PluginLimits::NONE).into_iter();
        let numbers = numbers
            .filter_map(|(number, ..)| Some(format!("{}={}", number.name, (number.write)(number.value?))));
        let wasi = self.wasi.then(|| WASI.to_owned());
        f.write_str(&numbers.chain(wasi).collect::<Vec<_>>().join(","))
    }
}

fn plain(number: u64) -> String {
    number.to_string()
}

/// A number of bytes with the largest unit that leaves it whole.
fn written(bytes: u64) -> String {
    let unit = UNITS.into_iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| bytes.to_string(), |(name, unit)| format!("{}{name}", bytes / unit))
}

fn bytes(text: &str) -> Option<u64> {
    let unit = UNITS.into_iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)));
    let (number, unit) = unit.unwrap_or((text, 1));
    number.trim().parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn limits_are_read_as_they_are_written() {
        let limits = PluginLimits {
            fuel_per_item: Some(300_000),
            memory_bytes: Some(64 * MIB),
            file_bytes: Some(18_822_670),
            wasi: true,
        };
        let text = "fuel-per-item=300000,memory=64MiB,size=18822670,wasi";
        assert_eq!(limits.to_string(), text);
        assert_eq!(PluginLimits::read(text), Ok(limits));
        assert_eq!(
            PluginLimits::read(" wasi , memory=65536KiB,size=18822670,fuel-per-item=300000"),
            Ok(limits)
        );
        assert_eq!(PluginLimits::read(""), Ok(PluginLimits::NONE));
        assert_eq!(PluginLimits::NONE.to_string(), "");
    }

    #[test]
    fn every_problem_of_a_grant_is_told() {
        let problems =
            PluginLimits::read("network,memory=lots,fuel-per-item=0,size,wasi=yes,wasi,wasi,memory=1")
                .unwrap_err();
        assert_eq!(problems.len(), 6, "{problems:?}");
        assert!(problems[0].contains("`network` is no limit that can be granted"), "{problems:?}");
        assert_eq!(PluginLimits::read("memory=99999999999GiB").unwrap_err().len(), 1);
        assert_eq!(PluginLimits::read("memory=1,memory=2").unwrap_err(), ["`memory` is there twice"]);
    }

    #[test]
    fn what_is_not_granted_is_named_with_what_is_allowed() {
        let standard = PluginLimits::read("fuel-per-item=100000,memory=32MiB,size=10MiB").unwrap();
        let asked = PluginLimits::read("fuel-per-item=300000,memory=16MiB,size=18MiB,wasi").unwrap();
        let told =
            asked.missing(PluginLimits { fuel_per_item: Some(200_000), ..PluginLimits::NONE }, standard);
        let named = [
            "fuel-per-item of 300000 where 200000 is allowed",
            "size of 18MiB where 10MiB is allowed",
            "wasi, which is answered by stubs without an effect",
        ];
        assert_eq!(told, named);
        assert_eq!(asked.beyond(standard).to_string(), "fuel-per-item=300000,size=18MiB,wasi");
        assert_eq!(asked.missing(asked, standard), [""; 0]);
    }

    #[test]
    fn nothing_above_the_bounds_is_granted() {
        let most = PluginLimits::read("memory=256MiB,size=64MiB,wasi").unwrap();
        assert_eq!(PluginLimits { wasi: false, ..most }.at_most(most).above(most), [""; 0]);
        assert_eq!(most.above(PluginLimits { wasi: false, ..most }), ["wasi, which may not be granted"]);
        let asked = PluginLimits::read("fuel-per-item=9,memory=1GiB,wasi").unwrap();
        assert_eq!(asked.above(most), ["memory of 1GiB, and at most 256MiB may be granted"]);
        assert_eq!(asked.at_most(most).to_string(), "fuel-per-item=9,memory=256MiB,wasi");
        assert_eq!(asked.at_most(most).above(most), [""; 0]);
    }
}
