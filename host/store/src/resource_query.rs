//! The one query that finds resources: for the command line, the admin API's lists and jobs, calendars, and the
//! providers' own APIs.
//!
//! Knows conditions, orders and pages, and which of them an index answers; not what is shown of a resource. The statement
//! has only the conditions that are given, so that each combination is planned for itself.

mod expiry_days;
mod numbered_pages;

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::Stage;
use perennial_domain::timestamp::Timestamp;
use rusqlite::ToSql;

use crate::error::StoreError;
use crate::keys::BundleKey;
use crate::keys::ResourceKey;
use crate::keys::RowKey;
use crate::tx::ReadTx;

pub use expiry_days::ExpiryDay;
pub use expiry_days::expiry_days;

/// Which resources are wanted. A condition that is absent, empty or false lets every resource through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceFilter {
    /// Only resources of these accounts: a JSON list of ids.
    pub accounts: Option<String>,
    /// Only resources of this account.
    pub account: Option<String>,
    /// Only resources of this provider.
    pub provider: Option<String>,
    /// Only the resources with these ids.
    pub ids: Vec<String>,
    /// With `ids`: adds what is attached to those, and what is attached to that.
    pub with_attached: bool,
    /// Only resources of these kinds.
    pub kinds: Vec<String>,
    /// Only resources at these stages.
    pub stages: Vec<Stage>,
    /// Only resources that are paid for in this way.
    pub charging: Option<Charging>,
    /// Only resources with this tag ...
    pub tag: Option<String>,
    /// ... of this value.
    pub tag_value: Option<String>,
    /// Only resources that expire at this instant or later.
    pub expires_from: Option<Timestamp>,
    /// Only resources that expire before this instant.
    pub expires_before: Option<Timestamp>,
    /// Only resources that expire at this instant or before.
    pub expires_until: Option<Timestamp>,
    /// Only what will be lost for want of a renewal, in this way.
    pub risk: Option<RenewalRisk>,
    /// Only resource packages.
    pub only_packages: bool,
    /// Only primaries of bundles.
    pub only_primaries: bool,
    /// Only primaries of bundles to which something happens by itself.
    pub only_waking: bool,
}

/// A way in which a prepaid resource will be lost although others like it go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalRisk {
    /// Nothing renews it: neither itself nor what it is attached to.
    Unprotected,
    /// It is attached, and expires before its primary.
    Orphaned,
}

impl RenewalRisk {
    /// Every way, for parsing and for lists of choices.
    pub const ALL: [RenewalRisk; 2] = [RenewalRisk::Unprotected, RenewalRisk::Orphaned];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            RenewalRisk::Unprotected => "unprotected",
            RenewalRisk::Orphaned => "orphaned",
        }
    }

    /// The condition as SQL has it: prepaid and alive, which the first three stages are.
    const fn condition(self) -> &'static str {
        match self {
            RenewalRisk::Unprotected => {
                "h.charging = 0 and h.stage < 3 and h.on_expiry <> 1 and not coalesce(h.bundle <> h.resource and
                 (select p.on_expiry = 1 and h.expires_at >= p.expires_at from schedule p where p.resource = h.bundle), 0)"
            }
            RenewalRisk::Orphaned => {
                "h.charging = 0 and h.stage < 3 and h.bundle <> h.resource and
                 h.expires_at < (select p.expires_at from schedule p where p.resource = h.bundle)"
            }
        }
    }
}

/// The order of a list of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// In which they were added.
    Added,
    /// By account and bundle, a primary before what is attached to it.
    Account,
    /// By a value of the resource, then in which they were added.
    Sorted(ResourceSort),
}

/// What a list of resources can be sorted by, other than the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceSort {
    /// The soonest expiry first; what does not expire comes last.
    ExpiresAt,
    /// The highest price of one term first; what has none comes last.
    Price,
    /// By id, letter by letter.
    Id,
}

impl ResourceSort {
    /// The value as SQL has it, the smallest first.
    const fn key(self) -> &'static str {
        match self {
            ResourceSort::ExpiresAt => "coalesce(h.expires_at, 9223372036854775807)",
            ResourceSort::Price => "-coalesce(r.price, -1)",
            ResourceSort::Id => "r.id",
        }
    }
}

/// Where resources are read from.
const FROM: &str = " from resource r join schedule h on h.resource = r.row";
/// What stands for the value that a list is sorted by, in a condition.
const SORT_KEY: &str = "{key}";
/// The resources behind one of a sorted list.
const AFTER_SORTED: &str =
    "({key}, r.row) > (select {key}, r.row from resource r join schedule h on h.resource = r.row
                                              where r.row = :after)";

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourcePage {
    order: Order,
    after: ResourceKey,
    offset: u32,
    limit: u32,
    with_total: bool,
}

impl ResourcePage {
    /// At most `limit` resources that were added after `after`, in the order in which they were added.
    pub fn after(after: ResourceKey, limit: u32) -> ResourcePage {
        ResourcePage { order: Order::Added, after, offset: 0, limit, with_total: false }
    }

    /// At most `limit` resources behind `after`, by a value that they have now.
    pub fn sorted(sort: ResourceSort, after: ResourceKey, limit: u32) -> ResourcePage {
        ResourcePage { order: Order::Sorted(sort), ..ResourcePage::after(after, limit) }
    }

    /// At most `limit` resources after the first `offset`, in the order in which they were added, and how many there are.
    pub(crate) fn numbered(offset: u32, limit: u32) -> ResourcePage {
        ResourcePage {
            order: Order::Added,
            after: ResourceKey::before_all(),
            offset,
            limit,
            with_total: true,
        }
    }

    /// The first `limit` resources by account and bundle, a primary before what is attached to it.
    pub fn by_account(limit: u32) -> ResourcePage {
        ResourcePage { order: Order::Account, ..ResourcePage::after(ResourceKey::before_all(), limit) }
    }
}

/// A resource that passed a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundResource {
    /// The row of the resource.
    pub row: ResourceKey,
    /// The id of the resource.
    pub id: String,
    /// The bundle that it belongs to.
    pub bundle: BundleKey,
}

/// A part of the resources that passed a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundResources {
    /// The resources of the page.
    pub resources: Vec<FoundResource>,
    /// How many passed the filter, also beyond the page; 0 unless the page counts them.
    pub total: u32,
}

/// The page `page` of the resources that pass `filter`.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn find(db: &ReadTx, filter: &ResourceFilter, page: ResourcePage) -> Result<FoundResources, StoreError> {
    if page.with_total {
        return numbered_pages::find(db, filter, page);
    }
    Ok(FoundResources { resources: read(db, filter, page)?, total: 0 })
}

fn read(db: &ReadTx, filter: &ResourceFilter, page: ResourcePage) -> Result<Vec<FoundResource>, StoreError> {
    let statement = Statement::new(filter, page)?;
    let mut prepared = db.connection().prepare_cached(&statement.sql)?;
    let rows = prepared.query_map(statement.bound().as_slice(), |row| {
        Ok(FoundResource { row: row.get(0)?, id: row.get(1)?, bundle: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A statement and what is bound to it.
struct Statement {
    sql: String,
    conditions: Vec<&'static str>,
    parameters: Vec<(&'static str, Box<dyn ToSql>)>,
}

impl Statement {
    fn new(filter: &ResourceFilter, page: ResourcePage) -> Result<Statement, StoreError> {
        let mut statement = Statement::of(filter, "r.row, r.id, h.bundle")?;
        if page.after > ResourceKey::before_all() {
            statement.add(
                match page.order {
                    Order::Added | Order::Account => "r.row > :after",
                    Order::Sorted(_) => AFTER_SORTED,
                },
                ":after",
                page.after,
            );
        }
        statement.finish(page);
        Ok(statement)
    }

    /// The beginning of a statement that selects `columns`, and its conditions.
    fn of(filter: &ResourceFilter, columns: &str) -> Result<Statement, StoreError> {
        let mut statement = Statement { sql: String::new(), conditions: Vec::new(), parameters: Vec::new() };
        statement.add_ids(filter)?;
        statement.sql.push_str("select ");
        statement.sql.push_str(columns);
        statement.add_account(filter);
        statement.add_resource(filter)?;
        statement.add_expiry(filter);
        Ok(statement)
    }

    /// What is bound to it, by name.
    fn bound(&self) -> Vec<(&'static str, &dyn ToSql)> {
        self.parameters.iter().map(|(name, value)| (*name, value.as_ref())).collect()
    }

    /// Adds a condition and what is bound to it.
    fn add(&mut self, condition: &'static str, name: &'static str, value: impl ToSql + 'static) {
        self.conditions.push(condition);
        self.parameters.push((name, Box::new(value)));
    }

    /// Begins the statement: nothing for every resource, else those with ids and what is attached to them, which is in their bundles.
    fn add_ids(&mut self, filter: &ResourceFilter) -> Result<(), StoreError> {
        if filter.ids.is_empty() {
            return Ok(());
        }
        let ids = serde_json::to_string(&filter.ids)?;
        if filter.with_attached {
            self.sql.push_str(
                "with recursive chosen (row) as (
                     select row from resource where id in (select value from json_each(:ids))
                     union
                     select h.resource
                     from chosen join schedule c on c.resource = chosen.row join schedule h on h.bundle = c.bundle
                     join resource r on r.row = h.resource
                     where r.attached_to = chosen.row
                 ) ",
            );
            self.add("r.row in (select row from chosen)", ":ids", ids);
        } else {
            self.add("r.id in (select value from json_each(:ids))", ":ids", ids);
        }
        Ok(())
    }

    /// One account has an index; of many accounts, it would bring the rows in the wrong order, hence the `+`.
    fn add_account(&mut self, filter: &ResourceFilter) {
        if let Some(account) = &filter.account {
            // Few resources are asked for by id, and an account may have very many.
            let by_index = "r.account = (select row from account where id = :account)";
            let by_id = "+r.account = (select row from account where id = :account)";
            self.add(if filter.ids.is_empty() { by_index } else { by_id }, ":account", account.clone());
        }
        if let Some(accounts) = &filter.accounts {
            let condition = "+r.account in (select row from account where id in (select value from json_each(:accounts)))";
            self.add(condition, ":accounts", accounts.clone());
        }
        if let Some(provider) = &filter.provider {
            let condition = "+r.account in (select row from account where provider = :provider)";
            self.add(condition, ":provider", provider.clone());
        }
    }

    fn add_resource(&mut self, filter: &ResourceFilter) -> Result<(), StoreError> {
        if !filter.kinds.is_empty() {
            let kinds = serde_json::to_string(&filter.kinds)?;
            self.add("r.kind in (select value from json_each(:kinds))", ":kinds", kinds);
        }
        if !filter.stages.is_empty() {
            let codes = filter.stages.iter().map(|stage| stage.code()).collect::<Vec<_>>();
            let stages = serde_json::to_string(&codes)?;
            self.add("h.stage in (select value from json_each(:stages))", ":stages", stages);
        }
        if let Some(charging) = filter.charging {
            self.add("h.charging = :charging", ":charging", charging.code());
        }
        if let Some(tag) = &filter.tag {
            let condition = "exists (select 1 from json_each(r.tags) t where t.key = :tag)";
            let with_value =
                "exists (select 1 from json_each(r.tags) t where t.key = :tag and t.value = :tag_value)";
            self.add(if filter.tag_value.is_some() { with_value } else { condition }, ":tag", tag.clone());
            if let Some(value) = &filter.tag_value {
                self.parameters.push((":tag_value", Box::new(value.clone())));
            }
        }
        if let Some(risk) = filter.risk {
            self.conditions.push(risk.condition());
        }
        if filter.only_packages {
            self.conditions.push("exists (select 1 from package p where p.resource = r.row)");
        }
        if filter.only_primaries || filter.only_waking {
            self.conditions.push("h.bundle = h.resource");
        }
        if filter.only_waking {
            // The index of wakes would bring the rows in the order of time.
            self.conditions.push("+h.wake_at is not null");
        }
        Ok(())
    }

    fn add_expiry(&mut self, filter: &ResourceFilter) {
        if let Some(from) = filter.expires_from {
            self.add("h.expires_at >= :expires_from", ":expires_from", from.as_second());
        }
        if let Some(before) = filter.expires_before {
            self.add("h.expires_at < :expires_before", ":expires_before", before.as_second());
        }
        if let Some(until) = filter.expires_until {
            self.add("h.expires_at <= :expires_until", ":expires_until", until.as_second());
        }
    }

    fn finish(&mut self, page: ResourcePage) {
        self.sql.push_str(FROM);
        if page.order == Order::Account {
            self.sql.push_str(" join account a on a.row = r.account join resource p on p.row = h.bundle");
        }
        self.add_conditions();
        let order = match page.order {
            Order::Added => "r.row".to_owned(),
            Order::Account => "a.id, p.id, h.resource <> h.bundle, r.id".to_owned(),
            Order::Sorted(sort) => {
                self.sql = self.sql.replace(SORT_KEY, sort.key());
                format!("{}, r.row", sort.key())
            }
        };
        self.sql.push_str(&format!(" order by {order} limit :limit offset :offset"));
        self.parameters.push((":limit", Box::new(page.limit)));
        self.parameters.push((":offset", Box::new(page.offset)));
    }

    fn add_conditions(&mut self) {
        for (number, condition) in self.conditions.iter().enumerate() {
            self.sql.push_str(if number == 0 { " where " } else { " and " });
            self.sql.push_str(condition);
        }
    }
}

/// The kinds of the resources that there are, in order.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn kinds(db: &ReadTx) -> Result<Vec<String>, StoreError> {
    let mut statement = db.connection().prepare_cached("select distinct kind from resource order by kind")?;
    let kinds = statement.query_map([], |row| row.get(0))?;
    Ok(kinds.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests;
