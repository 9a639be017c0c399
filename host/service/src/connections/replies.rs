//! What a provider's outcome, or its absence, says of a call. Decides nothing: what it proves is the protocol's.

use perennial_domain::attempt::DeclineClass;
use perennial_domain::connector::Outcome;
use perennial_domain::plan::Refusal;
use perennial_engine::connected::Reply;
use perennial_engine::connected::Response;
use perennial_engine::connected::translation;
use perennial_store::calls::StoredCall;

use crate::connections::caller::CallError;

/// The longest text of a provider that is kept, in characters.
const SAID_MAX: usize = 500;

/// What an outcome says of a call; `is_shown` is whether a reading shows it afterwards.
pub(super) fn reply(outcome: &Outcome, is_shown: bool) -> Reply {
    let (orders, said) = match outcome {
        Outcome::Applied(orders) | Outcome::Submitted(orders) => (orders.clone(), None),
        Outcome::Declined(decline) => (Vec::new(), Some(decline.refusal.clone())),
        Outcome::InDoubt(why) => (Vec::new(), Some(unproven(why))),
    };
    Reply { response: translation::response_of(outcome, is_shown), orders, said: said.map(shortened) }
}

/// What a call without a response proves. That it was not sent proves nothing of an earlier one with its token.
pub(super) fn reply_to(error: &CallError, call: &StoredCall) -> Reply {
    let why = |code: &str| Some(shortened(Refusal { code: code.to_owned(), message: error.to_string() }));
    let response = match error {
        CallError::NoResponse(_) | CallError::Failed(_) => {
            return Reply { said: why("no_response"), ..Response::Unproven.into() };
        }
        CallError::NoQuestion(_) | CallError::NotPermitted(_) if call.record.has_earlier_call() => {
            Response::Unproven
        }
        CallError::NoQuestion(refusal) => {
            let response = Response::Declined { class: DeclineClass::Rule, retry_after: None };
            return Reply { said: Some(shortened(refusal.clone())), ..response.into() };
        }
        CallError::NotPermitted(_) => Response::Declined { class: DeclineClass::Rule, retry_after: None },
        CallError::NoConnector(_)
        | CallError::Plugin(_)
        | CallError::Misaddressed(_)
        | CallError::Endpoint(_)
        | CallError::NotSent(_) => Response::NotConnected,
    };
    Reply { said: why("not_sent"), ..response.into() }
}

fn unproven(why: &str) -> Refusal {
    Refusal { code: "in_doubt".to_owned(), message: why.to_owned() }
}

fn shortened(said: Refusal) -> Refusal {
    let shorten = |text: String| text.chars().take(SAID_MAX).collect();
    Refusal { code: shorten(said.code), message: shorten(said.message) }
}
