//! Changes of the policies that hold: installed, replaced, removed, confirmed; whole or not at all, each one kept.
//!
//! What a policy that is changed had put off is asked about again at once, so no due work waits for a policy that is gone.

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::policy::Calendar;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicySet;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::policy::binding;
use perennial_formats::policy::binding::PolicyBinding;
use perennial_store::deferrals;
use perennial_store::people;
use perennial_store::policies;
use perennial_store::policies::StoredCalendar;
use perennial_store::policies::StoredPolicy;
use perennial_store::policy_changes;
use perennial_store::policy_changes::NewPolicyChange;
use perennial_store::policy_changes::PolicyChange;
use perennial_store::policy_changes::Subject;

use crate::EngineTx;
use crate::error::EngineError;
use crate::persist::RecordedEvent;
use crate::policy_digest;

/// The person or program that changes policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyAuthor<'a> {
    /// The id of their token; `cli` for the command line.
    pub id: &'a str,
    /// Why, if they say.
    pub reason: Option<&'a str>,
}

/// What became of a policy or calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The subject is new.
    Added,
    /// It is another one than before.
    Replaced,
    /// It is the same as before.
    Unchanged,
    /// It is the same, and somebody else than its last author has said so.
    Confirmed,
    /// The subject is gone.
    Removed,
}

impl ChangeKind {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            ChangeKind::Added => "added",
            ChangeKind::Replaced => "replaced",
            ChangeKind::Unchanged => "unchanged",
            ChangeKind::Confirmed => "confirmed",
            ChangeKind::Removed => "removed",
        }
    }
}

/// What became of one policy or calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectChange {
    /// Whether it is a policy or a calendar.
    pub subject: Subject,
    /// The name of the policy or calendar.
    pub name: String,
    /// What became of it.
    pub kind: ChangeKind,
}

/// What was changed, and what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyChanges {
    /// Policies in the order of the chain, then calendars, then what is gone.
    pub changes: Vec<SubjectChange>,
    /// The events that were recorded.
    pub events: Vec<RecordedEvent>,
}

/// One run of changes.
struct Changer<'e, 'a> {
    engine: EngineTx<'e>,
    at: Timestamp,
    author: PolicyAuthor<'a>,
    person: String,
    made: PolicyChanges,
}

impl EngineTx<'_> {
    /// Has the policies and calendars of `set` hold from now on, beside the others or, with `replaces`, instead of them.
    ///
    /// The caller has had the scripts checked.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn install_policies(
        &mut self,
        at: Timestamp,
        set: &PolicySet,
        replaces: bool,
        author: PolicyAuthor<'_>,
    ) -> Result<PolicyChanges, EngineError> {
        let before = policies::all(self.tx())?;
        let mut changer = Changer::new(self.reborrow(), at, author)?;
        for policy in &set.policies {
            let stored = before.policies.iter().find(|stored| stored.policy.name == policy.name);
            changer.install(policy, stored)?;
        }
        for calendar in &set.calendars {
            let stored = before.calendars.iter().find(|stored| stored.calendar.name == calendar.name);
            changer.install_calendar(calendar, stored)?;
        }
        if replaces {
            let is_gone =
                |stored: &&StoredPolicy| !set.policies.iter().any(|one| one.name == stored.policy.name);
            for stored in before.policies.iter().filter(is_gone) {
                changer.remove(stored)?;
            }
            let is_gone =
                |stored: &&StoredCalendar| !set.calendars.iter().any(|one| one.name == stored.calendar.name);
            for stored in before.calendars.iter().filter(is_gone) {
                changer.remove_calendar(stored)?;
            }
        }
        changer.finish()
    }

    /// Removes a policy. Of one that somebody else has removed, says that this is right. `None` when there is nothing to
    /// remove.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn remove_policy(
        &mut self,
        at: Timestamp,
        name: &str,
        author: PolicyAuthor<'_>,
    ) -> Result<Option<PolicyChanges>, EngineError> {
        let stored = policies::get(self.tx(), name)?;
        let mut changer = Changer::new(self.reborrow(), at, author)?;
        match stored {
            Some(stored) => changer.remove(&stored)?,
            None => changer.confirm_removal(Subject::Policy, name)?,
        }
        changer.finish_unless_empty()
    }

    /// Removes a calendar, as [`EngineTx::remove_policy`] removes a policy.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn remove_policy_calendar(
        &mut self,
        at: Timestamp,
        name: &str,
        author: PolicyAuthor<'_>,
    ) -> Result<Option<PolicyChanges>, EngineError> {
        let stored = policies::calendars(self.tx())?;
        let mut changer = Changer::new(self.reborrow(), at, author)?;
        match stored.iter().find(|stored| stored.calendar.name == name) {
            Some(stored) => changer.remove_calendar(stored)?,
            None => changer.confirm_removal(Subject::Calendar, name)?,
        }
        changer.finish_unless_empty()
    }
}

impl<'e, 'a> Changer<'e, 'a> {
    fn new(
        engine: EngineTx<'e>,
        at: Timestamp,
        author: PolicyAuthor<'a>,
    ) -> Result<Changer<'e, 'a>, EngineError> {
        let person = people::person_of(engine.tx(), author.id)?;
        Ok(Changer { engine, at, author, person, made: PolicyChanges::default() })
    }

    fn install(&mut self, policy: &Policy, existing: Option<&StoredPolicy>) -> Result<(), EngineError> {
        let digest = policy_digest::of_script(&policy.text);
        let binding = PolicyBinding::of(policy, &digest);
        let before = existing.map(|stored| PolicyBinding::of(&stored.policy, &stored.digest));
        if before.as_ref() == Some(&binding) {
            return self.confirm(Subject::Policy, &policy.name);
        }
        let stored = StoredPolicy {
            policy: policy.clone(),
            digest: digest.clone(),
            installed_at: self.at,
            installed_by: self.author.id.to_owned(),
        };
        policies::upsert(self.engine.tx(), &stored)?;
        let texts = (before.as_ref().map(PolicyBinding::to_text), Some(binding.to_text()));
        self.keep(Subject::Policy, &policy.name, texts)?;
        self.record(EventKind::PolicyInstalled {
            policy: policy.name.clone(),
            digest,
            digest_before: before.map(|before| before.digest),
            mode: policy.mode.name().to_owned(),
            changed_by: self.author.id.to_owned(),
        })
    }

    fn install_calendar(
        &mut self,
        calendar: &Calendar,
        existing: Option<&StoredCalendar>,
    ) -> Result<(), EngineError> {
        if existing.is_some_and(|stored| stored.calendar.days == calendar.days) {
            return self.confirm(Subject::Calendar, &calendar.name);
        }
        let stored = StoredCalendar {
            calendar: calendar.clone(),
            installed_at: self.at,
            installed_by: self.author.id.to_owned(),
        };
        policies::upsert_calendar(self.engine.tx(), &stored)?;
        let texts = (existing.map(|stored| days_text(&stored.calendar)), Some(days_text(calendar)));
        self.keep(Subject::Calendar, &calendar.name, texts)?;
        self.record_calendar(&calendar.name, false)
    }

    fn remove(&mut self, stored: &StoredPolicy) -> Result<(), EngineError> {
        let name = &stored.policy.name;
        policies::delete(self.engine.tx(), name)?;
        let before = PolicyBinding::of(&stored.policy, &stored.digest).to_text();
        self.keep(Subject::Policy, name, (Some(before), None))?;
        self.record(EventKind::PolicyRemoved {
            policy: name.clone(),
            digest_before: stored.digest.clone(),
            changed_by: self.author.id.to_owned(),
        })
    }

    fn remove_calendar(&mut self, stored: &StoredCalendar) -> Result<(), EngineError> {
        let name = &stored.calendar.name;
        policies::delete_calendar(self.engine.tx(), name)?;
        self.keep(Subject::Calendar, name, (Some(days_text(&stored.calendar)), None))?;
        self.record_calendar(name, true)
    }

    /// Says that the last change of somebody else is right, if nobody has said so yet.
    fn confirm(&mut self, subject: Subject, name: &str) -> Result<(), EngineError> {
        let last = policy_changes::last(self.engine.tx(), subject, name)?;
        let kind = match last.filter(|last| last.confirmed.is_none()) {
            Some(last) if self.is_of_another(&last)? => {
                policy_changes::confirm(self.engine.tx(), last.row, self.at, self.author.id)?;
                ChangeKind::Confirmed
            }
            Some(_) | None => ChangeKind::Unchanged,
        };
        self.made.changes.push(SubjectChange { subject, name: name.to_owned(), kind });
        Ok(())
    }

    /// The same of a removal.
    fn confirm_removal(&mut self, subject: Subject, name: &str) -> Result<(), EngineError> {
        let last = policy_changes::last(self.engine.tx(), subject, name)?;
        let is_open = last.is_some_and(|last| last.change.after.is_none() && last.confirmed.is_none());
        if is_open {
            self.confirm(subject, name)?;
            self.made.changes.retain(|change| change.kind == ChangeKind::Confirmed);
        }
        Ok(())
    }

    fn is_of_another(&self, change: &PolicyChange) -> Result<bool, EngineError> {
        Ok(people::person_of(self.engine.tx(), &change.change.changed_by)? != self.person)
    }

    /// Keeps a change: what it was before and after.
    fn keep(
        &mut self,
        subject: Subject,
        name: &str,
        (before, after): (Option<String>, Option<String>),
    ) -> Result<(), EngineError> {
        let kind = match (&before, &after) {
            (_, None) => ChangeKind::Removed,
            (None, Some(_)) => ChangeKind::Added,
            (Some(_), Some(_)) => ChangeKind::Replaced,
        };
        let new = NewPolicyChange {
            at: self.at,
            subject,
            name: name.to_owned(),
            before,
            after,
            changed_by: self.author.id.to_owned(),
            reason: self.author.reason.map(str::to_owned),
        };
        policy_changes::insert(self.engine.tx(), &new)?;
        self.made.changes.push(SubjectChange { subject, name: name.to_owned(), kind });
        Ok(())
    }

    fn record_calendar(&mut self, name: &str, removed: bool) -> Result<(), EngineError> {
        let changed_by = self.author.id.to_owned();
        self.record(EventKind::PolicyCalendarChanged { calendar: name.to_owned(), removed, changed_by })
    }

    fn record(&mut self, what: EventKind) -> Result<(), EngineError> {
        let event = Event { at: self.at, resource: None, what };
        self.made.events.extend(self.engine.write_event(None, event)?);
        Ok(())
    }

    fn finish_unless_empty(self) -> Result<Option<PolicyChanges>, EngineError> {
        if self.made.changes.is_empty() { Ok(None) } else { self.finish().map(Some) }
    }

    /// Has what changed policies put off asked about again, and says what holds from now on.
    fn finish(self) -> Result<PolicyChanges, EngineError> {
        let is_other = |change: &&SubjectChange| {
            matches!(change.kind, ChangeKind::Added | ChangeKind::Replaced | ChangeKind::Removed)
        };
        let others = self.made.changes.iter().filter(is_other).collect::<Vec<_>>();
        let tx = self.engine.tx();
        if others.iter().any(|change| change.subject == Subject::Calendar) {
            deferrals::ask_again(tx, None, self.at)?;
        } else {
            for change in others {
                deferrals::ask_again(tx, Some(&change.name), self.at)?;
            }
        }
        policies::update_set_digest(tx, &policy_digest::of_set(&policies::all(tx)?))?;
        Ok(self.made)
    }
}

/// The days of a calendar, as its changes are kept.
fn days_text(calendar: &Calendar) -> String {
    serde_json::to_string(&binding::days(calendar)).expect("texts are JSON")
}
