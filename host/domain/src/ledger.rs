//! Money: the balance of an account, the part of it that is held, and the ledger entries that explain both.
//!
//! Knows holds and postings; not what they are for. Every entry moves one amount from one book to another, so debits
//! equal credits by construction; a balance is a projection that the entries recompute.

use crate::micros::Micros;
use crate::timestamp::Timestamp;

/// One of the books between which money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Book {
    /// Outside: where top-ups come from.
    Funding,
    /// The account's own, free to be spent.
    Cash,
    /// The account's own, reserved for a plan under way.
    Held,
    /// Paid to the provider.
    Spent,
}

impl Book {
    /// Every book, for parsing and for sums over all of them.
    pub const ALL: [Book; 4] = [Book::Funding, Book::Cash, Book::Held, Book::Spent];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Book::Funding => "funding",
            Book::Cash => "cash",
            Book::Held => "held",
            Book::Spent => "spent",
        }
    }

    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            Book::Funding => 0,
            Book::Cash => 1,
            Book::Held => 2,
            Book::Spent => 3,
        }
    }

    /// What `code` stands for; `None` for a number that stands for nothing.
    pub const fn from_code(code: i64) -> Option<Book> {
        match code {
            0 => Some(Book::Funding),
            1 => Some(Book::Cash),
            2 => Some(Book::Held),
            3 => Some(Book::Spent),
            _ => None,
        }
    }
}

/// Why money moved between books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// What the account had when it was imported.
    Opening,
    /// Somebody paid money in.
    TopUp,
    /// A renewal was paid.
    Renewal,
    /// A package, or a first period, was paid.
    Purchase,
    /// An unsubscription or a conversion gave back what was paid for a period.
    Refund,
    /// A dearer specification was paid.
    Upgrade,
    /// A cheaper specification, or a dearer one that was given back, gave money back: no budget counts it.
    Adjustment,
}

impl Reason {
    /// Every reason, for parsing and for lists of choices.
    pub const ALL: [Reason; 7] = [
        Reason::Opening,
        Reason::TopUp,
        Reason::Renewal,
        Reason::Purchase,
        Reason::Refund,
        Reason::Upgrade,
        Reason::Adjustment,
    ];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Opening => "opening",
            Reason::TopUp => "top_up",
            Reason::Renewal => "renewal",
            Reason::Purchase => "purchase",
            Reason::Refund => "refund",
            Reason::Upgrade => "upgrade",
            Reason::Adjustment => "adjustment",
        }
    }

    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            Reason::Opening => 0,
            Reason::TopUp => 1,
            Reason::Renewal => 2,
            Reason::Purchase => 3,
            Reason::Refund => 4,
            Reason::Upgrade => 5,
            Reason::Adjustment => 6,
        }
    }

    /// What `code` stands for; `None` for a number that stands for nothing.
    pub const fn from_code(code: i64) -> Option<Reason> {
        match code {
            0 => Some(Reason::Opening),
            1 => Some(Reason::TopUp),
            2 => Some(Reason::Renewal),
            3 => Some(Reason::Purchase),
            4 => Some(Reason::Refund),
            5 => Some(Reason::Upgrade),
            6 => Some(Reason::Adjustment),
            _ => None,
        }
    }
}

crate::field::word_field!(Reason);

/// One movement of money. Never changed and never removed; a correction is an entry the other way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The instant of the movement.
    pub at: Timestamp,
    /// The book that is debited.
    pub from: Book,
    /// The book that is credited.
    pub to: Book,
    /// The amount; never negative.
    pub amount: Micros,
    /// The reason of the movement.
    pub reason: Reason,
    /// The resource it is about, if any.
    pub resource: Option<String>,
    /// The attempt or order it belongs to, if any.
    pub reference: Option<String>,
}

/// The money of an account: available and held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    available: Micros,
    held: Micros,
}

/// There is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{needed} is needed and {available} is available")]
pub struct Shortfall {
    /// The cost of the plan.
    pub needed: Micros,
    /// What is free to be spent.
    pub available: Micros,
}

/// Money reserved for a plan. Dropping it without posting or releasing leaves it reserved, so callers must do either.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "money stays reserved until it is posted or released"]
pub struct Hold {
    amount: Micros,
}

impl Balance {
    /// A balance of so much to spend and so much reserved.
    pub fn new(available: Micros, held: Micros) -> Balance {
        Balance { available, held }
    }

    /// What is free to be spent.
    pub fn available(self) -> Micros {
        self.available
    }

    /// The amount that is reserved by holds.
    pub fn held(self) -> Micros {
        self.held
    }

    /// Reserves `amount`, which is not negative. Nothing can always be reserved, also by an account in debt.
    ///
    /// # Errors
    ///
    /// [`Shortfall`] when less is available; nothing has changed then.
    pub fn hold(&mut self, amount: Micros) -> Result<Hold, Shortfall> {
        assert!(amount >= Micros::ZERO, "a hold of {amount} would make money");
        if amount > Micros::ZERO && amount > self.available {
            return Err(Shortfall { needed: amount, available: self.available });
        }
        self.available -= amount;
        self.held += amount;
        Ok(Hold { amount })
    }

    /// The hold of `amount` that was made earlier and is stored; `None` when less than that is held.
    pub fn stored_hold(self, amount: Micros) -> Option<Hold> {
        (Micros::ZERO <= amount && amount <= self.held).then_some(Hold { amount })
    }

    /// Spends what was reserved.
    pub fn post(&mut self, hold: Hold) {
        self.held -= hold.amount;
    }

    /// Gives back what was reserved.
    pub fn release(&mut self, hold: Hold) {
        self.held -= hold.amount;
        self.available += hold.amount;
    }

    /// Adds `amount`, which is not negative.
    pub fn credit(&mut self, amount: Micros) {
        assert!(amount >= Micros::ZERO, "a credit of {amount} would take money");
        self.available += amount;
    }

    /// The balance that a list of entries comes to, oldest first.
    pub fn of_entries<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Balance {
        let mut balance = Balance::default();
        for entry in entries {
            for (book, amount) in [(entry.from, -entry.amount), (entry.to, entry.amount)] {
                match book {
                    Book::Cash => balance.available += amount,
                    Book::Held => balance.held += amount,
                    Book::Funding | Book::Spent => {}
                }
            }
        }
        balance
    }
}

#[cfg(test)]
mod tests;
