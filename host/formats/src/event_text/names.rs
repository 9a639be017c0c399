//! What types of event, terms and stages are called, in a language. Knows no event.

use perennial_domain::bundle::Stage;
use perennial_domain::event::EventKind;
use perennial_domain::term::Term;

use super::chinese;
use super::chinese_names;
use super::spaced;
use crate::language::Language;

/// What a type of event, such as `renewal_settled`, is called in a language; `None` for no type.
pub fn type_name(kind: &str, language: Language) -> Option<String> {
    match language {
        Language::English => EventKind::TYPES.contains(&kind).then(|| spaced(kind)),
        Language::Chinese => chinese_names::type_name(kind).map(str::to_owned),
    }
}

/// A term in words of a language.
pub fn term_words(term: Term, language: Language) -> String {
    match language {
        Language::English => term.to_string(),
        Language::Chinese => chinese::term_words(term),
    }
}

/// A stage in words of a language.
pub const fn stage_words(stage: Stage, language: Language) -> &'static str {
    match language {
        Language::English => stage.name(),
        Language::Chinese => chinese::stage(stage),
    }
}
