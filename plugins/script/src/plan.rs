//! A plan as a script receives it, made from the flat records of a batch. Knows the fields; gives no engine anything.

use std::rc::Rc;

use rhai::ImmutableString;

use crate::calendar::Instant;
use crate::map::TextMap;
use crate::money;
use crate::rulings::Batch;
use crate::rulings::Extension;
use crate::rulings::Figures;
use crate::rulings::Items;
use crate::rulings::Quote;
use crate::types::Term;

/// A plan. Copies share it.
#[derive(Clone, Debug)]
pub struct Plan(pub Rc<PlanFields>);

/// What a plan's fields hold, with the names that scripts give them.
#[derive(Debug)]
pub struct PlanFields {
    pub command: ImmutableString,
    pub cause: ImmutableString,
    pub cost: Option<i64>,
    pub refund: Option<i64>,
    pub at: Instant,
    pub first_try_at: Option<Instant>,
    pub next_try_at: Option<Instant>,
    pub last_try_at: Option<Instant>,
    pub term: Option<Term>,
    pub options: Option<TextMap>,
    /// The primary first; never empty.
    pub members: Vec<Resource>,
    pub expires_after: Option<Instant>,
    pub account: Account,
    pub requested_by: Option<ImmutableString>,
    extensions: Vec<Extension>,
    quotes: Vec<Quote>,
}

/// A resource of the plan's bundle. Copies share it.
#[derive(Clone, Debug)]
pub struct Resource(pub Rc<ResourceFields>);

/// What a resource's fields hold.
#[derive(Debug)]
pub struct ResourceFields {
    pub id: ImmutableString,
    pub kind: ImmutableString,
    pub region: ImmutableString,
    pub tags: TextMap,
    pub attributes: TextMap,
    pub stage: ImmutableString,
    pub started_at: Instant,
    pub expires_at: Option<Instant>,
    pub term: Option<Term>,
    pub price: Option<i64>,
    pub renewals: u32,
}

/// The plan's account, with the money that is left for this plan. Copies share it.
#[derive(Clone, Debug)]
pub struct Account(pub Rc<AccountFields>);

/// What an account's fields hold.
#[derive(Debug)]
pub struct AccountFields {
    pub id: ImmutableString,
    pub provider: ImmutableString,
    pub currency: ImmutableString,
    pub settings: TextMap,
    pub balance: i64,
    pub budget: Option<Budget>,
}

/// A month's budget.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub limit: i64,
    pub spent: i64,
}

/// The words of a batch, as scripts have them.
pub struct Words(Vec<ImmutableString>);

impl Words {
    /// The words of `batch`.
    pub fn of(batch: &Batch) -> Words {
        Words(batch.words.iter().map(ImmutableString::from).collect())
    }

    fn get(&self, word: u32) -> ImmutableString {
        self.0[word as usize].clone()
    }
}

impl Plan {
    /// The plan at `index` of `batch`, with the money that is left for it.
    pub fn new(batch: &Batch, words: &Words, index: usize, figures: Figures) -> Plan {
        let plan = &batch.plans[index];
        Plan(Rc::new(PlanFields {
            command: words.get(plan.command),
            cause: if plan.automatic { "auto" } else { "command" }.into(),
            cost: plan.cost,
            refund: plan.refund,
            at: Instant(plan.at),
            first_try_at: plan.first_try_at.map(Instant),
            next_try_at: plan.next_try_at.map(Instant),
            last_try_at: plan.last_try_at.map(Instant),
            term: plan.term,
            options: plan.options.map(|options| text_map(batch, words, options)),
            members: range(&batch.resources, plan.members)
                .iter()
                .map(|resource| Resource::new(batch, words, resource))
                .collect(),
            expires_after: plan.expires_after.map(Instant),
            account: Account::new(batch, words, plan.account as usize, figures),
            requested_by: plan.requested_by.map(|word| words.get(word)),
            extensions: range(&batch.extensions, plan.extensions).to_vec(),
            quotes: range(&batch.quotes, plan.quotes).to_vec(),
        }))
    }

    /// What the whole plan costs at `term`: its cost at its own term, else what is quoted, else what the extensions come
    /// to, if they are the same at every term; `None` when nobody knows.
    pub fn price_for(&self, term: &Term) -> Option<i64> {
        let plan = &*self.0;
        if plan.term == Some(*term) {
            return plan.cost;
        }
        if let Some(quote) = plan.quotes.iter().find(|quote| quote.term == *term) {
            return Some(quote.cost);
        }
        if !self.is_proportional() {
            return None;
        }
        let prices = plan.extensions.iter();
        let prices = prices.map(|one| money::pro_rata(one.price, &one.per, term, 0));
        prices.reduce(i64::saturating_add)
    }

    /// Whether another term extends the same members by just that term. Where the provider extends some of them by days
    /// more, or leaves some out, only the provider's rules know what it does at another term.
    fn is_proportional(&self) -> bool {
        let plan = &*self.0;
        let may_be_extended = |member: &&Resource| member.0.expires_at.is_some() && member.0.term.is_some();
        let members = plan.members.iter().filter(may_be_extended).count();
        let is_plain = plan.extensions.iter().all(|one| one.extra_days == 0);
        let at_own_term = plan.term.and_then(|own| {
            let prices = plan.extensions.iter().map(|one| money::pro_rata(one.price, &one.per, &own, 0));
            prices.reduce(i64::saturating_add)
        });
        is_plain && members == plan.extensions.len() && at_own_term == plan.cost
    }
}

impl Resource {
    fn new(batch: &Batch, words: &Words, resource: &crate::rulings::Resource) -> Resource {
        Resource(Rc::new(ResourceFields {
            id: words.get(resource.id),
            kind: words.get(resource.kind),
            region: words.get(resource.region),
            tags: text_map(batch, words, resource.tags),
            attributes: text_map(batch, words, resource.attributes),
            stage: words.get(resource.stage),
            started_at: Instant(resource.started_at),
            expires_at: resource.expires_at.map(Instant),
            term: resource.term,
            price: resource.price,
            renewals: resource.renewals,
        }))
    }
}

impl Account {
    fn new(batch: &Batch, words: &Words, index: usize, figures: Figures) -> Account {
        let account = &batch.accounts[index];
        Account(Rc::new(AccountFields {
            id: words.get(account.id),
            provider: words.get(account.provider),
            currency: words.get(account.currency),
            settings: text_map(batch, words, account.settings),
            balance: figures.balance,
            budget: account.budget.map(|budget| Budget { limit: budget.limit, spent: figures.spent }),
        }))
    }
}

fn text_map(batch: &Batch, words: &Words, items: Items) -> TextMap {
    let pairs = range(&batch.pairs, items).iter();
    TextMap::new(pairs.map(|pair| (words.get(pair.name), words.get(pair.value))).collect())
}

/// Some items of a list. The host sends no range that is outside of it.
pub fn range<T>(list: &[T], items: Items) -> &[T] {
    &list[items.start as usize..][..items.length as usize]
}
