//! A loaded plugin and its calls.
//!
//! Callers pass domain values and receive checked domain values, or an error for each bundle that has none. Only this
//! module knows batches, threads and sandboxes: see [`batch`].

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

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
use crate::provider::decode::lists::Mismatch;
use crate::provider::encode;
use crate::provider::encode::AccountLists;
use crate::provider::encode::BundleLists;
use crate::provider::encode::Ids;
use crate::provider::encode::Words;
use crate::provider::load::Origin;
use crate::provider::named_accounts::NamedAccounts;
use crate::provider::parts::PluginParts;
use crate::provider::request::PlanAnswer;
use crate::provider::request::PlanRequest;
use crate::provider::request::TimelineRequest;
use crate::provider::request::items_of_consumption;
use crate::provider::table;
use crate::runtime::batch;
use crate::runtime::batch::Answers;
use crate::runtime::batch::BatchLimits;
use crate::runtime::call;
use crate::runtime::call::Failure;
use crate::runtime::call::StoreLimits;
use crate::runtime::engine::Runtime;
use crate::runtime::error::PluginError;
use crate::runtime::limits::Limits;

/// The functions of a plugin: those of the rules, those of its provider's own API, those that take its table, and its connector.
type Functions = (
    ProviderPre<StoreLimits>,
    Option<ProviderWithApiPre<StoreLimits>>,
    Option<table::Table>,
    Option<PluginConnector>,
);

/// One provider's rules, ready to be asked.
pub struct Plugin {
    pub(super) runtime: Arc<Runtime>,
    limits: Limits,
    pre: ProviderPre<StoreLimits>,
    provider_api: Option<ProviderWithApiPre<StoreLimits>>,
    connector: Option<PluginConnector>,
    table: Option<table::Table>,
    manifest: Manifest,
    origin: Origin,
    digest: String,
    interfaces: Interfaces,
    parts: PluginParts,
    fuel_used: AtomicU64,
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
        (pre, provider_api, table, connector): Functions,
        manifest: Manifest,
        origin: Origin,
        digest: String,
        interfaces: Interfaces,
        parts: PluginParts,
    ) -> Plugin {
        Plugin {
            runtime,
            limits,
            pre,
            provider_api,
            table,
            connector,
            manifest,
            origin,
            digest,
            interfaces,
            parts,
            fuel_used: AtomicU64::new(0),
        }
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where it comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The SHA-256 of the component or, of a table, of its interpreter and it, in hexadecimal: what names this revision.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it exports and imports.
    pub fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// The fuel of all its calls since it was loaded.
    pub fn fuel_used(&self) -> u64 {
        self.fuel_used.load(Ordering::Relaxed)
    }

    /// Whether it is a table, which a bundled component interprets.
    pub fn is_table(&self) -> bool {
        self.table.is_some()
    }

    /// What it is made of.
    pub fn parts(&self) -> &PluginParts {
        &self.parts
    }

    /// What it may spend.
    pub fn limits(&self) -> &Limits {
        &self.limits
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
        let (found, _) = found.map_err(|failure| failure.error)?;
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
        let bundles = requests.iter().map(|request| request.bundle);
        let named_accounts = NamedAccounts::of(accounts, requests.iter().map(|request| request.account));
        let mut words = Words::default();
        let accounts = AccountLists::of(&mut words, &named_accounts.accounts);
        let bundles = BundleLists::of(&mut words, bundles, &self.manifest.reads, Ids::Without);
        let sent = requests.iter().zip(&named_accounts.places).map(|(request, account)| {
            wit_lifecycle::TimelineRequest { after: request.after.as_second(), account: *account }
        });
        let sent = sent.collect::<Vec<_>>();
        let items = requests.iter().map(TimelineRequest::items).sum();
        let (answer, fuel) = self.call("timeline", items, |store, provider| {
            let lifecycle = provider.perennial_provider_lifecycle();
            lifecycle.call_timeline(store, words.list(), accounts.record(), bundles.record(), &sent)
        })?;
        let answers = decode::timelines(answer, requests.len(), self.limits.answer_max_bytes);
        self.each("timeline", requests, fuel, answers, |request, timeline| {
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
        let bundles = requests.iter().map(|request| request.bundle);
        let named_accounts = NamedAccounts::of(accounts, requests.iter().map(|request| request.account));
        let mut words = Words::default();
        let accounts = AccountLists::of(&mut words, &named_accounts.accounts);
        let bundles = BundleLists::of(&mut words, bundles, &self.manifest.reads, Ids::With);
        let options = encode::options(requests.iter().map(|request| request.command));
        let changes = encode::changes(requests.iter().map(|request| request.command));
        let orders = requests.iter().flat_map(|request| encode::orders(request.orders)).collect::<Vec<_>>();
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
            orders: encode::index(request.orders.len()),
        });
        let sent = sent.collect::<Vec<_>>();
        let items = requests.iter().map(PlanRequest::items).sum();
        let (answer, fuel) = self.call("make-plans", items, |store, provider| {
            let commands = provider.perennial_provider_commands();
            commands.call_make_plans(store, words.list(), accounts.record(), bundles.record(), &sent, &orders)
        })?;
        let answers = decode::plans(answer, requests.len(), self.limits.answer_max_bytes);
        let share = fuel.div_ceil(u64::try_from(requests.len()).unwrap_or(u64::MAX).max(1));
        self.each("make-plans", requests, fuel, answers, |request, plan| {
            match &plan {
                Ok(plan) => {
                    let PlanRequest { command, bundle, member, orders, at, .. } = *request;
                    plan::check(plan, command, bundle, member, orders, at)
                        .map_err(|error| error.to_string())?;
                }
                Err(refusal) => answer_limits::refusal_problem(refusal).map_or(Ok(()), Err)?,
            }
            Ok(PlanAnswer { plan, fuel: share })
        })
    }

    fn some_allocations(
        &self,
        accounts: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Result<Answers<Vec<Allocation>>, Failure> {
        let named_accounts = NamedAccounts::of(accounts, consumptions.iter().map(|(account, _)| *account));
        let mut words = Words::default();
        let accounts = AccountLists::of(&mut words, &named_accounts.accounts);
        let sent = consumptions.iter().zip(&named_accounts.places);
        let sent = sent.map(|((_, consumption), account)| wit_usage::Consumption {
            at: consumption.at.as_second(),
            account: *account,
            resource_type: words.number(&consumption.resource_type),
            amount: consumption.amount.as_micros(),
            packages: encode::index(consumption.packages.len()),
        });
        let sent = sent.collect::<Vec<_>>();
        let packages = consumptions.iter().flat_map(|(_, consumption)| &consumption.packages);
        let packages = packages.map(encode::offer).collect::<Vec<_>>();
        let items = consumptions.iter().map(items_of_consumption).sum();
        let (answer, fuel) = self.call("allocate", items, |store, provider| {
            let usage = provider.perennial_provider_usage();
            usage.call_allocate(store, words.list(), accounts.record(), &sent, &packages)
        })?;
        let answers = decode::allocations(answer, consumptions.len());
        self.each("allocate", consumptions, fuel, answers, |(_, consumption), allocations| {
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

    /// Calls one of its functions in a sandbox of its own. Returns the answer and the fuel that it took.
    fn call<A>(
        &self,
        function: &'static str,
        items: usize,
        call: impl FnOnce(&mut Store<StoreLimits>, &Provider) -> wasmtime::Result<A>,
    ) -> Result<(A, u64), Failure> {
        let page_request = (self.manifest.id.as_str(), function);
        let answered = call::invoke(&self.runtime, &self.limits, page_request, items, |store| {
            let provider = table::instantiate(&self.pre, self.table.as_ref(), &mut *store)?;
            call(store, &provider)
        });
        let fuel = answered.as_ref().map_or_else(|failure| failure.fuel, |(_, fuel)| *fuel);
        self.fuel_used.fetch_add(fuel, Ordering::Relaxed);
        answered
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

    /// Brings requests and answers together, and checks each with `check`. Where the lists of an answer do not belong
    /// together, the whole batch failed, because nobody knows which is whose.
    fn each<Q, W, A>(
        &self,
        function: &'static str,
        requests: &[Q],
        fuel: u64,
        answers: Result<Vec<Result<W, String>>, Mismatch>,
        check: impl Fn(&Q, W) -> Result<A, String>,
    ) -> Result<Answers<A>, Failure> {
        let plugin = || self.manifest.id.clone();
        let nonsense = |problem| PluginError::Nonsense { plugin: plugin(), function, problem };
        let answers = answers.map_err(|mismatch| {
            let (plugin, requests) = (plugin(), requests.len());
            let limit_bytes = self.limits.answer_max_bytes;
            let error = match mismatch {
                Mismatch::Count(answers) => PluginError::WrongCount { plugin, function, requests, answers },
                Mismatch::Lists(problem) => nonsense(problem),
                Mismatch::Length => PluginError::TooLong { plugin, function, limit_bytes },
            };
            Failure { error, fuel }
        })?;
        let pairs = requests.iter().zip(answers);
        Ok(pairs
            .map(|(request, answer)| answer.and_then(|answer| check(request, answer)).map_err(nonsense))
            .collect())
    }
}
