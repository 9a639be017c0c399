//! Every file of `tests/cases` holds.

use crate::case::Case;

/// The files of the folder, by name.
fn files() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
    let mut files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect::<Vec<_>>();
    files.sort();
    files
}

#[test]
fn every_case_holds_as_it_is_written() {
    let files = files();
    assert!(!files.is_empty(), "there are no cases");
    let failures = files.iter().filter_map(|(name, text)| {
        let case = Case::read(text).unwrap_or_else(|error| panic!("{name} is no case: {error}"));
        let failure = case.check().err()?;
        Some(format!("{name}\n  {}\n{failure}", case.why))
    });
    let failures = failures.collect::<Vec<_>>();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
