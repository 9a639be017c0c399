//! The frame of every page: its head, what leads to the other pages, and its foot. Knows no page's content.

use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use maud::DOCTYPE;
use maud::Markup;
use maud::PreEscaped;
use maud::html;
use perennial_domain::event::EventKind;
use perennial_service::admin_tokens::Role;

use crate::console::assets;
use crate::console::frame::Frame;
use crate::console::frame::ZoneChoice;
use crate::console::texts as t;
use crate::server::AuthenticatedMark;
use perennial_formats::language::Language;
use perennial_formats::language::Text;

/// The pages that every other page leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Today,
    Renewals,
    Resources,
    Accounts,
    Approvals,
    Jobs,
    Calendar,
    Forecast,
    Events,
    Policies,
    Plugins,
    Webhooks,
    Channels,
    Tokens,
    Audit,
    Clock,
    /// A page that none of the others leads to.
    None,
}

impl Section {
    /// Every section that has a link, in the order of the links.
    pub(super) const ALL: [Section; 16] = [
        Section::Today,
        Section::Renewals,
        Section::Resources,
        Section::Accounts,
        Section::Approvals,
        Section::Jobs,
        Section::Calendar,
        Section::Forecast,
        Section::Events,
        Section::Policies,
        Section::Plugins,
        Section::Webhooks,
        Section::Channels,
        Section::Tokens,
        Section::Audit,
        Section::Clock,
    ];

    /// The path, the name, the role that it takes, and whether it is about the host as a whole.
    const fn parts(self) -> (&'static str, Text, Role, bool) {
        match self {
            Section::Today | Section::None => ("/", t::TODAY, Role::Viewer, false),
            Section::Renewals => ("/renewals", t::RENEWALS, Role::Viewer, false),
            Section::Resources => ("/resources", t::RESOURCES, Role::Viewer, false),
            Section::Accounts => ("/accounts", t::ACCOUNTS, Role::Viewer, false),
            Section::Approvals => ("/approvals", t::APPROVALS, Role::Viewer, false),
            Section::Jobs => ("/jobs", t::JOBS, Role::Viewer, false),
            Section::Calendar => ("/calendar", t::CALENDAR, Role::Viewer, false),
            Section::Forecast => ("/forecast", t::FORECAST, Role::Viewer, false),
            Section::Events => ("/events", t::EVENTS, Role::Viewer, false),
            Section::Policies => ("/policies", t::POLICIES, Role::Viewer, true),
            Section::Plugins => ("/plugins", t::PLUGINS, Role::Viewer, false),
            Section::Webhooks => ("/webhooks", t::WEBHOOKS, Role::Operator, false),
            Section::Channels => ("/channels", t::CHANNELS, Role::Operator, false),
            Section::Tokens => ("/tokens", t::TOKENS_AND_KEYS, Role::Operator, false),
            Section::Audit => ("/audit", t::AUDIT, Role::Admin, false),
            Section::Clock => ("/clock", t::CLOCK, Role::Viewer, false),
        }
    }

    /// The path of the page.
    pub(super) const fn path(self) -> &'static str {
        self.parts().0
    }

    /// Whether the reader may see the page.
    pub(super) fn is_shown(self, frame: &Frame) -> bool {
        let (_, _, role, is_whole) = self.parts();
        frame.may(role) && (!is_whole || frame.caller.can_access_all())
    }
}

/// A page for somebody who is signed in.
pub(super) fn page(frame: &Frame, section: Section, title: &str, content: Markup) -> Response {
    let body = html! {
        header.top {
            a.brand href="/" { (mark()) span { "Perennial" } }
            (navigation(frame, section))
            div.reader {
                span { (frame.caller.name) " · " (frame.word(frame.caller.role.name())) }
                form method="post" action="/sign-out" {
                    (frame.proof())
                    button.quiet type="submit" { (frame.say(t::SIGN_OUT)) }
                }
            }
        }
        main id="main" tabindex="-1" {
            h1 { (title) }
            @if let Some(done) = frame.done {
                p.done role="status" { (frame.say(done)) }
            }
            (content)
        }
        (foot(frame))
    };
    let mut response = html_response(document(frame.language, title, body));
    response.extensions_mut().insert(AuthenticatedMark);
    response
}

/// A whole document.
pub(super) fn document(language: Language, title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Perennial" }
                link rel="icon" href=(assets::icon_path());
                link rel="stylesheet" href=(assets::style_path());
                script src=(assets::script_path()) defer {}
            }
            body data-kinds=(EventKind::TYPES.join(" ")) {
                a.skip href="#main" { (t::SKIP.of(language)) }
                (body)
            }
        }
    }
}

/// A response with a page.
pub(super) fn html_response(page: Markup) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page.into_string()).into_response()
}

fn navigation(frame: &Frame, section: Section) -> Markup {
    html! {
        nav aria-label=(frame.say(t::PAGES)) {
            ul {
                @for link in Section::ALL.into_iter().filter(|link| link.is_shown(frame)) {
                    @let (path, name, ..) = link.parts();
                    li { a href=(path) aria-current=[(link == section).then_some("page")] { (frame.say(name)) } }
                }
            }
        }
    }
}

fn foot(frame: &Frame) -> Markup {
    let zones = [("utc", t::ZONE_UTC), ("provider", t::ZONE_PROVIDER)];
    let own = match &frame.zone {
        ZoneChoice::Own(name, _) => name.as_str(),
        ZoneChoice::Utc | ZoneChoice::Provider => "",
    };
    html! {
        footer {
            p id="now" data-live="now" {
                (frame.say(if frame.is_virtual { t::NOW_VIRTUAL } else { t::NOW })) " "
                time datetime=(frame.now.to_string()) { (frame.minute(frame.now, None)) }
            }
            form.preferences method="post" action="/preferences" {
                (frame.proof())
                input type="hidden" name="back" value=(frame.path);
                label {
                    (frame.say(t::LANGUAGE)) " "
                    select name="language" {
                        @for language in Language::ALL {
                            option value=(language.tag()) selected[language == frame.language] lang=(language.tag()) {
                                (language.own_name())
                            }
                        }
                    }
                }
                label {
                    (frame.say(t::TIMES_IN)) " "
                    select name="zone" {
                        @for (name, text) in zones {
                            option value=(name) selected[frame.zone.name() == name] { (frame.say(text)) }
                        }
                        option value="own" selected[!own.is_empty()] { (frame.say(t::ZONE_OWN)) }
                    }
                }
                label {
                    (frame.say(t::ZONE_NAME)) " "
                    input name="own_zone" value=(own) placeholder="Asia/Shanghai" data-own-zone autocomplete="off";
                }
                button.quiet type="submit" { (frame.say(t::APPLY)) }
            }
            p { a href="/docs" { (frame.say(t::API_DOCUMENTATION)) } }
        }
    }
}

/// The mark of the product: a ring that begins anew.
pub(super) fn mark() -> Markup {
    PreEscaped(assets::ICON.replacen("<svg ", "<svg class=\"mark\" aria-hidden=\"true\" ", 1))
}
