//! What the functions of a script share while it rules on one plan: the provider's days, the calendars, and the notes.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::items::Work;
use crate::notes::Notes;
use crate::types::Calendar;

/// Days since 1970-01-01, first and last.
type Days = Vec<(i32, i32)>;

/// Shared by every function of one engine.
#[derive(Debug, Default)]
pub struct Context {
    /// Of the account whose plan is ruled on, in minutes ahead of UTC.
    pub utc_offset_minutes: Cell<i16>,
    /// What the script noted so far.
    pub notes: RefCell<Notes>,
    /// What the script looked at so far.
    pub work: Work,
    calendars: BTreeMap<String, Days>,
}

impl Context {
    /// One with these calendars.
    pub fn new(calendars: &[Calendar]) -> Rc<Context> {
        let calendars = calendars.iter().map(|calendar| (calendar.name.clone(), calendar.days.clone()));
        Rc::new(Context { calendars: calendars.collect(), ..Context::default() })
    }

    /// Whether the calendar `name` has `day`; `None` when there is no such calendar.
    pub(crate) fn has_day(&self, name: &str, day: i32) -> Option<bool> {
        let days = self.calendars.get(name)?;
        self.work.add_items(days.len());
        Some(days.iter().any(|(first, last)| (*first..=*last).contains(&day)))
    }

    /// The names of the calendars.
    pub(crate) fn calendar_names(&self) -> impl Iterator<Item = &str> {
        self.calendars.keys().map(String::as_str)
    }
}
