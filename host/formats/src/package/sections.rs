//! The sections of a component that say what it is, read and written. Only those of the outermost component count.

use wasmparser::BinaryReaderError;
use wasmparser::ComponentName;
use wasmparser::CustomSectionReader;
use wasmparser::KnownCustom;
use wasmparser::Parser;
use wasmparser::Payload;

use super::PackageManifest;
use super::SECTION;
use super::contract_of;
use crate::package_manifest;

/// The bytes that every component begins with.
const HEADER: usize = 8;

/// What can be read of a component, and what is wrong with its sections.
pub(super) fn read(bytes: &[u8]) -> (PackageManifest, Vec<String>) {
    let mut reading = Reading::default();
    let problem = match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => None,
        [0, b'a', b's', b'm', ..] => Some("it is a core WebAssembly module, and a plugin is a component"),
        _ => Some("it is no WebAssembly"),
    };
    if let Some(problem) = problem {
        return (reading.manifest, vec![problem.to_owned()]);
    }
    if let Err(error) = reading.component(bytes) {
        reading.problems.push(format!("it is no component: {}", error.message()));
    }
    (reading.manifest, reading.problems)
}

/// The component with one more section at its end.
pub(super) fn append(component: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    let mut content = leb128(name.len());
    content.extend_from_slice(name.as_bytes());
    content.extend_from_slice(data);
    let mut bytes = component.to_vec();
    bytes.push(0);
    bytes.extend(leb128(content.len()));
    bytes.extend(content);
    bytes
}

/// The component without its own sections of this name; the same bytes, when they are no component.
pub(super) fn without(component: &[u8], name: &str) -> Vec<u8> {
    let mut bare = component.get(..HEADER).unwrap_or(component).to_vec();
    let mut rest = component.get(HEADER..).unwrap_or_default();
    while let Some((id, after)) = rest.split_first() {
        let Some((size, length)) = read_leb128(after) else { return component.to_vec() };
        let end = 1 + length + size;
        let Some(section) = rest.get(..end) else { return component.to_vec() };
        let content = &section[1 + length..];
        let is_named = read_leb128(content)
            .is_some_and(|(size, length)| content.get(length..length + size) == Some(name.as_bytes()));
        if *id != 0 || !is_named {
            bare.extend_from_slice(section);
        }
        rest = &rest[end..];
    }
    bare
}

/// A number and how many bytes it takes; `None` when it is cut off, or too large for a file.
fn read_leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut number = 0_usize;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        number |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((number, place + 1));
        }
    }
    None
}

/// A number as WebAssembly writes one.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits fit");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[derive(Default)]
struct Reading {
    manifest: PackageManifest,
    problems: Vec<String>,
    seen: Vec<String>,
}

impl Reading {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a component has many sections, and four kinds say what it is"
    )]
    fn component(&mut self, bytes: &[u8]) -> Result<(), BinaryReaderError> {
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(section) if depth == 1 => self.section(&section)?,
                Payload::ComponentExportSection(exports) if depth == 1 => {
                    for export in exports {
                        self.manifest.exports.push(export?.name.name.to_owned());
                    }
                }
                Payload::ComponentImportSection(imports) if depth == 1 => {
                    for import in imports {
                        self.manifest.imports.push(import?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn section(&mut self, section: &CustomSectionReader<'_>) -> Result<(), BinaryReaderError> {
        let name = section.name();
        let known = ["component-name", "version", "authors", "source", "licenses", SECTION];
        if !known.contains(&name) {
            return Ok(());
        }
        if self.seen.iter().any(|seen| seen == name) {
            self.problems.push(format!("it has two sections `{name}`, and nobody can know which one counts"));
            return Ok(());
        }
        self.seen.push(name.to_owned());
        if let KnownCustom::ComponentName(names) = section.as_known() {
            for part in names {
                if let ComponentName::Component { name, .. } = part? {
                    self.manifest.name = Some(name.to_owned());
                }
            }
            return Ok(());
        }
        let Ok(text) = std::str::from_utf8(section.data()) else {
            self.problems.push(format!("its section `{name}` is not UTF-8"));
            return Ok(());
        };
        let manifest = &mut self.manifest;
        match name {
            "version" => manifest.version = Some(text.to_owned()),
            "authors" => manifest.authors = Some(text.to_owned()),
            "source" => manifest.source = Some(text.to_owned()),
            "licenses" => manifest.license = Some(text.to_owned()),
            _ => {
                let wrong = |problem| format!("its section `{SECTION}` cannot be read: {problem}");
                let limits = package_manifest::limits(section.data()).map_err(wrong);
                let contract = contract_of(section.data()).map_err(wrong);
                self.problems
                    .extend([limits.as_ref().err(), contract.as_ref().err()].into_iter().flatten().cloned());
                manifest.limits = limits.unwrap_or_default();
                manifest.contract = contract.unwrap_or_else(|_| Some(String::new()));
            }
        }
        Ok(())
    }
}
