//! The section `[refusals]`: the provider's codes, situation by situation.

use crate::read::section::Section;
use crate::refusals::Refusals;
use crate::refusals::Situation;

pub(crate) fn read(file: &mut Section<'_>) -> Option<Refusals> {
    file.require("refusals");
    let mut section = file.section("refusals")?;
    let other = section.required_text("other").map(|code| code.text.to_owned());
    let codes = Situation::ALL.map(|situation| {
        if !section.is_section(situation.name()) {
            let own = section.text(situation.name()).map(|code| code.text.to_owned());
            return (own.or_else(|| other.clone()).unwrap_or_default(), None);
        }
        let Some(mut own) = section.section(situation.name()) else { return (String::new(), None) };
        let code = own.required_text("code").map(|code| code.text.to_owned());
        let message = own.text("message").map(|message| message.text.to_owned());
        own.finish();
        (code.unwrap_or_default(), message)
    });
    section.finish();
    Some(Refusals { codes: codes.to_vec() })
}
