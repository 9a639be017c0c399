//! The quotes of a table as RFC 4180 has them, section 2, rules 5 to 7. A reader of CSV lets much pass that is not: a quote
//! that is never closed makes one field of all the rows behind it, and they would be lost without a word.

/// What is wrong with the quotes of a table, each with its line, counted from 1.
pub(super) fn faults(text: &str) -> Vec<(u64, &'static str)> {
    let mut scan = Scan { place: Place::Start, line: 1, faults: Vec::new() };
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        // Both signs of a line's end are one end.
        let ends_line = sign == '\n' || (sign == '\r' && signs.peek() != Some(&'\n'));
        if sign != '\r' || ends_line {
            scan.step(sign, ends_line);
        }
        scan.line += u64::from(ends_line);
    }
    if let Place::Quoted { opened } = scan.place {
        scan.faults
            .push((opened, "a quote is opened here and never closed; what follows would all be one field"));
    }
    scan.faults
}

/// Where in a field the scan is.
#[derive(Clone, Copy)]
enum Place {
    Start,
    Plain,
    /// Within quotes that were opened on this line.
    Quoted {
        opened: u64,
    },
    /// Behind a quote, which ends the field or is the first of two.
    Closed {
        opened: u64,
    },
    /// In a field whose fault is known.
    Faulty,
}

struct Scan {
    place: Place,
    line: u64,
    faults: Vec<(u64, &'static str)>,
}

impl Scan {
    fn step(&mut self, sign: char, ends_line: bool) {
        let ends_field = ends_line || sign == ',';
        self.place = match (self.place, sign) {
            (Place::Quoted { opened }, '"') => Place::Closed { opened },
            (Place::Quoted { opened }, _) | (Place::Closed { opened }, '"') => Place::Quoted { opened },
            (_, _) if ends_field => Place::Start,
            (Place::Start, '"') => Place::Quoted { opened: self.line },
            (Place::Plain, '"') => {
                self.fault("a quote stands within a field; put the field in quotes, and write that one twice")
            }
            (Place::Closed { .. }, _) => {
                self.fault("text stands behind the quotes of a field; put all of the field in quotes")
            }
            (Place::Start | Place::Plain, _) => Place::Plain,
            (Place::Faulty, _) => Place::Faulty,
        };
    }

    fn fault(&mut self, message: &'static str) -> Place {
        self.faults.push((self.line, message));
        Place::Faulty
    }
}

#[cfg(test)]
mod tests {
    use crate::inventory::csv_quotes::faults;

    #[test]
    fn quotes_are_those_of_rfc_4180() {
        for right in [
            "",
            "a,b\n",
            "\"a\",\"b\"\r\n",
            "\"a, \"\"b\"\"\",c\n",
            "\"two\nlines\",\"\"\n",
            "\"\"\"\"",
            "a,\"\r\",b",
            "a\rb\r\"c\"",
        ] {
            assert_eq!(faults(right), [], "{right:?}");
        }
        let lines =
            |text: &str| faults(text).iter().map(|(line, why)| (*line, &why[..12])).collect::<Vec<_>>();
        assert_eq!(lines("a,b\n1,\"2\n3,4\n5,6\n"), [(2, "a quote is o")]);
        assert_eq!(lines("\"a\"\r\n\"b"), [(2, "a quote is o")]);
        assert_eq!(lines("a,b\r\n1,2\"3\"\r\n4,5\"\r\n"), [(2, "a quote stan"), (3, "a quote stan")]);
        assert_eq!(lines("a\r\"b\"c,d\r\"e\" ,f"), [(2, "text stands "), (3, "text stands ")]);
        assert_eq!(lines("\"a\"\"\n"), [(1, "a quote is o")]);
    }
}
