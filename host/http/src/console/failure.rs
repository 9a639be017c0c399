//! What went wrong, as a page: the admin API's problems in their own words, and what a browser sent that it should not.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use maud::Markup;
use maud::html;
use serde_json::Value;
use serde_json::json;

use crate::console::entered;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::problems;
use crate::console::texts as t;

/// Why a page cannot be shown, or something was not done.
#[derive(Debug)]
pub(super) struct Failure {
    frame: Arc<Frame>,
    status: StatusCode,
    problem: Value,
    /// Whether it can be put right in what was entered.
    can_be_put_right: bool,
}

impl Failure {
    /// A failure in the words of the console.
    pub(super) fn new(frame: &Arc<Frame>, status: StatusCode, detail: &str) -> Failure {
        Failure::of_problem(frame, status, json!({ "detail": detail }))
    }

    /// A failure in the words of the admin API.
    pub(super) fn of_problem(frame: &Arc<Frame>, status: StatusCode, problem: Value) -> Failure {
        let can_be_put_right = [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY].contains(&status);
        Failure { frame: Arc::clone(frame), status, problem, can_be_put_right }
    }

    /// A form in which nothing was ticked: what is to be ticked is on its page.
    pub(super) fn nothing_chosen(frame: &Arc<Frame>) -> Failure {
        let failure = Failure::new(frame, StatusCode::UNPROCESSABLE_ENTITY, frame.say(t::NOTHING_CHOSEN));
        Failure { can_be_put_right: false, ..failure }
    }

    /// Whether the token may not see what was asked for.
    pub(super) fn hides(&self) -> bool {
        [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&self.status)
    }

    /// Whether there is nothing of the name that was sent.
    pub(super) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// Whether what was sent is at fault, and can be put right in its form.
    pub(super) fn is_of_form(&self) -> bool {
        [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::CONFLICT]
            .contains(&self.status)
    }

    /// Each thing that is wrong with what was sent, with the field that it is about.
    pub(super) fn errors(&self) -> &[Value] {
        self.problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// What went wrong, to stand beside the form that it is about.
    pub(super) fn markup(&self) -> Markup {
        self.markup_with(&self.errors().iter().collect::<Vec<_>>())
    }

    /// The same with these of its errors only; the others stand somewhere else.
    pub(super) fn markup_with(&self, errors: &[&Value]) -> Markup {
        let count = self.errors().len();
        html! {
            div.problem role="alert" {
                @if count > 0 {
                    p { (self.frame.fill(t::PROBLEMS_FOUND, &[&count.to_string()])) }
                } @else {
                    @if let Some(title) = problems::type_title(&self.frame, self.problem["type"].as_str().unwrap_or_default()) {
                        p { (title) }
                    }
                    p { (problems::detail(&self.frame, self.problem["detail"].as_str().unwrap_or_default())) }
                }
                @if !errors.is_empty() {
                    ul {
                        @for error in errors {
                            li {
                                code { (error["field"].as_str().unwrap_or_default()) } ": "
                                (problems::detail(&self.frame, error["detail"].as_str().unwrap_or_default()))
                            }
                        }
                    }
                }
            }
        }
    }

    fn title(&self) -> &'static str {
        let text = match self.status {
            StatusCode::NOT_FOUND => t::NOT_FOUND,
            StatusCode::FORBIDDEN => t::NOT_ALLOWED,
            StatusCode::CONFLICT => t::REFUSED,
            status if status.is_server_error() => t::HOST_FAILED,
            _ => t::NOT_DONE,
        };
        self.frame.say(text)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let content = html! {
            (self.markup())
            @if self.can_be_put_right { (entered::form(&self.frame, &self.frame.submission)) }
            p { a href="/" { (self.frame.say(t::TO_TODAY)) } }
        };
        let page = layout::page(&self.frame, Section::None, self.title(), content);
        (self.status, page).into_response()
    }
}
