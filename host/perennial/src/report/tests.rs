//! What the outputs promise, over a year in which everything happens.

use crate::report::Detail;
use crate::report::html;
use crate::report::sample;

/// The whole page.
fn page() -> String {
    let mut out = Vec::new();
    html::write(&sample::year().history(Detail::Picture, 5_000), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn look() {
    std::fs::write("/tmp/x.html", page()).unwrap();
    let mut out = Vec::new();
    crate::report::table::write(
        &sample::year().history(Detail::Totals, 0),
        crate::report::Style { colours: false },
        &mut out,
    )
    .unwrap();
    crate::report::months::write(
        &sample::year().history(Detail::Totals, 0),
        crate::report::Style { colours: false },
        &mut out,
    )
    .unwrap();
    std::fs::write("/tmp/x.txt", out).unwrap();
}
