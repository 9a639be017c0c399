//! A loaded plugin and its calls.
//!
//! Callers pass domain values and receive checked domain values, or an error for each bundle that has none. Only this
//! module knows batches, threads and sandboxes: see [`batch`].

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use perennial_domain::account::Account;
use perennial_domain::account_settings;
use perennial_domain::answer_limits;
use perennial_domain::index::AccountIndex;
use perennial_domain::manifest::Manifest;
use perennial_domain::plan;
use perennial_domain::timeline;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timeline::TimelineLimits;
use perennial_domain::usage;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;
use wasmtime::Store;

use crate::provider::bindings::Provider;
use crate::provider::bindings::ProviderPre;
use crate::provider::bindings::commands as wit_commands;
use crate::provider::bindings::lifecycle as wit_lifecycle;
use crate::provider::bindings::provider_api::ProviderWithApi;
use crate::provider::bindings::provider_api::ProviderWithApiPre;
use crate::provider::bindings::usage as wit_usage;
use crate::provider::connector::PluginConnector;
use crate::provider::contract::Interfaces;
use crate::provider::decode;
use crate::provider::encode;
use crate::provider::load::Origin;
use crate::provider::request::PlanAnswer;
use crate::provider::request::PlanRequest;
use crate::provider::request::TimelineRequest;
use crate::runtime::batch;
use crate::runtime::batch::Answers;
use crate::runtime::batch::BatchLimits;
use crate::runtime::call;
use crate::runtime::call::Failure;
use crate::runtime::call::StoreLimits;
use crate::runtime::engine::Runtime;
use crate::runtime::error::PluginError;
use crate::runtime::limits::Limits;

/// One provider's rules, ready to be asked.
pub struct Plugin {
    runtime: Arc<Runtime>,
    limits: Limits,
    pre: ProviderPre<StoreLimits>,
    provider_api: Option<ProviderWithApiPre<StoreLimits>>,
    connector: Option<PluginConnector>,
    manifest: Manifest,
    origin: Origin,
    digest: String,
    interfaces: Interfaces,
    bytes: usize,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plugin {} from {}", self.manifest.id, self.origin)
    }
}

impl Plugin {
    #[expect(clippy::too_many_arguments, reason = "one caller, and each of them is a field")]
    pub(super) fn new(
        runtime: Arc<Runtime>,
        limits: Limits,
        (pre, provider_api): (ProviderPre<StoreLimits>, Option<ProviderWithApiPre<StoreLimits>>),
        connector: Option<PluginConnector>,
        manifest: Manifest,
        origin: Origin,
        digest: String,
        interfaces: Interfaces,
        bytes: usize,
    ) -> Plugin {
        Plugin { runtime, limits, pre, provider_api, connector, manifest, origin, digest, interfaces, bytes }
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where it comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The SHA-256 of the component, in hexadecimal: what names this revision.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it exports and imports.
    pub fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// The size of the component, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.bytes
    }

    /// Its translation to its provider's API, if it has one.
    pub fn connector(&self) -> Option<&PluginConnector> {
        self.connector.as_ref()
    }

    /// Every problem of an account's settings, the host's own among them, in words, one each; empty when there is none.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when it gives no usable answer.
    pub fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError> {
        let pairs = account_settings::of_provider(settings);
        let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
        let own = account_settings::problems(settings);
        let found = self.call("check-settings", pairs.len(), |store, provider| {
            provider.perennial_provider_profile().call_check_settings(store, &pairs)
        });
        let found = found.map_err(|failure| failure.error)?;
        Ok(own.into_iter().chain(found.into_iter().map(answer_limits::shorten)).collect())
    }

    /// What will happen to each bundle if nobody does anything, in time order, down to its end.
    ///
    /// The answers are in the order of the requests, and make sense ([`timeline::check`]).
    pub fn timelines(
        &self,
        accounts: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>> {
        let items = requests.iter().map(TimelineRequest::items);
        self.in_batches(items, |range| self.some_timelines(accounts, &requests[range]))
    }

    /// What each command would do, or why the provider refuses it.
    ///
    /// The answers are in the order of the requests, and make sense ([`plan::check`]).
    pub fn make_plans(
        &self,
        accounts: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Vec<Result<PlanAnswer, PluginError>> {
        let items = requests.iter().map(PlanRequest::items);
        self.in_batches(items, |range| self.some_plans(accounts, &requests[range]))
    }

    /// Which packages allocate each use; a use comes with its account.
    ///
    /// The answers are in the order of the requests, and make sense ([`usage::check`]).
    pub fn allocate(
        &self,
        accounts: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>> {
        let items = consumptions.iter().map(items_of_consumption);
        self.in_batches(items, |range| self.some_allocations(accounts, &consumptions[range]))
    }

    fn some_timelines(
        &self,
        accounts: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Result<Answers<Vec<Occurrence>>, Failure> {
        let bundles = || requests.iter().map(|request| request.bundle);
        let named_accounts = NamedAccounts::of(accounts, requests.iter().map(|request| request.account));
        let settings = encode::settings(&named_accounts.accounts);
        let attributes = encode::attributes(bundles(), &self.manifest.reads);
        let members = encode::bundles(bundles(), &attributes);
        let sent = requests.iter().enumerate().map(|(place, request)| wit_lifecycle::TimelineRequest {
            after: request.after.as_second(),
            account: named_accounts.places[place],
            bundle: members.get(place),
        });
        let sent = sent.collect::<Vec<_>>();
        let accounts = encode::accounts(&named_accounts.accounts, &settings);
        let items = requests.iter().map(TimelineRequest::items).sum();
        let answers = self.call("timeline", items, |store, provider| {
            provider.perennial_provider_lifecycle().call_timeline(store, &accounts, &sent)
        })?;
        self.each("timeline", requests, answers, |request, answer| {
            let timeline = decode::timeline(answer)?;
            let limits = TimelineLimits {
                notices: self.manifest.notices.len(),
                wakes_per_hour_max: self.limits.wakes_per_hour_max,
            };
            timeline::check(request.bundle, request.after, &timeline, limits)
                .map_err(|error| error.to_string())?;
            Ok(timeline)
        })
    }

    fn some_plans(
        &self,
        accounts: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Result<Answers<PlanAnswer>, Failure> {
        let bundles = || requests.iter().map(|request| request.bundle);
        let named_accounts = NamedAccounts::of(accounts, requests.iter().map(|request| request.account));
        let settings = encode::settings(&named_accounts.accounts);
        let attributes = encode::attributes(bundles(), &self.manifest.reads);
        let members = encode::bundles(bundles(), &attributes);
        let options = encode::options(requests.iter().map(|request| request.command));
        let changes = encode::changes(requests.iter().map(|request| request.command));
        let orders = encode::orders(requests.iter().map(|request| request.orders));
        let sent = requests.iter().enumerate().map(|(place, request)| wit_commands::PlanRequest {
            at: request.at.as_second(),
            account: named_accounts.places[place],
            command: encode::command(
                request.command,
                &request.bundle[request.member],
                options.get(place),
                changes.get(place),
            ),
            member: encode::index(request.member.get()),
            bundle: members.get(place),
            orders: orders.get(place),
        });
        let sent = sent.collect::<Vec<_>>();
        let accounts = encode::accounts(&named_accounts.accounts, &settings);
        let items = requests.iter().map(PlanRequest::items).sum();
        let (answers, fuel) = self.call_metered("make-plans", items, |store, provider| {
            provider.perennial_provider_commands().call_make_plans(store, &accounts, &sent)
        })?;
        let fuel = fuel.div_ceil(u64::try_from(requests.len()).unwrap_or(u64::MAX).max(1));
        self.each("make-plans", requests, answers, |request, answer| {
            let plan = match answer {
                Ok(plan) => decode::plan(plan)?,
                Err(refusal) => {
                    let refusal = decode::refusal(refusal);
                    let problem = answer_limits::refusal_problem(&refusal);
                    return problem.map_or(Ok(PlanAnswer { plan: Err(refusal), fuel }), Err);
                }
            };
            plan::check(&plan, request.command, request.bundle, request.member, request.orders, request.at)
                .map_err(|error| error.to_string())?;
            Ok(PlanAnswer { plan: Ok(plan), fuel })
        })
    }

    fn some_allocations(
        &self,
        accounts: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Result<Answers<Vec<Allocation>>, Failure> {
        let named_accounts = NamedAccounts::of(accounts, consumptions.iter().map(|(account, _)| *account));
        let settings = encode::settings(&named_accounts.accounts);
        let offers = encode::offers(consumptions.iter().map(|(_, consumption)| *consumption));
        let sent = consumptions.iter().enumerate().map(|(place, (_, consumption))| wit_usage::Consumption {
            at: consumption.at.as_second(),
            account: named_accounts.places[place],
            resource_type: &consumption.resource_type,
            amount: consumption.amount.as_micros(),
            packages: offers.get(place),
        });
        let sent = sent.collect::<Vec<_>>();
        let accounts = encode::accounts(&named_accounts.accounts, &settings);
        let items = consumptions.iter().map(items_of_consumption).sum();
        let answers = self.call("allocate", items, |store, provider| {
            provider.perennial_provider_usage().call_allocate(store, &accounts, &sent)
        })?;
        self.each("allocate", consumptions, answers, |(_, consumption), answer| {
            let allocations = decode::allocations(answer);
            usage::check(consumption, &allocations).map_err(|error| error.to_string())?;
            Ok(allocations)
        })
    }

    fn in_batches<A: Send>(
        &self,
        items: impl Iterator<Item = usize>,
        ask: impl Fn(Range<usize>) -> Result<Answers<A>, Failure> + Sync,
    ) -> Answers<A> {
        let Limits { requests_max, items_max, failing_fuel_max, .. } = self.limits;
        let threads = self.runtime.threads();
        batch::ask_all(items, BatchLimits { requests_max, items_max, threads, failing_fuel_max }, ask)
    }

    fn call<A>(
        &self,
        function: &'static str,
        items: usize,
        call: impl FnOnce(&mut Store<StoreLimits>, &Provider) -> wasmtime::Result<A>,
    ) -> Result<A, Failure> {
        self.call_metered(function, items, call).map(|(answer, _)| answer)
    }

    /// The same, with the fuel that it took.
    fn call_metered<A>(
        &self,
        function: &'static str,
        items: usize,
        call: impl FnOnce(&mut Store<StoreLimits>, &Provider) -> wasmtime::Result<A>,
    ) -> Result<(A, u64), Failure> {
        let page_request = (self.manifest.id.as_str(), function);
        call::invoke(&self.runtime, &self.limits, page_request, items, |store| {
            let provider = self.pre.instantiate(&mut *store)?;
            call(store, &provider)
        })
    }

    /// Asks for its provider's own API, if it has one: `call` is told how.
    pub(super) fn call_provider_api<A>(
        &self,
        provider_api: &ProviderWithApiPre<StoreLimits>,
        function: &'static str,
        items: usize,
        call: impl FnOnce(&mut Store<StoreLimits>, &ProviderWithApi) -> wasmtime::Result<A>,
    ) -> Result<A, PluginError> {
        let page_request = (self.manifest.id.as_str(), function);
        let answered = call::invoke(&self.runtime, &self.limits, page_request, items, |store| {
            let provider = provider_api.instantiate(&mut *store)?;
            call(store, &provider)
        });
        answered.map(|(answer, _)| answer).map_err(|failure| failure.error)
    }

    /// Its functions for its provider's own API, if it has them.
    pub(super) fn provider_api_functions(&self) -> Option<&ProviderWithApiPre<StoreLimits>> {
        self.provider_api.as_ref()
    }

    /// Brings requests and answers together: one each, or the whole batch failed, because nobody knows which is whose.
    fn each<Q, W, A>(
        &self,
        function: &'static str,
        requests: &[Q],
        answers: Vec<W>,
        receive: impl Fn(&Q, W) -> Result<A, String>,
    ) -> Result<Answers<A>, Failure> {
        let plugin = || self.manifest.id.clone();
        if answers.len() != requests.len() {
            let (requests, answers) = (requests.len(), answers.len());
            let error = PluginError::WrongCount { plugin: plugin(), function, requests, answers };
            return Err(Failure { error, fuel: 0 });
        }
        let nonsense = |problem| PluginError::Nonsense { plugin: plugin(), function, problem };
        let pairs = requests.iter().zip(answers);
        Ok(pairs.map(|(request, answer)| receive(request, answer).map_err(nonsense)).collect())
    }
}

fn items_of_consumption((_, consumption): &(AccountIndex, &Consumption)) -> usize {
    1 + consumption.packages.len()
}

/// The accounts that a batch is about: not all that came with the requests, which may be thousands.
struct NamedAccounts<'a> {
    accounts: Vec<&'a Account>,
    /// For each request, the place of its account among `accounts`.
    places: Vec<u32>,
}

impl<'a> NamedAccounts<'a> {
    fn of(all: &[&'a Account], named: impl Iterator<Item = AccountIndex>) -> NamedAccounts<'a> {
        let mut named_accounts = NamedAccounts { accounts: Vec::new(), places: Vec::new() };
        let mut known = BTreeMap::new();
        for account in named {
            let place = *known.entry(account).or_insert_with(|| {
                named_accounts.accounts.push(all[account.get()]);
                encode::index(named_accounts.accounts.len() - 1)
            });
            named_accounts.places.push(place);
        }
        named_accounts
    }
}
