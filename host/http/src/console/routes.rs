//! Every page and every form of the console: one list, of which the paths of the pages are known to what walks all of them.

use axum::Router;
use axum::handler::Handler;
use axum::routing::MethodRouter;
use axum::routing::get;
use axum::routing::post;

use crate::console::account_settings;
use crate::console::accounts;
use crate::console::approvals;
use crate::console::assets;
use crate::console::audit;
use crate::console::calendar;
use crate::console::channels;
use crate::console::clock;
use crate::console::cloud;
use crate::console::commands;
use crate::console::events;
use crate::console::forecast;
use crate::console::jobs;
use crate::console::plugin_changes;
use crate::console::plugin_failures;
use crate::console::plugin_revisions;
use crate::console::plugins;
use crate::console::policies;
use crate::console::preferences;
use crate::console::renewals;
use crate::console::resource;
use crate::console::resources;
use crate::console::sign_in;
use crate::console::today;
use crate::console::tokens;
use crate::console::visit::Console;
use crate::console::webhooks;
use crate::middleware;

/// Routes as they are added, with the paths of those that are pages.
pub(super) struct Routes {
    /// All of them.
    pub(super) router: Router<Console>,
    /// The paths of the pages, in the order in which they were added.
    pub(super) pages: Vec<&'static str>,
}

impl Routes {
    /// Adds a page, and the form that has its address.
    fn page(mut self, path: &'static str, methods: MethodRouter<Console>) -> Routes {
        self.pages.push(path);
        Routes { router: self.router.route(path, methods), pages: self.pages }
    }

    /// Adds a form that has an address of its own.
    fn form<T: 'static>(self, path: &str, handler: impl Handler<T, Console>) -> Routes {
        Routes { router: self.router.route(path, post(handler)), pages: self.pages }
    }
}

/// Every page and every form.
pub(super) fn all() -> Routes {
    let router = assets::routes().route("/events/stream", get(events::stream));
    Routes { router, pages: Vec::new() }
        .page("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .form("/sign-out", sign_in::sign_out)
        .form("/preferences", preferences::change)
        .page("/", get(today::show))
        .form("/warnings", today::warnings)
        .page("/renewals", get(renewals::list))
        .page("/resources", get(resources::list))
        .page("/resources/{id}", get(resource::show))
        .form("/resources/{id}/tags", resource::tag)
        .page("/resources/{id}/plan", get(commands::plan))
        .form("/resources/{id}/command", commands::carry_out)
        .page("/accounts", get(accounts::list))
        .page("/accounts/{id}", get(accounts::show))
        .form("/accounts/{id}/top-up", accounts::top_up)
        .form("/accounts/{id}/settings", account_settings::change)
        .form("/calls/{id}/resolve", cloud::resolve)
        .page("/approvals", get(approvals::list).post(approvals::decide))
        .page("/approvals/{id}", get(approvals::show))
        .page("/jobs", get(jobs::list).post(jobs::create))
        .page("/jobs/{id}", get(jobs::show))
        .form("/jobs/{id}/carry-out", jobs::carry_out)
        .form("/jobs/{id}/cancel", jobs::cancel)
        .page("/calendar", get(calendar::show))
        .page("/forecast", get(forecast::show))
        .page("/events", get(events::list))
        .page("/policies", get(policies::list).post(policies::install))
        .form(middleware::CONSOLE_COMPARISON, policies::compare)
        .page("/policies/{name}", get(policies::show))
        .form("/policies/{name}/remove", policies::remove)
        .page("/plugins", get(plugins::list).post(plugin_failures::release_one))
        .page("/plugins/change", get(plugin_changes::look).post(plugin_changes::carry_out))
        .page("/plugins/revisions/{digest}", get(plugin_revisions::show))
        .page("/webhooks", get(webhooks::list).post(webhooks::create))
        .page("/channels", get(channels::list).post(channels::create))
        .page("/channels/{id}", get(channels::show).post(channels::operate))
        .page("/webhooks/{id}", get(webhooks::show).post(webhooks::operate))
        .page("/tokens", get(tokens::list).post(tokens::create))
        .form("/tokens/{id}/revoke", tokens::revoke)
        .form("/keys", tokens::create_key)
        .form("/keys/{id}/revoke", tokens::revoke_key)
        .page("/audit", get(audit::list))
        .page("/clock", get(clock::show).post(clock::advance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_take_longer_are_known_to_the_middleware() {
        let pages = all().pages;
        assert!(pages.contains(&middleware::CONSOLE_FORECAST), "{pages:?}");
    }
}
